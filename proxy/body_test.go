package proxy

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"paddock/policy"
	"paddock/requestlog"
)

// net/http and Caddy did not even send the 401 before a dripping body had ended,
// so a caller without a key could hold the connection for as long as it liked.
func TestRefusalDoesNotWaitForTheBody(t *testing.T) {
	s := open(t, echo)
	s.gate.limits.hurry = 50 * time.Millisecond
	// Were the answer to wait for the body, it would wait for ever.
	n := 0
	for _, c := range []struct {
		name, method, text string
		status             int
	}{
		{"no key", "POST", "POST /api/chat HTTP/1.1\r\n" + host + "Content-Length: 1000\r\n\r\n{", 401},
		{"no key and chunks", "POST", "POST /api/chat HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", 401},
		{"no key and a body beyond what net/http reads on", "POST", "POST /api/chat HTTP/1.1\r\n" + host + "Content-Length: 10000000\r\n\r\n{", 401},
		{"a foreign host", "POST", "POST /api/chat HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 1000\r\n\r\n{", 421},
		{"a user who pulls", "POST", "POST /api/pull HTTP/1.1\r\n" + asUser + "Content-Length: 1000\r\n\r\n{", 403},
		{"too large", "POST", "POST /api/show HTTP/1.1\r\n" + asUser + "Content-Length: 9999999\r\n\r\n{", 413},
		{"compressed", "POST", "POST /api/show HTTP/1.1\r\n" + asUser + "Content-Encoding: gzip\r\nContent-Length: 1000\r\n\r\n{", 415},
		{"the greeting that needs no key", "HEAD", "HEAD / HTTP/1.1\r\n" + host + "Content-Length: 1000\r\n\r\n{", 200},
		{"the welcome page", "GET", "GET /paddock/ HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", 200},
		{"an expectation", "POST", "POST /api/chat HTTP/1.1\r\n" + host + "Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n", 401},
	} {
		conn := s.dial()
		_, _ = io.WriteString(conn, c.text)
		r := bufio.NewReader(conn)
		if got := s.answer(conn, r, c.method); got.status != c.status || got.err != nil {
			t.Errorf("%s: %d, %v", c.name, got.status, got.err)
		} else if _, err := r.ReadByte(); err == nil {
			t.Errorf("%s: the connection serves on", c.name)
		}
		conn.Close()
		n++
	}
	s.entries(n)
	if s.seen.Load() != 0 {
		t.Error("Ollama saw one of them")
	}
}

// A body that was read to its end is no reason to give the connection up.
func TestRefusalAfterTheBodyKeepsTheConnection(t *testing.T) {
	s := open(t, echo)
	c := s.dial()
	defer c.Close()
	r := bufio.NewReader(c)
	for range 3 {
		_, _ = io.WriteString(c, post("/api/chat", asUser, `{"model":"x:cloud"}`))
		if got := s.answer(c, r, "POST"); got.status != 403 || got.err != nil {
			t.Fatalf("%+v", got)
		}
	}
	s.entries(3)
}

