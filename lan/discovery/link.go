package discovery

import (
	"net/netip"
	"slices"
	"time"

	"github.com/miekg/dns"
)

const (
	probes      = 3                      // RFC 6762 section 8.1
	betweenAsks = 250 * time.Millisecond // the same
	betweenSays = time.Second            // section 8.3, and section 6: no record more often
	announces   = 2

	// again is how often we look who answers for the name of the host while it
	// is not us: as often as anybody does who keeps that name in mind, and at odd
	// times, lest two Paddocks of one machine give way to each other for ever.
	againFrom, againTo = hostTTL * time.Second, (hostTTL + 20) * time.Second
	soonFrom, soonTo   = 4 * time.Second, 12 * time.Second
	// giveUp is how long nothing is announced when every name is taken.
	giveUp    = time.Minute
	maxTaken  = 9 // other gates with our name
	maxClumsy = 3 // others that ask for a name in the same second
)

// holder says who answers for HOST.local on a link.
type holder int

const (
	free   holder = iota // nobody else, so we do
	system               // another program of this machine, such as avahi
	taken                // another machine
)

// link is the protocol on one interface, without a socket or a clock: what comes
// in and what time it is decides what goes out. One goroutine uses it.
type link struct {
	name   string
	jitter func(lo, hi time.Duration) time.Duration
	ours   func(netip.Addr) bool // whether an address is one of this machine's

	service Service
	addrs   []netip.Addr // of this interface, sorted
	near    []netip.Prefix
	open    [2]bool // families with a socket

	holder   holder
	others   int // gates that had our instance's name
	nemeses  int // machines that had the name of our own making
	clumsy   int // restarts because somebody asked for the name at the same time
	hopeless bool

	verified bool      // nobody else has the names, so that we answer for them
	asked    int       // probes sent
	askAt    time.Time // of the next probe, or of the end of probing
	said     int       // announcements sent
	sayAt    time.Time // of the next announcement
	lastSay  time.Time
	lookAt   time.Time // of the next question who answers for the host
	looked   int
	heard    bool // an answer to it

	waiting [2]waiting // answers that are collected before they are sent
	sent    [2]map[string]time.Time
	alone   bucket // what is answered to one asker
}

// begin takes up a service; nothing was said about it before.
func (l *link) begin(now time.Time, s Service, addrs []netip.Addr) {
	l.service, l.addrs = s, sorted(addrs)
	l.holder, l.others, l.nemeses, l.clumsy = free, 0, 0, 0
	l.probe(now)
}

func sorted(addrs []netip.Addr) []netip.Addr {
	addrs = slices.Clone(addrs)
	slices.SortFunc(addrs, netip.Addr.Compare)
	return slices.Compact(addrs)
}

// probe asks whether the names are free, from the beginning.
func (l *link) probe(now time.Time) {
	l.verified, l.hopeless, l.asked, l.said = false, false, 0, 0
	l.sayAt, l.lookAt = time.Time{}, time.Time{}
	l.waiting = [2]waiting{}
	l.askAt = now.Add(l.jitter(0, betweenAsks))
	if l.others > maxTaken || l.nemeses > maxTaken {
		l.hopeless = true
		l.others, l.nemeses = 0, 0
		l.askAt = now.Add(giveUp)
	}
}

// say is what is true at present.
func (l *link) say() say {
	s := say{
		instance: numbered(l.service.Instance, l.others) + "." + service,
		port:     l.service.Port, txt: l.service.TXT, addrs: l.addrs,
	}
	s.target = hostOf(l.service.Hostname)
	switch {
	case s.target == "" || l.holder == taken:
		s.target = l.service.ownHost(l.nemeses)
	case l.holder == system:
		s.addrs = nil // that program tells them
	}
	return s
}

// own reports whether the target is a name of our making.
func (l *link) own() bool { return l.holder == taken || hostOf(l.service.Hostname) == "" }

