package lan

import (
	"net/netip"
	"slices"
	"testing"
)

func net4(s string) netip.Prefix { return netip.MustParsePrefix(s) }

// docked is a laptop with a network card, Wi-Fi, a tunnel and containers.
func docked() Us {
	return New("anna",
		Addr{IP: ip("127.0.0.1"), Interface: "lo", Bits: 8},
		Addr{IP: ip("::1"), Interface: "lo", Bits: 128},
		Addr{IP: ip("10.1.0.5"), Interface: "eth0", Bits: 24},
		Addr{IP: ip("fd01::5"), Interface: "eth0", Bits: 64},
		Addr{IP: ip("fe80::5"), Interface: "eth0", Bits: 64},
		Addr{IP: ip("2001:db8:1::5"), Interface: "eth0", Bits: 64},
		Addr{IP: ip("192.168.1.7"), Interface: "wlan0", Bits: 24},
		Addr{IP: ip("fd02::7"), Interface: "wlan0", Bits: 128}, // of DHCPv6
		Addr{IP: ip("fe80::7"), Interface: "wlan0", Bits: 64},
		Addr{IP: ip("10.8.0.2"), Interface: "tun0", Bits: 32},
		Addr{IP: ip("172.17.0.1"), Interface: "docker0", Bits: 16},
		Addr{IP: ip("203.0.113.9"), Interface: "eth9", Bits: 24},
		Addr{IP: ip("203.0.114.9"), Interface: "eth8", Bits: 24},
		Addr{IP: ip("10.9.0.1"), Interface: "eth8", Bits: 24},
		Addr{IP: ip("fe80::9"), Interface: "eth7", Bits: 64},
	).WithGateways(
		Gateway{Interface: "tun0", IP: ip("10.8.0.1")},
		Gateway{Interface: "wlan0", IP: ip("192.168.1.1"), MAC: "02:00:00:00:00:0A"},
		Gateway{Interface: "eth0", IP: ip("10.1.0.1"), MAC: "02:00:00:00:00:0b"},
		Gateway{Interface: "eth0", IP: ip("fe80::1%eth0")},
		Gateway{},
	)
}

