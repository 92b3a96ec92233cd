//go:build linux && e2e

package ollama_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"paddock/e2e/ollama"
	"paddock/internal/testdesk"
)

// part is one line of a streamed answer.
type part struct {
	Message struct{ Content string }
	Done    bool
	Reason  string `json:"done_reason"`
	Tokens  int    `json:"eval_count"`
	Error   string
}

// chat streams an answer; each may end it by returning false.
func chat(t *testing.T, url, model string, each func(part) bool) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	body := strings.NewReader(`{"model":"` + model + `","messages":[{"role":"user","content":"hi"}]}`)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/api/chat", body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status)
	}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		var p part
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		if !each(p) {
			return
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

// recite checks that tiny gives its whole answer.
func recite(t *testing.T, url, model string) {
	t.Helper()
	var text strings.Builder
	var last part
	chat(t, url, model, func(p part) bool {
		text.WriteString(p.Message.Content)
		last = p
		return true
	})
	if !last.Done || last.Reason != "stop" || last.Tokens != ollama.TinyTokens {
		t.Errorf("the stream ends with %+v", last)
	}
	if s := text.String(); !strings.HasPrefix(s, ollama.TinyBegins) || !strings.HasSuffix(s, ollama.TinyEnds) {
		t.Errorf("the answer is %q", s)
	}
}

func TestOllamaAnswersLoopsBreaksAndComesBack(t *testing.T) {
	s := ollama.Start(t)
	url := s.URL
	recite(t, s.URL, ollama.Tiny)

	n := 0
	chat(t, s.URL, ollama.Loop, func(part) bool { n++; return n < 2*ollama.TinyTokens })
	if n != 2*ollama.TinyTokens {
		t.Errorf("the loop ended after %d tokens", n)
	}

	var last part
	chat(t, s.URL, ollama.Loop, func(p part) bool {
		if last.Message.Content == "" && s.KillRunners() == 0 {
			t.Fatal("there is no runner to kill")
		}
		last = p
		return true
	})
	if last.Error == "" {
		t.Errorf("a stream whose runner was killed ends with %+v", last)
	}

	s.Crash()
	if resp, err := http.Get(s.URL + "/api/version"); err == nil {
		_ = resp.Body.Close()
		t.Error("it answers after a crash")
	}
	s.Restart()
	if s.URL != url {
		t.Errorf("it came back on %s instead of %s", s.URL, url)
	}
	recite(t, s.URL, ollama.Tiny)
	s.Stop()
	if n := len(s.Runners()); n != 0 {
		t.Errorf("%d runners are left", n)
	}
}

func TestTheOllamaCommand(t *testing.T) {
	s := ollama.Start(t)
	out, errs, err := s.Command(s.URL, time.Minute, "run", ollama.Tiny, "hi")
	if err != nil || !strings.Contains(out, ollama.TinyBegins) {
		t.Errorf("ollama run: %v\n%s\n%s", err, out, errs)
	}
	if out, errs, err = s.Command(s.Host, time.Minute, "list"); err != nil || !strings.Contains(out, ollama.Loop) {
		t.Errorf("ollama list: %v\n%s\n%s", err, out, errs)
	}
}

func TestTheSlowModelHasThePaceOfARealOne(t *testing.T) {
	s := ollama.Start(t, ollama.WithSlow())
	var began time.Time
	n := 0
	chat(t, s.URL, ollama.Slow, func(part) bool {
		if n == 0 {
			began = time.Now() // loading and reading the prompt do not count
		}
		n++
		return n < 20
	})
	pace := float64(n-1) / time.Since(began).Seconds()
	t.Logf("%.0f tokens a second", pace)
	if pace > 200 {
		t.Error("that is not slow")
	}
	recite(t, s.URL, ollama.Slow)
	testdesk.Wait(t, "a runner", time.Second, func() bool { return len(s.Runners()) > 0 })
}
