package kit

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"paddock/ui/theme"
)

func block(w, h float32) *canvas.Rectangle {
	r := canvas.NewRectangle(nil)
	r.SetMinSize(fyne.NewSize(w, h))
	return r
}

func at(t *testing.T, name string, o fyne.CanvasObject, x, y, w, h float32) {
	t.Helper()
	if o.Position() != fyne.NewPos(x, y) || o.Size() != fyne.NewSize(w, h) {
		t.Errorf("%s is at %v, %v", name, o.Position(), o.Size())
	}
}

func TestBoxesKeepExactlyTheirGaps(t *testing.T) {
	test.NewTempApp(t)
	a, b, c, hidden := block(10, 10), block(20, 20), block(30, 30), block(99, 99)
	hidden.Hide()

	v := VBox(8, a, hidden, b, c)
	if v.MinSize() != fyne.NewSize(30, 76) {
		t.Errorf("the stack needs %v", v.MinSize())
	}
	v.Resize(fyne.NewSize(100, 200))
	at(t, "a", a, 0, 0, 100, 10)
	at(t, "b", b, 0, 18, 100, 20)
	at(t, "c", c, 0, 46, 100, 30)

	h := HBox(8, a, hidden, b, c)
	if h.MinSize() != fyne.NewSize(76, 30) {
		t.Errorf("the line needs %v", h.MinSize())
	}
	h.Resize(fyne.NewSize(200, 40))
	at(t, "a", a, 0, 15, 10, 10)
	at(t, "c", c, 46, 5, 30, 30)
	HBoxTop(8, a, b).Resize(fyne.NewSize(200, 40))
	at(t, "b", b, 18, 0, 20, 20)
	HBoxFull(8, a, b).Resize(fyne.NewSize(200, 40))
	at(t, "b", b, 18, 0, 20, 40)
}

func TestGrowTakesWhatIsLeft(t *testing.T) {
	test.NewTempApp(t)
	a, b, c := block(10, 10), block(20, 10), block(30, 10)
	HBox(4, a, Grow(b), c).Resize(fyne.NewSize(100, 10))
	at(t, "b inside", b, 0, 0, 52, 10)
	at(t, "c", c, 70, 0, 30, 10)
	VBox(4, a, Space(), c).Resize(fyne.NewSize(100, 100))
	at(t, "c", c, 0, 90, 100, 10)
}

func TestFlowBeginsNewLines(t *testing.T) {
	test.NewTempApp(t)
	a, b, c := block(40, 10), block(40, 20), block(40, 10)
	f := Flow(8, a, b, c)
	f.Resize(fyne.NewSize(100, 10))
	at(t, "b", b, 48, 0, 40, 20)
	at(t, "c", c, 0, 28, 40, 10)
	if f.MinSize() != fyne.NewSize(40, 38) {
		t.Errorf("needs %v", f.MinSize())
	}
}

func TestPaddedMaxWidthSizedEdges(t *testing.T) {
	test.NewTempApp(t)
	a := block(10, 10)
	p := Padded(1, 2, 3, 4, a)
	if p.MinSize() != fyne.NewSize(14, 16) {
		t.Errorf("padded needs %v", p.MinSize())
	}
	p.Resize(fyne.NewSize(100, 100))
	at(t, "padded", a, 1, 2, 96, 94)
	MaxWidth(50, a).Resize(fyne.NewSize(100, 20))
	at(t, "max", a, 0, 0, 50, 20)
	MaxWidthCentered(50, a).Resize(fyne.NewSize(100, 20))
	at(t, "max in the middle", a, 25, 0, 50, 20)
	if Sized(30, 0, a).MinSize() != fyne.NewSize(30, 10) || Sized(0, 30, a).MinSize() != fyne.NewSize(10, 30) {
		t.Error("sized")
	}
	top, bottom, left, right := block(5, 5), block(6, 6), block(7, 7), block(8, 8)
	e := Edges(top, bottom, left, right, a)
	if e.MinSize() != fyne.NewSize(25, 21) {
		t.Errorf("edges need %v", e.MinSize())
	}
	e.Resize(fyne.NewSize(100, 100))
	at(t, "center", a, 7, 5, 85, 89)
	at(t, "bottom", bottom, 0, 94, 100, 6)
	at(t, "right", right, 92, 5, 8, 89)
}

