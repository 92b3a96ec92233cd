package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"paddock/ui/theme"
)

// Focus ring: 2 px, 2 px outside what it surrounds.
const (
	ringWidth float32 = 2
	ringGap   float32 = 2
)

// FocusRing shows which widget has the keyboard. It lies outside its widget's
// bounds, so leave room for it at the edge of anything that scrolls.
type FocusRing struct {
	canvas.Rectangle
	radius, gap float32
}

// NewFocusRing returns a hidden ring for something with the given corner radius.
func NewFocusRing(radius float32) *FocusRing {
	r := &FocusRing{radius: radius, gap: ringGap}
	r.FillColor = color.Transparent
	r.StrokeWidth = ringWidth
	r.Hide()
	return r
}

// inside draws the ring within the edge, for rows that touch their neighbours.
func (r *FocusRing) inside() *FocusRing {
	r.gap = -ringWidth - 1
	return r
}

// Surround puts the ring around the rectangle.
func (r *FocusRing) Surround(pos fyne.Position, size fyne.Size) {
	out := r.gap + ringWidth
	r.CornerRadius = max(r.radius+out, 0)
	place(&r.Rectangle, pos.X-out, pos.Y-out, size.Width+2*out, size.Height+2*out)
}

// Set shows or hides the ring in the colour of the theme that is in force.
func (r *FocusRing) Set(focused bool, w interface{ Theme() fyne.Theme }) {
	r.StrokeColor = lookOf(w).color(theme.ColorAccent)
	if focused != r.Visible() {
		if focused {
			r.Show()
		} else {
			r.Hide()
		}
	}
}
