//go:build e2e

package lan

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// asHelper makes this binary a program inside a network namespace, in place of
// the tests.
const asHelper = "PADDOCK_LAN_HELPER"

// A helper must begin before the tests' flags are read, and TestMain is taken.
func init() {
	var err error
	switch os.Getenv(asHelper) {
	default:
		return
	case "owner":
		err = owner(os.Stdin, os.Stdout)
	case "dial":
		err = dial(os.Args[1], os.Args[2])
	}
	if err != nil {
		fmt.Fprintln(os.Stdout, "error:", err)
	}
	os.Exit(0)
}

// report is what the owner's side tells after each order.
type report struct {
	Port     int
	Fit      string
	Here     Network
	Gateways []Gateway
	Addrs    []Addr
}

// owner listens on all interfaces and reads one choice a line.
func owner(in io.Reader, out io.Writer) error {
	type now struct {
		us Us
		c  Choice
	}
	var at atomic.Pointer[now]
	at.Store(&now{})
	l, err := Listen(context.Background(), ":0", func(local, remote netip.Addr) bool {
		n := at.Load()
		return n.us.Admits(n.c, local, remote)
	})
	if err != nil {
		return err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, "hello")
			_ = c.Close()
		}
	}()
	answer := json.NewEncoder(out)
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var c Choice
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return err
		}
		us, err := Look()
		if err != nil {
			return err
		}
		at.Store(&now{us, c})
		here, _ := us.Here()
		err = answer.Encode(report{l.Addr().(*net.TCPAddr).Port, us.Fit(c).String(), here, us.Gateways(), us.Addrs()})
		if err != nil {
			return err
		}
	}
	return l.Close()
}

// dial says what somebody gets who comes from an address, or from any with "".
func dial(from, to string) error {
	d := net.Dialer{Timeout: 5 * time.Second}
	if from != "" {
		addr, err := netip.ParseAddr(from)
		if err != nil {
			return err
		}
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(addr, 0))
	}
	c, err := d.Dial("tcp", to)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	b := make([]byte, 5)
	switch _, err := io.ReadFull(c, b); {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errors.New("neither served nor closed")
	case err != nil:
		fmt.Fprintln(os.Stdout, "closed")
	default:
		fmt.Fprintln(os.Stdout, string(b))
	}
	return nil
}

// ipCommand runs ip(8).
func ipCommand(t *testing.T, args string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second) // t.Context is over when a test cleans up
	defer cancel()
	out, err := exec.CommandContext(ctx, "ip", strings.Fields(args)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ip %s: %v: %s", args, err, out)
	}
	return string(out)
}

// namespaces makes empty networks, with loopback up, that end with the test.
func namespaces(t *testing.T, names ...string) []string {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil {
		t.Fatal("this test needs ip of iproute2 and the right to make network namespaces:", err)
	}
	if os.Geteuid() != 0 {
		t.Fatal("this test makes network namespaces, which needs root")
	}
	var made []string
	for _, name := range names {
		ns := fmt.Sprintf("paddock-%s-%08x", name, rand.Uint32())
		ipCommand(t, "netns add "+ns)
		t.Cleanup(func() { ipCommand(t, "netns del "+ns) })
		ipCommand(t, "-n "+ns+" link set lo up")
		made = append(made, ns)
	}
	return made
}

func helper(t *testing.T, ns, role string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The test's own context ends before its clean-up does.
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	c := exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", ns, self}, args...)...)
	c.Env = append(os.Environ(), asHelper+"="+role, "GORACE=atexit_sleep_ms=0")
	c.WaitDelay = 10 * time.Second
	return c
}

