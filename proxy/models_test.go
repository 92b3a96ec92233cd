package proxy

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"paddock/policy"
)

const (
	asLena = host + "Authorization: Bearer " + keyLena + "\r\n"
	asLars = host + "Authorization: Bearer " + keyLars + "\r\n"
	asCleo = host + "Authorization: Bearer " + keyCleo + "\r\n"
	asBoss = host + "Authorization: Bearer " + keyCloud + "\r\n"
)

// modelNames are the rows about which model a key may use, under whatever name.
func modelNames() []attack {
	var rows []attack
	add := func(name, text string, reason policy.Reason) {
		status := reason.Status()
		if reason == policy.Allowed {
			status = 200
		}
		rows = append(rows, attack{name, text, status, reason, reason == policy.Allowed})
	}
	// Each endpoint that names a model, by each member that names it.
	for _, e := range policy.Endpoints() {
		if e.Names == "" || e.Class == policy.ClassAccount || e.Path == "/api/copy" {
			continue
		}
		who, own, other := asLena, "qwen3:8b", "secret"
		if e.Class == policy.ClassManage {
			who, own = asLars, "mine:8b"
		}
		for member := range strings.SplitSeq(e.Names, ",") {
			ask := func(model string) string {
				if e.Body == policy.BodyForm {
					kind, text := form(field(member, model))
					return say(e.Method+" "+e.Path, who+kind, text)
				}
				return say(e.Method+" "+e.Path, who, fmt.Sprintf(`{%q:%q}`, member, model))
			}
			add("a model of the key by "+member+" at "+e.Path, ask(own), policy.Allowed)
			add("another model by "+member+" at "+e.Path, ask(other), policy.ModelNotGranted)
			add("a cloud model by "+member+" at "+e.Path, ask(own+"-cloud"), policy.CloudNotGranted)
			add("no model by "+member+" at "+e.Path, ask(""), policy.BadBody)
			add("what is no name by "+member+" at "+e.Path, ask("../etc/passwd x"), policy.BadModel)
		}
	}
	for _, c := range []struct {
		model  string
		reason policy.Reason
	}{
		{"llama3", policy.Allowed},
		{"LLAMA3", policy.Allowed},
		{"llama3:latest", policy.Allowed},
		{"llama3:LATEST", policy.Allowed},
		{"library/llama3", policy.Allowed},
		{"Library/Llama3:Latest", policy.Allowed},
		{"registry.ollama.ai/library/llama3", policy.Allowed},
		{"https://registry.ollama.ai/library/llama3:latest", policy.Allowed},
		{"mistral:7B", policy.Allowed},
		{"qwen3:0.6b", policy.Allowed},
		{"qwen3.5-coder", policy.Allowed},
		{"qwen3-fine", policy.Allowed},          // an alias of a model that it may use
		{"qwen3-fast-1", policy.Allowed},        // the longest prefix goes first
		{"qwen3-fast-1:latest", policy.Allowed}, //
		{"qwen3-fast", policy.ModelNotGranted},
		{"qwen3-fast:9b", policy.ModelNotGranted},
		{"QWEN3-FAST:9b", policy.ModelNotGranted},
		{"qwen3-secret", policy.ModelNotGranted},
		{"library/qwen3-secret:latest", policy.ModelNotGranted},
		{"qwen3-far", policy.CloudNotGranted},
		{"plain", policy.ModelNotGranted}, // its name is not among the patterns, whatever it stands for
		{"llama3:8b", policy.ModelNotGranted},
		{"mistral", policy.ModelNotGranted},
		{"llama", policy.ModelNotGranted},
		{"llama33", policy.ModelNotGranted},
		{"mallory/llama3", policy.ModelNotGranted},
		{"hf.co/library/llama3", policy.ModelNotGranted},
		{"evil.example/library/llama3", policy.ModelNotGranted},
		{"registry.ollama.ai.evil/library/llama3", policy.ModelNotGranted},
		{"*", policy.BadModel},
		{"llama3*", policy.BadModel},
		{" llama3", policy.BadModel},
		{"llama3 ", policy.BadModel},
		{"llama3\n", policy.BadModel},
		{"llama3:", policy.BadModel},
		{":latest", policy.BadModel},
		{"/llama3", policy.BadModel},
		{"library//llama3", policy.BadModel},
		{"llama3@sha256:0123", policy.BadModel},
		{"llama3\u0000", policy.BadModel},
		{"ll\u0430ma3", policy.BadModel},
		{"llama3\u200b", policy.BadModel},
		{"../llama3", policy.BadModel},
		{"a/b/c/d", policy.BadModel},
		{strings.Repeat("a", 81), policy.BadModel},
		{"llama3:cloud", policy.CloudNotGranted},
		{"llama3:8b-CLOUD", policy.CloudNotGranted},
		{" minimax:cloud", policy.CloudNotGranted},
	} {
		add(fmt.Sprintf("a key with patterns and the name %.90q", c.model), post("/api/chat", asLena, fmt.Sprintf(`{"model":%s}`, quote(c.model))), c.reason)
	}
	for _, name := range []string{"helper", "helper:latest", "HELPER", "library/helper", "registry.ollama.ai/library/helper", "best", "Best:latest", "gpt-oss", "GPT-x:7b", "chain-a", "CHAIN-A:latest", "chain-b", "chain-c", "deep-0", "gpt-oss:120b-cloud", "through"} {
		body := `{"model":"` + name + `"}`
		add("a name for a model elsewhere: "+name, post("/v1/chat/completions", asUser, body), policy.CloudNotGranted)
		add("a name for a model elsewhere in details: "+name, post("/api/show", asUser, body), policy.CloudNotGranted)
		add("a name for a model elsewhere with the grant: "+name, post("/api/chat", asBoss, body), policy.Allowed)
		if !strings.Contains(name, "/") {
			add("a name for a model elsewhere in a path: "+name, get("/v1/models/"+name, asUser), policy.CloudNotGranted)
		}
	}
	add("an alias that a model shadows", post("/api/chat", asUser, chat), policy.Allowed)
	add("an alias of a model here", post("/api/chat", asUser, `{"model":"plain"}`), policy.Allowed)
	add("aliases in a circle, which Ollama refuses", post("/api/chat", asUser, `{"model":"loop-a"}`), policy.Allowed)
	add("a name that nobody knows", post("/api/chat", asUser, `{"model":"never-heard-of"}`), policy.Allowed)

	add("details in a path", get("/v1/models/qwen3:8b", asLena), policy.Allowed)
	add("details in a path in capitals", get("/v1/models/LLAMA3", asLena), policy.Allowed)
	add("details of another model in a path", get("/v1/models/secret", asLena), policy.ModelNotGranted)
	add("details of another model in a path by an alias", get("/v1/models/qwen3-secret", asLena), policy.ModelNotGranted)
	add("what is no name in a path", get("/v1/models/llama3@x", asLena), policy.BadModel)
	add("a star in a path", get("/v1/models/*", asLena), policy.BadModel)

	add("a cloud model of the key", post("/api/chat", asCleo, `{"model":"gpt-oss:120b-cloud"}`), policy.Allowed)
	add("a cloud model that is not of the key", post("/api/chat", asCleo, `{"model":"minimax:cloud"}`), policy.ModelNotGranted)
	add("a name of the key that stands for another cloud model", post("/api/chat", asCleo, `{"model":"gpt-oss:20b"}`), policy.ModelNotGranted)
	add("a model elsewhere that is not of the key", post("/api/chat", asCleo, `{"model":"helper"}`), policy.ModelNotGranted)
	add("a web search with the grant", post("/v1/messages", asCleo, `{"model":"llama3","tools":[{"type":"web_search_20250305"}]}`), policy.Allowed)

	for _, c := range []struct {
		name, path, who, body string
		reason                policy.Reason
	}{
		{"a copy of a model of the key", "/api/copy", asLars, `{"source":"llama3","destination":"mine"}`, policy.Allowed},
		{"a copy of another model", "/api/copy", asLars, `{"source":"secret","destination":"mine"}`, policy.ModelNotGranted},
		{"a copy over another model", "/api/copy", asLars, `{"source":"llama3","destination":"secret"}`, policy.ModelNotGranted},
		{"a copy of what is no name", "/api/copy", asLars, `{"source":"../x y","destination":"mine"}`, policy.ModelNotGranted},
		{"a copy to what is no name", "/api/copy", asLars, `{"source":"llama3","destination":"a b"}`, policy.BadModel},
		{"a copy without a destination", "/api/copy", asMara, `{"source":"llama3"}`, policy.BadBody},
		{"a copy to two destinations", "/api/copy", asMara, `{"source":"llama3","destination":"a","destination":"b"}`, policy.BadBody},
		{"a copy to a destination in capitals", "/api/copy", asMara, `{"source":"llama3","Destination":"a"}`, policy.BadBody},
		{"a copy whose source is a list", "/api/copy", asMara, `{"source":["llama3"],"destination":"a"}`, policy.BadBody},
		{"a copy of a model elsewhere", "/api/copy", asMara, `{"source":"helper","destination":"mine"}`, policy.CloudNotGranted},
		{"a copy of a name for a model elsewhere", "/api/copy", asMara, `{"source":"best","destination":"mine"}`, policy.CloudNotGranted},
		{"a copy over the name of a model elsewhere", "/api/copy", asMara, `{"source":"llama3","destination":"helper"}`, policy.CloudNotGranted},
		{"a copy to a cloud name", "/api/copy", asMara, `{"source":"llama3","destination":"mine:cloud"}`, policy.CloudNotGranted},
		{"a copy of a model elsewhere with the grant", "/api/copy", asBoss, `{"source":"helper","destination":"mine"}`, policy.Allowed},
		{"a model made of one of the key", "/api/create", asLars, `{"model":"mine","from":"llama3"}`, policy.Allowed},
		{"a model made of files", "/api/create", asLars, `{"model":"mine","files":{"a.gguf":"sha256:1"}}`, policy.Allowed},
		{"a model made of another", "/api/create", asLars, `{"model":"mine","from":"secret"}`, policy.ModelNotGranted},
		{"a model made of an alias of another", "/api/create", asLars, `{"model":"mine","from":"qwen3-secret"}`, policy.ModelNotGranted},
		{"a model made of a path", "/api/create", asLars, `{"model":"mine","from":"/etc/passwd"}`, policy.ModelNotGranted},
		{"another model made of one of the key", "/api/create", asLars, `{"model":"secret","from":"llama3"}`, policy.ModelNotGranted},
		{"a model by its old name made of one of the key", "/api/create", asLars, `{"name":"secret","from":"llama3"}`, policy.ModelNotGranted},
		{"a model made of one elsewhere", "/api/create", asMara, `{"model":"mine","from":"helper"}`, policy.CloudNotGranted},
		{"a model made of a name that begins like one elsewhere", "/api/create", asMara, `{"model":"mine","from":"gpt-x"}`, policy.CloudNotGranted},
		{"a model made of two", "/api/create", asMara, `{"model":"mine","from":"a","From":"helper"}`, policy.BadBody},
		{"a model on two hosts", "/api/create", asMara, `{"model":"mine","from":"a","remote_host":"x","remote_Host":"y"}`, policy.BadBody},
		{"a model on a host that is no text", "/api/create", asMara, `{"model":"mine","from":"a","remote_host":1}`, policy.BadBody},
		{"a model elsewhere with the grant", "/api/create", asBoss, `{"model":"mine","from":"gpt","remote_host":"https://ollama.com"}`, policy.Allowed},
		{"a pull of another model", "/api/pull", asLars, `{"name":"secret"}`, policy.ModelNotGranted},
		{"a pull from another registry", "/api/pull", asLars, `{"model":"evil.example/library/llama3"}`, policy.ModelNotGranted},
		{"a push of a model of the key", "/api/push", asLars, `{"model":"mine"}`, policy.Allowed},
	} {
		add(c.name, post(c.path, c.who, c.body), c.reason)
	}
	add("a model thrown away", say("DELETE /api/delete", asLars, `{"model":"mine"}`), policy.Allowed)
	add("another model thrown away", say("DELETE /api/delete", asLars, `{"model":"secret"}`), policy.ModelNotGranted)
	add("another model thrown away by its old name", say("DELETE /api/delete", asLars, `{"name":"SECRET:latest"}`), policy.ModelNotGranted)
	kind, text := form(field("language", "de"))
	add("a form without a model", say("POST /v1/audio/transcriptions", asLena+kind, text), policy.BadBody)
	return rows
}

