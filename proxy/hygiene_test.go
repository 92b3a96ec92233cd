package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// Everything that a client may try to hand to Ollama at once; site.look fails
// the test for what arrives.
func TestOllamaSeesNoMoreThanItMust(t *testing.T) {
	var got http.Header
	s := open(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		echo(w, r)
	})
	hostile := asUser + "X-Api-Key: " + keyAlice + "\r\n" + strings.Join([]string{
		"Cookie: session=1", "Referer: https://page.example/?token=1", "Forwarded: for=1.2.3.4", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: localhost",
		"X-Forwarded-Proto: https", "X-Real-IP: 127.0.0.1", "Via: 1.1 x", "Keep-Alive: 9", "Proxy-Authorization: Basic eDp5", "Proxy-Connection: keep-alive",
		"TE: trailers", "X-HTTP-Method-Override: DELETE", "X-Original-URL: /api/pull", "X-Idempotency-Key: 1", "Idempotency-Key: 2", "Accept-Encoding: gzip",
		"X-Secret: 1", "Connection: X-Secret, Accept-Language", "Connection: anthropic-beta", "X_Forwarded_For: 1", "Sec-Fetch-Site: cross-site",
		"Accept: application/json", "Accept-Language: de", "Content-Type: application/json", "User-Agent: curl/8.5.0", "OpenAI-Beta: x", "anthropic-version: 2023-06-01", "anthropic-beta: y",
	}, "\r\n") + "\r\n"
	if a := s.send("POST", post("/api/chat?key="+keyAlice, hostile, chat)); a.status != 200 {
		t.Fatal(a.status, a.body)
	}
	want := []string{"Accept", "Anthropic-Version", "Content-Length", "Content-Type", "Openai-Beta", "User-Agent"}
	var names []string
	for name := range got {
		names = append(names, name)
	}
	slices.Sort(names)
	if !slices.Equal(names, want) {
		t.Errorf("Ollama saw %v, want %v", names, want)
	}
	if e := s.last(1); e.Program != "curl" || e.Path != "/api/chat" || e.BytesIn != int64(len(chat)) {
		t.Errorf("logged %+v", e)
	}
}

func TestOllamaIsNotToldThatGoAsks(t *testing.T) {
	s := open(t, func(w http.ResponseWriter, r *http.Request) {
		if v, ok := r.Header["User-Agent"]; ok {
			t.Errorf("User-Agent %q", v)
		}
		echo(w, r)
	})
	s.send("GET", get("/api/tags", asUser))
	s.entries(1)
}

func TestClientSeesNoMoreThanItMust(t *testing.T) {
	s := open(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		h := w.Header()
		for _, name := range []string{
			"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Expose-Headers", "Set-Cookie", "Server", "Via", "X-Powered-By",
			"Location", "Www-Authenticate", "Strict-Transport-Security", "X-Request-Id", "Alt-Svc", "Link", "Refresh", "Clear-Site-Data", "X-Secret",
		} {
			h.Set(name, "from-ollama")
		}
		h.Set("Trailer", "X-Trailer")
		h.Set("Content-Type", "application/json")
		h.Set("Cache-Control", "no-cache")
		h.Set("Retry-After", "7")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusOK)
		_, _ = io.WriteString(w, `{}`)
		h.Set("X-Trailer", "from-ollama")
	})
	a := s.start(keyAlice, "GET", "/api/tags", "")
	b, _ := io.ReadAll(a.Body)
	a.Body.Close()
	if string(b) != `{}` || len(a.Trailer) != 0 {
		t.Errorf("%q, trailers %v", b, a.Trailer)
	}
	for name, v := range a.Header {
		if strings.Contains(strings.Join(v, ""), "from-ollama") {
			t.Errorf("the client saw %s: %q", name, v)
		}
	}
	for name, want := range map[string]string{"Content-Type": "application/json", "Cache-Control": "no-cache", "Retry-After": "7"} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if a.Header.Get("X-Request-Id") != s.last(1).ID {
		t.Error("the id is not that of the log")
	}
}

func TestDemoSaysSo(t *testing.T) {
	s := open(t, echo)
	up := *s.gate.upstream.Load()
	up.Demo = true
	s.gate.SetUpstream(up)
	if got := s.ask(keyAlice, "GET", "/api/tags", "").header.Get("X-Paddock-Demo"); got == "" {
		t.Error("the answer does not say that it is a demo")
	}
	if !s.last(1).Demo {
		t.Error("the log does not say that it is a demo")
	}
}

