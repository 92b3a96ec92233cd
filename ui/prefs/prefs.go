//go:build !lite

// Package prefs is the screen of the owner's choices, which are those of
// `paddock settings` in words.
package prefs

import (
	"context"
	"sync"
	"time"

	"fyne.io/fyne/v2"

	"paddock/settings"
	"paddock/share"
	"paddock/ui/kit"
	"paddock/ui/page"
	"paddock/ui/theme"
)

// Keeper is where the choices are kept and take effect. Its methods write files
// or wait for a keychain, so they are called off Fyne's thread; Start is not.
type Keeper interface {
	Set(name, value string) error
	RotateAuthority(ctx context.Context) (share.Encryption, error)
	AtLogin() (bool, error)
	SetAtLogin(on bool) error
	Start()
}

// Options is what the screen is made of. All of it is needed but Now.
type Options struct {
	Context  context.Context // ends with the program
	Keeper   Keeper
	Patience time.Duration // how long a keychain may take, with a person in front of it
	Do       func(func())  // runs a function on Fyne's thread
	Focus    func(fyne.Focusable)
	Say      func(error) string // an error in words, with what to do
}

// Screen belongs to Fyne's thread.
//
// A choice is in force as soon as it is made. What it shows is what is so: a
// switch waits for the State that says it, and a field is filled anew only when
// its setting has changed and the owner has not typed in it since.
type Screen struct {
	o       Options
	st      share.State
	now     settings.Settings
	content *fyne.Container
	cards   []card
	here    bool // on the screen
	jobs    sync.WaitGroup
}

// card is one of the screen's cards.
type card interface {
	object() fyne.CanvasObject
	// show paints the state, and says whether things have to be laid out again.
	show() bool
}

// entered is a card that looks something up when the screen comes before the owner.
type entered interface{ enter() }

// New returns the screen; Show fills it.
func New(o Options) *Screen {
	s := &Screen{o: o}
	// A further card goes into this list, and needs nothing else.
	s.cards = []card{newEncryption(s), newNetworks(s), newComputer(s)}
	all := make([]fyne.CanvasObject, len(s.cards))
	for i, c := range s.cards {
		all[i] = c.object()
	}
	head := kit.VBox(0, kit.NewText(kit.Title, "Settings"), kit.NewParagraph(kit.Muted, "A change is in force as soon as it is made. “paddock settings” has the same choices."))
	s.content = page.New(head, kit.VBox(theme.CardGap, all...), nil)
	return s
}

// Content is what to show.
func (s *Screen) Content() fyne.CanvasObject { return s.content }

// Show paints a state with the settings of the same moment.
func (s *Screen) Show(st share.State, now settings.Settings) {
	s.st, s.now = st, now
	if s.here {
		s.paint()
	}
}

// SetShown tells whether the screen is before the owner; only then it is painted.
func (s *Screen) SetShown(shown bool) {
	if s.here == shown {
		return
	}
	s.here = shown
	if !shown {
		return
	}
	for _, c := range s.cards {
		if e, ok := c.(entered); ok {
			e.enter()
		}
	}
	s.paint()
}

func (s *Screen) paint() {
	changed := false
	for _, c := range s.cards {
		changed = c.show() || changed
	}
	if changed {
		s.content.Refresh()
	}
}

// Wait returns when nothing is being written or asked any more.
func (s *Screen) Wait() { s.jobs.Wait() }

// run calls work off Fyne's thread, and done with what came of it on Fyne's.
func (s *Screen) run(work func(context.Context) error, done func(error)) {
	s.jobs.Go(func() {
		ctx, cancel := context.WithTimeout(s.o.Context, s.o.Patience)
		defer cancel()
		err := work(ctx)
		if s.o.Context.Err() != nil {
			return // the program ends, and nobody is there to be told
		}
		s.o.Do(func() {
			done(err)
			s.content.Refresh()
		})
	})
}

// show and hide only what changes; it says whether that was so.
func show(o fyne.CanvasObject, yes bool) bool {
	if o.Visible() == yes {
		return false
	}
	if yes {
		o.Show()
	} else {
		o.Hide()
	}
	return true
}
