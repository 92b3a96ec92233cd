package share

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"paddock/keystore"
	"paddock/lan"
	"paddock/lan/cert"
	"paddock/policy"
	"paddock/requestlog"
	"paddock/settings"
)

// strict has the owner ask for encryption, which is what an owner does who has
// chosen nothing.
func strict(o *Options) { _ = o.Settings.Reset(settings.ShareAllowHTTP) }

// chest is a vault that outlives a program: what lies in it can be looked at.
type chest struct {
	mu     sync.Mutex
	items  map[string]keystore.Secret
	refuse error
}

func newChest() *chest { return &chest{items: map[string]keystore.Secret{}} }

func (v *chest) be(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.refuse = err
}

func (v *chest) Set(_ context.Context, id string, s keystore.Secret) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.refuse == nil {
		v.items[id] = s
	}
	return v.refuse
}

func (v *chest) Get(_ context.Context, id string) (keystore.Secret, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	s, ok := v.items[id]
	switch {
	case v.refuse != nil:
		return keystore.Secret{}, v.refuse
	case !ok:
		return keystore.Secret{}, keystore.ErrNotFound
	}
	return s, nil
}

func (v *chest) Delete(_ context.Context, id string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, ok := v.items[id]; !ok {
		return keystore.ErrNotFound
	}
	delete(v.items, id)
	return nil
}

func (v *chest) Kind() keystore.VaultKind { return keystore.VaultKeychain }
func (v *chest) Describe() string         { return "the test's keychain" }

func (v *chest) authorities() (n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for id := range v.items {
		if strings.HasPrefix(id, "authority-") {
			n++
		}
	}
	return n
}

// kept runs a test in a bubble with a vault that lasts.
func kept(t *testing.T, name string, vault *chest, change func(*Options), test func(*testing.T, *rig)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, vault, change)
			r.Run()
			test(t, r)
		})
	})
}

// trusting is a client that believes what ca.pem vouches for.
func (r *rig) trusting(t *testing.T) *http.Client {
	t.Helper()
	pem, err := os.ReadFile(filepath.Join(r.home, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatalf("no certificate in %s", pem)
	}
	tr := &http.Transport{DialContext: r.net.tr.DialContext, TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		after(6 * time.Second)
	})
	return &http.Client{Transport: tr}
}

func call(t *testing.T, c *http.Client, link, key string) (int, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	res, err := c.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	return res.StatusCode, nil
}

