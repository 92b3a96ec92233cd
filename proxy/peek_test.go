package proxy

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"paddock/policy"
)

func TestPeekModel(t *testing.T) {
	for _, c := range []struct {
		body, names, model string
		ok                 bool
	}{
		{`{"model":"a"}`, "model", "a", true},
		{" \r\n\t{ \"model\" :\t\"a\" , \"x\" : [1, {\"y\":\"}\"}] } \n", "model", "a", true},
		{`{}`, "model", "", true},
		{`{"x":1}`, "model", "", true},
		{`{"model":""}`, "model", "", true},
		{`{"model":null}`, "model", "", true},
		{`{"x":"\"model\":\"b\"","model":"a"}`, "model", "a", true},
		{`{"x":"\\","model":"a"}`, "model", "a", true},
		{`{"x":{"model":"b"},"model":"a"}`, "model", "a", true},
		{`{"x":[{"model":"b"}],"model":"a","y":true,"z":-1.5e3}`, "model", "a", true},
		{`{"mod\u0065l":"a"}`, "model", "a", true},
		{`{"model":"\u0061\/b"}`, "model", "a/b", true},
		{`{"modell":"b","model":"a","mode":"c"}`, "model", "a", true},
		{`{"name":"a"}`, "model,name", "a", true},
		{`{"name":"a","model":"a"}`, "model,name", "a", true},
		{`{"name":"","model":"a"}`, "model,name", "a", true},
		{`{"name":"b","model":"a"}`, "model,name", "", false},
		{`{"name":"a","name":"a"}`, "model,name", "", false},
		{`{"name":"b","model":"a"}`, "model", "a", true},
		{`{"source":"a","destination":"b"}`, "", "", true},
		{`{"ſource":"a"}`, "source", "", false},
		{`{"sourc\u0045":"a"}`, "source", "", false},
		{`{"MODEL":"a"}`, "model", "", false},
		{`{"model":"a","model":"a"}`, "model", "", false},
		{`{"model":"a","m\u006fdel":"b"}`, "model", "", false},
		{`{"model":{"a":1}}`, "model", "", false},
		{`{"model":true}`, "model", "", false},
		{"{\"model\":\"a\ufffd\"}", "model", "", false},
		{`{"model":"\udc00"}`, "model", "", false},
		{`{"model":"\ud83d\ude00"}`, "model", "😀", true},
		{``, "model", "", false},
		{`{`, "model", "", false},
		{`{"model"`, "model", "", false},
		{`{"model":`, "model", "", false},
		{`{"model":"a"`, "model", "", false},
		{`"a"`, "model", "", false},
	} {
		if model, ok := peekModel([]byte(c.body), c.names); model != c.model || ok != c.ok {
			t.Errorf("%s (%s): %q %v, want %q %v", c.body, c.names, model, ok, c.model, c.ok)
		}
	}
}

// A million members must not cost a second: each once cost an allocation.
func TestPeekDoesNotAllocatePerMember(t *testing.T) {
	body := []byte(`{` + strings.Repeat(`"k":1,`, 100_000) + `"model":"a"}`)
	if n := testing.AllocsPerRun(3, func() {
		if m, ok := peekModel(body, "model"); !ok || m != "a" {
			t.Error("not found")
		}
	}); n > 20 {
		t.Errorf("%v allocations", n)
	}
}

