package logview

import (
	"time"

	"fyne.io/fyne/v2"

	"paddock/assets"
	"paddock/ui/kit"
	"paddock/ui/theme"
)

// bar tells the selected row in one line, whole where its cells are shortened,
// and offers what can be done with it.
type bar struct {
	box      fyne.CanvasObject
	state    *kit.State
	facts    *kit.Text
	copy     *kit.Button
	stop     *kit.Button
	mend     *kit.Button
	mended   *kit.State
	line     *fyne.Container
	question *fyne.Container // in the place of line
	no       *kit.Button
	selected bool
	done     func()
	laid     barShape
}

// barShape is all that decides where things lie in the bar.
type barShape struct {
	canStop, asks bool
	mend          mend
	width         float32
}

// mend is what can be done about a refusal.
type mend int

const (
	noMend mend = iota
	siteMendable
	siteMended // it was done meanwhile
	plainMendable
	plainMended
)

// words are on the button, "" where there is nothing to press.
func (m mend) words() string {
	switch m {
	case siteMendable:
		return "Allow this website"
	case plainMendable:
		return "Allow plain HTTP…"
	case noMend, siteMended, plainMended:
	}
	return ""
}

// mended says that it was done, or "".
func (m mend) mended() string {
	switch m {
	case siteMended:
		return "Allowed now"
	case plainMended:
		return "Plain HTTP is allowed now"
	case noMend, siteMendable, plainMendable:
	}
	return ""
}

const plainQuestion = "Better give them the https:// address, and a new key in place of the one that could be read on its way. " +
	"If you allow plain HTTP, anyone who listens in on this network can read keys, prompts and answers."

func newBar(copyRow, stopRow, mendRow func(), answer func(yes bool), clear func()) *bar {
	b := &bar{state: kit.NewState(kit.Allowed, "", ""), facts: kit.NewText(kit.CellMuted, "").Shorten(kit.CutEnd)}
	b.copy = kit.NewCopyButton(kit.Outlined, kit.CopyWords{Copy: "Copy row", Copied: "Copied"}, func(done func()) {
		b.done = done
		copyRow()
	})
	b.stop = kit.NewButton(kit.Outlined, "Stop", assets.Stop, stopRow)
	b.mend = kit.NewButton(kit.Outlined, "", "", mendRow)
	b.mended = kit.NewState(kit.Allowed, "", "").InRow()
	b.line = kit.HBox(theme.Space12, b.state, kit.Grow(b.facts), b.mended, b.mend, b.stop, b.copy,
		kit.NewButton(kit.Outlined, "", assets.Close, clear).Named("Clear selection"))
	b.no = kit.NewButton(kit.Outlined, "Keep it encrypted", "", func() { answer(false) })
	b.question = kit.HBox(theme.Space12, kit.NewIcon(assets.Attention, theme.ColorAttention, theme.Icon16), kit.Grow(kit.NewParagraph(kit.Note, plainQuestion)),
		b.no, kit.NewButton(kit.Outlined, "Allow plain HTTP", "", func() { answer(true) }))
	b.question.Hide()
	b.box = kit.NewGround(theme.ColorSurface, kit.Edges(kit.NewDivider(), nil, nil, nil,
		kit.Padded(rowMargin, theme.Space8, rowMargin, theme.Space8, kit.VBox(0, b.line, b.question))))
	return b
}

func (b *bar) show(s Slot, selected bool, m mend, asks bool, now time.Time) {
	b.selected = selected
	if !selected {
		return
	}
	result, facts := Summary(s.Entry, now)
	sign := marks[mark(s.Entry)]
	if s.Stopping {
		result, sign = "Stopping…", marks[MarkStopped]
	}
	b.state.Set(sign.tone, sign.icon, result)
	b.facts.SetText(facts)
	laid := barShape{!s.Ended && !s.Stopping, asks, m, b.state.MinSize().Width}
	if laid == b.laid {
		return
	}
	b.laid = laid
	if words := m.words(); words != "" {
		b.mend.Set(words, mendIcon(m))
	}
	if words := m.mended(); words != "" {
		b.mended.Set(kit.Allowed, "", words)
	}
	show(b.stop, laid.canStop)
	show(b.mend, m.words() != "")
	show(b.mended, m.mended() != "")
	show(b.line, !asks)
	show(b.question, asks)
	b.line.Refresh()
	b.box.Refresh()
}

func mendIcon(m mend) assets.Icon {
	if m == siteMendable {
		return assets.Websites
	}
	return ""
}

// copied says on the button that the row is in the clipboard, whichever way it
// was copied.
func (b *bar) copied() {
	if b.done != nil {
		b.done()
		b.done = nil
	}
}
