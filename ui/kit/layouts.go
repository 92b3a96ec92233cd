package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
)

// growing marks an object that takes the room the others leave.
type growing struct{}

// MinSize belongs to Fyne.
func (growing) MinSize(objects []fyne.CanvasObject) fyne.Size { return stacked(objects) }

// Layout belongs to Fyne.
func (growing) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		place(o, 0, 0, size.Width, size.Height)
	}
}

// stacked is the room objects need on top of each other.
func stacked(objects []fyne.CanvasObject) fyne.Size {
	var s fyne.Size
	for _, o := range objects {
		if o.Visible() {
			s = s.Max(o.MinSize())
		}
	}
	return s
}

// Grow lets o take the room that its box has left over.
func Grow(o fyne.CanvasObject) *fyne.Container {
	return container.New(growing{}, o)
}

// Space takes the room that its box has left over and shows nothing.
func Space() *fyne.Container { return container.New(growing{}) }

func grows(o fyne.CanvasObject) bool {
	if c, ok := o.(*fyne.Container); ok {
		_, ok = c.Layout.(growing)
		return ok
	}
	s, ok := o.(layout.SpacerObject)
	return ok && (s.ExpandHorizontal() || s.ExpandVertical())
}

// tall objects are given the whole height of a row.
func tall(o fyne.CanvasObject) bool {
	d, ok := o.(*Divider)
	return ok && d.vertical
}

// settle gives o its width first and then asks for its height, because
// wrapped text knows its height only then.
func settle(o fyne.CanvasObject, width float32) float32 {
	if o.Size().Width != width {
		o.Resize(fyne.NewSize(width, o.Size().Height))
	}
	return o.MinSize().Height
}

type vbox struct{ gap float32 }

// VBox stacks objects with exactly gap between them, each as wide as the box.
func VBox(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(vbox{gap}, objects...)
}

// MinSize belongs to Fyne.
func (b vbox) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var s fyne.Size
	n := 0
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		s.Width = max(s.Width, m.Width)
		s.Height += m.Height
		n++
	}
	s.Height += b.gap * float32(max(n-1, 0))
	return s
}

// Layout belongs to Fyne.
func (b vbox) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	used, n, growers := float32(0), 0, 0
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		n++
		used += settle(o, size.Width)
		if grows(o) {
			growers++
		}
	}
	used += b.gap * float32(max(n-1, 0))
	extra := float32(0)
	if growers > 0 {
		extra = max(size.Height-used, 0) / float32(growers)
	}
	y := float32(0)
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		h := o.MinSize().Height
		if grows(o) {
			h += extra
		}
		place(o, 0, y, size.Width, h)
		y += h + b.gap
	}
}

type alignment int

const (
	alignMiddle alignment = iota
	alignTop
	alignFull
)

type hbox struct {
	gap   float32
	align alignment
}

// HBox lines objects up with exactly gap between them, each in the middle of
// the height and as wide as it needs to be.
func HBox(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(hbox{gap, alignMiddle}, objects...)
}

// HBoxTop is HBox with every object at the top.
func HBoxTop(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(hbox{gap, alignTop}, objects...)
}

// HBoxFull is HBox with every object as high as the box.
func HBoxFull(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(hbox{gap, alignFull}, objects...)
}

// MinSize belongs to Fyne.
func (b hbox) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var s fyne.Size
	n := 0
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		s.Height = max(s.Height, m.Height)
		s.Width += m.Width
		n++
	}
	s.Width += b.gap * float32(max(n-1, 0))
	return s
}

// Layout belongs to Fyne.
func (b hbox) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	used := b.MinSize(objects).Width
	growers := 0
	for _, o := range objects {
		if o.Visible() && grows(o) {
			growers++
		}
	}
	extra := float32(0)
	if growers > 0 {
		extra = max(size.Width-used, 0) / float32(growers)
	}
	x := float32(0)
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		w := o.MinSize().Width
		if grows(o) {
			w += extra
		}
		h := settle(o, w)
		y := float32(0)
		switch {
		case b.align == alignFull || tall(o):
			h = size.Height
		case b.align == alignMiddle:
			y = float32(int((size.Height - h) / 2))
		}
		place(o, x, y, w, h)
		x += w + b.gap
	}
}

// Flow lines objects up and begins a new line where the width ends.
func Flow(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(&flowLayout{gap: gap}, objects...)
}

// flowLayout remembers its height, which follows from the width it was given.
type flowLayout struct{ gap, width float32 }

// MinSize belongs to Fyne.
func (f *flowLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	w := float32(0)
	for _, o := range objects {
		if o.Visible() {
			w = max(w, o.MinSize().Width)
		}
	}
	return fyne.NewSize(w, f.walk(objects, f.width, nil))
}

// Layout belongs to Fyne.
func (f *flowLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	f.width = size.Width
	f.walk(objects, size.Width, func(o fyne.CanvasObject, x, y float32) {
		o.Move(fyne.NewPos(x, y))
		o.Resize(o.MinSize())
	})
}

