package kit

import (
	"fyne.io/fyne/v2"

	"paddock/assets"
	"paddock/ui/theme"
)

// NewEmptyState fills a place where nothing is yet: what it is, and what to do
// next. more are the buttons, or whatever else shows the next step.
func NewEmptyState(icon assets.Icon, title, sentence string, more ...fyne.CanvasObject) *fyne.Container {
	middle := func(o fyne.CanvasObject) fyne.CanvasObject { return HBox(0, Space(), o, Space()) }
	column := VBox(theme.Space8, middle(NewIcon(icon, theme.ColorMuted, theme.Icon28)),
		NewText(Big, title).Centered(), MaxWidthCentered(440, NewParagraph(Muted, sentence).Centered()))
	for i, o := range more {
		top := theme.Space4
		if i == 0 {
			top = theme.Space8
		}
		column.Add(Padded(0, top, 0, 0, middle(o)))
	}
	return VBox(0, Space(), Padded(theme.Space24, theme.Space24, theme.Space24, theme.Space24, column), Space())
}
