package loopback

import (
	"bufio"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The phases of a request in which it can be cancelled, each as a server that
// gets no further, and a way to be in it.
func TestCancelledInEveryPhase(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	big := strings.Repeat("x", 16<<20)
	for name, c := range map[string]struct {
		text string // what the server says before it is silent
		body func() io.Reader
		read bool // whether it reads the body
	}{
		"before the first byte":    {},
		"in the head":              {text: "HTTP/1.1 200 OK\r\nX: "},
		"before the body":          {text: head},
		"in the body":              {text: head + "5\r\nhello\r\n"},
		"behind the last chunk":    {text: head + "0\r\n"},
		"in a body with a length":  {text: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"},
		"in a body without end":    {text: "HTTP/1.1 200 OK\r\n\r\nhello"},
		"while a body is sent":     {body: func() io.Reader { return strings.NewReader(big) }},
		"while a body is streamed": {body: func() io.Reader { return onlyReader{strings.NewReader(big)} }},
		"after a big body":         {body: func() io.Reader { return strings.NewReader(big) }, read: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			silent, gone := make(chan struct{}, 1), make(chan struct{}, 1)
			s := play(t, func(_ int, nc net.Conn, r *bufio.Reader) {
				q, err := http.ReadRequest(r)
				if err != nil {
					return
				}
				if c.read {
					_, _ = io.Copy(io.Discard, q.Body)
				}
				_, _ = io.WriteString(nc, c.text)
				silent <- struct{}{}
				if c.body == nil || c.read {
					_, _ = r.ReadByte()
					gone <- struct{}{}
					return
				}
				<-gone // reads nothing
			})
			o := client(t)
			for range 3 {
				ctx, cancel := context.WithCancel(t.Context())
				var body io.Reader
				if c.body != nil {
					body = c.body()
				}
				r := request(t, "POST", s.url, body).WithContext(ctx)
				result := make(chan error)
				go func() {
					a, err := o.RoundTrip(r)
					if err == nil {
						_, err = io.ReadAll(a.Body)
						a.Body.Close()
					}
					result <- err
				}()
				wait(t, "the server is silent", silent)
				cancel()
				if err := wait(t, "the request ends", result); !errors.Is(err, context.Canceled) {
					t.Errorf("%v", err)
				}
				if c.body != nil && !c.read {
					gone <- struct{}{}
				} else {
					wait(t, "the server sees it", gone)
				}
				if o.idle.count() != 0 {
					t.Error("kept")
				}
			}
		})
	}
}

func TestCancelledWhileDialling(t *testing.T) {
	c := client(t)
	dialling := make(chan struct{})
	c.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		close(dialling)
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Err: errors.New("operation was canceled")}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	result := make(chan error)
	go func() {
		_, err := c.RoundTrip(request(t, "GET", "http://ollama", nil).WithContext(ctx))
		result <- err
	}()
	wait(t, "it dials", dialling)
	cancel(errors.New("cut by the owner"))
	if err := wait(t, "the request ends", result); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestADeadlineIsATimeout(t *testing.T) {
	s := play(t, func(_ int, _ net.Conn, r *bufio.Reader) {
		_, _, _ = take(r)
		_, _ = r.ReadByte()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := client(t).RoundTrip(request(t, "GET", s.url, nil).WithContext(ctx))
	if e, ok := errors.AsType[net.Error](err); !ok || !e.Timeout() || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	// And as http.Client does it.
	h := http.Client{Transport: client(t), Timeout: 20 * time.Millisecond}
	if _, err := h.Do(request(t, "GET", s.url, nil)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// A thousand clients that leave, half of them before the first byte: none is
// missed, and those that read know at once.
func TestNoCancelIsMissed(t *testing.T) {
	const tries, wide = 1000, 20
	gone := make(chan time.Time, wide)
	began := make(chan struct{}, wide)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stream" {
			w.WriteHeader(200)
			_ = http.NewResponseController(w).Flush()
		}
		began <- struct{}{}
		<-r.Context().Done()
		gone <- time.Now()
	}))
	defer s.Close()
	c := client(t)
	var upstream, here []time.Duration
	for i := range tries {
		path := "/silent"
		if i%2 == 0 {
			path = "/stream"
		}
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan time.Time, 1)
		go func() {
			a, err := c.RoundTrip(request(t, "GET", s.URL+path, nil).WithContext(ctx))
			if err == nil {
				_, err = io.ReadAll(a.Body)
			}
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
			result <- time.Now()
		}()
		wait(t, "the request is there", began)
		at := time.Now()
		cancel()
		here = append(here, wait(t, "the client knows", result).Sub(at))
		upstream = append(upstream, wait(t, "the server knows", gone).Sub(at))
	}
	for name, d := range map[string][]time.Duration{"here": here, "at the server": upstream} {
		slices.Sort(d)
		t.Logf("%s: p50 %v, p99 %v, worst %v", name, d[tries/2], d[tries*99/100], d[tries-1])
	}
}

// A request may end just while its context does. Whatever wins, a connection in
// the pool must be a good one.
func TestACancelAtTheEndPoisonsNothing(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, r.URL.Path)
	}))
	defer s.Close()
	c := client(t)
	var g sync.WaitGroup
	for n := range 8 {
		g.Go(func() {
			path := "/" + string(rune('a'+n))
			for range 100 {
				ctx, cancel := context.WithCancel(t.Context())
				go func() {
					for range rand.IntN(3000) {
						_ = ctx.Err()
					}
					cancel()
				}()
				a, err := c.RoundTrip(request(t, "POST", s.URL+path, strings.NewReader("x")).WithContext(ctx))
				if err == nil {
					_, err = io.ReadAll(a.Body)
					a.Body.Close()
				}
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("the cancelled one: %v", err)
				}
				cancel()
				// Neither repeatable nor cancelled: it has no second try.
				a, err = c.RoundTrip(request(t, "POST", s.URL+path, strings.NewReader("x")))
				if err != nil {
					t.Errorf("the next one: %v", err)
					continue
				}
				if g := read(a); g.err != nil || g.body != path {
					t.Errorf("the next one: %q, %v", g.body, g.err)
				}
			}
		})
	}
	g.Wait()
}
