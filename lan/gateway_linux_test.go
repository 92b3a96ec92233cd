package lan

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	someRoutes = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
wlan0	00000000	0101A8C0	0003	0	0	600	00000000	0	0	0
eth0	00000000	0100010A	0003	0	0	100	00000000	0	0	0
tun0	00000000	00000000	0001	0	0	50	00000000	0	0	0
eth0	0000010A	00000000	0001	0	0	100	00FFFFFF	0	0	0
eth0	00000000	0200010A	0003	0	0	0	00000080	0	0	0
eth3	00000000	0300010A	0002	0	0	0	00000000	0	0	0
eth4	00000000	0400010A	0203	0	0	0	00000000	0	0	0
eth5	00000000	zz00010A	0003	0	0	0	00000000	0	0	0
eth6	00000000	0A	0003	0	0	0	00000000	0	0	0
eth7	00000000	0500010A	0003	0	0	-1	00000000	0	0	0
eth8	00000000
`
	someRoutes6 = `fd010000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000002 00000000 00000003     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd020000000000000000000000000001 00000064 00000002 00000000 00450003    wlan0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
00000000000000000000000000000000 00 fd000000000000000000000000000000 40 fe800000000000000000000000000009 00000400 00000002 00000000 00000003     eth9
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe80 00000400 00000002 00000000 00000003     eth9
`
	someNeighbours = `IP address       HW type     Flags       HW address            Mask     Device
