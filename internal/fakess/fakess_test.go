//go:build linux

package fakess_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/zalando/go-keyring"

	"paddock/internal/fakess"
	"paddock/internal/testdesk"
)

const patience = 5 * time.Second

// start makes a fake the keychain of this process.
func start(t *testing.T) (*fakess.Service, *testdesk.Bus) {
	t.Helper()
	b := testdesk.NewBus(t)
	b.SetSession(t)
	return fakess.Start(t, b.Address), b
}

// later runs a keychain call in the background: some never return. go-keyring
// panics when the bus goes away under a prompt, which is not this test's matter.
func later(f func() error) <-chan error {
	c := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				c <- errors.New("panicked")
			}
		}()
		c <- f()
	}()
	return c
}

func within(t *testing.T, c <-chan error) error {
	t.Helper()
	select {
	case err := <-c:
		return err
	case <-time.After(patience):
		t.Fatalf("no answer within %v", patience)
		return nil
	}
}

func get() error { _, err := keyring.Get("paddock", "alice"); return err }
func set() error { return keyring.Set("paddock", "alice", "pdk_secret") }
func del() error { return keyring.Delete("paddock", "alice") }

func TestAnOpenKeychainStoresReadsReplacesAndDeletes(t *testing.T) {
	s, b := start(t)
	if err := set(); err != nil {
		t.Fatal(err)
	}
	if err := keyring.Set("paddock", "alice", "pdk_second"); err != nil {
		t.Fatal(err)
	}
	if got, err := keyring.Get("paddock", "alice"); got != "pdk_second" || err != nil {
		t.Errorf("Get says %q, %v", got, err)
	}
	if got := s.Secrets("paddock"); len(got) != 1 || got["alice"] != "pdk_second" {
		t.Errorf("it holds %v", got)
	}
	if got := b.Secrets(t, "paddock"); len(got) != 1 || got[0].Value != "pdk_second" {
		t.Errorf("over the bus it holds %+v", got)
	}
	if err := del(); err != nil {
		t.Error(err)
	}
	if err := get(); !errors.Is(err, keyring.ErrNotFound) {
		t.Errorf("after Delete, Get says %v", err)
	}
}

func TestADismissedPromptIsNoErrorToGoKeyring(t *testing.T) {
	s, _ := start(t)
	s.OnCreate(fakess.Prompt{Outcome: fakess.Dismiss})
	if err := set(); err != nil {
		t.Errorf("go-keyring tells the truth now: Set says %v", err)
	}
	if got := s.Secrets("paddock"); len(got) != 0 {
		t.Errorf("stored although dismissed: %v", got)
	}
	s.Put("paddock", "alice", "pdk_secret")
	s.OnDelete(fakess.Prompt{Outcome: fakess.Dismiss})
	if err := del(); err != nil {
		t.Errorf("go-keyring tells the truth now: Delete says %v", err)
	}
	if got := s.Secrets("paddock"); len(got) != 1 {
		t.Errorf("deleted although dismissed: %v", got)
	}
}

func TestALockedKeychain(t *testing.T) {
	for name, how := range map[string]fakess.Prompt{
		"whose owner says no":        {Outcome: fakess.Dismiss},
		"that cannot show a prompt":  {},
		"whose owner says no slowly": {Outcome: fakess.Dismiss, After: 50 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := start(t)
			s.Put("paddock", "alice", "pdk_secret")
			s.Lock()
			s.OnUnlock(how)
			if err := get(); err == nil || !strings.Contains(err.Error(), "failed to unlock") {
				t.Errorf("Get says %v", err)
			}
			if !s.Locked() {
				t.Error("it was unlocked")
			}
		})
	}
	t.Run("whose owner says yes", func(t *testing.T) {
		s, _ := start(t)
		s.Put("paddock", "alice", "pdk_secret")
		s.Lock()
		if err := get(); err != nil {
			t.Errorf("Get says %v", err)
		}
	})
}

