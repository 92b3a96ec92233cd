package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paddock/internal/standin"
	"paddock/policy"
	"paddock/requestlog"
)

// syncCount counts bytes that somebody writes.
type syncCount struct{ n atomic.Int64 }

func (c *syncCount) add(n int) { c.n.Add(int64(n)) }

// settle waits until the count stands still, which is when nobody takes any more.
func (c *syncCount) settle(t *testing.T) {
	t.Helper()
	last, still := int64(-1), 0
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for still < 8 {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatal("still flowing")
		}
		if n := c.n.Load(); n == last && n > 0 {
			still++
		} else {
			last, still = n, 0
		}
	}
}

func nowhereURL(t *testing.T) *url.URL {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return &url.URL{Scheme: "http", Host: l.Addr().String()}
}

func TestOllamaIsNotThere(t *testing.T) {
	s := open(t, echo)
	s.gate.SetUpstream(Upstream{URL: nowhereURL(t)})
	got := s.ask(keyAlice, "POST", "/api/chat", chat)
	if got.status != 502 || !strings.Contains(got.body, "Ollama does not answer") || s.downs.Load() != 1 {
		t.Errorf("%+v, told %d times", got, s.downs.Load())
	}
	if e := s.last(1); e.Phase != requestlog.Failed || e.Reason != policy.UpstreamUnanswers || e.Upstream != 0 || e.Status != 502 {
		t.Errorf("%+v", e)
	}
	s.gate.SetUpstream(Upstream{}) // a setting that cannot be read
	if got := s.ask(keyAlice, "POST", "/api/chat", chat); got.status != 502 {
		t.Errorf("without any upstream: %+v", got)
	}
	s.entries(2)
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func with(f transport) option {
	return func(_ *site, c *Config) { c.Transport = f }
}

type timeout struct{ error }

func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }

func TestOllamaTakesTooLong(t *testing.T) {
	s := open(t, echo, with(func(*http.Request) (*http.Response, error) { return nil, timeout{errors.New("dialling")} }))
	if got := s.ask(keyAlice, "GET", "/api/tags", ""); got.status != 504 {
		t.Errorf("%+v", got)
	}
	if e := s.last(1); e.Phase != requestlog.Failed || e.Reason != policy.UpstreamTimeout {
		t.Errorf("%+v", e)
	}
}

func TestOllamaDiesBeforeItsHeader(t *testing.T) {
	s := open(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	})
	if got := s.ask(keyAlice, "POST", "/v1/chat/completions", chat); got.status != 502 || !strings.Contains(got.body, `"api_error"`) {
		t.Errorf("%+v", got)
	}
	if e := s.last(1); e.Phase != requestlog.Failed || e.Status != 502 {
		t.Errorf("%+v", e)
	}
}

func TestOllamaDiesInAStream(t *testing.T) {
	o := newSpeaker()
	s := open(t, o.ServeHTTP)
	go func() { o.say <- token; o.say <- token; o.say <- "die" }()
	got := s.ask(keyAlice, "POST", "/api/chat", chat)
	if !errors.Is(got.err, io.ErrUnexpectedEOF) || got.body != token+token {
		t.Errorf("the client took it for whole: %+v", got)
	}
	if e := s.last(1); e.Phase != requestlog.Failed || e.Reason != policy.UpstreamUnanswers || e.Status != 200 || e.TokensOut != 2 || s.downs.Load() != 1 {
		t.Errorf("%+v", e)
	}
}

func TestOllamaEndsAStreamWithoutItsFinalObject(t *testing.T) {
	o := newSpeaker()
	s := open(t, o.ServeHTTP)
	go func() { o.say <- token; close(o.say) }()
	if got := s.ask(keyAlice, "POST", "/api/chat", chat); got.err != nil || got.body != token {
		t.Errorf("%+v", got)
	}
	if e := s.last(1); e.Phase != requestlog.Failed || e.TokensOut != 1 {
		t.Errorf("%+v", e)
	}
}