192.168.1.1      0x1         0x2         02:00:00:00:00:0A     *        wlan0
192.168.1.1      0x1         0x2         02:00:00:00:00:ff     *        eth0
10.1.0.1         0x1         0x0         02:00:00:00:00:0b     *        eth0
10.1.0.2         0x1         0x2         00:00:00:00:00:00     *        eth0
10.1.0.3         0x1         0x6         02:00:00:00:00:0c     *        eth0
10.1.0.4         0x1         0x2         02:00:00              *        eth0
10.1.0.5         0x1         zz          02:00:00:00:00:0d     *        eth0
fe80::1          0x1         0x2         02:00:00:00:00:0e     *        eth0
nonsense
`
)

// tables puts files under a /proc of our own.
func tables(t *testing.T, files map[string]string) string {
	t.Helper()
	proc := t.TempDir()
	if err := os.Mkdir(filepath.Join(proc, "net"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(proc, "net", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return proc
}

func TestGatewaysAreThoseOfTheDefaultRoutes(t *testing.T) {
	got := gateways(tables(t, map[string]string{"route": someRoutes, "ipv6_route": someRoutes6, "arp": someNeighbours}))
	want := []Gateway{
		{"eth0", ip("10.1.0.1"), ""}, // has not answered
		{"wlan0", ip("192.168.1.1"), "02:00:00:00:00:0a"},
		{"wlan0", ip("fd02::1"), ""},
		{"eth0", ip("fe80::1"), ""},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%v, want\n%v", got, want)
	}
	known := neighbours([]byte(someNeighbours))
	if len(known) != 3 || known[neighbour{"eth0", ip("10.1.0.3")}] != "02:00:00:00:00:0c" {
		t.Errorf("the neighbours: %v", known)
	}
}

func TestGatewaysWithoutTables(t *testing.T) {
	if got := gateways(t.TempDir()); got != nil {
		t.Errorf("an empty /proc has %v", got)
	}
	got := gateways(tables(t, map[string]string{"route": someRoutes}))
	if len(got) != 2 || got[1].MAC != "" {
		t.Errorf("without neighbours: %v", got)
	}
	if got := gateways(tables(t, map[string]string{"arp": someNeighbours})); got != nil {
		t.Errorf("without routes: %v", got)
	}
}

// A table that does not end must not fill the memory, and its last line, cut in
// the middle, must not name an interface that there is not.
func TestHugeTablesAreCutAtALine(t *testing.T) {
	line := "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
	proc := tables(t, map[string]string{"route": strings.Repeat(line, 2*tableBytes/len(line))})
	if b := table(proc, "net/route"); len(b) > tableBytes || len(b) == 0 || len(b)%len(line) != 0 {
		t.Errorf("%d bytes of lines of %d", len(b), len(line))
	}
	if got := gateways(proc); len(got) != 1 {
		t.Errorf("the same gateway is there %d times", len(got))
	}
	var many strings.Builder
	for i := range 2 * mostRoutes {
		many.WriteString("eth" + itoa(i) + line[len("wlan0"):])
	}
	if got := gateways(tables(t, map[string]string{"route": many.String()})); len(got) != mostRoutes {
		t.Errorf("%d gateways are kept", len(got))
	}
	if b := table(tables(t, map[string]string{"route": line + "wlan0\t0000"}), "net/route"); string(b) != line {
		t.Errorf("half a line was read: %q", b)
	}
	if b := table(tables(t, map[string]string{"route": "wlan0"}), "net/route"); len(b) != 0 {
		t.Errorf("half a line was read: %q", b)
	}
}

func TestEqualDoesNotMindWhatTheSystemForgets(t *testing.T) {
	with := func(g ...Gateway) Us { return docked().WithGateways(g...) }
	g := Gateway{"eth0", ip("10.1.0.1"), "02:00:00:00:00:0b"}
	silent, other, moved := g, g, g
	silent.MAC, other.MAC, moved.IP = "", "02:00:00:00:00:0c", ip("10.1.0.2")
	if !with(g).Equal(with(silent)) || !with(silent).Equal(with(g)) || !with(g).Equal(with(g)) {
		t.Error("a neighbour that was forgotten is a change")
	}
	for _, o := range []Us{with(other), with(moved), with(), with(g, g), with(Gateway{"wlan0", g.IP, g.MAC})} {
		if with(g).Equal(o) || o.Equal(with(g)) {
			t.Errorf("%v is no change to %v", o.Gateways(), g)
		}
	}
	u := with(g)
	u.Gateways()[0].MAC = "evil"
	if u.Gateways()[0] != g {
		t.Error("a caller changed it")
	}
}

func TestLookTellsSubnets(t *testing.T) {
	u, err := Look()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range u.Addrs() {
		if a.Bits == 0 || !a.Subnet().Contains(a.IP) {
			t.Errorf("%+v is in %v", a, a.Subnet())
		}
	}
	if a := New("a", Addr{IP: ip("::ffff:10.0.0.1"), Interface: "eth0", Bits: 120}).Addrs()[0]; a.Subnet() != netip.MustParsePrefix("10.0.0.0/24") {
		t.Errorf("IPv4 written as IPv6 is in %v", a.Subnet())
	}
	for _, bits := range []int{-1, 0, 33, 129} {
		if a := New("a", Addr{IP: ip("10.0.0.1"), Interface: "eth0", Bits: bits}).Addrs()[0]; a.Bits != 0 || a.Subnet().IsValid() {
			t.Errorf("%d bits: %+v in %v", bits, a, a.Subnet())
		}
	}
}

func FuzzGateways(f *testing.F) {
	f.Add(someRoutes, someRoutes6, someNeighbours)
	f.Add("", "", "")
	for line := range strings.Lines(someRoutes + someRoutes6 + someNeighbours) {
		f.Add(line, line, line)
	}
	f.Fuzz(func(t *testing.T, four, six, arp string) {
		check := func(routes []route, is4 bool) {
			last := uint64(0)
			for _, r := range routes {
				if r.ip.Is4() != is4 || r.ip.IsUnspecified() || r.ip.Zone() != "" || r.iface == "" || r.metric < last {
					t.Fatalf("a gateway %+v after a metric of %d", r, last)
				}
				last = r.metric
			}
			if len(routes) > mostRoutes {
				t.Fatalf("%d gateways", len(routes))
			}
		}
		check(routes4([]byte(four)), true)
		check(routes6([]byte(six)), false)
		for who, mac := range neighbours([]byte(arp)) {
			if !who.ip.Is4() || who.iface == "" || strings.Trim(mac, "0:") == "" || mac != lower(mac) || !strings.Contains(arp, who.iface) {
				t.Fatalf("%v is %q", who, mac)
			}
		}
	})
}
