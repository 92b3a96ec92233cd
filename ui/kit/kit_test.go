package kit

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"paddock/ui/theme"
)

// inWindow shows o alone in a window of the given size under Paddock's theme.
func inWindow(t *testing.T, size fyne.Size, o fyne.CanvasObject) fyne.Window {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.New(theme.Light))
	w := test.NewTempWindow(t, o)
	w.SetPadded(false)
	w.Resize(size)
	return w
}

// textsOf returns the letters that are really drawn.
func textsOf(o fyne.CanvasObject) []string {
	var all []string
	for _, part := range test.LaidOutObjects(o) {
		if line, ok := part.(*canvas.Text); ok && line.Visible() && line.Text != "" {
			all = append(all, line.Text)
		}
	}
	return all
}

func press1(o fyne.Focusable, key fyne.KeyName) { o.TypedKey(&fyne.KeyEvent{Name: key}) }

// Everything that can be pressed answers to pointer, Space and Enter, and to
// none of them while it is disabled.
func TestEveryControlAnswersToPointerAndKeys(t *testing.T) {
	type control interface {
		fyne.CanvasObject
		fyne.Focusable
		fyne.Tappable
		fyne.Disableable
		fyne.Accessible
	}
	for name, build := range map[string]func(func()) control{
		"button": func(f func()) control { return NewButton(Outlined, "Do it", "", f) },
		"switch": func(f func()) control { return NewSwitch("Do it", func(bool) { f() }) },
		"pill":   func(f func()) control { return NewPill("Do it", "", f) },
		"nav":    func(f func()) control { return NewNavItem("share", "Do it", f) },
		"choice": func(f func()) control { return NewChoice("person", "Do it", "now", f) },
		"row":    func(f func()) control { return NewRow("Do it", theme.SizeFactRow, NewText(Body, "x"), f) },
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			c := build(func() { n++ })
			w := inWindow(t, fyne.NewSize(300, 100), c)
			test.Tap(c)
			w.Canvas().Focus(c)
			press1(c, fyne.KeySpace)
			press1(c, fyne.KeyReturn)
			press1(c, fyne.KeyEnter)
			press1(c, fyne.KeyA)
			if n != 4 {
				t.Errorf("asked %d times, want 4", n)
			}
			c.Disable()
			test.Tap(c)
			press1(c, fyne.KeySpace)
			if n != 4 {
				t.Error("a disabled control asked")
			}
			if c.AccessibilityLabel() != "Do it" || c.AccessibilityRole() != fyne.AccessibleRoleButton {
				t.Errorf("says %q as %s", c.AccessibilityLabel(), c.AccessibilityRole())
			}
		})
	}
}

// A press with nothing behind it is allowed while a screen is being built.
func TestAControlWithoutAnActionDoesNothing(t *testing.T) {
	test.NewTempApp(t)
	test.Tap(NewButton(Outlined, "x", "", nil))
	test.Tap(NewSwitch("x", nil))
}

func TestTabReachesEveryControlInOrder(t *testing.T) {
	a, b, c := NewButton(Primary, "a", "", nil), NewSwitch("b", nil), NewField("c")
	off := NewButton(Outlined, "off", "", nil)
	off.Disable()
	w := inWindow(t, fyne.NewSize(300, 200), VBox(8, a, off, b, c))
	for _, want := range []fyne.Focusable{a, b, c.Focusable(), a} {
		w.Canvas().FocusNext()
		if w.Canvas().Focused() != want {
			t.Fatalf("the keyboard is at %T", w.Canvas().Focused())
		}
	}
}

// Colours are asked for again when the owner chooses another look.
func TestColoursFollowTheTheme(t *testing.T) {
	text := NewText(Body, "word")
	w := inWindow(t, fyne.NewSize(100, 40), text)
	light := w.Canvas().Capture()
	fyne.CurrentApp().Settings().SetTheme(theme.New(theme.Dark))
	text.Refresh()
	dark := w.Canvas().Capture()
	if light.At(2, 2) == dark.At(2, 2) {
		t.Error("the window did not change")
	}
	line := test.WidgetRenderer(text).Objects()[0].(*canvas.Text)
	if want := theme.New(theme.Dark).Color(theme.ColorText, 0); line.Color != want {
		t.Errorf("text is %v, want %v", line.Color, want)
	}
}

// Fyne's own tests use a theme that knows none of our names.
func TestKitIsLegibleUnderAForeignTheme(t *testing.T) {
	test.NewTempApp(t)
	b := NewButton(Primary, "Do it", "", nil)
	if b.MinSize().Height != 32 {
		t.Errorf("button is %v", b.MinSize())
	}
}

func TestHeightsGrowWithTextAndWidthsOfControlsDoNot(t *testing.T) {
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.New(theme.Light).WithTextScale(1.5))
	if h := NewButton(Outlined, "x", "", nil).MinSize().Height; h != 48 {
		t.Errorf("button is %v high", h)
	}
	if s := NewSwitch("x", nil).MinSize(); s != fyne.NewSize(36, 20) {
		t.Errorf("switch is %v", s)
	}
}
