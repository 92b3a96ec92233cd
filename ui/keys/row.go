//go:build !lite

package keys

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"paddock/assets"
	"paddock/keystore"
	"paddock/ui/kit"
	"paddock/ui/theme"
)

// row is one key in the table. Selecting it unfolds what can be done with it.
type row struct {
	l   *list
	key keystore.Key
	row *kit.Row

	chip             *kit.Chip
	name, hint       *kit.Text
	role, ends       *kit.Text
	models, which    *kit.Text
	rate, atOnce     *kit.Text
	used             *kit.Text
	requests, tokens *kit.Text
	word             *kit.Text
	power            *kit.Switch
	grace            *fyne.Container // that an old secret still works
	graceWords       *kit.Text

	under  *fyne.Container // what unfolds; made when it first does
	parts  *unfolded
	folded bool

	job       *job
	unsaid    string // what to say when the job is cancelled
	switching bool
}

// columnGap is the room between two columns.
const columnGap = 14

// beforeName is the chip's column.
const beforeName = theme.CardPadX + 32 + columnGap

// unfolded is the part under a selected row. It shows one of four things:
// what can be done, a question about removing, one about a new secret, or waiting.
type unfolded struct {
	facts    *kit.Paragraph
	actions  *fyne.Container
	copy     *kit.Button
	question *fyne.Container
	keep     *kit.Button
	renew    *renewal
	waiting  *fyne.Container
	cancel   *kit.Button
	outcome  *fyne.Container
	sign     *kit.Icon
	sentence *kit.Paragraph
}

func newRow(l *list, k keystore.Key) *row {
	r := &row{
		l: l, folded: true,
		chip: kit.NewChip("", 0, true), name: kit.NewText(kit.Strong, "").Shorten(kit.CutEnd), hint: kit.NewText(kit.MonoSmall, ""),
		role: kit.NewText(kit.Body, ""), ends: kit.NewText(kit.Small, ""),
		models: kit.NewText(kit.Body, "").Shorten(kit.CutEnd), which: kit.NewText(kit.Small, "").Shorten(kit.CutEnd),
		rate: kit.NewText(kit.Body, "").Shorten(kit.CutEnd), atOnce: kit.NewText(kit.Small, "").Shorten(kit.CutEnd),
		used: kit.NewText(kit.Muted, ""), word: kit.NewText(kit.Note, ""),
		requests: kit.NewText(kit.Body, "").Right(), tokens: kit.NewText(kit.Small, "").Right(),
		graceWords: kit.NewText(kit.Small, "").Ink(theme.ColorWaiting).Shorten(kit.CutEnd),
	}
	id := k.ID
	r.power = kit.NewSwitch(k.Name+" may use Ollama", func(on bool) { l.suspend(id, on) })
	cells := l.columns.Cells(r.chip, kit.VBox(0, r.name, r.hint), kit.VBox(0, r.role, r.ends),
		kit.VBox(0, r.models, r.which), kit.VBox(0, r.rate, r.atOnce), r.used, kit.VBox(0, r.requests, r.tokens), kit.HBox(theme.Space8, r.power, r.word))
	r.under = kit.VBox(theme.Space8)
	r.under.Hide()
	r.grace = kit.Padded(beforeName, 0, theme.CardPadX, theme.Space12,
		kit.HBox(theme.Space8, kit.NewIcon(assets.Waiting, theme.ColorWaiting, theme.Icon14), kit.Grow(r.graceWords)))
	r.grace.Hide()
	top := keyRowHeight{cells}
	r.row = kit.NewRow(k.Name, theme.SizeKeyRow, kit.VBox(0, top.box(), r.grace, r.under), func() {
		if l.chosen == id {
			l.choose("")
		} else {
			l.choose(id)
		}
	})
	return r
}

// keyRowHeight keeps the cells as high as a row, also while more is unfolded
// below them.
type keyRowHeight struct{ cells *fyne.Container }

func (h keyRowHeight) box() *fyne.Container { return container.New(h, h.cells) }

