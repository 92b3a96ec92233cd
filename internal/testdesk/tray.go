//go:build linux

package testdesk

import (
	"image"
	"image/color"
	"slices"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"
)

const (
	watcherName   = "org.kde.StatusNotifierWatcher"
	watcherPath   = dbus.ObjectPath("/StatusNotifierWatcher")
	itemInterface = "org.kde.StatusNotifierItem"
	itemPath      = dbus.ObjectPath("/StatusNotifierItem")
)

// watcher is the tray host, as a panel is one.
type watcher struct{ d *Desk }

// RegisterStatusNotifierItem takes an icon into the tray. Programs pass the path
// of the item, and then its bus name is theirs; or its bus name, and then the
// path is the usual one.
func (w watcher) RegisterStatusNotifierItem(sender dbus.Sender, name string) *dbus.Error {
	i := &Item{d: w.d, name: string(sender), path: itemPath}
	if strings.HasPrefix(name, "/") {
		i.path = dbus.ObjectPath(name)
	} else {
		i.name = name
	}
	w.d.mu.Lock()
	w.d.items = append(w.d.items, i)
	w.d.mu.Unlock()
	w.d.announceItems()
	_ = w.d.conn.Emit(watcherPath, watcherName+".StatusNotifierItemRegistered", i.name+string(i.path))
	w.d.changed()
	return nil
}

// RegisterStatusNotifierHost does nothing: the host is here.
func (watcher) RegisterStatusNotifierHost(string) *dbus.Error { return nil }

// ServeTray makes the test the tray host. [New] does so unless told otherwise;
// afterwards it is a panel that starts late or comes back.
func (d *Desk) ServeTray() {
	d.t.Helper()
	if d.props == nil {
		check(d.t, "serve the tray", d.conn.Export(watcher{d}, watcherPath, watcherName))
		var err error
		d.props, err = prop.Export(d.conn, watcherPath, prop.Map{watcherName: {
			"IsStatusNotifierHostRegistered": {Value: true},
			"ProtocolVersion":                {Value: int32(0)},
			"RegisteredStatusNotifierItems":  {Value: []string{}},
		}})
		check(d.t, "serve the tray", err)
	}
	d.own(watcherName)
}

// StopTray takes the tray host off the bus, with the icons in it: a panel that
// crashed.
func (d *Desk) StopTray() {
	d.t.Helper()
	_, err := d.conn.ReleaseName(watcherName)
	check(d.t, "stop the tray", err)
	d.mu.Lock()
	d.items = nil
	d.mu.Unlock()
	d.announceItems()
}

// announceItems keeps the list that other tray hosts read.
func (d *Desk) announceItems() {
	if d.props == nil {
		return
	}
	d.mu.Lock()
	list := make([]string, 0, len(d.items))
	for _, i := range d.items {
		list = append(list, i.name+string(i.path))
	}
	d.mu.Unlock()
	d.props.SetMust(watcherName, "RegisteredStatusNotifierItems", list)
}

// forget drops the icons of a program that left the bus.
func (d *Desk) forget(name string) {
	d.mu.Lock()
	before := len(d.items)
	d.items = slices.DeleteFunc(d.items, func(i *Item) bool { return i.name == name })
	dropped := len(d.items) != before
	d.mu.Unlock()
	if dropped {
		d.announceItems()
	}
}

// Items returns the icons in the tray.
func (d *Desk) Items() []*Item {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.items)
}

// Tray waits for an icon in the tray and returns the newest.
func (d *Desk) Tray() *Item {
	d.t.Helper()
	var i *Item
	d.Until("a tray icon", 20*time.Second, func() bool {
		if list := d.Items(); len(list) > 0 {
			i = list[len(list)-1]
		}
		return i != nil
	})
	return i
}

// NoTray waits until the tray is empty.
func (d *Desk) NoTray() {
	d.t.Helper()
	d.Until("an empty tray", 10*time.Second, func() bool { return len(d.Items()) == 0 })
}

// Item is an icon in the tray.
type Item struct {
	d    *Desk
	name string
	path dbus.ObjectPath
}

// Prop reads a property of the icon, such as Title, Status or ToolTip.
func (i *Item) Prop(name string) any {
	i.d.t.Helper()
	var v dbus.Variant
	check(i.d.t, "read "+name+" of the tray icon",
		i.d.call(i.name, i.path, "org.freedesktop.DBus.Properties.Get", itemInterface, name).Store(&v))
	return v.Value()
}

// Activate is a left click on the icon. Programs that show their menu on either
// click answer with an error.
func (i *Item) Activate() error {
	return i.d.call(i.name, i.path, itemInterface+".Activate", int32(0), int32(0)).Err
}

// Icon returns the picture of the icon, the largest if there are several, or nil
// if there is none.
func (i *Item) Icon() image.Image {
	i.d.t.Helper()
	var list []struct {
		W, H int32
		Data []byte
	}
	check(i.d.t, "read the tray icon", dbus.Store([]any{i.Prop("IconPixmap")}, &list))
	var best *image.NRGBA
	for _, p := range list {
		if p.W <= 0 || p.H <= 0 || len(p.Data) != int(p.W)*int(p.H)*4 || best != nil && int(p.W) <= best.Rect.Dx() {
			continue
		}
		best = image.NewNRGBA(image.Rect(0, 0, int(p.W), int(p.H)))
		for n := 0; n < len(p.Data); n += 4 { // alpha, red, green, blue
			c := color.NRGBA{R: p.Data[n+1], G: p.Data[n+2], B: p.Data[n+3], A: p.Data[n]}
			best.SetNRGBA(n/4%int(p.W), n/4/int(p.W), c)
		}
	}
	if best == nil {
		return nil
	}
	return best
}
