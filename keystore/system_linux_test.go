package keystore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"paddock/internal/fakess"
	"paddock/internal/testdesk"
)

// systemVaults holds the real keychain calls to the contract.
func systemVaults(t *testing.T) {
	t.Run("secret service", func(t *testing.T) {
		v, _, _ := withFake(t)
		contract(t, v, VaultKeychain)
	})
	t.Run("slow secret service", func(t *testing.T) {
		v, s, _ := withFake(t)
		s.Delay(5 * time.Millisecond)
		contract(t, v, VaultKeychain)
	})
	t.Run("secret service that asks each time", func(t *testing.T) {
		v, s, _ := withFake(t)
		s.OnCreate(fakess.Prompt{Outcome: fakess.Accept, After: 5 * time.Millisecond})
		s.OnDelete(fakess.Prompt{Outcome: fakess.Accept, After: 5 * time.Millisecond})
		contract(t, v, VaultKeychain)
	})
	t.Run("gnome-keyring", func(t *testing.T) {
		b := testdesk.NewBus(t)
		b.StartKeyring(t)
		b.SetSession(t)
		contract(t, keychain(t), VaultKeychain)
	})
	t.Run("auto with gnome-keyring", func(t *testing.T) {
		b := testdesk.NewBus(t)
		b.StartKeyring(t)
		b.SetSession(t)
		v, err := OpenVault(VaultAuto, t.TempDir(), nil)
		if err != nil {
			t.Fatal(err)
		}
		contract(t, v, VaultKeychain)
	})
	t.Run("auto on a bus without a service", func(t *testing.T) {
		testdesk.NewBus(t).SetSession(t)
		v, err := OpenVault(VaultAuto, t.TempDir(), nil)
		if err != nil {
			t.Fatal(err)
		}
		contract(t, v, VaultMemory)
	})
}

func keychain(t *testing.T) *OSKeychain {
	t.Helper()
	v := NewOSKeychain()
	t.Cleanup(func() { _ = v.Close() })
	return v
}

// withFake makes a fake secret service the keychain of this process.
func withFake(t *testing.T) (*OSKeychain, *fakess.Service, *testdesk.Bus) {
	t.Helper()
	b := testdesk.NewBus(t)
	b.SetSession(t)
	return keychain(t), fakess.Start(t, b.Address), b
}

// threeCalls makes the three calls and wants the same error from each, soon.
func threeCalls(t *testing.T, v Vault, want error) {
	t.Helper()
	ctx := within(t, 20*time.Second)
	start := time.Now()
	_, getErr := v.Get(ctx, "alice-1")
	for what, err := range map[string]error{
		"storing": v.Set(ctx, "alice-1", NewSecret(plain)), "reading": getErr, "deleting": v.Delete(ctx, "alice-1"),
	} {
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
		if err != nil && leaks(err.Error()) {
			t.Errorf("%s: the error shows the secret", what)
		}
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("it took %v", d)
	}
}

func TestKeychainWithoutABus(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+filepath.Join(t.TempDir(), "none"))
	v := keychain(t)
	threeCalls(t, v, ErrNoVault)
	if err := v.Probe(t.Context()); !errors.Is(err, ErrNoVault) {
		t.Errorf("Probe says %v", err)
	}
}

