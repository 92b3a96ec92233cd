//go:build lite && cgo

package tray

import (
	"slices"
	"testing"
)

// The library can neither remove nor nest entries, so the lite tray shows one
// list whose lines say it all.
func TestFlatten(t *testing.T) {
	got := lines(flatten(Menu(sharing())))
	want := []string{
		"[● Sharing · 3 teammates · 1 running]", "Stop sharing = stop", "[────────]",
		"Copy address   " + url + "   (not encrypted) = copy-address " + url,
		"Copy key for alice = copy-key alice", "Copy key for bob   (suspended) = copy-key bob",
		"Copy key for old = copy-key old", "Copy key for never = copy-key never",
		"New key… = new-key", "[────────]", "Allowed websites… = websites", "Request log… = open-log", "[────────]", "Open Paddock = open", "Quit Paddock = quit",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	// The menu that was flattened is as it was.
	if again := lines(Menu(sharing())); again[4] != lines(Menu(sharing()))[4] || flatten(nil) != nil {
		t.Error("flatten changed what it was given")
	}
}
