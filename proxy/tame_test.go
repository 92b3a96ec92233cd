package proxy

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"paddock/policy"
)

// What Ollama gets of a user's request, byte for byte: what nobody has to change
// stays as it was written.
func TestWhatOllamaGetsOfAUsersRequest(t *testing.T) {
	var got []byte
	s := open(t, func(w http.ResponseWriter, r *http.Request) {
		got, _ = io.ReadAll(r.Body)
		if r.ContentLength != int64(len(got)) {
			t.Errorf("a length of %d for %d bytes", r.ContentLength, len(got))
		}
		echo(w, r)
	}, func(_ *site, c *Config) { c.Choices.NumCtx = 4096 })
	n := 0
	for _, c := range []struct{ in, out string }{
		{`{"model":"m","prompt":"x"}`, ``},
		{" {\n\t\"model\" : \"m\" ,\"prompt\":\"x\" } \n", "{\n\t\"model\" : \"m\" ,\"prompt\":\"x\" } \n"},
		{`{"model":"m","keep_alive":-1}`, `{"model":"m"}`},
		{`{"keep_alive":-1,"model":"m"}`, `{"model":"m"}`},
		{`{"a":1,"keep_alive":"-1s","model":"m"}`, `{"a":1,"model":"m"}`},
		{`{"a":1 , "keep_alive" : null , "model":"m"}`, `{"a":1,"model":"m"}`},
		{`{"KEEP_ALIVE":-1,"Keep_Alive":"1h","keep\u005Falive":9,"` + "\u212a" + `eep_alive":0,"model":"m","prompt":"x"}`, `{"model":"m","prompt":"x"}`},
		{`{"model":"m","keep_alive":{"a":[1,"]}"]},"b":2}`, `{"model":"m","b":2}`},
		{`{"model":"m","keep_aliv":1,"keep_alive2":2,"x":{"keep_alive":3}}`, ``},
		{`{"model":"m","options":{"num_ctx":4096,"temperature":0.5}}`, ``},
		{`{"model":"m","options":{"num_ctx":4097}}`, `{"model":"m","options":{"num_ctx":4096}}`},
		{`{"model":"m","options":{"num_ctx":4096.5}}`, `{"model":"m","options":{"num_ctx":4096}}`},
		{`{"model":"m","options":{"num_ctx":4.096e3}}`, ``},
		{`{"model":"m","options":{"num_ctx":4.1e3}}`, `{"model":"m","options":{"num_ctx":4096}}`},
		{`{"model":"m","options":{"num_ctx":1e300,"num_ctx":1e999,"num_ctx":99999999999999999999}}`, `{"model":"m","options":{"num_ctx":4096,"num_ctx":4096,"num_ctx":4096}}`},
		{`{"model":"m","options":{"num_ctx":-1}}`, ``},
		{`{"model":"m","options":{"num_ctx":"99999"}}`, ``}, // no number: Ollama refuses it
		{`{"model":"m","options":{"num_ctx":null}}`, ``},
		{`{"model":"m","options":{"num_ctx":[99999]}}`, ``},
		{`{"model":"m","options":{"num\u005fctx":99999}}`, `{"model":"m","options":{"num\u005fctx":4096}}`},
		{`{"model":"m","options":{"NUM_CTX":99999}}`, ``}, // Ollama knows options in small letters only
		{`{"model":"m","options":{"num_gpu":1,"seed":2,"num_thread":3,"stop":["}"],"use_mmap":true}}`, `{"model":"m","options":{"seed":2,"stop":["}"]}}`},
		{`{"model":"m","options":{"num_gpu":1}}`, `{"model":"m","options":{}}`},
		{`{"model":"m","options":{"num\u005fgpu":1,"main_gpu":0,"num_batch":5,"low_vram":true,"f16_kv":true,"vocab_only":true,"use_mlock":true,"numa":1}}`, `{"model":"m","options":{}}`},
		{`{"model":"m","options":{"a":{"num_gpu":1,"num_ctx":99999}}}`, ``},
		{`{"model":"m","options":"num_gpu"}`, ``},
		{`{"model":"m","options":null}`, ``},
		{`{"keep_alive":1,"options":{"num_gpu":1,"num_ctx":5000},"model":"m","keep_alive":2}`, `{"options":{"num_ctx":4096},"model":"m"}`},
		{`{"num_ctx":99999,"num_gpu":1,"model":"m"}`, ``}, // these are no members of a request
	} {
		want := c.out
		if want == "" {
			want = c.in
		}
		if a := s.ask(keyAlice, "POST", "/api/generate", c.in); a.status != 200 || string(got) != want {
			t.Errorf("%s\n%d, Ollama got\n%s\nwant\n%s", c.in, a.status, got, want)
		}
		if a := s.ask(keyMara, "POST", "/api/generate", c.in); a.status != 200 || string(got) != c.in {
			t.Errorf("of a manager's request Ollama got\n%s\nand not\n%s", got, c.in)
		}
		n += 2
	}
	s.entries(n)
}