// sideDoors are the rows about what a user's request may say of memory.
func sideDoors() []attack {
	var rows []attack
	unload := func(name, body string) {
		rows = append(rows, attack{name, post("/api/generate", asUser, body), 403, policy.UnloadNotGranted, false})
	}
	pass := func(name, who, body string) {
		rows = append(rows, attack{name, post("/api/generate", who, body), 200, policy.Allowed, true})
	}
	bad := func(name, body string) {
		rows = append(rows, attack{name, post("/api/generate", asUser, body), 400, policy.BadBody, false})
	}
	for _, zero := range []string{`0`, `-0`, `0.0`, `0e9`, `1e-9`, `0.9`, `-0.5`, `1e-400`, `"0"`, `"0s"`, `"0h0m"`, `"-0s"`, `"\u0030"`, `"0.0s"`} {
		unload("a model thrown out with "+zero, `{"model":"llama3","keep_alive":`+zero+`}`)
	}
	unload("a model thrown out in capitals", `{"model":"llama3","KEEP_ALIVE":0}`)
	unload("a model thrown out in escapes", `{"model":"llama3","keep\u005falive":0}`)
	unload("a model thrown out by a Kelvin sign", "{\"model\":\"llama3\",\"\u212aeep_alive\":0}")
	unload("a model thrown out by the second of two", `{"model":"llama3","keep_alive":"5m","keep_alive":0}`)
	unload("a model thrown out by the first of two", `{"model":"llama3","keep_alive":0,"Keep_Alive":"5m"}`)
	unload("a model thrown out with empty words", `{"model":"llama3","prompt":"","messages":[],"input":null,"keep_alive":0}`)
	unload("a model thrown out with a prompt that is none", `{"model":"llama3","prompt":7,"keep_alive":0}`)
	rows = append(
		rows,
		attack{"a model thrown out by a chat", post("/api/chat", asUser, `{"model":"llama3","messages":[],"keep_alive":0}`), 403, policy.UnloadNotGranted, false},
		attack{"a model thrown out by an embedding", post("/api/embed", asUser, `{"model":"llama3","keep_alive":"0"}`), 403, policy.UnloadNotGranted, false},
		attack{"a model of another name thrown out is refused for its name", post("/api/generate", asLena, `{"model":"secret","keep_alive":0}`), 403, policy.ModelNotGranted, false},
	)
	pass("a manager throws a model out", asMara, `{"model":"llama3","keep_alive":0}`)
	pass("a manager says what he likes of memory", asMara, `{"model":"llama3","Options":{"num_gpu":1},"options":{"num_ctx":1e9},"keep_alive":-1}`)
	pass("a question that would throw the model out behind it", asUser, `{"model":"llama3","prompt":"x","keep_alive":0}`)
	pass("a question that would pin the model", asUser, `{"model":"llama3","keep_alive":-1}`)
	pass("a time that is none", asUser, `{"model":"llama3","keep_alive":"soon"}`)
	pass("a prompt in capitals is a prompt", asUser, `{"model":"llama3","PROMPT":"x","keep_alive":0}`)
	pass("a context beyond the owner's", asUser, `{"model":"llama3","options":{"num_ctx":1000000}}`)
	pass("options that are no object", asUser, `{"model":"llama3","options":[1]}`)
	bad("two options", `{"model":"llama3","options":{},"options":{"num_gpu":1}}`)
	bad("options in capitals", `{"model":"llama3","Options":{"num_gpu":1}}`)
	bad("options with a long s", `{"model":"llama3","option\u017f":{"num_gpu":1}}`)
	bad("options in escaped capitals", `{"model":"llama3","\u004fptions":{}}`)
	bad("options and then null", `{"model":"llama3","options":{"num_ctx":1},"options":null}`)
	return rows
}

