package policy

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// maxOrigin is the longest origin: a name as long as DNS has them, a scheme
// and a port.
const maxOrigin = 253 + 64

// What is wrong with an origin, in words for the owner.
var (
	errOriginForm  = errors.New("an origin is a scheme, a host and perhaps a port, such as https://app.example.com or http://localhost:3000")
	errOriginNull  = errors.New("\"null\" is what every page without an origin of its own sends, so it cannot be allowed")
	errOriginEvery = errors.New("allowing every website would let each page that a teammate opens use Ollama; name the ones that may")
	errOriginStar  = errors.New("a star for the host works with the schemes of programs only, such as chrome-extension://*; name the website")
	errOriginASCII = errors.New("write the name as browsers send it, in ASCII; other letters have a form that begins with xn--")
)

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
	switch {
	case strings.EqualFold(s, "null"):
		return "", errOriginNull
	case s == "*":
		return "", errOriginEvery
	case len(s) > maxOrigin:
		return "", errOriginForm
	case strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) >= 0:
		return "", errOriginASCII
	}
	scheme, rest, found := strings.Cut(s, "://")
	if !found {
		return "", errOriginForm
	}
	scheme = strings.ToLower(scheme)
	rest = strings.TrimSuffix(rest, "/") // as it is copied from an address bar
	host, port, hasPort := splitHost(rest)
	if ofWeb(scheme) {
		host = webHost(host)
	}
	origin := scheme + "://" + host
	switch {
	case host == "*" && ofWeb(scheme):
		return "", errOriginStar
	case host == "*" && !hasPort && validScheme(scheme):
		return origin, nil
	case port == "*" && usualPort(scheme) != "" && CleanOrigin(origin):
		return origin + ":*", nil
	case hasPort && (port == "" || port != usualPort(scheme)): // browsers leave the usual one out
		origin += ":" + port
	}
	if !CleanOrigin(origin) {
		return "", errOriginForm
	}
	return origin, nil
}

// CleanOrigin says whether the value of an Origin header is spelled as browsers
// spell one, so that it can be shown and allowed.
func CleanOrigin(s string) bool {
	_, _, ok := cutOrigin(s)
	return ok
}

// cutOrigin takes an origin apart that is spelled as browsers spell one: no
// path, user, capital letter, usual port or second form of the same address.
func cutOrigin(s string) (scheme, host string, ok bool) {
	scheme, rest, found := strings.Cut(s, "://")
	if !found || len(s) > maxOrigin || !validScheme(scheme) {
		return "", "", false
	}
	if scheme == "file" {
		return scheme, "", rest == "" // what Electron programs send whose pages are files
	}
	host, port, hasPort := splitHost(rest)
	ok = !hasPort || validPort(port) && port != usualPort(scheme)
	if ofWeb(scheme) {
		return scheme, host, ok && validWebHost(host)
	}
	return scheme, host, ok && validHost(host)
}

// splitHost takes the port off. An IPv6 address keeps its brackets.
func splitHost(s string) (host, port string, hasPort bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || i < strings.LastIndexByte(s, ']') {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// ofWeb says whether anybody on the network can have a page of this scheme.
// These are the special schemes of the URL standard, files left out.
func ofWeb(scheme string) bool {
	switch scheme {
	case "http", "https", "ws", "wss", "ftp":
		return true
	}
	return false
}

// usualPort is the port that an origin of the scheme has when it names none.
// Origins of other schemes have no pattern of ports.
func usualPort(scheme string) string {
	switch scheme {
	case "http":
		return "80"
	case "https":
		return "443"
	}
	return ""
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

// validHost takes the host of a program's scheme, in which browsers keep the
// letter case: the identifier of an extension, or a name.
func validHost(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.', c == '_':
		default:
			return false
		}
	}
	return s != ""
}

// validWebHost takes a name in small letters, or an address in its shortest
// form, which is how browsers write the host of a website.
func validWebHost(s string) bool {
	if strings.HasPrefix(s, "[") {
		var buf [64]byte
		b, ok := appendIPv6(buf[:0], s)
		return ok && string(b) == s
	}
	name := strings.TrimSuffix(s, ".") // a dot at the end makes another origin
	if !validHost(name) || strings.HasPrefix(name, ".") || strings.Contains(name, "..") || strings.HasSuffix(name, ".") {
		return false
	}
	for i := range len(name) {
		if name[i] >= 'A' && name[i] <= 'Z' {
			return false
		}
	}
	if !digits(name[strings.LastIndexByte(name, '.')+1:]) {
		return true
	}
	_, err := netip.ParseAddr(s) // to a browser, what ends in a number is an address
	return err == nil
}

// webHost spells a host as browsers do; what is none stays as it is.
func webHost(s string) string {
	if b, ok := appendIPv6(nil, s); ok {
		return string(b)
	}
	return strings.ToLower(s)
}

// appendIPv6 appends an IPv6 address in brackets in the spelling of the URL
// standard, which has no dots in it.
func appendIPv6(b []byte, s string) ([]byte, bool) {
	if len(s) < 2 || s[0] != '[' || s[len(s)-1] != ']' {
		return b, false
	}
	a, err := netip.ParseAddr(s[1 : len(s)-1])
	if err != nil || !a.Is6() || a.Zone() != "" {
		return b, false
	}
	b = append(b, '[')
	if a.Is4In6() {
		v4 := a.As16()
		b = append(b, "::ffff:"...)
		b = strconv.AppendUint(b, uint64(v4[12])<<8|uint64(v4[13]), 16)
		b = append(b, ':')
		b = strconv.AppendUint(b, uint64(v4[14])<<8|uint64(v4[15]), 16)
	} else {
		b = a.AppendTo(b)
	}
	return append(b, ']'), true
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
