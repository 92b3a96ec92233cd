package discovery

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"paddock/lan"
)

// announcer is one that ends with the test.
func announcer(t *testing.T, n network) *Announcer {
	t.Helper()
	a := newOn(n)
	t.Cleanup(a.Close)
	return a
}

// answersIn are the answers of a list of packets, in words.
func answersIn(packets []heard) []string {
	var list []string
	for _, h := range packets {
		if h.msg.Response {
			list = append(list, words(h.msg.Answer))
		}
	}
	return list
}

func TestNothingRunsBeforeSetAndAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := new(air).computer(cardOf("a0", 2, "10.0.0.1/24"))
		a := newOn(c)
		a.Set(nil)
		if a.running {
			t.Error("a goroutine runs for nothing")
		}
		a.Close()
		a.Close()
		s := anna()
		a.Set(&s)
		time.Sleep(time.Minute)
		if _, looked := c.counts(); looked != 0 || a.running {
			t.Error("it was closed, and runs")
		}
	})
}

func TestSetAnnouncesAndNilSaysGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := new(air)
		hear := net.ear(t, cardOf("a0", 9, "10.0.0.7/24"), v4)
		a := announcer(t, net.computer(cardOf("a0", 2, "10.0.0.1/24", "fe80::1/64")))
		woken, stop := a.Watch()
		defer stop()
		s := anna()
		a.Set(&s)
		time.Sleep(3 * time.Second)
		if got := a.State(); !got.On || !slices.Equal(got.Interfaces, []string{"a0"}) || got.Problem != "" || got.Conflict != "" ||
			got.Instance != "Paddock on anna-mbp" || got.Target != "anna-mbp.local" {
			t.Errorf("%+v", got)
		}
		select {
		case <-woken:
		default:
			t.Error("Watch did not wake")
		}
		if said := answersIn(hear()); len(said) != 2 || said[0] != said[1] || !strings.Contains(said[0], "A! 10.0.0.1; AAAA! fe80::1") {
			t.Errorf("announced %q", said)
		}
		before := len(hear())
		a.Set(&s)
		time.Sleep(30 * time.Second)
		if after := len(hear()); after != before {
			t.Errorf("the same value made %d packets", after-before)
		}
		a.Set(nil)
		synctest.Wait()
		bye := hear()[before:]
		if len(bye) != 1 || bye[0].msg.Answer[0].Header().Ttl != 0 {
			t.Errorf("no goodbye: %v", bye)
		}
		if got := a.State(); got.On || got.Problem != "" || got.Target != "" {
			t.Errorf("%+v", got)
		}
		a.Set(&s)
		time.Sleep(3 * time.Second)
		if !a.State().On {
			t.Error("it does not come back")
		}
		before = len(hear())
		a.Close()
		synctest.Wait()
		if bye := hear()[before:]; len(bye) != 1 || bye[0].msg.Answer[0].Header().Ttl != 0 {
			t.Errorf("no goodbye at the end: %v", bye)
		}
	})
}

// The caller may do with its value what it likes.
func TestAChangedValueIsNotWhatWasSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := new(air)
		hear := net.ear(t, cardOf("a0", 9, "10.0.0.7/24"), v4)
		a := announcer(t, net.computer(cardOf("a0", 2, "10.0.0.1/24")))
		s := anna()
		a.Set(&s)
		s.TXT[0], s.Addrs[0].IP = "x", ip("8.8.8.8")
		time.Sleep(3 * time.Second)
		said := answersIn(hear())
		if len(said) != 2 {
			t.Errorf("announced %q", said)
		}
		for _, said := range said {
			if !strings.Contains(said, "v=1,fp") || !strings.Contains(said, "10.0.0.1") {
				t.Errorf("announced %s", said)
			}
		}
		s.Addrs[0].IP = ip("10.0.0.1")
		a.Set(&s)
		time.Sleep(3 * time.Second)
		if said := answersIn(hear()); !strings.Contains(said[len(said)-1], "x,fp") {
			t.Errorf("the change was not seen: %q", said)
		}
	})
}

