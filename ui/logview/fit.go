package logview

import "paddock/ui/kit"

// grid is the columns as they are at one width and one text size. Header and
// all rows share it, so their edges are the same by construction.
type grid struct {
	columns      *kit.Columns
	width, scale float32
	aside        int
}

func newGrid() *grid {
	return &grid{columns: kit.NewColumns(rowMargin, rowMargin, columnGap, fitted(false)...)}
}

// fitted is the table of columns for a wide or a narrow window. The kit makes
// them as much wider as the text is larger.
func fitted(narrow bool) []kit.Column {
	list := make([]kit.Column, len(columns))
	for i, c := range columns {
		list[i] = kit.Column{
			ID: c.id, Title: c.title, Width: c.width, Grow: c.grow, Rank: c.rank, Right: c.right,
			Hidden: c.detail && narrow,
		}
	}
	return list
}

// fit makes the grid for a width and reports whether anything changed.
func (g *grid) fit(width, scale float32) bool {
	if g.width == width && g.scale == scale {
		return false
	}
	g.width, g.scale = width, scale
	list := fitted(width < narrowWidth*scale)
	g.columns.Set(list...)
	g.aside = g.columns.Aside(width)
	for _, c := range list {
		if c.Hidden {
			g.aside++
		}
	}
	return true
}

// slots are the places of the columns, in the order of the table.
func (g *grid) slots() []kit.Slot { return g.columns.Slots(g.width) }
