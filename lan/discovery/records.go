package discovery

import (
	"net/netip"
	"strings"

	"github.com/miekg/dns"
)

const (
	domain  = "local."
	service = "_paddock._tcp." + domain
	types   = "_services._dns-sd._udp." + domain // RFC 6763 section 9

	// RFC 6762 section 10: what names a host lives two minutes, the rest 75.
	hostTTL  = 120
	otherTTL = 75 * 60
	// Section 6.7: those who do not listen for goodbyes forget soon.
	legacyTTL = 10

	// The top bit of the class: in an answer "forget what you had" (section
	// 10.2), in a question "answer to me alone" (section 5.4).
	topBit = 1 << 15
)

// record is one thing that is said of us.
type record struct {
	rr     dns.RR
	unique bool // nobody else has one of this name and type
}

// key tells our records apart.
func (r record) key() string { return r.rr.String() }

// as is the record for the wire.
func (r record) as(ttl uint32, flush bool) dns.RR {
	c := dns.Copy(r.rr)
	c.Header().Ttl = ttl
	if flush && r.unique {
		c.Header().Class |= topBit
	}
	return c
}

// multicast is the record as everybody hears it.
func (r record) multicast() dns.RR { return r.as(r.rr.Header().Ttl, true) }

func header(name string, kind uint16, ttl uint32) dns.RR_Header {
	return dns.RR_Header{Name: name, Rrtype: kind, Class: dns.ClassINET, Ttl: ttl}
}

// say is everything that is true of a Service on one interface: there is no
// other input, so an address of another interface cannot come in. With no
// addresses the target's are left to whoever answers for it.
type say struct {
	instance string // the full name
	target   string
	port     int
	txt      []string
	addrs    []netip.Addr
}

// records are those that are announced, taken back, and answered with.
func (s say) records() []record {
	list := []record{
		{rr: &dns.PTR{Hdr: header(service, dns.TypePTR, otherTTL), Ptr: s.instance}},
		{unique: true, rr: &dns.SRV{Hdr: header(s.instance, dns.TypeSRV, hostTTL), Port: uint16(s.port), Target: s.target}},
		{unique: true, rr: &dns.TXT{Hdr: header(s.instance, dns.TypeTXT, otherTTL), Txt: s.text()}},
	}
	for _, a := range s.addrs {
		list = append(list, s.address(a))
	}
	return list
}

// text is the TXT record's; it is never empty (RFC 6763 section 6.1). miekg/dns
// reads backslashes in it as escapes.
func (s say) text() []string {
	if len(s.txt) == 0 {
		return []string{""}
	}
	list := make([]string, len(s.txt))
	for i, t := range s.txt {
		list[i] = strings.ReplaceAll(t, `\`, `\\`)
	}
	return list
}

func (s say) address(a netip.Addr) record {
	if a.Is4() {
		return record{unique: true, rr: &dns.A{Hdr: header(s.target, dns.TypeA, hostTTL), A: a.AsSlice()}}
	}
	return record{unique: true, rr: &dns.AAAA{Hdr: header(s.target, dns.TypeAAAA, hostTTL), AAAA: a.AsSlice()}}
}

// kinds says which kind of service this is: answered when asked for, but neither announced nor taken
// back, because other gates on the network say the very same.
func (s say) kinds() record {
	return record{rr: &dns.PTR{Hdr: header(types, dns.TypePTR, otherTTL), Ptr: service}}
}

// none says which types a name of ours has, and so that it has no other
// (section 6.1). Without it a Mac waits seconds for an IPv6 address that does
// not exist.
func (s say) none(name string) (record, bool) {
	var have []uint16
	asked := name
	for _, r := range s.records() {
		h := r.rr.Header()
		if r.unique && strings.EqualFold(h.Name, asked) && (len(have) == 0 || have[len(have)-1] != h.Rrtype) {
			have = append(have, h.Rrtype)
			name = h.Name // as we spell it: each spelling of the asker's would be one more record
		}
	}
	switch {
	case len(have) == 0:
		return record{}, false
	case strings.EqualFold(name, s.instance):
		have = []uint16{dns.TypeTXT, dns.TypeSRV}
	}
	return record{unique: true, rr: &dns.NSEC{Hdr: header(name, dns.TypeNSEC, hostTTL), NextDomain: name, TypeBitMap: have}}, true
}

// to returns what answers a question, and what the asker will ask next (RFC 6763
// section 12).
func (s say) to(q dns.Question) (answers, more []record) {
	if class := q.Qclass &^ topBit; class != dns.ClassINET && class != dns.ClassANY {
		return nil, nil
	}
	all := append(s.records(), s.kinds())
	for _, r := range all {
		h := r.rr.Header()
		if strings.EqualFold(h.Name, q.Name) && (q.Qtype == dns.TypeANY || q.Qtype == h.Rrtype) {
			answers = append(answers, r)
		}
	}
	if len(answers) == 0 {
		if none, ok := s.none(q.Name); ok {
			return []record{none}, nil
		}
		return nil, nil
	}
	return answers, s.following(answers)
}

// following are the records that go along with others, none of them twice.
func (s say) following(answers []record) []record {
	told := map[string]bool{}
	instance, host := false, false
	for _, r := range answers {
		told[r.key()] = true
		switch rr := r.rr.(type) {
		case *dns.PTR:
			instance = instance || rr.Ptr == s.instance
		case *dns.SRV, *dns.A, *dns.AAAA:
			host = true
		}
	}
	var more []record
	for _, r := range s.records() {
		if told[r.key()] {
			continue
		}
		switch r.rr.(type) {
		case *dns.SRV, *dns.TXT:
			if instance {
				more = append(more, r)
			}
		case *dns.A, *dns.AAAA:
			if instance || host {
				more = append(more, r)
			}
		}
	}
	if none, ok := s.none(s.target); ok && (instance || host) && s.oneFamily() {
		more = append(more, none)
	}
	return more
}

func (s say) oneFamily() bool {
	four, six := false, false
	for _, a := range s.addrs {
		four, six = four || a.Is4(), six || a.Is6()
	}
	return four != six
}

// missing returns what is in old and no more in now.
func missing(old, now []record) []record {
	have := map[string]bool{}
	for _, r := range now {
		have[r.key()] = true
	}
	var gone []record
	for _, r := range old {
		if !have[r.key()] {
			gone = append(gone, r)
		}
	}
	return gone
}
