package lan

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"io"
	"iter"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	tableBytes = 1 << 20 // read of one table; a laptop's have a few kilobytes
	mostRoutes = 64      // default routes that are kept
)

// Flags of routes (linux/route.h) and of neighbours (linux/if_arp.h).
const (
	routeUp      = 0x0001
	routeGateway = 0x0002
	routeReject  = 0x0200
	arpComplete  = 0x02
)

func defaultGateways() []Gateway { return gateways("/proc") }

// gateways reads the tables under proc. One that cannot be read is empty, such
// as that of IPv6 where IPv6 is off.
func gateways(proc string) []Gateway {
	routes := append(routes4(table(proc, "net/route")), routes6(table(proc, "net/ipv6_route"))...)
	if len(routes) == 0 {
		return nil
	}
	macs := neighbours(table(proc, "net/arp"))
	var list []Gateway
	for _, r := range routes {
		g := Gateway{Interface: r.iface, IP: r.ip, MAC: macs[neighbour{r.iface, r.ip}]}
		if !slices.Contains(list, g) {
			list = append(list, g)
		}
	}
	return list
}

// table returns the whole lines of a file, as far as they are read.
func table(proc, name string) []byte {
	f, err := os.Open(filepath.Join(proc, name))
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	// What came before an error is as good as a table that is cut.
	b, _ := io.ReadAll(io.LimitReader(f, tableBytes))
	return b[:bytes.LastIndexByte(b, '\n')+1] // half a line may name another interface
}

// rows splits a table into its lines, and each of them into its fields.
func rows(b []byte) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		for line := range strings.Lines(string(b)) {
			if !yield(strings.Fields(line)) {
				return
			}
		}
	}
}

// route is a default route that has a gateway. One without, as into a tunnel,
// leads to nobody whom we could know again.
type route struct {
	iface  string
	ip     netip.Addr
	metric uint64
}

// routes4 reads /proc/net/route, the system's first choice first.
func routes4(b []byte) []route {
	var list []route
	for f := range rows(b) {
		// Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
		if len(f) < 8 || f[1] != "00000000" || f[7] != "00000000" || len(f[2]) != 8 || !usable(f[3]) {
			continue
		}
		n, err := strconv.ParseUint(f[2], 16, 32)
		metric, bad := strconv.ParseUint(f[6], 10, 32)
		if err != nil || bad != nil {
			continue
		}
		var ip [4]byte
		binary.NativeEndian.PutUint32(ip[:], uint32(n)) // the kernel prints the memory as a number
		list = append(list, route{f[0], netip.AddrFrom4(ip), metric})
	}
	return choose(list)
}

// routes6 reads /proc/net/ipv6_route, the system's first choice first.
func routes6(b []byte) []route {
	nowhere := strings.Repeat("0", 32)
	var list []route
	for f := range rows(b) {
		// destination length source length next-hop metric refcnt use flags iface
		if len(f) < 10 || f[0] != nowhere || f[1] != "00" || f[3] != "00" || !usable(f[8]) {
			continue
		}
		ip, err := hex.DecodeString(f[4])
		metric, bad := strconv.ParseUint(f[5], 16, 32)
		if err != nil || bad != nil || len(ip) != 16 {
			continue
		}
		list = append(list, route{f[9], netip.AddrFrom16([16]byte(ip)), metric})
	}
	return choose(list)
}

// usable reads the flags of a route.
func usable(flags string) bool {
	n, err := strconv.ParseUint(flags, 16, 32)
	return err == nil && n&routeUp != 0 && n&routeGateway != 0 && n&routeReject == 0
}

func choose(list []route) []route {
	list = slices.DeleteFunc(list, func(r route) bool { return r.ip.IsUnspecified() })
	slices.SortStableFunc(list, func(a, b route) int { return cmp.Compare(a.metric, b.metric) })
	return list[:min(len(list), mostRoutes)]
}

// neighbour is who has a hardware address: the same number may live behind
// several interfaces.
type neighbour struct {
	iface string
	ip    netip.Addr
}

// neighbours reads /proc/net/arp. Who has not answered is not in it.
func neighbours(b []byte) map[neighbour]string {
	known := map[neighbour]string{}
	for f := range rows(b) {
		// IP address, HW type, Flags, HW address, Mask, Device
		if len(f) != 6 {
			continue
		}
		ip, err := netip.ParseAddr(f[0])
		if err != nil || !ip.Is4() {
			continue
		}
		flags, err := strconv.ParseUint(f[2], 0, 32)
		if err != nil || flags&arpComplete == 0 {
			continue
		}
		mac, err := net.ParseMAC(f[3])
		if err != nil || !slices.ContainsFunc(mac, func(b byte) bool { return b != 0 }) {
			continue
		}
		known[neighbour{f[5], ip}] = mac.String()
	}
	return known
}
