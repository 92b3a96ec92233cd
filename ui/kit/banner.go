package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"paddock/assets"
	"paddock/ui/theme"
)

// Banner is a sentence that needs the owner, in the soft colour of its tone.
type Banner struct {
	widget.BaseWidget
	tone     Tone
	ground   *plate
	icon     *Icon
	sentence *Paragraph
	note     *Text
	buttons  *fyne.Container
}

// type check
var _ fyne.Accessible = (*Banner)(nil)

// NewBanner returns a banner; an empty icon is the tone's own.
func NewBanner(tone Tone, icon assets.Icon, sentence string, buttons ...*Button) *Banner {
	b := &Banner{
		tone: tone, ground: newPlate(tone.Soft(), tone.Soft(), theme.RadiusCard),
		icon: NewIcon("", "", theme.Icon16), sentence: NewParagraph(Body, sentence), note: NewText(Small, ""),
		buttons: HBox(theme.Space12),
	}
	b.note.Hide()
	for _, button := range buttons {
		b.buttons.Add(button)
	}
	b.Set(tone, icon, sentence)
	b.ExtendBaseWidget(b)
	return b
}

// Noted adds a muted fact at the end. It returns b.
func (b *Banner) Noted(note string) *Banner {
	b.note.SetText(note)
	if note == "" {
		b.note.Hide()
	} else {
		b.note.Show()
	}
	return b
}

// Set shows another state in the same place.
func (b *Banner) Set(tone Tone, icon assets.Icon, sentence string) {
	if icon == "" {
		icon = tone.Icon()
	}
	b.tone = tone
	b.icon.Set(icon, tone.Ink())
	b.sentence.SetText(sentence)
	b.ground.fill, b.ground.edge = tone.Soft(), tone.Soft()
	if tone == Attention || tone == Refused {
		b.ground.edge = tone.Ink() // what needs doing also has an edge of its own
	}
	b.ground.Refresh()
}

// AccessibilityLabel is the sentence.
func (b *Banner) AccessibilityLabel() string { return b.sentence.text }

// AccessibilityRole is text.
func (b *Banner) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// CreateRenderer belongs to Fyne.
func (b *Banner) CreateRenderer() fyne.WidgetRenderer {
	row := HBox(theme.Space12, b.icon, Grow(b.sentence), b.note, b.buttons)
	if len(b.buttons.Objects) == 0 {
		b.buttons.Hide() // it would still count as a thing with a gap before it
	}
	return widget.NewSimpleRenderer(container.NewStack(b.ground, Padded(theme.CardPadX, theme.CardPadY, theme.CardPadX, theme.CardPadY, row)))
}
