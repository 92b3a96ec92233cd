//go:build !lite

package ui

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"paddock/assets"
	"paddock/requestlog"
	"paddock/settings"
	"paddock/share"
	"paddock/ui/desk"
	"paddock/ui/keys"
	"paddock/ui/kit"
	"paddock/ui/prefs"
	"paddock/ui/safety"
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
	safety  *safety.Screen
	prefs   *prefs.Screen
	at      room
	views   map[room]*fyne.Container
	demo    *fyne.Container // over every room while the demo stands in
	cut     *fyne.Container // over every room after a panic
	undo    *kit.Button

	cutBanner *kit.Banner
	top       *fyne.Container // of both
	right     *fyne.Container
}

// asks is what the main window can ask for.
type asks struct {
	desk    desk.Asks
	keys    keys.Options
	sites   websites.Options
	safety  safety.Options
	prefs   prefs.Options
	openLog func()
	undo    func(done func()) // takes a panic back; done is called when it has, or has failed
}

func newBoard(a asks) *board {
	b := &board{}
	b.side = newSidebar(b.enter, a.openLog)
	a.desk.FirstKey = b.newKey
	a.safety.Keys = func() { b.enter(roomKeys) }
	b.desk, b.keys, b.sites, b.safety, b.prefs = desk.New(a.desk), keys.New(a.keys), websites.New(a.sites), safety.New(a.safety), prefs.New(a.prefs)
	b.views = map[room]*fyne.Container{
		roomShare:    container.NewStack(b.desk.Content()),
		roomKeys:     container.NewStack(b.keys.Content()),
		roomWebsites: container.NewStack(b.sites.Content()),
		roomSafety:   container.NewStack(b.safety.Content()),
		roomSettings: container.NewStack(b.prefs.Content()),
	}
	back := kit.NewButton(kit.Outlined, "Use Ollama again", "", func() { a.desk.Demo(false) })
	b.demo = overRoom(kit.NewBanner(kit.Attention, assets.Attention, "Built-in demo instead of Ollama: the answers are made up.", back))
	b.undo = kit.NewButton(kit.Outlined, "Undo", "", nil).Named("Undo the panic")
	b.undo.SetTapped(func() {
		b.undo.Disable() // pressed twice it would share again after a stop
		a.undo(b.undo.Enable)
	})
	b.cutBanner = kit.NewBanner(kit.Paused, assets.Refused, "", b.undo)
	b.cut = overRoom(b.cutBanner)
	rooms := container.NewStack()
	for _, r := range allRooms {
		rooms.Add(b.views[r])
	}
	b.top = kit.VBox(0, b.cut, b.demo)
	b.right = kit.Edges(b.top, nil, nil, nil, rooms)
	b.content = kit.HBoxFull(0, b.side.content, kit.Grow(kit.NewGround(theme.ColorBackground, b.right)))
	b.enter(roomShare)
	return b
}

// overRoom is the place of a banner that no room lets out of sight.
func overRoom(banner *kit.Banner) *fyne.Container {
	const m = theme.WindowMargin
	box := kit.Padded(m, m, m, theme.CardGap-m, banner) // what is below begins with a margin of its own
	box.Hide()
	return box
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
	b.safety.SetShown(r == roomSafety)
	b.prefs.SetShown(r == roomSettings)
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
	b.safety.Show(p.state)
	b.prefs.Show(p.state, p.choices)
	b.side.refused(b.sites.Unseen())
	b.showTop(p.state)
}

// showTop shows what is over every room.
func (b *board) showTop(st share.State) {
	words := cutWords(st)
	if b.demo.Visible() == st.Ollama.Demo && b.cut.Visible() == st.Panicked && b.cutBanner.AccessibilityLabel() == words {
		return
	}
	b.cutBanner.Set(kit.Paused, assets.Refused, words)
	b.demo.Hidden, b.cut.Hidden = !st.Ollama.Demo, !st.Panicked
	b.top.Refresh() // first: a sentence knows its height only when it has its width
	b.right.Refresh()
}

// cutWords say what a panic has done, and what taking it back does.
func cutWords(st share.State) string {
	if st.Wanted {
		return "The panic suspended every key that there was. Undo lets those in again."
	}
	return "Everyone is cut off: sharing has ended, and every key was suspended. Undo lets those keys in again, and shares again if you did."
}

// wait returns when nothing is under way in any room any more.
func (b *board) wait() {
	b.keys.Wait()
	b.sites.Wait()
	b.safety.Wait()
	b.prefs.Wait()
}

// picture is all that the main window shows at one moment.
type picture struct {
	at      time.Time
	choices settings.Settings
	state   share.State
	recent  []requestlog.Entry // the newest first
}
