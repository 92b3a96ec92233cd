package logview

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"paddock/ui/kit"
)

// dropLine is a line of things of which some step aside where there is no room
// for all of them, the first of drop first. Those do not count for the width
// that a window needs.
type dropLine struct {
	line    *fyne.Container
	gap     float32
	drop    []fyne.CanvasObject
	wanted  func(fyne.CanvasObject) bool // whether one of drop should show if there is room
	natural func() float32               // the width that a growing thing would like to have
}

// newDropLine lays objects out like kit.HBox.
func newDropLine(gap float32, d dropLine, objects ...fyne.CanvasObject) *fyne.Container {
	d.gap, d.line = gap, kit.HBox(gap, objects...)
	return container.New(&d, d.line)
}

// width is what the line needs without the first n of drop.
func (d *dropLine) width(n int) float32 {
	w, shown := float32(0), 0
	for _, o := range d.line.Objects {
		if at := slices.Index(d.drop, o); at < 0 && !o.Visible() || at >= 0 && (at < n || !d.wanted(o)) {
			continue
		}
		w += o.MinSize().Width
		shown++
	}
	return w + d.gap*float32(max(shown-1, 0))
}

// MinSize belongs to Fyne.
func (d *dropLine) MinSize([]fyne.CanvasObject) fyne.Size {
	h := float32(0)
	for _, o := range d.line.Objects {
		h = max(h, o.MinSize().Height)
	}
	return fyne.NewSize(d.width(len(d.drop)), h)
}

// Layout belongs to Fyne.
func (d *dropLine) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	n := 0
	for n < len(d.drop) && d.width(n)+d.natural() > size.Width {
		n++
	}
	for i, o := range d.drop {
		show(o, i >= n && d.wanted(o))
	}
	place(d.line, 0, 0, size.Width, size.Height)
	d.line.Layout.Layout(d.line.Objects, size)
}
