//go:build linux

package testdesk

import (
	"image"
	"slices"
	"strings"
	"time"

	"github.com/jezek/xgb/xproto"
)

// Window is a window on the screen.
type Window struct {
	ID    uint32
	Title string

	d *Desk
}

// Windows returns the windows that can be seen and have a title, in stacking
// order with the lowest first.
func (d *Desk) Windows() []*Window {
	var out []*Window
	var walk func(xproto.Window)
	walk = func(w xproto.Window) {
		tree, err := xproto.QueryTree(d.x, w).Reply()
		if err != nil {
			return // gone since its parent was asked
		}
		for _, c := range tree.Children {
			a, err := xproto.GetWindowAttributes(d.x, c).Reply()
			if err != nil || a.MapState != xproto.MapStateViewable {
				continue
			}
			if title := d.title(c); title != "" && a.Class == xproto.WindowClassInputOutput {
				out = append(out, &Window{ID: uint32(c), Title: title, d: d})
			}
			walk(c)
		}
	}
	walk(d.root())
	return out
}

func (d *Desk) title(w xproto.Window) string {
	if s := d.property(w, "_NET_WM_NAME"); len(s) > 0 {
		return string(s)
	}
	return string(d.property(w, "WM_NAME"))
}

// FindWindow returns the topmost window whose title contains the text.
func (d *Desk) FindWindow(title string) (*Window, bool) {
	for _, w := range slices.Backward(d.Windows()) {
		if strings.Contains(w.Title, title) {
			return w, true
		}
	}
	return nil, false
}

// Window waits until a window whose title contains the text can be seen.
func (d *Desk) Window(title string) *Window {
	d.t.Helper()
	var w *Window
	Wait(d.t, "a window named "+title, 15*time.Second, func() (ok bool) {
		w, ok = d.FindWindow(title)
		return ok
	})
	return w
}

// NoWindow waits until no window whose title contains the text can be seen.
func (d *Desk) NoWindow(title string) {
	d.t.Helper()
	Wait(d.t, "the window named "+title+" to go", 10*time.Second, func() bool {
		_, ok := d.FindWindow(title)
		return !ok
	})
}

// Visible says whether the window is still there and can be seen.
func (w *Window) Visible() bool {
	a, err := xproto.GetWindowAttributes(w.d.x, xproto.Window(w.ID)).Reply()
	return err == nil && a.MapState == xproto.MapStateViewable
}

// Bounds returns where the window is on the screen, without its frame.
func (w *Window) Bounds() image.Rectangle {
	w.d.t.Helper()
	id := xproto.Window(w.ID)
	g, err := xproto.GetGeometry(w.d.x, xproto.Drawable(id)).Reply()
	check(w.d.t, "size of the window "+w.Title, err)
	at, err := xproto.TranslateCoordinates(w.d.x, id, w.d.root(), 0, 0).Reply()
	check(w.d.t, "place of the window "+w.Title, err)
	return image.Rect(0, 0, int(g.Width), int(g.Height)).Add(image.Pt(int(at.DstX), int(at.DstY)))
}

// Resize gives the window another size and waits until it has it.
func (w *Window) Resize(width, height int) {
	w.d.t.Helper()
	check(w.d.t, "resize the window "+w.Title, xproto.ConfigureWindowChecked(w.d.x, xproto.Window(w.ID),
		xproto.ConfigWindowWidth|xproto.ConfigWindowHeight, []uint32{uint32(width), uint32(height)}).Check())
	Wait(w.d.t, "the new size", 5*time.Second, func() bool { return w.Bounds().Size() == image.Pt(width, height) })
}

// Close asks the window to close, as its frame's button does.
func (w *Window) Close() {
	w.d.t.Helper()
	atom := func(name string) xproto.Atom {
		a, err := xproto.InternAtom(w.d.x, false, uint16(len(name)), name).Reply()
		check(w.d.t, "close the window "+w.Title, err)
		return a.Atom
	}
	e := xproto.ClientMessageEvent{
		Format: 32, Window: xproto.Window(w.ID), Type: atom("WM_PROTOCOLS"),
		Data: xproto.ClientMessageDataUnionData32New([]uint32{uint32(atom("WM_DELETE_WINDOW")), xproto.TimeCurrentTime, 0, 0, 0}),
	}
	check(w.d.t, "close the window "+w.Title, xproto.SendEventChecked(w.d.x, false, e.Window, 0, string(e.Bytes())).Check())
}
