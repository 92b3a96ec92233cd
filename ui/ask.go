//go:build !lite

package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"paddock/ui/kit"
	"paddock/ui/theme"
)

// question is something to answer before anything else.
type question struct {
	title, sentence string
	yes, no         string // without yes there is only one way out
	answered        func(yes bool)
}

// ask shows a question over a window. The keyboard is on the answer that
// changes nothing.
func ask(w fyne.Window, q question) {
	var pop *widget.PopUp
	answer := func(yes bool) func() {
		return func() {
			pop.Hide()
			if q.answered != nil {
				q.answered(yes)
			}
		}
	}
	no := kit.NewButton(kit.Outlined, q.no, "", answer(false))
	buttons := kit.HBox(theme.Space8, kit.Space(), no)
	if q.yes != "" {
		buttons.Add(kit.NewButton(kit.Outlined, q.yes, "", answer(true)))
	}
	const width = 420
	words := kit.NewParagraph(kit.Body, q.sentence)
	body := kit.Padded(theme.Space20, theme.Space16, theme.Space20, theme.Space16,
		kit.VBox(theme.Space12, kit.NewText(kit.Big, q.title), words, kit.Padded(0, theme.Space8, 0, 0, buttons)))
	pop = widget.NewModalPopUp(body, w.Canvas())
	body.Resize(fyne.NewSize(width, body.MinSize().Height)) // wrapped text knows its height only then
	pop.Resize(fyne.NewSize(width, body.MinSize().Height))
	pop.Show()
	w.Canvas().Focus(no)
}
