package standin

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestAnswersOfTheRouter(t *testing.T) {
	p := open(t, Options{})
	const text, page404, page405 = "text/plain", "404 page not found", "405 method not allowed"
	for _, c := range []struct {
		method, path string
		status       int
		contentType  string
		body         string
		header       string
	}{
		{"GET", "/", 200, "text/plain; charset=utf-8", "Ollama is running", ""},
		{"HEAD", "/", 200, "text/plain; charset=utf-8", "", ""},
		{"GET", "/api/version", 200, "application/json; charset=utf-8", `{"version":"0.17.4"}`, ""},
		{"HEAD", "/api/version", 200, "application/json; charset=utf-8", "", ""},
		{"HEAD", "/api/tags", 200, "application/json; charset=utf-8", "", ""},
		{"GET", "/api/status", 200, "application/json; charset=utf-8", `{"cloud":{"disabled":true,"source":"env"}}`, ""},
		{"GET", "/nope", 404, text, page404, ""},
		{"GET", "/API/tags", 404, text, page404, ""},
		{"GET", "/v1/models/", 301, "text/html; charset=utf-8", "", "Location: /v1/models"},
		{"GET", "/v1/models/a/b", 404, text, page404, ""},
		{"POST", "/v1/messages/count_tokens", 404, text, page404, ""},
		{"GET", "/debug/pprof/", 404, text, page404, ""},
		{"GET", "/api/chat", 405, text, page405, "Allow: POST"},
		{"POST", "/api/tags", 405, text, page405, "Allow: HEAD, GET"},
		{"HEAD", "/api/ps", 405, text, "", "Allow: GET"},
		{"GET", "/api/tags/", 301, "text/html; charset=utf-8", "", "Location: /api/tags"},
		{"POST", "/api/chat/?a=b", 307, "", "", "Location: /api/chat?a=b"},
		{"GET", "/api%2ftags", 200, "application/json; charset=utf-8", "", ""},
		{"GET", "/api/%74ags", 200, "application/json; charset=utf-8", "", ""},
		{"GET", "//api/tags", 307, "text/html; charset=utf-8", "", "Location: /api/tags"},
		{"GET", "/x/../api/tags", 307, "text/html; charset=utf-8", "", "Location: /api/tags"},
	} {
		res := p.send(t.Context(), t, c.method, c.path, nil)
		b, _ := io.ReadAll(res.Body)
		what := c.method + " " + c.path
		if res.StatusCode != c.status || res.Header.Get("Content-Type") != c.contentType {
			t.Errorf("%s: %d %s, want %d %s", what, res.StatusCode, res.Header.Get("Content-Type"), c.status, c.contentType)
		}
		if c.body != "" && string(b) != c.body {
			t.Errorf("%s: %s", what, b)
		}
		if name, value, ok := strings.Cut(c.header, ": "); ok && res.Header.Get(name) != value {
			t.Errorf("%s: %s is %q, want %q", what, name, res.Header.Get(name), value)
		}
		if res.Header.Get("Server") != "" {
			t.Errorf("%s: Ollama does not introduce itself", what)
		}
	}
}

func TestBodiesThatAreNoJSON(t *testing.T) {
	s := New(Options{})
	for _, rt := range s.routes() {
		if rt.method == http.MethodGet || rt.method == http.MethodHead || strings.HasSuffix(rt.path, "/") ||
			rt.path == "/api/me" || rt.path == "/api/signout" {
			continue
		}
		for _, body := range []string{"", "{", "nope", "[]", `"text"`, `{"model":5}`} {
			if body == `{"model":5}` && strings.Contains(rt.path, "aliases") || body == `{"model":5}` && rt.path == "/api/copy" {
				continue // these know no model
			}
			w := ask(t, s, rt.method, rt.path, body)
			if w.Code != http.StatusBadRequest {
				t.Errorf("%s %s %q: %d", rt.method, rt.path, body, w.Code)
			}
			if ct := w.Header().Get("Content-Type"); ct != "application/json; charset=utf-8" {
				t.Errorf("%s %s %q: %s", rt.method, rt.path, body, ct)
			}
			o := parse(t, w.Body.String())
			switch {
			case rt.path == "/v1/messages":
				if o["type"] != "error" || o["error"].(object)["type"] != "invalid_request_error" || o["request_id"] == "" {
					t.Errorf("%s: %v", rt.path, o)
				}
			case strings.HasPrefix(rt.path, "/v1/"):
				if e := o["error"].(object); e["type"] != "invalid_request_error" || e["message"] == "" {
					t.Errorf("%s: %v", rt.path, o)
				}
			default:
				if e, ok := o["error"].(string); !ok || body == "" && e != "missing request body" {
					t.Errorf("%s: %v", rt.path, o)
				}
			}
		}
	}
}
