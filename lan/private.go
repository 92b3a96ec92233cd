package lan

import (
	"net"
	"net/netip"
)

// Only returns a listener that serves the connections that admits lets in, and
// closes the others as soon as they come, so that they take no place of anybody.
// It is asked once for each connection, by the goroutine that accepts; those
// that are open stay so when its mind changes.
//
// Local is the address that the caller dialled, remote the caller's. Where the
// system tells by which interface the connection came in (Linux, on a socket
// for both IPv4 and IPv6), local has that as its zone, also an IPv4 address,
// which is written as IPv6 then (::ffff:10.0.0.1%eth0). Us.Admits reads that.
// An address that is no TCP address is not valid.
func Only(l net.Listener, admits func(local, remote netip.Addr) bool) net.Listener {
	return only{l, admits}
}

// PrivateOnly returns a listener that serves connections to this machine's
// loopback, private, link-local and shared addresses, and closes those that
// came in by a public one. What counts is the address that the caller dialled:
// a laptop in a network with public addresses must not serve the internet only
// because it listens on a wildcard.
func PrivateOnly(l net.Listener) net.Listener {
	return Only(l, func(local, _ netip.Addr) bool { return KindOf(local) != Public })
}

type only struct {
	net.Listener
	admits func(local, remote netip.Addr) bool
}

// Accept implements net.Listener.
func (o only) Accept() (net.Conn, error) {
	for {
		c, err := o.Listener.Accept()
		if err != nil {
			return nil, err
		}
		local := addrOf(c.LocalAddr())
		if via := arrival(c); via != "" && local.IsValid() {
			local = netip.AddrFrom16(local.As16()).WithZone(via)
		}
		if o.admits(local, addrOf(c.RemoteAddr())) {
			return c, nil
		}
		_ = c.Close()
	}
}

// addrOf returns the address of a socket, or one that is not valid, which
// counts as public.
func addrOf(a net.Addr) netip.Addr {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return t.AddrPort().Addr().Unmap()
}
