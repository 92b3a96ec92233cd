//go:build linux && e2e

package discovery

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/ipv4"

	"paddock/internal/testnet"
	"paddock/lan"
)

// These tests stand in network namespaces of their own, and ask with avahi, whose
// daemons run there on buses of their own. They need root, and from Debian:
// iproute2, avahi-daemon, avahi-utils, dbus.

func init() { child = work }

// work is the test binary in a namespace. The first argument after "--" says
// what it does.
func work() {
	var err error
	switch what, args := os.Args[len(os.Args)-2], os.Args[len(os.Args)-1]; what {
	case "announce":
		err = announceFor(os.Stdin, os.Stdout)
	case "ask":
		err = askPlainly(os.Stdout, args)
	case "hold":
		err = holdPort(os.Stdin, os.Stdout)
	default:
		err = fmt.Errorf("%q is no work", what)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// announceFor takes a Service a line, "null" too, and writes a State a line.
func announceFor(in io.Reader, out io.Writer) error {
	a := New()
	defer a.Close()
	woken, stop := a.Watch()
	defer stop()
	lines := make(chan *Service)
	go func() {
		defer close(lines)
		for d := json.NewDecoder(in); ; {
			var s *Service
			if d.Decode(&s) != nil {
				return
			}
			lines <- s
		}
	}()
	for {
		select {
		case s, ok := <-lines:
			if !ok {
				return nil
			}
			a.Set(s)
		case <-woken:
			s := a.State()
			told := map[string]any{"State": s, "Why": fmt.Sprint(s.Err)}
			s.Err = nil
			told["State"] = s
			if err := json.NewEncoder(out).Encode(told); err != nil {
				return err
			}
		}
	}
}

// askPlainly asks as a resolver that knows plain DNS, and writes the answers.
// args are the hop limit and the name.
func askPlainly(out io.Writer, args string) error {
	var hops int
	var name string
	if _, err := fmt.Sscanf(args, "%d %s", &hops, &name); err != nil {
		return err
	}
	c, err := net.ListenUDP("udp4", nil)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if err := ipv4.NewPacketConn(c).SetMulticastTTL(hops); err != nil {
		return err
	}
	q := question(name, 1)
	q.Id = 4711
	b, err := q.Pack()
	if err != nil {
		return err
	}
	if _, err := c.WriteTo(b, net.UDPAddrFromAddrPort(groups[v4])); err != nil {
		return err
	}
	_ = c.SetReadDeadline(time.Now().Add(2 * time.Second))
	b = make([]byte, largest)
	n, from, err := c.ReadFrom(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	if m, ok := parse(b[:n]); ok && m.Id == 4711 {
		fmt.Fprintln(out, from, words(m.Answer))
	}
	return err
}

// holdPort has the port of both families for itself.
func holdPort(in io.Reader, out io.Writer) error {
	for _, network := range []string{"udp4", "udp6"} {
		c, err := net.ListenUDP(network, &net.UDPAddr{Port: port})
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }()
	}
	fmt.Fprintln(out, "held")
	_, err := io.Copy(io.Discard, in)
	return err
}

// gate is an Announcer in a place.
type gate struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *testnet.Output
}

func newGate(t *testing.T, p *testnet.Place) *gate {
	t.Helper()
	cmd, in, out := p.Start([]string{"PADDOCK_DISCOVERY_CHILD=1"}, os.Args[0], "--", "announce", "-")
	return &gate{t, cmd, in, out}
}

func (g *gate) set(s *Service) {
	g.t.Helper()
	if err := json.NewEncoder(g.in).Encode(s); err != nil {
		g.t.Fatal(err)
	}
}

// state is the last one that was written.
func (g *gate) state() (s State, why string) {
	var told struct {
		State State
		Why   string
	}
	for lines := bufio.NewScanner(strings.NewReader(g.out.String())); lines.Scan(); {
		_ = json.Unmarshal(lines.Bytes(), &told)
	}
	return told.State, told.Why
}

func (g *gate) until(what string, met func(State) bool) {
	g.t.Helper()
	testnet.Within(g.t, 15*time.Second, what, func() (bool, string) {
		s, why := g.state()
		return met(s), fmt.Sprintf("%+v %s", s, why)
	})
}

// ask is what a plain resolver in a place gets.
func askFrom(t *testing.T, p *testnet.Place, hops int, name string) string {
	t.Helper()
	cmd := exec.Command("ip", "netns", "exec", p.Name, os.Args[0], "--", "ask", fmt.Sprint(hops, " ", name))
	cmd.Env = append(os.Environ(), "PADDOCK_DISCOVERY_CHILD=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

func on(iface string, addrs ...string) []lan.Addr {
	var list []lan.Addr
	for _, a := range addrs {
		list = append(list, lan.Addr{IP: netip.MustParseAddr(a), Interface: iface})
	}
	return list
}
