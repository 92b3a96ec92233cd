//go:build !lite

// Package safety is the screen that shows what could let people walk around the
// gate, each fact with its fix.
package safety

import (
	"context"
	"slices"
	"sync"
	"time"

	"fyne.io/fyne/v2"

	"paddock/assets"
	facts "paddock/safety"
	"paddock/settings"
	"paddock/share"
	"paddock/ui/kit"
	"paddock/ui/page"
	"paddock/ui/theme"
)

// Keeper is who looks, and what a fact's button changes. Its methods take a
// while, so they are called off Fyne's thread.
type Keeper interface {
	Check(ctx context.Context) share.Safety
	Set(name, value string) error
}

// Options is what the screen is made of. All of it is needed but Now.
type Options struct {
	Context context.Context // ends with the program
	Keeper  Keeper
	Do      func(func())       // runs a function on Fyne's thread
	Say     func(error) string // an error in words, with what to do
	Keys    func()             // shows the keys
	Panic   func()             // asks whether to cut everyone off
	Now     func() time.Time
}

// Screen belongs to Fyne's thread.
//
// The facts are put in order when the screen comes before the owner and when
// they ask for a check: what needs them first, and within that the order of the
// check. Until then none of them moves: a fact whose level changes shows it in
// its place, so that no button slips away from under the pointer. Nothing folds
// or unfolds but by the owner's hand either.
type Screen struct {
	o       Options
	st      share.State
	content *fyne.Container
	counts  map[facts.Level]*kit.Tag
	tags    *fyne.Container
	empty   *fyne.Container
	cards   *fyne.Container // of facts that needed the owner when they were put in order
	rows    *fyne.Container // of all others
	rest    *fyne.Container // the card of these
	shown   []view          // in order; empty until the next show puts them in order
	checked *kit.Paragraph
	check   *kit.Button
	here    bool // on the screen
	looking bool // a check that was asked for is under way
	jobs    sync.WaitGroup
}

// view is one fact on the screen.
type view interface {
	id() string
	// show paints what the fact says now, and says whether things have to be laid
	// out again. green is for the one button of the screen that comes next.
	show(f facts.Fact, green bool) bool
	object() fyne.CanvasObject
}

// New returns the screen; Show fills it.
func New(o Options) *Screen {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Screen{o: o, cards: kit.VBox(theme.CardGap), rows: kit.VBox(0)}
	s.counts = map[facts.Level]*kit.Tag{
		facts.Problem:   kit.NewTag(kit.Refused, assets.Danger, ""),
		facts.Attention: kit.NewTag(kit.Attention, assets.Attention, ""),
		facts.OK:        kit.NewTag(kit.Allowed, assets.Allowed, ""),
	}
	s.tags = kit.HBox(theme.Space8)
	for _, l := range []facts.Level{facts.Problem, facts.Attention, facts.OK} {
		s.counts[l].Hide()
		s.tags.Add(s.counts[l])
	}
	const leastHead, leastFoot = 260, 200
	head := kit.Beside(theme.Space16, leastHead,
		kit.VBox(0, kit.NewText(kit.Title, "Safety"), kit.NewParagraph(kit.Muted, "Facts that could let people walk around the gate, each with its fix.")), s.tags)

	s.empty = kit.NewEmptyState(assets.Safety, "Nothing was looked at yet",
		"Paddock looks for ways around the gate as soon as it starts, and shows here what it finds. It takes a few seconds.")
	// Room above and below, because what is under the pointer would cover the
	// round corners of the card.
	s.rest = kit.NewTableCard(kit.Padded(0, 5, 0, 5, s.rows))
	s.checked = kit.NewParagraph(kit.Small, "")
	s.check = kit.NewButton(kit.Outlined, checking, "", s.look).Small()
	wide := s.check.MinSize().Width
	s.check.SetText(checkNow)
	off := kit.NewButton(kit.Outlined, "Panic: stop and cut everyone off", "", o.Panic).Small()
	foot := kit.Beside(theme.Space16, leastFoot, s.checked, kit.HBox(theme.Space8, off, kit.Sized(max(wide, s.check.MinSize().Width), 0, s.check)))
	s.content = page.New(head, kit.VBox(theme.CardGap, s.empty, s.cards, s.rest), foot)
	s.cards.Hide()
	s.rest.Hide()
	return s
}

const (
	checkNow = "Check now"
	checking = "Checking…"
)

// Content is what to show.
func (s *Screen) Content() fyne.CanvasObject { return s.content }

// Show paints a state.
func (s *Screen) Show(st share.State) {
	s.st = st
	if !s.here {
		return
	}
	found := st.Safety
	words := checkedWords(found.At, s.o.Now())
	changed := s.checked.Text() != words
	s.checked.SetText(words)
	changed = s.showCounts(found.Facts) || changed
	changed = s.showFacts(found) || changed
	if changed {
		s.content.Refresh()
	}
}

