package proxy

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"paddock/policy"
	"paddock/requestlog"
)

// lister is an Ollama with lists.
func lister(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	text := ""
	switch r.URL.Path {
	case "/api/tags":
		text = `{"models":[{"name":"llama3:latest","model":"llama3:latest","size":12345678901234567890,"details":{"family":"<x>"}},{"name":"secret:latest","model":"secret:latest"},{"name":"Qwen3:8B"}]}`
	case "/api/ps":
		text = `{"models":[{"name":"secret","model":"secret"},{"name":"mistral:7b","model":"mistral:7b","expires_at":"2026"}]}`
	case "/v1/models":
		text = `{"object":"list","data":[{"id":"secret","object":"model"},{"id":"llama3","object":"model","owned_by":"library"}]}`
	default:
		text = `{"ok":true}`
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(text)))
	if r.Method != http.MethodHead {
		_, _ = io.WriteString(w, text)
	}
}

func TestAKeySeesItsOwnModels(t *testing.T) {
	s := open(t, lister)
	n := 0
	for _, c := range []struct {
		path, member, name string
		lena, all          []string
	}{
		{"/api/tags", "models", "name", []string{"llama3:latest", "Qwen3:8B"}, []string{"llama3:latest", "secret:latest", "Qwen3:8B"}},
		{"/api/ps", "models", "name", []string{"mistral:7b"}, []string{"secret", "mistral:7b"}},
		{"/v1/models", "data", "id", []string{"llama3"}, []string{"secret", "llama3"}},
		{"/v1/models?all=1", "data", "id", []string{"llama3"}, []string{"secret", "llama3"}},
	} {
		for key, want := range map[string][]string{keyLena: c.lena, keyAlice: c.all, keyCloud: c.all} {
			got := s.ask(key, "GET", c.path, "")
			n++
			var document map[string]any
			if err := json.Unmarshal([]byte(got.body), &document); err != nil || got.status != 200 || got.err != nil {
				t.Fatalf("%s: %+v %v", c.path, got, err)
			}
			var names []string
			for _, m := range document[c.member].([]any) {
				names = append(names, m.(map[string]any)[c.name].(string))
			}
			if !slices.Equal(names, want) {
				t.Errorf("%s of %s: %q, want %q", c.path, key[:8], names, want)
			}
			if v := got.header.Get("Content-Length"); v != fmt.Sprint(len(got.body)) {
				t.Errorf("%s: a length of %s for %d bytes", c.path, v, len(got.body))
			}
			if e := s.last(n); e.Phase != requestlog.Done || e.Status != 200 || e.Upstream != 200 || e.BytesOut != int64(len(got.body)) {
				t.Errorf("%+v", e)
			}
		}
	}
	if got := s.ask(keyLena, "GET", "/api/tags", ""); !strings.Contains(got.body, "12345678901234567890") || strings.Contains(got.body, "secret") {
		t.Errorf("%s", got.body)
	}
	// The length of a whole list tells what is in it.
	for key, told := range map[string]bool{keyLena: false, keyAlice: true} {
		a := s.start(key, "HEAD", "/api/tags", "")
		a.Body.Close()
		if v := a.Header.Get("Content-Length"); (v != "") != told || a.StatusCode != 200 {
			t.Errorf("HEAD of %s: %d, length %q", key[:8], a.StatusCode, v)
		}
	}
	if got := s.ask(keyLena, "GET", "/api/version", ""); got.body != `{"ok":true}` {
		t.Errorf("what is no list: %+v", got)
	}
	s.entries(n + 4)
}

// A list that cannot be read is not passed on to a key that may see a part of it.
func TestAListThatCannotBeRead(t *testing.T) {
	for name, text := range map[string]string{
		"rubbish": "secret", "nothing": "", "half": `{"models":[{"name":"secret"}`, "a list": `[{"name":"secret"}]`, "no models": `{"secret":1}`, "models that are none": `{"models":{"name":"secret"}}`,
		"a model that is a number": `{"models":[1,{"name":"secret"}]}`, "a name that is a list": `{"models":[{"name":["secret"]}]}`, "two documents": `{"models":[]}{"models":[{"name":"secret"}]}`,
		"too much": `{"models":[],"secret":"` + strings.Repeat("x", maxList) + `"}`,
	} {
		s := open(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, text)
		})
		got := s.ask(keyLena, "GET", "/api/tags", "")
		if got.status != 502 || strings.Contains(got.body, "secret") || got.header.Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("%s: %+v", name, got)
		}
		if e := s.last(1); e.Phase != requestlog.Failed || e.Reason != policy.UpstreamUnanswers || e.Status != 502 {
			t.Errorf("%s: %+v", name, e)
		}
		if got := s.ask(keyAlice, "GET", "/api/tags", ""); got.status != 200 || got.body != text {
			t.Errorf("%s for a key that sees everything: %d", name, got.status)
		}
		s.entries(2)
	}
}

