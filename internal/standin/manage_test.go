package standin

import (
	"fmt"
	"strings"
	"testing"
)

// names lists what the stand-in has.
func names(s *Server) string {
	var all []string
	for _, m := range s.store.list() {
		all = append(all, m.name.short())
	}
	return strings.Join(all, " ")
}

func statuses(t *testing.T, text string) string {
	t.Helper()
	var all []string
	for _, o := range objects(t, text) {
		if e, ok := o["error"].(string); ok {
			all = append(all, "error: "+e)
			continue
		}
		all = append(all, o["status"].(string))
	}
	return strings.Join(all, "; ")
}

func TestPullAddsTheModel(t *testing.T) {
	s := New(Options{})
	w := ask(t, s, "POST", "/api/pull", object{"model": "llama"})
	if got := w.Header().Get("Content-Type"); got != "application/x-ndjson" {
		t.Error(got)
	}
	all := objects(t, w.Body.String())
	if all[0]["status"] != "pulling manifest" || all[3]["completed"] != all[3]["total"] || all[len(all)-1]["status"] != "success" {
		t.Errorf("%v", all)
	}
	if !strings.Contains(names(s), "llama:latest") {
		t.Error(names(s))
	}
	if got := ask(t, s, "POST", "/api/pull", object{"name": "other:7b", "stream": false}).Body.String(); got != `{"status":"success"}` {
		t.Error(got)
	}
	if w := ask(t, s, "POST", "/api/pull", object{"name": "@"}); w.Code != 400 || w.Body.String() != `{"error":"invalid model name"}` {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := ask(t, s, "POST", "/api/generate", object{"model": "llama", "prompt": "x"}); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestManagingModels(t *testing.T) {
	s := New(Options{})
	for _, c := range []struct {
		method, path string
		body         any
		status       int
		answer       string
		then         string
	}{
		{"POST", "/api/copy", object{"source": "DEMO", "destination": "two"}, 200, "", "two:latest demo:latest"},
		{"POST", "/api/copy", object{"source": "nope", "destination": "x"}, 404, `{"error":"model \"nope\" not found"}`, ""},
		{"POST", "/api/copy", object{"source": "", "destination": "x"}, 400, `{"error":"source \"\" is invalid"}`, ""},
		{"POST", "/api/copy", object{"source": "demo", "destination": "@"}, 400, `{"error":"destination \"@\" is invalid"}`, ""},
		{"DELETE", "/api/delete", object{"name": "Two:Latest"}, 200, "", "demo:latest"},
		{"DELETE", "/api/delete", object{"model": "two"}, 404, `{"error":"model 'two' not found"}`, ""},
		{"DELETE", "/api/delete", object{}, 400, `{"error":"name \"\" is invalid"}`, ""},
		{"POST", "/api/create", object{"model": "mine", "from": "demo", "system": "hey", "stream": false}, 200, `{"status":"success"}`, "mine:latest demo:latest"},
		{"POST", "/api/create", object{"model": "x"}, 400, `{"error":"neither 'from' or 'files' was specified"}`, ""},
		{"POST", "/api/create", object{"model": "@"}, 400, `{"error":"invalid model name"}`, ""},
		{"POST", "/api/create", object{"model": "x", "files": object{"/etc/x": "sha256:0"}}, 400, `{"error":"file path must be relative"}`, ""},
		{"POST", "/api/create", object{"model": "x", "files": object{"x": "sha256:0"}}, 400, `{"error":"blob \"sha256:0\" not found"}`, ""},
		{"POST", "/api/create", object{"model": "x", "from": "nope", "stream": false}, 500, `{"error":"pull model manifest: file does not exist"}`, ""},
		{"POST", "/api/push", object{}, 400, `{"error":"model is required"}`, ""},
		{"POST", "/api/push", object{"model": "demo", "stream": false}, 200, `{"status":"success"}`, ""},
		{"POST", "/api/me", nil, 401, `{"error":"unauthorized"}`, ""},
		{"POST", "/api/signout", nil, 401, `{"error":"you are not currently signed in"}`, ""},
		{"DELETE", "/api/user/keys/abc", nil, 401, `{"error":"you are not currently signed in"}`, ""},
	} {
		w := ask(t, s, c.method, c.path, c.body)
		if w.Code != c.status || w.Body.String() != c.answer {
			t.Errorf("%s %s %v: %d %s", c.method, c.path, c.body, w.Code, w.Body)
		}
		if c.then != "" && names(s) != c.then {
			t.Errorf("%s %s %v: then there is %s", c.method, c.path, c.body, names(s))
		}
	}
	if got := parse(t, ask(t, s, "POST", "/api/show", object{"model": "mine"}).Body.String())["system"]; got != "hey" {
		t.Errorf("system: %v", got)
	}
	if got := statuses(t, ask(t, s, "POST", "/api/push", object{"model": "nope"}).Body.String()); got != "retrieving manifest; couldn't retrieve manifest; error: file does not exist" {
		t.Error(got)
	}
	if got := statuses(t, ask(t, s, "POST", "/api/create", object{"model": "x", "from": "demo"}).Body.String()); !strings.HasSuffix(got, "; writing manifest; success") {
		t.Error(got)
	}
}

func TestBlobs(t *testing.T) {
	s := New(Options{})
	const digest = "sha256:18ac3e7343f016890c510e93f935261169d9e3f565436429830faf0934f4f8e4" // of "d"
	other := "sha256:" + strings.Repeat("0", 64)
	for _, c := range []struct {
		method, digest, body string
		status               int
	}{
		{"HEAD", digest, "", 404},
		{"HEAD", "nonsense", "", 400},
		{"POST", "nonsense", "d", 400},
		{"POST", other, "d", 400},
		{"HEAD", other, "", 404},
		{"POST", digest, "d", 201},
		{"POST", digest, "d", 200},
		{"HEAD", strings.Replace(digest, ":", "-", 1), "", 200},
	} {
		if w := ask(t, s, c.method, "/api/blobs/"+c.digest, c.body); w.Code != c.status {
			t.Errorf("%s %s: %d, want %d", c.method, c.digest, w.Code, c.status)
		}
	}
	w := ask(t, s, "POST", "/api/create", object{"model": "built", "files": object{"m.gguf": digest}})
	if got := statuses(t, w.Body.String()); got != "parsing GGUF; writing manifest; success" || !strings.Contains(names(s), "built:latest") {
		t.Errorf("%s, then %s", got, names(s))
	}
}

func TestAliases(t *testing.T) {
	s := New(Options{})
	for i, c := range []struct {
		method string
		body   object
		want   string
	}{
		{"GET", nil, `200 {"aliases":[]}`},
		{"POST", object{"alias": "a", "target": "demo"}, `200 {"alias":"a","target":"demo"}`},
		{"POST", object{"alias": "A", "target": "other"}, `200 {"alias":"A","target":"other"}`},
		{"GET", nil, `200 {"aliases":[{"alias":"A","target":"other"}]}`},
		{"POST", object{"alias": "a"}, `400 {"error":"alias and target are required"}`},
		{"POST", object{"alias": "a", "target": "@"}, `400 {"error":"target \"@\" is invalid"}`},
		{"POST", object{"alias": "@", "target": "demo"}, `400 {"error":"alias \"@\" is invalid"}`},
		{"DELETE", object{}, `400 {"error":"alias is required"}`},
		{"DELETE", object{"alias": "a"}, `200 {"deleted":true}`},
		{"DELETE", object{"alias": "a"}, `404 {"error":"alias \"a\" not found"}`},
	} {
		w := ask(t, s, c.method, "/api/experimental/aliases", c.body)
		if got := fmt.Sprintf("%d %s", w.Code, w.Body); got != c.want {
			t.Errorf("%d: %s", i, got)
		}
	}
}
