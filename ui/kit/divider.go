package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"paddock/ui/theme"
)

// Divider is a line of 1 px between things.
type Divider struct {
	widget.BaseWidget
	vertical bool
}

// NewDivider returns a line that lies.
func NewDivider() *Divider {
	d := &Divider{}
	d.ExtendBaseWidget(d)
	return d
}

// NewUpright returns a line that stands. In an HBox it takes the whole height.
func NewUpright() *Divider {
	d := &Divider{vertical: true}
	d.ExtendBaseWidget(d)
	return d
}

// CreateRenderer belongs to Fyne.
func (d *Divider) CreateRenderer() fyne.WidgetRenderer {
	line := canvas.NewRectangle(nil)
	r := &renderer{objects: []fyne.CanvasObject{line}}
	r.minSize = func() fyne.Size { return fyne.NewSquareSize(1) }
	r.layout = func(s fyne.Size) {
		if d.vertical {
			place(line, 0, 0, 1, s.Height)
		} else {
			place(line, 0, 0, s.Width, 1)
		}
	}
	r.refresh = func() {
		line.FillColor = lookOf(d).color(theme.ColorLine)
		line.Refresh()
	}
	r.refresh()
	return r
}
