package cert

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// What can be wrong with an authority or with the owner's own files. Callers
// ask with errors.Is and write the sentence themselves.
var (
	// ErrNoCertificate: there is no readable certificate, or more than one.
	ErrNoCertificate = errors.New("not a certificate")
	// ErrNotAuthority: a certificate, but of no authority that New makes.
	ErrNotAuthority = errors.New("not an authority of this program")
	// ErrNoKey: there is no readable private key; one with a pass phrase is not.
	ErrNoKey = errors.New("not a private key")
	// ErrOtherKey: the private key belongs to another certificate.
	ErrOtherKey = errors.New("the private key does not belong to the certificate")
	// ErrExpired: the end is past.
	ErrExpired = errors.New("the certificate has expired")
	// ErrNotYetValid: the beginning is to come, so this clock or the one that
	// was asked at the making is wrong.
	ErrNotYetValid = errors.New("the certificate is not valid yet")
)

const (
	certBlock = "CERTIFICATE"
	keyBlock  = "PRIVATE KEY"
)

// ParseCertificate reads what CertPEM wrote, with or without text before it. It
// does not look at the clock: an authority that has ended can still be shown.
func ParseCertificate(certPEM []byte) (Public, error) {
	c, err := parseAuthority(certPEM)
	if err != nil {
		return Public{}, fmt.Errorf("reading the authority: %w", err)
	}
	return newPublic(c), nil
}

// Parse reads what CertPEM and KeyPEM wrote, with or without text before it,
// and refuses an authority whose end is past: a new one has to be made. One
// whose beginning is to come is taken, since clocks are often wrong right after
// a start; Identity reports it.
func Parse(certPEM, keyPEM []byte) (*Authority, error) {
	a, err := parse(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("reading the authority: %w", err)
	}
	return a, nil
}

func parse(certPEM, keyPEM []byte) (*Authority, error) {
	c, err := parseAuthority(certPEM)
	if err != nil {
		return nil, err
	}
	der, err := onlyBlock(keyPEM, keyBlock, maxKeyPEM)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoKey, err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, ErrNoKey // x509 may quote what it read
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || !key.PublicKey.Equal(c.PublicKey) {
		return nil, ErrOtherKey
	}
	if time.Now().After(c.NotAfter) {
		return nil, ErrExpired
	}
	return &Authority{
		Public: newPublic(c),
		key:    key,
		keyPEM: pem.EncodeToMemory(&pem.Block{Type: keyBlock, Bytes: der}),
	}, nil
}

// parseAuthority is strict, because what it lets through is offered to others
// as something to trust.
func parseAuthority(certPEM []byte) (*x509.Certificate, error) {
	der, err := onlyBlock(certPEM, certBlock, maxCertPEM)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoCertificate, err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoCertificate, err)
	}
	if reason := notOurs(c); reason != "" {
		return nil, fmt.Errorf("%w: %s", ErrNotAuthority, reason)
	}
	return c, nil
}

// notOurs says in what c differs from what New makes, or "".
func notOurs(c *x509.Certificate) string {
	key, ok := c.PublicKey.(*ecdsa.PublicKey)
	switch {
	case !ok || key.Curve != elliptic.P256():
		return "its key is not on P-256"
	case !c.BasicConstraintsValid || !c.IsCA || c.MaxPathLen != 0 || !c.MaxPathLenZero:
		return "it may not sign exactly one level"
	case c.KeyUsage != x509.KeyUsageCertSign|x509.KeyUsageCRLSign:
		return "its key usage is another"
	case !slices.Equal(c.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}) || len(c.UnknownExtKeyUsage) > 0:
		return "it is not for servers alone"
	case !constrained(c):
		return "its name constraints are others"
	case len(c.UnhandledCriticalExtensions) > 0:
		return "it has unknown critical extensions"
	case !strings.HasPrefix(c.Subject.CommonName, namePrefix):
		return "its name is another"
	case !bytes.Equal(c.RawSubject, c.RawIssuer) || c.CheckSignatureFrom(c) != nil:
		return "it is not signed by itself"
	}
	return ""
}

var (
	errTooLarge = errors.New("it is too large")
	errNotOne   = errors.New("it does not hold exactly one PEM block")
	errOther    = errors.New("it holds a PEM block of another kind")
)

// onlyBlock returns the content of the one PEM block in text. Before it may
// stand what people and programs write there, after it only white space.
func onlyBlock(text []byte, kind string, limit int) ([]byte, error) {
	if len(text) > limit {
		return nil, errTooLarge
	}
	if bytes.Count(text, []byte("-----BEGIN ")) != 1 {
		return nil, errNotOne
	}
	block, rest := pem.Decode(text)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errNotOne
	}
	if block.Type != kind || len(block.Headers) > 0 {
		return nil, errOther
	}
	return block.Bytes, nil
}