func TestSharingIsEncrypted(t *testing.T) {
	kept(t, "from the first start on, by every name and address", newChest(), strict, func(t *testing.T, r *rig) {
		if e := r.State().Encryption; e.Ready || e.Fault != NoCertFault || !e.Required {
			t.Errorf("before sharing: %+v", e)
		}
		r.share()
		key, c := r.key("alice"), r.trusting(t)
		st := r.State()
		if len(st.Addresses) == 0 || len(st.PlainAddresses) != 0 || !st.Encrypted {
			t.Errorf("%+v", st.Addresses)
		}
		for _, link := range []string{st.Addresses[0].URL, st.Addresses[1].URL, "https://localhost:11435", "https://127.0.0.1:11435"} {
			if code, err := call(t, c, link+"/api/tags", key); code != 200 || err != nil {
				t.Errorf("%s: %d %v", link, code, err)
			}
		}
		if e := r.last(); e.TLS != "TLS 1.3" {
			t.Errorf("%+v", e)
		}
		if code := r.ask("11435", key, http.MethodGet, "/api/tags", ""); code != http.StatusUpgradeRequired {
			t.Errorf("in clear: %d", code)
		}
		if e := r.last(); e.Reason != policy.PlainHTTP || e.Key != "alice" {
			t.Errorf("%+v", e)
		}
		e := st.Encryption
		if !e.Ready || e.Temporary || len(e.Fingerprint) != 95 || e.File != filepath.Join(r.home, "ca.pem") || e.AuthorityNotAfter.Before(time.Now().AddDate(9, 0, 0)) {
			t.Errorf("%+v", e)
		}
	})

	kept(t, "and plain HTTP is let in when the owner says so, at once", newChest(), strict, func(t *testing.T, r *rig) {
		r.share()
		key := r.key("alice")
		if err := r.Set(settings.ShareAllowHTTP, "yes"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if code := r.ask("11435", key, http.MethodGet, "/api/tags", ""); code != 200 {
			t.Errorf("%d", code)
		}
		if st := r.State(); st.Encrypted || len(st.PlainAddresses) != 2 || st.PlainAddresses[0].URL != "http://anna.local:11435" || st.Addresses[0].URL != "https://anna.local:11435" {
			t.Errorf("%+v %+v", st.Addresses, st.PlainAddresses)
		}
		if err := r.Set(settings.ShareAllowHTTP, "no"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if code := r.ask("11435", key, http.MethodGet, "/api/tags", ""); code != 426 {
			t.Errorf("%d", code)
		}
		events := 0
		all, _, _ := r.log.Since(0, 0)
		for _, e := range all {
			if e.Phase == requestlog.Event {
				events++
			}
		}
		if events != 2 {
			t.Errorf("%d lines in the log say so", events)
		}
	})
}

// Teammates trust a gate once: a restart must not ask them again.
func TestTheAuthorityOutlivesTheProgram(t *testing.T) {
	vault, home := newChest(), t.TempDir()
	before := ""
	kept(t, "it is made", vault, strict, func(t *testing.T, r *rig) {
		r.share()
		before = r.State().Encryption.Fingerprint
		b, err := os.ReadFile(filepath.Join(r.home, "ca.pem"))
		if err != nil || strings.Contains(string(b), "PRIVATE") {
			t.Fatalf("%v %s", err, b)
		}
		if err := os.WriteFile(filepath.Join(home, "ca.pem"), b, 0o600); err != nil {
			t.Fatal(err)
		}
	})
	again := func(o *Options) { strict(o); o.Home = home }
	kept(t, "and found again", vault, again, func(t *testing.T, r *rig) {
		r.share()
		if e := r.State().Encryption; e.Fingerprint != before || !e.Ready {
			t.Errorf("%+v", e)
		}
		if n := vault.authorities(); n != 1 {
			t.Errorf("%d authorities in the vault", n)
		}
	})

	kept(t, "unless the keychain is locked: then sharing waits for it", vault, again, func(t *testing.T, r *rig) {
		vault.be(keystore.ErrLocked)
		defer vault.be(nil)
		r.Start()
		r.phase(Waiting, NoCertificate)
		if e := r.State().Encryption; e.Fault != CertVault || e.Detail != string(VaultLocked) || e.Ready {
			t.Errorf("%+v", e)
		}
		after(time.Minute)
		r.phase(Waiting, NoCertificate)
		vault.be(nil)
		r.Start() // the owner tries again
		r.phase(Sharing, NoProblem)
		if e := r.State().Encryption; e.Fingerprint != before || e.Fault != NoCertFault {
			t.Errorf("%+v", e)
		}
	})

	kept(t, "and a locked keychain does not keep plain HTTP from being shared, if that is allowed", vault, func(o *Options) { o.Home = home }, func(t *testing.T, r *rig) {
		vault.be(keystore.ErrLocked)
		defer vault.be(nil)
		r.share()
		if st := r.State(); st.Encryption.Ready || st.Encryption.Fault != CertVault || st.Addresses[0].URL != "http://anna.local:11435" {
			t.Errorf("%+v %+v", st.Encryption, st.Addresses)
		}
	})

	kept(t, "a keychain that lost it is said so, and nothing is replaced behind the owner's back", newChest(), again, func(t *testing.T, r *rig) {
		r.Start()
		r.phase(Waiting, NoCertificate)
		if e := r.State().Encryption; e.Fault != CertLost {
			t.Errorf("%+v", e)
		}
		if _, err := r.RotateAuthority(t.Context()); err != nil {
			t.Fatal(err)
		}
		after(retryEvery)
		r.phase(Sharing, NoProblem)
		if e := r.State().Encryption; e.Fingerprint == before || e.Fault != NoCertFault || !e.Ready {
			t.Errorf("%+v", e)
		}
	})
}

// Without a keychain nothing can be kept, and what others keep is not destroyed.
func TestATemporaryAuthority(t *testing.T) {
	bubble(t, "is made where keys are in memory", strict, func(t *testing.T, r *rig) {
		r.share()
		if e := r.State().Encryption; !e.Temporary || !e.Ready {
			t.Errorf("%+v", e)
		}
		key, c := r.key("alice"), r.trusting(t)
		if code, err := call(t, c, "https://anna.local:11435/api/tags", key); code != 200 || err != nil {
			t.Errorf("%d %v", code, err)
		}
	})

	var real []byte
	vault := newChest()
	kept(t, "a lasting one is made elsewhere", vault, strict, func(t *testing.T, r *rig) {
		r.share()
		var err error
		if real, err = os.ReadFile(filepath.Join(r.home, "ca.pem")); err != nil {
			t.Fatal(err)
		}
	})
	bubble(t, "and its ca.pem stays, in a session without that keychain", func(o *Options) {
		strict(o)
		if err := os.WriteFile(filepath.Join(o.Home, "ca.pem"), real, 0o600); err != nil {
			panic(err)
		}
	}, func(t *testing.T, r *rig) {
		r.share()
		if e := r.State().Encryption; !e.Ready || !e.Temporary {
			t.Errorf("%+v", e)
		}
		if b, err := os.ReadFile(filepath.Join(r.home, "ca.pem")); err != nil || string(b) != string(real) {
			t.Errorf("%v: ca.pem was replaced", err)
		}
	})

	bubble(t, "a ca.pem that nobody understands stops sharing and stays", func(o *Options) {
		strict(o)
		if err := os.WriteFile(filepath.Join(o.Home, "ca.pem"), []byte("nonsense"), 0o600); err != nil {
			panic(err)
		}
	}, func(t *testing.T, r *rig) {
		r.Start()
		r.phase(Waiting, NoCertificate)
		if e := r.State().Encryption; e.Fault != CertDamaged || !strings.Contains(e.Detail, "ca.pem") {
			t.Errorf("%+v", e)
		}
		if b, _ := os.ReadFile(filepath.Join(r.home, "ca.pem")); string(b) != "nonsense" {
			t.Error("it was replaced")
		}
	})
}

// A server with a certificate of its owner's own must share though its vault is
// sealed: nothing in there is needed.
func TestTheOwnersOwnCertificateNeedsNoVault(t *testing.T) {
	vault := newChest()
	var pair [2]string
	kept(t, "a certificate is made", newChest(), strict, func(t *testing.T, r *rig) {
		a, err := cert.New(lan.New("gate"), time.Now(), false)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := a.Issue(lan.New("gate", address("192.168.1.5", "eth0")), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		key, err := x509.MarshalPKCS8PrivateKey(leaf.PrivateKey)
		if err != nil {
			t.Fatal(err)
		}
		pair[0] = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Certificate[0]}))
		pair[1] = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	})
	vault.be(keystore.ErrLocked)
	kept(t, "and sharing starts with it, by its own name", vault, func(o *Options) {
		strict(o)
		for i, name := range []string{settings.ShareCertificate, settings.ShareCertKey} {
			file := filepath.Join(o.Home, "own"+strconv.Itoa(i)+".pem")
			if err := errors.Join(os.WriteFile(file, []byte(pair[i]), 0o600), o.Settings.Set(name, file)); err != nil {
				panic(err)
			}
		}
	}, func(t *testing.T, r *rig) {
		after(retryEvery)
		r.share()
		e := r.State().Encryption
		if !e.Ready || !e.Own || e.Fault != NoCertFault || e.File != "" {
			t.Errorf("%+v", e)
		}
		if at := r.State().Address(); at != "https://gate:11435" {
			t.Errorf("the first address is %s", at)
		}
		if !r.hostOurs("gate:11435") || r.hostOurs("evil.example:11435") {
			t.Error("its name is not ours")
		}
	})
}

