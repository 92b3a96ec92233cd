package cert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"paddock/lan"
)

const (
	// leafLife is short since a new one costs nothing: nobody has to trust it.
	leafLife = 30 * 24 * time.Hour
	// maxAddrs bounds a certificate, which each handshake sends: with all of
	// IPv6 it then has some 2 KB. A host of many containers has more addresses.
	maxAddrs = 100
)

// Issue signs a new certificate with a new key for the names and addresses of
// us that this authority permits. It is valid for 30 days, but never beyond the
// authority's own end, and for as long as us has these addresses.
//
// A name that is not permitted is left out, because clients refuse the whole
// certificate for one: the host name may be another than at the making of the
// authority. So are public addresses, which it never permits.
func (a *Authority) Issue(us lan.Us, now time.Time) (*tls.Certificate, error) {
	c, err := a.issue(a.subjects(us), us.Hostname(), now)
	if err != nil {
		return nil, fmt.Errorf("issuing a certificate: %w", err)
	}
	return c, nil
}

// subjects is for whom a certificate speaks.
type subjects struct {
	names []string
	addrs []netip.Addr
}

func (s subjects) equal(o subjects) bool {
	return slices.Equal(s.names, o.names) && slices.Equal(s.addrs, o.addrs)
}

// cover reports whether all of o is in s.
func (s subjects) cover(o subjects) bool {
	return !slices.ContainsFunc(o.names, func(n string) bool { return !slices.Contains(s.names, n) }) &&
		!slices.ContainsFunc(o.addrs, func(a netip.Addr) bool { return !slices.Contains(s.addrs, a) })
}

// subjects returns what of us a certificate of this authority can hold, the
// addresses worth showing first.
func (a *Authority) subjects(us lan.Us) subjects {
	var s subjects
	for _, n := range us.Names() {
		// isOwnName once more: below .local all is permitted, sense or not.
		if len(s.names) < maxOwnNames && isOwnName(n) && permits(a.dns, n) {
			s.names = append(s.names, n)
		}
	}
	if !slices.Contains(s.names, "localhost") {
		s.names = append(s.names, "localhost")
	}
	// Loopback whatever the system says: the owner's own programs ask there.
	loopback := []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	for _, at := range us.Addrs() {
		ip := at.IP
		if len(s.addrs) < maxAddrs-len(loopback) && permitsIP(ip) && !slices.Contains(loopback, ip) && !slices.Contains(s.addrs, ip) {
			s.addrs = append(s.addrs, ip)
		}
	}
	s.addrs = append(s.addrs, loopback...)
	return s
}

func (a *Authority) issue(s subjects, hostname string, now time.Time) (*tls.Certificate, error) {
	if now.After(a.cert.NotAfter) {
		return nil, ErrExpired
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	begin := a.begin(now)
	template := &x509.Certificate{
		SerialNumber: serial,
		// Words, so that nobody takes the common name for a host name and holds
		// it against the constraints.
		Subject:               pkix.Name{Organization: []string{"Paddock"}, CommonName: "Paddock on " + cleanName(hostname)},
		NotBefore:             begin,
		NotAfter:              earlier(begin.Add(backdate+leafLife), a.cert.NotAfter),
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:              s.names,
	}
	for _, ip := range s.addrs {
		template.IPAddresses = append(template.IPAddresses, ip.AsSlice())
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	// What clients would refuse must not replace what they take.
	if err := a.verify(leaf); err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

// begin is when a certificate that is made now becomes valid. A clock that
// shows less than at the making of the authority is certainly wrong, and a
// certificate of that time might be over for all whose clocks are right.
func (a *Authority) begin(now time.Time) time.Time {
	begin := now.Add(-backdate).Truncate(time.Second) // a certificate knows no less
	if begin.Before(a.cert.NotBefore) {
		return a.cert.NotBefore
	}
	return begin
}

func (p Public) verify(leaf *x509.Certificate) error {
	roots := x509.NewCertPool()
	roots.AddCert(p.cert)
	_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: leaf.NotBefore})
	return err
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
