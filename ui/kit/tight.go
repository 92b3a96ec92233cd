package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	fynetheme "fyne.io/fyne/v2/theme"
)

// tight is the app's theme without padding. It asks the app at every call, so
// that it follows when the owner chooses another look.
type tight struct{}

func (tight) app() fyne.Theme { return fyne.CurrentApp().Settings().Theme() }

// Color belongs to Fyne.
func (t tight) Color(n fyne.ThemeColorName, v fyne.ThemeVariant) color.Color {
	return t.app().Color(n, v)
}

// Font belongs to Fyne.
func (t tight) Font(s fyne.TextStyle) fyne.Resource { return t.app().Font(s) }

// Icon belongs to Fyne.
func (t tight) Icon(n fyne.ThemeIconName) fyne.Resource { return t.app().Icon(n) }

// Size belongs to Fyne.
func (t tight) Size(n fyne.ThemeSizeName) float32 {
	switch n {
	case fynetheme.SizeNamePadding, fynetheme.SizeNameSelectionRadius:
		return 0
	}
	return t.app().Size(n)
}

// Tight takes Fyne's padding away from o, so that the rows of a list are as
// high as they are drawn and lie directly under each other.
func Tight(o fyne.CanvasObject) *container.ThemeOverride {
	return container.NewThemeOverride(o, tight{})
}
