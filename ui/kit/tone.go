package kit

import (
	"fyne.io/fyne/v2"

	"paddock/assets"
	"paddock/ui/theme"
)

// Tone is the meaning behind a colour.
type Tone int

// The tones.
const (
	Neutral Tone = iota
	Allowed      // done, running, in order
	Attention
	Refused // refusals and ways around the gate, nothing else
	Waiting
	Paused
)

var tones = [...]struct {
	ink, soft fyne.ThemeColorName
	icon      assets.Icon
}{
	Neutral:   {theme.ColorMuted, theme.ColorHover, ""},
	Allowed:   {theme.ColorAllowed, theme.ColorAllowedSoft, assets.Allowed},
	Attention: {theme.ColorAttention, theme.ColorAttentionSoft, assets.Attention},
	Refused:   {theme.ColorRefused, theme.ColorRefusedSoft, assets.Refused},
	Waiting:   {theme.ColorWaiting, theme.ColorWaitingSoft, assets.Waiting},
	Paused:    {theme.ColorPaused, theme.ColorPausedSoft, assets.Paused},
}

// Ink names the colour of the tone's icon and word.
func (t Tone) Ink() fyne.ThemeColorName { return tones[t].ink }

// Soft names the colour that fills a card or a label of the tone.
func (t Tone) Soft() fyne.ThemeColorName { return tones[t].soft }

// Icon is the shape the tone usually has.
func (t Tone) Icon() assets.Icon { return tones[t].icon }
