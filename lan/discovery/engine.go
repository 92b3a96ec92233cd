package discovery

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"paddock/lan"
)

const (
	// look is how often the interfaces are looked at: one may go and come back
	// under its name, and an address may go before Set hears of it.
	lookEvery = 3 * time.Second
	mostLinks = 32 // a machine with more interfaces has them for containers
	mostAddrs = 16 // of one interface

	// What is looked into on one interface in a second. A conference's network
	// has fewer; more is a flood that shall not cost a core.
	readEach, readBurst = 500, 1000
)

// run is the goroutine of an Announcer. It alone uses links and sends.
func (a *Announcer) run() {
	e := &engine{net: a.net, read: make(chan packet, 64), quit: make(chan struct{}), seed: maphash.MakeSeed()}
	defer close(a.done)
	defer e.end()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-a.stop:
			return
		case <-a.wake:
			e.set(a.wanted())
		case p := <-e.read:
			e.receive(time.Now(), p)
		case <-timer.C:
		}
		now := time.Now()
		e.work(now)
		a.publish(e.state())
		wait := time.Hour
		if next := e.next(); !next.IsZero() {
			wait = max(next.Sub(now), 0)
		}
		timer.Reset(wait)
	}
}

// engine holds the links that a service needs.
type engine struct {
	net  network
	read chan packet
	quit chan struct{} // closed at the end, for readers
	all  sync.WaitGroup

	service *Service
	refused error // the service, by check
	links   []*attached
	mine    map[netip.Addr]bool // every address of this machine
	lookAt  time.Time
	lookErr error
	failed  map[string]failure // what could not be opened, by interface and family

	// What we sent last. It comes back to us, and must not be taken for another
	// Paddock on this machine. After a moment it may be: both ask in the same
	// words.
	seed maphash.Seed
	own  [256]echo
	last int
}

type echo struct {
	sum  uint64
	till time.Time
}

const echoes = 3 * time.Second

type failure struct {
	word string
	err  error
}

// attached is a link with its sockets.
type attached struct {
	*link
	card    card
	wires   [2]wire
	reads   bucket
	sendErr error
}

// packet is what a reader hands over. A broken one says that its socket is of no
// more use.
type packet struct {
	incoming
	at     *attached
	family family
	wire   wire
	broken bool
}

// set takes up a service, or nil.
func (e *engine) set(s *Service) {
	e.service, e.refused = s, nil
	if s == nil {
		e.drop(func(*attached) bool { return true })
		e.failed, e.lookErr, e.lookAt = nil, nil, time.Time{}
		return
	}
	if e.refused = s.check(); e.refused != nil {
		e.drop(func(*attached) bool { return true })
		e.lookAt = time.Time{}
		return
	}
	e.lookAt = time.Now()
}

// work does what is due.
func (e *engine) work(now time.Time) {
	if !e.lookAt.IsZero() && !e.lookAt.After(now) {
		e.lookAt = now.Add(lookEvery)
		e.reconcile(now)
	}
	for _, l := range e.links {
		e.send(l, l.tick(now))
	}
}

