package theme

import (
	"bytes"
	"image/color"
	"math"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	fynetheme "fyne.io/fyne/v2/theme"
)

var variants = map[string]fyne.ThemeVariant{"light": fynetheme.VariantLight, "dark": fynetheme.VariantDark}

func TestEveryFyneColorIsDefined(t *testing.T) {
	test.AssertAllColorNamesDefined(t, New(Auto), "paddock")
	test.AssertAllColorNamesDefined(t, New(Dark), "paddock dark")
}

func TestEveryOwnColorIsDefinedInBothVariants(t *testing.T) {
	th := New(Auto)
	names := make([]fyne.ThemeColorName, 0, len(tokens)+2*Chips)
	for name := range tokens {
		names = append(names, name)
	}
	for n := 1; n <= Chips; n++ {
		names = append(names, ColorChip(n), ColorChipLetter(n))
	}
	for _, name := range names {
		for variant, v := range variants {
			if _, _, _, a := th.Color(name, v).RGBA(); a != 0xffff {
				t.Errorf("%s in %s is not solid", name, variant)
			}
		}
	}
}

func lum(c color.Color) float64 {
	r, g, b, _ := c.RGBA()
	lin := func(c uint32) float64 {
		v := float64(c) / 0xffff
		if v <= 0.03928 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*lin(r) + 0.7152*lin(g) + 0.0722*lin(b)
}

func contrast(a, b color.Color) float64 {
	x, y := lum(a), lum(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// over lays a veil on a solid colour.
func over(veil, ground color.Color) color.Color {
	f := color.NRGBAModel.Convert(veil).(color.NRGBA)
	g := color.NRGBAModel.Convert(ground).(color.NRGBA)
	mix := func(a, b uint8) uint8 { return uint8((int(a)*int(f.A) + int(b)*(255-int(f.A))) / 255) }
	return color.NRGBA{mix(f.R, g.R), mix(f.G, g.G), mix(f.B, g.B), 0xff}
}

type names = []fyne.ThemeColorName

func TestContrastOfEveryPairThatOccurs(t *testing.T) {
	grounds := names{ColorBackground, ColorSurface, ColorSidebar, ColorHover, ColorSelected}
	softs := names{ColorAllowedSoft, ColorAttentionSoft, ColorRefusedSoft, ColorWaitingSoft, ColorPausedSoft}
	inks := names{ColorAllowed, ColorAttention, ColorRefused, ColorWaiting, ColorPaused}
	type pairs struct {
		what   string
		least  float64
		fronts names
		backs  names
	}
	table := []pairs{
		{"text on grounds", 4.5, names{ColorText, ColorMuted}, grounds},
		{"text on soft cards", 4.5, names{ColorText, ColorMuted}, softs},
		{"a state's word on rows", 4.5, inks, grounds},
		{"letters on the accent", 4.5, names{ColorOnAccent}, names{ColorAccent, ColorAccentHover}},
		{"the edge of a control", 3, names{ColorControl}, names{ColorSurface, ColorBackground, ColorSelected, ColorAttentionSoft, ColorRefusedSoft, ColorWaitingSoft}},
		{"the focus ring", 3, names{ColorAccent}, append(append(names{}, grounds...), softs...)},
		{"letters on a disabled main button", 4.5, names{ColorMuted}, names{ColorLine}},
		{"Fyne's placeholder", 4.5, names{fynetheme.ColorNamePlaceHolder}, names{fynetheme.ColorNameInputBackground}},
		{"Fyne's button", 4.5, names{fynetheme.ColorNameForeground}, names{fynetheme.ColorNameButton, fynetheme.ColorNameMenuBackground, fynetheme.ColorNameOverlayBackground}},
		{"Fyne's main button", 4.5, names{fynetheme.ColorNameForegroundOnPrimary}, names{fynetheme.ColorNamePrimary}},
		{"Fyne's dangerous button", 4.5, names{fynetheme.ColorNameForegroundOnError}, names{fynetheme.ColorNameError}},
		{"Fyne's good button", 4.5, names{fynetheme.ColorNameForegroundOnSuccess}, names{fynetheme.ColorNameSuccess}},
		{"Fyne's warning button", 4.5, names{fynetheme.ColorNameForegroundOnWarning}, names{fynetheme.ColorNameWarning}},
		{"Fyne's link", 4.5, names{fynetheme.ColorNameHyperlink}, names{ColorSurface, ColorBackground}},
		{"Fyne's disabled words", 3, names{fynetheme.ColorNameDisabled}, names{ColorSurface, ColorBackground}},
	}
	for i, name := range inks {
		table = append(table, pairs{"a state's word on its own soft colour", 4.5, names{name}, names{softs[i]}})
	}
	for n := 1; n <= Chips; n++ {
		table = append(table, pairs{"letter on a chip", 4.5, names{ColorChipLetter(n)}, names{ColorChip(n)}})
	}
	th := New(Auto)
	for variant, v := range variants {
		for _, p := range table {
			for _, f := range p.fronts {
				for _, b := range p.backs {
					if c := contrast(th.Color(f, v), th.Color(b, v)); c < p.least {
						t.Errorf("%s: %s on %s in %s is %.2f, want %.1f", p.what, f, b, variant, c, p.least)
					}
				}
			}
		}
		// Fyne's veils: what lies under them must stay readable.
		veils := names{fynetheme.ColorNameHover, fynetheme.ColorNameFocus, fynetheme.ColorNamePressed}
		for _, veil := range veils {
			for front, back := range map[fyne.ThemeColorName]fyne.ThemeColorName{
				fynetheme.ColorNameForeground:          fynetheme.ColorNameButton,
				fynetheme.ColorNameForegroundOnPrimary: fynetheme.ColorNamePrimary,
				ColorText:                              ColorSurface,
			} {
				if c := contrast(th.Color(front, v), over(th.Color(veil, v), th.Color(back, v))); c < 4.5 {
					t.Errorf("%s under the veil %s in %s is %.2f", back, veil, variant, c)
				}
			}
		}
		if c := contrast(th.Color(ColorText, v), over(th.Color(fynetheme.ColorNameSelection, v), th.Color(ColorSurface, v))); c < 4.5 {
			t.Errorf("selected text in %s is %.2f", variant, c)
		}
	}
}

func TestModeForcesTheVariant(t *testing.T) {
	light, dark := tokens[ColorBackground].light, tokens[ColorBackground].dark
	for _, c := range []struct {
		mode Mode
		asks fyne.ThemeVariant
		want color.Color
	}{
		{Auto, fynetheme.VariantLight, light},
		{Auto, fynetheme.VariantDark, dark},
		{Light, fynetheme.VariantDark, light},
		{Dark, fynetheme.VariantLight, dark},
	} {
		if got := New(c.mode).Color(ColorBackground, c.asks); got != c.want {
			t.Errorf("mode %d, system %d: %v", c.mode, c.asks, got)
		}
	}
}

// A name that only Fyne knows must follow the forced variant too.
func TestForcedModeReachesFynesDefaults(t *testing.T) {
	test.NewTempApp(t)
	const unknown fyne.ThemeColorName = "nobody knows this"
	if New(Dark).Color(unknown, fynetheme.VariantLight) == nil {
		t.Error("an unknown name has no colour at all")
	}
}

func TestTextScaleGrowsHeightsButNotGaps(t *testing.T) {
	big := New(Auto).WithTextScale(1.5)
	for name, want := range map[fyne.ThemeSizeName]float32{
		SizeTextBody: 21, SizeLogRow: 48, SizeButton: 48, fynetheme.SizeNameText: 21, fynetheme.SizeNamePadding: 4,
	} {
		if got := big.Size(name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if New(Auto).Size(SizeLogRow) != 32 {
		t.Error("the scaled theme changed the plain one")
	}
}

func TestFontsAreTheOnesTheTokensAskFor(t *testing.T) {
	th := New(Auto)
	for want, style := range map[string]fyne.TextStyle{
		"NotoSans-Regular": {}, "NotoSans-Bold": {Bold: true}, "DejaVuSansMono": {Monospace: true},
	} {
		if got := th.Font(style).Name(); !bytes.HasPrefix([]byte(got), []byte(want)) {
			t.Errorf("%+v is %s, want %s", style, got, want)
		}
	}
}

func TestFyneIconsThatShowAreOurs(t *testing.T) {
	test.NewTempApp(t)
	th := New(Light)
	for name := range icons {
		if len(th.Icon(name).Content()) == 0 {
			t.Errorf("%s is empty", name)
		}
	}
	if th.Icon(fynetheme.IconNameHelp) == nil {
		t.Error("an icon we do not have is not taken from Fyne")
	}
}

func TestAskingForAColorAllocatesNothing(t *testing.T) {
	th := New(Auto)
	if n := testing.AllocsPerRun(100, func() { th.Color(ColorAllowed, fynetheme.VariantDark) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
