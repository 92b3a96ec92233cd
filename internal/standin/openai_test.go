package standin

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestOpenAIStreams(t *testing.T) {
	p := open(t, Options{Reply: "one two three"})
	for _, c := range []struct {
		name, path string
		body       object
		words      []string
		reason     string
		usage      bool
	}{
		{"chat", "/v1/chat/completions", object{"messages": hello}, []string{"one", " two", " three"}, "stop", false},
		{"chat with usage", "/v1/chat/completions", object{"messages": hello, "stream_options": object{"include_usage": true}}, []string{"one", " two", " three"}, "stop", true},
		{"chat with a limit", "/v1/chat/completions", object{"messages": hello, "max_tokens": 1}, []string{"one"}, "length", false},
		{"chat with parts", "/v1/chat/completions", object{"messages": []object{{"role": "user", "content": []object{{"type": "text", "text": "x"}}}}, "stop": " two"}, []string{"one"}, "stop", false},
		{"completion", "/v1/completions", object{"prompt": "hello there"}, []string{"one", " two", " three"}, "stop", false},
		{"completion with usage", "/v1/completions", object{"prompt": "hello there", "stream_options": object{"include_usage": true}}, []string{"one", " two", " three"}, "stop", true},
		{"completion of nothing", "/v1/completions", object{"prompt": ""}, nil, "load", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.body["model"], c.body["stream"] = "demo", true
			res := p.send(t.Context(), t, "POST", c.path, c.body)
			b, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
				t.Fatalf("%v %v %v", err, res.Status, res.Header)
			}
			all := events(t, string(b))
			if all[len(all)-1].data != "[DONE]" {
				t.Fatalf("ends with %v", all[len(all)-1])
			}
			all = all[:len(all)-1]
			if c.usage {
				last := parse(t, all[len(all)-1].data)
				if fmt.Sprint(last["choices"]) != "[]" || last["usage"].(object)["total_tokens"] != 5.0 {
					t.Errorf("usage: %v", last)
				}
				all = all[:len(all)-1]
			}
			for i, e := range all {
				o := parse(t, e.data)
				choice := o["choices"].([]any)[0].(object)
				text := choice["text"]
				if d, ok := choice["delta"].(object); ok {
					text = d["content"]
				}
				want, reason := "", any(c.reason)
				if i < len(c.words) {
					want, reason = c.words[i], nil
				}
				if text != want || choice["finish_reason"] != reason || o["system_fingerprint"] != "fp_ollama" || o["model"] != "demo" {
					t.Errorf("event %d: %s", i, e.data)
				}
				if _, has := o["usage"]; has != (c.usage && c.path == "/v1/completions") {
					t.Errorf("usage in event %d: %s", i, e.data)
				}
			}
			if len(all) != len(c.words)+1 {
				t.Errorf("%d events", len(all))
			}
		})
	}
}

func TestOpenAIWhole(t *testing.T) {
	s := New(Options{Reply: "one two"})
	w := ask(t, s, "POST", "/v1/chat/completions", object{"model": "demo", "messages": hello})
	o := parse(t, w.Body.String())
	if c := o["choices"].([]any)[0].(object); c["message"].(object)["content"] != "one two" || c["finish_reason"] != "stop" || o["object"] != "chat.completion" {
		t.Errorf("%s", w.Body)
	}
	if u := o["usage"].(object); u["prompt_tokens"] != 2.0 || u["completion_tokens"] != 2.0 || u["total_tokens"] != 4.0 {
		t.Errorf("%v", u)
	}
	if ct := w.Header().Get("Content-Type"); ct != "application/json" {
		t.Error(ct)
	}
	w = ask(t, s, "POST", "/v1/completions", object{"model": "demo", "prompt": "x"})
	if c := parse(t, w.Body.String())["choices"].([]any)[0].(object); c["text"] != "one two" {
		t.Errorf("%s", w.Body)
	}
}

