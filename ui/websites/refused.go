//go:build !lite

package websites

import (
	"fmt"
	"slices"
	"strings"

	"fyne.io/fyne/v2"

	"paddock/assets"
	"paddock/policy"
	"paddock/requestlog"
	"paddock/share"
	"paddock/ui/kit"
	"paddock/ui/theme"
)

// refused lists the websites that were turned away lately.
type refused struct {
	s     *Screen
	card  *fyne.Container
	title *kit.Text
	words *kit.Paragraph
	rows  *fyne.Container
	more  *kit.Button
	foot  *fyne.Container

	lines []*refusal // in the order they are shown
	whole bool       // all of them are asked for

	// Compiled once, as a show may ask them a hundred times: the rules of the
	// present show, and each preset as if it were on.
	allowed *policy.Origins
	groups  []compiled
}

// compiled is one preset.
type compiled struct {
	title   string
	origins *policy.Origins
}

// few is how many are shown until all are asked for.
const few = 5

func newRefused(s *Screen) *refused {
	r := &refused{s: s, title: kit.NewText(kit.Strong, "Refused lately"), words: kit.NewParagraph(kit.Small, ""), rows: kit.VBox(0)}
	for _, p := range policy.Presets() {
		r.groups = append(r.groups, compiled{p.Title, policy.NewOrigins([]policy.OriginRule{{Origin: p.Name, Allowed: true}})})
	}
	r.more = kit.NewButton(kit.Plain, "", assets.Down, func() {
		r.whole = true
		r.show()
		s.content.Refresh()
	}).Small()
	r.foot = line(kit.HBox(0, r.more, kit.Space()))
	r.foot.Hide()
	r.card = kit.NewTableCard(kit.VBox(0,
		kit.Padded(theme.CardPadX, theme.Space12, theme.CardPadX, theme.Space12, kit.VBox(0, r.title, r.words)), r.rows, r.foot))
	return r
}

// forget lets the next show put the newest first.
func (r *refused) forget() { r.lines, r.whole = nil, false }

// show paints the state and says whether things have to be laid out again.
func (r *refused) show() bool {
	now := r.s.st.Websites.Refused
	r.allowed = policy.NewOrigins(rules(r.s.st.Websites))
	have := map[string]*refusal{}
	for _, l := range r.lines {
		have[l.origin] = l
		l.there = false
	}
	for _, e := range now {
		l := have[e.Origin]
		if l == nil {
			l = newRefusal(r, e.Origin)
			r.lines = append(r.lines, l)
		}
		l.there, l.last = true, e
	}
	r.lines = slices.DeleteFunc(r.lines, func(l *refusal) bool { return !l.there && l.answer() == "" })
	shown := r.lines
	if !r.whole {
		shown = shown[:min(len(shown), few)]
	}
	rows := make([]fyne.CanvasObject, 0, len(shown))
	for _, l := range shown {
		l.paint()
		rows = append(rows, l.row)
	}
	changed := !slices.Equal(rows, r.rows.Objects)
	r.rows.Objects = rows
	words := refusedWords(len(now), r.s.st)
	changed = changed || words != r.words.Text() || (len(shown) < len(r.lines)) != r.foot.Visible()
	r.words.SetText(words)
	r.more.SetText(fmt.Sprintf("Show all %d", len(r.lines)))
	show(r.foot, len(shown) < len(r.lines))
	return changed
}

func refusedWords(n int, st share.State) string {
	switch {
	case n > 0:
		return "Pages of these websites tried to use your Ollama with somebody's browser. Allow only what you and your teammates use on purpose."
	case st.Phase == share.Sharing:
		return "None since Paddock was started. When a web page is turned away, it shows here with a button that lets it in."
	}
	return "None since Paddock was started. While you share, a web page that is turned away shows here with a button that lets it in."
}

// refusal is one website that was turned away.
type refusal struct {
	r      *refused
	origin string
	last   share.RefusedOrigin
	there  bool // still among those that are refused

	row   fyne.CanvasObject
	facts *kit.Text
	allow *kit.Button
	done  *kit.State
	busy  bool
}

func newRefusal(r *refused, origin string) *refusal {
	l := &refusal{r: r, origin: origin, facts: kit.NewText(kit.Small, "").Shorten(kit.CutEnd)}
	l.allow = kit.NewButton(kit.Outlined, "Allow", "", l.ask).Named("Allow " + origin)
	l.done = kit.NewState(kit.Allowed, "", isAllowed)
	l.done.Hide()
	name := kit.NewText(kit.Mono, requestlog.Clean(origin, maxOrigin)).Shorten(kit.CutMiddle)
	l.row = line(kit.HBox(theme.Space12, kit.NewIcon(assets.Refused, theme.ColorRefused, theme.Icon16),
		kit.Grow(kit.VBox(0, name, l.facts)), l.done, l.allow))
	return l
}

// maxOrigin bounds what is shown of an origin; its row shortens it further.
const maxOrigin = 160

func (l *refusal) paint() {
	l.facts.SetText(l.r.lineWords(l.last))
	switch words := l.answer(); words {
	case isAllowed:
		l.done.Set(kit.Allowed, "", words)
	default:
		l.done.Set(kit.Neutral, assets.Refused, words)
	}
	if l.done.Visible() == l.there {
		show(l.done, !l.there)
		show(l.allow, l.there)
		l.row.Refresh()
	}
}

const (
	isAllowed = "Allowed"
	isListed  = "Off in your list"
)

// answer says what the owner decided meanwhile, or "".
func (l *refusal) answer() string {
	w := l.r.s.st.Websites
	switch {
	case l.r.allowed.Allows(l.origin):
		return isAllowed
	case slices.ContainsFunc(w.List, func(r policy.OriginRule) bool { return r.Origin == l.origin }):
		return isListed
	}
	return ""
}

// rules are all rules that are in force.
func rules(w share.Websites) []policy.OriginRule {
	all := slices.Clone(w.List)
	for _, p := range w.Presets {
		all = append(all, policy.OriginRule{Origin: p.Name, Allowed: p.Allowed})
	}
	return all
}

func (r *refused) lineWords(e share.RefusedOrigin) string {
	words := []string{"once"}
	if e.Count > 1 {
		words[0] = fmt.Sprintf("%d times", e.Count)
	}
	words[0] += ", last " + when(e.Last, r.s.o.Now())
	for _, g := range r.groups {
		if g.origins.Allows(e.Origin) {
			words = append(words, "also let in by “"+g.title+"” below")
			break
		}
	}
	return strings.Join(words, " · ")
}

func (l *refusal) ask() {
	if l.busy {
		return // pressed twice
	}
	l.busy = true
	l.allow.Disable()
	l.r.s.run(func() error { return l.r.s.o.Keeper.AllowOrigin(l.origin) }, func(err error) {
		l.busy = false
		l.allow.Enable()
		if err != nil {
			l.r.s.say(l.r.s.o.Say(err))
		}
	})
}