// What is only on one interface is nobody's business on another.
func TestEachInterfaceHearsItsOwnAddressesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := new(air)
		ears := map[string]func() []heard{
			"10.0.0.1":    net.ear(t, cardOf("a0", 9, "10.0.0.7/24"), v4),
			"192.168.7.1": net.ear(t, cardOf("b0", 9, "192.168.7.7/24"), v4),
		}
		a := announcer(t, net.computer(cardOf("a0", 2, "10.0.0.1/24"), cardOf("b0", 3, "192.168.7.1/24"), cardOf("c0", 4, "172.16.0.1/24")))
		s := anna()
		s.Addrs = []lan.Addr{
			{IP: ip("10.0.0.1"), Interface: "a0"},
			{IP: ip("192.168.7.1"), Interface: "b0"},
			{IP: ip("192.168.7.1"), Interface: "a0"}, // said of the wrong one
			{IP: ip("172.16.0.9"), Interface: "c0"},  // gone
			{IP: ip("127.0.0.1"), Interface: "a0"},
		}
		a.Set(&s)
		time.Sleep(3 * time.Second)
		q, _ := question(annas, dns.TypeANY).Pack()
		for _, from := range []string{"a0 10.0.0.7:5353", "b0 192.168.7.7:5353"} {
			segment, addr, _ := strings.Cut(from, " ")
			net.say(segment, v4, ask(t, addr, question(annas, dns.TypeANY)).from, groups[v4], q)
		}
		time.Sleep(time.Second)
		a.Close()
		synctest.Wait()
		for own, hear := range ears {
			packets := hear()
			if len(packets) < 6 {
				t.Errorf("%s: %d packets", own, len(packets))
			}
			for _, h := range packets {
				for _, rr := range slices.Concat(h.msg.Answer, h.msg.Ns, h.msg.Extra) {
					if got := address(rr); got.IsValid() && got != ip(own) {
						t.Errorf("on the network of %s: %v", own, rr)
					}
				}
			}
		}
		if got := a.State(); slices.Contains(got.Interfaces, "c0") {
			t.Errorf("%+v", got)
		}
	})
}

func TestInterfacesComeGoAndComeBackUnderTheirName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := new(air)
		hear := net.ear(t, cardOf("a0", 9, "10.0.0.7/24"), v4)
		c := net.computer()
		a := announcer(t, c)
		s := anna()
		a.Set(&s)
		time.Sleep(5 * time.Second)
		if got := a.State(); got.On || got.Problem != ProblemNetwork {
			t.Errorf("without an interface: %+v", got)
		}
		c.set(func() { c.cards = []card{cardOf("a0", 2, "10.0.0.1/24")} })
		time.Sleep(6 * time.Second)
		if got := a.State(); !got.On || got.Problem != "" {
			t.Errorf("with it: %+v", got)
		}
		opens, _ := c.counts()
		c.set(func() { c.cards = []card{cardOf("a0", 3, "10.0.0.1/24")} })
		before := len(hear())
		time.Sleep(6 * time.Second)
		if now, _ := c.counts(); now == opens {
			t.Error("the new interface under the old name was not joined")
		}
		if len(answersIn(hear()[before:])) < 2 {
			t.Error("and not announced on")
		}
		c.set(func() { c.cards = nil })
		time.Sleep(4 * time.Second)
		if got := a.State(); got.On || got.Problem != ProblemNetwork || net.sockets() != 1 {
			t.Errorf("after it: %+v, %d sockets", got, net.sockets())
		}
	})
}

