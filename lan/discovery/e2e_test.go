//go:build linux && e2e

package discovery

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"paddock/internal/testnet"
)

// annaAt is the service of these tests.
func annaAt(port int) *Service {
	s := anna()
	s.Port, s.Addrs = port, on("a0", "10.77.0.1")
	return &s
}

// twoPlaces are the owner's machine and a teammate's, on one cable.
func twoPlaces(t *testing.T) (owner, mate *testnet.Place) {
	t.Helper()
	testnet.Needs(t, "ip")
	owner, mate = testnet.NewPlace(t), testnet.NewPlace(t)
	testnet.Cable(owner, "a0", "10.77.0.1/24", mate, "m0", "10.77.0.2/24")
	return owner, mate
}

func announced(s State) bool { return s.On }

func TestATeammatesAvahiFindsResolvesAndForgetsTheGate(t *testing.T) {
	owner, mate := twoPlaces(t)
	a := mate.Avahi("berta")
	g := newGate(t, owner)
	g.set(annaAt(11435))
	g.until("announced", announced)
	testnet.Within(t, 10*time.Second, "found", func() (bool, string) {
		all := a.Browse()
		return slices.ContainsFunc(all, func(s testnet.Seen) bool {
			return s.Instance == `Paddock\032on\032anna-mbp` && s.Host == "anna-mbp.local" && s.Addr == "10.77.0.1" && s.Port == "11435" &&
				strings.Contains(s.TXT, `"v=1"`) && strings.Contains(s.TXT, `"fp=abcd"`) && strings.Contains(s.TXT, `"tls=1"`)
		}), fmt.Sprint(all)
	})
	testnet.Within(t, 5*time.Second, "resolved", func() (bool, string) {
		got := a.Tool("avahi-resolve", "-4n", "anna-mbp.local")
		return strings.Contains(got, "10.77.0.1"), got
	})

	// Port and text change.
	s := annaAt(11436)
	s.TXT = []string{"v=1", "fp=ef01", "tls=1"}
	g.set(s)
	testnet.Within(t, 5*time.Second, "the new port", func() (bool, string) {
		all := a.Browse()
		return len(all) == 1 && all[0].Port == "11436" && strings.Contains(all[0].TXT, "fp=ef01") && !strings.Contains(all[0].TXT, "fp=abcd"), fmt.Sprint(all)
	})

	// The address changes.
	owner.IP("addr", "add", "10.77.0.9/24", "dev", "a0")
	owner.IP("addr", "del", "10.77.0.1/24", "dev", "a0")
	owner.IP("addr", "replace", "10.77.0.9/24", "dev", "a0")
	s = annaAt(11436)
	s.Addrs = on("a0", "10.77.0.9")
	g.set(s)
	testnet.Within(t, 5*time.Second, "the new address", func() (bool, string) {
		all, got := a.Browse(), a.Tool("avahi-resolve", "-4n", "anna-mbp.local")
		return len(all) == 1 && all[0].Addr == "10.77.0.9" && strings.Contains(got, "10.77.0.9"), fmt.Sprint(all, got)
	})

	g.set(nil)
	testnet.Within(t, 5*time.Second, "forgotten", func() (bool, string) {
		all := a.Browse()
		return len(all) == 0, fmt.Sprint(all)
	})

	// A program that ends says goodbye too.
	g.set(s)
	testnet.Within(t, 10*time.Second, "found again", func() (bool, string) {
		all := a.Browse()
		return len(all) == 1, fmt.Sprint(all)
	})
	_ = g.in.Close()
	testnet.Within(t, 5*time.Second, "forgotten at the end", func() (bool, string) {
		all := a.Browse()
		return len(all) == 0, fmt.Sprint(all)
	})
}

func TestIPv6IsFoundToo(t *testing.T) {
	owner, mate := twoPlaces(t)
	owner.IP("addr", "add", "fd77::1/64", "dev", "a0", "nodad")
	mate.IP("addr", "add", "fd77::2/64", "dev", "m0", "nodad")
	a := mate.Avahi("berta")
	g := newGate(t, owner)
	s := annaAt(11435)
	s.Addrs = on("a0", "fd77::1")
	g.set(s)
	g.until("announced", announced)
	testnet.Within(t, 15*time.Second, "found", func() (bool, string) {
		all := a.Browse()
		return slices.ContainsFunc(all, func(s testnet.Seen) bool { return s.Family == "IPv6" && s.Addr == "fd77::1" }) &&
			!slices.ContainsFunc(all, func(s testnet.Seen) bool { return strings.HasPrefix(s.Addr, "10.") }), fmt.Sprint(all)
	})
}

