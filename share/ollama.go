package share

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"paddock/keystore"
	"paddock/policy"
	"paddock/proxy"
	"paddock/settings"
)

const (
	probeEvery   = 2 * time.Second
	probeTimeout = 2 * time.Second
	maxModels    = 200
	maxProbe     = 4 << 20 // bytes of a list of models
)

// DemoKey is the name of the key that the demo makes when there is no key.
const DemoKey = "demo"

// UseDemo puts the built-in stand-in behind the gate, or takes it away. With it
// comes a key named "demo" when there is no key at all.
func (s *Share) UseDemo(ctx context.Context, on bool) error {
	s.mu.Lock()
	have := s.demo
	s.mu.Unlock()
	switch {
	case on && have == nil:
		if s.o.Demo == nil {
			return errors.New("starting the demo: this program has none")
		}
		addr, stop, err := s.o.Demo(context.WithoutCancel(ctx))
		if err != nil {
			return fmt.Errorf("starting the demo: %w", err)
		}
		s.mu.Lock()
		if s.demo != nil || s.closed {
			s.mu.Unlock()
			stop()
			return nil
		}
		s.demo = &demo{addr, stop}
		s.mu.Unlock()
		s.resolveUpstream()
		if len(s.o.Keys.List()) == 0 {
			_, _, err := s.o.Keys.Add(ctx, DemoKey, policy.Grant{})
			if err != nil && !errors.Is(err, keystore.ErrNameTaken) {
				return fmt.Errorf("making the demo key: %w", err)
			}
		}
	case !on && have != nil:
		s.mu.Lock()
		s.demo = nil
		s.mu.Unlock()
		s.resolveUpstream()
		have.stop()
	}
	return nil
}

// resolveUpstream reads where Ollama is and tells the gate.
func (s *Share) resolveUpstream() {
	s.mu.Lock()
	d, listen := s.demo, s.listen()
	s.mu.Unlock()
	var u *url.URL
	var err error
	if d != nil {
		u, err = url.Parse(d.url)
	} else {
		u, err = settings.Upstream(s.o.Flags.Ollama, s.o.Settings.Get().Ollama, os.Getenv("OLLAMA_HOST"))
	}
	fresh := Ollama{Health: Unknown, Demo: d != nil}
	switch {
	case err != nil:
		fresh.Health, fresh.Detail = Silent, err.Error()
		s.gate.SetUpstream(proxy.Upstream{})
	case d == nil && s.isGate(u, listen):
		fresh.URL, fresh.Health, fresh.Detail = u.String(), Stranger, DetailOwnUpstream
		s.gate.SetUpstream(proxy.Upstream{})
	default:
		fresh.URL = u.String()
		s.gate.SetUpstream(proxy.Upstream{URL: u, Demo: d != nil})
	}
	s.mu.Lock()
	changed := s.ollama.URL != fresh.URL || s.ollama.Demo != fresh.Demo
	if changed || fresh.Health != Unknown {
		s.ollama = fresh
	}
	s.mu.Unlock()
	if changed {
		s.watch.Wake()
	}
	s.askOllama()
}

// isGate says whether an upstream leads back to our own port, where every
// request would ask for a key again.
func (s *Share) isGate(u *url.URL, listen string) bool {
	_, port, err := net.SplitHostPort(listen)
	if err != nil || u.Port() != port || port == "0" {
		return false
	}
	return s.hostOurs(u.Host)
}

// probe asks Ollama every two seconds how it is, and at once when a request
// found nobody there.
func (s *Share) probe(ctx context.Context) {
	client := &http.Client{Transport: s.o.Transport, Timeout: probeTimeout}
	if client.Transport == nil {
		t := proxy.NewTransport()
		defer t.CloseIdleConnections()
		client.Transport = t
	}
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		s.mu.Lock()
		was := s.ollama
		s.mu.Unlock()
		if was.Detail != DetailOwnUpstream && was.URL != "" {
			now := look(ctx, client, was.URL)
			now.Demo = was.Demo
			s.mu.Lock()
			changed := s.ollama.URL == was.URL && !same(s.ollama, now)
			if changed {
				s.ollama = now
			}
			s.mu.Unlock()
			if changed {
				s.watch.Wake()
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.ask:
		}
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

func bounded(s string) string { return s[:min(len(s), 120)] }

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

// plain takes the address and method away that net/http puts around an error.
func plain(err error) string {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if o, ok := errors.AsType[*net.OpError](err); ok && o.Err != nil {
		err = o.Err
	}
	return err.Error()
}
