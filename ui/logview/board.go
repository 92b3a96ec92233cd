package logview

import (
	"fmt"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"paddock/assets"
	"paddock/policy"
	"paddock/ui/kit"
	"paddock/ui/theme"
)

// board is everything about rows: titles, the running ones, the band that
// counts what waits, the finished ones, and the bar of the selected row. It
// has the keyboard for all of them.
type board struct {
	widget.BaseWidget
	feed *Feed
	now  func() time.Time
	grid *grid

	header             *kit.Header
	running, done      *lines
	band               *band
	bar                *bar
	headRule, bandRule *kit.Divider // under the titles, and over the band where no row has its line
	ring               *kit.FocusRing
	focused            bool
	quiet              bool // the keyboard came here without the keyboard: no ring

	asked   Key     // the row that asks whether plain HTTP is to be allowed
	pinned  int     // how many running rows there is room for
	shift   float32 // how far the finished rows were scrolled by us and not by the owner
	laidOut fyne.Size

	stop    func(id string)
	copy    func(text string)
	allow   func(origin string)      // let a website in
	allowed func(origin string) bool // whether it is in by now
	// allowHTTP lets requests in that are not encrypted; inClear says whether
	// they are by now.
	allowHTTP func()
	inClear   func() bool
	follow    func() // Space
	help      func() // "?"
	kick      func() // have the feed looked at again soon
	moved     func() // the pointer moved
	changed   func() // what stands around the rows may have to change
}

// type check
var (
	_ fyne.Focusable    = (*board)(nil)
	_ fyne.Shortcutable = (*board)(nil)
	_ fyne.Accessible   = (*board)(nil)
)

func newBoard(feed *Feed, now func() time.Time) *board {
	b := &board{feed: feed, now: now, grid: newGrid(), pinned: 1, ring: kit.NewFocusRing(0), headRule: kit.NewDivider(), bandRule: kit.NewDivider()}
	b.header = kit.NewHeader(b.grid.columns).OnGround()
	b.running = newLines(b.grid, func() int { return len(feed.Slots()) }, b.runningItem)
	b.done = newLines(b.grid, feed.Len, b.doneItem)
	b.running.onPointer = func(over bool) { b.pointerAt(over, b.running.pointed()) }
	b.done.onPointer = func(over bool) { b.pointerAt(over, -1) }
	b.running.onTap = func(i int, onStop bool) {
		if s := b.feed.Slots()[i]; onStop {
			b.stop(s.Entry.ID)
		} else {
			b.tap(s.key)
		}
	}
	b.done.onTap = func(i int, _ bool) { b.tap(keyOf(b.feed.Row(i))) }
	b.running.onMenu = func(i int, at fyne.Position) { b.menu(b.feed.Slots()[i].key, at) }
	b.done.onMenu = func(i int, at fyne.Position) { b.menu(keyOf(b.feed.Row(i)), at) }
	b.done.scroll.OnScrolled = func(fyne.Position) {
		b.done.update()
		b.kick() // the offset must not change in here
	}
	b.band = newBand(b.release)
	b.bar = newBar(func() { b.copyRow() }, func() { b.stopRow() }, func() { b.mendRow() }, b.answer, func() { b.Select(Key{}) })
	b.ExtendBaseWidget(b)
	return b
}

func (b *board) runningItem(i int) item {
	s := b.feed.Slots()[i]
	return item{
		slot: s, canStop: !s.Ended && !s.Stopping, selected: b.feed.Selected() == s.key,
		textOf: func(s Slot) RowText {
			if s.Stopping {
				return Row(s.Entry, b.now()).Stopping()
			}
			return Row(s.Entry, b.now())
		},
	}
}

func (b *board) doneItem(i int) item {
	e := b.feed.Row(i)
	k := keyOf(e)
	return item{
		slot: Slot{Entry: e, Ended: true, key: k}, selected: b.feed.Selected() == k, remembers: true,
		textOf: func(s Slot) RowText { return Row(s.Entry, b.now()) },
	}
}

