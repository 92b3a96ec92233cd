package standin

import (
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestKeepAlive(t *testing.T) {
	for text, want := range map[string]time.Duration{
		`0`: 0, `30`: 30 * time.Second, `1.5`: 1500 * time.Millisecond, `-1`: math.MaxInt64, `-1e300`: math.MaxInt64,
		`"0"`: 0, `"10m"`: 10 * time.Minute, `"-1m"`: math.MaxInt64, `1e300`: math.MaxInt64 / 2,
	} {
		var k keepAlive
		if err := json.Unmarshal([]byte(text), &k); err != nil || k.Duration != want && math.Abs(float64(k.Duration-want)) > 1e3 {
			t.Errorf("%s: %v %v", text, k.Duration, err)
		}
	}
	for _, text := range []string{`"soon"`, `true`, `[]`, `"10"`} {
		var k keepAlive
		if json.Unmarshal([]byte(text), &k) == nil {
			t.Errorf("%s is taken for %v", text, k.Duration)
		}
	}
}

func TestKeysAreReadAsOllamaReadsThem(t *testing.T) {
	s := New(Options{Models: []string{"a", "b"}, Reply: "hi"})
	for body, model := range map[string]string{
		`{"model":"a","prompt":"x","MODEL":"b"}`:       "b",
		`{"Model":"b","prompt":"x","model":"a"}`:       "a",
		`{"\u006dodel":"b","prompt":"x"}`:              "b",
		`{"model":"a","prompt":"x"}{"model":"b"}`:      "a",
		`{"model":"a","prompt":"x"} trailing nonsense`: "a",
	} {
		w := ask(t, s, "POST", "/api/generate", body)
		if w.Code != http.StatusOK || objects(t, w.Body.String())[0]["model"] != model {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	// U+017F folds to s, so this asks for no stream.
	if w := ask(t, s, "POST", "/api/generate", `{"model":"a","prompt":"x","ſtream":false}`); !strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
		t.Errorf("%v", w.Header())
	}
}

func TestWordsGiveTheTextBack(t *testing.T) {
	for text, want := range map[string]int{"": 0, "a": 1, "a b": 2, " a  b\nc ": 3, "  ": 1, DefaultReply: strings.Count(DefaultReply, " ") + 1} {
		if w := words(text); strings.Join(w, "") != text || len(w) != want {
			t.Errorf("%q: %q", text, w)
		}
	}
}

// FuzzReader sends anything anywhere. Whatever comes, the stand-in answers in the dialect of the path, and the model
// that runs is the one that encoding/json sees.
func FuzzReader(f *testing.F) {
	paths := []string{
		"/api/generate", "/api/chat", "/api/embed", "/api/embeddings", "/api/show", "/api/pull", "/api/push", "/api/create", "/api/copy",
		"/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses", "/v1/messages", "/v1/images/generations",
		"/v1/images/edits", "/api/experimental/aliases",
	}
	for i := range paths {
		f.Add(uint8(i), `{"model":"demo","name":"x","prompt":"hi","input":["a"],"max_tokens":3,"stream":true,"messages":[{"role":"user","content":"x"}],"keep_alive":"1m","options":{"num_predict":2}}`)
	}
	f.Add(uint8(0), `{"model":"a","MODEL":"demo","prompt":"x","ſtream":false,"think":"low"}`)
	f.Add(uint8(12), `{"model":"demo","input":[{"type":"message","content":[{"type":"input_text","text":"x"}]}],"text":{"format":null}}`)
	f.Fuzz(func(t *testing.T, which uint8, body string) {
		s := New(Options{Reply: "one two"})
		path := paths[int(which)%len(paths)]
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "POST", path, strings.NewReader(body)))
		text := w.Body.String()
		switch w.Code {
		case 200:
		case 400, 404, 500:
			if !json.Valid([]byte(text)) || !strings.Contains(text, `"error"`) {
				t.Errorf("%s %q: %d %q", path, body, w.Code, text)
			}
		default:
			t.Errorf("%s %q: status %d", path, body, w.Code)
		}
		if s.Active() != 0 || s.Cancelled() != 0 {
			t.Errorf("%s %q: active %d, cancelled %d", path, body, s.Active(), s.Cancelled())
		}
		if path == "/api/generate" && w.Code == 200 {
			var seen struct{ Model string }
			_ = json.NewDecoder(strings.NewReader(body)).Decode(&seen)
			if !strings.EqualFold(parseName(seen.Model).short(), "demo:latest") {
				t.Errorf("%q was answered, though it asks for %q", body, seen.Model)
			}
		}
	})
}
