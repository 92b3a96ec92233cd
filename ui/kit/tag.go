package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"paddock/assets"
	"paddock/ui/theme"
)

// Tag is a word on a soft colour. It cannot be pressed.
type Tag struct {
	widget.BaseWidget
	tone   Tone
	icon   assets.Icon
	text   string
	strong bool
}

// type check
var _ fyne.Accessible = (*Tag)(nil)

// NewTag returns a label in the tone; icon may be empty.
func NewTag(tone Tone, icon assets.Icon, text string) *Tag {
	t := &Tag{tone: tone, icon: icon, text: text}
	t.ExtendBaseWidget(t)
	return t
}

// Set shows another tone, icon and word.
func (t *Tag) Set(tone Tone, icon assets.Icon, text string) {
	if t.tone == tone && t.icon == icon && t.text == text {
		return
	}
	t.tone, t.icon, t.text = tone, icon, text
	t.Refresh()
}

// AccessibilityLabel is the word.
func (t *Tag) AccessibilityLabel() string { return t.text }

// AccessibilityRole is text.
func (t *Tag) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// CreateRenderer belongs to Fyne.
func (t *Tag) CreateRenderer() fyne.WidgetRenderer {
	ground, label, icon := canvas.NewRectangle(nil), &canvas.Text{}, newGlyph()
	const pad = theme.Space8
	r := &renderer{objects: []fyne.CanvasObject{ground, icon.Image, label}}
	r.minSize = func() fyne.Size {
		l := lookOf(t)
		w := ceil(fyne.MeasureText(t.text, l.size(theme.SizeTextSmall), fyne.TextStyle{Bold: t.strong}).Width)
		if t.icon != "" {
			w += l.icon(theme.Icon14)
			if t.text != "" {
				w += theme.Space4
			}
		}
		return fyne.NewSize(w+2*pad, l.size(theme.SizeTag))
	}
	r.layout = func(s fyne.Size) {
		ground.CornerRadius = s.Height / 2
		place(ground, 0, 0, s.Width, s.Height)
		icon.center(pad, 0, s.Height)
		x := pad + icon.width(theme.Space4)
		place(label, x, 0, s.Width-x-pad, s.Height)
	}
	r.refresh = func() {
		l := lookOf(t)
		ink := l.color(t.tone.Ink())
		ground.FillColor = l.color(t.tone.Soft())
		label.Text, label.TextSize, label.Color = t.text, l.size(theme.SizeTextSmall), ink
		label.TextStyle = fyne.TextStyle{Bold: t.strong}
		icon.set(t.icon, ink, l.icon(theme.Icon14))
		r.layout(t.Size())
		canvas.Refresh(t)
	}
	r.refresh()
	return r
}
