package keystore

import (
	"fmt"
	"slices"
)

// SuspendAll refuses every key from this moment on, for an owner in panic, and
// returns the names of those that it suspended. They are marked, so that
// ResumeAll brings back these and not the ones that were suspended before. After
// an *UnsavedError all are refused too.
func (s *Store) SuspendAll() ([]string, error) {
	return s.all("suspending", takes, func(k *Key) bool {
		if k.Suspended {
			return false
		}
		k.Suspended, k.ByPanic = true, true
		return true
	})
}

// ResumeAll lets those in again that SuspendAll suspended, and returns their
// names. When the disk refuses, none is let in.
func (s *Store) ResumeAll() ([]string, error) {
	return s.all("resuming", gives, func(k *Key) bool {
		if !k.ByPanic {
			return false
		}
		k.Suspended, k.ByPanic = false, false
		return true
	})
}

// all changes every key for which change says so, in one step.
func (s *Store) all(doing string, way direction, change func(*Key) bool) (names []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, fmt.Errorf("%s all keys: %w", doing, ErrClosed)
	}
	entries, lasts := slices.Clone(s.prune().all), false
	for i, old := range entries {
		e := *old
		if !change(&e.key) {
			continue
		}
		e.key.Changed = s.stamp()
		names, lasts = append(names, e.key.Name), lasts || e.key.Vault.lasts()
		entries[i] = e.ready()
	}
	if len(names) == 0 {
		return nil, nil
	}
	next := newTable(entries)
	if way == takes {
		s.publish(next)
	}
	if lasts {
		if err := s.write(next); err != nil {
			if way == takes {
				return names, fmt.Errorf("%s all keys: %w", doing, &UnsavedError{err})
			}
			return nil, fmt.Errorf("%s all keys: %w", doing, err)
		}
	}
	s.publish(next)
	return names, nil
}
