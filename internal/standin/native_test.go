package standin

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var nativeMetrics = []string{"total_duration", "load_duration", "prompt_eval_count", "prompt_eval_duration", "eval_count", "eval_duration"}

var hello = []object{{"role": "user", "content": "hello there"}}

func TestNativeStreams(t *testing.T) {
	p := open(t, Options{Reply: "one two three"})
	for _, c := range []struct {
		name, path string
		body       object
		words      []string
		reason     string
	}{
		{"generate", "/api/generate", object{"model": "demo", "prompt": "hello there"}, []string{"one", " two", " three"}, "stop"},
		{"chat", "/api/chat", object{"model": "demo", "messages": hello}, []string{"one", " two", " three"}, "stop"},
		{"a limit", "/api/chat", object{"model": "demo", "messages": hello, "options": object{"num_predict": 2}}, []string{"one", " two"}, "length"},
		{"a limit of none", "/api/chat", object{"model": "demo", "messages": hello, "options": object{"num_predict": -1}}, []string{"one", " two", " three"}, "stop"},
		{"a text that ends it", "/api/generate", object{"model": "demo", "prompt": "x y", "options": object{"stop": []string{" three"}}}, []string{"one", " two"}, "stop"},
		{"another spelling", "/api/generate", object{"MODEL": "Library/DEMO", "prompt": "x y"}, []string{"one", " two", " three"}, "stop"},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := p.send(t.Context(), t, "POST", c.path, c.body)
			b, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != 200 || res.Header.Get("Content-Type") != "application/x-ndjson" || res.ContentLength != -1 {
				t.Fatalf("%v %v %v", err, res.Status, res.Header)
			}
			all := objects(t, string(b))
			last := all[len(all)-1]
			if len(all) != len(c.words)+1 {
				t.Fatalf("%d lines", len(all))
			}
			for i, w := range append(c.words, "") {
				if textIn(all[i]) != w || all[i]["done"] != (i == len(c.words)) {
					t.Errorf("line %d: %v", i, all[i])
				}
			}
			if last["done_reason"] != c.reason || last["prompt_eval_count"] != 2.0 || last["eval_count"] != float64(len(c.words)) {
				t.Errorf("last line: %v", last)
			}
			for _, m := range nativeMetrics {
				if v, _ := last[m].(float64); v <= 0 {
					t.Errorf("%s is %v", m, last[m])
				}
				if all[0][m] != nil {
					t.Errorf("%s in the first line", m)
				}
			}
			if _, err := time.Parse(time.RFC3339Nano, last["created_at"].(string)); err != nil {
				t.Error(err)
			}
			if _, ok := last["context"]; ok != (c.path == "/api/generate") {
				t.Errorf("context: %v", last["context"])
			}
		})
	}
}

func textIn(o object) any {
	if m, ok := o["message"].(object); ok {
		return m["content"]
	}
	return o["response"]
}

func TestNativeWhole(t *testing.T) {
	p := open(t, Options{Reply: "one two three"})
	for path, body := range map[string]object{
		"/api/generate": {"model": "demo", "prompt": "x", "stream": false},
		"/api/chat":     {"model": "demo", "messages": hello, "stream": false},
	} {
		res := p.send(t.Context(), t, "POST", path, body)
		b, _ := io.ReadAll(res.Body)
		if res.ContentLength != int64(len(b)) || res.Header.Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("%s: %d %v", path, res.ContentLength, res.Header)
		}
		o := parse(t, string(b))
		if textIn(o) != "one two three" || o["done"] != true || o["done_reason"] != "stop" || o["eval_count"] != 3.0 {
			t.Errorf("%s: %s", path, b)
		}
	}
}

func TestNativeRefusals(t *testing.T) {
	s := New(Options{})
	for _, c := range []struct {
		path   string
		body   object
		status int
		error  string
	}{
		{"/api/generate", object{"model": "nope", "prompt": "x"}, 404, "model 'nope' not found"},
		{"/api/generate", object{"model": "", "prompt": "x"}, 404, "model '' not found"},
		{"/api/generate", object{"model": "demo:", "prompt": "x"}, 404, "model 'demo:' not found"},
		{"/api/generate", object{"model": "demo", "prompt": "x", "raw": true, "system": "y"}, 400, "raw mode does not support template, system, or context"},
		{"/api/generate", object{"model": "demo", "prompt": "x", "think": true}, 400, `"demo" does not support thinking`},
		{"/api/generate", object{"model": "demo", "prompt": "x", "think": "high"}, 400, `think value "high" is not supported for this model`},
		{"/api/generate", object{"model": "demo", "prompt": "x", "options": object{"num_predict": "9"}}, 500, `option "num_predict" must be of type integer`},
		{"/api/generate", object{"model": "demo", "prompt": "x", "options": object{"stop": "9"}}, 500, `option "stop" must be of type array`},
		{"/api/generate", object{"model": "demo", "prompt": "x", "keep_alive": "soon"}, 400, `time: invalid duration "soon"`},
		{"/api/chat", object{"model": "nope", "messages": hello}, 404, "model 'nope' not found"},
		{"/api/chat", object{"model": "", "messages": hello}, 400, "model is required"},
		{"/api/chat", object{"model": " demo", "messages": hello}, 400, "model is required"},
		{"/api/show", object{"model": "nope"}, 404, "model 'nope' not found"},
		{"/api/show", object{}, 400, "model is required"},
		{"/api/show", object{"name": "@"}, 500, "unqualified name: registry.ollama.ai/library/@:latest"},
	} {
		w := ask(t, s, "POST", c.path, c.body)
		if got := parse(t, w.Body.String())["error"]; w.Code != c.status || got != c.error {
			t.Errorf("%s %v: %d %v", c.path, c.body, w.Code, got)
		}
	}
	if s.Active() != 0 || s.Cancelled() != 0 {
		t.Errorf("a refusal is no generation: %d %d", s.Active(), s.Cancelled())
	}
}

func TestLoadedModelsComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Models: []string{"a", "b"}, Reply: "hi"})
		running := func() (names []string) {
			for _, m := range parse(t, ask(t, s, "GET", "/api/ps", nil).Body.String())["models"].([]any) {
				names = append(names, m.(object)["name"].(string))
			}
			return names
		}
		expect := func(when string, want ...string) {
			t.Helper()
			if got := running(); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: %v, want %v", when, got, want)
			}
		}
		expect("at first")
		w := ask(t, s, "POST", "/api/generate", object{"model": "A"})
		if o := parse(t, w.Body.String()); o["done_reason"] != "load" || o["model"] != "A" || w.Header().Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("load: %s", w.Body)
		}
		expect("after an empty prompt", "a:latest")
		ask(t, s, "POST", "/api/chat", object{"model": "b", "messages": hello, "keep_alive": "1h"})
		expect("the longest stays on top", "b:latest", "a:latest")
		w = ask(t, s, "POST", "/api/chat", object{"model": "b", "keep_alive": 0})
		if o := parse(t, w.Body.String()); o["done_reason"] != "unload" {
			t.Errorf("unload: %s", w.Body)
		}
		expect("after unloading", "a:latest")
		ask(t, s, "POST", "/api/generate", object{"model": "b", "prompt": "x", "keep_alive": -1})
		time.Sleep(200 * 24 * time.Hour)
		expect("much later", "b:latest")
		ask(t, s, "POST", "/api/generate", object{"model": "b", "prompt": "x", "keep_alive": "0s"})
		expect("after an answer with keep_alive 0")
	})
}

func TestWhatIsToldAboutModels(t *testing.T) {
	s := New(Options{Models: []string{"demo", "me/other:7b", "host.lan:80/x/y", "bad name"}})
	listed := parse(t, ask(t, s, "GET", "/api/tags", nil).Body.String())["models"].([]any)
	var names []any
	for _, m := range listed {
		o := m.(object)
		names = append(names, o["name"])
		if o["name"] != o["model"] || len(o["digest"].(string)) != 64 || o["size"].(float64) <= 0 || o["modified_at"] == "" {
			t.Errorf("%v", o)
		}
		for _, k := range []string{"parent_model", "format", "family", "families", "parameter_size", "quantization_level"} {
			if _, ok := o["details"].(object)[k]; !ok {
				t.Errorf("no %s", k)
			}
		}
	}
	if fmt.Sprint(names) != "[demo:latest me/other:7b host.lan:80/x/y:latest]" {
		t.Errorf("%v", names)
	}

	ask(t, s, "POST", "/api/embed", object{"model": "demo", "input": "x"})
	o := parse(t, ask(t, s, "GET", "/api/ps", nil).Body.String())["models"].([]any)[0].(object)
	if o["context_length"] != 4096.0 || o["size_vram"] != 0.0 {
		t.Errorf("%v", o)
	}
	if at, err := time.Parse(time.RFC3339Nano, o["expires_at"].(string)); err != nil || time.Until(at) < 4*time.Minute {
		t.Errorf("expires %v", o["expires_at"])
	}

	for _, body := range []object{{"model": "demo"}, {"name": "DEMO:latest"}} {
		w := ask(t, s, "POST", "/api/show", body)
		o := parse(t, w.Body.String())
		if w.Code != http.StatusOK || o["model_info"].(object)["general.architecture"] != "demo" || fmt.Sprint(o["capabilities"]) != "[completion tools]" {
			t.Errorf("%s", w.Body)
		}
		if !strings.Contains(o["modelfile"].(string), "FROM demo:latest") {
			t.Errorf("%s", o["modelfile"])
		}
	}
}

func TestListIsEmptyAndNotNull(t *testing.T) {
	s := New(Options{})
	ask(t, s, "DELETE", "/api/delete", object{"model": "demo"})
	if got := ask(t, s, "GET", "/api/tags", nil).Body.String(); got != `{"models":[]}` {
		t.Error(got)
	}
}
