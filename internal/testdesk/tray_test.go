//go:build linux && e2e

package testdesk_test

import (
	"image/color"
	"sync/atomic"
	"testing"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"

	"paddock/internal/testdesk"
)

// icon is a program with a tray icon, as small as it can be.
type icon struct {
	clicked atomic.Int32
}

type line struct {
	ID    int32
	Props map[string]dbus.Variant
	Kids  []dbus.Variant
}

func text(id int32, label string, more map[string]any, kids ...line) line {
	l := line{id, map[string]dbus.Variant{"label": dbus.MakeVariant(label)}, []dbus.Variant{}}
	for k, v := range more {
		l.Props[k] = dbus.MakeVariant(v)
	}
	for _, k := range kids {
		l.Kids = append(l.Kids, dbus.MakeVariant(k))
	}
	return l
}

func (*icon) AboutToShow(int32) (bool, *dbus.Error) { return false, nil }

func (*icon) GetLayout(int32, int32, []string) (uint32, line, *dbus.Error) {
	return 1, text(0, "", nil,
		text(1, "Share", map[string]any{"toggle-type": "checkmark", "toggle-state": int32(1)}),
		text(2, "", map[string]any{"type": "separator"}),
		text(3, "_Keys", map[string]any{"children-display": "submenu"}, text(4, "nas__n8n", nil), text(5, "hidden", map[string]any{"visible": false})),
		text(6, "Stop", map[string]any{"enabled": false}),
	), nil
}

func (i *icon) Event(id int32, event string, _ dbus.Variant, _ uint32) *dbus.Error {
	if event == "clicked" {
		i.clicked.Store(id)
	}
	return nil
}

type pixmap struct {
	W, H int32
	Data []byte
}

// show puts the icon into the tray and returns what takes it out.
func (i *icon) show(t *testing.T, d *testdesk.Desk) (leave func()) {
	t.Helper()
	c, err := dbus.Connect(d.Address)
	if err != nil {
		t.Fatal(err)
	}
	const item = "org.kde.StatusNotifierItem"
	if err := c.Export(i, "/menu", "com.canonical.dbusmenu"); err != nil {
		t.Fatal(err)
	}
	if _, err := prop.Export(c, "/StatusNotifierItem", prop.Map{item: {
		"Title":      {Value: "Paddock"},
		"Menu":       {Value: dbus.ObjectPath("/menu")},
		"IconPixmap": {Value: []pixmap{{1, 1, []byte{9, 9, 9, 9}}, {2, 1, []byte{255, 1, 2, 3, 255, 4, 5, 6}}}},
	}}); err != nil {
		t.Fatal(err)
	}
	if err := c.Object("org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher").
		Call("org.kde.StatusNotifierWatcher.RegisterStatusNotifierItem", 0, "/StatusNotifierItem").Err; err != nil {
		t.Fatal(err)
	}
	return func() { _ = c.Close() }
}

func TestTheTrayIsReadAndClicked(t *testing.T) {
	d := testdesk.New(t)
	var app icon
	leave := app.show(t, d)
	tray := d.Tray()
	if got := tray.Prop("Title"); got != "Paddock" {
		t.Errorf("title %v", got)
	}
	if got := tray.Icon(); got.Bounds().Dx() != 2 || got.At(1, 0) != (color.NRGBA{4, 5, 6, 255}) {
		t.Errorf("the icon is %v", got)
	}
	menu := tray.Menu()
	if len(menu) != 4 || menu[0].String() != "[x] Share" || menu[1].String() != "----" || menu[3].String() != "(Stop)" {
		t.Errorf("the menu is %v", menu)
	}
	if _, ok := tray.Find("Keys", "hidden"); ok {
		t.Error("found an entry that cannot be seen")
	}
	tray.Click("Keys", "nas_n8n")
	d.Until("the click", patience, func() bool { return app.clicked.Load() == 4 })
	leave()
	d.NoTray()
}

func TestATrayThatStartsLateAndCrashes(t *testing.T) {
	d := testdesk.New(t, testdesk.WithoutTray(), testdesk.WithoutNotifications())
	if d.HasOwner("org.kde.StatusNotifierWatcher") || d.HasOwner("org.freedesktop.Notifications") {
		t.Fatal("somebody serves what the test left out")
	}
	d.ServeTray()
	var app icon
	defer app.show(t, d)()
	d.Tray()
	d.StopTray()
	if d.HasOwner("org.kde.StatusNotifierWatcher") || len(d.Items()) != 0 {
		t.Error("the tray is still there")
	}
	d.ServeTray()
}

func TestNotificationsAreCollected(t *testing.T) {
	d := testdesk.New(t)
	c, err := dbus.Connect(d.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	err = c.Object("org.freedesktop.Notifications", "/org/freedesktop/Notifications").Call("org.freedesktop.Notifications.Notify", 0,
		"Paddock", uint32(0), "", "Refused", "by name", []string{}, map[string]dbus.Variant{}, int32(-1)).Err
	if err != nil {
		t.Fatal(err)
	}
	got := d.Note("a refusal", func(n testdesk.Note) bool { return n.Summary == "Refused" })
	if got != (testdesk.Note{App: "Paddock", Summary: "Refused", Body: "by name"}) {
		t.Errorf("got %+v", got)
	}
}
