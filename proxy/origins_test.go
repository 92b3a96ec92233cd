package proxy

import (
	"strings"
	"testing"
	"time"

	"paddock/policy"
)

// The websites of the attack table: what is allowed, and what is not far from it.
var websites = policy.NewOrigins([]policy.OriginRule{
	{Origin: "https://app.example.com", Allowed: true},
	{Origin: "http://localhost:*", Allowed: true},
	{Origin: "http://localhost:6666", Allowed: false},
	{Origin: "chrome-extension://*", Allowed: true},
	{Origin: "https://off.example.com", Allowed: false},
	{Origin: "obsidian", Allowed: true},
	{Origin: "tauri", Allowed: false},
})

// allowedOrigins are those that the table calls from and that may.
var allowedOrigins = map[string]bool{
	"https://app.example.com": true, "http://localhost": true, "http://localhost:3000": true,
	"chrome-extension://abcdefghijklmnop": true, "app://obsidian.md": true,
}

const fromApp = "Origin: https://app.example.com\r\n"

func preflight(path, origin, more string) string {
	return say("OPTIONS "+path, host+"Origin: "+origin+"\r\nAccess-Control-Request-Method: POST\r\n"+more)
}

func origins() []attack {
	rows := []attack{
		{"a preflight of an allowed page", preflight("/api/chat", "https://app.example.com", ""), 204, policy.Allowed, false},
		{"a preflight that asks for a header nobody knows", preflight("/api/chat", "https://app.example.com", "Access-Control-Request-Headers: x-evil, authorization\r\n"), 204, policy.Allowed, false},
		{"a preflight for the private network", preflight("/api/chat", "https://app.example.com", "Access-Control-Request-Private-Network: true\r\n"), 204, policy.Allowed, false},
		{"a preflight at a path nobody knows", preflight("/nothing", "https://app.example.com", ""), 204, policy.Allowed, false},
		{"a preflight at an unclear path", preflight("//api/chat", "https://app.example.com", ""), 204, policy.Allowed, false},
		{"a preflight at the star", preflight("*", "https://app.example.com", ""), 204, policy.Allowed, false},
		{"a preflight with a key that is none", preflight("/api/chat", "https://app.example.com", "Authorization: Bearer "+keyUnknown+"\r\n"), 204, policy.Allowed, false},
		{"a preflight with a body", say("OPTIONS /api/chat", host+fromApp+"Access-Control-Request-Method: POST\r\n", chat), 204, policy.Allowed, false},
		{"a preflight for a method nobody takes", say("OPTIONS /api/chat", host+fromApp+"Access-Control-Request-Method: BREW\r\n"), 204, policy.Allowed, false},
		{"a preflight for a manager's endpoint tells nothing of keys", preflight("/api/pull", "https://app.example.com", ""), 204, policy.Allowed, false},
		{"a preflight of an extension", preflight("/api/chat", "chrome-extension://abcdefghijklmnop", ""), 204, policy.Allowed, false},
		{"a preflight of any port of this machine", preflight("/api/chat", "http://localhost:3000", ""), 204, policy.Allowed, false},
		{"a preflight of the usual port of this machine", preflight("/api/chat", "http://localhost", ""), 204, policy.Allowed, false},
		{"a preflight of a preset", preflight("/api/chat", "app://obsidian.md", ""), 204, policy.Allowed, false},
		{"a preflight to a foreign host", say("OPTIONS /api/chat", "Host: evil.example\r\n"+fromApp+"Access-Control-Request-Method: POST\r\n"), 421, policy.WrongHost, false},
		{"a preflight with two origins", preflight("/api/chat", "https://app.example.com", "Origin: https://evil.example\r\n"), 400, policy.BadRequest, false},
		{"a preflight with the same origin twice", preflight("/api/chat", "https://app.example.com", fromApp), 400, policy.BadRequest, false},
		{"a preflight that names no method", say("OPTIONS /api/chat", host+fromApp+"Access-Control-Request-Method: \r\n"), 401, policy.NoKey, false},
		{"a preflight without an origin", say("OPTIONS /api/chat", host+"Access-Control-Request-Method: POST\r\n"), 401, policy.NoKey, false},
		{"a preflight with an empty origin", preflight("/api/chat", "", ""), 401, policy.NoKey, false},
		{"a preflight that upgrades", preflight("/api/chat", "https://app.example.com", "Connection: upgrade\r\nUpgrade: h2c\r\n"), 400, policy.BadRequest, false},
		{"a preflight's header on a request that is none", get("/api/tags", host+fromApp+"Access-Control-Request-Method: GET\r\n"), 401, policy.NoKey, false},

		{"a request of an allowed page", get("/api/tags", asUser+fromApp), 200, policy.Allowed, true},
		{"a question of an allowed page", post("/v1/chat/completions", asUser+fromApp, chat), 200, policy.Allowed, true},
		{"a request of an allowed page without a key", get("/api/tags", host+fromApp), 401, policy.NoKey, false},
		{"a request of an allowed page with a wrong key", get("/api/tags", host+fromApp+"x-api-key: "+keyUnknown+"\r\n"), 401, policy.WrongKey, false},
		{"an allowed page at an unknown endpoint", get("/api/nothing", asUser+fromApp), 404, policy.UnknownEndpoint, false},
		{"an allowed page with a wrong method", get("/api/chat", asUser+fromApp), 405, policy.WrongMethod, false},
		{"an allowed page at an unclear path", get("//api/tags", asUser+fromApp), 400, policy.UnclearPath, false},
		{"an allowed page that pulls", post("/api/pull", asUser+fromApp, chat), 403, policy.ManagersOnly, false},
		{"an allowed page with a bad body", post("/api/chat", asUser+fromApp, "{"), 400, policy.BadBody, false},
		{"an allowed page with a body too large", "POST /api/show HTTP/1.1\r\n" + asUser + fromApp + "Content-Length: 9999999\r\n\r\n", 413, policy.BodyTooLarge, false},
		{"an allowed page that compresses", post("/api/chat", asUser+fromApp+"Content-Encoding: gzip\r\n", "x"), 415, policy.EncodedBody, false},
		{"the greeting for an allowed page", say("HEAD /", host+fromApp), 200, policy.Allowed, false},
		{"the greeting for a page nobody allowed", say("HEAD /", host+"Origin: https://evil.example\r\n"), 200, policy.Allowed, false},
		{"the welcome page asked for by a page nobody allowed", get("/paddock/", host+"Origin: https://evil.example\r\n"), 200, policy.Allowed, false},
		{"an allowed page with a manager's key", get("/api/tags", asMara+fromApp), 200, policy.Allowed, true},
		{"an empty origin is none", get("/api/tags", asUser+"Origin: \r\n"), 200, policy.Allowed, true},
		{"another header that looks like an origin", get("/api/tags", asUser+"X-Origin: https://evil.example\r\nReferer: https://evil.example/\r\n"), 200, policy.Allowed, true},
		{"a suspended key from an allowed page", get("/api/tags", host+fromApp+"x-api-key: "+keyPaused+"\r\n"), 401, policy.SuspendedKey, false},
	}
	for name, origin := range map[string]string{
		"in capitals": "HTTPS://APP.EXAMPLE.COM", "with a capital": "https://App.example.com", "with a dot at the end": "https://app.example.com.", "with a path": "https://app.example.com/",
		"with the usual port": "https://app.example.com:443", "with another port": "https://app.example.com:8443", "with another scheme": "http://app.example.com",
		"with more behind it": "https://app.example.com.evil.example", "with more before it": "https://evil-app.example.com", "below it": "https://x.app.example.com", "above it": "https://example.com",
		"with a user": "https://app.example.com@evil.example", "as a user": "https://evil.example#app.example.com", "twice in one": "https://app.example.com https://evil.example",
		"twice with a comma": "https://app.example.com, https://evil.example", "twice with a comma and itself": "https://app.example.com,https://app.example.com", "null": "null", "NULL": "NULL", "a star": "*", "a star of a scheme": "https://*",
		"a star of ports": "http://localhost:*", "a star of extensions": "chrome-extension://*", "an underscore": "https://app_example.com", "an escaped dot": "https://app%2eexample.com", "one that is off": "https://off.example.com",
		"a port that is off": "http://localhost:6666", "the usual port of this machine spelled out": "http://localhost:80", "port 0": "http://localhost:0", "a port beyond all": "http://localhost:65536", "a port with a zero": "http://localhost:03000", "an empty port": "http://localhost:",
		"our machine with more behind it": "http://localhost.evil.example:3000", "our machine by number": "http://127.0.0.1:3000", "our machine over TLS": "https://localhost:3000", "another extension": "moz-extension://abcdefghijklmnop", "an extension without a name": "chrome-extension://",
		"an extension with a path": "chrome-extension://abc/page.html", "a program with more behind it": "app://obsidian.md.evil", "a preset that is off": "tauri://localhost", "a preset by name": "obsidian", "a file": "file://", "data": "data:text/html,x",
		"letters beyond ASCII": "https://\u0430pp.example.com", "the name alone": "app.example.com", "one very long": "https://" + strings.Repeat("a", 400) + ".example.com", "words": "x",
	} {
		rows = append(
			rows,
			attack{"a preflight from an origin " + name, preflight("/api/chat", origin, ""), 403, policy.OriginNotAllowed, false},
			attack{"a request from an origin " + name, get("/api/tags", asUser+"Origin: "+origin+"\r\n"), 403, policy.OriginNotAllowed, false},
		)
	}
	return rows
}

