//go:build e2e

package cert

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"paddock/lan"
)

// run starts a program of the system, which must be there, and returns all that
// it says and whether it was content.
func run(t *testing.T, env []string, name string, args ...string) (string, bool) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("this test needs the program %s: %v", name, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, path, args...)
	c.Env = append(os.Environ(), env...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err = c.Run()
	if ctx.Err() != nil {
		t.Fatalf("%s %v did not end: %s", name, args, out.String())
	}
	return out.String(), err == nil
}

// onDisk writes the authority, and the chain below it with the leaf first.
func onDisk(t *testing.T, a *Authority, c *tls.Certificate) (ca, leaf, rest string) {
	t.Helper()
	dir := t.TempDir()
	var below []byte
	for _, der := range c.Certificate[1:] {
		if !bytes.Equal(der, a.cert.Raw) {
			below = append(below, pem.EncodeToMemory(&pem.Block{Type: certBlock, Bytes: der})...)
		}
	}
	return write(t, filepath.Join(dir, "ca.pem"), a.CertPEM()),
		write(t, filepath.Join(dir, "leaf.pem"), pem.EncodeToMemory(&pem.Block{Type: certBlock, Bytes: c.Certificate[0]})),
		write(t, filepath.Join(dir, "rest.pem"), append(below, '\n'))
}

func opensslVerify(t *testing.T, a *Authority, c *tls.Certificate, more ...string) (string, bool) {
	t.Helper()
	ca, leaf, rest := onDisk(t, a, c)
	args := []string{"verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", ca}
	if len(c.Certificate) > 2 {
		args = append(args, "-untrusted", rest)
	}
	return run(t, nil, "openssl", append(append(args, more...), leaf)...)
}

func sClient(t *testing.T, a *Authority, at string, more ...string) (string, bool) {
	t.Helper()
	ca := write(t, filepath.Join(t.TempDir(), "ca.pem"), a.CertPEM())
	args := []string{"s_client", "-connect", at, "-CAfile", ca, "-verify_return_error", "-servername", "localhost", "-verify_ip", "127.0.0.1"}
	return run(t, nil, "openssl", append(args, more...)...)
}

// nodeGet is what a client made with Node does, such as those in editors.
func nodeGet(t *testing.T, a *Authority, url string) (string, bool) {
	t.Helper()
	ca := write(t, filepath.Join(t.TempDir(), "ca.pem"), append([]byte("Compare the fingerprint before trusting this\n"), a.CertPEM()...))
	const script = `require("https").get(process.argv[1], {lookup: (name, o, done) => o.all ? done(null, [{address: "127.0.0.1", family: 4}]) : done(null, "127.0.0.1", 4)},
		r => { r.setEncoding("utf8"); r.on("data", d => process.stdout.write(d)) }
	).on("error", e => { console.log(e.code, e.message); process.exitCode = 1 })`
	return run(t, []string{"NODE_EXTRA_CA_CERTS=" + ca, "NODE_OPTIONS="}, "node", "-e", script, url)
}