func (b *board) pointerAt(over bool, slot int) {
	b.moved()
	if !over {
		// Between the two lists the pointer is over neither for a moment; the
		// next paint knows better.
		b.kick()
		return
	}
	b.feed.SetPointer(true, slot)
}

// sync paints the feed as it is now.
func (b *board) sync() {
	b.feed.SetScrolled(b.done.scroll.Offset.Y > b.shift+0.5)
	switch {
	case b.running.over:
		b.feed.SetPointer(true, b.running.pointed())
	default:
		b.feed.SetPointer(b.done.over, -1)
	}
	b.running.note.SetText("")
	if len(b.feed.Slots()) == 0 {
		b.running.note.SetText("Nothing is running")
	}
	b.done.note.SetText(olderWords(b.feed.Older()))
	b.band.show(b.feed)
	slot, selected := b.feed.SelectedSlot()
	if slot.key != b.asked {
		b.asked = Key{} // another row is selected
	}
	b.bar.show(slot, selected, b.mend(slot), b.asked != Key{}, b.now())
	b.arrange(b.Size())
	b.changed()
}

// arrange gives every part its place. The finished rows stay where they are on
// the screen while they are held, whatever grows above them.
func (b *board) arrange(s fyne.Size) {
	if s.Width <= 0 || s.Height <= 0 {
		return
	}
	l := lookNow()
	rowHeight, head, bandHeight := l.size(theme.SizeLogRow), l.size(theme.SizeTableHead), b.band.MinSize().Height
	if b.grid.fit(s.Width, l.scale()) {
		b.header.Refresh()
	}
	barHeight := float32(0)
	show(b.bar.box, b.bar.selected)
	if b.bar.selected {
		b.bar.box.Resize(fyne.NewSize(s.Width, b.bar.box.Size().Height)) // a question knows its height only then
		barHeight = b.bar.box.MinSize().Height
	}
	held := b.feed.Hold() != NotHeld
	most := max(int((s.Height-head-bandHeight-barHeight)*0.45/rowHeight), 1)
	before, offset := b.pinned, b.done.scroll.Offset.Y
	b.pinned = min(max(len(b.feed.Slots()), 1), most)
	if held {
		// What the rows below would have to move by, they are scrolled by. Upwards
		// that ends at their top: then the room stays until nothing is held.
		least := before - int(offset/rowHeight)
		if b.Size() == b.laidOut && b.pinned < least {
			b.pinned = min(least, before)
		}
		by := float32(b.pinned-before) * rowHeight
		offset = max(offset+by, 0)
		b.shift = min(max(b.shift+by, 0), offset)
	} else {
		offset, b.shift = 0, 0
	}
	b.laidOut = s

	y := float32(0)
	place(b.header, 0, y, s.Width, head)
	place(b.headRule, 0, head-1, s.Width, 1)
	y += head
	pinnedHeight := float32(b.pinned) * rowHeight
	place(b.running.scroll, 0, y, s.Width, pinnedHeight)
	y += pinnedHeight
	place(b.bandRule, 0, y-1, s.Width, 1)
	place(b.band, 0, y, s.Width, bandHeight)
	y += bandHeight
	rest := max(s.Height-y-barHeight, 0)
	b.done.least = 0
	if held {
		b.done.least = offset + rest
	}
	place(b.done.scroll, 0, y, s.Width, rest)
	place(b.bar.box, 0, y+rest, s.Width, barHeight)
	b.ring.Surround(fyne.NewPos(4, head+4), fyne.NewSize(s.Width-8, s.Height-head-8))
	b.running.settle()
	b.done.settle()
	b.done.scroll.ScrollToOffset(fyne.NewPos(0, offset))
	b.running.update()
	b.done.update()
	b.showRing()
}

