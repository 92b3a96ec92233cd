package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paddock/policy"
	"paddock/requestlog"
)

// idle gives up the connections that nobody uses.
func (s *site) idle() {
	s.client.CloseIdleConnections()
	if t, ok := s.gate.Transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// steady makes a request, notes how many goroutines there are when all is quiet,
// and returns a check that it is so again.
func (s *site) steady() (check func()) {
	s.t.Helper()
	if got := s.ask(keyCloud, "GET", "/api/version", ""); got.status != 200 {
		s.t.Fatalf("to begin with: %+v", got)
	}
	least := func() int {
		s.idle()
		return runtime.NumGoroutine()
	}
	before := least()
	for range 50 { // those that are about to end
		runtime.Gosched()
		before = min(before, least())
	}
	return func() {
		s.t.Helper()
		s.atRest()
		until(s.t, fmt.Sprintf("goroutines are as before, %d", before), func() bool { return least() <= before+1 })
	}
}

// reset ends a connection in the rudest way there is.
func reset(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}

// Each fault, in turn on one gate: it ends in one entry that says what happened,
// nothing is left of it, and the next valid request is served.
func TestAfterAFaultAllIsAsBefore(t *testing.T) {
	ask := post("/api/chat", asUser, chat)
	// hijack takes the connection from Ollama's server.
	hijack := func(w http.ResponseWriter, said string) net.Conn {
		c, b, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return nil
		}
		_, _ = b.WriteString(said)
		_ = b.Flush()
		return c
	}
	speak := func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		_, _ = io.WriteString(w, token)
		w.(http.Flusher).Flush()
	}
	head := "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n", len(token), token)
	// A key that may use everything: the gate asks Ollama nothing before, so its
	// connection is a new one, and a fault on it is no sign of a restart.
	whole := func(s *site) { s.answer(nil, second(s.line(post("/api/chat", asBoss, chat))), "POST") }
	for _, c := range []struct {
		name   string
		ollama http.HandlerFunc // what it does once
		client func(s *site)
		phase  requestlog.Phase
		cut    requestlog.Cutter
		reason policy.Reason
		status int
	}{
		{
			"Ollama is killed in a stream",
			func(w http.ResponseWriter, _ *http.Request) { speak(w); panic(http.ErrAbortHandler) },
			whole, requestlog.Failed, "", policy.UpstreamUnanswers, 200,
		},
		{
			"Ollama resets before its header",
			func(w http.ResponseWriter, _ *http.Request) { reset(hijack(w, "")) },
			whole, requestlog.Failed, "", policy.UpstreamUnanswers, 502,
		},
		{
			"Ollama resets in its header",
			func(w http.ResponseWriter, _ *http.Request) { reset(hijack(w, "HTTP/1.1 200 O")) },
			whole, requestlog.Failed, "", policy.UpstreamUnanswers, 502,
		},
		{
			"Ollama resets in a stream",
			func(w http.ResponseWriter, r *http.Request) {
				c := hijack(w, head)
				<-time.After(20 * time.Millisecond) // so that the token is not overtaken
				reset(c)
			},
			whole, requestlog.Failed, "", policy.UpstreamUnanswers, 200,
		},
		{
			"Ollama sends rubbish for a chunk",
			func(w http.ResponseWriter, _ *http.Request) { hijack(w, head+"zz\r\n").Close() },
			whole, requestlog.Failed, "", policy.UpstreamUnanswers, 200,
		},
		{
			"Ollama sends rubbish for a header",
			func(w http.ResponseWriter, _ *http.Request) { hijack(w, "\x00\x01\x02 rubbish\r\n\r\n").Close() },
			whole, requestlog.Failed, "", policy.UpstreamUnanswers, 502,
		},
		{
			"Ollama ends a stream too early",
			func(w http.ResponseWriter, _ *http.Request) { speak(w) },
			whole, requestlog.Failed, "", policy.UpstreamUnanswers, 200,
		},
		{
			"Ollama hangs before the first byte and the client leaves",
			func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
			func(s *site) {
				conn, _ := s.line(ask)
				until(t, "Ollama has it", func() bool { return s.active.Load() == 1 })
				conn.Close()
			}, requestlog.Cut, requestlog.CutByClient, policy.Allowed, 0,
		},
		{
			"Ollama hangs before the first byte and the owner stops it",
			func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
			func(s *site) {
				_, r := s.line(ask)
				until(t, "Ollama has it", func() bool { return s.active.Load() == 1 })
				s.gate.StopRequest(s.log.Running(time.Now())[0].ID)
				s.answer(nil, r, "POST")
			}, requestlog.Cut, requestlog.CutByOwner, policy.Allowed, 503,
		},
		{
			"the client is reset in a stream",
			func(w http.ResponseWriter, r *http.Request) { speak(w); <-r.Context().Done() },
			func(s *site) {
				conn, r := s.line(ask)
				_, _ = r.ReadString('\n')
				reset(conn)
			}, requestlog.Cut, requestlog.CutByClient, policy.Allowed, -1,
		},
		{
			"the key is withdrawn in a stream",
			func(w http.ResponseWriter, r *http.Request) { speak(w); <-r.Context().Done() },
			func(s *site) {
				_, r := s.line(ask)
				until(t, "a token", func() bool {
					run := s.log.Running(time.Now())
					return len(run) == 1 && run[0].TokensOut == 1
				})
				s.gate.CutKey("id-alice")
				if got := s.answer(nil, r, "POST"); !errors.Is(got.err, io.ErrUnexpectedEOF) {
					t.Errorf("%+v", got)
				}
			}, requestlog.Cut, requestlog.CutByKey, policy.Allowed, 200,
		},
		{
			"the client stalls",
			flood(&syncCount{}, make(chan struct{})),
			func(s *site) {
				s.gate.limits.stall = 100 * time.Millisecond
				conn := s.slow()
				s.entry(2)
				s.gate.limits.stall = stallLimit
				conn.Close()
			}, requestlog.Cut, requestlog.CutByStall, policy.Allowed, 200,
		},
		{
			"the client is a whole spool behind",
			flood(&syncCount{}, make(chan struct{})),
			func(s *site) {
				s.gate.limits.overrun = 50 * time.Millisecond
				conn := s.slow()
				s.entry(2) // long before the stall limit of a minute
				s.gate.limits.overrun = overrunPause
				conn.Close()
			}, requestlog.Cut, requestlog.CutByStall, policy.Allowed, 200,
		},
		{
			"the client drips its body",
			echo,
			func(s *site) {
				s.gate.limits.bodyPause = 30 * time.Millisecond
				conn, r := s.line("POST /api/chat HTTP/1.1\r\n" + asUser + "Content-Length: 1000\r\n\r\n{")
				s.answer(nil, r, "POST")
				conn.Close()
				s.gate.limits.bodyPause = bodyPause
			}, requestlog.Refused, "", policy.BodyTooSlow, 408,
		},
		{
			"the client vanishes in its body",
			echo,
			func(s *site) {
				used := s.used.Load()
				conn, _ := s.line("POST /api/chat HTTP/1.1\r\n" + asUser + "Content-Length: 1000\r\n\r\n{")
				until(t, "the gate has it", func() bool { return s.used.Load() > used })
				reset(conn)
			}, requestlog.Cut, requestlog.CutByClient, policy.Allowed, 0,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var once atomic.Bool
			s := open(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost && once.CompareAndSwap(true, false) {
					_, _ = io.Copy(io.Discard, r.Body)
					c.ollama(w, r)
					return
				}
				echo(w, r)
			}, narrow)
			check := s.steady()
			once.Store(true)
			c.client(s)
			e := s.last(2)
			if e.Phase != c.phase || e.CutBy != c.cut || e.Reason != c.reason || c.status >= 0 && e.Status != c.status {
				t.Errorf("%+v", e)
			}
			once.Store(false)
			if got := s.ask(keyAlice, "POST", "/api/chat", chat); got.status != 200 || got.err != nil {
				t.Errorf("afterwards: %+v", got)
			}
			s.entries(3)
			check()
		})
	}
}

