package settings

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

const defaultUpstreamPort = "11434"

// ParseUpstream reads where Ollama is as Ollama itself reads OLLAMA_HOST
// (envconfig.Host in envconfig/config.go of Ollama 0.17.4), so that one value
// means one server to both: quotation marks and spaces around it do not count,
// the scheme is http and the port 11434 unless given, a scheme without a port
// means 80 or 443, IPv6 works with and without brackets, a path is kept, and a
// port that is none falls back to the default.
//
// It differs where Ollama's reading is meant for a server: a wildcard (or no
// host at all) is an address to listen on and not one to call, so it becomes
// the loopback address, and what no client could call is an error in words.
func ParseUpstream(value string) (*url.URL, error) {
	s := strings.TrimSpace(strings.Trim(strings.TrimSpace(value), `"'`))
	scheme, hostport, has := strings.Cut(s, "://")
	scheme = strings.ToLower(scheme)
	port := defaultUpstreamPort
	switch {
	case !has:
		scheme, hostport = "http", s
		if s == "ollama.com" { // as Ollama has it
			scheme, port = "https", "443"
		}
	case scheme == "http":
		port = "80"
	case scheme == "https":
		port = "443"
	default:
		return nil, errors.New("the address begins with http:// or https://")
	}
	hostport, path, _ := strings.Cut(hostport, "/")
	if strings.Contains(hostport, "@") { // Ollama would call a host named like the user
		return nil, errors.New("the address holds a user name, which Ollama does not take")
	}
	host, given, err := net.SplitHostPort(hostport)
	switch {
	case err != nil: // no port, or an IPv6 address without brackets
		host = hostport
		if bare := strings.Trim(hostport, "[]"); isIP(bare) {
			host = bare
		}
	case isPort(given):
		port = given
	}
	host, err = callable(host)
	if err != nil {
		return nil, err
	}
	if strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`?#%\`, r) }) {
		return nil, errors.New("the path has a query or a character that does not belong there")
	}
	if path != "" {
		path = "/" + path
	}
	return &url.URL{Scheme: scheme, Host: net.JoinHostPort(host, port), Path: path}, nil
}

// Upstream says which Ollama to share: the one named on the command line, else
// in the settings, else in the environment variable OLLAMA_HOST, else
// http://127.0.0.1:11434. An error is a *ValueError with the source as its Name.
func Upstream(flag, setting, env string) (*url.URL, error) {
	for _, source := range []struct{ name, value string }{
		{"--ollama", flag},
		{ShareOllama, setting},
		{"OLLAMA_HOST", env},
	} {
		if strings.TrimSpace(source.value) == "" {
			continue
		}
		u, err := ParseUpstream(source.value)
		if err != nil {
			return nil, &ValueError{Name: source.name, Value: source.value, Reason: err.Error()}
		}
		return u, nil
	}
	return ParseUpstream("")
}

// callable turns an address to listen on into one to call.
func callable(host string) (string, error) {
	if host == "" {
		return "127.0.0.1", nil
	}
	if ip, ok := parseIP(host); ok {
		switch {
		case ip.WithZone("") == netip.IPv6Unspecified():
			return netip.IPv6Loopback().String(), nil
		case ip.Unmap() == netip.IPv4Unspecified():
			return "127.0.0.1", nil
		}
		return ip.String(), nil
	}
	if !isHost(host) {
		return "", errors.New("the host is not a name or an address")
	}
	return host, nil
}

// parseIP reads an address. netip takes anything for a zone, brackets included,
// which would come apart differently when the URL is read again.
func parseIP(s string) (netip.Addr, bool) {
	ip, err := netip.ParseAddr(s)
	return ip, err == nil && !strings.ContainsFunc(ip.Zone(), notInName)
}

func isIP(s string) bool {
	_, ok := parseIP(s)
	return ok
}

// isHost reports whether s is an address or could be the name of a machine.
// Underscores are no part of a host name, and in use.
func isHost(s string) bool {
	if isIP(s) {
		return true
	}
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(s, "."), ".") {
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, notInName) {
			return false
		}
	}
	return true
}

// notInName reports whether a character has no place in a name, of a host or of
// a network interface.
func notInName(r rune) bool {
	return r != '-' && r != '_' && r != '.' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}
