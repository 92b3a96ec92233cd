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
	if foot != nil {
		foot, bottom = kit.Padded(m, theme.Space12, m, m, foot), theme.Space4
	}
	scroll := container.NewVScroll(kit.Padded(m, top, m, bottom, body))
	l := &frame{scroll: scroll, around: kit.Edges(head, foot, nil, nil, scroll)}
	return container.New(l, l.around)
}

// frame lays its objects out twice where that is needed: wrapped text knows
// its height only after it was given a width, and a scroller does not ask again.
type frame struct {
	scroll *container.Scroll
	around *fyne.Container
}

// MinSize belongs to Fyne.
func (f *frame) MinSize([]fyne.CanvasObject) fyne.Size { return f.around.MinSize() }

// Layout belongs to Fyne.
func (f *frame) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	f.around.Resize(size)
	for range 3 { // twice does it; the third is for text inside of text's box
		f.around.Layout.Layout(f.around.Objects, size)
		want := f.scroll.Content.MinSize().Max(f.scroll.Size())
		if f.scroll.Content.Size().Height == want.Height {
			return
		}
		f.scroll.Refresh()
	}
}

// Top scrolls a screen made by New to its beginning.
func Top(screen *fyne.Container) {
	if f, ok := screen.Layout.(*frame); ok {
		f.scroll.ScrollToTop()
	}
}
