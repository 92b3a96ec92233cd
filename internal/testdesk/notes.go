//go:build linux

package testdesk

import (
	"slices"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	notesName = "org.freedesktop.Notifications"
	notesPath = dbus.ObjectPath("/org/freedesktop/Notifications")
)

// Note is one desktop notification that a program sent.
type Note struct{ App, Summary, Body string }

// notifications is the notification service.
type notifications struct{ d *Desk }

// Notify takes a notification.
func (n notifications) Notify(app string, _ uint32, _, summary, body string, _ []string, _ map[string]dbus.Variant, _ int32) (uint32, *dbus.Error) {
	n.d.mu.Lock()
	n.d.notes = append(n.d.notes, Note{app, summary, body})
	id := uint32(len(n.d.notes))
	n.d.mu.Unlock()
	n.d.changed()
	return id, nil
}

// GetCapabilities says what the service can show.
func (notifications) GetCapabilities() ([]string, *dbus.Error) { return []string{"body"}, nil }

// CloseNotification does nothing.
func (notifications) CloseNotification(uint32) *dbus.Error { return nil }

// GetServerInformation names the service.
func (notifications) GetServerInformation() (name, vendor, version, spec string, _ *dbus.Error) {
	return "testdesk", "test", "1", "1.2", nil
}

func (d *Desk) serveNotifications() {
	d.t.Helper()
	check(d.t, "serve notifications", d.conn.Export(notifications{d}, notesPath, notesName))
	d.own(notesName)
}

// own takes a name on the bus.
func (d *Desk) own(name string) {
	d.t.Helper()
	reply, err := d.conn.RequestName(name, dbus.NameFlagDoNotQueue)
	check(d.t, "own "+name, err)
	if reply != dbus.RequestNameReplyPrimaryOwner {
		d.t.Fatalf("own %s: somebody else does", name)
	}
}

// Notes returns the notifications sent so far.
func (d *Desk) Notes() []Note {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.notes)
}

// Note waits for a notification that fits.
func (d *Desk) Note(what string, fits func(Note) bool) Note {
	d.t.Helper()
	var got Note
	d.Until("a notification: "+what, 10*time.Second, func() bool {
		notes := d.Notes()
		i := slices.IndexFunc(notes, fits)
		if i >= 0 {
			got = notes[i]
		}
		return i >= 0
	})
	return got
}

// Until is [Wait], but looks at once when something changes on the bus.
func (d *Desk) Until(what string, limit time.Duration, ok func() bool) {
	d.t.Helper()
	if !holds(limit, d.wake, ok) {
		d.t.Fatalf("waited %v in vain for %s", limit, what)
	}
}