func TestRotatingTheAuthority(t *testing.T) {
	vault := newChest()
	kept(t, "breaks those who trust the old one, and nobody else", vault, strict, func(t *testing.T, r *rig) {
		r.share()
		key, old := r.key("alice"), r.trusting(t)
		before := r.State().Encryption
		if code, err := call(t, old, "https://anna.local:11435/api/tags", key); code != 200 || err != nil {
			t.Fatalf("%d %v", code, err)
		}
		old.CloseIdleConnections()
		e, err := r.RotateAuthority(t.Context())
		if err != nil || e.Fingerprint == before.Fingerprint {
			t.Fatalf("%+v %v", e, err)
		}
		after(retryEvery) // the certificate follows within a tick
		if _, err := call(t, old, "https://anna.local:11435/api/tags", key); err == nil {
			t.Error("the old authority is still good")
		}
		if code, err := call(t, r.trusting(t), "https://anna.local:11435/api/tags", key); code != 200 || err != nil {
			t.Errorf("the new one: %d %v", code, err)
		}
		if n := vault.authorities(); n != 1 {
			t.Errorf("%d authorities in the vault", n)
		}
	})
	kept(t, "changes nothing when the vault refuses", vault, strict, func(t *testing.T, r *rig) {
		r.share()
		before := r.State().Encryption
		vault.be(keystore.ErrTimeout)
		defer vault.be(nil)
		_, err := r.RotateAuthority(t.Context())
		var why *AuthorityError
		if !errors.As(err, &why) || why.Fault != CertVault {
			t.Errorf("%v", err)
		}
		after(retryEvery)
		if e := r.State().Encryption; e.Fingerprint != before.Fingerprint || !e.Ready {
			t.Errorf("%+v", e)
		}
	})
}

