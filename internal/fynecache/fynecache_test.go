//go:build !lite

package fynecache_test

import (
	"os"
	"os/exec"
	"testing"
	"time"
	_ "unsafe" // for linkname

	_ "fyne.io/fyne/v2/theme" // brings the cache, as every window does

	_ "paddock/internal/fynecache"
)

// validDuration is what Fyne keeps pictures of texts by, read in its own init.
//
//go:linkname validDuration fyne.io/fyne/v2/internal/cache.ValidDuration
var validDuration time.Duration

const asked = "FYNECACHE_TEST_ASKED"

// Fyne reads its environment before main, and this must come before Fyne. What
// counts is what Fyne has made of it, in a process that nobody has prepared.
func TestFyneKeepsTextsForSeconds(t *testing.T) {
	if want := os.Getenv(asked); want != "" {
		if validDuration.String() != want {
			t.Errorf("Fyne keeps texts for %s, want %s", validDuration, want)
		}
		return
	}
	for name, c := range map[string]struct{ set, want string }{
		"nobody said anything":          {"", "5s"},
		"the owner's own word is heard": {"FYNE_CACHE=42s", "42s"},
	} {
		t.Run(name, func(t *testing.T) {
			child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFyneKeepsTextsForSeconds$")
			for _, v := range os.Environ() {
				if len(v) < 11 || v[:11] != "FYNE_CACHE=" {
					child.Env = append(child.Env, v)
				}
			}
			child.Env = append(child.Env, asked+"="+c.want)
			if c.set != "" {
				child.Env = append(child.Env, c.set)
			}
			if out, err := child.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