func (f *flowLayout) walk(objects []fyne.CanvasObject, width float32, put func(o fyne.CanvasObject, x, y float32)) float32 {
	x, y, line := float32(0), float32(0), float32(0)
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		if x > 0 && width > 0 && x+m.Width > width {
			x, y, line = 0, y+line+f.gap, 0
		}
		if put != nil {
			put(o, x, y)
		}
		x += m.Width + f.gap
		line = max(line, m.Height)
	}
	return y + line
}

type padded struct{ l, t, r, b float32 }

// Padded leaves room around o.
func Padded(left, top, right, bottom float32, o fyne.CanvasObject) *fyne.Container {
	return container.New(padded{left, top, right, bottom}, o)
}

// MinSize belongs to Fyne.
func (p padded) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return stacked(objects).AddWidthHeight(p.l+p.r, p.t+p.b)
}

// Layout belongs to Fyne.
func (p padded) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		place(o, p.l, p.t, max(size.Width-p.l-p.r, 0), max(size.Height-p.t-p.b, 0))
	}
}

type maxWidth struct {
	width  float32
	middle bool
}

// MaxWidth keeps o at the left and no wider than width: lines longer than
// about 80 letters are hard to follow.
func MaxWidth(width float32, o fyne.CanvasObject) *fyne.Container {
	return container.New(maxWidth{width, false}, o)
}

// MaxWidthCentered keeps o in the middle and no wider than width.
func MaxWidthCentered(width float32, o fyne.CanvasObject) *fyne.Container {
	return container.New(maxWidth{width, true}, o)
}

// MinSize belongs to Fyne.
func (m maxWidth) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return stacked(objects)
}

// Layout belongs to Fyne.
func (m maxWidth) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	w := min(size.Width, m.width)
	x := float32(0)
	if m.middle {
		x = float32(int((size.Width - w) / 2))
	}
	for _, o := range objects {
		place(o, x, 0, w, size.Height)
	}
}

type sized struct{ w, h float32 }

// Sized gives o a fixed width, height or both; 0 leaves that side to o.
func Sized(width, height float32, o fyne.CanvasObject) *fyne.Container {
	return container.New(sized{width, height}, o)
}

// MinSize belongs to Fyne.
func (f sized) MinSize(objects []fyne.CanvasObject) fyne.Size {
	m := stacked(objects)
	if f.w > 0 {
		m.Width = f.w
	}
	if f.h > 0 {
		m.Height = f.h
	}
	return m
}

// Layout belongs to Fyne.
func (f sized) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		place(o, 0, 0, size.Width, size.Height)
	}
}

type edges struct{ top, bottom, left, right fyne.CanvasObject }

// Edges puts objects along the edges and center in the room between them,
// like Fyne's border but without its padding. Any of them may be nil.
func Edges(top, bottom, left, right, center fyne.CanvasObject) *fyne.Container {
	var all []fyne.CanvasObject
	for _, o := range []fyne.CanvasObject{center, top, bottom, left, right} {
		if o != nil {
			all = append(all, o)
		}
	}
	return container.New(edges{top, bottom, left, right}, all...)
}

func shown(o fyne.CanvasObject) bool { return o != nil && o.Visible() }

// MinSize belongs to Fyne.
func (e edges) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var s fyne.Size
	for _, o := range objects {
		if o.Visible() && o != e.top && o != e.bottom && o != e.left && o != e.right {
			s = s.Max(o.MinSize())
		}
	}
	for _, o := range []fyne.CanvasObject{e.left, e.right} {
		if shown(o) {
			m := o.MinSize()
			s.Width += m.Width
			s.Height = max(s.Height, m.Height)
		}
	}
	for _, o := range []fyne.CanvasObject{e.top, e.bottom} {
		if shown(o) {
			m := o.MinSize()
			s.Height += m.Height
			s.Width = max(s.Width, m.Width)
		}
	}
	return s
}

// Layout belongs to Fyne.
func (e edges) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	x, y, w, h := float32(0), float32(0), size.Width, size.Height
	if shown(e.top) {
		t := settle(e.top, w)
		place(e.top, 0, 0, w, t)
		y += t
		h -= t
	}
	if shown(e.bottom) {
		b := settle(e.bottom, w)
		h -= b
		place(e.bottom, 0, y+h, w, b)
	}
	if shown(e.left) {
		l := e.left.MinSize().Width
		place(e.left, 0, y, l, h)
		x += l
		w -= l
	}
	if shown(e.right) {
		r := e.right.MinSize().Width
		w -= r
		place(e.right, x+w, y, r, h)
	}
	for _, o := range objects {
		if o != e.top && o != e.bottom && o != e.left && o != e.right {
			place(o, x, y, max(w, 0), max(h, 0))
		}
	}
}
