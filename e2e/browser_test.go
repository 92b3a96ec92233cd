//go:build linux && e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"paddock/e2e/clients"
	"paddock/e2e/ollama"
	"paddock/policy"
	"paddock/requestlog"
	"paddock/share"
)

// site serves a page, and one that has it in a frame without an origin.
func site(t *testing.T) (origin string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		page := `<!doctype html><title>A page</title>`
		if r.URL.Path == "/framed" {
			page += `<iframe sandbox="allow-scripts" src="/"></iframe>`
		}
		_, _ = io.WriteString(w, page)
	}))
	t.Cleanup(s.Close)
	return strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
}

// TestWebPagesInABrowser: a page of an allowed origin uses the gate as it would
// use Ollama, and a page of any other one is told nothing.
func TestWebPagesInABrowser(t *testing.T) {
	l := lendInClear(t)
	alice := l.key("alice", "--in-address")
	once := l.key("once", "--rate", "1/day")
	browser := clients.New(t, l.url, alice.key).Browser()
	ours, theirs := site(t), site(t)
	l.p.Must("origins", "allow", ours)

	asked := func(page, method, path, body string, g gate) clients.Seen {
		t.Helper()
		return browser.Fetch(clients.Fetch{Page: page, URL: l.url + path, Init: clients.FetchInit{
			Method: method, Body: body, Headers: map[string]string{"Authorization": "Bearer " + g.key},
		}})
	}
	simple := func(page, method, path, body string) clients.Seen {
		t.Helper()
		return browser.Fetch(clients.Fetch{Page: page, URL: alice.inAddress() + path, Init: clients.FetchInit{Method: method, Body: body}})
	}
	preflights := func() (n int) {
		for _, e := range entries(t, l.p) {
			if e.Method == http.MethodOptions {
				n++
			}
		}
		return n
	}

	// Without a header of its own a page asks at once, and a chat is a simple
	// request too as long as nobody calls its body JSON.
	if s := simple(ours, "GET", "/api/tags", ""); s.Status != 200 || !strings.Contains(s.Text, ollama.Tiny) {
		t.Errorf("a simple request: %+v", s)
	}
	if s := simple(ours, "POST", "/api/chat", `{"model":"tiny","messages":[{"role":"user","content":"hi"}]}`); s.Status != 200 ||
		!strings.Contains(s.Text, fmt.Sprintf(`"eval_count":%d`, ollama.TinyTokens)) {
		t.Errorf("a simple chat: %+v", s)
	}
	if n := preflights(); n != 0 {
		t.Errorf("the simple requests came with %d preflights", n)
	}
	// With one the browser asks whether it may.
	if s := asked(ours, "GET", "/api/tags", "", alice); s.Status != 200 || !strings.Contains(s.Text, ollama.Tiny) || s.Headers["x-request-id"] == "" {
		t.Errorf("with a key in the header: %+v", s)
	}
	entry(t, l.p, "the preflight", func(e requestlog.Entry) bool {
		return e.Method == http.MethodOptions && e.Status == http.StatusNoContent && e.Origin == ours && e.Phase == requestlog.Done
	})

	// The answer never ends, so a page that sees pieces sees them as they come.
	s := browser.Fetch(clients.Fetch{
		Page: ours, URL: l.url + "/v1/chat/completions", LeaveAfter: 5,
		Init: clients.FetchInit{
			Method: "POST", Body: `{"model":"tiny-loop","stream":true,"messages":[{"role":"user","content":"hi"}]}`,
			Headers: map[string]string{"Authorization": "Bearer " + alice.key, "Content-Type": "application/json", "X-Stainless-Lang": "js"},
		},
	})
	if s.Status != 200 || s.Pieces != 5 || !strings.HasPrefix(s.Text, "data: {") || s.Threw != "" {
		t.Errorf("a stream: %+v", s)
	}
	entry(t, l.p, "the stream that the page left", func(e requestlog.Entry) bool {
		return e.Model == ollama.Loop && e.CutBy == requestlog.CutByClient && e.Origin == ours
	})

	// A page can read why not.
	if s := asked(ours, "GET", "/api/tags", "", gate{key: mistyped(alice.key)}); s.Status != 401 || !strings.Contains(s.Text, "the key is not valid") {
		t.Errorf("a wrong key: %+v", s)
	}
	if s := browser.Fetch(clients.Fetch{Page: ours, URL: l.url + "/api/tags"}); s.Status != 401 || !strings.Contains(s.Text, "a key is needed") {
		t.Errorf("no key: %+v", s)
	}
	if s := asked(ours, "POST", "/api/chat", `{"model":"no-such-model","messages":[]}`, alice); s.Status != 404 || !strings.Contains(s.Text, "no-such-model") {
		t.Errorf("an unknown model: %+v", s)
	}
	if s := asked(ours, "GET", "/api/no/such/thing", "", alice); s.Status != 404 || !strings.Contains(s.Text, "does not know this endpoint") {
		t.Errorf("an unknown endpoint: %+v", s)
	}
	asked(ours, "GET", "/api/version", "", once)
	if s := asked(ours, "GET", "/api/version", "", once); s.Status != 429 || s.Headers["retry-after"] == "" {
		t.Errorf("too many requests: %+v", s)
	}

	// Other pages learn nothing, and their requests end at the gate.
	const generate = "/api/generate"
	shut := func(when, page string) {
		t.Helper()
		for how, s := range map[string]clients.Seen{
			"a simple request":      simple(page, "POST", generate, short(ollama.Tiny)),
			"with a header":         asked(page, "POST", generate, short(ollama.Tiny), alice),
			"with a wrong key":      asked(page, "GET", "/api/tags", "", gate{key: mistyped(alice.key)}),
			"a greeting and no key": browser.Fetch(clients.Fetch{Page: page, URL: l.url + "/"}),
		} {
			if !strings.HasPrefix(s.Threw, "TypeError") || s.Status != 0 || s.Text != "" {
				t.Errorf("%s, %s: %+v", when, how, s)
			}
		}
	}
	shut("nobody has allowed it", theirs)
	entry(t, l.p, "the refusal", func(e requestlog.Entry) bool {
		return e.Origin == theirs && e.Reason == policy.OriginNotAllowed && e.Path == "/k/…"+generate && e.Status == 403
	})
	if sites := websites(t, l); len(sites.Refused) != 1 || sites.Refused[0].Origin != theirs || sites.Refused[0].Count < 2 {
		t.Errorf("the refused websites are %+v", sites.Refused)
	}
	// Pages without an origin: a frame in a sandbox, and one that is no website at all.
	data := "data:text/html,<title>A page</title>"
	shut("it is no website", data)
	if s := browser.Fetch(clients.Fetch{Page: ours + "/framed", Framed: true, URL: alice.inAddress() + generate, Init: clients.FetchInit{Method: "POST", Body: short(ollama.Tiny)}}); s.Threw == "" {
		t.Errorf("a frame in a sandbox: %+v", s)
	}
	entry(t, l.p, "the refusal of null", func(e requestlog.Entry) bool { return e.Origin == "null" && e.Reason == policy.OriginNotAllowed })

	l.p.Must("origins", "allow", theirs)
	if s := asked(theirs, "POST", generate, short(ollama.Tiny), alice); s.Status != 200 {
		t.Errorf("allowed: %+v", s)
	}
	if s := simple(theirs, "POST", generate, short(ollama.Tiny)); s.Status != 200 {
		t.Errorf("allowed, a simple request: %+v", s)
	}
	l.wantGenerated(2) // for none of the pages above
	l.p.Must("origins", "block", theirs)
	shut("it is blocked", theirs)
	if s := asked(ours, "POST", generate, short(ollama.Tiny), alice); s.Status != 200 {
		t.Errorf("the other website: %+v", s)
	}
	l.wantGenerated(3)
	sites := websites(t, l)
	if !slices.Equal(sites.List, []policy.OriginRule{{Origin: ours, Allowed: true}, {Origin: theirs, Allowed: false}}) || len(sites.Refused) != 0 {
		t.Errorf("the websites are %+v", sites)
	}
	l.silent(alice.key, once.key)
}

// websites reads the list of origins as a script would.
func websites(t *testing.T, l *loan) (w share.Websites) {
	t.Helper()
	out := l.p.Must("origins", "list", "--json")
	if err := json.Unmarshal([]byte(out), &w); err != nil {
		t.Fatalf("paddock origins list --json: %v in %s", err, out)
	}
	return w
}
