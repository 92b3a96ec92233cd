//go:build !lite

package ui

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"

	"paddock/assets"
	facts "paddock/safety"
	"paddock/share"
	"paddock/ui/kit"
	"paddock/ui/safety"
	"paddock/ui/theme"
	"paddock/ui/tray"
)

// room is a screen of the main window.
type room int

const (
	roomShare room = iota
	roomKeys
	roomWebsites
	roomSafety
	roomSettings
)

// allRooms are in the order of the sidebar.
var allRooms = []room{roomShare, roomKeys, roomWebsites, roomSafety, roomSettings}

// badge is a count beside a room.
type badge struct {
	tone kit.Tone
	icon assets.Icon
	text string
}

// sidebar leads to the rooms and says the state wherever the owner is.
type sidebar struct {
	content fyne.CanvasObject
	rooms   map[room]*kit.NavItem
	sign    *kit.Icon
	word    *kit.Text
	detail  *kit.Paragraph // of more than one line where text is large
	red     bool           // detail tells of a way around the gate
	badge   string         // of Websites
	unsafe  badge          // of Safety
}

func newSidebar(enter func(room), openLog func()) *sidebar {
	s := &sidebar{rooms: map[room]*kit.NavItem{
		roomShare: kit.NewNavItem(assets.Share, "Share", func() { enter(roomShare) }),
		roomKeys:  kit.NewNavItem(assets.Keys, "Keys", func() { enter(roomKeys) }),

		roomWebsites: kit.NewNavItem(assets.Websites, "Websites", func() { enter(roomWebsites) }),
		roomSafety:   kit.NewNavItem(assets.Safety, "Safety", func() { enter(roomSafety) }),
		roomSettings: kit.NewNavItem(assets.Settings, "Settings", func() { enter(roomSettings) }),
	}}
	picture := canvas.NewImageFromResource(fyne.NewStaticResource("app.svg", assets.AppSVG()))
	brand := kit.Padded(theme.Space8, 0, theme.Space8, theme.Space16, kit.HBox(10, kit.Sized(28, 28, picture), kit.NewText(kit.Big, "Paddock")))
	rooms := kit.VBox(2)
	for _, r := range allRooms {
		rooms.Add(s.rooms[r])
	}
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

// safetyBadge counts the ways around the gate; without one, what is worth a look.
func safetyBadge(found share.Safety) badge {
	if found.Problems > 0 {
		return badge{kit.Refused, assets.Danger, strconv.Itoa(found.Problems)}
	}
	if n := safety.Count(found.Facts, facts.Attention); n > 0 {
		return badge{kit.Attention, assets.Attention, strconv.Itoa(n)}
	}
	return badge{}
}

// show paints a state.
func (s *sidebar) show(st share.State) {
	if b := safetyBadge(st.Safety); b != s.unsafe {
		s.unsafe = b
		s.rooms[roomSafety].SetBadge(b.tone, b.icon, b.text)
	}
	shape := tray.Shape(st)
	ink := theme.ColorAllowed
	if slices.Contains([]assets.TrayShape{assets.TrayOff, assets.TrayBroken}, shape) {
		ink = theme.ColorMuted
	}
	if st.Broken() || st.Attention() {
		ink = theme.ColorAttention
	}
	detailInk := fyne.ThemeColorName("") // its kind's own
	if unsafe(st) {
		ink, detailInk = theme.ColorRefused, theme.ColorRefused
	}
	s.sign.Set(shape.Gate(), ink)
	word, detail := footWords(st)
	s.word.SetText(word)
	if s.detail.Text() != detail || s.red != (detailInk != "") {
		s.red = detailInk != ""
		s.detail.Ink(detailInk).SetText(detail)
		s.content.Refresh()
	}
}

// footWords says the state in two short lines.
func footWords(st share.State) (word, detail string) {
	switch st.Phase {
	case share.Off:
		word, detail = "Off", "nobody else gets in"
		if st.Panicked {
			detail = "everyone is cut off"
		}
	case share.Starting:
		word, detail = "Starting…", "opening the gate"
	case share.Stopping:
		word, detail = "Stopping…", underWay(st)
	case share.Waiting:
		word, detail = "Waiting", waitsFor(st.Problem)
	case share.Paused:
		word, detail = "Paused", pausedUntil(st.PausedUntil)
	case share.Sharing:
		word, detail = "Sharing", underWay(st)
		switch {
		case unsafe(st):
			detail = "1 safety problem"
			if n := st.Safety.Problems; n > 1 {
				detail = fmt.Sprintf("%d safety problems", n)
			}
		case st.Problem == share.NoNetwork:
			detail = "no network"
		case st.Ollama.Demo:
			word = "Sharing the demo"
		case st.Problem == share.NoSuchAddr:
			detail = "its address has gone"
		case st.Attention():
			detail = "Ollama is silent"
		}
	}
	return word, detail
}

// unsafe says whether people can walk around the gate while it is open.
func unsafe(st share.State) bool { return st.Phase == share.Sharing && st.Safety.Problems > 0 }

// pausedUntil says when a pause ends by itself, if it does.
func pausedUntil(at time.Time) string {
	if at.IsZero() {
		return "until you resume"
	}
	return "until " + at.Local().Format("15:04")
}

func waitsFor(p share.Problem) string {
	switch p {
	case share.PortInUse:
		return "the port is in use"
	case share.NoSuchAddr:
		return "for the network"
	case share.NotAllowed:
		return "the port is not allowed"
	case share.NoInterface:
		return "for its interface"
	case share.OtherNetwork:
		return "not your network"
	case share.PublicNetwork:
		return "this network is public"
	case share.NoCertificate:
		return "no certificate"
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
