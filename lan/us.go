// Package lan knows who we are on this network.
package lan

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// Us is what this machine is called on the network and which addresses it has
// at one moment. It is an immutable value: the zero one has neither, so its
// Host refuses everything but loopback addresses.
type Us struct {
	hostname string
	names    []string  // lower case
	addrs    []Addr    // in the order in which they are worth showing
	gateways []Gateway // in the order in which the system uses them
}

// Addr is one address of this machine.
type Addr struct {
	IP        netip.Addr // without a zone; Interface says the same
	Interface string
	Bits      int // how long the prefix of its subnet is, 0 when that is not known
	Kind      Kind
}

// Subnet returns the network of the address, not valid when it is not known.
//
// DHCPv6 hands out single addresses (RFC 8415), for which systems write /128.
// On a network card the neighbours are then those of the /64, which is how long
// the prefix of a link is (RFC 4291, 2.5.4).
func (a Addr) Subnet() netip.Prefix {
	bits := a.Bits
	if bits == 128 && a.Kind != Loopback && reach(a.Interface) == 0 {
		bits = 64
	}
	if bits <= 0 {
		return netip.Prefix{}
	}
	p, _ := a.IP.Prefix(bits) // New saw to the length
	return p
}

// Kind says how far an address reaches.
type Kind int

// The kinds. Name is not an address, but may stand where one is shown.
const (
	Name      Kind = iota
	Loopback       // this machine only
	Private        // RFC 1918, or fc00::/7
	Shared         // 100.64.0.0/10: behind a provider's NAT, and what Tailscale uses
	LinkLocal      // this cable only
	Public         // everybody
)

// String returns the word for a kind.
func (k Kind) String() string {
	switch k {
	case Name:
		return "name"
	case Loopback:
		return "loopback"
	case Private:
		return "private"
	case Shared:
		return "shared"
	case LinkLocal:
		return "link-local"
	case Public:
		return "public"
	}
	return "unknown"
}

// MarshalText implements encoding.TextMarshaler.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; an unknown word is Public,
// the careful answer.
func (k *Kind) UnmarshalText(b []byte) error {
	*k = Public
	for known := range Public {
		if string(b) == known.String() {
			*k = known
		}
	}
	return nil
}

var sharedNet = netip.MustParsePrefix("100.64.0.0/10")

// KindOf tells how far an address reaches. What is not known to stay near, the
// unspecified address included, is Public: the careful answer.
func KindOf(ip netip.Addr) Kind {
	ip = ip.Unmap()
	switch {
	case ip.IsLoopback():
		return Loopback
	case ip.IsPrivate():
		return Private
	case ip.IsLinkLocalUnicast():
		return LinkLocal
	case sharedNet.Contains(ip):
		return Shared
	}
	return Public
}

// Look asks the system. It fails only when the system does not tell the
// interfaces; a host without a name has the names that every host has.
func Look() (Us, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return Us{}, fmt.Errorf("looking at the network interfaces: %w", err)
	}
	var addrs []Addr
	var problems []error
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		all, err := i.Addrs()
		if err != nil { // gone since, such as a container's
			problems = append(problems, err)
			continue
		}
		for _, a := range all {
			if prefix, err := netip.ParsePrefix(a.String()); err == nil {
				addrs = append(addrs, Addr{IP: prefix.Addr(), Interface: i.Name, Bits: prefix.Bits()})
			}
		}
	}
	if len(addrs) == 0 && len(problems) > 0 {
		return Us{}, fmt.Errorf("looking at the addresses: %w", errors.Join(problems...))
	}
	hostname, _ := os.Hostname()
	return New(hostname, addrs...).WithGateways(defaultGateways()...), nil
}

// New makes a Us of known parts, for tests and for fixed sets. The kinds are
// filled in; a prefix length that the address cannot have counts as not known.
func New(hostname string, addrs ...Addr) Us {
	u := Us{hostname: hostname, names: namesOf(hostname)}
	for _, a := range addrs {
		if !a.IP.IsValid() {
			continue
		}
		if a.IP.Is4In6() && a.Bits >= 96 {
			a.Bits -= 96
		}
		a.IP = a.IP.Unmap().WithZone("")
		if a.Bits < 0 || a.Bits > a.IP.BitLen() {
			a.Bits = 0
		}
		a.Kind = KindOf(a.IP)
		u.addrs = append(u.addrs, a)
	}
	slices.SortFunc(u.addrs, func(a, b Addr) int {
		return cmp.Or(
			cmp.Compare(rank(a), rank(b)),
			cmp.Compare(a.Interface, b.Interface),
			a.IP.Compare(b.IP),
			cmp.Compare(a.Bits, b.Bits),
		)
	})
	u.addrs = slices.Compact(u.addrs)
	return u
}

// Hostname returns the name of this machine as the system has it.
func (u Us) Hostname() string { return u.hostname }

// Renamed returns the same machine under another .local name, for a network on
// which somebody else answers to the usual one: a request that names that is not
// for us then.
func (u Us) Renamed(local string) Us {
	local, usual := lower(local), u.local()
	if usual == local || !strings.HasSuffix(local, ".local") || !isName(local) {
		return u
	}
	names := []string{local}
	for _, n := range u.names {
		if n != usual {
			names = append(names, n)
		}
	}
	u.names = names
	return u
}

// Names returns the names of this machine in lower case, its own .local among
// them.
func (u Us) Names() []string { return slices.Clone(u.names) }

// Addrs returns the addresses of this machine, those worth showing first.
func (u Us) Addrs() []Addr { return slices.Clone(u.addrs) }

// Equal reports whether two looks saw the same. A gateway's hardware address
// that only one of them was told is no difference, since the system forgets and
// learns those while nothing changes. So what Fit says may change without a
// difference: it is asked after every look.
func (u Us) Equal(o Us) bool {
	return u.hostname == o.hostname && slices.Equal(u.names, o.names) && slices.Equal(u.addrs, o.addrs) &&
		slices.EqualFunc(u.gateways, o.gateways, Gateway.alike)
}

// local returns the name that mDNS answers to, or "".
func (u Us) local() string {
	for _, n := range u.names {
		if strings.HasSuffix(n, ".local") {
			return n
		}
	}
	return ""
}

// namesOf derives what others may call us. The last two are names for the very
// machine that asks, so a Host that says them cannot come from elsewhere with a
// better meaning.
func namesOf(hostname string) []string {
	full := lower(strings.TrimSuffix(strings.TrimSpace(hostname), "."))
	var names []string
	if isName(full) {
		short, _, _ := strings.Cut(full, ".")
		names = append(names, full)
		if short != "localhost" {
			names = append(names, short, short+".local")
		}
	}
	names = append(names, "localhost", "host.docker.internal")
	var once []string
	for _, n := range names {
		if !slices.Contains(once, n) {
			once = append(once, n)
		}
	}
	return once
}

// isName reports whether s, in lower case, can stand as a name in a URL without
// being taken for an address.
func isName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

// lower folds ASCII only: Unicode has letters whose lower case is ASCII, such
// as the Kelvin sign, and a Host must not become ours by such a fold.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
