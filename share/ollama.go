package share

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"paddock/keystore"
	"paddock/policy"
	"paddock/proxy"
	"paddock/requestlog"
	"paddock/settings"
)

const (
	probeEvery   = 2 * time.Second
	probeTimeout = 2 * time.Second
	probePause   = 100 * time.Millisecond // shortest time between two probes
	maxModels    = 200
	maxProbe     = 4 << 20 // bytes of a list of models
)

// DefaultExpiry is how long a key lives unless the owner says otherwise.
const DefaultExpiry = 90 * 24 * time.Hour

// DemoKey is the name of the key that the demo makes when there is no key.
const DemoKey = "demo"

// UseDemo puts the built-in stand-in behind the gate, or takes it away. With it
// comes a key named "demo" when there is no key at all.
func (s *Share) UseDemo(ctx context.Context, on bool) error {
	if !on {
		s.endDemo()
		return nil
	}
	if err := s.startDemo(ctx); err != nil {
		return fmt.Errorf("starting the demo: %w", err)
	}
	if len(s.o.Keys.List()) > 0 {
		return nil
	}
	_, _, err := s.o.Keys.Add(ctx, DemoKey, policy.Grant{Expires: time.Now().Add(DefaultExpiry).UTC().Truncate(time.Second)})
	if err != nil && !errors.Is(err, keystore.ErrNameTaken) {
		return fmt.Errorf("making the demo key: %w", err)
	}
	return nil
}

// firstDemo is the demo of Flags. When it does not start, nothing stands behind
// the gate: whoever asked for a demo has not asked to share Ollama.
func (s *Share) firstDemo(ctx context.Context) {
	err := s.UseDemo(ctx, true)
	s.mu.Lock()
	failed := s.demoAsked && err != nil && ctx.Err() == nil
	if failed { // else it runs, and State.Keys tells when only its key is missing
		s.demoFault = plain(err)
	}
	s.mu.Unlock()
	if failed {
		s.resolveUpstream()
	}
}

func (s *Share) startDemo(ctx context.Context) error {
	s.demoing.Lock()
	defer s.demoing.Unlock()
	s.mu.Lock()
	have, closed := s.demo != nil, s.closed
	s.mu.Unlock()
	switch {
	case have || closed:
		return nil
	case s.o.Demo == nil:
		return errors.New("this program has none")
	}
	addr, stop, err := s.o.Demo(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	s.mu.Lock()
	closed = s.closed
	if !closed {
		s.demo, s.demoAsked, s.demoFault = &demo{addr, stop}, false, ""
	}
	s.mu.Unlock()
	if closed {
		stop()
		return nil
	}
	s.resolveUpstream()
	return nil
}

func (s *Share) endDemo() {
	s.demoing.Lock()
	defer s.demoing.Unlock()
	s.mu.Lock()
	have, closed := s.demo, s.closed
	s.demo, s.demoAsked, s.demoFault = nil, false, ""
	s.mu.Unlock()
	if !closed {
		s.resolveUpstream() // before it stops, so that no request finds it gone
	}
	if have != nil {
		have.stop()
	}
}

// resolveUpstream reads where Ollama is and tells the gate.
func (s *Share) resolveUpstream() {
	s.resolving.Lock()
	defer s.resolving.Unlock()
	s.mu.Lock()
	d, asked, fault := s.demo, s.demoAsked, s.demoFault
	listens := []string{s.listen(), s.listenURL}
	s.mu.Unlock()

	fresh := Ollama{Health: Unknown, Demo: d != nil || asked}
	var to proxy.Upstream
	switch {
	case d != nil:
		u, err := url.Parse(d.url)
		if err != nil {
			fresh.Health, fresh.Detail = Silent, err.Error()
			break
		}
		fresh.URL, to = u.String(), proxy.Upstream{URL: u, Demo: true}
	case asked && fault != "":
		fresh.Health, fresh.Detail = Silent, fault
	case asked:
	default:
		u, err := settings.Upstream(s.o.Flags.Ollama, s.o.Settings.Get().Ollama, os.Getenv("OLLAMA_HOST"))
		switch {
		case err != nil:
			fresh.Health, fresh.Detail = Silent, err.Error()
		case slices.ContainsFunc(listens, func(l string) bool { return s.isGate(u, l) }):
			fresh.URL, fresh.Health, fresh.Detail = u.String(), Stranger, DetailOwnUpstream
		default:
			fresh.URL, to.URL = u.String(), u
		}
	}
	s.gate.SetUpstream(to)
	s.mu.Lock()
	old := s.ollama
	// What the probe found out stays for as long as it is about the same place.
	keep := fresh.Health == Unknown && old.URL == fresh.URL && old.Demo == fresh.Demo && old.Detail != DetailOwnUpstream
	if !keep {
		s.ollama = fresh
	}
	changed := !same(old, s.ollama)
	s.mu.Unlock()
	if changed {
		s.watch.Wake()
	}
	s.askOllama()
}

// isGate says whether an upstream leads back to our own port, where every
// request would ask for a key again.
func (s *Share) isGate(u *url.URL, listen string) bool {
	host, port, err := net.SplitHostPort(listen)
	if err != nil || u.Port() != port || port == "0" || !s.hostOurs(u.Host) {
		return false
	}
	// Ollama on 127.0.0.1:11434 and the gate on 192.168.1.5:11434 are two.
	gate, err := netip.ParseAddr(host)
	if err != nil || gate.IsUnspecified() {
		return true
	}
	if u.Hostname() == "localhost" {
		return gate.IsLoopback()
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err != nil || ip.Unmap() == gate.Unmap()
}

// probe asks Ollama every two seconds how it is, and soon when a request found
// nobody there.
func (s *Share) probe(ctx context.Context) {
	client, done := s.prober()
	defer done()
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		// A thousand requests that find nobody must not be a thousand probes.
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
		s.lookAtOllama(ctx, client)
		pause.Reset(probePause)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.ask:
		}
	}
}

