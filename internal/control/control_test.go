package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// limit is how long a test waits for what must happen.
const limit = 10 * time.Second

// running runs an instance for one test.
func running(t *testing.T, h Handler) (home string, s *Server) {
	t.Helper()
	home = t.TempDir()
	return home, runningAt(t, home, h)
}

func runningAt(t *testing.T, home string, h Handler) *Server {
	t.Helper()
	return runningWith(t, home, h, usualPatience)
}

func runningWith(t *testing.T, home string, h Handler, wait patience) *Server {
	t.Helper()
	lock, err := Claim(home)
	if err != nil {
		t.Fatal(err)
	}
	s, err := serve(lock, h, wait)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
		if err := lock.Release(); err != nil {
			t.Errorf("releasing: %v", err)
		}
	})
	return s
}

func dial(t *testing.T, home string) *Client {
	t.Helper()
	c, err := Dial(home)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// raw is a client without manners.
func raw(t *testing.T, s *Server) *net.UnixConn {
	t.Helper()
	c, err := net.DialUnix("unix", nil, &net.UnixAddr{Net: "unix", Name: s.Path()})
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(limit))
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func wait(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(limit):
		t.Fatal("waited in vain until " + what)
	}
}

// echo answers with what was asked.
func echo(_ context.Context, op string, args json.RawMessage, emit func(any) error) (any, error) {
	switch op {
	case "echo":
		return args, nil
	case "nothing":
		return nil, nil
	case "count":
		var n int
		if err := json.Unmarshal(args, &n); err != nil {
			return nil, &coded{"bad-count", "that is no number"}
		}
		for i := range n {
			if err := emit(i); err != nil {
				return nil, err
			}
		}
		return n, nil
	case "null-event":
		return "done", emit(nil)
	}
	return nil, fmt.Errorf("doing %q: %w", op, &coded{"no-such-op", "never heard of it"})
}

func TestCallAndStream(t *testing.T) {
	home, _ := running(t, echo)
	c := dial(t, home)
	ctx := t.Context()

	var got map[string]string
	if err := c.Call(ctx, "echo", map[string]string{"näme": "a\nb<c>"}, &got); err != nil || got["näme"] != "a\nb<c>" {
		t.Errorf("got %v, %v", got, err)
	}
	if err := c.Call(ctx, "echo", 5, nil); err != nil {
		t.Errorf("a result that nobody wants: %v", err)
	}
	var p *int
	if err := c.Call(ctx, "nothing", nil, &p); err != nil || p != nil {
		t.Errorf("no result: %v, %v", p, err)
	}
	next, n := 0, 0
	err := c.Stream(ctx, "count", 500, func(raw json.RawMessage) error {
		if string(raw) != fmt.Sprint(next) {
			t.Errorf("event %d is %s", next, raw)
		}
		next++
		return nil
	}, &n)
	if err != nil || next != 500 || n != 500 {
		t.Errorf("%d events, result %d, %v", next, n, err)
	}
	events := 0
	if err := c.Stream(ctx, "null-event", nil, func(json.RawMessage) error { events++; return nil }, nil); err != nil || events != 1 {
		t.Errorf("%d events, %v", events, err)
	}
	if err := c.Call(ctx, "echo", "x", new(int)); err == nil {
		t.Error("a text was decoded into a number")
	}
	if err := c.Call(ctx, "echo", make(chan int), nil); err == nil {
		t.Error("a channel was sent")
	}
}

func TestErrorsCarryTheirCodeAcross(t *testing.T) {
	home, _ := running(t, func(ctx context.Context, op string, args json.RawMessage, emit func(any) error) (any, error) {
		switch op {
		case "plain":
			return nil, errors.New("it went wrong")
		case "unsendable":
			return make(chan int), nil
		case "long":
			return strings.Repeat("x", maxLine), nil
		case "long-error":
			return nil, errors.New(strings.Repeat("ä", maxLine))
		}
		return echo(ctx, op, args, emit)
	})
	c := dial(t, home)
	for op, want := range map[string]RemoteError{
		"plain":      {CodeFailed, "it went wrong"},
		"what":       {"no-such-op", `doing "what": never heard of it`},
		"count":      {"bad-count", "that is no number"},
		"unsendable": {CodeInternal, "the result cannot be sent"},
		"long":       {CodeTooLong, "the result is longer than 1 MiB"},
		"long-error": {CodeFailed, strings.Repeat("ä", 4096) + "…"},
	} {
		err := c.Call(t.Context(), op, nil, nil)
		remote, ok := errors.AsType[*RemoteError](err)
		if !ok || *remote != want || err.Error() != want.Message {
			t.Errorf("%s: %.200v", op, err)
		}
	}
	if err := c.Call(t.Context(), "echo", strings.Repeat("x", maxLine), nil); !errors.Is(err, errLine) {
		t.Errorf("a request that is too long: %v", err)
	}
	big := strings.Repeat("x", maxLine-100)
	var back string
	if err := c.Call(t.Context(), "echo", big, &back); err != nil || back != big {
		t.Errorf("a request that just fits: %v", err)
	}
}

