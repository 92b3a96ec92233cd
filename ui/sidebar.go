//go:build !lite

package ui

import (
	"fmt"
	"slices"
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"

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
	roomWebsites
)

// sidebar leads to the rooms and says the state wherever the owner is.
type sidebar struct {
	content fyne.CanvasObject
	rooms   map[room]*kit.NavItem
	sign    *kit.Icon
	word    *kit.Text
	detail  *kit.Paragraph // of more than one line where text is large
	badge   string         // of Websites
}

func newSidebar(enter func(room), openLog func()) *sidebar {
	s := &sidebar{rooms: map[room]*kit.NavItem{
		roomShare: kit.NewNavItem(assets.Share, "Share", func() { enter(roomShare) }),
		roomKeys:  kit.NewNavItem(assets.Keys, "Keys", func() { enter(roomKeys) }),

		roomWebsites: kit.NewNavItem(assets.Websites, "Websites", func() { enter(roomWebsites) }),
	}}
	picture := canvas.NewImageFromResource(fyne.NewStaticResource("app.svg", assets.AppSVG()))
	brand := kit.Padded(theme.Space8, 0, theme.Space8, theme.Space16, kit.HBox(10, kit.Sized(28, 28, picture), kit.NewText(kit.Big, "Paddock")))
	rooms := kit.VBox(2, s.rooms[roomShare], s.rooms[roomKeys], s.rooms[roomWebsites])
	s.sign = kit.NewIcon(assets.TrayOff.Gate(), theme.ColorMuted, 24)
	s.word, s.detail = kit.NewText(kit.Strong, "").Shorten(kit.CutEnd), kit.NewParagraph(kit.Small, "")
	state := kit.Padded(10, 0, 10, 0, kit.HBox(10, s.sign, kit.Grow(kit.VBox(0, s.word, s.detail))))
	foot := kit.VBox(theme.Space12, kit.NewNavItem(assets.Log, "Request log", openLog).After(assets.Open), kit.NewDivider(), state)
	s.content = container.New(sideLayout{}, kit.NewGround(theme.ColorSidebar, kit.HBoxFull(0,
		kit.Grow(kit.Padded(theme.Space12, theme.Space16, theme.Space12, theme.Space16, kit.Edges(brand, foot, nil, nil, rooms))), kit.NewUpright())))
	return s
}

// sideLayout is a little wider where text is larger, so that the names of the
// rooms still stand beside their signs.
type sideLayout struct{}

// MinSize belongs to Fyne.
func (sideLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	scale := fyne.CurrentApp().Settings().Theme().Size(theme.SizeTextBody) / 14
	const more = 34
	return fyne.NewSize(theme.SidebarWidth+max(scale-1, 0)*more, objects[0].MinSize().Height)
}

// Layout belongs to Fyne.
func (sideLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Move(fyne.Position{})
	objects[0].Resize(size)
}

func (s *sidebar) choose(r room) {
	for at, item := range s.rooms {
		item.SetSelected(at == r)
	}
}

// refused counts the websites that were turned away and not looked at.
func (s *sidebar) refused(n int) {
	text := ""
	if n > 0 {
		text = strconv.Itoa(n)
	}
	if text != s.badge {
		s.badge = text
		s.rooms[roomWebsites].SetBadge(kit.Neutral, assets.Refused, text)
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
	if s.detail.Text() != detail {
		s.detail.SetText(detail)
		s.content.Refresh()
	}
}

// footWords says the state in two short lines.
func footWords(st share.State) (word, detail string) {
	switch st.Phase {
	case share.Off:
		word, detail = "Off", "nobody else gets in"
	case share.Starting:
		word, detail = "Starting…", "opening the gate"
	case share.Stopping:
		word, detail = "Stopping…", underWay(st)
	case share.Waiting:
		word, detail = "Waiting", waitsFor(st.Problem)
	case share.Sharing:
		word, detail = "Sharing", underWay(st)
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

func underWay(st share.State) string {
	switch {
	case st.Waiting > 0:
		return fmt.Sprintf("%d running · %d waiting", st.Running, st.Waiting)
	case st.Running > 0:
		return fmt.Sprintf("%d running", st.Running)
	}
	return "nothing running"
}