// prober makes a client for such questions, and the function that ends it.
func (s *Share) prober() (client *http.Client, done func()) {
	// A stranger behind the address must not lead us on to somewhere else.
	client = &http.Client{
		Transport: s.o.Transport, Timeout: probeTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if client.Transport != nil {
		return client, func() {}
	}
	t := proxy.NewTransport()
	client.Transport = t
	return client, t.CloseIdleConnections
}

// lookAtOllama asks once and puts what it hears into the state.
func (s *Share) lookAtOllama(ctx context.Context, client *http.Client) {
	s.mu.Lock()
	was := s.ollama
	s.mu.Unlock()
	if was.Detail == DetailOwnUpstream || was.URL == "" {
		return
	}
	now := look(ctx, client, was.URL)
	if ctx.Err() != nil {
		return
	}
	now.Demo = was.Demo
	s.mu.Lock()
	about := s.ollama.URL == was.URL && s.ollama.Demo == was.Demo && s.ollama.Detail != DetailOwnUpstream
	changed := about && !same(s.ollama, now)
	if changed {
		s.ollama = now
	}
	s.mu.Unlock()
	if changed {
		if was.Health != now.Health || was.Version != now.Version {
			token(s.checkSoon)
		}
		s.watch.Wake()
	}
}

func same(a, b Ollama) bool {
	return a.URL == b.URL && a.Health == b.Health && a.Demo == b.Demo && a.Version == b.Version &&
		a.Detail == b.Detail && slices.Equal(a.Models, b.Models) && slices.Equal(a.Loaded, b.Loaded)
}

// look asks for version, models and what is loaded.
func look(ctx context.Context, client *http.Client, base string) Ollama {
	o := Ollama{URL: base, Health: Answers}
	var version struct {
		Version string `json:"version"`
	}
	status, err := fetch(ctx, client, base, "/api/version", &version)
	switch {
	case err != nil && status == 0:
		o.Health, o.Detail = Silent, plain(err)
		return o
	case err != nil || version.Version == "":
		o.Health = Stranger
		if status != http.StatusOK {
			o.Detail = fmt.Sprintf("it answered %d", status)
		}
		return o
	}
	o.Version = bounded(version.Version)
	o.Models = names(ctx, client, base, "/api/tags")
	o.Loaded = names(ctx, client, base, "/api/ps")
	return o
}

func names(ctx context.Context, client *http.Client, base, path string) []string {
	var list struct {
		Models []struct {
			Name string `json:"name"`
		} `json:"models"`
	}
	if _, err := fetch(ctx, client, base, path, &list); err != nil {
		return nil // Ollama answers its version all the same
	}
	var out []string
	for _, m := range list.Models[:min(len(list.Models), maxModels)] {
		out = append(out, bounded(m.Name))
	}
	return out
}

// bounded makes what a stranger may have written fit to be shown.
func bounded(s string) string { return requestlog.Clean(s, requestlog.MaxText) }

// fetch reads one JSON answer. The status is 0 when there was no answer.
func fetch(ctx context.Context, client *http.Client, base, path string, into any) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(base, "/")+path, nil)
	if err != nil {
		return 0, err
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return res.StatusCode, fmt.Errorf("asking %s: status %d", path, res.StatusCode)
	}
	return res.StatusCode, json.NewDecoder(io.LimitReader(res.Body, maxProbe)).Decode(into)
}

// plain takes the address, the method and the system call away that Go puts
// around an error.
func plain(err error) string {
	if t, ok := errors.AsType[net.Error](err); ok && t.Timeout() {
		return fmt.Sprintf("no answer within %d seconds", probeTimeout/time.Second)
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if o, ok := errors.AsType[*net.OpError](err); ok && o.Err != nil {
		err = o.Err
	}
	if c, ok := errors.AsType[*os.SyscallError](err); ok {
		err = c.Err
	}
	return bounded(err.Error())
}
