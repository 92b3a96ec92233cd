package discovery

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// air is a network for tests: what one socket sends to the group, all sockets
// with the same segment and family hear, the sender's own machine included.
type air struct {
	mu    sync.Mutex
	wires []*airWire
}

// computer is a machine on the air. Its fields are changed by lock only.
type computer struct {
	air *air

	mu      sync.Mutex
	cards   []card
	looks   int
	opens   int
	lookErr error
	openErr map[family]error
	sendErr error
	readErr error // of every read from now on
}

func (a *air) computer(cards ...card) *computer { return &computer{air: a, cards: cards} }

func (c *computer) set(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

// counts says how many sockets were asked for, and how often the interfaces.
func (c *computer) counts() (opened, looked int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.opens, c.looks
}

// sockets is how many are open on the air.
func (a *air) sockets() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.wires)
}

func (c *computer) look() ([]card, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.looks++
	return slices.Clone(c.cards), c.lookErr
}

func (c *computer) open(on card, f family) (wire, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opens++
	if err := c.openErr[f]; err != nil {
		return nil, err
	}
	w := &airWire{computer: c, family: f, segment: on.name, in: make(chan incoming, 4096), closed: make(chan struct{})}
	for _, p := range on.nets {
		if familyOf(p.Addr()) == f {
			w.addr = p.Addr()
		}
	}
	c.air.mu.Lock()
	defer c.air.mu.Unlock()
	c.air.wires = append(c.air.wires, w)
	return w, nil
}

type airWire struct {
	computer *computer
	family   family
	segment  string
	addr     netip.Addr
	in       chan incoming
	closed   chan struct{}
	once     sync.Once
}

func (w *airWire) read([]byte) (incoming, error) {
	w.computer.mu.Lock()
	err := w.computer.readErr
	w.computer.mu.Unlock()
	if err != nil {
		return incoming{}, err
	}
	select {
	case p := <-w.in:
		return p, nil
	case <-w.closed:
		return incoming{}, net.ErrClosed
	}
}

func (w *airWire) send(b []byte, to netip.AddrPort) error {
	w.computer.mu.Lock()
	err := w.computer.sendErr
	w.computer.mu.Unlock()
	if err != nil {
		return err
	}
	w.computer.air.say(w.segment, w.family, netip.AddrPortFrom(w.addr, port), to, b)
	return nil
}

func (w *airWire) Close() error {
	w.once.Do(func() { close(w.closed) })
	a := w.computer.air
	a.mu.Lock()
	defer a.mu.Unlock()
	a.wires = slices.DeleteFunc(a.wires, func(o *airWire) bool { return o == w })
	return nil
}

// say puts a packet on a segment.
func (a *air) say(segment string, f family, from, to netip.AddrPort, b []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, w := range a.wires {
		if w.segment != segment || w.family != f || to.Addr() != groups[f].Addr() && to.Addr() != w.addr {
			continue
		}
		select {
		case w.in <- incoming{data: slices.Clone(b), from: from, ttl: 255}:
		default:
		}
	}
}

// heard is one packet that somebody on a segment got.
type heard struct {
	at  time.Time
	msg *dns.Msg
}

// ear listens on a segment as a machine of its own.
func (a *air) ear(t *testing.T, c card, f family) (hear func() []heard) {
	t.Helper()
	w, err := a.computer(c).open(c, f)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var all []heard
	var g sync.WaitGroup
	g.Go(func() {
		for {
			p, err := w.read(nil)
			if err != nil {
				return
			}
			if m, ok := parse(p.data); ok {
				mu.Lock()
				all = append(all, heard{time.Now(), m})
				mu.Unlock()
			}
		}
	})
	t.Cleanup(func() {
		_ = w.Close()
		g.Wait()
	})
	return func() []heard {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

func cardOf(name string, index int, nets ...string) card {
	c := card{name: name, index: index, multicast: true}
	for _, n := range nets {
		c.nets = append(c.nets, netip.MustParsePrefix(n))
	}
	return c
}

var errAir = errors.New("the air is thin")
