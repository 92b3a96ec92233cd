package keystore

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"paddock/policy"
)

// hands is a clock that a test moves.
type hands struct{ at atomic.Pointer[time.Time] }

func clockAt(at time.Time) *hands {
	h := &hands{}
	h.set(at)
	return h
}

func (h *hands) set(at time.Time)     { h.at.Store(&at) }
func (h *hands) pass(d time.Duration) { h.set(h.now().Add(d)) }
func (h *hands) now() time.Time       { return *h.at.Load() }

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// clockedStore is a store whose clock a test moves, in UTC.
func clockedStore(t testing.TB, home string, v Vault, h *hands) *Store {
	t.Helper()
	s, err := Open(home, v, Options{Now: h.now, Zone: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func mustRotate(t testing.TB, s *Store, name string, grace time.Duration) (Key, Secret) {
	t.Helper()
	k, secret, err := s.Rotate(t.Context(), name, grace)
	if err != nil {
		t.Fatal(err)
	}
	return k, secret
}

func (v *scripted) holds() map[string]Secret {
	v.MemoryVault.mu.Lock()
	defer v.MemoryVault.mu.Unlock()
	return maps.Clone(v.items)
}

func TestRotateKeepsTheKeyAndChangesItsSecret(t *testing.T) {
	for _, kind := range []VaultKind{VaultKeychain, VaultMemory} {
		t.Run(string(kind), func(t *testing.T) {
			home, h := t.TempDir(), clockAt(noon)
			mem := NewMemoryVault()
			var v Vault = mem
			if kind == VaultKeychain {
				v = &scripted{MemoryVault: mem}
			}
			s := clockedStore(t, home, v, h)
			mustAdd(t, s, "first")
			before, old := mustAdd(t, s, "n8n on the NAS")
			s.Used(before.ID, noon)
			before, _ = s.Find("n8n on the NAS")
			h.pass(time.Minute)
			k, secret := mustRotate(t, s, " N8N on the nas", time.Hour)
			want := before
			want.Hint, want.Changed, want.OldUntil = HintOf(secret), h.now(), h.now().Add(time.Hour)
			if k != want || secret.Equal(old) {
				t.Errorf("rotated, it is %+v, want %+v", k, want)
			}
			if found, _ := s.Find(k.Name); found != k {
				t.Errorf("found %+v", found)
			}
			caller := policy.Caller{ID: k.ID, Name: k.Name, Hint: k.Hint, Colour: k.Colour, Grant: k.Grant, Known: true}
			check := func(when string, oldWorks bool) {
				t.Helper()
				if got := s.Authenticate(secret.Reveal()); got != caller {
					t.Errorf("%s: by the new secret it is %+v", when, got)
				}
				var want policy.Caller
				if oldWorks {
					want = caller
				}
				if got := s.Authenticate(old.Reveal()); got != want {
					t.Errorf("%s: by the old secret it is %+v", when, got)
				}
				if c, err := s.Copy(t.Context(), k.Name); err != nil || !c.Equal(secret) {
					t.Errorf("%s: copied something else: %v", when, err)
				}
				if !s.Valid(k.ID) {
					t.Errorf("%s: not valid", when)
				}
			}
			check("at once", true)
			if n := len(mem.items); n != 2 {
				t.Errorf("%d items in the vault", n)
			}
			h.pass(time.Hour - 1)
			check("at the last moment", true)
			h.pass(1)
			check("at the end", false)
			if k, _ := s.Find(k.Name); !k.OldUntil.IsZero() {
				t.Errorf("after the end there is an old secret until %v", k.OldUntil)
			}
			if kind == VaultMemory {
				if _, err := os.Stat(indexPath(home)); err == nil {
					t.Error("a key in memory is in a file")
				}
				return
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = clockedStore(t, home, v, h)
			check("after a restart", false)
			if x := readIndex(t, home); len(x.Keys) != 2 || len(x.Leftovers) != 0 || x.Colours != 2 {
				t.Errorf("the index says %+v", x)
			}
		})
	}
}

func TestGraceOutlivesTheProgram(t *testing.T) {
	home, h := t.TempDir(), clockAt(noon)
	v := &scripted{MemoryVault: NewMemoryVault()}
	s := clockedStore(t, home, v, h)
	_, old := mustAdd(t, s, "alice")
	k, secret := mustRotate(t, s, "alice", MaxGrace)
	for _, days := range []int{0, 29} {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		h.set(noon.AddDate(0, 0, days))
		s = clockedStore(t, home, v, h)
		if !s.Authenticate(old.Reveal()).Known || !s.Authenticate(secret.Reveal()).Known {
			t.Errorf("after %d days one of them does not work", days)
		}
		if found, _ := s.Find("alice"); found.OldUntil != k.OldUntil {
			t.Errorf("after %d days the old one works until %v", days, found.OldUntil)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	h.set(noon.AddDate(0, 0, 30))
	s = clockedStore(t, home, v, h)
	h.set(noon) // too late: a clock that is set back does not bring it to life
	if s.Authenticate(old.Reveal()).Known || !s.Authenticate(secret.Reveal()).Known {
		t.Error("after 30 days the old one works, or the new one does not")
	}
	if err := s.Suspend("alice"); err != nil {
		t.Fatal(err)
	}
	if r := readIndex(t, home).Keys[0]; r.OldSHA256 != "" || !r.OldUntil.IsZero() {
		t.Errorf("its digest stays in the file: %+v", r)
	}
}

func TestRotateWithoutGraceEndsTheOldSecretAtOnce(t *testing.T) {
	s, _ := ringStore(t, t.TempDir())
	_, old := mustAdd(t, s, "alice")
	k, secret := mustRotate(t, s, "alice", 0)
	if got := s.Authenticate(old.Reveal()); got != (policy.Caller{}) || !s.Authenticate(secret.Reveal()).Known || !k.OldUntil.IsZero() {
		t.Errorf("the old secret is %+v, until %v", got, k.OldUntil)
	}
}

func TestGraceHasBounds(t *testing.T) {
	s, ring := ringStore(t, t.TempDir())
	_, secret := mustAdd(t, s, "alice")
	for _, grace := range []time.Duration{-1, -time.Hour, MaxGrace + 1, 1<<63 - 1, -1 << 63} {
		if k, got, err := s.Rotate(t.Context(), "alice", grace); !errors.Is(err, ErrGrace) || !got.IsZero() || k != (Key{}) {
			t.Errorf("%v: %v", grace, err)
		}
	}
	if _, _, err := s.Rotate(t.Context(), "bob", 0); !errors.Is(err, ErrNoKey) {
		t.Errorf("a key that is not there: %v", err)
	}
	if c, err := s.Copy(t.Context(), "alice"); err != nil || !c.Equal(secret) || len(ring.items) != 1 {
		t.Errorf("something changed: %v", err)
	}
}

// Two old secrets would make it unclear what a rotation ends.
func TestRotatingAgainEndsTheOlderSecret(t *testing.T) {
	home := t.TempDir()
	s, ring := ringStore(t, home)
	_, first := mustAdd(t, s, "alice")
	_, second := mustRotate(t, s, "alice", time.Hour)
	k, third := mustRotate(t, s, "alice", time.Minute)
	works := func(p Secret) bool { return s.Authenticate(p.Reveal()).Known }
	if works(first) || !works(second) || !works(third) {
		t.Errorf("working: %v, %v, %v", works(first), works(second), works(third))
	}
	if want := k.Changed.Add(time.Minute); k.OldUntil != want {
		t.Errorf("the old one works until %v, want %v", k.OldUntil, want)
	}
	if len(ring.items) != 1 || ring.has(k.ID) {
		t.Errorf("the keychain holds %d items", len(ring.items))
	}
	k, fourth := mustRotate(t, s, "alice", 0)
	if works(second) || works(third) || !works(fourth) || !k.OldUntil.IsZero() {
		t.Error("without grace an old secret works")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = reopen(t, home, ring)
	if works(first) || works(second) || works(third) || !works(fourth) {
		t.Error("after a restart an old secret works, or the new one does not")
	}
}

func TestSuspendAndRemoveConcernBothSecrets(t *testing.T) {
	home := t.TempDir()
	s, ring := ringStore(t, home)
	_, old := mustAdd(t, s, "alice")
	k, secret := mustRotate(t, s, "alice", time.Hour)
	both := func(what string, ok func(policy.Caller) bool) {
		t.Helper()
		for i, p := range []Secret{old, secret} {
			if got := s.Authenticate(p.Reveal()); !ok(got) {
				t.Errorf("%s: secret %d is %+v", what, i, got)
			}
		}
	}
	if err := s.Suspend("alice"); err != nil {
		t.Fatal(err)
	}
	both("suspended", func(c policy.Caller) bool { return c.Suspended })
	if err := s.Resume("alice"); err != nil {
		t.Fatal(err)
	}
	both("resumed", func(c policy.Caller) bool { return c.Known && !c.Suspended })
	if err := s.Edit("alice", func(g *policy.Grant) { g.Concurrent = 3 }); err != nil {
		t.Fatal(err)
	}
	both("edited", func(c policy.Caller) bool { return c.Grant.Concurrent == 3 })
	if got, _ := s.Find("alice"); got.OldUntil != k.OldUntil {
		t.Errorf("an edit changed the end of the old secret to %v", got.OldUntil)
	}
	if err := s.Remove(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	both("removed", func(c policy.Caller) bool { return c == policy.Caller{} })
	if len(ring.items) != 0 {
		t.Errorf("%d items stay in the keychain", len(ring.items))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if x := readIndex(t, home); len(x.Keys) != 0 || len(x.Leftovers) != 0 {
		t.Errorf("the index says %+v", x)
	}
}

// moment is what a program that is killed leaves behind.
type moment struct {
	when  string
	index []byte
	items map[string]Secret
}

// A program that is killed anywhere in a rotation leaves a key that works, by
// the old secret until the index names the new one, and that can be copied.
// What lies in the keychain without need goes in the next run.
func TestKilledWhileAKeyIsRotated(t *testing.T) {
	home := t.TempDir()
	v := &scripted{MemoryVault: NewMemoryVault()}
	s := openWith(t, home, v)
	key, old := mustAdd(t, s, "alice")
	var mu sync.Mutex // the housekeeper may clear away at the same time
	var seen []moment
	look := func(when string) func() {
		return func() {
			raw, err := os.ReadFile(indexPath(home))
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, moment{when, raw, v.holds()})
		}
	}
	const before, stored = "before the keychain", "when it is stored"
	v.script(func() {
		v.beforeSet, v.onSet, v.onDelete = look(before), look(stored), look("before the old item goes")
	})
	_, secret := mustRotate(t, s, "alice", 0)
	look("afterwards")()
	v.script(func() { v.beforeSet, v.onSet, v.onDelete = nil, nil, nil })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	look("in the end")()
	if len(seen) < 5 {
		t.Fatalf("seen %d moments", len(seen))
	}
	for _, m := range seen {
		works, dead := secret, old
		if m.when == before || m.when == stored { // the new secret is on its way to the keychain
			works, dead = old, secret
		}
		home := t.TempDir()
		if err := os.WriteFile(indexPath(home), m.index, 0o600); err != nil {
			t.Fatal(err)
		}
		v := &scripted{MemoryVault: &MemoryVault{items: m.items}}
		s := openWith(t, home, v)
		if got := s.Authenticate(works.Reveal()); !got.Known || got.ID != key.ID || s.Authenticate(dead.Reveal()).Known {
			t.Errorf("%s: the wrong secret works", m.when)
		}
		if c, err := s.Copy(t.Context(), "alice"); err != nil || !c.Equal(works) {
			t.Errorf("%s: copied something else: %v", m.when, err)
		}
		wait(t, "what is left to go", func() bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return len(s.leftovers) == 0 && len(v.holds()) == 1
		})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if x := readIndex(t, home); len(x.Leftovers) != 0 {
			t.Errorf("%s: the index says %+v", m.when, x)
		}
	}
}

func TestVaultThatFailsRotatesNothing(t *testing.T) {
	for _, c := range []struct {
		err  error
		left int // notes of items that may turn up
	}{{ErrLocked, 0}, {ErrNoVault, 0}, {ErrTimeout, 1}, {ErrNotKept, 1}, {errors.New("unheard of"), 1}, {errVaultLost, 1}} {
		home := t.TempDir()
		v := &scripted{MemoryVault: NewMemoryVault()}
		s := openWith(t, home, v)
		before, old := mustAdd(t, s, "alice")
		v.script(func() { v.set, v.delete = c.err, ErrLocked }) // nor is anything cleared away
		if k, secret, err := s.Rotate(t.Context(), "alice", time.Hour); !errors.Is(err, c.err) || !secret.IsZero() || k != (Key{}) {
			t.Errorf("%v: %v", c.err, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if x := readIndex(t, home); len(x.Leftovers) != c.left {
			t.Errorf("%v: the index says %+v", c.err, x)
		}
		v.script(func() { v.delete = nil })
		s = openWith(t, home, v)
		if k, _ := s.Find("alice"); k != before {
			t.Errorf("%v: it is %+v", c.err, k)
		}
		if got, err := s.Copy(t.Context(), "alice"); err != nil || !got.Equal(old) || !s.Authenticate(old.Reveal()).Known {
			t.Errorf("%v: the old secret does not work: %v", c.err, err)
		}
		wait(t, "what turned up to go", func() bool { return len(v.holds()) == 1 })
	}
}

// A keychain that does not give the old item up does not spoil the rotation.
func TestOldItemThatStaysIsALeftover(t *testing.T) {
	home := t.TempDir()
	v := &scripted{MemoryVault: NewMemoryVault(), delete: ErrLocked}
	s := openWith(t, home, v)
	k, _ := mustAdd(t, s, "alice")
	_, secret := mustRotate(t, s, "alice", 0)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	x := readIndex(t, home)
	if len(x.Leftovers) != 1 || x.Leftovers[0] != (leftover{k.ID, VaultKeychain}) || len(v.holds()) != 2 {
		t.Errorf("the index says %+v", x)
	}
	v.script(func() { v.delete = nil })
	s = openWith(t, home, v) // an index whose leftover has the id of a key
	if c, err := s.Copy(t.Context(), "alice"); err != nil || !c.Equal(secret) {
		t.Fatal(err)
	}
	wait(t, "the old item to go", func() bool { return len(v.holds()) == 1 })
	if c, err := s.Copy(t.Context(), "alice"); err != nil || !c.Equal(secret) {
		t.Errorf("the wrong one went: %v", err)
	}
}

func TestDiskThatRefusesARotation(t *testing.T) {
	home := t.TempDir()
	s, ring := ringStore(t, home)
	d := &disk{}
	s.save = d.save
	before, old := mustAdd(t, s, "alice")
	for what, from := range map[string]int32{"the note": 1, "the key": 2} {
		file, _ := os.ReadFile(indexPath(home))
		d.fail.Store(d.wrote.Load() + from)
		if _, secret, err := s.Rotate(t.Context(), "alice", 0); !errors.Is(err, errDisk) || !secret.IsZero() {
			t.Errorf("%s: %v", what, err)
		}
		if k, _ := s.Find("alice"); k != before || !s.Authenticate(old.Reveal()).Known {
			t.Errorf("%s: it is %+v", what, k)
		}
		if c, err := s.Copy(t.Context(), "alice"); err != nil || !c.Equal(old) || len(ring.items) != 1 {
			t.Errorf("%s: copying: %v, %d items", what, err, len(ring.items))
		}
		if now, _ := os.ReadFile(indexPath(home)); from == 1 && string(now) != string(file) {
			t.Errorf("%s: the file changed", what)
		}
		d.fail.Store(0)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if x := readIndex(t, home); len(x.Leftovers) != 0 || len(x.Keys) != 1 || x.Keys[0].Item != "" {
		t.Errorf("the index says %+v", x)
	}
}

// A key whose vault is out of reach keeps its secret: in another vault it
// would end with the program.
func TestRotateNeedsTheVaultOfTheKey(t *testing.T) {
	home := t.TempDir()
	s, ring := ringStore(t, home)
	_, secret := mustAdd(t, s, "alice")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ring.absent.Store(true)
	s = openWith(t, home, auto(ring))
	if _, _, err := s.Rotate(t.Context(), "alice", 0); !errors.Is(err, ErrNoVault) || !s.Authenticate(secret.Reveal()).Known {
		t.Errorf("it says %v", err)
	}
}

// While the keychain asks its owner, the key may end or change.
func TestKeyThatChangesWhileItIsRotated(t *testing.T) {
	home := t.TempDir()
	v := &scripted{MemoryVault: NewMemoryVault()}
	s := openWith(t, home, v)
	_, old := mustAdd(t, s, "alice")
	v.script(func() {
		v.onSet = func() { _ = s.Edit("alice", func(g *policy.Grant) { g.Concurrent = 7 }); s.sweep(t.Context()) }
	})
	k, secret := mustRotate(t, s, "alice", time.Hour)
	if k.Grant.Concurrent != 7 || s.Authenticate(old.Reveal()).Grant != k.Grant || s.Authenticate(secret.Reveal()).Grant != k.Grant {
		t.Errorf("an edit is lost: %+v", k)
	}
	v.script(func() { v.onSet = func() { _ = s.Remove(context.Background(), "alice") } })
	if _, _, err := s.Rotate(t.Context(), "alice", time.Hour); !errors.Is(err, ErrNoKey) {
		t.Errorf("a key that was removed meanwhile: %v", err)
	}
	if s.Authenticate(old.Reveal()).Known || s.Authenticate(secret.Reveal()).Known || len(v.holds()) != 0 {
		t.Errorf("it works, or %d items stay", len(v.holds()))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if x := readIndex(t, home); len(x.Keys) != 0 || len(x.Leftovers) != 0 {
		t.Errorf("the index says %+v", x)
	}
	if _, _, err := s.Rotate(t.Context(), "alice", 0); err == nil {
		t.Error("rotated in a closed store")
	}
}

// Copy looks the item up and asks the keychain for it; between the two a
// rotation may have taken it away.
func TestCopyDuringRotations(t *testing.T) {
	s, ring := ringStore(t, t.TempDir())
	_, secret := mustAdd(t, s, "alice")
	stop := make(chan struct{})
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := s.Copy(t.Context(), "alice"); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	var rotating sync.WaitGroup
	for range 2 {
		rotating.Go(func() {
			for range 25 {
				if _, got, err := s.Rotate(t.Context(), "alice", time.Hour); err != nil || got.IsZero() {
					t.Error(err)
				}
			}
		})
	}
	rotating.Wait()
	close(stop)
	all.Wait()
	if c, err := s.Copy(t.Context(), "alice"); err != nil || !s.Authenticate(c.Reveal()).Known || s.Authenticate(secret.Reveal()).Known || len(ring.items) != 1 {
		t.Errorf("in the end: %v, %d items", err, len(ring.items))
	}
}

// An index of the program that knew no rotation is read as it is, and its
// keys keep their ids as the names of their items until they are rotated.
func TestIndexFromBeforeRotation(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("testdata", "keys-before-rotation.json"))
	if err != nil {
		t.Fatal(err)
	}
	home, h := t.TempDir(), clockAt(noon)
	if err := os.WriteFile(indexPath(home), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	v := &scripted{MemoryVault: NewMemoryVault()}
	if err := v.MemoryVault.Set(t.Context(), "alice-38ds2rst", NewSecret(plain)); err != nil {
		t.Fatal(err)
	}
	s := clockedStore(t, home, v, h)
	keys := s.List()
	if len(keys) != 2 || keys[0].Name != "Alice" || keys[0].Grant.Role != policy.RoleManager || !keys[0].Grant.Cloud ||
		keys[0].LastUsed.Nanosecond() != 123456789 || !keys[1].Suspended || keys[0].Today != (Usage{}) || !keys[0].OldUntil.IsZero() {
		t.Errorf("the keys are %+v", keys)
	}
	if got := s.Authenticate(plain); got.ID != "alice-38ds2rst" {
		t.Errorf("authenticated as %+v", got)
	}
	if c, err := s.Copy(t.Context(), "alice"); err != nil || c.Reveal() != plain {
		t.Errorf("copying: %v", err)
	}
	// It is written back with nothing in it that it did not have.
	if err := errors.Join(s.Suspend("alice"), s.Resume("alice")); err != nil {
		t.Fatal(err)
	}
	now, _ := os.ReadFile(indexPath(home))
	for _, member := range []string{"item", "old_sha256", "old_until", "today"} {
		if strings.Contains(string(now), `"`+member+`"`) {
			t.Errorf("%s is in\n%s", member, now)
		}
	}
	k, secret := mustRotate(t, s, "alice", time.Hour)
	if k.ID != "alice-38ds2rst" || !s.Authenticate(plain).Known || !s.Authenticate(secret.Reveal()).Known {
		t.Errorf("rotated, it is %+v", k)
	}
	r := readIndex(t, home).Keys[0]
	items := slices.Collect(maps.Keys(v.holds()))
	if r.Item == "" || r.Item == r.ID || len(items) != 1 || items[0] != r.Item {
		t.Errorf("the index names %q, the vault has %q", r.Item, items)
	}
}

// The file of a program that knows the new members must not look damaged to
// one that does not.
func TestIndexIsWrittenAsTheNewerVersion(t *testing.T) {
	if raw := string(sampleIndex(t)); !strings.Contains(raw, `"version": 2`) {
		t.Errorf("written is\n%s", raw)
	}
	home := t.TempDir()
	old := strings.Replace(string(sampleIndex(t)), `"version": 2`, `"version": 1`, 1)
	if err := os.WriteFile(indexPath(home), []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(home, &scripted{MemoryVault: NewMemoryVault()}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Resume("alice"), s.Close()); err != nil {
		t.Fatal(err)
	}
	if now, _ := os.ReadFile(indexPath(home)); !strings.Contains(string(now), `"version": 2`) {
		t.Errorf("written is\n%s", now)
	}
}

// An old secret whose time was over stays dead when the clock is set back, once
// a minute has passed or anything was written.
func TestClockThatIsSetBackBringsNoOldSecretToLife(t *testing.T) {
	for what, meanwhile := range map[string]func(*Store, *hands) error{
		"a minute": func(*Store, *hands) error { time.Sleep(pruneEvery + time.Second); return nil },
		"an edit": func(s *Store, _ *hands) error {
			return s.Edit("bob", func(g *policy.Grant) { g.Concurrent = 3 })
		},
		"an edit that changes nothing": func(s *Store, _ *hands) error { return s.Edit("bob", func(*policy.Grant) {}) },
		"a key":                        func(s *Store, _ *hands) error { _, _, err := s.Add(context.Background(), "carol", grant); return err },
		"another rotation":             func(s *Store, _ *hands) error { _, _, err := s.Rotate(context.Background(), "bob", 0); return err },
		"a removal":                    func(s *Store, _ *hands) error { return s.Remove(context.Background(), "bob") },
	} {
		t.Run(what, func(t *testing.T) {
			home := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				h := clockAt(noon)
				s, err := Open(home, &scripted{MemoryVault: NewMemoryVault()}, Options{Now: h.now, Zone: time.UTC})
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				mustAdd(t, s, "bob")
				_, old := mustAdd(t, s, "alice")
				_, secret := mustRotate(t, s, "alice", time.Hour)
				h.pass(time.Hour)
				if s.Authenticate(old.Reveal()).Known {
					t.Error("it works when its time is over")
				}
				if err := meanwhile(s, h); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				h.set(noon)
				if s.Authenticate(old.Reveal()).Known || !s.Authenticate(secret.Reveal()).Known {
					t.Error("the old secret works, or the new one does not")
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				if r := readIndex(t, home).Keys; slices.ContainsFunc(r, func(r record) bool { return r.OldSHA256 != "" }) {
					t.Errorf("its digest stays in the file: %+v", r)
				}
			})
		})
	}
}

func TestOldWorksUntil(t *testing.T) {
	hour, two := noon.Add(time.Hour), noon.Add(2*time.Hour)
	for name, c := range map[string]struct {
		key   Key
		until time.Time
	}{
		"no old secret":       {Key{}, time.Time{}},
		"works":               {Key{OldUntil: hour}, hour},
		"is over":             {Key{OldUntil: noon}, time.Time{}},
		"ends with the key":   {Key{OldUntil: two, Grant: policy.Grant{Expires: hour}}, hour},
		"ends before the key": {Key{OldUntil: hour, Grant: policy.Grant{Expires: two}}, hour},
		"the key has expired": {Key{OldUntil: two, Grant: policy.Grant{Expires: noon}}, time.Time{}},
		"the key is refused":  {Key{OldUntil: two, Suspended: true}, time.Time{}},
		"only an end":         {Key{Grant: policy.Grant{Expires: hour}}, time.Time{}},
	} {
		if until, ok := c.key.OldWorksUntil(noon); until != c.until || ok != !c.until.IsZero() {
			t.Errorf("%s: %v %v", name, until, ok)
		}
	}
}

// changing is a vault that is another one after the first item.
type changing struct {
	*MemoryVault
	kind atomic.Pointer[VaultKind]
}

func (v *changing) Kind() VaultKind { return *v.kind.Load() }

func TestVaultThatChangesWhileAKeyIsRotated(t *testing.T) {
	memory, ring := VaultMemory, VaultKeychain
	v := &changing{MemoryVault: NewMemoryVault()}
	v.kind.Store(&memory)
	s := openWith(t, t.TempDir(), &hooked{v, func() { v.kind.Store(&ring) }})
	_, old := mustAdd(t, s, "alice")
	if _, _, err := s.Rotate(t.Context(), "alice", 0); !errors.Is(err, ErrNoVault) || errors.Is(err, ErrNoKey) {
		t.Errorf("it says %v", err)
	}
	if !s.Authenticate(old.Reveal()).Known {
		t.Error("the old secret does not work")
	}
}

// hooked does something after the second item is stored.
type hooked struct {
	*changing
	then func()
}

func (v *hooked) Set(ctx context.Context, id string, secret Secret) error {
	err := v.MemoryVault.Set(ctx, id, secret)
	if len(v.items) > 1 {
		v.then()
	}
	return err
}
