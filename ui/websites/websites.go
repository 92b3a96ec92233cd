//go:build !lite

// Package websites is the screen where the owner says which web pages may use
// Ollama.
package websites

import (
	"context"
	"sync"
	"time"

	"fyne.io/fyne/v2"

	"paddock/assets"
	"paddock/share"
	"paddock/ui/kit"
	"paddock/ui/page"
	"paddock/ui/theme"
)

// Keeper is where the list of websites is. Its methods write a file, so they
// are called off Fyne's thread. An origin may be the name of a preset.
type Keeper interface {
	AllowOrigin(origin string) error
	BlockOrigin(origin string) error
	RemoveOrigin(origin string) error
}

// Options is what the screen is made of. All of it is needed but Now.
type Options struct {
	Context context.Context // ends with the program
	Keeper  Keeper
	Do      func(func()) // runs a function on Fyne's thread
	Focus   func(fyne.Focusable)
	Say     func(error) string // an error in words, with what to do
	Now     func() time.Time
}

// Screen belongs to Fyne's thread.
//
// While it is on the screen no line moves but by the owner's own hand: what was
// allowed or removed stays in its place and says so, and what is new comes last.
// A list that moved under the pointer would let a click allow another website
// than the one that was read.
type Screen struct {
	o       Options
	st      share.State
	content *fyne.Container
	trouble *kit.Banner
	refused *refused
	own     *own
	presets *presets
	here    bool // on the screen
	seen    map[string]bool
	jobs    sync.WaitGroup
}

// New returns the screen; Show fills it.
func New(o Options) *Screen {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Screen{o: o, seen: map[string]bool{}}
	head := kit.VBox(0, kit.NewText(kit.Title, "Websites"),
		kit.NewParagraph(kit.Muted, "A web page may use your Ollama only if its website is switched on here, and with a key besides."))
	programs := kit.HBoxTop(theme.Space8, kit.NewIcon(assets.Program, theme.ColorMuted, theme.Icon16),
		kit.Grow(kit.NewParagraph(kit.Small, "Programs are not affected: curl, n8n, Continue and everything else outside of a browser needs nothing but its key.")))
	s.trouble = kit.NewBanner(kit.Attention, "", "", kit.NewButton(kit.Outlined, "OK", "", func() { s.say("") }).Small())
	s.trouble.Hide()
	s.refused, s.own, s.presets = newRefused(s), newOwn(s), newPresets(s)
	s.content = page.New(kit.VBox(theme.Space4, head, programs), kit.VBox(theme.CardGap, s.trouble, s.refused.card, s.own.card, s.presets.card), nil)
	return s
}

// Content is what to show.
func (s *Screen) Content() fyne.CanvasObject { return s.content }

// Show paints a state.
func (s *Screen) Show(st share.State) {
	s.st = st
	if !s.here {
		return
	}
	s.note()
	changed := s.refused.show()
	changed = s.own.show() || changed
	changed = s.presets.show() || changed
	if changed {
		s.content.Refresh()
	}
}

// SetShown tells whether the screen is before the owner; only then it is
// painted. Lines are put in order again when it comes there.
func (s *Screen) SetShown(shown bool) {
	if s.here == shown {
		return
	}
	s.here = shown
	if shown {
		s.refused.forget()
		s.own.forget()
	}
	s.Show(s.st)
}

// Unseen is how many websites were refused since the owner last looked.
func (s *Screen) Unseen() int {
	n := 0
	for _, r := range s.st.Websites.Refused {
		if !s.seen[r.Origin] {
			n++
		}
	}
	return n
}

// note remembers what the owner has before their eyes.
func (s *Screen) note() {
	clear(s.seen) // share keeps the last hundred, so this is bounded too
	for _, r := range s.st.Websites.Refused {
		s.seen[r.Origin] = true
	}
}

// Wait returns when nothing is being written any more.
func (s *Screen) Wait() { s.jobs.Wait() }

// run calls work off Fyne's thread, and done with what came of it on Fyne's.
func (s *Screen) run(work func() error, done func(error)) {
	s.jobs.Go(func() {
		err := work()
		if s.o.Context.Err() != nil {
			return // the program ends, and nobody is there to be told
		}
		s.o.Do(func() { done(err) })
	})
}

// say tells what went wrong; an empty sentence takes it back.
func (s *Screen) say(sentence string) {
	if sentence != "" {
		s.trouble.Set(kit.Attention, "", sentence)
	}
	show(s.trouble, sentence != "")
	s.content.Refresh()
}

// set switches a website or a preset, and shows on its switch that it waits.
func (s *Screen) set(power *kit.Switch, origin string, on bool) {
	power.SetPending(true)
	s.run(func() error {
		if on {
			return s.o.Keeper.AllowOrigin(origin)
		}
		return s.o.Keeper.BlockOrigin(origin)
	}, func(err error) {
		power.SetPending(false)
		if err != nil {
			s.say(s.o.Say(err))
		}
	})
}

// show and hide only what changes.
func show(o fyne.CanvasObject, yes bool) {
	switch {
	case yes && !o.Visible():
		o.Show()
	case !yes && o.Visible():
		o.Hide()
	}
}

// head is the title of a card of rows.
func head(title, sentence string) *fyne.Container {
	return kit.Padded(theme.CardPadX, theme.Space12, theme.CardPadX, theme.Space12,
		kit.VBox(0, kit.NewText(kit.Strong, title), kit.NewParagraph(kit.Small, sentence)))
}

// line is one row of a card: words at the left, what can be done at the right.
func line(content fyne.CanvasObject) *fyne.Container {
	return kit.VBox(0, kit.NewDivider(), kit.Padded(theme.CardPadX, theme.Space8, theme.CardPadX, theme.Space8, content))
}

// onWord stands beside a switch.
func onWord(on bool) string {
	if on {
		return "On"
	}
	return "Off"
}
