//go:build linux

package testdesk

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"

	"github.com/jezek/xgb/xproto"
)

// Picture returns what the screen shows.
func (d *Desk) Picture() image.Image {
	d.t.Helper()
	img, err := d.grab(d.screenBounds())
	check(d.t, "take a picture of the screen", err)
	return img
}

// Picture returns what the window shows, without its frame. Whatever lies over
// it is in the picture too, as on a real screen.
func (w *Window) Picture() image.Image {
	w.d.t.Helper()
	img, err := w.d.grab(w.Bounds().Intersect(w.d.screenBounds()))
	check(w.d.t, "take a picture of "+w.Title, err)
	return img
}

// Screenshot writes what the screen shows to a PNG file.
func (d *Desk) Screenshot(file string) {
	d.t.Helper()
	check(d.t, "write a screenshot", writePNG(file, d.Picture()))
}

// Screenshot writes what the window shows to a PNG file.
func (w *Window) Screenshot(file string) {
	w.d.t.Helper()
	check(w.d.t, "write a screenshot", writePNG(file, w.Picture()))
}

func (d *Desk) screenBounds() image.Rectangle {
	s := xproto.Setup(d.x).DefaultScreen(d.x)
	return image.Rect(0, 0, int(s.WidthInPixels), int(s.HeightInPixels))
}

// grab reads a part of the screen.
func (d *Desk) grab(r image.Rectangle) (image.Image, error) {
	got, err := xproto.GetImage(d.x, xproto.ImageFormatZPixmap, xproto.Drawable(d.root()),
		int16(r.Min.X), int16(r.Min.Y), uint16(r.Dx()), uint16(r.Dy()), ^uint32(0)).Reply()
	if err != nil {
		return nil, err
	}
	img := image.NewRGBA(image.Rect(0, 0, r.Dx(), r.Dy()))
	if len(got.Data) != len(img.Pix) {
		return nil, fmt.Errorf("the screen has %d bytes for %d pixels", len(got.Data), len(img.Pix)/4)
	}
	for i := 0; i < len(img.Pix); i += 4 { // blue, green, red, unused
		img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3] = got.Data[i+2], got.Data[i+1], got.Data[i], 0xff
	}
	return img, nil
}

func writePNG(file string, img image.Image) error {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}

// KeepScreen keeps a picture of the screen for whoever looks at the failure,
// once. [New] sees to it at the end of a failed test; call it before that if a
// program that shows something is about to be stopped. It reports problems and
// does not fail: the test has failed already.
func (d *Desk) KeepScreen() {
	d.kept.Do(func() {
		var b bytes.Buffer
		img, err := d.grab(d.screenBounds())
		if err == nil {
			err = png.Encode(&b, img)
		}
		if err != nil {
			d.t.Logf("no picture of the screen: %v", err)
			return
		}
		Keep(d.t, "screen.png", b.Bytes())
	})
}
