package cert

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"paddock/lan"
)

func TestAnAuthorityIsNarrow(t *testing.T) {
	now := noon()
	a := newAuthority(t, laptop(), now)
	c := a.Certificate()
	if !c.IsCA || c.MaxPathLen != 0 || !c.MaxPathLenZero {
		t.Error("it may sign more than one level")
	}
	if c.KeyUsage != x509.KeyUsageCertSign|x509.KeyUsageCRLSign || !slices.Equal(c.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}) {
		t.Errorf("usages %v %v", c.KeyUsage, c.ExtKeyUsage)
	}
	if !c.NotBefore.Equal(now.Add(-time.Hour)) || !c.NotAfter.Equal(now.AddDate(10, 0, 0)) || !a.NotAfter().Equal(c.NotAfter) {
		t.Errorf("valid from %v to %v", c.NotBefore, c.NotAfter)
	}
	if c.SerialNumber.Sign() <= 0 || c.SerialNumber.BitLen() > 127 {
		t.Errorf("serial number %v", c.SerialNumber)
	}
	if c.Subject.CommonName != "Paddock authority of Anna-Laptop.office.lan" || a.Temporary() {
		t.Errorf("subject %v, temporary %v", c.Subject, a.Temporary())
	}
	if !c.PermittedDNSDomainsCritical {
		t.Error("a client may overlook the constraints")
	}
	want := []string{"local", "localhost", "host.docker.internal", "anna-laptop.office.lan", "anna-laptop"}
	if !slices.Equal(c.PermittedDNSDomains, want) {
		t.Errorf("it permits %v, want %v", c.PermittedDNSDomains, want)
	}
	if !regexp.MustCompile(`^authority-[0-9a-f]{16}$`).MatchString(a.ID()) {
		t.Errorf("id %q", a.ID())
	}
	if !regexp.MustCompile(`^([0-9A-F]{2}:){31}[0-9A-F]{2}$`).MatchString(a.Fingerprint()) ||
		strings.ToLower(strings.ReplaceAll(a.Fingerprint(), ":", ""))[:16] != strings.TrimPrefix(a.ID(), "authority-") {
		t.Errorf("fingerprint %q of %q", a.Fingerprint(), a.ID())
	}
	if n := len(a.KeyPEM()); n == 0 || n >= 2048 {
		t.Errorf("the key has %d bytes", n)
	}
	other := newAuthority(t, laptop(), now)
	if other.ID() == a.ID() || other.Certificate().SerialNumber.Cmp(c.SerialNumber) == 0 {
		t.Error("two authorities are the same")
	}
}

func TestReturnedBytesAreTheCallersOwn(t *testing.T) {
	a := newAuthority(t, laptop(), noon())
	clear(a.KeyPEM())
	clear(a.CertPEM())
	if _, err := Parse(a.CertPEM(), a.KeyPEM()); err != nil {
		t.Error(err)
	}
}

func TestTheFileTellsThatAnAuthorityIsTemporary(t *testing.T) {
	a, err := New(laptop(), noon(), true)
	if err != nil {
		t.Fatal(err)
	}
	p, err := ParseCertificate(a.CertPEM())
	if err != nil {
		t.Fatal(err)
	}
	if !a.Temporary() || !p.Temporary() {
		t.Error("it does not")
	}
	if p.ID() != a.ID() || p.Fingerprint() != a.Fingerprint() || !p.NotAfter().Equal(a.NotAfter()) {
		t.Error("the file tells something else")
	}
}

// A laptop called "dev" must not get an authority for the whole of .dev, which
// a permitted name of one label would be.
func TestAHostNamedLikeATopLevelDomainIsNotPermittedByItsPlainName(t *testing.T) {
	for _, hostname := range []string{"dev", "PRO", "box", "de", "xn--p1ai", "mini", "zip", "com", "wed"} {
		us := lan.New(hostname)
		a := newAuthority(t, us, noon())
		if got := a.Certificate().PermittedDNSDomains; !slices.Equal(got, everywhereDNS) {
			t.Errorf("%s: it permits %v", hostname, got)
		}
		leaf := issue(t, a, us, noon()).Leaf
		has(t, "the certificate of "+hostname, leaf.DNSNames, strings.ToLower(hostname)+".local", "localhost")
		if slices.Contains(leaf.DNSNames, strings.ToLower(hostname)) {
			t.Errorf("%s: the certificate has %v", hostname, leaf.DNSNames)
		}
	}
	for _, hostname := range []string{"dev1", "my-dev", "thinkpad", "dev_", "de1", "devs", "deve", "x"} {
		has(t, "the authority of "+hostname, newAuthority(t, lan.New(hostname), noon()).Certificate().PermittedDNSDomains, hostname)
	}
}

