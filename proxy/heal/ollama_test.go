package heal

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"paddock/internal/standin"
)

func TestNamesAreFoldedAsOllamaDoes(t *testing.T) {
	for in, want := range map[string]string{
		"tiny": "tiny:latest", "Tiny:latest": "tiny:latest", "library/tiny": "tiny:latest",
		"registry.ollama.ai/library/tiny:1b": "tiny:1b", "alice/Tiny": "alice/tiny:latest",
		"hf.co/a/b:Q4": "hf.co/a/b:q4", "host:5000/a/b": "host:5000/a/b:latest",
	} {
		if got := canonical(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func TestTwoSightingsTellWhatHappened(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	saw := func(after, expires time.Duration) sighting {
		return sighting{at: at.Add(after), expires: at.Add(expires)}
	}
	for name, c := range map[string]struct {
		before, now sighting
		want        state
	}{
		"never seen":               {sighting{}, saw(2*time.Second, time.Minute), unknown},
		"the very same":            {saw(0, time.Minute), saw(2*time.Second, time.Minute), still},
		"in the past and the same": {saw(0, -time.Hour), saw(2*time.Second, -time.Hour), still},
		"with the clock":           {saw(0, time.Minute), saw(2*time.Second, 62*time.Second), moving},
		"nearly with the clock":    {saw(0, time.Minute), saw(2*time.Second, 61700*time.Millisecond), moving},
		"a jump":                   {saw(0, time.Minute), saw(2*time.Second, time.Hour), used},
		"back":                     {saw(0, time.Minute), saw(2*time.Second, 30*time.Second), used},
	} {
		if got := compare(c.before, c.now); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestPatienceGrowsWithThePromptUpToABound(t *testing.T) {
	for name, c := range map[string]struct {
		call    Call
		suspect bool
		context int64
		want    time.Duration
	}{
		"small":                         {Call{Bytes: 100}, false, 0, 61 * time.Second},
		"small and suspect":             {Call{Bytes: 100}, true, 0, 10 * time.Second},
		"8 KiB":                         {Call{Bytes: 8 << 10}, false, 0, 162 * time.Second},
		"8 KiB and suspect":             {Call{Bytes: 8 << 10}, true, 0, 30 * time.Second},
		"picture":                       {Call{Bytes: 4 << 20}, false, 0, 31 * time.Minute},
		"picture and suspect":           {Call{Bytes: 4 << 20}, true, 0, 310 * time.Second},
		"cut to the context":            {Call{Bytes: 4 << 20}, false, 4096, 264 * time.Second},
		"no streaming, context unused":  {Call{Bytes: 4 << 20, Whole: true}, false, 4096, 41 * time.Minute},
		"no streaming":                  {Call{Whole: true}, false, 0, 11 * time.Minute},
		"no streaming and suspect":      {Call{Whole: true}, true, 0, 130 * time.Second},
		"a size that nobody would send": {Call{Bytes: 1 << 62}, false, 0, 31 * time.Minute},
	} {
		if got := c.call.allowance(c.suspect, c.context); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// The stand-in is another's idea of Ollama than the fake of these tests.
func TestTheStandInIsHealed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := standin.New(standin.Options{})
		ask := round(func(r *http.Request) (*http.Response, error) {
			rec := httptest.NewRecorder()
			s.ServeHTTP(rec, r)
			if r.Context().Err() != nil {
				return nil, context.Cause(r.Context())
			}
			return rec.Result(), nil
		})
		var told []Event
		w := New(Config{
			Upstream:  func() *url.URL { return &url.URL{Scheme: "http", Host: "127.0.0.1:11434"} },
			Transport: ask,
			OnHeal:    func(e Event) { told = append(told, e) },
		})
		send := func(ctx context.Context) (*http.Response, error) {
			return ask(httptest.NewRequestWithContext(ctx, http.MethodPost, "http://127.0.0.1:11434/api/generate", strings.NewReader(`{"model":"demo","prompt":"hi"}`)))
		}
		c := Call{Model: "demo:latest", Send: "demo", Bytes: 30}
		for i := range 2 {
			answer, a, err := w.Do(t.Context(), c, send)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			a.End(i == 0)
			if i == 0 && !s.Wedge("demo") {
				t.Fatal("the model is not loaded")
			}
		}
		synctest.Wait() // it is told beside the request that goes on
		w.Close()
		if len(told) != 1 || told[0].Err != nil {
			t.Errorf("%+v", told)
		}
	})
}

func FuzzParseList(f *testing.F) {
	f.Add([]byte(`{"models":[{"name":"tiny:latest","model":"tiny:latest","expires_at":"2026-11-23T15:04:15.72331Z","context_length":4096}]}`))
	f.Add([]byte(`{"models":null}`))
	f.Add([]byte(`{"models":[{"name":"","expires_at":"x"}]}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		seen, err := parseList(b, time.Now(), canonical)
		if err != nil && seen != nil {
			t.Error("a list and an error")
		}
		for name, s := range seen {
			if s == nil || s.context < 0 || name == "" {
				t.Errorf("%q: %+v", name, s)
			}
		}
	})
}

func TestAnAnswerThatIsNoneIsAnError(t *testing.T) {
	for name, answer := range map[string]*http.Response{
		"status": {StatusCode: http.StatusInternalServerError, Body: http.NoBody},
		"empty":  {StatusCode: http.StatusOK, Body: http.NoBody},
	} {
		w := New(Config{Transport: round(func(*http.Request) (*http.Response, error) { return answer, nil })})
		if _, err := w.list(t.Context(), &url.URL{Scheme: "http", Host: "h"}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	w := New(Config{Transport: round(func(r *http.Request) (*http.Response, error) {
		if r.URL.String() != "http://h/ollama/api/generate" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %v", r.URL, r.Header)
		}
		return nil, errors.New("no")
	})})
	if err := w.unload(t.Context(), &url.URL{Scheme: "http", Host: "h", Path: "/ollama/"}, "tiny"); err == nil {
		t.Error("no error")
	}
}

type round func(*http.Request) (*http.Response, error)

func (f round) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
