package policy

import (
	"slices"
	"strings"
)

// OriginRule is one line of the owner's list of websites.
type OriginRule struct {
	// Origin is an origin (RFC 6454), a pattern of origins, or the name of a preset.
	Origin  string `json:"origin"`
	Allowed bool   `json:"allowed"` // the switch
}

// Preset is a group of origins that belong together and have one switch.
type Preset struct {
	Name     string   // as on the command line: "local"
	Title    string   // as people know it
	Means    string   // what it lets in, in words that fit after the title and a colon
	Patterns []string // in the spelling of ParseOrigin
}

// Presets lists the presets in the order people should see them. All are off
// until the owner switches them on.
func Presets() []Preset {
	return []Preset{
		{
			Name: "local", Title: "A teammate's own computer",
			Means:    "pages that run there at localhost, on any port, such as a web app that they develop",
			Patterns: []string{"http://localhost:*", "https://localhost:*", "http://127.0.0.1:*", "https://127.0.0.1:*", "http://[::1]:*", "https://[::1]:*"},
		},
		{
			Name: "extensions", Title: "Browser extensions",
			Means:    "every extension that a teammate has in their browser, not only those you know",
			Patterns: []string{"chrome-extension://*", "moz-extension://*", "safari-web-extension://*"},
		},
		{
			Name: "obsidian", Title: "Obsidian",
			Means:    "the app and its plugins, on computers and phones",
			Patterns: []string{"app://obsidian.md", "capacitor://localhost", "http://localhost"},
		},
		{
			Name: "vscode", Title: "Visual Studio Code",
			Means:    "the panels of its extensions",
			Patterns: []string{"vscode-webview://*", "vscode-file://vscode-app"},
		},
		{
			Name: "tauri", Title: "Desktop apps built with Tauri",
			Means:    "programs whose windows are web pages inside",
			Patterns: []string{"tauri://localhost", "http://tauri.localhost", "https://tauri.localhost"},
		},
	}
}

// FindPreset returns the preset of a name.
func FindPreset(name string) (Preset, bool) {
	all := Presets()
	if i := slices.IndexFunc(all, func(p Preset) bool { return p.Name == name }); i >= 0 {
		return all[i], true
	}
	return Preset{}, false
}

// Origins is a compiled list of rules. It is immutable, and safe for concurrent
// use; the zero value, and a nil one, allow nothing.
type Origins struct {
	own     originSet // the owner's own lines
	presets originSet // what the presets that are on allow
}

// NewOrigins compiles rules. A rule that cannot be read allows nothing, and a
// preset that is off takes nothing from the other rules.
func NewOrigins(rules []OriginRule) *Origins {
	o := &Origins{own: newOriginSet(), presets: newOriginSet()}
	for _, r := range rules {
		v, err := ParseOrigin(r.Origin)
		if err != nil {
			continue
		}
		p, isPreset := FindPreset(v)
		switch {
		case !isPreset:
			o.own.add(v, r.Allowed)
		case r.Allowed:
			for _, each := range p.Patterns {
				o.presets.add(each, true)
			}
		}
	}
	return o
}

// Allows says whether a page of this origin may use the gate. The owner's own
// lines go before presets, in both of them what is named goes before patterns,
// and of two lines alike a no goes before a yes. Nothing is cleaned: an origin
// that is not spelled as browsers spell it is not allowed. What a browser sends
// costs no allocation.
func (o *Origins) Allows(origin string) bool {
	if o == nil {
		return false
	}
	scheme, host, ok := cutOrigin(origin)
	if !ok {
		return false
	}
	if allowed, said := o.own.says(origin, scheme, host); said {
		return allowed
	}
	allowed, _ := o.presets.says(origin, scheme, host)
	return allowed
}

// originSet holds rules by their kind; each says allowed, or not.
type originSet struct {
	exact   map[string]bool
	ports   map[site]bool   // "http://localhost:*"
	schemes map[string]bool // "chrome-extension" for "chrome-extension://*"
}

type site struct{ scheme, host string }

func newOriginSet() originSet {
	return originSet{exact: map[string]bool{}, ports: map[site]bool{}, schemes: map[string]bool{}}
}

// add lays a rule, in its one spelling, over what is there: no beats yes.
func (s originSet) add(rule string, allowed bool) {
	scheme, host, _ := strings.Cut(rule, "://")
	switch before, anyPort := strings.CutSuffix(host, ":*"); {
	case host == "*":
		lay(s.schemes, scheme, allowed)
	case anyPort:
		lay(s.ports, site{scheme, before}, allowed)
	default:
		lay(s.exact, rule, allowed)
	}
}

func lay[K comparable](into map[K]bool, key K, allowed bool) {
	if old, has := into[key]; !has || old {
		into[key] = allowed
	}
}

// says looks an origin up; said is false when no rule is about it.
func (s originSet) says(origin, scheme, host string) (allowed, said bool) {
	if allowed, said = s.exact[origin]; said {
		return allowed, true
	}
	if allowed, said = s.ports[site{scheme, host}]; said {
		return allowed, true
	}
	allowed, said = s.schemes[scheme]
	return allowed, said
}