func TestTheTopLevelDomainsAreWholeWords(t *testing.T) {
	for word := range strings.FieldsSeq(topLevel) {
		if !isTopLevel(word) || len(word) < 3 {
			t.Errorf("%q is not one", word)
		}
	}
	if n := len(strings.Fields(topLevel)); n < 1000 {
		t.Errorf("%d of them", n)
	}
	for _, word := range []string{"", " ", "aaa aarp", "local", "localhost", "internal", "lan", "home"} {
		if isTopLevel(word) {
			t.Errorf("%q is one", word)
		}
	}
}

func TestStrangeHostNames(t *testing.T) {
	now := noon()
	for hostname, want := range map[string][]string{
		"":                       {"localhost", "host.docker.internal"},
		"192.168.1.5":            {"localhost", "host.docker.internal"},
		"1.2.3":                  {"1.local", "localhost", "host.docker.internal"},
		"2024":                   {"2024.local", "localhost", "host.docker.internal"},
		"my_host":                {"my_host", "my_host.local", "localhost", "host.docker.internal"},
		"_my_host":               {"_my_host", "_my_host.local", "localhost", "host.docker.internal"},
		"localhost":              {"localhost", "host.docker.internal"},
		"Annas MacBook":          {"localhost", "host.docker.internal"},
		"café":                   {"localhost", "host.docker.internal"},
		"a\x00b":                 {"localhost", "host.docker.internal"},
		"mac.local":              {"mac.local", "localhost", "host.docker.internal"},
		"*":                      {"localhost", "host.docker.internal"},
		"laptop.example.com.":    {"laptop.example.com", "laptop", "laptop.local", "localhost", "host.docker.internal"},
		strings.Repeat("a", 63):  {strings.Repeat("a", 63), strings.Repeat("a", 63) + ".local", "localhost", "host.docker.internal"},
		strings.Repeat("a", 64):  {"localhost", "host.docker.internal"},
		strings.Repeat("é", 400): {"localhost", "host.docker.internal"},
	} {
		us := lan.New(hostname, addr("10.0.0.7"))
		a := newAuthority(t, us, now)
		subject := a.Certificate().Subject.CommonName
		if n := utf8.RuneCountInString(subject); n > 64 || strings.ContainsFunc(subject, func(r rune) bool { return r < ' ' || r == utf8.RuneError }) {
			t.Errorf("%q: the subject is %q", hostname, subject)
		}
		if hostname == "mac.local" { // its plain name is the machine's as well
			want = append([]string{"mac"}, want...)
		}
		leaf := issue(t, a, us, now).Leaf
		got := slices.Sorted(slices.Values(leaf.DNSNames))
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%q: names %v, want %v", hostname, got, want)
		}
		for _, n := range leaf.DNSNames {
			if _, err := leaf.Verify(x509.VerifyOptions{Roots: pool(a), DNSName: n, CurrentTime: now}); err != nil {
				t.Errorf("%q: %v", hostname, err)
			}
		}
		if _, err := Parse(a.CertPEM(), a.KeyPEM()); err != nil {
			t.Errorf("%q: its own authority is refused: %v", hostname, err)
		}
	}
	for in, want := range map[string]string{
		"": "this machine", "anna\x1b[31m": "anna--31m", "a/b=c,d": "a-b-c-d", "Käthe-PC": "Käthe-PC", "x\xff": "x-",
		"\u202eevil": "-evil", strings.Repeat("é", 400): strings.Repeat("é", 40),
	} {
		if got := cleanName(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestParseKeepsAnAuthority(t *testing.T) {
	a := newAuthority(t, laptop(), noon())
	certPEM := append([]byte("Paddock: compare the fingerprint\r\nAA:BB\n\n"), a.CertPEM()...)
	keyPEM := append([]byte("from the keychain\n"), a.KeyPEM()...)
	b, err := Parse(append(certPEM, " \r\n\n"...), keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	if b.ID() != a.ID() || string(b.CertPEM()) != string(a.CertPEM()) || string(b.KeyPEM()) != string(a.KeyPEM()) {
		t.Error("it is another one")
	}
	leaf := issue(t, b, laptop(), noon()).Leaf
	if err := a.verify(leaf); err != nil {
		t.Error(err)
	}
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	a, other := newAuthority(t, laptop(), noon()), newAuthority(t, laptop(), noon())
	ca, key := a.CertPEM(), a.KeyPEM()
	join := func(parts ...[]byte) []byte { return slices.Concat(parts...) }
	headers := pem.EncodeToMemory(&pem.Block{Type: certBlock, Headers: map[string]string{"A": "b"}, Bytes: a.cert.Raw})
	trailing := pem.EncodeToMemory(&pem.Block{Type: certBlock, Bytes: append(slices.Clone(a.cert.Raw), 0)})
	rsaLike := pem.EncodeToMemory(&pem.Block{Type: keyBlock, Bytes: []byte("nonsense")})
	own, ownKey := pems(t, sign(t, leafTemplate(t), nil, nil))
	for _, c := range []struct {
		story     string
		cert, key []byte
		want      error
	}{
		{"nothing", nil, key, ErrNoCertificate},
		{"text", []byte("hello"), key, ErrNoCertificate},
		{"DER", a.cert.Raw, key, ErrNoCertificate},
		{"two certificates", join(ca, ca), key, ErrNoCertificate},
		{"text after it", join(ca, []byte("x")), key, ErrNoCertificate},
		{"a damaged block before it", join([]byte("-----BEGIN CERTIFICATE-----\n"), ca), key, ErrNoCertificate},
		{"cut short", ca[:len(ca)-30], key, ErrNoCertificate},
		{"headers", headers, key, ErrNoCertificate},
		{"a byte after the DER", trailing, key, ErrNoCertificate},
		{"the key in place of it", key, key, ErrNoCertificate},
		{"too large", join(make([]byte, maxCertPEM), ca), key, ErrNoCertificate},
		{"a web server's certificate", own, ownKey, ErrNotAuthority},
		{"no key", ca, nil, ErrNoKey},
		{"the certificate in place of the key", ca, ca, ErrNoKey},
		{"nonsense for a key", ca, rsaLike, ErrNoKey},
		{"too large a key", ca, join(make([]byte, maxKeyPEM), key), ErrNoKey},
		{"another's key", ca, other.KeyPEM(), ErrOtherKey},
	} {
		got, err := Parse(c.cert, c.key)
		if !errors.Is(err, c.want) || got != nil {
			t.Errorf("%s: %v, want %v", c.story, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "nonsense") {
			t.Errorf("%s: the error quotes the key: %v", c.story, err)
		}
		if _, err := ParseCertificate(c.cert); (err == nil) != (errors.Is(c.want, ErrNoKey) || errors.Is(c.want, ErrOtherKey)) {
			t.Errorf("%s: without a key: %v", c.story, err)
		}
	}
}

// Somebody who can write ca.pem, or the owner by mistake, could put there an
// authority that may speak for everybody.
func TestParseRefusesAnAuthorityThatMayDoMore(t *testing.T) {
	for story, change := range map[string]func(c *x509.Certificate){
		"a second level":              func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = 1, false },
		"any number of levels":        func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = -1, false },
		"no authority":                func(c *x509.Certificate) { c.IsCA, c.MaxPathLenZero = false, false },
		"client certificates too":     func(c *x509.Certificate) { c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth) },
		"for everything":              func(c *x509.Certificate) { c.ExtKeyUsage = nil },
		"another key usage":           func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageDigitalSignature },
		"constraints not critical":    func(c *x509.Certificate) { c.PermittedDNSDomainsCritical = false },
		"all names":                   func(c *x509.Certificate) { c.PermittedDNSDomains = nil },
		"a top-level domain":          func(c *x509.Certificate) { c.PermittedDNSDomains = append(c.PermittedDNSDomains, "com") },
		"an empty name":               func(c *x509.Certificate) { c.PermittedDNSDomains = append(c.PermittedDNSDomains, "") },
		"a name from its dot on":      func(c *x509.Certificate) { c.PermittedDNSDomains = append(c.PermittedDNSDomains, ".com") },
		"a name too few":              func(c *x509.Certificate) { c.PermittedDNSDomains = c.PermittedDNSDomains[1:] },
		"all addresses":               func(c *x509.Certificate) { c.PermittedIPRanges = nil },
		"a network too few":           func(c *x509.Certificate) { c.PermittedIPRanges = c.PermittedIPRanges[1:] },
		"a larger network":            func(c *x509.Certificate) { c.PermittedIPRanges[0].Mask = []byte{254, 0, 0, 0} },
		"all mailboxes":               func(c *x509.Certificate) { c.PermittedEmailAddresses = nil },
		"all URIs":                    func(c *x509.Certificate) { c.PermittedURIDomains = nil },
		"an exception":                func(c *x509.Certificate) { c.ExcludedDNSDomains = []string{"laptop.local"} },
		"another's name":              func(c *x509.Certificate) { c.Subject.CommonName = "Bank" },
		"no constraints of any kind":  func(c *x509.Certificate) { c.PermittedDNSDomains, c.PermittedIPRanges = nil, nil },
		"more names than any machine": func(c *x509.Certificate) { c.PermittedDNSDomains = append(c.PermittedDNSDomains, manyNames()...) },
	} {
		template, err := authorityTemplate(laptop(), noon(), false)
		if err != nil {
			t.Fatal(err)
		}
		certPEM, keyPEM := pems(t, sign(t, template, nil, nil))
		if _, err := Parse(certPEM, keyPEM); err != nil {
			t.Fatalf("%s: refused before it: %v", story, err)
		}
		change(template)
		certPEM, keyPEM = pems(t, sign(t, template, nil, nil))
		if _, err := Parse(certPEM, keyPEM); !errors.Is(err, ErrNotAuthority) {
			t.Errorf("%s: %v", story, err)
		}
	}
	a := newAuthority(t, laptop(), noon())
	template, err := authorityTemplate(laptop(), noon(), false)
	if err != nil {
		t.Fatal(err)
	}
	certPEM, keyPEM := pems(t, sign(t, template, a.cert, a.key))
	if _, err := Parse(certPEM, keyPEM); !errors.Is(err, ErrNotAuthority) {
		t.Errorf("signed by another: %v", err)
	}
}

