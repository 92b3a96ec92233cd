package logview

import "fyne.io/fyne/v2"

// FocusGained belongs to Fyne.
func (b *board) FocusGained() {
	b.focused, b.quiet = true, false
	b.showRing()
}

// FocusLost belongs to Fyne.
func (b *board) FocusLost() {
	b.focused = false
	b.showRing()
}

// TypedRune belongs to Fyne.
func (b *board) TypedRune(r rune) {
	if r == '?' {
		b.help()
	}
}

// TypedKey belongs to Fyne.
func (b *board) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyDown:
		b.move(1)
	case fyne.KeyUp:
		b.move(-1)
	case fyne.KeyPageDown:
		b.move(b.page())
	case fyne.KeyPageUp:
		b.move(-b.page())
	case fyne.KeyHome:
		b.release()
	case fyne.KeyEnd:
		b.release()
		b.toEnd()
	case fyne.KeySpace:
		b.follow()
	case fyne.KeyEscape:
		b.Select(Key{})
	case fyne.KeyDelete, fyne.KeyBackspace:
		b.stopRow()
	}
}

// TypedShortcut belongs to Fyne.
func (b *board) TypedShortcut(s fyne.Shortcut) {
	switch s.(type) {
	case *fyne.ShortcutCopy:
		b.copyRow()
	}
}

func (b *board) move(by int) {
	b.feed.Move(by)
	b.sync()
	b.reveal()
}

// page is as many rows as are seen at once, less one to read on from.
func (b *board) page() int {
	return max(int(b.done.scroll.Size().Height/b.done.rowHeight())-1, 1)
}

func (b *board) toEnd() {
	b.done.scroll.ScrollToOffset(fyne.NewPos(0, max(b.done.contentHeight()-b.done.scroll.Size().Height, 0)))
	b.sync()
}

// windowKeys gives the board every key that no other widget of the window takes.
func (b *board) windowKeys(c fyne.Canvas) {
	c.SetOnTypedKey(b.TypedKey)
	c.SetOnTypedRune(b.TypedRune)
	c.AddShortcut(&fyne.ShortcutCopy{}, b.TypedShortcut)
}
