package logview

import (
	"image/color"
	"math"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"paddock/ui/kit"
	"paddock/ui/theme"
)

// lines is a scrolling list that makes only the rows that are seen. A row
// belongs to its request and moves with it, so that a list into which ten new
// rows came paints ten rows and not all of them. Fyne's own List ties rows to
// places and rebuilds one at every refresh.
type lines struct {
	widget.BaseWidget
	grid   *grid
	count  func() int
	item   func(i int) item
	note   *kit.Text // under the last row, or instead of the first
	scroll *kit.Scroll

	shown, spare []*row
	styled       look // the theme that all of shown are painted with
	objects      []fyne.CanvasObject
	mark         *canvas.Rectangle // shows nothing; refreshing it has the list painted
	told         float32           // the height of the content that the scroller knows
	least        float32           // content is at least this high, so that it can be scrolled that far

	over    bool
	pointer fyne.Position // within the part that is seen
	// What the board wants to know.
	onPointer func(over bool)
	onTap     func(i int, onStop bool)
	onMenu    func(i int, at fyne.Position)
}

// type check
var (
	_ fyne.Tappable          = (*lines)(nil)
	_ fyne.SecondaryTappable = (*lines)(nil)
	_ desktop.Hoverable      = (*lines)(nil)
)

func newLines(g *grid, count func() int, at func(i int) item) *lines {
	l := &lines{grid: g, count: count, item: at, mark: canvas.NewRectangle(color.Transparent), note: kit.NewText(kit.Small, "")}
	l.ExtendBaseWidget(l)
	l.scroll = kit.NewScroll(l)
	l.scroll.OnScrolled = func(fyne.Position) { l.update() }
	return l
}

func (l *lines) rowHeight() float32 { return lookNow().size(theme.SizeLogRow) }

// contentHeight is what all rows and the note take.
func (l *lines) contentHeight() float32 {
	h := l.rowHeight() * float32(l.count())
	if l.note.Text() != "" {
		h += l.rowHeight()
	}
	return max(h, l.least)
}

// settle tells the scroller when the content has another height.
func (l *lines) settle() {
	if h := l.contentHeight(); h != l.told {
		l.told = h
		l.scroll.Refresh()
	}
}

// rowAt returns the place of the row at a height of the content, or -1.
func (l *lines) rowAt(y float32) int {
	i := int(math.Floor(float64(y / l.rowHeight())))
	if i < 0 || i >= l.count() {
		return -1
	}
	return i
}

// pointed is the row under the pointer, or -1.
func (l *lines) pointed() int {
	if !l.over {
		return -1
	}
	return l.rowAt(l.pointer.Y + l.scroll.Offset.Y)
}

// onStop reports whether a place within the content is on a Stop button.
func (l *lines) onStop(pos fyne.Position) bool {
	h := l.rowHeight()
	at, size := stopArea(lookNow(), l.grid.slots(), h)
	y := pos.Y - float32(math.Floor(float64(pos.Y/h)))*h
	return pos.X >= at.X && pos.X < at.X+size.Width && y >= at.Y && y < at.Y+size.Height
}