// SetShown tells whether the screen is before the owner; only then it is
// painted. Facts are put in order again when it comes there.
func (s *Screen) SetShown(shown bool) {
	if s.here == shown {
		return
	}
	s.here = shown
	if shown {
		s.shown = nil
	}
	s.Show(s.st)
}

// Wait returns when nothing is being looked at or written any more.
func (s *Screen) Wait() { s.jobs.Wait() }

func (s *Screen) showCounts(list []facts.Fact) bool {
	changed := false
	for level, tag := range s.counts {
		n := Count(list, level)
		words := countWords(level, n)
		if tag.AccessibilityLabel() == words {
			continue
		}
		changed = true
		tone, icon := looks(level)
		tag.Set(tone, icon, words)
		show(tag, n > 0)
	}
	if changed {
		s.tags.Refresh()
	}
	return changed
}

func (s *Screen) showFacts(found share.Safety) bool {
	changed := false
	if len(s.shown) == 0 {
		s.putInOrder(found.Facts)
		changed = true
	}
	now := map[string]facts.Fact{}
	for _, f := range found.Facts {
		now[f.ID] = f
	}
	// What came new since is rare: an app that the check had not seen before.
	for _, f := range found.Facts {
		if !slices.ContainsFunc(s.shown, func(v view) bool { return v.id() == f.ID }) {
			s.add(f)
			changed = true
		}
	}
	green := s.green(now)
	for _, v := range s.shown {
		f, there := now[v.id()]
		if !there {
			changed = changed || v.object().Visible()
			v.object().Hide()
			continue
		}
		changed = changed || !v.object().Visible()
		v.object().Show()
		changed = v.show(f, v.id() == green) || changed
	}
	none := found.At.IsZero()
	changed = changed || none != s.empty.Visible()
	show(s.empty, none)
	show(s.cards, len(s.cards.Objects) > 0)
	show(s.rest, len(s.rows.Objects) > 0)
	return changed
}

func (s *Screen) putInOrder(list []facts.Fact) {
	s.cards.Objects, s.rows.Objects = nil, nil
	for _, l := range []facts.Level{facts.Problem, facts.Attention} {
		for _, f := range list {
			if f.Level == l {
				s.add(f)
			}
		}
	}
	for _, f := range list {
		if f.Level == facts.OK || f.Level == facts.Unknown {
			s.add(f)
		}
	}
}

// add puts a fact last among its kind.
func (s *Screen) add(f facts.Fact) {
	var v view
	if f.Level == facts.Problem || f.Level == facts.Attention {
		v = newCard(s, f)
		s.cards.Add(v.object())
	} else {
		v = newRow(s, f, len(s.rows.Objects) == 0)
		s.rows.Add(v.object())
	}
	s.shown = append(s.shown, v)
}

// green names the fact whose button comes next: the first that the program can
// mend by itself, unless something worse has to be mended by hand before.
func (s *Screen) green(now map[string]facts.Fact) string {
	next := ""
	for _, v := range s.shown {
		f := now[v.id()]
		switch {
		case f.Level == facts.Problem && f.Act != facts.ActRequireTLS:
			return ""
		case f.Act == facts.ActRequireTLS && next == "":
			next = f.ID
		}
	}
	return next
}

// look checks now.
func (s *Screen) look() {
	if s.looking {
		return // pressed twice
	}
	s.looking = true
	s.check.SetText(checking)
	s.check.Disable()
	s.run(func(ctx context.Context) error {
		s.o.Keeper.Check(ctx)
		return nil
	}, func(error) {
		s.looking = false
		s.check.SetText(checkNow)
		s.check.Enable()
		s.shown = nil // the owner asked, so the next show puts it in order
	})
}

// mend does what the button of a fact says. failed gets what went wrong, or "".
func (s *Screen) mend(act string, done func(failed string)) {
	switch act {
	case facts.ActOpenKeys:
		s.o.Keys()
		done("")
	case facts.ActRequireTLS:
		still := false
		s.run(func(ctx context.Context) error {
			if err := s.o.Keeper.Set(settings.ShareAllowHTTP, "false"); err != nil {
				return err
			}
			found := s.o.Keeper.Check(ctx)
			still = slices.ContainsFunc(found.Facts, func(f facts.Fact) bool { return f.Act == facts.ActRequireTLS })
			return nil
		}, func(err error) {
			switch {
			case err != nil:
				done(s.o.Say(err))
			case still:
				done("Plain HTTP stays allowed until Paddock ends: it was started with --allow-http.")
			default:
				done("")
			}
		})
	default:
		done("")
	}
}

// patience is how long a check may take; where connections to this machine's own
// addresses are swallowed it takes four seconds.
const patience = 30 * time.Second

// run calls work off Fyne's thread, and done with what came of it on Fyne's.
func (s *Screen) run(work func(context.Context) error, done func(error)) {
	s.jobs.Go(func() {
		ctx, cancel := context.WithTimeout(s.o.Context, patience)
		defer cancel()
		err := work(ctx)
		if s.o.Context.Err() != nil {
			return // the program ends, and nobody is there to be told
		}
		s.o.Do(func() { done(err) })
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
