//go:build !lite

package ui

import "fyne.io/fyne/v2"

// The preferences. Only comfort lies here: they come back empty when their file
// is damaged, so nothing that decides who gets in may depend on them.
const (
	prefMain = "window.main"
	prefLog  = "window.log"
	prefTold = "told.tray"
)

// recall returns the size a window had, or the usual one. A size that the
// screens of this program cannot fill sensibly counts for nothing.
func recall(p fyne.Preferences, name string, usual fyne.Size) fyne.Size {
	size := p.FloatList(name)
	if len(size) != 2 || size[0] < float64(least.Width) || size[1] < float64(least.Height) || size[0] > 10000 || size[1] > 10000 {
		return usual
	}
	return fyne.NewSize(float32(size[0]), float32(size[1]))
}

func remember(p fyne.Preferences, name string, size fyne.Size) {
	if size.Width >= least.Width && size.Height >= least.Height {
		p.SetFloatList(name, []float64{float64(size.Width), float64(size.Height)})
	}
}

// least is the smallest window in which everything is usable.
var least = fyne.NewSize(900, 600)
