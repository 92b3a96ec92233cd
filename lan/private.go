package lan

import (
	"net"
	"net/netip"
)

// PrivateOnly returns a listener that serves connections to this machine's
// loopback, private, link-local and shared addresses, and closes those that
// came in by a public one. What counts is the address that the caller dialled:
// a laptop in a network with public addresses must not serve the internet only
// because it listens on a wildcard.
func PrivateOnly(l net.Listener) net.Listener { return privateOnly{l} }

type privateOnly struct{ net.Listener }

// Accept implements net.Listener.
func (p privateOnly) Accept() (net.Conn, error) {
	for {
		c, err := p.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if KindOf(addrOf(c.LocalAddr())) != Public {
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
