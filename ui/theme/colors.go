package theme

import (
	"fmt"
	"image/color"
	"maps"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
)

// Grounds and lines.
const (
	ColorBackground fyne.ThemeColorName = "paddockBackground" // window, table heads, code
	ColorSurface    fyne.ThemeColorName = "paddockSurface"    // cards, rows, fields, buttons
	ColorSidebar    fyne.ThemeColorName = "paddockSidebar"
	ColorHover      fyne.ThemeColorName = "paddockHover"    // row or button under the pointer
	ColorSelected   fyne.ThemeColorName = "paddockSelected" // selected row, current room
	ColorLine       fyne.ThemeColorName = "paddockLine"     // 1 px lines; never the only sign of a control
	ColorControl    fyne.ThemeColorName = "paddockControl"  // borders of buttons, fields, switches that are off
)

// Text and the one accent.
const (
	ColorText     fyne.ThemeColorName = "paddockText"
	ColorMuted    fyne.ThemeColorName = "paddockMuted"  // labels, times, second lines
	ColorAccent   fyne.ThemeColorName = "paddockAccent" // main button, switch on, chosen pill, focus ring
	ColorOnAccent fyne.ThemeColorName = "paddockOnAccent"
	// ColorAccentHover is the accent a step towards the text, for a main
	// button under the pointer; its letters gain contrast by it.
	ColorAccentHover fyne.ThemeColorName = "paddockAccentHover"
)

// States: an ink for icon and word, and a soft ground for a card or a label.
const (
	ColorAllowed       fyne.ThemeColorName = "paddockAllowed" // done, running, in order, text buttons
	ColorAllowedSoft   fyne.ThemeColorName = "paddockAllowedSoft"
	ColorAttention     fyne.ThemeColorName = "paddockAttention" // to look at, Ollama failed
	ColorAttentionSoft fyne.ThemeColorName = "paddockAttentionSoft"
	ColorRefused       fyne.ThemeColorName = "paddockRefused" // a way around the gate, refusals; nothing else
	ColorRefusedSoft   fyne.ThemeColorName = "paddockRefusedSoft"
	ColorWaiting       fyne.ThemeColorName = "paddockWaiting" // in the queue, waiting for a first request
	ColorWaitingSoft   fyne.ThemeColorName = "paddockWaitingSoft"
	ColorPaused        fyne.ThemeColorName = "paddockPaused" // paused, suspended, stopped by the owner
	ColorPausedSoft    fyne.ThemeColorName = "paddockPausedSoft"
)

// Chips is how many chip colours there are. They are given in order from 1 and
// kept for the life of a key.
const Chips = 8

// ColorChip names the ground of chip n, 1 to Chips; numbers beyond begin again.
func ColorChip(n int) fyne.ThemeColorName { return chipNames[(n-1+Chips)%Chips].ground }

// ColorChipLetter names the letter on chip n.
func ColorChipLetter(n int) fyne.ThemeColorName { return chipNames[(n-1+Chips)%Chips].letter }

var chipNames = func() (names [Chips]struct{ ground, letter fyne.ThemeColorName }) {
	for i := range names {
		names[i].ground = fyne.ThemeColorName(fmt.Sprintf("paddockChip%d", i+1))
		names[i].letter = fyne.ThemeColorName(fmt.Sprintf("paddockChipLetter%d", i+1))
	}
	return names
}()

// pair keeps both values boxed, so that asking for a colour allocates nothing.
type pair struct{ light, dark color.Color }

func hex(rgb uint32) color.NRGBA { return alpha(rgb, 0xff) }

func alpha(rgb uint32, a uint8) color.NRGBA {
	return color.NRGBA{R: uint8(rgb >> 16), G: uint8(rgb >> 8), B: uint8(rgb), A: a}
}

func both(light, dark uint32) pair { return pair{hex(light), hex(dark)} }

const (
	white = 0xFFFFFF
	ink   = 0x141A14
)

var tokens = map[fyne.ThemeColorName]pair{
	ColorBackground:    both(0xF5F7F3, 0x131713),
	ColorSurface:       both(0xFFFFFF, 0x1B201B),
	ColorSidebar:       both(0xECF0E9, 0x171B17),
	ColorHover:         both(0xF0F3EE, 0x232923),
	ColorSelected:      both(0xE2EFE1, 0x20351F),
	ColorLine:          both(0xDCE2D8, 0x2E352D),
	ColorControl:       both(0x788474, 0x788575),
	ColorText:          both(0x1A211A, 0xE7ECE5),
	ColorMuted:         both(0x566154, 0xA3AE9F),
	ColorAccent:        both(0x2B7A3A, 0x6BBF77),
	ColorOnAccent:      both(0xFFFFFF, 0x0D1A0F),
	ColorAccentHover:   both(0x236830, 0x82CF8D),
	ColorAllowed:       both(0x236830, 0x82CF8D),
	ColorAllowedSoft:   both(0xE2F0E1, 0x1D3221),
	ColorAttention:     both(0x8A5500, 0xE8B450),
	ColorAttentionSoft: both(0xFBF0D6, 0x33290F),
	ColorRefused:       both(0xB3261E, 0xF58E84),
	ColorRefusedSoft:   both(0xFBE8E5, 0x3D1F1C),
	ColorWaiting:       both(0x2F5F8C, 0x8DBCE6),
	ColorWaitingSoft:   both(0xE4EDF5, 0x1B2B3A),
	ColorPaused:        both(0x5A5570, 0xBDB6D8),
	ColorPausedSoft:    both(0xECEAF2, 0x2A2735),
}

