package lan

import (
	"net/netip"
	"slices"
)

// Gateway is the router by which this machine leaves one of its networks. Its
// hardware address tells two networks with the same numbers apart, as long as
// nobody forges it.
type Gateway struct {
	Interface string
	IP        netip.Addr // without a zone; Interface says the same
	MAC       string     // lower case, with colons; "" while the system does not tell
}

// Gateways returns the default gateways, the one that is used first. There are
// none where the system does not tell them, which is anywhere but on Linux.
//
// The MAC of one comes from the neighbour table, and may be missing: until
// somebody on this machine has sent something its way, and for a while whenever
// the table is cleaned. For IPv6 it is not told.
func (u Us) Gateways() []Gateway { return slices.Clone(u.gateways) }

// WithGateways returns the same machine with these gateways, for tests and for
// fixed sets.
func (u Us) WithGateways(list ...Gateway) Us {
	u.gateways = nil
	for _, g := range list {
		if !g.IP.IsValid() {
			continue
		}
		g.IP, g.MAC = g.IP.Unmap().WithZone(""), lower(g.MAC)
		u.gateways = append(u.gateways, g)
	}
	return u
}

// alike reports whether two looks may have seen the same router.
func (g Gateway) alike(o Gateway) bool {
	return g.Interface == o.Interface && g.IP == o.IP && (g.MAC == o.MAC || g.MAC == "" || o.MAC == "")
}

// joined reports whether two interfaces are known to be on one network, as
// those of a laptop are that is in its dock and on Wi-Fi: both have the same
// gateway, down to the hardware.
func (u Us) joined(a, b string) bool {
	if a == b {
		return true
	}
	for _, g := range u.gateways {
		if g.Interface == a && g.MAC != "" && slices.Contains(u.gateways, Gateway{Interface: b, IP: g.IP, MAC: g.MAC}) {
			return true
		}
	}
	return false
}
