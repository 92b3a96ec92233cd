package archtest

import (
	"slices"
	"strings"
	"testing"
)

// house makes a graph from lines such as "share: keystore fmt". A name without
// a dot that is a known room or internal stands for a package of ours.
func house(lines ...string) Graph {
	ours := func(s string) string {
		if s == "main" {
			return Module
		}
		name, _, _ := strings.Cut(s, "/")
		if name == "internal" || name == "attic" {
			return Module + "/" + s
		}
		if _, ok := find(Law(), name); ok {
			return Module + "/" + s
		}
		return s
	}
	g := Graph{}
	for _, line := range lines {
		name, imports, _ := strings.Cut(line, ":")
		name, test := strings.CutSuffix(name, " test")
		p := g[ours(name)]
		p.Path = ours(name)
		for imp := range strings.FieldsSeq(imports) {
			if test {
				p.TestImports = append(p.TestImports, ours(imp))
			} else {
				p.Imports = append(p.Imports, ours(imp))
			}
		}
		g[p.Path] = p
	}
	return g
}

func TestCheck(t *testing.T) {
	const (
		fyne       = "fyne.io/fyne/v2/widget"
		keyring    = "github.com/zalando/go-keyring"
		getlantern = "github.com/getlantern/systray"
	)
	tests := map[string]struct {
		graph   Graph
		edition Edition
		want    []string // parts of the one complaint; none means that all is well
	}{
		"a house in order": {
			graph: house("main: cli ui internal/standin", "ui: share ui/tray internal/fynecache", "ui/tray: "+fyne,
				"cli: share internal/control", "share: keystore proxy policy", "keystore: policy internal/atomicfile "+keyring,
				"proxy: policy net/http", "policy: fmt", "fmt: os", fyne+": net/http", "internal/control: internal/atomicfile",
				"internal/fynecache: syscall"),
			edition: Full,
		},
		"policy imports the key store": {
			graph: house("policy: keystore", "keystore:"),
			want:  []string{"paddock/policy imports paddock/keystore", "may import nothing of ours"},
		},
		"policy reads the environment": {
			graph: house("policy: os"),
			want:  []string{"paddock/policy must never reach os", "pure function", "paddock/policy → os"},
		},
		"policy reaches os through fmt, as everything does": {
			graph: house("policy: fmt", "fmt: os"),
		},
		"policy uses a library": {
			graph: house("policy: example.com/lib"),
			want:  []string{"paddock/policy must never reach any third party"},
		},
		"policy uses what uses net/http": {
			graph: house("policy: net/http/cookiejar"),
			want:  []string{"paddock/policy must never reach net/http"},
		},
		"the gate reaches the keychain by a detour": {
			graph: house("proxy: requestlog", "requestlog: internal/odd", "internal/odd: "+keyring),
			want: []string{
				"paddock/proxy must never reach go-keyring", "wait for a person",
				"paddock/proxy → paddock/requestlog → paddock/internal/odd → " + keyring,
			},
		},
		"a window calls the network by itself": {
			graph: house("ui/desk: net/http"),
			want:  []string{"paddock/ui/desk must never reach net/http", "paddock/ui/desk → net/http"},
		},
		"a window reaches net/http through Fyne and the keychain through share": {
			graph:   house("ui: "+fyne+" share", fyne+": net/http", "share: keystore", "keystore: "+keyring),
			edition: Full,
		},
		"the full edition links the tray of the lite one": {
			graph:   house("ui/tray: "+getlantern, "main: ui", "ui: ui/tray"),
			edition: Full,
			want:    []string{"paddock must never reach getlantern", "paddock → paddock/ui → paddock/ui/tray → " + getlantern},
		},
		"the lite edition links its own tray": {
			graph:   house("ui/tray: "+getlantern, "main: ui/tray"),
			edition: Lite,
		},
		"the lite edition links Fyne": {
			graph:   house("main: fyne.io/systray"),
			edition: Lite,
			want:    []string{"paddock must never reach Fyne", "no OpenGL"},
		},
		"a window that the lite edition does not link": {
			graph:   house("main: cli", "cli:", "ui/desk: "+fyne),
			edition: Lite,
		},
		"a window that the lite edition links": {
			graph:   house("main: cli ui/tray", "cli:", "ui/tray: ui/theme", "ui/theme: "+fyne),
			edition: Lite,
			want:    []string{"paddock/ui/tray must never reach Fyne", "paddock/ui/tray → paddock/ui/theme → " + fyne},
		},
		"plumbing reaches up": {
			graph: house("internal/standin: policy", "policy:"),
			want:  []string{"paddock/internal/standin imports paddock/policy", "may import internal/* of ours"},
		},
		"share takes the stand-in itself": {
			graph: house("share: internal/standin", "internal/standin:"),
			want:  []string{"paddock/share imports paddock/internal/standin", "let main hand the part in"},
		},
		"a test of share uses the stand-in": {
			graph: house("share test: internal/standin go.uber.org/goleak testing"),
		},
		"a test of the gate uses the key store": {
			graph: house("proxy test: keystore"),
			want:  []string{"a test of paddock/proxy imports paddock/keystore"},
		},
		"a sub-package counts with its room": {
			graph: house("ui/keys: proxy", "proxy:"),
			want:  []string{"paddock/ui/keys imports paddock/proxy", "ui may import share"},
		},
		"sub-packages of a room use each other": {
			graph: house("ui/logview: ui/theme", "ui/theme:"),
		},
		"the cache setter is late": {
			graph: house("internal/fynecache: os"),
			want:  []string{"paddock/internal/fynecache must never reach anything but syscall"},
		},
		"a new room": {
			graph: house("attic: fmt"),
			want:  []string{"paddock/attic is in a room that the law does not know", "internal/archtest/law.go"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := Check(Law(), tt.graph, tt.edition)
			if len(tt.want) == 0 {
				if len(got) > 0 {
					t.Errorf("complained without reason: %q", got)
				}
				return
			}
			if !slices.ContainsFunc(got, func(s string) bool {
				return !slices.ContainsFunc(tt.want, func(part string) bool { return !strings.Contains(s, part) })
			}) {
				t.Errorf("no complaint has all of %q; got %q", tt.want, got)
			}
		})
	}
}

