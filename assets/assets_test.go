package assets

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image"
	"image/png"
	"io"
	"io/fs"
	"math"
	"strings"
	"testing"
)

// wellFormed reads a drawing to its end.
func wellFormed(t *testing.T, name string, svg []byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

func TestEveryIconIsABlackDrawingOnTheGrid(t *testing.T) {
	for _, icon := range Icons() {
		svg := icon.SVG()
		wellFormed(t, string(icon), svg)
		if !bytes.Contains(svg, []byte(`viewBox="0 0 24 24"`)) {
			t.Errorf("%s is not on the 24 grid", icon)
		}
		// Whoever shows an icon swaps this one colour for its own.
		if n := bytes.Count(svg, []byte("#")); n == 0 || n != bytes.Count(svg, []byte("#000000")) {
			t.Errorf("%s has colours other than black", icon)
		}
	}
}

func TestEveryShippedDrawingHasAName(t *testing.T) {
	known := map[string]bool{"app": true, "scene": true, "scene-dark": true}
	for _, icon := range Icons() {
		known[string(icon)] = true
	}
	for _, shape := range TrayShapes() {
		known["tray-"+string(shape)] = true
	}
	names, err := fs.Glob(files, "icons/*.svg")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		short := strings.TrimSuffix(strings.TrimPrefix(name, "icons/"), ".svg")
		if !known[short] {
			t.Errorf("%s is shipped but nothing can show it", name)
		}
	}
}

func decode(t *testing.T, data []byte, size int) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b.Dx() != size || b.Dy() != size {
		t.Fatalf("picture is %dx%d, want %d", b.Dx(), b.Dy(), size)
	}
	return img
}

func TestAppIcon(t *testing.T) {
	wellFormed(t, "app", AppSVG())
	wellFormed(t, "scene", Scene(false))
	wellFormed(t, "dark scene", Scene(true))
	decode(t, AppPNG(), 512)
}

// luminance of the strongest pixel, after WCAG.
func luminance(img image.Image) float64 {
	best, lum := uint32(0), 0.0
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			r, g, b, a := img.At(x, y).RGBA()
			if a <= best {
				continue
			}
			best = a
			lin := func(c uint32) float64 {
				v := float64(c) / float64(a)
				if v <= 0.03928 {
					return v / 12.92
				}
				return math.Pow((v+0.055)/1.055, 2.4)
			}
			lum = 0.2126*lin(r) + 0.7152*lin(g) + 0.0722*lin(b)
		}
	}
	return lum
}

func TestTrayIconsAreLegibleOnEitherPanel(t *testing.T) {
	for _, shape := range TrayShapes() {
		wellFormed(t, string(shape), TraySVG(shape))
		wellFormed(t, string(shape), shape.Gate().SVG())
		lum := luminance(decode(t, TrayIcon(shape), 64))
		// Panels are rarely pure: these are a common dark grey and a common light grey.
		const dark, light = 0.0130, 0.9130
		if c := (lum + 0.05) / (dark + 0.05); c < 3 {
			t.Errorf("%s on a dark panel: %.1f", shape, c)
		}
		if c := (light + 0.05) / (lum + 0.05); c < 3 {
			t.Errorf("%s on a light panel: %.1f", shape, c)
		}
		if luminance(decode(t, TrayIconOn(shape, true), 64)) < 0.8 {
			t.Errorf("%s for dark panels is not light", shape)
		}
		if luminance(decode(t, TrayIconOn(shape, false), 64)) > 0.05 {
			t.Errorf("%s for light panels is not dark", shape)
		}
	}
}

func TestTrayShapesDifferWithoutColour(t *testing.T) {
	shapes := TrayShapes()
	for i, a := range shapes {
		for _, b := range shapes[i+1:] {
			x, y := decode(t, TrayIcon(a), 64), decode(t, TrayIcon(b), 64)
			differ := 0
			for py := range 64 {
				for px := range 64 {
					_, _, _, p := x.At(px, py).RGBA()
					_, _, _, q := y.At(px, py).RGBA()
					if (p > 0x7fff) != (q > 0x7fff) {
						differ++
					}
				}
			}
			if differ < 64*64/40 {
				t.Errorf("%s and %s differ in only %d of 4096 pixels", a, b, differ)
			}
		}
	}
}
