package safety

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// trimVar undresses a variable as Ollama does (envconfig.Var of 0.17.4).
func trimVar(s string) string { return strings.Trim(strings.TrimSpace(s), `"'`) }

// listenAddress returns the HOST:PORT that Ollama makes of OLLAMA_HOST
// (envconfig.Host of 0.17.4), or "" when it is not set. What else the variable
// can hold is dropped, because it may be secret: a path, a user, a password.
func listenAddress(value string) string {
	s := strings.TrimSpace(trimVar(value))
	if s == "" {
		return ""
	}
	port := "11434"
	scheme, hostport, ok := strings.Cut(s, "://")
	switch {
	case !ok:
		hostport = s
	case scheme == "http":
		port = "80"
	case scheme == "https":
		port = "443"
	}
	hostport, _, _ = strings.Cut(hostport, "/")
	if i := strings.LastIndexByte(hostport, '@'); i >= 0 {
		hostport = hostport[i+1:]
	}
	host, said, err := net.SplitHostPort(hostport)
	if err != nil {
		host, said = "127.0.0.1", port
		if ip := net.ParseIP(strings.Trim(hostport, "[]")); ip != nil {
			host = ip.String()
		} else if hostport != "" {
			host = hostport
		}
	}
	if n, err := strconv.ParseInt(said, 10, 32); err != nil || n > 65535 || n < 0 {
		said = port
	}
	return net.JoinHostPort(host, said)
}

// scope is how far an address that a server listens on can be reached.
type scope int

const (
	here       scope = iota // this machine only
	somewhere               // a name, which may lead anywhere
	oneAddress              // one address of a network
	everywhere              // every network that this machine is on
)

// scopeOf reads a HOST:PORT.
func scopeOf(hostport string) scope {
	if hostport == "" {
		return here
	}
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return somewhere
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "":
		return everywhere
	case strings.EqualFold(host, "localhost"):
		return here
	case err != nil:
		return somewhere
	case ip.Unmap().IsUnspecified():
		return everywhere
	case ip.Unmap().IsLoopback():
		return here
	}
	return oneAddress
}

// width is who an entry of OLLAMA_ORIGINS lets in.
type width int

const (
	named      width = iota // websites that are named, or apps
	extensions              // every extension of a browser
	anybody                 // every website, or every one that takes a fitting name
)

// widthOf reads one entry. A `*` stands for anything, so that what a person
// means as "any port" or "my network" often fits names that anybody may
// register: http://192.168.* fits http://192.168.example.com.
func widthOf(entry string) width {
	entry = strings.ToLower(strings.TrimSpace(entry))
	if entry == "*" {
		return anybody
	}
	scheme, rest, ok := strings.Cut(entry, "://")
	if !ok || !strings.Contains(entry, "*") {
		return named
	}
	switch {
	case strings.Contains(scheme, "*"):
		return anybody
	case strings.HasSuffix(scheme, "-extension"):
		return extensions
	case scheme != "http" && scheme != "https":
		return named // apps, of which Ollama lets in many by itself
	}
	before, after, _ := strings.Cut(rest, "*")
	if strings.Contains(before, ":") && after == "" {
		return named // http://localhost:*
	}
	// *.example.com and *.example.com:3000 name a website's relatives.
	domain, _, _ := strings.Cut(after, ":")
	if before == "" && strings.HasPrefix(domain, ".") && strings.Contains(domain[1:], ".") {
		return named
	}
	return anybody
}

// widest reads all of OLLAMA_ORIGINS, and returns the entry that lets in most.
func widest(value string) (width, string) {
	w, which := named, ""
	for entry := range strings.SplitSeq(trimVar(value), ",") {
		if one := widthOf(entry); one > w {
			w, which = one, strings.TrimSpace(entry)
		}
	}
	return w, which
}
