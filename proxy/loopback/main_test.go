package loopback

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// net/http keeps a connection half a second after it refused the rest of a body;
// that is its own goroutine and ends by itself.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(os.Exit), goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

// patience is how long a test waits for what must come. Nothing waits for it
// to pass.
const patience = 20 * time.Second

// client makes one that leaves nothing open behind the test.
func client(t testing.TB) *Client {
	c := New(nil)
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func (p *pool) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.wait)
}

// script is a server that treats each connection as the test says, and closes it
// then. It counts them.
type script struct {
	url string
	l   net.Listener

	mu     sync.Mutex
	opened []net.Conn
}

func play(t testing.TB, each func(n int, c net.Conn, r *bufio.Reader)) *script {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &script{url: "http://" + l.Addr().String(), l: l}
	var g sync.WaitGroup
	g.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.opened = append(s.opened, c)
			n := len(s.opened)
			s.mu.Unlock()
			g.Go(func() {
				defer c.Close()
				each(n, c, bufio.NewReader(c))
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		s.mu.Lock()
		for _, c := range s.opened {
			c.Close()
		}
		s.mu.Unlock()
		g.Wait()
	})
	return s
}

func (s *script) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.opened)
}

// take reads one request with its body.
func take(r *bufio.Reader) (*http.Request, string, error) {
	q, err := http.ReadRequest(r)
	if err != nil {
		return nil, "", err
	}
	b, err := io.ReadAll(q.Body)
	return q, string(b), err
}

// saying answers each request with the same text and keeps the connection.
func saying(text string) func(int, net.Conn, *bufio.Reader) {
	return func(_ int, c net.Conn, r *bufio.Reader) {
		for {
			if _, _, err := take(r); err != nil {
				return
			}
			if _, err := io.WriteString(c, text); err != nil {
				return
			}
		}
	}
}

// hangUp ends each connection behind one answer, which is how a body without a
// length ends.
func hangUp(text string) func(int, net.Conn, *bufio.Reader) {
	return func(_ int, c net.Conn, r *bufio.Reader) {
		if _, _, err := take(r); err == nil {
			_, _ = io.WriteString(c, text)
		}
	}
}

func request(t testing.TB, method, url string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

type got struct {
	*http.Response
	body string
	err  error // of the body
}

func read(a *http.Response) got {
	b, err := io.ReadAll(a.Body)
	a.Body.Close()
	return got{a, string(b), err}
}

func ask(t testing.TB, c http.RoundTripper, r *http.Request) got {
	t.Helper()
	a, err := c.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	return read(a)
}

func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatal("never: ", what)
		}
	}
}

func wait[T any](t testing.TB, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatal("never: ", what)
	}
	return v
}

// onlyReader hides that a body is in memory.
type onlyReader struct{ io.Reader }

