package keystore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"paddock/internal/atomicfile"
	"paddock/policy"
)

var grant = policy.Grant{Role: policy.RoleUser}

// ringStore is a store over a keychain that is a map.
func ringStore(t testing.TB, home string) (*Store, *fakeRing) {
	t.Helper()
	ring := &fakeRing{}
	return reopen(t, home, ring), ring
}

func reopen(t testing.TB, home string, ring *fakeRing) *Store {
	t.Helper()
	v := newOSKeychain(ring.calls())
	v.keep = 200 * time.Millisecond
	return openWith(t, home, v)
}

func openWith(t testing.TB, home string, v Vault) *Store {
	t.Helper()
	s, err := Open(home, v, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func mustAdd(t testing.TB, s *Store, name string) (Key, Secret) {
	t.Helper()
	k, secret, err := s.Add(t.Context(), name, grant)
	if err != nil {
		t.Fatal(err)
	}
	return k, secret
}

func readIndex(t testing.TB, home string) index {
	t.Helper()
	x, err := loadIndex(indexPath(home))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestAKeyFromItsMakingToItsEnd(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	s, ring := ringStore(t, home)
	ctx := t.Context()
	g := policy.Grant{Role: policy.RoleManager, Cloud: true, Expires: time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)}
	k, secret, err := s.Add(ctx, "  n8n on the NAS ", g)
	if err != nil {
		t.Fatal(err)
	}
	if k.Name != "n8n on the NAS" || k.Grant != g || k.Suspended || k.Vault != VaultKeychain || k.Made.IsZero() || !k.LastUsed.IsZero() {
		t.Errorf("made %+v", k)
	}
	if k.Hint != secret.Reveal()[:7] || !strings.HasPrefix(k.ID, "n8n-on-the-nas-") {
		t.Errorf("hint %q, id %q", k.Hint, k.ID)
	}
	if _, ok := Parse(secret.Reveal()); !ok {
		t.Error("its secret is not a key")
	}
	if c, err := s.Copy(ctx, "N8N ON THE nas"); err != nil || !c.Equal(secret) {
		t.Errorf("copied something else: %v", err)
	}
	want := policy.Caller{ID: k.ID, Name: k.Name, Hint: k.Hint, Colour: k.Colour, Grant: g, Known: true}
	if got := s.Authenticate(secret.Reveal()); got != want {
		t.Errorf("authenticated as %+v", got)
	}
	if !s.Valid(k.ID) {
		t.Error("it is not valid")
	}

	raw, err := os.ReadFile(indexPath(home))
	if err != nil || strings.Contains(string(raw), secret.Reveal()[7:]) {
		t.Errorf("the index cannot be read, or holds the key: %v", err)
	}

	if err := s.Suspend("n8n ON the NAS"); err != nil {
		t.Fatal(err)
	}
	if got := s.Authenticate(secret.Reveal()); !got.Suspended || !got.Known || s.Valid(k.ID) {
		t.Errorf("suspended, it is %+v", got)
	}
	if x := readIndex(t, home); !x.Keys[0].Suspended {
		t.Error("on disk it is not suspended")
	}
	if err := s.Resume(k.Name); err != nil || !s.Valid(k.ID) {
		t.Errorf("not resumed: %v", err)
	}
	if err := s.Edit(k.Name, func(g *policy.Grant) { g.Cloud = false }); err != nil {
		t.Fatal(err)
	}
	if got := s.Authenticate(secret.Reveal()); got.Grant.Cloud || got.Grant.Role != policy.RoleManager {
		t.Errorf("edited, it is %+v", got)
	}
	if found, ok := s.Find(" N8N on the NAS"); !ok || found.Grant.Cloud || found.Changed.Before(k.Changed) || found.Made != k.Made {
		t.Errorf("found %+v", found)
	}

	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = reopen(t, home, ring)
	if got := s.Authenticate(secret.Reveal()); !got.Known || got.ID != k.ID || got.Grant.Cloud {
		t.Errorf("after a restart it is %+v", got)
	}
	if err := s.Remove(ctx, k.Name); err != nil {
		t.Fatal(err)
	}
	if got := s.Authenticate(secret.Reveal()); got != (policy.Caller{}) || s.Valid(k.ID) || len(s.List()) != 0 || ring.has(k.ID) {
		t.Errorf("removed, it is %+v", got)
	}
	for what, err := range map[string]error{
		"suspending": s.Suspend(k.Name), "resuming": s.Resume(k.Name), "removing": s.Remove(ctx, k.Name),
		"editing": s.Edit(k.Name, func(*policy.Grant) { t.Error("edited nothing") }),
	} {
		if !errors.Is(err, ErrNoKey) {
			t.Errorf("%s what is not there: %v", what, err)
		}
	}
	if _, err := s.Copy(ctx, k.Name); !errors.Is(err, ErrNoKey) {
		t.Errorf("copying what is not there: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if x := readIndex(t, home); len(x.Keys) != 0 || len(x.Leftovers) != 0 {
		t.Errorf("the index still holds %+v", x)
	}
}

func TestNames(t *testing.T) {
	s, _ := ringStore(t, t.TempDir())
	mustAdd(t, s, "Alice")
	mustAdd(t, s, "straße ünïcode 漢字 👍")
	for _, taken := range []string{"Alice", "alice", " ALICE\n", "STRAßE ÜNÏCODE 漢字 👍"} {
		if _, _, err := s.Add(t.Context(), taken, grant); !errors.Is(err, ErrNameTaken) {
			t.Errorf("%q: %v", taken, err)
		}
	}
	for name, want := range map[string]NameFault{
		"": NameEmpty, " \t\n": NameEmpty,
		strings.Repeat("é", 65): NameTooLong,
		"a\x1b[31mred":          NameUnprintable, "a\nb": NameUnprintable, "a\x00b": NameUnprintable, "a\x7fb": NameUnprintable, "a\u009bb": NameUnprintable,
		"a\u202eb": NameUnprintable, "a\u200bb": NameUnprintable, "a\u2028b": NameUnprintable, "a\ufeffb": NameUnprintable, "a\xffb": NameUnprintable, "a\ue000b": NameUnprintable,
	} {
		_, secret, err := s.Add(t.Context(), name, grant)
		var bad *NameError
		if !errors.As(err, &bad) || bad.Fault != want || bad.Name != name || !secret.IsZero() {
			t.Errorf("%q: %v", name, err)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\x1b\n\x00\x7f\u202e\u009b") {
			t.Errorf("%q: the error carries it on", name)
		}
	}
	if _, _, err := s.Add(t.Context(), strings.Repeat("漢", 64), grant); err != nil {
		t.Errorf("64 characters: %v", err)
	}
	if n := len(s.List()); n != 3 {
		t.Errorf("%d keys", n)
	}
}

// Two people may not get one name, whichever of them the keychain answers first.
func TestConcurrentAddsOfOneName(t *testing.T) {
	s, ring := ringStore(t, t.TempDir())
	var made, taken atomic.Int32
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			name := "alice"
			if i%2 == 0 {
				name = "ALICE"
			}
			switch _, _, err := s.Add(t.Context(), name, grant); {
			case err == nil:
				made.Add(1)
			case errors.Is(err, ErrNameTaken):
				taken.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if made.Load() != 1 || taken.Load() != 7 || len(s.List()) != 1 || len(ring.items) != 1 {
		t.Errorf("%d made, %d taken, %d keys, %d items", made.Load(), taken.Load(), len(s.List()), len(ring.items))
	}
}

func TestColoursAreGivenInOrderAndKept(t *testing.T) {
	home := t.TempDir()
	s, ring := ringStore(t, home)
	for i := range 10 {
		if k, _ := mustAdd(t, s, fmt.Sprint("k", i)); k.Colour != i%Colours {
			t.Errorf("key %d has colour %d", i, k.Colour)
		}
	}
	if err := s.Remove(t.Context(), "k1"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = reopen(t, home, ring)
	if k, _ := s.Find("k2"); k.Colour != 2 {
		t.Errorf("k2 has colour %d now", k.Colour)
	}
	if k, _ := mustAdd(t, s, "next"); k.Colour != 10%Colours {
		t.Errorf("the next has colour %d", k.Colour)
	}
}

// Keys made with the memory vault end with the program: nothing of them is on
// disk, or a file would name keys that nobody can copy and that still open.
func TestMemoryKeysEndWithTheProgram(t *testing.T) {
	home := t.TempDir()
	first, ring := ringStore(t, home)
	_, kept := mustAdd(t, first, "kept")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(indexPath(home))

	ring.absent.Store(true)
	s := openWith(t, home, auto(ring))
	k, secret := mustAdd(t, s, "short-lived")
	if k.Vault != VaultMemory {
		t.Errorf("it lies in %q", k.Vault)
	}
	if x := s.State(); x.Vault != VaultMemory || !errors.Is(x.Fallback, ErrNoVault) || len(x.Keys) != 2 || x.VaultProblem != nil {
		t.Errorf("the state is %+v", x)
	} else if x.Keys[0].Vault == x.Vault || x.Keys[1].Vault != x.Vault {
		t.Error("the state does not tell which of them can be copied")
	}
	if c, err := s.Copy(t.Context(), "short-lived"); err != nil || !c.Equal(secret) {
		t.Errorf("copying: %v", err)
	}
	// What the keychain holds is out of reach, and said to be; the key works.
	if !s.Authenticate(kept.Reveal()).Known {
		t.Error("the older key does not work any more")
	}
	if _, err := s.Copy(t.Context(), "kept"); !errors.Is(err, ErrNoVault) || errors.Is(err, ErrNotFound) {
		t.Errorf("copying the older key: %v", err)
	}
	for _, f := range []func(string) error{s.Suspend, s.Resume} {
		if err := f("short-lived"); err != nil {
			t.Error(err)
		}
	}
	s.Used(k.ID, time.Now())
	// Even when the file is written for another reason.
	if err := s.Suspend("kept"); err != nil {
		t.Fatal(err)
	}
	if err := s.Resume("kept"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	after, _ := os.ReadFile(indexPath(home))
	if strings.Contains(string(after), "short-lived") || strings.Contains(string(after), k.ID) || len(before) == 0 {
		t.Errorf("the index holds it:\n%s", after)
	}
	ring.absent.Store(false)
	s = reopen(t, home, ring)
	if s.Authenticate(secret.Reveal()).Known || len(s.List()) != 1 {
		t.Error("it outlived the program")
	}
	if c, err := s.Copy(t.Context(), "kept"); err != nil || !c.Equal(kept) {
		t.Errorf("copying with the keychain back: %v", err)
	}
}

// A memory vault needs no disk.
func TestMemoryKeysNeedNoHome(t *testing.T) {
	home := filepath.Join(t.TempDir(), "missing", "home")
	s := openWith(t, home, NewMemoryVault())
	_, secret := mustAdd(t, s, "alice")
	if err := s.Suspend("alice"); err != nil || !s.Authenticate(secret.Reveal()).Suspended {
		t.Error(err)
	}
	if err := s.Remove(t.Context(), "alice"); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(home); err == nil {
		t.Error("a home was made")
	}
}

func TestVaultThatFailsMakesNoKey(t *testing.T) {
	for _, c := range []struct {
		err  error
		left int // notes of items that may turn up
	}{{ErrLocked, 0}, {ErrNoVault, 0}, {ErrTooBig, 0}, {ErrWrongPassphrase, 0}, {ErrTimeout, 1}, {ErrNotKept, 1}, {errors.New("unheard of"), 1}, {errVaultLost, 1}} {
		home := t.TempDir()
		v := &scripted{MemoryVault: NewMemoryVault(), set: c.err}
		s := openWith(t, home, v)
		_, secret, err := s.Add(t.Context(), "alice", grant)
		if !errors.Is(err, c.err) || !secret.IsZero() || len(s.List()) != 0 {
			t.Errorf("%v: %v", c.err, err)
		}
		if p := s.State().VaultProblem; !errors.Is(p, c.err) {
			t.Errorf("%v: the state says %v", c.err, p)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if x := readIndex(t, home); len(x.Keys) != 0 || len(x.Leftovers) != c.left {
			t.Errorf("%v: the index says %+v", c.err, x)
		}
	}
}

// scripted is a vault that passes for a keychain and fails on demand.
type scripted struct {
	*MemoryVault
	mu               sync.Mutex
	set, get, delete error

	beforeSet, onSet, onDelete func()
}

func (v *scripted) script(f func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	f()
}

func (v *scripted) Set(ctx context.Context, id string, s Secret) error {
	v.mu.Lock()
	err, before, f := v.set, v.beforeSet, v.onSet
	v.mu.Unlock()
	if before != nil {
		before()
	}
	if err == nil || errors.Is(err, ErrTimeout) { // gave up, and yet it happens
		if err := v.MemoryVault.Set(ctx, id, s); err != nil {
			return err
		}
	}
	if f != nil {
		f()
	}
	return err
}

func (v *scripted) Get(ctx context.Context, id string) (Secret, error) {
	v.mu.Lock()
	err := v.get
	v.mu.Unlock()
	if err != nil {
		return Secret{}, err
	}
	return v.MemoryVault.Get(ctx, id)
}

func (v *scripted) Delete(ctx context.Context, id string) error {
	v.mu.Lock()
	err, f := v.delete, v.onDelete
	v.mu.Unlock()
	if f != nil {
		f()
	}
	if err != nil {
		return err
	}
	return v.MemoryVault.Delete(ctx, id)
}

func (*scripted) Kind() VaultKind { return VaultKeychain }

// A time-out means "gave up": what turns up afterwards is cleared away at the
// next occasion, in this run or the next.
func TestLeftoversAreClearedAway(t *testing.T) {
	home := t.TempDir()
	v := &scripted{MemoryVault: NewMemoryVault(), set: ErrTimeout}
	s := openWith(t, home, v)
	if _, _, err := s.Add(t.Context(), "alice", grant); !errors.Is(err, ErrTimeout) {
		t.Fatal(err)
	}
	if v.empty() {
		t.Fatal("the test is wrong: nothing turned up")
	}
	v.script(func() { v.set = nil })
	bob, _ := mustAdd(t, s, "bob") // shows that the keychain answers
	only := func(id string) func() bool {
		return func() bool {
			v.MemoryVault.mu.Lock()
			defer v.MemoryVault.mu.Unlock()
			_, ok := v.items[id]
			return len(v.items) == 1 && ok
		}
	}
	wait(t, "the leftover to go", only(bob.ID))

	v.script(func() { v.delete = ErrLocked })
	err := s.Remove(t.Context(), "bob")
	var left *LeftoverError
	if !errors.As(err, &left) || !errors.Is(err, ErrLocked) {
		t.Errorf("removing: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	v.script(func() { v.delete = nil })
	s = openWith(t, home, v)
	if !only(bob.ID)() {
		t.Error("cleared away without an occasion: that could ask somebody")
	}
	carol, _ := mustAdd(t, s, "carol")
	wait(t, "the leftover of the last run to go", only(carol.ID))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if x := readIndex(t, home); len(x.Leftovers) != 0 || len(x.Keys) != 1 {
		t.Errorf("the index says %+v", x)
	}
}

// A sweep that comes while a key is being made must not take its item.
func TestSweepSparesWhatIsBeingMade(t *testing.T) {
	v := &scripted{MemoryVault: NewMemoryVault()}
	s := openWith(t, t.TempDir(), v)
	v.onSet = func() { s.sweep(t.Context()) }
	k, secret := mustAdd(t, s, "alice")
	if c, err := s.Copy(t.Context(), "alice"); err != nil || !c.Equal(secret) {
		t.Errorf("%s: %v", k.ID, err)
	}
}

func TestItemThatIsGoneOrAltered(t *testing.T) {
	home := t.TempDir()
	s, ring := ringStore(t, home)
	k, _ := mustAdd(t, s, "alice")
	ring.mu.Lock()
	ring.items[service+" "+k.ID] = plain
	ring.mu.Unlock()
	if c, err := s.Copy(t.Context(), "alice"); !errors.Is(err, ErrAltered) || !c.IsZero() || leaks(fmt.Sprint(err)) {
		t.Errorf("altered: %v", err)
	}
	ring.mu.Lock()
	delete(ring.items, service+" "+k.ID)
	ring.mu.Unlock()
	if _, err := s.Copy(t.Context(), "alice"); !errors.Is(err, ErrNotFound) {
		t.Errorf("gone: %v", err)
	}
	if p := s.State().VaultProblem; p != nil {
		t.Errorf("one item that is gone is a problem of the vault: %v", p)
	}
	if err := s.Remove(t.Context(), "alice"); err != nil {
		t.Errorf("removing a key without its item: %v", err)
	}
}

// disk is what stands between a store and its file in a test.
type disk struct {
	fail  atomic.Int32 // fail from this write on; 0 is never
	wrote atomic.Int32
}

var errDisk = errors.New("no space left on device")

func (d *disk) save(path string, version int, value any) error {
	n := d.wrote.Add(1)
	if from := d.fail.Load(); from != 0 && n >= from {
		return errDisk
	}
	return atomicfile.Save(path, version, value)
}

func TestDiskThatRefuses(t *testing.T) {
	home := t.TempDir()
	s, ring := ringStore(t, home)
	d := &disk{}
	s.save = d.save
	ctx := t.Context()
	alice, secret := mustAdd(t, s, "alice")
	before, _ := os.ReadFile(indexPath(home))
	unchanged := func(what string) {
		t.Helper()
		if now, _ := os.ReadFile(indexPath(home)); string(now) != string(before) {
			t.Errorf("%s: the file changed", what)
		}
	}
	items := func() int { ring.mu.Lock(); defer ring.mu.Unlock(); return len(ring.items) }

	d.fail.Store(1) // from the first write on: the keychain is not even asked
	if _, _, err := s.Add(ctx, "bob", grant); !errors.Is(err, errDisk) {
		t.Errorf("adding: %v", err)
	}
	d.fail.Store(d.wrote.Load() + 2) // the note is written, the key is not
	if _, got, err := s.Add(ctx, "bob", grant); !errors.Is(err, errDisk) || !got.IsZero() {
		t.Errorf("adding: %v", err)
	}
	if items() != 1 || len(s.List()) != 1 {
		t.Errorf("%d items, %d keys", items(), len(s.List()))
	}
	if x := readIndex(t, home); len(x.Keys) != 1 || x.Colours != 1 {
		t.Errorf("the index says %+v", x)
	}
	if p := s.State().FileProblem; !errors.Is(p, errDisk) {
		t.Errorf("the state says %v", p)
	}
	before, _ = os.ReadFile(indexPath(home))

	// What gives a right did not happen.
	if err := s.Edit("alice", func(g *policy.Grant) { g.Cloud = true }); !errors.Is(err, errDisk) {
		t.Errorf("editing: %v", err)
	}
	if s.Authenticate(secret.Reveal()).Grant.Cloud {
		t.Error("a grant is in force that is not on disk")
	}
	// What takes one is in force.
	var unsaved *UnsavedError
	if err := s.Suspend("alice"); !errors.As(err, &unsaved) || !errors.Is(err, errDisk) {
		t.Errorf("suspending: %v", err)
	}
	if !s.Authenticate(secret.Reveal()).Suspended {
		t.Error("not suspended")
	}
	if err := s.Resume("alice"); !errors.Is(err, errDisk) || errors.As(err, &unsaved) {
		t.Errorf("resuming: %v", err)
	}
	if !s.Authenticate(secret.Reveal()).Suspended {
		t.Error("resumed")
	}
	if err := s.Remove(ctx, "alice"); !errors.As(err, &unsaved) {
		t.Errorf("removing: %v", err)
	}
	if s.Authenticate(secret.Reveal()).Known || ring.has(alice.ID) {
		t.Error("not removed")
	}
	unchanged("so far")

	d.fail.Store(0) // Close tries again
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if x := readIndex(t, home); len(x.Keys) != 0 || len(x.Leftovers) != 0 {
		t.Errorf("the index says %+v", x)
	}
	if p := s.State().FileProblem; p != nil {
		t.Errorf("the state says %v", p)
	}
}

// The same with a real disk that refuses root too: a file in the place of the home.
func TestUnwritableHome(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	s, ring := ringStore(t, home)
	if err := os.WriteFile(home, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err := s.Add(t.Context(), "alice", grant)
	if err == nil || !strings.Contains(err.Error(), home) || len(s.List()) != 0 || len(ring.items) != 0 {
		t.Errorf("it says %v; %d keys, %d items", err, len(s.List()), len(ring.items))
	}
	if _, err := Open(home, NewMemoryVault(), Options{}); err == nil {
		t.Error("a file passes for a home")
	}
}

// A program that is killed between the keychain and the file leaves a note,
// and no key.
func TestKilledWhileAKeyIsMade(t *testing.T) {
	home := t.TempDir()
	v := &scripted{MemoryVault: NewMemoryVault()}
	s := openWith(t, home, v)
	var seen index
	v.onSet = func() { seen = readIndex(t, home) }
	k, _ := mustAdd(t, s, "alice")
	if len(seen.Keys) != 0 || len(seen.Leftovers) != 1 || seen.Leftovers[0] != (leftover{k.ID, VaultKeychain}) {
		t.Errorf("while the item is stored the index says %+v", seen)
	}
	if x := readIndex(t, home); len(x.Keys) != 1 || len(x.Leftovers) != 0 {
		t.Errorf("afterwards it says %+v", x)
	}
}

func TestAuthenticateNobody(t *testing.T) {
	s, _ := ringStore(t, t.TempDir())
	_, secret := mustAdd(t, s, "alice")
	k := secret.Reveal()
	for _, p := range []string{"", "pdk_", k[:39], k + "x", " " + k, k + "\n", strings.ToLower(k), strings.ToUpper(k), Mint().Reveal(), strings.Repeat("a", 100_000), "\x00", k[:7]} {
		if p == k {
			continue
		}
		if got := s.Authenticate(p); got != (policy.Caller{}) {
			t.Errorf("%.50q is %+v", p, got)
		}
	}
	if s.Valid("") || s.Valid("alice") {
		t.Error("an id that does not exist is valid")
	}
	s.Used("nobody-1", time.Now())
}

func TestAuthenticateAllocatesNothing(t *testing.T) {
	s, _ := ringStore(t, t.TempDir())
	k, secret := mustAdd(t, s, "alice")
	hit, miss := secret.Reveal(), Mint().Reveal()
	mustRotate(t, s, "alice", time.Hour)
	_, secret = mustAdd(t, s, "bob")
	mustRotate(t, s, "bob", time.Nanosecond)
	over := secret.Reveal()
	now := time.Now()
	for what, f := range map[string]func(){
		"a hit":  func() { s.Authenticate(hit) }, // by the old secret
		"an end": func() { s.Authenticate(over) },
		"a miss": func() { s.Authenticate(miss) },
		"Valid":  func() { s.Valid(k.ID) },
		"Used":   func() { now = now.Add(time.Millisecond); s.Used(k.ID, now) },
		"Spend":  func() { s.Spend(k.ID, 3, now) },
		"Tokens": func() { s.Tokens(k.ID, now) },
	} {
		if n := testing.AllocsPerRun(1000, f); n != 0 {
			t.Errorf("%s allocates %v times", what, n)
		}
	}
}

// Requests never wait for a writer, a disk or a keychain.
func TestReadersNeverWait(t *testing.T) {
	s, ring := ringStore(t, t.TempDir())
	k, secret := mustAdd(t, s, "alice")
	ring.hang = make(chan struct{})
	adding := make(chan error, 1)
	go func() { _, _, err := s.Add(within(t, 10*time.Second), "bob", grant); adding <- err }()
	wait(t, "a keychain that hangs", func() bool { return ring.inside.Load() == 1 })
	// The keychain hangs: whatever does not need it works, revoking included.
	if err := s.Suspend("alice"); err != nil {
		t.Error(err)
	}
	s.mu.Lock() // a writer that takes for ever
	done := make(chan struct{})
	go func() {
		defer close(done)
		if !s.Authenticate(secret.Reveal()).Suspended || s.Valid(k.ID) {
			t.Error("wrong answers")
		}
		s.Used(k.ID, time.Now())
		s.Spend(k.ID, 1, time.Now())
		s.Tokens(k.ID, time.Now())
		s.List()
		s.Find("alice")
		s.State()
		_, stop := s.Watch()
		stop()
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Error("a reader waits")
	}
	s.mu.Unlock()
	close(ring.hang)
	if err := <-adding; err != nil {
		t.Error(err)
	}
}

func TestEverythingAtOnce(t *testing.T) {
	home := t.TempDir()
	s, ring := ringStore(t, home)
	stop := make(chan struct{})
	var readers, writers sync.WaitGroup
	_, fixed := mustAdd(t, s, "fixed")
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				c := s.Authenticate(fixed.Reveal())
				if !c.Known {
					t.Error("a key that exists was not known for a moment")
					return
				}
				s.Used(c.ID, time.Now())
				s.Spend(c.ID, 1, time.Now())
				for i, k := range s.State().Keys {
					if i == 0 && k.Name != "fixed" {
						t.Error("the oldest is not the first")
					}
				}
			}
		})
	}
	for i := range 6 {
		writers.Go(func() {
			name := fmt.Sprint("w", i)
			for range 5 {
				_, secret, err := s.Add(t.Context(), name, grant)
				if err != nil {
					t.Error(err)
					return
				}
				if !s.Authenticate(secret.Reveal()).Known {
					t.Error("a new key is not known")
				}
				_, rotated, err := s.Rotate(t.Context(), name, time.Hour)
				if err != nil || !s.Authenticate(rotated.Reveal()).Known || !s.Authenticate(secret.Reveal()).Known {
					t.Errorf("a rotated key is not known by both secrets: %v", err)
				}
				for _, err := range []error{
					s.Suspend(name), s.Resume(name), s.Edit(name, func(g *policy.Grant) { g.Cloud = !g.Cloud }), s.Remove(t.Context(), name),
				} {
					if err != nil {
						t.Error(err)
					}
				}
				if s.Authenticate(secret.Reveal()).Known || s.Authenticate(rotated.Reveal()).Known {
					t.Error("a removed key is known")
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if x := readIndex(t, home); len(x.Keys) != 1 || x.Keys[0].LastUsed.IsZero() || len(x.Leftovers) != 0 || len(ring.items) != 1 {
		t.Errorf("in the end there are %d items and %+v", len(ring.items), x)
	}
}

func TestSnapshotsAreCopies(t *testing.T) {
	s, _ := ringStore(t, t.TempDir())
	mustAdd(t, s, "alice")
	x := s.State()
	if err := s.Suspend("alice"); err != nil {
		t.Fatal(err)
	}
	if x.Keys[0].Suspended {
		t.Error("a snapshot changed")
	}
	x.Keys[0].Name = "mallory"
	s.List()[0].Name = "mallory"
	if _, ok := s.Find("mallory"); ok {
		t.Error("a snapshot changes the store")
	}
}

// Snapshots and callers are copied by assignment. A member of Grant that
// assignment shares, such as a slice, needs a clone wherever a Grant goes in
// or out.
func TestGrantIsAPlainValue(t *testing.T) {
	var check func(path string, ty reflect.Type)
	check = func(path string, ty reflect.Type) {
		if ty == reflect.TypeFor[time.Time]() {
			return
		}
		switch ty.Kind() {
		case reflect.Struct:
			for f := range ty.Fields() {
				check(path+"."+f.Name, f.Type)
			}
		case reflect.Array:
			check(path, ty.Elem())
		case reflect.Slice, reflect.Map, reflect.Pointer, reflect.Chan, reflect.Func, reflect.Interface, reflect.UnsafePointer:
			t.Errorf("%s is a %v: clone it in newEntry, edit and copy, then tell this test", path, ty)
		default:
		}
	}
	check("Grant", reflect.TypeFor[policy.Grant]())
}

func TestKeyAsJSON(t *testing.T) {
	s, _ := ringStore(t, t.TempDir())
	k, _ := mustAdd(t, s, "alice")
	s.Used(k.ID, time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC))
	k, secret := mustRotate(t, s, "alice", time.Hour)
	b, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"id", "name", "hint", "grant", "suspended", "colour", "vault", "made", "changed", "last_used", "old_until", "today"} {
		if _, ok := m[want]; !ok {
			t.Errorf("%s is missing from %s", want, b)
		}
		delete(m, want)
	}
	if len(m) != 0 || strings.Contains(string(b), secret.Reveal()[7:]) || strings.Contains(string(b), "sha256") {
		t.Errorf("too much is told: %s", b)
	}
}

func TestWatch(t *testing.T) {
	s, ring := ringStore(t, t.TempDir())
	c, stop := s.Watch()
	woken := func(what string, f func()) {
		t.Helper()
		for len(c) > 0 {
			<-c
		}
		f()
		wait(t, what, func() bool { return len(c) > 0 })
	}
	var k Key
	woken("Add", func() { k, _ = mustAdd(t, s, "alice") })
	woken("Suspend", func() { _ = s.Suspend("alice") })
	woken("Resume", func() { _ = s.Resume("alice") })
	woken("Edit", func() { _ = s.Edit("alice", func(g *policy.Grant) { g.Cloud = true }) })
	woken("Used", func() { s.Used(k.ID, time.Now()) })
	woken("Used again, soon", func() { s.Used(k.ID, time.Now()) })
	woken("Spend", func() { s.Spend(k.ID, 1, time.Now()) })
	woken("Rotate", func() { _, _, _ = s.Rotate(t.Context(), "alice", time.Hour) })
	woken("Probe", func() { _ = s.Probe(t.Context()) })
	woken("a problem of the vault", func() { ring.broken = "boom"; _, _ = s.Copy(t.Context(), "alice") })
	woken("its end", func() { ring.broken = ""; _, _ = s.Copy(t.Context(), "alice") })
	woken("Remove", func() { _ = s.Remove(t.Context(), "alice") })
	if cap(c) != 1 {
		t.Errorf("the channel holds %d", cap(c))
	}
	stop()
	stop()
	for len(c) > 0 {
		<-c
	}
	mustAdd(t, s, "bob")
	if len(c) != 0 {
		t.Error("woken after it was stopped")
	}
}

func TestClosedStore(t *testing.T) {
	s, _ := ringStore(t, t.TempDir())
	_, secret := mustAdd(t, s, "alice")
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	_, _, addErr := s.Add(t.Context(), "bob", grant)
	_, copyErr := s.Copy(t.Context(), "alice")
	_, _, rotateErr := s.Rotate(t.Context(), "alice", 0)
	for what, err := range map[string]error{
		"adding": addErr, "copying": copyErr, "rotating": rotateErr, "suspending": s.Suspend("alice"), "resuming": s.Resume("alice"),
		"editing": s.Edit("alice", func(*policy.Grant) {}), "removing": s.Remove(t.Context(), "alice"),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v", what, err)
		}
	}
	k, _ := s.Find("alice")
	s.Used(k.ID, time.Now())
	s.Spend(k.ID, 5, time.Now())
	if !s.Authenticate(secret.Reveal()).Known || len(s.List()) != 1 || s.Tokens(k.ID, time.Now()) != 5 {
		t.Error("readers do not work any more")
	}
}
