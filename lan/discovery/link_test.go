package discovery

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"paddock/lan"
)

var begin = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

func anna() Service {
	return Service{
		Instance: "Paddock on anna-mbp", Hostname: "anna-mbp", Port: 11435, TXT: []string{"v=1", "fp=abcd", "tls=1"},
		Addrs: []lan.Addr{{IP: ip("10.0.0.1"), Interface: "a0"}, {IP: ip("fe80::1"), Interface: "a0"}},
	}
}

const (
	annas = `Paddock\ on\ anna-mbp._paddock._tcp.local.`
	host  = "anna-mbp.local."
)

// first is a jitter of none, so that the tables know the time.
func first(lo, _ time.Duration) time.Duration { return lo }

// testLink is a link with both families that has just begun.
func testLink(s Service, addrs ...string) *link {
	l := &link{
		name: "a0", jitter: first, open: [2]bool{true, true},
		near: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24"), netip.MustParsePrefix("fe80::1/64")},
	}
	var list []netip.Addr
	for _, a := range addrs {
		list = append(list, ip(a))
	}
	l.ours = func(a netip.Addr) bool { return slices.Contains(list, a) || a == ip("10.9.9.9") }
	l.begin(begin, s, list)
	return l
}

// until runs a link's clock and collects what it says on IPv4.
func until(l *link, from, to time.Time) []*dns.Msg {
	var said []*dns.Msg
	for {
		next := l.next()
		if next.IsZero() || next.After(to) {
			return said
		}
		if next.Before(from) {
			next = from
		}
		for _, o := range l.tick(next) {
			if o.family == v4 {
				said = append(said, o.msg)
			}
		}
	}
}

// settled is a link that has announced twice.
func settled(s Service, addrs ...string) (*link, time.Time) {
	l := testLink(s, addrs...)
	now := begin.Add(3 * time.Second)
	until(l, begin, now)
	// Old enough that no rest after the announcements is left.
	return l, now.Add(time.Second)
}

// ask makes a packet of questions; knows are its known answers.
func ask(t *testing.T, from string, m *dns.Msg) incoming {
	t.Helper()
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return incoming{data: b, from: netip.MustParseAddrPort(from), ttl: 255}
}

func question(name string, kind uint16) *dns.Msg {
	return &dns.Msg{Question: []dns.Question{{Name: name, Qtype: kind, Qclass: dns.ClassINET}}}
}

// words is an answer in short: every record's type, life and data.
func words(rrs []dns.RR) string {
	var list []string
	for _, rr := range rrs {
		h := rr.Header()
		flush := ""
		if h.Class&topBit != 0 {
			flush = "!"
		}
		data := ""
		switch rr := rr.(type) {
		case *dns.PTR:
			data = rr.Ptr
		case *dns.SRV:
			data = rr.Target
		case *dns.A:
			data = rr.A.String()
		case *dns.AAAA:
			data = rr.AAAA.String()
		case *dns.TXT:
			data = strings.Join(rr.Txt, ",")
		case *dns.NSEC:
			for _, k := range rr.TypeBitMap {
				data += "+" + dns.TypeToString[k]
			}
		}
		list = append(list, dns.TypeToString[h.Rrtype]+flush+" "+data)
	}
	return strings.Join(list, "; ")
}

func TestStartAsksThreeTimesAndAnnouncesTwiceASecondApart(t *testing.T) {
	l := testLink(anna(), "10.0.0.1", "fe80::1")
	var at []time.Duration
	var kinds []string
	for !l.next().IsZero() {
		now := l.next()
		for _, o := range l.tick(now) {
			if o.family != v4 {
				continue
			}
			at = append(at, now.Sub(begin))
			if o.msg.Response {
				kinds = append(kinds, "say")
				want := "PTR " + annas + "; SRV! " + host + "; TXT! v=1,fp=abcd,tls=1; A! 10.0.0.1; AAAA! fe80::1"
				if got := words(o.msg.Answer); got != want {
					t.Errorf("announced %s\nwant %s", got, want)
				}
			} else {
				kinds = append(kinds, "ask")
			}
		}
	}
	if want := []string{"ask", "ask", "ask", "say", "say"}; !slices.Equal(kinds, want) {
		t.Errorf("%v, want %v", kinds, want)
	}
	ms := time.Millisecond
	if want := []time.Duration{0, 250 * ms, 500 * ms, 750 * ms, 1750 * ms}; !slices.Equal(at, want) {
		t.Errorf("at %v, want %v", at, want)
	}
}

