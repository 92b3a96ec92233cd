package lan

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
)

func TestWhoMayComeIn(t *testing.T) {
	all, eth, wifi := Choice{}, Choice{Interface: "eth0"}, Choice{Interface: "wlan0"}
	ethNet := Choice{Interface: "eth0", Subnet: net4("10.1.0.0/24"), Gateway: "02:00:00:00:00:0b"}
	wifiNet := Choice{Interface: "wlan0", Subnet: net4("192.168.1.0/24"), Gateway: "02:00:00:00:00:0a"}
	for _, c := range []struct {
		says          string
		c             Choice
		local, remote string
		want          bool
	}{
		{"this machine asks itself", all, "127.0.0.1", "127.0.0.1", true},
		{"whatever was chosen", ethNet, "::1", "::1", true},
		{"even when that is away", Choice{Interface: "eth5"}, "127.0.0.1", "127.0.0.1", true},
		{"by the way of the loopback interface", eth, "::ffff:127.0.0.1%lo", "127.0.0.1", true},
		{"from an address of its own", eth, "127.0.0.1", "192.168.1.7", true},
		{"a neighbour sends to 127.0.0.1", all, "127.0.0.1", "10.1.0.9", false},
		{"a neighbour sends to ::1", eth, "::1%eth0", "fd01::9", false},

		{"all private networks are one of them", all, "10.1.0.5", "10.1.0.9", true},
		{"and another", all, "::ffff:192.168.1.7%wlan0", "192.168.1.9", true},
		{"and who lives behind a router", all, "10.1.0.5", "10.77.0.9", true},
		{"a public address was dialled", all, "203.0.113.9", "203.0.113.8", false},
		{"a public address written as IPv6", all, "::ffff:203.0.113.9%eth9", "203.0.113.8", false},
		{"a public address of IPv6", eth, "2001:db8:1::5%eth0", "2001:db8:1::9", false},
		{"a public address, by this machine", eth, "2001:db8:1::5%lo", "2001:db8:1::5", false},

		{"a neighbour on the interface", eth, "10.1.0.5", "10.1.0.9", true},
		{"and it came in there", eth, "::ffff:10.1.0.5%eth0", "10.1.0.9", true},
		{"by an address of its own of IPv6", eth, "fd01::5%eth0", "fd01::9", true},
		{"from a public address to a private one", eth, "fd01::5%eth0", "2001:db8:1::9", true},
		{"by link-local addresses", eth, "fe80::5%eth0", "fe80::9%eth0", true},
		{"this machine asks its own interface", eth, "::ffff:10.1.0.5%lo", "10.1.0.5", true},
		{"and from another address", eth, "10.1.0.5", "192.168.1.7", true},
		{"this machine asks by the interface that is closed", eth, "192.168.1.7", "192.168.1.7", false},
		{"a neighbour on the other interface", eth, "192.168.1.7", "192.168.1.9", false},
		{"a stranger dials the first network from the second", eth, "10.1.0.5", "192.168.1.9", false},
		{"and says that he came in by the second", eth, "::ffff:10.1.0.5%wlan0", "192.168.1.9", false},
		{"and has given himself an address of the first", eth, "::ffff:10.1.0.5%wlan0", "10.1.0.9", false},
		{"and one that nobody knows", eth, "::ffff:10.1.0.5%wlan0", "198.51.100.9", false},
		{"a stranger of IPv6", eth, "fd01::5", "fd02::9", false},
		{"a stranger with a link-local address", eth, "fd01::5", "fe80::9%wlan0", false},
		{"a link-local address of both", eth, "fe80::5%wlan0", "fe80::9%wlan0", false},
		{"zones that differ", eth, "fe80::5%eth0", "fe80::9%wlan0", false},
		{"a stranger has a link-local address that we have elsewhere", eth, "fe80::5%eth0", "fe80::7%eth7", false},
		{"this machine asks itself by link-local addresses", eth, "fe80::5%eth0", "fe80::5%eth0", true},
		{"a link-local address of no interface", eth, "fe80::5%eth0", "fe80::9", false},
		{"a container of ours", eth, "::ffff:10.1.0.5%docker0", "172.17.0.2", false},
		{"a colleague behind the router of the interface", eth, "::ffff:10.1.0.5%eth0", "10.77.0.9", true},
		{"somebody behind a router, nobody knows which", eth, "10.1.0.5", "10.77.0.9", false},
		{"an address that is not ours any more", eth, "10.1.0.6", "10.1.0.9", false},
		{"the other way round", wifi, "192.168.1.7", "192.168.1.9", true},
		{"DHCPv6 gave us one address of the network", wifi, "fd02::7%wlan0", "fd02::9", true},
		{"the interface is away", Choice{Interface: "eth5"}, "10.1.0.5", "10.1.0.9", false},
		{"the interface has public addresses alone", Choice{Interface: "eth9"}, "203.0.113.9", "203.0.113.8", false},

		{"a neighbour in the network", ethNet, "10.1.0.5", "10.1.0.9", true},
		{"and by IPv6", ethNet, "fd01::5", "fd01::9", true},
		{"and by link-local addresses", ethNet, "fe80::5%eth0", "fe80::9%eth0", true},
		{"a colleague behind its router", ethNet, "::ffff:10.1.0.5%eth0", "10.77.0.9", false},
		{"and by IPv6", ethNet, "fd01::5%eth0", "fd77::9", false},
		{"a stranger of the second network", ethNet, "10.1.0.5", "192.168.1.9", false},
		{"and by link-local addresses", ethNet, "fe80::5%eth0", "fe80::9%wlan0", false},
		{"the network is another one today", Choice{Interface: "eth0", Subnet: net4("10.2.0.0/24")}, "10.1.0.5", "10.1.0.9", false},
		{"and IPv6 does not lead around that", Choice{Interface: "eth0", Subnet: net4("10.2.0.0/24")}, "fe80::5%eth0", "fe80::9%eth0", false},
		{"nor on somebody else's with the same numbers", Choice{"eth0", net4("10.1.0.0/24"), "02:00:00:00:00:ff"}, "fe80::5%eth0", "fe80::9%eth0", false},
		{"a chosen network in its usual place", wifiNet, "::ffff:192.168.1.7%wlan0", "192.168.1.9", true},
		{"a subnet that is none", Choice{Interface: "eth0", Subnet: netip.PrefixFrom(ip("10.1.0.0"), 99)}, "10.1.0.5", "10.1.0.9", false},
		{"a subnet without an interface", Choice{Subnet: net4("10.1.0.0/24")}, "10.1.0.5", "10.1.0.9", false},
	} {
		if got := docked().Admits(c.c, ip(c.local), ip(c.remote)); got != c.want {
			t.Errorf("%s: %s from %s under %+v is %v", c.says, c.local, c.remote, c.c, got)
		}
	}
	u := docked()
	for _, c := range []Choice{all, eth, ethNet} {
		if u.Admits(c, netip.Addr{}, ip("10.1.0.9")) || u.Admits(c, ip("10.1.0.5"), netip.Addr{}) || u.Admits(c, ip("0.0.0.0"), ip("10.1.0.9")) {
			t.Error("what is no address came in")
		}
	}
	if (Us{}).Admits(eth, ip("10.1.0.5"), ip("10.1.0.9")) || !(Us{}).Admits(eth, ip("127.0.0.1"), ip("127.0.0.1")) {
		t.Error("who knows nothing about himself lets in others, or not himself")
	}
}

