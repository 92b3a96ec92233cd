package keystore

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"paddock/policy"
)

// Key is what is known of one key; never the key itself, nor its digest. It is
// a copy: changing it changes nothing. Its JSON is what --json prints.
type Key struct {
	ID        string       `json:"id"`   // stable for the life of the key; also the name of its first item in the vault
	Name      string       `json:"name"` // as the owner wrote it, trimmed
	Hint      string       `json:"hint"` // the first characters, such as "pdk_7Qm"
	Grant     policy.Grant `json:"grant"`
	Suspended bool         `json:"suspended"`
	ByPanic   bool         `json:"by_panic,omitempty"` // suspended by SuspendAll, and not since
	Colour    int          `json:"colour"`             // 0 to Colours-1, given in order and kept for life
	// Vault says where the secret lies. A key in VaultMemory ends with the
	// program and is in no file.
	Vault    VaultKind `json:"vault"`
	Made     time.Time `json:"made"`
	Changed  time.Time `json:"changed"`
	LastUsed time.Time `json:"last_used,omitzero"`
	// OldUntil is the first moment at which the secret before the last Rotate
	// no longer works; zero when there is none, or that moment has passed.
	OldUntil time.Time `json:"old_until,omitzero"`
	// Today is what counts on the present day of the local calendar, as Tokens
	// has it.
	Today Usage `json:"today"`
}

// OldWorksUntil returns the first moment at which an old secret of the key no
// longer works, and false when none works at all: there is none, its time is
// over, or the key itself is refused. A key that ends takes its old secret along.
func (k Key) OldWorksUntil(now time.Time) (time.Time, bool) {
	until := k.OldUntil
	if end := k.Grant.Expires; !end.IsZero() && end.Before(until) {
		until = end
	}
	if until.IsZero() || k.Suspended || !now.Before(until) {
		return time.Time{}, false
	}
	return until, true
}

// Colours is how many colours keys can have.
const Colours = 8

// MaxName is the longest name of a key, in characters.
const MaxName = 64

// What Store answers when a name does not do.
var (
	ErrNoKey     = errors.New("no key of this name")
	ErrNameTaken = errors.New("there is a key of this name")
)

// NameFault says what is wrong with a name.
type NameFault string

// The faults of names.
const (
	NameEmpty       NameFault = "empty"
	NameTooLong     NameFault = "too long"
	NameUnprintable NameFault = "unprintable character" // control, invisible or direction-changing ones, and broken UTF-8
)

// NameError says why no key can have this name.
type NameError struct {
	Name  string
	Fault NameFault
}

// Error implements error. The name is quoted, since it may hold terminal
// escapes, and cut.
func (e *NameError) Error() string { return fmt.Sprintf("key name %.80q: %s", e.Name, e.Fault) }

// CheckName returns a name as a key would have it, or a *NameError.
func CheckName(name string) (string, error) {
	trimmed := strings.TrimSpace(name)
	switch {
	case trimmed == "":
		return "", &NameError{name, NameEmpty}
	case !utf8.ValidString(trimmed):
		return "", &NameError{name, NameUnprintable}
	case utf8.RuneCountInString(trimmed) > MaxName:
		return "", &NameError{name, NameTooLong}
	}
	for _, r := range trimmed {
		// Names are shown in terminals, menus and tables. IsPrint leaves out
		// escapes and line ends, and also what is invisible or turns the
		// direction of writing: two names must not look the same.
		if !unicode.IsPrint(r) {
			return "", &NameError{name, NameUnprintable}
		}
	}
	return trimmed, nil
}

// fold makes names that differ only in letter case equal, as strings.EqualFold
// does.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, strings.TrimSpace(name))
}

// newID makes the id of a new key: its name as far as it is plain, so that a
// person recognises the item in a keychain program, and 40 random bits, so
// that a name can be given twice in a life.
func newID(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case b.Len() >= 24:
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	slug := strings.TrimSuffix(b.String(), "-")
	if slug == "" {
		slug = "key"
	}
	return slug + "-" + randomTail()
}
