//go:build !lite

package tray

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/systray"

	"paddock/assets"
	"paddock/share"
)

// Source is the state that the tray shows.
type Source interface {
	State() share.State
	Watch() (<-chan struct{}, func())
}

// OnClick sets what a click on the icon itself does, where the desktop tells it
// from a click that opens the menu. Call it once, before the first Fyne call;
// f runs on Fyne's thread. (Fyne's own SetSystemTrayWindow calls Show on the
// wrong thread.)
func OnClick(f func()) { systray.SetOnTapped(func() { fyne.Do(f) }) }

// Fyne paints the tray of the full edition until ctx ends. do is called on
// Fyne's thread when an entry is clicked. Run it in a goroutine of its own.
func Fyne(ctx context.Context, app desktop.App, source Source, do func(Item)) {
	wake, stop := source.Watch()
	defer stop()
	var shape assets.TrayShape
	pace(ctx, wake, func() picture { return pictureOf(source.State()) }, func(p picture) {
		menu := fyne.NewMenu("Paddock", entries(p.menu, do)...)
		icon := p.shape != shape
		shape = p.shape
		fyne.Do(func() {
			if icon {
				// A themed SVG fails on Linux ("Failed to read icon format").
				app.SetSystemTrayIcon(fyne.NewStaticResource("tray-"+string(p.shape)+".png", assets.TrayIcon(p.shape)))
			}
			app.SetSystemTrayMenu(menu)
			systray.SetTooltip(p.tip)
		})
	})
}

func entries(items []Item, do func(Item)) []*fyne.MenuItem {
	var out []*fyne.MenuItem
	for _, i := range items {
		if i.Label == "" {
			out = append(out, fyne.NewMenuItemSeparator())
			continue
		}
		m := fyne.NewMenuItem(i.Label, func() { do(i) })
		m.Disabled, m.Checked = i.Disabled, i.Ticked
		if len(i.Sub) > 0 {
			m.Action = nil
			m.ChildMenu = fyne.NewMenu("", entries(i.Sub, do)...)
		}
		out = append(out, m)
	}
	// Fyne adds a Quit of its own to a menu whose last entry is not marked, and
	// to later menus it adds none. Ours is marked, and keeps our action.
	if n := len(items); n > 0 && items[n-1].Action == Quit {
		out[n-1].IsQuit = true
	}
	return out
}
