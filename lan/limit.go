package lan

import (
	"net"
	"net/netip"
	"sync"
)

// Limit returns a listener that closes connections beyond total, beyond
// perAddress from one address, and beyond half of total from one IPv6 network
// (/64), as soon as they come. A machine has as many addresses of its /64 as it
// likes, and on a local network everybody shares it: counting a /64 as one
// machine would let a stranger's idle connections lock out all teammates. A
// listener that waits instead would let idle connections of one address lock
// out everybody. 0 is no limit. Both are asked for with each connection, by the
// goroutine that accepts; those that are open stay so when a limit shrinks.
func Limit(l net.Listener, limits func() (total, perAddress int)) net.Listener {
	return &limited{Listener: l, limits: limits, held: map[netip.Prefix]int{}}
}

type limited struct {
	net.Listener
	limits func() (total, perAddress int)

	mu   sync.Mutex // guards all and held
	all  int
	held map[netip.Prefix]int // no entry for those who hold none, so it stays small
}

// Accept implements net.Listener.
func (l *limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		address, network := whence(addrOf(c.RemoteAddr()))
		if l.take(address, network) {
			return &counted{Conn: c, free: sync.OnceFunc(func() { l.give(address, network) })}, nil
		}
		_ = c.Close()
	}
}

func (l *limited) take(address, network netip.Prefix) bool {
	most, each := l.limits()
	l.mu.Lock()
	defer l.mu.Unlock()
	if most > 0 && l.all >= most || each > 0 && l.held[address] >= each {
		return false
	}
	if most > 0 && network != address && l.held[network] >= max(most/2, each) {
		return false
	}
	l.all++
	l.held[address]++
	if network != address {
		l.held[network]++
	}
	return true
}

func (l *limited) give(address, network netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all--
	l.drop(address)
	if network != address {
		l.drop(network)
	}
}

func (l *limited) drop(p netip.Prefix) {
	if l.held[p]--; l.held[p] == 0 {
		delete(l.held, p)
	}
}

// whence is an address, and the network that may be one machine's own: the same
// for IPv4, where nobody has a network of addresses.
func whence(ip netip.Addr) (address, network netip.Prefix) {
	ip = ip.WithZone("")
	address, err := ip.Prefix(ip.BitLen())
	if err != nil { // no address: all such share one place
		return netip.Prefix{}, netip.Prefix{}
	}
	if ip.Is6() {
		network, _ = ip.Prefix(64) // an IPv6 address has that many bits
		return address, network
	}
	return address, address
}

// counted is a connection that gives its place back once.
type counted struct {
	net.Conn
	free func()
}

// Close implements net.Conn.
func (c *counted) Close() error {
	err := c.Conn.Close()
	c.free()
	return err
}

// CloseWrite ends the sending half. net/http does that before it closes a
// connection with an unread body, so that the refusal arrives and not a reset.
func (c *counted) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// NetConn returns the connection below, as crypto/tls does.
func (c *counted) NetConn() net.Conn { return c.Conn }
