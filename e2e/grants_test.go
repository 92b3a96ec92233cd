//go:build linux && e2e

package e2e_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"paddock/e2e/ollama"
	"paddock/internal/testdesk"
	"paddock/policy"
	"paddock/requestlog"
)

// TestWhatAKeyMayDo goes through the parts of a grant, from the command line to
// a real Ollama.
func TestWhatAKeyMayDo(t *testing.T) {
	l := lend(t)
	l.makeEndless()

	t.Run("models", func(t *testing.T) {
		a := l.key("models", "--model", "tiny").of(t)
		if tags := a.want(200, "GET", "/api/tags", "").body; !strings.Contains(tags, `"tiny:latest"`) || strings.Contains(tags, ollama.Loop) {
			t.Errorf("the list: %s", tags)
		}
		if list := a.want(200, "GET", "/v1/models", "").body; !strings.Contains(list, `"tiny:latest"`) || strings.Contains(list, ollama.Loop) {
			t.Errorf("the list of OpenAI: %s", list)
		}
		a.want(200, "POST", "/api/show", `{"model":"tiny"}`)
		a.want(200, "POST", "/api/generate", short("tiny:latest"))
		a.want(403, "POST", "/api/show", `{"model":"tiny-loop"}`)
		a.want(403, "POST", "/api/generate", short(ollama.Loop))
		a.want(403, "GET", "/v1/models/tiny-loop", "")

		l.p.Must("keys", "edit", "models", "--model", "tiny-*", "--model", "other")
		a.want(200, "POST", "/api/generate", short(ollama.Loop))
		a.want(403, "POST", "/api/generate", short(ollama.Tiny))
		if ps := a.want(200, "GET", "/api/ps", "").body; !strings.Contains(ps, ollama.Loop) || strings.Contains(ps, `"tiny:latest"`) {
			t.Errorf("the loaded models: %s", ps)
		}
		l.p.Must("keys", "edit", "models", "--all-models")
		a.want(200, "POST", "/api/generate", short(ollama.Tiny))
		if tags := a.want(200, "GET", "/api/tags", "").body; !strings.Contains(tags, ollama.Loop) || !strings.Contains(tags, endless) {
			t.Errorf("the list of all models: %s", tags)
		}
	})

	t.Run("a new key for the old one", func(t *testing.T) {
		old := l.key("rotated").of(t)
		const grace = 2 * time.Second
		began := time.Now()
		fresh := gate{t, l.url, strings.TrimSpace(l.p.Must("keys", "rotate", "rotated", "--grace", "2s"))}
		if code, _ := old.do("GET", "/api/tags", ""); code != 200 && time.Since(began) < grace {
			t.Errorf("the old key, after %v: %d", time.Since(began), code)
		}
		fresh.want(200, "GET", "/api/tags", "")
		old.eventually(401, "/api/tags")
		if took := time.Since(began); took < grace {
			t.Errorf("the old key worked for %v only", took)
		}
		last := gate{t, l.url, strings.TrimSpace(l.p.Must("keys", "rotate", "rotated", "--grace", "none"))}
		fresh.want(401, "GET", "/api/tags", "")
		last.want(200, "GET", "/api/tags", "")
		l.silent(old.key, fresh.key, last.key)
	})

	t.Run("suspended", func(t *testing.T) {
		a := l.key("suspended").of(t)
		running := a.chat(endless)
		running.token()
		l.p.Must("keys", "suspend", "suspended")
		if _, err := running.end(5 * time.Second); err == nil {
			t.Error("the running stream ended as if it were whole")
		}
		a.want(401, "GET", "/api/tags", "")
		l.p.Must("keys", "resume", "suspended")
		a.want(200, "POST", "/api/generate", short(ollama.Tiny))
		entry(t, l.p, "the cut chat", func(e requestlog.Entry) bool { return e.Key == "suspended" && e.CutBy == requestlog.CutByKey })
	})

	t.Run("rate", func(t *testing.T) {
		// The next one is due after 20 minutes, so that no machine is too slow for this.
		a := l.key("rate", "--rate", "3/h").of(t)
		for range 3 {
			a.want(200, "GET", "/api/version", "")
		}
		after(t, a.want(429, "GET", "/api/version", ""), 60, 20*60)
		l.p.Must("keys", "edit", "rate", "--rate", "3/s")
		testdesk.Wait(t, "the next request to be due", 20*time.Second, func() bool {
			code, _ := a.do("GET", "/api/version", "")
			return code == 200
		})
	})

	t.Run("at once", func(t *testing.T) {
		a := l.key("single", "--concurrent", "1").of(t)
		running := a.chat(endless)
		running.token()
		after(t, a.want(429, "POST", "/api/generate", short(ollama.Tiny)), 1, 10*60)
		a.want(200, "GET", "/api/tags", "") // no work for Ollama
		l.p.Must("keys", "edit", "single", "--concurrent", "2")
		a.want(200, "POST", "/api/generate", short(ollama.Tiny))
		l.leave(running)
	})

	t.Run("tokens a day", func(t *testing.T) {
		a := l.key("tokens", "--tokens-per-day", "50").of(t)
		if body := a.want(200, "POST", "/api/generate", `{"model":"tiny","prompt":"hi","stream":false}`).body; !strings.Contains(body, `"eval_count":73`) {
			t.Errorf("the answer that spends the budget: %s", body)
		}
		entry(t, l.p, "the answer", func(e requestlog.Entry) bool { return e.Key == "tokens" && e.Phase == requestlog.Done })
		refused := a.want(429, "POST", "/api/generate", short(ollama.Tiny))
		after(t, refused, 60*60, 24*60*60)
		if !strings.Contains(refused.body, "tomorrow") {
			t.Errorf("the refusal: %s", refused.body)
		}
		a.want(200, "GET", "/api/tags", "")
		if out := l.p.Must("keys", "show", "tokens"); !strings.Contains(out, "Tokens a day    50") {
			t.Errorf("keys show: %s", out)
		}
		l.p.Must("keys", "edit", "tokens", "--tokens-per-day", "5000")
		a.want(200, "POST", "/api/generate", short(ollama.Tiny))
	})
}