func quote(s string) string { return strings.ReplaceAll(fmt.Sprintf("%+q", s), `\x`, `\u00`) }

// catalogueOf makes a site whose lists a test changes.
func catalogueOf(s *site, f http.HandlerFunc) { s.catalogue.Store(&f) }

// Who cannot tell whose account a name would spend lets nobody use it.
func TestNobodyKnowsWhatANameStandsFor(t *testing.T) {
	for name, f := range map[string]http.HandlerFunc{
		"an error":          func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"a refusal":         func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) },
		"half":              func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"models":[{"name":"ll`) },
		"a hang-up":         func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"a list of numbers": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"models":[1],"aliases":[1]}`) },
		"too much": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"models":[],"x":"`+strings.Repeat("x", maxCatalogue)+`"}`)
		},
		"aliases that cannot be read": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/api/tags" {
				_, _ = io.WriteString(w, `{"models":[]}`) // an alias is for a name that no model has
				return
			}
			w.WriteHeader(500)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, echo)
			catalogueOf(s, f)
			got := s.ask(keyAlice, "POST", "/api/chat", chat)
			if got.status != 502 || s.seen.Load() != 0 || s.downs.Load() == 0 {
				t.Errorf("%+v, told %d times", got, s.downs.Load())
			}
			if e := s.last(1); e.Reason != policy.UpstreamUnanswers {
				t.Errorf("%+v", e)
			}
			if got := s.ask(keyCloud, "POST", "/api/chat", chat); got.status != 200 {
				t.Errorf("a key that may use everything: %+v", got)
			}
			if got := s.ask(keyAlice, "GET", "/api/tags", ""); got.status != 200 {
				t.Errorf("a list: %+v", got)
			}
			s.entries(3)
		})
	}
}

