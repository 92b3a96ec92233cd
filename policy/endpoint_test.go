package policy

import (
	"slices"
	"strings"
	"testing"
)

func TestFindEveryEndpoint(t *testing.T) {
	for _, e := range Endpoints() {
		path := e.Path
		if i := strings.IndexByte(path, '{'); i >= 0 {
			path = path[:i] + "one"
		}
		got, route := Find(e.Method, path)
		if route != RouteFound || got != e {
			t.Errorf("Find(%s, %s) = %+v, %v", e.Method, path, got, route)
		}
		if m := Methods(path); !slices.Contains(strings.Split(m, ", "), e.Method) {
			t.Errorf("Methods(%s) = %q without %s", path, m, e.Method)
		}
		if _, route := Find("BREW", path); route != RouteMethod {
			t.Errorf("an unknown method at %s: %v", path, route)
		}
		if _, route := Find(strings.ToLower(e.Method), path); route != RouteMethod {
			t.Errorf("a method in small letters at %s: %v", path, route)
		}
	}
}

// Each spelling either is refused or names nothing: none reaches the endpoint
// that Ollama's router, or a careless reader of the path, would see in it.
func TestFindTakesOneSpelling(t *testing.T) {
	attacks := func(p string) []string {
		last := p[strings.LastIndexByte(p, '/')+1:]
		return []string{
			"/" + p, p + "/", p + "//", "/." + p, "/x/.." + p, p + "/.", p + "/..", "/.." + p, strings.Replace(p, "/", "//", 2),
			strings.Replace(p, last, "%"+hex(last[0])+last[1:], 1), p + "%00", p + "%20", p + "%2f", p + "%2e%2e", "/%2e" + p,
			strings.ReplaceAll(p, "/", "%2f"), strings.ReplaceAll(p, "/", "%2F"), strings.ReplaceAll(p, "/", "%5c"), strings.ReplaceAll(p, "/", `\`),
			strings.ToUpper(p), strings.ToTitle(p[:2]) + p[2:], p + ";x", p + ";/", strings.Replace(p, "/", "/;x/", 1), p + "?x", p + "#x", p + "#",
			p + "\x00", p + "\t", p + " ", " " + p, p + "\r\n", p + "\x7f", p + "\x80", p + "\u2044", strings.Replace(p, "a", "а", 1) /* Cyrillic */, p[1:],
			"http://evil" + p, "http:" + p, "*" + p, p + "*", "/*", p + "/x/y",
		}
	}
	known := map[string]bool{}
	for _, e := range Endpoints() {
		known[e.Path] = true
	}
	for _, e := range Endpoints() {
		if e.Path == "/" || strings.Contains(e.Path, "{") {
			continue
		}
		for _, a := range attacks(e.Path) {
			if a == e.Path {
				continue // /v1 has no letter to replace
			}
			if got, route := Find(e.Method, a); route == RouteFound {
				t.Errorf("%s %q reached %s", e.Method, a, got.Path)
			} else if route == RouteMethod && !known[a] {
				t.Errorf("%s %q counts as known", e.Method, a)
			}
		}
	}
	for _, p := range []string{
		"", "*", "//", "/..", "/.", "/api", "/v1", "/api/", "/v1/models/", "/v1/models//", "/v1/models/..", "/v1/models/.", "/v1/models/a/b",
		"/v1/models/%61", "/v1/models/a;b", "/v1/models/a\x00", "/api/blobs/", "/api/blobs/a/b", "/api/blobs/../pull", "/paddock/",
		"/v1/models/" + strings.Repeat("a", 600), strings.Repeat("/", 9),
	} {
		for _, m := range []string{"GET", "POST", "HEAD", "DELETE"} {
			if got, route := Find(m, p); route == RouteFound {
				t.Errorf("%s %q reached %s", m, p, got.Path)
			}
		}
	}
	if got := Methods("/api/blobs/"); got != "" {
		t.Errorf("Methods of a bare prefix: %q", got)
	}
	if got := Methods("/"); got != "GET" {
		t.Errorf("Methods of /: %q", got)
	}
}

func hex(c byte) string { return string("0123456789abcdef"[c>>4]) + string("0123456789abcdef"[c&15]) }

func TestTableIsWellFormed(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range Endpoints() {
		if id := e.Method + " " + e.Path; seen[id] {
			t.Errorf("%s stands twice", id)
		} else {
			seen[id] = true
		}
		if e.Class == ClassNone || e.Action == "" {
			t.Errorf("%+v lacks a class or an action", e)
		}
		plain := e.Path
		if i := strings.IndexByte(plain, '{'); i >= 0 {
			plain = plain[:i] + "x"
			if !strings.HasSuffix(e.Path, "}") {
				t.Errorf("%s: only the last segment may stand for a name", e.Path)
			}
		}
		if !canonical(plain) {
			t.Errorf("%s can never match", e.Path)
		}
		if e.Class == ClassUse && e.Names == "" {
			t.Errorf("%s runs a model whose name nobody looks at", e.Path)
		}
		if e.Class == ClassUse && e.Body != BodyJSON && e.Body != BodyForm {
			t.Errorf("%s runs a model, and its body is not read", e.Path)
		}
	}
	copied := Endpoints()
	copied[0].Class = ClassNone
	if Endpoints()[0].Class == ClassNone {
		t.Error("Endpoints hands out the table itself")
	}
}

func TestDialectOf(t *testing.T) {
	for path, want := range map[string]Dialect{
		"/": DialectOllama, "/api/chat": DialectOllama, "/nothing": DialectOllama, "": DialectOllama, "/v1": DialectOllama, "/v1x": DialectOllama,
		"/v1/chat/completions": DialectOpenAI, "/v1/nothing": DialectOpenAI, "/v1/messagesx": DialectOpenAI,
		"/v1/messages": DialectAnthropic, "/v1/messages/count_tokens": DialectAnthropic,
	} {
		if got := DialectOf(path); got != want {
			t.Errorf("DialectOf(%q) = %v", path, got)
		}
	}
}

func TestFindAllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() {
		Find("POST", "/api/chat")
		Find("GET", "/v1/models/llama3")
		Find("GET", "/nothing/here")
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// What is found is, byte for byte, a spelling of the table, or one of its
// prefixes with exactly one segment behind it.
func FuzzFind(f *testing.F) {
	for _, e := range Endpoints() {
		f.Add(e.Method, e.Path)
	}
	for _, p := range []string{"//api/tags", "/api/%70ull", "/api%2fpull", "/api/../api/pull", "/API/PULL", "/api/tags/", "/api/tags;x", `\api\tags`, "/v1/models/..", "*"} {
		f.Add("GET", p)
	}
	f.Fuzz(func(t *testing.T, method, path string) {
		e, route := Find(method, path)
		if route != RouteFound {
			if e != (Endpoint{}) {
				t.Fatalf("not found, and yet %+v", e)
			}
			if route == RouteMethod && Methods(path) == "" {
				t.Fatalf("%q takes no method at all", path)
			}
			return
		}
		if e.Method != method {
			t.Fatalf("%q found as %q", method, e.Method)
		}
		prefix, _, named := strings.Cut(e.Path, "{")
		if !named {
			if path != e.Path {
				t.Fatalf("%q reached %s", path, e.Path)
			}
			return
		}
		segment, ok := strings.CutPrefix(path, prefix)
		if !ok || segment == "" || segment == "." || segment == ".." || strings.ContainsAny(segment, "/\\%;?#\x00 ") {
			t.Fatalf("%q reached %s", path, e.Path)
		}
	})
}
