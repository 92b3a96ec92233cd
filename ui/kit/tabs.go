package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"paddock/assets"
	"paddock/ui/theme"
)

// Tabs is a row of words of which one is chosen. It is one stop for the Tab
// key; the arrow keys move inside. Words that find no room wait in a menu.
type Tabs struct {
	press
	labels   []string
	more     string
	inset    float32
	selected int
	over     int // under the pointer, -1 for none
	ask      func(int)
	spots    []spot
}

// spot is where a tab lies; the last one may be the menu.
type spot struct {
	x, w float32
	menu bool
}

// type check
var _ fyne.Accessible = (*Tabs)(nil)

// NewTabs returns tabs with the first one chosen. more is the word on the menu
// for those that do not fit; inset is the room before the first word.
func NewTabs(labels []string, more string, inset float32, ask func(i int)) *Tabs {
	t := &Tabs{labels: labels, more: more, inset: inset, over: -1, ask: ask}
	t.ExtendBaseWidget(t)
	return t
}

// SetSelected shows which one is chosen.
func (t *Tabs) SetSelected(i int) {
	if t.selected != i {
		t.selected = i
		t.Refresh()
	}
}

// Selected returns which one is shown as chosen.
func (t *Tabs) Selected() int { return t.selected }

// AccessibilityLabel is the chosen word.
func (t *Tabs) AccessibilityLabel() string {
	if t.selected < 0 || t.selected >= len(t.labels) {
		return ""
	}
	return t.labels[t.selected]
}

// AccessibilityRole is button.
func (t *Tabs) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleButton }

func (t *Tabs) want(i int) {
	if t.ask != nil && i >= 0 && i < len(t.labels) && i != t.selected {
		t.ask(i)
	}
}

func (t *Tabs) at(x float32) int {
	for i, s := range t.spots {
		if x >= s.x-tabGap/2 && x < s.x+s.w+tabGap/2 {
			return i
		}
	}
	return -1
}

// Tapped belongs to Fyne.
func (t *Tabs) Tapped(e *fyne.PointEvent) {
	i := t.at(e.Position.X)
	if i < 0 || t.Disabled() {
		return
	}
	if t.spots[i].menu {
		t.openMenu(i)
		return
	}
	t.want(i)
}

func (t *Tabs) openMenu(from int) {
	items := make([]*fyne.MenuItem, 0, len(t.labels)-from)
	for i := from; i < len(t.labels); i++ {
		items = append(items, fyne.NewMenuItem(t.labels[i], func() { t.want(i) }))
	}
	widget.ShowPopUpMenuAtRelativePosition(fyne.NewMenu("", items...), fyne.CurrentApp().Driver().CanvasForObject(t),
		fyne.NewPos(t.spots[from].x, t.Size().Height), t)
}

// TypedKey belongs to Fyne.
func (t *Tabs) TypedKey(e *fyne.KeyEvent) {
	if t.Disabled() {
		return
	}
	switch e.Name {
	case fyne.KeyLeft:
		t.want(t.selected - 1)
	case fyne.KeyRight:
		t.want(t.selected + 1)
	case fyne.KeyHome:
		t.want(0)
	case fyne.KeyEnd:
		t.want(len(t.labels) - 1)
	}
}

// MouseMoved belongs to Fyne.
func (t *Tabs) MouseMoved(e *desktop.MouseEvent) {
	if over := t.at(e.Position.X); over != t.over {
		t.over = over
		t.Refresh()
	}
}

// MouseIn belongs to Fyne.
func (t *Tabs) MouseIn(e *desktop.MouseEvent) { t.MouseMoved(e) }

// MouseOut belongs to Fyne.
func (t *Tabs) MouseOut() {
	t.over = -1
	t.Refresh()
}

const tabGap float32 = 28

func (t *Tabs) arrow() float32 { return lookOf(t).icon(theme.Icon14) }

func (t *Tabs) width(i int, size float32) float32 {
	return ceil(fyne.MeasureText(t.labels[i], size, fyne.TextStyle{Bold: true}).Width)
}

