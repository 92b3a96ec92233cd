//go:build linux

// Package testnet makes hosts and networks for tests, out of network namespaces.
//
// It needs root and, from Debian, iproute2; for Avahi also avahi-daemon,
// avahi-utils and dbus. What is missing fails the test with the reason: one that
// does not run is no proof.
package testnet

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Place is a network namespace.
type Place struct {
	t *testing.T
	// Name is what ip netns exec takes.
	Name string
}

// Needs fails when a program is missing.
func Needs(t *testing.T, programs ...string) {
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

var placeNumber atomic.Int64

// NewPlace makes one, which ends with the test.
func NewPlace(t *testing.T) *Place {
	t.Helper()
	p := &Place{t, fmt.Sprintf("paddock-%d-%d", os.Getpid(), placeNumber.Add(1))}
	Run(t, "ip", "netns", "add", p.Name)
	t.Cleanup(func() { Run(t, "ip", "netns", "del", p.Name) })
	p.IP("link", "set", "lo", "up")
	return p
}

// Run runs a program that ends soon.
func Run(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// IP runs the ip command for a place.
func (p *Place) IP(args ...string) {
	p.t.Helper()
	Run(p.t, append([]string{"ip", "-n", p.Name}, args...)...)
}

// Cable joins two places; each end has an address, such as 10.77.0.1/24.
func Cable(a *Place, atA, addrA string, b *Place, atB, addrB string) {
	a.t.Helper()
	a.IP("link", "add", atA, "type", "veth", "peer", "name", atB, "netns", b.Name)
	for _, end := range []struct {
		p        *Place
		at, addr string
	}{{a, atA, addrA}, {b, atB, addrB}} {
		end.p.IP("addr", "add", end.addr, "dev", end.at)
		end.p.IP("link", "set", end.at, "up")
		// For programs that do not name an interface.
		end.p.IP("route", "replace", "224.0.0.0/4", "dev", end.at)
	}
}

// Start runs a program in a place until the test ends.
func (p *Place) Start(env []string, args ...string) (*exec.Cmd, io.WriteCloser, *Output) {
	p.t.Helper()
	cmd := exec.Command("ip", append([]string{"netns", "exec", p.Name}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	in, err := cmd.StdinPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	out := &Output{}
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

// Output is what a program wrote.
type Output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (o *Output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(b)
}

// String returns all of it so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// Within waits for a condition, or fails with what is there instead.
func Within(t *testing.T, limit time.Duration, want string, met func() (bool, string)) time.Duration {
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

// Avahi is a responder and resolver in a place, with a bus of its own.
type Avahi struct {
	p   *Place
	bus string
	// Log is what its daemon wrote.
	Log *Output
}

const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=%s</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`

// Avahi starts it; its files under /run are in a mount namespace of its own,
// which "ip netns exec" makes.
func (p *Place) Avahi(hostname string) *Avahi {
	p.t.Helper()
	Needs(p.t, "ip", "avahi-daemon", "avahi-browse", "avahi-resolve", "dbus-daemon")
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
	a := &Avahi{p: p, bus: "DBUS_SYSTEM_BUS_ADDRESS=unix:path=" + socket}
	p.Start(nil, "dbus-daemon", "--nofork", "--config-file="+write("bus.conf", fmt.Sprintf(busConfig, socket)))
	Within(p.t, 10*time.Second, "a bus", func() (bool, string) {
		_, err := os.Stat(socket)
		return err == nil, fmt.Sprint(err)
	})
	conf := write("avahi.conf", "[server]\nhost-name="+hostname+"\nuse-ipv4=yes\nuse-ipv6=yes\n[wide-area]\nenable-wide-area=no\n[publish]\npublish-workstation=no\n")
	_, _, a.Log = p.Start([]string{a.bus}, "sh", "-c",
		"mount -t tmpfs none /run && mkdir /run/avahi-daemon && exec avahi-daemon --no-drop-root --no-chroot --no-rlimits -f "+conf)
	Within(p.t, 15*time.Second, "avahi", func() (bool, string) {
		log := a.Log.String()
		return strings.Contains(log, "Server startup complete"), log
	})
	return a
}

// Tool runs one of avahi's programs, which gives up after ten seconds.
func (a *Avahi) Tool(args ...string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), a.bus)
	out, _ := cmd.CombinedOutput() // a name that is not found is an error of theirs
	return string(out)
}

// Seen is a gate as avahi-browse resolves it.
type Seen struct{ Interface, Family, Instance, Host, Addr, Port, TXT string }

// Browse returns the gates that answer now.
func (a *Avahi) Browse() []Seen {
	var all []Seen
	for line := range strings.Lines(a.Tool("avahi-browse", "-rtpk", "_paddock._tcp")) {
		f := strings.SplitN(strings.TrimSpace(line), ";", 10)
		if f[0] == "=" && len(f) == 10 {
			all = append(all, Seen{f[1], f[2], f[3], f[6], f[7], f[8], f[9]})
		}
	}
	return all
}
