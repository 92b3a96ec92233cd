//go:build !lite

// Package page is the frame that every screen of the main window lies in.
package page

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"paddock/ui/kit"
	"paddock/ui/theme"
)

// New returns a screen with a head and a foot that stay and a body that
// scrolls when the window is too low for it. Head and foot may be nil.
func New(head, body, foot fyne.CanvasObject) *fyne.Container {
	const m = theme.WindowMargin
	top, bottom := m, m
	if head != nil {
		// The body begins a little below, so that a focus ring at its edge shows.
		head, top = kit.Padded(m, m, m, theme.Space12, head), theme.Space4
	}
	line := kit.NewDivider()
	line.Hide()
	if foot != nil {
		foot, bottom = kit.VBox(0, line, kit.Padded(m, theme.Space12, m, m, foot)), theme.Space4
	}
	scroll := kit.NewScroll(kit.Padded(m, top, m, bottom, body))
	l := &frame{scroll: scroll, line: line, around: kit.Edges(head, foot, nil, nil, scroll)}
	return container.New(l, l.around)
}

// frame lays its objects out twice where that is needed: wrapped text knows
// its height only after it was given a width, and a scroller does not ask again.
type frame struct {
	scroll *kit.Scroll
	line   *kit.Divider // over the foot, while something goes on below it
	around *fyne.Container
}

// MinSize belongs to Fyne.
func (f *frame) MinSize([]fyne.CanvasObject) fyne.Size { return f.around.MinSize() }

// Layout belongs to Fyne.
func (f *frame) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	f.around.Resize(size)
	for range 4 { // twice does it mostly
		f.around.Layout.Layout(f.around.Objects, size)
		need, have := f.scroll.Content.MinSize().Height, f.scroll.Size().Height
		if more := need > have; more != f.line.Visible() {
			f.line.Hidden = !more
			continue
		}
		if f.scroll.Content.Size().Height == max(need, have) {
			return
		}
		f.scroll.Refresh()
	}
}
