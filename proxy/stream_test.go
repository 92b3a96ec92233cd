package proxy

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"paddock/policy"
	"paddock/requestlog"
)

// token is one line of Ollama's, and final the last one.
const (
	token = `{"model":"llama3","message":{"role":"assistant","content":"x"},"done":false}` + "\n"
	final = `{"model":"llama3","done":true,"prompt_eval_count":11,"eval_count":3,"eval_duration":1500000000}` + "\n"
)

// speaker is an Ollama that says what the test tells it, line by line, and ends
// with its channel. It closes gone when its client left.
type speaker struct {
	say  chan string
	gone chan struct{}
	head chan struct{} // closed when it may send its header; nil for at once
}

func newSpeaker() *speaker { return &speaker{say: make(chan string), gone: make(chan struct{})} }

func (s *speaker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	if s.head != nil {
		select {
		case <-s.head:
		case <-r.Context().Done():
			close(s.gone)
			return
		}
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.WriteHeader(http.StatusOK)
	w.(http.Flusher).Flush()
	for {
		select {
		case line, more := <-s.say:
			if !more {
				return
			}
			if line == "die" {
				panic(http.ErrAbortHandler)
			}
			_, _ = io.WriteString(w, line)
			w.(http.Flusher).Flush()
		case <-r.Context().Done():
			close(s.gone)
			return
		}
	}
}

// Each line arrives while the next one has not been said.
func TestEveryChunkIsPassedAtOnce(t *testing.T) {
	o := newSpeaker()
	s := open(t, o.ServeHTTP)
	go func() { o.say <- token }()
	a := s.start(keyAlice, "POST", "/api/chat", chat)
	defer a.Body.Close()
	r := bufio.NewReader(a.Body)
	read := func(want string) {
		t.Helper()
		if line, err := r.ReadString('\n'); line != want || err != nil {
			t.Fatalf("%q, %v", line, err)
		}
	}
	read(token)
	until(t, "the first token in the log", func() bool {
		run := s.log.Running(time.Now())
		return len(run) == 1 && run[0].TokensOut == 1 && run[0].FirstToken > 0 && run[0].Phase == requestlog.Running && run[0].Model == "llama3" && run[0].Key == "alice"
	})
	for range 20 {
		o.say <- token
		read(token)
	}
	o.say <- "half a line, "
	half := make([]byte, 13)
	if _, err := io.ReadFull(r, half); err != nil {
		t.Fatal(err)
	}
	o.say <- "and the rest\n" + final
	close(o.say)
	if rest, err := io.ReadAll(r); err != nil || !bytes.HasSuffix(rest, []byte(final)) {
		t.Fatalf("%q, %v", rest, err)
	}
	e := s.last(1)
	if e.Phase != requestlog.Done || e.Reason != policy.Allowed || e.TokensIn != 11 || e.TokensOut != 3 || e.Rate != 2 || e.Status != 200 || e.FirstToken <= 0 || e.Took < e.FirstToken {
		t.Errorf("%+v", e)
	}
	if want := int64(21*len(token) + len("half a line, and the rest\n") + len(final)); e.BytesOut != want {
		t.Errorf("%d bytes out, want %d", e.BytesOut, want)
	}
}

func TestClientLeavesInAStream(t *testing.T) {
	o := newSpeaker()
	s := open(t, o.ServeHTTP)
	go func() { o.say <- token }()
	a := s.start(keyAlice, "POST", "/api/chat", chat)
	_, _ = bufio.NewReader(a.Body).ReadString('\n')
	a.Body.Close()
	wait(t, "Ollama is told", o.gone)
	e := s.last(1)
	if e.Phase != requestlog.Cut || e.CutBy != requestlog.CutByClient || e.Status != 200 || e.TokensOut != 1 {
		t.Errorf("%+v", e)
	}
}

func TestClientLeavesBeforeTheFirstToken(t *testing.T) {
	for _, silent := range []string{"before the header", "after it"} {
		o := newSpeaker()
		if silent == "before the header" {
			o.head = make(chan struct{})
		}
		s := open(t, o.ServeHTTP)
		c := s.dial()
		_, _ = io.WriteString(c, post("/api/chat", asUser, chat))
		until(t, "Ollama has it", func() bool { return s.active.Load() == 1 })
		c.Close()
		wait(t, "Ollama is told", o.gone)
		if e := s.last(1); e.Phase != requestlog.Cut || e.CutBy != requestlog.CutByClient || e.Status != 0 || e.BytesOut != 0 {
			t.Errorf("%s: %+v", silent, e)
		}
	}
}

// A client that closes only its sending half counts as gone, as with Ollama. It
// still reads, and must not take silence for an empty answer: net/http made a
// 200 with no content of it.
func TestHalfClosedClientGetsNoEmptyAnswer(t *testing.T) {
	o := newSpeaker()
	o.head = make(chan struct{})
	s := open(t, o.ServeHTTP)
	c := s.dial()
	defer c.Close()
	_, _ = io.WriteString(c, post("/api/chat", asUser, chat))
	until(t, "Ollama has it", func() bool { return s.active.Load() == 1 })
	_ = c.(*net.TCPConn).CloseWrite()
	wait(t, "Ollama is told", o.gone)
	if b, _ := io.ReadAll(c); len(b) != 0 {
		t.Errorf("answered %q", b)
	}
	s.entries(1)
}

// Many clients close the connection at the last object, and their answers are
// whole all the same.
func TestClientThatLeavesAtTheLastObjectIsDone(t *testing.T) {
	o := newSpeaker()
	s := open(t, o.ServeHTTP)
	go func() { o.say <- token; o.say <- final }()
	a := s.start(keyAlice, "POST", "/api/chat", chat)
	r := bufio.NewReader(a.Body)
	_, _ = r.ReadString('\n')
	_, _ = r.ReadString('\n')
	until(t, "the last object counted", func() bool {
		run := s.log.Running(time.Now())
		return len(run) == 1 && run[0].BytesOut == int64(len(token)+len(final))
	})
	a.Body.Close()
	wait(t, "Ollama is told", o.gone)
	if e := s.last(1); e.Phase != requestlog.Done || e.TokensOut != 3 {
		t.Errorf("%+v", e)
	}
}

func TestCuts(t *testing.T) {
	for _, c := range []struct {
		by     requestlog.Cutter
		status int
		cut    func(*site, string) bool
	}{
		{requestlog.CutByOwner, 503, func(s *site, id string) bool { return s.gate.StopRequest(id) }},
		{requestlog.CutByKey, 401, func(s *site, _ string) bool { return s.gate.CutKey("id-alice") == 1 }},
		{requestlog.CutBySharing, 503, func(s *site, _ string) bool { return s.gate.CutAll() == 1 }},
	} {
		t.Run(string(c.by)+" in a stream", func(t *testing.T) {
			o := newSpeaker()
			s := open(t, o.ServeHTTP)
			go func() { o.say <- token }()
			a := s.start(keyAlice, "POST", "/api/chat", chat)
			defer a.Body.Close()
			r := bufio.NewReader(a.Body)
			_, _ = r.ReadString('\n')
			run := s.log.Running(time.Now())
			if s.gate.StopRequest("nobody") || s.gate.CutKey("id-mara") != 0 || len(run) != 1 {
				t.Fatal("the wrong one was cut")
			}
			if !c.cut(s, run[0].ID) {
				t.Fatal("nothing was cut")
			}
			if rest, err := io.ReadAll(r); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("the client took %q for whole: %v", rest, err)
			}
			wait(t, "Ollama is told", o.gone)
			if e := s.last(1); e.Phase != requestlog.Cut || e.CutBy != c.by || e.Status != 200 || e.TokensOut != 1 {
				t.Errorf("%+v", e)
			}
		})
		t.Run(string(c.by)+" before the header", func(t *testing.T) {
			o := newSpeaker()
			o.head = make(chan struct{})
			s := open(t, o.ServeHTTP)
			answer := make(chan *http.Response, 1)
			go func() {
				a, err := s.try(keyAlice, "POST", "/v1/chat/completions", chat)
				if err != nil {
					t.Error(err)
				}
				answer <- a
			}()
			until(t, "Ollama has it", func() bool { return s.active.Load() == 1 })
			if !c.cut(s, s.log.Running(time.Now())[0].ID) {
				t.Fatal("nothing was cut")
			}
			wait(t, "Ollama is told", o.gone)
			a := wait(t, "the answer", answer)
			b, _ := io.ReadAll(a.Body)
			a.Body.Close()
			if a.StatusCode != c.status || !strings.Contains(string(b), `"message"`) || (a.Header.Get("WWW-Authenticate") != "") != (c.status == 401) {
				t.Errorf("%d %s", a.StatusCode, b)
			}
			if e := s.last(1); e.Phase != requestlog.Cut || e.CutBy != c.by || e.Status != c.status || e.Upstream != 0 {
				t.Errorf("%+v", e)
			}
		})
	}
}