// wantedOrigin is the origin that an answer to a row must allow: that of the
// request when it is allowed, whatever becomes of the request itself.
func (a attack) wantedOrigin() string {
	if a.reason == "" || a.reason == policy.WrongHost || a.reason == policy.BadRequest {
		return "" // turned away before anybody asks where it comes from
	}
	for line := range strings.SplitSeq(a.text, "\r\n") {
		if line == "" {
			break
		}
		if origin, found := strings.CutPrefix(line, "Origin: "); found && allowedOrigins[origin] {
			return origin
		}
	}
	return ""
}

// checkOrigin is what every answer is held to, whatever its status.
func (a attack) checkOrigin(t *testing.T, got result) {
	t.Helper()
	want := a.wantedOrigin()
	if v := got.header.Values("Access-Control-Allow-Origin"); strings.Join(v, "|") != want {
		t.Errorf("%s: Access-Control-Allow-Origin %q, want %q", a.name, v, want)
	}
	for header, v := range got.header {
		switch {
		case !strings.HasPrefix(header, "Access-Control-"):
		case want == "" || header == "Access-Control-Allow-Credentials":
			t.Errorf("%s: answered with %s", a.name, header)
		case strings.Contains(strings.Join(v, ""), "*"):
			t.Errorf("%s: a star in %s", a.name, header)
		}
	}
	early := a.reason == "" || a.reason == policy.WrongHost || a.reason == policy.BadRequest
	if vary := got.header.Get("Vary"); !early && vary != "Origin" && !strings.HasPrefix(vary, "Origin, ") {
		t.Errorf("%s: Vary %q", a.name, vary)
	}
}

