package lan

import (
	"net/netip"
	"slices"
	"strings"
)

// Host reports whether the value of a Host header, with or without a port,
// names this machine: one of its addresses or names, letter case aside. A page
// in a browser that reaches us by DNS rebinding names somebody else, and cannot
// do otherwise, which is why any literal address of ours is fine.
//
// The match is exact: a trailing dot, a zone, user information, an unusual
// spelling of an address, an empty host or port are all refused, since no
// client that we know sends them.
func (u Us) Host(host string) bool {
	name, ok := cutPort(host)
	if !ok {
		return false
	}
	if strings.HasPrefix(name, "[") { // cutPort saw to the closing one
		ip, err := netip.ParseAddr(name[1 : len(name)-1])
		return err == nil && ip.Is6() && u.has(ip)
	}
	if ip, err := netip.ParseAddr(name); err == nil {
		return ip.Is4() && u.has(ip) // IPv6 without brackets is no Host
	}
	return name != "" && slices.Contains(u.names, lower(name))
}

// has reports whether ip is an address of this machine.
func (u Us) has(ip netip.Addr) bool {
	if ip.Zone() != "" {
		return false
	}
	ip = ip.Unmap()
	if ip.IsLoopback() { // all of 127/8 is, while the interface names one
		return true
	}
	return slices.ContainsFunc(u.addrs, func(a Addr) bool { return a.IP == ip })
}

// cutPort takes `:PORT` off the end. It is stricter than net.SplitHostPort,
// which has no opinion on what a port is.
func cutPort(host string) (string, bool) {
	end := 0 // from where a colon would begin the port
	if strings.HasPrefix(host, "[") {
		end = strings.IndexByte(host, ']') + 1
		if end == 0 {
			return "", false
		}
		if end == len(host) {
			return host, true
		}
		if host[end] != ':' {
			return "", false
		}
	}
	colon := strings.IndexByte(host[end:], ':')
	if colon < 0 {
		return host, true
	}
	colon += end
	return host[:colon], isPort(host[colon+1:])
}

func isPort(s string) bool {
	if s == "" || len(s) > 5 || strings.Trim(s, "0123456789") != "" {
		return false
	}
	n := 0
	for _, c := range []byte(s) {
		n = n*10 + int(c-'0')
	}
	return n <= 65535
}