func second[A, B any](_ A, b B) B { return b }

// What waits for a client that is too slow is bounded, and when it is full Ollama
// is let go before the client, which must not take what it has for everything.
func TestOverrun(t *testing.T) {
	var wrote syncCount
	gone := make(chan struct{})
	s := open(t, flood(&wrote, gone), narrow)
	s.gate.limits.overrun = 50 * time.Millisecond
	c := s.slow()
	defer c.Close()
	wait(t, "Ollama is told", gone)
	if e := s.last(1); e.Phase != requestlog.Cut || e.CutBy != requestlog.CutByStall || e.Status != 200 || e.Took >= stallLimit {
		t.Errorf("%+v", e)
	}
	_ = c.SetDeadline(time.Now().Add(patience))
	if got := s.answer(c, bufio.NewReader(c), "POST"); got.err == nil {
		t.Errorf("the client took %d bytes for the whole", len(got.body))
	}
	if n := wrote.n.Load(); n > 64<<20 {
		t.Errorf("%d MiB were taken from Ollama", n>>20)
	}
	s.atRest()
}

// Hundreds of streams at once: each gets all of its own, and nothing is left.
func TestFiveHundredStreams(t *testing.T) {
	const streams = 500
	var started sync.WaitGroup
	started.Add(streams)
	all := make(chan struct{})
	s := open(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if r.Method == http.MethodGet {
			echo(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		_, _ = io.WriteString(w, token)
		w.(http.Flusher).Flush()
		started.Done()
		<-all
		for range 20 {
			_, _ = io.WriteString(w, token)
			w.(http.Flusher).Flush()
		}
		_, _ = w.Write(append(b, '\n'))
		_, _ = io.WriteString(w, final)
	})
	check := s.steady()
	var g sync.WaitGroup
	for i := range streams {
		g.Go(func() {
			body := fmt.Sprintf(`{"model":"llama3","prompt":"%d"}`, i)
			got := s.ask(keyAlice, "POST", "/api/chat", body)
			if got.err != nil || got.status != 200 || got.body != strings.Repeat(token, 21)+body+"\n"+final {
				t.Errorf("stream %d: %d %v, %d bytes", i, got.status, got.err, len(got.body))
			}
		})
	}
	started.Wait()
	if n := len(s.log.Running(time.Now())); n != streams {
		t.Errorf("%d run", n)
	}
	if r, w := s.gate.queue.Counts(); r != streams || w != 0 {
		t.Errorf("the queue counts %d and %d", r, w)
	}
	close(all)
	g.Wait()
	for _, e := range s.entries(streams + 1)[1:] {
		if e.Phase != requestlog.Done || e.TokensOut != 3 {
			t.Fatalf("%+v", e)
		}
	}
	check()
}

// Thousands of connections that say nothing, half of them after a request, keep
// nobody out, and leave nothing behind.
func TestIdleConnections(t *testing.T) {
	n := idleConnections()
	s := open(t, echo)
	check := s.steady()
	before := heap()
	conns := make([]net.Conn, n)
	var g sync.WaitGroup
	const wide = 8
	for lane := range wide {
		g.Go(func() {
			for i := lane; i < n; i += wide {
				c, err := net.Dial("tcp", s.addr)
				if err != nil {
					t.Error(err)
					return
				}
				conns[i] = c
				if i%2 == 0 {
					_, _ = io.WriteString(c, say("HEAD /", host))
					var b [16]byte
					_ = c.SetReadDeadline(time.Now().Add(patience))
					_, _ = c.Read(b[:])
				}
			}
		})
	}
	g.Wait()
	if got := s.ask(keyAlice, "POST", "/api/chat", chat); got.status != 200 {
		t.Errorf("%+v", got)
	}
	t.Logf("%d connections, %d KiB each, both ends", n, (heap()-before)>>10/uint64(n))
	for _, c := range conns {
		if c != nil {
			c.Close()
		}
	}
	s.entries(1 + (n+1)/2 + 1)
	check()
}

// Random faults of Ollama, the owner and the clients while requests of all kinds
// arrive. Whatever happens: one entry a request, nothing without a key reaches
// Ollama, nothing is left in the end, and then the next request is served.
func TestRandomFaults(t *testing.T) {
	const requests, wide = 900, 16
	now := &clock{now: time.Now()}
	var arrived, strangers atomic.Int64
	var calm atomic.Bool
	calm.Store(true)
	s := open(t, func(w http.ResponseWriter, r *http.Request) {
		if calm.Load() {
			echo(w, r)
			return
		}
		if r.UserAgent() == "stranger" {
			strangers.Add(1)
		}
		_, _ = io.Copy(io.Discard, r.Body)
		pause := func() {
			select {
			case <-r.Context().Done():
			case <-time.After(time.Duration(rand.IntN(15)) * time.Millisecond):
			}
		}
		switch rand.IntN(10) {
		case 0:
			panic(http.ErrAbortHandler)
		case 1:
			if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
				reset(c)
			}
			return
		case 2:
			if c, b, err := http.NewResponseController(w).Hijack(); err == nil {
				_, _ = b.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
				_ = b.Flush()
				c.Close()
			}
			return
		case 3:
			w.WriteHeader(500 + rand.IntN(4))
			_, _ = io.WriteString(w, `{"error":"no"}`)
			return
		case 4:
			pause()
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		for range rand.IntN(30) {
			if _, err := io.WriteString(w, token); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			if rand.IntN(20) == 0 {
				pause()
			}
		}
		if rand.IntN(6) == 0 {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, final)
	}, by(now), lanesOf(3, 4), func(_ *site, c *Config) {
		ours := c.Host
		c.Host = func(host string) bool { arrived.Add(1); return ours(host) } // asked once for each request
		c.Choices.Attempts = DefaultAttempts
		c.Origins = websites
	})
	s.gate.limits = limits{bodyPause: 50 * time.Millisecond, bodyTotal: time.Second, stall: 200 * time.Millisecond, hurry: 10 * time.Millisecond, overrun: 30 * time.Millisecond}
	s.keys.edit(keyAlice, func(g *policy.Grant) { g.Concurrent = 5 })
	s.keys.edit(keyLena, func(g *policy.Grant) { g.Rate = policy.Rate{Count: 20, Per: time.Second} })
	check := s.steady()
	calm.Store(false)
	catalogueOf(s, func(w http.ResponseWriter, r *http.Request) {
		switch rand.IntN(8) {
		case 0:
			panic(http.ErrAbortHandler)
		case 1:
			w.WriteHeader(500)
		default:
			if r.URL.Path == "/api/tags" {
				_, _ = io.WriteString(w, tags)
			} else {
				_, _ = io.WriteString(w, aliases)
			}
		}
	})
	const odd = "User-Agent: stranger\r\n"
	texts := []string{
		post("/api/chat", asUser, chat), post("/v1/chat/completions", asUser, chat), post("/api/chat", asMara, chat), post("/api/generate", asLena, `{"model":"llama3","keep_alive":0,"prompt":"x"}`), post("/api/embed", asBoss, chat),
		get("/api/tags", asLena), get("/v1/models/secret", asLena), post("/api/blobs/sha256-1", asMara, chat), post("/api/copy", asMara, `{"source":"llama3","destination":"b"}`), get("/k/"+keyDora+"/api/ps", host),
		post("/api/chat", asUser+fromApp, chat), preflight("/api/chat", "https://app.example.com", ""), say("HEAD /", host), post("/api/generate", asUser, `{"model":"best"}`),
		"POST /api/chat HTTP/1.1\r\n" + asUser + "Content-Length: 500\r\n\r\n{", post("/api/chat", host+odd, chat), post("/api/chat", host+odd+"x-api-key: "+keyUnknown+"\r\n", chat), get("/k/"+keyAlice+"/api/tags", host+odd),
		"GET /api/tags HTTP/1.1\n" + host + odd + "\r\n", "GET /api/tags HTTP/1.1\r\n" + asUser + odd + "X: a\r\n b\r\n\r\n", post("/api/pull", asUser+odd, chat), get("/api/tags", asUser+odd+"Origin: null\r\n"),
	}
	stop := make(chan struct{})
	var owner sync.WaitGroup
	owner.Go(func() {
		tick := time.NewTicker(3 * time.Millisecond)
		defer tick.Stop()
		up := *s.gate.upstream.Load()
		for {
			select {
			case <-stop:
				s.gate.SetUpstream(up)
				s.gate.Drain(false)
				s.keys.restore()
				return
			case <-tick.C:
			}
			switch rand.IntN(16) {
			case 0:
				s.keys.remove("id-alice")
				s.gate.CutKey("id-alice")
				s.keys.restore()
			case 1:
				for _, e := range s.log.Running(time.Now()) {
					s.gate.StopRequest(e.ID)
				}
			case 2:
				s.gate.Drain(true)
				s.gate.CutAll()
				s.gate.Drain(false)
			case 3:
				s.upstream.CloseClientConnections()
			case 4:
				s.gate.SetUpstream(Upstream{})
				runtime.Gosched()
				s.gate.SetUpstream(up)
			case 5:
				now.add(time.Duration(rand.IntN(7200)-3600) * time.Second)
			case 6:
				s.gate.SetChoices(Choices{AllowHTTP: true, Running: 1 + rand.IntN(8), Waiting: 1 + rand.IntN(8)})
			case 7:
				s.gate.SetOrigins([]*policy.Origins{nil, websites}[rand.IntN(2)])
			}
		}
	})
	var next atomic.Int64
	var g sync.WaitGroup
	for range wide {
		g.Go(func() {
			for next.Add(1) <= requests {
				c := s.dial()
				_, _ = io.WriteString(c, texts[rand.IntN(len(texts))])
				switch rand.IntN(5) {
				case 0: // leaves at once, with the request on its way
				case 1:
					_ = c.SetReadDeadline(time.Now().Add(time.Duration(rand.IntN(20)) * time.Millisecond))
					_, _ = c.Read(make([]byte, 100))
					reset(c)
				case 2:
					_ = c.(*net.TCPConn).CloseWrite()
					_, _ = io.Copy(io.Discard, c)
				default:
					_ = c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
					_, _ = io.Copy(io.Discard, c)
				}
				c.Close()
			}
		})
	}
	g.Wait()
	close(stop)
	owner.Wait()
	until(t, "all to end", func() bool {
		n, _ := s.log.Counts()
		_, last, _ := s.log.Since(0, 0)
		return n == 0 && int64(last) == arrived.Load()
	})
	s.gate.SetChoices(Choices{AllowHTTP: true, Attempts: policy.NoRate})
	s.catalogue.Store(nil)
	calm.Store(true)
	if got := s.ask(keyAlice, "POST", "/api/chat", chat); got.status != 200 || got.err != nil {
		t.Errorf("afterwards: %+v", got)
	}
	ids := map[string]bool{}
	ends := map[string]int{}
	for _, e := range s.entries(int(arrived.Load())) {
		if ids[e.ID] {
			t.Errorf("two entries with the id %s", e.ID)
		}
		ids[e.ID] = true
		ends[e.Result()]++
		if e.Phase == requestlog.Running || e.Phase == requestlog.Waiting || (e.CutBy != "") != (e.Phase == requestlog.Cut) || e.Reason == "" || e.Reason == policy.InternalFault {
			t.Errorf("%+v", e)
		}
	}
	t.Log(arrived.Load(), ends)
	if n := strangers.Load(); n > 0 {
		t.Errorf("%d requests that may not reached Ollama", n)
	}
	check()
}