func TestASecondInterfaceShowsItsOwnAddressAlone(t *testing.T) {
	owner, mate := twoPlaces(t)
	other := testnet.NewPlace(t)
	testnet.Cable(owner, "b0", "10.78.0.1/24", other, "n0", "10.78.0.2/24")
	one, two := mate.Avahi("berta"), other.Avahi("carla")
	g := newGate(t, owner)
	s := annaAt(11435)
	s.Addrs = append(s.Addrs, on("b0", "10.78.0.1")...)
	g.set(s)
	g.until("announced on both", func(s State) bool { return slices.Equal(s.Interfaces, []string{"a0", "b0"}) })
	for addr, a := range map[string]*testnet.Avahi{"10.77.0.1": one, "10.78.0.1": two} {
		testnet.Within(t, 10*time.Second, addr, func() (bool, string) {
			all := a.Browse()
			return len(all) == 1 && all[0].Addr == addr, fmt.Sprint(all)
		})
		if got := a.Tool("avahi-resolve", "-4n", "anna-mbp.local"); !strings.Contains(got, addr) {
			t.Errorf("want %s, resolved %s", addr, got)
		}
	}
	if got := askFrom(t, mate, 1, "anna-mbp.local."); got != "10.77.0.1:5353 A 10.77.0.1" {
		t.Errorf("asked on the first: %q", got)
	}
	if got := askFrom(t, other, 1, "anna-mbp.local."); got != "10.78.0.1:5353 A 10.78.0.1" {
		t.Errorf("asked on the second: %q", got)
	}
}

func TestPlainResolversAreAnsweredUnlessTheirPacketCameThroughARouter(t *testing.T) {
	owner, mate := twoPlaces(t)
	g := newGate(t, owner)
	g.set(annaAt(11435))
	g.until("announced", announced)
	for hops, want := range map[int]string{1: "10.77.0.1:5353 A 10.77.0.1", 255: "10.77.0.1:5353 A 10.77.0.1", 64: "", 2: ""} {
		if got := askFrom(t, mate, hops, "anna-mbp.local."); got != want {
			t.Errorf("with %d hops: %q, want %q", hops, got, want)
		}
	}
	// A sender with an address of another network gets nothing.
	mate.IP("addr", "add", "172.20.0.2/24", "dev", "m0")
	mate.IP("route", "replace", "224.0.0.0/4", "dev", "m0", "src", "172.20.0.2")
	if got := askFrom(t, mate, 1, "anna-mbp.local."); got != "" {
		t.Errorf("from another network: %q", got)
	}
}

