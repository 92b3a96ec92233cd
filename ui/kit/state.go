package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"paddock/assets"
	"paddock/ui/theme"
)

// State is a shape, a word and a colour, in this order of weight. A verdict is
// never shortened.
type State struct {
	widget.BaseWidget
	tone Tone
	icon assets.Icon
	word string
	row  bool
}

// type check
var _ fyne.Accessible = (*State)(nil)

// NewState returns a state; an empty icon is the tone's own.
func NewState(tone Tone, icon assets.Icon, word string) *State {
	s := &State{tone: tone, icon: icon, word: word}
	s.ExtendBaseWidget(s)
	return s
}

// InRow shows the word in the smaller letters of table rows. It returns s.
func (s *State) InRow() *State {
	s.row = true
	return s
}

// Set shows another state. An equal one costs nothing.
func (s *State) Set(tone Tone, icon assets.Icon, word string) {
	if s.tone == tone && s.icon == icon && s.word == word {
		return
	}
	s.tone, s.icon, s.word = tone, icon, word
	s.Refresh()
}

// AccessibilityLabel is the word.
func (s *State) AccessibilityLabel() string { return s.word }

// AccessibilityRole is text.
func (s *State) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// CreateRenderer belongs to Fyne.
func (s *State) CreateRenderer() fyne.WidgetRenderer {
	label, icon := &canvas.Text{}, newGlyph()
	r := &renderer{objects: []fyne.CanvasObject{icon.Image, label}}
	measures := func(l look) (text, line, gap float32) {
		if s.row {
			return l.size(theme.SizeTextRow), l.size(theme.SizeLineRow), 6
		}
		return l.size(theme.SizeTextBody), l.size(theme.SizeLineBody), theme.Space8
	}
	r.minSize = func() fyne.Size {
		l := lookOf(s)
		text, line, gap := measures(l)
		w := ceil(fyne.MeasureText(s.word, text, fyne.TextStyle{}).Width)
		return fyne.NewSize(l.icon(theme.Icon16)+gap+w, line)
	}
	r.layout = func(size fyne.Size) {
		_, _, gap := measures(lookOf(s))
		icon.center(0, 0, size.Height)
		x := icon.width(gap)
		place(label, x, 0, max(size.Width-x, 0), size.Height)
	}
	r.refresh = func() {
		l := lookOf(s)
		text, _, _ := measures(l)
		ink := l.color(s.tone.Ink())
		shape := s.icon
		if shape == "" && s.word != "" {
			shape = s.tone.Icon()
		}
		label.Text, label.TextSize, label.Color = s.word, text, ink
		icon.set(shape, ink, l.icon(theme.Icon16))
		r.layout(s.Size())
		canvas.Refresh(s)
	}
	r.refresh()
	return r
}
