package keystore

import (
	"context"
	"sync/atomic"
)

// autoVault is the OS keychain when there is one, and memory otherwise. The
// choice is made at the first Probe or the first use.
type autoVault struct {
	keychain interface {
		Vault
		Prober
	}
	memory *MemoryVault

	gate   chan struct{} // a token: held while choosing
	chosen atomic.Pointer[choice]
}

// choice is immutable.
type choice struct {
	vault Vault
	why   error // why not the keychain
}

var (
	_ Vault  = (*autoVault)(nil)
	_ Prober = (*autoVault)(nil)
)

func newAutoVault(keychain interface {
	Vault
	Prober
}, memory *MemoryVault,
) *autoVault {
	return &autoVault{keychain: keychain, memory: memory, gate: make(chan struct{}, 1)}
}

// Probe chooses, and returns why the choice was not the keychain. A fallen
// back vault is asked again for as long as no secret lies in memory, so a
// keychain that comes up late is found; after that the choice stands, since
// the secrets of one key must not be looked for in two places.
func (a *autoVault) Probe(ctx context.Context) error {
	c, err := a.choose(ctx, true)
	if err != nil {
		return err
	}
	return c.why
}

func (a *autoVault) choose(ctx context.Context, again bool) (*choice, error) {
	settled := func() *choice {
		c := a.chosen.Load()
		if c != nil && again && c.vault == a.memory && a.memory.empty() {
			return nil
		}
		return c
	}
	if c := settled(); c != nil {
		return c, nil
	}
	select {
	case a.gate <- struct{}{}:
		defer func() { <-a.gate }()
	case <-ctx.Done():
		return nil, timedOut(ctx)
	}
	if c := settled(); c != nil { // somebody else chose while we waited
		return c, nil
	}
	c := &choice{vault: a.keychain}
	if err := a.keychain.Probe(ctx); err != nil {
		if ctx.Err() != nil { // the caller left, which says nothing about the keychain
			return nil, timedOut(ctx)
		}
		c = &choice{vault: a.memory, why: err}
	}
	a.chosen.Store(c)
	return c, nil
}

// Fallback says why the vault is memory and not the keychain; nil when it is
// the keychain or not decided yet.
func (a *autoVault) Fallback() error {
	if c := a.chosen.Load(); c != nil {
		return c.why
	}
	return nil
}

// Set implements Vault.
func (a *autoVault) Set(ctx context.Context, id string, secret Secret) error {
	c, err := a.choose(ctx, false)
	if err != nil {
		return err
	}
	return c.vault.Set(ctx, id, secret)
}

// Get implements Vault.
func (a *autoVault) Get(ctx context.Context, id string) (Secret, error) {
	c, err := a.choose(ctx, false)
	if err != nil {
		return Secret{}, err
	}
	return c.vault.Get(ctx, id)
}

// Delete implements Vault.
func (a *autoVault) Delete(ctx context.Context, id string) error {
	c, err := a.choose(ctx, false)
	if err != nil {
		return err
	}
	return c.vault.Delete(ctx, id)
}

// Kind implements Vault.
func (a *autoVault) Kind() VaultKind {
	if c := a.chosen.Load(); c != nil {
		return c.vault.Kind()
	}
	return VaultAuto
}

// Describe implements Vault.
func (a *autoVault) Describe() string {
	if c := a.chosen.Load(); c != nil {
		return c.vault.Describe()
	}
	return "the OS keychain, if there is one"
}

// OnLate implements lateVault.
func (a *autoVault) OnLate(f func()) {
	if k, ok := a.keychain.(lateVault); ok {
		k.OnLate(f)
	}
}

// Close implements io.Closer.
func (a *autoVault) Close() error { return closeVault(a.keychain) }
