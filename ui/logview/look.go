package logview

import (
	"image/color"

	"fyne.io/fyne/v2"

	"paddock/assets"
	"paddock/ui/kit"
	"paddock/ui/theme"
)

// fallback draws the rows under a theme that does not know their colours.
var fallback = theme.New(theme.Auto)

// look is the theme that is in force at this moment.
type look struct {
	th fyne.Theme
	v  fyne.ThemeVariant
}

func lookNow() look {
	settings := fyne.CurrentApp().Settings()
	l := look{settings.Theme(), settings.ThemeVariant()}
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

// scale is how much larger than drawn the text of rows is.
func (l look) scale() float32 { return l.size(theme.SizeTextRow) / 13 }

// marks are the shapes and colours of results.
var marks = [...]struct {
	tone kit.Tone
	icon assets.Icon
}{
	MarkDone:      {kit.Allowed, assets.Allowed},
	MarkRunning:   {kit.Allowed, assets.Running},
	MarkRefused:   {kit.Refused, assets.Refused},
	MarkAttention: {kit.Attention, assets.Attention},
	MarkStopped:   {kit.Paused, assets.Stop},
	MarkWaiting:   {kit.Waiting, assets.Waiting},
	MarkPaused:    {kit.Paused, assets.Paused},
	MarkEvent:     {kit.Neutral, assets.Share},
}

func place(o fyne.CanvasObject, x, y, w, h float32) {
	o.Move(fyne.NewPos(x, y))
	o.Resize(fyne.NewSize(w, h))
}

// renderer lets each widget say in closures what is special about it.
type renderer struct {
	objects func() []fyne.CanvasObject
	layout  func(fyne.Size)
	minSize func() fyne.Size
	refresh func()
}

func (r *renderer) Objects() []fyne.CanvasObject { return r.objects() }
func (r *renderer) Layout(s fyne.Size)           { r.layout(s) }
func (r *renderer) MinSize() fyne.Size           { return r.minSize() }
func (r *renderer) Refresh()                     { r.refresh() }
func (r *renderer) Destroy()                     {}
