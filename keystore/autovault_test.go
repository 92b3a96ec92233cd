package keystore

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

func auto(ring *fakeRing) *autoVault {
	return newAutoVault(newOSKeychain(ring.calls()), NewMemoryVault())
}

func TestAutoVaultDecidesAtFirstUse(t *testing.T) {
	ring := &fakeRing{}
	v := auto(ring)
	if v.Kind() != VaultAuto || v.Fallback() != nil || ring.probes.Load() != 0 {
		t.Error("decided before it was used")
	}
	if err := v.Set(t.Context(), "a", NewSecret("x")); err != nil || v.Kind() != VaultKeychain || !ring.has("a") {
		t.Errorf("%v, %v", v.Kind(), err)
	}
	ring.absent.Store(true)
	if err := v.Probe(t.Context()); err != nil || v.Kind() != VaultKeychain {
		t.Errorf("the choice does not stand: %v, %v", v.Kind(), err)
	}
}

// A keychain that comes up late is found, as long as nothing lies in memory.
func TestAutoVaultFindsALateKeychain(t *testing.T) {
	ring := &fakeRing{}
	ring.absent.Store(true)
	v := auto(ring)
	if err := v.Probe(t.Context()); !errors.Is(err, ErrNoVault) || v.Kind() != VaultMemory || !errors.Is(v.Fallback(), ErrNoVault) {
		t.Errorf("%v, %v", v.Kind(), err)
	}
	ring.absent.Store(false)
	if err := v.Probe(t.Context()); err != nil || v.Kind() != VaultKeychain || v.Fallback() != nil {
		t.Errorf("%v, %v", v.Kind(), err)
	}

	ring.absent.Store(true)
	v = auto(ring)
	if err := v.Set(t.Context(), "a", NewSecret("x")); err != nil {
		t.Fatal(err)
	}
	ring.absent.Store(false)
	if err := v.Probe(t.Context()); !errors.Is(err, ErrNoVault) || v.Kind() != VaultMemory {
		t.Errorf("with a secret in memory: %v, %v", v.Kind(), err)
	}
	if s, err := v.Get(t.Context(), "a"); err != nil || s.Reveal() != "x" {
		t.Error(err)
	}
}

// A caller in a hurry decides nothing for everybody else.
func TestAutoVaultImpatientCaller(t *testing.T) {
	calls := (&fakeRing{}).calls()
	slow := make(chan struct{})
	calls.probe = func(ctx context.Context) error {
		select {
		case <-slow:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	v := newAutoVault(newOSKeychain(calls), NewMemoryVault())
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if err := v.Set(within(t, 50*time.Millisecond), "a", NewSecret("x")); !errors.Is(err, ErrTimeout) {
				t.Errorf("it says %v", err)
			}
		})
	}
	all.Wait()
	if v.Kind() != VaultAuto {
		t.Errorf("decided for %v", v.Kind())
	}
	close(slow)
	if err := v.Probe(t.Context()); err != nil || v.Kind() != VaultKeychain {
		t.Errorf("%v, %v", v.Kind(), err)
	}
}
