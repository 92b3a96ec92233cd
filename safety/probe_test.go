package safety

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// machine is one whose addresses lead to servers on loopback.
type machine map[string]http.HandlerFunc

// finder makes a Finder on that machine. An address that is not in it refuses.
func (m machine) finder(t *testing.T) *Finder {
	t.Helper()
	at := map[string]string{}
	for addr, h := range m {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		at[addr] = s.Listener.Addr().String()
	}
	return &Finder{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		to, ok := at[address]
		if !ok {
			return nil, errors.New("connection refused")
		}
		return (&net.Dialer{}).DialContext(ctx, network, to)
	}}
}

func ollama(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet || r.URL.Path != "/api/version" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = io.WriteString(w, `{"version":"0.17.4"}`)
}

func TestProbeKnowsOllamaByItsAnswer(t *testing.T) {
	gone := make(chan struct{})
	t.Cleanup(func() { close(gone) })
	answers := []struct {
		name    string
		handler http.HandlerFunc
		want    bool
		version string
	}{
		{"Ollama", ollama, true, "0.17.4"},
		{"Ollama that refuses the name", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, true, ""},
		{"somebody who forbids with words", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) }, false, ""},
		{"a gate that asks for a key", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, false, ""},
		{"a web server", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>version") }, false, ""},
		{"another API", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"version":7}`) }, false, ""},
		{"an empty version", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"version":""}`) }, false, ""},
		{"a redirect to Ollama", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/api/version" {
				http.Redirect(w, r, "/there", http.StatusFound)
				return
			}
			t.Error("the redirect was followed")
		}, false, ""},
		{"an answer without end", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(bytes.Repeat([]byte(" "), 1<<16)); err != nil {
					return
				}
			}
		}, false, ""},
		{"a version that writes on the screen", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"version":"\u001b[2J0.17.4\u202e`+strings.Repeat("x", 200)+`"}`)
		}, true, "[2J0.17.4" + strings.Repeat("x", longest-9) + "…"},
	}
	for _, a := range answers {
		t.Run(a.name, func(t *testing.T) {
			f := machine{"192.168.1.5:11434": a.handler}.finder(t)
			p := f.Probe(t.Context(), []netip.Addr{ip("192.168.1.5")}, 11434, nil)
			if got := len(p.Answered) == 1; got != a.want || len(p.Asked) != 1 || p.At.IsZero() {
				t.Fatalf("%+v", p)
			}
			if a.want && p.Answered[0] != (Answer{ip("192.168.1.5"), a.version}) {
				t.Errorf("%+v", p.Answered)
			}
		})
	}
}

func TestProbeAsksWithTheAddressAndWithoutTheProxyOfTheEnvironment(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://192.0.2.1:1")
	t.Setenv("http_proxy", "http://192.0.2.1:1")
	var host atomic.Value
	f := machine{"[fe80::1%eth0]:11434": func(w http.ResponseWriter, r *http.Request) {
		host.Store(r.Host)
		if r.Header.Get("Origin")+r.Header.Get("Authorization") != "" {
			t.Errorf("%v", r.Header)
		}
		ollama(w, r)
	}}.finder(t)
	p := f.Probe(t.Context(), []netip.Addr{ip("fe80::1%eth0")}, 11434, nil)
	if len(p.Answered) != 1 || host.Load() != "[fe80::1]:11434" {
		t.Errorf("%+v, Host %v", p, host.Load())
	}
}

func TestProbeAsksEachOwnAddressOnceAndNeverLoopback(t *testing.T) {
	var (
		mu     sync.Mutex
		dialed []string
	)
	f := &Finder{Dial: func(_ context.Context, _, address string) (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		dialed = append(dialed, address)
		return nil, errors.New("refused")
	}}
	addrs := []netip.Addr{
		ip("127.0.0.1"), ip("::1"), ip("127.3.2.1"), ip("::ffff:127.0.0.1"), ip("0.0.0.0"), ip("::"), ip("224.0.0.1"),
		{},
		ip("192.168.1.5"), ip("::ffff:192.168.1.5"), ip("192.168.1.5"), ip("10.0.0.9"), ip("fd00::5"),
	}
	p := f.Probe(t.Context(), addrs, 11434, func(a netip.AddrPort) bool { return a == ipPort("10.0.0.9:11434") })
	slices.Sort(dialed)
	if want := []string{"192.168.1.5:11434", "[fd00::5]:11434"}; !slices.Equal(dialed, want) {
		t.Errorf("dialed %v, want %v", dialed, want)
	}
	if len(p.Asked) != 2 || len(p.Answered) != 0 {
		t.Errorf("%+v", p)
	}
	if p := f.Probe(t.Context(), addrs, 0, nil); !p.At.IsZero() {
		t.Errorf("without a port: %+v", p)
	}
}

// Firewalls that swallow make each connection wait for its second; eight wait
// side by side, and more than 32 addresses are not asked.
func TestProbeTakesAtMostFourSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var mu sync.Mutex
		begun := map[time.Duration]int{} // how many began at each moment
		f := &Finder{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			mu.Lock()
			begun[time.Since(start)]++
			mu.Unlock()
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		var addrs []netip.Addr
		for i := range 50 {
			addrs = append(addrs, ip(fmt.Sprintf("10.0.0.%d", i+1)))
		}
		p := f.Probe(t.Context(), addrs, 11434, nil)
		if took := time.Since(start); took != 4*time.Second {
			t.Errorf("took %v", took)
		}
		want := map[time.Duration]int{0: probeAhead, time.Second: probeAhead, 2 * time.Second: probeAhead, 3 * time.Second: probeAhead}
		mu.Lock()
		defer mu.Unlock()
		if !maps.Equal(begun, want) || len(p.Asked) != probeMost || p.At.IsZero() {
			t.Errorf("began %v, asked %d", begun, len(p.Asked))
		}
	})
}

func TestAProbeGivenUpProvesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := &Finder{Dial: func(context.Context, string, string) (net.Conn, error) {
		cancel()
		return nil, errors.New("refused")
	}}
	if p := f.Probe(ctx, []netip.Addr{ip("192.168.1.5")}, 11434, nil); !p.At.IsZero() || len(p.Asked) > 0 {
		t.Errorf("%+v", p)
	}
}
