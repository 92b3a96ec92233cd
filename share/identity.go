package share

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"paddock/keystore"
	"paddock/lan"
	"paddock/lan/cert"
)

// CertFault says why the gate cannot prove itself as it should, as a fact.
type CertFault string

// The faults of certificates.
const (
	NoCertFault CertFault = ""
	CertVault   CertFault = "vault"   // the vault does not give the authority's private key: Detail is a Trouble
	CertLost    CertFault = "lost"    // the vault does not have it any more, and ca.pem is worth nothing
	CertDamaged CertFault = "damaged" // ca.pem cannot be read: see Detail
	CertExpired CertFault = "expired" // the authority's ten years are over, or the owner's own certificate has ended
	CertFiles   CertFault = "files"   // the owner's own certificate cannot be used: see Detail
	CertUnsaved CertFault = "unsaved" // ca.pem cannot be written: see Detail
)

// Encryption says how the gate proves itself to those who call it.
type Encryption struct {
	Ready    bool `json:"ready"`
	Required bool `json:"required"` // what comes in clear is refused
	// Own says that the certificate is the owner's own, from files. Temporary
	// says that the authority ends with the program.
	Own       bool `json:"own,omitempty"`
	Temporary bool `json:"temporary,omitempty"`
	// Fingerprint is the SHA-256 to compare before trusting: that of the
	// authority's certificate, or of the owner's own.
	Fingerprint       string    `json:"fingerprint,omitempty"`
	NotAfter          time.Time `json:"not_after,omitzero"` // of the certificate that is shown
	AuthorityNotAfter time.Time `json:"authority_not_after,omitzero"`
	// File is where the authority's certificate lies, "" when there is none.
	File   string    `json:"file,omitempty"`
	Fault  CertFault `json:"fault,omitempty"` // may stand beside Ready
	Detail string    `json:"detail,omitempty"`
}

// provePatience is how long a keychain may take: long enough for a person to
// type a password.
const provePatience = 60 * time.Second

// proof is what the gate proves itself with, and how it fared.
type proof struct {
	identity *cert.Identity
	ask      chan struct{} // capacity 1: look for the authority
	changing sync.Mutex    // one search or rotation at a time

	mu      sync.Mutex // guards what follows
	public  cert.Public
	known   bool      // public says something
	held    bool      // its private key is at hand
	saved   bool      // and ca.pem says the same
	working bool      // the vault was asked, or is about to be
	since   time.Time // of that
	fault   CertFault
	detail  string
}

// newProof begins with what ca.pem says, so that the fingerprint can be compared
// before anything is shared. One that ended with its program says nothing.
func newProof(home string) *proof {
	p := &proof{identity: cert.NewIdentity(), ask: make(chan struct{}, 1)}
	if known, err := cert.Load(home); err == nil && !known.Temporary() {
		p.public, p.known, p.saved = known, true, true
	}
	return p
}

// wanted has the authority looked for, unless it is there or somebody looks.
func (p *proof) wanted() {
	p.mu.Lock()
	needed := !p.held && !p.working
	if needed {
		p.working, p.since = true, time.Now()
	}
	p.mu.Unlock()
	if needed {
		token(p.ask)
	}
}

// set notes how a search fared.
func (p *proof) set(a *cert.Authority, saved bool, fault CertFault, detail string) {
	p.mu.Lock()
	p.working, p.fault, p.detail = false, fault, detail
	if a != nil {
		p.public, p.known, p.held, p.saved = a.Public, true, true, saved
	}
	p.mu.Unlock()
	if a != nil {
		p.identity.SetAuthority(a)
	}
}

// state says it for the screens.
func (p *proof) state(home string, required bool) (e Encryption, working bool) {
	shown := p.identity.State()
	p.mu.Lock()
	defer p.mu.Unlock()
	e = Encryption{
		Ready: shown.Ready, Required: required, Own: shown.Own, Temporary: shown.Temporary, Fingerprint: shown.Fingerprint,
		NotAfter: shown.NotAfter, AuthorityNotAfter: shown.AuthorityNotAfter, Fault: p.fault, Detail: p.detail,
	}
	if !shown.Own && p.known {
		e.Fingerprint, e.Temporary, e.AuthorityNotAfter = p.public.Fingerprint(), p.public.Temporary(), p.public.NotAfter()
		if p.saved {
			e.File = filepath.Join(home, cert.FileName)
		}
	}
	if shown.Own {
		e.Fault, e.Detail = NoCertFault, "" // what the vault says concerns nobody then
	}
	if shown.Problem != nil {
		e.Fault, e.Detail = CertFiles, shown.Problem.Error()
		if errors.Is(shown.Problem, cert.ErrExpired) {
			e.Fault = CertExpired
		}
	}
	return e, p.working
}

