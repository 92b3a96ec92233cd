package kit

import (
	"bytes"
	"fmt"
	"image/color"
	"sync"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"paddock/assets"
)

// glyph is an icon in one colour. It touches its picture only when something
// about it changed: parsing and drawing an SVG is the dearest thing in a row.
type glyph struct {
	*canvas.Image
	icon assets.Icon
	ink  color.Color
	edge float32
}

func newGlyph() *glyph {
	g := &glyph{Image: canvas.NewImageFromResource(nil)}
	g.Hide()
	return g
}

func (g *glyph) set(icon assets.Icon, ink color.Color, edge float32) {
	if g.icon == icon && g.ink == ink && g.edge == edge {
		return
	}
	g.icon, g.ink, g.edge = icon, ink, edge
	if icon == "" {
		g.Hide()
		return
	}
	g.Resource = inked(icon, ink, edge)
	if !g.Visible() {
		g.Show()
	}
	g.Image.Refresh()
}

// center puts the glyph in the middle of a line of the given height.
func (g *glyph) center(x, y, height float32) {
	place(g.Image, x, y+(height-g.edge)/2, g.edge, g.edge)
}

// width is what the glyph takes in a row, with the gap behind it.
func (g *glyph) width(gap float32) float32 {
	if g.icon == "" {
		return 0
	}
	return g.edge + gap
}

type inkKey struct {
	icon assets.Icon
	ink  color.NRGBA
	edge float32
}

// inks holds one resource for each icon, colour and size that was ever shown:
// some hundred small texts. Fyne keeps pictures by the name of their resource,
// so the size is part of the name; two sizes under one name would push each
// other out at every repaint.
var inks sync.Map // inkKey → fyne.Resource

func inked(icon assets.Icon, ink color.Color, edge float32) fyne.Resource {
	c := color.NRGBAModel.Convert(ink).(color.NRGBA)
	key := inkKey{icon, c, edge}
	if r, ok := inks.Load(key); ok {
		return r.(fyne.Resource)
	}
	hex := fmt.Sprintf("#%02X%02X%02X", c.R, c.G, c.B)
	svg := bytes.ReplaceAll(icon.SVG(), []byte("#000000"), []byte(hex))
	r, _ := inks.LoadOrStore(key, fyne.NewStaticResource(fmt.Sprintf("%s-%s-%g.svg", icon, hex[1:], edge), svg))
	return r.(fyne.Resource)
}

// Icon is a picture without a word. It means nothing to a screen reader; put a
// word beside it.
type Icon struct {
	widget.BaseWidget
	icon assets.Icon
	ink  fyne.ThemeColorName
	edge float32
}

// NewIcon shows icon in the named colour with the given edge, one of the
// theme's Icon constants.
func NewIcon(icon assets.Icon, ink fyne.ThemeColorName, edge float32) *Icon {
	i := &Icon{icon: icon, ink: ink, edge: edge}
	i.ExtendBaseWidget(i)
	return i
}

// Set shows another icon or another colour.
func (i *Icon) Set(icon assets.Icon, ink fyne.ThemeColorName) {
	if i.icon == icon && i.ink == ink {
		return
	}
	i.icon, i.ink = icon, ink
	i.Refresh()
}

// CreateRenderer belongs to Fyne.
func (i *Icon) CreateRenderer() fyne.WidgetRenderer {
	g := newGlyph()
	r := &renderer{objects: []fyne.CanvasObject{g.Image}}
	r.minSize = func() fyne.Size { return fyne.NewSquareSize(lookOf(i).icon(i.edge)) }
	r.layout = func(s fyne.Size) { g.center((s.Width-g.edge)/2, 0, s.Height) }
	r.refresh = func() {
		l := lookOf(i)
		g.set(i.icon, l.color(i.ink), l.icon(i.edge))
		r.layout(i.Size())
	}
	r.refresh()
	return r
}
