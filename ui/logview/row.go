package logview

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"

	"paddock/assets"
	"paddock/requestlog"
	"paddock/ui/kit"
	"paddock/ui/theme"
)

// item is one row as the lists know it.
type item struct {
	slot      Slot
	canStop   bool // has a Stop button
	selected  bool
	hovered   bool
	stopLit   bool // the pointer is over the Stop button
	textOf    func(Slot) RowText
	remembers bool // its text never changes
}

// row paints one request with a fixed set of objects. It is used again for
// other requests, and touches an object only when it must look different: each
// new text is a new picture.
type row struct {
	box             *fyne.Container
	fill, bar, line *canvas.Rectangle
	chip            *kit.Chip
	icon            *kit.Icon
	cells           []*kit.Text // by place in columns
	stop            *stopSign   // only in rows that ever ran
	across          *kit.Text   // only in rows that ever were no request
	wide            bool        // across is what shows
	key             Key
	text            RowText
	size            fyne.Size
	ground          [2]fyne.ThemeColorName
	fresh           bool // has not been painted since it was made or the theme changed
	redraw          bool
}

func newRow() *row {
	r := &row{
		fill: canvas.NewRectangle(nil), bar: canvas.NewRectangle(nil), line: canvas.NewRectangle(nil),
		chip: kit.NewChip("", 1, false), icon: kit.NewIcon("", "", theme.Icon16), fresh: true,
	}
	objects := []fyne.CanvasObject{r.fill, r.bar, r.line, r.chip, r.icon}
	for _, c := range columns {
		kind := kit.Cell
		if c.id == colTime || c.id == colDevice {
			kind = kit.CellMuted
		}
		t := kit.NewText(kind, "")
		switch {
		case c.right:
			t.Right()
		case c.id == colDevice:
			t.Shorten(kit.CutMiddle) // the end of an IPv6 address tells more than its middle
		case c.id != colResult && c.id != colTime:
			t.Shorten(kit.CutEnd)
		}
		r.cells = append(r.cells, t)
		objects = append(objects, t)
	}
	r.box = container.NewWithoutLayout(objects...)
	return r
}

// The gaps inside a row.
const (
	chipGap  = 8
	iconGap  = 6
	barWidth = 3
)

// show paints the request into the row and reports whether anything changed.
func (r *row) show(l look, it item, slots []kit.Slot, size fyne.Size) bool {
	r.redraw = r.fresh
	wide := it.slot.Entry.Phase == requestlog.Event
	if r.size != size || r.wide != wide || r.fresh {
		r.wide = wide
		r.arrange(l, slots, size)
	}
	r.paintGround(l, it)
	if r.fresh || r.key != it.slot.key || !it.remembers {
		r.write(it)
	}
	r.key, r.fresh = it.slot.key, false
	r.paintStop(l, it, slots)
	return r.redraw
}

func (r *row) arrange(l look, slots []kit.Slot, size fyne.Size) {
	r.size, r.redraw = size, true
	r.box.Resize(size)
	place(r.fill, 0, 0, size.Width, size.Height)
	place(r.bar, 0, 0, barWidth, size.Height-1)
	place(r.line, 0, size.Height-1, size.Width, 1)
	if r.across == nil && r.wide {
		r.across = kit.NewText(kit.CellMuted, r.text.What).Shorten(kit.CutEnd)
		r.box.Add(r.across)
	}
	if r.across != nil {
		show(r.across, r.wide)
	}
	for i, c := range columns {
		s, t := slots[i], r.cells[i]
		shown := s.Shown && (!r.wide || c.id == colTime)
		show(t, shown)
		x, w := s.X, s.Width
		switch {
		case r.wide:
			if c.id == colWho {
				r.arrangeAcross(x, size)
			}
		case c.id == colWho:
			edge := r.chip.MinSize().Width
			show(r.chip, s.Shown)
			place(r.chip, x, float32(int((size.Height-edge)/2)), edge, edge)
			x, w = x+edge+chipGap, w-edge-chipGap
		case c.id == colResult:
			edge := r.icon.MinSize().Width
			show(r.icon, s.Shown)
			place(r.icon, x, 0, edge, size.Height)
			x, w = x+edge+iconGap, w-edge-iconGap
		}
		if shown {
			place(t, x, 0, max(w, 0), size.Height)
		}
	}
	if r.stop != nil {
		r.stop.place(l, slots, size)
	}
}

// arrangeAcross puts the sign where other rows have their chip, and the words
// from there to the end.
func (r *row) arrangeAcross(x float32, size fyne.Size) {
	chip, icon := r.chip.MinSize().Width, r.icon.MinSize().Width
	show(r.chip, false)
	show(r.icon, true)
	place(r.icon, x+float32(int((chip-icon)/2)), 0, icon, size.Height)
	x += chip + chipGap
	place(r.across, x, 0, max(size.Width-rowMargin-x, 0), size.Height)
}

func show(o fyne.CanvasObject, shown bool) {
	switch {
	case shown == o.Visible():
	case shown:
		o.Show()
	default:
		o.Hide()
	}
}

