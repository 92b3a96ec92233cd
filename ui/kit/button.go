package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"paddock/assets"
	"paddock/ui/theme"
)

// Style is how loudly a button asks.
type Style int

// The styles. A screen or card has at most one Primary button.
const (
	Outlined Style = iota
	Primary        // the next sensible step
	Plain          // green words; its ground shows only under the pointer
)

type scale int

const (
	normal scale = iota
	small
	large
)

// Button does something when it is pressed.
type Button struct {
	press
	style       Style
	scale       scale
	text, name  string
	icon, after assets.Icon
	leading     bool
	keep        string // a second word the width must hold
	forget      func() // runs when the button leaves the screen
}

// type check
var _ fyne.Accessible = (*Button)(nil)

// NewButton returns a button; without text it is square and needs Named.
func NewButton(style Style, text string, icon assets.Icon, tapped func()) *Button {
	b := &Button{style: style, text: text, icon: icon}
	b.act = tapped
	b.ExtendBaseWidget(b)
	return b
}

// Small is 24 high, for tables and rows. It returns b.
func (b *Button) Small() *Button {
	b.scale = small
	return b
}

// Large is 40 high, for the main button of a page. It returns b.
func (b *Button) Large() *Button {
	b.scale = large
	return b
}

// After puts an icon behind the text. It returns b.
func (b *Button) After(icon assets.Icon) *Button {
	b.after = icon
	return b
}

// Leading starts the text at the left and ends the icon behind it at the
// right, for buttons of one width under each other. It returns b.
func (b *Button) Leading() *Button {
	b.leading = true
	return b
}

// Named says what a button without text does, to those who cannot see it. It returns b.
func (b *Button) Named(name string) *Button {
	b.name = name
	return b
}

// SetText shows another text.
func (b *Button) SetText(text string) { b.Set(text, b.icon) }

// SetIcon shows another icon.
func (b *Button) SetIcon(icon assets.Icon) { b.Set(b.text, icon) }

// Set shows another text and icon.
func (b *Button) Set(text string, icon assets.Icon) {
	if b.text == text && b.icon == icon {
		return
	}
	b.text, b.icon = text, icon
	b.Refresh()
}

// SetStyle makes the button louder or quieter.
func (b *Button) SetStyle(style Style) {
	if b.style != style {
		b.style = style
		b.Refresh()
	}
}

// SetTapped replaces what the button does.
func (b *Button) SetTapped(tapped func()) { b.act = tapped }

// AccessibilityLabel is the text, or the name of a button without one.
func (b *Button) AccessibilityLabel() string {
	if b.name != "" {
		return b.name
	}
	return b.text
}

// AccessibilityRole is button.
func (b *Button) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

func (b *Button) textStyle() fyne.TextStyle { return fyne.TextStyle{Bold: b.style == Primary} }

// measures returns height, text size and the room left and right.
func (b *Button) measures(l look) (height, text, pad float32) {
	switch b.scale {
	case small:
		height, text, pad = l.size(theme.SizeButtonSmall), l.size(theme.SizeTextSmall), theme.Space8
	case large:
		height, text, pad = l.size(theme.SizeButtonLarge), l.size(theme.SizeTextBody), theme.Space20
	default:
		height, text, pad = l.size(theme.SizeButton), l.size(theme.SizeTextBody), theme.Space12
	}
	if b.style == Plain {
		pad = 0 // green words start on the same line as the text around them
	}
	return height, text, pad
}

const buttonIconGap float32 = 6

func (b *Button) contentWidth(l look, text float32) float32 {
	w := float32(0)
	if b.text != "" {
		w = ceil(fyne.MeasureText(b.text, text, b.textStyle()).Width)
	}
	if b.keep != "" {
		w = max(w, ceil(fyne.MeasureText(b.keep, text, b.textStyle()).Width))
	}
	for _, icon := range []assets.Icon{b.icon, b.after} {
		if icon != "" {
			if w > 0 {
				w += buttonIconGap
			}
			w += l.icon(theme.Icon16)
		}
	}
	return w
}

// CreateRenderer belongs to Fyne.
func (b *Button) CreateRenderer() fyne.WidgetRenderer {
	f, label := newFrame(), &canvas.Text{}
	icon, after := newGlyph(), newGlyph()
	ring := NewFocusRing(theme.RadiusButton)
	r := &renderer{objects: []fyne.CanvasObject{f.edge, f.fill, icon.Image, label, after.Image, &ring.Rectangle}}
	r.minSize = func() fyne.Size {
		l := lookOf(b)
		height, text, pad := b.measures(l)
		if b.text == "" && b.style != Plain {
			return fyne.NewSquareSize(height)
		}
		return fyne.NewSize(b.contentWidth(l, text)+2*pad, height)
	}
	r.layout = func(s fyne.Size) {
		_, text, pad := b.measures(lookOf(b))
		bleed := float32(0)
		if b.style == Plain {
			bleed = theme.Space8
		}
		f.place(-bleed, 0, s.Width+2*bleed, s.Height, theme.RadiusButton)
		ring.Surround(fyne.NewPos(-bleed, 0), fyne.NewSize(s.Width+2*bleed, s.Height))
		word := float32(0)
		if b.text != "" {
			word = ceil(fyne.MeasureText(b.text, text, b.textStyle()).Width)
		}
		total := word
		for _, g := range []*glyph{icon, after} {
			if g.icon != "" {
				total += g.edge
				if word > 0 {
					total += buttonIconGap
				}
			}
		}
		x := float32(int((s.Width - total) / 2))
		if b.leading {
			x = pad
		}
		if icon.icon != "" {
			icon.center(x, 0, s.Height)
			x += icon.edge + buttonIconGap
		}
		place(label, x, 0, word, s.Height)
		if after.icon != "" {
			x += word + buttonIconGap
			if b.leading {
				x = s.Width - pad - after.edge
			}
			after.center(x, 0, s.Height)
		}
	}
	r.refresh = func() {
		l := lookOf(b)
		_, text, _ := b.measures(l)
		edge, fill, ink := theme.ColorControl, theme.ColorSurface, theme.ColorText
		switch {
		case b.style == Primary && b.Disabled():
			edge, fill, ink = theme.ColorLine, theme.ColorLine, theme.ColorMuted
		case b.style == Primary && b.lit():
			edge, fill, ink = theme.ColorAccentHover, theme.ColorAccentHover, theme.ColorOnAccent
		case b.style == Primary:
			edge, fill, ink = theme.ColorAccent, theme.ColorAccent, theme.ColorOnAccent
		case b.style == Plain && b.Disabled():
			edge, fill, ink = "", "", theme.ColorControl
		case b.style == Plain && b.lit():
			edge, fill, ink = theme.ColorHover, theme.ColorHover, theme.ColorAllowed
		case b.style == Plain:
			edge, fill, ink = "", "", theme.ColorAllowed
		case b.Disabled():
			edge, ink = theme.ColorLine, theme.ColorControl
		case b.lit():
			fill = theme.ColorHover
		}
		f.paint(l.color(edge), l.color(fill))
		c := l.color(ink)
		label.Text, label.TextSize, label.TextStyle, label.Color = b.text, text, b.textStyle(), c
		icon.set(b.icon, c, l.icon(theme.Icon16))
		after.set(b.after, c, l.icon(theme.Icon16))
		ring.Set(b.focused && !b.Disabled(), b)
		r.layout(b.Size())
		canvas.Refresh(b)
	}
	r.destroy = b.forget
	r.refresh()
	return r
}
