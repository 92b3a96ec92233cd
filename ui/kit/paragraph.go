package kit

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// Paragraph is text that takes as many lines as its width needs. Its height is
// known only after it was given a width; the kit's boxes ask in that order.
type Paragraph struct {
	widget.BaseWidget
	kind   Kind
	text   string
	ink    fyne.ThemeColorName
	align  fyne.TextAlign
	hang   bool // break anywhere and keep indentation, as code needs
	lines  []string
	made   float32 // the width the lines were made for
	madeBy look
}

// type check
var _ fyne.Accessible = (*Paragraph)(nil)

// NewParagraph returns wrapped text. A line feed in it begins a new line.
func NewParagraph(kind Kind, text string) *Paragraph {
	p := &Paragraph{kind: kind, text: text}
	p.ExtendBaseWidget(p)
	return p
}

// Centered puts each line in the middle. It returns p.
func (p *Paragraph) Centered() *Paragraph {
	p.align = fyne.TextAlignCenter
	return p
}

// Ink gives the text another colour than its kind has. It returns p.
func (p *Paragraph) Ink(name fyne.ThemeColorName) *Paragraph {
	p.ink = name
	return p
}

// Text returns the whole text.
func (p *Paragraph) Text() string { return p.text }

// SetText shows another text.
func (p *Paragraph) SetText(text string) {
	if p.text == text {
		return
	}
	p.text = text
	p.made = 0
	p.Refresh()
}

// AccessibilityLabel is the whole text.
func (p *Paragraph) AccessibilityLabel() string { return p.text }

// AccessibilityRole is text.
func (p *Paragraph) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// CreateRenderer belongs to Fyne.
func (p *Paragraph) CreateRenderer() fyne.WidgetRenderer {
	r := &renderer{}
	var shown []*canvas.Text
	height := func() float32 { return lookOf(p).size(kinds[p.kind].line) }
	r.minSize = func() fyne.Size {
		p.wrap(p.Size().Width)
		// Narrower than a few words no paragraph can be read.
		return fyne.NewSize(min(40, p.widest()), height()*float32(len(p.lines)))
	}
	paint := func(s fyne.Size) {
		p.wrap(s.Width)
		for len(shown) < len(p.lines) {
			shown = append(shown, &canvas.Text{})
		}
		k, l, h := kinds[p.kind], lookOf(p), height()
		ink := k.ink
		if p.ink != "" {
			ink = p.ink
		}
		r.objects = r.objects[:0]
		for i, text := range p.lines {
			line := shown[i]
			line.Text, line.TextSize, line.TextStyle = text, l.size(k.size), k.style
			line.Color, line.Alignment = l.color(ink), p.align
			place(line, 0, float32(i)*h, s.Width, h)
			r.objects = append(r.objects, line)
		}
	}
	r.layout = paint
	r.refresh = func() {
		paint(p.Size())
		canvas.Refresh(p)
	}
	paint(p.Size())
	return r
}

func (p *Paragraph) widest() float32 {
	k := kinds[p.kind]
	return fyne.MeasureText(p.text, lookOf(p).size(k.size), k.style).Width
}

func (p *Paragraph) wrap(width float32) {
	l := lookOf(p)
	if p.lines != nil && p.made == width && p.madeBy == l {
		return
	}
	k := kinds[p.kind]
	size := l.size(k.size)
	measure := func(s string) float32 { return fyne.MeasureText(s, size, k.style).Width }
	p.made, p.madeBy = width, l
	p.lines = p.lines[:0]
	for line := range strings.SplitSeq(p.text, "\n") {
		if p.hang {
			p.lines = breakAnywhere(p.lines, line, width, measure)
		} else {
			p.lines = breakAtSpaces(p.lines, line, width, measure)
		}
	}
}

// breakAtSpaces appends line in pieces that fit. A single word that is too
// long stays whole: half a word misleads more than one that sticks out.
func breakAtSpaces(to []string, line string, width float32, measure func(string) float32) []string {
	if width <= 0 {
		return append(to, line)
	}
	current := ""
	for word := range strings.SplitSeq(line, " ") {
		next := word
		if current != "" {
			next = current + " " + word
		}
		if current != "" && measure(next) > width+0.5 {
			to = append(to, current)
			next = word
		}
		current = next
	}
	return append(to, current)
}

// breakAnywhere appends a line of monospace text in pieces that fit.
func breakAnywhere(to []string, line string, width float32, measure func(string) float32) []string {
	fit := int(width / max(measure("m"), 1))
	runes := []rune(line)
	if fit <= 4 {
		return append(to, line)
	}
	const indent = "    "
	for len(runes) > fit {
		to = append(to, string(runes[:fit]))
		runes = append([]rune(indent), runes[fit:]...)
	}
	return append(to, string(runes))
}
