// Package cert gives the gate what it proves itself with on the network.
//
// That is an authority of this machine alone with the short-lived certificates
// that it signs, or the owner's own certificate. No keychain is known here:
// private keys come and go as bytes.
package cert

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode"

	"paddock/lan"
)

const (
	authorityYears = 10
	// backdate keeps clients content whose clock is somewhat behind ours.
	backdate   = time.Hour
	namePrefix = "Paddock authority of "
	// temporaryUnit in a subject says that the key was never kept, so that the
	// file alone explains why tomorrow's program has another authority.
	temporaryUnit = "until the program ends"

	maxCertPEM = 64 << 10
	maxKeyPEM  = 2047 // a keychain item must hold it; Windows takes 2560 bytes
)

// Public is the part of an authority that anybody may have: what ca.pem holds.
// It is immutable and safe for concurrent use; the zero one must not be used.
type Public struct {
	cert        *x509.Certificate
	id          string
	fingerprint string
	dns         []string // the names that it permits, and all below them
}

// Authority can sign certificates for this machine, and for little else: the
// names and addresses in its critical name constraints. It is immutable and
// safe for concurrent use.
type Authority struct {
	Public
	key    *ecdsa.PrivateKey
	keyPEM []byte
}

// New makes an authority for ten years. It permits private addresses, .local,
// localhost, and the names that us has now; see ownNames for those that it
// leaves out. An authority that is temporary says so in its certificate.
func New(us lan.Us, now time.Time, temporary bool) (*Authority, error) {
	a, err := makeAuthority(us, now, temporary)
	if err != nil {
		return nil, fmt.Errorf("making an authority: %w", err)
	}
	return a, nil
}

func makeAuthority(us lan.Us, now time.Time, temporary bool) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template, err := authorityTemplate(us, now, temporary)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return &Authority{
		Public: newPublic(cert),
		key:    key,
		keyPEM: pem.EncodeToMemory(&pem.Block{Type: keyBlock, Bytes: pkcs8}),
	}, nil
}

// authorityTemplate is all of an authority but its key; notOurs reads it back.
func authorityTemplate(us lan.Us, now time.Time, temporary bool) (*x509.Certificate, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	subject := pkix.Name{
		Organization: []string{"Paddock"},
		CommonName:   namePrefix + cleanName(us.Hostname()),
	}
	if temporary {
		subject.OrganizationalUnit = []string{temporaryUnit}
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               subject,
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.AddDate(authorityYears, 0, 0),
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	constrain(template, us)
	return template, nil
}

func newPublic(c *x509.Certificate) Public {
	sum := sha256.Sum256(c.Raw)
	return Public{
		cert:        c,
		id:          "authority-" + hex.EncodeToString(sum[:8]),
		fingerprint: fingerprint(c),
		dns:         c.PermittedDNSDomains,
	}
}

// ID names the authority where its private key is kept.
func (p Public) ID() string { return p.id }

// Fingerprint is the SHA-256 of the certificate as OpenSSL and browsers show it.
func (p Public) Fingerprint() string { return p.fingerprint }

// Temporary reports whether its key was never kept outside of memory.
func (p Public) Temporary() bool {
	return slices.Contains(p.cert.Subject.OrganizationalUnit, temporaryUnit)
}

// NotAfter is when it ends.
func (p Public) NotAfter() time.Time { return p.cert.NotAfter }

// CertPEM returns the certificate as a file holds it.
func (p Public) CertPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: certBlock, Bytes: p.cert.Raw})
}

// Certificate returns the certificate, which must not be changed.
func (p Public) Certificate() *x509.Certificate { return p.cert }

// KeyPEM returns the private key as PKCS #8, shorter than 2048 bytes.
func (a *Authority) KeyPEM() []byte { return bytes.Clone(a.keyPEM) }

// fingerprint is what `openssl x509 -noout -fingerprint -sha256` prints after
// the equals sign.
func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(parts, ":")
}

// newSerial returns a positive random number of at most 127 bits, which fits
// the 20 octets of RFC 5280 with its sign.
func newSerial() (*big.Int, error) {
	limit := new(big.Int).Lsh(big.NewInt(1), 127)
	limit.Sub(limit, big.NewInt(1))
	n, err := rand.Int(rand.Reader, limit)
	if err != nil {
		return nil, err
	}
	return n.Add(n, big.NewInt(1)), nil
}

// cleanName makes a host name fit to stand in a subject, which has room for 64
// characters and is shown by programs that escape nothing.
func cleanName(hostname string) string {
	var b strings.Builder
	n := 0
	for _, r := range hostname {
		if n++; n > 40 {
			break
		}
		if r == unicode.ReplacementChar || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_.", r) {
			r = '-'
		}
		b.WriteRune(r)
	}
	if b.Len() == 0 {
		return "this machine"
	}
	return b.String()
}
