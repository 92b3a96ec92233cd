package lan

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// hello serves l: it greets whoever comes, and returns the port.
func hello(t *testing.T, l net.Listener) int {
	t.Helper()
	var g sync.WaitGroup
	g.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			g.Go(func() {
				_, _ = io.WriteString(c, "hello")
				_, _ = io.Copy(io.Discard, c)
				_ = c.Close()
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		g.Wait()
	})
	return l.Addr().(*net.TCPAddr).Port
}

// call says what somebody who dials addr gets. The connection stays open until
// the test ends.
func call(t *testing.T, addr netip.AddrPort) string {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr.String(), 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return said(t, c)
}

func said(t *testing.T, c net.Conn) string {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	b := make([]byte, 5)
	if _, err := io.ReadFull(c, b); err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal("neither served nor closed")
		}
		return ""
	}
	return string(b)
}

func listen(t *testing.T, addr string) net.Listener {
	t.Helper()
	l, err := Listen(t.Context(), addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func TestWildcardServesPrivateAddressesAndNoPublicOne(t *testing.T) {
	for _, wild := range []string{":0", "[::]:0", "0.0.0.0:0"} {
		t.Run(wild, func(t *testing.T) {
			port := hello(t, listen(t, wild))
			us, err := Look()
			if err != nil {
				t.Fatal(err)
			}
			served := 0
			for _, a := range us.Addrs() {
				if a.Kind == LinkLocal && a.IP.Is6() || wild == "0.0.0.0:0" && a.IP.Is6() {
					continue // needs a zone; not listening
				}
				got := call(t, netip.AddrPortFrom(a.IP, uint16(port)))
				if want := map[bool]string{true: "", false: "hello"}[a.Kind == Public]; got != want {
					t.Errorf("%v answers %q, want %q", a, got, want)
				}
				served++
			}
			if served == 0 {
				t.Error("no address was tried")
			}
		})
	}
}

// Go takes 0.0.0.0 for IPv6 too, which is not what the owner wrote.
func TestIPv4WildcardLeavesIPv6Alone(t *testing.T) {
	port := hello(t, listen(t, "0.0.0.0:0"))
	if c, err := net.DialTimeout("tcp", netip.AddrPortFrom(ip("::1"), uint16(port)).String(), 5*time.Second); err == nil {
		_ = c.Close()
		t.Error("IPv6 is open")
	}
}

// This needs no network card with a public address: the listener is told that
// it has one.
func TestPrivateOnlyClosesWhatCameByAPublicAddress(t *testing.T) {
	for local, serves := range map[string]bool{
		"8.8.8.8": false, "2001:db8::1": false, "::ffff:8.8.8.8": false, "": false,
		"192.168.1.1": true, "::ffff:10.0.0.1": true, "fd00::1": true, "fe80::1": true, "127.0.0.1": true, "100.64.0.1": true, "169.254.1.1": true,
	} {
		inner, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		var as net.Addr = &net.UnixAddr{} // no TCP address: treated with suspicion
		if local != "" {
			as = &net.TCPAddr{IP: net.ParseIP(local), Port: 1}
		}
		port := hello(t, PrivateOnly(pretend{inner, as}))
		if got := call(t, netip.AddrPortFrom(ip("127.0.0.1"), uint16(port))); (got == "hello") != serves {
			t.Errorf("%q answers %q", local, got)
		}
	}
}

// pretend has its connections come in by another address.
type pretend struct {
	net.Listener
	local net.Addr
}

func (p pretend) Accept() (net.Conn, error) {
	c, err := p.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return pretendConn{c, p.local}, nil
}

type pretendConn struct {
	net.Conn
	local net.Addr
}

func (p pretendConn) LocalAddr() net.Addr { return p.local }

func TestExplicitAddressIsNotWrapped(t *testing.T) {
	l := listen(t, "127.0.0.1:0")
	if _, wrapped := l.(only); wrapped {
		t.Error("the owner named the address, public or not")
	}
	if _, wrapped := listen(t, ":0").(only); !wrapped {
		t.Error("a wildcard is open to public addresses")
	}
	port := hello(t, l)
	if got := call(t, netip.AddrPortFrom(ip("127.0.0.1"), uint16(port))); got != "hello" {
		t.Errorf("got %q", got)
	}
}

// Who decides is told both ends, asked each time, and cannot open a public
// address by mistake.
func TestListenAsksWhoMayComeIn(t *testing.T) {
	var open atomic.Bool
	var asked atomic.Pointer[[2]netip.Addr]
	admits := func(local, remote netip.Addr) bool {
		asked.Store(&[2]netip.Addr{local, remote})
		return open.Load()
	}
	l, err := Listen(t.Context(), ":0", admits)
	if err != nil {
		t.Fatal(err)
	}
	port := hello(t, l)
	for _, to := range []string{"127.0.0.1", "::1"} {
		for _, want := range []bool{true, false, true} {
			open.Store(want)
			if got := call(t, netip.AddrPortFrom(ip(to), uint16(port))); (got == "hello") != want {
				t.Errorf("%s answers %q", to, got)
			}
			about := *asked.Load()
			if about[0].Unmap().WithZone("") != ip(to) || about[1] != ip(to) {
				t.Errorf("was asked about %v", about)
			}
			if runtime.GOOS == "linux" && about[0].Zone() != "lo" {
				t.Errorf("came in by %q", about[0].Zone())
			}
		}
	}
	open.Store(true)
	if admits := l.(only).admits; admits(ip("8.8.8.8"), ip("8.8.4.4")) || admits(netip.Addr{}, ip("8.8.4.4")) || !admits(ip("10.0.0.1"), ip("10.0.0.2")) {
		t.Error("a public address is open, or a private one closed")
	}

	open.Store(false)
	named, err := Listen(t.Context(), "127.0.0.1:0", admits)
	if err != nil {
		t.Fatal(err)
	}
	if got := call(t, netip.AddrPortFrom(ip("127.0.0.1"), uint16(hello(t, named)))); got != "hello" {
		t.Errorf("the owner named the address, and it answers %q", got)
	}
}

// A connection that is none of the system's tells no interface.
func TestArrivalOfWhatIsNoSocket(t *testing.T) {
	a, b := net.Pipe()
	defer b.Close()
	defer a.Close()
	if via := arrival(a); via != "" {
		t.Errorf("a pipe came in by %q", via)
	}
	l := listen(t, "127.0.0.1:0")
	c := one(t, "127.0.0.1", l.Addr().(*net.TCPAddr).Port)
	_ = c.Close()
	if via := arrival(c); via != "" {
		t.Errorf("a closed connection came in by %q", via)
	}
}

func TestListenErrorsCanBeToldApart(t *testing.T) {
	for _, addr := range []string{"", "11435", ":", ":x", ":65536", ":-1", "::1:11435", "127.0.0.1", "[::1]"} {
		_, err := Listen(t.Context(), addr, nil)
		if bad, ok := errors.AsType[*AddressError](err); !ok || bad.Addr != addr {
			t.Errorf("%q: %v", addr, err)
		}
	}

	taken := listen(t, "127.0.0.1:0")
	port := taken.Addr().(*net.TCPAddr).Port
	for _, addr := range []string{taken.Addr().String(), net.JoinHostPort("", itoa(port))} {
		_, err := Listen(t.Context(), addr, nil)
		inUse, ok := errors.AsType[*PortInUseError](err)
		if !ok || inUse.Port != port || inUse.Addr != addr {
			t.Fatalf("%s: %v", addr, err)
		}
		if !errors.Is(err, syscall.EADDRINUSE) && runtime.GOOS != "windows" {
			t.Errorf("the system's own error is lost: %v", err)
		}
		if runtime.GOOS == "linux" && (inUse.Holder == "" || !strings.Contains(err.Error(), inUse.Holder)) {
			t.Errorf("it is we who hold it: %v", err)
		}
	}

	_, err := Listen(t.Context(), "198.51.100.254:0", nil) // TEST-NET-2 is nobody's
	if away, ok := errors.AsType[*NoAddressError](err); !ok || away.Addr != "198.51.100.254:0" {
		t.Errorf("an address that is not ours: %v", err)
	}
	_, err = Listen(t.Context(), "no-such-name.invalid:0", nil)
	if _, ok := errors.AsType[*NoAddressError](err); !ok {
		t.Errorf("a name that nobody has: %v", err)
	}
	err = explain(&net.OpError{Op: "listen", Err: os.NewSyscallError("bind", errDenied)}, ":80", 80)
	if low, ok := errors.AsType[*PrivilegedPortError](err); !ok || low.Port != 80 || !errors.Is(err, errDenied) {
		t.Errorf("a port that is reserved: %v", err)
	}
	odd := errors.New("odd")
	if err = explain(odd, ":1", 1); !errors.Is(err, odd) || !strings.Contains(err.Error(), ":1") {
		t.Errorf("something else: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if l, err := Listen(ctx, "localhost:0", nil); err == nil {
		_ = l.Close() // names in a hosts file need no waiting
	}
}

func itoa(n int) string {
	return netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(n)).String()[len("0.0.0.0:"):]
}
