package keystore

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"slices"
	"time"
)

// keepHouse writes what was put off and clears leftovers away, until Close. It
// is the Store's only goroutine.
func (s *Store) keepHouse(ctx context.Context) {
	defer close(s.stopped)
	var due, tell <-chan time.Time
	minute := time.NewTicker(pruneEvery)
	defer minute.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-minute.C:
			s.endGraces()
		case <-s.kicked:
			if due == nil {
				due = time.After(s.every)
			}
		case <-due:
			due = nil
			_ = s.flush() // a failure is in State, and kicks again
		case <-s.telling:
			if tell == nil {
				tell = time.After(tellEvery)
			}
		case <-tell:
			tell = nil
			s.untold.Store(false) // before the waking: what is counted from here on is told next time
			s.watchers.Wake()
		case <-s.sweeping:
			s.sweep(ctx)
		}
	}
}

// flushSoon has the index written within a minute. It never waits, and is
// cheap enough for every request.
func (s *Store) flushSoon() {
	if s.unsaved.Load() || s.unsaved.Swap(true) {
		return // somebody kicked before us, and the flush is still to come
	}
	select {
	case s.kicked <- struct{}{}:
	default:
	}
}

// tellSoon has the watchers woken within a second, so that they see the last of
// many uses too. It never waits, and is cheap enough for every request.
func (s *Store) tellSoon() {
	if s.untold.Load() || s.untold.Swap(true) {
		return
	}
	select {
	case s.telling <- struct{}{}:
	default:
	}
}

func (s *Store) flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.prune()
	if !s.unsaved.Load() {
		return nil
	}
	return s.write(t)
}

// pruneEvery is how late an old secret may leave the table. It stopped working
// in time, by the clock as it was then.
const pruneEvery = time.Minute

func (s *Store) endGraces() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prune()
}

// prune takes old secrets whose time is over out of the table for good, so that
// a clock that is set back brings none to life, and returns the table as it is
// then. Whoever changes the table begins with this one. The caller holds mu.
func (s *Store) prune() *table {
	t := s.table.Load()
	if !slices.ContainsFunc(t.all, s.graceOver) {
		return t
	}
	all := slices.Clone(t.all)
	for i, e := range all {
		if s.graceOver(e) {
			now := *e
			now.key.OldUntil, now.old = time.Time{}, [sha256.Size]byte{}
			all[i] = now.ready()
		}
	}
	t = newTable(all)
	s.publish(t)
	s.flushSoon()
	return t
}

func (s *Store) graceOver(e *entry) bool { return s.over(e.key.OldUntil) }

// sweepSoon has the leftovers cleared away. It is called when the vault has
// just answered: then it is open, and nobody is asked anything.
func (s *Store) sweepSoon() {
	select {
	case s.sweeping <- struct{}{}:
	default:
	}
}

func (s *Store) sweep(ctx context.Context) {
	for _, l := range s.sweepable() {
		ctx, stop := context.WithTimeout(ctx, cleanPatience)
		err := s.vault.Delete(ctx, l.ID)
		stop()
		if err != nil && !errors.Is(err, ErrNotFound) {
			return // another time
		}
		s.forget(l.ID)
	}
}

func (s *Store) sweepable() []leftover {
	s.mu.Lock()
	defer s.mu.Unlock()
	kind := s.vault.Kind()
	var out []leftover
	for _, l := range s.leftovers {
		switch {
		case l.Vault != kind:
		case s.fresh[l.ID]:
			s.passed = true
		default:
			out = append(out, l)
		}
	}
	return out
}

// clear deletes an item that could not be entered, or that another one took the
// place of, also when the caller's time is up.
func (s *Store) clear(ctx context.Context, item string) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), cleanPatience)
	defer stop()
	if err := s.ask(func() error { return s.vault.Delete(ctx, item) }); err == nil || errors.Is(err, ErrNotFound) {
		s.forget(item)
	}
}

// forget takes an item off the leftovers; the file follows when it is next
// written.
func (s *Store) forget(item string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dropLeftover(item) {
		s.flushSoon()
	}
}

// dropLeftover says whether there was one. The caller holds mu.
func (s *Store) dropLeftover(item string) bool {
	n := len(s.leftovers)
	// A clone: an index that is being compared or restored must not change.
	s.leftovers = slices.DeleteFunc(slices.Clone(s.leftovers), func(l leftover) bool { return l.ID == item })
	return len(s.leftovers) < n
}

// equal compares in constant time.
func equal(a, b *[sha256.Size]byte) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }
