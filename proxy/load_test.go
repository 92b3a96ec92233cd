package proxy

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paddock/requestlog"
)

// 2,000 requests of all kinds, a third of whose clients leave when they like,
// while the owner stops, cuts and changes keys. Afterwards each has its one
// entry, nothing runs, and Ollama is at rest.
func TestOneEntryPerRequestUnderLoad(t *testing.T) {
	const requests, wide = 2000, 24
	s := open(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch rand.IntN(6) {
		case 0:
			panic(http.ErrAbortHandler)
		case 1:
			echo(w, r)
			return
		case 2: // silent until the client leaves or enough has happened
			select {
			case <-r.Context().Done():
				return
			case <-time.After(time.Duration(rand.IntN(10)) * time.Millisecond):
			}
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		for range rand.IntN(40) {
			if _, err := io.WriteString(w, token); err != nil {
				return
			}
			w.(http.Flusher).Flush()
		}
		if rand.IntN(5) == 0 {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, final)
	})
	texts := []string{
		post("/api/chat", asUser, chat), post("/v1/chat/completions", asUser, chat), get("/api/tags", asUser), get("/api/tags", host),
		post("/api/pull", asUser, chat), post("/api/chat", asUser, "{"), get("//x", asUser), post("/api/blobs/sha256-1", asMara, chat), say("HEAD /", host),
	}
	stop := make(chan struct{})
	var owner sync.WaitGroup
	owner.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			switch rand.IntN(4) {
			case 0:
				s.gate.CutKey("id-alice")
			case 1:
				for _, e := range s.log.Running(time.Now()) {
					s.gate.StopRequest(e.ID)
				}
			case 2:
				s.gate.Drain(true)
				s.gate.CutAll()
				s.gate.Drain(false)
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
				b := make([]byte, 1+rand.IntN(2000))
				_, _ = io.ReadAtLeast(c, b, 1) // an answer, or the end of the connection
				if rand.IntN(3) > 0 {
					_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
					_, _ = io.Copy(io.Discard, c)
				}
				c.Close()
			}
		})
	}
	g.Wait()
	close(stop)
	owner.Wait()
	ids := map[string]bool{}
	phases := map[requestlog.Phase]int{}
	for _, e := range s.entries(requests) {
		if ids[e.ID] {
			t.Errorf("two entries with the id %s", e.ID)
		}
		ids[e.ID] = true
		phases[e.Phase]++
		if e.Phase == requestlog.Running || (e.CutBy != "") != (e.Phase == requestlog.Cut) || e.Reason == "" || e.Took <= 0 {
			t.Errorf("%+v", e)
		}
	}
	t.Log(fmt.Sprint(phases))
	until(t, "Ollama is at rest", func() bool { return s.active.Load() == 0 })
	if n := len(s.gate.running.all); n != 0 {
		t.Errorf("%d requests can still be cut", n)
	}
	if text := s.faults.String(); text != "" {
		t.Error(text)
	}
}