// The certificate follows the machine to its next network.
func TestTheCertificateFollowsTheAddresses(t *testing.T) {
	kept(t, "within a look around", newChest(), strict, func(t *testing.T, r *rig) {
		r.share()
		key, c := r.key("alice"), r.trusting(t)
		r.move(lanWith("10.1.2.3"))
		after(2 * retryEvery)
		if code, err := call(t, c, "https://10.1.2.3:11435/api/tags", key); code != 200 || err != nil {
			t.Errorf("%d %v", code, err)
		}
		if st := r.State(); st.Addresses[1].URL != "https://10.1.2.3:11435" || r.told.now() == nil || r.told.now().Addrs[0].IP.String() != "10.1.2.3" {
			t.Errorf("%+v %+v", st.Addresses, r.told.now())
		}
	})
}

// A teammate whose program does not trust the certificate says "it does not
// work"; the log says why, once, and not once for each of a stranger's attempts.
func TestDistrustIsToldOnce(t *testing.T) {
	kept(t, "for each address", newChest(), strict, func(t *testing.T, r *rig) {
		r.share()
		at := &net.TCPAddr{IP: net.IPv4(192, 168, 1, 77), Port: 4711}
		for range 100 {
			r.onHandshake(at, errors.New("remote error: tls: unknown certificate authority"))
			r.onHandshake(at, errors.New("EOF"))
		}
		for i := range 300 {
			r.onHandshake(&net.TCPAddr{IP: net.IPv4(10, 0, byte(i>>8), byte(i)), Port: 1}, errors.New("remote error: tls: bad certificate"))
		}
		all, _, _ := r.log.Since(0, 0)
		told := 0
		for _, e := range all {
			if strings.Contains(e.Action, "192.168.1.77 does not trust") {
				told++
			}
		}
		if told != 1 || len(all) != maxDistrust {
			t.Errorf("told %d times, %d lines", told, len(all))
		}
	})
}

func TestNetworksToShareOn(t *testing.T) {
	home := lan.New("anna", lan.Addr{IP: office.Addrs()[0].IP, Interface: "eth0", Bits: 24}, address("127.0.0.1", "lo"))
	elsewhere := lan.New("anna", lan.Addr{IP: lanWith("10.9.9.9").Addrs()[0].IP, Interface: "eth0", Bits: 24}, address("127.0.0.1", "lo"))

	kept(t, "only this one: elsewhere sharing waits and says why, and goes on by itself", newChest(), nil, func(t *testing.T, r *rig) {
		r.move(home)
		after(retryEvery)
		r.share()
		if err := r.Set(settings.ShareNetwork, "here"); err != nil {
			t.Fatal(err)
		}
		r.phase(Sharing, NoProblem)
		if st := r.State(); st.Networks.Choice != "only:eth0,192.168.1.0/24" || !st.Networks.Fits {
			t.Errorf("%+v", st.Networks)
		}
		r.move(elsewhere)
		after(retryEvery)
		r.phase(Waiting, OtherNetwork)
		if st := r.State(); st.Detail != "192.168.1.0/24" || r.ask("11435", "", "GET", "/", "") != 0 || r.told.now() != nil {
			t.Errorf("%q, and who is told: %v", st.Detail, r.told.now())
		}
		r.move(home)
		after(retryEvery)
		r.phase(Sharing, NoProblem)
	})
	bubble(t, "one interface that is not there", nil, func(t *testing.T, r *rig) {
		r.set(settings.ShareNetwork, "interface:wlan9")
		r.Start()
		r.phase(Waiting, NoInterface)
		r.set(settings.ShareNetwork, "private")
		r.phase(Sharing, NoProblem)
	})
	bubble(t, "nothing but public addresses", nil, func(t *testing.T, r *rig) {
		r.move(lanWith("203.0.113.7"))
		r.Start()
		after(retryEvery)
		r.phase(Waiting, PublicNetwork)
		r.set(settings.ShareListen, "203.0.113.7:11435") // which the owner typed
		r.phase(Sharing, NoProblem)
	})
	bubble(t, "here, without a network", nil, func(t *testing.T, r *rig) {
		r.move(lan.New("anna", address("127.0.0.1", "lo")))
		if err := r.Set(settings.ShareNetwork, "here"); !errors.Is(err, ErrNoNetwork) {
			t.Errorf("%v", err)
		}
	})
}