// An address that the system took away is not told until somebody says so.
func TestAnAddressThatWentIsTakenBackWithoutSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := new(air)
		hear := net.ear(t, cardOf("a0", 9, "10.0.0.7/24"), v4)
		c := net.computer(cardOf("a0", 2, "10.0.0.1/24", "10.0.0.2/24"))
		a := announcer(t, c)
		s := anna()
		s.Addrs = []lan.Addr{{IP: ip("10.0.0.1"), Interface: "a0"}, {IP: ip("10.0.0.2"), Interface: "a0"}}
		a.Set(&s)
		time.Sleep(4 * time.Second)
		before := len(hear())
		c.set(func() { c.cards = []card{cardOf("a0", 2, "10.0.0.2/24")} })
		time.Sleep(5 * time.Second)
		said := hear()[before:]
		if len(said) < 2 || words(said[0].msg.Answer) != "A! 10.0.0.1" || said[0].msg.Answer[0].Header().Ttl != 0 {
			t.Fatalf("not taken back: %q", answersIn(said))
		}
		if got := words(said[1].msg.Answer); strings.Contains(got, "10.0.0.1") || !strings.Contains(got, "10.0.0.2") {
			t.Errorf("announced %s", got)
		}
	})
}

// A socket that only fails must not keep a processor busy.
func TestReadingThatFailsForEverIsTriedSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := new(air)
		c := net.computer(cardOf("a0", 2, "10.0.0.1/24"))
		a := announcer(t, c)
		s := anna()
		c.set(func() { c.readErr = errAir })
		a.Set(&s)
		time.Sleep(time.Minute)
		if opened, _ := c.counts(); opened < 10 || opened > 25 {
			t.Errorf("opened %d times in a minute", opened)
		}
		c.set(func() { c.readErr = nil })
		time.Sleep(10 * time.Second)
		if got := a.State(); !got.On {
			t.Errorf("%+v", got)
		}
	})
}

func TestTroubleHasAWordAndKeepsNobodyFromSharing(t *testing.T) {
	four := anna()
	four.Addrs = four.Addrs[:1]
	noPort, noName, longText, oddText := anna(), anna(), anna(), anna()
	noPort.Port = 0
	noName.Instance = "\x01"
	longText.TXT = []string{strings.Repeat("x", 250), strings.Repeat("y", 250)}
	oddText.TXT = []string{""}
	for name, c := range map[string]struct {
		change  func(*computer)
		service Service
		on      bool
		word    string
	}{
		"bad port":      {func(*computer) {}, noPort, false, ProblemService},
		"no name":       {func(*computer) {}, noName, false, ProblemService},
		"long text":     {func(*computer) {}, longText, false, ProblemService},
		"empty text":    {func(*computer) {}, oddText, false, ProblemService},
		"no interfaces": {func(c *computer) { c.cards = nil }, anna(), false, ProblemNetwork},
		"no multicast":  {func(c *computer) { c.cards[0].multicast = false }, anna(), false, ProblemNetwork},
		"blind":         {func(c *computer) { c.lookErr = errAir }, anna(), false, ProblemNetwork},
		"in use":        {func(c *computer) { c.openErr = map[family]error{v4: errInUse} }, four, false, ProblemInUse},
		"cannot join":   {func(c *computer) { c.openErr = map[family]error{v4: errJoin} }, four, false, ProblemMulticast},
		"IPv4 alone":    {func(c *computer) { c.openErr = map[family]error{v6: errAir} }, anna(), true, ProblemIPv6},
		"IPv6 alone":    {func(c *computer) { c.openErr = map[family]error{v4: errInUse} }, anna(), true, ProblemInUse},
		"mute":          {func(c *computer) { c.sendErr = errAir }, anna(), true, ProblemSending},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				machine := new(air).computer(cardOf("a0", 2, "10.0.0.1/24", "fe80::1/64"))
				c.change(machine)
				a := announcer(t, machine)
				a.Set(&c.service)
				time.Sleep(10 * time.Second)
				if got := a.State(); got.On != c.on || got.Problem != c.word {
					t.Errorf("%+v, want %v %q", got, c.on, c.word)
				}
				// And it goes when the trouble does.
				machine.set(func() {
					machine.cards = []card{cardOf("a0", 2, "10.0.0.1/24", "fe80::1/64")}
					machine.lookErr, machine.openErr, machine.sendErr = nil, nil, nil
				})
				s := anna()
				s.Port = 4711
				a.Set(&s)
				time.Sleep(10 * time.Second)
				if got := a.State(); !got.On || got.Problem != "" || got.Err != nil {
					t.Errorf("afterwards %+v", got)
				}
			})
		})
	}
}