func (e *engine) next() time.Time {
	first := e.lookAt
	for _, l := range e.links {
		if t := l.next(); !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// reconcile makes the links what the service and the interfaces ask for.
func (e *engine) reconcile(now time.Time) {
	cards, err := e.net.look()
	if e.lookErr = err; err != nil {
		return // keep what there is; look again
	}
	e.mine = map[netip.Addr]bool{}
	for _, c := range cards {
		for _, p := range c.nets {
			e.mine[p.Addr()] = true
		}
	}
	wanted := map[string]card{}
	for _, c := range cards {
		if c.multicast && len(addrsOn(c, e.service.Addrs)) > 0 && len(wanted) < mostLinks {
			wanted[c.name] = c
		}
	}
	e.drop(func(l *attached) bool { return wanted[l.card.name].index != l.card.index })
	e.failed = map[string]failure{}
	for _, c := range cards {
		if _, ok := wanted[c.name]; ok {
			e.attach(now, c)
		}
	}
}

// addrsOn are the addresses of a service that an interface has now: all that may
// be told there. Loopback is nobody else's business, whatever interface has it.
func addrsOn(c card, addrs []lan.Addr) []netip.Addr {
	var on []netip.Addr
	for _, a := range addrs {
		ip := a.IP.Unmap().WithZone("")
		has := slices.ContainsFunc(c.nets, func(p netip.Prefix) bool { return p.Addr() == ip })
		if has && a.Interface == c.name && !ip.IsLoopback() && len(on) < mostAddrs {
			on = append(on, ip)
		}
	}
	return on
}

// attach makes or changes the link on one interface.
func (e *engine) attach(now time.Time, c card) {
	addrs := addrsOn(c, e.service.Addrs)
	i := slices.IndexFunc(e.links, func(l *attached) bool { return l.card.name == c.name })
	var l *attached
	if i >= 0 {
		l = e.links[i]
	} else {
		l = &attached{link: &link{name: c.name, jitter: jitter, ours: func(a netip.Addr) bool { return e.mine[a] }}}
	}
	l.card, l.near = c, c.nets
	opened := false
	for f := range l.wires {
		needs := slices.ContainsFunc(addrs, func(a netip.Addr) bool { return familyOf(a) == family(f) })
		switch {
		case needs && l.wires[f] == nil:
			opened = e.open(l, family(f)) || opened
		case !needs && l.wires[f] != nil:
			// Who listens there only has to hear that the addresses are gone,
			// before the way to say so is.
			e.send(l, l.change(now, *e.service, addrs))
			e.close(l, family(f))
		}
	}
	switch {
	case !l.open[v4] && !l.open[v6]:
		if i >= 0 {
			e.links = slices.Delete(e.links, i, i+1)
		}
	case i < 0:
		l.begin(now, *e.service, addrs)
		e.links = append(e.links, l)
	default:
		e.send(l, l.change(now, *e.service, addrs))
		if opened && l.verified { // these listeners have heard nothing yet
			l.announceFrom(later(now, l.lastSay.Add(betweenSays)))
		}
	}
}

func (e *engine) open(l *attached, f family) bool {
	w, err := e.net.open(l.card, f)
	if err != nil {
		e.failed[fmt.Sprint(l.card.name, f)] = failure{problem(err, f), err}
		return false
	}
	l.wires[f], l.open[f] = w, true
	e.all.Go(func() { e.listen(l, f, w) })
	return true
}

func (e *engine) close(l *attached, f family) {
	_ = l.wires[f].Close()
	l.wires[f], l.open[f] = nil, false
}

// drop says goodbye on links and leaves them.
func (e *engine) drop(which func(*attached) bool) {
	e.links = slices.DeleteFunc(e.links, func(l *attached) bool {
		if !which(l) {
			return false
		}
		e.send(l, l.link.end())
		for f := range l.wires {
			if l.wires[f] != nil {
				e.close(l, family(f))
			}
		}
		return true
	})
}

// end says goodbye and waits for the readers.
func (e *engine) end() {
	e.drop(func(*attached) bool { return true })
	close(e.quit)
	e.all.Wait()
}

// listen is the goroutine of one socket; it ends when that is closed. Errors that
// stay, as when an interface goes, end it too: the next look opens it anew.
func (e *engine) listen(l *attached, f family, w wire) {
	b := make([]byte, spare)
	for failures := 0; ; {
		p, err := w.read(b)
		switch {
		case errors.Is(err, errSkip):
			continue
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			if failures++; failures < 5 {
				select {
				case <-e.quit:
					return
				case <-time.After(50 * time.Millisecond):
				}
				continue
			}
			select {
			case e.read <- packet{at: l, family: f, wire: w, broken: true}:
			case <-e.quit:
			}
			return
		}
		failures = 0
		p.data = slices.Clone(p.data)
		select {
		case e.read <- packet{incoming: p, at: l, family: f, wire: w}:
		case <-e.quit:
			return
		}
	}
}

// receive hands a packet to its link.
func (e *engine) receive(now time.Time, p packet) {
	switch l := p.at; {
	case l.wires[p.family] != p.wire: // closed since
	case p.broken:
		e.close(l, p.family)
		// The look that is due in some seconds opens it again, or drops the link.
	case e.echoed(now, p.data):
	case l.reads.take(now, readEach, readBurst):
		e.send(l, l.receive(now, p.family, p.incoming))
	}
}

func (e *engine) echoed(now time.Time, b []byte) bool {
	sum := maphash.Bytes(e.seed, b)
	return slices.ContainsFunc(e.own[:], func(o echo) bool { return o.sum == sum && now.Before(o.till) })
}

// send sends on the sockets of a link.
func (e *engine) send(l *attached, out []outgoing) {
	for _, o := range out {
		w := l.wires[o.family]
		if w == nil {
			continue
		}
		b, err := o.msg.Pack()
		if err != nil || len(b) > largest {
			l.sendErr = fmt.Errorf("packing an answer of %d bytes: %w", len(b), err)
			continue
		}
		to := o.to
		if !to.IsValid() {
			to = groups[o.family]
			e.own[e.last] = echo{maphash.Bytes(e.seed, b), time.Now().Add(echoes)}
			e.last = (e.last + 1) % len(e.own)
		}
		if err = w.send(b, to); err != nil && o.to.IsValid() {
			continue // an asker that left is no trouble of ours
		}
		l.sendErr = err
	}
}

// state sums the links up.
func (e *engine) state() State {
	var s State
	if e.service == nil {
		return s
	}
	word := func(problem string, err error) {
		if s.Problem == "" {
			s.Problem, s.Err = problem, err
		}
	}
	if e.refused != nil {
		word(ProblemService, e.refused)
		return s
	}
	for _, l := range e.links {
		now := l.say()
		if l.holder == taken {
			s.Conflict = strings.TrimSuffix(hostOf(l.service.Hostname), ".")
		}
		if l.hopeless {
			word(ProblemName, nil)
		}
		if l.sendErr != nil {
			word(ProblemSending, l.sendErr)
		}
		if !l.verified || l.lastSay.IsZero() {
			continue
		}
		s.On = true
		s.Interfaces = append(s.Interfaces, l.name)
		if s.Instance == "" {
			s.Instance = plain(strings.TrimSuffix(now.instance, "."+service))
			s.Target = strings.TrimSuffix(now.target, ".")
		}
	}
	slices.Sort(s.Interfaces)
	e.failures(word)
	switch {
	case e.lookErr != nil:
		word(ProblemNetwork, e.lookErr)
	case len(e.links) == 0 && !e.lookAt.IsZero():
		word(ProblemNetwork, nil)
	}
	return s
}

// failures names what could not be opened, in an order that stays, and IPv6
// after what is worse.
func (e *engine) failures(word func(string, error)) {
	var keys []string
	for k := range e.failed {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int {
		rank := func(k string) string {
			if e.failed[k].word == ProblemIPv6 {
				return "1" + k
			}
			return "0" + k
		}
		return strings.Compare(rank(a), rank(b))
	})
	for _, k := range keys {
		word(e.failed[k].word, e.failed[k].err)
	}
}

// jitter is a time between two others, which nobody foresees.
func jitter(lo, hi time.Duration) time.Duration {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return lo + time.Duration(binary.LittleEndian.Uint64(b[:])%uint64(hi-lo))
}
