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
	allow    *kit.Button
	mended   *kit.State
	line     *fyne.Container
	selected bool
	done     func()
	width    float32
}

// mend is what can be done about a refusal.
type mend int

const (
	noMend mend = iota
	mendable
	mended // it was done meanwhile
)

const allowWords = "Allow this website"

func newBar(copyRow, stopRow, allowRow, clear func()) *bar {
	b := &bar{state: kit.NewState(kit.Allowed, "", ""), facts: kit.NewText(kit.CellMuted, "").Shorten(kit.CutEnd)}
	b.copy = kit.NewCopyButton(kit.Outlined, kit.CopyWords{Copy: "Copy row", Copied: "Copied"}, func(done func()) {
		b.done = done
		copyRow()
	})
	b.stop = kit.NewButton(kit.Outlined, "Stop", assets.Stop, stopRow)
	b.allow = kit.NewButton(kit.Outlined, allowWords, assets.Websites, allowRow)
	b.mended = kit.NewState(kit.Allowed, "", "Allowed now").InRow()
	b.line = kit.HBox(theme.Space12, b.state, kit.Grow(b.facts), b.mended, b.allow, b.stop, b.copy,
		kit.NewButton(kit.Outlined, "", assets.Close, clear).Named("Clear selection"))
	b.box = kit.NewGround(theme.ColorSurface, kit.Edges(kit.NewDivider(), nil, nil, nil,
		kit.Padded(rowMargin, theme.Space8, rowMargin, theme.Space8, b.line)))
	return b
}

func (b *bar) show(s Slot, selected bool, m mend, now time.Time) {
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
	canStop := !s.Ended && !s.Stopping
	width := b.state.MinSize().Width
	if canStop != b.stop.Visible() || width != b.width || (m == mendable) != b.allow.Visible() || (m == mended) != b.mended.Visible() {
		b.width = width
		show(b.stop, canStop)
		show(b.allow, m == mendable)
		show(b.mended, m == mended)
		b.line.Refresh()
	}
}

// copied says on the button that the row is in the clipboard, whichever way it
// was copied.
func (b *bar) copied() {
	if b.done != nil {
		b.done()
		b.done = nil
	}
}
