package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"paddock/assets"
	"paddock/ui/theme"
)

// Choice is a card that is one of a few answers to a question.
type Choice struct {
	press
	icon   assets.Icon
	title  *Text
	detail *Text
	chosen bool
}

// type check
var _ fyne.Accessible = (*Choice)(nil)

// NewChoice returns a card that is not chosen.
func NewChoice(icon assets.Icon, title, detail string, tapped func()) *Choice {
	c := &Choice{icon: icon, title: NewText(Strong, title), detail: NewText(Small, detail).Shorten(CutEnd)}
	c.act = tapped
	c.ExtendBaseWidget(c)
	return c
}

// SetDetail shows another second line.
func (c *Choice) SetDetail(detail string) { c.detail.SetText(detail) }

// SetChosen shows whether this is the answer.
func (c *Choice) SetChosen(chosen bool) {
	if c.chosen != chosen {
		c.chosen = chosen
		c.Refresh()
	}
}

// Chosen reports whether this is shown as the answer.
func (c *Choice) Chosen() bool { return c.chosen }

// AccessibilityLabel is the title.
func (c *Choice) AccessibilityLabel() string { return c.title.text }

// AccessibilityRole is button.
func (c *Choice) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

// CreateRenderer belongs to Fyne.
func (c *Choice) CreateRenderer() fyne.WidgetRenderer {
	f, icon, tick := newFrame(), newGlyph(), newGlyph()
	ring := NewFocusRing(theme.RadiusCard)
	r := &renderer{objects: []fyne.CanvasObject{f.edge, f.fill, icon.Image, c.title, c.detail, tick.Image, &ring.Rectangle}}
	const edge = float32(24)
	left := func() float32 { return theme.Space16 + lookOf(c).icon(edge) + theme.Space12 }
	end := func() float32 { return theme.Space8 + lookOf(c).icon(theme.Icon16) + theme.CardPadX }
	r.minSize = func() fyne.Size {
		t, d := c.title.MinSize(), c.detail.MinSize()
		return fyne.NewSize(left()+max(t.Width, d.Width)+end(), t.Height+d.Height+2*12)
	}
	r.layout = func(s fyne.Size) {
		f.place(0, 0, s.Width, s.Height, theme.RadiusCard)
		ring.Surround(fyne.Position{}, s)
		icon.center(theme.Space16, 0, s.Height)
		t, d := c.title.MinSize().Height, c.detail.MinSize().Height
		x := left()
		w := max(s.Width-x-end(), 0)
		y := float32(int((s.Height - t - d) / 2))
		place(c.title, x, y, w, t)
		place(c.detail, x, y+t, w, d)
		tick.center(s.Width-theme.CardPadX-tick.edge, 0, s.Height)
	}
	r.refresh = func() {
		l := lookOf(c)
		border, fill, ink := theme.ColorControl, theme.ColorSurface, theme.ColorMuted
		f.width = 1
		switch {
		case c.chosen:
			border, fill, ink = theme.ColorAccent, theme.ColorSelected, theme.ColorAllowed
			f.width = 2
		case c.lit():
			fill = theme.ColorHover
		}
		f.paint(l.color(border), l.color(fill))
		icon.set(c.icon, l.color(ink), l.icon(edge))
		if c.chosen {
			tick.set(assets.Allowed, l.color(ink), l.icon(theme.Icon16))
		} else {
			tick.set("", nil, 0)
		}
		c.title.Refresh()
		c.detail.Refresh()
		ring.Set(c.focused && !c.Disabled(), c)
		r.layout(c.Size())
		canvas.Refresh(c)
	}
	r.refresh()
	return r
}
