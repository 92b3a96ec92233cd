package kit

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"paddock/ui/theme"
)

// Switch shows a value. Touching it asks for the other one; it moves only when
// SetOn says that it is so.
type Switch struct {
	press
	name        string
	on, pending bool
	big         bool
	slide       func() // moves the knob to where it belongs
}

// type check
var _ fyne.Accessible = (*Switch)(nil)

// NewSwitch returns a switch that is off. The name is for those who cannot see
// it; a word beside the switch is the caller's. ask gets the value wanted.
func NewSwitch(name string, ask func(on bool)) *Switch {
	s := &Switch{name: name}
	s.act = func() {
		if !s.pending && ask != nil {
			ask(!s.on)
		}
	}
	s.ExtendBaseWidget(s)
	return s
}

// Big is 64 by 36, for the one switch of a screen. It returns s.
func (s *Switch) Big() *Switch {
	s.big = true
	return s
}

// On returns the value that is shown.
func (s *Switch) On() bool { return s.on }

// SetOn shows the value and ends waiting for it.
func (s *Switch) SetOn(on bool) {
	if s.on == on && !s.pending {
		return
	}
	moved := s.on != on
	s.on, s.pending = on, false
	s.Refresh()
	if moved && s.slide != nil {
		s.slide()
	}
}

// SetPending shows that an answer is on its way; until then touching does nothing.
func (s *Switch) SetPending(pending bool) {
	if s.pending != pending {
		s.pending = pending
		s.Refresh()
	}
}

// Pending reports whether an answer is on its way.
func (s *Switch) Pending() bool { return s.pending }

// SetName changes what the switch is called.
func (s *Switch) SetName(name string) { s.name = name }

// AccessibilityLabel is the name.
func (s *Switch) AccessibilityLabel() string { return s.name }

// AccessibilityRole is button; Fyne has no switch yet.
func (s *Switch) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

const slideTime = 100 * time.Millisecond

// CreateRenderer belongs to Fyne.
func (s *Switch) CreateRenderer() fyne.WidgetRenderer {
	track, knob := canvas.NewRectangle(nil), canvas.NewRectangle(nil)
	ring := NewFocusRing(10)
	var slide *fyne.Animation
	r := &renderer{objects: []fyne.CanvasObject{track, knob, &ring.Rectangle}}
	box := func() fyne.Size {
		if s.big {
			return fyne.NewSize(64, 36)
		}
		return fyne.NewSize(36, 20)
	}
	r.minSize = box
	// rest is where the knob lies, within the box in the middle of size.
	rest := func(on bool) (x, y, edge float32) {
		b := box()
		inset := float32(3)
		if s.big {
			inset = 4
		}
		edge = b.Height - 2*inset
		if !on {
			edge -= 2
			inset++
			return inset, inset, edge
		}
		return b.Width - inset - edge, inset, edge
	}
	put := func(at float32) { // 0 is off, 1 is on
		b, size := box(), s.Size()
		ox, oy := (size.Width-b.Width)/2, float32(int((size.Height-b.Height)/2))
		x0, y0, e0 := rest(false)
		x1, y1, e1 := rest(true)
		edge := e0 + (e1-e0)*at
		knob.CornerRadius = edge / 2
		place(knob, ox+x0+(x1-x0)*at, oy+y0+(y1-y0)*at, edge, edge)
	}
	state := func() float32 {
		if s.on {
			return 1
		}
		return 0
	}
	r.layout = func(size fyne.Size) {
		b := box()
		pos := fyne.NewPos((size.Width-b.Width)/2, float32(int((size.Height-b.Height)/2)))
		track.CornerRadius = b.Height / 2
		place(track, pos.X, pos.Y, b.Width, b.Height)
		ring.radius = b.Height / 2
		ring.Surround(pos, b)
		put(state())
	}
	s.slide = func() {
		if slide != nil {
			slide.Stop()
		}
		if !fyne.CurrentApp().Settings().ShowAnimations() {
			put(state())
			return
		}
		to := state()
		slide = fyne.NewAnimation(slideTime, func(f float32) {
			if to == 0 {
				f = 1 - f
			}
			put(f)
		})
		slide.Start()
	}
	r.refresh = func() {
		l := lookOf(s)
		ground, edge, dot := fyne.ThemeColorName(""), theme.ColorControl, theme.ColorControl
		switch {
		case s.pending && s.on:
			ground, edge, dot = theme.ColorSelected, theme.ColorAccent, theme.ColorAccent
		case s.pending:
			ground, edge, dot = theme.ColorSelected, theme.ColorControl, theme.ColorControl
		case s.on && s.Disabled():
			ground, edge, dot = theme.ColorControl, theme.ColorControl, theme.ColorSurface
		case s.on && s.lit():
			ground, edge, dot = theme.ColorAccentHover, theme.ColorAccentHover, theme.ColorOnAccent
		case s.on:
			ground, edge, dot = theme.ColorAccent, theme.ColorAccent, theme.ColorOnAccent
		case s.Disabled():
			edge, dot = theme.ColorLine, theme.ColorLine
		case s.lit():
			ground = theme.ColorHover
		}
		track.FillColor, track.StrokeColor, track.StrokeWidth = l.color(ground), l.color(edge), 1.5
		if ground == edge {
			track.StrokeWidth = 0 // a stroke would only blur the edge of the fill
		}
		knob.FillColor = l.color(dot)
		ring.Set(s.focused && !s.Disabled(), s)
		canvas.Refresh(s)
	}
	r.destroy = func() {
		s.slide = nil
		if slide != nil {
			slide.Stop()
		}
	}
	r.refresh()
	return r
}
