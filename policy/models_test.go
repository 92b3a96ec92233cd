package policy

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func mustModels(tb testing.TB, patterns ...string) Models {
	tb.Helper()
	m, err := ParseModels(patterns)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func TestWhatAPatternMatches(t *testing.T) {
	for _, c := range []struct {
		pattern string
		yes, no []string
	}{
		{
			"llama3",
			[]string{"llama3", "LLAMA3:latest", "library/llama3", "https://registry.ollama.ai/library/llama3"},
			[]string{"llama3:8b", "llama3.1", "llama", "xllama3", "mallory/llama3", "hf.co/library/llama3", "llama3-cloud"},
		},
		{"LLama3:8B", []string{"llama3:8b", "llama3:8B"}, []string{"llama3", "llama3:8b-q4", "llama3:70b"}},
		{"library/llama3", []string{"llama3"}, []string{"llama3:8b", "other/llama3"}},
		{"registry.ollama.ai/library/llama3:latest", []string{"llama3"}, []string{"llama3:8b"}},
		{"llama3*", []string{"llama3", "llama3:8b", "llama3.1:70b", "llama3-chatqa"}, []string{"llama2", "xllama3", "mallory/llama3", "hf.co/library/llama3"}},
		{"llama3:*", []string{"llama3", "llama3:8b"}, []string{"llama3.1", "llama3.1:8b", "mallory/llama3:8b"}},
		{"llama3*:8b", []string{"llama3:8b", "llama3.2:8b"}, []string{"llama3", "llama3:8b-q4"}},
		{"llama3:8b*", []string{"llama3:8b", "llama3:8b-q4_K_M"}, []string{"llama3", "llama3:70b", "llama3.1:8b"}},
		{"*", []string{"llama3", "mallory/x:y", "hf.co/a/b:c", "localhost:5000/n/m"}, nil},
		{"*coder", []string{"coder", "qwen-coder"}, []string{"qwen-coder:7b", "coder2"}},
		{"*coder*", []string{"qwen2.5-coder:7b", "coder"}, []string{"qwen", "x/coder"}},
		{"*:7b", []string{"qwen:7b", "x:7B"}, []string{"qwen", "qwen:7b-q4", "mallory/qwen:7b", "hf.co/a/b:7b"}},
		{"*:*", []string{"qwen", "qwen:7b"}, []string{"mallory/qwen", "hf.co/a/b"}},
		{"**", []string{"qwen:7b"}, []string{"mallory/qwen"}},
		{"mallory/*", []string{"mallory/x", "mallory/x:7b"}, []string{"x", "malloryx/x", "hf.co/mallory/x"}},
		{"mal*/x", []string{"mallory/x", "mal/x"}, []string{"mallory/x:7b", "mallory/xy", "hf.co/mallory/x"}},
		{"*/*", []string{"x", "mallory/x:7b"}, []string{"hf.co/a/b"}},
		{"*/*/*", []string{"x", "mallory/x:7b", "hf.co/a/b:c"}, nil},
		{"hf.co/*", []string{"hf.co/a/b", "HF.co/a/b:c"}, []string{"hf.com/a/b", "x.hf.co/a/b", "hf.co.evil/a/b", "a/b", "b"}},
		{"hf.co/*:q4", []string{"hf.co/a/b:Q4"}, []string{"hf.co/a/b", "b:q4"}},
		{"hf.co/x/*", []string{"hf.co/x/b", "hf.co/x/b:c"}, []string{"hf.co/xx/b", "hf.co/y/b", "x/b"}},
		{"hf.co/*/*", []string{"hf.co/a/b", "hf.co/x/b:c"}, []string{"a/b"}},
		{"hf.co/*/*-gguf:q4*", []string{"hf.co/a/b-GGUF:q4_K_M"}, []string{"hf.co/a/b-GGUF", "hf.co/a/b:q4"}},
		{"localhost:5000/*", []string{"localhost:5000/n/m", "localhost:5000/n/m:t"}, []string{"localhost/n/m", "localhost:50000/n/m", "n/m"}},
		{"*.example.com/*", []string{"a.example.com/n/m", "a.b.example.com/n/m:t"}, []string{"example.com/n/m", "a.example.com.evil/n/m"}},
		{"registry.ollama.ai/*", []string{"x", "mallory/x:7b"}, []string{"hf.co/a/b"}},
		{"registry.ollama.ai/library/*", []string{"x", "x:7b"}, []string{"mallory/x:7b"}},
		{"  Tiny  ", []string{"tiny"}, []string{"tiny:8b"}},
	} {
		m := mustModels(t, c.pattern)
		for _, name := range c.yes {
			if p, ok := ParseModel(name); !ok || !m.Match(p) {
				t.Errorf("%q does not match %q", c.pattern, name)
			}
		}
		for _, name := range c.no {
			if p, ok := ParseModel(name); !ok || m.Match(p) {
				t.Errorf("%q matches %q", c.pattern, name)
			}
		}
		if m.Match("") {
			t.Errorf("%q matches what is no model", c.pattern)
		}
	}
}

func TestWhatIsNoPattern(t *testing.T) {
	for _, p := range []string{
		"", " ", "llama3:", ":8b", "/", "llama3/", "/llama3", "a//b", "a b", "llama3\nqwen", "llama3,qwen", "llama?", "[a-z]", "llama{2,3}", "^llama", `a\*`,
		"http://hf.co/a/b", "https://*", "://", "hf.co/llama3", "a.b/c*", "a/b/c/d", "**/x/y/z", "x@sha256:abc", "-x", ".x*", "x:-y", "llama3:8b:cloud", "tïny", "\xff", "x\x00",
		strings.Repeat("x", 81), strings.Repeat("*", 81), strings.Repeat("h", 351) + "/n/m", strings.Repeat("x", 1<<16),
	} {
		if m, err := ParseModels([]string{"llama3", p}); err == nil {
			t.Errorf("%.80q was taken: %q", p, m.List())
		} else if m != (Models{}) || len(err.Error()) > 500 {
			t.Errorf("%.80q: %q, %v", p, m.List(), err)
		}
	}
	if _, err := ParseModels(make([]string, MaxPatterns+1)); err == nil {
		t.Error("too many patterns were taken")
	}
}

func TestAListOfPatternsIsAPlainValue(t *testing.T) {
	m := mustModels(t, "LLAMA3", "llama3", " qwen:* ", "llama3")
	if got := m.List(); !slices.Equal(got, []string{"llama3", "qwen:*"}) {
		t.Errorf("%q", got)
	}
	if m != mustModels(t, "llama3", "qwen:*") || m == mustModels(t, "qwen:*", "llama3") || m.All() {
		t.Error("two lists are compared by something else than their patterns")
	}
	m.List()[0] = "*"
	if m.List()[0] != "llama3" {
		t.Error("List hands out the patterns themselves")
	}
	if none := mustModels(t); !none.All() || none.List() != nil || !none.Match("registry.ollama.ai/library/x:latest") {
		t.Error("no pattern is not every model")
	}
	many := make([]string, MaxPatterns)
	for i := range many {
		many[i] = "m" + strings.Repeat("x", i)
	}
	if got := mustModels(t, many...).List(); len(got) != MaxPatterns {
		t.Errorf("%d patterns of %d", len(got), MaxPatterns)
	}
}

func TestPatternsInJSON(t *testing.T) {
	for _, c := range []struct{ in, out string }{
		{`["llama3"]`, `["llama3"]`},
		{`["LLama3*","hf.co/*"]`, `["llama3*","hf.co/*"]`},
	} {
		var m Models
		if err := json.Unmarshal([]byte(c.in), &m); err != nil {
			t.Errorf("%s: %v", c.in, err)
		}
		if out, err := json.Marshal(m); err != nil || string(out) != c.out {
			t.Errorf("%s came back as %s, %v", c.in, out, err)
		}
	}
	if out, err := json.Marshal(Models{}); err != nil || string(out) != "[]" {
		t.Errorf("every model is %s, %v", out, err)
	}
	for _, in := range []string{`[]`, `null`, `[null]`, `[""]`, `"llama3"`, `{}`, `[1]`, `["a b"]`, `["llama3","\n"]`} {
		m := mustModels(t, "kept")
		if err := json.Unmarshal([]byte(in), &m); err == nil {
			t.Errorf("%s was taken as %q", in, m.List())
		} else if m != mustModels(t, "kept") {
			t.Errorf("%s was refused and changed the value", in)
		}
	}
}

func TestAStarIsComparedInBoundedTime(t *testing.T) {
	pattern := strings.Repeat("a*", 40)[:79] + "b"
	m := mustModels(t, pattern)
	name, ok := ParseModel(strings.Repeat("a", 80))
	if !ok || m.Match(name) {
		t.Errorf("%q matches %q", pattern, name)
	}
}

// Each part of a pattern matches what it would as a regular expression, and a
// pattern without a star one name alone.
func FuzzModelsMatch(f *testing.F) {
	for _, p := range []string{"llama3", "llama3*", "llama3:*", "*", "hf.co/*", "hf.co/x/*", "*:7b", "*/*/*:*", "*.a/*", "a*b*c", "**", "x:5/*"} {
		for _, s := range []string{"llama3", "llama3:8b", "hf.co/x/y", "a.a/n/m:7b", "abbcc", "x:5/n/m"} {
			f.Add(p, s)
		}
	}
	parts := regexp.MustCompile(`^([^/]+)/([^/]+)/([^/:]+):([^/:]+)$`)
	f.Fuzz(func(t *testing.T, p, s string) {
		name, ok := ParseModel(s)
		if !ok {
			return
		}
		if own, err := ParseModels([]string{name.Short()}); err != nil || !own.Match(name) {
			t.Fatalf("%q does not match its own name, %v", name.Short(), err)
		}
		m, err := ParseModels([]string{p})
		if err != nil {
			return
		}
		if again, err := ParseModels(m.List()); err != nil || again != m {
			t.Fatalf("%q is read as %q, which is read as %q, %v", p, m.List(), again.List(), err)
		}
		got := m.Match(name)
		whole, _ := splitPattern(m.List()[0])
		of, want := parts.FindStringSubmatch(string(name)), true
		for i, part := range []string{whole.host, whole.namespace, whole.model, whole.tag} {
			expr := "^" + strings.ReplaceAll(regexp.QuoteMeta(part), `\*`, ".*") + "$"
			want = want && regexp.MustCompile(expr).MatchString(of[i+1])
		}
		if got != want {
			t.Fatalf("%q and %q: %v, want %v", p, name, got, want)
		}
		if !strings.Contains(p, "*") {
			if plain, ok := ParseModel(m.List()[0]); !ok || got != (plain == name) {
				t.Fatalf("%q without a star, and %q: %v", p, name, got)
			}
		}
	})
}

func BenchmarkModelsMatch(b *testing.B) {
	m := mustModels(b, "llama3", "llama3.2:*", "qwen3*", "gemma3:27b", "hf.co/bartowski/*", "mistral*:7b", "mallory/*", "nomic-embed-text")
	for _, c := range []struct{ name, model string }{{"first", "llama3"}, {"last", "nomic-embed-text"}, {"none", "hf.co/other/Llama-3.2-1B-Instruct-GGUF:Q4_K_M"}} {
		b.Run(c.name, func(b *testing.B) {
			name, _ := ParseModel(c.model)
			b.ReportAllocs()
			for b.Loop() {
				m.Match(name)
			}
		})
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	m := mustModels(t, "llama3", "qwen3*", "hf.co/*", "*:7b")
	name, _ := ParseModel("hf.com/other/Some-GGUF:Q4")
	if n := testing.AllocsPerRun(100, func() { m.Match(name) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
