// Package discovery tells the local network that a gate is here, by mDNS and
// DNS-SD (RFC 6762, RFC 6763).
//
// It stands beside whatever responder the system has. Nothing that it says is
// secret: the name, the port, the addresses of one interface to that interface
// alone, and the fingerprint of the authority. What it hears is never trusted
// with more than a name to give way to.
package discovery

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"paddock/internal/watch"
	"paddock/lan"
)

// patience is how long Close waits for goodbyes. Sending is a matter of
// microseconds; more means that the system hangs, and the program shall end.
const patience = time.Second

// Service is what is announced. It is a plain value, and is not changed once it
// was handed to Set.
type Service struct {
	Instance string     // for people, at most 63 bytes: "Paddock on anna-mbp"
	Hostname string     // as the system has it; its first label becomes NAME.local
	Port     int        // where the gate listens
	TXT      []string   // key=value, for everybody to read
	Addrs    []lan.Addr // on which it listens; each is told on its own interface only
}

// equal reports whether the network would hear the same.
func (s *Service) equal(o *Service) bool {
	if s == nil || o == nil {
		return s == o
	}
	return s.Instance == o.Instance && s.Hostname == o.Hostname && s.Port == o.Port &&
		slices.Equal(s.TXT, o.TXT) && slices.Equal(s.Addrs, o.Addrs)
}

// clone keeps a Service from changing under the goroutine that announces it.
func (s *Service) clone() *Service {
	if s == nil {
		return nil
	}
	c := *s
	c.TXT, c.Addrs = slices.Clone(s.TXT), slices.Clone(s.Addrs)
	return &c
}

// check says what is wrong with a Service. The bounds keep every packet below
// the 1,280 bytes that any network carries.
func (s *Service) check() error {
	size := 0
	for _, t := range s.TXT {
		size += 1 + len(t)
		if t == "" || len(t) > 255 {
			return errors.New("an entry of the TXT record has 1 to 255 bytes")
		}
	}
	switch {
	case size > 400:
		return fmt.Errorf("the TXT record has %d bytes, and 400 are the limit", size)
	case label(s.Instance) == "":
		return errors.New("the instance has no name")
	case s.Port < 1 || s.Port > 65535:
		return fmt.Errorf("%d is no port", s.Port)
	}
	return nil
}

// State is a snapshot of what the network hears of us.
type State struct {
	On         bool     // announced on one interface at least
	Interfaces []string // on which, sorted
	Instance   string   // the name in use; not the Service's when another gate has that
	Target     string   // the name of the host in use: HOST.local, or paddock-XXXXXXXX.local
	Conflict   string   // HOST.local when another machine answers to it, else ""
	Problem    string   // one of the words below, or ""; On may be true beside it
	Err        error    // what the system said to it, or nil
}

// equal compares what Watch wakes for.
func (s State) equal(o State) bool {
	return s.On == o.On && slices.Equal(s.Interfaces, o.Interfaces) && s.Instance == o.Instance && s.Target == o.Target &&
		s.Conflict == o.Conflict && s.Problem == o.Problem && fmt.Sprint(s.Err) == fmt.Sprint(o.Err)
}

// The words for State.Problem. None of them keeps anybody from sharing.
const (
	ProblemService   = "bad-service"       // what Set was given cannot be announced
	ProblemNetwork   = "no-network"        // no interface with an address that carries multicast
	ProblemDenied    = "port-denied"       // the system does not let us have UDP port 5353
	ProblemInUse     = "port-in-use"       // somebody holds UDP port 5353 and does not share it
	ProblemMulticast = "no-multicast"      // an interface does not let us join
	ProblemIPv6      = "no-ipv6-multicast" // IPv4 works, IPv6 does not
	ProblemSending   = "not-sent"          // the system refuses to send, as a firewall makes it do
	ProblemName      = "name-taken"        // too many others have every name that we tried
)

// Announcer announces one Service. All methods are safe for concurrent use.
type Announcer struct {
	net  network
	wake chan struct{} // capacity 1: look at want again
	stop chan struct{} // closed by Close
	done chan struct{} // closed when the goroutine has ended
	list watch.List

	mu      sync.Mutex // guards the rest
	want    *Service
	state   State
	running bool
	closed  bool
}

// New returns an Announcer that says nothing. It has no goroutine before Set.
func New() *Announcer { return newOn(machine{}) }

func newOn(n network) *Announcer {
	return &Announcer{
		net: n, wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
}

// Set announces s from now on, or with nil says goodbye. It only leaves word
// with the goroutine that does the work; an equal value costs nothing.
func (a *Announcer) Set(s *Service) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || a.want.equal(s) {
		return
	}
	a.want = s.clone()
	if !a.running {
		a.running = true
		go a.run()
	}
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// State returns the snapshot of this moment.
func (a *Announcer) State() State {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.state
	s.Interfaces = slices.Clone(s.Interfaces)
	return s
}

// Watch returns a channel that gets a token when State may have changed, and a
// function that ends that.
func (a *Announcer) Watch() (<-chan struct{}, func()) { return a.list.Add() }

// Close says goodbye and ends every goroutine. It waits a second at most.
func (a *Announcer) Close() {
	a.mu.Lock()
	first := !a.closed
	a.closed = true
	running := a.running
	a.mu.Unlock()
	if first {
		close(a.stop)
	}
	if !running {
		return
	}
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-a.done:
	case <-limit.C:
	}
}

// wanted is what Set said last.
func (a *Announcer) wanted() *Service {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.want
}

// publish makes s the State, and wakes when it differs.
func (a *Announcer) publish(s State) {
	a.mu.Lock()
	same := a.state.equal(s)
	a.state = s
	a.mu.Unlock()
	if !same {
		a.list.Wake()
	}
}