// The machine's own avahi keeps its name, whoever comes first; both are found.
func TestTheMachinesOwnAvahiStandsBesideUs(t *testing.T) {
	for _, first := range []string{"avahi first", "we first"} {
		t.Run(first, func(t *testing.T) {
			owner, mate := twoPlaces(t)
			// Addresses that avahi tells and we do not, and more of a family than one.
			owner.IP("addr", "add", "10.77.0.3/24", "dev", "a0")
			owner.IP("addr", "add", "fd77::1/64", "dev", "a0", "nodad")
			a := mate.Avahi("berta")
			var own *testnet.Avahi
			g := newGate(t, owner)
			if first == "avahi first" {
				own = owner.Avahi("anna-mbp")
				g.set(annaAt(11435))
				g.until("announced", announced)
			} else {
				g.set(annaAt(11435))
				g.until("announced", announced)
				own = owner.Avahi("anna-mbp")
			}
			testnet.Within(t, 10*time.Second, "found", func() (bool, string) {
				all := a.Browse()
				return slices.ContainsFunc(all, func(s testnet.Seen) bool {
					return s.Host == "anna-mbp.local" && s.Addr == "10.77.0.1" || s.Addr == "10.77.0.3"
				}), fmt.Sprint(all)
			})
			// The machine's own tools see the gate as well.
			testnet.Within(t, 10*time.Second, "found from here", func() (bool, string) {
				all := own.Browse()
				return len(all) > 0 && all[0].Instance == `Paddock\032on\032anna-mbp`, fmt.Sprint(all)
			})
			// A change of ours must not rename the machine either.
			s := annaAt(11437)
			s.Addrs = on("a0", "10.77.0.3")
			g.set(s)
			testnet.Within(t, 10*time.Second, "changed", func() (bool, string) {
				all := a.Browse()
				return len(all) > 0 && all[0].Port == "11437", fmt.Sprint(all)
			})
			g.set(nil)
			testnet.Within(t, 10*time.Second, "gone", func() (bool, string) {
				all := a.Browse()
				return len(all) == 0, fmt.Sprint(all)
			})
			if got := a.Tool("avahi-resolve", "-4n", "anna-mbp.local"); !strings.Contains(got, "10.77.0.") {
				t.Errorf("our goodbye took the machine's own name: %s", got)
			}
			if log := own.Log.String(); strings.Contains(log, "conflict") || strings.Contains(log, "anna-mbp-2") {
				t.Errorf("avahi gave way:\n%s", log)
			}
			if s, _ := g.state(); s.Conflict != "" {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestAnotherMachineWithOurNameKeepsIt(t *testing.T) {
	owner, mate := twoPlaces(t)
	a := mate.Avahi("anna-mbp")
	g := newGate(t, owner)
	g.set(annaAt(11435))
	g.until("a conflict", func(s State) bool {
		return s.On && s.Conflict == "anna-mbp.local" && strings.HasPrefix(s.Target, "paddock-")
	})
	testnet.Within(t, 10*time.Second, "found under another name", func() (bool, string) {
		all := a.Browse()
		return len(all) == 1 && strings.HasPrefix(all[0].Host, "paddock-") && all[0].Addr == "10.77.0.1", fmt.Sprint(all)
	})
	if log := a.Log.String(); strings.Contains(log, "conflict") || strings.Contains(log, "anna-mbp-2") {
		t.Errorf("it had to give way:\n%s", log)
	}
}

// An interface that goes is left, and costs nothing; one that comes is joined.
func TestAnInterfaceGoesAndComesBack(t *testing.T) {
	owner, mate := twoPlaces(t)
	g := newGate(t, owner)
	g.set(annaAt(11435))
	g.until("announced", announced)
	before := cpu(t, g.cmd.Process.Pid)
	owner.IP("link", "del", "a0")
	g.until("left", func(s State) bool { return !s.On && s.Problem == ProblemNetwork })
	testnet.Within(t, 10*time.Second, "five seconds later", func() func() (bool, string) {
		end := time.Now().Add(5 * time.Second)
		return func() (bool, string) { return time.Now().After(end), "" }
	}())
	if used := cpu(t, g.cmd.Process.Pid) - before; used > 50 {
		t.Errorf("%d hundredths of a second went into an interface that is not there", used)
	}
	testnet.Cable(owner, "a0", "10.77.0.1/24", mate, "m0", "10.77.0.2/24")
	g.until("announced again", announced)
	a := mate.Avahi("berta")
	testnet.Within(t, 10*time.Second, "found", func() (bool, string) {
		all := a.Browse()
		return len(all) == 1 && all[0].Addr == "10.77.0.1", fmt.Sprint(all)
	})
}

// cpu is what a process has used, in hundredths of a second (proc(5)).
func cpu(t *testing.T, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	var user, system int
	if _, err := fmt.Sscan(strings.Join(strings.Fields(rest)[11:13], " "), &user, &system); err != nil {
		t.Fatal(err)
	}
	return user + system
}

func TestAPortThatIsNotSharedIsAWordAndNoMore(t *testing.T) {
	owner, _ := twoPlaces(t)
	_, _, out := owner.Start([]string{"PADDOCK_DISCOVERY_CHILD=1"}, os.Args[0], "--", "hold", "-")
	testnet.Within(t, 5*time.Second, "held", func() (bool, string) { return strings.Contains(out.String(), "held"), out.String() })
	g := newGate(t, owner)
	g.set(annaAt(11435))
	g.until("a word", func(s State) bool { return !s.On && s.Problem == ProblemInUse })
}

func TestWithoutIPv6TheRestGoesOn(t *testing.T) {
	owner, mate := twoPlaces(t)
	testnet.Run(t, "ip", "netns", "exec", owner.Name, "sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/a0/disable_ipv6")
	a := mate.Avahi("berta")
	g := newGate(t, owner)
	s := annaAt(11435)
	s.Addrs = append(s.Addrs, on("a0", "fe80::1")...)
	g.set(s)
	g.until("announced", func(s State) bool { return s.On && s.Problem == "" })
	testnet.Within(t, 10*time.Second, "found", func() (bool, string) {
		all := a.Browse()
		return len(all) == 1 && all[0].Addr == "10.77.0.1", fmt.Sprint(all)
	})
}
