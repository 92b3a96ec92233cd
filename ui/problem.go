//go:build !lite

package ui

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"paddock/keystore"
	"paddock/settings"
	"paddock/share"
	"paddock/ui/prefs"
)

// problem says an error to the owner: what is wrong, and what to do next.
func problem(err error) string {
	var (
		damaged  *keystore.DamagedError
		newer    *keystore.NewerError
		unsaved  *keystore.UnsavedError
		leftover *keystore.LeftoverError
		value    *settings.ValueError
		noNew    *share.AuthorityError
	)
	switch {
	case err == nil:
		return ""
	case errors.As(err, &noNew):
		return prefs.NoNewWords(noNew)
	case errors.Is(err, share.ErrNoNetwork):
		return "This computer is on no private network now, so there is none to choose."
	case errors.As(err, &leftover):
		return "The key is removed and refused. Its entry is still in the keychain, where it opens nothing; it is cleared away later."
	case errors.As(err, &unsaved):
		return "It is in force, but could not be saved: " + disk(unsaved.Err) + " Paddock tries again every minute."
	case errors.As(err, &damaged):
		return fmt.Sprintf("%s is damaged and was left as it is. Repair it, or move it away to start afresh.", damaged.Path)
	case errors.As(err, &newer):
		return fmt.Sprintf("%s was written by a newer Paddock and was left as it is. Use that version.", newer.Path)
	case errors.As(err, &value):
		return fmt.Sprintf("The setting %s cannot be %q: %s.", value.Name, value.Value, value.Reason)
	case errors.Is(err, settings.ErrNoOrigin):
		return "This website is not in the list any more."
	case errors.Is(err, keystore.ErrNameTaken):
		return "There is a key of this name. Take another name, or remove that key first."
	case errors.Is(err, keystore.ErrNoKey):
		return "There is no such key any more."
	case errors.Is(err, keystore.ErrLocked):
		return "The keychain is locked. Unlock it, then try again."
	case errors.Is(err, keystore.ErrNoVault):
		return "This session has no keychain. Start one, or run Paddock with --vault file."
	case errors.Is(err, keystore.ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return "The keychain did not answer in time. Perhaps it asks for a password in another window; answer it, then try again."
	case errors.Is(err, keystore.ErrNotKept):
		return "The keychain did not store it. Perhaps its question was dismissed; try again, and allow it."
	case errors.Is(err, keystore.ErrNoPassphrase):
		return "The sealed file needs its passphrase. Name a file that holds it in PADDOCK_PASSPHRASE_FILE, and start Paddock again."
	case errors.Is(err, keystore.ErrWrongPassphrase):
		return "The passphrase of the sealed file is wrong. Nothing was changed."
	case errors.Is(err, keystore.ErrNotFound):
		return "The key is not in the keychain any more. It still works for whoever has it; to hand out one again, remove it and make a new one."
	case errors.Is(err, keystore.ErrAltered):
		return "The keychain holds something else under this key's name. Remove the key and make a new one."
	case errors.Is(err, keystore.ErrClosed), errors.Is(err, context.Canceled):
		return "Paddock is closing."
	}
	return disk(err)
}

func disk(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return "The disk is full. Make room, then try again."
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("Paddock may not write its files (%v).", err)
	}
	return sentence(err.Error())
}

// sentence begins a text with a capital letter and ends it with a stop.
func sentence(s string) string {
	if s == "" {
		return s
	}
	if c := s[0]; c >= 'a' && c <= 'z' {
		s = string(c-'a'+'A') + s[1:]
	}
	if end := s[len(s)-1]; end != '.' && end != '!' && end != '?' {
		s += "."
	}
	return s
}

// vault says what is wrong with where keys are kept, or "".
func vault(k share.Keys) string {
	if k.InMemory() {
		return "Keys end with the program. " + because(k.Trouble)
	}
	switch k.Trouble {
	case share.NoTrouble:
		return ""
	case share.VaultLocked:
		return "The keychain is locked. Keys go on working; to make, copy or remove one, unlock it."
	case share.VaultMissing:
		return "This session has no keychain. Keys go on working, but none can be made, copied or removed."
	case share.VaultSilent:
		return "The keychain did not answer in time. Perhaps it asks for a password in another window."
	case share.VaultUnkept:
		return "The keychain did not do what it said it did. Perhaps its question was dismissed."
	case share.VaultSealed:
		return "The sealed file does not open. Name a file with its passphrase in PADDOCK_PASSPHRASE_FILE, and start Paddock again."
	case share.IndexUnsaved:
		return "The list of keys cannot be written to disk. Paddock tries again every minute."
	case share.VaultFault:
	}
	return "The keychain answered with a fault. Keys go on working; try again in a while."
}

// because says why keys are in memory.
func because(t share.Trouble) string {
	switch t {
	case share.VaultMissing:
		return "This session has no keychain, so they are kept in memory only."
	case share.VaultLocked, share.VaultSilent:
		return "The keychain did not answer, so they are kept in memory only."
	case share.IndexUnsaved:
		return "They are kept in memory only, and the list of keys cannot be written to disk."
	case share.NoTrouble, share.VaultUnkept, share.VaultSealed, share.VaultFault:
	}
	return "They are kept in memory only."
}
