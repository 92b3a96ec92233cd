package discovery

import (
	"hash/maphash"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"

	"paddock/lan"
)

// An address may be told where the service says that it is and the system says so
// too.
func TestAnInterfaceHasTheAddressesThatBothSay(t *testing.T) {
	c := cardOf("a0", 2, "10.0.0.1/24", "fe80::1/64", "127.0.0.2/8", "::1/128")
	for _, a := range []struct {
		addr  lan.Addr
		there bool
	}{
		{lan.Addr{IP: ip("10.0.0.1"), Interface: "a0"}, true},
		{lan.Addr{IP: ip("fe80::1"), Interface: "a0"}, true},
		{lan.Addr{IP: ip("::ffff:10.0.0.1"), Interface: "a0"}, true},
		{lan.Addr{IP: ip("10.0.0.1"), Interface: "b0"}, false},
		{lan.Addr{IP: ip("10.0.0.2"), Interface: "a0"}, false},
		{lan.Addr{IP: ip("127.0.0.2"), Interface: "a0"}, false},
		{lan.Addr{IP: ip("::1"), Interface: "a0"}, false},
		{lan.Addr{Interface: "a0"}, false},
	} {
		if got := len(addrsOn(c, []lan.Addr{a.addr})) == 1; got != a.there {
			t.Errorf("%v: %v, want %v", a.addr, got, a.there)
		}
	}
	var many []lan.Addr
	for i := range 100 {
		a := netip.AddrFrom4([4]byte{10, 0, 1, byte(i)})
		many = append(many, lan.Addr{IP: a, Interface: "a0"})
		c.nets = append(c.nets, netip.PrefixFrom(a, 24))
	}
	if got := len(addrsOn(c, many)); got != mostAddrs {
		t.Errorf("%d addresses would make a packet too large", got)
	}
}

// Even with all that may be told, a packet fits every network.
func TestTheLargestServiceFitsIntoOnePacket(t *testing.T) {
	s := anna()
	s.Instance = string(slices.Repeat([]byte("ü"), 31))
	s.Hostname = string(slices.Repeat([]byte("h"), longest))
	s.TXT = []string{string(slices.Repeat([]byte("x"), 255)), string(slices.Repeat([]byte("y"), 143))}
	if err := s.check(); err != nil {
		t.Fatal(err)
	}
	var addrs []string
	for i := range mostAddrs {
		addrs = append(addrs, netip.AddrFrom16([16]byte{0xfd, 15: byte(i)}).String())
	}
	l, now := settled(s, addrs...)
	packets := l.end()
	packets = append(packets, l.announce(now)...)
	packets = append(packets, l.receive(now, v4, ask(t, "10.0.0.7:40000", question(service, dns.TypePTR)))...)
	l.probe(now)
	packets = append(packets, l.ask(now)...)
	if len(packets) != 7 {
		t.Fatalf("%d packets", len(packets))
	}
	for _, o := range packets {
		if b, err := o.msg.Pack(); err != nil || len(b) > 1280-48 {
			t.Errorf("%d bytes, %v", len(b), err)
		}
	}
}

// Two Paddocks on one machine ask in the same words, so a packet that is like one
// of ours is ours for a moment only.
func TestAnEchoIsOneForAMoment(t *testing.T) {
	e := &engine{seed: maphash.MakeSeed()}
	e.own[0] = echo{maphash.Bytes(e.seed, []byte("x")), begin.Add(echoes)}
	if !e.echoed(begin, []byte("x")) || e.echoed(begin, []byte("y")) || e.echoed(begin.Add(echoes+time.Second), []byte("x")) {
		t.Error("an echo is taken for another, or another for an echo")
	}
}
