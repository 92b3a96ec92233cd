package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"paddock/ui/theme"
)

// Chip is the letter of a key on the key's colour. It stands beside the name,
// never for it.
type Chip struct {
	widget.BaseWidget
	letter string
	number int
	large  bool
}

// NewChip returns a chip in colour number 1 to theme.Chips. Number 0 is for
// someone without a key: an outline.
func NewChip(letter string, number int, large bool) *Chip {
	c := &Chip{letter: letter, number: number, large: large}
	c.ExtendBaseWidget(c)
	return c
}

// Set shows another key.
func (c *Chip) Set(letter string, number int) {
	if c.letter == letter && c.number == number {
		return
	}
	c.letter, c.number = letter, number
	c.Refresh()
}

// CreateRenderer belongs to Fyne.
func (c *Chip) CreateRenderer() fyne.WidgetRenderer {
	f, letter := newFrame(), &canvas.Text{Alignment: fyne.TextAlignCenter, TextStyle: fyne.TextStyle{Bold: true}}
	f.width = 1.5
	r := &renderer{objects: []fyne.CanvasObject{f.edge, f.fill, letter}}
	edge := func() float32 {
		if c.large {
			return 32
		}
		return 20
	}
	r.minSize = func() fyne.Size { return fyne.NewSquareSize(edge()) }
	r.layout = func(s fyne.Size) {
		e, radius := edge(), theme.RadiusChip
		if c.large {
			radius = theme.RadiusChipLarge
		}
		x, y := float32(int((s.Width-e)/2)), float32(int((s.Height-e)/2))
		f.place(x, y, e, e, radius)
		place(letter, x, y, e, e)
	}
	r.refresh = func() {
		l := lookOf(c)
		ground, edgeName, ink := theme.ColorSurface, theme.ColorControl, theme.ColorMuted
		if c.number > 0 {
			ground, ink = theme.ColorChip(c.number), theme.ColorChipLetter(c.number)
			edgeName = ground
		}
		f.paint(l.color(edgeName), l.color(ground))
		letter.Text, letter.Color = c.letter, l.color(ink)
		// The chip does not grow with text, so its letter must not either.
		letter.TextSize = 11
		if c.large {
			letter.TextSize = 14
		}
		letter.Refresh()
	}
	r.refresh()
	return r
}
