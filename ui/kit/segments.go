package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"

	"paddock/ui/theme"
)

// Segments is a short choice of one among few, side by side in one frame. It
// is one stop for the Tab key; the arrow keys move inside.
type Segments struct {
	press
	labels   []string
	selected int
	over     int
	ask      func(int)
}

// type check
var _ fyne.Accessible = (*Segments)(nil)

// NewSegments returns segments with the first one chosen.
func NewSegments(labels []string, ask func(i int)) *Segments {
	s := &Segments{labels: labels, over: -1, ask: ask}
	s.ExtendBaseWidget(s)
	return s
}

// SetSelected shows which one is chosen.
func (s *Segments) SetSelected(i int) {
	if s.selected != i {
		s.selected = i
		s.Refresh()
	}
}

// Selected returns which one is shown as chosen.
func (s *Segments) Selected() int { return s.selected }

// AccessibilityLabel is the chosen word.
func (s *Segments) AccessibilityLabel() string {
	if s.selected < 0 || s.selected >= len(s.labels) {
		return ""
	}
	return s.labels[s.selected]
}

// AccessibilityRole is button.
func (s *Segments) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

func (s *Segments) want(i int) {
	if !s.Disabled() && s.ask != nil && i >= 0 && i < len(s.labels) && i != s.selected {
		s.ask(i)
	}
}

// width includes the room left and right of the word, which is kept for bold
// letters so that choosing moves nothing.
func (s *Segments) width(i int, size float32) float32 {
	return ceil(fyne.MeasureText(s.labels[i], size, fyne.TextStyle{Bold: true}).Width) + 2*theme.Space12
}

func (s *Segments) at(x float32) int {
	size := lookOf(s).size(theme.SizeTextBody)
	for i := range s.labels {
		if x -= s.width(i, size); x < 0 {
			return i
		}
	}
	return -1
}

// Tapped belongs to Fyne.
func (s *Segments) Tapped(e *fyne.PointEvent) { s.want(s.at(e.Position.X)) }

// TypedKey belongs to Fyne.
func (s *Segments) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyLeft:
		s.want(s.selected - 1)
	case fyne.KeyRight:
		s.want(s.selected + 1)
	default:
		s.press.TypedKey(e)
	}
}

// MouseMoved belongs to Fyne.
func (s *Segments) MouseMoved(e *desktop.MouseEvent) {
	if over := s.at(e.Position.X); over != s.over {
		s.over = over
		s.Refresh()
	}
}

// MouseIn belongs to Fyne.
func (s *Segments) MouseIn(e *desktop.MouseEvent) { s.MouseMoved(e) }

// MouseOut belongs to Fyne.
func (s *Segments) MouseOut() {
	s.over = -1
	s.Refresh()
}

// CreateRenderer belongs to Fyne.
func (s *Segments) CreateRenderer() fyne.WidgetRenderer {
	f, chosen := newFrame(), canvas.NewRectangle(nil)
	ring := NewFocusRing(theme.RadiusButton)
	r := &renderer{objects: []fyne.CanvasObject{f.edge, f.fill, chosen, &ring.Rectangle}}
	words := make([]*canvas.Text, len(s.labels))
	for i := range words {
		words[i] = &canvas.Text{Alignment: fyne.TextAlignCenter}
		r.objects = append(r.objects, words[i])
	}
	r.minSize = func() fyne.Size {
		l := lookOf(s)
		w := float32(0)
		for i := range s.labels {
			w += s.width(i, l.size(theme.SizeTextBody))
		}
		return fyne.NewSize(w, l.size(theme.SizeButton))
	}
	paint := func(box fyne.Size) {
		l := lookOf(s)
		size := l.size(theme.SizeTextBody)
		f.paint(l.color(theme.ColorControl), l.color(theme.ColorSurface))
		f.place(0, 0, box.Width, box.Height, theme.RadiusButton)
		ring.Surround(fyne.Position{}, box)
		ring.Set(s.focused && !s.Disabled(), s)
		chosen.FillColor = l.color(theme.ColorSelected)
		x := float32(0)
		for i, word := range words {
			w := s.width(i, size)
			ink := theme.ColorMuted
			switch {
			case s.Disabled():
				ink = theme.ColorControl
			case i == s.selected || i == s.over:
				ink = theme.ColorText
			}
			word.Text, word.TextSize, word.Color = s.labels[i], size, l.color(ink)
			word.TextStyle = fyne.TextStyle{Bold: i == s.selected}
			place(word, x, 0, w, box.Height)
			if i == s.selected {
				chosen.CornerRadius = 0
				chosen.TopLeftCornerRadius, chosen.BottomLeftCornerRadius = 0, 0
				chosen.TopRightCornerRadius, chosen.BottomRightCornerRadius = 0, 0
				if i == 0 {
					chosen.TopLeftCornerRadius, chosen.BottomLeftCornerRadius = theme.RadiusButton-1, theme.RadiusButton-1
				}
				if i == len(words)-1 {
					chosen.TopRightCornerRadius, chosen.BottomRightCornerRadius = theme.RadiusButton-1, theme.RadiusButton-1
				}
				left, right := x, x+w
				if i == 0 {
					left++
				}
				if i == len(words)-1 {
					right--
				}
				place(chosen, left, 1, right-left, box.Height-2)
			}
			x += w
		}
	}
	r.layout = paint
	r.refresh = func() {
		paint(s.Size())
		canvas.Refresh(s)
	}
	paint(s.Size())
	return r
}