// The model the gate judged is the model Ollama sees, by both of its readings:
// exact names with the last of equal ones winning (the middleware of /v1), and
// encoding/json into a struct, which ignores case (the handlers).
func FuzzPeekSeesWhatOllamaSees(f *testing.F) {
	for _, a := range endpointsAndModels() {
		if _, body, ok := strings.Cut(a.text, "\r\n\r\n"); ok && len(body) < 500 {
			f.Add([]byte(body))
		}
	}
	f.Add([]byte(`{"model":"a","ſ":1,"\u017f":"x","K":2}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		model, ok := peekModel(body, "model")
		both, okBoth := peekModel(body, "model,name")
		if ok {
			exact, folded := readings(t, body)
			if model != exact || model != folded.Model {
				t.Fatalf("%q: the gate saw %q, Ollama %q and %q", body, model, exact, folded.Model)
			}
		}
		if okBoth {
			_, folded := readings(t, body)
			seen := folded.Model
			if seen == "" {
				seen = folded.Name
			}
			if both != seen {
				t.Fatalf("%q: the gate saw %q, Ollama %q", body, both, seen)
			}
			if !ok {
				t.Fatalf("%q: passes with a name and not without", body)
			}
		}
	})
}

type folded struct {
	Model string `json:"model"`
	Name  string `json:"name"`
}

func readings(t *testing.T, body []byte) (exact string, f folded) {
	t.Helper()
	if !utf8.Valid(body) {
		t.Fatalf("%q is not UTF-8 and passed", body)
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatalf("%q passed: %v", body, err)
	}
	if raw, ok := m["model"]; ok {
		_ = json.Unmarshal(raw, &exact)
	}
	// As a handler decodes: the first value, whatever stands behind it.
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&f); err != nil {
		if name, ok := m["name"]; ok && len(name) > 0 && name[0] != '"' {
			return exact, folded{Model: f.Model} // a name of another kind: such a handler refuses the body
		}
		for k, v := range m {
			if strings.EqualFold(k, "name") && len(v) > 0 && v[0] != '"' {
				return exact, folded{Model: f.Model}
			}
		}
		t.Fatalf("%q passed: %v", body, err)
	}
	return exact, f
}

func FuzzPeekForm(f *testing.F) {
	for _, parts := range []string{"whisper", "whisper=3Acloud"} {
		_, body := form(field("model", parts), field("language", "de"))
		f.Add(body)
	}
	f.Add("--x\r\nContent-Disposition: form-data; name=\"model\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na=3Acloud\r\n--x--\r\n")
	f.Add("--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\na\r\n--x--\r\n")
	f.Fuzz(func(t *testing.T, body string) {
		const kind = "multipart/form-data; boundary=x"
		model, ok := peekForm([]byte(body), kind)
		if !ok {
			return
		}
		want, err := formModel(body, kind)
		if err == nil && want != model {
			t.Fatalf("%q: the gate saw %q, Ollama %q", body, model, want)
		}
	})
}

func FuzzCredential(f *testing.F) {
	for _, a := range credentials() {
		for line := range strings.SplitSeq(a.text, "\r\n") {
			if v, ok := strings.CutPrefix(line, "Authorization: "); ok {
				f.Add(v, "")
				f.Add(v, keyAlice)
			}
		}
	}
	f.Fuzz(func(t *testing.T, auth, key string) {
		h := map[string][]string{}
		if auth != "" {
			h["Authorization"] = []string{auth}
		}
		if key != "" {
			h["X-Api-Key"] = []string{key}
		}
		got, kind := credential(h)
		if (got != "") != (kind == policy.CredentialOne) || len(got) > maxCredential {
			t.Fatalf("%q of kind %d", got, kind)
		}
		if key != "" && kind == policy.CredentialOne && got != key {
			t.Fatalf("x-api-key %q was passed over for %q", key, got)
		}
	})
}

func TestShownHidesKeys(t *testing.T) {
	for in, want := range map[string]string{
		"":                        "",
		"/api/chat":               "/api/chat",
		"/k/" + keyAlice + "/api": "/k/pdk_…/api",
		keyAlice:                  "pdk_…",
		keyAlice + "," + keyMara:  "pdk_…,pdk_…",
		"pdk_7Qm":                 "pdk_7Qm", // a hint
		"pdk_pdk_AAAAAAAA":        "pdk_pdk_…",
		strings.Repeat("x", 300):  strings.Repeat("x", 197) + "…",
		"/" + strings.Repeat("y", 190) + keyAlice: "/" + strings.Repeat("y", 190) + "pdk_…",
		"a\x1b[2J": `a\x1b[2J`,
	} {
		if got := shown(in, 200); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestProgram(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "ollama/0.17.4 (amd64 linux) Go/go1.24": "ollama", "ollama-python/0.4 (x) Python/3.11": "ollama-python", "OpenAI/JS 6.49.0": "OpenAI JS",
		"Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36": "Chrome", "MyTool/1.0 x": "MyTool", "bare": "bare",
		"Python/3.11 aiohttp/3.9": "aiohttp", keyAlice: "pdk_…", "\x1b[31m/1": `\x1b[31m`,
	} {
		if got := program(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
