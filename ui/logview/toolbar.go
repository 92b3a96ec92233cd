package logview

import (
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"paddock/assets"
	"paddock/share"
	"paddock/ui/kit"
	"paddock/ui/theme"
	"paddock/ui/tray"
)

// toolbar says what sharing does and how, and follows or pauses the list.
type toolbar struct {
	box     fyne.CanvasObject
	line    *fyne.Container
	state   *kit.State
	address *kit.Text
	plain   *kit.Tag
	demo    *kit.Tag
	start   *kit.Button
	aside   *kit.Text
	follow  *kit.Button
	shown   toolbarWords
	drawn   bool
}

type toolbarWords struct {
	tone          kit.Tone
	icon          assets.Icon
	word, address string
	demo, start   bool
	plain         string
	aside         int
	follow, list  bool
}

func newToolbar(follow, start func()) *toolbar {
	t := &toolbar{
		state: kit.NewState(kit.Neutral, "", ""), address: kit.NewText(kit.Muted, ""),
		plain: kit.NewTag(kit.Attention, assets.Attention, "Not encrypted"),
		demo:  kit.NewTag(kit.Attention, assets.Attention, "Built-in demo, no real model"),
		start: kit.NewButton(kit.Outlined, "Start sharing", "", start),
		aside: kit.NewText(kit.Small, ""), follow: kit.NewButton(kit.Outlined, "Pause list", assets.Paused, follow),
	}
	t.line = newDropLine(theme.Space12, dropLine{
		// Everything that steps aside here is told on the Share screen too, or can be seen.
		drop: []fyne.CanvasObject{t.address, t.aside},
		wanted: func(o fyne.CanvasObject) bool {
			return o == t.address && t.shown.address != "" || o == t.aside && t.shown.aside > 0
		},
		natural: func() float32 { return 0 },
	}, t.state, t.address, t.plain, t.demo, kit.Space(), t.aside, t.start, t.follow)
	t.box = kit.Sized(0, 56, kit.NewGround(theme.ColorBackground, kit.Edges(nil, kit.NewDivider(), nil, nil,
		kit.Padded(rowMargin, 0, rowMargin, 0, t.line))))
	return t
}

func toolbarFor(s share.State, hold Hold, aside int, list bool, now time.Time) toolbarWords {
	w := toolbarWords{
		tone: kit.Allowed, icon: assets.TraySharing.Gate(), word: "Sharing", address: s.Address(),
		demo: s.Ollama.Demo, aside: aside, list: list,
		// The pointer comes and goes; a button that changed with it would flicker.
		follow: hold != NotHeld && hold != HeldByPointer,
	}
	if !list {
		w.aside = 0 // no columns are shown
	}
	switch s.Phase {
	case share.Paused:
		w.tone, w.icon, w.word, w.plain = kit.Paused, assets.Paused, "Paused "+tray.Until(s.PausedUntil, now), plainWords(s)
		return w
	case share.Sharing:
		w.plain = plainWords(s)
		if s.Attention() {
			w.tone, w.icon = kit.Attention, assets.TrayAttention.Gate()
		}
		return w
	case share.Off:
		w.word, w.start = "Not sharing", list // the empty window has a larger one
	case share.Starting:
		w.word = "Starting…"
	case share.Waiting:
		w.tone, w.icon, w.word, w.address = kit.Attention, assets.TrayBroken.Gate(), "Not sharing yet", ""
		return w
	case share.Stopping:
		w.word = "Stopping…"
	}
	w.tone, w.icon, w.address = kit.Neutral, assets.TrayOff.Gate(), ""
	return w
}

// plainWords say on the toolbar that not all is encrypted, or "".
func plainWords(s share.State) string {
	switch {
	case s.Encrypted:
		return ""
	case strings.HasPrefix(s.Address(), "https:"):
		return "Plain HTTP allowed"
	}
	return "Not encrypted"
}

func (t *toolbar) show(w toolbarWords) {
	if t.drawn && t.shown == w {
		return
	}
	t.shown, t.drawn = w, true
	t.state.Set(w.tone, w.icon, w.word)
	t.address.SetText(w.address)
	t.aside.SetText(asideWords(w.aside))
	if w.follow {
		t.follow.Set("Follow", assets.Running)
	} else {
		t.follow.Set("Pause list", assets.Paused)
	}
	if w.plain != "" {
		t.plain.Set(kit.Attention, assets.Attention, w.plain)
	}
	show(t.plain, w.plain != "")
	show(t.demo, w.demo)
	show(t.start, w.start)
	show(t.follow, w.list)
	t.line.Refresh()
}
