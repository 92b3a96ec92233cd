package keystore

import (
	"context"
	"fmt"
	"sync"
)

// MemoryVault keeps secrets until the program ends.
type MemoryVault struct {
	mu    sync.Mutex // guards items; never held while waiting
	items map[string]Secret
}

var _ Vault = (*MemoryVault)(nil)

// NewMemoryVault makes an empty one.
func NewMemoryVault() *MemoryVault { return &MemoryVault{items: map[string]Secret{}} }

// Set implements Vault.
func (m *MemoryVault) Set(ctx context.Context, id string, secret Secret) error {
	if err := m.ready(ctx, id); err != nil {
		return err
	}
	if len(secret.Reveal()) > MaxSecret {
		return ErrTooBig
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.items[id] = secret
	return nil
}

// Get implements Vault.
func (m *MemoryVault) Get(ctx context.Context, id string) (Secret, error) {
	if err := m.ready(ctx, id); err != nil {
		return Secret{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.items[id]
	if !ok {
		return Secret{}, fmt.Errorf("%s: %w", id, ErrNotFound)
	}
	return s, nil
}

// Delete implements Vault.
func (m *MemoryVault) Delete(ctx context.Context, id string) error {
	if err := m.ready(ctx, id); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.items[id]; !ok {
		return fmt.Errorf("%s: %w", id, ErrNotFound)
	}
	delete(m.items, id)
	return nil
}

// Kind implements Vault.
func (*MemoryVault) Kind() VaultKind { return VaultMemory }

// Describe implements Vault.
func (*MemoryVault) Describe() string { return "memory, until the program ends" }

func (*MemoryVault) ready(ctx context.Context, id string) error {
	if ctx.Err() != nil {
		return timedOut(ctx)
	}
	return checkID(id)
}

func (m *MemoryVault) empty() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.items) == 0
}
