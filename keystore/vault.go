package keystore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"paddock/internal/atomicfile"
)

// What a Vault can answer. Every error of a vault is one of these, wrapped
// with what was being done, or one that nobody has met yet.
var (
	ErrNotFound = errors.New("no such item in the vault")
	// ErrNoVault means that there is nothing to keep keys in: no keychain
	// service in this session, or a service without a keyring.
	ErrNoVault = errors.New("no vault")
	// ErrLocked means that somebody has to unlock the vault first, or was asked
	// to and declined.
	ErrLocked = errors.New("the vault is locked")
	// ErrTimeout means "gave up", not "did not happen": a keychain's question
	// may still be on the screen, and be answered later.
	ErrTimeout = errors.New("the vault did not answer in time")
	// ErrNotKept means that the vault reported success and did not do it, as
	// keychains do when their question is dismissed.
	ErrNotKept = errors.New("the vault did not keep the change")
	ErrTooBig  = errors.New("too big for the vault")
	ErrClosed  = errors.New("closed")
	// ErrNoPassphrase means that the file vault needs a passphrase and nobody
	// gave one.
	ErrNoPassphrase = errors.New("no passphrase")
	// ErrWrongPassphrase means that the file vault does not open with the
	// passphrase given. Nothing was changed.
	ErrWrongPassphrase = errors.New("wrong passphrase")
)

// MaxSecret is the longest secret that every vault keeps: Windows allows 2,560
// bytes, macOS about 2,900 (4,096 for a whole base64 command line).
const MaxSecret = 2048

// VaultKind says where secrets are kept. Its text is what --vault takes.
type VaultKind string

// The kinds of vault.
const (
	VaultAuto     VaultKind = "auto" // not decided yet between keychain and memory
	VaultKeychain VaultKind = "keychain"
	VaultFile     VaultKind = "file"
	VaultMemory   VaultKind = "memory" // keys end with the program
)

// VaultKinds lists what --vault takes, the default first.
func VaultKinds() []VaultKind {
	return []VaultKind{VaultAuto, VaultKeychain, VaultFile, VaultMemory}
}

// Vault keeps secrets under an id of lower-case letters, digits, dots, dashes
// and underscores. All methods are safe for concurrent use. Those with a
// context may wait for a person, so they are never called on the way of a
// request or on a window's thread; they return soon after the context ends,
// with ErrTimeout, whatever the keychain behind them does.
type Vault interface {
	// Set keeps secret under id, in place of what was there. After nil a Get
	// finds it.
	Set(ctx context.Context, id string, secret Secret) error
	// Get returns ErrNotFound when there is no such item.
	Get(ctx context.Context, id string) (Secret, error)
	// Delete returns ErrNotFound when there is no such item. After nil a Get
	// finds none.
	Delete(ctx context.Context, id string) error
	// Kind and Describe never wait.
	Kind() VaultKind
	// Describe names the vault in words that fit after "in": "the OS keychain".
	Describe() string
}

// Prober is a Vault that can tell whether it will work without asking a person
// anything.
type Prober interface {
	// Probe returns nil when the vault is there, locked or not. It takes no
	// longer than about two seconds, also without a deadline in ctx.
	Probe(ctx context.Context) error
}

// Prompt asks a person for the passphrase of the file vault. fresh means that
// there is no vault yet and the answer will seal a new one, so it should be
// asked for twice. It should return when ctx ends.
type Prompt func(ctx context.Context, fresh bool) (Secret, error)

// PassphraseFileEnv names the variable with the path of a file that holds the
// passphrase of the file vault; it goes before a prompt.
const PassphraseFileEnv = "PADDOCK_PASSPHRASE_FILE"

// VaultFileName is the file vault's file in the home.
const VaultFileName = "vault.age"

// OpenVault makes the vault for --vault. It does nothing that can wait: no
// keychain is called, no file read and nobody prompted before the first use or
// Probe. With "auto" the vault is the OS keychain when there is one and memory
// otherwise; a Store's State says which, and why. Without a prompt and without
// PADDOCK_PASSPHRASE_FILE, the file vault answers ErrNoPassphrase.
func OpenVault(kind VaultKind, home string, prompt Prompt) (Vault, error) {
	switch kind {
	case VaultAuto, "":
		return newAutoVault(NewOSKeychain(), NewMemoryVault()), nil
	case VaultKeychain:
		return NewOSKeychain(), nil
	case VaultMemory:
		return NewMemoryVault(), nil
	case VaultFile:
		if path := os.Getenv(PassphraseFileEnv); path != "" {
			prompt = PassphraseFile(path)
		}
		return NewFileVault(filepath.Join(home, VaultFileName), prompt), nil
	}
	return nil, fmt.Errorf("opening the vault: %q is none of auto, keychain, file and memory", string(kind))
}

// closeVault closes a vault that has something to close.
func closeVault(v Vault) error {
	if c, ok := v.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// checkID keeps ids to what is the same in every keychain. The Windows one
// joins service and id with a colon; macOS passes the id through a command.
func checkID(id string) error {
	if id == "" || len(id) > 64 {
		return fmt.Errorf("vault id %.70q: not 1 to 64 characters long", id)
	}
	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return fmt.Errorf("vault id %q: character %q", id, c)
		}
	}
	return nil
}

// timedOut turns the end of a context into ErrTimeout and keeps the cause.
func timedOut(ctx context.Context) error {
	return fmt.Errorf("%w: %w", ErrTimeout, context.Cause(ctx))
}

// The errors of files, named here for the rooms that may not reach the
// plumbing.
type (
	DamagedError = atomicfile.DamagedError
	NewerError   = atomicfile.NewerError
)