func TestFits(t *testing.T) {
	wifi := Choice{Interface: "wlan0", Subnet: net4("192.168.1.0/24"), Gateway: "02:00:00:00:00:0a"}
	lo := Addr{IP: ip("127.0.0.1"), Interface: "lo", Bits: 8}
	at := func(iface, addr string, bits int, gateways ...Gateway) Us {
		return New("anna", lo, Addr{IP: ip(addr), Interface: iface, Bits: bits}).WithGateways(gateways...)
	}
	router := func(mac string) Gateway { return Gateway{Interface: "wlan0", IP: ip("192.168.1.1"), MAC: mac} }
	for _, c := range []struct {
		says string
		us   Us
		c    Choice
		want Fit
	}{
		{"nothing is known yet", Us{}, Choice{}, FitNoNetwork},
		{"the machine is offline", New("anna", lo), Choice{}, FitNoNetwork},
		{"the machine is offline and had a choice", New("anna", lo), wifi, FitNoNetwork},
		{"a link-local address is there before a network is", at("wlan0", "fe80::1", 64), Choice{}, FitNoNetwork},
		{"a private network is enough for all of them", at("wlan0", "192.168.1.7", 24), Choice{}, FitYes},
		{"a cable between two machines is one", at("eth0", "169.254.1.1", 16), Choice{}, FitYes},
		{"a café with public addresses is none to share on", at("wlan0", "203.0.113.9", 24), Choice{}, FitPublic},
		{"one of several is private", docked(), Choice{}, FitYes},

		{"the interface is there", docked(), Choice{Interface: "wlan0"}, FitYes},
		{"the interface was unplugged", docked(), Choice{Interface: "eth5"}, FitNoInterface},
		{"the interface has no network yet", docked(), Choice{Interface: "eth7"}, FitNoInterface},
		{"the interface has a public address alone", docked(), Choice{Interface: "eth9"}, FitPublic},
		{"the interface has a private address too", docked(), Choice{Interface: "eth8"}, FitYes},
		{"a gateway without a subnet says nothing", docked(), Choice{Interface: "wlan0", Gateway: "02:00:00:00:00:ff"}, FitYes},

		{"the network is here", docked(), wifi, FitYes},
		{"the network is written in another way", docked(), Choice{"wlan0", net4("192.168.1.7/24"), "02:00:00:00:00:0A"}, FitYes},
		{"the network was remembered without its gateway", docked(), Choice{Interface: "wlan0", Subnet: wifi.Subnet}, FitYes},
		{"the network is on IPv6 alone", at("eth0", "fd01::5", 64), Choice{Interface: "eth0", Subnet: net4("fd01::/64")}, FitYes},
		{"DHCPv6 gave one address of it", docked(), Choice{Interface: "wlan0", Subnet: net4("fd02::/64")}, FitYes},
		{"the interface is on another network", at("wlan0", "10.0.0.7", 24), wifi, FitOtherNetwork},
		{"the interface is on a public network", at("wlan0", "203.0.113.9", 24), wifi, FitOtherNetwork},
		{"the numbers are alike and the size is not", at("wlan0", "192.168.1.7", 16), wifi, FitOtherNetwork},
		{"the size is not known", at("wlan0", "192.168.1.7", 0), wifi, FitOtherNetwork},
		{"the network is on another interface", at("eth0", "192.168.1.7", 24), wifi, FitNoInterface},
		{"a neighbour's network has the same numbers", at("wlan0", "192.168.1.7", 24, router("02:00:00:00:00:99")), wifi, FitOtherNetwork},
		{"the router has not answered yet", at("wlan0", "192.168.1.7", 24, router("")), wifi, FitUnsure},
		{"the route has not come yet", at("wlan0", "192.168.1.7", 24), wifi, FitUnsure},
		{"another interface's router is no proof", at("wlan0", "192.168.1.7", 24, Gateway{Interface: "eth0", IP: ip("10.1.0.1"), MAC: wifi.Gateway}), wifi, FitUnsure},
		{"one of two routers is the known one", at("wlan0", "192.168.1.7", 24, router("02:00:00:00:00:99"), router("02:00:00:00:00:0a")), wifi, FitYes},
		{"one of two routers may still be the known one", at("wlan0", "192.168.1.7", 24, router("02:00:00:00:00:99"), router("")), wifi, FitUnsure},
		{"the router of IPv6 never tells", at("wlan0", "192.168.1.7", 24, router("02:00:00:00:00:99"), Gateway{Interface: "wlan0", IP: ip("fe80::1")}), wifi, FitOtherNetwork},
		{"a public network was picked", docked(), Choice{Interface: "eth9", Subnet: net4("203.0.113.0/24")}, FitPublic},

		{"a subnet without an interface", docked(), Choice{Subnet: wifi.Subnet}, FitNoInterface},
		{"a subnet of nobody's interface", New("a", Addr{IP: ip("192.168.1.7"), Bits: 24}), Choice{Subnet: wifi.Subnet}, FitNoInterface},
		{"a gateway alone", docked(), Choice{Gateway: wifi.Gateway}, FitNoInterface},
		{"a subnet that is none does not open the interface", docked(), Choice{Interface: "wlan0", Subnet: netip.PrefixFrom(ip("192.168.1.0"), 99)}, FitNoInterface},
		{"a subnet that is none does not open all", docked(), Choice{Subnet: netip.PrefixFrom(ip("192.168.1.0"), 99)}, FitNoInterface},
		{"IPv4 written as IPv6", docked(), Choice{Interface: "wlan0", Subnet: net4("::ffff:192.168.1.0/120")}, FitOtherNetwork},
	} {
		if got := c.us.Fit(c.c); got != c.want {
			t.Errorf("%s: %v, want %v", c.says, got, c.want)
		}
	}
	seen := map[string]bool{}
	for f := FitNoNetwork; f <= FitYes; f++ {
		if seen[f.String()] || f.String() == "unknown" {
			t.Errorf("fit %d is called %v", f, f)
		}
		seen[f.String()] = true
	}
	if Fit(-1).String() != "unknown" {
		t.Error("a fit that is none has a name")
	}
}

func TestWithinHasTheChosenNetworksAlone(t *testing.T) {
	u := docked()
	for _, c := range []struct {
		says  string
		c     Choice
		addrs []string
		gates int
	}{
		{"an interface", Choice{Interface: "eth0"}, []string{"10.1.0.5", "fd01::5", "fe80::5", "2001:db8:1::5", "127.0.0.1", "::1"}, 2},
		{"a network takes its IPv6 with it", Choice{Interface: "wlan0", Subnet: net4("192.168.1.0/24")}, []string{"192.168.1.7", "fd02::7", "fe80::7", "127.0.0.1", "::1"}, 1},
		{"a network that is not here", Choice{Interface: "wlan0", Subnet: net4("192.168.2.0/24")}, []string{"127.0.0.1", "::1"}, 0},
		{"an interface that is not here", Choice{Interface: "eth5"}, []string{"127.0.0.1", "::1"}, 0},
		{"a choice that is none", Choice{Subnet: net4("192.168.1.0/24")}, []string{"127.0.0.1", "::1"}, 0},
	} {
		w := u.Within(c.c)
		var got []string
		for _, a := range w.Addrs() {
			got = append(got, a.IP.String())
		}
		slices.Sort(got)
		slices.Sort(c.addrs)
		if !slices.Equal(got, c.addrs) || len(w.Gateways()) != c.gates {
			t.Errorf("%s: %v with %v", c.says, got, w.Gateways())
		}
		if !slices.Equal(w.Names(), u.Names()) || w.Hostname() != u.Hostname() {
			t.Errorf("%s: other names", c.says)
		}
		if !w.Within(c.c).Equal(w) {
			t.Errorf("%s: within it again there is less", c.says)
		}
	}
	if got := urls(u.Within(Choice{Interface: "wlan0"}).URLs("http", 1, "")); !slices.Equal(got, []string{"http://anna.local:1", "http://192.168.1.7:1", "http://[fd02::7]:1"}) {
		t.Errorf("the addresses to show: %v", got)
	}
	if !u.Within(Choice{}).Equal(u) || !u.Equal(docked()) {
		t.Error("all networks are not all, or a look was changed")
	}
}