// Whatever comes from the upstream in place of an answer, the client gets a 502
// or a broken answer, never a whole one, and one entry says so.
func TestRawAnswers(t *testing.T) {
	for name, raw := range map[string]string{
		"rubbish":                  "hello\r\n\r\n",
		"nothing":                  "",
		"half a header":            "HTTP/1.1 200 OK\r\nContent-Ty",
		"an upgrade":               "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfree bytes",
		"a status of two digits":   "HTTP/1.1 99 Odd\r\n\r\n",
		"a status beyond all":      "HTTP/1.1 777 Odd\r\nContent-Length: 2\r\n\r\n{}",
		"a status of zero":         "HTTP/1.1 000 Odd\r\nContent-Length: 2\r\n\r\n{}",
		"a header of a megabyte":   "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n",
		"a short body":             "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
		"a short body that is big": "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{}",
		"a broken chunk":           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nzz\r\n",
		"no last chunk":            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
		"two lengths":              "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
	} {
		t.Run(name, func(t *testing.T) {
			o := standin.New(standin.Options{Fault: func(*http.Request) standin.Fault {
				if raw == "" {
					return standin.Fault{DropBeforeHeader: true}
				}
				return standin.Fault{Raw: raw}
			}})
			s := open(t, o.ServeHTTP)
			got, err := s.try(keyAlice, "GET", "/api/tags", "")
			if err == nil {
				_, err = io.ReadAll(got.Body)
				got.Body.Close()
			}
			if err == nil && got.StatusCode != 502 {
				t.Errorf("passed as %d", got.StatusCode)
			}
			if e := s.last(1); e.Phase != requestlog.Failed || e.Reason != policy.UpstreamUnanswers {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestOllamasOwnErrorsPass(t *testing.T) {
	for status, phase := range map[int]requestlog.Phase{400: requestlog.Done, 404: requestlog.Done, 499: requestlog.Done, 500: requestlog.Failed, 503: requestlog.Failed, 307: requestlog.Done} {
		s := open(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"error":"model 'x' not found"}`)
		})
		got := s.ask(keyAlice, "POST", "/api/chat", chat)
		if got.status != status || got.body != `{"error":"model 'x' not found"}` {
			t.Errorf("%+v", got)
		}
		if e := s.last(1); e.Phase != phase || e.Upstream != status || e.Status != status || e.Reason != policy.Allowed {
			t.Errorf("%d: %+v", status, e)
		}
	}
}

func TestErrorInsideAStream(t *testing.T) {
	o := standin.New(standin.Options{Fault: func(*http.Request) standin.Fault { return standin.Fault{FailAfterTokens: 2} }})
	for i, path := range []string{"/api/chat", "/api/generate", "/v1/chat/completions", "/v1/messages"} {
		s := open(t, o.ServeHTTP)
		got := s.ask(keyAlice, "POST", path, `{"model":"demo","stream":true,"max_tokens":9,"prompt":"x","messages":[{"role":"user","content":"x"}]}`)
		if e := s.last(1); e.Phase != requestlog.Failed {
			t.Errorf("%d %s: %+v\n%s", i, path, e, got.body)
		}
	}
}

// The stacks that OnPanic gets must be there, and the server must live.
func TestPanicInTransport(t *testing.T) {
	var bad atomic.Bool
	own := NewTransport()
	defer own.CloseIdleConnections()
	s := open(t, echo, with(func(r *http.Request) (*http.Response, error) {
		if bad.Load() {
			panic("something about " + keyAlice)
		}
		return own.RoundTrip(r)
	}))
	bad.Store(true)
	got := s.ask(keyAlice, "POST", "/api/chat", chat)
	if got.status != 500 || strings.Contains(got.body, "something about") {
		t.Errorf("%+v", got)
	}
	bad.Store(false)
	if got := s.ask(keyAlice, "POST", "/api/chat", chat); got.status != 200 {
		t.Errorf("afterwards: %+v", got)
	}
	all := s.entries(2)
	if e := all[0]; e.Phase != requestlog.Failed || e.Reason != policy.InternalFault || e.Status != 500 || e.ID != got.header.Get("X-Request-Id") && e.ID == "" {
		t.Errorf("%+v", e)
	}
	if text := s.faults.String(); !strings.Contains(text, "RoundTrip") || strings.Contains(text, "pdk_") {
		t.Errorf("the stack: %s", text)
	}
}

type bomb struct{ after io.Reader }

func (b bomb) Read(p []byte) (int, error) {
	if n, err := b.after.Read(p); n > 0 || !errors.Is(err, io.EOF) {
		return n, err
	}
	panic("while reading")
}

func (b bomb) Close() error { return nil }

// What goes wrong while Ollama is read breaks one answer, and no more.
func TestPanicWhileAnAnswerIsRead(t *testing.T) {
	own := NewTransport()
	defer own.CloseIdleConnections()
	s := open(t, echo, with(func(r *http.Request) (*http.Response, error) {
		if r.UserAgent() == gateAgent {
			return own.RoundTrip(r)
		}
		return &http.Response{StatusCode: 200, ContentLength: -1, Header: http.Header{"Content-Type": {"application/x-ndjson"}}, Body: bomb{strings.NewReader(token)}, Request: r}, nil
	}))
	got := s.ask(keyAlice, "POST", "/api/chat", chat)
	if !errors.Is(got.err, io.ErrUnexpectedEOF) {
		t.Errorf("%+v", got)
	}
	if e := s.last(1); e.Phase != requestlog.Failed || e.Reason != policy.InternalFault || s.faults.String() == "" {
		t.Errorf("%+v", e)
	}
}

// The same in the goroutine that reads ahead of a slow client, where it would end
// the whole program.
func TestPanicWhileAnAnswerWaitsForItsClient(t *testing.T) {
	own := NewTransport()
	defer own.CloseIdleConnections()
	s := open(t, echo, narrow, with(func(r *http.Request) (*http.Response, error) {
		if r.UserAgent() == gateAgent {
			return own.RoundTrip(r)
		}
		long := strings.NewReader(strings.Repeat(token, 256<<10/len(token))) // more than the system keeps, less than the spool
		return &http.Response{StatusCode: 200, ContentLength: -1, Header: http.Header{"Content-Type": {"application/x-ndjson"}}, Body: bomb{long}, Request: r}, nil
	}))
	c := s.slow()
	defer c.Close()
	until(t, "the fault", func() bool { return s.faults.String() != "" })
	_ = c.SetDeadline(time.Now().Add(patience))
	if got := s.answer(c, bufio.NewReader(c), "POST"); !errors.Is(got.err, io.ErrUnexpectedEOF) {
		t.Errorf("%d bytes, %v", len(got.body), got.err)
	}
	if e := s.last(1); e.Phase != requestlog.Failed || e.Reason != policy.InternalFault {
		t.Errorf("%+v", e)
	}
}

// panickyKeys is a bug in somebody else's room.
type panickyKeys struct{ Keys }

func (panickyKeys) Authenticate(string) policy.Caller { panic("keys") }

func TestPanicBeforeTheVerdict(t *testing.T) {
	s := open(t, echo, func(_ *site, c *Config) { c.Keys = panickyKeys{c.Keys} })
	if got := s.ask(keyAlice, "POST", "/v1/messages", chat); got.status != 500 || !strings.Contains(got.body, `"type":"error"`) {
		t.Errorf("%+v", got)
	}
	if e := s.last(1); e.Reason != policy.InternalFault || e.Phase != requestlog.Failed || s.seen.Load() != 0 {
		t.Errorf("%+v", e)
	}
}

// After a restart of Ollama the pool holds dead connections. The next request
// must not pay for it, POST included: plain ReverseProxy answered 502 to 10 of
// 36 of them. A body that does not fit into the socket at once is a case of its
// own: net/http does not repeat what it has written in part.
func TestFirstRequestAfterARestart(t *testing.T) {
	for _, body := range []string{chat, `{"model":"llama3","prompt":"` + strings.Repeat("x", 300<<10) + `"}`} {
		s := open(t, echo)
		l := s.upstream.Listener.Addr().String()
		for i := range 25 {
			var g sync.WaitGroup
			for range 4 { // so that the pool holds several
				g.Go(func() { s.ask(keyAlice, "GET", "/api/tags", "") })
			}
			g.Wait()
			s.upstream.CloseClientConnections()
			if i%5 == 4 { // a whole new process on the same port
				s.upstream.Close()
				fresh, err := net.Listen("tcp", l)
				if err != nil {
					t.Fatal(err)
				}
				s.upstream = &httptest.Server{Listener: fresh, Config: &http.Server{Handler: s.upstream.Config.Handler, ErrorLog: NewServer(nil).ErrorLog}}
				s.upstream.Start()
			}
			if got := s.ask(keyAlice, "POST", "/api/chat", body); got.status != 200 {
				t.Fatalf("round %d: %+v", i, got)
			}
		}
		for _, e := range s.entries(25 * 5) {
			if e.Phase != requestlog.Done {
				t.Fatalf("%+v", e)
			}
		}
	}
}

// Ollama's first token can come before the transport has seen the end of the
// request's body. Plain ReverseProxy cut 6 to 12 of 100 such streams.
func TestAnswersThatComeBeforeTheBodyIsReadAreWhole(t *testing.T) {
	const streams, wide = 150, 10
	o := standin.New(standin.Options{Fault: func(*http.Request) standin.Fault { return standin.Fault{AnswerBeforeBodyRead: true} }})
	s := open(t, o.ServeHTTP)
	prompt := `{"model":"demo","stream":true,"messages":[{"role":"user","content":"` + strings.Repeat("long ", 6_000) + `"}]}`
	var next atomic.Int64
	var g sync.WaitGroup
	for range wide {
		g.Go(func() {
			for n := next.Add(1); n <= streams; n = next.Add(1) {
				path, end := "/api/chat", `"done":true`
				if n%2 == 0 {
					path, end = "/v1/chat/completions", "[DONE]"
				}
				got := s.ask(keyAlice, "POST", path, prompt)
				if got.err != nil || got.status != 200 || !strings.Contains(got.body, end) {
					t.Errorf("stream %d: %d %v, %d bytes", n, got.status, got.err, len(got.body))
				}
			}
		})
	}
	g.Wait()
	for _, e := range s.entries(streams) {
		if e.Phase != requestlog.Done || e.TokensOut == 0 {
			t.Fatalf("%+v", e)
		}
	}
}

// Big answers of a known length, read by clients of all speeds, in one piece.
func TestBigAnswersAreWhole(t *testing.T) {
	const size = 1 << 20
	s := open(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", fmt.Sprint(size))
		_, _ = w.Write(make([]byte, size))
	})
	var g sync.WaitGroup
	for range 8 {
		g.Go(func() {
			if got := s.ask(keyAlice, "POST", "/api/embed", chat); got.err != nil || len(got.body) != size {
				t.Errorf("%d bytes, %v", len(got.body), got.err)
			}
		})
	}
	g.Wait()
	for _, e := range s.entries(8) {
		if e.BytesOut != size || e.Phase != requestlog.Done {
			t.Errorf("%+v", e)
		}
	}
}
