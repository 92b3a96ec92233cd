package cert

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paddock/lan"
)

// ready makes an Identity that shows a certificate of a new authority.
func ready(t testing.TB, us lan.Us, now time.Time) (*Identity, *Authority) {
	t.Helper()
	a := newAuthority(t, us, now)
	i := NewIdentity()
	i.SetAuthority(a)
	if !i.Refresh(us, now) {
		t.Fatal("nothing to show")
	}
	return i, a
}

func serial(i *Identity) string { return i.face.Load().cert.Leaf.SerialNumber.String() }

func TestWithoutACertificateHandshakesFailAndSayWhy(t *testing.T) {
	i := NewIdentity()
	if i.Refresh(laptop(), noon()) {
		t.Error("nothing is something else than nothing")
	}
	if s := i.State(); s.Ready || s.Problem != nil {
		t.Errorf("%+v", s)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	said := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			err = tls.Server(c, i.TLSConfig()).HandshakeContext(context.Background())
			_ = c.Close()
		}
		said <- err
	}()
	if c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{ServerName: "localhost"}); err == nil {
		_ = c.Close()
		t.Error("the handshake succeeds")
	}
	if err := <-said; !errors.Is(err, ErrNoIdentity) {
		t.Errorf("the server says %v", err)
	}
}

func TestTheConfigurationOfTheListener(t *testing.T) {
	i, a := ready(t, laptop(), noon())
	c := i.TLSConfig()
	if c.MinVersion != tls.VersionTLS12 || c.MaxVersion != 0 || c.CipherSuites != nil || c.SessionTicketsDisabled ||
		!slices.Equal(c.NextProtos, []string{"h2", "http/1.1"}) {
		t.Errorf("%+v", c)
	}
	at := serve(t, c)
	dial := func(low, high uint16, protocols ...string) (tls.ConnectionState, error) {
		conn, err := tls.Dial("tcp", at, &tls.Config{RootCAs: pool(a), ServerName: "localhost", MinVersion: low, MaxVersion: high, NextProtos: protocols})
		if err != nil {
			return tls.ConnectionState{}, err
		}
		defer conn.Close()
		return conn.ConnectionState(), nil
	}
	if s, err := dial(0, 0, "http/1.1", "h2"); err != nil || s.Version != tls.VersionTLS13 || s.NegotiatedProtocol != "h2" {
		t.Errorf("%x %q, %v", s.Version, s.NegotiatedProtocol, err)
	}
	if s, err := dial(0, tls.VersionTLS12); err != nil || s.Version != tls.VersionTLS12 || s.NegotiatedProtocol != "" {
		t.Errorf("%x %q, %v", s.Version, s.NegotiatedProtocol, err)
	}
	if s, err := dial(tls.VersionTLS10, tls.VersionTLS11); err == nil {
		t.Errorf("version %x is spoken", s.Version)
	}
}

func TestStateTellsWhatIsShown(t *testing.T) {
	now := noon()
	a, err := New(laptop(), now, true)
	if err != nil {
		t.Fatal(err)
	}
	i := NewIdentity()
	i.SetAuthority(a)
	i.Refresh(laptop(), now)
	leaf := i.face.Load().cert.Leaf
	s := i.State()
	if !s.Ready || s.Own || !s.Temporary || s.Problem != nil || s.Fingerprint != a.Fingerprint() ||
		!s.NotAfter.Equal(leaf.NotAfter) || !s.AuthorityNotAfter.Equal(a.NotAfter()) || !slices.Equal(s.Names, leaf.DNSNames) {
		t.Errorf("%+v", s)
	}
	if len(s.Addresses) != len(leaf.IPAddresses) || s.Addresses[0].String() != "192.168.1.20" {
		t.Errorf("addresses %v", s.Addresses)
	}
	s.Names[0] = "mine"
	clear(s.Addresses)
	if again := i.State(); again.Names[0] == "mine" || !again.Addresses[0].IsValid() {
		t.Error("a caller can change it")
	}
}

