package discovery

import (
	"net/netip"
	"slices"
	"time"

	"github.com/miekg/dns"
)

const (
	// RFC 6762 section 6: others may answer the same question too.
	sharedFrom, sharedTo = 20 * time.Millisecond, 120 * time.Millisecond
	// Section 7.2: more known answers follow a truncated question.
	truncatedFrom, truncatedTo = 400 * time.Millisecond, 500 * time.Millisecond

	// What one link answers by unicast in a second. A sender that forges its
	// address can aim these at a neighbour; this is what the neighbour gets.
	aloneEach, aloneBurst = 20, 40

	fewQuestions = 4 // of a plain resolver; they ask one

	// Of one packet: each question is compared with each known answer, and a
	// stranger's packet must not cost more than it does to send. Nobody asks us more.
	mostQuestions = 16
	mostKnown     = 64
)

// waiting are answers to multicast once they are due.
type waiting struct {
	due     time.Time
	answers []record
	more    []record
	asker   netip.Addr // who asked; not valid when there were several
	probe   bool       // somebody asks in order to take a name of ours
}

// question answers a packet of questions.
func (l *link) question(now time.Time, f family, p incoming, m *dns.Msg) []outgoing {
	from := p.from.Addr()
	if len(m.Question) == 0 {
		l.known(f, from, m)
		return nil
	}
	if !l.verified {
		return nil
	}
	s := l.say()
	legacy := p.from.Port() != port
	var alone, all, moreAlone, moreAll []record
	var asked []dns.Question
	shared := false
	for i, q := range m.Question {
		if i == mostQuestions {
			break
		}
		if legacy && len(asked) == fewQuestions {
			break // each is repeated in the answer
		}
		found, next := s.to(q)
		found = slices.DeleteFunc(found, func(r record) bool { return knows(m.Answer, r) })
		if len(found) == 0 {
			continue
		}
		asked = append(asked, q)
		unicast := legacy || q.Qclass&topBit != 0 && !slices.ContainsFunc(found, func(r record) bool { return l.stale(now, f, r) })
		if unicast && l.nearby(from) {
			alone, moreAlone = append(alone, found...), append(moreAlone, next...)
			continue
		}
		if legacy {
			continue // it does not listen to multicast
		}
		all, moreAll = append(all, found...), append(moreAll, next...)
		shared = shared || slices.ContainsFunc(found, func(r record) bool { return !r.unique })
	}
	var out []outgoing
	if len(alone) > 0 {
		out = l.unicast(now, f, p, m, asked, legacy, alone, moreAlone)
	}
	if len(all) > 0 {
		l.collect(now, f, from, m, shared, all, moreAll)
	}
	return out
}

// nearby reports whether an address is on this link, so that nobody far away
// can be reached by forging one (RFC 6762 section 11).
func (l *link) nearby(a netip.Addr) bool {
	return a.Is6() && a.IsLinkLocalUnicast() || slices.ContainsFunc(l.near, func(p netip.Prefix) bool { return p.Contains(a) })
}

// unicast answers to the asker alone.
func (l *link) unicast(now time.Time, f family, p incoming, q *dns.Msg, asked []dns.Question, legacy bool, answers, more []record) []outgoing {
	if !l.alone.take(now, aloneEach, aloneBurst) {
		return nil
	}
	m := response()
	wire := record.multicast
	if legacy { // section 6.7: it is a resolver that knows plain DNS only
		m.Id = q.Id
		for _, q := range asked {
			q.Qclass &^= topBit
			m.Question = append(m.Question, q)
		}
		wire = func(r record) dns.RR { return r.as(legacyTTL, false) }
	}
	fill(m, answers, more, wire)
	return []outgoing{{family: f, to: p.from, msg: m}}
}