// The story: without an address go-keyring runs dbus-launch, and where dbus-x11
// is installed each such run leaves a daemon behind.
func TestKeychainStartsNoBus(t *testing.T) {
	bin := t.TempDir()
	trace := filepath.Join(bin, "ran")
	script := "#!/bin/sh\ntouch " + trace + "\nexit 1\n"
	if err := os.WriteFile(filepath.Join(bin, "dbus-launch"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "autolaunch:")
	v := keychain(t)
	if err := v.Set(within(t, 5*time.Second), "alice-1", NewSecret("x")); !errors.Is(err, ErrNoVault) {
		t.Errorf("storing: %v", err)
	}
	if err := v.Probe(t.Context()); !errors.Is(err, ErrNoVault) {
		t.Errorf("Probe says %v", err)
	}
	if _, err := os.Stat(trace); err == nil {
		t.Error("dbus-launch was run")
	}
}

func TestKeychainWithoutAService(t *testing.T) {
	testdesk.NewBus(t).SetSession(t)
	v := keychain(t)
	threeCalls(t, v, ErrNoVault)
	if err := v.Probe(t.Context()); !errors.Is(err, ErrNoVault) {
		t.Errorf("Probe says %v", err)
	}
}

func TestKeychainOfAFreshUser(t *testing.T) {
	v, s, _ := withFake(t)
	s.Absent(true)
	if err := v.Set(within(t, 5*time.Second), "alice-1", NewSecret("x")); !errors.Is(err, ErrNoVault) {
		t.Errorf("storing: %v", err)
	}
	if err := v.Probe(t.Context()); !errors.Is(err, ErrNoVault) {
		t.Errorf("Probe says %v", err)
	}
}

func TestLockedKeychain(t *testing.T) {
	t.Run("dismissed", func(t *testing.T) {
		v, s, _ := withFake(t)
		s.Lock()
		s.OnUnlock(fakess.Prompt{Outcome: fakess.Dismiss})
		threeCalls(t, v, ErrLocked)
		if got := s.Secrets(service); len(got) != 0 {
			t.Errorf("it holds %d items", len(got))
		}
	})
	t.Run("accepted", func(t *testing.T) {
		v, s, _ := withFake(t)
		s.Lock()
		s.OnUnlock(fakess.Prompt{Outcome: fakess.Accept, After: 50 * time.Millisecond})
		if err := v.Set(within(t, 5*time.Second), "alice-1", NewSecret("x")); err != nil {
			t.Errorf("storing: %v", err)
		}
		if n := s.PromptShown(); n != 1 {
			t.Errorf("the owner was asked %d times", n)
		}
	})
	t.Run("real, without a screen to ask on", func(t *testing.T) {
		b := testdesk.NewBus(t)
		k := b.StartKeyring(t)
		b.SetSession(t)
		v := keychain(t)
		if err := v.Set(within(t, 5*time.Second), "alice-1", NewSecret(plain)); err != nil {
			t.Fatal(err)
		}
		k.Lock()
		threeCalls(t, v, ErrLocked)
		k.Unlock()
		if s, err := v.Get(within(t, 5*time.Second), "alice-1"); err != nil || s.Reveal() != plain {
			t.Errorf("unlocked again: %v", err)
		}
		k.Stop()
		threeCalls(t, v, ErrNoVault)
		k.Start()
		if s, err := v.Get(within(t, 5*time.Second), "alice-1"); err != nil || s.Reveal() != plain {
			t.Errorf("started again: %v", err)
		}
	})
}

// Probe runs at every start, so it must not put a question on the screen.
func TestProbeAsksNobody(t *testing.T) {
	v, s, _ := withFake(t)
	s.Lock()
	s.OnUnlock(fakess.Prompt{Outcome: fakess.Ignore})
	start := time.Now()
	if err := v.Probe(t.Context()); err != nil {
		t.Errorf("a locked keychain is not there: %v", err)
	}
	if time.Since(start) > probePatience || s.PromptShown() != 0 || s.Calls("Unlock") != 0 {
		t.Errorf("%v, %d prompts, %d unlocks", time.Since(start), s.PromptShown(), s.Calls("Unlock"))
	}
	s.Absent(true) // then it is a call that hangs; the fake's properties never do
	s.Silence(true)
	start = time.Now()
	if err := v.Probe(t.Context()); !errors.Is(err, ErrTimeout) {
		t.Errorf("a silent one: %v", err)
	}
	if d := time.Since(start); d > probePatience+time.Second {
		t.Errorf("it took %v", d)
	}
	s.Silence(false)
}

// The story: a prompt that never returns froze whoever asked, for ever.
func TestPromptThatNobodyAnswers(t *testing.T) {
	v, s, _ := withFake(t)
	s.Lock()
	s.OnUnlock(fakess.Prompt{Outcome: fakess.Ignore})
	for range 3 {
		start := time.Now()
		if _, err := v.Get(within(t, 150*time.Millisecond), "alice-1"); !errors.Is(err, ErrTimeout) {
			t.Errorf("reading: %v", err)
		}
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("it took %v", d)
		}
	}
	testdesk.Wait(t, "the question", 5*time.Second, func() bool { return s.PromptOpen() > 0 })
	if n := s.PromptShown(); n != 1 {
		t.Errorf("%d questions piled up", n)
	}
	s.Settle(true)
	if err := v.Set(within(t, 5*time.Second), "alice-1", NewSecret("x")); err != nil {
		t.Errorf("after the answer: %v", err)
	}
}

