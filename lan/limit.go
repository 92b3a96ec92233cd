package lan

import (
	"net"
	"net/netip"
	"sync"
)

// PerAddress is how many connections one address may hold. Browsers open six,
// SDKs keep some tens.
const PerAddress = 64

// Limit returns a listener that closes connections beyond total, and beyond
// perAddress from one address (/64 for IPv6, which is what one machine has), as
// soon as they come. A listener that waits instead would let idle connections
// of one address lock out everybody. 0 is no limit.
func Limit(l net.Listener, total, perAddress int) net.Listener {
	return &limited{Listener: l, most: total, each: perAddress, held: map[netip.Prefix]int{}}
}

type limited struct {
	net.Listener
	most, each int

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
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.most > 0 && l.all >= l.most || l.each > 0 && l.held[from] >= l.each {
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