func TestAnswersOfEveryFraming(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	long := strings.Repeat("v", 60<<10)
	for name, c := range map[string]struct {
		text, method, body string
		status             int
		length             int64
		kept               bool
	}{
		"a length":                {text: ok + "Content-Length: 5\r\n\r\nhello", body: "hello", length: 5, kept: true},
		"no body":                 {text: ok + "Content-Length: 0\r\n\r\n", kept: true},
		"chunks":                  {text: ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", body: "hello!", length: -1, kept: true},
		"chunks with extras":      {text: ok + "transfer-encoding: Chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n", body: "hello", length: -1, kept: true},
		"no chunk":                {text: ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", length: -1, kept: true},
		"the end":                 {text: ok + "\r\nhello", body: "hello", length: -1},
		"version 1.0":             {text: "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", body: "hello", length: 5},
		"a goodbye":               {text: ok + "Connection: x, Close\r\nContent-Length: 5\r\n\r\nhello", body: "hello", length: 5},
		"more than announced":     {text: ok + "Content-Length: 2\r\n\r\nhello", body: "he", length: 2},
		"HEAD":                    {text: ok + "Content-Length: 5\r\n\r\n", method: "HEAD", length: 5, kept: true},
		"HEAD of chunks":          {text: ok + "Transfer-Encoding: chunked\r\n\r\n", method: "HEAD", length: -1, kept: true},
		"204":                     {text: "HTTP/1.1 204 No Content\r\n\r\n", status: 204, kept: true},
		"304":                     {text: "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", status: 304, kept: true},
		"interim answers":         {text: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok + "Content-Length: 2\r\n\r\nhi", body: "hi", length: 2, kept: true},
		"no reason":               {text: "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi", body: "hi", length: 2, kept: true},
		"an error":                {text: "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nhi", body: "hi", status: 404, length: 2, kept: true},
		"a header of many kilos":  {text: ok + "X: " + long + "\r\nContent-Length: 2\r\n\r\nhi", body: "hi", length: 2, kept: true},
		"the same header, thrice": {text: ok + "Vary: a\r\nvary: b\r\nVARY:\tc \r\nContent-Length: 2\r\n\r\nhi", body: "hi", length: 2, kept: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each := saying(c.text)
			if !c.kept {
				each = hangUp(c.text)
			}
			s := play(t, each)
			o := client(t)
			for range 2 {
				method, status := c.method, c.status
				if method == "" {
					method = "GET"
				}
				if status == 0 {
					status = 200
				}
				g := ask(t, o, request(t, method, s.url, nil))
				if g.err != nil || g.body != c.body || g.StatusCode != status || g.ContentLength != c.length || g.Close == c.kept && name != "more than announced" {
					t.Errorf("%+v %q %v", g.Response, g.body, g.err)
				}
				if v := g.Header["Vary"]; strings.Contains(name, "thrice") && strings.Join(v, ",") != "a,b,c" {
					t.Errorf("%v", v)
				}
			}
			if want := map[bool]int{true: 1, false: 2}[c.kept]; s.count() != want {
				t.Errorf("%d connections", s.count())
			}
		})
	}
}

// What cannot be an answer is an error, and nothing is kept of the connection.
func TestRubbishIsAnError(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, text := range map[string]string{
		"nothing":                  "",
		"words":                    "hello\r\n\r\n",
		"another protocol":         "SSH-2.0-OpenSSH_9.2\r\n\r\n",
		"version 2":                "HTTP/2.0 200 OK\r\n\r\n",
		"half a head":              ok + "Content-Ty",
		"half a status":            "HTTP/1.1 2",
		"a status of two digits":   "HTTP/1.1 99 Odd\r\n\r\n",
		"a status of four digits":  "HTTP/1.1 2000 Odd\r\n\r\n",
		"a status beyond all":      "HTTP/1.1 777 Odd\r\n\r\n",
		"a status with a sign":     "HTTP/1.1 +20 Odd\r\n\r\n",
		"an upgrade":               "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nfree bytes",
		"interim for ever":         strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 100),
		"a head of a megabyte":     ok + "X: " + strings.Repeat("x", 1<<20) + "\r\n\r\n",
		"a thousand lines":         ok + strings.Repeat("X: 1\r\n", 1000) + "\r\n",
		"bare line feeds":          "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
		"one bare line feed":       ok + "X: 1\nContent-Length: 0\r\n\r\n",
		"a bare carriage return":   ok + "X: 1\rContent-Length: 0\r\n\r\n",
		"a folded line":            ok + "X: 1\r\n 2\r\n\r\n",
		"a line without a colon":   ok + "Nothing\r\n\r\n",
		"a space before the colon": ok + "Content-Length : 0\r\n\r\n",
		"no name":                  ok + ": 0\r\n\r\n",
		"a zero byte":              ok + "X: \x00\r\n\r\n",
		"two lengths":              ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
		"a list of lengths":        ok + "Content-Length: 2, 2\r\n\r\n{}",
		"a negative length":        ok + "Content-Length: -2\r\n\r\n{}",
		"a length with a plus":     ok + "Content-Length: +2\r\n\r\n{}",
		"an empty length":          ok + "Content-Length:\r\n\r\n{}",
		"an endless length":        ok + "Content-Length: 99999999999999999999\r\n\r\n{}",
		"a length and chunks":      ok + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"another encoding":         ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"chunked twice":            ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"chunks in version 1.0":    "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := play(t, hangUp(text))
			c := client(t)
			if a, err := c.RoundTrip(request(t, "GET", s.url, nil)); err == nil {
				t.Errorf("taken for %+v", a)
			}
			if c.idle.count() != 0 || s.count() != 1 {
				t.Errorf("%d kept of %d", c.idle.count(), s.count())
			}
		})
	}
}