func TestNotOneSentence(t *testing.T) {
	for _, doc := range []string{
		"Package lan says who we are on this network.",
		"Package lan says who\nwe are.\n\nReasons. Many of them.",
		"Command paddock lends an Ollama.",
		"Package keystore reads keys.json, ca.pem and the like.",
		"Package x v1.2 reads what 127.0.0.1:11434 says, no Ollama.",
	} {
		if why := notOneSentence(doc); why != "" {
			t.Errorf("%q %s", doc, why)
		}
	}
	for _, doc := range []string{
		"",
		"Says who we are.",
		"Package lan says who we are",
		"Package lan says who we are. It also finds others.",
		"Package lan (see \"Names.\" Below) says who we are.",
	} {
		if notOneSentence(doc) == "" {
			t.Errorf("%q passed", doc)
		}
	}
}

func TestCheckDocs(t *testing.T) {
	g := Graph{
		Module + "/policy":   {Docs: []string{"Package policy decides."}},
		Module + "/lan":      {},
		Module + "/proxy":    {Docs: []string{"Package proxy is.", "Package proxy is."}},
		Module + "/settings": {Docs: []string{"Package settings is. It is."}},
		"example.com/lib":    {},
	}
	got := strings.Join(CheckDocs(g), "\n")
	for _, want := range []string{"lan has no package comment", "proxy has a package comment in more than one file", "settings begins with more than one sentence"} {
		if !strings.Contains(got, want) {
			t.Errorf("missing %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "policy") || strings.Contains(got, "example.com") {
		t.Errorf("complained without reason:\n%s", got)
	}
}

func TestSplice(t *testing.T) {
	got, err := splice("a\n"+tableBegin+"\nold\n"+tableEnd+"\nb\n", "new\n")
	if want := "a\n" + tableBegin + "\nnew\n" + tableEnd + "\nb\n"; err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
	for _, text := range []string{"", tableBegin, tableEnd} {
		if _, err := splice(text, "new\n"); err == nil {
			t.Errorf("%q: no error although a marker is missing", text)
		}
	}
}

// TestLawIsSound catches slips in the table itself: a room named twice, or one
// that may import a room without a row.
func TestLawIsSound(t *testing.T) {
	seen := map[string]bool{}
	for _, room := range Law() {
		if seen[room.Name] {
			t.Errorf("%s has two rows", room.Name)
		}
		seen[room.Name] = true
		for _, u := range room.Uses {
			if _, ok := find(Law(), u); !ok && u != "*" {
				t.Errorf("%s may import %s, which has no row", room.Name, u)
			}
		}
		for _, ban := range room.Never {
			if ban.What == "" || ban.Why == "" || ban.Hits == nil {
				t.Errorf("%s: a ban without a name, a reason or a matcher", room.Name)
			}
		}
	}
}
