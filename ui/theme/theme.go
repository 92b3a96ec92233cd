// Package theme gives every window the colours and measures of Paddock.
package theme

import (
	"image/color"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
)

// Mode says who chooses between light and dark.
type Mode int

// The three choices.
const (
	Auto  Mode = iota // the system chooses
	Light             // always light
	Dark              // always dark
)

// Theme is Paddock's look. It answers for Fyne's names and for Paddock's own
// and leaves the rest to Fyne's default. It never changes after New; a new
// choice is a new Theme. It is safe for concurrent use.
type Theme struct {
	base fyne.Theme
	mode Mode
	text float32
}

// type check
var _ fyne.Theme = (*Theme)(nil)

// New returns the look in the given mode, with text in its drawn size.
func New(mode Mode) *Theme {
	return &Theme{base: fynetheme.DefaultTheme(), mode: mode, text: 1}
}

// WithTextScale returns the same look with text, and the heights that hold
// text, multiplied by factor. Widths stay, so that a window keeps its columns.
func (t *Theme) WithTextScale(factor float32) *Theme {
	c := *t
	c.text = max(factor, 0.5)
	return &c
}

// Mode returns who chooses between light and dark.
func (t *Theme) Mode() Mode { return t.mode }

// IsDark reports whether the dark colours answer when the system asks for v.
func (t *Theme) IsDark(v fyne.ThemeVariant) bool {
	switch t.mode {
	case Light:
		return false
	case Dark:
		return true
	default:
		return v == fynetheme.VariantDark
	}
}

// Color answers for every colour name of Fyne and of Paddock.
func (t *Theme) Color(name fyne.ThemeColorName, v fyne.ThemeVariant) color.Color {
	dark := t.IsDark(v)
	if p, ok := colors[name]; ok {
		if dark {
			return p.dark
		}
		return p.light
	}
	v = fynetheme.VariantLight
	if dark {
		v = fynetheme.VariantDark
	}
	return t.base.Color(name, v)
}

// Font is Fyne's own: Noto Sans and DejaVu Sans Mono, which the tokens ask for.
func (t *Theme) Font(style fyne.TextStyle) fyne.Resource { return t.base.Font(style) }

// Size answers for every size name of Fyne and of Paddock.
func (t *Theme) Size(name fyne.ThemeSizeName) float32 {
	if s, ok := textSizes[name]; ok {
		return s * t.text
	}
	if s, ok := sizes[name]; ok {
		return s
	}
	return t.base.Size(name)
}

// Icon shows Paddock's icons in Fyne's own widgets where there is one that
// means the same.
func (t *Theme) Icon(name fyne.ThemeIconName) fyne.Resource {
	if r, ok := icons[name]; ok {
		return r
	}
	return t.base.Icon(name)
}
