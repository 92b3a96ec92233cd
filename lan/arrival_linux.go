package lan

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// arrival returns the name of the interface by which an accepted connection
// came in, "lo" when this machine called itself, or "" when the system does not
// tell. Linux takes packets for any of its addresses on any interface, so the
// dialled address does not say it.
//
// A socket that came out of a listening one remembers the interface as the one
// for multicast (tcp_v6_syn_recv_sock in net/ipv6/tcp_ipv6.c sets mcast_oif).
// One of IPv4 alone does too, but IP_MULTICAST_IF tells another field.
func arrival(c net.Conn) string {
	s, ok := c.(syscall.Conn)
	if !ok {
		return ""
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return ""
	}
	name := ""
	_ = raw.Control(func(fd uintptr) { // closed already: not told
		index, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF)
		if err != nil || index <= 0 {
			return
		}
		r, err := unix.NewIfreq("")
		if err != nil {
			return
		}
		r.SetUint32(uint32(index))
		if unix.IoctlIfreq(int(fd), unix.SIOCGIFNAME, r) == nil { // netdevice(7)
			name = r.Name()
		}
	})
	return name
}
