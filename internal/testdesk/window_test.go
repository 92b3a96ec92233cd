//go:build linux && e2e

package testdesk_test

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"

	"paddock/internal/testdesk"
)

const patience = 5 * time.Second

// program is a program with one window, as small as it can be: it is green and
// reports the keys and buttons pressed in it.
type program struct {
	x      *xgb.Conn
	id     xproto.Window
	events chan any
}

func openProgram(t *testing.T, d *testdesk.Desk, title string) *program {
	t.Helper()
	x, err := xgb.NewConnDisplay(d.Display)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	id, err := xproto.NewWindowId(x)
	if err != nil {
		t.Fatal(err)
	}
	s := xproto.Setup(x).DefaultScreen(x)
	const green = 0x00ff00
	check := func(c interface{ Check() error }) {
		t.Helper()
		if err := c.Check(); err != nil {
			t.Fatal(err)
		}
	}
	check(xproto.CreateWindowChecked(x, s.RootDepth, id, s.Root, 40, 30, 200, 100, 0, xproto.WindowClassInputOutput, s.RootVisual,
		xproto.CwBackPixel|xproto.CwEventMask, []uint32{green, xproto.EventMaskKeyPress | xproto.EventMaskButtonPress}))
	set := func(property, kind string, format byte, data []byte) {
		t.Helper()
		atom := func(name string) xproto.Atom {
			a, err := xproto.InternAtom(x, false, uint16(len(name)), name).Reply()
			if err != nil {
				t.Fatal(err)
			}
			return a.Atom
		}
		if kind == "ATOM" {
			data = make([]byte, 4)
			xgb.Put32(data, uint32(atom("WM_DELETE_WINDOW")))
		}
		check(xproto.ChangePropertyChecked(x, xproto.PropModeReplace, id, atom(property), atom(kind), format, uint32(len(data)*8)/uint32(format), data))
	}
	set("WM_NAME", "STRING", 8, []byte(title))
	set("WM_PROTOCOLS", "ATOM", 32, nil)
	check(xproto.MapWindowChecked(x, id))
	p := &program{x: x, id: id, events: make(chan any, 16)}
	go func() {
		for {
			e, err := x.WaitForEvent()
			if e == nil && err == nil {
				return
			}
			switch e := e.(type) {
			case xproto.KeyPressEvent, xproto.ButtonPressEvent:
				p.events <- e
			case xproto.ClientMessageEvent:
				p.events <- e
				xproto.DestroyWindow(x, id)
			}
		}
	}()
	return p
}

func (p *program) next(t *testing.T) any {
	t.Helper()
	select {
	case e := <-p.events:
		return e
	case <-time.After(patience):
		t.Fatal("nothing reached the program")
		return nil
	}
}

func TestAWindowIsSeenClickedTypedIntoAndClosed(t *testing.T) {
	for name, opts := range map[string][]testdesk.Option{"bare": nil, "openbox": {testdesk.WithOpenbox()}} {
		t.Run(name, func(t *testing.T) {
			d := testdesk.New(t, opts...)
			p := openProgram(t, d, "Paddock Keys")
			w := d.Window("Paddock")
			if got := w.Bounds().Size(); got != image.Pt(200, 100) {
				t.Errorf("its size is %v", got)
			}
			testdesk.Wait(t, "the window's colour", patience, func() bool { return w.Picture().At(199, 99) == color.RGBA{0, 255, 0, 255} })

			file := filepath.Join(t.TempDir(), "shots", "window.png")
			w.Screenshot(file)
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = f.Close() }()
			if img, err := png.Decode(f); err != nil || img.Bounds().Size() != image.Pt(200, 100) {
				t.Errorf("the screenshot is %v, %v", img, err)
			}

			w.Click(12, 34)
			if e, ok := p.next(t).(xproto.ButtonPressEvent); !ok || e.EventX != 12 || e.EventY != 34 || e.Detail != 1 {
				t.Errorf("got %+v", e)
			}
			w.Type("a")
			if _, ok := p.next(t).(xproto.KeyPressEvent); !ok {
				t.Error("no key arrived")
			}
			w.Resize(300, 150)
			w.Close()
			d.NoWindow("Paddock")
			if w.Visible() {
				t.Error("the window can still be seen")
			}
		})
	}
}

func TestTheClipboard(t *testing.T) {
	d := testdesk.New(t)
	if got, ok := d.Clipboard(); ok {
		t.Errorf("a fresh desktop has %q on the clipboard", got)
	}
	d.SetClipboard("first é\nsecond")
	d.SetClipboard("pdk_secret")
	if got, ok := d.Clipboard(); !ok || got != "pdk_secret" {
		t.Errorf("the clipboard holds %q, %v", got, ok)
	}
}
