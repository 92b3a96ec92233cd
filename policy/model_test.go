package policy

import (
	"cmp"
	"strings"
	"testing"
)

func TestNamesThatAreTheSameModel(t *testing.T) {
	for want, names := range map[Model][]string{
		"registry.ollama.ai/library/llama3:latest": {
			"llama3", "LLAMA3", "llama3:latest", "Llama3:LATEST", "library/llama3", "Library/llama3:latest",
			"registry.ollama.ai/library/llama3", "REGISTRY.OLLAMA.AI/LIBRARY/LLAMA3:LATEST",
			"http://registry.ollama.ai/library/LLAMA3", "https://registry.ollama.ai/library/llama3:latest",
			"any scheme://registry.ollama.ai/library/llama3", "://registry.ollama.ai/library/llama3",
			"a/b://registry.ollama.ai/library/llama3", "http:///library/llama3", // these too, to Ollama
		},
		"registry.ollama.ai/library/llama3:70b":         {"llama3:70b", "llama3:70B", "library/llama3:70b"},
		"registry.ollama.ai/library/llama3.1:8b-q4_k_m": {"llama3.1:8b-q4_K_M"},
		"registry.ollama.ai/mallory/llama3:latest":      {"mallory/llama3"},
		"hf.co/bartowski/llama-3.2-1b-gguf:q4_k_m":      {"hf.co/bartowski/Llama-3.2-1B-GGUF:Q4_K_M", "https://hf.co/bartowski/Llama-3.2-1B-GGUF:Q4_K_M"},
		"localhost:5000/library/tiny:latest":            {"localhost:5000/library/tiny", "http://localhost:5000/library/tiny:latest"},
		"host:port/namespace/model:tag":                 {"scheme://host:port/namespace/model:tag"},
		"registry.ollama.ai/library/_:_":                {"_:_"},
		"registry.ollama.ai/library/latest:latest":      {"latest"},
		"h/n/m:t": {"h/n/m:t", "H/N/M:T"},
		Model(strings.Repeat("3", 350) + "/library/m:latest"):                  {strings.Repeat("3", 350) + "/library/m"},
		Model(defaultHost + "/library/" + strings.Repeat("m", 80) + ":latest"): {strings.Repeat("m", 80)},
	} {
		for _, s := range names {
			if got, ok := ParseModel(s); !ok || got != want {
				t.Errorf("%q is %q, %v; want %q", s, got, ok, want)
			}
		}
	}
}

func TestNamesThatOllamaRefuses(t *testing.T) {
	for _, s := range []string{
		"", " ", " tiny", "tiny ", "tiny\n", "tiny\x00", "ti ny", "tiny:", ":tiny", ":", "/", "//", "///", "/tiny", "tiny/", "a//b", "/a/b", "a/b/",
		"https://tiny", "http://", "://", "https://tiny/x", "http://http://h/n/m",
		"tiny@sha256:abc", "@sha256:abc", "tiny:latest@sha256:abc", "tiny@abc", "library/tiny@sha256:abc",
		"tiny:a:b", "tiny:8b:cloud", "-tiny", ".tiny", "tiny:-x", "tiny:.x", "..", ".", "../tiny", "./tiny", "a.b/tiny", "a/b/c/d", "a/b/c/d/e",
		`a\b`, "tiny*", "*", "tiny%20", "tiny?", "tiny#", "tiny+x", "tïny", "tiny\u212a", "\u212ai", "tіny" /* Cyrillic */, "\xff", "tiny\xc3", "!MISSING!",
		"[::1]/n/m", "user@host/n/m", "-h/n/m", "h\x00/n/m",
		strings.Repeat("m", 81), "m:" + strings.Repeat("t", 81), strings.Repeat("n", 81) + "/m", strings.Repeat("h", 351) + "/n/m", strings.Repeat("m", 1<<16),
	} {
		if got, ok := ParseModel(s); ok || got != "" {
			t.Errorf("%.100q is %q, %v", s, got, ok)
		}
	}
}