func TestALeafIsMadeAnewWhenItMust(t *testing.T) {
	start := noon()
	day := 24 * time.Hour
	moved := lan.New("Anna-Laptop.office.lan", addr("10.0.0.9"))
	public := lan.New("Anna-Laptop.office.lan", append(laptop().Addrs(), addr("2001:db8::77"))...)
	for _, c := range []struct {
		story string
		us    lan.Us
		at    time.Time
		want  bool
	}{
		{"nothing happened", laptop(), start.Add(2 * time.Second), false},
		{"another address", moved, start.Add(2 * time.Second), true},
		{"another name", lan.New("bert", laptop().Addrs()...), start.Add(2 * time.Second), true},
		{"an address that it does not hold anyway", public, start.Add(2 * time.Second), false},
		{"a third and a minute left", laptop(), start.Add(20*day - 20*time.Minute - time.Minute), false},
		{"a third left", laptop(), start.Add(20*day - 20*time.Minute), true},
		{"after its end", laptop(), start.Add(40 * day), true},
		{"the clock a minute back", laptop(), start.Add(-time.Minute), false},
		{"the clock a year back, before the authority itself", laptop(), start.AddDate(-1, 0, 0), false},
	} {
		i, _ := ready(t, laptop(), start)
		before := serial(i)
		changed := i.Refresh(c.us, c.at)
		if got := serial(i) != before; got != c.want {
			t.Errorf("%s: anew is %v", c.story, got)
		}
		if c.want && !changed {
			t.Errorf("%s: not told", c.story)
		}
	}
}

func TestAnotherAddressIsOnlyInTheNextLeaf(t *testing.T) {
	now := noon()
	i, a := ready(t, laptop(), now)
	moved := lan.New("Anna-Laptop.office.lan", addr("10.0.0.9"))
	i.Refresh(moved, now.Add(2*time.Second))
	leaf := i.face.Load().cert.Leaf
	if leaf.VerifyHostname("10.0.0.9") != nil || leaf.VerifyHostname("192.168.1.20") == nil {
		t.Errorf("addresses %v", leaf.IPAddresses)
	}
	if s := i.State(); s.Fingerprint != a.Fingerprint() || s.Addresses[0].String() != "10.0.0.9" {
		t.Errorf("%+v", s)
	}
}

// An interface that comes and goes must not make a certificate each time; the
// last state of it must get one all the same.
func TestAnInterfaceThatComesAndGoes(t *testing.T) {
	now := noon()
	i, _ := ready(t, laptop(), now)
	without := lan.New("Anna-Laptop.office.lan", addr("127.0.0.1"))
	made := map[string]bool{serial(i): true}
	for n := 1; n <= 30; n++ { // three seconds
		us := laptop()
		if n%2 == 1 {
			us = without
		}
		i.Refresh(us, now.Add(time.Duration(n)*100*time.Millisecond))
		made[serial(i)] = true
	}
	if len(made) > 8 || len(made) < 2 {
		t.Errorf("%d certificates", len(made))
	}
	i.Refresh(without, now.Add(5*time.Second))
	if a := i.State().Addresses; len(a) != 2 {
		t.Errorf("the last state has no certificate: %v", a)
	}
}

// A new address is shown to the owner at once, so it must work at once: a laptop
// that was unplugged and plugged in elsewhere within a second was refused by
// every client for two more.
func TestANewAddressWaitsForNothing(t *testing.T) {
	now := noon()
	i, _ := ready(t, laptop(), now)
	i.Refresh(lan.New("Anna-Laptop.office.lan", addr("10.0.0.9")), now.Add(10*time.Millisecond))
	if leaf := i.face.Load().cert.Leaf; leaf.VerifyHostname("10.0.0.9") != nil {
		t.Errorf("addresses %v", leaf.IPAddresses)
	}
}

