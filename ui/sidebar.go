//go:build !lite

package ui

import (
	"fmt"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"paddock/assets"
	"paddock/share"
	"paddock/ui/kit"
	"paddock/ui/theme"
	"paddock/ui/tray"
)

// room is a screen of the main window.
type room int

const (
	roomShare room = iota
	roomKeys
)

// sidebar leads to the rooms and says the state wherever the owner is.
type sidebar struct {
	content fyne.CanvasObject
	rooms   map[room]*kit.NavItem
	sign    *kit.Icon
	word    *kit.Text
	detail  *kit.Text
}

func newSidebar(enter func(room), openLog func()) *sidebar {
	s := &sidebar{rooms: map[room]*kit.NavItem{
		roomShare: kit.NewNavItem(assets.Share, "Share", func() { enter(roomShare) }),
		roomKeys:  kit.NewNavItem(assets.Keys, "Keys", func() { enter(roomKeys) }),
	}}
	picture := canvas.NewImageFromResource(fyne.NewStaticResource("app.svg", assets.AppSVG()))
	brand := kit.Padded(theme.Space8, 0, theme.Space8, theme.Space16, kit.HBox(10, kit.Sized(28, 28, picture), kit.NewText(kit.Big, "Paddock")))
	rooms := kit.VBox(2, s.rooms[roomShare], s.rooms[roomKeys])
	s.sign = kit.NewIcon(assets.TrayOff.Gate(), theme.ColorMuted, 24)
	s.word, s.detail = kit.NewText(kit.Strong, "").Shorten(kit.CutEnd), kit.NewText(kit.Small, "").Shorten(kit.CutEnd)
	state := kit.Padded(10, 0, 10, 0, kit.HBox(10, s.sign, kit.Grow(kit.VBox(0, s.word, s.detail))))
	foot := kit.VBox(theme.Space12, kit.NewNavItem(assets.Log, "Request log", openLog).After(assets.Open), kit.NewDivider(), state)
	s.content = kit.Sized(theme.SidebarWidth, 0, kit.NewGround(theme.ColorSidebar, kit.HBoxFull(0,
		kit.Grow(kit.Padded(theme.Space12, theme.Space16, theme.Space12, theme.Space16, kit.Edges(brand, foot, nil, nil, rooms))), kit.NewUpright())))
	return s
}

func (s *sidebar) choose(r room) {
	for at, item := range s.rooms {
		item.SetSelected(at == r)
	}
}

// show paints a state.
func (s *sidebar) show(st share.State) {
	shape := tray.Shape(st)
	ink := theme.ColorAllowed
	if slices.Contains([]assets.TrayShape{assets.TrayOff, assets.TrayBroken}, shape) {
		ink = theme.ColorMuted
	}
	if st.Broken() || st.Attention() {
		ink = theme.ColorAttention
	}
	s.sign.Set(shape.Gate(), ink)
	word, detail := footWords(st)
	s.word.SetText(word)
	s.detail.SetText(detail)
}

// footWords says the state in two short lines.
func footWords(st share.State) (word, detail string) {
	switch st.Phase {
	case share.Off:
		word, detail = "Off", "nobody else gets in"
	case share.Starting:
		word, detail = "Starting…", "opening the gate"
	case share.Stopping:
		word, detail = "Stopping…", running(st.Running)
	case share.Waiting:
		word, detail = "Waiting", waitsFor(st.Problem)
	case share.Sharing:
		word, detail = "Sharing", running(st.Running)
		switch {
		case st.Problem == share.NoNetwork:
			detail = "no network"
		case st.Ollama.Demo:
			word = "Sharing the demo"
		case st.Attention():
			detail = "Ollama is silent"
		}
	}
	return word, detail
}

func waitsFor(p share.Problem) string {
	switch p {
	case share.PortInUse:
		return "the port is in use"
	case share.NoSuchAddr:
		return "for the network"
	case share.NotAllowed:
		return "the port is not allowed"
	case share.NoProblem, share.NoNetwork, share.ListenFault:
	}
	return "cannot listen"
}

func running(n int) string {
	if n == 0 {
		return "nothing running"
	}
	return fmt.Sprintf("%d running", n)
}
