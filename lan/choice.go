package lan

import (
	"net/netip"
	"slices"
)

// Choice is which networks the owner shares on. The zero value is all private
// ones, Interface alone is whatever network that interface is on, and with
// Subnet it is one network, known again by its numbers on that interface and,
// where the system told it, by its gateway's hardware address. It is comparable.
type Choice struct {
	Interface string
	Subnet    netip.Prefix
	Gateway   string // MAC, "" when it was not told; counts beside a Subnet only
}

// Fit says whether this machine is on the networks that were chosen.
type Fit int

// The fits. The zero value is not one of those to share on.
const (
	FitNoNetwork    Fit = iota // no address but loopback ones
	FitNoInterface             // the chosen interface is gone or has no address
	FitOtherNetwork            // the interface is on another network than the chosen one
	FitPublic                  // nothing but public addresses under this choice
	// FitUnsure is the chosen network by its numbers, but the system does not
	// tell the gateway's hardware address at this moment. Who has had no other
	// answer since the program began, or since Addrs or Gateways changed, waits:
	// this may be somebody else's network with the same numbers. Who has had one
	// stays with it, sharing or not, until there is an answer again: the system
	// forgets a gateway that is not used and learns it with the next packet.
	FitUnsure
	FitYes // share
)

// String returns the words for a fit.
func (f Fit) String() string {
	switch f {
	case FitNoNetwork:
		return "no network"
	case FitNoInterface:
		return "no interface"
	case FitOtherNetwork:
		return "other network"
	case FitPublic:
		return "public"
	case FitUnsure:
		return "unsure"
	case FitYes:
		return "yes"
	}
	return "unknown"
}

// Fit tells whether there is something to share on under a choice, and if not,
// why. Link-local IPv6 addresses are no network here, as in URLs: an interface
// has one before it is on any.
//
// A choice that was written wrong, such as a subnet without an interface, fits
// nowhere.
func (u Us) Fit(c Choice) Fit {
	c = c.clean()
	some, interfaced, same, near := false, false, false, false
	for _, a := range u.addrs {
		if !a.networked() {
			continue
		}
		some = true
		on := c == Choice{} || c.Interface != "" && a.Interface == c.Interface
		interfaced = interfaced || on
		same = same || on && (!c.Subnet.IsValid() || a.Subnet() == c.Subnet)
		near = near || on && c.covers(a.IP) && a.Kind != Public
	}
	told := FitYes
	if c.Subnet.IsValid() && c.Gateway != "" {
		told = u.recognise(c)
	}
	switch {
	case !some:
		return FitNoNetwork
	case !interfaced:
		return FitNoInterface
	case !same || told == FitOtherNetwork:
		return FitOtherNetwork
	case !near:
		return FitPublic
	}
	return told
}

// recognise compares the remembered gateway with those of now: FitYes,
// FitOtherNetwork or FitUnsure. Several routers may serve one network, so one
// that is right is enough, and one that is not told leaves it open.
func (u Us) recognise(c Choice) Fit {
	told, silent := false, false
	for _, g := range u.gateways {
		switch {
		case g.Interface != c.Interface:
		case g.MAC == c.Gateway:
			return FitYes
		case g.MAC != "":
			told = true
		case g.IP.Is4(): // those of IPv6 are never told
			silent = true
		}
	}
	if told && !silent {
		return FitOtherNetwork
	}
	return FitUnsure
}

// Within returns the same machine with those addresses alone that are on the
// chosen networks, so that what is shown and announced follows the choice.
// Names and loopback addresses stay, and nothing else does when the choice does
// not fit. All private networks is the machine as it is.
//
// Admits and Fit are asked of the whole machine: they need to know what else it
// is on.
func (u Us) Within(c Choice) Us {
	c = c.clean()
	if c == (Choice{}) {
		return u
	}
	fit := u.Fit(c)
	fits := fit == FitYes || fit == FitUnsure || fit == FitPublic
	u.addrs = slices.DeleteFunc(slices.Clone(u.addrs), func(a Addr) bool {
		return a.Kind != Loopback && !(fits && a.Interface == c.Interface && c.covers(a.IP))
	})
	u.gateways = slices.DeleteFunc(slices.Clone(u.gateways), func(g Gateway) bool {
		return !fits || g.Interface != c.Interface
	})
	return u
}

// covers reports whether an address of the chosen interface belongs to the
// choice: with a subnet those of it, and IPv6 ones, which follow.
func (c Choice) covers(ip netip.Addr) bool {
	return !c.Subnet.IsValid() || c.Subnet.Contains(ip) || ip.Is6()
}

// clean spells a choice as looks do, whoever wrote it. A subnet that is none
// must not become all networks or a whole interface: it keeps the choice from
// being zero, and takes its interface away. Subnets of IPv4 that are written as
// IPv6 stay as they are, and are no network of ours.
func (c Choice) clean() Choice {
	c.Gateway = lower(c.Gateway)
	switch {
	case c.Subnet.IsValid():
		c.Subnet = c.Subnet.Masked()
	case c.Subnet != netip.Prefix{}:
		c.Interface = ""
	}
	return c
}

// networked reports whether an address says that there is a network.
func (a Addr) networked() bool {
	return a.Kind != Loopback && !(a.Kind == LinkLocal && a.IP.Is6())
}
