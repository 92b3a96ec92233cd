//go:build linux && e2e

package discovery

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/ipv4"

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

// place is a network namespace.
type place struct {
	t    *testing.T
	name string
}

// needs fails when a program is missing: a test that does not run is no proof.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("namespaces need root")
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Fatalf("%s is missing: apt-get install iproute2 avahi-daemon avahi-utils dbus", p)
		}
	}
}

var placeNumber int

func newPlace(t *testing.T) *place {
	t.Helper()
	placeNumber++
	p := &place{t, fmt.Sprintf("paddock-%d-%d", os.Getpid(), placeNumber)}
	run(t, "ip", "netns", "add", p.name)
	t.Cleanup(func() { run(t, "ip", "netns", "del", p.name) })
	p.ip("link", "set", "lo", "up")
	return p
}

// run runs a program that ends soon.
func run(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (p *place) ip(args ...string) {
	p.t.Helper()
	run(p.t, append([]string{"ip", "-n", p.name}, args...)...)
}

// cable joins two places; each end has an address, such as 10.77.0.1/24.
func cable(a *place, atA, addrA string, b *place, atB, addrB string) {
	a.t.Helper()
	a.ip("link", "add", atA, "type", "veth", "peer", "name", atB, "netns", b.name)
	for _, end := range []struct {
		p        *place
		at, addr string
	}{{a, atA, addrA}, {b, atB, addrB}} {
		end.p.ip("addr", "add", end.addr, "dev", end.at)
		end.p.ip("link", "set", end.at, "up")
		// For programs that do not name an interface.
		end.p.ip("route", "replace", "224.0.0.0/4", "dev", end.at)
	}
}

// start runs a program in a place until the test ends.
func (p *place) start(env []string, args ...string) (*exec.Cmd, io.WriteCloser, *output) {
	p.t.Helper()
	cmd := exec.Command("ip", append([]string{"netns", "exec", p.name}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	in, err := cmd.StdinPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	out := &output{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	p.t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Process.Signal(os.Interrupt)
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		if p.t.Failed() {
			p.t.Logf("%s said:\n%s", args[0], out)
		}
	})
	return cmd, in, out
}

// output is what a program wrote.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// within waits for a condition, or fails with what is there instead.
func within(t *testing.T, limit time.Duration, want string, met func() (bool, string)) time.Duration {
	t.Helper()
	begin := time.Now()
	for {
		ok, got := met()
		if ok {
			return time.Since(begin)
		}
		if time.Since(begin) > limit {
			t.Fatalf("after %v not %s, but:\n%s", limit, want, got)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// gate is an Announcer in a place.
type gate struct {
	p   *place
	cmd *exec.Cmd
	in  io.WriteCloser
	out *output
}

func (p *place) gate() *gate {
	p.t.Helper()
	cmd, in, out := p.start([]string{"PADDOCK_DISCOVERY_CHILD=1"}, os.Args[0], "--", "announce", "-")
	return &gate{p, cmd, in, out}
}

func (g *gate) set(s *Service) {
	g.p.t.Helper()
	if err := json.NewEncoder(g.in).Encode(s); err != nil {
		g.p.t.Fatal(err)
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
	g.p.t.Helper()
	within(g.p.t, 15*time.Second, what, func() (bool, string) {
		s, why := g.state()
		return met(s), fmt.Sprintf("%+v %s", s, why)
	})
}

// ask is what a plain resolver in a place gets.
func (p *place) ask(hops int, name string) string {
	p.t.Helper()
	cmd := exec.Command("ip", "netns", "exec", p.name, os.Args[0], "--", "ask", fmt.Sprint(hops, " ", name))
	cmd.Env = append(os.Environ(), "PADDOCK_DISCOVERY_CHILD=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("%v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// avahi is a responder and resolver in a place, with a bus of its own.
type avahi struct {
	p   *place
	bus string
	log *output
}

const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=%s</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`

// avahi starts it; its files under /run are in a mount namespace of its own,
// which "ip netns exec" makes.
func (p *place) avahi(hostname string) *avahi {
	p.t.Helper()
	needs(p.t, "ip", "avahi-daemon", "avahi-browse", "avahi-resolve", "dbus-daemon")
	dir, err := os.MkdirTemp("", "paddock-avahi") // short: a socket's path has 108 bytes
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = os.RemoveAll(dir) })
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			p.t.Fatal(err)
		}
		return path
	}
	socket := filepath.Join(dir, "bus")
	a := &avahi{p: p, bus: "DBUS_SYSTEM_BUS_ADDRESS=unix:path=" + socket}
	p.start(nil, "dbus-daemon", "--nofork", "--config-file="+write("bus.conf", fmt.Sprintf(busConfig, socket)))
	within(p.t, 10*time.Second, "a bus", func() (bool, string) {
		_, err := os.Stat(socket)
		return err == nil, fmt.Sprint(err)
	})
	conf := write("avahi.conf", "[server]\nhost-name="+hostname+"\nuse-ipv4=yes\nuse-ipv6=yes\n[wide-area]\nenable-wide-area=no\n[publish]\npublish-workstation=no\n")
	_, _, a.log = p.start([]string{a.bus}, "sh", "-c",
		"mount -t tmpfs none /run && mkdir /run/avahi-daemon && exec avahi-daemon --no-drop-root --no-chroot --no-rlimits -f "+conf)
	within(p.t, 15*time.Second, "avahi", func() (bool, string) {
		log := a.log.String()
		return strings.Contains(log, "Server startup complete"), log
	})
	return a
}

// tool runs one of avahi's programs, which gives up after ten seconds.
func (a *avahi) tool(args ...string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), a.bus)
	out, _ := cmd.CombinedOutput() // a name that is not found is an error of theirs
	return string(out)
}

// seen is a gate as avahi-browse resolves it.
type seen struct{ iface, family, instance, host, addr, port, txt string }

func (a *avahi) browse() []seen {
	var all []seen
	for line := range strings.Lines(a.tool("avahi-browse", "-rtpk", "_paddock._tcp")) {
		f := strings.SplitN(strings.TrimSpace(line), ";", 10)
		if f[0] == "=" && len(f) == 10 {
			all = append(all, seen{f[1], f[2], f[3], f[6], f[7], f[8], f[9]})
		}
	}
	return all
}

func on(iface string, addrs ...string) []lan.Addr {
	var list []lan.Addr
	for _, a := range addrs {
		list = append(list, lan.Addr{IP: netip.MustParseAddr(a), Interface: iface})
	}
	return list
}
