package archtest

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

var update = flag.Bool("update", false, "write the import table into docs/ARCHITECTURE.md")

// TestHouse holds every edition on every system against the law.
func TestHouse(t *testing.T) {
	for _, b := range builds {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			g := load(t, b)
			for _, s := range Check(Law(), g, b.edition) {
				t.Error(s)
			}
			for _, s := range CheckDocs(g) {
				t.Error(s)
			}
			knowsWhatItLooksFor(t, b, g)
		})
	}
}

// knowsWhatItLooksFor keeps the proof from becoming empty: once main puts the
// parts together, each edition must be seen to link its own tray.
func knowsWhatItLooksFor(t *testing.T, b build, g Graph) {
	t.Helper()
	if !slices.ContainsFunc(g[Module].Imports, func(p string) bool { return roomName(p) == "ui" }) {
		return // main does not start a window yet, or not in this edition
	}
	sees := func(what string, hits func(string) bool) {
		if g.way(Module, Ban{Hits: hits}) == nil {
			t.Errorf("the %s edition is not seen to link %s: either its tray is gone or this test looks in the wrong place", b.edition, what)
		}
	}
	switch {
	case b.edition == Full && b.tags == "":
		sees("Fyne", under("fyne.io/fyne/v2"))
		sees("Fyne's tray", under("fyne.io/systray"))
	case b.edition == Lite && b.cgo == "1":
		sees("getlantern's tray", under("github.com/getlantern/systray"))
	}
}

// TestTableInTheBook keeps docs/ARCHITECTURE.md true.
func TestTableInTheBook(t *testing.T) {
	book := filepath.Join(root(t), "docs", "ARCHITECTURE.md")
	text, err := os.ReadFile(book)
	if err != nil {
		t.Fatal(err)
	}
	want, err := splice(string(text), Table(Law()))
	if err != nil {
		t.Fatalf("docs/ARCHITECTURE.md: %v", err)
	}
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatal("the import table in docs/ARCHITECTURE.md is not the one in internal/archtest/law.go; write it anew with\n\tgo test ./internal/archtest -update")
	}
	if err := os.WriteFile(book, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
