// Package share runs the show: it starts and stops the gate, watches Ollama
// and the network, and puts everything into one State.
package share

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"paddock/internal/awake"
	"paddock/internal/watch"
	"paddock/keystore"
	"paddock/lan"
	"paddock/lan/discovery"
	"paddock/policy"
	"paddock/proxy"
	"paddock/requestlog"
	"paddock/safety"
	"paddock/settings"
)

// Options is what a Share is made of. Settings, Keys and Log are needed.
type Options struct {
	Version  string
	Home     string // the folder of the files, by which other processes reach this instance
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
	// Finder collects what the safety check looks at; nil means this machine.
	Finder Finder
	// Announcer tells the network that there is a gate; nil means by mDNS.
	Announcer Announcer
	// LoginArgs are what the program is started with at login.
	LoginArgs []string
	// OnPanic is told the stack of a fault inside the gate.
	OnPanic func(stack []byte)
}

// Finder collects evidence for the safety check. It takes a few seconds at most.
type Finder interface {
	Find(ctx context.Context, ask safety.Ask) safety.Found
}

// Announcer tells the network what is shared. Set does not wait; nil ends it.
type Announcer interface {
	Set(s *discovery.Service)
	State() discovery.State
	Watch() (<-chan struct{}, func())
	Close()
}

// Screen is what a window can do for other processes that ask over the control
// socket. Its methods are safe for concurrent use and do not wait.
type Screen interface {
	// Show brings a window to the front: the main one, or what name asks for
	// ("new-key", "websites", "open-log").
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
	// AllowHTTP lets requests in that are not encrypted.
	AllowHTTP bool
}

const (
	retryEvery = 2 * time.Second        // how soon a cause that has gone is noticed
	graceStop  = 5 * time.Second        // how long running requests may go on after Stop
	teammate   = 15 * time.Minute       // who used a key so lately counts as here
	calm       = 100 * time.Millisecond // shortest time between two wakes for keys and counts
)

