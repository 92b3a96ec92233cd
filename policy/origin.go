package policy

import (
	"errors"
	"fmt"
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
	Patterns []string // in the spelling of ParseOrigin
}

// Presets lists the presets in the order people should see them. All are off
// until the owner switches them on.
func Presets() []Preset {
	return []Preset{
		{"local", []string{"http://localhost:*", "https://localhost:*", "http://127.0.0.1:*", "https://127.0.0.1:*", "http://[::1]:*", "https://[::1]:*"}},
		{"extensions", []string{"chrome-extension://*", "moz-extension://*", "safari-web-extension://*"}},
		{"obsidian", []string{"app://obsidian.md", "capacitor://localhost", "http://localhost"}},
		{"vscode", []string{"vscode-webview://*", "vscode-file://vscode-app"}},
		{"tauri", []string{"tauri://localhost", "http://tauri.localhost", "https://tauri.localhost"}},
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

const maxOrigin = 253 + 64 // a name as long as DNS has them, a scheme and a port

// ParseOrigin reads an origin or a pattern as an owner writes it, or the name
// of a preset, and returns its one spelling. In a pattern the port may be a
// star ("http://localhost:*", the usual port included) and, with a scheme that
// is not of the web, the host ("chrome-extension://*"): a star in the host of a
// website would let in whoever can have a name below it. The errors are
// sentences.
func ParseOrigin(s string) (string, error) {
	s = strings.TrimSpace(s)
	if _, ok := FindPreset(s); ok {
		return s, nil
	}
	form := errors.New("an origin is a scheme, a host and perhaps a port, such as https://app.example.com or http://localhost:3000")
	switch {
	case s == "null":
		return "", errors.New("\"null\" is what every page without an origin of its own sends, so it cannot be allowed")
	case s == "*":
		return "", errors.New("allowing every website would let each page that a teammate opens use Ollama; name the ones that may")
	case len(s) > maxOrigin:
		return "", form
	}
	scheme, rest, found := strings.Cut(strings.ToLower(s), "://")
	rest = strings.TrimSuffix(rest, "/") // as it is copied from an address bar
	if !found || !validScheme(scheme) {
		return "", form
	}
	web := scheme == "http" || scheme == "https"
	host, port, hasPort := splitHost(rest)
	switch {
	case host == "*" && web:
		return "", fmt.Errorf("a star for the host works with the schemes of programs only, such as chrome-extension://*; name the website")
	case host == "*" && !hasPort:
		return scheme + "://*", nil
	case host == "" && !hasPort && scheme == "file":
		return "file://", nil // what Electron programs send whose pages are files
	case !validHost(host):
		return "", form
	case !hasPort:
		return scheme + "://" + host, nil
	case port == "*" && web:
		return scheme + "://" + host + ":*", nil
	case !validPort(port):
		return "", form
	case port == usualPort(scheme):
		return scheme + "://" + host, nil // as browsers write it
	}
	return scheme + "://" + host + ":" + port, nil
}

// CleanOrigin says whether the value of an Origin header is spelled as browsers
// spell one, so that it can be shown and allowed.
func CleanOrigin(s string) bool {
	if strings.Contains(s, "*") {
		return false
	}
	v, err := ParseOrigin(s)
	return err == nil && v == s && strings.Contains(s, "://")
}

// Origins is a compiled list of rules. It is immutable; the zero value, and a
// nil one, allow nothing.
type Origins struct {
	exact   map[string]bool // allowed, or not
	schemes map[string]bool // "chrome-extension" for "chrome-extension://*"
	ports   map[string]bool // "http://localhost" for "http://localhost:*"
}

// NewOrigins compiles rules. A rule that cannot be read allows nothing.
func NewOrigins(rules []OriginRule) *Origins {
	o := &Origins{exact: map[string]bool{}, schemes: map[string]bool{}, ports: map[string]bool{}}
	for _, r := range rules {
		if p, ok := FindPreset(r.Origin); ok {
			for _, each := range p.Patterns {
				if r.Allowed { // a preset that is off takes nothing from the other rules
					o.add(each, true)
				}
			}
			continue
		}
		if v, err := ParseOrigin(r.Origin); err == nil {
			o.add(v, r.Allowed)
		}
	}
	return o
}

// add lays a rule over what is there: no beats yes.
func (o *Origins) add(origin string, allowed bool) {
	into, key := o.exact, origin
	if before, found := strings.CutSuffix(origin, "://*"); found {
		into, key = o.schemes, before
	} else if before, found := strings.CutSuffix(origin, ":*"); found {
		into, key = o.ports, before
	}
	if old, has := into[key]; !has || old {
		into[key] = allowed
	}
}

// Allows says whether a page of this origin may use the gate. What is named
// goes before patterns, and a no before a yes. Nothing is cleaned: an origin
// that is not spelled as browsers spell it is not allowed.
func (o *Origins) Allows(origin string) bool {
	if o == nil || origin == "" || origin == "null" || len(origin) > maxOrigin {
		return false
	}
	if allowed, named := o.exact[origin]; named {
		return allowed
	}
	if !CleanOrigin(origin) {
		return false
	}
	scheme, rest, _ := strings.Cut(origin, "://")
	host, _, _ := splitHost(rest)
	byPort, hasPort := o.ports[scheme+"://"+host]
	byScheme, hasScheme := o.schemes[scheme]
	return (hasPort || hasScheme) && (byPort || !hasPort) && (byScheme || !hasScheme)
}

// splitHost takes the port off. An IPv6 address keeps its brackets.
func splitHost(s string) (host, port string, hasPort bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || i < strings.LastIndexByte(s, ']') {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

func validScheme(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z':
		case i > 0 && (c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.'):
		default:
			return false
		}
	}
	return s != ""
}

func validHost(s string) bool {
	letters := "-._"
	if inner, found := strings.CutPrefix(s, "["); found {
		inner, found = strings.CutSuffix(inner, "]")
		if !found {
			return false
		}
		s, letters = inner, ":."
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', strings.IndexByte(letters, c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}

func validPort(s string) bool {
	if !digits(s) || len(s) > 5 || s[0] == '0' {
		return false
	}
	n := 0
	for i := range len(s) {
		n = n*10 + int(s[i]-'0')
	}
	return n <= 65535
}

func usualPort(scheme string) string {
	switch scheme {
	case "http":
		return "80"
	case "https":
		return "443"
	}
	return ""
}