// TestTeammatesWaitForEachOther: with one request at a time the second one waits,
// the owner sees it, and it is served in its turn.
func TestTeammatesWaitForEachOther(t *testing.T) {
	l := lend(t)
	l.makeEndless()
	l.p.Must("settings", "set", "limits.running-at-once", "1")
	l.p.Must("settings", "set", "limits.waiting-per-key", "1")
	alice, bob, carol := l.key("alice"), l.key("bob"), l.key("carol")

	running := alice.chat(endless)
	running.token()
	type result struct {
		answer
		err error
	}
	ask := func(g gate) <-chan result {
		got := make(chan result, 1)
		go func() {
			a, err := g.send("POST", "/api/generate", strings.NewReader(short(ollama.Tiny)))
			got <- result{a, err}
		}()
		return got
	}
	waits := func(n int) {
		t.Helper()
		testdesk.Wait(t, fmt.Sprintf("the status to show %d that wait", n), 20*time.Second, func() bool {
			s := l.status()
			return s.Running == 1 && s.Waiting == n
		})
	}
	first := ask(bob)
	waits(1)
	if out := l.p.Must("status"); !strings.Contains(out, "1 request running, 1 waiting") {
		t.Errorf("status: %s", out)
	}
	full := bob.want(503, "POST", "/api/generate", short(ollama.Tiny))
	after(t, full, 1, 10*60)
	if full.header.Get("X-Queue-Position") != "2" {
		t.Errorf("X-Queue-Position: %q", full.header.Get("X-Queue-Position"))
	}
	entry(t, l.p, "the refusal", func(e requestlog.Entry) bool { return e.Key == "bob" && e.Reason == policy.QueueFull })
	second := ask(carol) // a lane of her own
	waits(2)
	l.wantGenerated(0)                    // Ollama had room for this model
	bob.want(200, "GET", "/api/tags", "") // a look does not wait

	l.leave(running)
	for who, got := range map[string]<-chan result{"bob": first, "carol": second} {
		select {
		case r := <-got:
			if r.err != nil || r.code != http.StatusOK {
				t.Errorf("%s: %d %s %v", who, r.code, r.body, r.err)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%s was not served", who)
		}
		entry(t, l.p, who+"'s answer", func(e requestlog.Entry) bool {
			return e.Key == who && e.Phase == requestlog.Done && e.Class == policy.ClassUse && e.Waited > 0
		})
	}
	waitsForNobody := func() bool { s := l.status(); return s.Running == 0 && s.Waiting == 0 }
	testdesk.Wait(t, "the status to show nobody", 20*time.Second, waitsForNobody)
}

// of is the same gate in a part of a test.
func (g gate) of(t *testing.T) gate { g.t = t; return g }

// leave ends a stream as its client, and waits until Ollama has noticed.
func (l *loan) leave(s *stream) {
	l.t.Helper()
	s.res.Body.Close()
	entry(l.t, l.p, "the stream that was left", func(e requestlog.Entry) bool { return e.Model == endless && e.CutBy == requestlog.CutByClient })
}

// after checks that a refusal says when to try again, in seconds.
func after(t *testing.T, a answer, least, most int) {
	t.Helper()
	if s, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || s < least || s > most {
		t.Errorf("Retry-After: %q, want %d to %d", a.header.Get("Retry-After"), least, most)
	}
}
