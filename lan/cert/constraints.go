package cert

import (
	"crypto/x509"
	"net"
	"net/netip"
	"slices"
	"strings"

	"paddock/lan"
)

// permittedNets is where an authority may speak: networks whose addresses mean
// something else to everybody, so that a stolen key is worth nothing outside.
var permittedNets = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"),
	netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("fc00::/7"),
	netip.MustParsePrefix("fe80::/10"),
	netip.MustParsePrefix("::1/128"),
}

// everywhereDNS is permitted by each authority; see constrain for the rest.
var everywhereDNS = []string{"local", "localhost", "host.docker.internal"}

// nobody is permitted in the kinds of names that no certificate of ours has: a
// kind without a permitted subtree would be free (RFC 5280, 4.2.1.10). The
// domain is reserved never to exist (RFC 2606).
const nobody = "invalid"

// maxOwnNames bounds the names of the machine in an authority and in a
// certificate. lan.Us has three at most.
const maxOwnNames = 8

// constrain makes the names critical that an authority may sign: a client that
// does not understand them must refuse it.
func constrain(c *x509.Certificate, us lan.Us) {
	c.PermittedDNSDomainsCritical = true
	c.PermittedDNSDomains = slices.Concat(everywhereDNS, ownNames(us))
	for _, p := range permittedNets {
		c.PermittedIPRanges = append(c.PermittedIPRanges, &net.IPNet{
			IP:   p.Addr().AsSlice(),
			Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen()),
		})
	}
	c.PermittedEmailAddresses = []string{nobody}
	c.PermittedURIDomains = []string{nobody}
}

// constrained reports whether c has exactly the constraints that constrain
// writes, for some machine.
func constrained(c *x509.Certificate) bool {
	if !c.PermittedDNSDomainsCritical ||
		len(c.ExcludedDNSDomains)+len(c.ExcludedIPRanges)+len(c.ExcludedEmailAddresses)+len(c.ExcludedURIDomains) > 0 ||
		!slices.Equal(c.PermittedEmailAddresses, []string{nobody}) ||
		!slices.Equal(c.PermittedURIDomains, []string{nobody}) ||
		len(c.PermittedIPRanges) != len(permittedNets) {
		return false
	}
	for i, n := range c.PermittedIPRanges {
		if n.String() != permittedNets[i].String() {
			return false
		}
	}
	fixed := len(everywhereDNS)
	if len(c.PermittedDNSDomains) < fixed || len(c.PermittedDNSDomains) > fixed+maxOwnNames ||
		!slices.Equal(c.PermittedDNSDomains[:fixed], everywhereDNS) {
		return false
	}
	for _, n := range c.PermittedDNSDomains[fixed:] {
		if !isOwnName(n) {
			return false
		}
	}
	return true
}

// ownNames returns the names of us that an authority must permit by themselves.
func ownNames(us lan.Us) []string {
	var names []string
	for _, n := range us.Names() {
		if len(names) < maxOwnNames && isOwnName(n) && !permits(everywhereDNS, n) && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}

// isOwnName reports whether an authority may permit name and all below it. A
// top-level domain it may not. A last label of digits alone makes a name that
// browsers read as an address, so nobody can ask for it.
func isOwnName(name string) bool {
	if name == "" || len(name) > 253 || isTopLevel(name) {
		return false
	}
	last := ""
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
		last = label
	}
	return strings.Trim(last, "0123456789") != ""
}

// permits reports whether name is one of domains or below one.
func permits(domains []string, name string) bool {
	return slices.ContainsFunc(domains, func(d string) bool {
		return name == d || strings.HasSuffix(name, "."+d)
	})
}

// permitsIP reports whether an authority may sign for ip.
func permitsIP(ip netip.Addr) bool {
	return slices.ContainsFunc(permittedNets, func(p netip.Prefix) bool { return p.Contains(ip) })
}