func TestWhatAPreflightIsTold(t *testing.T) {
	s := open(t, echo, func(_ *site, c *Config) { c.Origins = websites })
	got := s.send("OPTIONS", preflight("/api/chat", "https://app.example.com", "Access-Control-Request-Headers: authorization\r\n"))
	if got.status != 204 || got.body != "" {
		t.Errorf("%+v", got)
	}
	if v := got.header.Get("Access-Control-Allow-Methods"); v != "GET, HEAD, POST, DELETE" {
		t.Errorf("methods %q", v)
	}
	allowed := strings.Split(got.header.Get("Access-Control-Allow-Headers"), ", ")
	for _, name := range []string{
		"authorization", "content-type", "x-api-key", "anthropic-version", "anthropic-beta", "anthropic-dangerous-direct-browser-access", "user-agent", "x-request-id", "x-stainless-lang", "x-stainless-retry-count",
	} {
		found := false
		for _, a := range allowed {
			found = found || a == name
		}
		if !found {
			t.Errorf("%s is not allowed", name)
		}
	}
	if got.header.Get("Access-Control-Max-Age") != "600" || got.header.Get("Access-Control-Allow-Private-Network") != "" {
		t.Errorf("%v", got.header)
	}
	got = s.send("OPTIONS", preflight("/api/chat", "https://app.example.com", "Access-Control-Request-Private-Network: true\r\n"))
	if got.header.Get("Access-Control-Allow-Private-Network") != "true" || !strings.Contains(got.header.Get("Vary"), "Access-Control-Request-Private-Network") {
		t.Errorf("%v", got.header)
	}
	got = s.send("OPTIONS", preflight("/api/chat", "https://evil.example", "Access-Control-Request-Private-Network: true\r\n"))
	if got.header.Get("Access-Control-Allow-Private-Network") != "" {
		t.Errorf("a page nobody allowed: %v", got.header)
	}
	s.entries(3)
	if s.seen.Load() != 0 || s.asked.Load() != 0 {
		t.Error("Ollama was asked")
	}
}