// A responder of the system that is about to take the name could see a rival in a
// probe with records of the name, and rename the machine.
func TestProbesClaimTheInstanceAndOnlyAskForTheHost(t *testing.T) {
	l := testLink(anna(), "10.0.0.1")
	m := until(l, begin, begin)[0]
	if got, want := words(m.Ns), "SRV "+host+"; TXT v=1,fp=abcd,tls=1"; got != want {
		t.Errorf("claims %s, want %s", got, want)
	}
	for _, q := range m.Question {
		if q.Qclass&topBit != 0 {
			t.Errorf("%v wants a unicast answer, which may reach another program", q)
		}
	}
}

func TestNothingIsAnsweredBeforeTheNamesAreOurs(t *testing.T) {
	l := testLink(anna(), "10.0.0.1")
	if out := l.receive(begin, v4, ask(t, "10.0.0.7:40000", question(service, dns.TypePTR))); out != nil {
		t.Errorf("answered %v", out)
	}
	if out := l.end(); out != nil {
		t.Errorf("took back what was never said: %v", out)
	}
}

func TestAGoodbyeTakesBackWhatIsOursAlone(t *testing.T) {
	l, _ := settled(anna(), "10.0.0.1")
	out := l.end()
	if len(out) != 2 {
		t.Fatalf("%d packets, want one a family", len(out))
	}
	// "_services._dns-sd._udp" is not taken back: other gates say it too.
	want := "PTR " + annas + "; SRV! " + host + "; TXT! v=1,fp=abcd,tls=1; A! 10.0.0.1"
	if got := words(out[0].msg.Answer); got != want {
		t.Errorf("took back %s\nwant %s", got, want)
	}
	for _, rr := range out[0].msg.Answer {
		if rr.Header().Ttl != 0 {
			t.Errorf("%v lives on", rr)
		}
	}
}

func TestAChangeTakesBackTheOldAndSaysTheNew(t *testing.T) {
	newPort := anna()
	newPort.Port = 1
	newText := anna()
	newText.TXT = []string{"v=1"}
	renamed := anna()
	renamed.Instance = "Other"
	for name, c := range map[string]struct {
		to    Service
		addrs []string
		gone  string
		says  int
	}{
		"nothing":      {anna(), []string{"10.0.0.1"}, "", 0},
		"address":      {anna(), []string{"10.0.0.2"}, "A! 10.0.0.1", 2},
		"more":         {anna(), []string{"10.0.0.1", "10.0.0.2"}, "", 2},
		"port":         {newPort, []string{"10.0.0.1"}, "SRV! " + host, 2},
		"fingerprint":  {newText, []string{"10.0.0.1"}, "TXT! v=1,fp=abcd,tls=1", 2},
		"the instance": {renamed, []string{"10.0.0.1"}, "PTR " + annas + "; SRV! " + host + "; TXT! v=1,fp=abcd,tls=1; A! 10.0.0.1", 2},
	} {
		t.Run(name, func(t *testing.T) {
			l, now := settled(anna(), "10.0.0.1")
			var addrs []netip.Addr
			for _, a := range c.addrs {
				addrs = append(addrs, ip(a))
			}
			out := l.change(now, c.to, addrs)
			gone := ""
			if len(out) > 0 {
				gone = words(out[0].msg.Answer)
			}
			if gone != c.gone {
				t.Errorf("took back %q, want %q", gone, c.gone)
			}
			says := 0
			for _, m := range until(l, now, now.Add(10*time.Second)) {
				if m.Response {
					says++
				}
			}
			if says != c.says {
				t.Errorf("announced %d times, want %d", says, c.says)
			}
		})
	}
}

// Two changes in a moment are one announcement, because no record goes out twice
// in a second.
func TestChangesDoNotAnnounceMoreOftenThanOnceASecond(t *testing.T) {
	l, now := settled(anna(), "10.0.0.1")
	var at []time.Duration
	for i := range 20 {
		s := anna()
		s.Port = 2000 + i
		step := now.Add(time.Duration(i) * 100 * time.Millisecond)
		l.change(step, s, l.addrs)
		for !l.next().IsZero() && !l.next().After(step.Add(99*time.Millisecond)) {
			when := later(step, l.next())
			if out := l.tick(when); len(out) > 0 {
				at = append(at, when.Sub(now))
			}
		}
	}
	for i := 1; i < len(at); i++ {
		if at[i]-at[i-1] < time.Second {
			t.Errorf("announced at %v", at)
		}
	}
	if len(at) < 2 {
		t.Errorf("announced at %v only", at)
	}
}
