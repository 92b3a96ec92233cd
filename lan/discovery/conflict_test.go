package discovery

import (
	"testing"
	"time"

	"github.com/miekg/dns"
)

func says(rrs ...dns.RR) *dns.Msg {
	m := response()
	m.Answer = rrs
	return m
}

func a(name, addr string, ttl uint32) dns.RR {
	return &dns.A{Hdr: header(name, dns.TypeA, ttl), A: ip(addr).AsSlice()}
}

func srv(name, target string) dns.RR {
	return &dns.SRV{Hdr: header(name, dns.TypeSRV, hostTTL), Port: 11435, Target: target}
}

// last is what a link has announced last in a time.
func last(t *testing.T, l *link, from, to time.Time) string {
	t.Helper()
	said := ""
	for _, m := range until(l, from, to) {
		if m.Response {
			said = words(m.Answer)
		}
	}
	return said
}

func TestAnotherMachineWithOurHostKeepsTheName(t *testing.T) {
	own := anna()
	name := own.ownHost(0)
	want := "PTR " + annas + "; SRV! " + name + "; TXT! v=1,fp=abcd,tls=1; A! 10.0.0.1"
	foreign := says(a(host, "10.0.0.66", 120))
	t.Run("before", func(t *testing.T) {
		l := testLink(anna(), "10.0.0.1")
		until(l, begin, begin)
		l.receive(begin, v4, ask(t, "10.0.0.66:5353", foreign))
		if got := last(t, l, begin, begin.Add(4*time.Second)); got != want {
			t.Errorf("announced %s\nwant %s", got, want)
		}
		if l.holder != taken {
			t.Error("the conflict is not known")
		}
	})
	t.Run("after", func(t *testing.T) {
		l, now := settled(anna(), "10.0.0.1")
		out := l.receive(now, v4, ask(t, "10.0.0.66:5353", foreign))
		if len(out) != 2 || words(out[0].msg.Answer) != "A! 10.0.0.1" || out[0].msg.Answer[0].Header().Ttl != 0 {
			t.Errorf("our address under that name is not taken back: %v", out)
		}
		if got := last(t, l, now, now.Add(4*time.Second)); got != want {
			t.Errorf("announced %s\nwant %s", got, want)
		}
		if out := replies(t, l, now.Add(10*time.Second), ask(t, "10.0.0.7:5353", question(host, dns.TypeA))); out != nil {
			t.Errorf("still answers for it: %v", out[0].msg)
		}
		// When nobody answers to it any more, it is ours.
		want := "PTR " + annas + "; SRV! " + host + "; TXT! v=1,fp=abcd,tls=1; A! 10.0.0.1"
		if got := last(t, l, now.Add(10*time.Second), now.Add(200*time.Second)); got != want {
			t.Errorf("announced %s\nwant %s", got, want)
		}
	})
	t.Run("as long as it answers", func(t *testing.T) {
		l, now := settled(anna(), "10.0.0.1")
		l.receive(now, v4, ask(t, "10.0.0.66:5353", foreign))
		for range 2000 {
			now = l.next()
			if now.Sub(begin) > 10*time.Second && !l.verified {
				t.Fatal("our own name was given up")
			}
			for _, o := range l.tick(now) {
				if !o.msg.Response && o.family == v4 {
					l.receive(now, v4, ask(t, "10.0.0.66:5353", foreign))
				}
			}
		}
		if l.holder != taken || now.Sub(begin) < time.Hour {
			t.Errorf("after %v the name is %v", now.Sub(begin), l.holder)
		}
	})
}

func TestWhatIsNoConflict(t *testing.T) {
	for name, m := range map[string]*dns.Msg{
		"a device that repeats us":      says(a(host, "10.0.0.1", 120), srv(annas, host)),
		"another address of ours":       says(a(host, "10.9.9.9", 120)),
		"a goodbye":                     says(a(host, "10.0.0.66", 0)),
		"another name":                  says(a("berta.local.", "10.0.0.66", 120), srv("Other."+service, "berta.local.")),
		"another gate of the same kind": says(&dns.PTR{Hdr: header(service, dns.TypePTR, 120), Ptr: annas}),
		"a record without an address":   says(&dns.A{Hdr: header(host, dns.TypeA, 120)}),
	} {
		l, now := settled(anna(), "10.0.0.1")
		l.receive(now, v4, ask(t, "10.0.0.66:5353", m))
		if l.holder != free || l.others != 0 || !l.verified {
			t.Errorf("%s: %v, %d others", name, l.holder, l.others)
		}
	}
	// RFC 6762 section 6: answers come from the port.
	l, now := settled(anna(), "10.0.0.1")
	l.receive(now, v4, ask(t, "10.0.0.66:5354", says(a(host, "10.0.0.66", 120))))
	if l.holder != free {
		t.Error("an answer from another port is believed")
	}
}