// Our answers take the longer prefix, so that is where the caller is.
func TestNetworksInNetworks(t *testing.T) {
	u := New("a",
		Addr{IP: ip("10.1.0.5"), Interface: "eth0", Bits: 24}, Addr{IP: ip("10.2.0.5"), Interface: "tun0", Bits: 8})
	for _, c := range []struct {
		iface, local, remote string
		want                 bool
	}{
		{"eth0", "10.1.0.5", "10.1.0.9", true},
		{"eth0", "10.1.0.5", "10.3.0.9", false},
		{"tun0", "10.2.0.5", "10.3.0.9", true},
		{"tun0", "10.2.0.5", "10.1.0.9", false},
		{"tun0", "::ffff:10.2.0.5%tun0", "10.1.0.9", false},
	} {
		if u.Admits(Choice{Interface: c.iface}, ip(c.local), ip(c.remote)) != c.want {
			t.Errorf("%+v is not so", c)
		}
	}
}

// A laptop in its dock is on one network twice. Two networks may have the same
// numbers as well.
func TestTheSameNumbersOnTwoInterfaces(t *testing.T) {
	addrs := []Addr{{IP: ip("192.168.1.5"), Interface: "eth0", Bits: 24}, {IP: ip("192.168.1.7"), Interface: "wlan0", Bits: 24}}
	eth := Gateway{"eth0", ip("192.168.1.1"), "02:00:00:00:00:0a"}
	wifi := Gateway{"wlan0", ip("192.168.1.1"), "02:00:00:00:00:0a"}
	other, silent := wifi, wifi
	other.MAC, silent.MAC = "02:00:00:00:00:0b", ""
	silentEth := eth
	silentEth.MAC = ""
	for _, c := range []struct {
		says     string
		gateways []Gateway
		local    string
		want     bool
	}{
		{"one router, and the card is not known", []Gateway{eth, wifi}, "192.168.1.5", true},
		{"one router, and it came in by the other card", []Gateway{eth, wifi}, "::ffff:192.168.1.5%wlan0", true},
		{"two routers, and the card is not known", []Gateway{eth, other}, "192.168.1.5", false},
		{"two routers, and it came in by the other card", []Gateway{eth, other}, "::ffff:192.168.1.5%wlan0", false},
		{"two routers, and it came in by this card", []Gateway{eth, other}, "::ffff:192.168.1.5%eth0", true},
		{"a router that is not told", []Gateway{eth, silent}, "::ffff:192.168.1.5%wlan0", false},
		{"two that are not told are not one", []Gateway{silentEth, silent}, "::ffff:192.168.1.5%wlan0", false},
		{"none is told, and the card is not known", nil, "192.168.1.5", false},
		{"none is told, and it came in by this card", nil, "::ffff:192.168.1.5%eth0", true},
	} {
		u := New("a", addrs...).WithGateways(c.gateways...)
		for _, choice := range []Choice{{Interface: "eth0"}, {Interface: "eth0", Subnet: net4("192.168.1.0/24")}} {
			if got := u.Admits(choice, ip(c.local), ip("192.168.1.9")); got != c.want {
				t.Errorf("%s: %v", c.says, got)
			}
			if u.Admits(choice, ip("192.168.1.7"), ip("192.168.1.9")) {
				t.Errorf("%s: the other card's address is open", c.says)
			}
		}
	}
}

