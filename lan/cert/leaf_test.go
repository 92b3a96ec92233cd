package cert

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"testing"
	"time"

	"paddock/lan"
)

func addresses(c *x509.Certificate) []string {
	var all []string
	for _, ip := range c.IPAddresses {
		all = append(all, ip.String())
	}
	return all
}

func TestALeafSpeaksForThisMachineOnTheLAN(t *testing.T) {
	now := noon()
	a := newAuthority(t, laptop(), now)
	c := issue(t, a, laptop(), now)
	leaf := c.Leaf
	if leaf == nil || len(c.Certificate) != 2 || string(c.Certificate[1]) != string(a.cert.Raw) {
		t.Fatal("the authority is not in the chain")
	}
	if !leaf.NotBefore.Equal(now.Add(-time.Hour)) || !leaf.NotAfter.Equal(now.Add(30*24*time.Hour)) {
		t.Errorf("valid from %v to %v", leaf.NotBefore, leaf.NotAfter)
	}
	if leaf.IsCA || leaf.KeyUsage != x509.KeyUsageDigitalSignature || !slices.Equal(leaf.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}) {
		t.Errorf("usages %v %v, authority %v", leaf.KeyUsage, leaf.ExtKeyUsage, leaf.IsCA)
	}
	wantNames := []string{"anna-laptop.office.lan", "anna-laptop", "anna-laptop.local", "localhost", "host.docker.internal"}
	if !slices.Equal(leaf.DNSNames, wantNames) {
		t.Errorf("names %v, want %v", leaf.DNSNames, wantNames)
	}
	wantAddrs := []string{"192.168.1.20", "fd12::5", "fe80::1", "169.254.7.7", "100.101.102.103", "127.0.0.1", "::1"}
	has(t, "the certificate", addresses(leaf), wantAddrs...)
	if len(leaf.IPAddresses) != len(wantAddrs) {
		t.Errorf("addresses %v", addresses(leaf))
	}
	for _, name := range slices.Concat(wantNames, wantAddrs) {
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: pool(a), DNSName: name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	again := issue(t, a, laptop(), now)
	if again.Leaf.SerialNumber.Cmp(leaf.SerialNumber) == 0 || again.PrivateKey == c.PrivateKey {
		t.Error("two certificates share a number or a key")
	}
}

func TestAMachineWithoutAnyNameOrAddressCanStillBeAskedLocally(t *testing.T) {
	a := newAuthority(t, lan.Us{}, noon())
	leaf := issue(t, a, lan.Us{}, noon()).Leaf
	if !slices.Equal(leaf.DNSNames, []string{"localhost"}) || !slices.Equal(addresses(leaf), []string{"127.0.0.1", "::1"}) {
		t.Errorf("%v %v", leaf.DNSNames, addresses(leaf))
	}
}

