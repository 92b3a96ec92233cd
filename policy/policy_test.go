package policy

import (
	"encoding/json"
	"testing"
	"time"
)

var now = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

func goodHead() Head {
	e, route := Find("POST", "/api/chat")
	return Head{
		HostOurs: true, Credential: CredentialOne, Caller: Caller{ID: "k1", Known: true},
		Endpoint: e, Route: route, Now: now,
	}
}

func TestDecide(t *testing.T) {
	at := func(method, path string) func(*Head) {
		return func(h *Head) { h.Endpoint, h.Route = Find(method, path) }
	}
	manager := func(h *Head) { h.Caller.Grant.Role = RoleManager }
	expires := func(t time.Time) func(*Head) { return func(h *Head) { h.Caller.Grant.Expires = t } }
	for _, c := range []struct {
		name   string
		change []func(*Head)
		want   Reason
	}{
		{"a good key may chat", nil, Allowed},
		{"a host that is not ours", []func(*Head){func(h *Head) { h.HostOurs = false }}, WrongHost},
		{"no key", []func(*Head){func(h *Head) { h.Credential = CredentialNone }}, NoKey},
		{"two keys", []func(*Head){func(h *Head) { h.Credential = CredentialTwo }}, TwoKeys},
		{"something that is no key", []func(*Head){func(h *Head) { h.Credential = CredentialMalformed }}, MalformedKey},
		{"a kind of credential nobody judged yet", []func(*Head){func(h *Head) { h.Credential = 99 }}, MalformedKey},
		{"an unknown key", []func(*Head){func(h *Head) { h.Caller = Caller{} }}, WrongKey},
		{"a suspended key", []func(*Head){func(h *Head) { h.Caller.Suspended = true }}, SuspendedKey},
		{"a key a moment before its end", []func(*Head){expires(now.Add(1))}, Allowed},
		{"a key at the moment of its end", []func(*Head){expires(now)}, ExpiredKey},
		{"a key long after its end", []func(*Head){expires(now.AddDate(-1, 0, 0))}, ExpiredKey},
		{"suspended comes before expired", []func(*Head){expires(now), func(h *Head) { h.Caller.Suspended = true }}, SuspendedKey},
		{"a web page nobody allowed", []func(*Head){func(h *Head) { h.Origin = "https://evil.example" }}, OriginNotAllowed},
		{"a page without an origin of its own", []func(*Head){func(h *Head) { h.Origin = "null" }}, OriginNotAllowed},
		{"a path spelled in another way", []func(*Head){at("POST", "/api/%63hat")}, UnclearPath},
		{"an endpoint that does not exist", []func(*Head){at("GET", "/api/secret")}, UnknownEndpoint},
		{"a method that is not taken there", []func(*Head){at("DELETE", "/api/chat")}, WrongMethod},
		{"a route nobody judged yet", []func(*Head){func(h *Head) { h.Route = 99 }}, UnknownEndpoint},
		{"an endpoint without a class", []func(*Head){func(h *Head) { h.Endpoint.Class = ClassNone }}, UnknownEndpoint},
		{"a class nobody judged yet", []func(*Head){func(h *Head) { h.Endpoint.Class = 99 }}, UnknownEndpoint},
		{"a user who pulls", []func(*Head){at("POST", "/api/pull")}, ManagersOnly},
		{"a manager who pulls", []func(*Head){at("POST", "/api/pull"), manager}, Allowed},
		{"a role nobody judged yet pulls", []func(*Head){at("POST", "/api/pull"), func(h *Head) { h.Caller.Grant.Role = 99 }}, ManagersOnly},
		{"a manager at the owner's account", []func(*Head){at("POST", "/api/signout"), manager}, OwnerOnly},
		{"a user lists models", []func(*Head){at("GET", "/api/tags")}, Allowed},
		{"without a key nobody learns that an endpoint does not exist", []func(*Head){at("GET", "/nothing"), func(h *Head) { h.Credential = CredentialNone }}, NoKey},
		{"a foreign host learns nothing about keys", []func(*Head){func(h *Head) { h.HostOurs = false; h.Caller = Caller{} }}, WrongHost},
	} {
		h := goodHead()
		for _, f := range c.change {
			f(&h)
		}
		v := Decide(h)
		if v.Reason != c.want {
			t.Errorf("%s: %s, want %s", c.name, v.Reason, c.want)
		}
		if v.OK() != (c.want == Allowed) {
			t.Errorf("%s: OK is %v", c.name, v.OK())
		}
	}
}

func TestEveryEndpointAsksForItsRole(t *testing.T) {
	for _, e := range Endpoints() {
		for _, role := range Roles() {
			h := goodHead()
			h.Endpoint, h.Route, h.Caller.Grant.Role = e, RouteFound, role
			want := map[Class]bool{ClassUse: true, ClassLook: true, ClassManage: role == RoleManager}[e.Class]
			if got := Decide(h).OK(); got != want {
				t.Errorf("%s %s for a %s: %v", e.Method, e.Path, role, got)
			}
			h.Credential = CredentialNone
			if v := Decide(h); v.Reason != NoKey {
				t.Errorf("%s %s without a key: %s", e.Method, e.Path, v.Reason)
			}
		}
	}
}