// pem is what clients check the gate with; nil while that is not known, or is
// the owner's own affair.
func (p *proof) pem() []byte {
	if p.identity.State().Own {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.known {
		return nil
	}
	return p.public.CertPEM()
}

// born is the first moment of the authority's life, zero while none is known.
func (p *proof) born() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.known {
		return time.Time{}
	}
	return p.public.Certificate().NotBefore
}

// justAsked says whether the vault was asked a moment ago, and has a moment left
// to answer.
func (p *proof) justAsked() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.working && time.Since(p.since) < retryEvery
}

// prove looks for the authority whenever it is asked to. It may wait for a
// person, so it has a goroutine of its own.
func (s *Share) prove(ctx context.Context) {
	late := time.NewTicker(lateVault)
	defer late.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.proof.ask:
		case <-late.C:
			if !s.vaultCame(ctx) {
				continue
			}
		}
		s.findAuthority(ctx)
	}
}

// lateVault is how often a keychain that was not there is looked for again: a
// program that starts at login may be there before it.
const lateVault = 30 * time.Second

// vaultCame says whether the authority ends with the program only because there
// was no keychain, and now there is one.
func (s *Share) vaultCame(ctx context.Context) bool {
	s.proof.mu.Lock()
	temporary := s.proof.held && s.proof.public.Temporary()
	s.proof.mu.Unlock()
	if !temporary || s.o.Keys.State().Fallback == nil {
		return false
	}
	_ = s.o.Keys.Probe(ctx) // asks nobody anything; what it finds is in the state
	return s.o.Keys.State().Vault != keystore.VaultMemory
}

func (s *Share) findAuthority(ctx context.Context) {
	s.proof.changing.Lock()
	defer s.proof.changing.Unlock()
	ctx, cancel := context.WithTimeout(ctx, provePatience)
	defer cancel()
	a, saved, fault, detail := s.authority(ctx)
	s.proof.set(a, saved, fault, detail)
	s.refreshIdentity(s.look())
	s.wakeRun()
	s.watch.Wake()
}

// authority returns the one of this home, and makes it where there is none.
func (s *Share) authority(ctx context.Context) (a *cert.Authority, saved bool, fault CertFault, detail string) {
	known, err := cert.Load(s.o.Home)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && known.Temporary(): // the latter of a program that has ended, and its key with it
		a, fault, detail = s.makeAuthority(ctx)
		return a, a != nil, fault, detail
	case err != nil:
		return nil, false, CertDamaged, err.Error()
	}
	secret, err := s.o.Keys.Kept(ctx, known.ID())
	switch {
	case errors.Is(err, keystore.ErrNotFound):
		return nil, false, CertLost, ""
	case errors.Is(err, keystore.ErrNoVault) && s.o.Keys.State().Vault == keystore.VaultMemory:
		// Its key lies in a vault that this session does not have. The file stays
		// for the session that does, and this one makes do.
		if a, err = cert.New(s.look(), time.Now(), true); err != nil {
			return nil, false, CertUnsaved, err.Error()
		}
		return a, false, NoCertFault, ""
	case err != nil:
		return nil, false, CertVault, string(TroubleOf(err))
	}
	a, err = cert.Parse(known.CertPEM(), []byte(secret.Reveal()))
	switch {
	case errors.Is(err, cert.ErrExpired):
		return nil, false, CertExpired, ""
	case err != nil:
		return nil, false, CertLost, ""
	}
	return a, true, NoCertFault, ""
}

// makeAuthority makes one and keeps it: its private key in the vault first, so
// that no ca.pem is handed out whose key is nowhere.
func (s *Share) makeAuthority(ctx context.Context) (a *cert.Authority, fault CertFault, detail string) {
	a, err := cert.New(s.look(), time.Now(), false)
	if err != nil {
		return nil, CertUnsaved, err.Error()
	}
	kind, err := s.o.Keys.Keep(ctx, a.ID(), keystore.NewSecret(string(a.KeyPEM())))
	if err != nil {
		return nil, CertVault, string(TroubleOf(err))
	}
	if kind == keystore.VaultMemory {
		if a, err = cert.New(s.look(), time.Now(), true); err != nil {
			return nil, CertUnsaved, err.Error()
		}
	}
	if err := cert.Save(s.o.Home, a.Public); err != nil {
		if kind != keystore.VaultMemory {
			_ = s.o.Keys.Forget(ctx, a.ID()) // it opens nothing
		}
		return nil, CertUnsaved, err.Error()
	}
	return a, NoCertFault, ""
}

// AuthorityError says why there is no new authority.
type AuthorityError struct {
	Fault  CertFault
	Detail string
}

// Error implements error.
func (e *AuthorityError) Error() string {
	if e.Detail == "" {
		return "no new authority: " + string(e.Fault)
	}
	return "no new authority: " + string(e.Fault) + ": " + e.Detail
}