// The story: go-keyring takes a dismissed question for success, and the key
// that was "stored" is gone when somebody wants to copy it.
func TestDismissedPromptIsNoSuccess(t *testing.T) {
	v, s, _ := withFake(t)
	v.keep = 300 * time.Millisecond
	s.OnCreate(fakess.Prompt{Outcome: fakess.Dismiss})
	if err := v.Set(within(t, 10*time.Second), "alice-1", NewSecret("x")); !errors.Is(err, ErrNotKept) {
		t.Errorf("storing: %v", err)
	}
	if len(s.Secrets(service)) != 0 {
		t.Error("it was stored")
	}
	s.Put(service, "alice-1", "x")
	s.OnDelete(fakess.Prompt{Outcome: fakess.Dismiss})
	if err := v.Delete(within(t, 10*time.Second), "alice-1"); !errors.Is(err, ErrNotKept) {
		t.Errorf("deleting: %v", err)
	}
	if len(s.Secrets(service)) != 1 {
		t.Error("it was deleted")
	}
	s.OnDelete(fakess.Prompt{})
	s.Lose(true)
	if err := v.Set(within(t, 10*time.Second), "bob-1", NewSecret("x")); !errors.Is(err, ErrNotKept) {
		t.Errorf("a keychain that loses things: %v", err)
	}
	s.Lose(false)
	s.Refuse("disk full")
	if err := v.Set(within(t, 10*time.Second), "bob-1", NewSecret("x")); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("a keychain that refuses: %v", err)
	}
}

// The story: any other signal on the shared connection ends go-keyring's wait
// for the prompt, and Set returns success before the item exists.
func TestStraySignalDuringAPrompt(t *testing.T) {
	v, s, _ := withFake(t)
	s.OnCreate(fakess.Prompt{Outcome: fakess.Accept, After: 700 * time.Millisecond, Stray: true})
	if err := v.Set(within(t, 10*time.Second), "alice-1", NewSecret("x")); err != nil {
		t.Errorf("storing: %v", err)
	}
	if s.Secrets(service)["alice-1"] != "x" {
		t.Error("success was reported before it was true")
	}
	s.OnDelete(fakess.Prompt{Outcome: fakess.Accept, After: 700 * time.Millisecond, Stray: true})
	if err := v.Delete(within(t, 10*time.Second), "alice-1"); err != nil {
		t.Errorf("deleting: %v", err)
	}
	if len(s.Secrets(service)) != 0 {
		t.Error("deletion was reported before it was true")
	}
	// On the way to unlock, the false end is an error, and nothing happens.
	s.Lock()
	s.OnUnlock(fakess.Prompt{Outcome: fakess.Accept, After: 300 * time.Millisecond, Stray: true})
	if err := v.Set(within(t, 10*time.Second), "bob-1", NewSecret("x")); !errors.Is(err, ErrLocked) {
		t.Errorf("storing: %v", err)
	}
	testdesk.Wait(t, "the answer", 5*time.Second, func() bool { return !s.Locked() })
	if err := v.Set(within(t, 10*time.Second), "bob-1", NewSecret("x")); err != nil {
		t.Errorf("trying again: %v", err)
	}
}

func TestSilentService(t *testing.T) {
	v, s, _ := withFake(t)
	s.Silence(true)
	if err := v.Set(within(t, 200*time.Millisecond), "alice-1", NewSecret("x")); !errors.Is(err, ErrTimeout) {
		t.Errorf("storing: %v", err)
	}
	s.Silence(false)
	if err := v.Set(within(t, 10*time.Second), "bob-1", NewSecret("x")); err != nil {
		t.Errorf("when it answers again: %v", err)
	}
}

// The story: Fyne's tray closes the process-wide D-Bus at quit; with a
// question open, go-keyring then read from nil and the program died.
func TestBusThatClosesDuringAPrompt(t *testing.T) {
	for _, who := range []string{"the program closes it", "the desktop goes away", "the keychain crashes"} {
		t.Run(who, func(t *testing.T) {
			v, s, b := withFake(t)
			s.Lock()
			s.OnUnlock(fakess.Prompt{Outcome: fakess.Ignore})
			result := make(chan error, 1)
			ctx, giveUp := context.WithCancel(within(t, 20*time.Second))
			defer giveUp()
			go func() { result <- v.Set(ctx, "alice-1", NewSecret("x")) }()
			testdesk.Wait(t, "a prompt", 5*time.Second, func() bool { return s.PromptOpen() == 1 })
			want := ErrNoVault
			switch who {
			case "the program closes it":
				c, err := dbus.SessionBus()
				if err != nil {
					t.Fatal(err)
				}
				_ = c.Close()
			case "the desktop goes away":
				b.Close()
			case "the keychain crashes":
				s.Close()
				giveUp() // go-keyring waits on: only the deadline helps
				want = ErrTimeout
			}
			if err := <-result; !errors.Is(err, want) {
				t.Errorf("it says %v, want %v", err, want)
			}
		})
	}
}