// fill puts each record into a packet once.
func fill(m *dns.Msg, answers, more []record, wire func(record) dns.RR) {
	told := map[string]bool{}
	once := func(list []record, into *[]dns.RR) {
		for _, r := range list {
			if k := r.key(); !told[k] {
				told[k] = true
				*into = append(*into, wire(r))
			}
		}
	}
	once(answers, &m.Answer)
	once(more, &m.Extra)
}

// collect lets answers wait for others to the same group.
func (l *link) collect(now time.Time, f family, from netip.Addr, m *dns.Msg, shared bool, answers, more []record) {
	w := &l.waiting[f]
	due := now
	switch {
	case m.Truncated:
		due = now.Add(l.jitter(truncatedFrom, truncatedTo))
	case shared:
		due = now.Add(l.jitter(sharedFrom, sharedTo))
	}
	first := len(w.answers) == 0
	if first || due.Before(w.due) {
		w.due = due
	}
	if first {
		w.asker = from
	} else if w.asker != from {
		w.asker = netip.Addr{}
	}
	w.probe = w.probe || len(m.Ns) > 0
	w.answers, w.more = merge(w.answers, answers), merge(w.more, more)
}

// merge adds what is not there yet: however many packets come, a list holds each
// of our records once.
func merge(list, add []record) []record {
	for _, r := range add {
		if !slices.ContainsFunc(list, func(o record) bool { return o.key() == r.key() }) {
			list = append(list, r)
		}
	}
	return list
}

// known takes out of the waiting answers what their only asker says to know, in
// the packets that follow a truncated one (section 7.2).
func (l *link) known(f family, from netip.Addr, m *dns.Msg) {
	w := &l.waiting[f]
	if len(w.answers) == 0 || w.asker != from {
		return
	}
	w.answers = slices.DeleteFunc(w.answers, func(r record) bool { return knows(m.Answer, r) })
	if len(w.answers) == 0 {
		*w = waiting{}
	}
}

// knows reports whether a list of known answers has a record, with half of its
// life left at least (section 7.1).
func knows(known []dns.RR, r record) bool {
	return slices.ContainsFunc(known[:min(len(known), mostKnown)], func(rr dns.RR) bool {
		return same(rr, r.rr) && rr.Header().Ttl >= r.rr.Header().Ttl/2
	})
}

// same compares two records but for their life and the top bit of the class.
func same(a, b dns.RR) bool {
	if a.Header().Rrtype != b.Header().Rrtype {
		return false
	}
	a = dns.Copy(a)
	a.Header().Class &^= topBit
	return dns.IsDuplicate(a, b)
}

// answer multicasts what has waited.
func (l *link) answer(now time.Time, f family) []outgoing {
	w := l.waiting[f]
	l.waiting[f] = waiting{}
	// No record more often than once a second, but that somebody who probes
	// needs the answer before the next probe (section 6).
	rest := betweenSays
	if w.probe {
		rest = betweenAsks
	}
	fresh := func(r record) bool { return now.Sub(l.sent[f][r.key()]) < rest }
	w.answers = slices.DeleteFunc(w.answers, fresh)
	w.more = slices.DeleteFunc(w.more, fresh)
	if len(w.answers) == 0 {
		return nil
	}
	m := response()
	fill(m, w.answers, w.more, record.multicast)
	for _, r := range append(w.answers, w.more...) {
		l.note(f, r, now)
	}
	return []outgoing{{family: f, msg: m}}
}

// stale reports whether a record was not multicast for a quarter of its life;
// such one is told to all, whatever the asker wants (section 5.4).
func (l *link) stale(now time.Time, f family, r record) bool {
	return now.Sub(l.sent[f][r.key()]) > time.Duration(r.rr.Header().Ttl)*time.Second/4
}

// bucket limits how often something is done.
type bucket struct {
	left float64
	last time.Time
}

func (b *bucket) take(now time.Time, each, burst float64) bool {
	if b.last.IsZero() {
		b.left = burst
	} else {
		b.left = min(burst, b.left+each*max(0, now.Sub(b.last).Seconds()))
	}
	b.last = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}
