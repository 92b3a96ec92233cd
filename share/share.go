// Package share runs the show: it starts and stops the gate, watches Ollama
// and the network, and puts everything into one State.
package share

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"
	"time"

	"paddock/internal/watch"
	"paddock/keystore"
	"paddock/lan"
	"paddock/policy"
	"paddock/proxy"
	"paddock/requestlog"
	"paddock/settings"
)

// Options is what a Share is made of. Settings, Keys and Log are needed.
type Options struct {
	Version  string
	Settings *settings.Store
	Keys     *keystore.Store
	Log      *requestlog.Log
	// Listen opens the gate's listener; nil means plain TCP by lan.Listen. The
	// encrypted one takes its place here.
	Listen func(ctx context.Context, addr string) (net.Listener, error)
	// Look tells who we are on this network; nil means lan.Look.
	Look func() (lan.Us, error)
	// Demo starts the built-in stand-in for Ollama and returns its address.
	Demo func(ctx context.Context) (url string, stop func(), err error)
	// Transport speaks to Ollama; nil means the gate's own.
	Transport http.RoundTripper
	// Flags from the command line go before the settings.
	Flags Flags
	// OnPanic is told the stack of a fault inside the gate.
	OnPanic func(stack []byte)
}

// Screen is what a window can do for other processes that ask over the control
// socket. Its methods are safe for concurrent use and do not wait.
type Screen interface {
	// Show brings a window to the front: the main one, or what name asks for
	// ("new-key", "open-log").
	Show(name string)
	// ClipSecret puts a key on the clipboard for a minute.
	ClipSecret(keystore.Secret)
	// Clip puts text on the clipboard to stay.
	Clip(text string)
	// Quit ends the program.
	Quit()
}

// Flags are choices for this run only.
type Flags struct {
	Listen string // like share.listen; empty means the setting
	Ollama string // like share.ollama; empty means the setting
	Demo   bool   // start with the built-in demo
}

const (
	retryEvery = 2 * time.Second        // how soon a cause that has gone is noticed
	graceStop  = 5 * time.Second        // how long running requests may go on after Stop
	teammate   = 15 * time.Minute       // who used a key so lately counts as here
	calm       = 100 * time.Millisecond // shortest time between two wakes for changed counts
)

// Share owns every long-lived goroutine of the program. Its methods are safe
// for concurrent use, and none but those with a context waits.
type Share struct {
	o    Options
	gate *proxy.Gate

	mu        sync.Mutex // guards what follows, up to poke
	wanted    bool
	phase     Phase
	problem   Problem
	detail    string
	since     time.Time
	us        lan.Us
	demo      *demo // running demo, nil when there is none
	ollama    Ollama
	listenURL string // host:port really listened on, empty while off
	screen    Screen
	started   bool
	closed    bool

	poke  chan struct{} // wakes run
	ask   chan struct{} // wakes probe
	watch watch.List

	cancel context.CancelFunc
	done   sync.WaitGroup
}

type demo struct {
	url  string
	stop func()
}

// New makes a Share that does nothing yet: keys and settings can be worked on,
// and Run brings it to life.
func New(o Options) *Share {
	if o.Look == nil {
		o.Look = lan.Look
	}
	if o.Listen == nil {
		o.Listen = func(ctx context.Context, addr string) (net.Listener, error) {
			ln, err := lan.Listen(ctx, addr)
			if err != nil {
				return nil, err
			}
			return lan.Limit(ln, o.Settings.Get().Connections, lan.PerAddress), nil
		}
	}
	s := &Share{o: o, phase: Off, poke: make(chan struct{}, 1), ask: make(chan struct{}, 1)}
	s.us, _ = o.Look() // looked at again every two seconds
	s.gate = proxy.New(proxy.Config{
		Keys:            o.Keys,
		Log:             o.Log,
		Host:            s.hostOurs,
		Upstream:        proxy.Upstream{URL: &url.URL{Scheme: "http", Host: "127.0.0.1:11434"}},
		Transport:       o.Transport,
		MaxBody:         o.Settings.Get().Body,
		OnUpstreamFault: s.askOllama,
		OnUse:           o.Keys.Used,
		OnPanic:         o.OnPanic,
	})
	s.resolveUpstream()
	return s
}

// Run starts the goroutines that watch Ollama, the network and what the owner
// wants. Sharing is off until Start, and Close ends it all. A second call does
// nothing.
func (s *Share) Run() {
	s.mu.Lock()
	if s.started || s.closed {
		s.mu.Unlock()
		return
	}
	s.started = true
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.mu.Unlock()
	s.done.Go(func() { s.run(ctx) })
	s.done.Go(func() { s.probe(ctx) })
	s.done.Go(func() { s.follow(ctx) })
	if s.o.Flags.Demo {
		s.done.Go(func() { _ = s.UseDemo(ctx, true) }) // a failure shows as Ollama that does not answer
	}
}

// SetScreen tells that there is a window now, or with nil that it is gone.
func (s *Share) SetScreen(c Screen) {
	s.mu.Lock()
	s.screen = c
	s.mu.Unlock()
	s.watch.Wake()
}