// RotateAuthority makes a new local authority in place of the old one, from the
// next connection on. Whoever trusts the old one trusts this gate no more, and
// has to fetch ca.pem again. It may wait for a person as long as ctx lets it; the
// error is an *AuthorityError, and then nothing has changed.
func (s *Share) RotateAuthority(ctx context.Context) (Encryption, error) {
	s.proof.changing.Lock()
	defer s.proof.changing.Unlock()
	old, loadErr := cert.Load(s.o.Home)
	switch {
	case loadErr != nil && !errors.Is(loadErr, fs.ErrNotExist): // left as it is, like every file that nobody understands
		return Encryption{}, &AuthorityError{CertDamaged, loadErr.Error()}
	case loadErr == nil && !old.Temporary() && s.o.Keys.State().Vault == keystore.VaultMemory:
		// One that lasts is not given up for one that ends with the program.
		return Encryption{}, &AuthorityError{CertVault, string(VaultMissing)}
	}
	a, fault, detail := s.makeAuthority(ctx)
	if fault != NoCertFault {
		return Encryption{}, &AuthorityError{fault, detail}
	}
	if loadErr == nil && !old.Temporary() {
		_ = s.o.Keys.Forget(ctx, old.ID()) // left behind it opens nothing: its certificate is gone
	}
	s.proof.set(a, true, NoCertFault, "")
	s.refreshIdentity(s.look())
	s.o.Log.Note(time.Now(), "A new certificate authority; the old one is trusted no more")
	s.wakeRun()
	s.watch.Wake()
	e, _ := s.proof.state(s.o.Home, !s.plainAllowed())
	return e, nil
}

// vaultBack looks for the authority again once the vault works, such as after
// somebody unlocked the keychain to copy a key.
func (s *Share) vaultBack() {
	s.mu.Lock()
	wanted := s.wanted
	s.mu.Unlock()
	s.proof.mu.Lock()
	waits := s.proof.fault == CertVault
	s.proof.mu.Unlock()
	if wanted && waits && s.o.Keys.State().VaultProblem == nil {
		s.proof.wanted()
	}
}

// refreshIdentity has the certificate follow addresses, names, files and clock.
func (s *Share) refreshIdentity(us lan.Us) {
	now := s.o.Settings.Get()
	s.proof.identity.SetFiles(now.Certificate, now.CertificateKey)
	if s.proof.identity.Refresh(us, time.Now()) {
		s.watch.Wake()
	}
}

// look is who we are now.
func (s *Share) look() lan.Us {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.us
}

// plainAllowed says whether the owner lets requests in that are not encrypted.
func (s *Share) plainAllowed() bool { return s.o.Flags.AllowHTTP || s.o.Settings.Get().AllowHTTP }

// wantedOnce is wanted for who has not asked yet. Later questions come by Start,
// or when the vault works again: each may put a question of the keychain's on the
// owner's screen.
func (p *proof) wantedOnce() {
	p.mu.Lock()
	asked := p.fault != NoCertFault
	p.mu.Unlock()
	if !asked {
		p.wanted()
	}
}

// onHandshake is told of each client that broke a handshake off. One that does
// not trust the certificate is worth a line: its teammate only sees that it does
// not work. It does not wait.
func (s *Share) onHandshake(client net.Addr, err error) {
	if !distrusts(err) {
		return
	}
	host, _, splitErr := net.SplitHostPort(client.String())
	if splitErr != nil || !s.distrust.first(host, time.Now()) {
		return
	}
	s.o.Log.Note(time.Now(), host+" does not trust the certificate: give it ca.pem")
}

// distrusts says whether a client broke a handshake off because of the
// certificate. Go's clients say so in an alert. OpenSSL, and with it curl, Node
// and Python, sends that alert in TLS 1.3 before it encrypts, which to crypto/tls
// is a record that it cannot read (seen with OpenSSL 3.0 and Go 1.26).
func distrusts(err error) bool {
	text := err.Error()
	for _, alert := range []string{"unknown certificate authority", "bad certificate", "unknown certificate", "local error: tls: bad record MAC"} {
		if strings.Contains(text, alert) {
			return true
		}
	}
	return false
}

// distrustQuiet is how long one address is not told of again.
const distrustQuiet = 10 * time.Minute

// maxDistrust bounds how many addresses are remembered: strangers need no key to
// break off a handshake.
const maxDistrust = 64

// distrust remembers who was told of.
type distrust struct {
	mu   sync.Mutex
	last map[string]time.Time
}

// first says whether an address is to be told of now.
func (d *distrust) first(host string, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for h, at := range d.last {
		if now.Sub(at) > distrustQuiet {
			delete(d.last, h)
		}
	}
	if _, told := d.last[host]; told || len(d.last) >= maxDistrust {
		return false
	}
	if d.last == nil {
		d.last = map[string]time.Time{}
	}
	d.last[host] = now
	return true
}
