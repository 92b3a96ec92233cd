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
	only, shots := os.Getenv("PADDOCK_SCENE"), os.Getenv("PADDOCK_SHOTS") != ""
	scenes := func() map[string]func(*stage) {
		all := scenes()
		maps.Copy(all, roomScenes())
		return all
	}
	for _, name := range slices.Sorted(maps.Keys(scenes())) {
		if only != "" && !strings.HasPrefix(name, only) {
			continue
		}
		for _, l := range looks {
			if !shots && (l.name == "dark" || l.name == "large") {
				continue // as wide as light, and less narrow than large-small
			}
			t.Run(name+"/"+l.name, func(t *testing.T) {
				s := newStage(t, l)
				scenes()[name](s)
				s.fits(name + " " + l.name)
				s.oneGreen(name)
				if !strings.HasPrefix(l.name, "large") || only != "" {
					s.save(name + "-" + l.name)
				}
			})
		}
	}
}

// oneGreen fails when more than one button is green: a screen tells by it what
// comes next.
func (s *stage) oneGreen(name string) {
	s.t.Helper()
	var green []string
	visit(s.win.Content(), fyne.Position{}, rect{}, func(o fyne.CanvasObject, _, _ rect) {
		if b, ok := o.(*kit.Button); ok && kit.Style(reflect.ValueOf(b).Elem().FieldByName("style").Int()) == kit.Primary {
			green = append(green, b.AccessibilityLabel())
		}
	})
	if len(green) > 1 {
		s.t.Errorf("%s has the green buttons %q", name, green)
	}
}
