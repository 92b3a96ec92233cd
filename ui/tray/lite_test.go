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
		"[● Sharing · 3 teammates · 1 running]", "Stop sharing = stop",
		"Pause for 15 minutes = pause 15m", "Pause for 1 hour = pause 1h", "Pause until I resume = pause 0", "[────────]",
		"Copy address   " + url + " = copy-address " + url,
		"Copy key for alice = copy-key alice", "Copy key for bob   (suspended) = copy-key bob",
		"Copy key for old = copy-key old", "Copy key for never = copy-key never",
		"New key… = new-key", "[────────]", "Allowed websites… = websites", "Request log… = open-log", "[────────]", "Open Paddock = open",
		"Panic: stop and cut everyone off = panic", "Quit Paddock = quit",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	// The menu that was flattened is as it was.
	if again := lines(Menu(sharing())); again[5] != lines(Menu(sharing()))[5] || flatten(nil) != nil {
		t.Error("flatten changed what it was given")
	}
}
