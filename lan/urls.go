package lan

import (
	"net"
	"net/netip"
	"strconv"
)

// Address is one way for a teammate to reach the gate.
type Address struct {
	Label     string `json:"label"` // the host alone
	URL       string `json:"url"`
	Interface string `json:"interface,omitempty"` // "" for a name
	Kind      Kind   `json:"kind"`
}

// URLs returns the addresses to show for a gate that listens on listenHost, the
// best one first: the .local name, then private IPv4 and IPv6 addresses, then
// what fewer teammates can use; bridges of containers come last. Listening on
// loopback gives loopback, on one address that one. None at all means that there
// is no network to share on.
//
// Link-local IPv6 is left out, because it needs a zone that is different on
// each teammate's machine.
func (u Us) URLs(scheme string, port int, listenHost string) []Address {
	at := func(host, iface string, k Kind) Address {
		return Address{
			Label: host, Interface: iface, Kind: k,
			URL: scheme + "://" + net.JoinHostPort(host, strconv.Itoa(port)),
		}
	}
	ip, wild, only4 := wildcard(listenHost)
	if !wild {
		switch {
		case !ip.IsValid() && lower(listenHost) == "localhost":
			return []Address{at(listenHost, "", Loopback)}
		case !ip.IsValid():
			return []Address{at(listenHost, "", Name)}
		}
		ip = ip.Unmap()
		for _, a := range u.addrs {
			if a.IP == ip.WithZone("") {
				return []Address{at(a.IP.String(), a.Interface, a.Kind)}
			}
		}
		return []Address{at(ip.WithZone("").String(), "", KindOf(ip))}
	}
	var list []Address
	for _, a := range u.addrs {
		switch {
		case a.Kind == Loopback, a.Kind == Public, a.Kind == LinkLocal && a.IP.Is6():
		case only4 && a.IP.Is6():
		default:
			list = append(list, at(a.IP.String(), a.Interface, a.Kind))
		}
	}
	if name := u.local(); name != "" && len(list) > 0 {
		list = append([]Address{at(name, "", Name)}, list...)
	}
	return list
}

// wildcard reads the host part of an address to listen on. An address that is
// not valid stands for a name.
func wildcard(host string) (ip netip.Addr, wild, only4 bool) {
	if host == "" {
		return ip, true, false
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}, false, false
	}
	return ip, ip.Unmap().WithZone("").IsUnspecified(), ip.Unmap().Is4()
}