// The whole of it with the kernel's own routing: an owner on two networks, with
// one neighbour on each. The second one does all that a stranger there can.
func TestTheChosenNetworkAloneConnects(t *testing.T) {
	ns := namespaces(t, "owner", "near", "far")
	own, near, far := ns[0], ns[1], ns[2]
	ipCommand(t, "-n "+own+" link add eth0 type veth peer name eth0 netns "+near)
	ipCommand(t, "-n "+own+" link add eth1 type veth peer name eth0 netns "+far)
	for _, a := range []string{
		own + " addr add 10.71.0.1/24 dev eth0", own + " addr add fd71::1/64 dev eth0 nodad", own + " addr add 203.0.113.1/24 dev eth0",
		own + " addr add 10.72.0.1/24 dev eth1", own + " addr add fd72::1/64 dev eth1 nodad",
		near + " addr add 10.71.0.2/24 dev eth0", near + " addr add fd71::2/64 dev eth0 nodad", near + " addr add 203.0.113.2/24 dev eth0",
		far + " addr add 10.72.0.2/24 dev eth0", far + " addr add fd72::2/64 dev eth0 nodad",
		// Others who live behind these two.
		near + " addr add 10.99.0.2/32 dev lo", far + " addr add 198.51.100.9/32 dev lo", far + " addr add fd99::9/128 dev lo nodad",
		own + " link set eth0 up", own + " link set eth1 up", near + " link set eth0 up", far + " link set eth0 up",
		// Both are routers to the owner, and the stranger's is the default.
		own + " route add 10.99.0.0/24 via 10.71.0.2",
		own + " route add default via 10.72.0.2 metric 10", own + " route add default via 10.71.0.2 metric 20", own + " -6 route add default via fd72::2",
		// What a stranger has to do to dial the other network.
		far + " route add 10.71.0.1/32 via 10.72.0.1", far + " route add 203.0.113.1/32 via 10.72.0.1", far + " -6 route add fd71::1/128 via fd72::1",
	} {
		if strings.Contains(a, " -6 ") {
			a = "-6 -n " + strings.Replace(a, " -6 ", " ", 1)
		} else {
			a = "-n " + a
		}
		ipCommand(t, a)
	}
	for _, n := range ns {
		for end := time.Now().Add(20 * time.Second); ipCommand(t, "-6 -n "+n+" addr show tentative") != ""; {
			if time.Now().After(end) {
				t.Fatal("IPv6 addresses stay tentative")
			}
			time.Sleep(50 * time.Millisecond)
		}
	}

	program := helper(t, own, "owner")
	in, err := program.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	program.Stderr = os.Stderr
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close() // ends it
		if err := program.Wait(); err != nil {
			t.Error("the owner's side:", err)
		}
	})
	lines := bufio.NewScanner(out)
	choose := func(c Choice) (r report) {
		t.Helper()
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := in.Write(append(b, '\n')); err != nil {
			t.Fatal(err)
		}
		if !lines.Scan() {
			t.Fatal("the owner's side has ended:", lines.Err())
		}
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatalf("%v: %s", err, lines.Text())
		}
		return r
	}
	first := choose(Choice{})
	linkLocal := map[string]string{}
	for _, a := range first.Addrs {
		if a.IP.Is6() && a.Kind == LinkLocal {
			linkLocal[a.Interface] = a.IP.String()
		}
	}
	if linkLocal["eth0"] == "" || linkLocal["eth1"] == "" {
		t.Fatalf("no link-local addresses in %v", first.Addrs)
	}

	type call struct {
		says, ns, from, to string
		want               [4]string // under all, one interface, one network, the other interface
	}
	const yes, no = "hello", "closed"
	calls := []call{
		{"a neighbour over IPv4", near, "", "10.71.0.1", [4]string{yes, yes, yes, no}},
		{"a neighbour over IPv6", near, "", "fd71::1", [4]string{yes, yes, yes, no}},
		{"a neighbour over link-local IPv6", near, "", linkLocal["eth0"] + "%eth0", [4]string{yes, yes, yes, no}},
		{"a neighbour who dials the public address", near, "", "203.0.113.1", [4]string{no, no, no, no}},
		{"a neighbour who dials the public address from a private one", near, "10.71.0.2", "203.0.113.1", [4]string{no, no, no, no}},
		{"somebody behind the neighbour", near, "10.99.0.2", "10.71.0.1", [4]string{yes, yes, no, no}},
		{"a stranger over IPv4", far, "", "10.72.0.1", [4]string{yes, no, no, yes}},
		{"a stranger over IPv6", far, "", "fd72::1", [4]string{yes, no, no, yes}},
		{"a stranger over link-local IPv6", far, "", linkLocal["eth1"] + "%eth0", [4]string{yes, no, no, yes}},
		{"a stranger who dials the first network", far, "10.72.0.2", "10.71.0.1", [4]string{yes, no, no, no}},
		{"a stranger who dials the first network over IPv6", far, "fd72::2", "fd71::1", [4]string{yes, no, no, no}},
		{"a stranger who hides behind the default route", far, "198.51.100.9", "10.71.0.1", [4]string{yes, no, no, no}},
		{"a stranger who hides behind the default route of IPv6", far, "fd99::9", "fd71::1", [4]string{yes, no, no, no}},
		{"a stranger who dials the public address", far, "", "203.0.113.1", [4]string{no, no, no, no}},
		{"the owner by the first address", own, "", "10.71.0.1", [4]string{yes, yes, yes, no}},
		{"the owner by link-local IPv6", own, "", linkLocal["eth0"] + "%eth0", [4]string{yes, yes, yes, no}},
		{"the owner by the second address", own, "", "10.72.0.1", [4]string{yes, no, no, yes}},
		{"the owner by loopback", own, "", "127.0.0.1", [4]string{yes, yes, yes, yes}},
		{"the owner by loopback of IPv6", own, "", "::1", [4]string{yes, yes, yes, yes}},
	}
	network := Choice{Interface: "eth0", Subnet: netip.MustParsePrefix("10.71.0.0/24")}
	for i, c := range []Choice{{}, {Interface: "eth0"}, network, {Interface: "eth1"}} {
		r := choose(c)
		if r.Fit != FitYes.String() {
			t.Errorf("%+v fits %s", c, r.Fit)
		}
		for _, call := range calls {
			to := net.JoinHostPort(call.to, itoa(r.Port))
			got, err := helper(t, call.ns, "dial", call.from, to).CombinedOutput()
			if err != nil || strings.TrimSpace(string(got)) != call.want[i] {
				t.Errorf("%s under %+v: %s from %q gets %s, want %s, %v", call.says, c, to, call.from, got, call.want[i], err)
			}
		}
	}

	// By now the kernel has met both routers, and Here is the default one's.
	mac := func(ns string) string {
		_, after, _ := strings.Cut(ipCommand(t, "-o -n "+ns+" link show eth0"), "link/ether ")
		address, _, _ := strings.Cut(after, " ")
		return address
	}
	r := choose(Choice{})
	want := []Gateway{{"eth1", ip("10.72.0.2"), mac(far)}, {"eth0", ip("10.71.0.2"), mac(near)}, {"eth1", ip("fd72::2"), ""}}
	if fmt.Sprint(r.Gateways) != fmt.Sprint(want) {
		t.Errorf("the gateways are %v, want %v", r.Gateways, want)
	}
	if r.Here != (Network{"eth1", netip.MustParsePrefix("10.72.0.0/24"), mac(far), Private, ip("10.72.0.1")}) {
		t.Errorf("here is %+v", r.Here)
	}

	// The same numbers at somebody else's, whose router is another machine.
	network.Gateway = mac(near)
	if r := choose(network); r.Fit != FitYes.String() {
		t.Errorf("with its router it fits %s", r.Fit)
	}
	ipCommand(t, "-n "+near+" link set eth0 down")
	ipCommand(t, "-n "+near+" link set eth0 address 02:00:00:00:00:99")
	ipCommand(t, "-n "+own+" neigh flush dev eth0")
	if r := choose(network); r.Fit != FitUnsure.String() {
		t.Errorf("before the router has answered it fits %s", r.Fit)
	}
	ipCommand(t, "-n "+near+" link set eth0 up")
	for end := time.Now().Add(20 * time.Second); ; {
		got, err := helper(t, near, "dial", "10.71.0.2", net.JoinHostPort("10.71.0.1", itoa(r.Port))).CombinedOutput()
		if r := choose(network); r.Fit == FitOtherNetwork.String() {
			break
		} else if time.Now().After(end) {
			t.Fatalf("another router is not noticed: %+v, %s, %v", r, got, err)
		}
	}
	if got, err := helper(t, near, "dial", "10.71.0.2", net.JoinHostPort("10.71.0.1", itoa(r.Port))).CombinedOutput(); err != nil || strings.TrimSpace(string(got)) != no {
		t.Errorf("on another network with the same numbers a neighbour gets %s, %v", got, err)
	}
}
