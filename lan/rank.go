package lan

import "strings"

// rank orders addresses by how likely a teammate can use them: a network card
// before a tunnel before a bridge of containers, private before the rest, IPv4
// (which people can type) before IPv6.
func rank(a Addr) int {
	n := 0
	switch a.Kind {
	case Name, Private:
	case Shared:
		n = 2
	case LinkLocal:
		n = 4
	case Public:
		n = 6
	case Loopback:
		n = 8
	}
	if a.IP.Is6() {
		n++
	}
	return n + 16*reach(a.Interface)
}

// reach is 0 for a network card, 1 for a tunnel, 2 for what only containers and
// virtual machines on this computer see. Systems do not tell the difference in
// one way, but the names are well kept.
func reach(name string) int {
	name = lower(name)
	for _, p := range []string{
		"docker", "br-", "veth", "virbr", "vmnet", "vboxnet", "lxcbr", "lxdbr", "incusbr", "cni", "flannel",
		"cali", "podman", "vethernet", "virtualbox", "vmware", "bridge1", "awdl", "llw",
	} {
		if strings.HasPrefix(name, p) {
			return 2
		}
	}
	for _, p := range []string{"tun", "tap", "utun", "wg", "ppp", "zt", "tailscale", "ipsec", "nordlynx"} {
		if strings.HasPrefix(name, p) {
			return 1
		}
	}
	return 0
}
