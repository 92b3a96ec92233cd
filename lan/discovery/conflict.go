package discovery

import (
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// receive is told of every packet that is not our own.
func (l *link) receive(now time.Time, f family, p incoming) []outgoing {
	if p.crossed() || p.direct || p.unsure && !l.nearby(p.from.Addr()) {
		return nil
	}
	m, ok := parse(p.data)
	switch {
	case !ok || l.hopeless:
		return nil
	case !m.Response:
		if l.rival(now, p.from.Addr(), m) {
			return nil
		}
		return l.question(now, f, p, m)
	case p.from.Port() != port: // section 6: such are ignored
		return nil
	}
	return l.response(now, p.from.Addr(), m)
}

// rival looks at a question that says what the asker would like to be (section
// 8.2), and reports whether it shall go without an answer.
func (l *link) rival(now time.Time, from netip.Addr, m *dns.Msg) bool {
	if len(m.Ns) == 0 {
		return false
	}
	s := l.say()
	for _, rr := range m.Ns {
		name := rr.Header().Name
		switch {
		// The responder of the system starts. An answer could make it give the
		// machine another name, so it gets the name without a word.
		case address(rr).IsValid() && l.holder == free && l.ours(from) && strings.EqualFold(name, hostOf(l.service.Hostname)):
			l.yield(now)
			return true
		// Another gate asks for the name that we are asking for: both wait for
		// different times, and who is first has it.
		case !l.verified && strings.EqualFold(name, s.instance) && l.differs(s, rr) && l.clumsy < maxClumsy:
			l.clumsy++
			l.probe(now.Add(l.jitter(betweenSays, 2*betweenSays)))
			return true
		}
	}
	return false
}

// yield leaves the name of the host to another program of this machine. Nothing
// is taken back: what we said of the name stays true.
func (l *link) yield(now time.Time) {
	l.holder, l.looked = system, 0
	l.lookAt = now.Add(l.jitter(soonFrom, soonTo))
}

// response looks for names of ours in what others say.
func (l *link) response(now time.Time, from netip.Addr, m *dns.Msg) []outgoing {
	s, host := l.say(), hostOf(l.service.Hostname)
	for _, section := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		for _, rr := range section {
			name, a := rr.Header().Name, address(rr)
			switch {
			case strings.EqualFold(name, s.instance):
				if rr.Header().Ttl > 0 && l.differs(s, rr) {
					return l.outnumbered(now)
				}
			case !a.IsValid():
			case host != "" && strings.EqualFold(name, host):
				if out, over := l.host(now, from, a, rr.Header().Ttl); over {
					return out
				}
			case l.own() && strings.EqualFold(name, s.target):
				if rr.Header().Ttl > 0 && !l.ours(a) {
					return l.disowned(now)
				}
			}
		}
	}
	return nil
}

// address is what an A or AAAA record holds; not valid for any other.
func address(rr dns.RR) netip.Addr {
	var a netip.Addr
	switch rr := rr.(type) {
	case *dns.A:
		a, _ = netip.AddrFromSlice(rr.A)
	case *dns.AAAA:
		a, _ = netip.AddrFromSlice(rr.AAAA)
	}
	return a.Unmap()
}

// differs reports whether a record with our instance's name is another gate's.
func (l *link) differs(s say, rr dns.RR) bool {
	for _, r := range s.records() {
		if r.unique && r.rr.Header().Rrtype == rr.Header().Rrtype && r.rr.Header().Name == s.instance {
			return !same(rr, r.rr)
		}
	}
	return false
}

// outnumbered gives way to another gate with our name. Nothing is said of the
// old one: a goodbye would be the other's too.
func (l *link) outnumbered(now time.Time) []outgoing {
	l.others++
	l.probe(now)
	return nil
}

// disowned gives up a name of our making.
func (l *link) disowned(now time.Time) []outgoing {
	var out []outgoing
	if l.verified {
		out = l.goodbye(l.addresses())
	}
	l.nemeses++
	l.probe(now)
	return out
}

// host weighs what somebody says of HOST.local, and reports whether that changed
// our names.
func (l *link) host(now time.Time, from, says netip.Addr, ttl uint32) ([]outgoing, bool) {
	switch local := l.ours(from); {
	case local && ttl == 0:
		if l.holder == system { // it ends; soon we may have to answer
			l.looked, l.lookAt = 0, now.Add(betweenSays)
		}
	case ttl == 0:
	case local:
		l.heard = l.heard || l.holder == system
		if l.holder == free {
			l.yield(now)
		}
	case l.ours(says): // a device that repeats what it hears
	case l.holder == taken:
		l.heard = true
	default:
		var out []outgoing
		if l.verified && l.holder == free {
			out = l.goodbye(l.addresses()) // ours among theirs would mislead
		}
		l.holder, l.looked = taken, 0
		l.probe(now)
		return out, true
	}
	return nil, false
}

// addresses are the records of the target.
func (l *link) addresses() []record {
	var list []record
	for _, r := range l.say().records() {
		if address(r.rr).IsValid() {
			list = append(list, r)
		}
	}
	return list
}