// arrange finds the places for a width. The chosen one is always in sight: if
// it would be in the menu, the menu carries its name.
func (t *Tabs) arrange(width, size float32) {
	t.spots = t.spots[:0]
	menu := ceil(fyne.MeasureText(t.more, size, fyne.TextStyle{Bold: true}).Width) + theme.Space4 + t.arrow()
	for i := range t.labels {
		if t.selected >= i { // the menu may have to carry any name up to the chosen one
			menu = max(menu, t.width(t.selected, size)+theme.Space4+t.arrow())
		}
	}
	all := t.inset
	for i := range t.labels {
		all += t.width(i, size) + tabGap
	}
	room := width - t.inset
	if all-tabGap > room {
		room -= menu + tabGap
	} else {
		menu = 0
	}
	x := t.inset
	for i := range t.labels {
		w := t.width(i, size)
		if menu > 0 && x+w > t.inset+room {
			t.spots = append(t.spots, spot{x, menu, true})
			return
		}
		t.spots = append(t.spots, spot{x, w, false})
		x += w + tabGap
	}
}

// CreateRenderer belongs to Fyne.
func (t *Tabs) CreateRenderer() fyne.WidgetRenderer {
	line, bar, arrow := canvas.NewRectangle(nil), canvas.NewRectangle(nil), newGlyph()
	ring := NewFocusRing(theme.RadiusButton)
	words := make([]*canvas.Text, len(t.labels))
	r := &renderer{objects: []fyne.CanvasObject{line, bar, arrow.Image, &ring.Rectangle}}
	for i := range words {
		words[i] = &canvas.Text{}
		r.objects = append(r.objects, words[i])
	}
	r.minSize = func() fyne.Size {
		l := lookOf(t)
		w := float32(0)
		if len(t.labels) > 0 {
			w = t.width(0, l.size(theme.SizeTextBody))
		}
		more := fyne.MeasureText(t.more, l.size(theme.SizeTextBody), fyne.TextStyle{Bold: true}).Width
		return fyne.NewSize(t.inset+w+tabGap+ceil(more)+theme.Space4+t.arrow(), l.size(theme.SizeStripRow))
	}
	paint := func(s fyne.Size) {
		l := lookOf(t)
		size := l.size(theme.SizeTextBody)
		t.arrange(s.Width, size)
		line.FillColor, bar.FillColor = l.color(theme.ColorLine), l.color(theme.ColorAccent)
		place(line, 0, s.Height-1, s.Width, 1)
		bar.Hide()
		arrow.set("", nil, 0)
		ring.Hide()
		for i, word := range words {
			if i >= len(t.spots) {
				word.Hide()
				continue
			}
			sp := t.spots[i]
			chosen := i == t.selected || sp.menu && t.selected >= i
			word.Show()
			word.Text, word.TextSize = t.labels[i], size
			if sp.menu && t.selected < i {
				word.Text = t.more
			} else if sp.menu {
				word.Text = t.labels[t.selected]
			}
			ink := theme.ColorMuted
			if chosen || i == t.over {
				ink = theme.ColorText
			}
			word.TextStyle, word.Color = fyne.TextStyle{Bold: chosen}, l.color(ink)
			word.Alignment = fyne.TextAlignCenter
			w := sp.w
			if sp.menu {
				w -= theme.Space4 + t.arrow()
				word.Alignment = fyne.TextAlignLeading
				arrow.set(assets.Down, l.color(ink), t.arrow())
				text := fyne.MeasureText(word.Text, size, word.TextStyle).Width
				arrow.center(sp.x+ceil(text)+theme.Space4, 0, s.Height)
			}
			place(word, sp.x, 0, w, s.Height-1)
			if chosen {
				bar.Show()
				place(bar, sp.x-2, s.Height-2, sp.w+4, 2)
				ring.Surround(fyne.NewPos(sp.x-theme.Space4, 4), fyne.NewSize(sp.w+2*theme.Space4, s.Height-10))
				ring.Set(t.focused && !t.Disabled(), t)
			}
		}
	}
	r.layout = paint
	r.refresh = func() {
		paint(t.Size())
		canvas.Refresh(t)
	}
	paint(t.Size())
	return r
}
