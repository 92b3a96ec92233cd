package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"paddock/assets"
	"paddock/ui/theme"
)

// Pill is a filter that is chosen or not, with a count if it has one.
type Pill struct {
	press
	text, count string
	name        string
	icon        assets.Icon
	on          bool
}

// type check
var _ fyne.Accessible = (*Pill)(nil)

// NewPill returns a pill that is not chosen; icon may be empty.
func NewPill(text string, icon assets.Icon, tapped func()) *Pill {
	p := &Pill{text: text, icon: icon}
	p.act = tapped
	p.ExtendBaseWidget(p)
	return p
}

// SetOn shows whether the pill is chosen.
func (p *Pill) SetOn(on bool) {
	if p.on != on {
		p.on = on
		p.Refresh()
	}
}

// On reports whether the pill is shown as chosen.
func (p *Pill) On() bool { return p.on }

// SetText shows another word.
func (p *Pill) SetText(text string) {
	if p.text != text {
		p.text = text
		p.Refresh()
	}
}

// SetCount shows a number behind the word; an empty one shows none.
func (p *Pill) SetCount(count string) {
	if p.count != count {
		p.count = count
		p.Refresh()
	}
}

func (p *Pill) words() string {
	if p.count == "" {
		return p.text
	}
	return p.text + " " + p.count
}

// Named says what a pill is for whose word alone does not, to those who cannot
// see what stands beside it. It returns p.
func (p *Pill) Named(name string) *Pill {
	p.name = name
	return p
}

// AccessibilityLabel is the name, or the word with the count.
func (p *Pill) AccessibilityLabel() string {
	if p.name != "" {
		return p.name
	}
	return p.words()
}

// AccessibilityRole is button.
func (p *Pill) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

const (
	pillPad     float32 = 10
	pillIconGap float32 = 5
)

// CreateRenderer belongs to Fyne.
func (p *Pill) CreateRenderer() fyne.WidgetRenderer {
	f, label, icon := newFrame(), &canvas.Text{Alignment: fyne.TextAlignCenter}, newGlyph()
	ring := NewFocusRing(12)
	r := &renderer{objects: []fyne.CanvasObject{f.edge, f.fill, icon.Image, label, &ring.Rectangle}}
	r.minSize = func() fyne.Size {
		l := lookOf(p)
		// Bold is wider; keeping its width lets a pill be chosen without moving
		// its neighbours.
		w := ceil(fyne.MeasureText(p.words(), l.size(theme.SizeTextSmall), fyne.TextStyle{Bold: true}).Width)
		if p.icon != "" {
			w += l.icon(theme.Icon14) + pillIconGap
		}
		return fyne.NewSize(w+2*pillPad, l.size(theme.SizePill))
	}
	r.layout = func(s fyne.Size) {
		f.place(0, 0, s.Width, s.Height, s.Height/2)
		ring.radius = s.Height / 2
		ring.Surround(fyne.Position{}, s)
		x := pillPad
		icon.center(x, 0, s.Height)
		x += icon.width(pillIconGap)
		place(label, x, 0, s.Width-x-pillPad, s.Height)
	}
	r.refresh = func() {
		l := lookOf(p)
		edge, fill, ink := theme.ColorLine, theme.ColorSurface, theme.ColorMuted
		switch {
		case p.on && p.lit():
			edge, fill, ink = theme.ColorAccentHover, theme.ColorAccentHover, theme.ColorOnAccent
		case p.on:
			edge, fill, ink = theme.ColorAccent, theme.ColorAccent, theme.ColorOnAccent
		case p.Disabled():
			ink = theme.ColorControl
		case p.lit():
			fill, ink = theme.ColorHover, theme.ColorText
		}
		f.paint(l.color(edge), l.color(fill))
		label.Text, label.TextSize = p.words(), l.size(theme.SizeTextSmall)
		label.TextStyle, label.Color = fyne.TextStyle{Bold: p.on}, l.color(ink)
		icon.set(p.icon, l.color(ink), l.icon(theme.Icon14))
		ring.Set(p.focused && !p.Disabled(), p)
		r.layout(p.Size())
		canvas.Refresh(p)
	}
	r.refresh()
	return r
}
