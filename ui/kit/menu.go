package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"paddock/assets"
)

// NewMenuButton returns an outlined button that opens a menu under itself.
// items is asked each time, so that the menu is never older than its opening.
func NewMenuButton(text string, icon assets.Icon, items func() []*fyne.MenuItem) *Button {
	b := NewButton(Outlined, text, icon, nil).After(assets.Down)
	b.act = func() { OpenMenu(b, items()) }
	return b
}

// OpenMenu opens a menu under anchor.
func OpenMenu(anchor fyne.CanvasObject, items []*fyne.MenuItem) {
	c := fyne.CurrentApp().Driver().CanvasForObject(anchor)
	if c == nil {
		return // the anchor left the screen between the press and now
	}
	widget.ShowPopUpMenuAtRelativePosition(fyne.NewMenu("", items...), c, fyne.NewPos(0, anchor.Size().Height+2), anchor)
}