func (r *row) paintGround(l look, it item) {
	ground := [2]fyne.ThemeColorName{}
	switch {
	case it.selected:
		ground = [2]fyne.ThemeColorName{theme.ColorSelected, theme.ColorAccent}
	case it.hovered:
		ground[0] = theme.ColorHover
	}
	if ground == r.ground && !r.fresh {
		return
	}
	r.ground, r.redraw = ground, true
	r.fill.FillColor, r.bar.FillColor, r.line.FillColor = l.color(ground[0]), l.color(ground[1]), l.color(theme.ColorLine)
	r.fill.Refresh()
	r.bar.Refresh()
	r.line.Refresh()
}

func (r *row) write(it item) {
	text := it.textOf(it.slot)
	if text == r.text && !r.fresh {
		return
	}
	r.text, r.redraw = text, true
	r.chip.Set(text.Letter, text.Chip)
	mark := marks[text.Mark]
	if r.across != nil {
		r.across.SetText(text.What)
	}
	r.icon.Set(mark.icon, mark.tone.Ink())
	for i, c := range columns {
		ink := fyne.ThemeColorName("")
		switch {
		case c.id == colResult:
			ink = mark.tone.Ink()
		case c.id == colWho && text.Chip == 0, c.id == colWhat && text.NothingHappened:
			ink = theme.ColorMuted
		}
		r.cells[i].Set(text.Cell(c.id), ink)
	}
}

func (r *row) paintStop(l look, it item, slots []kit.Slot) {
	if !it.canStop && r.stop == nil {
		return
	}
	if r.stop == nil {
		r.stop = newStopSign()
		r.box.Add(r.stop.box)
		r.stop.place(l, slots, r.size)
	}
	if it.canStop != r.stop.box.Visible() {
		show(r.stop.box, it.canStop)
		r.redraw = true
	}
	if it.canStop && r.stop.paint(l, it.stopLit) {
		r.redraw = true
	}
}

// restyle makes the next show paint everything anew, after the theme changed.
func (r *row) restyle() {
	r.fresh = true
	for _, o := range r.box.Objects {
		if o != r.fill && o != r.bar && o != r.line {
			o.Refresh()
		}
	}
	if r.stop != nil {
		r.stop.fresh = true
	}
}

// stopSign is the Stop button of a running row. It is drawn rather than a
// widget: a widget under the pointer would take the pointer away from its row.
type stopSign struct {
	box        *fyne.Container
	edge, fill *canvas.Rectangle
	icon       *kit.Icon
	word       *kit.Text
	lit, fresh bool
}

func newStopSign() *stopSign {
	s := &stopSign{
		edge: canvas.NewRectangle(nil), fill: canvas.NewRectangle(nil), fresh: true,
		icon: kit.NewIcon(assets.Stop, theme.ColorText, theme.Icon16), word: kit.NewText(kit.Note, "Stop"),
	}
	s.box = container.NewWithoutLayout(s.edge, s.fill, s.icon, s.word)
	s.box.Hide()
	return s
}

// stopArea is where the Stop button of a row lies: at the end of the results.
func stopArea(l look, slots []kit.Slot, rowHeight float32) (pos fyne.Position, size fyne.Size) {
	result := slots[resultColumn]
	h := l.size(theme.SizeButtonSmall)
	word := fyne.MeasureText("Stop", l.size(theme.SizeTextSmall), fyne.TextStyle{}).Width
	w := float32(int(word+0.99)) + stopIcon(l) + iconGap + 2*theme.Space8
	return fyne.NewPos(result.X+result.Width-w, float32(int((rowHeight-h)/2))), fyne.NewSize(w, h)
}

// stopIcon is the edge of the icon on the Stop button; icons grow with text.
func stopIcon(l look) float32 { return theme.Icon16 * l.scale() }

var resultColumn = func() int {
	for i, c := range columns {
		if c.id == colResult {
			return i
		}
	}
	return -1
}()

func (s *stopSign) place(l look, slots []kit.Slot, size fyne.Size) {
	pos, area := stopArea(l, slots, size.Height)
	s.box.Move(pos)
	s.box.Resize(area)
	s.edge.CornerRadius, s.fill.CornerRadius = theme.RadiusButton, theme.RadiusButton-1
	place(s.edge, 0, 0, area.Width, area.Height)
	place(s.fill, 1, 1, area.Width-2, area.Height-2)
	edge := stopIcon(l)
	place(s.icon, theme.Space8, 0, edge, area.Height)
	place(s.word, theme.Space8+edge+iconGap, 0, area.Width-2*theme.Space8-edge-iconGap, area.Height)
}

func (s *stopSign) paint(l look, lit bool) bool {
	if s.lit == lit && !s.fresh {
		return false
	}
	s.lit, s.fresh = lit, false
	ground := theme.ColorSurface
	if lit {
		ground = theme.ColorHover
	}
	s.edge.FillColor, s.fill.FillColor = l.color(theme.ColorControl), l.color(ground)
	s.edge.Refresh()
	s.fill.Refresh()
	return true
}
