package policy

import (
	"encoding/json"
	"math/rand/v2"
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
	inAddress := func(h *Head) { h.InAddress = true }
	mayInAddress := func(h *Head) { h.Caller.Grant.InAddress = true }
	private := func(h *Head) { h.Private = true }
	page := func(h *Head) { h.Origin = "https://evil.example" }
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
		{"a web page the owner allowed", []func(*Head){func(h *Head) { h.Origin, h.OriginOK = "https://app.example", true }}, Allowed},
		{"a program, whatever is said of its origin", []func(*Head){func(h *Head) { h.OriginOK = true }}, Allowed},
		{"a key in the address that may not stand there", []func(*Head){inAddress, private}, KeyInAddress},
		{"a key in the address that may stand there, unread by others", []func(*Head){inAddress, private, mayInAddress}, Allowed},
		{"a key in the address where others read along", []func(*Head){inAddress, mayInAddress}, AddressInClear},
		{"a key in the address where it may not be, and others read along", []func(*Head){inAddress}, KeyInAddress},
		{"a key that may stand in the address, in a header, where others read along", []func(*Head){mayInAddress}, Allowed},
		{"an unknown key in the address", []func(*Head){inAddress, func(h *Head) { h.Caller = Caller{} }}, WrongKey},
		{"a suspended key in the address", []func(*Head){inAddress, func(h *Head) { h.Caller.Suspended = true }}, SuspendedKey},
		{"an expired key in the address", []func(*Head){inAddress, expires(now)}, ExpiredKey},
		{"no key, though the address should hold it", []func(*Head){inAddress, func(h *Head) { h.Credential = CredentialNone }}, NoKey},
		{"the key comes before the web page", []func(*Head){page, expires(now)}, ExpiredKey},
		{"the address comes before the web page", []func(*Head){page, inAddress, mayInAddress}, AddressInClear},
		{"the web page comes before the path", []func(*Head){page, at("POST", "/api/%63hat")}, OriginNotAllowed},
		{"the path comes before the role", []func(*Head){at("POST", "//api/pull")}, UnclearPath},
		{"the host comes before everything", []func(*Head){page, inAddress, func(h *Head) { h.HostOurs, h.Credential = false, CredentialTwo }}, WrongHost},
		{"an allowed page does not make a key good", []func(*Head){func(h *Head) { h.Origin, h.OriginOK, h.Caller.Known = "https://app.example", true, false }}, WrongKey},
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

func TestDecideModelByItsPatterns(t *testing.T) {
	few := Grant{Models: mustModels(t, "llama3", "qwen3:*", "hf.co/*")}
	cloud := Grant{Models: few.Models, Cloud: true}
	for _, c := range []struct {
		name   string
		g      Grant
		model  string
		remote bool
		want   Reason
		source Reason
	}{
		{"a key without patterns takes any name", Grant{}, "tiny", false, Allowed, Allowed},
		{"a key with patterns takes what is among them", few, "llama3", false, Allowed, Allowed},
		{"in any spelling", few, "Registry.Ollama.AI/Library/LLAMA3:Latest", false, Allowed, Allowed},
		{"and with a scheme in front", few, "https://registry.ollama.ai/library/llama3", false, Allowed, Allowed},
		{"not with another tag", few, "llama3:70b", false, ModelNotGranted, ModelNotGranted},
		{"not from another host", few, "evil.example/library/llama3", false, ModelNotGranted, ModelNotGranted},
		{"not from another namespace", few, "mallory/llama3", false, ModelNotGranted, ModelNotGranted},
		{"not what only begins so", few, "llama3.1", false, ModelNotGranted, ModelNotGranted},
		{"what is no name is no model, and as a source perhaps a file", Grant{}, "./model.gguf", false, BadModel, Allowed},
		{"a key with patterns makes nothing of files", few, "./model.gguf", false, BadModel, ModelNotGranted},
		{"no name at all is no model, and no source", few, "", false, BadModel, Allowed},
		{"a blank before a name is no name", few, " llama3", false, BadModel, ModelNotGranted},
		{"a model in the cloud is refused before its name is looked at", few, "qwen3:480b-cloud", false, CloudNotGranted, CloudNotGranted},
		{"a granted cloud needs the pattern as well", cloud, "gpt-oss:120b-cloud", false, ModelNotGranted, ModelNotGranted},
		{"a granted cloud and a pattern", cloud, "qwen3:480b-cloud", false, Allowed, Allowed},
		{"a plain name for a model elsewhere", few, "llama3", true, CloudNotGranted, CloudNotGranted},
		{"a plain name for a model elsewhere, with the cloud", cloud, "llama3", true, Allowed, Allowed},
		{"a file elsewhere", Grant{}, "./x", true, CloudNotGranted, CloudNotGranted},
	} {
		if v := DecideModel(c.g, c.model, c.remote); v.Reason != c.want {
			t.Errorf("%s: %q is %s, want %s", c.name, c.model, v.Reason, c.want)
		}
		if v := DecideSource(c.g, c.model, c.remote); v.Reason != c.source {
			t.Errorf("%s: as a source, %q is %s, want %s", c.name, c.model, v.Reason, c.source)
		}
	}
}

// A laptop that sleeps stops the monotonic clock, and the key ends all the same.
func TestAKeyEndsByTheWallClock(t *testing.T) {
	here := time.Now() // with a monotonic reading
	h := goodHead()
	h.Caller.Grant.Expires = here.Add(time.Hour)
	for _, c := range []struct {
		at   time.Time
		want Reason
	}{
		{here, Allowed},
		{here.Add(time.Hour - 1), Allowed},
		{here.Add(time.Hour), ExpiredKey},
		{here.Round(0).Add(time.Hour), ExpiredKey},
		{here.Add(time.Hour).UTC(), ExpiredKey},
	} {
		h.Now = c.at
		if v := Decide(h); v.Reason != c.want {
			t.Errorf("at %v: %s, want %s", c.at, v.Reason, c.want)
		}
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
	f.Add(true, 1, true, false, int64(0), int64(0), "", false, 0, 3, 1, 0, "POST", "/api/chat")
	f.Add(true, 1, true, false, int64(5), int64(5), "", true, 7, 3, 1, 0, "POST", "/api/chat")
	f.Add(true, 1, true, false, int64(0), int64(0), "https://a.example", true, 5, 3, 3, 1, "POST", "/api/pull")
	f.Fuzz(func(t *testing.T, host bool, credential int, known, suspended bool, expires, clock int64, origin string, originOK bool, address, route, class, role int, method, path string) {
		inAddress, private, mayInAddress := address&1 != 0, address&2 != 0, address&4 != 0
		h := Head{
			HostOurs: host, Credential: Credential(credential), Origin: origin, OriginOK: originOK, Now: time.Unix(clock, 0),
			InAddress: inAddress, Private: private,
			Caller:   Caller{ID: "x", Known: known, Suspended: suspended, Grant: Grant{Role: Role(role), InAddress: mayInAddress}},
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
				origin != "" && !originOK || inAddress && !(private && mayInAddress) || h.Route != RouteFound || h.Endpoint.Class < ClassUse || h.Endpoint.Class > ClassManage ||
				h.Endpoint.Class == ClassManage && h.Caller.Grant.Role != RoleManager {
				t.Fatalf("let in: %+v", h)
			}
		}
		check(h)
		h.Endpoint, h.Route = Find(method, path)
		check(h)
	})
}

// Of heads drawn at random, each differing from a good one in a few places,
// none without a good credential is let in, and every good one is.
func TestNobodyIsLetInWithoutAGoodCredential(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	some := func(n int) bool { return rng.IntN(n) == 0 }
	allowed := 0
	for range 200_000 {
		e := endpoints[rng.IntN(len(endpoints))]
		h := Head{
			HostOurs: !some(9), Credential: CredentialOne, InAddress: some(3), Private: some(2), Origin: "", OriginOK: some(2),
			Caller:   Caller{Known: !some(9), Suspended: some(9), Grant: Grant{Role: Role(rng.IntN(2)), InAddress: some(2), Cloud: some(2)}},
			Endpoint: e, Route: RouteFound, Now: now,
		}
		if some(4) {
			h.Credential = Credential(rng.IntN(6) - 1)
		}
		if some(3) {
			h.Origin = "https://a.example"
		}
		if some(3) {
			h.Caller.Grant.Expires = now.Add(time.Duration(rng.IntN(3)-1) * time.Nanosecond)
		}
		if some(9) {
			h.Route = Route(rng.IntN(6) - 1)
		}
		good := h.HostOurs && h.Credential == CredentialOne && h.Caller.Known && !h.Caller.Suspended &&
			(h.Caller.Grant.Expires.IsZero() || now.Before(h.Caller.Grant.Expires)) &&
			(!h.InAddress || h.Private && h.Caller.Grant.InAddress)
		v := Decide(h)
		if v.OK() && !good {
			t.Fatalf("let in: %+v", h)
		}
		if s := v.Reason.Status(); !good && s != 401 && s != 421 && v.Reason != AddressInClear {
			t.Fatalf("a stranger learns %s: %+v", v.Reason, h)
		}
		if want := good && (h.Origin == "" || h.OriginOK) && h.Route == RouteFound && (e.Class <= ClassLook || e.Class == ClassManage && h.Caller.Grant.Role == RoleManager); v.OK() != want {
			t.Fatalf("%s, want let in: %v: %+v", v.Reason, want, h)
		}
		if v.OK() {
			allowed++
		}
	}
	if allowed == 0 {
		t.Error("no head was let in, so nothing was tried")
	}
}