// The responder of the system has its own idea of which addresses it tells. If
// we told others, it could see a rival and rename the machine.
func TestTheSystemsOwnResponderIsLeftTheHost(t *testing.T) {
	want := "PTR " + annas + "; SRV! " + host + "; TXT! v=1,fp=abcd,tls=1"
	t.Run("when it was first", func(t *testing.T) {
		l := testLink(anna(), "10.0.0.1")
		until(l, begin, begin)
		l.receive(begin, v4, ask(t, "10.0.0.1:5353", says(a(host, "10.0.0.1", 120))))
		if got := last(t, l, begin, begin.Add(3*time.Second)); got != want {
			t.Errorf("announced %s\nwant %s", got, want)
		}
		if out := replies(t, l, begin.Add(3*time.Second), ask(t, "10.0.0.7:5353", question(host, dns.TypeA))); out != nil {
			t.Errorf("answers for it: %v", out[0].msg)
		}
	})
	t.Run("when it comes", func(t *testing.T) {
		l, now := settled(anna(), "10.0.0.1")
		q := question(host, dns.TypeANY)
		q.Ns = []dns.RR{a(host, "10.0.0.1", 120)}
		if out := replies(t, l, now, ask(t, "10.0.0.1:5353", q)); out != nil {
			t.Errorf("its probe gets an answer: %v", out[0].msg)
		}
		if l.holder != system || !l.verified {
			t.Error("the name is not left to it")
		}
		for _, o := range l.end() {
			if got := words(o.msg.Answer); got != want {
				t.Errorf("took back %s\nwant %s", got, want)
			}
		}
	})
	t.Run("until it goes", func(t *testing.T) {
		l, now := settled(anna(), "10.0.0.1")
		l.receive(now, v4, ask(t, "10.0.0.1:5353", says(a(host, "10.0.0.1", 120))))
		l.receive(now, v4, ask(t, "10.0.0.1:5353", says(a(host, "10.0.0.1", 0))))
		if got := last(t, l, now, now.Add(7*time.Second)); got != want+"; A! 10.0.0.1" {
			t.Errorf("announced %s", got)
		}
	})
	t.Run("and another machine's probe is answered", func(t *testing.T) {
		l, now := settled(anna(), "10.0.0.1")
		q := question(host, dns.TypeANY)
		q.Ns = []dns.RR{a(host, "10.0.0.66", 120)}
		if out := replies(t, l, now, ask(t, "10.0.0.66:5353", q)); len(out) != 1 || words(out[0].msg.Answer) != "A! 10.0.0.1" {
			t.Errorf("answered %v", out)
		}
	})
}

func TestAnotherGateWithOurNameKeepsIt(t *testing.T) {
	l, now := settled(anna(), "10.0.0.1")
	if out := l.receive(now, v4, ask(t, "10.0.0.66:5353", says(srv(annas, "berta.local.")))); out != nil {
		t.Errorf("took back what is the other's too: %v", out[0].msg)
	}
	want := `PTR Paddock\ on\ anna-mbp\ \(2\)._paddock._tcp.local.; SRV! ` + host + "; TXT! v=1,fp=abcd,tls=1; A! 10.0.0.1"
	if got := last(t, l, now, now.Add(4*time.Second)); got != want {
		t.Errorf("announced %s\nwant %s", got, want)
	}
}

// Two gates with one name that start in the same second ask for it at once. Both
// step back; a forger that does so for ever is let be after a while.
func TestARivalThatAsksAtTheSameTimeDelaysButDoesNotStop(t *testing.T) {
	l := testLink(anna(), "10.0.0.1")
	q := question(annas, dns.TypeANY)
	q.Ns = []dns.RR{srv(annas, "berta.local.")}
	now := begin
	for l.next().Before(begin.Add(time.Minute)) && !l.verified {
		now = l.next()
		l.tick(now)
		l.receive(now, v4, ask(t, "10.0.0.66:5353", q))
	}
	if !l.verified || now.Sub(begin) < maxClumsy*time.Second {
		t.Errorf("after %v: %v", now.Sub(begin), l.verified)
	}
}

// A machine that claims every name must not make us speak without end.
func TestWhenEveryNameIsTakenWeRest(t *testing.T) {
	l, now := settled(anna(), "10.0.0.1")
	packets, rested := 0, false
	for end := now.Add(10 * time.Minute); now.Before(end); {
		for range 3 {
			resting, until := l.hopeless, l.next()
			packets += len(l.receive(now, v4, ask(t, "10.0.0.66:5353", says(srv(l.say().instance, "berta.local.")))))
			if resting && l.next() != until {
				t.Fatal("the rest was cut short")
			}
			rested = rested || l.hopeless
		}
		now = later(now, l.next())
		packets += len(l.tick(now))
	}
	if !rested || packets > 500 {
		t.Errorf("%d packets in ten minutes, rested: %v", packets, rested)
	}
}