func TestPauseAndPanic(t *testing.T) {
	bubble(t, "a pause ends by itself", nil, func(t *testing.T, r *rig) {
		r.share()
		key := r.key("alice")
		c := r.chat("11435", key)
		r.Pause(15 * time.Minute)
		r.phase(Paused, NoProblem)
		if code := r.ask("11435", key, "GET", "/api/tags", ""); code != 503 {
			t.Errorf("%d", code)
		}
		r.ollama.tokens <- "on"
		c.word() // what ran goes on
		after(15*time.Minute + retryEvery)
		r.phase(Sharing, NoProblem)
		if code := r.ask("11435", key, "GET", "/api/tags", ""); code != 200 {
			t.Errorf("%d", code)
		}
	})
	bubble(t, "a pause until resumed; stopping ends it too", nil, func(t *testing.T, r *rig) {
		r.Pause(time.Minute) // nothing is shared: nothing to pause
		r.phase(Off, NoProblem)
		r.share()
		r.Pause(0)
		after(3 * time.Minute) // not longer: a day of simulated time makes Go's race detector fault now and then
		r.phase(Paused, NoProblem)
		r.Resume()
		r.phase(Sharing, NoProblem)
		r.Pause(0)
		r.Stop()
		r.phase(Off, NoProblem)
		r.share()
	})
	bubble(t, "panic cuts everyone off, and is taken back with one click", nil, func(t *testing.T, r *rig) {
		r.share()
		alice, ben := r.key("alice"), r.key("ben")
		if err := r.SuspendKey("ben"); err != nil {
			t.Fatal(err)
		}
		c := r.chat("11435", alice)
		if err := r.Panic(); err != nil {
			t.Fatal(err)
		}
		if c.rest() == nil {
			t.Error("a request ran on to its end")
		}
		after(50 * time.Millisecond)
		r.phase(Off, NoProblem)
		if st := r.State(); !st.Panicked || st.Wanted || r.ask("11435", alice, "GET", "/api/tags", "") != 0 {
			t.Errorf("%+v", st.Phase)
		}
		for _, k := range r.State().Keys.List {
			if !k.Suspended {
				t.Errorf("%s is not suspended", k.Name)
			}
		}
		r.share() // sharing again does not let anybody in
		if code := r.ask("11435", alice, "GET", "/api/tags", ""); code != 401 {
			t.Errorf("%d", code)
		}
		if err := r.UndoPanic(); err != nil {
			t.Fatal(err)
		}
		r.phase(Sharing, NoProblem)
		if code := r.ask("11435", alice, "GET", "/api/tags", ""); code != 200 {
			t.Errorf("%d", code)
		}
		if code := r.ask("11435", ben, "GET", "/api/tags", ""); code != 401 {
			t.Errorf("who was suspended before: %d", code)
		}
		if err := r.Panic(); err != nil {
			t.Fatal(err)
		}
		r.Stop() // by hand: it does not come back with the keys
		if err := r.UndoPanic(); err != nil {
			t.Fatal(err)
		}
		after(50 * time.Millisecond)
		r.phase(Off, NoProblem)
		words := ""
		all, _, _ := r.log.Since(0, 0)
		for _, e := range all {
			if e.Phase == requestlog.Event {
				words += e.Action + "\n"
			}
			if e.CutBy == requestlog.CutByPanic {
				words += "cut\n"
			}
		}
		if !strings.Contains(words, "Panic: 1 request cut, 1 key suspended") || !strings.Contains(words, "cut\n") || !strings.Contains(words, "Panic taken back") {
			t.Errorf("the log: %s", words)
		}
	})
}

