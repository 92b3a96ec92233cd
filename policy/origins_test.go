package policy

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

func yes(origins ...string) []OriginRule { return rules(true, origins) }
func no(origins ...string) []OriginRule  { return rules(false, origins) }

func rules(allowed bool, origins []string) []OriginRule {
	var list []OriginRule
	for _, o := range origins {
		list = append(list, OriginRule{o, allowed})
	}
	return list
}

func TestWhichWebsitesAreAllowed(t *testing.T) {
	for _, c := range []struct {
		name    string
		rules   []OriginRule
		yes, no []string
	}{
		{"without a rule nothing is allowed", nil, nil, []string{"", "null", "*", "http://localhost", "https://app.example", "file://"}},
		{
			"an exact origin allows itself alone", yes("https://app.example"),
			[]string{"https://app.example"},
			[]string{
				"http://app.example", "https://app.example:8443", "https://app.example:443", "https://app.example/", "https://app.example.", "https://APP.example", "HTTPS://app.example",
				"https://x.app.example", "https://xapp.example", "https://app.example.evil", "https://app.examples", "https://app.exampl", "https://app.example@evil", "https://evil@app.example", "https://user:x@app.example",
				"https://app.example:evil", "https://app.example#", "https://app.example?", `https://app.example\`, " https://app.example", "https://app.example ", "https://app.example\x00", "https://app.example\r\nX: y", "https://app.example, https://app.example", "https://app.example https://evil",
				"app.example", "//app.example", "https:app.example", "wss://app.example", "", "null",
			},
		},
		{
			"a port of one's own", yes("http://localhost:3000"),
			[]string{"http://localhost:3000"},
			[]string{
				"http://localhost", "https://localhost:3000", "http://localhost:30000", "http://localhost:300", "http://localhost:3001", "http://localhost:03000", "http://localhost:3000.evil", "http://localhost:3000/", "http://localhost:3000@evil", "http://localhost:3000:80",
				"http://localhost.:3000", "http://localhost.evil:3000", "http://127.0.0.1:3000", "http://xlocalhost:3000", "http://x.localhost:3000",
			},
		},
		{
			"any port", yes("http://localhost:*"),
			[]string{"http://localhost", "http://localhost:3000", "http://localhost:1", "http://localhost:443", "http://localhost:65535"},
			[]string{
				"https://localhost", "https://localhost:3000", "http://localhost:80", "http://localhost:", "http://localhost:0", "http://localhost:65536", "http://localhost:*", "http://localhost:3000.evil", "http://localhost:3000:3000",
				"http://localhost.evil.example", "http://localhost.evil.example:3000", "http://localhost@evil", "http://localhost:x@evil", "http://localhost:3000@evil", "http://localhost:3000/x", "http://localhost.:3000", "http://Localhost:3000", "http://evil.localhost:3000",
			},
		},
		{
			"a rule is read as an owner writes it", yes(" HTTPS://App.Example:443/ "),
			[]string{"https://app.example"},
			[]string{"https://app.example:443", "https://App.Example"},
		},
		{
			"a scheme of programs", yes("chrome-extension://*"),
			[]string{"chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb", "chrome-extension://x"},
			[]string{"chrome-extension://*", "chrome-extension://", "chrome-extension://a/b", "chrome-extension://a@b", "moz-extension://x", "chrome-extensions://x", "xchrome-extension://x", "https://chrome-extension", "chrome-extension://a*", "http://chrome-extension://x"},
		},
		{"one extension", yes("chrome-extension://abc"), []string{"chrome-extension://abc"}, []string{"chrome-extension://abcd", "chrome-extension://ABC", "chrome-extension://abc:1"}},
		{"files", yes("file://"), []string{"file://"}, []string{"file:///", "file://x", "file:", "null"}},
		{"files, in the form of other schemes", yes("file://*"), []string{"file://"}, []string{"file:///", "file://x", "null"}},
		{"an address", yes("http://[0:0::1]:3000", "http://192.168.1.20"), []string{"http://[::1]:3000", "http://192.168.1.20"}, []string{"http://[0:0::1]:3000", "http://::1:3000", "http://192.168.1.200", "http://192.168.1.2", "http://192.168.1.20."}},
		{"a name in punycode", yes("https://xn--bcher-kva.example"), []string{"https://xn--bcher-kva.example"}, []string{"https://bücher.example", "https://bucher.example"}},
		{
			"rules that cannot be read allow nothing", yes("null", "*", "https://*", "https://*.example", "file:///home", "", "http://"),
			nil,
			[]string{"null", "*", "", "https://x", "https://a.example", "https://*", "file://", "http://"},
		},
		{"a no is a no", no("https://app.example"), nil, []string{"https://app.example"}},
		{"a no beats an earlier yes", append(yes("https://app.example"), no("https://app.example/")...), nil, []string{"https://app.example"}},
		{"a no beats a later yes", append(no("https://app.example"), yes("https://app.example")...), nil, []string{"https://app.example"}},
		{"a no beats a yes among patterns", append(no("http://localhost:*"), yes("http://localhost:*")...), nil, []string{"http://localhost", "http://localhost:3000"}},
		{"what is named goes before a pattern that says yes", append(yes("http://localhost:*"), no("http://localhost:3000")...), []string{"http://localhost:3001", "http://localhost"}, []string{"http://localhost:3000"}},
		{"what is named goes before a pattern that says no", append(no("chrome-extension://*"), yes("chrome-extension://abc")...), []string{"chrome-extension://abc"}, []string{"chrome-extension://x"}},
		{
			"the preset for this machine", yes("local"),
			[]string{"http://localhost", "http://localhost:5173", "https://127.0.0.1:8443", "http://127.0.0.1", "http://[::1]:3000"},
			[]string{"local", "http://local", "http://127.0.0.2", "http://192.168.1.2", "http://localhost.evil", "http://0.0.0.0:3000", "http://[::]:3000", "http://[::ffff:7f00:1]", "chrome-extension://x"},
		},
		{"a preset is found with blanks around its name", yes(" local "), []string{"http://localhost"}, []string{"local"}},
		{
			"the preset for extensions", yes("extensions"),
			[]string{"chrome-extension://x", "moz-extension://0a1b2c3d-0000-4000-8000-00000000abcd", "safari-web-extension://0A1B2C3D-0000-4000-8000-00000000ABCD"},
			[]string{"http://localhost", "https://x", "app://x"},
		},
		{"the preset for Obsidian", yes("obsidian"), []string{"app://obsidian.md", "capacitor://localhost", "http://localhost"}, []string{"http://localhost:3000", "app://obsidian.md.evil", "https://obsidian.md"}},
		{"the preset for VS Code", yes("vscode"), []string{"vscode-webview://1b2c", "vscode-file://vscode-app"}, []string{"vscode-file://x", "https://vscode.dev"}},
		{"the preset for Tauri", yes("tauri"), []string{"tauri://localhost", "http://tauri.localhost", "https://tauri.localhost"}, []string{"http://localhost", "http://tauri.localhost:80", "http://x.tauri.localhost"}},
		{"a preset that is off takes nothing from the owner's own lines", append(no("local"), yes("http://localhost:3000")...), []string{"http://localhost:3000"}, []string{"http://localhost:3001"}},
		{"a preset that is off takes nothing from another preset", append(no("local"), yes("obsidian")...), []string{"http://localhost"}, []string{"http://localhost:3001"}},
		{"the owner's own no goes before a preset", append(yes("local"), no("http://localhost:3000")...), []string{"http://localhost:3001"}, []string{"http://localhost:3000"}},
		// The preset names http://localhost, the owner only a pattern around it.
		{"the owner's own pattern goes before what a preset names", append(yes("obsidian"), no("http://localhost:*")...), []string{"app://obsidian.md"}, []string{"http://localhost", "http://localhost:3000"}},
		{"the owner's own no for a scheme goes before a preset", append(yes("extensions"), no("chrome-extension://*")...), []string{"moz-extension://x"}, []string{"chrome-extension://x"}},
		{"one extension refused in a preset that is on", append(yes("extensions"), no("chrome-extension://bad")...), []string{"chrome-extension://good"}, []string{"chrome-extension://bad"}},
	} {
		o := NewOrigins(c.rules)
		slices.Reverse(c.rules)
		backwards := NewOrigins(c.rules)
		for _, origin := range c.yes {
			if !o.Allows(origin) || !backwards.Allows(origin) {
				t.Errorf("%s: %q is not allowed", c.name, origin)
			}
			if !CleanOrigin(origin) {
				t.Errorf("%s: %q cannot be shown", c.name, origin)
			}
		}
		for _, origin := range append(c.no, strings.Repeat("http://localhost", 5000), "http://"+strings.Repeat("a", 400)) {
			if o.Allows(origin) || backwards.Allows(origin) {
				t.Errorf("%s: %.80q is allowed", c.name, origin)
			}
		}
	}
	var none *Origins
	if none.Allows("http://localhost") || (&Origins{}).Allows("http://localhost") {
		t.Error("no list allows a website")
	}
}

func TestPresetsAreWellFormed(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range Presets() {
		if seen[p.Name] || strings.Contains(p.Name, "://") || p.Name == "null" {
			t.Errorf("the name %q", p.Name)
		}
		seen[p.Name] = true
		for _, each := range p.Patterns {
			if v, err := ParseOrigin(each); err != nil || v != each {
				t.Errorf("%s: %q is spelled %q, %v", p.Name, each, v, err)
			}
		}
		if got, ok := FindPreset(p.Name); !ok || !slices.Equal(got.Patterns, p.Patterns) {
			t.Errorf("%s is not found", p.Name)
		}
	}
	if _, ok := FindPreset("http://localhost"); ok {
		t.Error("an origin is taken for a preset")
	}
	Presets()[0].Patterns[0] = "https://evil.example"
	if p, _ := FindPreset("local"); p.Patterns[0] != "http://localhost:*" {
		t.Error("Presets hands out the patterns themselves")
	}
}

// What is allowed is an origin whose scheme, host and port some rule that is
// switched on names, as net/url takes them apart, and that no rule of the
// owner refuses by its name.
func FuzzOrigins(f *testing.F) {
	seedOrigins(f, func(s string) {
		f.Add("http://localhost:*", true, "http://localhost:3000", false, s)
		f.Add("extensions", true, s, true, s)
		f.Add(s, false, "local", true, "http://localhost:3000")
	})
	f.Fuzz(func(t *testing.T, first string, firstOn bool, second string, secondOn bool, origin string) {
		list := []OriginRule{{first, firstOn}, {second, secondOn}}
		if !NewOrigins(list).Allows(origin) {
			return
		}
		u, err := url.Parse(origin)
		if err != nil || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" || u.Scheme+"://"+u.Host != origin {
			t.Fatalf("allowed: %q, in which net/url sees %#v, %v", origin, u, err)
		}
		if origin == "null" || !CleanOrigin(origin) {
			t.Fatalf("allowed: %q", origin)
		}
		named := false
		for _, r := range list {
			v, err := ParseOrigin(r.Origin)
			if err != nil {
				continue
			}
			if !r.Allowed && v == origin {
				t.Fatalf("allowed: %q, which the owner refused", origin)
			}
			patterns := []string{v}
			if p, ok := FindPreset(v); ok {
				patterns = p.Patterns
			}
			for _, p := range patterns {
				scheme, host, _ := strings.Cut(p, "://")
				host, anyPort := strings.CutSuffix(host, ":*")
				of := u.Host
				if anyPort && u.Port() != "" {
					of = strings.TrimSuffix(of, ":"+u.Port())
				}
				named = named || r.Allowed && scheme == u.Scheme && (host == of || host == "*" && scheme != "http" && scheme != "https")
			}
		}
		if !named {
			t.Fatalf("allowed: %q by %+v", origin, list)
		}
	})
}

func everyday() *Origins {
	return NewOrigins(append(yes("local", "extensions", "https://app.example", "https://chat.example.com:8443"), no("http://localhost:9999")...))
}

var everydayOrigins = []struct{ name, origin string }{
	{"exact", "https://chat.example.com:8443"},
	{"port", "http://localhost:5173"},
	{"address", "http://127.0.0.1:5173"},
	{"IPv6", "http://[::1]:5173"},
	{"extension", "chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb"},
	{"refused", "https://evil.example.com"},
}

func TestAllowsAllocatesNothing(t *testing.T) {
	o := everyday()
	for _, c := range everydayOrigins {
		if n := testing.AllocsPerRun(100, func() { o.Allows(c.origin) }); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}

func BenchmarkOriginsAllows(b *testing.B) {
	o := everyday()
	for _, c := range everydayOrigins {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				o.Allows(c.origin)
			}
		})
	}
}
