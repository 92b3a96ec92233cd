//go:build linux && e2e

package e2e_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"paddock/e2e/clients"
	"paddock/e2e/ollama"
	"paddock/internal/testdesk"
)

// TestTheHarnessStandsWithoutPaddock brings up every part at once, so that a
// failure of the other tests is a failure of Paddock.
func TestTheHarnessStandsWithoutPaddock(t *testing.T) {
	d := testdesk.New(t, testdesk.WithOpenbox())
	k := d.StartKeyring(t)
	d.StoreSecret(t, "paddock", "alice", "pdk_secret")
	if got := k.Secrets("paddock"); len(got) != 1 || got[0].Value != "pdk_secret" {
		t.Errorf("the keychain holds %+v", got)
	}
	k.Lock()
	if got := k.Secrets("paddock"); len(got) != 1 || !got[0].Locked {
		t.Errorf("the locked keychain shows %+v", got)
	}
	d.Screenshot(filepath.Join(t.TempDir(), "desktop.png"))

	server := ollama.Start(t)
	set := clients.New(t, server.URL, "anything")
	for _, c := range clients.All {
		r := set.Run(c, clients.Chat, ollama.Tiny, time.Minute)
		if r.Error != nil || r.Tokens != ollama.TinyTokens || !strings.HasPrefix(r.Text, ollama.TinyBegins) {
			t.Errorf("%s: %+v, %+v", c, r, r.Error)
		}
	}
}
