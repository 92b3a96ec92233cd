package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"paddock/internal/atomicfile"
	"paddock/internal/watch"
)

// File is the name of the settings file in the home folder.
const File = "settings.json"

// version is the format of the file.
const version = 1

// Store holds the settings of one home. All methods are safe for concurrent
// use; two programs must not write one home at the same time, for which the
// lock of internal/control stands.
type Store struct {
	path string
	now  atomic.Pointer[Settings]

	mu     sync.Mutex                 // serialises changes; guards chosen
	chosen map[string]json.RawMessage // what the file says, names that we do not know included

	watchers watch.List
}

// Item is one setting as shown to people.
type Item struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	Default string `json:"default"`
	Help    string `json:"help"`
	Changed bool   `json:"changed"` // the owner chose it, be it the default
}

// Open reads the settings of a home; a file that is missing means defaults, and
// is written with the first change. A file that cannot be understood, or that
// holds a value that would be refused, is an *atomicfile.DamagedError; one of a
// newer program an *atomicfile.NewerError. Both are left untouched: laying
// defaults over them could open what the owner had closed.
func Open(home string) (*Store, error) {
	s := &Store{path: filepath.Join(home, File), chosen: map[string]json.RawMessage{}}
	err := atomicfile.Load(s.path, version, &s.chosen)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
		s.chosen = map[string]json.RawMessage{}
	}
	if err != nil {
		return nil, err
	}
	now, err := read(s.chosen)
	if err != nil {
		return nil, &atomicfile.DamagedError{Path: s.path, Err: err}
	}
	s.now.Store(&now)
	return s, nil
}

// Get returns the settings as they are now. It costs one atomic load.
func (s *Store) Get() Settings { return *s.now.Load() }

// Set changes one setting and writes the file. A value that is refused is a
// *ValueError, a name that is not known an *UnknownError; with these, and when
// the file cannot be written, nothing has changed.
func (s *Store) Set(name, value string) error {
	c, err := find(name)
	if err != nil {
		return err
	}
	var probe Settings
	if err := c.put(&probe, value); err != nil {
		return &ValueError{Name: name, Value: value, Reason: err.Error()}
	}
	raw, err := json.Marshal(c.show(probe))
	if err != nil {
		return fmt.Errorf("encoding %s: %w", name, err)
	}
	return s.change(func(chosen map[string]json.RawMessage) bool {
		if bytes.Equal(chosen[name], raw) {
			return false
		}
		chosen[name] = raw
		return true
	})
}

// Reset takes the owner's choice back, so that the default holds. The errors
// are those of Set.
func (s *Store) Reset(name string) error {
	if _, err := find(name); err != nil {
		return err
	}
	return s.change(func(chosen map[string]json.RawMessage) bool {
		_, had := chosen[name]
		delete(chosen, name)
		return had
	})
}

// Value returns one setting as people write it, or an *UnknownError.
func (s *Store) Value(name string) (string, error) {
	c, err := find(name)
	if err != nil {
		return "", err
	}
	return c.show(s.Get()), nil
}

// List returns all settings in their order on screen.
func (s *Store) List() []Item {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Get()
	items := make([]Item, 0, len(choices))
	for _, c := range choices {
		_, changed := s.chosen[c.name]
		items = append(items, Item{
			Name: c.name, Value: c.show(now), Default: c.byDefault, Help: c.help, Changed: changed,
		})
	}
	return items
}

// Watch returns a channel that gets a token when the settings may have changed,
// and the function that ends this.
func (s *Store) Watch() (<-chan struct{}, func()) { return s.watchers.Add() }

// change writes first and swaps afterwards: a reader never sees a setting that
// would be gone after a restart.
func (s *Store) change(edit func(map[string]json.RawMessage) bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	chosen := maps.Clone(s.chosen)
	if !edit(chosen) {
		return nil
	}
	now, err := read(chosen)
	if err != nil {
		return fmt.Errorf("changing %s: %w", s.path, err)
	}
	if err := atomicfile.Save(s.path, version, chosen); err != nil {
		return err
	}
	s.chosen = chosen
	s.now.Store(&now)
	s.watchers.Wake()
	return nil
}

// read lays what was chosen over the defaults.
func read(chosen map[string]json.RawMessage) (Settings, error) {
	s := Defaults()
	for _, c := range choices {
		raw, has := chosen[c.name]
		if !has {
			continue
		}
		value, err := text(raw)
		if err != nil {
			return Settings{}, &ValueError{Name: c.name, Value: clip(string(raw)), Reason: err.Error()}
		}
		if err := c.put(&s, value); err != nil {
			return Settings{}, &ValueError{Name: c.name, Value: clip(value), Reason: err.Error()}
		}
	}
	if raw, has := chosen[originsName]; has {
		var err error
		if s.Origins, err = readOrigins(raw); err != nil {
			return Settings{}, &ValueError{Name: originsName, Value: clip(string(raw)), Reason: err.Error()}
		}
	}
	return s, nil
}

// text takes the quotation marks off. A number or true without them is what
// people write who edit the file by hand.
func text(raw json.RawMessage) (string, error) {
	var v any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return "", errors.New("it is not JSON")
	}
	switch v := v.(type) {
	case string:
		return v, nil
	case bool:
		return fmt.Sprint(v), nil
	case json.Number:
		return v.String(), nil
	}
	return "", errors.New("it is a text, a number, true or false")
}

// clip keeps a damaged file from filling the screen.
func clip(s string) string {
	if r := []rune(s); len(r) > 80 {
		return strings.TrimSpace(string(r[:80])) + "…"
	}
	return s
}
