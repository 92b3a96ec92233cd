package keystore

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"paddock/internal/atomicfile"
)

// IndexFileName is the index file's name in the home.
const IndexFileName = "keys.json"

// indexVersion is what is written; older ones are read too. Version 1 knew no
// rotation, no limits and no counts of a day, so a program that knows only that
// one must hear that the file is newer than it, not that it is damaged.
const indexVersion = 2

// index is the content of keys.json. There is no secret in it: from a digest
// of 178 random bits nobody finds the key.
type index struct {
	Keys []record `json:"keys"`
	// Colours counts the colours given so far, those of removed keys included.
	Colours int `json:"colours"`
	// Leftovers are items that have no key and should go from their vault. An
	// item stands here before it is stored, until its key is in the index, so
	// that none is forgotten whenever the program or the keychain breaks off.
	Leftovers []leftover `json:"leftovers,omitempty"`
}

// record is a key in the index. The members after sha256 came later and are
// left out where they say nothing.
type record struct {
	Key
	SHA256    string    `json:"sha256"`               // of the whole key, lower-case hex
	Item      string    `json:"item,omitempty"`       // name in the vault; the id until the key is rotated
	OldSHA256 string    `json:"old_sha256,omitempty"` // of the secret before, which works until old_until
	Today     dayRecord `json:"today,omitzero"`       // in place of the key's, which has no date
}

func (r record) item() string {
	if r.Item == "" {
		return r.ID
	}
	return r.Item
}

// entry makes what the gate needs of a record.
func (r record) entry() (*entry, error) {
	e := &entry{key: r.Key, item: r.item(), use: usageOf(r)}
	e.key.LastUsed = time.Time{}
	var err error
	if e.digest, err = parseDigest(r.SHA256); err == nil && r.OldSHA256 != "" {
		e.old, err = parseDigest(r.OldSHA256)
	}
	return e, err
}

// record is what entry reads.
func (e *entry) record() record {
	r := record{Key: e.known(), SHA256: hex.EncodeToString(e.digest[:]), Today: e.use.record()}
	if e.item != e.key.ID {
		r.Item = e.item
	}
	if !e.key.OldUntil.IsZero() {
		r.OldSHA256 = hex.EncodeToString(e.old[:])
	}
	return r
}

type leftover struct {
	ID    string    `json:"id"`
	Vault VaultKind `json:"vault"`
}

func indexPath(home string) string { return filepath.Join(home, IndexFileName) }

// loadIndex reads and checks the index; the errors are those of
// atomicfile.Load.
func loadIndex(path string) (index, error) {
	var x index
	if err := atomicfile.Load(path, indexVersion, &x); err != nil {
		return index{}, err
	}
	if err := x.check(); err != nil {
		return index{}, &DamagedError{Path: path, Err: err}
	}
	return x, nil
}

// check finds what no version of this program wrote. An index that is a little
// wrong is refused as a whole: guessing here lets somebody in.
func (x index) check() error {
	ids, items, names, digests := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i, r := range x.Keys {
		err := r.check()
		switch {
		case err != nil:
		case ids[r.ID]:
			err = fmt.Errorf("id %q stands there twice", r.ID)
		case items[r.item()]:
			err = fmt.Errorf("item %q stands there twice", r.item())
		case names[fold(r.Name)]:
			err = fmt.Errorf("name %q stands there twice", r.Name)
		case digests[r.SHA256], digests[r.OldSHA256], r.SHA256 == r.OldSHA256:
			err = errors.New("its digest stands there twice")
		}
		if err != nil {
			return fmt.Errorf("key %d: %w", i+1, err)
		}
		ids[r.ID], items[r.item()], names[fold(r.Name)], digests[r.SHA256] = true, true, true, true
		if r.OldSHA256 != "" {
			digests[r.OldSHA256] = true
		}
	}
	if x.Colours < 0 {
		return fmt.Errorf("%d colours", x.Colours)
	}
	for _, l := range x.Leftovers {
		if err := checkID(l.ID); err != nil {
			return fmt.Errorf("leftover: %w", err)
		}
		if items[l.ID] { // the id of a rotated key may be one: its first item
			return fmt.Errorf("leftover %q is a key", l.ID)
		}
		if !l.Vault.lasts() {
			return fmt.Errorf("leftover %q: vault %.20q", l.ID, string(l.Vault))
		}
	}
	return nil
}

func (r record) check() error {
	if err := checkID(r.ID); err != nil {
		return err
	}
	if name, err := CheckName(r.Name); err != nil {
		return err
	} else if name != r.Name {
		return fmt.Errorf("name %.80q is not trimmed", r.Name)
	}
	if r.Item != "" {
		if err := checkID(r.Item); err != nil {
			return err
		}
	}
	if _, err := r.entry(); err != nil {
		return err
	}
	switch {
	case len(r.Hint) != hintLen || !strings.HasPrefix(r.Hint, keyPrefix) || strings.Trim(r.Hint[len(keyPrefix):], base62) != "":
		return fmt.Errorf("hint %.20q", r.Hint)
	case r.Colour < 0 || r.Colour >= Colours:
		return fmt.Errorf("colour %d", r.Colour)
	case !r.Vault.lasts():
		return fmt.Errorf("vault %.20q", string(r.Vault))
	case r.Made.IsZero():
		return errors.New("it was never made")
	case r.OldUntil.IsZero() != (r.OldSHA256 == ""):
		return errors.New("an old secret without an end, or an end without one")
	}
	return r.Today.check()
}

func parseDigest(text string) (d [sha256.Size]byte, err error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(d) || text != strings.ToLower(text) {
		return d, fmt.Errorf("sha256 %.80q is not a digest", text)
	}
	return [sha256.Size]byte(b), nil
}

// lasts says whether what is in such a vault outlives the program.
func (k VaultKind) lasts() bool { return k == VaultKeychain || k == VaultFile }

// table is what the gate reads: immutable once it is published.
type table struct {
	byDigest map[[sha256.Size]byte]*holder // old secrets included
	byID     map[string]*entry
	all      []*entry // by Made
}

func newTable(all []*entry) *table {
	t := &table{
		byDigest: make(map[[sha256.Size]byte]*holder, len(all)),
		byID:     make(map[string]*entry, len(all)),
		all:      all,
	}
	slices.SortStableFunc(all, func(a, b *entry) int { return a.key.Made.Compare(b.key.Made) })
	for _, e := range all {
		t.byDigest[e.digest] = &e.present
		if !e.key.OldUntil.IsZero() {
			t.byDigest[e.old] = &e.former
		}
		t.byID[e.key.ID] = e
	}
	return t
}

func (t *table) find(name string) *entry {
	name = fold(name)
	for _, e := range t.all {
		if e.folded == name {
			return e
		}
	}
	return nil
}

// with returns a table in which e stands for the key of its id, or is added.
func (t *table) with(e *entry) *table {
	return newTable(append(t.others(e.key.ID), e))
}

// without returns a table that does not have the key.
func (t *table) without(id string) *table { return newTable(t.others(id)) }

func (t *table) others(id string) []*entry {
	all := make([]*entry, 0, len(t.all)+1)
	for _, e := range t.all {
		if e.key.ID != id {
			all = append(all, e)
		}
	}
	return all
}