// Share owns every long-lived goroutine of the program. Its methods are safe
// for concurrent use, and none but those with a context waits.
type Share struct {
	o    Options
	gate *proxy.Gate

	sites     *websites
	heals     heals
	proof     *proof
	tls       *tls.Config // one for all listeners, so that tickets outlive them
	announcer Announcer
	finder    Finder
	awake     *awake.Holder // nil before Run
	distrust  distrust
	checking  sync.Mutex // one safety check at a time
	looking   sync.Mutex // one look around at a time, so that the last word is the newest

	resolving sync.Mutex // one resolveUpstream at a time, so that the last word is the newest
	demoing   sync.Mutex // one start or stop of the demo at a time

	mu            sync.Mutex // guards what follows, up to poke
	wanted        bool
	phase         Phase
	problem       Problem
	detail        string
	since         time.Time
	us            lan.Us
	demo          *demo  // running demo, nil when there is none
	demoAsked     bool   // Flags.Demo, and it does not run yet: never Ollama in its place
	demoFault     string // why it did not start
	ollama        Ollama
	listenURL     string // host:port really listened on, empty while off
	screen        Screen
	started       bool
	closed        bool
	paused        bool
	pausedUntil   time.Time // zero: until resumed
	panicked      bool
	sharedAtPanic bool
	fits          fitting
	panics        int // how often; each closes the port, whatever was wanted since
	safety        Safety
	patience      context.Context //nolint:containedctx // of Close: until it ends, running requests may go on

	checkSoon chan struct{} // wakes guard
	poke      chan struct{} // wakes run
	ask       chan struct{} // wakes probe
	watch     watch.List

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
	s := &Share{
		sites: newWebsites(), phase: Off, demoAsked: o.Flags.Demo, proof: newProof(o.Home), announcer: o.Announcer, finder: o.Finder,
		poke: make(chan struct{}, 1), ask: make(chan struct{}, 1), checkSoon: make(chan struct{}, 1),
	}
	if s.announcer == nil {
		s.announcer = discovery.New()
	}
	if s.finder == nil {
		s.finder = safety.NewFinder(o.Home)
	}
	if o.Listen == nil {
		o.Listen = func(ctx context.Context, addr string) (net.Listener, error) {
			ln, err := lan.Listen(ctx, addr, s.admits)
			if err != nil {
				return nil, err
			}
			return lan.Limit(ln, func() (total, perAddress int) {
				now := o.Settings.Get()
				return now.Connections, now.PerAddress
			}), nil
		}
	}
	s.o = o
	s.tls = s.proof.identity.TLSConfig()
	s.us, _ = o.Look() // looked at again every two seconds
	s.gate = proxy.New(proxy.Config{
		Keys:            o.Keys,
		Log:             o.Log,
		Host:            s.hostOurs,
		Upstream:        proxy.Upstream{URL: &url.URL{Scheme: "http", Host: "127.0.0.1:11434"}},
		Transport:       o.Transport,
		Choices:         s.gateChoices(),
		Authority:       s.proof.pem,
		OnOrigin:        s.sites.refuse,
		OnHeal:          s.onHeal,
		OnUpstreamFault: s.askOllama,
		OnUse:           o.Keys.Used,
		OnPanic:         o.OnPanic,
	})
	s.sites.gate = s.gate
	s.sites.apply(o.Settings)
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
	defer s.mu.Unlock() // a Close that comes now must find all of them
	s.started = true
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.awake = awake.New("somebody's request runs")
	s.done.Go(func() { s.run(ctx) })
	s.done.Go(func() { s.probe(ctx) })
	s.done.Go(func() { s.follow(ctx) })
	s.done.Go(func() { s.prove(ctx) })
	s.done.Go(func() { s.guard(ctx) })
	s.done.Go(func() { s.followDiscovery(ctx) })
	s.done.Go(s.mendLogin)
	// Nobody is asked anything by this; it tells the screens where keys lie.
	// What it finds is part of the keys' state.
	s.done.Go(func() { _ = s.o.Keys.Probe(ctx) })
	if s.o.Flags.Demo {
		s.done.Go(func() { s.firstDemo(ctx) })
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

// Home is the folder of the files, by which other processes reach this instance.
func (s *Share) Home() string { return s.o.Home }

// Gate is the gate's handler, for servers of tests.
func (s *Share) Gate() http.Handler { return s.gate }

// Log is the request log.
func (s *Share) Log() *requestlog.Log { return s.o.Log }

// Settings are the owner's choices.
func (s *Share) Settings() *settings.Store { return s.o.Settings }

// Start asks for sharing. The State tells what became of it.
func (s *Share) Start() { s.want(true) }

// Stop ends sharing: the port closes at once, running requests may finish
// within five seconds, and longer when sharing starts again meanwhile.
func (s *Share) Stop() {
	s.mu.Lock()
	s.sharedAtPanic = false // who stops by hand does not want it back with the keys
	s.mu.Unlock()
	s.want(false)
}

func (s *Share) want(on bool) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.wanted = on
	if !on {
		s.paused = false
		s.gate.Resume()
	}
	switch {
	case on && (s.phase == Off || s.phase == Stopping):
		s.phase = Starting
	case !on && s.phase == Starting && !s.started:
		s.phase = Off
	}
	s.mu.Unlock()
	if on && !s.proof.identity.State().Own { // with a certificate of the owner's own no keychain is asked
		s.proof.wanted() // who starts again gives a locked keychain another chance
	}
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

// SuspendKey refuses a key from now on and cuts its running requests. After a
// *keystore.UnsavedError the key is refused and its requests are cut too.
func (s *Share) SuspendKey(name string) error {
	k, _ := s.o.Keys.Find(name)
	err := s.o.Keys.Suspend(name)
	s.cutRefused(k.ID)
	return err
}

// ResumeKey lets a suspended key in again.
func (s *Share) ResumeKey(name string) error { return s.o.Keys.Resume(name) }

// EditKey changes what a key may do, from its very next request on. Requests
// that run go on, unless the key has expired by it.
func (s *Share) EditKey(name string, change func(*policy.Grant)) error {
	k, _ := s.o.Keys.Find(name)
	err := s.o.Keys.Edit(name, change)
	s.cutRefused(k.ID)
	return err
}

// RotateKey gives a key a new secret, and returns it. The old one works until
// grace has passed. Without a grace it works no more, and what it started is cut.
func (s *Share) RotateKey(ctx context.Context, name string, grace time.Duration) (keystore.Key, keystore.Secret, error) {
	k, secret, err := s.o.Keys.Rotate(ctx, name, grace)
	if err == nil && grace <= 0 {
		s.gate.CutKey(k.ID)
	}
	return k, secret, err
}

// RemoveKey revokes a key for good: refused at once, running requests cut, then
// taken out of the vault. After a *keystore.UnsavedError or a
// *keystore.LeftoverError it is revoked too.
func (s *Share) RemoveKey(ctx context.Context, name string) error {
	k, _ := s.o.Keys.Find(name)
	// Suspended first, because the vault may make Remove wait for a person
	// while the key's requests run on. What goes wrong shows again in Remove.
	_ = s.o.Keys.Suspend(name)
	s.cutRefused(k.ID)
	err := s.o.Keys.Remove(ctx, name)
	s.cutRefused(k.ID)
	return err
}

// cutRefused ends the running requests of a key that is not good any more.
func (s *Share) cutRefused(id string) {
	if id != "" && !s.o.Keys.Valid(id) {
		s.gate.CutKey(id)
	}
}

// State returns the picture as it is now.
func (s *Share) State() State {
	counts, totals := s.counts()
	keys, sites, heals := keysState(s.o.Keys.State()), s.sites.state(), s.heals.list()
	required := !s.plainAllowed()
	proof, proving := s.proof.state(s.o.Home, required)
	found := s.discoveryState()
	s.mu.Lock()
	defer s.mu.Unlock()
	st := State{
		Version: s.o.Version, Phase: s.phase, Wanted: s.wanted, Problem: s.problem, Detail: s.detail,
		Listen: s.listen(), Addresses: []Address{}, Since: s.since, Ollama: s.ollama,
		Running: counts.running, Waiting: counts.waiting, Totals: totals, Keys: keys,
		Websites: sites, Heals: heals, Window: s.screen != nil, Encrypted: required, Encryption: proof, Safety: s.safety, Panicked: s.panicked,
	}
	st.Networks = s.networks(s.fits.now(s.us, s.choice()))
	st.Networks.Discovery = found
	st.Safety.Facts = slices.Clone(st.Safety.Facts)
	if st.Problem == NoCertificate && proving {
		st.Phase, st.Problem = Starting, NoProblem
	}
	if s.paused {
		st.Paused, st.PausedUntil = true, s.pausedUntil
	}
	if st.Phase == Sharing && s.paused {
		st.Phase = Paused
	}
	st.Ollama.Models, st.Ollama.Loaded = slices.Clone(st.Ollama.Models), slices.Clone(st.Ollama.Loaded)
	now := time.Now()
	for _, k := range keys.List {
		st.Panicked = st.Panicked || k.ByPanic
		if !k.Suspended && now.Sub(k.LastUsed) < teammate {
			st.Teammates++
		}
	}
	at := s.listenURL
	if at == "" {
		at = st.Listen
	}
	gone := s.left(at)
	if host, port, err := splitPort(at); err == nil && port != 0 && !gone {
		st.Addresses, st.PlainAddresses = s.addresses(host, port, proof, required)
	}
	if (st.Phase == Sharing || st.Phase == Paused) && st.Problem == NoProblem {
		switch {
		case gone:
			st.Problem, st.Detail = NoSuchAddr, at
		case len(st.Addresses) == 0:
			st.Problem = NoNetwork
		}
	}
	return st
}

// addresses are what to hand out for a gate at host and port. The caller holds s.mu.
func (s *Share) addresses(host string, port int, proof Encryption, required bool) (encrypted, plain []Address) {
	encrypted = []Address{}
	us := s.us
	if wildHost(host) {
		us = us.Within(s.choice())
	}
	if proof.Own { // its own names come first: by these it proves the gate
		for _, n := range s.proof.identity.State().Names {
			if !strings.Contains(n, "*") {
				encrypted = append(encrypted, Address{Label: label(lan.Name), URL: "https://" + net.JoinHostPort(n, strconv.Itoa(port))})
			}
		}
	}
	if proof.Ready || required {
		for _, a := range us.URLs("https", port, host) {
			encrypted = append(encrypted, Address{Label: label(a.Kind), URL: a.URL})
		}
	}
	if !required {
		for _, a := range us.URLs("http", port, host) {
			plain = append(plain, Address{Label: label(a.Kind), URL: a.URL})
		}
	}
	if len(encrypted) == 0 {
		encrypted = append(encrypted, plain...)
	}
	return encrypted, plain
}

// wild says whether an address to listen on stands for all networks.
func wild(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	return err == nil && wildHost(host)
}

func wildHost(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.Unmap().WithZone("").IsUnspecified()
}

// reached says whether a gate that listens on host is reached by an address.
func reached(host string, a lan.Addr) bool {
	ip, err := netip.ParseAddr(host)
	switch {
	case a.Kind == lan.Loopback:
		return false
	case wildHost(host):
		return a.Kind != lan.Public && (err != nil || !ip.Unmap().Is4() || a.IP.Is4())
	}
	return err == nil && ip.Unmap().WithZone("") == a.IP
}

// counts are the requests that have not ended.
type counts struct{ running, waiting int }

// counts tells those that run from those that wait for their turn.
func (s *Share) counts() (counts, requestlog.Totals) {
	n, totals := s.o.Log.Counts()
	if n == 0 {
		return counts{}, totals
	}
	var c counts
	for _, e := range s.o.Log.Running(time.Now()) {
		if e.Phase == requestlog.Waiting {
			c.waiting++
		} else {
			c.running++
		}
	}
	return c, totals
}

// label says what kind of address it is. Who sees two wants to know which of
// them a teammate can use.
func label(k lan.Kind) string {
	switch k {
	case lan.Name:
		return "Name"
	case lan.Loopback:
		return "This machine only"
	case lan.Private, lan.Shared, lan.LinkLocal, lan.Public:
	}
	return "IP address"
}

// left says whether a host:port names an address of a network that this machine
// is not on any more. A listener on it hears nothing, and says nothing.
func (s *Share) left(at string) bool {
	host, _, err := net.SplitHostPort(at)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || ip.IsUnspecified() || ip.IsLoopback() {
		return false
	}
	ip = ip.Unmap().WithZone("")
	return !slices.ContainsFunc(s.us.Addrs(), func(a lan.Addr) bool { return a.IP == ip })
}

// Watch returns a channel that holds a token whenever State may have changed,
// and a function that ends the watch.
func (s *Share) Watch() (<-chan struct{}, func()) { return s.watch.Add() }

// Close stops sharing, cuts what still runs when ctx ends or the grace of Stop
// is over, and ends every goroutine. The keys and settings are not closed: they
// were handed in.
func (s *Share) Close(ctx context.Context) {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		s.wanted = false
		s.patience = ctx
		if s.cancel != nil {
			s.cancel()
		}
	}
	s.mu.Unlock()
	s.done.Wait()
	s.announcer.Close()
	if s.awake != nil {
		s.awake.Close()
	}
	s.gate.Close()
	s.settle(Off, NoProblem, "")
	s.endDemo()
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
	if us.Host(host) {
		return true
	}
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	return s.proof.identity.Host(name)
}

func (s *Share) wakeRun()   { token(s.poke) }
func (s *Share) askOllama() { token(s.ask) }

func token(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
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
		token(s.checkSoon)
		s.watch.Wake()
	}
}

