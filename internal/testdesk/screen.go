//go:build linux

package testdesk

import (
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// quietX silences the X library once: it reports the missing authority file of
// every private server.
var quietX = sync.OnceFunc(func() { xgb.Logger = log.New(io.Discard, "", 0) })

// startScreen starts the X server and connects to it. The server picks a free
// number itself.
func (d *Desk) startScreen(size string) {
	d.t.Helper()
	cmd := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", size+"x24", "-nolisten", "tcp", "-noreset")
	server, number, err := launchAndRead(cmd)
	check(d.t, "start Xvfb", err)
	d.t.Cleanup(server.stop)
	d.Display = ":" + number
	quietX()
	d.x, err = xgb.NewConnDisplay(d.Display)
	check(d.t, "connect to the X server", err)
	d.t.Cleanup(d.x.Close)
}

// startOpenbox starts the window manager and waits until it manages. It claims
// the screen long before that, and a window that opens in between is never
// shown; only its start-up command runs at the right moment.
func (d *Desk) startOpenbox() {
	d.t.Helper()
	need(d.t, "openbox")
	ready := filepath.Join(d.run, "openbox-is-ready")
	cmd := exec.Command("openbox", "--sm-disable", "--startup", "touch "+ready)
	cmd.Env = d.Env()
	var err error
	d.wm, err = launch(cmd)
	check(d.t, "start openbox", err)
	d.t.Cleanup(d.wm.stop)
	Wait(d.t, "the window manager", startLimit, func() bool {
		if !d.wm.alive() {
			d.t.Fatalf("openbox ended: %s", d.wm.said)
		}
		_, err := os.Stat(ready)
		return err == nil
	})
}

// root is the window that is the whole screen.
func (d *Desk) root() xproto.Window {
	return xproto.Setup(d.x).DefaultScreen(d.x).Root
}

// property reads a property of a window; nothing if there is none.
func (d *Desk) property(w xproto.Window, name string) []byte {
	atom, err := xproto.InternAtom(d.x, false, uint16(len(name)), name).Reply()
	if err != nil {
		return nil
	}
	p, err := xproto.GetProperty(d.x, false, w, atom.Atom, xproto.GetPropertyTypeAny, 0, 1<<20).Reply()
	if err != nil {
		return nil
	}
	return p.Value
}
