package keystore

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// quickFile is a file vault whose sealing costs a test nothing.
func quickFile(path, pass string) *FileVault {
	v := NewFileVault(path, func(context.Context, bool) (Secret, error) { return NewSecret(pass), nil })
	v.work = 10
	return v
}

func TestFileVaultKeepsAndHides(t *testing.T) {
	path := filepath.Join(t.TempDir(), "home", VaultFileName)
	ctx := t.Context()
	var asked atomic.Int32
	v := NewFileVault(path, func(_ context.Context, fresh bool) (Secret, error) {
		asked.Add(1)
		if !fresh {
			t.Error("a new vault is said to be an old one")
		}
		return NewSecret("correct horse"), nil
	})
	v.work = 10
	if _, err := v.Get(ctx, "alice-1"); !errors.Is(err, ErrNotFound) || asked.Load() != 0 {
		t.Errorf("without a file: %v, asked %d times", err, asked.Load())
	}
	for _, id := range []string{"alice-1", "bob-1"} {
		if err := v.Set(ctx, id, NewSecret(plain)); err != nil {
			t.Fatal(err)
		}
	}
	if asked.Load() != 1 {
		t.Errorf("asked %d times", asked.Load())
	}
	raw, err := os.ReadFile(path)
	if err != nil || !bytes.HasPrefix(raw, []byte("age-encryption.org/v1\n-> scrypt ")) {
		t.Fatalf("no age file: %v", err)
	}
	if leaks(string(raw)) || bytes.Contains(raw, []byte("alice")) || bytes.Contains(raw, []byte("horse")) {
		t.Error("something can be read in the file")
	}
	if fi, _ := os.Stat(path); runtime.GOOS != "windows" && fi.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", fi.Mode())
	}

	again := quickFile(path, "correct horse")
	if s, err := again.Get(ctx, "bob-1"); err != nil || s.Reveal() != plain {
		t.Errorf("opened again: %v", err)
	}
	wrong := quickFile(path, "battery staple")
	for range 2 {
		if _, err := wrong.Get(ctx, "bob-1"); !errors.Is(err, ErrWrongPassphrase) {
			t.Errorf("reading with a wrong passphrase: %v", err)
		}
		if err := wrong.Set(ctx, "eve-1", NewSecret("x")); !errors.Is(err, ErrWrongPassphrase) {
			t.Errorf("storing with a wrong passphrase: %v", err)
		}
		if err := wrong.Delete(ctx, "bob-1"); !errors.Is(err, ErrWrongPassphrase) {
			t.Errorf("deleting with a wrong passphrase: %v", err)
		}
	}
	if now, _ := os.ReadFile(path); !bytes.Equal(now, raw) {
		t.Error("a wrong passphrase changed the file")
	}
	if list, _ := os.ReadDir(filepath.Dir(path)); len(list) != 1 {
		t.Errorf("beside the vault lie %d files", len(list)-1)
	}
}

