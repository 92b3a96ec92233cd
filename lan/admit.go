package lan

import (
	"net/netip"
	"slices"
)

// Admits reports whether a connection may come in under a choice. Local is the
// address that was dialled, with the interface it came in by as its zone where
// that is known, as Only has it; remote is the caller's.
//
// Never by a public address, and to a loopback one from this machine only: with
// route_localnet set, as by some container tools, Linux takes 127.0.0.1 from
// neighbours.
//
// An interface or a network admits whom this machine is reached by on that
// interface. The dialled address does not prove it: systems take packets for any
// of their addresses on any interface (the weak host model, RFC 1122, 3.3.4.2),
// so a stranger on a second network may dial the address of the first. What
// does is the interface that the connection came in by, and, since nobody holds
// a connection without our answers, where those go: by the longest prefix. Who
// is on-link elsewhere is refused. So is who lives behind a router, when only
// this network was chosen, or when the interface is not known and the machine
// has another network whose router he may live behind. Two interfaces with the
// same gateway, IP and MAC, count as one.
//
// A choice that does not fit admits nobody but this machine. FitUnsure admits:
// whether to share then is the caller's to say.
func (u Us) Admits(c Choice, local, remote netip.Addr) bool {
	via, from := local.Zone(), remote.Zone()
	local, remote = local.Unmap().WithZone(""), remote.Unmap().WithZone("")
	if KindOf(local) == Public || !remote.IsValid() {
		return false
	}
	self := remote.IsLoopback() || u.owns(remote, from)
	if local.IsLoopback() {
		return self
	}
	c = c.clean()
	if c == (Choice{}) {
		return true
	}
	if fit := u.Fit(c); fit != FitYes && fit != FitUnsure {
		return false
	}
	if !c.covers(local) || !slices.ContainsFunc(u.addrs, func(a Addr) bool { return a.IP == local && a.Interface == c.Interface }) {
		return false
	}
	if self { // our answers stay here, so nobody else can be it
		return true
	}
	if via != "" && !u.joined(c.Interface, via) {
		return false
	}
	if remote.Is6() && remote.IsLinkLocalUnicast() {
		// Its zone is the interface it came in by, on every system.
		return from != "" && u.joined(c.Interface, from)
	}
	here, elsewhere := u.distance(c.Interface, remote)
	switch {
	case here < 0 && elsewhere < 0: // behind a router
		return !c.Subnet.IsValid() && (via != "" || !u.elsewhere(c.Interface))
	case here < elsewhere, here == elsewhere && via == "":
		return false
	}
	return c.covers(remote)
}

// distance returns the longest prefix that has ip on-link on an interface, and
// on those that are not on the same network; -1 is none. Prefixes that are not
// known have nobody.
func (u Us) distance(iface string, ip netip.Addr) (here, elsewhere int) {
	here, elsewhere = -1, -1
	for _, a := range u.addrs {
		p := a.Subnet()
		if a.Kind == Loopback || !p.IsValid() || !p.Contains(ip) {
			continue
		}
		if u.joined(iface, a.Interface) {
			here = max(here, p.Bits())
		} else {
			elsewhere = max(elsewhere, p.Bits())
		}
	}
	return here, elsewhere
}

// elsewhere reports whether this machine is on another network than that of an
// interface. What only its own containers see has no strangers behind it.
func (u Us) elsewhere(iface string) bool {
	return slices.ContainsFunc(u.addrs, func(a Addr) bool {
		return a.networked() && reach(a.Interface) < 2 && !u.joined(iface, a.Interface)
	})
}

// owns reports whether ip, without its zone, is an address of this machine. On
// another link somebody else may have a link-local one of ours.
func (u Us) owns(ip netip.Addr, zone string) bool {
	linked := ip.Is6() && ip.IsLinkLocalUnicast()
	return slices.ContainsFunc(u.addrs, func(a Addr) bool { return a.IP == ip && (!linked || a.Interface == zone) })
}
