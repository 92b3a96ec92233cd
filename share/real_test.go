package share_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"paddock/internal/standin"
	"paddock/keystore"
	"paddock/lan"
	"paddock/policy"
	"paddock/requestlog"
	"paddock/settings"
	"paddock/share"
)

// real makes a Share with nothing in place of the real parts but the vault, the
// network's name and the stand-in for Ollama.
func real(t *testing.T, f share.Flags) *share.Share {
	t.Helper()
	home := t.TempDir()
	choices, err := settings.Open(home)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := keystore.Open(home, keystore.NewMemoryVault(), keystore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f.AllowHTTP = true // encryption has tests of its own
	s := share.New(share.Options{
		Home: home, Settings: choices, Keys: keys, Log: requestlog.New(100), Flags: f,
		Look: func() (lan.Us, error) {
			return lan.New("anna", lan.Addr{IP: netip.MustParseAddr("127.0.0.1"), Interface: "lo"}), nil
		},
		OnPanic: func(stack []byte) { t.Errorf("a fault inside the gate:\n%s", stack) },
	})
	t.Cleanup(func() {
		s.Close(context.Background())
		if err := keys.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// authority is what vouches for the gate.
func authority(t *testing.T, st share.State) *x509.CertPool {
	t.Helper()
	pem, err := os.ReadFile(st.Encryption.File)
	roots := x509.NewCertPool()
	if err != nil || !roots.AppendCertsFromPEM(pem) {
		t.Fatalf("ca.pem: %v\n%s", err, pem)
	}
	return roots
}

func until(t *testing.T, s *share.Share, what string, ok func(share.State) bool) share.State {
	t.Helper()
	wake, stop := s.Watch()
	defer stop()
	limit := time.After(10 * time.Second)
	for {
		st := s.State()
		if ok(st) {
			return st
		}
		select {
		case <-wake:
		case <-limit:
			t.Fatalf("%s: not seen within 10 s; the last state seen is %+v, and now it is %+v", what, st, s.State())
		}
	}
}

func sharing(st share.State) bool { return st.Phase == share.Sharing && st.Problem == share.NoProblem }

// With real sockets: another program holds the port, goes, and everything works
// down to a streamed chat; then the port is closed and nothing is left.
func TestOnRealSockets(t *testing.T) {
	ollama := standin.New(standin.Options{Loop: true, TokenDelay: time.Millisecond})
	at, stop, err := ollama.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	addr := other.Addr().String()

	s := real(t, share.Flags{Listen: addr, Ollama: at})
	s.Run()
	s.Start()
	st := until(t, s, "the port is in use", func(st share.State) bool { return st.Problem == share.PortInUse })
	if st.Phase != share.Waiting || runtime.GOOS == "linux" && !strings.Contains(st.Detail, "share.test") {
		t.Errorf("it is %q, and the holder %q", st.Phase, st.Detail)
	}
	other.Close()
	st = until(t, s, "the port is free", sharing)
	if st.Address() != "https://"+addr {
		t.Errorf("the address is %q", st.Address())
	}
	until(t, s, "Ollama answers", func(st share.State) bool { return st.Ollama.Health == share.Answers })

	_, secret, err := s.AddKey(t.Context(), "alice", policy.Grant{})
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority(t, st)}}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, st.Address()+"/api/chat",
		strings.NewReader(`{"model":"demo","messages":[{"role":"user","content":"hi"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+secret.Reveal())
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	for range 10 {
		if !lines.Scan() {
			t.Fatal(lines.Err())
		}
	}
	s.Stop()
	until(t, s, "it stops", func(st share.State) bool { return st.Phase == share.Stopping })
	for { // the phase comes a moment before the port is closed
		c, err := net.Dial("tcp", addr)
		if errors.Is(err, syscall.ECONNREFUSED) {
			break
		}
		if err == nil {
			c.Close()
		}
		if t.Context().Err() != nil {
			t.Fatal("the port stays open")
		}
	}
	began := time.Now()
	end, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	s.Close(end)
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("Close took %s", took)
	}
	for lines.Scan() {
	}
	if !errors.Is(lines.Err(), io.ErrUnexpectedEOF) {
		t.Errorf("the cut answer ended with %v", lines.Err())
	}
	if n := ollama.Active(); n != 0 {
		// Ollama notices a moment later.
		until := time.After(5 * time.Second)
		for ollama.Active() > 0 {
			select {
			case <-until:
				t.Fatal("Ollama still works for nobody")
			default:
				runtime.Gosched()
			}
		}
	}
}

// A wildcard and one address of it are one port to the system, so the old
// listener has to go first; the owner who restricts must not be left open.
func TestFromEverywhereToThisMachineOnly(t *testing.T) {
	free, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	free.Close()
	s := real(t, share.Flags{})
	if err := s.Settings().Set(settings.ShareListen, fmt.Sprintf(":%d", port)); err != nil {
		t.Fatal(err)
	}
	s.Run()
	s.Start()
	until(t, s, "it shares", func(st share.State) bool { return st.Phase == share.Sharing })
	if err := s.Settings().Set(settings.ShareListen, fmt.Sprintf("127.0.0.1:%d", port)); err != nil {
		t.Fatal(err)
	}
	st := until(t, s, "it shares on loopback", func(st share.State) bool {
		return sharing(st) && st.Address() == fmt.Sprintf("https://127.0.0.1:%d", port)
	})
	if st.Addresses[0].Label != "This machine only" {
		t.Errorf("the address is called %q", st.Addresses[0].Label)
	}
}

// A page asks, is refused, shows in the state; one click later its browser gets
// a yes, for the preflight as for the request.
func TestAWebsiteOnRealSockets(t *testing.T) {
	at, stop, err := standin.Start(t.Context(), standin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	s := real(t, share.Flags{Listen: "127.0.0.1:0", Ollama: at})
	s.Run()
	s.Start()
	st := until(t, s, "it shares", sharing)
	_, secret, err := s.AddKey(t.Context(), "alice", policy.Grant{})
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	const site = "http://localhost:5173"
	asks := func(method string, headers map[string]string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, st.PlainAddresses[0].URL+"/api/tags", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", site)
		for name, value := range headers {
			req.Header.Set(name, value)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		_, _ = io.Copy(io.Discard, res.Body)
		return res.StatusCode, res.Header.Get("Access-Control-Allow-Origin")
	}
	check := func(preflight, request int, told string) {
		t.Helper()
		code, origin := asks(http.MethodOptions, map[string]string{"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"})
		if code != preflight || origin != told {
			t.Errorf("the preflight: %d, and the browser is told %q", code, origin)
		}
		code, origin = asks(http.MethodGet, map[string]string{"Authorization": "Bearer " + secret.Reveal()})
		if code != request || origin != told {
			t.Errorf("the request: %d, and the browser is told %q", code, origin)
		}
	}
	check(http.StatusForbidden, http.StatusForbidden, "")
	st = until(t, s, "it is seen", func(st share.State) bool {
		return len(st.Websites.Refused) == 1 && st.Websites.Refused[0].Count == 2
	})
	if err := s.AllowOrigin(st.Websites.Refused[0].Origin); err != nil {
		t.Fatal(err)
	}
	check(http.StatusNoContent, http.StatusOK, site)
	if err := s.BlockOrigin(site); err != nil {
		t.Fatal(err)
	}
	check(http.StatusForbidden, http.StatusForbidden, "")
	until(t, s, "a blocked one is not offered again", func(st share.State) bool {
		return len(st.Websites.Refused) == 0 && len(st.Websites.List) == 1
	})
}

// The limits of connections hold for the next one, while sharing goes on.
func TestConnectionsAreLimitedWhileSharing(t *testing.T) {
	s := real(t, share.Flags{Listen: "127.0.0.1:0", Ollama: "127.0.0.1:1"})
	s.Run()
	s.Start()
	addr := strings.TrimPrefix(until(t, s, "it shares", sharing).PlainAddresses[0].URL, "http://")
	served := func() bool {
		t.Helper()
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if _, err := io.WriteString(c, "HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"); err != nil {
			return false
		}
		n, _ := c.Read(make([]byte, 1))
		return n == 1
	}
	for range 3 {
		if !served() {
			t.Fatal("refused below the limit")
		}
	}
	for _, name := range []string{settings.LimitsPerAddress, settings.LimitsConnections} {
		if err := s.Settings().Set(name, "3"); err != nil {
			t.Fatal(err)
		}
		if served() {
			t.Errorf("%s: served beyond the limit", name)
		}
		if err := s.Settings().Set(name, "none"); err != nil {
			t.Fatal(err)
		}
		if !served() {
			t.Errorf("%s: refused without a limit", name)
		}
	}
}
