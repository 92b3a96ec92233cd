package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// Beside puts a control at the right of what it is for, or below it where the
// width does not hold both. words is as narrow as least before that happens.
func Beside(gap, least float32, words, control fyne.CanvasObject) *fyne.Container {
	return container.New(&beside{gap: gap, least: least}, words, control)
}

// beside remembers its width, which decides its height.
type beside struct{ gap, least, width float32 }

// MinSize belongs to Fyne.
func (b *beside) MinSize(objects []fyne.CanvasObject) fyne.Size {
	words, control := objects[0].MinSize(), objects[1].MinSize()
	w := max(words.Width, control.Width)
	if b.below(objects) {
		return fyne.NewSize(w, words.Height+b.gap/2+control.Height)
	}
	return fyne.NewSize(w, max(words.Height, control.Height))
}

func (b *beside) below(objects []fyne.CanvasObject) bool {
	return b.width > 0 && b.width < b.least*lookAt(fyne.CurrentApp().Settings().Theme()).scale()+b.gap+objects[1].MinSize().Width
}

// Layout belongs to Fyne.
func (b *beside) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	b.width = size.Width
	words, control := objects[0], objects[1]
	m := control.MinSize()
	if b.below(objects) {
		h := settle(words, size.Width)
		place(words, 0, 0, size.Width, h)
		place(control, 0, h+b.gap/2, m.Width, m.Height)
		return
	}
	w := size.Width - b.gap - m.Width
	h := settle(words, w)
	place(words, 0, float32(int((size.Height-h)/2)), w, h)
	place(control, size.Width-m.Width, float32(int((size.Height-m.Height)/2)), m.Width, m.Height)
}
