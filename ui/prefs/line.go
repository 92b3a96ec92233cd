//go:build !lite

package prefs

import (
	"context"
	"strconv"

	"fyne.io/fyne/v2"

	"paddock/assets"
	"paddock/ui/kit"
	"paddock/ui/theme"
)

// leastWords is how narrow the words of a line may be before its control goes
// below them.
const leastWords = 280

// newCard is a title with lines under it.
func newCard(title string, lines ...fyne.CanvasObject) *fyne.Container {
	all := kit.VBox(0, kit.Padded(theme.CardPadX, theme.Space12, theme.CardPadX, theme.Space12, kit.NewText(kit.Strong, title)))
	for _, l := range lines {
		all.Add(kit.VBox(0, kit.NewDivider(), kit.Padded(theme.CardPadX, theme.Space12, theme.CardPadX, theme.Space12, l)))
	}
	return kit.NewTableCard(all)
}

// newLine is one choice: what it is and why at the left, its control at the
// right, and what else belongs to it below. setting is its name on the command
// line, or "".
func newLine(label, setting string, reason, control fyne.CanvasObject, below ...fyne.CanvasObject) *fyne.Container {
	head := kit.HBox(theme.Space8, kit.NewText(kit.Body, label), kit.Grow(kit.NewText(kit.MonoSmall, setting).Shorten(kit.CutEnd)))
	words := kit.VBox(0, head, reason)
	var top fyne.CanvasObject = words
	if control != nil {
		top = kit.Beside(theme.Space16, leastWords, words, control)
	}
	return kit.VBox(theme.Space8, append([]fyne.CanvasObject{top}, below...)...)
}

// note says in place what goes on or what went wrong.
type note struct {
	content *fyne.Container
	sign    *kit.Icon
	words   *kit.Paragraph
}

func newNote() *note {
	n := &note{sign: kit.NewIcon("", "", theme.Icon16), words: kit.NewParagraph(kit.Note, "")}
	n.content = kit.HBoxTop(theme.Space8, n.sign, kit.Grow(n.words))
	n.content.Hide()
	return n
}

// set says a sentence; an empty one says nothing. It says whether anything changed.
func (n *note) set(tone kit.Tone, sentence string) bool {
	n.sign.Set(tone.Icon(), tone.Ink())
	changed := n.words.Text() != sentence
	n.words.Ink(tone.Ink()).SetText(sentence)
	return show(n.content, sentence != "") || changed
}

// question asks in place, before something that takes away from others.
type question struct {
	s       *Screen
	content *fyne.Container
	no      *kit.Button
	back    fyne.Focusable // gets the keyboard when it is answered
}

// newQuestion is not on the screen yet. agreed runs when the owner says yes.
func newQuestion(s *Screen, sentence, yes, no string, agreed func()) *question {
	q := &question{s: s}
	agree := kit.NewButton(kit.Outlined, yes, "", func() {
		q.close()
		agreed()
	})
	q.no = kit.NewButton(kit.Outlined, no, "", q.close)
	agree.OnEscape(q.close)
	q.no.OnEscape(q.close)
	q.content = kit.HBoxTop(theme.Space8, kit.Padded(0, 2, 0, 0, kit.NewIcon(assets.Attention, theme.ColorAttention, theme.Icon16)),
		kit.Grow(kit.VBox(theme.Space8, kit.NewParagraph(kit.Body, sentence), kit.Flow(theme.Space8, agree, q.no))))
	q.content.Hide()
	return q
}

// open asks, with the keyboard on the answer that changes nothing.
func (q *question) open(back fyne.Focusable) {
	q.back = back
	if show(q.content, true) {
		q.s.content.Refresh()
	}
	q.s.o.Focus(q.no)
}

func (q *question) close() {
	if show(q.content, false) {
		q.s.content.Refresh()
		q.s.o.Focus(q.back)
	}
}

// toggle is a line with a switch.
type toggle struct {
	s       *Screen
	content *fyne.Container
	power   *kit.Switch
	word    *kit.Text
	reason  *kit.Paragraph
	trouble *note
	set     func(on bool) error // off Fyne's thread
	first   *question           // asked before it is switched on, or nil
	written func(on bool)       // told on Fyne's thread that set has worked, or nil
	done    bool                // the last change was written, and the State may say so
}

// newToggle is a line for a setting that is true or false. below comes before
// what went wrong.
func newToggle(s *Screen, label, setting, reason string, below ...fyne.CanvasObject) *toggle {
	t := &toggle{s: s, word: kit.NewText(kit.Note, ""), reason: kit.NewParagraph(kit.Small, reason), trouble: newNote()}
	t.set = func(on bool) error { return s.o.Keeper.Set(setting, strconv.FormatBool(on)) }
	t.power = kit.NewSwitch(label, func(on bool) {
		if on && t.first != nil {
			t.first.open(t.power)
			return
		}
		t.ask(on)
	})
	control := kit.HBox(theme.Space8, t.power, kit.Sized(wordWidth(), 0, t.word))
	t.content = newLine(label, setting, t.reason, control, append(below, t.trouble.content)...)
	return t
}

// asking has a question answered before the switch goes on.
func (t *toggle) asking(sentence, yes, no string) *toggle {
	t.first = newQuestion(t.s, sentence, yes, no, func() { t.ask(true) })
	t.content.Add(t.first.content)
	return t
}

func (t *toggle) ask(on bool) {
	t.done = false
	t.power.SetPending(true)
	if t.trouble.set(kit.Attention, "") {
		t.s.content.Refresh()
	}
	t.s.run(func(context.Context) error { return t.set(on) }, func(err error) {
		t.done = true
		if err != nil {
			t.power.SetPending(false)
			t.trouble.set(kit.Attention, t.s.o.Say(err))
			return
		}
		if t.written != nil {
			t.written(on)
		}
	})
}

// show paints the value.
func (t *toggle) show(on bool) {
	if t.power.On() != on || t.power.Pending() && t.done {
		t.power.SetOn(on)
	}
	t.word.SetText(onWord(on))
	if on && t.first != nil {
		t.first.close() // switched on elsewhere meanwhile
	}
}

// onWord stands beside a switch.
func onWord(on bool) string {
	if on {
		return "On"
	}
	return "Off"
}

// wordWidth holds the longer of the words beside a switch, so that switches lie
// under each other.
func wordWidth() float32 {
	return max(kit.NewText(kit.Note, onWord(true)).MinSize().Width, kit.NewText(kit.Note, onWord(false)).MinSize().Width)
}
