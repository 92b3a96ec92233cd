package discovery

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// network is what the system gives: interfaces and sockets.
type network interface {
	look() ([]card, error)
	open(card, family) (wire, error)
}

// card is an interface at one moment.
type card struct {
	name      string
	index     int // another one under the same name has another
	multicast bool
	nets      []netip.Prefix // its addresses, with what is on the link
}

// wire is a socket for one family on one interface. read and send may run at the
// same time.
type wire interface {
	read(b []byte) (incoming, error) // data is a part of b
	send(b []byte, to netip.AddrPort) error
	Close() error // ends read
}

// errSkip says that a packet was for somebody else; read on.
var errSkip = errors.New("the packet came in elsewhere")

// machine is the network of this machine.
type machine struct{}

// look lists what is up and is no loopback.
func (machine) look() ([]card, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("looking at the network interfaces: %w", err)
	}
	var cards []card
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil { // gone since
			continue
		}
		c := card{name: i.Name, index: i.Index, multicast: i.Flags&net.FlagMulticast != 0}
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				c.nets = append(c.nets, netip.PrefixFrom(p.Addr().Unmap().WithZone(""), p.Bits()))
			}
		}
		cards = append(cards, c)
	}
	return cards, nil
}

// open joins the group on an interface.
func (machine) open(c card, f family) (wire, error) {
	conn, err := socket(c, f)
	if err != nil {
		return nil, fmt.Errorf("opening UDP port %d: %w", port, err)
	}
	i := &net.Interface{Index: c.index, Name: c.name}
	group := &net.UDPAddr{IP: groups[f].Addr().AsSlice()}
	var w wire
	if f == v4 {
		p := ipv4.NewPacketConn(conn)
		err = errors.Join(p.JoinGroup(i, group), p.SetMulticastInterface(i), p.SetMulticastTTL(255), p.SetTTL(255), p.SetMulticastLoopback(true))
		// Windows tells none of these; see incoming.
		_ = p.SetControlMessage(ipv4.FlagTTL|ipv4.FlagInterface|ipv4.FlagDst, true)
		w = &wire4{p, c.index}
	} else {
		p := ipv6.NewPacketConn(conn)
		err = errors.Join(p.JoinGroup(i, group), p.SetMulticastInterface(i), p.SetMulticastHopLimit(255), p.SetHopLimit(255), p.SetMulticastLoopback(true))
		_ = p.SetControlMessage(ipv6.FlagHopLimit|ipv6.FlagInterface|ipv6.FlagDst, true)
		w = &wire6{p, c.index, c.name}
	}
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("%w on %s: %w", errJoin, c.name, err)
	}
	return w, nil
}

var errJoin = errors.New("joining the group")

type wire4 struct {
	*ipv4.PacketConn
	index int
}

func (w *wire4) read(b []byte) (incoming, error) {
	n, cm, from, err := w.ReadFrom(b)
	if err != nil {
		return incoming{}, err
	}
	p := incoming{data: b[:n], from: portOf(from), unsure: true}
	if cm == nil {
		return p, nil
	}
	return told(p, w.index, cm.IfIndex, cm.TTL, cm.Dst)
}

func (w *wire4) send(b []byte, to netip.AddrPort) error {
	_ = w.SetWriteDeadline(time.Now().Add(patience / 4))
	_, err := w.WriteTo(b, &ipv4.ControlMessage{IfIndex: w.index}, net.UDPAddrFromAddrPort(to))
	return err
}

type wire6 struct {
	*ipv6.PacketConn
	index int
	zone  string
}

func (w *wire6) read(b []byte) (incoming, error) {
	n, cm, from, err := w.ReadFrom(b)
	if err != nil {
		return incoming{}, err
	}
	p := incoming{data: b[:n], from: portOf(from), unsure: true}
	if cm == nil {
		return p, nil
	}
	return told(p, w.index, cm.IfIndex, cm.HopLimit, cm.Dst)
}

func (w *wire6) send(b []byte, to netip.AddrPort) error {
	if a := to.Addr(); a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast() {
		to = netip.AddrPortFrom(a.WithZone(w.zone), to.Port())
	}
	_ = w.SetWriteDeadline(time.Now().Add(patience / 4))
	_, err := w.WriteTo(b, &ipv6.ControlMessage{IfIndex: w.index}, net.UDPAddrFromAddrPort(to))
	return err
}

// told adds what the system says beside a packet. A socket on a shared port may
// get what other programs joined for, so the interface is compared.
func told(p incoming, index, at, ttl int, dst net.IP) (incoming, error) {
	if at != 0 && at != index {
		return p, errSkip
	}
	p.ttl = ttl
	if dst != nil {
		p.unsure, p.direct = false, !dst.IsMulticast()
	}
	return p, nil
}

func portOf(a net.Addr) netip.AddrPort {
	u, ok := a.(*net.UDPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	p := u.AddrPort()
	return netip.AddrPortFrom(p.Addr().Unmap().WithZone(""), p.Port())
}

// problem is the word for an error of open.
func problem(err error, f family) string {
	switch {
	case f == v6:
		return ProblemIPv6
	case errors.Is(err, errJoin):
		return ProblemMulticast
	case isDenied(err):
		return ProblemDenied
	case errors.Is(err, errInUse):
		return ProblemInUse
	}
	return ProblemMulticast
}
