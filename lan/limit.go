package lan

import (
	"net"
	"net/netip"
	"sync"
)

// Limit returns a listener that closes connections beyond total, and beyond
// perAddress from one address (/64 for IPv6, which is what one machine has), as
// soon as they come. A listener that waits instead would let idle connections
// of one address lock out everybody. 0 is no limit. Both are asked for with each
// connection, by the goroutine that accepts; those that are open stay so when a
// limit shrinks.
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
		from := who(addrOf(c.RemoteAddr()))
		if l.take(from) {
			return &counted{Conn: c, free: sync.OnceFunc(func() { l.give(from) })}, nil
		}
		_ = c.Close()
	}
}

func (l *limited) take(from netip.Prefix) bool {
	most, each := l.limits()
	l.mu.Lock()
	defer l.mu.Unlock()
	if most > 0 && l.all >= most || each > 0 && l.held[from] >= each {
		return false
	}
	l.all++
	l.held[from]++
	return true
}

func (l *limited) give(from netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all--
	if l.held[from]--; l.held[from] == 0 {
		delete(l.held, from)
	}
}

// who is the machine behind an address.
func who(ip netip.Addr) netip.Prefix {
	bits := ip.BitLen()
	if ip.Is6() {
		bits = 64
	}
	p, err := ip.WithZone("").Prefix(bits)
	if err != nil { // no address: all such share one place
		return netip.Prefix{}
	}
	return p
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