// A page may read an answer only with these headers on it, and 429 and 503 are
// answers that it needs to read.
func TestAPageMayReadWhyItWasTurnedAway(t *testing.T) {
	s := open(t, echo, func(_ *site, c *Config) {
		c.Origins = websites
		c.Choices.Attempts = policy.Rate{Count: 1, Per: time.Hour}
	})
	s.keys.edit(keyAlice, func(g *policy.Grant) { g.Rate = policy.Rate{Count: 1, Per: time.Hour} })
	check := func(got result, status int) {
		t.Helper()
		if got.status != status || got.header.Get("Access-Control-Allow-Origin") != "https://app.example.com" || got.header.Get("Access-Control-Expose-Headers") != "X-Request-Id, Retry-After, X-Queue-Position" {
			t.Errorf("%d, want %d: %v", got.status, status, got.header)
		}
	}
	page := []string{"Origin", "https://app.example.com"}
	check(s.ask(keyAlice, "GET", "/api/tags", "", page...), 200)
	check(s.ask(keyAlice, "GET", "/api/tags", "", page...), 429)
	check(s.ask(keyUnknown, "GET", "/api/tags", "", page...), 401)
	check(s.ask(keyUnknown, "GET", "/api/tags", "", page...), 429)
	s.gate.Drain(true)
	check(s.ask(keyAlice, "GET", "/api/tags", "", page...), 503)
	s.gate.Drain(false)
	s.gate.SetUpstream(Upstream{})
	check(s.ask(keyMara, "GET", "/api/tags", "", page...), 502)
	s.entries(6)
}

// The owner is told of origins that were refused, as browsers spell them and for
// nothing else, and a switch holds from the next request on.
func TestTheOwnerHearsOfRefusedWebsites(t *testing.T) {
	heard := map[string]int{}
	s := open(t, echo, func(_ *site, c *Config) { c.OnOrigin = func(origin string, _ time.Time) { heard[origin]++ } })
	const origin = "https://app.example.com"
	if got := s.ask(keyAlice, "GET", "/api/tags", "", "Origin", origin); got.status != 403 {
		t.Fatal(got)
	}
	s.send("OPTIONS", preflight("/api/chat", origin, ""))
	s.send("GET", get("/api/tags", asUser+"Origin: null\r\n"))
	s.send("GET", get("/api/tags", asUser+"Origin: HTTPS://x.example\r\n"))
	s.send("GET", get("/api/tags", host+"Origin: https://nokey.example\r\n"))
	s.entries(5)
	if len(heard) != 1 || heard[origin] != 2 {
		t.Errorf("heard %v", heard)
	}
	s.gate.SetOrigins(websites)
	if got := s.ask(keyAlice, "GET", "/api/tags", "", "Origin", origin); got.status != 200 || got.header.Get("Access-Control-Allow-Origin") != origin {
		t.Errorf("%+v", got)
	}
	s.gate.SetOrigins(nil)
	if got := s.ask(keyAlice, "GET", "/api/tags", "", "Origin", origin); got.status != 403 || got.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%+v", got)
	}
	s.entries(7)
	if heard[origin] != 3 {
		t.Errorf("heard %v", heard)
	}
}
