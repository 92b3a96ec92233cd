package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"paddock/ui/theme"
)

// RowGround is what lies under a row of a table: hover, selection with its
// bar, and the line above. It answers to nothing, so it can be the ground of a
// list's row as well.
type RowGround struct {
	widget.BaseWidget
	lined, hovered, selected bool
}

// NewRowGround returns the ground of a row; lined draws the line above it.
func NewRowGround(lined bool) *RowGround {
	g := &RowGround{lined: lined}
	g.ExtendBaseWidget(g)
	return g
}

// Set shows whether the row is under the pointer and whether it is selected.
func (g *RowGround) Set(hovered, selected bool) {
	if g.hovered != hovered || g.selected != selected {
		g.hovered, g.selected = hovered, selected
		g.Refresh()
	}
}

// CreateRenderer belongs to Fyne.
func (g *RowGround) CreateRenderer() fyne.WidgetRenderer {
	fill, bar, line := canvas.NewRectangle(nil), canvas.NewRectangle(nil), canvas.NewRectangle(nil)
	r := &renderer{objects: []fyne.CanvasObject{fill, bar, line}}
	r.minSize = func() fyne.Size { return fyne.NewSize(3, 1) }
	r.layout = func(s fyne.Size) {
		place(fill, 0, 0, s.Width, s.Height)
		place(bar, 0, 0, 3, s.Height)
		place(line, 0, 0, s.Width, 1)
	}
	r.refresh = func() {
		l := lookOf(g)
		ground, barInk, lineInk := fyne.ThemeColorName(""), fyne.ThemeColorName(""), fyne.ThemeColorName("")
		switch {
		case g.selected:
			ground, barInk = theme.ColorSelected, theme.ColorAccent
		case g.hovered:
			ground = theme.ColorHover
		}
		if g.lined {
			lineInk = theme.ColorLine
		}
		fill.FillColor, bar.FillColor, line.FillColor = l.color(ground), l.color(barInk), l.color(lineInk)
		canvas.Refresh(g)
	}
	r.refresh()
	return r
}

// Row is a row that can be pressed, such as a key or a fact.
type Row struct {
	press
	ground  *RowGround
	height  fyne.ThemeSizeName
	content fyne.CanvasObject
	name    string
	sel     bool
}

// type check
var _ fyne.Accessible = (*Row)(nil)

// NewRow returns a row at least as high as the theme's height of that name,
// with a line above it. The name is for those who cannot see the content.
func NewRow(name string, height fyne.ThemeSizeName, content fyne.CanvasObject, tapped func()) *Row {
	w := &Row{ground: NewRowGround(true), height: height, content: content, name: name}
	w.act = tapped
	w.ExtendBaseWidget(w)
	return w
}

// First leaves out the line above. It returns w.
func (w *Row) First() *Row {
	w.ground.lined = false
	return w
}

// SetName changes what the row is called.
func (w *Row) SetName(name string) { w.name = name }

// SetSelected shows whether the row is selected.
func (w *Row) SetSelected(selected bool) {
	if w.sel != selected {
		w.sel = selected
		w.Refresh()
	}
}

// Selected reports whether the row is shown as selected.
func (w *Row) Selected() bool { return w.sel }

// MouseIn belongs to Fyne. Only the ground answers the pointer: drawing the
// cells again for it would be felt in a long table.
func (w *Row) MouseIn(*desktop.MouseEvent) {
	w.hovered = true
	w.ground.Set(w.lit(), w.sel)
}

// MouseOut belongs to Fyne.
func (w *Row) MouseOut() {
	w.hovered = false
	w.ground.Set(w.lit(), w.sel)
}

// AccessibilityLabel is the name.
func (w *Row) AccessibilityLabel() string { return w.name }

// AccessibilityRole is button.
func (w *Row) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

// CreateRenderer belongs to Fyne.
func (w *Row) CreateRenderer() fyne.WidgetRenderer {
	ring := NewFocusRing(theme.RadiusButton).inside()
	r := &renderer{objects: []fyne.CanvasObject{w.ground, w.content, &ring.Rectangle}}
	r.minSize = func() fyne.Size {
		m := w.content.MinSize()
		m.Height = max(m.Height, lookOf(w).size(w.height))
		return m
	}
	r.layout = func(s fyne.Size) {
		place(w.ground, 0, 0, s.Width, s.Height)
		place(w.content, 0, 0, s.Width, s.Height)
		ring.Surround(fyne.Position{}, s)
	}
	r.refresh = func() {
		w.ground.Set(w.lit(), w.sel)
		w.ground.Refresh()
		w.content.Refresh()
		ring.Set(w.focused, w)
		canvas.Refresh(w)
	}
	r.refresh()
	return r
}
