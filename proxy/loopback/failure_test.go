package loopback

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A server that restarts leaves dead connections in the pool. Whether they are
// found dead before they are used, or by using them, the next request must not
// pay for it, unless sending it twice could do harm.
func TestARequestAfterARestart(t *testing.T) {
	const answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
	big := strings.Repeat("x", 5<<20)
	for name, c := range map[string]struct {
		method, body string
		marked       bool
		streamed     bool
		again        bool // where the connection dies only when it is used
	}{
		"GET":                       {method: "GET", again: true},
		"POST":                      {method: "POST", body: "x"},
		"POST that may be repeated": {method: "POST", body: "x", marked: true, again: true},
		"big POST":                  {method: "POST", body: big},
		"big POST, repeated":        {method: "POST", body: big, marked: true, again: true},
		"upload":                    {method: "POST", body: "x", streamed: true},
		"upload marked in vain":     {method: "POST", body: "x", streamed: true, marked: true},
		"DELETE":                    {method: "DELETE"},
	} {
		for _, late := range []bool{false, true} {
			if late && strings.HasPrefix(name, "big POST") && !c.again {
				continue // a write may fail before anything has left, and then it is sent again rightly
			}
			gone := make(chan struct{}, 1)
			s := play(t, func(n int, nc net.Conn, r *bufio.Reader) {
				if n > 1 {
					saying(answer)(n, nc, r)
					return
				}
				if _, _, err := take(r); err != nil {
					return
				}
				_, _ = io.WriteString(nc, answer)
				if late {
					_, _ = r.ReadByte() // dies by the next request
				}
				nc.Close()
				gone <- struct{}{}
			})
			o := client(t)
			ask(t, o, request(t, "GET", s.url, nil))
			if !late {
				wait(t, "the server has closed", gone)
			}
			if !late && canLook {
				until(t, "the close has come through", func() bool {
					o.idle.mu.Lock()
					defer o.idle.mu.Unlock()
					return len(o.idle.wait) == 1 && !o.idle.wait[0].live()
				})
			}
			var body io.Reader
			if c.body != "" {
				if body = strings.NewReader(c.body); c.streamed {
					body = onlyReader{body}
				}
			}
			r := request(t, c.method, s.url, body)
			if c.marked {
				r.Header["X-Idempotency-Key"] = []string{}
			}
			a, err := o.RoundTrip(r)
			if (err == nil) != (c.again || !late || !canLook) {
				t.Errorf("%s, late %v: %v", name, late, err)
			}
			if err == nil {
				if g := read(a); g.err != nil || g.body != "hi" || s.count() != 2 {
					t.Errorf("%s, late %v: %+v, %d connections", name, late, g, s.count())
				}
			}
		}
	}
}

// A server that is gone for good is said to be gone after one more try, and one
// that hangs up on every request after none.
func TestNobodyIsAskedForEver(t *testing.T) {
	s := play(t, hangUp(""))
	if a, err := client(t).RoundTrip(request(t, "GET", s.url, nil)); err == nil || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v %v", a, err)
	}
	if s.count() != 1 {
		t.Errorf("%d tries on new connections", s.count())
	}
	_, err := client(t).RoundTrip(request(t, "GET", nowhere(t), nil))
	if e, ok := errors.AsType[net.Error](err); !ok || e.Timeout() {
		t.Errorf("refused: %v", err)
	}
}

func TestADialThatTakesTooLong(t *testing.T) {
	c := client(t)
	c.dial = (&net.Dialer{Timeout: time.Nanosecond}).DialContext
	_, err := c.RoundTrip(request(t, "GET", "http://127.0.0.1:9", nil))
	if e, ok := errors.AsType[net.Error](err); !ok || !e.Timeout() {
		t.Errorf("%v", err)
	}
}