func TestDecideModel(t *testing.T) {
	for _, c := range []struct {
		model string
		cloud bool
	}{
		{"", false},
		{"llama3", false},
		{"llama3:latest", false},
		{"cloud", false},
		{"cloudy:8b", false},
		{"gpt-oss:120b-cloud", true},
		{"gpt-oss:120B-CLOUD", true},
		{"minimax:cloud", true},
		{"Minimax:Cloud", true},
		{" minimax:cloud ", true},
		{"minimax:cloud\n", true},
		{"registry.ollama.ai/library/minimax:cLoUd", true},
		{"qwen-cloud", true},
	} {
		if got := IsCloud(c.model); got != c.cloud {
			t.Errorf("IsCloud(%q) = %v", c.model, got)
		}
		granted := Allowed
		if _, ok := ParseModel(c.model); !ok {
			granted = BadModel
		}
		want, source := granted, Allowed
		if c.cloud {
			want, source = CloudNotGranted, CloudNotGranted
		}
		if v := DecideModel(Grant{}, c.model, false); v.Reason != want {
			t.Errorf("DecideModel(%q) without the grant: %s", c.model, v.Reason)
		}
		if v := DecideModel(Grant{Cloud: true}, c.model, false); v.Reason != granted {
			t.Errorf("DecideModel(%q) with the grant: %s", c.model, v.Reason)
		}
		if v := DecideSource(Grant{Role: RoleManager}, c.model, false); v.Reason != source {
			t.Errorf("DecideSource(%q): %s", c.model, v.Reason)
		}
	}
	if v := DecideSource(Grant{}, "plain", true); v.Reason != CloudNotGranted {
		t.Errorf("a source on another machine: %s", v.Reason)
	}
	if v := DecideSource(Grant{Cloud: true}, "plain", true); !v.OK() {
		t.Errorf("a granted source on another machine: %s", v.Reason)
	}
}

func TestWordsOfRolesAndClasses(t *testing.T) {
	for _, r := range Roles() {
		b, err := json.Marshal(Grant{Role: r})
		if err != nil {
			t.Fatal(err)
		}
		var g Grant
		if err := json.Unmarshal(b, &g); err != nil || g.Role != r {
			t.Errorf("%s came back as %v, %v", b, g.Role, err)
		}
	}
	var g Grant
	if json.Unmarshal([]byte(`{"role":"owner"}`), &g) == nil {
		t.Error("an unknown role was taken")
	}
	if got := Role(7).String(); got != "role(7)" {
		t.Error(got)
	}
	for c := ClassNone; c <= ClassAccount; c++ {
		b, _ := c.MarshalText()
		var back Class = 99
		if err := back.UnmarshalText(b); err != nil || back != c {
			t.Errorf("%s came back as %v, %v", b, back, err)
		}
	}
	var c Class = ClassUse
	if err := c.UnmarshalText([]byte("admin")); err != nil || c != ClassNone {
		t.Errorf("an unknown class is %v", c)
	}
	if got := Class(99).String(); got != "none" {
		t.Error(got)
	}
}

// Whatever stands in a head: who is let in came to our host, with one
// credential, and holds a known key that is neither suspended nor expired, for
// an endpoint of the table that the role may call.
func FuzzDecideNeverAllowsAStranger(f *testing.F) {
	f.Add(true, 1, true, false, int64(0), int64(0), "", 3, 1, 0, "POST", "/api/chat")
	f.Add(true, 1, true, false, int64(5), int64(5), "", 3, 1, 0, "POST", "/api/chat")
	f.Add(true, 1, true, false, int64(0), int64(0), "", 3, 3, 1, "POST", "/api/pull")
	f.Fuzz(func(t *testing.T, host bool, credential int, known, suspended bool, expires, clock int64, origin string, route, class, role int, method, path string) {
		h := Head{
			HostOurs: host, Credential: Credential(credential), Origin: origin, Now: time.Unix(clock, 0),
			Caller:   Caller{ID: "x", Known: known, Suspended: suspended, Grant: Grant{Role: Role(role)}},
			Endpoint: Endpoint{Class: Class(class)}, Route: Route(route),
		}
		if expires != 0 {
			h.Caller.Grant.Expires = time.Unix(expires, 0)
		}
		check := func(h Head) {
			if !Decide(h).OK() {
				return
			}
			if !host || h.Credential != CredentialOne || !known || suspended || expires != 0 && clock >= expires ||
				origin != "" || h.Route != RouteFound || h.Endpoint.Class < ClassUse || h.Endpoint.Class > ClassManage ||
				h.Endpoint.Class == ClassManage && h.Caller.Grant.Role != RoleManager {
				t.Fatalf("let in: %+v", h)
			}
		}
		check(h)
		h.Endpoint, h.Route = Find(method, path)
		check(h)
	})
}