// What does not know the path, or answers every path with a text, is not Ollama,
// and has neither remote models nor aliases.
func TestAServerThatIsNotOllama(t *testing.T) {
	for name, f := range map[string]http.HandlerFunc{
		"no such path": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) },
		"a text":       func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, echo)
			catalogueOf(s, f)
			if got := s.ask(keyAlice, "POST", "/api/chat", chat); got.status != 200 {
				t.Errorf("%+v", got)
			}
			if got := s.ask(keyAlice, "POST", "/api/chat", `{"model":"minimax:cloud"}`); got.status != 403 {
				t.Errorf("%+v", got)
			}
			s.entries(2)
		})
	}
}

// An Ollama without aliases is one of before 0.17.
func TestAnOllamaWithoutAliases(t *testing.T) {
	s := open(t, echo)
	catalogueOf(s, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/tags" {
			w.WriteHeader(404)
			return
		}
		_, _ = io.WriteString(w, tags)
	})
	if got := s.ask(keyAlice, "POST", "/api/chat", `{"model":"best"}`); got.status != 200 {
		t.Errorf("%+v", got)
	}
	if got := s.ask(keyAlice, "POST", "/api/chat", `{"model":"helper"}`); got.status != 403 {
		t.Errorf("%+v", got)
	}
	s.entries(2)
}