// Whoever lives behind a router can only live behind the one that there is.
func TestOneNetworkNeedsNoInterface(t *testing.T) {
	u := New("a",
		Addr{IP: ip("10.1.0.5"), Interface: "eth0", Bits: 24},
		Addr{IP: ip("172.17.0.1"), Interface: "docker0", Bits: 16},
		Addr{IP: ip("fe80::7"), Interface: "wlan0", Bits: 64})
	if !u.Admits(Choice{Interface: "eth0"}, ip("10.1.0.5"), ip("10.77.0.9")) {
		t.Error("a colleague behind the router was refused")
	}
}

// machine draws one at random, with addresses near each other.
func machine(r *rand.Rand) Us {
	var addrs []Addr
	var gateways []Gateway
	for _, name := range []string{"lo", "eth0", "wlan0", "tun0", "docker0"} {
		for range r.IntN(4) {
			addrs = append(addrs, Addr{IP: address(r), Interface: name, Bits: []int{0, 8, 16, 24, 32, 64, 128}[r.IntN(7)]})
		}
		if r.IntN(2) == 0 {
			gateways = append(gateways, Gateway{Interface: name, IP: address(r), MAC: []string{"", "02:00:00:00:00:01", "02:00:00:00:00:02"}[r.IntN(3)]})
		}
	}
	return New("a", addrs...).WithGateways(gateways...)
}

func address(r *rand.Rand) netip.Addr {
	low := byte(r.IntN(4))
	switch r.IntN(8) {
	case 0:
		return netip.AddrFrom4([4]byte{127, 0, 0, low})
	case 1:
		return netip.AddrFrom4([4]byte{10, low, 0, byte(r.IntN(4))})
	case 2:
		return netip.AddrFrom4([4]byte{203, 0, 113, low})
	case 3:
		return netip.AddrFrom16([16]byte{0: 0xfd, 1: byte(r.IntN(2)), 15: low})
	case 4:
		return netip.AddrFrom16([16]byte{0: 0xfe, 1: 0x80, 15: low}).WithZone([]string{"", "eth0", "wlan0"}[r.IntN(3)])
	case 5:
		return netip.AddrFrom16([16]byte{0: 0x20, 1: 1, 2: 0xd, 3: 0xb8, 15: low})
	case 6:
		return netip.AddrFrom16(netip.AddrFrom4([4]byte{10, low, 0, 1}).As16()).WithZone([]string{"", "eth0", "lo"}[r.IntN(3)])
	}
	return netip.AddrFrom4([4]byte{192, 168, low, byte(r.IntN(4))})
}

func choice(r *rand.Rand, u Us) Choice {
	list := u.Networks()
	switch n := r.IntN(4); {
	case n == 0:
		return Choice{}
	case n == 1:
		return Choice{Interface: []string{"eth0", "wlan0", "tun0", "eth5"}[r.IntN(4)]}
	case len(list) > 0:
		return list[r.IntN(len(list))].Choice()
	}
	return Choice{Interface: "eth0", Subnet: netip.PrefixFrom(address(r).WithZone(""), r.IntN(33)), Gateway: "02:00:00:00:00:01"}
}

