//go:build !lite

package main

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"testing"
)

// The test of internal/fynecache shows that it works; this one, that it does so
// among all that the real program links. Go starts packages in an order that one
// more import anywhere could change.
func TestFyneStartsAfterItsSetting(t *testing.T) {
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var order []string
	for _, m := range regexp.MustCompile(`(?m)^init (\S+) @`).FindAllSubmatch(out, -1) {
		order = append(order, string(m[1]))
	}
	setting := slices.Index(order, "paddock/internal/fynecache")
	if setting < 0 {
		t.Fatalf("it is not linked; what starts is %q", order)
	}
	for _, reader := range []string{"os", "fyne.io/fyne/v2/internal/cache"} {
		if at := slices.Index(order, reader); at < setting {
			t.Errorf("%s starts as number %d, and the setting as number %d", reader, at, setting)
		}
	}
}
