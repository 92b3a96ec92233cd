//go:build linux && e2e

package testdesk_test

import (
	"errors"
	"testing"

	"github.com/zalando/go-keyring"

	"paddock/internal/testdesk"
)

func TestKeyringKeepsWhatAProgramStores(t *testing.T) {
	b := testdesk.NewBus(t)
	k := b.StartKeyring(t)
	b.SetSession(t)
	if err := keyring.Set("paddock", "alice", "pdk_secret"); err != nil {
		t.Fatal(err)
	}
	b.StoreSecret(t, "something else", "alice", "other")
	got := k.Secrets("paddock")
	if len(got) != 1 || got[0].Value != "pdk_secret" || got[0].Attributes["username"] != "alice" || got[0].Locked {
		t.Fatalf("the keychain holds %+v", got)
	}
	if n := b.DeleteSecrets(t, "paddock"); n != 1 {
		t.Errorf("deleted %d items", n)
	}
	if _, err := keyring.Get("paddock", "alice"); !errors.Is(err, keyring.ErrNotFound) {
		t.Errorf("after the item was deleted Get says %v", err)
	}
}

func TestKeyringLocksUnlocksAndComesBack(t *testing.T) {
	b := testdesk.NewBus(t)
	k := b.StartKeyring(t)
	b.StoreSecret(t, "paddock", "alice", "pdk_secret")

	k.Lock()
	got := k.Secrets("paddock")
	if len(got) != 1 || !got[0].Locked || got[0].Value != "" {
		t.Errorf("a locked keychain shows %+v", got)
	}
	b.SetSession(t)
	if _, err := keyring.Get("paddock", "alice"); err == nil {
		t.Error("a locked keychain gave its secret away")
	}

	k.Unlock()
	if got := k.Secrets("paddock"); len(got) != 1 || got[0].Value != "pdk_secret" {
		t.Errorf("after unlocking the keychain shows %+v", got)
	}

	k.Stop()
	if b.HasOwner("org.freedesktop.secrets") {
		t.Error("a stopped keyring is still on the bus")
	}
	k.Start()
	if got := k.Secrets("paddock"); len(got) != 1 || got[0].Value != "pdk_secret" {
		t.Errorf("after a restart the keychain shows %+v", got)
	}
}