// MinSize belongs to Fyne.
func (h keyRowHeight) MinSize([]fyne.CanvasObject) fyne.Size {
	m := h.cells.MinSize()
	m.Height = max(m.Height+2*theme.Space8, fyne.CurrentApp().Settings().Theme().Size(theme.SizeKeyRow))
	return m
}

// Layout belongs to Fyne.
func (h keyRowHeight) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	h.cells.Move(fyne.Position{})
	h.cells.Resize(size)
}

// set paints a key and says whether the row may be of another height now.
func (r *row) set(k keystore.Key, now time.Time) bool {
	r.key = k
	at := standingOf(k, now)
	r.chip.Set(letterOf(k.Name), k.Colour+1)
	ink := fyne.ThemeColorName("")
	if at != working {
		ink = theme.ColorMuted // still readable, and plainly not in use
	}
	r.name.Set(k.Name, ink)
	r.hint.SetText(k.Hint + "…")
	r.role.Set(roleWord(k.Grant.Role), ink)
	r.ends.SetText(endsWord(k.Grant.Expires, now))
	models, which := modelsWords(k.Grant)
	r.models.Set(models, ink)
	r.which.SetText(which)
	rate, atOnce := limitWords(k.Grant)
	r.rate.Set(rate, ink)
	r.atOnce.SetText(atOnce)
	r.used.SetText(agoWord(k.LastUsed, now))
	requests, tokens, spent := todayWords(k)
	r.requests.Set(requests, ink)
	tokenInk := fyne.ThemeColorName("")
	if spent {
		tokenInk = theme.ColorAttention
	}
	r.tokens.Set(tokens, tokenInk)
	old := graceWords(k, now)
	r.graceWords.SetText(old)
	grown := (old != "") != r.grace.Visible()
	show(r.grace, old != "")
	word, tone := at.word()
	wordInk := theme.ColorText
	if tone != kit.Neutral {
		wordInk = tone.Ink()
	}
	r.word.Set(word, wordInk)
	r.paintSwitch()
	if r.folded {
		return grown
	}
	facts := factWords(k, now, r.l.whole())
	if facts == r.parts.facts.Text() {
		return grown
	}
	r.parts.facts.SetText(facts)
	return true
}

// paintSwitch shows what the key is. A key that has expired cannot be let in.
func (r *row) paintSwitch() {
	at := standingOf(r.key, r.l.s.o.Now())
	on := at == working
	if r.power.On() != on || r.power.Pending() != r.switching {
		r.power.SetOn(on)
		r.power.SetPending(r.switching)
	}
	if off := at == expired; off != r.power.Disabled() {
		if off {
			r.power.Disable()
		} else {
			r.power.Enable()
		}
	}
}

func (r *row) unfold() {
	if r.parts == nil {
		r.parts = r.build()
	}
	r.folded = false
	r.parts.facts.SetText(factWords(r.key, r.l.s.o.Now(), r.l.whole()))
	r.row.SetSelected(true)
	r.under.Show()
}

func (r *row) fold() {
	r.folded = true
	r.row.SetSelected(false)
	r.under.Hide()
	if r.job == nil {
		r.showPart(r.parts.actions)
		show(r.parts.outcome, false)
	}
}