// A key can be removed while its request is between look-up and list of running
// requests; the cut that goes with the removal finds nothing then.
func TestKeyRemovedOnTheWayIn(t *testing.T) {
	s := open(t, echo)
	s.keys.then = func() {
		s.keys.remove("id-alice")
		s.gate.CutKey("id-alice")
	}
	got := s.ask(keyAlice, "POST", "/api/chat", chat)
	if e := s.last(1); got.status != 401 || e.Reason != policy.SuspendedKey || e.Phase != requestlog.Refused || s.seen.Load() != 0 {
		t.Errorf("%d, %+v, seen %d", got.status, e, s.seen.Load())
	}
}

func TestDrain(t *testing.T) {
	o := newSpeaker()
	s := open(t, o.ServeHTTP)
	go func() { o.say <- token }()
	a := s.start(keyAlice, "POST", "/api/chat", chat)
	defer a.Body.Close()
	s.gate.Drain(true)
	got := s.ask(keyAlice, "POST", "/api/chat", chat)
	if got.status != 503 || got.header.Get("Retry-After") == "" {
		t.Errorf("%+v", got)
	}
	if got := s.ask(keyUnknown, "POST", "/api/chat", chat); got.status != 401 {
		t.Errorf("a stranger learns that sharing ends: %d", got.status)
	}
	o.say <- final // what runs may end
	close(o.say)
	if b, err := io.ReadAll(a.Body); err != nil || string(b) != token+final {
		t.Errorf("%q, %v", b, err)
	}
	s.gate.Drain(false)
	all := s.entries(3)
	if all[0].Reason != policy.Draining || all[0].Phase != requestlog.Refused || all[2].Phase != requestlog.Done {
		t.Errorf("%+v", all)
	}
}