func TestTheShortNameIsTheOneInLists(t *testing.T) {
	for in, want := range map[string]string{
		"llama3": "llama3:latest", "LLAMA3:8B": "llama3:8b", "mallory/x": "mallory/x:latest", "hf.co/library/x": "hf.co/library/x:latest",
		"hf.co/a/b:c": "hf.co/a/b:c", "registry.ollama.ai/library/x": "x:latest", "registry.ollama.ai.evil/library/x": "registry.ollama.ai.evil/library/x:latest",
	} {
		m, ok := ParseModel(in)
		if got := m.Short(); !ok || got != want {
			t.Errorf("%q is short %q, want %q", in, got, want)
		}
	}
}

// ollamaName reads a name by the steps of Ollama's types/model/name.go, which
// marks a missing part with a text that no part may be and fills in what is
// empty only afterwards.
func ollamaName(s string) (host, namespace, model, tag string, ok bool) {
	const missing = "!MISSING!"
	cut := func(s, sep string) (string, string, bool) {
		i := strings.LastIndex(s, sep)
		if i < 0 {
			return s, "", false
		}
		return cmp.Or(s[:i], missing), cmp.Or(s[i+1:], missing), true
	}
	var promised bool
	if strings.LastIndex(s, ":") > strings.LastIndex(s, "/") {
		s, tag, _ = cut(s, ":")
	}
	if s, model, promised = cut(s, "/"); !promised {
		model, s = s, ""
	} else if s, namespace, promised = cut(s, "/"); !promised {
		namespace, s = s, ""
	} else if _, rest, found := strings.Cut(s, "://"); found {
		s = rest
	}
	host, namespace, tag = cmp.Or(s, defaultHost), cmp.Or(namespace, defaultNamespace), cmp.Or(tag, defaultTag)
	valid := func(s string, longest int, extra string) bool {
		for i, c := range s {
			word := c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
			if !word && (i == 0 || !strings.ContainsRune("-"+extra, c)) {
				return false
			}
		}
		return s != "" && len(s) <= longest
	}
	return host, namespace, model, tag, valid(host, 350, ".:") && valid(namespace, 80, "") && valid(model, 80, ".") && valid(tag, 80, ".")
}

func seedNames(f *testing.F) {
	for _, s := range []string{
		"", "llama3", "LLAMA3:Latest", "library/llama3", "registry.ollama.ai/library/llama3:latest", "http://registry.ollama.ai/library/LLAMA3",
		" tiny", "tiny:", ":x", "https://tiny", "http:///n/m", "://h/n/m", "@sha256:abc", "tiny@sha256:abc", "hf.co/a/B-GGUF:Q4_K_M", "localhost:5000/n/m",
		"a//b", "/a", "a/", "a/b/c/d", "!MISSING!", "x:8b-cloud", "_/_/_:_", "\u212a", "a/b://c/d/e",
	} {
		f.Add(s)
	}
}

// The model that policy sees is the one that Ollama sees.
func FuzzParseModel(f *testing.F) {
	seedNames(f)
	f.Fuzz(func(t *testing.T, s string) {
		host, namespace, model, tag, valid := ollamaName(s)
		m, ok := ParseModel(s)
		if ok != valid {
			t.Fatalf("%q: a model here %v, to Ollama %v", s, ok, valid)
		}
		if !ok {
			if m != "" {
				t.Fatalf("%q is refused, and yet %q", s, m)
			}
			return
		}
		if want := strings.ToLower(host + "/" + namespace + "/" + model + ":" + tag); string(m) != want {
			t.Fatalf("%q is %q, to Ollama %q", s, m, want)
		}
		for _, again := range []string{string(m), m.Short(), strings.ToUpper(m.Short()), "http://" + string(m)} {
			if back, ok := ParseModel(again); !ok || back != m {
				t.Fatalf("%q is %q, and %q is %q, %v", s, m, again, back, ok)
			}
		}
		if IsCloud(s) != IsCloud(string(m)) && !strings.HasSuffix(strings.ToLower(s), "-cloud") {
			t.Fatalf("%q and %q differ in being of the cloud", s, m)
		}
	})
}