// ollama is what Ollama makes of an inference request (api/types.go), the
// options as its FromMap reads them.
type ollama struct {
	KeepAlive *json.RawMessage `json:"keep_alive"`
	Options   map[string]any   `json:"options"`
}

// rest is a document without what tame may change.
func rest(t *testing.T, body []byte) map[string]any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var document map[string]any
	if err := d.Decode(&document); err != nil {
		t.Fatalf("%q: %v", body, err)
	}
	for name := range document {
		if strings.EqualFold(name, "keep_alive") {
			delete(document, name)
		}
	}
	if options, ok := document["options"].(map[string]any); ok {
		for name := range options {
			if runnerOptions[name] || name == "num_ctx" {
				delete(options, name)
			}
		}
	}
	return document
}

// Whatever body the model check lets through: what Ollama's own decoder makes of
// what is left has no keep_alive, no option of the runner and no context beyond
// the limit, and everything else is as it was.
func FuzzTameLeavesNoSideDoor(f *testing.F) {
	for _, a := range sideDoors() {
		_, body, _ := strings.Cut(a.text, "\r\n\r\n")
		f.Add([]byte(body))
	}
	for _, seed := range []string{
		`{"options":{"num_ctx":1e5,"num_gpu":1,"num_gpu":{"x":[]},"y":[{"num_gpu":1}]},"model":"a","keep_alive":"x"}`,
		`{"model":"a","optionſ":{"num_gpu":1}}`, `{"model":"a","options":{"num_ctx":-1e5},"Keep_alive":[]}`, `{"keep_alive":1}`, `{"options":{}}`,
		" {\"\\u006beep_alive\" :\t0 ,\"model\":\"\\\"\\\\\" , \"options\" :{ \"num_ctx\" : 40000 , \"numa\":0 } }\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, ok := peekModel(body, "model"); !ok {
			return
		}
		const ceiling = 4096
		before := bytes.Clone(body)
		out, reason := tame(body, ceiling)
		if !bytes.Equal(before, body) {
			t.Fatalf("%q was changed in place to %q", before, body)
		}
		if reason != policy.Allowed {
			if out != nil {
				t.Fatalf("%q: refused with %s, and yet %q", body, reason, out)
			}
			return
		}
		if again, reason := tame(out, ceiling); reason != policy.Allowed || !bytes.Equal(again, out) {
			t.Fatalf("%q: %q is tamed again to %q, %s", body, out, again, reason)
		}
		if a, b := rest(t, body), rest(t, out); !reflect.DeepEqual(a, b) {
			t.Fatalf("%q lost more than it must: %q", body, out)
		}
		var seen ollama
		if err := json.Unmarshal(out, &seen); err != nil {
			return // Ollama refuses options of another kind
		}
		if seen.KeepAlive != nil {
			t.Fatalf("%q: Ollama sees keep_alive in %q", body, out)
		}
		for name, v := range seen.Options {
			if runnerOptions[name] {
				t.Fatalf("%q: Ollama sees %s in %q", body, name, out)
			}
			if n, ok := v.(float64); ok && name == "num_ctx" && (n > ceiling || math.IsNaN(n)) {
				t.Fatalf("%q: Ollama sees a context of %v in %q", body, n, out)
			}
		}
	})
}

// A million members must not cost a second.
func TestTamingIsNoWork(t *testing.T) {
	body := []byte(`{"model":"a","messages":"` + strings.Repeat("x", 1<<20) + `","options":{"num_ctx":100},` + strings.Repeat(`"k":1,`, 10_000) + `"z":1}`)
	if n := testing.AllocsPerRun(3, func() {
		if out, reason := tame(body, 4096); reason != policy.Allowed || len(out) != len(body) {
			t.Error("changed")
		}
	}); n > 20_100 {
		t.Errorf("%v allocations", n)
	}
}