func TestAnEmptyListIsAList(t *testing.T) {
	for text, want := range map[string]string{`{"models":null}`: `{"models":[]}`, `{"models":[]}`: `{"models":[]}`, `{"models":[{"name":"secret"}]}`: `{"models":[]}`, `{"models":[{}],"x":1}`: `{"models":[],"x":1}`} {
		s := open(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
		if got := s.ask(keyLena, "GET", "/api/tags", ""); got.status != 200 || got.body != want {
			t.Errorf("%s: %+v", text, got)
		}
	}
}

// Ollama's own error is no list.
func TestAnErrorInPlaceOfAListPasses(t *testing.T) {
	s := open(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(500)
		_, _ = io.WriteString(w, `{"error":"no disk"}`)
	})
	if got := s.ask(keyLena, "GET", "/api/tags", ""); got.status != 500 || got.body != `{"error":"no disk"}` {
		t.Errorf("%+v", got)
	}
	s.entries(1)
}

// Ollama dies in the middle of a list, and a client leaves in it.
func TestAListThatBreaksOff(t *testing.T) {
	half := func(w http.ResponseWriter) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"models":[{"name":"secret"},`)
		w.(http.Flusher).Flush()
	}
	s := open(t, func(w http.ResponseWriter, _ *http.Request) { half(w); panic(http.ErrAbortHandler) })
	if got := s.ask(keyLena, "GET", "/api/tags", ""); got.status != 502 || strings.Contains(got.body, "secret") {
		t.Errorf("%+v", got)
	}
	s.entries(1)

	gone := make(chan struct{})
	s = open(t, func(w http.ResponseWriter, r *http.Request) { half(w); <-r.Context().Done(); close(gone) })
	c := s.dial()
	_, _ = io.WriteString(c, get("/api/tags", asLena))
	until(t, "Ollama has it", func() bool { return s.active.Load() == 1 })
	c.Close()
	wait(t, "Ollama is told", gone)
	if e := s.last(1); e.Phase != requestlog.Cut || e.CutBy != requestlog.CutByClient {
		t.Errorf("%+v", e)
	}
}

func twice(fields map[string]any, name string) bool {
	n := 0
	for field := range fields {
		if strings.EqualFold(field, name) {
			n++
		}
	}
	return n > 1
}

// What is left of a list are models of the key, whole and in order, and all the
// rest of the document.
func FuzzShorten(f *testing.F) {
	for _, seed := range []string{
		`{"models":[{"name":"llama3:latest","model":"llama3:latest","size":1e3},{"name":"secret"}],"x":{"y":[1]}}`,
		`{"models":[{"name":"LLAMA3","model":"secret"},{"NAME":"llama3"},{"name":"llama3","model":7}]}`,
		`{"models":null}`, `{"models":[null,{}]}`, `{"models":[],"models":[{"name":"qwen3:1"}],"a":"<\u2028>"}`, `[]`, `{}`, `{"Models":[{"name":"secret"}],"models":[]}`,
	} {
		f.Add([]byte(seed))
	}
	models, err := policy.ParseModels([]string{"llama3", "qwen3*"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		out, err := shorten(body, "models", models)
		if err != nil {
			return
		}
		var before, after map[string]any
		if err := json.Unmarshal(body, &before); err != nil {
			t.Fatalf("%q passed: %v", body, err)
		}
		if err := json.Unmarshal(out, &after); err != nil {
			t.Fatalf("%q became %q: %v", body, out, err)
		}
		all, _ := before["models"].([]any)
		kept, isList := after["models"].([]any)
		if !isList {
			t.Fatalf("%q became %q", body, out)
		}
		for _, one := range kept {
			i := slices.IndexFunc(all, func(other any) bool { return reflect.DeepEqual(one, other) })
			if i < 0 {
				t.Fatalf("%q: %v was not there, or elsewhere", body, one)
			}
			all = all[i+1:]
			if fields, _ := one.(map[string]any); twice(fields, "name") || twice(fields, "model") {
				continue // Ollama writes no such thing, and readers may differ
			}
			b, _ := json.Marshal(one)
			var named struct{ Name, Model string }
			if err := json.Unmarshal(b, &named); err != nil {
				t.Fatal(err)
			}
			if m, ok := policy.ParseModel(named.Name); !ok || !models.Match(m) {
				t.Fatalf("%q: kept %q", body, named.Name)
			}
			if m, ok := policy.ParseModel(named.Model); ok && !models.Match(m) {
				t.Fatalf("%q: kept %q", body, named.Model)
			}
		}
		delete(before, "models")
		delete(after, "models")
		if !reflect.DeepEqual(before, after) {
			t.Fatalf("%q became %q", body, out)
		}
	})
}
