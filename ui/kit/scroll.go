package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
)

// Scroll is Fyne's vertical scroller without the shadows at its ends: fields
// are flat here, and lines divide them.
type Scroll struct{ container.Scroll }

// NewScroll returns a scroller of content.
func NewScroll(content fyne.CanvasObject) *Scroll {
	s := &Scroll{container.Scroll{Direction: container.ScrollVerticalOnly, Content: content}}
	s.ExtendBaseWidget(s)
	return s
}

// CreateRenderer belongs to Fyne.
func (s *Scroll) CreateRenderer() fyne.WidgetRenderer {
	return flatRenderer{s.Scroll.CreateRenderer(), s}
}

type flatRenderer struct {
	fyne.WidgetRenderer
	scroll *Scroll
}

// Objects leaves out the shadows: what is neither the content nor answers to
// the pointer, as the bars do.
func (f flatRenderer) Objects() []fyne.CanvasObject {
	var objects []fyne.CanvasObject
	for _, o := range f.WidgetRenderer.Objects() {
		if _, bar := o.(desktop.Hoverable); bar || o == f.scroll.Content {
			objects = append(objects, o)
		}
	}
	return objects
}
