//go:build !lite

package ui

import (
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"paddock/ui/kit"
)

// TestScenesFit draws every state in every look. With PADDOCK_SHOTS naming a
// folder it leaves the pictures there to be looked at.
func TestScenesFit(t *testing.T) {
	only := os.Getenv("PADDOCK_SCENE")
	for _, name := range slices.Sorted(maps.Keys(scenes())) {
		if only != "" && !strings.HasPrefix(name, only) {
			continue
		}
		for _, l := range looks {
			t.Run(name+"/"+l.name, func(t *testing.T) {
				s := newStage(t, l)
				scenes()[name](s)
				s.fits(name + " " + l.name)
				if !strings.HasPrefix(l.name, "large") || only != "" {
					s.save(name + "-" + l.name)
				}
			})
		}
	}
}

// A screen tells by one green button what comes next.
func TestAtMostOneGreenButton(t *testing.T) {
	for name, scene := range scenes() {
		s := newStage(t, light)
		scene(s)
		var green []string
		visit(s.win.Content(), fyne.Position{}, rect{}, func(o fyne.CanvasObject, _, _ rect) {
			if b, ok := o.(*kit.Button); ok && kit.Style(reflect.ValueOf(b).Elem().FieldByName("style").Int()) == kit.Primary {
				green = append(green, b.AccessibilityLabel())
			}
		})
		if len(green) > 1 {
			t.Errorf("%s has %q", name, green)
		}
	}
}