// A panic that is taken back before the port was closed left the gate refusing
// everybody: sharing went on, and the word that nothing is let in with it.
func TestAPanicTakenBackAtOnce(t *testing.T) {
	bubble(t, "", nil, func(t *testing.T, r *rig) {
		r.share()
		key := r.key("alice")
		for range 20 {
			if err := errors.Join(r.Panic(), r.UndoPanic()); err != nil {
				t.Fatal(err)
			}
		}
		after(time.Second)
		r.phase(Sharing, NoProblem)
		if code := r.ask("11435", key, "GET", "/api/tags", ""); code != 200 {
			t.Errorf("%d", code)
		}
	})
}

// A break is there also while the gate cannot listen, and so is its end.
func TestABreakWithoutANetwork(t *testing.T) {
	bubble(t, "", nil, func(t *testing.T, r *rig) {
		r.share()
		r.Pause(0)
		r.move(lanWith("203.0.113.7"))
		after(2 * retryEvery)
		r.phase(Waiting, PublicNetwork)
		if !r.State().Paused {
			t.Error("the break is forgotten")
		}
		r.Resume()
		r.move(office)
		after(2 * retryEvery)
		r.phase(Sharing, NoProblem)
	})
}

// late is a keychain that comes up after the program, as when both start at login.
type late struct {
	*chest
	there, found atomic.Bool
}

func (v *late) Kind() keystore.VaultKind {
	if v.found.Load() {
		return keystore.VaultKeychain
	}
	return keystore.VaultMemory
}

func (v *late) Fallback() error {
	if v.found.Load() {
		return nil
	}
	return keystore.ErrNoVault
}

func (v *late) Probe(context.Context) error {
	v.found.Store(v.there.Load())
	return v.Fallback()
}

func TestAKeychainThatComesLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &late{chest: newChest()}
		r := newRig(t, v, strict)
		r.Run()
		r.share()
		first := r.State().Encryption
		if !first.Temporary {
			t.Fatalf("%+v", first)
		}
		after(2 * lateVault)
		if e := r.State().Encryption; e.Fingerprint != first.Fingerprint {
			t.Error("another one each time that somebody looks")
		}
		v.there.Store(true)
		after(2 * lateVault)
		e := r.State().Encryption
		if e.Temporary || !e.Ready || v.authorities() != 1 {
			t.Errorf("%+v, %d in the vault", e, v.authorities())
		}
		if pem := string(r.proof.pem()); pem == "" || pem != readFile(t, filepath.Join(r.home, "ca.pem")) {
			t.Error("ca.pem is another one than the gate's")
		}
	})
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What nobody understands, and what lies in another session's keychain, is not
// replaced by a rotation either; and the fingerprint is known before sharing.
func TestRotationSparesWhatItMust(t *testing.T) {
	bubble(t, "a damaged ca.pem", func(o *Options) {
		if err := os.WriteFile(filepath.Join(o.Home, "ca.pem"), []byte("nonsense"), 0o600); err != nil {
			panic(err)
		}
	}, func(t *testing.T, r *rig) {
		_, err := r.RotateAuthority(t.Context())
		var why *AuthorityError
		if !errors.As(err, &why) || why.Fault != CertDamaged || readFile(t, filepath.Join(r.home, "ca.pem")) != "nonsense" {
			t.Errorf("%v", err)
		}
	})
	real := ""
	kept(t, "a lasting one is made", newChest(), strict, func(t *testing.T, r *rig) {
		r.share()
		real = readFile(t, filepath.Join(r.home, "ca.pem"))
	})
	bubble(t, "a lasting one, in a session without its keychain", func(o *Options) {
		if err := os.WriteFile(filepath.Join(o.Home, "ca.pem"), []byte(real), 0o600); err != nil {
			panic(err)
		}
	}, func(t *testing.T, r *rig) {
		if e := r.State().Encryption; len(e.Fingerprint) != 95 || e.Ready || e.File == "" {
			t.Errorf("before sharing: %+v", e)
		}
		r.share()
		if e := r.State().Encryption; e.File != "" || !e.Temporary {
			t.Errorf("ca.pem is another one than is used: %+v", e)
		}
		if _, err := r.RotateAuthority(t.Context()); err == nil || readFile(t, filepath.Join(r.home, "ca.pem")) != real {
			t.Errorf("%v", err)
		}
	})
}