// change goes on with another value: what is no more true is taken back, and the
// rest said anew.
func (l *link) change(now time.Time, s Service, addrs []netip.Addr) []outgoing {
	addrs = sorted(addrs)
	renamed := s.Instance != l.service.Instance || s.Hostname != l.service.Hostname
	old := l.say().records()
	if renamed {
		var out []outgoing
		if l.verified {
			out = l.goodbye(old)
		}
		l.begin(now, s, addrs)
		return out
	}
	l.service, l.addrs = s, addrs
	if !l.verified {
		return nil // what is said after the probes is new anyway
	}
	out := l.goodbye(missing(old, l.say().records()))
	if len(out) == 0 && len(missing(l.say().records(), old)) == 0 {
		return nil
	}
	l.announceFrom(later(now, l.lastSay.Add(betweenSays)))
	return out
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (l *link) announceFrom(at time.Time) { l.said, l.sayAt = 0, at }

// end takes everything back.
func (l *link) end() []outgoing {
	if !l.verified {
		return nil
	}
	return l.goodbye(l.say().records())
}

// goodbye is RFC 6762 section 10.1.
func (l *link) goodbye(records []record) []outgoing {
	if len(records) == 0 {
		return nil
	}
	m := response()
	for _, r := range records {
		m.Answer = append(m.Answer, r.as(0, true))
	}
	for f := range l.sent {
		for _, r := range records {
			delete(l.sent[f], r.key())
		}
	}
	return l.everywhere(m)
}

// everywhere sends the same on both families.
func (l *link) everywhere(m *dns.Msg) []outgoing {
	var out []outgoing
	for f, open := range l.open {
		if open {
			out = append(out, outgoing{family: family(f), msg: m})
		}
	}
	return out
}

// next is when tick has something to do; the zero time is never.
func (l *link) next() time.Time {
	var first time.Time
	for _, t := range []time.Time{l.askAt, l.sayAt, l.lookAt, l.waiting[v4].due, l.waiting[v6].due} {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// tick does what is due.
func (l *link) tick(now time.Time) []outgoing {
	due := func(t time.Time) bool { return !t.IsZero() && !t.After(now) }
	var out []outgoing
	if due(l.askAt) {
		out = append(out, l.ask(now)...)
	}
	if due(l.sayAt) {
		out = append(out, l.announce(now)...)
	}
	if due(l.lookAt) {
		out = append(out, l.look(now)...)
	}
	for f := range l.waiting {
		if due(l.waiting[f].due) {
			out = append(out, l.answer(now, family(f))...)
		}
	}
	return out
}

// ask sends the next probe, or after the last one makes the names ours.
func (l *link) ask(now time.Time) []outgoing {
	l.hopeless = false
	if l.asked == probes {
		l.askAt = time.Time{}
		l.verified = true
		l.announceFrom(now)
		if l.holder != free {
			l.lookAt = now.Add(l.jitter(againFrom, againTo))
		}
		return nil
	}
	l.asked++
	l.askAt = now.Add(betweenAsks)
	s := l.say()
	m := &dns.Msg{Compress: true}
	m.Question = []dns.Question{{Name: s.instance, Qtype: dns.TypeANY, Qclass: dns.ClassINET}}
	for _, r := range s.records() {
		if r.unique && r.rr.Header().Name == s.instance {
			m.Ns = append(m.Ns, r.as(r.rr.Header().Ttl, false))
		}
	}
	// The name of the host is only asked for. With records in the authority
	// section, a responder of the system that is about to claim the name could
	// take us for a rival, and give the machine another name.
	//
	// Nobody is asked for unicast answers: the system's responder listens on the
	// same port, and they would reach one of us only.
	if host := hostOf(l.service.Hostname); host != "" {
		m.Question = append(m.Question, hostQuestions(host)...)
	}
	if l.own() {
		m.Question = append(m.Question, hostQuestions(s.target)...)
	}
	return l.everywhere(m)
}

func hostQuestions(host string) []dns.Question {
	return []dns.Question{
		{Name: host, Qtype: dns.TypeA, Qclass: dns.ClassINET},
		{Name: host, Qtype: dns.TypeAAAA, Qclass: dns.ClassINET},
	}
}

// announce is RFC 6762 section 8.3.
func (l *link) announce(now time.Time) []outgoing {
	l.said++
	l.lastSay = now
	l.sayAt = time.Time{}
	if l.said < announces {
		l.sayAt = now.Add(betweenSays)
	}
	m := response()
	l.sent = [2]map[string]time.Time{}
	for _, r := range l.say().records() {
		m.Answer = append(m.Answer, r.multicast())
		for f := range l.sent {
			l.note(family(f), r, now)
		}
	}
	return l.everywhere(m)
}

// look asks who answers for the name of the host, since it was not us: three
// steps with a second between, and when nobody answered we do.
func (l *link) look(now time.Time) []outgoing {
	if l.looked == 0 {
		l.heard = false
	}
	l.looked++
	if l.looked <= 2 {
		l.lookAt = now.Add(betweenSays)
		m := &dns.Msg{Question: hostQuestions(hostOf(l.service.Hostname))}
		return l.everywhere(m)
	}
	l.looked = 0
	l.lookAt = now.Add(l.jitter(againFrom, againTo))
	if l.heard {
		return nil
	}
	var out []outgoing
	if l.holder == taken { // the name of our making goes
		out = l.goodbye(l.addresses())
	}
	l.holder = free
	l.probe(now)
	return out
}

// note remembers when a record was multicast: records of ours only, and each
// announcement begins anew.
func (l *link) note(f family, r record, now time.Time) {
	if l.sent[f] == nil {
		l.sent[f] = map[string]time.Time{}
	}
	l.sent[f][r.key()] = now
}
