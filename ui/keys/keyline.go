//go:build !lite

package keys

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"paddock/assets"
	"paddock/ui/kit"
	"paddock/ui/theme"
)

// keyLine shows a key. It is no field to type into: a key that was changed by
// one letter is no key.
func keyLine(key string) fyne.CanvasObject {
	inside := kit.HBox(theme.Space8, kit.NewIcon(assets.Keys, theme.ColorAllowed, theme.Icon16), kit.Grow(kit.NewText(kit.Mono, key).Shorten(kit.CutMiddle)))
	return container.NewStack(newGround(), container.New(lineLayout{inside}, inside))
}

// lineLayout is as high as the button beside it.
type lineLayout struct{ inside *fyne.Container }

// MinSize belongs to Fyne.
func (l lineLayout) MinSize([]fyne.CanvasObject) fyne.Size {
	m := l.inside.MinSize()
	return fyne.NewSize(m.Width+2*theme.Space12, max(m.Height, fyne.CurrentApp().Settings().Theme().Size(theme.SizeButtonLarge)))
}

// Layout belongs to Fyne.
func (l lineLayout) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	l.inside.Move(fyne.NewPos(theme.Space12, 0))
	l.inside.Resize(fyne.NewSize(size.Width-2*theme.Space12, size.Height))
}

// ground is the sunken place of a value with the edge of a control.
type ground struct {
	widget.BaseWidget
	fill *canvas.Rectangle
}

func newGround() *ground {
	g := &ground{fill: canvas.NewRectangle(nil)}
	g.fill.CornerRadius, g.fill.StrokeWidth = theme.RadiusButton, 1
	g.ExtendBaseWidget(g)
	return g
}

// CreateRenderer belongs to Fyne.
func (g *ground) CreateRenderer() fyne.WidgetRenderer {
	g.paint()
	return &groundRenderer{widget.NewSimpleRenderer(g.fill), g}
}

func (g *ground) paint() {
	th, v := g.Theme(), fyne.CurrentApp().Settings().ThemeVariant()
	g.fill.FillColor, g.fill.StrokeColor = th.Color(theme.ColorBackground, v), th.Color(theme.ColorControl, v)
}

type groundRenderer struct {
	fyne.WidgetRenderer
	g *ground
}

// Refresh follows a new look.
func (r *groundRenderer) Refresh() {
	r.g.paint()
	r.WidgetRenderer.Refresh()
}
