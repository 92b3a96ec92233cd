package share

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"paddock/lan"
	"paddock/proxy"
)

const (
	openPatience = 3 * time.Second // for a share.listen whose host is a name
	lastBytes    = time.Second     // for the end of an answer to leave the machine
)

// run owns the listeners. It never waits for a request: what has to finish does
// so beside it, so that Start and Stop are served at any time.
func (s *Share) run(ctx context.Context) {
	changed, stop := s.o.Settings.Watch()
	defer stop()
	tick := time.NewTicker(retryEvery)
	defer tick.Stop()
	d := door{s: s}
	s.choices()
	for {
		select {
		case <-ctx.Done():
			d.close()
			return
		case <-s.poke:
		case <-changed:
			s.choices()
			s.watch.Wake() // State tells some of the settings
		case <-tick.C:
			s.lookAround()
		case <-d.live.ended():
		case <-d.grace:
			d.force()
		}
		d.step(ctx)
		s.announce()
	}
}

// choices brings what takes effect at once in line with the settings. What is
// read with each step, or when a listener opens, is not in it.
func (s *Share) choices() {
	s.gate.SetChoices(s.gateChoices())
	s.settleHere()
	s.refreshIdentity(s.look())
	token(s.checkSoon)
	s.sites.apply(s.o.Settings)
	s.resolveUpstream()
}

// gateChoices are the limits of the gate. A limit of none is a number that is
// never reached.
func (s *Share) gateChoices() proxy.Choices {
	now := s.o.Settings.Get()
	return proxy.Choices{
		AllowHTTP: s.plainAllowed(),
		MaxBody:   now.Body, Running: now.Running, Waiting: now.Waiting, NumCtx: now.NumCtx, Attempts: now.Attempts,
	}
}

// door is the listener that is open and those that were. Only run touches it.
type door struct {
	s       *Share
	live    *serving
	leaving []*serving
	grace   <-chan time.Time // ends the time that running requests have, nil while they may go on
	panics  int              // as of the last step
	notTill time.Time        // a listener that dies at once is not opened again at once
}

// serving is a listener with its server.
type serving struct {
	addr   string     // as asked for
	choice lan.Choice // of networks, while it was opened
	got    net.Addr
	born   time.Time
	server *http.Server
	done   chan struct{} // closed when Serve has returned
	err    error         // of Serve

	inside atomic.Int64  // requests
	empty  chan struct{} // gets a token when the last request has left
	forced chan struct{} // closed when those that are left were cut
	gone   chan struct{} // closed when nothing of it is left
}

// ended is nil, which blocks for ever, while nothing is served.
func (v *serving) ended() <-chan struct{} {
	if v == nil {
		return nil
	}
	return v.done
}

// step brings what is served in line with what is wanted.
func (d *door) step(ctx context.Context) {
	s := d.s
	d.sweep()
	if d.live != nil {
		select {
		case <-d.live.done: // the listener died under us, as after a lost network
			if time.Since(d.live.born) < retryEvery {
				d.notTill = time.Now().Add(retryEvery / 2) // the next tick
			}
			err := d.live.err
			d.shut()
			s.settle(Waiting, ListenFault, err.Error())
		default:
		}
	}
	s.mu.Lock()
	wanted, addr, panics := s.wanted, s.listen(), s.panics
	s.mu.Unlock()
	if panics != d.panics { // also one that was taken back before we came here
		d.panics = panics
		d.shut()
	}
	switch {
	case !wanted:
		if d.live != nil {
			s.gate.Drain(true)
		}
		d.shut()
		if len(d.leaving) == 0 {
			d.grace = nil
			s.settle(Off, NoProblem, "")
			return
		}
		if d.grace == nil {
			d.grace = time.After(graceStop)
		}
		s.settle(Stopping, NoProblem, "")
		return
	case d.hindered(addr):
		return
	case d.live != nil && d.live.addr == addr && d.live.choice == s.choice():
		s.settle(Sharing, NoProblem, "") // a new address that was refused may have been taken back
		return
	case time.Now().Before(d.notTill):
		return
	}
	d.grace = nil // who starts again while requests run lets them go on
	fresh, err := s.open(ctx, addr)
	if used, ok := errors.AsType[*lan.PortInUseError](err); ok && d.live != nil && used.Port == port(d.live.got) {
		// It is our own: the same port, on other addresses than before.
		d.shut()
		fresh, err = s.open(ctx, addr)
	}
	if err != nil {
		problem, detail := explain(err)
		phase := Waiting
		if d.live != nil {
			phase = Sharing // the old address goes on; the new one is tried again
		}
		s.settle(phase, problem, detail)
		return
	}
	d.shut() // the new address already answers
	d.live = fresh
	s.settle(Sharing, NoProblem, "")
	s.watch.Wake() // the addresses may be all that has changed
}

// hindered says whether nothing may be served now, and then serves nothing: this
// is not a network to share on, or there is no certificate to encrypt with.
func (d *door) hindered(addr string) bool {
	s := d.s
	problem, detail := s.hindrance(addr)
	if problem == NoProblem && !s.proof.identity.State().Ready {
		s.proof.wantedOnce()
		switch {
		case !s.plainAllowed():
			problem = NoCertificate
		case d.live == nil && s.proof.justAsked():
			s.settle(Starting, NoProblem, "") // both kinds of address at once, and not one after the other
			return true
		}
	}
	if problem == NoProblem {
		return false
	}
	if d.live != nil {
		s.gate.Drain(true)
	}
	d.shut()
	switch { // what still runs has as long as after a Stop
	case len(d.leaving) == 0:
		d.grace = nil
	case d.grace == nil:
		d.grace = time.After(graceStop)
	}
	s.settle(Waiting, problem, detail)
	return true
}