// A body that breaks off must never look whole.
func TestTruncatedBodies(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, c := range map[string]struct {
		text, body string
		rubbish    bool
	}{
		"a length":            {text: ok + "Content-Length: 100\r\n\r\nhello", body: "hello"},
		"nothing of a length": {text: ok + "Content-Length: 100\r\n\r\n"},
		"inside a chunk":      {text: ok + "Transfer-Encoding: chunked\r\n\r\na\r\nhello", body: "hello"},
		"no last chunk":       {text: ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", body: "hello"},
		"half a last chunk":   {text: ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", body: "hello"},
		"half a trailer":      {text: ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: ", body: "hello"},
		"no chunk at all":     {text: ok + "Transfer-Encoding: chunked\r\n\r\n"},
		"a bad size":          {text: ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n", body: "hello", rubbish: true},
		"a size without end":  {text: ok + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello", rubbish: true},
		"a long trailer":      {text: ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n" + strings.Repeat("X: 1\r\n", 9000) + "\r\n", body: "hello", rubbish: true},
		"a bare trailer":      {text: ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: 1\n\r\n", body: "hello", rubbish: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := play(t, hangUp(c.text))
			o := client(t)
			g := ask(t, o, request(t, "GET", s.url, nil))
			if g.err == nil || g.body != c.body || errors.Is(g.err, io.ErrUnexpectedEOF) == c.rubbish {
				t.Errorf("%q, %v", g.body, g.err)
			}
			if o.idle.count() != 0 {
				t.Error("kept")
			}
			if n, err := g.Body.Read(make([]byte, 1)); n != 0 || err == nil || errors.Is(err, io.EOF) {
				t.Errorf("afterwards: %d, %v", n, err)
			}
		})
	}
}

// Each piece arrives while the next one has not been said.
func TestAPieceIsReadAtOnce(t *testing.T) {
	for _, last := range []bool{false, true} {
		next := make(chan string)
		s := play(t, func(_ int, c net.Conn, r *bufio.Reader) {
			_, _, _ = take(r)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
			for {
				select {
				case text := <-next:
					_, _ = io.WriteString(c, text)
				case <-t.Context().Done():
					return
				}
			}
		})
		c := client(t)
		a, err := c.RoundTrip(request(t, "GET", s.url, nil))
		if err != nil {
			t.Fatal(err)
		}
		big := make([]byte, 64<<10)
		for _, text := range []string{"5\r\nhello", "\r\n5\r\nhello\r\n", "5\r\nhello\r\n5"} {
			next <- text
			if n, err := a.Body.Read(big); n != 5 || err != nil {
				t.Fatal(n, err)
			}
		}
		next <- "\r\nhello\r\n0\r\n" // the end is half said
		if n, err := a.Body.Read(big); n != 5 || err != nil {
			t.Fatal(n, err)
		}
		if last {
			next <- "X: 1\r\n"
		}
		next <- "\r\n"
		if n, err := a.Body.Read(big); n != 0 || err != io.EOF {
			t.Fatal(n, err)
		}
		if c.idle.count() != 1 {
			t.Error("the connection is not free before the body is closed")
		}
		a.Body.Close()
		if c.idle.count() != 1 {
			t.Error("closing took the connection away")
		}
	}
}

func TestWhatOllamaGets(t *testing.T) {
	heads := make(chan string, 1)
	s := play(t, func(_ int, c net.Conn, r *bufio.Reader) {
		for {
			text := ""
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if text += line; line == "\r\n" {
					break
				}
			}
			heads <- text
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	host := strings.TrimPrefix(s.url, "http://")
	c := client(t)
	for _, q := range []struct {
		method, path string
		header       http.Header
		want         string
	}{
		{"GET", "/api/tags", nil, "GET /api/tags HTTP/1.1\r\nHost: " + host + "\r\n\r\n"},
		{"", "", nil, "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n"},
		{"POST", "/x?a=b", http.Header{"X-Idempotency-Key": {}, "User-Agent": {""}}, "POST /x?a=b HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 0\r\n\r\n"},
		{"GET", "/a b", http.Header{"Accept": {"x"}}, "GET /a%20b HTTP/1.1\r\nHost: " + host + "\r\nAccept: x\r\n\r\n"},
		{"GET", "/", http.Header{"Connection": {"close"}, "Transfer-Encoding": {"chunked"}, "Content-Length": {"9"}, "Expect": {"100-continue"}, "Host": {"evil"}}, "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n"},
	} {
		r := request(t, "GET", s.url, nil)
		r.Method, r.Header = q.method, q.header
		r.URL.Path, r.URL.RawQuery, _ = strings.Cut(q.path, "?")
		if g := ask(t, c, r); g.err != nil {
			t.Fatal(g.err)
		}
		if h := <-heads; h != q.want {
			t.Errorf("%q, want %q", h, q.want)
		}
	}
	for name, change := range map[string]func(*http.Request){
		"a line end in a value":  func(r *http.Request) { r.Header.Set("X", "a\r\nY: b") },
		"a line end in a name":   func(r *http.Request) { r.Header["X\r\nY"] = []string{"b"} },
		"a space in the query":   func(r *http.Request) { r.URL.RawQuery = "a b" },
		"a line end in a method": func(r *http.Request) { r.Method = "GET\r\n" },
		"a line end in a host":   func(r *http.Request) { r.Host = "a\r\nb" },
		"https":                  func(r *http.Request) { r.URL.Scheme = "https" },
		"an upgrade":             func(r *http.Request) { r.Header.Set("Upgrade", "x") },
		"no url":                 func(r *http.Request) { r.URL = nil },
	} {
		r := request(t, "GET", s.url, nil)
		change(r)
		if a, err := c.RoundTrip(r); err == nil {
			t.Errorf("%s: %+v", name, a)
		}
	}
	if len(heads) > 0 {
		t.Errorf("sent: %q", <-heads)
	}
}

func TestBodiesArriveWhole(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex() // else the answer's start ends the reading
		w.Header()["Content-Type"] = []string{"text/plain"}
		if r.ContentLength >= 0 {
			w.Header()["X-Length"] = []string{"known"}
		}
		_, _ = io.Copy(w, r.Body)
	}))
	defer s.Close()
	c := client(t)
	for _, size := range []int{0, 1, 1000, inline - 1, inline, inline + 1, pieceSize, pieceSize + 1, 3 << 20} {
		text := strings.Repeat("0123456789abcdef", size/16+1)[:size]
		for _, kind := range []string{"memory", "stream", "chunks"} {
			var body io.Reader = strings.NewReader(text)
			if kind != "memory" {
				body = onlyReader{body}
			}
			r := request(t, "POST", s.URL, body)
			if kind == "stream" {
				if r.ContentLength = int64(size); size == 0 {
					r.Body = http.NoBody
				}
			}
			if g := ask(t, c, r); g.err != nil || g.body != text || (g.Header.Get("X-Length") == "known") != (kind != "chunks") {
				t.Errorf("%s of %d: %d bytes, %v", kind, size, len(g.body), g.err)
			}
		}
	}
}

// A body is closed exactly when the client is done with it, whatever happened.
type closing struct {
	io.Reader
	closed chan struct{}
	once   sync.Once
}

func (c *closing) Close() error {
	c.once.Do(func() { close(c.closed) })
	return nil
}

func TestTheRequestsBodyIsClosed(t *testing.T) {
	s := play(t, saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"))
	gone := nowhere(t)
	done, end := context.WithCancel(t.Context())
	end()
	for name, c := range map[string]struct {
		url    string
		change func(*http.Request)
	}{
		"in memory":     {s.url, func(r *http.Request) { r.GetBody = func() (io.ReadCloser, error) { return nil, nil } }},
		"streamed":      {s.url, func(*http.Request) {}},
		"chunked":       {s.url, func(r *http.Request) { r.ContentLength = -1 }},
		"nobody there":  {gone, func(*http.Request) {}},
		"not plain":     {s.url, func(r *http.Request) { r.URL.Scheme = "https" }},
		"bad header":    {s.url, func(r *http.Request) { r.Header["\n"] = []string{""} }},
		"ended context": {s.url, func(r *http.Request) { *r = *r.WithContext(done) }},
		"too short":     {s.url, func(r *http.Request) { r.ContentLength = 9 }},
		"too long":      {s.url, func(r *http.Request) { r.ContentLength = 2 }},
	} {
		b := &closing{Reader: strings.NewReader("hello"), closed: make(chan struct{})}
		r := request(t, "POST", c.url, b)
		r.ContentLength = 5
		c.change(r)
		if a, err := client(t).RoundTrip(r); err == nil {
			if strings.HasPrefix(name, "too ") {
				t.Errorf("%s: %v", name, a.Status)
			}
			read(a)
		}
		wait(t, name+": the body is closed", b.closed)
	}
}

// nowhere is an address where nobody listens.
func nowhere(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}