// chips are ordered so that neighbours differ most, also for eyes that see
// fewer colours.
var chips = [Chips]struct{ ground, letter pair }{
	{both(0x0072B2, 0x2F8FD0), both(white, ink)},   // blue
	{both(0xDDCC77, 0xE2D284), both(ink, ink)},     // sand
	{both(0x882255, 0xB0306C), both(white, white)}, // wine
	{both(0x88CCEE, 0x9AD6F2), both(ink, ink)},     // sky
	{both(0xCC79A7, 0xD98AB5), both(ink, ink)},     // rose
	{both(0x999933, 0xA6A640), both(ink, ink)},     // olive
	{both(0x332288, 0x6352D6), both(white, white)}, // indigo
	{both(0x8C5A3C, 0x996443), both(white, white)}, // brown
}

// fyneColors maps Fyne's names. Hover, focus and pressed are veils rather than
// colours: Fyne lays them over whatever a widget has, a green button included.
var fyneColors = map[fyne.ThemeColorName]pair{
	fynetheme.ColorNameBackground:                tokens[ColorBackground],
	fynetheme.ColorNameButton:                    tokens[ColorLine], // Fyne's buttons have no border to be seen by
	fynetheme.ColorNameDisabledButton:            tokens[ColorHover],
	fynetheme.ColorNameDisabled:                  tokens[ColorControl],
	fynetheme.ColorNameError:                     tokens[ColorRefused],
	fynetheme.ColorNameFocus:                     {alpha(0x0F4A1C, 0x33), alpha(0x9CF0A8, 0x38)},
	fynetheme.ColorNameForeground:                tokens[ColorText],
	fynetheme.ColorNameForegroundOnError:         both(white, ink),
	fynetheme.ColorNameForegroundOnPrimary:       tokens[ColorOnAccent],
	fynetheme.ColorNameForegroundOnSuccess:       both(white, ink),
	fynetheme.ColorNameForegroundOnWarning:       both(white, ink),
	fynetheme.ColorNameHeaderBackground:          tokens[ColorBackground],
	fynetheme.ColorNameHover:                     {alpha(0x1A211A, 0x11), alpha(0xE7ECE5, 0x0D)},
	fynetheme.ColorNameHyperlink:                 tokens[ColorAllowed],
	fynetheme.ColorNameInnerWindowBorder:         tokens[ColorSidebar],
	fynetheme.ColorNameInnerWindowBorderInactive: tokens[ColorSidebar],
	fynetheme.ColorNameInputBackground:           tokens[ColorSurface],
	fynetheme.ColorNameInputBorder:               tokens[ColorControl],
	fynetheme.ColorNameMenuBackground:            tokens[ColorSurface],
	fynetheme.ColorNameOverlayBackground:         tokens[ColorSurface],
	fynetheme.ColorNamePlaceHolder:               tokens[ColorMuted],
	fynetheme.ColorNamePressed:                   {alpha(0x1A211A, 0x22), alpha(0xE7ECE5, 0x22)},
	fynetheme.ColorNamePrimary:                   tokens[ColorAccent],
	fynetheme.ColorNameScrollBar:                 {alpha(0x788474, 0xB0), alpha(0x788575, 0xB0)},
	fynetheme.ColorNameScrollBarBackground:       {alpha(0xDCE2D8, 0x60), alpha(0x2E352D, 0x60)},
	fynetheme.ColorNameSelection:                 {alpha(0x2B7A3A, 0x38), alpha(0x6BBF77, 0x4A)},
	fynetheme.ColorNameSeparator:                 tokens[ColorLine],
	// Menus and dialogs float without a border, so they alone cast a faint shadow.
	fynetheme.ColorNameShadow:  {alpha(0x101810, 0x30), alpha(0x000000, 0x80)},
	fynetheme.ColorNameSuccess: tokens[ColorAllowed],
	fynetheme.ColorNameWarning: tokens[ColorAttention],
}

var colors = func() map[fyne.ThemeColorName]pair {
	all := make(map[fyne.ThemeColorName]pair, len(tokens)+len(fyneColors)+2*Chips)
	maps.Copy(all, tokens)
	maps.Copy(all, fyneColors)
	for i, c := range chips {
		all[chipNames[i].ground] = c.ground
		all[chipNames[i].letter] = c.letter
	}
	return all
}()