func TestDrippingBodyIsCut(t *testing.T) {
	for name, l := range map[string]limits{
		"a pause":          {bodyPause: 30 * time.Millisecond, bodyTotal: time.Minute, stall: time.Minute, hurry: hurryLimit},
		"too long in all":  {bodyPause: time.Minute, bodyTotal: 60 * time.Millisecond, stall: time.Minute, hurry: hurryLimit},
		"a pause in chunk": {bodyPause: 30 * time.Millisecond, bodyTotal: time.Minute, stall: time.Minute, hurry: hurryLimit},
	} {
		s := open(t, echo)
		s.gate.limits = l
		c := s.dial()
		head := "Content-Length: 1000\r\n\r\n{"
		if strings.HasSuffix(name, "chunk") {
			head = "Transfer-Encoding: chunked\r\n\r\n1\r\n{"
		}
		_, _ = io.WriteString(c, "POST /api/chat HTTP/1.1\r\n"+asUser+head)
		if got := s.answer(c, bufio.NewReader(c), "POST"); got.status != 408 {
			t.Errorf("%s: %+v", name, got)
		}
		c.Close()
		if e := s.last(1); e.Reason != policy.BodyTooSlow || e.Phase != requestlog.Refused || s.seen.Load() != 0 {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// A body may take longer than a pause, as long as it moves.
func TestBodyThatMovesIsNotCut(t *testing.T) {
	s := open(t, echo)
	s.gate.limits.bodyPause = 2 * time.Second
	c := s.dial()
	defer c.Close()
	text := post("/api/chat", asUser, chat)
	for i := range len(text) {
		_, _ = io.WriteString(c, text[i:i+1])
	}
	if got := s.answer(c, bufio.NewReader(c), "POST"); got.status != 200 {
		t.Errorf("%+v", got)
	}
	s.entries(1)
}

// A client that breaks off in its body is gone, and its body was not bad.
func TestClientLeavesInItsBody(t *testing.T) {
	for _, head := range []string{"Content-Length: 1000\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n5\r\n{"} {
		s := open(t, echo)
		c := s.dial()
		_, _ = io.WriteString(c, "POST /api/chat HTTP/1.1\r\n"+asUser+head)
		until(t, "the gate has it", func() bool { return s.used.Load() == 1 })
		c.Close()
		if e := s.last(1); e.Phase != requestlog.Cut || e.CutBy != requestlog.CutByClient || e.Status != 0 || s.seen.Load() != 0 {
			t.Errorf("%+v", e)
		}
	}
}

// The length is the caller's word: what it claims is not what is allocated.
func TestClaimedLengthCostsNothing(t *testing.T) {
	s := open(t, echo)
	before := heap() // other tests may have left something: this one says what it adds
	var conns []io.Closer
	for range 50 {
		c := s.dial()
		conns = append(conns, c)
		_, _ = io.WriteString(c, "POST /api/chat HTTP/1.1\r\n"+asUser+"Content-Length: 16000000\r\n\r\n{")
	}
	until(t, "all are read", func() bool { return s.used.Load() == 50 })
	held := int64(heap()) - int64(before)
	for _, c := range conns {
		c.Close()
	}
	s.entries(50)
	if held > 50<<20 {
		t.Errorf("50 claims of 16 MB hold %d MiB", held>>20)
	}
}

func TestLargestBodyPasses(t *testing.T) {
	var got int
	s := open(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = len(b)
		echo(w, r)
	}, func(_ *site, c *Config) { c.Choices.MaxBody = 1 << 20 })
	for _, c := range []struct{ size, status int }{{1<<20 - 1, 200}, {1 << 20, 200}, {1<<20 + 1, 413}} {
		body := `{"model":"a","x":"` + strings.Repeat("x", c.size-len(`{"model":"a","x":""}`)) + `"}`
		if a := s.ask(keyAlice, "POST", "/api/chat", body); a.status != c.status || c.status == 200 && got != c.size {
			t.Errorf("%d bytes: %d, Ollama got %d", c.size, a.status, got)
		}
		chunked := fmt.Sprintf("POST /api/chat HTTP/1.1\r\n"+asUser+"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body)
		if a := s.send("POST", chunked); a.status != c.status {
			t.Errorf("%d bytes in chunks: %d", c.size, a.status)
		}
	}
	s.entries(6)
}

// hashing is an Ollama that takes blobs.
type hashing struct {
	sum    hash.Hash
	length int64
	claim  int64
	first  chan struct{}
}

func (o *hashing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.sum, o.claim = sha256.New(), r.ContentLength
	buf := make([]byte, 64<<10)
	for first := true; ; first = false {
		n, err := r.Body.Read(buf)
		o.sum.Write(buf[:n])
		o.length += int64(n)
		if first && o.first != nil {
			close(o.first)
		}
		if err != nil {
			break
		}
	}
	w.WriteHeader(http.StatusCreated)
}

func TestUploadStreams(t *testing.T) {
	o := &hashing{first: make(chan struct{})}
	s := open(t, o.ServeHTTP)
	r, w := io.Pipe()
	done := make(chan result, 1)
	go func() {
		q, _ := http.NewRequestWithContext(t.Context(), "POST", "http://"+s.addr+"/api/blobs/sha256-1", r)
		q.Header.Set("Authorization", "Bearer "+keyMara)
		a, err := s.client.Do(q)
		if err != nil {
			done <- result{err: err}
			return
		}
		a.Body.Close()
		done <- result{status: a.StatusCode}
	}()
	_, _ = w.Write([]byte("the first bytes"))
	wait(t, "Ollama has the first bytes before the last are sent", o.first)
	_, _ = w.Write([]byte(", the last"))
	w.Close()
	if got := wait(t, "the answer", done); got.status != 201 {
		t.Fatalf("%+v", got)
	}
	e := s.last(1)
	if o.length != 25 || e.BytesIn != 25 || e.Phase != requestlog.Done || e.Status != 201 || e.Action != "Upload" {
		t.Errorf("%d bytes, %+v", o.length, e)
	}
}

func TestBigUpload(t *testing.T) {
	const size = 40 << 20 // more than any body that is kept in memory
	o := &hashing{}
	s := open(t, o.ServeHTTP)
	random := rand.NewChaCha8([32]byte{1})
	sum := sha256.New()
	q, _ := http.NewRequestWithContext(t.Context(), "POST", "http://"+s.addr+"/api/blobs/sha256-1", io.TeeReader(io.LimitReader(random, size), sum))
	q.ContentLength = size
	q.Header.Set("X-Api-Key", keyMara)
	a, err := s.client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	a.Body.Close()
	if a.StatusCode != 201 || o.length != size || o.claim != size || !bytes.Equal(o.sum.Sum(nil), sum.Sum(nil)) {
		t.Errorf("%d, %d bytes of %d", a.StatusCode, o.length, o.claim)
	}
	if e := s.last(1); e.BytesIn != size {
		t.Errorf("%+v", e)
	}
}

func TestUploadThatStops(t *testing.T) {
	s := open(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); echo(w, r) })
	s.gate.limits.bodyPause = 50 * time.Millisecond
	c := s.dial()
	defer c.Close()
	_, _ = io.WriteString(c, "POST /api/blobs/sha256-1 HTTP/1.1\r\n"+asMara+"Content-Length: 1000\r\n\r\nabc")
	if got := s.answer(c, bufio.NewReader(c), "POST"); got.status != 408 {
		t.Errorf("%+v", got)
	}
	if e := s.last(1); e.Reason != policy.BodyTooSlow || e.BytesIn != 3 || s.downs.Load() != 0 {
		t.Errorf("%+v", e)
	}
}

func TestClientLeavesInItsUpload(t *testing.T) {
	s := open(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	})
	c := s.dial()
	_, _ = io.WriteString(c, "POST /api/blobs/sha256-1 HTTP/1.1\r\n"+asMara+"Content-Length: 1000\r\n\r\nabc")
	until(t, "Ollama has it", func() bool { return s.active.Load() == 1 })
	c.Close()
	if e := s.last(1); e.Phase != requestlog.Cut || e.CutBy != requestlog.CutByClient || e.Status != 0 {
		t.Errorf("%+v", e)
	}
	until(t, "Ollama is told", func() bool { return s.active.Load() == 0 })
}