// Screen returns the window, or nil when this instance has none.
func (s *Share) Screen() Screen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.screen
}

// Gate is the gate's handler, for servers of tests.
func (s *Share) Gate() http.Handler { return s.gate }

// Log is the request log.
func (s *Share) Log() *requestlog.Log { return s.o.Log }

// Settings are the owner's choices.
func (s *Share) Settings() *settings.Store { return s.o.Settings }

// Start asks for sharing. The State tells what became of it.
func (s *Share) Start() { s.want(true) }

// Stop ends sharing: the port closes at once, running requests may finish
// within five seconds.
func (s *Share) Stop() { s.want(false) }

func (s *Share) want(on bool) {
	s.mu.Lock()
	s.wanted = on
	if on && s.phase == Off {
		s.phase = Starting
	}
	s.mu.Unlock()
	s.wakeRun()
	s.watch.Wake()
}

// StopRequest ends one running request, in Ollama too, and says whether it ran.
func (s *Share) StopRequest(id string) bool { return s.gate.StopRequest(id) }

// Key finds a key by its name, in any letter case.
func (s *Share) Key(name string) (keystore.Key, bool) { return s.o.Keys.Find(name) }

// AddKey makes a key. Nothing is half made when it fails.
func (s *Share) AddKey(ctx context.Context, name string, g policy.Grant) (keystore.Key, keystore.Secret, error) {
	return s.o.Keys.Add(ctx, name, g)
}

// CopyKey asks the vault for a key's secret.
func (s *Share) CopyKey(ctx context.Context, name string) (keystore.Secret, error) {
	return s.o.Keys.Copy(ctx, name)
}

// SuspendKey refuses a key from now on and cuts its running requests.
func (s *Share) SuspendKey(name string) error {
	k, ok := s.o.Keys.Find(name)
	if err := s.o.Keys.Suspend(name); err != nil {
		return err
	}
	if ok {
		s.gate.CutKey(k.ID)
	}
	return nil
}

// ResumeKey lets a suspended key in again.
func (s *Share) ResumeKey(name string) error { return s.o.Keys.Resume(name) }

// RemoveKey revokes a key for good: refused at once, running requests cut, then
// taken out of the vault. When the vault fails the key is revoked all the same.
func (s *Share) RemoveKey(ctx context.Context, name string) error {
	k, ok := s.o.Keys.Find(name)
	if !ok {
		return s.o.Keys.Remove(ctx, name)
	}
	// Suspended first, because the vault may make Remove wait for a person.
	if err := s.SuspendKey(name); err != nil {
		return err
	}
	err := s.o.Keys.Remove(ctx, name)
	s.gate.CutKey(k.ID)
	return err
}

// State returns the picture as it is now.
func (s *Share) State() State {
	running, totals := s.o.Log.Counts()
	keys := keysState(s.o.Keys.State())
	s.mu.Lock()
	defer s.mu.Unlock()
	st := State{
		Version: s.o.Version, Phase: s.phase, Wanted: s.wanted, Problem: s.problem, Detail: s.detail,
		Listen: s.listen(), Since: s.since, Ollama: s.ollama,
		Running: running, Totals: totals, Keys: keys,
		Window: s.screen != nil,
	}
	now := time.Now()
	for _, k := range keys.List {
		if !k.Suspended && now.Sub(k.LastUsed) < teammate {
			st.Teammates++
		}
	}
	at := s.listenURL
	if at == "" {
		at = st.Listen
	}
	if host, port, err := splitPort(at); err == nil {
		for _, a := range s.us.URLs("http", port, host) {
			st.Addresses = append(st.Addresses, Address{Label: a.Label, URL: a.URL})
		}
	}
	if st.Phase == Sharing && st.Problem == NoProblem && len(st.Addresses) == 0 {
		st.Problem = NoNetwork
	}
	return st
}

// Watch returns a channel that holds a token whenever State may have changed,
// and a function that ends the watch.
func (s *Share) Watch() (<-chan struct{}, func()) { return s.watch.Add() }

// Close stops sharing, cuts what still runs when ctx ends, and ends every
// goroutine. The keys and settings are not closed: they were handed in.
func (s *Share) Close(ctx context.Context) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	s.wanted = false
	cancel := s.cancel
	s.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { s.gate.CutAll() })
	defer stop()
	if cancel != nil {
		cancel()
	}
	s.done.Wait()
	s.mu.Lock()
	d := s.demo
	s.demo = nil
	s.mu.Unlock()
	if d != nil {
		d.stop()
	}
}

// listen needs s.mu.
func (s *Share) listen() string {
	if s.o.Flags.Listen != "" {
		return s.o.Flags.Listen
	}
	return s.o.Settings.Get().Listen
}

func (s *Share) hostOurs(host string) bool {
	s.mu.Lock()
	us := s.us
	s.mu.Unlock()
	return us.Host(host)
}

func (s *Share) wakeRun()   { token(s.poke) }
func (s *Share) askOllama() { token(s.ask) }