// What a manager changed through the gate is known at the next request, and a
// name that is new is looked up again at once.
func TestTheCatalogueIsNoOlderThanItMayBe(t *testing.T) {
	now := time.Now()
	var list string
	s := open(t, echo, func(_ *site, c *Config) { c.Now = func() time.Time { return now } })
	catalogueOf(s, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/tags" {
			_, _ = io.WriteString(w, list)
			return
		}
		_, _ = io.WriteString(w, `{}`)
	})
	here := `{"models":[{"name":"llama3"}]}`
	far := `{"models":[{"name":"llama3","remote_host":"https://ollama.com"},{"name":"new","remote_host":"x"}]}`
	n := 0
	ask := func(key, path, body string, status int, reads int64) {
		t.Helper()
		before := s.asked.Load()
		if got := s.ask(key, "POST", path, body); got.status != status {
			t.Errorf("%s: %+v, want %d", body, got, status)
		}
		if got := s.asked.Load() - before; got != reads {
			t.Errorf("%s: the gate asked %d times, want %d", body, got, reads)
		}
		n++
		s.entries(n)
	}
	list = here
	ask(keyAlice, "/api/chat", chat, 200, 1)
	ask(keyAlice, "/api/chat", chat, 200, 0)
	now = now.Add(catalogueFresh - time.Millisecond)
	list = far
	ask(keyAlice, "/api/chat", chat, 200, 0) // the two seconds that docs/decisions/0009 gives up
	now = now.Add(time.Millisecond)
	ask(keyAlice, "/api/chat", chat, 403, 1)
	ask(keyAlice, "/api/chat", chat, 403, 0)
	ask(keyAlice, "/api/chat", `{"model":"other"}`, 200, 1) // the aliases, for a name that no model has
	now = now.Add(catalogueUnknown)
	ask(keyAlice, "/api/chat", `{"model":"other"}`, 200, 2)
	list = here
	ask(keyMara, "/api/copy", `{"source":"mine","destination":"mine2"}`, 200, 0)
	ask(keyAlice, "/api/chat", chat, 200, 1) // what a manager does makes it stale
	list = far
	now = now.Add(-time.Hour) // a clock that goes back makes no reading younger
	ask(keyAlice, "/api/chat", chat, 403, 1)
	list = here
	up := *s.gate.upstream.Load()
	s.gate.SetUpstream(up)
	ask(keyAlice, "/api/chat", chat, 200, 1) // another Ollama has other models
}

