//go:build linux

package testdesk

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

const menuInterface = "com.canonical.dbusmenu"

// Entry is one line of a tray menu.
type Entry struct {
	ID        int32
	Label     string
	Enabled   bool
	Visible   bool
	Checked   bool
	Separator bool
	Sub       []Entry
}

// String shows the entry as a person sees it: "[x]" for a tick, brackets for one
// that is greyed out.
func (e Entry) String() string {
	if e.Separator {
		return "----"
	}
	s := e.Label
	if e.Checked {
		s = "[x] " + s
	}
	if !e.Enabled {
		s = "(" + s + ")"
	}
	if len(e.Sub) > 0 {
		s += fmt.Sprint(" > ", e.Sub)
	}
	return s
}

// layout is the struct (ia{sv}av) in which a menu is told.
type layout struct {
	ID    int32
	Props map[string]dbus.Variant
	Kids  []dbus.Variant
}

// Menu reads the whole menu.
func (i *Item) Menu() []Entry {
	i.d.t.Helper()
	list, err := i.menu()
	check(i.d.t, "read the tray menu", err)
	return list
}

func (i *Item) menu() ([]Entry, error) {
	path, err := i.menuPath()
	if err != nil {
		return nil, err
	}
	// As panels do before they show it. Not every program has the method.
	i.d.call(i.name, path, menuInterface+".AboutToShow", int32(0))
	var revision uint32
	var root layout
	if err := i.d.call(i.name, path, menuInterface+".GetLayout", int32(0), int32(-1), []string{}).Store(&revision, &root); err != nil {
		return nil, err
	}
	return entries(root.Kids), nil
}

func (i *Item) menuPath() (dbus.ObjectPath, error) {
	var v dbus.Variant
	if err := i.d.call(i.name, i.path, "org.freedesktop.DBus.Properties.Get", itemInterface, "Menu").Store(&v); err != nil {
		return "", err
	}
	path, ok := v.Value().(dbus.ObjectPath)
	if !ok {
		return "", fmt.Errorf("the tray icon's menu is %v", v)
	}
	return path, nil
}

func entries(kids []dbus.Variant) []Entry {
	var out []Entry
	for _, k := range kids {
		var l layout
		if dbus.Store([]any{k.Value()}, &l) != nil {
			continue
		}
		e := Entry{ID: l.ID, Enabled: true, Visible: true, Sub: entries(l.Kids)}
		for name, v := range l.Props {
			e.set(name, v.Value())
		}
		out = append(out, e)
	}
	return out
}

func (e *Entry) set(name string, value any) {
	switch v := value.(type) {
	case string:
		switch name {
		case "label":
			e.Label = mnemonics.Replace(v)
		case "type":
			e.Separator = v == "separator"
		}
	case bool:
		switch name {
		case "enabled":
			e.Enabled = v
		case "visible":
			e.Visible = v
		}
	case int32:
		if name == "toggle-state" {
			e.Checked = v == 1
		}
	}
}

// mnemonics turns a label into what a panel shows: one underscore marks the
// access key, two stand for one.
var mnemonics = strings.NewReplacer("__", "_", "_", "")

// Find looks an entry up by the labels on the way to it ("Keys", "alice"). An
// entry that is not visible is not found.
func (i *Item) Find(labels ...string) (Entry, bool) {
	list, err := i.menu()
	if err != nil {
		return Entry{}, false
	}
	var e Entry
	for _, want := range labels {
		n := slices.IndexFunc(list, func(e Entry) bool { return e.Label == want && e.Visible })
		if n < 0 {
			return Entry{}, false
		}
		e, list = list[n], list[n].Sub
	}
	return e, true
}

// Entry waits for an entry that fits, which may be nil.
func (i *Item) Entry(fits func(Entry) bool, labels ...string) Entry {
	i.d.t.Helper()
	var e Entry
	var last []Entry
	limit := 10 * time.Second
	if !holds(limit, i.d.wake, func() (ok bool) {
		e, ok = i.Find(labels...)
		return ok && (fits == nil || fits(e))
	}) {
		last, _ = i.menu()
		i.d.t.Fatalf("waited %v in vain for the menu entry %q; the menu is %v", limit, labels, last)
	}
	return e
}

// Click waits for the entry to be there and not greyed out, and clicks it as a
// panel would.
func (i *Item) Click(labels ...string) {
	i.d.t.Helper()
	i.ClickID(i.Entry(func(e Entry) bool { return e.Enabled }, labels...).ID)
}

// ClickID clicks the entry with a number, even one that is no longer shown.
func (i *Item) ClickID(id int32) {
	i.d.t.Helper()
	path, err := i.menuPath()
	check(i.d.t, "find the tray menu", err)
	check(i.d.t, "click the tray menu", i.d.call(i.name, path, menuInterface+".Event",
		id, "clicked", dbus.MakeVariant(int32(0)), uint32(time.Now().Unix())).Err)
}