// Quitting with a question open: Close first, then the bus.
func TestCloseWithAPromptOpen(t *testing.T) {
	v, s, b := withFake(t)
	s.Lock()
	s.OnUnlock(fakess.Prompt{Outcome: fakess.Ignore})
	result := make(chan error, 1)
	go func() { _, err := v.Get(t.Context(), "alice-1"); result <- err }()
	testdesk.Wait(t, "a prompt", 5*time.Second, func() bool { return s.PromptOpen() == 1 })
	_ = v.Close()
	if err := <-result; !errors.Is(err, ErrClosed) {
		t.Errorf("it says %v", err)
	}
	b.Close()
}

// A person who looks into the keychain should see whose key it is.
func TestItemCanBeRecognised(t *testing.T) {
	b := testdesk.NewBus(t)
	k := b.StartKeyring(t)
	b.SetSession(t)
	s, err := Open(t.TempDir(), NewOSKeychain(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	key, secret, err := s.Add(within(t, 10*time.Second), "n8n on the NAS", grant)
	if err != nil {
		t.Fatal(err)
	}
	got := k.Secrets(service)
	if len(got) != 1 || got[0].Value != secret.Reveal() || got[0].Attributes["username"] != key.ID || !strings.Contains(got[0].Label, "n8n-on-the-nas-") {
		t.Errorf("the keychain holds %d items, the first %q", len(got), got[0].Label)
	}
	if s, err := s.Copy(within(t, 10*time.Second), "n8n on the nas"); err != nil || !s.Equal(secret) {
		t.Errorf("copying: %v", err)
	}
	_, secret, err = s.Rotate(within(t, 20*time.Second), "n8n on the NAS", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	got = k.Secrets(service)
	if len(got) != 1 || got[0].Value != secret.Reveal() || got[0].Attributes["username"] == key.ID || !strings.Contains(got[0].Label, "n8n-on-the-nas-") {
		t.Errorf("rotated, the keychain holds %d items, the first %q", len(got), got[0].Label)
	}
	if s, err := s.Copy(within(t, 10*time.Second), "n8n on the nas"); err != nil || !s.Equal(secret) {
		t.Errorf("copying the new secret: %v", err)
	}
	if err := s.Remove(within(t, 10*time.Second), "n8n on the NAS"); err != nil || len(k.Secrets(service)) != 0 {
		t.Errorf("removing: %v", err)
	}
}

// The whole way through the keychain's moods: the key is made, or it is not.
func TestStoreWithAHostileKeychain(t *testing.T) {
	open := func(t *testing.T) (*Store, *fakess.Service, string) {
		t.Helper()
		_, f, _ := withFake(t)
		home := t.TempDir()
		s, err := Open(home, NewOSKeychain(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s, f, home
	}
	add := func(ctx context.Context, t *testing.T, s *Store) error {
		t.Helper()
		_, secret, err := s.Add(ctx, "alice", grant)
		if err != nil {
			if _, ok := s.Find("alice"); ok || !secret.IsZero() {
				t.Error("the key is half made")
			}
		}
		return err
	}
	t.Run("dismissed, for a new secret", func(t *testing.T) {
		s, f, _ := open(t)
		_, old := mustAdd(t, s, "alice")
		works := func(secret Secret) {
			t.Helper()
			if c, err := s.Copy(within(t, 20*time.Second), "alice"); err != nil || !c.Equal(secret) || !s.Authenticate(secret.Reveal()).Known {
				t.Errorf("it does not work or cannot be copied: %v", err)
			}
		}
		f.OnCreate(fakess.Prompt{Outcome: fakess.Dismiss})
		if _, _, err := s.Rotate(within(t, 20*time.Second), "alice", 0); !errors.Is(err, ErrNotKept) {
			t.Errorf("it says %v", err)
		}
		works(old)
		f.OnCreate(fakess.Prompt{})
		f.OnDelete(fakess.Prompt{Outcome: fakess.Dismiss})
		_, secret := mustRotate(t, s, "alice", 0) // the old item stays for now
		works(secret)
		if s.Authenticate(old.Reveal()).Known {
			t.Error("the old secret works")
		}
		f.OnDelete(fakess.Prompt{})
		works(secret) // an occasion to clear it away
		testdesk.Wait(t, "the old item to go", 10*time.Second, func() bool { return len(f.Secrets(service)) == 1 })
	})
	t.Run("dismissed", func(t *testing.T) {
		s, f, _ := open(t)
		f.OnCreate(fakess.Prompt{Outcome: fakess.Dismiss})
		if err := add(within(t, 20*time.Second), t, s); !errors.Is(err, ErrNotKept) {
			t.Errorf("it says %v", err)
		}
		if p := s.State().VaultProblem; !errors.Is(p, ErrNotKept) {
			t.Errorf("the state says %v", p)
		}
		f.OnCreate(fakess.Prompt{})
		if err := add(within(t, 20*time.Second), t, s); err != nil {
			t.Errorf("trying again: %v", err)
		}
		if p := s.State().VaultProblem; p != nil {
			t.Errorf("the state says %v", p)
		}
	})
	t.Run("answered too late", func(t *testing.T) {
		s, f, home := open(t)
		f.OnCreate(fakess.Prompt{Outcome: fakess.Ignore})
		ctx, giveUp := context.WithCancel(within(t, 20*time.Second))
		done := make(chan error, 1)
		go func() { done <- add(ctx, t, s) }()
		testdesk.Wait(t, "a prompt", 5*time.Second, func() bool { return f.PromptOpen() == 1 })
		giveUp()
		if err := <-done; !errors.Is(err, ErrTimeout) {
			t.Errorf("it says %v", err)
		}
		if x := readIndex(t, home); len(x.Leftovers) != 1 || len(x.Keys) != 0 {
			t.Errorf("the index says %+v", x)
		}
		f.Settle(true)
		testdesk.Wait(t, "the late item to be cleared away", 5*time.Second, func() bool {
			return f.Calls("Delete") > 0 && len(f.Secrets(service)) == 0
		})
		f.OnCreate(fakess.Prompt{})
		if err := add(within(t, 20*time.Second), t, s); err != nil {
			t.Errorf("trying again: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if x := readIndex(t, home); len(x.Leftovers) != 0 || len(x.Keys) != 1 {
			t.Errorf("in the end the index says %+v", x)
		}
	})
	t.Run("revoking does not wait", func(t *testing.T) {
		s, f, home := open(t)
		_, secret, err := s.Add(within(t, 10*time.Second), "bob", grant)
		if err != nil {
			t.Fatal(err)
		}
		f.Lock()
		f.OnUnlock(fakess.Prompt{Outcome: fakess.Ignore})
		ctx, giveUp := context.WithCancel(within(t, 20*time.Second))
		done := make(chan error, 1)
		go func() { done <- s.Remove(ctx, "bob") }()
		testdesk.Wait(t, "a prompt", 5*time.Second, func() bool { return f.PromptOpen() == 1 })
		if s.Authenticate(secret.Reveal()).Known {
			t.Error("the key works while its owner is asked to unlock the keychain")
		}
		giveUp()
		var left *LeftoverError
		if err := <-done; !errors.As(err, &left) || !errors.Is(err, ErrTimeout) {
			t.Errorf("it says %v", err)
		}
		if s.Authenticate(secret.Reveal()).Known {
			t.Error("the key is back")
		}
		if x := readIndex(t, home); len(x.Keys) != 0 || len(x.Leftovers) != 1 {
			t.Errorf("the index says %+v", x)
		}
		// The keychain being locked is nothing to a request, and little to others.
		f.Settle(true)
		testdesk.Wait(t, "the item to be cleared away", 5*time.Second, func() bool { return len(f.Secrets(service)) == 0 })
	})
	t.Run("auto, none there", func(t *testing.T) {
		testdesk.NewBus(t).SetSession(t)
		v, _ := OpenVault(VaultAuto, t.TempDir(), nil)
		s, err := Open(t.TempDir(), v, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := s.Probe(t.Context()); !errors.Is(err, ErrNoVault) {
			t.Errorf("Probe says %v", err)
		}
		if x := s.State(); x.Vault != VaultMemory || !errors.Is(x.Fallback, ErrNoVault) || x.VaultProblem != nil {
			t.Errorf("the state is %+v", x)
		}
	})
}