func port(t *testing.T, at string) string {
	t.Helper()
	_, p, err := net.SplitHostPort(at)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestOpenSSLTakesALeaf(t *testing.T) {
	now := time.Now()
	a := newAuthority(t, laptop(), now)
	c := issue(t, a, laptop(), now)
	for _, who := range [][]string{
		{"-verify_hostname", "localhost"},
		{"-verify_hostname", "anna-laptop.local"},
		{"-verify_hostname", "anna-laptop"},
		{"-verify_ip", "127.0.0.1"},
		{"-verify_ip", "::1"},
		{"-verify_ip", "192.168.1.20"},
		{"-verify_ip", "fe80::1"},
	} {
		if said, ok := opensslVerify(t, a, c, who...); !ok {
			t.Errorf("%v: %s", who, said)
		}
	}
	if said, ok := opensslVerify(t, a, c, "-verify_hostname", "example.com"); ok || !strings.Contains(said, "hostname mismatch") {
		t.Errorf("as example.com: %s", said)
	}
	at := serve(t, showing(c))
	for version, protocol := range map[string]string{"-tls1_3": "TLSv1.3", "-tls1_2": "TLSv1.2"} {
		said, ok := sClient(t, a, at, version)
		if !ok || !strings.Contains(said, "Verify return code: 0 (ok)") || !strings.Contains(said, protocol) {
			t.Errorf("%s: %s", version, said)
		}
	}
	if said, ok := sClient(t, a, at, "-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"); ok {
		t.Errorf("TLS 1.1: %s", said)
	}
}

func TestFingerprintIsTheOneOfOpenSSL(t *testing.T) {
	a := newAuthority(t, laptop(), time.Now())
	ca := write(t, filepath.Join(t.TempDir(), "ca.pem"), a.CertPEM())
	said, ok := run(t, nil, "openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in", ca)
	if _, after, _ := strings.Cut(strings.TrimSpace(said), "="); !ok || after != a.Fingerprint() {
		t.Errorf("it says %q, we %q", said, a.Fingerprint())
	}
	key := write(t, filepath.Join(t.TempDir(), "key.pem"), a.KeyPEM())
	if said, ok := run(t, nil, "openssl", "pkey", "-noout", "-check", "-in", key); !ok || !strings.Contains(said, "Key is valid") {
		t.Errorf("the key: %s", said)
	}
}

func TestNodeTakesALeaf(t *testing.T) {
	now := time.Now()
	us := lan.New("my_host", laptop().Addrs()...)
	a := newAuthority(t, us, now)
	p := port(t, serve(t, showing(issue(t, a, us, now))))
	for _, host := range []string{"127.0.0.1", "localhost", "my_host.local", "my_host", "host.docker.internal"} {
		if said, ok := nodeGet(t, a, "https://"+host+":"+p+"/"); !ok || said != "hello" {
			t.Errorf("%s: %s", host, said)
		}
	}
	if said, ok := nodeGet(t, a, "https://example.com:"+p+"/"); ok || !strings.Contains(said, "ERR_TLS_CERT_ALTNAME_INVALID") {
		t.Errorf("as example.com: %s", said)
	}
}

// A leaf is made for whatever names the machine has by then; strange ones must
// not spoil it for OpenSSL where Go is more patient.
func TestOpenSSLTakesLeafsOfStrangeMachines(t *testing.T) {
	now := time.Now()
	a := newAuthority(t, lan.New("my_host"), now)
	for _, hostname := range []string{"my_host", "192.168.1.5", "1.2.3", "2024", "dev", "-x", "_x", "Käthe", "renamed", "laptop.example.com", ""} {
		us := lan.New(hostname, addr("10.1.2.3"))
		if said, ok := opensslVerify(t, a, issue(t, a, us, now), "-verify_hostname", "localhost"); !ok {
			t.Errorf("%q below another's authority: %s", hostname, said)
		}
		own := newAuthority(t, us, now)
		if said, ok := opensslVerify(t, own, issue(t, own, us, now), "-verify_ip", "10.1.2.3"); !ok {
			t.Errorf("%q: %s", hostname, said)
		}
	}
}

func TestOpenSSLAndNodeRefuseWhatAStolenKeySigns(t *testing.T) {
	a := newAuthority(t, laptop(), time.Now())
	honest := sign(t, leafTemplate(t), a.cert, a.key, a.cert.Raw)
	at := serve(t, showing(honest))
	if said, ok := sClient(t, a, at); !ok {
		t.Fatalf("without a theft: %s", said)
	}
	if said, ok := nodeGet(t, a, "https://127.0.0.1:"+port(t, at)); !ok {
		t.Fatalf("without a theft: %s", said)
	}
	for _, theft := range thefts(t, a) {
		at := serve(t, showing(theft.cert))
		if said, ok := opensslVerify(t, a, theft.cert); ok || !strings.Contains(said, theft.openssl) {
			t.Errorf("openssl verify, %s: %s", theft.story, said)
		}
		if said, ok := sClient(t, a, at); ok || !strings.Contains(said, theft.openssl) {
			t.Errorf("openssl s_client, %s: %s", theft.story, said)
		}
		if said, ok := nodeGet(t, a, "https://127.0.0.1:"+port(t, at)); ok || !strings.Contains(said, theft.openssl) {
			t.Errorf("node, %s: %s", theft.story, said)
		}
	}
}
