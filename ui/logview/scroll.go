package logview

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
)

// flatScroll is Fyne's vertical scroller without the shadows at its ends: the
// fields of this window are flat, and lines divide them.
type flatScroll struct{ container.Scroll }

func newFlatScroll(content fyne.CanvasObject) *flatScroll {
	s := &flatScroll{container.Scroll{Direction: container.ScrollVerticalOnly, Content: content}}
	s.ExtendBaseWidget(s)
	return s
}

// CreateRenderer belongs to Fyne.
func (s *flatScroll) CreateRenderer() fyne.WidgetRenderer {
	return flatRenderer{s.Scroll.CreateRenderer(), s}
}

type flatRenderer struct {
	fyne.WidgetRenderer
	scroll *flatScroll
}

// Objects leaves out what is neither content nor answers to the pointer, as
// the bars do: that is the shadows.
func (r flatRenderer) Objects() []fyne.CanvasObject {
	objects := make([]fyne.CanvasObject, 0, 3)
	for _, o := range r.WidgetRenderer.Objects() {
		if _, bar := o.(desktop.Hoverable); bar || o == r.scroll.Content {
			objects = append(objects, o)
		}
	}
	return objects
}