func TestAPromptNobodyAnswersHoldsTheCallerUntilItIsSettled(t *testing.T) {
	s, _ := start(t)
	s.Put("paddock", "alice", "pdk_secret")
	s.Lock()
	s.OnUnlock(fakess.Prompt{Outcome: fakess.Ignore})
	got := later(get)
	testdesk.Wait(t, "the prompt", patience, func() bool { return s.PromptOpen() == 1 })
	select {
	case err := <-got:
		t.Fatalf("Get returned with the prompt open: %v", err)
	default:
	}
	if n := s.Settle(true); n != 1 {
		t.Errorf("settled %d prompts", n)
	}
	if err := within(t, got); err != nil {
		t.Errorf("Get says %v", err)
	}
	if s.PromptOpen() != 0 || s.PromptShown() != 1 {
		t.Errorf("%d open, %d shown", s.PromptOpen(), s.PromptShown())
	}
}

func TestAStraySignalEndsGoKeyringsWaitTooEarly(t *testing.T) {
	s, _ := start(t)
	s.OnCreate(fakess.Prompt{Outcome: fakess.Ignore, Stray: true})
	if err := within(t, later(set)); err != nil {
		t.Errorf("go-keyring tells the truth now: Set says %v", err)
	}
	if got := s.Secrets("paddock"); len(got) != 0 {
		t.Errorf("stored before the prompt was answered: %v", got)
	}
	s.Settle(true)
	if got := s.Secrets("paddock"); got["alice"] != "pdk_secret" {
		t.Errorf("after the answer it holds %v", got)
	}
}

func TestASilentKeychainAnswersWhenTheSilenceEnds(t *testing.T) {
	s, _ := start(t)
	s.Put("paddock", "alice", "pdk_secret")
	s.Silence(true)
	got := later(get)
	testdesk.Wait(t, "the call", patience, func() bool { return s.Calls("Unlock") == 1 })
	s.Silence(false)
	if err := within(t, got); err != nil {
		t.Errorf("Get says %v", err)
	}
}

func TestASlowKeychainTakesItsTime(t *testing.T) {
	s, _ := start(t)
	s.Put("paddock", "alice", "pdk_secret")
	s.Delay(30 * time.Millisecond)
	began := time.Now()
	if err := get(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 30*time.Millisecond {
		t.Errorf("took %v", took)
	}
}

func TestAKeychainThatRefusesOrLoses(t *testing.T) {
	s, _ := start(t)
	s.Refuse("disk full")
	if err := set(); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("Set says %v", err)
	}
	s.Refuse("")
	s.Lose(true)
	if err := set(); err != nil {
		t.Errorf("Set says %v", err)
	}
	if err := get(); !errors.Is(err, keyring.ErrNotFound) {
		t.Errorf("after the loss Get says %v", err)
	}
}

func TestAFreshUserHasNoKeychain(t *testing.T) {
	s, _ := start(t)
	s.Absent(true)
	if err := set(); err == nil || !strings.Contains(err.Error(), "aliases/default") {
		t.Errorf("Set says %v", err)
	}
	s.Absent(false)
	if err := set(); err != nil {
		t.Errorf("Set says %v", err)
	}
}

func TestAKeychainThatGoesAwayDuringAPromptLeavesTheBus(t *testing.T) {
	s, b := start(t)
	s.Lock()
	s.OnUnlock(fakess.Prompt{Outcome: fakess.Ignore})
	got := later(get)
	testdesk.Wait(t, "the prompt", patience, func() bool { return s.PromptOpen() == 1 })
	s.Close()
	testdesk.Wait(t, "the name to be free", patience, func() bool { return !b.HasOwner("org.freedesktop.secrets") })
	b.Close() // only this ends go-keyring's wait
	if err := within(t, got); err == nil {
		t.Error("Get found a secret in a keychain that is gone")
	}
}