// update gives every row that is seen its request and its place.
func (l *lines) update() {
	now, h, width := lookNow(), l.rowHeight(), l.Size().Width
	first := max(int(math.Floor(float64(l.scroll.Offset.Y/h))), 0)
	last := min(int(math.Ceil(float64((l.scroll.Offset.Y+l.scroll.Size().Height)/h))), l.count())
	hovered := l.pointed()
	onStop := hovered >= 0 && l.onStop(l.pointer.AddXY(0, l.scroll.Offset.Y))

	old := l.shown
	l.shown = make([]*row, 0, max(last-first, 0))
	items := make([]item, 0, cap(l.shown))
	for i := first; i < last; i++ {
		it := l.item(i)
		it.hovered, it.stopLit = i == hovered, i == hovered && onStop
		items = append(items, it)
		l.shown = append(l.shown, take(&old, it.slot.key))
	}
	l.spare = append(l.spare, old...)
	changed := false
	for n, it := range items {
		r := l.shown[n]
		if r == nil {
			r, changed = l.pick(it), true
			l.shown[n] = r
		}
		at := fyne.NewPos(0, float32(first+n)*h)
		changed = changed || r.box.Position() != at
		r.box.Move(at)
		if r.show(now, it, l.grid.slots(), fyne.NewSize(width, h)) {
			changed = true
		}
	}
	l.spare = l.spare[:min(len(l.spare), 64)]

	objects := append(make([]fyne.CanvasObject, 0, len(l.shown)+2), l.mark, l.note)
	for _, r := range l.shown {
		objects = append(objects, r.box)
	}
	changed = changed || len(objects) != len(l.objects)
	l.objects = objects
	note := fyne.NewPos(rowMargin, float32(l.count())*h)
	changed = changed || l.note.Position() != note
	place(l.note, note.X, note.Y, max(width-2*rowMargin, 0), h)
	if changed {
		l.mark.Refresh()
	}
}

// take removes the row with that key from rows and returns it, or nil.
func take(rows *[]*row, k Key) *row {
	for i, r := range *rows {
		if r.key == k {
			*rows = append((*rows)[:i:i], (*rows)[i+1:]...)
			return r
		}
	}
	return nil
}

// pick takes a spare row, if possible one with the same icon: drawing an icon
// is dearer than looking for one.
func (l *lines) pick(it item) *row {
	if len(l.spare) == 0 {
		return newRow()
	}
	best, want := len(l.spare)-1, it.textOf(it.slot)
	for i, r := range l.spare {
		if r.text.Mark == want.Mark && r.text.Letter == want.Letter && r.text.Chip == want.Chip {
			best = i
			break
		}
	}
	r := l.spare[best]
	l.spare = append(l.spare[:best], l.spare[best+1:]...)
	r.key = Key{}
	return r
}

// MouseIn belongs to Fyne.
func (l *lines) MouseIn(e *desktop.MouseEvent) { l.MouseMoved(e) }

// MouseMoved belongs to Fyne.
func (l *lines) MouseMoved(e *desktop.MouseEvent) {
	l.over, l.pointer = true, e.Position.SubtractXY(0, l.scroll.Offset.Y)
	l.onPointer(true)
	l.update()
}

// MouseOut belongs to Fyne.
func (l *lines) MouseOut() {
	l.over = false
	l.onPointer(false)
	l.update()
}

// Tapped belongs to Fyne.
func (l *lines) Tapped(e *fyne.PointEvent) {
	if i := l.rowAt(e.Position.Y); i >= 0 {
		l.onTap(i, l.item(i).canStop && l.onStop(e.Position))
	}
}

// TappedSecondary belongs to Fyne.
func (l *lines) TappedSecondary(e *fyne.PointEvent) {
	if i := l.rowAt(e.Position.Y); i >= 0 {
		l.onMenu(i, e.AbsolutePosition)
	}
}

// CreateRenderer belongs to Fyne.
func (l *lines) CreateRenderer() fyne.WidgetRenderer {
	r := &renderer{
		objects: func() []fyne.CanvasObject { return l.objects },
		minSize: func() fyne.Size { return fyne.NewSize(l.grid.columns.MinWidth(), l.contentHeight()) },
	}
	r.layout = func(s fyne.Size) {
		place(l.mark, 0, 0, s.Width, s.Height)
		l.update()
	}
	r.refresh = func() {
		if l.styled == lookNow() {
			l.update() // the scroller refreshes its content whenever its size changes
			return
		}
		l.styled = lookNow()
		l.note.Refresh()
		l.spare = nil
		for _, row := range l.shown {
			row.restyle()
		}
		l.update()
	}
	r.refresh()
	return r
}