func TestAnEventThatIsTooLongLosesNothingElse(t *testing.T) {
	home, _ := running(t, func(_ context.Context, _ string, _ json.RawMessage, emit func(any) error) (any, error) {
		if err := emit(strings.Repeat("x", maxLine)); !errors.Is(err, errLine) {
			return nil, fmt.Errorf("a long event: %w", err)
		}
		if err := emit(make(chan int)); err == nil {
			return nil, errors.New("a channel was sent")
		}
		return "fine", emit("short")
	})
	var events []string
	err := dial(t, home).Stream(t.Context(), "x", nil, func(raw json.RawMessage) error {
		events = append(events, string(raw))
		return nil
	}, nil)
	if err != nil || len(events) != 1 || events[0] != `"short"` {
		t.Errorf("%v, %v", events, err)
	}
}

func TestHandlerThatPanicsIsAnErrorAndSaysNothing(t *testing.T) {
	var out bytes.Buffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, nil)))
	t.Cleanup(func() { slog.SetDefault(old) })
	home, _ := running(t, func(ctx context.Context, op string, args json.RawMessage, emit func(any) error) (any, error) {
		if op == "panic" {
			panic("the key is pdk_secret")
		}
		return echo(ctx, op, args, emit)
	})
	c := dial(t, home)
	err := c.Call(t.Context(), "panic", nil, nil)
	if remote, ok := errors.AsType[*RemoteError](err); !ok || remote.Code != CodeInternal {
		t.Fatalf("got %v", err)
	}
	if strings.Contains(err.Error()+out.String(), "secret") || !strings.Contains(out.String(), "control_test.go") {
		t.Errorf("the log must have the place and not the value: %s", out.String())
	}
	if err := c.Call(t.Context(), "nothing", nil, nil); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestClientThatGoesAwayEndsTheHandler(t *testing.T) {
	started, ended := make(chan struct{}), make(chan struct{})
	home, s := running(t, func(ctx context.Context, _ string, _ json.RawMessage, emit func(any) error) (any, error) {
		_ = emit("started")
		started <- struct{}{}
		<-ctx.Done()
		ended <- struct{}{}
		return nil, ctx.Err()
	})

	t.Run("its context ends", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		c := dial(t, home)
		var g sync.WaitGroup
		g.Go(func() {
			if err := c.Call(ctx, "wait", nil, nil); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
		wait(t, started, "the handler runs")
		cancel()
		wait(t, ended, "the handler notices")
		g.Wait()
	})
	t.Run("its reader has had enough", func(t *testing.T) {
		enough := errors.New("enough")
		var g sync.WaitGroup
		g.Go(func() {
			if err := dial(t, home).Stream(t.Context(), "wait", nil, func(json.RawMessage) error { return enough }, nil); !errors.Is(err, enough) {
				t.Errorf("got %v", err)
			}
		})
		wait(t, started, "the handler runs")
		wait(t, ended, "the handler notices")
		g.Wait()
	})
	t.Run("it is killed", func(t *testing.T) {
		c := raw(t, s)
		_, _ = io.WriteString(c, `{"op":"wait"}`+"\n")
		wait(t, started, "the handler runs")
		_ = c.Close()
		wait(t, ended, "the handler notices")
	})
}

func TestDeadlineOfTheCaller(t *testing.T) {
	home, _ := running(t, func(ctx context.Context, _ string, _ json.RawMessage, _ func(any) error) (any, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	c := dial(t, home)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := c.Call(ctx, "wait", nil, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if err := c.Call(ctx, "wait", nil, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a context that had ended before: %v", err)
	}
}

func TestCloseEndsHandlersAndLetsThemAnswer(t *testing.T) {
	home := t.TempDir()
	lock, err := Claim(home)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Release() }()
	started := make(chan struct{}, 8)
	s, err := Serve(lock, func(ctx context.Context, _ string, _ json.RawMessage, _ func(any) error) (any, error) {
		started <- struct{}{}
		<-ctx.Done()
		return "goodbye", nil
	})
	if err != nil {
		t.Fatal(err)
	}
	idle := raw(t, s) // asks for nothing, and must not hold Close up
	c := dial(t, home)
	var g sync.WaitGroup
	for range 4 {
		g.Go(func() {
			var got string
			if err := c.Call(t.Context(), "wait", nil, &got); err != nil || got != "goodbye" {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	for range 4 {
		wait(t, started, "the handlers run")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("the second time: %v", err)
	}
	g.Wait()
	if n, err := idle.Read(make([]byte, 1)); err == nil {
		t.Errorf("an idle connection got %d bytes", n)
	}
	if err := c.Call(t.Context(), "wait", nil, nil); !errors.Is(err, ErrNotRunning) {
		t.Errorf("afterwards: %v", err)
	}
	if _, err := Dial(home); !errors.Is(err, ErrNotRunning) {
		t.Errorf("afterwards: %v", err)
	}
	if left := names(t, home); len(left) != 1 || left[0] != lockFile {
		t.Errorf("it left %v", left)
	}
	// The same client works with the next instance.
	again, err := Serve(lock, echo)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Call(t.Context(), "nothing", nil, nil); err != nil {
		t.Error(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestInstanceThatDiesBeforeItAnswers(t *testing.T) {
	// A server that hangs up, in place of one that was killed at that moment.
	home := t.TempDir()
	l, path, err := bind(t.Context(), mustReal(t, home))
	if err != nil {
		t.Fatal(err)
	}
	defer discard(path)
	var g sync.WaitGroup
	g.Go(func() {
		for {
			c, err := l.AcceptUnix()
			if err != nil {
				return
			}
			line, _ := readLine(bufio.NewReader(c))
			if bytes.Contains(line, []byte("half")) {
				_, _ = io.WriteString(c, `{"result":tr`)
			}
			if bytes.Contains(line, []byte("nonsense")) {
				_, _ = io.WriteString(c, "hello\n")
			}
			_ = c.Close()
		}
	})
	c := dial(t, home)
	for _, op := range []string{"nothing", "half"} {
		if err := c.Call(t.Context(), op, nil, nil); !errors.Is(err, ErrGone) {
			t.Errorf("%s: %v", op, err)
		}
	}
	if err := c.Call(t.Context(), "nonsense", nil, nil); err == nil || errors.Is(err, ErrGone) {
		t.Errorf("nonsense: %v", err)
	}
	_ = l.Close()
	g.Wait()
}

func mustReal(t *testing.T, home string) string {
	t.Helper()
	abs, err := realHome(home)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

func TestParallelClients(t *testing.T) {
	home, _ := running(t, echo)
	c := dial(t, home)
	var g sync.WaitGroup
	for i := range 32 {
		g.Go(func() {
			for j := range 20 {
				n, events := 0, 0
				err := c.Stream(t.Context(), "count", i+j, func(json.RawMessage) error { events++; return nil }, &n)
				if err != nil || n != i+j || events != n {
					t.Errorf("%d+%d: result %d, %d events, %v", i, j, n, events, err)
				}
			}
		})
	}
	g.Wait()
}

func TestEventsFromManyGoroutines(t *testing.T) {
	var late func(any) error
	home, _ := running(t, func(_ context.Context, _ string, _ json.RawMessage, emit func(any) error) (any, error) {
		late = emit
		var g sync.WaitGroup
		for range 8 {
			g.Go(func() {
				for range 50 {
					if err := emit(strings.Repeat("x", 1000)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		g.Wait()
		return nil, nil
	})
	n := 0
	err := dial(t, home).Stream(t.Context(), "x", nil, func(raw json.RawMessage) error {
		if len(raw) != 1002 {
			t.Errorf("an event of %d bytes", len(raw))
		}
		n++
		return nil
	}, nil)
	if err != nil || n != 400 {
		t.Errorf("%d events, %v", n, err)
	}
	if err := late("x"); err == nil {
		t.Error("an event after the end was taken")
	}
}

func TestRequestsThatAreNone(t *testing.T) {
	home, s := running(t, echo)
	for _, line := range []string{
		"\n", "{}\n", "[]\n", "null\n", `"x"` + "\n", `{"op":5}` + "\n", `{"op":""}` + "\n", `{"op":"echo"} x` + "\n", "GET / HTTP/1.1\r\n", "\xff\xfe\n",
		strings.Repeat("x", maxLine+1) + "\n", strings.Repeat("[", 100_000) + "\n",
	} {
		c := raw(t, s)
		_, _ = io.WriteString(c, line)
		got, err := readLine(bufio.NewReader(c))
		if err != nil {
			t.Errorf("%.20q: %v", line, err)
			continue
		}
		if a, err := parseAnswer(got); err != nil || a.Error == nil || a.Error.Code != CodeBadRequest {
			t.Errorf("%.20q is answered %s", line, got)
		}
	}
	// Half a request is none, and nothing is done.
	c := raw(t, s)
	_, _ = io.WriteString(c, `{"op":"echo"}`)
	_ = c.CloseWrite()
	if b, err := io.ReadAll(c); err != nil || len(b) != 0 {
		t.Errorf("half a request is answered %q, %v", b, err)
	}
	if err := dial(t, home).Call(t.Context(), "nothing", nil, nil); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestClientsThatStallAreCut(t *testing.T) {
	cut := make(chan struct{})
	home := t.TempDir()
	s := runningWith(t, home, func(ctx context.Context, _ string, _ json.RawMessage, emit func(any) error) (any, error) {
		defer close(cut)
		for text := strings.Repeat("x", 64<<10); ; { // more than a socket holds
			if err := emit(text); err != nil {
				if !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("got %v", err)
				}
				<-ctx.Done()
				return nil, err
			}
		}
	}, patience{request: 50 * time.Millisecond, line: 50 * time.Millisecond})

	// One that asks nothing, or drips, is hung up on.
	for _, text := range []string{"", `{"op":`} {
		c := raw(t, s)
		_, _ = io.WriteString(c, text)
		if b, err := io.ReadAll(c); err != nil || len(b) != 0 {
			t.Errorf("%q is answered %q, %v", text, b, err)
		}
	}
	// One that asks and does not read ends its request.
	c := raw(t, s)
	_, _ = io.WriteString(c, `{"op":"much"}`+"\n")
	wait(t, cut, "the handler is told")
}

func TestTooManyConnections(t *testing.T) {
	gate := make(chan struct{})
	var asked atomic.Int32
	all := make(chan struct{})
	home, s := running(t, func(ctx context.Context, op string, _ json.RawMessage, _ func(any) error) (any, error) {
		if op == "wait" {
			if asked.Add(1) == maxConns {
				close(all)
			}
			select {
			case <-gate:
			case <-ctx.Done():
			}
		}
		return nil, nil
	})
	c := &Client{home: mustReal(t, home)} // Dial would hold a place until the server has noticed that it left
	var g sync.WaitGroup
	for range maxConns {
		g.Go(func() {
			if err := c.Call(t.Context(), "wait", nil, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wait(t, all, "all places are taken")
	err := c.Call(t.Context(), "one-more", nil, nil)
	if remote, ok := errors.AsType[*RemoteError](err); !ok || remote.Code != CodeBusy {
		t.Errorf("got %v", err)
	}
	close(gate)
	g.Wait()
	awaitFree(t, s)
	if err := c.Call(t.Context(), "one-more", nil, nil); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// awaitFree waits until the server has noticed that its clients left.
func awaitFree(t *testing.T, s *Server) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(limit); time.Now().Before(end); <-tick.C {
		s.mu.Lock()
		n := len(s.conns)
		s.mu.Unlock()
		if n == 0 {
			return
		}
	}
	t.Fatal("connections are still held")
}

func TestWhoMayAsk(t *testing.T) {
	for _, c := range []struct {
		uid, own, also int
		want           bool
	}{
		{1000, 1000, 1000, true},
		{0, 1000, 1000, true},
		{1001, 1000, 1000, false},
		{1000, 0, 0, false},
		{1000, 0, 1000, true},
		{1001, 0, 1000, false},
	} {
		if got := trusted(c.uid, c.own, c.also); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
	_, s := running(t, echo)
	if uid, err := peerUser(raw(t, s)); err != nil || uid != os.Getuid() {
		t.Errorf("the other end is %d, %v", uid, err)
	}
}
