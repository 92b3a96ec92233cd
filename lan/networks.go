package lan

import (
	"net/netip"
	"slices"
)

// Network is one that this machine is on.
type Network struct {
	Interface string
	Subnet    netip.Prefix // not valid when the system does not tell it
	Gateway   string       // MAC, or "" when it is not told
	Kind      Kind
	Addr      netip.Addr // ours, the best of those on it
}

// Choice is the one that means only this network.
func (n Network) Choice() Choice {
	c := Choice{Interface: n.Interface, Subnet: n.Subnet}
	if n.Subnet.IsValid() {
		c.Gateway = n.Gateway
	}
	return c
}

// Networks returns what the owner can pick from now, the best first, as URLs
// has them: bridges of containers come last. An interface that has IPv4 is
// listed by it, since IPv6 follows; a public network is listed where the
// interface has no other, so that a window can say why it does not serve.
// Link-local IPv6 alone is no network.
func (u Us) Networks() []Network {
	var list []Network
	for _, a := range u.addrs {
		if !a.networked() {
			continue
		}
		n := Network{Interface: a.Interface, Subnet: a.Subnet(), Kind: a.Kind, Addr: a.IP}
		hidden := slices.ContainsFunc(u.addrs, func(o Addr) bool {
			return o.networked() && o.Interface == a.Interface && o.Kind != Public && (a.Kind == Public || a.IP.Is6() && o.IP.Is4())
		})
		known := slices.ContainsFunc(list, func(o Network) bool { return o.Interface == n.Interface && o.Subnet == n.Subnet })
		if hidden || known {
			continue
		}
		n.Gateway = u.gatewayOf(n)
		list = append(list, n)
	}
	return list
}

// gatewayOf returns the MAC of a network's gateway, or "": that of one in its
// subnet before another's of the same interface.
func (u Us) gatewayOf(n Network) string {
	mac := ""
	for _, g := range u.gateways {
		switch {
		case g.Interface != n.Interface || g.MAC == "":
		case n.Subnet.IsValid() && n.Subnet.Contains(g.IP):
			return g.MAC
		case mac == "":
			mac = g.MAC
		}
	}
	return mac
}

// Here returns the network that "only this network" means now: the one with the
// default gateway, else the best. A tunnel may have taken the default route, but
// who says "this network" means the one around him, so a network card with a
// gateway goes before.
func (u Us) Here() (Network, bool) {
	list := u.Networks()
	for _, cardsOnly := range []bool{true, false} {
		for _, g := range u.gateways {
			if cardsOnly && reach(g.Interface) != 0 {
				continue
			}
			at := slices.IndexFunc(list, func(n Network) bool {
				return n.Interface == g.Interface && n.Subnet.IsValid() && n.Subnet.Contains(g.IP)
			})
			if at < 0 { // a gateway of IPv6 is link-local
				at = slices.IndexFunc(list, func(n Network) bool { return n.Interface == g.Interface })
			}
			if at >= 0 {
				return list[at], true
			}
		}
	}
	if len(list) == 0 {
		return Network{}, false
	}
	return list[0], true
}