// A clock that was ahead, or goes back and forth, must neither leave a
// certificate that begins in the future nor stop all renewals.
func TestTheClockGoesBackwards(t *testing.T) {
	start := noon()
	i, a := ready(t, laptop(), start)
	ahead := start.AddDate(1, 0, 0)
	i.Refresh(laptop(), ahead)
	for _, now := range []time.Time{start.Add(time.Minute), start.Add(time.Minute - time.Hour), start, ahead, start} {
		i.Refresh(laptop(), now)
		leaf := i.face.Load().cert.Leaf
		if err := validAt(now, leaf.NotBefore, leaf.NotAfter); err != nil {
			t.Errorf("at %v: %v", now, err)
		}
		if err := i.State().Problem; err != nil {
			t.Error(err)
		}
	}
	// Before the authority there is nothing to be had, once and not at each look.
	back := start.AddDate(-1, 0, 0)
	i.Refresh(laptop(), back)
	if err := i.State().Problem; !errors.Is(err, ErrNotYetValid) {
		t.Errorf("the problem is %v", err)
	}
	before := serial(i)
	for n := range 5 {
		if i.Refresh(laptop(), back.Add(time.Duration(n)*2*time.Second)) {
			t.Error("news at each look")
		}
	}
	if serial(i) != before {
		t.Error("a new certificate at each look")
	}
	i.Refresh(laptop(), start.Add(time.Hour))
	if err := i.State().Problem; err != nil || a.verify(i.face.Load().cert.Leaf) != nil {
		t.Error(err)
	}
	// An address that comes while the clock is back counts at once.
	i.Refresh(lan.New("anna-laptop", addr("10.0.0.9")), start.Add(-time.Second))
	if i.State().Addresses[0].String() != "10.0.0.9" {
		t.Error("the clock holds a certificate up")
	}
}

func TestAtItsEndAnAuthorityIsAProblemAndNotALoop(t *testing.T) {
	now := noon()
	i, a := ready(t, laptop(), now)
	last := a.NotAfter().Add(-time.Hour)
	i.Refresh(laptop(), last)
	before := serial(i)
	for n := range 20 {
		i.Refresh(laptop(), last.Add(time.Duration(n)*3*time.Minute))
	}
	if serial(i) != before {
		t.Error("it makes one after another that live no longer")
	}
	over := a.NotAfter().Add(time.Minute)
	if !i.Refresh(laptop(), over) || !errors.Is(i.State().Problem, ErrExpired) || !i.State().Ready {
		t.Errorf("%+v", i.State())
	}
	moved := lan.New("Anna-Laptop.office.lan", addr("10.0.0.9"))
	i.Refresh(moved, over.Add(2*time.Second))
	if !errors.Is(i.State().Problem, ErrExpired) || serial(i) != before {
		t.Errorf("%+v", i.State())
	}
	next := newAuthority(t, laptop(), over)
	i.SetAuthority(next)
	if !i.Refresh(laptop(), over.Add(2*time.Second)) || i.State().Problem != nil || next.verify(i.face.Load().cert.Leaf) != nil {
		t.Errorf("with the next one: %+v", i.State())
	}
}

func TestAnotherAuthorityTakesOverAtOnce(t *testing.T) {
	now := noon()
	i, a := ready(t, laptop(), now)
	before := serial(i)
	same, err := Parse(a.CertPEM(), a.KeyPEM())
	if err != nil {
		t.Fatal(err)
	}
	i.SetAuthority(same)
	if i.Refresh(laptop(), now) || serial(i) != before {
		t.Error("the same authority, read again, is another")
	}
	b := newAuthority(t, laptop(), now)
	i.SetAuthority(b)
	if !i.Refresh(laptop(), now) || b.verify(i.face.Load().cert.Leaf) != nil || i.State().Fingerprint != b.Fingerprint() {
		t.Error("the old one stays")
	}
	i.SetAuthority(nil)
	if !i.Refresh(laptop(), now) || i.State().Ready || i.State().Fingerprint != "" {
		t.Errorf("without one: %+v", i.State())
	}
	if _, err := i.certificate(nil); !errors.Is(err, ErrNoIdentity) {
		t.Error(err)
	}
}

func TestHandshakesSucceedWhileLeafsChange(t *testing.T) {
	now := noon()
	i, a := ready(t, laptop(), now)
	at := serve(t, i.TLSConfig())
	c := &tls.Config{RootCAs: pool(a), ServerName: "localhost"}
	var stop atomic.Bool
	var g sync.WaitGroup
	var shakes atomic.Int32
	for n := range 4 {
		g.Go(func() {
			mine := c.Clone()
			if n%2 == 1 {
				mine.MaxVersion = tls.VersionTLS12
				mine.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			}
			for !stop.Load() {
				conn, err := tls.Dial("tcp", at, mine)
				if err != nil {
					t.Error(err)
					return
				}
				_ = conn.Close()
				shakes.Add(1)
				i.State()
				i.Host("localhost")
			}
		})
	}
	made := map[string]bool{}
	deadline := time.Now().Add(30 * time.Second)
	for n := 0; (n < 50 || shakes.Load() < 100) && !t.Failed() && time.Now().Before(deadline); n++ {
		us := laptop()
		if n%2 == 0 {
			us = lan.New("Anna-Laptop", addr("10.0.0.9"))
		}
		i.Refresh(us, now.Add(time.Duration(n)*time.Second))
		made[serial(i)] = true
	}
	stop.Store(true)
	g.Wait()
	if len(made) < 50 || shakes.Load() < 100 {
		t.Errorf("%d certificates and %d handshakes", len(made), shakes.Load())
	}
}

