package keystore

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"
)

// MaxGrace is the longest time for which Rotate lets an old secret work on.
const MaxGrace = 30 * 24 * time.Hour

// ErrGrace means that an old secret cannot work on for so long.
var ErrGrace = errors.New("the grace of an old secret is between nothing and 30 days")

// Rotate gives a key a new secret and returns it; Copy gives the new one from
// then on. All else of the key stays, but for its hint. The old secret works
// until grace has passed from the moment at which the new one does, and not
// any more when grace is 0; Key.OldUntil says until when. Grace is at most
// MaxGrace. There is one old secret at most: one that is still in its grace
// ends when the key is rotated again.
//
// When it fails nothing has changed, also when grace is 0 and the disk
// refuses: the old secret works and Copy gives it. Whoever wants a key refused
// whatever the disk says suspends it.
//
// The new secret lies in the vault under a name of its own before the index
// says so, and the old item goes after that. An old item that the vault does
// not give up is no error: it is cleared away at a later occasion.
func (s *Store) Rotate(ctx context.Context, name string, grace time.Duration) (Key, Secret, error) {
	key, secret, err := s.rotate(ctx, name, grace)
	if err != nil {
		return Key{}, Secret{}, fmt.Errorf("rotating key %.80q: %w", name, err)
	}
	return key, secret, nil
}

func (s *Store) rotate(ctx context.Context, name string, grace time.Duration) (Key, Secret, error) {
	if grace < 0 || grace > MaxGrace {
		return Key{}, Secret{}, ErrGrace
	}
	e := s.table.Load().find(name)
	if e == nil {
		return Key{}, Secret{}, ErrNoKey
	}
	if err := s.here(ctx, e.key); err != nil {
		return Key{}, Secret{}, err
	}
	item, secret := newID(e.key.Name), Mint()
	defer s.settle(item)
	kind, err := s.put(ctx, item, secret, e.key.Vault)
	if err != nil {
		return Key{}, Secret{}, err
	}
	key, oldItem, err := s.replace(e.key.ID, item, secret, kind, grace)
	if err != nil {
		s.clear(ctx, item)
		return Key{}, Secret{}, err
	}
	s.clear(ctx, oldItem)
	s.sweepSoon()
	return key, secret, nil
}

// replace puts a secret that is in the vault in the place of a key's present
// one, and returns the item of the latter, which is a leftover now. The key is
// looked up again: while the keychain was asked it may have been changed,
// rotated by somebody else or removed.
func (s *Store) replace(id, item string, secret Secret, kind VaultKind, grace time.Duration) (k Key, oldItem string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return Key{}, "", ErrClosed
	}
	t := s.prune()
	e := t.byID[id]
	if e == nil {
		return Key{}, "", ErrNoKey
	}
	if e.key.Vault != kind { // a keychain came up, or went, while it was asked
		return Key{}, "", fmt.Errorf("%w: it lies in %s, and %s is in use", ErrNoVault, e.key.Vault, kind)
	}
	next := &entry{key: e.key, item: item, digest: sha256.Sum256([]byte(secret.Reveal())), use: e.use}
	next.key.Hint = HintOf(secret)
	next.key.Changed = s.stamp()
	next.key.OldUntil = time.Time{}
	if grace > 0 {
		next.key.OldUntil = next.key.Changed.Add(grace)
		next.old = e.digest
	}
	t = t.with(next.ready())
	if kind.lasts() {
		leftovers := slices.Clone(s.leftovers)
		s.dropLeftover(item)
		s.leftovers = append(s.leftovers, leftover{e.item, kind})
		if err := s.write(t); err != nil {
			s.leftovers = leftovers
			return Key{}, "", err
		}
	}
	s.publish(t)
	return s.view(next, s.dateOf(s.now())), e.item, nil
}