func TestOpenAIRefusals(t *testing.T) {
	s := New(Options{})
	for _, c := range []struct {
		method, path string
		body         object
		status       int
		kind         string
		message      string
	}{
		{"POST", "/v1/chat/completions", object{"model": "nope", "messages": hello}, 404, "api_error", "model 'nope' not found"},
		{"POST", "/v1/chat/completions", object{"model": "nope", "messages": hello, "stream": true}, 404, "api_error", "model 'nope' not found"},
		{"POST", "/v1/chat/completions", object{"model": "demo"}, 400, "invalid_request_error", "[] is too short - 'messages'"},
		{"POST", "/v1/chat/completions", object{"model": "demo", "messages": []object{{"role": "user", "content": 5}}}, 400, "invalid_request_error", "invalid message content type: float64"},
		{"POST", "/v1/chat/completions", object{"model": "demo", "messages": []object{{"role": "user", "content": []object{{"type": "image_url", "image_url": object{"url": "http://x/y.png"}}}}}}, 400, "invalid_request_error", "image URLs are not currently supported, please use base64 encoded data instead"},
		{"POST", "/v1/chat/completions", object{"model": "demo", "messages": hello, "reasoning_effort": "low"}, 400, "api_error", `"demo" does not support thinking`},
		{"POST", "/v1/completions", object{"model": "nope", "prompt": "x"}, 404, "api_error", "model 'nope' not found"},
		{"POST", "/v1/embeddings", object{"model": "nope", "input": "x"}, 404, "api_error", `model "nope" not found, try pulling it first`},
		{"POST", "/v1/embeddings", object{"model": "demo"}, 400, "invalid_request_error", "invalid input"},
		{"POST", "/v1/embeddings", object{"model": "demo", "input": []int{1}}, 400, "api_error", "invalid input type"},
		{"POST", "/v1/embeddings", object{"model": "demo", "input": "x", "encoding_format": "hex"}, 400, "invalid_request_error", "Invalid value for 'encoding_format' = hex. Supported values: ['float', 'base64']."},
		{"POST", "/v1/images/generations", object{"model": "demo"}, 400, "invalid_request_error", "prompt is required"},
		{"POST", "/v1/images/edits", object{"model": "demo", "prompt": "x"}, 400, "invalid_request_error", "image is required"},
		{"POST", "/v1/responses", object{"model": "nope", "input": "x", "stream": true}, 404, "api_error", "model 'nope' not found"},
		{"POST", "/v1/responses", object{"model": "demo", "input": []object{{"type": "zz"}}}, 400, "invalid_request_error", "input[0]: unknown input item type: zz"},
		{"GET", "/v1/models/nope", nil, 404, "api_error", "model 'nope' not found"},
	} {
		w := ask(t, s, c.method, c.path, c.body)
		e := parse(t, w.Body.String())["error"].(object)
		if w.Code != c.status || e["type"] != c.kind || e["message"] != c.message {
			t.Errorf("%s %v: %d %v", c.path, c.body, w.Code, e)
		}
		for _, k := range []string{"param", "code"} {
			if v, ok := e[k]; !ok || v != nil {
				t.Errorf("%s is %v", k, v)
			}
		}
		if !strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
			t.Errorf("%s: %s", c.path, w.Header().Get("Content-Type"))
		}
	}
}

func TestOpenAIModels(t *testing.T) {
	s := New(Options{Models: []string{"demo", "me/x"}})
	o := parse(t, ask(t, s, "GET", "/v1/models", nil).Body.String())
	data := o["data"].([]any)
	if o["object"] != "list" || len(data) != 2 || data[0].(object)["id"] != "demo:latest" || data[0].(object)["owned_by"] != "library" || data[1].(object)["owned_by"] != "me" {
		t.Errorf("%v", o)
	}
	if o := parse(t, ask(t, s, "GET", "/v1/models/Demo", nil).Body.String()); o["id"] != "Demo" || o["object"] != "model" {
		t.Errorf("%v", o)
	}
}

func TestEmbeddings(t *testing.T) {
	s := New(Options{})
	o := parse(t, ask(t, s, "POST", "/api/embed", object{"model": "demo", "input": []string{"a b", "c"}, "dimensions": 8}).Body.String())
	list := o["embeddings"].([]any)
	if len(list) != 2 || len(list[0].([]any)) != 8 || o["prompt_eval_count"] != 3.0 || o["total_duration"] == nil {
		t.Errorf("%v", o)
	}
	var square float64
	for _, x := range list[0].([]any) {
		square += x.(float64) * x.(float64)
	}
	if square < 0.999 || square > 1.001 {
		t.Errorf("length %v", square)
	}
	again := parse(t, ask(t, s, "POST", "/api/embed", object{"model": "demo", "input": "a b", "dimensions": 8}).Body.String())
	if fmt.Sprint(again["embeddings"].([]any)[0]) != fmt.Sprint(list[0]) || fmt.Sprint(list[0]) == fmt.Sprint(list[1]) {
		t.Error("a text and its vector do not belong together")
	}
	for body, want := range map[string]string{
		`{"model":"demo"}`:                 `{"model":"demo","embeddings":[]}`,
		`{"model":"nope"}`:                 `{"error":"model \"nope\" not found, try pulling it first"}`,
		`{"model":"demo","input":[1]}`:     `{"error":"invalid input type"}`,
		`{"model":"demo","input":{"a":1}}`: `{"error":"invalid input type"}`,
	} {
		if got := ask(t, s, "POST", "/api/embed", body).Body.String(); got != want {
			t.Errorf("%s: %s", body, got)
		}
	}

	old := parse(t, ask(t, s, "POST", "/api/embeddings", object{"model": "demo", "prompt": "x"}).Body.String())
	if len(old) != 1 || len(old["embedding"].([]any)) != embeddingLength {
		t.Errorf("%v", old)
	}
	for body, want := range map[string]string{
		`{"model":"demo"}`: `{"embedding":[]}`,
		`{"model":""}`:     `{"error":"model is required"}`,
	} {
		if got := ask(t, s, "POST", "/api/embeddings", body).Body.String(); got != want {
			t.Errorf("%s: %s", body, got)
		}
	}

	for format, check := range map[string]func(any) bool{
		"float": func(e any) bool { l, ok := e.([]any); return ok && len(l) == embeddingLength },
		"base64": func(e any) bool {
			b, err := base64.StdEncoding.DecodeString(e.(string))
			return err == nil && len(b) == 4*embeddingLength
		},
	} {
		w := ask(t, s, "POST", "/v1/embeddings", object{"model": "demo", "input": "x", "encoding_format": format})
		o := parse(t, w.Body.String())
		if !check(o["data"].([]any)[0].(object)["embedding"]) || o["usage"].(object)["prompt_tokens"] != 1.0 {
			t.Errorf("%s: %s", format, w.Body)
		}
	}
	if w := ask(t, s, "POST", "/v1/images/generations", object{"model": "demo", "prompt": "x"}); w.Code != http.StatusOK || w.Body.Len() > 0 {
		t.Errorf("images: %d %s", w.Code, w.Body)
	}
}
