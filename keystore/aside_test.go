package keystore

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
)

// The authority's private key lies beside the keys and is none of them.
func TestASecretThatIsNoKey(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	s, ring := ringStore(t, home)
	if _, err := s.Kept(t.Context(), "authority-1"); !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
	kind, err := s.Keep(t.Context(), "authority-1", NewSecret("pem"))
	if err != nil || kind != VaultKeychain {
		t.Fatal(kind, err)
	}
	mustAdd(t, s, "alice") // sweeps what has no key
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := reopen(t, home, ring)
	if got, err := again.Kept(t.Context(), "authority-1"); err != nil || got.Reveal() != "pem" {
		t.Errorf("%v", err)
	}
	if n := len(again.List()); n != 1 {
		t.Errorf("%d keys", n)
	}
	if err := errors.Join(again.Forget(t.Context(), "authority-1"), again.Forget(t.Context(), "authority-1")); err != nil {
		t.Error(err)
	}
	if _, err := again.Kept(t.Context(), "authority-1"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

// A keychain that comes up late is still found, because nothing of this lies in memory.
func TestAMemoryVaultKeepsNothingAside(t *testing.T) {
	v := NewMemoryVault()
	s := openWith(t, filepath.Join(t.TempDir(), "home"), v)
	if kind, err := s.Keep(t.Context(), "authority-1", NewSecret("pem")); err != nil || kind != VaultMemory || !v.empty() {
		t.Error(kind, err)
	}
	if _, err := s.Kept(t.Context(), "authority-1"); !errors.Is(err, ErrNoVault) {
		t.Error(err)
	}
}

func TestPanicSuspendsAllAndResumeAllKnowsWhich(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	s, ring := ringStore(t, home)
	_, alice := mustAdd(t, s, "alice")
	mustAdd(t, s, "ben")
	mustAdd(t, s, "cleo")
	if err := s.Suspend("ben"); err != nil {
		t.Fatal(err)
	}
	names, err := s.SuspendAll()
	if err != nil || !slices.Equal(names, []string{"alice", "cleo"}) {
		t.Fatal(names, err)
	}
	if c := s.Authenticate(alice.Reveal()); !c.Suspended || !c.Known {
		t.Errorf("%+v", c)
	}
	if names, err := s.SuspendAll(); names != nil || err != nil {
		t.Error(names, err)
	}
	if err := s.Suspend("cleo"); err != nil { // by hand, since: not to come back with the others
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := reopen(t, home, ring)
	if c := again.Authenticate(alice.Reveal()); !c.Suspended {
		t.Error("a restart lets everybody in again")
	}
	if names, err := again.ResumeAll(); err != nil || !slices.Equal(names, []string{"alice"}) {
		t.Error(names, err)
	}
	if c := again.Authenticate(alice.Reveal()); c.Suspended {
		t.Errorf("%+v", c)
	}
	for name, want := range map[string]bool{"ben": true, "cleo": true, "alice": false} {
		if k, _ := again.Find(name); k.Suspended != want || k.ByPanic {
			t.Errorf("%+v", k)
		}
	}
}

// What takes rights away holds when the disk refuses; what gives them does not.
func TestPanicWithAFullDisk(t *testing.T) {
	s, _ := ringStore(t, filepath.Join(t.TempDir(), "home"))
	mustAdd(t, s, "alice")
	full := errors.New("no space left")
	save := s.save
	s.save = func(string, int, any) error { return full }
	names, err := s.SuspendAll()
	var unsaved *UnsavedError
	if !errors.As(err, &unsaved) || len(names) != 1 {
		t.Errorf("%v %v", names, err)
	}
	if k, _ := s.Find("alice"); !k.Suspended {
		t.Error("not in force")
	}
	if names, err := s.ResumeAll(); !errors.Is(err, full) || names != nil {
		t.Errorf("%v %v", names, err)
	}
	if k, _ := s.Find("alice"); !k.Suspended || !k.ByPanic {
		t.Errorf("%+v", k)
	}
	s.save = save
}