// A server may answer before it has read the request, and may then read no more.
// The answer arrives, and the connection is not used again.
func TestAnEarlyAnswer(t *testing.T) {
	const answer = "HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nbad"
	big := strings.Repeat("x", 16<<20) // more than any socket takes
	for name, c := range map[string]struct {
		body   func() io.Reader
		length int64
		text   string
		stop   bool // the server closes
	}{
		"in memory":           {func() io.Reader { return strings.NewReader(big) }, int64(len(big)), answer, false},
		"in memory, a hangup": {func() io.Reader { return strings.NewReader(big) }, int64(len(big)), answer, true},
		"streamed":            {func() io.Reader { return onlyReader{strings.NewReader(big)} }, int64(len(big)), answer, false},
		"streamed, a hangup":  {func() io.Reader { return onlyReader{strings.NewReader(big)} }, int64(len(big)), answer, true},
		"chunked":             {func() io.Reader { return onlyReader{strings.NewReader(big)} }, -1, answer, false},
		"a big answer":        {func() io.Reader { return strings.NewReader(big) }, int64(len(big)), "HTTP/1.1 200 OK\r\n\r\n" + big, true},
	} {
		t.Run(name, func(t *testing.T) {
			quit := make(chan struct{})
			s := play(t, func(_ int, nc net.Conn, r *bufio.Reader) {
				if _, err := http.ReadRequest(r); err != nil {
					return
				}
				_, _ = io.WriteString(nc, c.text)
				if c.stop {
					_ = nc.(*net.TCPConn).CloseWrite()
				}
				<-quit
			})
			o := client(t)
			r := request(t, "POST", s.url, c.body())
			r.ContentLength = c.length
			g := ask(t, o, r)
			if _, want, _ := strings.Cut(c.text, "\r\n\r\n"); g.err != nil || g.body != want {
				t.Errorf("%d bytes, %v", len(g.body), g.err)
			}
			if o.idle.count() != 0 {
				t.Error("kept")
			}
			close(quit)
		})
	}
}

// A client that drips its upload must not hold an answer that has come already.
func TestAnEarlyAnswerToASlowUpload(t *testing.T) {
	s := play(t, func(_ int, nc net.Conn, r *bufio.Reader) {
		_, _ = http.ReadRequest(r)
		_, _ = io.WriteString(nc, "HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nbad")
		_, _ = io.Copy(io.Discard, r)
	})
	slow, feed := io.Pipe()
	b := &closing{Reader: slow, closed: make(chan struct{})}
	c := client(t)
	if g := ask(t, c, request(t, "POST", s.url, b)); g.err != nil || g.body != "bad" {
		t.Errorf("%+v", g)
	}
	if c.idle.count() != 0 {
		t.Error("kept")
	}
	feed.Close()
	wait(t, "the body is closed", b.closed)
}

type broken struct{ after io.Reader }

var errBroken = errors.New("the client left")

func (b broken) Read(p []byte) (int, error) {
	if n, err := b.after.Read(p); n > 0 || !errors.Is(err, io.EOF) {
		return n, err
	}
	return 0, errBroken
}

type exploding struct{}

func (exploding) Read([]byte) (int, error) { panic("something secret") }

// A body that breaks off must not look whole to the server either, and the error
// says whose fault it was.
func TestABodyThatBreaksOff(t *testing.T) {
	for name, c := range map[string]struct {
		body   io.Reader
		length int64
		want   error
	}{
		"a length":   {broken{strings.NewReader("hello")}, 100, errBroken},
		"chunks":     {broken{strings.NewReader("hello")}, -1, errBroken},
		"too short":  {onlyReader{strings.NewReader("hello")}, 100, io.ErrUnexpectedEOF},
		"too long":   {onlyReader{strings.NewReader("hello")}, 3, errBodyLong},
		"a panic":    {exploding{}, 3, errBodyPanic},
		"too long, ": {strings.NewReader("hello"), 3, errBodyLong},
		"too short,": {strings.NewReader("hello"), 9, io.ErrUnexpectedEOF},
		"big, short": {bytes.NewReader(make([]byte, 1<<20)), 2 << 20, io.ErrUnexpectedEOF},
		"big, long":  {bytes.NewReader(make([]byte, 1<<20)), 1<<20 - 1, errBodyLong},
	} {
		whole := make(chan bool, 1)
		s := play(t, func(_ int, _ net.Conn, r *bufio.Reader) {
			_, _, err := take(r)
			whole <- err == nil
		})
		r := request(t, "POST", s.url, c.body)
		r.ContentLength = c.length
		_, err := client(t).RoundTrip(r)
		if !errors.Is(err, c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", name, err)
		}
		s.l.Close()
		if s.count() > 0 && <-whole {
			t.Errorf("%s: the server took it for whole", name)
		}
	}
}

// After the answer has begun, a broken body ends only the sending.
func TestABodyThatBreaksOffBehindTheAnswersHead(t *testing.T) {
	ended := make(chan struct{})
	s := play(t, func(_ int, nc net.Conn, r *bufio.Reader) {
		_, _ = http.ReadRequest(r)
		_, _ = io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
		_, _ = io.Copy(io.Discard, r)
		close(ended)
		_, _ = io.WriteString(nc, "llo")
	})
	body, feed := io.Pipe()
	c := client(t)
	a, err := c.RoundTrip(request(t, "POST", s.url, body))
	if err != nil {
		t.Fatal(err)
	}
	feed.CloseWithError(errBroken)
	wait(t, "the server learns it", ended)
	if g := read(a); g.err != nil || g.body != "hello" || c.idle.count() != 0 {
		t.Errorf("%+v", g)
	}
}