// A request whose body was still arriving when sharing ended was in no list
// that CutAll could cut, and went through afterwards.
func TestDrainWhileABodyArrives(t *testing.T) {
	s := open(t, echo)
	c := s.dial()
	defer c.Close()
	entered := make(chan struct{})
	s.keys.then = func() { close(entered) }
	text := post("/api/chat", asUser, chat)
	_, _ = io.WriteString(c, text[:len(text)-1])
	wait(t, "the key is checked", entered)
	// Whether the gate looks at draining once before it reads or only after, the
	// answer must be the same.
	until(t, "the key is found good", func() bool { return s.used.Load() == 1 })
	s.gate.Drain(true)
	s.gate.CutAll()
	_, _ = io.WriteString(c, text[len(text)-1:])
	if got := s.answer(c, bufio.NewReader(c), "POST"); got.status != 503 || s.seen.Load() != 0 {
		t.Errorf("%d, seen %d", got.status, s.seen.Load())
	}
	if e := s.last(1); e.Reason != policy.Draining {
		t.Errorf("%+v", e)
	}
}

// flood is an Ollama that writes as fast as it may until it is told to stop, and
// counts.
func flood(wrote *syncCount, gone chan struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		defer close(gone)
		w.Header().Set("Content-Type", "application/x-ndjson")
		line := []byte(`{"message":{"content":"` + strings.Repeat("x", 8000) + `"}}` + "\n")
		for r.Context().Err() == nil {
			n, err := w.Write(line)
			wrote.add(n)
			if err != nil {
				return
			}
		}
	}
}