// shut closes the port at once. Running requests go on, for as long as grace
// lets them.
func (d *door) shut() {
	v := d.live
	if v == nil {
		return
	}
	d.live = nil
	now, cancel := context.WithCancel(context.Background())
	cancel()
	_ = v.server.Shutdown(now) // closes the port and idle connections, and does not wait
	<-v.done
	d.s.mu.Lock()
	if d.s.listenURL == v.shown() {
		d.s.listenURL = ""
	}
	d.s.mu.Unlock()
	d.leaving = append(d.leaving, v)
	d.s.done.Go(func() {
		v.leave()
		d.s.wakeRun()
	})
}

// leave returns when the requests have ended, or were cut, and their
// connections are closed.
func (v *serving) leave() {
	defer close(v.gone)
	cut := v.forced
	var late <-chan time.Time
	for v.inside.Load() > 0 {
		select {
		case <-v.empty:
			continue
		case <-cut:
			cut, late = nil, time.After(lastBytes) // for what was cut to be written down
			continue
		case <-late:
		}
		break
	}
	// net/http still writes the last bytes of an answer whose handler has
	// returned. A connection on which nobody ever asked for anything would make
	// Shutdown wait for five seconds, so it gets less.
	end, cancel := context.WithTimeout(context.Background(), lastBytes)
	defer cancel()
	_ = v.server.Shutdown(end)
	_ = v.server.Close()
	for late := time.After(lastBytes); v.inside.Load() > 0; {
		select {
		case <-v.empty:
			continue
		case <-late:
		}
		return
	}
}

// sweep forgets the servers of which nothing is left.
func (d *door) sweep() {
	var left []*serving
	for _, v := range d.leaving {
		select {
		case <-v.gone:
		default:
			left = append(left, v)
		}
	}
	d.leaving = left
}

// force cuts what still runs. Nothing is live then, so it hits nobody else.
func (d *door) force() {
	d.grace = nil
	d.s.gate.CutAll()
	for _, v := range d.leaving {
		select {
		case <-v.forced:
		default:
			close(v.forced)
		}
	}
}

// close ends everything within the patience of Close, and no later than a Stop
// would.
func (d *door) close() {
	d.s.mu.Lock()
	patience := d.s.patience
	d.s.mu.Unlock()
	d.s.gate.Drain(true)
	d.shut()
	d.s.settle(Stopping, NoProblem, "")
	grace := time.NewTimer(graceStop)
	defer grace.Stop()
	for _, v := range d.leaving {
		select {
		case <-v.gone:
			continue
		case <-grace.C:
		case <-d.grace: // of a Stop that came before
		case <-patience.Done():
		}
		break
	}
	d.force()
	for _, v := range d.leaving {
		<-v.gone
	}
}

func (s *Share) open(ctx context.Context, addr string) (*serving, error) {
	ctx, cancel := context.WithTimeout(ctx, openPatience)
	defer cancel()
	ln, err := s.o.Listen(ctx, addr)
	if err != nil {
		return nil, err
	}
	s.gate.Drain(false)
	v := &serving{
		addr: addr, choice: s.choice(), got: ln.Addr(), born: time.Now(), done: make(chan struct{}),
		empty: make(chan struct{}, 1), forced: make(chan struct{}), gone: make(chan struct{}),
	}
	v.server = proxy.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.inside.Add(1)
		defer func() {
			if v.inside.Add(-1) == 0 {
				token(v.empty)
			}
		}()
		s.gate.ServeHTTP(w, r)
	}))
	s.mu.Lock()
	s.listenURL = v.shown()
	s.mu.Unlock()
	s.done.Go(func() {
		defer close(v.done)
		v.err = v.server.Serve(proxy.Doors(ln, s.tls, s.onHandshake))
	})
	s.resolveUpstream() // the port is known now, and Ollama may not be behind it
	return v, nil
}

func explain(err error) (Problem, string) {
	var used *lan.PortInUseError
	var none *lan.NoAddressError
	var privileged *lan.PrivilegedPortError
	switch {
	case errors.As(err, &used):
		return PortInUse, used.Holder
	case errors.As(err, &privileged):
		return NotAllowed, privileged.Addr
	case errors.As(err, &none):
		return NoSuchAddr, none.Addr
	case errors.Is(err, os.ErrPermission):
		return NotAllowed, ""
	}
	return ListenFault, err.Error()
}

// shown joins the host that was asked for with the port that was given, which
// differs for port 0.
func (v *serving) shown() string {
	host, _, err := net.SplitHostPort(v.addr)
	if err != nil {
		return v.addr
	}
	_, port, err := net.SplitHostPort(v.got.String())
	if err != nil {
		return v.addr
	}
	return net.JoinHostPort(host, port)
}

func splitPort(addr string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.Atoi(text)
	return host, port, err
}

func port(a net.Addr) int {
	_, p, err := splitPort(a.String())
	if err != nil {
		return 0
	}
	return p
}