func token(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run owns the listener.
func (s *Share) run(ctx context.Context) {
	changed, stop := s.o.Settings.Watch()
	defer stop()
	tick := time.NewTicker(retryEvery)
	defer tick.Stop()
	var live *serving
	for {
		select {
		case <-ctx.Done():
			if live != nil {
				s.gate.Drain(true)
				s.shut(live, graceStop)
			}
			return
		case <-s.poke:
		case <-changed:
			s.resolveUpstream()
		case <-tick.C:
			s.lookAround()
		case <-live.ended():
		}
		live = s.step(ctx, live)
	}
}

// serving is a listener with its server.
type serving struct {
	addr   string // as asked for
	server *http.Server
	done   chan struct{} // closed when Serve has returned
	err    error
}

// ended is nil, which blocks for ever, while nothing is served.
func (v *serving) ended() <-chan struct{} {
	if v == nil {
		return nil
	}
	return v.done
}

// step brings what is served in line with what is wanted.
func (s *Share) step(ctx context.Context, live *serving) *serving {
	if live != nil {
		select {
		case <-live.done: // the listener died under us, as after a lost network
			s.settle(Waiting, ListenFault, live.err.Error())
			live = nil
		default:
		}
	}
	s.mu.Lock()
	wanted, addr := s.wanted, s.listen()
	s.mu.Unlock()
	switch {
	case live != nil && !wanted:
		s.gate.Drain(true)
		s.settle(Stopping, NoProblem, "")
		s.shut(live, graceStop)
		s.mu.Lock()
		s.listenURL = ""
		s.mu.Unlock()
		live = nil
		s.wakeRun() // wanted may have changed meanwhile
		fallthrough
	case !wanted:
		s.settle(Off, NoProblem, "")
		return nil
	case live != nil && live.addr == addr:
		return live
	}
	fresh, err := s.open(ctx, addr)
	if err != nil {
		if live != nil {
			return live // the old address goes on; the new one is tried again
		}
		problem, detail := explain(err)
		s.settle(Waiting, problem, detail)
		return nil
	}
	if live != nil {
		s.shut(live, graceStop) // the new address already answers
	}
	return fresh
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

func (s *Share) open(ctx context.Context, addr string) (*serving, error) {
	ln, err := s.o.Listen(ctx, addr)
	if err != nil {
		return nil, err
	}
	s.gate.Drain(false)
	v := &serving{addr: addr, server: proxy.NewServer(s.gate), done: make(chan struct{})}
	s.mu.Lock()
	s.listenURL = hostPort(addr, ln.Addr())
	s.mu.Unlock()
	go func() {
		defer close(v.done)
		v.err = v.server.Serve(ln)
	}()
	s.settle(Sharing, NoProblem, "")
	s.askOllama()
	return v, nil
}

func splitPort(addr string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.Atoi(text)
	return host, port, err
}

// hostPort joins the host that was asked for with the port that was given,
// which differs for port 0.
func hostPort(asked string, got net.Addr) string {
	host, _, err := net.SplitHostPort(asked)
	if err != nil {
		return asked
	}
	_, port, err := net.SplitHostPort(got.String())
	if err != nil {
		return asked
	}
	return net.JoinHostPort(host, port)
}

// shut closes the port at once and gives running requests the grace.
func (s *Share) shut(v *serving, grace time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if v.server.Shutdown(ctx) != nil {
		s.gate.CutAll()
		end, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = v.server.Shutdown(end)
		_ = v.server.Close()
	}
	<-v.done
}

// settle writes the outcome into the state and wakes who watches it.
func (s *Share) settle(p Phase, problem Problem, detail string) {
	s.mu.Lock()
	changed := s.phase != p || s.problem != problem || s.detail != detail
	switch {
	case p == Sharing && s.phase != Sharing:
		s.since = time.Now()
	case p != Sharing:
		s.since = time.Time{}
	}
	s.phase, s.problem, s.detail = p, problem, detail
	s.mu.Unlock()
	if changed {
		s.watch.Wake()
	}
}

// lookAround notices addresses that came or went.
func (s *Share) lookAround() {
	us, err := s.o.Look()
	if err != nil {
		return // the old picture is better than none
	}
	s.mu.Lock()
	changed := !us.Equal(s.us)
	s.us = us
	s.mu.Unlock()
	if changed {
		s.watch.Wake()
	}
}

// follow wakes the watchers of State when keys or counts change, but not for
// every token that passes.
func (s *Share) follow(ctx context.Context) {
	keys, stopKeys := s.o.Keys.Watch()
	defer stopKeys()
	log, stopLog := s.o.Log.Watch()
	defer stopLog()
	// A key that has been quiet for a quarter of an hour stops being a teammate.
	quiet := time.NewTicker(30 * time.Second)
	defer quiet.Stop()
	pause := time.NewTimer(0)
	defer pause.Stop()
	lastRunning, lastTotal := -1, uint64(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-keys:
			s.watch.Wake()
			continue
		case <-quiet.C:
			s.watch.Wake()
			continue
		case <-log:
		}
		running, totals := s.o.Log.Counts()
		if running == lastRunning && totals.Requests == lastTotal {
			continue
		}
		lastRunning, lastTotal = running, totals.Requests
		s.watch.Wake()
		pause.Reset(calm)
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
	}
}
