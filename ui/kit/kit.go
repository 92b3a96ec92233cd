// Package kit holds the widgets that every screen is composed of.
//
// Words are always the caller's. Whatever is shown is set from outside: a
// control that is touched asks, through its callback, and changes only when it
// is told to. Everything here belongs to Fyne's thread.
package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"paddock/ui/theme"
)

// look is the theme a widget is drawn with at this moment.
type look struct {
	th fyne.Theme
	v  fyne.ThemeVariant
}

// fallback draws the kit under a theme that does not know its colours, such as
// the one Fyne's own tests use.
var fallback = theme.New(theme.Auto)

func lookOf(w interface{ Theme() fyne.Theme }) look {
	return lookAt(w.Theme())
}

// lookAt is for layouts, which are no widgets and have the app's theme.
func lookAt(th fyne.Theme) look {
	settings := fyne.CurrentApp().Settings()
	l := look{th: th, v: settings.ThemeVariant()}
	if _, ok := l.th.(tight); ok {
		l.th = settings.Theme()
	}
	if _, ok := l.th.(*theme.Theme); !ok {
		l.th = fallback
	}
	return l
}

func (l look) color(name fyne.ThemeColorName) color.Color {
	if name == "" {
		return color.Transparent
	}
	return l.th.Color(name, l.v)
}

func (l look) size(name fyne.ThemeSizeName) float32 { return l.th.Size(name) }

// base returns a height as drawn, whatever the size of text.
func (l look) base(name fyne.ThemeSizeName) float32 {
	return float32(int(l.size(name)/l.scale() + 0.5))
}

// scale is how much larger than drawn the owner wants text.
func (l look) scale() float32 { return l.size(theme.SizeTextBody) / 14 }

// icon returns the edge of an icon beside text of the size in force.
func (l look) icon(edge float32) float32 { return float32(int(edge*l.scale() + 0.5)) }

// renderer lets each widget say in closures what is special about it.
type renderer struct {
	objects []fyne.CanvasObject
	layout  func(fyne.Size)
	minSize func() fyne.Size
	refresh func()
	destroy func()
}

func (r *renderer) Objects() []fyne.CanvasObject { return r.objects }
func (r *renderer) Layout(s fyne.Size)           { r.layout(s) }
func (r *renderer) MinSize() fyne.Size           { return r.minSize() }
func (r *renderer) Refresh()                     { r.refresh() }

func (r *renderer) Destroy() {
	if r.destroy != nil {
		r.destroy()
	}
}

func place(o fyne.CanvasObject, x, y, w, h float32) {
	o.Move(fyne.NewPos(x, y))
	o.Resize(fyne.NewSize(w, h))
}

// frame is a field with a border inside its edge. It is two filled shapes
// rather than one with a stroke, because painters disagree whether a stroke
// lies inside the edge or across it.
type frame struct {
	edge, fill *canvas.Rectangle
	width      float32
}

func newFrame() *frame {
	return &frame{edge: canvas.NewRectangle(color.Transparent), fill: canvas.NewRectangle(color.Transparent), width: 1}
}

func (f *frame) paint(edge, fill color.Color) {
	if f.edge.FillColor == edge && f.fill.FillColor == fill {
		return
	}
	f.edge.FillColor, f.fill.FillColor = edge, fill
	f.edge.Refresh()
	f.fill.Refresh()
}

func (f *frame) place(x, y, w, h, radius float32) {
	f.edge.CornerRadius, f.fill.CornerRadius = radius, max(radius-f.width, 0)
	place(f.edge, x, y, w, h)
	place(f.fill, x+f.width, y+f.width, w-2*f.width, h-2*f.width)
}
