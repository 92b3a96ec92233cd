package cert

import (
	"crypto/x509"
	"net"
	"strings"
	"testing"
)

func certOf(names ...string) *x509.Certificate {
	return &x509.Certificate{DNSNames: names, IPAddresses: []net.IP{net.IPv4(192, 168, 1, 20)}}
}

func TestHostsAreTheNamesOfTheOwnersCertificate(t *testing.T) {
	h := hostsOf(certOf("ai.example.com", "*.lab.example.com", "Plain", "a_b.example.com", "*", "*.com", "*.local", "f*.example.com"))
	for _, host := range []string{
		"ai.example.com", "AI.Example.COM", "gpu.lab.example.com", "plain", "PLAIN", "a_b.example.com",
	} {
		if !h.has(host) {
			t.Errorf("%q is refused", host)
		}
	}
	for _, host := range []string{
		"", ".", "example.com", "x.ai.example.com", "lab.example.com", "a.b.lab.example.com",
		"evil.com", "evil.local", "evil", "f.example.com", "foo.example.com", "*", "*.com", "*.lab.example.com", "f*.example.com",
		"ai.example.com.", ".ai.example.com", "ai..example.com", "ai.example.com:443", "ai.example.com ", " ai.example.com",
		"ai.example.com\x00", "ai.exa\u212Aple.com", "\u212A.lab.example.com", "ai.example.com/", "x@ai.example.com", "ai%2eexample.com",
		"192.168.1.20", "[::1]", "::1", "1.2.3.4",
		strings.Repeat("a", 64) + ".lab.example.com", strings.Repeat("a.", 200) + "lab.example.com",
	} {
		if h.has(host) {
			t.Errorf("%q passes", host)
		}
	}
	if hostsOf(certOf()).has("") || (hosts{}).has("localhost") || NewIdentity().Host("localhost") {
		t.Error("names of nothing")
	}
}

// The gate's Host policy holds against DNS rebinding only if no name comes
// through that the certificate does not prove.
func FuzzHost(f *testing.F) {
	c := certOf("ai.example.com", "*.lab.example.com", "*.com", "plain", "1.2.3")
	h := hostsOf(c)
	for _, s := range []string{
		"ai.example.com", "AI.EXAMPLE.COM", "x.lab.example.com", "evil.com", "plain", "1.2.3", "\u212A.lab.example.com", "[::1]", "192.168.1.20", "a.", "",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, host string) {
		if !h.has(host) {
			return
		}
		if err := c.VerifyHostname(host); err != nil {
			t.Error(err)
		}
		low := strings.ToLower(host)
		if low != "ai.example.com" && low != "plain" && low != "1.2.3" &&
			(!strings.HasSuffix(low, ".lab.example.com") || strings.Count(low, ".") != 3) {
			t.Errorf("%q passes", host)
		}
	})
}
