package discovery

import (
	"fmt"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// replies asks a settled link and says what comes back: to the group within
// half a second, or to the asker.
func replies(t *testing.T, l *link, now time.Time, p incoming) []outgoing {
	t.Helper()
	out := l.receive(now, v4, p)
	for !l.next().IsZero() && !l.next().After(now.Add(600*time.Millisecond)) {
		out = append(out, l.tick(later(now, l.next()))...)
	}
	return out
}

func TestQuestionsAndTheirAnswers(t *testing.T) {
	const (
		ptr = "PTR " + annas
		srv = "SRV! " + host
		txt = "TXT! v=1,fp=abcd,tls=1"
		a   = "A! 10.0.0.1"
	)
	for _, c := range []struct {
		name, answer, more string
		kind               uint16
	}{
		{service, ptr, srv + "; " + txt + "; " + a + "; NSEC! +A", dns.TypePTR},
		{"_PADDOCK._tcp.LOCAL.", ptr, srv + "; " + txt + "; " + a + "; NSEC! +A", dns.TypePTR},
		{service, ptr, srv + "; " + txt + "; " + a + "; NSEC! +A", dns.TypeANY},
		{types, "PTR " + service, "", dns.TypePTR},
		{annas, srv, a + "; NSEC! +A", dns.TypeSRV},
		{annas, txt, "", dns.TypeTXT},
		{annas, srv + "; " + txt, a + "; NSEC! +A", dns.TypeANY},
		{annas, "NSEC! +TXT+SRV", "", dns.TypeA},
		{host, a, "NSEC! +A", dns.TypeA},
		{"ANNA-mbp.Local.", a, "NSEC! +A", dns.TypeA},
		{host, a, "NSEC! +A", dns.TypeANY},
		{host, "NSEC! +A", "", dns.TypeAAAA},
		{"berta.local.", "", "", dns.TypeA},
		{"anna-mbp.", "", "", dns.TypeA},
		{service, "", "", dns.TypeSRV},
		{"_http._tcp.local.", "", "", dns.TypePTR},
		{"local.", "", "", dns.TypeANY},
		{".", "", "", dns.TypeANY},
	} {
		t.Run(fmt.Sprint(c.name, " ", dns.TypeToString[c.kind]), func(t *testing.T) {
			l, now := settled(anna(), "10.0.0.1")
			out := replies(t, l, now, ask(t, "10.0.0.7:5353", question(c.name, c.kind)))
			if c.answer == "" {
				if len(out) != 0 {
					t.Fatalf("answered %v", out[0].msg)
				}
				return
			}
			if len(out) != 1 || out[0].to.IsValid() {
				t.Fatalf("%d answers, want one to the group", len(out))
			}
			m := out[0].msg
			if got := words(m.Answer); got != c.answer {
				t.Errorf("answered %s\nwant %s", got, c.answer)
			}
			if got := words(m.Extra); got != c.more {
				t.Errorf("and %s\nwant %s", got, c.more)
			}
			if !m.Response || !m.Authoritative || m.Id != 0 || len(m.Question) != 0 {
				t.Errorf("the header is not RFC 6762's: %v", m.MsgHdr)
			}
		})
	}
}

func TestAQuestionOfAnotherClassHasNoAnswer(t *testing.T) {
	l, now := settled(anna(), "10.0.0.1")
	q := question(service, dns.TypePTR)
	q.Question[0].Qclass = dns.ClassCHAOS
	if out := replies(t, l, now, ask(t, "10.0.0.7:5353", q)); out != nil {
		t.Errorf("answered %v", out[0].msg)
	}
}

// RFC 6762 section 6.7.
func TestAPlainResolverGetsAnAnswerOfItsKind(t *testing.T) {
	l, now := settled(anna(), "10.0.0.1")
	q := question(host, dns.TypeA)
	q.Id = 4711
	out := replies(t, l, now, ask(t, "10.0.0.7:40000", q))
	if len(out) != 1 || out[0].to.String() != "10.0.0.7:40000" {
		t.Fatalf("answered %v", out)
	}
	m := out[0].msg
	if m.Id != 4711 || len(m.Question) != 1 || m.Question[0] != q.Question[0] {
		t.Errorf("number and question are not repeated: %v", m)
	}
	if got := words(m.Answer); got != "A 10.0.0.1" {
		t.Errorf("answered %s", got)
	}
	for _, rr := range append(m.Answer, m.Extra...) {
		if rr.Header().Ttl > 10 || rr.Header().Class != dns.ClassINET {
			t.Errorf("%v lives too long, or has the top bit", rr)
		}
	}
}

func TestNobodyOffTheLinkIsAnswered(t *testing.T) {
	for name, change := range map[string]func(*incoming){
		"another network":     func(p *incoming) { p.from = ask(t, "10.0.1.7:40000", question(host, dns.TypeA)).from },
		"the internet":        func(p *incoming) { p.from = ask(t, "8.8.8.8:53", question(host, dns.TypeA)).from },
		"another IPv6":        func(p *incoming) { p.from = ask(t, "[2001:db8::1]:40000", question(host, dns.TypeA)).from },
		"through a router":    func(p *incoming) { p.ttl = 63 },
		"to our address":      func(p *incoming) { p.direct = true },
		"nobody":              func(p *incoming) { p.from = incoming{}.from },
		"unsure and from far": func(p *incoming) { p.unsure, p.from = true, ask(t, "10.0.1.7:5353", question(host, dns.TypeA)).from },
	} {
		t.Run(name, func(t *testing.T) {
			l, now := settled(anna(), "10.0.0.1")
			p := ask(t, "10.0.0.7:40000", question(host, dns.TypeA))
			change(&p)
			if out := replies(t, l, now, p); out != nil {
				t.Errorf("answered %v to %v", out[0].msg, out[0].to)
			}
		})
	}
}

func TestWhoWantsTheAnswerAloneGetsItIfAllHaveHeardItLately(t *testing.T) {
	l, now := settled(anna(), "10.0.0.1")
	q := question(host, dns.TypeA)
	q.Question[0].Qclass |= topBit
	if out := replies(t, l, now, ask(t, "10.0.0.7:5353", q)); len(out) != 1 || out[0].to.String() != "10.0.0.7:5353" {
		t.Errorf("answered %v", out)
	} else if got := words(out[0].msg.Answer); got != "A! 10.0.0.1" {
		t.Errorf("answered %s", got)
	}
	// A quarter of the life of the record later, everybody is told.
	if out := replies(t, l, now.Add(31*time.Second), ask(t, "10.0.0.7:5353", q)); len(out) != 1 || out[0].to.IsValid() {
		t.Errorf("answered %v", out)
	}
}

func TestARecordIsMulticastOnceASecond(t *testing.T) {
	l, now := settled(anna(), "10.0.0.1")
	sent := map[string]time.Time{}
	packets := 0
	for i := range 3000 {
		at := now.Add(time.Duration(i) * time.Millisecond)
		for _, q := range []*dns.Msg{question(host, dns.TypeA), question(service, dns.TypePTR), question(types, dns.TypePTR)} {
			out := l.receive(at, v4, ask(t, fmt.Sprintf("10.0.0.%d:5353", i%250+1), q))
			out = append(out, l.tick(at)...)
			for _, o := range out {
				packets++
				for _, rr := range append(o.msg.Answer, o.msg.Extra...) {
					if last, ok := sent[rr.String()]; ok && at.Sub(last) < time.Second {
						t.Fatalf("%v went out twice within %v", rr, at.Sub(last))
					}
					sent[rr.String()] = at
				}
			}
		}
	}
	if packets < 6 || packets > 18 {
		t.Errorf("9,000 questions in three seconds made %d answers", packets)
	}
}

func TestUnicastAnswersAreLimited(t *testing.T) {
	l, now := settled(anna(), "10.0.0.1")
	packets := 0
	for i := range 10000 {
		at := now.Add(time.Duration(i) * time.Millisecond / 10)
		packets += len(l.receive(at, v4, ask(t, "10.0.0.7:40000", question(service, dns.TypePTR))))
	}
	if packets < aloneBurst || packets > aloneBurst+aloneEach+1 {
		t.Errorf("%d answers in a second", packets)
	}
}

func TestWhatTheAskerKnowsIsNotRepeated(t *testing.T) {
	known := func(name string, ttl uint32) *dns.Msg {
		q := question(service, dns.TypePTR)
		q.Answer = []dns.RR{&dns.PTR{Hdr: header(service, dns.TypePTR, ttl), Ptr: name}}
		return q
	}
	for name, c := range map[string]struct {
		q       *dns.Msg
		answers int
	}{
		"known":           {known(annas, otherTTL), 0},
		"known for half":  {known(annas, otherTTL/2), 0},
		"soon forgotten":  {known(annas, otherTTL/2-1), 1},
		"another gate":    {known(`Other.`+service, otherTTL), 1},
		"in other letter": {known(`PADDOCK\ on\ anna-mbp.`+service, otherTTL), 0},
	} {
		t.Run(name, func(t *testing.T) {
			l, now := settled(anna(), "10.0.0.1")
			if out := replies(t, l, now, ask(t, "10.0.0.7:5353", c.q)); len(out) != c.answers {
				t.Errorf("%d answers, want %d", len(out), c.answers)
			}
		})
	}
}

// RFC 6762 section 7.2: what the asker knows may take several packets.
func TestMoreKnownAnswersAreWaitedFor(t *testing.T) {
	for from, answers := range map[string]int{"10.0.0.7:5353": 0, "10.0.0.8:5353": 1} {
		l, now := settled(anna(), "10.0.0.1")
		q := question(service, dns.TypePTR)
		q.Truncated = true
		if out := l.receive(now, v4, ask(t, "10.0.0.7:5353", q)); out != nil {
			t.Fatalf("answered %v", out)
		}
		more := &dns.Msg{Answer: []dns.RR{&dns.PTR{Hdr: header(service, dns.TypePTR, otherTTL), Ptr: annas}}}
		if out := replies(t, l, now.Add(200*time.Millisecond), ask(t, from, more)); len(out) != answers {
			t.Errorf("%d answers after %s said to know, want %d", len(out), from, answers)
		}
	}
}

func TestAnAnswerToAProbeDoesNotWait(t *testing.T) {
	l, now := settled(anna(), "10.0.0.1")
	q := question(annas, dns.TypeANY)
	q.Ns = []dns.RR{&dns.SRV{Hdr: header(annas, dns.TypeSRV, hostTTL), Port: 1, Target: "x.local."}}
	for _, after := range []time.Duration{0, 250 * time.Millisecond, 500 * time.Millisecond} {
		at := now.Add(after)
		out := append(l.receive(at, v4, ask(t, "10.0.0.7:5353", q)), l.tick(at)...)
		if len(out) != 1 || out[0].to.IsValid() {
			t.Errorf("after %v: %v", after, out)
		}
	}
}

// A neighbour that asked for a name of ours in ever other spellings got an answer
// to each at once, and each was remembered for ever: the answer quoted the asker,
// so each spelling was one more record.
func TestSpellingsOfANameAreOneName(t *testing.T) {
	l, now := settled(anna(), "10.0.0.1")
	before, sent := len(l.sent[v4]), 0
	for i := range 500 {
		name := []byte(host)
		for bit := range 8 {
			if i>>bit&1 == 1 && name[bit] >= 'a' {
				name[bit] -= 'a' - 'A'
			}
		}
		for _, kind := range []uint16{dns.TypeMX, dns.TypeAAAA} {
			sent += len(l.receive(now, v4, ask(t, "10.0.0.7:5353", question(string(name), kind))))
			sent += len(l.tick(now))
		}
	}
	sent += len(replies(t, l, now, ask(t, "10.0.0.7:5353", question(host, dns.TypeMX))))
	if sent > 3 {
		t.Errorf("%d packets answer them", sent)
	}
	if n := len(l.sent[v4]); n > before+4 {
		t.Errorf("%d records are remembered, %d before", n, before)
	}
}