// talk sends one request over an open connection.
func talk(t *testing.T, c *tls.Conn) {
	t.Helper()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	b := make([]byte, 1024)
	for !strings.HasSuffix(got.String(), "hello") {
		n, err := c.Read(b)
		if err != nil {
			t.Fatalf("%v after %q", err, got.String())
		}
		got.Write(b[:n])
	}
}

func TestAnOpenConnectionOutlivesItsLeafAndSessionsResume(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		now := noon()
		i, a := ready(t, laptop(), now)
		at := serve(t, i.TLSConfig())
		c := &tls.Config{RootCAs: pool(a), ServerName: "localhost", MaxVersion: version, ClientSessionCache: tls.NewLRUClientSessionCache(4)}
		dial := func() *tls.Conn {
			conn, err := tls.Dial("tcp", at, c)
			if err != nil {
				t.Fatal(err)
			}
			talk(t, conn) // TLS 1.3 brings its tickets after the handshake
			return conn
		}
		open := dial()
		defer open.Close()
		if open.ConnectionState().DidResume {
			t.Error("the first connection resumes")
		}
		before := serial(i)
		for n, us := range []lan.Us{lan.New("Anna-Laptop", addr("10.0.0.9")), laptop()} {
			next := dial()
			if !next.ConnectionState().DidResume {
				t.Errorf("version %x: connection %d does not resume", version, n)
			}
			_ = next.Close()
			i.Refresh(us, now.Add(time.Duration(n+1)*2*time.Second))
		}
		if serial(i) == before {
			t.Error("the certificate is the old one")
		}
		after := dial()
		if !after.ConnectionState().DidResume {
			t.Errorf("version %x: after another certificate nothing resumes", version)
		}
		_ = after.Close()
		talk(t, open)
	}
}

func TestHelloTimeWorkAllocatesNothing(t *testing.T) {
	i, _ := ready(t, laptop(), noon())
	hello := &tls.ClientHelloInfo{ServerName: "localhost"}
	if n := testing.AllocsPerRun(100, func() { _, _ = i.certificate(hello) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { i.Host("localhost") }); n > 0 {
		t.Errorf("%v allocations of Host without files", n)
	}
}

func BenchmarkGetCertificate(b *testing.B) {
	i, _ := ready(b, laptop(), noon())
	hello := &tls.ClientHelloInfo{ServerName: "localhost"}
	get := i.TLSConfig().GetCertificate
	b.ReportAllocs()
	for b.Loop() {
		if _, err := get(hello); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIdleRefresh(b *testing.B) {
	now := noon()
	i, _ := ready(b, laptop(), now)
	us := laptop()
	b.ReportAllocs()
	for b.Loop() {
		i.Refresh(us, now.Add(2*time.Second))
	}
}

// Both ends are in the numbers.
func BenchmarkFullHandshake(b *testing.B)    { benchmarkHandshake(b, false) }
func BenchmarkResumedHandshake(b *testing.B) { benchmarkHandshake(b, true) }

func benchmarkHandshake(b *testing.B, resume bool) {
	i, a := ready(b, laptop(), noon())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := tls.NewListener(l, i.TLSConfig())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := server.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte{0}) // brings the ticket with it
			_ = c.Close()
		}
	}()
	defer func() {
		_ = l.Close()
		<-done
	}()
	c := &tls.Config{RootCAs: pool(a), ServerName: "localhost"}
	if resume {
		c.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	}
	shake := func() bool {
		conn, err := tls.Dial("tcp", l.Addr().String(), c)
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.ReadAll(conn); err != nil {
			b.Fatal(err)
		}
		return conn.ConnectionState().DidResume
	}
	shake()
	b.ReportAllocs()
	for b.Loop() {
		if shake() != resume {
			b.Fatalf("resumed is not %v", resume)
		}
	}
}
