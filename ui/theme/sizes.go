package theme

import (
	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
)

// Text sizes. Only two weights are used, regular and bold.
const (
	SizeTextHero  fyne.ThemeSizeName = "paddockTextHero"  // 24, first run
	SizeTextTitle fyne.ThemeSizeName = "paddockTextTitle" // 20, screen title
	SizeTextBig   fyne.ThemeSizeName = "paddockTextBig"   // 16, the one big fact of a card
	SizeTextBody  fyne.ThemeSizeName = "paddockTextBody"  // 14
	SizeTextRow   fyne.ThemeSizeName = "paddockTextRow"   // 13, log rows and monospace
	SizeTextSmall fyne.ThemeSizeName = "paddockTextSmall" // 12, labels, pills, notes
	SizeTextTiny  fyne.ThemeSizeName = "paddockTextTiny"  // 11, the letter on a small chip
)

// Line heights, one for each text size.
const (
	SizeLineHero  fyne.ThemeSizeName = "paddockLineHero"
	SizeLineTitle fyne.ThemeSizeName = "paddockLineTitle"
	SizeLineBig   fyne.ThemeSizeName = "paddockLineBig"
	SizeLineBody  fyne.ThemeSizeName = "paddockLineBody"
	SizeLineRow   fyne.ThemeSizeName = "paddockLineRow"
	SizeLineSmall fyne.ThemeSizeName = "paddockLineSmall"
)

// Heights that hold text. They grow with it.
const (
	SizeLogRow      fyne.ThemeSizeName = "paddockLogRow"
	SizeStripRow    fyne.ThemeSizeName = "paddockStripRow" // also a sidebar row and a tab
	SizeFactRow     fyne.ThemeSizeName = "paddockFactRow"
	SizeKeyRow      fyne.ThemeSizeName = "paddockKeyRow"
	SizeButton      fyne.ThemeSizeName = "paddockButton"
	SizeButtonSmall fyne.ThemeSizeName = "paddockButtonSmall"
	SizeButtonLarge fyne.ThemeSizeName = "paddockButtonLarge" // the main button of a page
	SizeField       fyne.ThemeSizeName = "paddockField"
	SizePill        fyne.ThemeSizeName = "paddockPill"
	SizeTag         fyne.ThemeSizeName = "paddockTag"
	SizeStatusLine  fyne.ThemeSizeName = "paddockStatusLine"
	SizeTableHead   fyne.ThemeSizeName = "paddockTableHead"
)

// The spacing scale. It does not grow with text: a gap says what belongs
// together, and says it at any size.
const (
	Space4  float32 = 4
	Space8  float32 = 8
	Space12 float32 = 12
	Space16 float32 = 16
	Space20 float32 = 20
	Space24 float32 = 24
	Space32 float32 = 32
)

// Where the scale is used for the frame of a screen.
const (
	WindowMargin = Space24
	CardGap      = Space16 // between cards
	CardPadX     = Space20
	CardPadY     = Space16
	SidebarWidth = float32(208)
)

// Radii. Pills and switches use half their height.
const (
	RadiusChip      float32 = 5
	RadiusChipLarge float32 = 8
	RadiusButton    float32 = 6 // button, field, sidebar row, code
	RadiusCard      float32 = 10
)

// Icon edges. The kit lets them grow with the words they stand beside.
const (
	Icon14 float32 = 14 // pills
	Icon16 float32 = 16 // buttons, results
	Icon20 float32 = 20 // sidebar
	Icon28 float32 = 28 // facts with a card
)

var textSizes = map[fyne.ThemeSizeName]float32{
	SizeTextHero: 24, SizeTextTitle: 20, SizeTextBig: 16, SizeTextBody: 14, SizeTextRow: 13, SizeTextSmall: 12, SizeTextTiny: 11,
	SizeLineHero: 32, SizeLineTitle: 28, SizeLineBig: 24, SizeLineBody: 20, SizeLineRow: 18, SizeLineSmall: 16,
	SizeLogRow: 32, SizeStripRow: 36, SizeFactRow: 44, SizeKeyRow: 60,
	SizeButton: 32, SizeButtonSmall: 24, SizeButtonLarge: 40,
	SizeField: 36, SizePill: 24, SizeTag: 20, SizeStatusLine: 28, SizeTableHead: 32,

	fynetheme.SizeNameText:           14,
	fynetheme.SizeNameInlineIcon:     18,
	fynetheme.SizeNameHeadingText:    20,
	fynetheme.SizeNameSubHeadingText: 16,
	fynetheme.SizeNameCaptionText:    12,
}

var sizes = map[fyne.ThemeSizeName]float32{
	fynetheme.SizeNamePadding:            Space4,
	fynetheme.SizeNameInnerPadding:       Space8,
	fynetheme.SizeNameLineSpacing:        Space4,
	fynetheme.SizeNameSeparatorThickness: 1,
	fynetheme.SizeNameInputBorder:        1,
	fynetheme.SizeNameInputRadius:        RadiusButton,
	fynetheme.SizeNameButtonRadius:       RadiusButton,
	fynetheme.SizeNameSelectionRadius:    3,
	fynetheme.SizeNameMenuRadius:         RadiusButton,
	fynetheme.SizeNamePopupRadius:        RadiusCard,
	fynetheme.SizeNameDialogRadius:       RadiusCard,
	fynetheme.SizeNameCardRadius:         RadiusCard,
	fynetheme.SizeNameScrollBar:          10,
	fynetheme.SizeNameScrollBarSmall:     4,
	fynetheme.SizeNameScrollBarRadius:    4,
	// A blurred window behind a dialog costs a pass over every pixel and hides
	// what the question is about.
	fynetheme.SizeNameModalBlurRadius: 0,
}
