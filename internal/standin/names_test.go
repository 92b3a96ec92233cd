package standin

import (
	"strings"
	"testing"
)

func TestSpellingsOfOneName(t *testing.T) {
	for _, s := range []string{
		"tiny", "TINY", "tiny:latest", "Tiny:LATEST", "library/tiny", "registry.ollama.ai/library/tiny:latest",
		"http://registry.ollama.ai/library/tiny", "https://Registry.Ollama.AI/Library/tiny:latest",
	} {
		n := parseName(s)
		if !n.valid() || n.key() != "registry.ollama.ai/library/tiny:latest" {
			t.Errorf("%q: %v %s", s, n.valid(), n.key())
		}
	}
	for s, short := range map[string]string{
		"tiny": "tiny:latest", "me/x:7b": "me/x:7b", "hf.co/me/x": "hf.co/me/x:latest", "localhost:5000/me/x:1": "localhost:5000/me/x:1",
	} {
		if n := parseName(s); !n.valid() || n.short() != short {
			t.Errorf("%q: %v %s", s, n.valid(), n.short())
		}
	}
}

func TestNamesThatAreNone(t *testing.T) {
	for _, s := range []string{
		"", " tiny", "tiny ", "tiny:", ":latest", "/tiny", "tiny/", "a//b", "https://tiny", "tiny@sha256:00", "@", "-x", ".x", "a/b/c/d/e",
		"x:a/b", "na.me/x", strings.Repeat("x", 81), "tïny", "a\x00b", "../../etc", "x:" + strings.Repeat("y", 81),
	} {
		if n := parseName(s); n.valid() {
			t.Errorf("%q is taken for %v", s, n)
		}
	}
}

func FuzzName(f *testing.F) {
	for _, s := range []string{"tiny", "a/b:c", "http://h:1/n/m:t", "@", "::", "//", "a:b/c", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := parseName(s)
		if !n.valid() {
			return
		}
		for _, again := range []string{n.String(), n.short(), strings.ToUpper(s), strings.ToLower(s)} {
			m := parseName(again)
			if !m.valid() || m.key() != n.key() {
				t.Errorf("%q is %q, but %q is %q", s, n.key(), again, m.key())
			}
		}
		if parseName(n.String()) != n {
			t.Errorf("%q does not come back from %q", s, n.String())
		}
	})
}