// tap selects a row by the pointer, which also takes the keyboard.
func (b *board) tap(k Key) {
	b.takeFocus()
	before := b.done.scroll.Offset.Y
	b.Select(k)
	// The bar of the selected row may have pushed it up. That is no scrolling by
	// the owner, and ends with the selection.
	b.shift += max(b.done.scroll.Offset.Y-before, 0)
}

func (b *board) takeFocus() {
	if c := fyne.CurrentApp().Driver().CanvasForObject(b); c != nil {
		c.Focus(b)
		b.quiet = true
	}
}

// Select selects a row, or none, and shows it.
func (b *board) Select(k Key) {
	b.feed.Select(k)
	b.sync()
	b.reveal()
}

// reveal scrolls as little as it takes to show the selected row.
func (b *board) reveal() {
	k := b.feed.Selected()
	if i := b.feed.rowOf(k); i >= 0 {
		b.done.reveal(i)
	}
	if i := b.feed.slotOf(k); i >= 0 {
		b.running.reveal(i)
	}
}

func (l *lines) reveal(i int) {
	h, offset, seen := l.rowHeight(), l.scroll.Offset.Y, l.scroll.Size().Height
	y := float32(i) * h
	switch {
	case y < offset:
		offset = y
	case y+h > offset+seen:
		offset = y + h - seen
	}
	l.scroll.ScrollToOffset(fyne.NewPos(0, offset))
	l.update()
}

// release lists what waits and shows the newest.
func (b *board) release() {
	b.feed.Release()
	b.done.scroll.ScrollToOffset(fyne.Position{})
	b.shift = 0
	b.sync()
}

// followAgain ends every hold that the owner can end.
func (b *board) followAgain() {
	b.feed.Select(Key{})
	b.feed.SetPaused(false)
	b.release()
}

// selectedLine returns the selected row as text to copy.
func (b *board) selectedLine() (string, bool) {
	s, ok := b.feed.SelectedSlot()
	if !ok {
		return "", false
	}
	return CopyText(s.Entry, b.now()), true
}

func (b *board) copyRow() {
	if line, ok := b.selectedLine(); ok {
		b.copy(line)
		b.bar.copied()
	}
}

func (b *board) stopRow() {
	if s, ok := b.feed.SelectedSlot(); ok && !s.Ended && !s.Stopping {
		b.stop(s.Entry.ID)
	}
}

// mend says what can be done about a refusal. An origin that no browser spells so
// cannot be allowed.
func (b *board) mend(s Slot) mend {
	origin := s.Entry.Origin
	switch {
	case s.Entry.Reason == policy.PlainHTTP && b.inClear():
		return plainMended
	case s.Entry.Reason == policy.PlainHTTP:
		return plainMendable
	case s.Entry.Reason != policy.OriginNotAllowed || !policy.CleanOrigin(origin):
		return noMend
	case b.allowed(origin):
		return siteMended
	}
	return siteMendable
}

// mendRow lets a website in. Before plain HTTP is allowed, which weakens the gate
// for everybody, the bar asks.
func (b *board) mendRow() {
	s, ok := b.feed.SelectedSlot()
	if !ok {
		return
	}
	switch b.mend(s) {
	case siteMendable:
		b.allow(s.Entry.Origin)
	case plainMendable:
		b.asked = s.key
		b.sync()
		b.reveal()
		if c := fyne.CurrentApp().Driver().CanvasForObject(b); c != nil {
			c.Focus(b.bar.no) // the answer that changes nothing
		}
	case noMend, siteMended, plainMended:
	}
}

// answer is what the owner says to the question of the bar.
func (b *board) answer(yes bool) {
	b.asked = Key{}
	if yes {
		b.allowHTTP()
	}
	b.sync()
	b.takeFocus()
}