func manyNames() []string {
	return slices.Repeat([]string{"laptop"}, maxOwnNames)
}

func TestParseRefusesAnAuthorityThatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAuthority(t, laptop(), time.Now())
		time.Sleep(time.Until(a.NotAfter()))
		if _, err := Parse(a.CertPEM(), a.KeyPEM()); err != nil {
			t.Errorf("in its last second: %v", err)
		}
		time.Sleep(time.Second)
		if _, err := Parse(a.CertPEM(), a.KeyPEM()); !errors.Is(err, ErrExpired) {
			t.Errorf("after its end: %v", err)
		}
		if p, err := ParseCertificate(a.CertPEM()); err != nil || p.ID() != a.ID() {
			t.Errorf("to show it: %v", err)
		}
		if _, err := a.Issue(laptop(), time.Now()); !errors.Is(err, ErrExpired) {
			t.Errorf("it still signs: %v", err)
		}
	})
}

// What Parse lets through is narrow and works, whatever the bytes are.
func FuzzParse(f *testing.F) {
	a := newAuthority(f, laptop(), noon())
	own, ownKey := pems(f, sign(f, leafTemplate(f), nil, nil))
	f.Add(a.CertPEM(), a.KeyPEM())
	f.Add(own, ownKey)
	f.Add(append([]byte("text\n"), a.CertPEM()...), []byte("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n"), []byte{})
	f.Fuzz(func(t *testing.T, certPEM, keyPEM []byte) {
		p, err := ParseCertificate(certPEM)
		if err == nil {
			if notOurs(p.Certificate()) != "" {
				t.Error("it is wider than ours")
			}
			if again, err := ParseCertificate(p.CertPEM()); err != nil || again.ID() != p.ID() {
				t.Errorf("written and read it is another: %v", err)
			}
		}
		b, err := Parse(certPEM, keyPEM)
		if err != nil {
			return
		}
		if b.ID() != p.ID() {
			t.Error("the two readers disagree")
		}
		if _, err := b.Issue(laptop(), b.NotAfter().Add(-time.Hour)); err != nil {
			t.Error(err)
		}
	})
}
