//go:build !lite

package ui

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"paddock/assets"
	"paddock/requestlog"
	"paddock/share"
	"paddock/ui/desk"
	"paddock/ui/keys"
	"paddock/ui/kit"
	"paddock/ui/theme"
	"paddock/ui/websites"
)

// board is what the main window shows: the sidebar, and one room beside it.
type board struct {
	content fyne.CanvasObject
	side    *sidebar
	desk    *desk.Screen
	keys    *keys.Screen
	sites   *websites.Screen
	at      room
	views   map[room]*fyne.Container
	demo    *kit.Banner
	demoBox *fyne.Container
	right   *fyne.Container
}

// asks is what the main window can ask for.
type asks struct {
	desk    desk.Asks
	keys    keys.Options
	sites   websites.Options
	openLog func()
}

func newBoard(a asks) *board {
	b := &board{}
	b.side = newSidebar(b.enter, a.openLog)
	a.desk.FirstKey = b.newKey
	b.desk, b.keys, b.sites = desk.New(a.desk), keys.New(a.keys), websites.New(a.sites)
	b.views = map[room]*fyne.Container{
		roomShare:    container.NewStack(b.desk.Content()),
		roomKeys:     container.NewStack(b.keys.Content()),
		roomWebsites: container.NewStack(b.sites.Content()),
	}
	back := kit.NewButton(kit.Outlined, "Use Ollama again", "", func() { a.desk.Demo(false) })
	b.demo = kit.NewBanner(kit.Attention, assets.Attention, "Built-in demo instead of Ollama: the answers are made up.", back)
	const m = theme.WindowMargin
	b.demoBox = kit.Padded(m, m, m, theme.CardGap-m, b.demo) // what is below begins with a margin of its own
	b.demoBox.Hide()
	rooms := container.NewStack(b.views[roomShare], b.views[roomKeys], b.views[roomWebsites])
	b.right = kit.Edges(b.demoBox, nil, nil, nil, rooms)
	b.content = kit.HBoxFull(0, b.side.content, kit.Grow(kit.NewGround(theme.ColorBackground, b.right)))
	b.enter(roomShare)
	return b
}

// enter shows a room.
func (b *board) enter(r room) {
	b.at = r
	b.side.choose(r)
	for at, view := range b.views {
		if at == r {
			view.Show()
		} else {
			view.Hide()
		}
	}
	b.sites.SetShown(r == roomWebsites)
	b.side.refused(b.sites.Unseen())
}

func (b *board) newKey() {
	b.enter(roomKeys)
	b.keys.NewKey()
}

// typedKey takes a key that was pressed while nothing had the keyboard.
func (b *board) typedKey(e *fyne.KeyEvent) {
	if b.at == roomKeys {
		b.keys.TypedKey(e)
	}
}

// show paints a picture of the program.
func (b *board) show(p picture) {
	b.side.show(p.state)
	b.desk.Show(p.state, p.recent, p.at)
	b.keys.Show(p.state)
	b.sites.Show(p.state)
	b.side.refused(b.sites.Unseen())
	if b.demoBox.Visible() != p.state.Ollama.Demo {
		b.demoBox.Hidden = !p.state.Ollama.Demo
		b.right.Refresh()
	}
}

// picture is all that the main window shows at one moment.
type picture struct {
	at     time.Time
	state  share.State
	recent []requestlog.Entry // the newest first
}
