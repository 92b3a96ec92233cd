package cert

import (
	"crypto/x509"
	"net/netip"
	"strings"
)

// hosts is the names that the owner's own certificate proves. The zero one has
// none.
type hosts struct {
	names *x509.Certificate // nothing in it but names
}

// hostsOf leaves out wildcards with less than two labels after the star: *.com
// and *.local are for everybody, and a page of a stranger under such a name
// must not become one of ours by DNS rebinding.
func hostsOf(leaf *x509.Certificate) hosts {
	var names []string
	for _, n := range leaf.DNSNames {
		if !strings.HasPrefix(n, "*") || strings.Count(n, ".") >= 2 {
			names = append(names, n)
		}
	}
	if names == nil {
		return hosts{}
	}
	return hosts{&x509.Certificate{DNSNames: names}}
}

// has is as strict on what it is asked as lan.Us.Host: one spelling of a name,
// without a trailing dot, and no address.
func (h hosts) has(host string) bool {
	if h.names == nil || len(host) > 253 {
		return false
	}
	b := []byte(host)
	for i, c := range b {
		switch {
		case 'A' <= c && c <= 'Z':
			b[i] = c + 'a' - 'A'
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	name := string(b)
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return false
	}
	return h.names.VerifyHostname(name) == nil
}