func (r *row) build() *unfolded {
	id, u := r.key.ID, &unfolded{}
	u.facts = kit.NewParagraph(kit.Small, "")
	u.copy = kit.NewCopyButton(kit.Primary, kit.CopyWords{Copy: "Copy key", Copied: "Copied"}, func(done func()) { r.l.copy(id, done, func() {}) })
	u.renew = newRenewal(r)
	u.actions = kit.HBoxTop(theme.Space8, kit.Grow(kit.Flow(theme.Space8, u.copy,
		kit.NewButton(kit.Outlined, "How to connect", "", func() { r.l.s.howTo(r.key, keystore.Secret{}, false) }),
		kit.NewButton(kit.Outlined, "Edit…", "", func() { r.l.s.edit(r.key) }),
		kit.NewButton(kit.Outlined, "New secret…", "", func() { r.askRenewal() }))),
		kit.NewButton(kit.Outlined, "Remove…", "", func() { r.askRemove() }))
	u.keep = kit.NewButton(kit.Outlined, "Keep it", "", func() {
		r.showPart(u.actions)
		r.l.content.Refresh()
	})
	u.question = kit.VBox(theme.Space8,
		kit.NewParagraph(kit.Body, "Remove this key for good? It is refused at once, and what runs with it is cut. Whoever uses it needs a new key."),
		kit.HBox(theme.Space8, kit.NewButton(kit.Outlined, "Remove the key", "", func() {
			r.showPart(u.actions)
			r.l.remove(id)
		}), u.keep))
	u.cancel = kit.NewButton(kit.Outlined, "Cancel", "", func() { r.cancel() })
	u.waiting = kit.HBox(theme.Space8, kit.NewIcon(assets.Waiting, theme.ColorWaiting, theme.Icon16), kit.NewText(kit.Body, waitingWords).Ink(theme.ColorWaiting), u.cancel)
	u.sign, u.sentence = kit.NewIcon(assets.Allowed, theme.ColorAllowed, theme.Icon16), kit.NewParagraph(kit.Note, "")
	u.outcome = kit.HBoxTop(theme.Space8, u.sign, kit.Grow(u.sentence))
	for _, o := range []fyne.CanvasObject{u.question, u.renew.content, u.waiting, u.outcome} {
		o.Hide()
	}
	r.under.Objects = []fyne.CanvasObject{kit.Padded(beforeName, 0, theme.CardPadX, theme.Space16, kit.VBox(theme.Space12, u.facts, u.actions, u.question, u.renew.content, u.waiting, u.outcome))}
	return u
}

func (r *row) showPart(part *fyne.Container) {
	for _, o := range []*fyne.Container{r.parts.actions, r.parts.question, r.parts.renew.content, r.parts.waiting} {
		show(o, o == part)
	}
}

func (r *row) askRemove() {
	show(r.parts.outcome, false)
	r.showPart(r.parts.question)
	r.l.content.Refresh()
	r.l.reveal(r)
	r.l.s.o.Focus(r.parts.keep) // never on what cannot be undone
}

func (r *row) askRenewal() {
	show(r.parts.outcome, false)
	r.parts.renew.open()
	r.showPart(r.parts.renew.content)
	r.l.content.Refresh()
	r.l.reveal(r)
	r.l.s.o.Focus(r.parts.renew.keep)
}

// wait shows that the keychain is asked.
func (r *row) wait(j *job, cancelled string) {
	r.job, r.unsaid = j, cancelled
	if r.parts == nil {
		r.parts = r.build()
	}
	show(r.parts.outcome, false)
	r.l.content.Refresh()
	r.l.s.later(func() {
		if r.job == j {
			r.showPart(r.parts.waiting)
			r.l.content.Refresh()
		}
	})
}

func (r *row) cancel() {
	if r.job == nil {
		return
	}
	r.job.cancel()
	r.job = nil
	r.showPart(r.parts.actions)
	r.tell(kit.Paused, r.unsaid)
}

// ended takes the end of a job and says whether nobody waits for it any more.
func (r *row) ended(j *job, err error) (late bool) {
	if r.job != j {
		return true
	}
	r.job = nil
	r.showPart(r.parts.actions)
	if err != nil {
		r.tell(kit.Attention, r.l.s.o.Say(err))
	} else {
		r.l.content.Refresh()
	}
	return false
}

// tell says below the buttons what became of it.
func (r *row) tell(tone kit.Tone, sentence string) {
	r.parts.sign.Set(tone.Icon(), tone.Ink())
	r.parts.sentence.SetText(sentence)
	show(r.parts.outcome, true)
	r.l.content.Refresh()
	if !r.folded {
		r.l.reveal(r)
	}
}
