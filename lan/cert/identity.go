package cert

import (
	"crypto/tls"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"paddock/lan"
)

// ErrNoIdentity is why a handshake fails before the first Refresh that had
// something to prove itself with.
var ErrNoIdentity = errors.New("no certificate to prove this machine with")

// Identity is what the gate proves itself with: a certificate of the authority,
// always fresh, or the owner's own from files. Connections that are open keep
// the one that they began with.
//
// It is safe for concurrent use. It starts nothing by itself: SetAuthority and
// SetFiles take effect at the next Refresh, which its owner calls every two
// seconds and when the network changes. Handshakes, State and Host cost one
// atomic load and never wait for a Refresh.
type Identity struct {
	face atomic.Pointer[face]

	mu     sync.Mutex // guards wanted
	wanted wanted

	refreshing sync.Mutex // one Refresh at a time; guards issued and files
	issued     issued
	files      files
}

// wanted is what the owner of an Identity has asked for.
type wanted struct {
	authority         *Authority
	certFile, keyFile string
}

// face is what is shown outside: immutable, replaced whole.
type face struct {
	cert  *tls.Certificate // nil: handshakes fail
	hosts hosts
	state State
}

// State says what an Identity shows at one moment.
type State struct {
	Ready bool // handshakes can succeed
	Own   bool // with the owner's own certificate
	// Fingerprint is the SHA-256 to compare before trusting: that of the
	// authority, or of the owner's certificate itself.
	Fingerprint string
	Temporary   bool // the authority ends with the program

	NotAfter          time.Time // of the certificate
	AuthorityNotAfter time.Time // zero with the owner's own

	Names     []string     // of the certificate; not cleaned for showing when Own
	Addresses []netip.Addr // those worth showing first

	// Problem is nil or what the owner should see to; it may stand beside
	// Ready. For files it is a *FileError. Inside is
	// one of the Err variables, or what the system said when it made a key.
	Problem error
}

// NewIdentity makes one that has nothing to show yet.
func NewIdentity() *Identity {
	i := &Identity{}
	i.face.Store(&face{})
	return i
}

// SetAuthority replaces the authority; nil takes it away.
func (i *Identity) SetAuthority(a *Authority) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.wanted.authority = a
}

// SetFiles names the PEM files with the owner's own certificate, its chain
// after it, and with its private key. Both empty go back to the authority.
func (i *Identity) SetFiles(certFile, keyFile string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.wanted.certFile, i.wanted.keyFile = certFile, keyFile
}

// Refresh brings what is shown up to date with us, the clock and the files, and
// reports whether State says something else now. It reads the owner's files
// when they have changed, and so may take as long as their disk.
//
// A certificate of the authority is made anew when the names or addresses of us
// are others, when a third of its life or less is left, or when the clock shows
// a time before it. Where it would only prove less, that happens at most once a
// second, so that an interface that comes and goes costs little; a later Refresh
// makes it then.
//
// Files that cannot be used leave the last pair of theirs in place: an editor
// writes two files one after the other. Where these files never had a good
// pair, the authority stands in. Either way Problem says so.
func (i *Identity) Refresh(us lan.Us, now time.Time) (changed bool) {
	i.refreshing.Lock()
	defer i.refreshing.Unlock()
	i.mu.Lock()
	want := i.wanted
	i.mu.Unlock()

	pair, problem := i.files.refresh(want.certFile, want.keyFile, now)
	next := &face{}
	if pair != nil {
		next.cert, next.hosts = pair.cert, pair.hosts
		next.state = ownState(pair, problem)
	} else {
		err := i.issued.refresh(want.authority, us, now)
		if problem == nil {
			problem = err
		}
		next.cert = i.issued.cert
		next.state = issuedState(i.issued, problem)
	}
	last := i.face.Load()
	if next.cert == last.cert && next.state.equal(last.state) {
		return false
	}
	i.face.Store(next)
	return true
}

func ownState(p *pair, problem error) State {
	leaf := p.cert.Leaf
	s := State{
		Ready: true, Own: true,
		Fingerprint: fingerprint(leaf),
		NotAfter:    leaf.NotAfter,
		Names:       leaf.DNSNames,
		Problem:     problem,
	}
	for _, ip := range leaf.IPAddresses {
		if a, ok := netip.AddrFromSlice(ip); ok {
			s.Addresses = append(s.Addresses, a.Unmap())
		}
	}
	return s
}

func issuedState(i issued, problem error) State {
	s := State{Problem: problem}
	if i.from != nil {
		s.Fingerprint = i.from.Fingerprint()
		s.Temporary = i.from.Temporary()
		s.AuthorityNotAfter = i.from.NotAfter()
	}
	if i.cert != nil {
		s.Ready = true
		s.NotAfter = i.cert.Leaf.NotAfter
		s.Names, s.Addresses = i.subjects.names, i.subjects.addrs
	}
	return s
}

func (s State) equal(o State) bool {
	text := func(err error) string {
		if err == nil {
			return ""
		}
		return err.Error()
	}
	return s.Ready == o.Ready && s.Own == o.Own && s.Fingerprint == o.Fingerprint && s.Temporary == o.Temporary &&
		s.NotAfter.Equal(o.NotAfter) && s.AuthorityNotAfter.Equal(o.AuthorityNotAfter) &&
		slices.Equal(s.Names, o.Names) && slices.Equal(s.Addresses, o.Addresses) && text(s.Problem) == text(o.Problem)
}

// State returns what the last Refresh left; the caller may keep and change it.
func (i *Identity) State() State {
	s := i.face.Load().state
	s.Names, s.Addresses = slices.Clone(s.Names), slices.Clone(s.Addresses)
	return s
}

// Host reports whether the owner's own certificate is valid for a host name,
// letter case aside: what it proves counts as a name of this machine. Without
// such files in use it is false for all.
func (i *Identity) Host(host string) bool { return i.face.Load().hosts.has(host) }

// TLSConfig returns a new configuration for a listener: TLS 1.2 and 1.3 with
// Go's suites, HTTP/2 before HTTP/1.1, and session tickets whose keys Go makes
// and changes. Tickets of one configuration are worth nothing to another.
func (i *Identity) TLSConfig() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: i.certificate,
	}
}

// certificate answers each full handshake, whatever name it asks for.
func (i *Identity) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if c := i.face.Load().cert; c != nil {
		return c, nil
	}
	return nil, ErrNoIdentity
}
