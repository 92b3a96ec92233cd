package kit

import (
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"paddock/assets"
	"paddock/ui/theme"
)

func TestFieldTellsWhatIsTyped(t *testing.T) {
	var changed, sent string
	left, escaped := 0, 0
	f := NewField("a name").Labelled("Name").OnChanged(func(s string) { changed = s }).OnSubmitted(func(s string) { sent = s }).
		OnLeave(func() { left++ }).OnKey(fyne.KeyEscape, func() { escaped++ })
	w := inWindow(t, fyne.NewSize(300, 100), f)
	w.Canvas().Focus(f.Focusable())
	test.Type(f.Focusable(), "alice")
	press1(f.Focusable(), fyne.KeyEscape)
	press1(f.Focusable(), fyne.KeyReturn)
	w.Canvas().Unfocus()
	if changed != "alice" || sent != "alice" || f.Text() != "alice" || left != 1 || escaped != 1 {
		t.Errorf("changed %q, sent %q, text %q, left %d, escaped %d", changed, sent, f.Text(), left, escaped)
	}
	if got := f.Focusable().(fyne.Accessible).AccessibilityLabel(); got != "Name" {
		t.Errorf("says %q", got)
	}
}

func TestFieldEdgeSaysFocusAndProblem(t *testing.T) {
	f := NewField("").Reserve()
	w := inWindow(t, fyne.NewSize(300, 100), f)
	edge := func() *canvas.Rectangle { return test.WidgetRenderer(f).Objects()[2].(*canvas.Rectangle) }
	height := f.MinSize().Height
	f.SetProblem("A port is a number.")
	if edge().StrokeColor != lookOf(f).color(theme.ColorRefused) || !slices.Contains(textsOf(f), "A port is a number.") {
		t.Error("the problem does not show")
	}
	if f.MinSize().Height != height {
		t.Error("the problem moved what is below")
	}
	w.Canvas().Focus(f.Focusable())
	if edge().StrokeColor != lookOf(f).color(theme.ColorAccent) || edge().StrokeWidth != 2 {
		t.Error("the keyboard does not show")
	}
	f.SetProblem("")
	if f.Problem() != "" || slices.Contains(textsOf(f), "A port is a number.") {
		t.Error("the problem stays")
	}
}

func TestFieldShortensItsPlaceholder(t *testing.T) {
	f := NewField("Filter: who:ben result:refused model:llama* took:>5s").WithIcon(assets.Search).Hinted("Ctrl F")
	inWindow(t, fyne.NewSize(240, 36), f)
	if f.entry.PlaceHolder == f.hint {
		t.Error("a long placeholder is not shortened")
	}
	if got := f.Focusable().(fyne.Accessible).AccessibilityLabel(); got != f.hint {
		t.Errorf("says %q", got)
	}
	f.Resize(fyne.NewSize(800, 36))
	if f.entry.PlaceHolder != f.hint {
		t.Errorf("a wide field shows %q", f.entry.PlaceHolder)
	}
}

func TestFieldSizesAndDisabling(t *testing.T) {
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.New(theme.Light))
	f := NewField("").Noted("a note").Secret().Mono()
	if h := NewField("").MinSize().Height; h != 36 {
		t.Errorf("%v high", h)
	}
	f.SetText("x")
	f.Disable()
	if !f.Disabled() {
		t.Error("not disabled")
	}
	f.Enable()
	if f.Disabled() || f.Text() != "x" {
		t.Error("not enabled")
	}
}
