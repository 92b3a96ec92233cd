package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"paddock/ui/theme"
)

// plate is the ground of a card: a fill and a line around it.
type plate struct {
	widget.BaseWidget
	fill, edge fyne.ThemeColorName
	radius     float32
	width      float32
}

func newPlate(fill, edge fyne.ThemeColorName, radius float32) *plate {
	p := &plate{fill: fill, edge: edge, radius: radius, width: 1}
	p.ExtendBaseWidget(p)
	return p
}

// CreateRenderer belongs to Fyne.
func (p *plate) CreateRenderer() fyne.WidgetRenderer {
	f := newFrame()
	r := &renderer{objects: []fyne.CanvasObject{f.edge, f.fill}}
	r.minSize = func() fyne.Size { return fyne.Size{} }
	r.layout = func(s fyne.Size) {
		f.width = p.width
		f.place(0, 0, s.Width, s.Height, p.radius)
	}
	r.refresh = func() {
		l := lookOf(p)
		f.paint(l.color(p.edge), l.color(p.fill))
	}
	r.refresh()
	return r
}

// NewCard groups what belongs together on a surface of its own.
func NewCard(content fyne.CanvasObject) *fyne.Container {
	return container.NewStack(newPlate(theme.ColorSurface, theme.ColorLine, theme.RadiusCard),
		Padded(theme.CardPadX, theme.CardPadY, theme.CardPadX, theme.CardPadY, content))
}

// NewTableCard is a card whose content reaches its sides, for tables and rows.
// A selected row at its end would cover the corner; give the card a last line
// that stays plain, or NewCard.
func NewTableCard(content fyne.CanvasObject) *fyne.Container {
	return container.NewStack(newPlate(theme.ColorSurface, theme.ColorLine, theme.RadiusCard), Padded(1, 1, 1, 1, content))
}

// NewToneCard is a card that needs the owner: soft colour with an edge of the
// tone's ink.
func NewToneCard(tone Tone, content fyne.CanvasObject) *fyne.Container {
	return container.NewStack(newPlate(tone.Soft(), tone.Ink(), theme.RadiusCard),
		Padded(theme.CardPadX, theme.CardPadY, theme.CardPadX, theme.CardPadY, content))
}

// NewGround fills the place behind content with a colour of the theme, for
// sidebars and bands.
func NewGround(fill fyne.ThemeColorName, content fyne.CanvasObject) *fyne.Container {
	return container.NewStack(newPlate(fill, fill, 0), content)
}
