package cert

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"
)

// shown refreshes and returns what the next handshake gets.
func shown(t *testing.T, i *Identity, now time.Time) *tls.Certificate {
	t.Helper()
	i.Refresh(laptop(), now)
	c, err := i.certificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func problemIs(t *testing.T, i *Identity, path string, want error) {
	t.Helper()
	err := i.State().Problem
	var file *FileError
	if !errors.Is(err, want) || !errors.As(err, &file) || file.Path != path {
		t.Errorf("the problem is %v, want %v of %s", err, want, path)
	}
}

func TestTheOwnersCertificateIsShown(t *testing.T) {
	now := noon()
	certFile, keyFile, want := owned(t, t.TempDir(), now.Add(time.Hour), "ai.example.com", "*.lab.example.com")
	i := NewIdentity()
	i.SetAuthority(newAuthority(t, laptop(), now))
	shown(t, i, now)
	i.SetFiles(certFile, keyFile)
	if !i.Refresh(laptop(), now) {
		t.Error("nothing changed")
	}
	if got := shown(t, i, now); !bytes.Equal(got.Certificate[0], want.Certificate[0]) || got.Leaf == nil {
		t.Error("another is shown")
	}
	s := i.State()
	if !s.Ready || !s.Own || s.Problem != nil || s.Fingerprint != fingerprint(want.Leaf) || s.Temporary ||
		!s.NotAfter.Equal(want.Leaf.NotAfter) || !s.AuthorityNotAfter.IsZero() ||
		!slices.Equal(s.Names, want.Leaf.DNSNames) || len(s.Addresses) != 1 || s.Addresses[0].String() != "127.0.0.1" {
		t.Errorf("%+v", s)
	}
	if !i.Host("AI.example.com") || !i.Host("x.lab.example.com") || i.Host("localhost") || i.Host("127.0.0.1") {
		t.Error("its names are others")
	}
	if i.Refresh(laptop(), now.Add(2*time.Second)) {
		t.Error("it changes by itself")
	}
	i.SetFiles("", "")
	if !i.Refresh(laptop(), now) || i.State().Own || i.Host("ai.example.com") || !i.State().Ready {
		t.Errorf("back at the authority: %+v", i.State())
	}
}

// An editor, or certbot, writes the two files one after the other; in between
// they do not match.
func TestTheLastGoodPairStaysWhileAnotherIsWritten(t *testing.T) {
	now := noon()
	dir := t.TempDir()
	certFile, keyFile, first := owned(t, dir, now.Add(time.Hour), "one.example.com")
	_, _, second := owned(t, t.TempDir(), now.Add(2*time.Hour), "two.example.com")
	certPEM, keyPEM := pems(t, second)
	i := NewIdentity()
	i.SetFiles(certFile, keyFile)
	stays := func(path string, problem error) {
		t.Helper()
		now = now.Add(2 * time.Second)
		if c := shown(t, i, now); !bytes.Equal(c.Certificate[0], first.Certificate[0]) || !i.Host("one.example.com") || !i.State().Own {
			t.Error("another is shown")
		}
		if problem == nil {
			if err := i.State().Problem; err != nil {
				t.Error(err)
			}
			return
		}
		problemIs(t, i, path, problem)
		if i.Refresh(laptop(), now) {
			t.Error("the same problem is news")
		}
	}
	stays("", nil)
	write(t, certFile, certPEM[:100])
	stays(certFile, ErrNoCertificate)
	write(t, certFile, nil)
	stays(certFile, ErrNoCertificate)
	write(t, certFile, certPEM)
	stays(keyFile, ErrOtherKey)
	write(t, keyFile, []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"))
	stays(keyFile, ErrNoKey)
	if err := os.Remove(keyFile); err != nil {
		t.Fatal(err)
	}
	stays(keyFile, ErrMissing)
	if err := os.Mkdir(keyFile, 0o700); err != nil {
		t.Fatal(err)
	}
	stays(keyFile, ErrUnreadable)
	if err := os.Remove(keyFile); err != nil {
		t.Fatal(err)
	}
	write(t, keyFile, make([]byte, maxFile+1))
	stays(keyFile, ErrUnreadable)
	write(t, keyFile, keyPEM)
	if c := shown(t, i, now.Add(2*time.Second)); !bytes.Equal(c.Certificate[0], second.Certificate[0]) || i.State().Problem != nil {
		t.Errorf("the new pair is not shown: %v", i.State().Problem)
	}
	if i.Host("one.example.com") || !i.Host("two.example.com") {
		t.Error("the names are the old ones")
	}
}

// Replaced by a rename and with the old time and size kept, only the inode
// tells; written in place within a tick of the file system's clock, nothing
// does, which is why young files are read again.
func TestEveryReplacementIsSeen(t *testing.T) {
	now := noon()
	dir := t.TempDir()
	certFile, keyFile, first := owned(t, dir, now.Add(time.Hour), "one.example.com")
	_, _, second := owned(t, t.TempDir(), now.Add(time.Hour), "two.example.com")
	certPEM, keyPEM := pems(t, second)
	aged := now.Add(-time.Hour)
	pad := func(path string, data []byte) []byte { // same size, another text
		fi, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return append(data, bytes.Repeat([]byte("\n"), max(0, int(fi.Size())-len(data)))...)
	}
	age := func(path string, at time.Time) {
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	age(certFile, aged)
	age(keyFile, aged)
	i := NewIdentity()
	i.SetFiles(certFile, keyFile)
	if c := shown(t, i, now); !bytes.Equal(c.Certificate[0], first.Certificate[0]) {
		t.Fatal("the first pair is not shown")
	}
	for from, data := range map[string][]byte{certFile: certPEM, keyFile: keyPEM} {
		fresh := write(t, filepath.Join(dir, "new"), pad(from, data))
		age(fresh, aged)
		if err := os.Rename(fresh, from); err != nil {
			t.Fatal(err)
		}
	}
	if c := shown(t, i, now); !bytes.Equal(c.Certificate[0], second.Certificate[0]) {
		t.Error("replaced by rename: the old one is shown")
	}
	firstCert, firstKey := pems(t, first)
	for path, data := range map[string][]byte{certFile: firstCert, keyFile: firstKey} {
		write(t, path, pad(path, data))
		age(path, now)
	}
	if c := shown(t, i, now); !bytes.Equal(c.Certificate[0], first.Certificate[0]) {
		t.Error("written in place: the old one is shown")
	}
	for path, data := range map[string][]byte{certFile: certPEM, keyFile: keyPEM} {
		write(t, path, pad(path, data))
		age(path, now)
	}
	if c := shown(t, i, now.Add(time.Second)); !bytes.Equal(c.Certificate[0], second.Certificate[0]) {
		t.Error("written twice in one tick: the old one is shown")
	}
}

func TestFilesThatWereNeverGoodLeaveTheAuthorityInPlace(t *testing.T) {
	now := noon()
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	i := NewIdentity()
	i.SetFiles(certFile, keyFile)
	i.Refresh(laptop(), now)
	problemIs(t, i, certFile, ErrMissing)
	if s := i.State(); s.Ready || s.Own || i.Host("localhost") {
		t.Errorf("without anything: %+v", s)
	}
	a := newAuthority(t, laptop(), now)
	i.SetAuthority(a)
	shown(t, i, now)
	problemIs(t, i, certFile, ErrMissing)
	if s := i.State(); !s.Ready || s.Own || s.Fingerprint != a.Fingerprint() {
		t.Errorf("with an authority: %+v", s)
	}
	i.SetFiles(certFile, "")
	owned(t, dir, now.Add(time.Hour), "ai.example.com")
	i.Refresh(laptop(), now)
	problemIs(t, i, "", ErrMissing)
	i.SetFiles(certFile, keyFile)
	i.Refresh(laptop(), now)
	if s := i.State(); !s.Own || s.Problem != nil {
		t.Errorf("when they are there: %+v", s)
	}
	// Other files are another wish: the pair of before is not theirs.
	i.SetFiles(filepath.Join(dir, "other.pem"), keyFile)
	i.Refresh(laptop(), now)
	if s := i.State(); s.Own || !s.Ready || i.Host("ai.example.com") {
		t.Errorf("with other files: %+v", s)
	}
}

func TestAnExpiredPairIsShownAndToldOf(t *testing.T) {
	now := noon()
	certFile, keyFile, _ := owned(t, t.TempDir(), now, "ai.example.com")
	i := NewIdentity()
	i.SetFiles(certFile, keyFile)
	shown(t, i, now.Add(-time.Minute))
	if err := i.State().Problem; err != nil {
		t.Error(err)
	}
	if !i.Refresh(laptop(), now.Add(time.Second)) {
		t.Error("its end is no news")
	}
	problemIs(t, i, certFile, ErrExpired)
	i.Refresh(laptop(), now.AddDate(-1, 0, 0))
	problemIs(t, i, certFile, ErrNotYetValid)
	if !i.State().Own || !i.State().Ready {
		t.Error("it is not shown")
	}
}

func TestPermissionsThatComeBackAreSeen(t *testing.T) {
	if runtime.GOOS == "windows" || os.Geteuid() == 0 {
		t.Log("nobody to refuse here")
		return
	}
	now := noon()
	certFile, keyFile, _ := owned(t, t.TempDir(), now.Add(time.Hour), "ai.example.com")
	if err := os.Chmod(keyFile, 0); err != nil {
		t.Fatal(err)
	}
	i := NewIdentity()
	i.SetFiles(certFile, keyFile)
	i.Refresh(laptop(), now)
	problemIs(t, i, keyFile, ErrUnreadable)
	if err := os.Chmod(keyFile, 0o600); err != nil {
		t.Fatal(err)
	}
	if i.Refresh(laptop(), now); !i.State().Own {
		t.Errorf("%v", i.State().Problem)
	}
}

func TestPairsAsProgramsWriteThem(t *testing.T) {
	c := sign(t, leafTemplate(t), nil, nil)
	certPEM, keyPEM := pems(t, c)
	sec1, err := x509.MarshalECPrivateKey(c.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	ec := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1})
	params := pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7}})
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := leafTemplate(t)
	der, err := x509.CreateCertificate(rand.Reader, template, template, rsaKey.Public(), rsaKey)
	if err != nil {
		t.Fatal(err)
	}
	rsaCert := pem.EncodeToMemory(&pem.Block{Type: certBlock, Bytes: der})
	pkcs1 := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)})
	both := slices.Concat(keyPEM, certPEM)
	for _, k := range []struct {
		story     string
		cert, key []byte
		want      error
	}{
		{"PKCS #8", certPEM, keyPEM, nil},
		{"SEC 1", certPEM, ec, nil},
		{"SEC 1 after its parameters", certPEM, slices.Concat(params, ec), nil},
		{"PKCS #1", rsaCert, pkcs1, nil},
		{"both in one file", both, both, nil},
		{"a chain", slices.Concat(certPEM, rsaCert), keyPEM, nil},
		{"the chain upside down", slices.Concat(rsaCert, certPEM), keyPEM, ErrOtherKey},
		{"a damaged chain", slices.Concat(certPEM, pem.EncodeToMemory(&pem.Block{Type: certBlock, Bytes: []byte("x")})), keyPEM, ErrNoCertificate},
		{"swapped", keyPEM, certPEM, ErrNoCertificate},
		{"DER", der, keyPEM, ErrNoCertificate},
		{"no key", certPEM, nil, ErrNoKey},
		{"a public key", certPEM, certPEM, ErrNoKey},
	} {
		got, err := parsePair(k.cert, k.key)
		if !errors.Is(err, k.want) || (err == nil) != (got != nil && got.Leaf != nil) {
			t.Errorf("%s: %v, want %v", k.story, err, k.want)
		}
	}
}

// A pair that is let through must survive a handshake, and errors must be bare:
// a private key could stand in any other text.
func FuzzParsePair(f *testing.F) {
	c := sign(f, leafTemplate(f), nil, nil)
	certPEM, keyPEM := pems(f, c)
	f.Add(certPEM, keyPEM)
	f.Add(slices.Concat(keyPEM, certPEM), slices.Concat(certPEM, keyPEM))
	f.Add(certPEM[:200], keyPEM)
	f.Add(certPEM, []byte("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"))
	f.Add([]byte{}, []byte{})
	known := []error{ErrNoCertificate, ErrNoKey, ErrOtherKey}
	f.Fuzz(func(t *testing.T, certPEM, keyPEM []byte) {
		got, err := parsePair(certPEM, keyPEM)
		if err != nil {
			if !slices.Contains(known, err) {
				t.Errorf("%v", err)
			}
			return
		}
		if got.Leaf == nil || got.PrivateKey == nil || len(got.Certificate) == 0 {
			t.Errorf("%+v", got)
		}
		hostsOf(got.Leaf).has("localhost")
	})
}
