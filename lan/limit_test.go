package lan

import (
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"
)

// one dials from a given loopback address, of which Linux has many.
func one(t *testing.T, from string, port int) net.Conn {
	t.Helper()
	d := net.Dialer{Timeout: 5 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := d.DialContext(t.Context(), "tcp", netip.AddrPortFrom(ip("127.0.0.1"), uint16(port)).String())
	if err != nil {
		t.Skip("this system has one loopback address only:", err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func fixed(total, perAddress int) func() (int, int) {
	return func() (int, int) { return total, perAddress }
}

// Ten thousand idle connections from one address must not lock out others; a
// few say the same.
func TestOneAddressDoesNotLockOutOthers(t *testing.T) {
	l := Limit(listen(t, ":0"), fixed(40, 10))
	port := hello(t, l)
	var idle []net.Conn
	for range 10 {
		c := one(t, "127.0.0.1", port)
		if said(t, c) != "hello" {
			t.Fatal("refused below the limit")
		}
		idle = append(idle, c)
	}
	for range 200 {
		if said(t, one(t, "127.0.0.1", port)) != "" {
			t.Fatal("served beyond the limit")
		}
	}
	if said(t, one(t, "127.0.0.2", port)) != "hello" {
		t.Fatal("another address was locked out")
	}
	// A place that is given back is free again, as soon as the server has
	// noticed.
	_ = idle[0].Close()
	for end := time.Now().Add(10 * time.Second); said(t, one(t, "127.0.0.1", port)) != "hello"; {
		if time.Now().After(end) {
			t.Fatal("the place did not come back")
		}
	}
}

func TestAllAddressesTogetherHaveALimit(t *testing.T) {
	port := hello(t, Limit(listen(t, "127.0.0.1:0"), fixed(6, 3)))
	for _, from := range []string{"127.0.0.1", "127.0.0.2"} {
		for range 3 {
			if said(t, one(t, from, port)) != "hello" {
				t.Fatal("refused below the limit")
			}
		}
	}
	if said(t, one(t, "127.0.0.3", port)) != "" {
		t.Fatal("served beyond the limit")
	}
}

func TestNoneIsNoLimit(t *testing.T) {
	port := hello(t, Limit(listen(t, "127.0.0.1:0"), fixed(0, 0)))
	for range 100 {
		if said(t, one(t, "127.0.0.1", port)) != "hello" {
			t.Fatal("refused without a limit")
		}
	}
}

func TestALimitThatChangesHoldsForTheNextConnection(t *testing.T) {
	var each atomic.Int64
	each.Store(1)
	port := hello(t, Limit(listen(t, "127.0.0.1:0"), func() (int, int) { return 0, int(each.Load()) }))
	first := one(t, "127.0.0.1", port)
	if said(t, first) != "hello" || said(t, one(t, "127.0.0.1", port)) != "" {
		t.Fatal("the first limit is another one")
	}
	each.Store(2)
	if said(t, one(t, "127.0.0.1", port)) != "hello" {
		t.Fatal("the limit has not grown")
	}
	each.Store(1)
	if said(t, one(t, "127.0.0.1", port)) != "" {
		t.Fatal("the limit has not shrunk")
	}
}

func TestPlacesAreGivenBackOnceAndForgotten(t *testing.T) {
	inner := listen(t, "127.0.0.1:0")
	l := Limit(inner, fixed(2, 2)).(*limited)
	client := one(t, "127.0.0.1", inner.Addr().(*net.TCPAddr).Port)
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if c.(interface{ NetConn() net.Conn }).NetConn().RemoteAddr().String() != client.LocalAddr().String() {
		t.Error("the connection below is another one")
	}
	for range 3 {
		_ = c.Close() // net/http may close twice
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all != 0 || len(l.held) != 0 {
		t.Errorf("%d held, %v", l.all, l.held)
	}
}

// On a local network everybody shares one /64: a stranger's idle connections
// must not lock out whoever else is on it. But nobody gets more than half of the
// places by having many addresses.
func TestIPv6NeighboursHavePlacesOfTheirOwn(t *testing.T) {
	l := Limit(nil, fixed(20, 4)).(*limited)
	take := func(addr string) bool { return l.take(whence(ip(addr))) }
	for range 4 {
		if !take("fe80::1%eth0") {
			t.Fatal("refused within the limit")
		}
	}
	if take("fe80::1%eth0") || take("fe80::1%eth1") {
		t.Error("a fifth connection of one address")
	}
	if !take("fe80::2%eth0") {
		t.Error("a neighbour is locked out")
	}
	for i, addr := range []string{"fe80::3", "fe80::4", "fe80::5", "fe80::6", "fe80::7"} {
		if !take(addr) {
			t.Fatalf("connection %d of the network", i+6)
		}
	}
	if take("fe80::8") {
		t.Error("more than half of all places for one network")
	}
	if !take("2001:db8::1") || !take("10.0.0.1") || !take("10.0.0.2") {
		t.Error("others are locked out")
	}
	for _, same := range [][2]string{{"::ffff:10.0.0.1", "10.0.0.1"}, {"fe80::1%eth0", "fe80::1"}} {
		a, _ := whence(ip(same[0]).Unmap())
		b, _ := whence(ip(same[1]).Unmap())
		if a != b {
			t.Errorf("%s and %s are one address", same[0], same[1])
		}
	}
	if a, n := whence(netip.Addr{}); a != (netip.Prefix{}) || n != a {
		t.Error("no address has a place of its own")
	}
}