func TestNetworksToPickFromTheBestFirst(t *testing.T) {
	list := docked().Networks()
	want := []Network{
		{"eth0", net4("10.1.0.0/24"), "02:00:00:00:00:0b", Private, ip("10.1.0.5")},
		{"eth8", net4("10.9.0.0/24"), "", Private, ip("10.9.0.1")},
		{"wlan0", net4("192.168.1.0/24"), "02:00:00:00:00:0a", Private, ip("192.168.1.7")},
		{"eth9", net4("203.0.113.0/24"), "", Public, ip("203.0.113.9")},
		{"tun0", net4("10.8.0.2/32"), "", Private, ip("10.8.0.2")},
		{"docker0", net4("172.17.0.0/16"), "", Private, ip("172.17.0.1")},
	}
	if !slices.Equal(list, want) {
		t.Errorf("got\n%v, want\n%v", list, want)
	}
	for _, n := range list {
		fit := FitYes
		if n.Kind == Public {
			fit = FitPublic
		}
		if got := docked().Fit(n.Choice()); got != fit {
			t.Errorf("%v was picked, and is %v", n, got)
		}
	}
	two := New("a",
		Addr{IP: ip("192.168.1.7"), Interface: "eth0", Bits: 24}, Addr{IP: ip("192.168.1.8"), Interface: "eth0", Bits: 24},
		Addr{IP: ip("10.0.0.7"), Interface: "eth0", Bits: 8}, Addr{IP: ip("192.168.5.5"), Interface: "eth1"},
		Addr{IP: ip("fd00::1"), Interface: "eth2", Bits: 64}, Addr{IP: ip("203.0.113.9"), Interface: "eth2", Bits: 24},
	).WithGateways(Gateway{"eth0", ip("192.168.1.1"), "02:00:00:00:00:01"}, Gateway{"eth0", ip("10.0.0.1"), "02:00:00:00:00:02"})
	want = []Network{
		{"eth0", net4("10.0.0.0/8"), "02:00:00:00:00:02", Private, ip("10.0.0.7")},
		{"eth0", net4("192.168.1.0/24"), "02:00:00:00:00:01", Private, ip("192.168.1.7")},
		{"eth1", netip.Prefix{}, "", Private, ip("192.168.5.5")},
		{"eth2", net4("fd00::/64"), "", Private, ip("fd00::1")},
	}
	if list := two.Networks(); !slices.Equal(list, want) {
		t.Errorf("got\n%v, want\n%v", list, want)
	}
	if c := want[2].Choice(); c != (Choice{Interface: "eth1"}) || two.Fit(c) != FitYes {
		t.Errorf("a network whose size is not known is its interface, not %v", c)
	}
	if len(New("a", Addr{IP: ip("127.0.0.1"), Interface: "lo", Bits: 8}, Addr{IP: ip("fe80::1"), Interface: "eth0", Bits: 64}).Networks()) != 0 {
		t.Error("loopback and link-local are no networks")
	}
}

func TestHereIsTheNetworkAroundUs(t *testing.T) {
	eth := Addr{IP: ip("10.1.0.5"), Interface: "eth0", Bits: 24}
	wifi := Addr{IP: ip("192.168.1.7"), Interface: "wlan0", Bits: 24}
	tun := Addr{IP: ip("10.8.0.2"), Interface: "tun0", Bits: 24}
	for _, c := range []struct {
		says string
		us   Us
		want string
	}{
		{"the default route goes by Wi-Fi, while a tunnel took it over", docked(), "wlan0"},
		{"no gateway is told", New("a", eth, wifi), "eth0"},
		{"the gateway's is not the best", New("a", eth, wifi).WithGateways(Gateway{Interface: "wlan0", IP: ip("192.168.1.1")}), "wlan0"},
		{"the gateway speaks IPv6 alone", New("a", eth, wifi).WithGateways(Gateway{Interface: "wlan0", IP: ip("fe80::1")}), "wlan0"},
		{"the gateway's interface has no address", New("a", eth).WithGateways(Gateway{Interface: "wlan0", IP: ip("192.168.1.1")}), "eth0"},
		{"there is a tunnel alone", New("a", eth, tun).WithGateways(Gateway{Interface: "tun0", IP: ip("10.8.0.1")}), "tun0"},
		{"the network is public", New("a", Addr{IP: ip("203.0.113.9"), Interface: "wlan0", Bits: 24}), "wlan0"},
	} {
		if n, ok := c.us.Here(); !ok || n.Interface != c.want {
			t.Errorf("%s: %v, want %s", c.says, n, c.want)
		}
	}
	if n, ok := New("a", Addr{IP: ip("127.0.0.1"), Interface: "lo"}).Here(); ok {
		t.Errorf("offline and on %v", n)
	}
}
