package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"paddock/ui/theme"
)

// Kind is what a text is for. It decides size, weight and colour.
type Kind int

// The kinds of text.
const (
	Body      Kind = iota // 14
	Hero                  // 24 bold, first run
	Title                 // 20 bold, the name of a screen
	Big                   // 16 bold, the one big fact of a card
	Strong                // 14 bold, card titles and names
	Muted                 // 14, second facts
	Small                 // 12 muted, labels and notes
	Note                  // 12 in the colour of text, the word beside a switch
	Cell                  // 13, table rows
	CellMuted             // 13 muted
	Mono                  // 13 monospace
	MonoSmall             // 12 monospace muted, a key's beginning under its name
)

type kindOf struct {
	size, line fyne.ThemeSizeName
	ink        fyne.ThemeColorName
	style      fyne.TextStyle
}

var kinds = [...]kindOf{
	Body:      {theme.SizeTextBody, theme.SizeLineBody, theme.ColorText, fyne.TextStyle{}},
	Hero:      {theme.SizeTextHero, theme.SizeLineHero, theme.ColorText, fyne.TextStyle{Bold: true}},
	Title:     {theme.SizeTextTitle, theme.SizeLineTitle, theme.ColorText, fyne.TextStyle{Bold: true}},
	Big:       {theme.SizeTextBig, theme.SizeLineBig, theme.ColorText, fyne.TextStyle{Bold: true}},
	Strong:    {theme.SizeTextBody, theme.SizeLineBody, theme.ColorText, fyne.TextStyle{Bold: true}},
	Muted:     {theme.SizeTextBody, theme.SizeLineBody, theme.ColorMuted, fyne.TextStyle{}},
	Small:     {theme.SizeTextSmall, theme.SizeLineSmall, theme.ColorMuted, fyne.TextStyle{}},
	Note:      {theme.SizeTextSmall, theme.SizeLineSmall, theme.ColorText, fyne.TextStyle{}},
	Cell:      {theme.SizeTextRow, theme.SizeLineRow, theme.ColorText, fyne.TextStyle{}},
	CellMuted: {theme.SizeTextRow, theme.SizeLineRow, theme.ColorMuted, fyne.TextStyle{}},
	Mono:      {theme.SizeTextRow, theme.SizeLineBody, theme.ColorText, fyne.TextStyle{Monospace: true}},
	MonoSmall: {theme.SizeTextSmall, theme.SizeLineSmall, theme.ColorMuted, fyne.TextStyle{Monospace: true}},
}

// Cut is where a text that is too long gives way.
type Cut int

// The ways to shorten.
const (
	CutNever  Cut = iota // verdicts, addresses, buttons: the layout must make room
	CutEnd               // names and models
	CutMiddle            // fingerprints
)

// Text is one line of text.
type Text struct {
	widget.BaseWidget
	kind  Kind
	text  string
	ink   fyne.ThemeColorName
	align fyne.TextAlign
	cut   Cut
}

// type check
var _ fyne.Accessible = (*Text)(nil)

// NewText returns a line of text that is never shortened.
func NewText(kind Kind, text string) *Text {
	t := &Text{kind: kind, text: text}
	t.ExtendBaseWidget(t)
	return t
}

// Right ends the text at its right edge, as numbers do. It returns t.
func (t *Text) Right() *Text {
	t.align = fyne.TextAlignTrailing
	return t
}

// Centered puts the text in the middle of its width. It returns t.
func (t *Text) Centered() *Text {
	t.align = fyne.TextAlignCenter
	return t
}

// Shorten lets the text give way to a narrow place with "…". It returns t.
func (t *Text) Shorten(cut Cut) *Text {
	t.cut = cut
	return t
}

// Ink gives the text another colour than its kind has. It returns t.
func (t *Text) Ink(name fyne.ThemeColorName) *Text {
	t.ink = name
	return t
}

// Text returns the whole text, also where only a part is shown.
func (t *Text) Text() string { return t.text }

// SetText shows another text. An equal text costs nothing.
func (t *Text) SetText(text string) { t.Set(text, t.ink) }

// SetInk shows the text in another colour; an empty name is the kind's own.
func (t *Text) SetInk(name fyne.ThemeColorName) { t.Set(t.text, name) }

// SetKind shows the text as another kind.
func (t *Text) SetKind(kind Kind) {
	if t.kind != kind {
		t.kind = kind
		t.Refresh()
	}
}

// Set shows another text in another colour with one repaint at most.
func (t *Text) Set(text string, ink fyne.ThemeColorName) {
	if t.text == text && t.ink == ink {
		return
	}
	t.text, t.ink = text, ink
	t.Refresh()
}

// AccessibilityLabel is the whole text.
func (t *Text) AccessibilityLabel() string { return t.text }

// AccessibilityRole is text.
func (t *Text) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// CreateRenderer belongs to Fyne.
func (t *Text) CreateRenderer() fyne.WidgetRenderer {
	line := &canvas.Text{}
	r := &renderer{objects: []fyne.CanvasObject{line}}
	r.minSize = func() fyne.Size {
		k := kinds[t.kind]
		l := lookOf(t)
		show := t.text
		if t.cut != CutNever {
			show = "…"
		}
		w := float32(0)
		if show != "" {
			w = fyne.MeasureText(show, l.size(k.size), k.style).Width
		}
		return fyne.NewSize(ceil(w), l.size(k.line))
	}
	// fit says whether the line shows something else now.
	fit := func(s fyne.Size) bool {
		show := t.text
		if t.cut != CutNever {
			show = shorten(t.text, t.cut, s.Width, line.TextSize, line.TextStyle)
		}
		changed := show != line.Text
		line.Text = show
		return changed
	}
	r.layout = func(s fyne.Size) {
		if fit(s) {
			line.Refresh()
		}
		place(line, 0, 0, s.Width, s.Height)
	}
	r.refresh = func() {
		k := kinds[t.kind]
		l := lookOf(t)
		line.TextSize, line.TextStyle, line.Alignment = l.size(k.size), k.style, t.align
		ink := k.ink
		if t.ink != "" {
			ink = t.ink
		}
		line.Color = l.color(ink)
		fit(t.Size())
		line.Refresh()
	}
	r.refresh()
	return r
}
