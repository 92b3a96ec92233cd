package kit

import (
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"paddock/assets"
	"paddock/ui/theme"
)

func TestButtonSizes(t *testing.T) {
	test.NewTempApp(t)
	for name, c := range map[string]struct {
		b    *Button
		want float32
	}{
		"normal": {NewButton(Outlined, "Done", "", nil), 32},
		"small":  {NewButton(Outlined, "Done", "", nil).Small(), 24},
		"large":  {NewButton(Primary, "Done", "", nil).Large(), 40},
	} {
		if h := c.b.MinSize().Height; h != c.want {
			t.Errorf("%s is %v high", name, h)
		}
	}
	if s := NewButton(Outlined, "", assets.Export, nil).MinSize(); s != fyne.NewSquareSize(32) {
		t.Errorf("a button without words is %v", s)
	}
}

func TestButtonWithoutWordsHasAName(t *testing.T) {
	test.NewTempApp(t)
	if got := NewButton(Outlined, "", assets.Export, nil).Named("Export").AccessibilityLabel(); got != "Export" {
		t.Errorf("says %q", got)
	}
}

func TestButtonGroundSaysItsState(t *testing.T) {
	b := NewButton(Primary, "Do it", assets.Plus, nil)
	inWindow(t, fyne.NewSize(200, 60), Padded(10, 10, 10, 10, b))
	ground := func() any { return test.WidgetRenderer(b).(*renderer).objects[1].(*canvas.Rectangle).FillColor }
	l := lookOf(b)
	if ground() != l.color(theme.ColorAccent) {
		t.Error("at rest")
	}
	b.MouseIn(&desktop.MouseEvent{})
	if ground() != l.color(theme.ColorAccentHover) {
		t.Error("under the pointer")
	}
	b.Disable()
	if ground() != l.color(theme.ColorLine) {
		t.Error("disabled")
	}
	b.Enable()
	b.MouseOut()
	b.SetStyle(Outlined)
	if ground() != l.color(theme.ColorSurface) {
		t.Error("outlined")
	}
}

func TestButtonRingShowsWithTheKeyboardOnly(t *testing.T) {
	b := NewButton(Outlined, "Do it", "", func() {})
	w := inWindow(t, fyne.NewSize(200, 60), Padded(10, 10, 10, 10, b))
	ring := func() bool { o := test.WidgetRenderer(b).Objects(); return o[len(o)-1].Visible() }
	test.Tap(b)
	if ring() {
		t.Error("a press by pointer shows the ring")
	}
	w.Canvas().Focus(b)
	if !ring() {
		t.Error("the keyboard shows no ring")
	}
	w.Canvas().Unfocus()
	if ring() {
		t.Error("the ring stays")
	}
}

func TestMenuButtonAsksForItsItemsWhenItOpens(t *testing.T) {
	asked := 0
	b := NewMenuButton("Pause for", assets.Paused, func() []*fyne.MenuItem {
		asked++
		return []*fyne.MenuItem{fyne.NewMenuItem("1 hour", nil)}
	})
	w := inWindow(t, fyne.NewSize(300, 200), VBox(0, HBox(0, b)))
	if asked != 0 {
		t.Error("asked too early")
	}
	test.Tap(b)
	if top := w.Canvas().Overlays().Top(); asked != 1 || top == nil || !slices.Contains(textsOf(top), "1 hour") {
		t.Errorf("asked %d times, shows %v", asked, top)
	}
}
