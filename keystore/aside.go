package keystore

import (
	"context"
	"errors"
	"fmt"
)

// Keep stores a secret that is no key, such as the private key of the local
// authority, in the vault under an id of its own, and returns the kind of vault
// that has it. With VaultMemory nothing is stored, since whoever asks can hold it
// in memory as well; and a secret there would keep a keychain that comes up late
// from being used. The id must not be one that a key could have: keys' ids end in
// eight random letters. It may wait for a person as long as ctx lets it.
func (s *Store) Keep(ctx context.Context, id string, secret Secret) (VaultKind, error) {
	kind, err := s.decide(ctx)
	if err == nil && kind != VaultMemory {
		err = s.ask(func() error { return s.vault.Set(ctx, id, secret) })
	}
	if err != nil {
		return "", fmt.Errorf("keeping %.70q: %w", id, err)
	}
	return kind, nil
}

// Kept returns what Keep stored; ErrNotFound when there is no such item,
// ErrNoVault while memory stands in for the vault.
func (s *Store) Kept(ctx context.Context, id string) (secret Secret, err error) {
	kind, err := s.decide(ctx)
	switch {
	case err != nil:
	case kind == VaultMemory:
		err = ErrNoVault
		if f := s.fallback(); f != nil {
			err = fmt.Errorf("%w: %w", ErrNoVault, f)
		}
	default:
		err = s.ask(func() (err error) {
			secret, err = s.vault.Get(ctx, id)
			return err
		})
	}
	if err != nil {
		return Secret{}, fmt.Errorf("fetching %.70q: %w", id, err)
	}
	return secret, nil
}

// Forget deletes what Keep stored. That there is none is fine.
func (s *Store) Forget(ctx context.Context, id string) error {
	err := s.ask(func() error { return s.vault.Delete(ctx, id) })
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("forgetting %.70q: %w", id, err)
	}
	return nil
}
