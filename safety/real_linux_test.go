package safety

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestTheEnvironmentOfARunningOllama starts a process of that name.
func TestTheEnvironmentOfARunningOllama(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ollama := filepath.Join(t.TempDir(), "ollama")
	copyFile(t, self, ollama)
	start := func(args ...string) int {
		t.Helper()
		c := exec.CommandContext(t.Context(), ollama, args...)
		c.Env = []string{"PADDOCK_TEST_STANDS_IN=1", "SECRET=x", "OLLAMA_HOST=0.0.0.0:45678", "OLLAMA_ORIGINS=https://a.example"}
		in, err1 := c.StdinPipe()
		out, err2 := c.StdoutPipe()
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = in.Close()
			_ = c.Wait()
		})
		if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "up\n" {
			t.Fatalf("%q, %v", line, err)
		}
		return c.Process.Pid
	}
	server, client := start("serve"), start("run", "tiny")
	f := NewFinder(t.TempDir())
	var got *Server
	for _, s := range f.Servers(t.Context()) {
		if s.PID == client {
			t.Error("a client is taken for a server")
		}
		if s.PID == server {
			got = &s
		}
	}
	if got == nil {
		t.Fatal("not found")
	}
	if !got.Readable || got.Host != "0.0.0.0:45678" || got.Origins != "https://a.example" || got.Apart || got.From != FromProcess {
		t.Errorf("%+v", *got)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	if os.Link(from, to) == nil {
		return
	}
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o700)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOwnListenersAreKnownAsOwn(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	at := l.Addr().(*net.TCPAddr).AddrPort()
	got := NewFinder(t.TempDir()).Listeners(t.Context(), int(at.Port()))
	if !got.Read || !slices.Equal(got.List, []Listener{{Addr: at, Own: true}}) {
		t.Errorf("%+v, want %v", got, at)
	}
}

// TestARealWayAround runs in a network of its own, with one address that is not
// loopback and Ollama on all of them.
func TestARealWayAround(t *testing.T) {
	if os.Getenv("PADDOCK_TEST_OWN_NETWORK") == "" {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		c := exec.CommandContext(t.Context(), self, "-test.run=^TestARealWayAround$", "-test.v")
		c.Env = append(os.Environ(), "PADDOCK_TEST_OWN_NETWORK=1")
		c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		if os.Getuid() != 0 {
			c.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
			c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
			c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
		}
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	addressOfLo(t, netip.MustParseAddr("10.98.7.6"))
	l, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(ollama), ReadHeaderTimeout: time.Second}
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(l) }()
	defer func() { _ = s.Close(); <-done }()
	port := l.Addr().(*net.TCPAddr).Port

	ask := Ask{Addrs: []netip.Addr{ip("127.0.0.1"), ip("10.98.7.6"), ip("192.0.2.9")}, OllamaPort: port, Port: port + 1}
	e := calm("linux")
	e.Found = NewFinder(t.TempDir()).Find(t.Context(), ask)
	if f := Judge(e)[0]; f.ID != OllamaReach || f.Level != Problem || len(f.Items) != 1 {
		t.Errorf("%+v\n%+v", f, e.Found.Probe)
	}
	_ = s.Close()
	<-done
	e.Found = NewFinder(t.TempDir()).Find(t.Context(), ask)
	if f := Judge(e)[0]; f.Level != OK {
		t.Errorf("%+v\n%+v", f, e.Found.Probe)
	}
}

// addressOfLo gives the loopback device an address and switches it on
// (netdevice(7)).
func addressOfLo(t *testing.T, addr netip.Addr) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fd) }()
	request, err := unix.NewIfreq("lo")
	if err != nil {
		t.Fatal(err)
	}
	if err := request.SetInet4Addr(addr.AsSlice()); err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFADDR, request); err != nil {
		t.Fatal(err)
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request); err != nil {
		t.Fatal(err)
	}
}

// A round must not be noticed: it runs whenever something changes.
func BenchmarkRound(b *testing.B) {
	f := NewFinder(b.TempDir())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	for b.Loop() {
		e := calm("linux")
		e.Found = f.Find(b.Context(), Ask{OllamaPort: port, Port: port})
		if len(Judge(e)) != 14 {
			b.Fatal("facts are missing")
		}
	}
}
