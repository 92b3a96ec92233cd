//go:build linux

package testdesk

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"
	"github.com/jezek/xgb"
)

// Desk is one private desktop: X server, session bus, tray host, notification
// service. The test that made it must not use it from other goroutines, except
// for [Desk.Env] and what says so.
type Desk struct {
	*Bus

	// Display is what belongs into DISPLAY.
	Display string
	// Home is the home folder of the programs on this desktop. Its path is
	// short, so that sockets can lie in it.
	Home string

	t     testing.TB
	run   string // XDG_RUNTIME_DIR
	x     *xgb.Conn
	wm    *daemon
	props *prop.Properties // of the tray host
	wake  chan struct{}    // capacity 1: something changed on the bus
	kept  sync.Once        // the picture of a failure

	mu    sync.Mutex // guards items and notes
	items []*Item
	notes []Note
}

// Option changes what [New] puts on the desktop.
type Option func(*options)

type options struct {
	tray, notes, openbox bool
	screen               string
}

// WithoutTray leaves the tray host out, as on GNOME without an extension; it can
// come later with [Desk.ServeTray].
func WithoutTray() Option { return func(o *options) { o.tray = false } }

// WithoutNotifications leaves the notification service out.
func WithoutNotifications() Option { return func(o *options) { o.notes = false } }

// WithOpenbox adds the window manager openbox, which moves the focus, closes
// windows by Alt+F4 and frames them. Without one, windows appear at once where
// they want to be.
func WithOpenbox() Option { return func(o *options) { o.openbox = true } }

// WithScreen sets the size of the screen, such as "1920x1080"; it is 1280x800.
func WithScreen(size string) Option { return func(o *options) { o.screen = size } }

// New starts a desktop and stops it when the test ends. If the test failed, a
// picture of the screen is kept; see [Keep].
func New(t testing.TB, opts ...Option) *Desk {
	t.Helper()
	o := options{tray: true, notes: true, screen: "1280x800"}
	for _, f := range opts {
		f(&o)
	}
	need(t, "Xvfb", "dbus-daemon")
	// Not a test's own folder: its name can be too long for a socket address.
	dir, err := os.MkdirTemp("", "desk-")
	check(t, "make a folder for the desktop", err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	d := &Desk{
		t: t, Home: filepath.Join(dir, "home"), run: filepath.Join(dir, "run"),
		wake: make(chan struct{}, 1),
	}
	for _, p := range []string{d.Home, d.run} {
		check(t, "make a folder for the desktop", os.Mkdir(p, 0o700))
	}
	d.startScreen(o.screen)
	d.Bus = NewBus(t)
	d.watchBus()
	if o.tray {
		d.ServeTray()
	}
	if o.notes {
		d.serveNotifications()
	}
	if o.openbox {
		d.startOpenbox()
	}
	// Last, so that it runs first: while the screen still shows what went wrong.
	t.Cleanup(func() {
		if t.Failed() {
			d.KeepScreen()
		}
	})
	return d
}

// Env is the environment of a program on this desktop, and nothing of the test's
// own beyond PATH. Later settings win over earlier ones.
func (d *Desk) Env(extra ...string) []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + d.Home,
		"XDG_RUNTIME_DIR=" + d.run,
		"DISPLAY=" + d.Display,
		"DBUS_SESSION_BUS_ADDRESS=" + d.Address,
		"LANG=en_GB.UTF-8", // Fyne complains about C
		"TZ=UTC",
		"FYNE_SCALE=1",
		"LIBGL_ALWAYS_SOFTWARE=1",
	}, extra...)
}

// changed wakes a waiting test.
func (d *Desk) changed() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// watchBus wakes waiting tests when a program says that its tray icon or menu
// changed, and forgets the tray items of programs that have left.
func (d *Desk) watchBus() {
	for _, m := range [][]dbus.MatchOption{
		{dbus.WithMatchInterface(menuInterface)},
		{dbus.WithMatchInterface(itemInterface)},
		{dbus.WithMatchInterface("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged")},
	} {
		check(d.t, "watch the bus", d.conn.AddMatchSignal(m...))
	}
	signals := make(chan *dbus.Signal, 64)
	d.conn.Signal(signals) // closed with the connection
	go func() {
		for s := range signals {
			if s.Name == "org.freedesktop.DBus.NameOwnerChanged" && len(s.Body) == 3 {
				name, _ := s.Body[0].(string)
				if owner, _ := s.Body[2].(string); owner == "" {
					d.forget(name)
				}
			}
			d.changed()
		}
	}()
}