func TestDividers(t *testing.T) {
	up := NewUpright()
	row := HBox(0, block(10, 10), up, block(10, 10))
	inWindow(t, fyne.NewSize(100, 80), row)
	at(t, "upright", up, 10, 0, 1, 80)
	if NewDivider().MinSize() != fyne.NewSquareSize(1) {
		t.Error("a line is 1 px")
	}
}

func TestCardsPadTheirContent(t *testing.T) {
	test.NewTempApp(t)
	for name, c := range map[string]struct {
		card *fyne.Container
		want fyne.Size
	}{
		"card":   {NewCard(block(10, 10)), fyne.NewSize(50, 42)},
		"tone":   {NewToneCard(Refused, block(10, 10)), fyne.NewSize(50, 42)},
		"table":  {NewTableCard(block(10, 10)), fyne.NewSize(12, 12)},
		"ground": {NewGround(theme.ColorSidebar, block(10, 10)), fyne.NewSize(10, 10)},
	} {
		if c.card.MinSize() != c.want {
			t.Errorf("%s needs %v, want %v", name, c.card.MinSize(), c.want)
		}
	}
}

// Fyne puts its padding between the rows of a list; a log of 32 point rows
// would become one of 36 with stripes.
func TestTightListHasRowsUnderEachOther(t *testing.T) {
	var rows []fyne.CanvasObject
	list := widget.NewList(func() int { return 3 },
		func() fyne.CanvasObject {
			o := container.NewStack(NewRowGround(true), Sized(0, 32, NewText(Cell, "row")))
			rows = append(rows, o)
			return o
		}, func(widget.ListItemID, fyne.CanvasObject) {})
	list.HideSeparators = true
	w := inWindow(t, fyne.NewSize(200, 200), Tight(list))
	fyne.CurrentApp().Settings().SetTheme(theme.New(theme.Dark))
	w.Canvas().Capture()
	driver := fyne.CurrentApp().Driver()
	tops := map[float32]bool{}
	for _, r := range rows {
		tops[driver.AbsolutePositionForObject(r).Y] = true
	}
	for _, y := range []float32{0, 32, 64} {
		if !tops[y] {
			t.Errorf("no row at %v: %v", y, tops)
		}
	}
	if (tight{}).Size(fynetheme.SizeNamePadding) != 0 || (tight{}).Icon(fynetheme.IconNameSearch) == nil || (tight{}).Font(fyne.TextStyle{}) == nil {
		t.Error("the tight theme is not the app's")
	}
}

func TestFocusRingLiesOutside(t *testing.T) {
	b := NewButton(Outlined, "x", "", nil)
	inWindow(t, fyne.NewSize(100, 100), b)
	r := NewFocusRing(6)
	r.Surround(fyne.NewPos(10, 10), fyne.NewSize(50, 20))
	at(t, "ring", r, 6, 6, 58, 28)
	r.Set(true, b)
	if !r.Visible() || r.StrokeColor != lookOf(b).color(theme.ColorAccent) {
		t.Error("does not show")
	}
	r.Set(false, b)
	if r.Visible() {
		t.Error("stays")
	}
}

func TestIconsOfTwoSizesDoNotShareAPicture(t *testing.T) {
	test.NewTempApp(t)
	a := NewIcon("copy", theme.ColorText, 16)
	l := lookOf(a)
	if inked("copy", l.color(theme.ColorText), 16).Name() == inked("copy", l.color(theme.ColorText), 20).Name() {
		t.Error("one name for two sizes")
	}
	if inked("copy", l.color(theme.ColorText), 16) != inked("copy", l.color(theme.ColorText), 16) {
		t.Error("the same icon is made twice")
	}
	a.Set("keys", theme.ColorMuted)
	if a.MinSize() != fyne.NewSquareSize(16) {
		t.Errorf("%v", a.MinSize())
	}
}