// menu is what the other mouse button opens.
func (b *board) menu(k Key, at fyne.Position) {
	b.tap(k)
	s, ok := b.feed.SelectedSlot()
	c := fyne.CurrentApp().Driver().CanvasForObject(b)
	if !ok || c == nil {
		return
	}
	items := []*fyne.MenuItem{{Label: "Copy row", Action: b.copyRow}}
	if !s.Ended && !s.Stopping {
		items = append(items, &fyne.MenuItem{Label: "Stop", Action: b.stopRow})
	}
	if words := b.mend(s).words(); words != "" {
		items = append(items, &fyne.MenuItem{Label: words, Action: b.mendRow})
	}
	widget.ShowPopUpMenuAtPosition(fyne.NewMenu("", items...), c, at)
}

// AccessibilityLabel tells the selected row, or how many there are.
func (b *board) AccessibilityLabel() string {
	if s, ok := b.feed.SelectedSlot(); ok {
		result, facts := Summary(s.Entry, b.now())
		return result + ": " + facts
	}
	return fmt.Sprintf("Requests: %d running, %d finished", len(b.feed.Slots()), b.feed.Requests())
}

// AccessibilityRole is text: Fyne knows no lists.
func (b *board) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// CreateRenderer belongs to Fyne.
func (b *board) CreateRenderer() fyne.WidgetRenderer {
	// One rectangle, and only where rows are: filling a whole window once more
	// is a third of what a paint costs where there is no graphics card.
	ground := canvas.NewRectangle(nil)
	objects := []fyne.CanvasObject{ground, b.header, b.running.scroll, b.done.scroll, b.band, b.headRule, b.bandRule, b.bar.box, &b.ring.Rectangle}
	r := &renderer{
		objects: func() []fyne.CanvasObject { return objects },
		minSize: func() fyne.Size { return fyne.NewSize(480, 240) },
	}
	r.layout = func(s fyne.Size) {
		head := lookNow().size(theme.SizeTableHead)
		place(ground, 0, head, s.Width, max(s.Height-head, 0))
		b.sync()
	}
	r.refresh = func() {
		ground.FillColor = lookNow().color(theme.ColorSurface)
		ground.Refresh()
		b.showRing()
		b.sync()
	}
	r.refresh()
	return r
}

// showRing shows where the keyboard is, unless a selected row shows it or the
// pointer brought it here.
func (b *board) showRing() {
	b.ring.Set(b.focused && !b.quiet && b.feed.Selected() == Key{}, b)
}

// band is the line between what runs and what has ended. It is always there,
// so that what it tells moves nothing.
type band struct {
	widget.BaseWidget
	fresh *kit.Pill
	why   *kit.Text
	line  *fyne.Container
	all   fyne.CanvasObject
	width float32 // of the pill
}

func newBand(release func()) *band {
	b := &band{fresh: kit.NewPill("new", assets.Up, release), why: kit.NewText(kit.Small, "")}
	b.fresh.SetOn(true)
	b.fresh.Hide()
	b.line = kit.HBox(theme.Space12, kit.NewText(kit.Small, "Finished"), b.fresh, kit.Grow(b.why.Shorten(kit.CutEnd)))
	b.all = kit.NewGround(theme.ColorBackground, kit.Edges(nil, kit.NewDivider(), nil, nil, kit.Padded(rowMargin, 0, rowMargin, 0, b.line)))
	b.ExtendBaseWidget(b)
	return b
}

func (b *band) show(f *Feed) {
	n := f.Waiting()
	if n > 0 {
		b.fresh.SetText(Number(uint64(n)) + " new")
	}
	why := bandWords(f.Hold(), n)
	if f.Len()+n == 0 {
		why = "nothing yet"
	}
	show(b.fresh, n > 0)
	b.why.SetText(why)
	width := float32(0)
	if n > 0 {
		width = b.fresh.MinSize().Width
	}
	if width != b.width {
		b.width = width
		b.line.Refresh()
	}
}

// CreateRenderer belongs to Fyne.
func (b *band) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(b.all) }

// MinSize belongs to Fyne.
func (b *band) MinSize() fyne.Size { return fyne.NewSize(1, lookNow().size(theme.SizeStripRow)) }
