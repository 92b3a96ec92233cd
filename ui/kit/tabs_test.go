package kit

import (
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
)

func TestTabsAskByPointerAndArrows(t *testing.T) {
	var asked []int
	tabs := NewTabs([]string{"curl", "Python", "n8n"}, "More", 20, func(i int) { asked = append(asked, i) })
	inWindow(t, fyne.NewSize(600, 36), tabs)
	test.TapAt(tabs, fyne.NewPos(tabs.spots[1].x+3, 10))
	if tabs.Selected() != 0 {
		t.Error("moved by itself")
	}
	tabs.SetSelected(1)
	press1(tabs, fyne.KeyRight)
	press1(tabs, fyne.KeyLeft)
	press1(tabs, fyne.KeyEnd)
	press1(tabs, fyne.KeyHome)
	test.TapAt(tabs, fyne.NewPos(tabs.spots[1].x+3, 10)) // the one that is chosen already
	if want := []int{1, 2, 0, 2, 0}; !slices.Equal(asked, want) {
		t.Errorf("asked %v, want %v", asked, want)
	}
	if tabs.AccessibilityLabel() != "Python" {
		t.Errorf("says %q", tabs.AccessibilityLabel())
	}
}

func TestTabsThatDoNotFitWaitInAMenu(t *testing.T) {
	asked := -1
	labels := []string{"curl", "Python", "JavaScript", "n8n", "Open WebUI"}
	tabs := NewTabs(labels, "More", 0, func(i int) { asked = i })
	w := inWindow(t, fyne.NewSize(220, 200), VBox(0, tabs))
	last := tabs.spots[len(tabs.spots)-1]
	if !last.menu || last.x+last.w > 220 {
		t.Fatalf("places are %+v", tabs.spots)
	}
	if !slices.Contains(textsOf(tabs), "More") {
		t.Errorf("shows %q", textsOf(tabs))
	}
	test.TapAt(tabs, fyne.NewPos(last.x+2, 10))
	top := w.Canvas().Overlays().Top()
	if top == nil || !slices.Contains(textsOf(top), "Open WebUI") {
		t.Fatal("no menu with the rest")
	}
	tabs.SetSelected(4)
	if !slices.Contains(textsOf(tabs), "Open WebUI") || slices.Contains(textsOf(tabs), "More") {
		t.Errorf("the chosen one is out of sight: %q", textsOf(tabs))
	}
	_ = asked
}

// At every width every label is either in its place or in the menu.
func TestTabsLoseNothingAtAnyWidth(t *testing.T) {
	test.NewTempApp(t)
	labels := []string{"curl", "Python", "JavaScript", "n8n", "Open WebUI", "ollama"}
	for selected := range labels {
		tabs := NewTabs(labels, "More", 20, nil)
		tabs.SetSelected(selected)
		for width := tabs.MinSize().Width; width < 700; width += 3 {
			tabs.arrange(width, 14)
			n := len(tabs.spots)
			if n == 0 || n < len(labels) && !tabs.spots[n-1].menu {
				t.Fatalf("width %v: %+v", width, tabs.spots)
			}
		}
	}
}

func TestSegmentsAskByPointerAndArrows(t *testing.T) {
	var asked []int
	s := NewSegments([]string{"Key", "Model", "Day"}, func(i int) { asked = append(asked, i) })
	inWindow(t, fyne.NewSize(300, 60), HBox(0, s))
	width := s.MinSize().Width
	test.TapAt(s, fyne.NewPos(width-4, 10))
	s.SetSelected(1)
	press1(s, fyne.KeyLeft)
	press1(s, fyne.KeyRight)
	s.MouseMoved(&desktop.MouseEvent{})
	s.MouseOut()
	s.Disable()
	press1(s, fyne.KeyRight)
	if want := []int{2, 0, 2}; !slices.Equal(asked, want) || s.MinSize().Width != width {
		t.Errorf("asked %v, want %v", asked, want)
	}
	if s.AccessibilityLabel() != "Model" || s.Selected() != 1 {
		t.Errorf("says %q", s.AccessibilityLabel())
	}
}