// slow opens a stream on a connection that takes next to nothing.
func (s *site) slow() net.Conn {
	s.t.Helper()
	d := net.Dialer{}
	c, err := d.DialContext(context.Background(), "tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = c.(*net.TCPConn).SetReadBuffer(16 << 10)
	_, _ = io.WriteString(c, post("/api/chat", asUser, chat))
	return c
}

func TestStalledReaderIsCut(t *testing.T) {
	var wrote syncCount
	gone := make(chan struct{})
	s := open(t, flood(&wrote, gone), narrow)
	s.gate.limits.stall = 300 * time.Millisecond
	c := s.slow()
	defer c.Close()
	wait(t, "Ollama is told", gone)
	e := s.last(1)
	if e.Phase != requestlog.Cut || e.CutBy != requestlog.CutByStall || e.Status != 200 {
		t.Errorf("%+v", e)
	}
}

// A withdrawn key ends at once even when its client does not read: the write
// that waits for it is woken, and what is spooled for it is not sent.
func TestCutWakesAWriteThatWaits(t *testing.T) {
	var wrote syncCount
	gone := make(chan struct{})
	s := open(t, flood(&wrote, gone), narrow)
	c := s.slow()
	defer c.Close()
	wrote.settle(t)
	if s.gate.CutKey("id-alice") != 1 {
		t.Fatal("nothing to cut")
	}
	wait(t, "Ollama is told", gone)
	e := s.last(1) // waits far less than the stall limit of a minute
	if e.Phase != requestlog.Cut || e.CutBy != requestlog.CutByKey {
		t.Errorf("%+v", e)
	}
}

// A client that leaves while a write waits for it has left; it did not stall.
func TestSlowReaderThatLeaves(t *testing.T) {
	var wrote syncCount
	gone := make(chan struct{})
	s := open(t, flood(&wrote, gone), narrow)
	c := s.slow()
	wrote.settle(t)
	c.Close()
	wait(t, "Ollama is told", gone)
	if e := s.last(1); e.Phase != requestlog.Cut || e.CutBy != requestlog.CutByClient {
		t.Errorf("%+v", e)
	}
}

// A slow reader holds up Ollama only when a megabyte waits for it, and it gets
// every byte in the end.
func TestSlowReaderGetsEverything(t *testing.T) {
	const lines = 8000 // some 600 KB
	said := make(chan struct{})
	s := open(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-ndjson")
		for i := range lines {
			fmt.Fprintf(w, `{"i":%d,"pad":"%s"}`+"\n", i, strings.Repeat("x", 60))
			w.(http.Flusher).Flush()
		}
		_, _ = io.WriteString(w, final)
		close(said)
	}, narrow)
	c := s.slow()
	defer c.Close()
	wait(t, "Ollama has said everything although nobody reads", said)
	_ = c.SetDeadline(time.Now().Add(patience))
	got := s.answer(c, bufio.NewReader(c), "POST")
	if got.err != nil || strings.Count(got.body, "\n") != lines+1 || !strings.HasSuffix(got.body, final) || !strings.Contains(got.body, fmt.Sprintf(`{"i":%d,`, lines-1)) {
		t.Errorf("%d lines, %v", strings.Count(got.body, "\n"), got.err)
	}
	if e := s.last(1); e.Phase != requestlog.Done || e.TokensOut != 3 {
		t.Errorf("%+v", e)
	}
}

// A connection that served a stream serves the next request, although the first
// one left a deadline for its last bytes.
func TestConnectionIsUsedAgainAfterAStream(t *testing.T) {
	s := open(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-ndjson")
		_, _ = io.WriteString(w, token)
		w.(http.Flusher).Flush()
		_, _ = io.WriteString(w, final)
	})
	s.gate.limits.stall = 50 * time.Millisecond
	c := s.dial()
	defer c.Close()
	r := bufio.NewReader(c)
	for range 3 {
		_, _ = io.WriteString(c, post("/api/chat", asUser, chat))
		if got := s.answer(c, r, "POST"); got.err != nil || got.body != token+final {
			t.Fatalf("%+v", got)
		}
		<-time.After(2 * s.gate.limits.stall) // the deadline passes while nothing happens
	}
	s.entries(3)
}