// What must be so on every machine.
func TestAdmitsKeepsItsPromisesEverywhere(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	admitted, asked := 0, 0
	for range 20_000 {
		u := machine(r)
		c := choice(r, u)
		local, remote := address(r), address(r)
		within := u.Within(c)
		if list := u.Addrs(); len(list) > 0 && r.IntN(2) == 0 {
			local = list[r.IntN(len(list))].IP
		}
		plainLocal, plainRemote := local.Unmap().WithZone(""), remote.Unmap().WithZone("")
		ok := u.Admits(c, local, remote)
		fail := func(what string) {
			t.Fatalf("seed %d: %s: %v from %v under %+v on %+v", seed, what, local, remote, c, u)
		}
		self := plainRemote.IsLoopback() || u.owns(plainRemote, remote.Zone())
		if ok {
			admitted++
			switch {
			case KindOf(local) == Public:
				fail("a public address")
			case plainLocal.IsLoopback() && !self:
				fail("a stranger on loopback")
			case c != Choice{} && !plainLocal.IsLoopback() && !slices.ContainsFunc(within.addrs, func(a Addr) bool { return a.IP == plainLocal }):
				fail("an address outside of the choice")
			case c.Subnet.IsValid() && !self && plainRemote.Is4() && !c.Subnet.Contains(plainRemote):
				fail("a caller outside of the subnet")
			}
		}
		if ok && !self && !plainLocal.IsLoopback() && c != (Choice{}) && local.Zone() != "" && !u.joined(c.Interface, local.Zone()) {
			fail("by another interface")
		}
		// All networks admit whom some of them does.
		if ok && !u.Admits(Choice{}, local, remote) {
			fail("more than all networks")
		}
		// What is shown under a choice is open to the neighbours there.
		if fit := u.Fit(c); fit != FitYes && fit != FitUnsure {
			continue
		}
		for _, a := range within.Addrs() {
			p := a.Subnet()
			if a.Kind == Public || a.Kind == Loopback || !p.IsValid() || p.IsSingleIP() || a.IP.Is4() && p.Bits() > 30 {
				continue
			}
			neighbour := p.Addr().Next().Next().Next().Next().Next().Next() // nobody here has it
			local := netip.AddrFrom16(a.IP.As16()).WithZone(a.Interface)
			if KindOf(neighbour) == LinkLocal && neighbour.Is6() {
				neighbour = neighbour.WithZone(a.Interface)
			}
			here, elsewhere := u.distance(a.Interface, neighbour)
			if c.Subnet.IsValid() && a.IP.Is4() && p != c.Subnet {
				continue // its neighbours are not all chosen
			}
			if c != (Choice{}) && elsewhere > here || KindOf(neighbour) == Loopback {
				continue // a smaller network in this one
			}
			asked++
			if !u.Admits(c, local, neighbour) {
				t.Fatalf("seed %d: %v is shown and closed to %v under %+v on %+v", seed, local, neighbour, c, u)
			}
		}
	}
	if admitted < 1000 || asked < 1000 {
		t.Errorf("%d came in and %d neighbours were asked, too few to say anything", admitted, asked)
	}
}

func FuzzAdmits(f *testing.F) {
	for _, s := range []string{"10.1.0.5", "::ffff:10.1.0.5%eth0", "fe80::5%eth0", "127.0.0.1", "203.0.113.9", "::ffff:203.0.113.9%lo", "fd01::5"} {
		for _, c := range []string{"", "10.1.0.0/24", "fd01::/64", "0.0.0.0/0"} {
			f.Add(s, "10.1.0.9", "eth0", c, "")
		}
	}
	f.Add("fe80::5%eth0", "fe80::9%wlan0", "", "", "02:00:00:00:00:0b")
	u := docked()
	f.Fuzz(func(t *testing.T, local, remote, iface, subnet, gateway string) {
		l, _ := netip.ParseAddr(local)
		r, _ := netip.ParseAddr(remote)
		p, _ := netip.ParsePrefix(subnet)
		c := Choice{iface, p, gateway}
		if u.Admits(c, l, r) && (KindOf(l) == Public || !r.IsValid() || u.Fit(c) < FitUnsure && !l.Unmap().IsLoopback()) {
			t.Fatalf("%v from %v came in under %+v", l, r, c)
		}
	})
}

func BenchmarkAdmits(b *testing.B) {
	u := docked()
	c := Choice{Interface: "wlan0", Subnet: net4("192.168.1.0/24"), Gateway: "02:00:00:00:00:0a"}
	local, remote := ip("::ffff:192.168.1.7%wlan0"), ip("192.168.1.9")
	b.ReportAllocs()
	for b.Loop() {
		if !u.Admits(c, local, remote) {
			b.Fatal("refused")
		}
	}
}

func BenchmarkLook(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Look(); err != nil {
			b.Fatal(err)
		}
	}
}
