package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"paddock/ui/theme"
)

// Header is the line of titles over a table. It ends without a line of its
// own, because every row begins with one.
type Header struct {
	widget.BaseWidget
	columns  *Columns
	ground   bool
	onResize func(id string, width float32)
	onTapped func(id string)
	dragging int
	width    float32
	near     bool // the pointer is where a column can be widened
}

// type check
var (
	_ fyne.Draggable     = (*Header)(nil)
	_ fyne.Tappable      = (*Header)(nil)
	_ desktop.Cursorable = (*Header)(nil)
)

// NewHeader returns the titles of columns on the card's own ground.
func NewHeader(columns *Columns) *Header {
	h := &Header{columns: columns, dragging: -1}
	h.ExtendBaseWidget(h)
	return h
}

// OnGround gives the titles the window's ground, as over a long table. It returns h.
func (h *Header) OnGround() *Header {
	h.ground = true
	return h
}

// OnResize lets the end of a column be dragged; do gets the width wanted, and
// nothing moves until the columns are Set. It returns h.
func (h *Header) OnResize(do func(id string, width float32)) *Header {
	h.onResize = do
	return h
}

// OnTapped calls do with the column whose title is pressed. It returns h.
func (h *Header) OnTapped(do func(id string)) *Header {
	h.onTapped = do
	return h
}

// edgeAt returns the place in the list of the column whose end is at x, or -1.
func (h *Header) edgeAt(x float32) int {
	if h.onResize == nil {
		return -1
	}
	slots := h.columns.Slots(h.Size().Width)
	for i := range h.columns.list {
		s := slots[h.columns.cells[i]]
		end := s.X + s.Width + h.columns.gap/2
		if s.Shown && x > end-6 && x < end+6 {
			return i
		}
	}
	return -1
}

// Tapped belongs to Fyne.
func (h *Header) Tapped(e *fyne.PointEvent) {
	if h.onTapped == nil || h.edgeAt(e.Position.X) >= 0 {
		return
	}
	slots := h.columns.Slots(h.Size().Width)
	for i, col := range h.columns.list {
		s := slots[h.columns.cells[i]]
		if s.Shown && e.Position.X >= s.X && e.Position.X < s.X+s.Width {
			h.onTapped(col.ID)
			return
		}
	}
}

// Dragged belongs to Fyne.
func (h *Header) Dragged(e *fyne.DragEvent) {
	if h.dragging < 0 {
		h.dragging = h.edgeAt(e.Position.X - e.Dragged.DX)
		if h.dragging < 0 {
			return
		}
		h.width = h.columns.Slots(h.Size().Width)[h.columns.cells[h.dragging]].Width
	}
	h.width += e.Dragged.DX
	h.onResize(h.columns.list[h.dragging].ID, max(h.width/h.columns.textScale(), 32))
}

// DragEnd belongs to Fyne.
func (h *Header) DragEnd() { h.dragging = -1 }

// MouseIn belongs to Fyne.
func (h *Header) MouseIn(e *desktop.MouseEvent) { h.MouseMoved(e) }

// MouseMoved belongs to Fyne.
func (h *Header) MouseMoved(e *desktop.MouseEvent) { h.near = h.edgeAt(e.Position.X) >= 0 }

// MouseOut belongs to Fyne.
func (h *Header) MouseOut() { h.near = false }

// Cursor belongs to Fyne.
func (h *Header) Cursor() desktop.Cursor {
	if h.near {
		return desktop.HResizeCursor
	}
	return desktop.DefaultCursor
}

// CreateRenderer belongs to Fyne.
func (h *Header) CreateRenderer() fyne.WidgetRenderer {
	back := canvas.NewRectangle(nil)
	titles := make([]*canvas.Text, len(h.columns.list))
	r := &renderer{objects: []fyne.CanvasObject{back}}
	for i := range titles {
		titles[i] = &canvas.Text{}
		r.objects = append(r.objects, titles[i])
	}
	r.minSize = func() fyne.Size {
		return fyne.NewSize(h.columns.MinWidth(), lookOf(h).size(theme.SizeTableHead))
	}
	paint := func(s fyne.Size) {
		l := lookOf(h)
		back.FillColor = l.color("")
		if h.ground {
			back.FillColor = l.color(theme.ColorBackground)
		}
		place(back, 0, 0, s.Width, s.Height)
		slots := h.columns.Slots(s.Width)
		for i, col := range h.columns.list {
			title, slot := titles[i], slots[h.columns.cells[i]]
			if !slot.Shown {
				title.Hide()
				continue
			}
			title.Show()
			title.TextSize, title.Color = l.size(theme.SizeTextSmall), l.color(theme.ColorMuted)
			title.Alignment = fyne.TextAlignLeading
			if col.Right {
				title.Alignment = fyne.TextAlignTrailing
			}
			title.Text = shorten(col.Title, CutEnd, slot.Width, title.TextSize, title.TextStyle)
			place(title, slot.X, 0, slot.Width, s.Height)
		}
	}
	r.layout = paint
	r.refresh = func() {
		paint(h.Size())
		canvas.Refresh(h)
	}
	paint(h.Size())
	return r
}