func TestClosingABodyEndsTheConnection(t *testing.T) {
	gone := make(chan struct{})
	s := play(t, func(_ int, nc net.Conn, r *bufio.Reader) {
		_, _, _ = take(r)
		_, _ = io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
		_, _ = r.ReadByte()
		close(gone)
	})
	c := client(t)
	a, err := c.RoundTrip(request(t, "GET", s.url, nil))
	if err != nil {
		t.Fatal(err)
	}
	result := make(chan error)
	go func() {
		_, err := io.ReadAll(a.Body)
		result <- err
	}()
	a.Body.Close() // by another than the reader
	wait(t, "the server learns it", gone)
	if err := wait(t, "the reader returns", result); !errors.Is(err, http.ErrBodyReadAfterClose) {
		t.Error(err)
	}
	a.Body.Close()
	if c.idle.count() != 0 {
		t.Error("kept")
	}
}

func TestWhatIsNotPlainGoesToTheTransport(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hi") }))
	defer s.Close()
	c := New(s.Client().Transport.(*http.Transport))
	if g := ask(t, c, request(t, "GET", s.URL, nil)); g.body != "hi" {
		t.Errorf("%+v", g)
	}
	c.CloseIdleConnections()
}

func TestAServerOfAnotherAddressGetsItsOwnConnections(t *testing.T) {
	c := client(t)
	names := []string{"a", "b"}
	var urls []string
	for _, n := range names {
		urls = append(urls, play(t, saying("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"+n)).url)
	}
	for i := range 6 {
		if g := ask(t, c, request(t, "GET", urls[i%2], nil)); g.body != names[i%2] {
			t.Errorf("%q", g.body)
		}
	}
	if n := c.idle.count(); n != 2 {
		t.Errorf("%d connections", n)
	}
	c.CloseIdleConnections()
	if n := c.idle.count(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

// Neither a connection that waits nor an answer under way has a goroutine of its
// own. Those that another test left behind end by themselves; the ten connections
// stay as they are meanwhile.
func TestNoGoroutineForAConnection(t *testing.T) {
	s := play(t, func(_ int, nc net.Conn, r *bufio.Reader) {
		_, _, _ = take(r)
		_, _ = io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
		_, _ = r.ReadByte()
	})
	c := client(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all []*http.Response
	for range 10 {
		a, err := c.RoundTrip(request(t, "POST", s.url, strings.NewReader("x")).WithContext(ctx))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, a)
	}
	ours := func() []byte {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		if bytes.Contains(stacks, []byte("created by paddock/proxy/loopback.(*")) {
			return stacks
		}
		return nil
	}
	for limit := time.Now().Add(10 * time.Second); ours() != nil; {
		if time.Now().After(limit) {
			t.Fatalf("%s", ours())
		}
		runtime.Gosched()
	}
	for _, a := range all {
		a.Body.Close()
	}
}

// pipes is a network in memory, on which a bubble's clock runs.
type pipes struct {
	opened, closed atomic.Int64
}

type pipe struct {
	net.Conn
	p    *pipes
	once sync.Once
}

func (c *pipe) Close() error {
	c.once.Do(func() { c.p.closed.Add(1) })
	return c.Conn.Close()
}

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	p.opened.Add(1)
	near, far := net.Pipe()
	go func() {
		saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")(0, far, bufio.NewReader(far))
		far.Close()
	}()
	return &pipe{Conn: near, p: p}, nil
}

func TestIdleConnectionsAreClosedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{}
		c := client(t)
		c.dial = p.dial
		hold := func(n int) {
			var all []*http.Response
			for range n {
				a, err := c.RoundTrip(request(t, "GET", "http://ollama", nil))
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, a)
			}
			for _, a := range all {
				read(a)
			}
		}
		hold(5)
		for range 3 {
			time.Sleep(60 * time.Second)
			hold(2) // the rest grows old
		}
		if o, n := p.opened.Load(), p.closed.Load(); o != 5 || n != 3 || c.idle.count() != 2 {
			t.Errorf("%d opened, %d closed, %d kept", o, n, c.idle.count())
		}
		time.Sleep(2 * idleTimeout)
		if n := p.closed.Load(); n != 5 || c.idle.count() != 0 {
			t.Errorf("%d closed, %d kept", n, c.idle.count())
		}
		hold(1)
		time.Sleep(2 * idleTimeout)
		if n := p.closed.Load(); n != 6 {
			t.Errorf("%d closed after another round", n)
		}
		hold(maxIdle + 10)
		if n := c.idle.count(); n != maxIdle {
			t.Errorf("%d kept of a burst", n)
		}
		c.CloseIdleConnections()
		if o, n := p.opened.Load(), p.closed.Load(); o != n {
			t.Errorf("%d opened, %d closed", o, n)
		}
	})
}