func TestHeadAndAnswersWithoutBody(t *testing.T) {
	s := open(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == "HEAD" && strings.HasPrefix(r.URL.Path, "/api/blobs/"):
			w.WriteHeader(http.StatusNotFound)
		case r.Method == "HEAD":
			w.Header().Set("Content-Length", "1234")
		case r.URL.Path == "/api/version":
			w.WriteHeader(http.StatusNoContent)
		case r.URL.Path == "/api/ps":
			w.WriteHeader(http.StatusNotModified)
		case r.URL.Path == "/api/tags":
			w.Header().Set("Content-Length", "0")
		default: // an empty answer of unknown length
			w.(http.Flusher).Flush()
		}
	})
	for i, c := range []struct {
		method, path string
		status       int
		length       int64
	}{
		{"HEAD", "/api/tags", 200, 1234},
		{"HEAD", "/api/blobs/sha256-1", 404, -1},
		{"GET", "/api/version", 204, 0},
		{"GET", "/api/ps", 304, 0},
		{"GET", "/api/tags", 200, 0},
		{"GET", "/", 200, -1},
	} {
		a := s.start(keyMara, c.method, c.path, "")
		b, err := io.ReadAll(a.Body)
		a.Body.Close()
		if a.StatusCode != c.status || err != nil || len(b) != 0 || c.length >= 0 && a.ContentLength != c.length {
			t.Errorf("%s %s: %d, %d bytes, length %d, %v", c.method, c.path, a.StatusCode, len(b), a.ContentLength, err)
		}
		if e := s.last(i + 1); e.Status != c.status || e.Upstream != c.status || e.BytesOut != 0 || e.FirstToken != 0 || e.Phase.String() != "done" {
			t.Errorf("%s %s logged as %+v", c.method, c.path, e)
		}
	}
}

// An upstream under a path, as behind another proxy, gets the gate's paths
// below it and nothing else.
func TestUpstreamBelowAPath(t *testing.T) {
	var target string
	other := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { target = r.RequestURI; echo(w, r) })}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = other.Serve(l) }()
	defer other.Close()
	s := open(t, echo)
	for _, base := range []string{"", "/", "/ollama", "/ollama/", "/a%2Fb?x=1"} {
		u, err := url.Parse("http://" + l.Addr().String() + base)
		if err != nil {
			t.Fatal(err)
		}
		s.gate.SetUpstream(Upstream{URL: u})
		s.ask(keyAlice, "GET", "/api/tags?x=2", "")
		want := strings.TrimSuffix(u.Path, "/") + "/api/tags"
		if target != want {
			t.Errorf("below %q Ollama was asked for %q, want %q", base, target, want)
		}
	}
	s.entries(5)
}

// A program that waits for "100 Continue" gets it only for a body that is
// wanted.
func TestExpectContinue(t *testing.T) {
	s := open(t, echo)
	head := func(who string) string {
		return "POST /api/chat HTTP/1.1\r\n" + who + fmt.Sprintf("Expect: 100-continue\r\nContent-Length: %d\r\n\r\n", len(chat))
	}
	c := s.dial()
	defer c.Close()
	r := bufio.NewReader(c)
	for range 2 { // twice on one connection, the deadlines of the first included
		_, _ = io.WriteString(c, head(asUser))
		line, _ := r.ReadString('\n')
		if line != "HTTP/1.1 100 Continue\r\n" {
			t.Fatalf("got %q", line)
		}
		_, _ = r.ReadString('\n')
		_, _ = io.WriteString(c, chat)
		if got := s.answer(c, r, "POST"); got.status != 200 {
			t.Fatal(got)
		}
	}
	if got := s.send("POST", head(host)); got.status != 401 {
		t.Errorf("without a key: %d", got.status)
	}
	s.entries(3)
}

func TestHTTP10ClientGetsAWholeStream(t *testing.T) {
	s := open(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		for range 3 {
			_, _ = io.WriteString(w, `{"message":{"content":"x"}}`+"\n")
			w.(http.Flusher).Flush()
		}
		_, _ = io.WriteString(w, `{"done":true,"eval_count":3}`+"\n")
	})
	text := strings.Replace(post("/api/chat", asUser, chat), "HTTP/1.1", "HTTP/1.0", 1)
	got := s.send("POST", text)
	if got.status != 200 || got.err != nil || strings.Count(got.body, "\n") != 4 {
		t.Errorf("%+v", got)
	}
	if e := s.last(1); e.Phase.String() != "done" || e.TokensOut != 3 {
		t.Errorf("%+v", e)
	}
}

func TestServerKeepsItsLimits(t *testing.T) {
	v := NewServer(http.NotFoundHandler())
	if v.ReadHeaderTimeout != headerTimeout || v.IdleTimeout != idleTimeout || v.MaxHeaderBytes != maxHeader || v.ReadTimeout != 0 || v.WriteTimeout != 0 {
		t.Errorf("%+v", v)
	}
	if v.Handler == nil || !v.DisableGeneralOptionsHandler || v.ErrorLog == nil || v.ErrorLog.Writer() != io.Discard {
		t.Error("the server answers or writes something of its own")
	}
}

// Only a client that escapes letters writes a key so, and still it is one.
func TestAKeyWithAnEscapedLetterIsNotLogged(t *testing.T) {
	for _, path := range []string{"/x/%70dk_" + keyAlice[4:], "/%70%64%6b%5f" + keyAlice[4:] + "/y"} {
		if got := shown(path, 200); strings.Contains(got, keyAlice[4:20]) {
			t.Errorf("%q is shown as %q", path, got)
		}
	}
	if got := shown("/api/%70ull", 200); got != "/api/%70ull" {
		t.Errorf("what is no key is shown as it came, not as %q", got)
	}
}
