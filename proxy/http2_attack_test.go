package proxy

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strconv"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"paddock/policy"
)

// h2 speaks HTTP/2 frame by frame, so that it can say what no library would.
type h2 struct {
	t    *testing.T
	conn net.Conn
	fr   *http2.Framer
	enc  *hpack.Encoder
	head bytes.Buffer
}

func (s *site) h2() *h2 {
	s.t.Helper()
	raw, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = raw.SetDeadline(time.Now().Add(patience))
	trust := testTrust.Clone()
	trust.NextProtos = []string{"h2"}
	c := &h2{t: s.t.(*testing.T), conn: tls.Client(raw, trust)}
	c.enc = hpack.NewEncoder(&c.head)
	if _, err := io.WriteString(c.conn, http2.ClientPreface); err != nil {
		s.t.Fatal(err)
	}
	c.fr = http2.NewFramer(c.conn, c.conn)
	c.fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if err := c.fr.WriteSettings(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.conn.Close() })
	return c
}

// ask sends the fields of one request as they are, and returns its status; 0 for
// a stream or a connection that was broken off.
func (c *h2) ask(body string, fields ...string) int {
	c.t.Helper()
	c.head.Reset()
	for i := 0; i < len(fields); i += 2 {
		if err := c.enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}); err != nil {
			c.t.Fatal(err)
		}
	}
	err := c.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.head.Bytes(), EndHeaders: true, EndStream: body == ""})
	if err == nil && body != "" {
		err = c.fr.WriteData(1, true, []byte(body))
	}
	if err != nil {
		c.t.Fatal(err)
	}
	for {
		f, err := c.fr.ReadFrame()
		if err != nil {
			if errors.As(err, new(net.Error)) {
				c.t.Errorf("no answer: %v", err)
			}
			return 0
		}
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			n, err := strconv.Atoi(f.PseudoValue("status"))
			if err != nil {
				c.t.Errorf("status %q", f.PseudoValue("status"))
			}
			return n
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			return 0
		case *http2.SettingsFrame:
			if !f.IsAck() {
				_ = c.fr.WriteSettingsAck()
			}
		}
	}
}

// What can be said in HTTP/2 alone is no way in either: pseudo-headers that stand
// twice or are missing, a Host beside the authority, headers of a connection, names
// in capitals, lengths that lie. 0 is what net/http itself breaks off.
func TestAttacksByHTTP2(t *testing.T) {
	s := open(t, echo, encrypted, func(_ *site, c *Config) { c.Origins = websites })
	ok := []string{":method", "GET", ":scheme", "https", ":path", "/api/tags", ":authority", "laptop.local:11435", "authorization", "Bearer " + keyAlice}
	with := func(name, value string) []string {
		out := append([]string(nil), ok...)
		for i := 0; i < len(out); i += 2 {
			if out[i] == name {
				out[i+1] = value
				return out
			}
		}
		return append(out, name, value)
	}
	post := func(more ...string) []string {
		return append([]string{":method", "POST", ":scheme", "https", ":path", "/api/chat", ":authority", "laptop.local:11435", "authorization", "Bearer " + keyAlice}, more...)
	}
	logged := 0
	for _, a := range []struct {
		name   string
		fields []string
		body   string
		status int
		reason policy.Reason // empty when net/http refuses by itself
		seen   bool
	}{
		{"an ordinary request", ok, "", 200, policy.Allowed, true},
		{"an ordinary chat", post(), chat, 200, policy.Allowed, true},
		{"no key", ok[:8], "", 401, policy.NoKey, false},
		{"an escaped path", with(":path", "/api/%74ags"), "", 400, policy.UnclearPath, false},
		{"a doubled slash", with(":path", "//api/tags"), "", 400, policy.UnclearPath, false},
		{"dots", with(":path", "/api/../api/tags"), "", 400, policy.UnclearPath, false},
		{"an absolute path", with(":path", "http://laptop.local/api/tags"), "", 400, policy.UnclearPath, false},
		{"an empty path", with(":path", ""), "", 0, "", false},
		{"a star", with(":path", "*"), "", 400, policy.UnclearPath, false},
		{"a path without a slash", with(":path", "api/tags"), "", 0, "", false},
		{"somebody else's authority", with(":authority", "evil.example"), "", 421, policy.WrongHost, false},
		{"an empty authority", with(":authority", ""), "", 421, policy.WrongHost, false},
		{"a user in the authority", with(":authority", "user@laptop.local:11435"), "", 0, "", false},
		{"a Host that says otherwise", with("host", "evil.example"), "", 200, policy.Allowed, true}, // the authority counts (RFC 9113 section 8.3.1)
		{"two authorizations", append(with("x-a", "b"), "authorization", "Bearer "+keyMara), "", 400, policy.BadRequest, false},
		{"two origins", append(with("origin", "http://localhost:3000"), "origin", "https://evil.example"), "", 400, policy.BadRequest, false},
		{"an upgrade", with("upgrade", "websocket"), "", 400, "", false},
		{"a connection header", with("connection", "keep-alive"), "", 400, "", false},
		{"a transfer coding", post("transfer-encoding", "chunked"), chat, 400, "", false},
		{"a name in capitals", with("X-Api-Key", keyAlice), "", 0, "", false},
		{"a line feed in a value", with("x-a", "b\nauthorization: x"), "", 0, "", false},
		{"the method CONNECT", []string{":method", "CONNECT", ":authority", "laptop.local:11435", "authorization", "Bearer " + keyAlice}, "", 400, policy.UnclearPath, false},
		{"a method that overrides", with("x-http-method-override", "DELETE"), "", 200, policy.Allowed, true},
		{"two paths", append([]string{":path", "/api/pull"}, ok...), "", 0, "", false},
		{"a pseudo-header behind a header", append(append([]string(nil), ok[:6]...), "x-a", "b", ":authority", "laptop.local"), "", 0, "", false},
		{"an unknown pseudo-header", append([]string{":protocol", "websocket"}, ok...), "", 0, "", false},
		{"a compressed body", post("content-encoding", "zstd"), chat, 415, policy.EncodedBody, false},
		{"a user pulls", append([]string{":method", "POST", ":scheme", "https", ":path", "/api/pull", ":authority", "laptop.local:11435"}, ok[8:]...), `{"model":"a"}`, 403, policy.ManagersOnly, false},
	} {
		before := s.seen.Load()
		c := s.h2()
		got := c.ask(a.body, a.fields...)
		_ = c.conn.Close()
		if got != a.status {
			t.Errorf("%s: %d, want %d", a.name, got, a.status)
		}
		if a.reason != "" {
			logged++
			if e := s.last(logged); e.Reason != a.reason || e.TLS != "TLS 1.3" {
				t.Errorf("%s: logged as %s", a.name, e.Reason)
			}
		}
		if all, _, _ := s.log.Since(0, 0); a.reason == "" && len(all) != logged {
			t.Errorf("%s: reached the gate: %+v", a.name, all[len(all)-1])
			logged = len(all)
		}
		if seen := s.seen.Load() > before; seen != a.seen {
			t.Errorf("%s: Ollama saw it: %v", a.name, seen)
		}
	}
	// net/http resets the stream while the gate reads the body: whichever comes first.
	before := s.seen.Load()
	c := s.h2()
	if got := c.ask(chat, post("content-length", "3")...); got != 0 && got != 400 || s.seen.Load() != before {
		t.Errorf("a length that lies: %d, and Ollama saw it: %v", got, s.seen.Load() != before)
	}
	_ = c.conn.Close()
	s.entries(logged + 1)
}
