//go:build !lite

package safety

import (
	"fyne.io/fyne/v2"

	"paddock/assets"
	facts "paddock/safety"
	"paddock/ui/kit"
	"paddock/ui/theme"
)

// card is a fact that needed the owner when the facts were put in order. One
// that was a problem then shows its fix from the start; others fold it.
type card struct {
	s      *Screen
	name   string // the fact's ID
	box    *fyne.Container
	inside fyne.CanvasObject
	loud   bool // was a problem from the start, so its fix never folds while it is one
	level  facts.Level
	fact   facts.Fact

	sign   *kit.Icon
	title  *kit.Paragraph
	detail *kit.Paragraph
	mend   *mend
	how    *kit.Button
	more   *more
	folded bool
	below  *fyne.Container // more and trouble
	green  bool
}

// leastWords is how narrow the words of a card may be before its buttons go
// below them.
const leastWords = 300

func newCard(s *Screen, f facts.Fact) *card {
	c := &card{s: s, name: f.ID, sign: kit.NewIcon("", "", theme.Icon28), more: newMore(), folded: f.Level != facts.Problem, loud: f.Level == facts.Problem}
	kind, ink := kit.Strong, theme.ColorMuted
	if f.Level == facts.Problem {
		kind, ink = kit.Big, theme.ColorText
	}
	c.title, c.detail = kit.NewParagraph(kind, ""), kit.NewParagraph(kit.Body, "").Ink(ink)
	c.mend = newMend(s, c.fold)
	c.how = kit.NewButton(kit.Outlined, "", "", func() {
		c.folded = !c.folded
		c.paint(c.fact)
		s.content.Refresh()
	})
	words := kit.Beside(theme.Space16, leastWords, kit.VBox(0, c.title, c.detail), kit.HBox(theme.Space8, c.mend.act, c.how))
	head := kit.HBox(theme.Space12, c.sign, kit.Grow(words))
	if f.Level == facts.Problem { // beside many lines the sign belongs to the first
		head = kit.HBoxTop(theme.Space12, c.sign, kit.Grow(words))
	}
	c.below = kit.HBoxTop(theme.Space12, column(kit.Space()), kit.Grow(kit.VBox(theme.Space12, c.mend.trouble, c.more.content)))
	c.inside = kit.VBox(theme.Space12, head, c.below)
	c.box = kit.VBox(0)
	return c
}

func (c *card) id() string                { return c.name }
func (c *card) object() fyne.CanvasObject { return c.box }

func (c *card) show(f facts.Fact, green bool) bool {
	c.green = green
	return c.paint(f)
}

// paint says whether things have to be laid out again.
func (c *card) paint(f facts.Fact) bool {
	changed := c.title.Text() != f.Title || c.detail.Text() != f.Detail
	c.fact = f
	if c.level != f.Level || len(c.box.Objects) == 0 {
		changed, c.level = true, f.Level
		c.dress()
	}
	c.title.SetText(f.Title)
	c.detail.SetText(f.Detail)
	changed = c.mend.show(f, c.green) || changed
	changed = c.more.show(f) || changed
	text, icon := "Show how", assets.Down
	if len(f.Fix) == 0 {
		text = "Details"
	}
	if !c.folded {
		text, icon = "Hide", assets.Fold
	}
	c.how.Set(text, icon)
	before := []bool{c.detail.Visible(), c.how.Visible(), c.more.content.Visible()}
	show(c.detail, f.Detail != "")
	show(c.how, !c.more.empty() && !(c.loud && f.Level == facts.Problem))
	show(c.more.content, !c.more.empty() && (!c.folded || c.loud && f.Level == facts.Problem))
	c.fold()
	for i, o := range []fyne.CanvasObject{c.detail, c.how, c.more.content} {
		changed = changed || before[i] != o.Visible()
	}
	return changed
}

// fold leaves out the lower part where there is nothing in it.
func (c *card) fold() { show(c.below, c.more.content.Visible() || c.mend.trouble.Visible()) }

// dress gives the card the colour of its level.
func (c *card) dress() {
	tone, icon := looks(c.level)
	c.sign.Set(icon, tone.Ink())
	switch c.level {
	case facts.Problem, facts.Attention:
		c.box.Objects = []fyne.CanvasObject{kit.NewToneCard(tone, c.inside)}
	case facts.OK, facts.Unknown: // soft colour is for what needs the owner
		c.box.Objects = []fyne.CanvasObject{kit.NewCard(c.inside)}
	}
}
