//go:build !lite

package safety

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"paddock/assets"
	facts "paddock/safety"
	"paddock/ui/kit"
	"paddock/ui/theme"
)

// row is a fact that was in order, or not known, when the facts were put in
// order. A press unfolds what it has to tell.
type row struct {
	s       *Screen
	name    string // the fact's ID
	box     *fyne.Container
	line    *kit.Row
	first   bool
	fact    facts.Fact
	painted bool

	sign   *kit.Icon
	title  *kit.Paragraph
	short  *kit.Text // the detail beside the title
	fold   *kit.Icon
	detail *kit.Paragraph // the whole of it
	mend   *mend
	act    *fyne.Container // its button, at the left
	more   *more
	below  *fyne.Container
	open   bool
}

// rowPadX begins the words of rows where those of cards begin: the edge of the
// card that the rows lie in is one wide.
const rowPadX = theme.CardPadX - 1

func newRow(s *Screen, f facts.Fact, first bool) *row {
	r := &row{
		s: s, name: f.ID, first: first, sign: kit.NewIcon("", "", theme.Icon16), fold: kit.NewIcon(assets.Down, theme.ColorMuted, theme.Icon16),
		title: kit.NewParagraph(kit.Body, ""), short: kit.NewText(kit.Small, "").Shorten(kit.CutEnd),
		detail: kit.NewParagraph(kit.Muted, ""), mend: newMend(s, func() {}), more: newMore(),
	}
	r.act = kit.HBox(0, r.mend.act)
	words := container.New(&factLine{}, r.title, r.short)
	content := kit.Padded(rowPadX, theme.Space8, rowPadX, theme.Space8, kit.HBox(theme.Space12, column(r.sign), kit.Grow(words), r.fold))
	r.line = kit.NewRow("", theme.SizeFactRow, content, func() {
		r.open = !r.open
		r.paint(r.fact)
		s.content.Refresh()
	})
	if first {
		r.line.First()
	}
	r.below = kit.Padded(rowPadX, 0, rowPadX, theme.Space16,
		kit.HBoxTop(theme.Space12, column(kit.Space()), kit.Grow(kit.VBox(theme.Space12, r.detail, r.act, r.mend.trouble, r.more.content))))
	r.box = kit.VBox(0, r.line, r.below)
	return r
}

func (r *row) id() string                { return r.name }
func (r *row) object() fyne.CanvasObject { return r.box }

func (r *row) show(f facts.Fact, green bool) bool {
	changed := r.mend.show(f, green)
	return r.paint(f) || changed
}

// paint says whether things have to be laid out again.
func (r *row) paint(f facts.Fact) bool {
	changed := !r.painted || r.title.Text() != f.Title || r.detail.Text() != f.Detail
	r.painted, r.fact = true, f
	tone, icon := looks(f.Level)
	r.sign.Set(icon, tone.Ink())
	ink := fyne.ThemeColorName("") // its own
	if f.Level == facts.Problem {
		ink = tone.Ink()
	}
	r.title.Ink(ink).SetText(f.Title)
	r.short.SetText(f.Detail)
	r.detail.SetText(f.Detail)
	r.line.SetName(f.Title + ", " + levelWord(f.Level))
	changed = r.more.show(f) || changed
	tells := f.Detail != "" || !r.more.empty()
	if tells == r.line.Disabled() {
		if tells {
			r.line.Enable()
		} else {
			r.line.Disable()
		}
	}
	open := r.open && tells
	if open {
		r.fold.Set(assets.Fold, theme.ColorMuted)
	} else {
		r.fold.Set(assets.Down, theme.ColorMuted)
	}
	before := []bool{r.short.Visible(), r.fold.Visible(), r.below.Visible(), r.detail.Visible(), r.more.content.Visible()}
	show(r.short, !open && f.Detail != "")
	show(r.fold, tells)
	show(r.below, open)
	show(r.detail, f.Detail != "")
	show(r.act, f.Act != "")
	show(r.more.content, !r.more.empty())
	for i, o := range []fyne.CanvasObject{r.short, r.fold, r.below, r.detail, r.more.content} {
		changed = changed || before[i] != o.Visible()
	}
	return changed
}

// factLine puts the detail beside the title where there is room for some of it,
// and below the title elsewhere. A title is a verdict, so it is never cut.
type factLine struct{ width float32 }

// leastDetail is how much of the detail has to fit to be worth reading.
const leastDetail = 120

func (l *factLine) beside(objects []fyne.CanvasObject) (title float32, beside bool) {
	t := objects[0].(*kit.Paragraph)
	title = kit.NewText(kit.Body, t.Text()).MinSize().Width
	return title, l.width == 0 || title+theme.Space12+leastDetail*textScale() <= l.width
}

// MinSize belongs to Fyne.
func (l *factLine) MinSize(objects []fyne.CanvasObject) fyne.Size {
	m := objects[0].MinSize()
	if _, beside := l.beside(objects); !beside && objects[1].Visible() {
		m.Height += objects[1].MinSize().Height
	}
	return m
}

// Layout belongs to Fyne.
func (l *factLine) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	title, short := objects[0], objects[1]
	w, beside := l.beside(objects)
	if !beside || !short.Visible() {
		w = size.Width
	}
	title.Resize(fyne.NewSize(w, title.Size().Height)) // its height is known only then
	h := title.MinSize().Height
	title.Move(fyne.Position{})
	title.Resize(fyne.NewSize(w, h))
	m := short.MinSize()
	if beside {
		short.Move(fyne.NewPos(w+theme.Space12, float32(int((h-m.Height)/2+1))))
		short.Resize(fyne.NewSize(size.Width-w-theme.Space12, m.Height))
		return
	}
	short.Move(fyne.NewPos(0, h))
	short.Resize(fyne.NewSize(size.Width, m.Height))
}
