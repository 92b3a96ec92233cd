package proxy

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"paddock/policy"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// What clients get to read, in the dialect of each path. The file is looked at
// when it changes: the ollama command prints "status", ollama-js and
// ollama-python "error", the OpenAI and Anthropic clients "error.message".
func TestErrorsInThreeDialects(t *testing.T) {
	s := open(t, echo)
	var b strings.Builder
	for _, c := range []struct{ name, method, text string }{
		{"no key", "GET", get("/api/tags", host)},
		{"no key, OpenAI", "POST", post("/v1/chat/completions", host, "{}")},
		{"no key, Anthropic", "POST", post("/v1/messages", host, "{}")},
		{"a wrong key", "GET", get("/api/tags", host+"x-api-key: x\r\n")},
		{"a wrong key, OpenAI", "GET", get("/v1/models", host+"x-api-key: x\r\n")},
		{"a wrong key, Anthropic", "POST", post("/v1/messages", host+"x-api-key: x\r\n", "{}")},
		{"an unknown endpoint", "GET", get("/api/x", asUser)},
		{"an unknown endpoint, OpenAI", "GET", get("/v1/x", asUser)},
		{"an unknown endpoint, Anthropic", "GET", get("/v1/messages/x", asUser)},
		{"not granted", "POST", post("/api/pull", asUser, "{}")},
		{"not granted, OpenAI", "POST", post("/v1/chat/completions", asUser, `{"model":"x:cloud"}`)},
		{"not granted, Anthropic", "POST", post("/v1/messages", asUser, `{"model":"x:cloud"}`)},
		{"a model that is not granted", "POST", post("/api/chat", asLena, `{"model":"secret"}`)},
		{"a model that is not granted, OpenAI", "POST", post("/v1/chat/completions", asLena, `{"model":"secret"}`)},
		{"a model that is not granted, Anthropic", "POST", post("/v1/messages", asLena, `{"model":"secret"}`)},
		{"no name of a model, OpenAI", "POST", post("/v1/embeddings", asUser, `{"model":"a b"}`)},
		{"a model thrown out", "POST", post("/api/generate", asUser, `{"model":"llama3","keep_alive":0}`)},
		{"a key in the address, OpenAI", "GET", get("/k/"+keyAlice+"/v1/models", host)},
		{"a key in the address, Anthropic", "POST", post("/k/"+keyUnknown+"/v1/messages", host, "{}")},
		{"an ambiguous head", "GET", "GET /api/tags HTTP/1.1\n" + asUser + "\r\n"},
		{"a website, OpenAI", "GET", get("/v1/models", asUser+"Origin: https://evil.example\r\n")},
		{"a bad body, Anthropic", "POST", post("/v1/messages", asUser, `{`)},
		{"too large, OpenAI", "POST", "POST /v1/chat/completions HTTP/1.1\r\n" + asUser + "Content-Length: 99999999\r\n\r\n"},
		{"too large, Anthropic", "POST", "POST /v1/messages HTTP/1.1\r\n" + asUser + "Content-Length: 99999999\r\n\r\n"},
	} {
		got := s.send(c.method, c.text)
		var any map[string]any
		if err := json.Unmarshal([]byte(got.body), &any); err != nil {
			t.Errorf("%s: %v in %q", c.name, err, got.body)
		}
		if v := got.header.Get("Content-Type"); v != "application/json; charset=utf-8" {
			t.Errorf("%s: %s", c.name, v)
		}
		if v := got.header.Get("Cache-Control"); v != "no-store" {
			t.Errorf("%s: Cache-Control %q", c.name, v)
		}
		fmt.Fprintf(&b, "# %s\n%d %s\n\n", c.name, got.status, strings.ReplaceAll(got.body, got.header.Get("X-Request-Id"), "REQUESTID"))
	}
	golden := filepath.Join("testdata", "errors.golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestTypesOfErrors(t *testing.T) {
	for _, r := range policy.Reasons() {
		if r == policy.Allowed {
			continue
		}
		if openAIType(r.Status()) == "" || anthropicType(r.Status()) == "" || code(r) == "" {
			t.Errorf("%s lacks a type", r)
		}
	}
	for status, want := range map[int]string{401: "authentication_error", 403: "permission_error", 404: "not_found_error", 413: "request_too_large", 400: "invalid_request_error", 502: "api_error", 503: "overloaded_error"} {
		if got := anthropicType(status); got != want {
			t.Errorf("%d is %s for Anthropic's clients", status, got)
		}
	}
}