// A wrong passphrase is not remembered: the next call asks again.
func TestFileVaultAsksAgainAfterAWrongPassphrase(t *testing.T) {
	path := filepath.Join(t.TempDir(), VaultFileName)
	if err := quickFile(path, "right").Set(t.Context(), "a", NewSecret("x")); err != nil {
		t.Fatal(err)
	}
	answers := []string{"wrong", "", "right"}
	v := NewFileVault(path, func(context.Context, bool) (Secret, error) {
		a := answers[0]
		answers = answers[1:]
		return NewSecret(a), nil
	})
	for _, want := range []error{ErrWrongPassphrase, ErrNoPassphrase, nil, nil} {
		if _, err := v.Get(t.Context(), "a"); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
}

func TestFileVaultWithoutAnybodyToAsk(t *testing.T) {
	path := filepath.Join(t.TempDir(), VaultFileName)
	v := NewFileVault(path, nil)
	if err := v.Set(t.Context(), "a", NewSecret("x")); !errors.Is(err, ErrNoPassphrase) {
		t.Errorf("no prompt: %v", err)
	}
	declined := errors.New("declined")
	v = NewFileVault(path, func(context.Context, bool) (Secret, error) { return Secret{}, declined })
	if err := v.Set(t.Context(), "a", NewSecret("x")); !errors.Is(err, declined) {
		t.Errorf("declined: %v", err)
	}
	release := make(chan struct{})
	defer close(release)
	v = NewFileVault(path, func(context.Context, bool) (Secret, error) { <-release; return NewSecret("late"), nil })
	if err := v.Set(within(t, 50*time.Millisecond), "a", NewSecret("x")); !errors.Is(err, ErrTimeout) {
		t.Errorf("a prompt that never returns: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a file was made")
	}
}

func TestDamagedVaultFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, VaultFileName)
	writer := quickFile(path, "right")
	writer.work = 2 // for a thousand readings
	if err := writer.Set(t.Context(), "a", NewSecret(plain)); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, data []byte, wrong bool) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		v := quickFile(path, "right")
		_, getErr := v.Get(t.Context(), "a")
		for _, err := range []error{getErr, v.Set(t.Context(), "b", NewSecret("x"))} {
			var d *DamagedError
			damaged := errors.As(err, &d) && d.Path == path
			if !damaged && (!wrong || !errors.Is(err, ErrWrongPassphrase)) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if now, _ := os.ReadFile(path); !bytes.Equal(now, data) {
			t.Errorf("%s: touched", what)
		}
	}
	for n := range len(whole) {
		check("cut short", whole[:n], false)
	}
	for i := range whole {
		bad := bytes.Clone(whole)
		bad[i] ^= 0x01
		// A changed salt or key block cannot be told from a wrong passphrase.
		check("one bit changed", bad, true)
	}
	greedy := bytes.Replace(whole, []byte(" 2\n"), []byte(" 30\n"), 1)
	check("a forged work factor", greedy, false)

	newer, err := sealText([]byte(`{"version":2,"secrets":{"a":"x"},"more":1}`), NewSecret("right"), 10)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, newer, 0o600); err != nil {
		t.Fatal(err)
	}
	var n *NewerError
	if _, err := quickFile(path, "right").Get(t.Context(), "a"); !errors.As(err, &n) || n.Path != path {
		t.Errorf("a newer one: %v", err)
	}
}

func TestFileVaultThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, VaultFileName)
	v := quickFile(path, "right")
	ctx := t.Context()
	if err := v.Set(ctx, "a", NewSecret("x")); err != nil {
		t.Fatal(err)
	}
	// A folder where the file should go refuses root as well.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(path, "child"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := v.Set(ctx, "b", NewSecret("y")); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("storing: %v", err)
	}
	if err := v.Delete(ctx, "a"); err == nil {
		t.Error("deleted in memory only")
	}
	if s, err := v.Get(ctx, "a"); err != nil || s.Reveal() != "x" {
		t.Errorf("what was there: %v", err)
	}
	if _, err := v.Get(ctx, "b"); !errors.Is(err, ErrNotFound) {
		t.Errorf("stored in memory only: %v", err)
	}
}

func TestPassphraseFile(t *testing.T) {
	home := t.TempDir()
	file := filepath.Join(home, "pass")
	t.Setenv(PassphraseFileEnv, file)
	ctx := t.Context()
	unasked := func(context.Context, bool) (Secret, error) { t.Error("asked"); return Secret{}, nil }
	open := func() *FileVault {
		v, err := OpenVault(VaultFile, home, unasked)
		if err != nil {
			t.Fatal(err)
		}
		f := v.(*FileVault)
		f.work = 10
		return f
	}
	if err := open().Set(ctx, "a", NewSecret("x")); !errors.Is(err, ErrNoPassphrase) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	for _, empty := range []string{"", "\n", "\r\nsecond line"} {
		if err := os.WriteFile(file, []byte(empty), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := open().Set(ctx, "a", NewSecret("x")); !errors.Is(err, ErrNoPassphrase) {
			t.Errorf("empty: %v", err)
		}
	}
	for i, text := range []string{" two words ", " two words \n", " two words \r\n", " two words \nmore"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if err := open().Set(ctx, "a", NewSecret("x")); err != nil {
				t.Fatal(err)
			}
		}
		if s, err := open().Get(ctx, "a"); err != nil || s.Reveal() != "x" {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// The real work factor, once: it must be bearable to wait for, and not free.
func TestSealingCostsSomething(t *testing.T) {
	path := filepath.Join(t.TempDir(), VaultFileName)
	v := quickFile(path, "right")
	v.work = sealWork
	start := time.Now()
	if err := v.Set(t.Context(), "a", NewSecret("x")); err != nil {
		t.Fatal(err)
	}
	raw, _ := os.ReadFile(path)
	if !bytes.Contains(raw[:100], []byte(" 17\n")) {
		t.Errorf("sealed with another factor: %.80q", raw)
	}
	t.Logf("storing took %v", time.Since(start))
}
