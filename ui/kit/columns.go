package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// Column is one column of a table.
type Column struct {
	ID    string
	Title string
	Width float32 // never narrower, at the drawn size of text; without Grow exactly this wide
	Grow  float32 // its share of what is left over; 0 for none
	// Rank says who steps aside when the window is too narrow: the highest
	// first. Rank 0 never does.
	Rank   int
	Right  bool // numbers end on one line
	Hidden bool // by the owner's choice
}

// Slot is where a column lies at the present width.
type Slot struct {
	X, Width float32
	Shown    bool
}

// Columns arranges the cells of all rows of one table. Rows share it, so the
// places are worked out once for each width.
type Columns struct {
	list             []Column
	cells            []int // place in the order given to NewColumns, for each of list
	left, right, gap float32
	width, scale     float32 // what slots were made for
	slots            []Slot  // by place in the order given to NewColumns
}

// NewColumns returns columns with the given room at the sides and between.
func NewColumns(left, right, gap float32, columns ...Column) *Columns {
	c := &Columns{left: left, right: right, gap: gap, width: -1, slots: make([]Slot, len(columns))}
	for i, col := range columns {
		c.list = append(c.list, col)
		c.cells = append(c.cells, i)
	}
	return c
}

// textScale makes columns as much wider as the owner wants text larger:
// otherwise times and numbers would run into each other. What then has no room
// steps aside.
func (c *Columns) textScale() float32 { return lookAt(fyne.CurrentApp().Settings().Theme()).scale() }

// List returns the columns in the order they are shown.
func (c *Columns) List() []Column { return append([]Column(nil), c.list...) }

// Set shows the columns in another order, width or choice. Columns are known
// by their ID; one that was not given to NewColumns is left out, one that is
// missing is hidden. Rows need a Refresh of their container afterwards.
func (c *Columns) Set(columns ...Column) {
	place := map[string]int{}
	for i, col := range c.list {
		place[col.ID] = c.cells[i]
	}
	list, cells := make([]Column, 0, len(c.list)), make([]int, 0, len(c.list))
	for _, col := range columns {
		if at, ok := place[col.ID]; ok {
			list, cells = append(list, col), append(cells, at)
			delete(place, col.ID)
		}
	}
	for i, col := range c.list {
		if _, missing := place[col.ID]; missing {
			col.Hidden = true
			list, cells = append(list, col), append(cells, c.cells[i])
		}
	}
	c.list, c.cells, c.width = list, cells, -1
}

// Slots returns the places at a width, in the order given to NewColumns. The
// answer is valid until the next call with another width.
func (c *Columns) Slots(width float32) []Slot {
	scale := c.textScale()
	if width == c.width && scale == c.scale {
		return c.slots
	}
	c.width, c.scale = width, scale
	aside := c.aside(width)
	need, grow, n := float32(0), float32(0), 0
	for i, col := range c.list {
		if !aside[i] {
			need += col.Width * scale
			grow += col.Grow
			n++
		}
	}
	extra := max(width-c.left-c.right-need-c.gap*float32(max(n-1, 0)), 0)
	x := c.left
	for i, col := range c.list {
		if aside[i] {
			c.slots[c.cells[i]] = Slot{}
			continue
		}
		w := col.Width * scale
		if grow > 0 {
			w += extra * col.Grow / grow
		}
		// Whole points keep the letters of all rows on the same pixels.
		end := float32(int(x + w + 0.5))
		c.slots[c.cells[i]] = Slot{X: x, Width: end - x, Shown: true}
		x = end + c.gap
	}
	return c.slots
}

// Aside is how many columns the owner wants to see but the width does not hold.
func (c *Columns) Aside(width float32) int {
	n := 0
	for i, gone := range c.aside(width) {
		if gone && !c.list[i].Hidden {
			n++
		}
	}
	return n
}

// MinWidth is the width of the columns that never step aside.
func (c *Columns) MinWidth() float32 {
	w, n := c.left+c.right, 0
	for _, col := range c.list {
		if !col.Hidden && col.Rank == 0 {
			w += col.Width * c.textScale()
			n++
		}
	}
	return w + c.gap*float32(max(n-1, 0))
}

func (c *Columns) aside(width float32) []bool {
	scale := c.textScale()
	aside := make([]bool, len(c.list))
	need, n := c.left+c.right, 0
	for i, col := range c.list {
		if aside[i] = col.Hidden; !col.Hidden {
			need += col.Width * scale
			n++
		}
	}
	need += c.gap * float32(max(n-1, 0))
	for need > width {
		worst := -1
		for i, col := range c.list {
			if !aside[i] && col.Rank > 0 && (worst < 0 || col.Rank >= c.list[worst].Rank) {
				worst = i
			}
		}
		if worst < 0 {
			break
		}
		aside[worst] = true
		need -= c.list[worst].Width*scale + c.gap
	}
	return aside
}

// Cells returns a row of cells in the order given to NewColumns, each in the
// middle of the height. A nil cell is an empty one.
func (c *Columns) Cells(cells ...fyne.CanvasObject) *fyne.Container {
	all := make([]fyne.CanvasObject, len(cells))
	for i, o := range cells {
		if all[i] = o; o == nil {
			all[i] = VBox(0)
		}
	}
	return container.New(cellsLayout{c}, all...)
}

type cellsLayout struct{ columns *Columns }

// MinSize belongs to Fyne.
func (l cellsLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	h := float32(0)
	for _, o := range objects {
		h = max(h, o.MinSize().Height)
	}
	return fyne.NewSize(l.columns.MinWidth(), h)
}

// Layout belongs to Fyne. A column that steps aside takes its cell with it.
func (l cellsLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for i, s := range l.columns.Slots(size.Width) {
		if i >= len(objects) {
			return
		}
		o := objects[i]
		if s.Shown != o.Visible() {
			if s.Shown {
				o.Show()
			} else {
				o.Hide()
			}
		}
		if s.Shown {
			h := settle(o, s.Width)
			place(o, s.X, float32(int((size.Height-h)/2)), s.Width, h)
		}
	}
}