// While the lists cannot be read a usable reading holds, and no longer.
func TestAnOldCatalogueIsUsedForAWhile(t *testing.T) {
	now := time.Now()
	s := open(t, echo, func(_ *site, c *Config) { c.Now = func() time.Time { return now } })
	if got := s.ask(keyAlice, "POST", "/api/chat", chat); got.status != 200 {
		t.Fatalf("%+v", got)
	}
	catalogueOf(s, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	now = now.Add(catalogueUsable - time.Millisecond)
	if got := s.ask(keyAlice, "POST", "/api/chat", chat); got.status != 200 {
		t.Errorf("%+v", got)
	}
	now = now.Add(time.Millisecond)
	if got := s.ask(keyAlice, "POST", "/api/chat", chat); got.status != 502 {
		t.Errorf("%+v", got)
	}
	s.entries(3)
}

// A client that leaves while the gate asks for the lists has left.
func TestClientLeavesWhileTheGateAsks(t *testing.T) {
	s := open(t, echo)
	asked, gone := make(chan struct{}), make(chan struct{})
	catalogueOf(s, func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
		close(gone)
	})
	c := s.dial()
	_, _ = io.WriteString(c, post("/api/chat", asUser, chat))
	wait(t, "the gate asks", asked)
	c.Close()
	wait(t, "the question is taken back", gone)
	if e := s.last(1); e.CutBy != "client" || s.downs.Load() != 0 || s.seen.Load() != 0 {
		t.Errorf("%+v, told %d times", e, s.downs.Load())
	}
}

// resolveSlowly is server/aliases.go of Ollama 0.17.4 in few words; ok is false
// where Ollama answers with an error.
func resolveSlowly(exists map[policy.Model]bool, exact map[policy.Model]string, prefixes []alias, name policy.Model) (policy.Model, bool) {
	if _, is := exists[name]; is {
		return name, true
	}
	visited := map[policy.Model]bool{}
	target, found := exact[name]
	if found {
		visited[name] = true
	} else {
		best := -1
		for i, p := range prefixes {
			if p.Alias != "" && strings.HasPrefix(strings.TrimSuffix(name.Short(), ":latest"), p.Alias) && (best < 0 || len(p.Alias) > len(prefixes[best].Alias)) {
				best = i
			}
		}
		if best < 0 {
			return name, true
		}
		target = prefixes[best].Target
	}
	for {
		to, ok := policy.ParseModel(target)
		if !ok || visited[to] {
			return "", false
		}
		visited[to] = true
		if target, found = exact[to]; !found {
			return to, true
		}
	}
}

// Whatever stands in the lists, a name is followed to where Ollama would follow
// it, and following ends.
func FuzzResolve(f *testing.F) {
	f.Add("a", "a>b b>c c>d:cloud", "x- y", "z")
	f.Add("x-1", "y>z", "x- y>", "z")
	f.Add("loop", "loop>pool pool>loop", "", "")
	f.Add("a:latest", "A>b:LATEST b>b", "a:l>c a>d", "")
	f.Add("m", "m>n", "m>o", "m")
	f.Add("p-q", "", "p>r p->s r>", "")
	f.Fuzz(func(t *testing.T, name, exact, prefixes, exists string) {
		asked, ok := policy.ParseModel(name)
		if !ok {
			return
		}
		m := &models{remote: map[policy.Model]bool{}, aliases: map[policy.Model]string{}}
		for word := range strings.FieldsSeq(exists) {
			if p, ok := policy.ParseModel(word); ok {
				m.remote[p] = false
			}
		}
		for word := range strings.FieldsSeq(exact) {
			from, to, _ := strings.Cut(word, ">")
			if p, ok := policy.ParseModel(from); ok {
				m.aliases[p] = to
			}
		}
		for word := range strings.FieldsSeq(prefixes) {
			from, to, _ := strings.Cut(word, ">")
			if !slices.ContainsFunc(m.prefixes, func(a alias) bool { return a.Alias == strings.ToLower(from) }) {
				m.prefixes = append(m.prefixes, alias{Alias: strings.ToLower(from), Target: to, Prefix: true})
			}
		}
		unsorted := slices.Clone(m.prefixes)
		slices.SortStableFunc(m.prefixes, func(a, b alias) int { return len(b.Alias) - len(a.Alias) })
		got := m.resolve(asked)
		want, runs := resolveSlowly(m.remote, maps.Clone(m.aliases), unsorted, asked)
		if runs && got != want {
			t.Fatalf("%q: the gate judges %q, Ollama runs %q", asked, got, want)
		}
	})
}
