//go:build !lite

package tray

import (
	"testing"
)

// Fyne adds a Quit of its own to a menu without one, whose click would not go
// through us.
func TestTheQuitIsOurs(t *testing.T) {
	var asked []Item
	for _, st := range []func() []Item{
		func() []Item { return Menu(sharing()) },
		func() []Item { return Menu(with(off, noWindow)) },
	} {
		items := st()
		out := entries(items, func(i Item) { asked = append(asked, i) })
		if len(out) != len(items) {
			t.Fatalf("%d entries of %d", len(out), len(items))
		}
		last := out[len(out)-1]
		if !last.IsQuit || last.Action == nil {
			t.Fatalf("the last entry is not marked: %+v", last)
		}
		last.Action()
		if asked[len(asked)-1].Action != Quit {
			t.Errorf("a click on Quit asks for %q", asked[len(asked)-1].Action)
		}
		for n, i := range items {
			switch {
			case i.Label == "":
				if !out[n].IsSeparator {
					t.Errorf("entry %d is no separator", n)
				}
			case out[n].Label != i.Label || out[n].Disabled != i.Disabled:
				t.Errorf("entry %d: %+v of %+v", n, out[n], i)
			case len(i.Sub) > 0:
				if out[n].Action != nil || len(out[n].ChildMenu.Items) != len(i.Sub) || out[n].ChildMenu.Items[0].IsQuit {
					t.Errorf("entry %d: %+v", n, out[n])
				}
				for j, s := range i.Sub {
					if out[n].ChildMenu.Items[j].Checked != s.Ticked {
						t.Errorf("entry %d: %+v of %+v", n, out[n].ChildMenu.Items[j], s)
					}
				}
				out[n].ChildMenu.Items[0].Action()
				if got := asked[len(asked)-1]; got.Action != i.Sub[0].Action || got.Arg != i.Sub[0].Arg || got.Action == None {
					t.Errorf("a click on the first of %q asks for %+v", i.Label, got)
				}
			}
		}
	}
	if entries(nil, nil) != nil {
		t.Error("entries out of nothing")
	}
}
