package settings

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"unicode"
)

// Network says on which networks the owner shares. The zero value is every
// private network. It is a value that can be compared.
type Network struct {
	Interface string       // "" for any; with it, only this interface
	Subnet    netip.Prefix // valid: only this network of the interface
	Gateway   string       // hardware address of its gateway, "" when the system did not tell
	// Here asks for the network that this machine is on now. It is what a person
	// types; what is kept is the answer, and only package share knows it.
	Here bool
}

// The words of share.network.
const (
	NetworkPrivate   = "private"
	NetworkHere      = "here"
	networkInterface = "interface:"
	networkOnly      = "only:"
)

// All says whether every private network will do.
func (n Network) All() bool { return n == Network{} }

// String writes what ParseNetwork reads: `private`, `here`, `interface:en0`, or
// `only:en0,192.168.1.0/24,aa:bb:cc:dd:ee:ff`.
func (n Network) String() string {
	switch {
	case n.Here:
		return NetworkHere
	case n.Subnet.IsValid():
		s := networkOnly + n.Interface + "," + n.Subnet.String()
		if n.Gateway != "" {
			s += "," + n.Gateway
		}
		return s
	case n.Interface != "":
		return networkInterface + n.Interface
	}
	return NetworkPrivate
}

// ParseNetwork reads share.network. The error is the reason in words.
func ParseNetwork(text string) (Network, error) {
	text = strings.TrimSpace(text)
	switch text {
	case NetworkPrivate:
		return Network{}, nil
	case NetworkHere:
		return Network{Here: true}, nil
	}
	if name, ok := strings.CutPrefix(text, networkInterface); ok {
		if !isInterface(name) {
			return Network{}, errors.New("the name of the interface has a character that does not belong there")
		}
		return Network{Interface: name}, nil
	}
	rest, ok := strings.CutPrefix(text, networkOnly)
	if !ok {
		return Network{}, errors.New("it is private, here, or interface: with the name of an interface behind it")
	}
	name, rest, _ := strings.Cut(rest, ",")
	subnet, gateway, _ := strings.Cut(rest, ",")
	prefix, err := netip.ParsePrefix(subnet)
	switch {
	case !isInterface(name):
		return Network{}, errors.New("the name of the interface has a character that does not belong there")
	case err != nil || prefix != prefix.Masked() || prefix.Addr().Is4In6():
		return Network{}, errors.New("the network is written as 192.168.1.0/24")
	}
	n := Network{Interface: name, Subnet: prefix}
	if gateway != "" {
		mac, err := net.ParseMAC(gateway)
		if err != nil || len(mac) != 6 {
			return Network{}, errors.New("the gateway's hardware address is written as aa:bb:cc:dd:ee:ff")
		}
		n.Gateway = mac.String()
	}
	return n, nil
}

// isInterface reports whether s could be the name of a network interface.
// Windows has blanks and letters of all languages in them.
func isInterface(s string) bool {
	return s != "" && len(s) <= 256 && strings.TrimSpace(s) == s &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == ',' || r == '%' })
}