// The host name may change; the authority, which people trust by now, must not.
// One name outside of it would make clients refuse all the others too.
func TestAfterAnotherHostNameOnlyThePermittedNamesStay(t *testing.T) {
	now := noon()
	a := newAuthority(t, lan.New("anna"), now)
	renamed := lan.New("bert.office.example", addr("192.168.1.20"))
	leaf := issue(t, a, renamed, now).Leaf
	if !slices.Equal(leaf.DNSNames, []string{"bert.local", "localhost", "host.docker.internal"}) {
		t.Errorf("names %v", leaf.DNSNames)
	}
	for _, name := range append(leaf.DNSNames, "192.168.1.20") {
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: pool(a), DNSName: name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAMachineWithTwoHundredAddresses(t *testing.T) {
	now := noon()
	var all []lan.Addr
	for n := range byte(200) {
		all = append(all, lan.Addr{IP: netip.AddrFrom4([4]byte{172, 18, n, 1}), Interface: "docker0"})
	}
	us := lan.New("host", append(all, lan.Addr{IP: netip.MustParseAddr("192.168.1.20"), Interface: "wlan0"})...)
	a := newAuthority(t, us, now)
	leaf := issue(t, a, us, now).Leaf
	if len(leaf.IPAddresses) != maxAddrs || len(leaf.Raw) > 4096 {
		t.Errorf("%d addresses, %d bytes", len(leaf.IPAddresses), len(leaf.Raw))
	}
	has(t, "the certificate", addresses(leaf), "192.168.1.20", "127.0.0.1", "::1")
}

func TestALeafEndsWithItsAuthority(t *testing.T) {
	now := noon()
	a := newAuthority(t, laptop(), now)
	leaf := issue(t, a, laptop(), a.NotAfter().Add(-time.Hour)).Leaf
	if !leaf.NotAfter.Equal(a.NotAfter()) {
		t.Errorf("it ends at %v, the authority at %v", leaf.NotAfter, a.NotAfter())
	}
	if _, err := a.Issue(laptop(), a.NotAfter().Add(time.Second)); !errors.Is(err, ErrExpired) {
		t.Errorf("after the end: %v", err)
	}
}

// A clock that lost its battery shows 1970 until the network is up. What is
// signed then must still be of use to those whose clocks are right.
func TestALeafOfAWrongClockBeginsWithItsAuthority(t *testing.T) {
	now := noon()
	a := newAuthority(t, laptop(), now)
	leaf := issue(t, a, laptop(), time.Unix(0, 0)).Leaf
	if !leaf.NotBefore.Equal(a.cert.NotBefore) || leaf.NotAfter.Before(now.Add(29*24*time.Hour)) {
		t.Errorf("valid from %v to %v", leaf.NotBefore, leaf.NotAfter)
	}
}

// get is what a client made with Go sees.
func get(t *testing.T, a *Authority, url, serverName string) (string, error) {
	t.Helper()
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: pool(a), ServerName: serverName},
		ForceAttemptHTTP2: true,
	}
	defer transport.CloseIdleConnections()
	c := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	r, err := c.Get(url)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	return string(b), err
}

func TestGoClientsTakeALeaf(t *testing.T) {
	a := newAuthority(t, laptop(), noon())
	at := serve(t, showing(issue(t, a, laptop(), noon())))
	_, port, err := net.SplitHostPort(at)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "localhost", "anna-laptop.local", "192.168.1.20"} {
		if body, err := get(t, a, "https://127.0.0.1:"+port, name); err != nil || body != "hello" {
			t.Errorf("as %q: %q, %v", name, body, err)
		}
	}
}

func TestGoClientsRefuseWhatAStolenKeySigns(t *testing.T) {
	a := newAuthority(t, laptop(), noon())
	honest := sign(t, leafTemplate(t), a.cert, a.key, a.cert.Raw)
	if body, err := get(t, a, "https://"+serve(t, showing(honest)), ""); err != nil || body != "hello" {
		t.Fatalf("without a theft: %q, %v", body, err)
	}
	for _, theft := range thefts(t, a) {
		var invalid x509.CertificateInvalidError
		_, err := get(t, a, "https://"+serve(t, showing(theft.cert)), "")
		if !errors.As(err, &invalid) || invalid.Reason != x509.CANotAuthorizedForThisName && invalid.Reason != x509.TooManyIntermediates {
			t.Errorf("%s: %v", theft.story, err)
		}
	}
}

func FuzzIssue(f *testing.F) {
	for _, s := range []string{"anna", "dev", "a_b.c-d.", "1.2.3.4", "Ünïcode", "xn--p1ai", "a..b", "*.local", "host.localhost", "\x00"} {
		f.Add(s, s+"x", []byte{192, 168, 1, 20})
	}
	f.Add("mac.local", "mac", netip.MustParseAddr("fe80::1").AsSlice())
	f.Fuzz(func(t *testing.T, before, after string, ip []byte) {
		at, _ := netip.AddrFromSlice(ip)
		now := noon()
		a, err := New(lan.New(before), now, false)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(a.CertPEM(), a.KeyPEM()); err != nil {
			t.Fatal(err)
		}
		c, err := a.Issue(lan.New(after, lan.Addr{IP: at}), now) // holds it against the constraints itself
		if err != nil {
			t.Fatal(err)
		}
		if c.Leaf.VerifyHostname("localhost") != nil || c.Leaf.VerifyHostname("127.0.0.1") != nil {
			t.Errorf("%v %v", c.Leaf.DNSNames, c.Leaf.IPAddresses)
		}
	})
}
