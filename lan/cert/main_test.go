package cert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"paddock/lan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func addr(s string) lan.Addr { return lan.Addr{IP: netip.MustParseAddr(s), Interface: "eth0"} }

func laptop() lan.Us {
	return lan.New("Anna-Laptop.office.lan", addr("127.0.0.1"), addr("::1"), addr("192.168.1.20"), addr("fd12::5"),
		addr("fe80::1%eth0"), addr("169.254.7.7"), addr("100.101.102.103"), addr("203.0.113.9"), addr("2001:db8::5"))
}

// noon is a whole second, as certificates count.
func noon() time.Time { return time.Now().Truncate(time.Second) }

func newAuthority(t testing.TB, us lan.Us, now time.Time) *Authority {
	t.Helper()
	a, err := New(us, now, false)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func issue(t testing.TB, a *Authority, us lan.Us, now time.Time) *tls.Certificate {
	t.Helper()
	c, err := a.Issue(us, now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// leafTemplate is one that an honest client at 127.0.0.1 or localhost takes.
func leafTemplate(t testing.TB) *x509.Certificate {
	t.Helper()
	serial, err := newSerial()
	if err != nil {
		t.Fatal(err)
	}
	return &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "Test of a test"},
		NotBefore:             noon().Add(-time.Minute),
		NotAfter:              noon().Add(time.Hour),
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:              []string{"localhost"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
	}
}

// sign is what a thief of a key can do: anything. The chain below the signer
// stands in chain.
func sign(t testing.TB, template, parent *x509.Certificate, parentKey *ecdsa.PrivateKey, chain ...[]byte) *tls.Certificate {
	t.Helper()
	key := newKey(t)
	if parent == nil { // self-signed
		parent, parentKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: append([][]byte{der}, chain...), PrivateKey: key, Leaf: leaf}
}

// stolen is what the holder of a stolen authority key might try, each of them
// valid for localhost too, with the reason that OpenSSL gives for refusing it.
type stolen struct {
	story   string
	cert    *tls.Certificate
	openssl string
}

func thefts(t testing.TB, a *Authority) []stolen {
	t.Helper()
	with := func(change func(c *x509.Certificate)) *tls.Certificate {
		template := leafTemplate(t)
		change(template)
		return sign(t, template, a.cert, a.key, a.cert.Raw)
	}
	const outside = "permitted subtree violation"
	all := []stolen{
		{"a public name", with(func(c *x509.Certificate) { c.DNSNames = append(c.DNSNames, "example.com") }), outside},
		{"a public address", with(func(c *x509.Certificate) { c.IPAddresses = append(c.IPAddresses, net.IPv4(8, 8, 8, 8)) }), outside},
		{"a public IPv6 address", with(func(c *x509.Certificate) { c.IPAddresses = append(c.IPAddresses, net.ParseIP("2001:db8::1")) }), outside},
		{"somebody else's plain name", with(func(c *x509.Certificate) { c.DNSNames = append(c.DNSNames, "fileserver") }), outside},
		{"a name that only ends like ours", with(func(c *x509.Certificate) { c.DNSNames = append(c.DNSNames, "notlocalhost") }), outside},
		{"a mailbox", with(func(c *x509.Certificate) { c.EmailAddresses = []string{"anna@example.com"} }), outside},
	}
	sub := leafTemplate(t)
	sub.Subject.CommonName = "Authority of a thief"
	sub.IsCA, sub.MaxPathLenZero = true, true
	sub.KeyUsage = x509.KeyUsageCertSign
	sub.DNSNames, sub.IPAddresses = nil, nil
	below := sign(t, sub, a.cert, a.key)
	all = append(all, stolen{
		"an authority below it",
		sign(t, leafTemplate(t), below.Leaf, below.PrivateKey.(*ecdsa.PrivateKey), below.Certificate[0], a.cert.Raw),
		"path length constraint exceeded",
	})
	return all
}

// serve answers "hello" on a loopback port until the test ends.
func serve(t testing.TB, c *tls.Config) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{
		Handler:  http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }),
		ErrorLog: log.New(io.Discard, "", 0), // refused handshakes are what the tests are about
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(tls.NewListener(l, c))
	}()
	t.Cleanup(func() {
		_ = s.Close()
		<-done
	})
	return l.Addr().String()
}

func showing(c *tls.Certificate) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*c}}
}

func pool(a *Authority) *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// pems returns a pair as an owner's files hold it.
func pems(t testing.TB, c *tls.Certificate) (certPEM, keyPEM []byte) {
	t.Helper()
	for _, der := range c.Certificate {
		certPEM = append(certPEM, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return certPEM, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func write(t testing.TB, path string, data []byte) string {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// owned writes a self-signed pair for names and returns the files and the pair.
func owned(t testing.TB, dir string, end time.Time, names ...string) (certFile, keyFile string, c *tls.Certificate) {
	t.Helper()
	template := leafTemplate(t)
	template.DNSNames, template.NotBefore, template.NotAfter = names, end.Add(-24*time.Hour), end
	c = sign(t, template, nil, nil)
	certPEM, keyPEM := pems(t, c)
	return write(t, filepath.Join(dir, "cert.pem"), certPEM), write(t, filepath.Join(dir, "key.pem"), keyPEM), c
}

func has[T comparable](t *testing.T, what string, all []T, want ...T) {
	t.Helper()
	for _, w := range want {
		if !slices.Contains(all, w) {
			t.Errorf("%s lacks %v: %v", what, w, all)
		}
	}
}