// lookAround notices addresses that came or went.
func (s *Share) lookAround() {
	s.looking.Lock()
	defer s.looking.Unlock()
	us, err := s.o.Look()
	if err != nil {
		return // the old picture is better than none
	}
	if told := s.announcer.State(); told.Conflict != "" && told.Target != "" {
		us = us.Renamed(told.Target) // its usual name belongs to another machine here
	}
	s.refreshIdentity(us) // first, so that nobody is shown an address that is not proven
	s.mu.Lock()
	changed := !us.Equal(s.us)
	s.us = us
	s.mu.Unlock()
	if changed {
		s.resolveUpstream() // what was somebody else's address may be ours now
		token(s.checkSoon)
		s.watch.Wake()
	}
	s.settleHere()
	s.pauseOver()
}

// keysMark changes when a key is made, changed or removed.
func keysMark(keys []keystore.Key) (mark struct {
	n       int
	changed time.Time
},
) {
	mark.n = len(keys)
	for _, k := range keys {
		if k.Changed.After(mark.changed) {
			mark.changed = k.Changed
		}
	}
	return mark
}

// followDiscovery wakes the watchers of State when what the network is told changes.
func (s *Share) followDiscovery(ctx context.Context) {
	changed, stop := s.announcer.Watch()
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
			s.lookAround() // the name may be another one now
			s.watch.Wake()
		}
	}
}

// follow wakes the watchers of State when keys, counts or refused websites
// change, but not for every token that passes. It looks ten times a second at
// most.
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
	last, lastTotal := counts{-1, -1}, uint64(0)
	lastKeys := keysMark(s.o.Keys.List())
	for {
		// The pause stands before the next look and not behind it: what changes
		// meanwhile leaves its token, so the last change is always told.
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
		changed := true
		select {
		case <-ctx.Done():
			return
		case <-keys:
			s.vaultBack()
			if now := keysMark(s.o.Keys.List()); now != lastKeys { // and not each time that one is used
				lastKeys = now
				token(s.checkSoon)
			}
		case <-s.sites.changed:
		case <-quiet.C:
		case <-log:
			now, totals := s.counts()
			s.awake.Set(now.running > 0 && s.o.Settings.Get().KeepAwake)
			changed = now != last || totals.Requests != lastTotal
			last, lastTotal = now, totals.Requests
		}
		if changed {
			s.watch.Wake()
		}
		pause.Reset(calm)
	}
}
