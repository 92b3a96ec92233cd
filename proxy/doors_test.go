package proxy

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"paddock/policy"
	"paddock/requestlog"
)

// door is a listener for doors alone, with what it accepted.
func door(t *testing.T, onFault func(net.Addr, error)) (*doors, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := Doors(l, testTLS, onFault).(*doors)
	t.Cleanup(func() { _ = d.Close() })
	return d, l.Addr().String()
}

func dialTo(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// A connection on which nobody speaks, and one that stops in the middle of its
// handshake, must not keep anybody else out.
func TestSilentClientsHoldUpNobody(t *testing.T) {
	s := open(t, echo)
	for range 20 {
		dialTo(t, s.addr)
		half := dialTo(t, s.addr)
		_, _ = half.Write([]byte{handshakeRecord, 3, 1, 2, 0, 1})
	}
	if got := s.ask(keyAlice, "GET", "/api/tags", ""); got.status != 200 {
		t.Errorf("in clear: %+v", got)
	}
	s.secure = true
	if got := s.ask(keyAlice, "GET", "/api/tags", ""); got.status != 200 {
		t.Errorf("by TLS: %+v", got)
	}
	if e := s.last(2); e.TLS != "TLS 1.3" {
		t.Errorf("%+v", e)
	}
}

// Who does not come in within the time of a request's head is sent away.
func TestSilentClientsAreSentAway(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	d := &doors{Listener: l, config: testTLS, patience: 20 * time.Millisecond, came: make(chan arrival), stop: stop}
	d.work.Go(func() { d.run(ctx) })
	defer d.Close()
	silent, half := dialTo(t, l.Addr().String()), dialTo(t, l.Addr().String())
	_, _ = half.Write([]byte{handshakeRecord, 3, 1, 2, 0, 1})
	for _, c := range []net.Conn{silent, half} {
		if _, err := io.ReadAll(c); errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	}
}

// Closing ends the handshakes that are under way, and nobody waits for them.
func TestClosingEndsHandshakes(t *testing.T) {
	d, addr := door(t, func(net.Addr, error) { t.Error("a handshake that we ended is nobody's fault") })
	silent, half := dialTo(t, addr), dialTo(t, addr)
	_, _ = half.Write([]byte{handshakeRecord, 3, 1, 2, 0, 1})
	plain := dialTo(t, addr)
	_, _ = io.WriteString(plain, "GET")
	c, err := d.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	closed := make(chan struct{})
	go func() { defer close(closed); _ = d.Close() }()
	wait(t, "Close", closed)
	for _, c := range []net.Conn{silent, half} {
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("a connection that never came in is open")
		}
	}
	if _, err := d.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v", err)
	}
	var b [3]byte
	if _, err := io.ReadFull(c, b[:]); err != nil || string(b[:]) != "GET" {
		t.Errorf("what was accepted before: %q %v", b, err)
	}
}