func TestUploadOfAWithdrawnKey(t *testing.T) {
	s := open(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	})
	s.gate.limits.hurry = 50 * time.Millisecond
	c := s.dial()
	defer c.Close()
	_, _ = io.WriteString(c, "POST /api/blobs/sha256-1 HTTP/1.1\r\n"+asMara+"Content-Length: 1000\r\n\r\nabc")
	until(t, "Ollama has it", func() bool { return s.active.Load() == 1 })
	s.gate.CutKey("id-mara")
	if got := s.answer(c, bufio.NewReader(c), "POST"); got.status != 401 {
		t.Errorf("%+v", got)
	}
	if e := s.last(1); e.Phase != requestlog.Cut || e.CutBy != requestlog.CutByKey || e.Status != 401 {
		t.Errorf("%+v", e)
	}
}

// Ollama refuses an upload early and goes on; the client reads why.
func TestEarlyAnswerToAnUpload(t *testing.T) {
	s := open(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":"invalid digest"}`)
	})
	s.gate.limits.hurry = 50 * time.Millisecond
	c := s.dial()
	defer c.Close()
	_, _ = io.WriteString(c, "POST /api/blobs/x HTTP/1.1\r\n"+asMara+"Content-Length: 100000000\r\n\r\nabc") // net/http reads no more than 256 KB before it answers
	if got := s.answer(c, bufio.NewReader(c), "POST"); got.status != 400 || got.body != `{"error":"invalid digest"}` {
		t.Errorf("%+v", got)
	}
	if e := s.last(1); e.Phase != requestlog.Done || e.Status != 400 {
		t.Errorf("%+v", e)
	}
}
