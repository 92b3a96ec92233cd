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
	line     *fyne.Container
	selected bool
	done     func()
	width    float32
}

func newBar(copyRow, stopRow, clear func()) *bar {
	b := &bar{state: kit.NewState(kit.Allowed, "", ""), facts: kit.NewText(kit.CellMuted, "").Shorten(kit.CutEnd)}
	b.copy = kit.NewCopyButton(kit.Outlined, kit.CopyWords{Copy: "Copy row", Copied: "Copied"}, func(done func()) {
		b.done = done
		copyRow()
	})
	b.stop = kit.NewButton(kit.Outlined, "Stop", assets.Stop, stopRow)
	b.line = kit.HBox(theme.Space12, b.state, kit.Grow(b.facts), b.stop, b.copy,
		kit.NewButton(kit.Outlined, "", assets.Close, clear).Named("Clear selection"))
	b.box = kit.NewGround(theme.ColorSurface, kit.Edges(kit.NewDivider(), nil, nil, nil,
		kit.Padded(rowMargin, theme.Space8, rowMargin, theme.Space8, b.line)))
	return b
}

func (b *bar) show(s Slot, selected bool, now time.Time) {
	b.selected = selected
	if !selected {
		return
	}
	result, facts := Summary(s.Entry, now)
	m := marks[mark(s.Entry)]
	if s.Stopping {
		result, m = "Stopping…", marks[MarkStopped]
	}
	b.state.Set(m.tone, m.icon, result)
	b.facts.SetText(facts)
	canStop := !s.Ended && !s.Stopping
	width := b.state.MinSize().Width
	if canStop != b.stop.Visible() || width != b.width {
		b.width = width
		show(b.stop, canStop)
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