// A first byte that comes alone, and a hello that comes byte by byte, are told
// apart all the same.
func TestTheFirstByteAlone(t *testing.T) {
	s := open(t, echo)
	c := s.dial()
	defer c.Close()
	for _, b := range []byte(get("/api/tags", asUser)) {
		if _, err := c.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.answer(c, bufio.NewReader(c), "GET"); got.status != 200 {
		t.Errorf("%+v", got)
	}
	slow := tls.Client(dripping{dialTo(t, s.addr)}, testTrust)
	if _, err := io.WriteString(slow, get("/api/tags", asUser)); err != nil {
		t.Fatal(err)
	}
	if got := s.answer(slow, bufio.NewReader(slow), "GET"); got.status != 200 {
		t.Errorf("%+v", got)
	}
}

// dripping writes a byte at a time.
type dripping struct{ net.Conn }

func (d dripping) Write(b []byte) (int, error) {
	for i := range b {
		if _, err := d.Conn.Write(b[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(b), nil
}

// What is neither TLS nor HTTP is answered as net/http answers nonsense.
func TestWhatIsNeither(t *testing.T) {
	s := open(t, echo)
	for _, text := range []string{"\x80\x2e\x01\x00\x02\r\n\r\n", "\x00\r\n\r\n", "SSH-2.0-x\r\n\r\n", "\x15\x03\x01\x00\x02\x01\x00\r\n\r\n"} {
		c := s.dial()
		_, _ = io.WriteString(c, text)
		b, _ := io.ReadAll(c)
		c.Close()
		if !strings.HasPrefix(string(b), "HTTP/1.1 400") {
			t.Errorf("%q: %q", text, b)
		}
	}
	if n := s.seen.Load(); n != 0 {
		t.Errorf("Ollama saw %d", n)
	}
}

// The owner is to learn that a client does not trust the certificate: without
// that, a teammate says "it does not work" and nothing stands in the log.
func TestAClientThatDistrustsIsTold(t *testing.T) {
	faults := make(chan error, 1)
	d, addr := door(t, func(_ net.Addr, err error) { faults <- err })
	go func() {
		for {
			c, err := d.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	c := tls.Client(dialTo(t, addr), &tls.Config{ServerName: "localhost"}) // which has no reason to
	if err := c.Handshake(); err == nil {
		t.Fatal("it trusted")
	}
	err := wait(t, "the fault", faults)
	if alert, ok := errors.AsType[tls.AlertError](err); !ok && !strings.Contains(err.Error(), "bad certificate") && !strings.Contains(err.Error(), "unknown certificate authority") {
		t.Errorf("%v %v", err, alert)
	}
}

// HTTP/2 goes through the doors as well, many streams on one connection, and a
// key in the address is taken there from anywhere.
func TestHTTP2ThroughTheDoors(t *testing.T) {
	s := open(t, echo, encrypted)
	own := &http.Transport{TLSClientConfig: testTrust.Clone(), ForceAttemptHTTP2: true}
	defer own.CloseIdleConnections()
	client := &http.Client{Transport: own}
	var g sync.WaitGroup
	for range 50 {
		g.Go(func() {
			a, err := client.Get("https://" + s.addr + "/k/" + keyDora + "/api/tags")
			if err != nil {
				t.Error(err)
				return
			}
			defer a.Body.Close()
			if b, err := io.ReadAll(a.Body); a.StatusCode != 200 || a.ProtoMajor != 2 || err != nil || string(b) != `{"ok":true}` {
				t.Errorf("%d %s %q %v", a.StatusCode, a.Proto, b, err)
			}
		})
	}
	g.Wait()
	for _, e := range s.entries(50) {
		if e.TLS != "TLS 1.3" || e.Key != "dora" || e.Reason != policy.Allowed {
			t.Errorf("%+v", e)
		}
	}
}

// The certificate is there for everybody who has none to check with yet, and no
// page says more than it must.
func TestTheCertificateOfTheAuthority(t *testing.T) {
	const pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
	s := open(t, echo, encrypted, func(_ *site, c *Config) { c.Authority = func() []byte { return []byte(pem) } })
	for i, method := range []string{"GET", "HEAD"} {
		got := s.send(method, say(method+" /paddock/ca.pem", host))
		if got.status != 200 || method == "GET" && got.body != pem || got.header.Get("Content-Type") != "application/x-x509-ca-cert" {
			t.Errorf("%+v", got)
		}
		if e := s.last(i + 1); e.Action != "Fetch the certificate" || e.Class != policy.ClassLook || e.Phase != requestlog.Done {
			t.Errorf("%+v", e)
		}
	}
	for _, a := range []struct {
		text   string
		status int
	}{
		{say("POST /paddock/ca.pem", host), 401},
		{get("/paddock/ca.pem/", host), 401},
		{get("/paddock//ca.pem", host), 401},
		{get("/paddock/%63a.pem", host), 401},
		{get("/paddock/CA.pem", host), 401},
		{get("/paddock/keys", host), 401},
		{get("/paddock/ca.pem", "Host: evil.example\r\n"), 421},
	} {
		if got := s.send("GET", a.text); got.status != a.status {
			t.Errorf("%q: %d", a.text, got.status)
		}
	}
	page := s.send("GET", get("/paddock/", host))
	for _, word := range []string{"alice", "pdk_", "llama3", "BEGIN"} {
		if strings.Contains(page.body, word) {
			t.Errorf("the page says %q", word)
		}
	}
	if !strings.Contains(page.body, "https://laptop.local:11435/paddock/ca.pem") || strings.Contains(page.body, "without encryption") {
		t.Error(page.body)
	}
	none := open(t, echo, encrypted)
	if got := none.send("GET", get("/paddock/ca.pem", host)); got.status != 404 {
		t.Errorf("%+v", got)
	}
}

// While the owner takes a break everybody with a key hears when to come again,
// everybody else what they always hear, and who was in gets to the end.
func TestPause(t *testing.T) {
	o := newSpeaker()
	s := open(t, o.ServeHTTP, func(_ *site, c *Config) { c.Choices.Running = 1 })
	go func() { o.say <- token }()
	running := s.start(keyAlice, "POST", "/api/chat", chat)
	defer running.Body.Close()
	waiting := make(chan result, 1)
	go func() { waiting <- s.ask(keyMara, "POST", "/api/chat", chat) }()
	until(t, "one to wait", func() bool {
		for _, e := range s.log.Running(time.Now()) {
			if e.Phase == requestlog.Waiting {
				return true
			}
		}
		return false
	})
	s.gate.Pause(time.Now().Add(90 * time.Second))
	if got := wait(t, "who waited", waiting); got.status != 503 || got.header.Get("Retry-After") == "" || !strings.Contains(got.body, "takes a break") {
		t.Errorf("who waited: %+v", got)
	}
	got := s.ask(keyAlice, "GET", "/api/tags", "")
	if after := got.header.Get("Retry-After"); got.status != 503 || after != "90" && after != "89" {
		t.Errorf("%+v", got)
	}
	if got := s.ask(keyUnknown, "GET", "/api/tags", ""); got.status != 401 {
		t.Errorf("without a good key: %+v", got)
	}
	if got := s.send("HEAD", say("HEAD /", host)); got.status != 200 {
		t.Errorf("the greeting: %+v", got)
	}
	o.say <- final
	close(o.say)
	if b, err := io.ReadAll(running.Body); err != nil || string(b) != token+final {
		t.Errorf("what ran: %q %v", b, err)
	}
	s.gate.Pause(time.Time{})
	if got := s.ask(keyAlice, "GET", "/api/tags", ""); got.status != 503 || got.header.Get("Retry-After") != "60" {
		t.Errorf("%+v", got)
	}
	s.gate.Resume()
	if got := s.ask(keyAlice, "GET", "/v1/models", ""); got.status != 200 {
		t.Errorf("after it: %+v", got)
	}
	s.gate.Pause(time.Now().Add(-time.Second))
	if got := s.ask(keyAlice, "GET", "/v1/models", ""); got.status != 200 {
		t.Errorf("a pause that is over: %+v", got)
	}
	paused := 0
	for _, e := range s.entries(8) {
		if e.Reason == policy.Paused || e.CutBy == requestlog.CutByPause {
			paused++
		}
	}
	if paused != 3 {
		t.Errorf("%d were told of the pause", paused)
	}
}

// A flood of handshakes that are broken off leaves nothing behind; goleak looks.
func TestBrokenHandshakes(t *testing.T) {
	var faults sync.WaitGroup
	faults.Add(30)
	_, addr := door(t, func(net.Addr, error) { faults.Done() })
	for range 30 {
		c := dialTo(t, addr)
		_, _ = c.Write([]byte{handshakeRecord, 3, 1, 0, 5, 9, 9, 9, 9, 9})
		_ = c.Close()
	}
	faults.Wait()
}