// Two laptops that were set up alike.
func TestTwoGatesWithOneNameEndWithTwo(t *testing.T) {
	for name, pause := range map[string]time.Duration{"one after another": 5 * time.Second, "at once": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				net := new(air)
				one := announcer(t, net.computer(cardOf("a0", 2, "10.0.0.1/24")))
				two := announcer(t, net.computer(cardOf("a0", 2, "10.0.0.2/24")))
				s := anna()
				one.Set(&s)
				time.Sleep(pause)
				other := anna()
				other.TXT = []string{"v=1", "fp=ef01"}
				other.Addrs = []lan.Addr{{IP: ip("10.0.0.2"), Interface: "a0"}}
				two.Set(&other)
				time.Sleep(20 * time.Second)
				a, b := one.State(), two.State()
				if !a.On || !b.On || a.Instance == b.Instance || a.Target == b.Target {
					t.Errorf("%+v\n%+v", a, b)
				}
				if a.Conflict == "" && b.Conflict == "" {
					t.Error("none of them says that the name is another's")
				}
				if pause > 0 && (a.Instance != "Paddock on anna-mbp" || a.Conflict != "" || b.Conflict != "anna-mbp.local" || !strings.HasPrefix(b.Target, "paddock-")) {
					t.Errorf("the first is not the first: %+v\n%+v", a, b)
				}
			})
		})
	}
}

// Two people who are logged in on one machine: one of the two answers for the
// host, and when that one ends, the other.
func TestTwoPaddocksOnOneMachineShareTheHost(t *testing.T) {
	for name, pause := range map[string]time.Duration{"one after another": 5 * time.Second, "at once": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				net := new(air)
				c := net.computer(cardOf("a0", 2, "10.0.0.1/24"))
				one, two := announcer(t, c), announcer(t, c)
				s := anna()
				one.Set(&s)
				time.Sleep(pause)
				other := anna()
				other.Port = 4711
				two.Set(&other)
				time.Sleep(time.Minute)
				a, b := one.State(), two.State()
				if !a.On || !b.On || a.Instance == b.Instance || a.Target != "anna-mbp.local" || b.Target != "anna-mbp.local" || a.Conflict+b.Conflict != "" {
					t.Errorf("%+v\n%+v", a, b)
				}
				resolves := func() bool {
					hear := net.ear(t, cardOf("a0", 9, "10.0.0.7/24"), v4)
					q, _ := question(host, dns.TypeA).Pack()
					net.say("a0", v4, ask(t, "10.0.0.7:5353", question(host, dns.TypeA)).from, groups[v4], q)
					time.Sleep(time.Second)
					return slices.ContainsFunc(answersIn(hear()), func(s string) bool { return strings.HasPrefix(s, "A! 10.0.0.1") })
				}
				if !resolves() {
					t.Error("nobody answers for the host")
				}
				one.Close()
				time.Sleep(10 * time.Second)
				if !resolves() {
					t.Error("nobody answers for the host once the first has ended")
				}
			})
		})
	}
}

func TestAPacketStormCostsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := new(air)
		hear := net.ear(t, cardOf("a0", 9, "10.0.0.7/24"), v4)
		a := announcer(t, net.computer(cardOf("a0", 2, "10.0.0.1/24")))
		s := anna()
		a.Set(&s)
		time.Sleep(4 * time.Second)
		before := len(answersIn(hear()))
		q, _ := question(service, dns.TypePTR).Pack()
		for range 300 {
			for range 100 {
				net.say("a0", v4, ask(t, "10.0.0.7:5353", question(service, dns.TypePTR)).from, groups[v4], q)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if said := len(answersIn(hear())) - before; said < 2 || said > 4 {
			t.Errorf("30,000 questions in three seconds made %d answers", said)
		}
	})
}

func TestProblemsOfTheSystemAreToldApart(t *testing.T) {
	if got := problem(errors.Join(errJoin, errInUse), v4); got != ProblemMulticast {
		t.Error(got)
	}
	if got := problem(errAir, v6); got != ProblemIPv6 {
		t.Error(got)
	}
}
