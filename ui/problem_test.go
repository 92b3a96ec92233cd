//go:build !lite

package ui

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"paddock/keystore"
	"paddock/settings"
	"paddock/share"
)

func TestProblemsAreSentences(t *testing.T) {
	wrapped := func(err error) error { return fmt.Errorf("copying key %q: %w", "ben", err) }
	for _, x := range []struct {
		err  error
		says string
	}{
		{wrapped(keystore.ErrLocked), "Unlock it"},
		{wrapped(keystore.ErrNoVault), "--vault file"},
		{wrapped(keystore.ErrTimeout), "in another window"},
		{wrapped(errors.Join(keystore.ErrTimeout, context.DeadlineExceeded)), "did not answer in time"},
		{wrapped(keystore.ErrNotKept), "question was dismissed"},
		{wrapped(keystore.ErrNoPassphrase), "PADDOCK_PASSPHRASE_FILE"},
		{wrapped(keystore.ErrWrongPassphrase), "Nothing was changed"},
		{wrapped(keystore.ErrNotFound), "make a new one"},
		{wrapped(keystore.ErrAltered), "something else"},
		{wrapped(keystore.ErrNameTaken), "another name"},
		{wrapped(keystore.ErrNoKey), "no such key"},
		{wrapped(keystore.ErrClosed), "closing"},
		{&keystore.LeftoverError{Err: keystore.ErrLocked}, "removed and refused"},
		{&keystore.UnsavedError{Err: syscall.ENOSPC}, "The disk is full"},
		{&keystore.DamagedError{Path: "/x/keys.json", Err: errors.New("no")}, "/x/keys.json"},
		{&keystore.NewerError{Path: "/x/keys.json"}, "newer Paddock"},
		{&settings.ValueError{Name: "share.listen", Value: "x", Reason: "no"}, "share.listen"},
		{wrapped(fs.ErrPermission), "may not write"},
		{errors.New("the moon"), "The moon."},
	} {
		got := problem(x.err)
		if !strings.Contains(got, x.says) || !strings.HasSuffix(got, ".") || strings.ToUpper(got[:1]) != got[:1] {
			t.Errorf("%v: %q", x.err, got)
		}
	}
	if problem(nil) != "" {
		t.Error("nothing is a problem")
	}
}

func TestEveryTroubleOfTheVaultHasWords(t *testing.T) {
	for _, trouble := range []share.Trouble{
		share.VaultLocked, share.VaultMissing, share.VaultSilent, share.VaultUnkept, share.VaultSealed, share.VaultFault, share.IndexUnsaved,
	} {
		if vault(share.Keys{Trouble: trouble, Vault: keystore.VaultKeychain}) == "" {
			t.Errorf("%s has no words", trouble)
		}
		if got := vault(share.Keys{Trouble: trouble, Vault: keystore.VaultMemory}); !strings.HasPrefix(got, "Keys end with the program.") {
			t.Errorf("%s in memory: %q", trouble, got)
		}
	}
	if got := vault(share.Keys{Vault: keystore.VaultKeychain}); got != "" {
		t.Errorf("no trouble is %q", got)
	}
}
