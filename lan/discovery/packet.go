package discovery

import (
	"encoding/binary"
	"net/netip"

	"github.com/miekg/dns"
)

const (
	port    = 5353
	largest = 9000 // bytes of a packet (RFC 6762 section 17)
	most    = 256  // records or questions of a packet that is read
)

var groups = [2]netip.AddrPort{
	v4: netip.AddrPortFrom(netip.AddrFrom4([4]byte{224, 0, 0, 251}), port),
	v6: netip.AddrPortFrom(netip.MustParseAddr("ff02::fb"), port),
}

// family is one of the two ways out of an interface.
type family int

const (
	v4 family = iota
	v6
)

func familyOf(a netip.Addr) family {
	if a.Is4() {
		return v4
	}
	return v6
}

// incoming is a packet that was read, before anybody looked into it.
type incoming struct {
	data []byte
	from netip.AddrPort
	ttl  int // 0 when the system does not tell
	// direct says that it was sent to one of our addresses and not to the group;
	// unsure, that the system does not tell.
	direct, unsure bool
}

// crossed reports whether a packet came through a router. Multicast DNS is sent
// with 255 (section 11), other programs' multicast with the system's 1; neither
// arrives with another number on the link where it was sent.
func (p incoming) crossed() bool { return p.ttl != 0 && p.ttl != 255 && p.ttl != 1 }

// outgoing is a packet to send; without an address in to it goes to the group.
type outgoing struct {
	family family
	to     netip.AddrPort
	msg    *dns.Msg
}

// parse reads a packet, or says that it is not one to look at. It gives way to
// no packet with more than is sensible, and lives through a fault of the
// library: a panic here would take the gate down with it.
func parse(b []byte) (m *dns.Msg, ok bool) {
	if len(b) < 12 || len(b) > largest {
		return nil, false
	}
	// Opcode and response code are zero, or the packet is none of ours
	// (section 18.3, 18.11).
	if b[2]&0x78 != 0 || b[3]&0x0f != 0 {
		return nil, false
	}
	count := 0
	for at := 4; at < 12; at += 2 {
		count += int(binary.BigEndian.Uint16(b[at:]))
	}
	if count == 0 || count > most {
		return nil, false
	}
	defer func() {
		if recover() != nil {
			m, ok = nil, false
		}
	}()
	m = new(dns.Msg)
	return m, m.Unpack(b) == nil
}

// response is an empty answer of ours (section 18).
func response() *dns.Msg {
	return &dns.Msg{MsgHdr: dns.MsgHdr{Response: true, Authoritative: true}, Compress: true}
}
