//go:build !lite

package websites

import (
	"slices"
	"strings"

	"fyne.io/fyne/v2"

	"paddock/assets"
	"paddock/policy"
	"paddock/requestlog"
	"paddock/ui/kit"
	"paddock/ui/theme"
)

// own is the owner's own list, with a field for one more.
type own struct {
	s     *Screen
	card  *fyne.Container
	field *kit.Field
	add   *kit.Button
	rows  *fyne.Container
	lines []*rule // in the order they are shown
	busy  bool
}

func newOwn(s *Screen) *own {
	o := &own{s: s, rows: kit.VBox(0)}
	o.field = kit.NewField("such as https://chat.example.com").Noted("As it stands in the address bar: http:// or https://, the name, and the port if there is one.").
		OnChanged(func(string) {
			if o.field.Problem() != "" {
				o.check(false)
			}
		}).
		OnSubmitted(func(string) { o.send() }).
		OnKey(fyne.KeyEscape, func() { o.field.SetText("") })
	o.add = kit.NewButton(kit.Outlined, "Allow", assets.Plus, o.send).Named("Allow this website")
	o.card = kit.NewTableCard(kit.VBox(0,
		kit.Padded(theme.CardPadX, theme.Space12, theme.CardPadX, theme.Space8,
			kit.VBox(theme.Space8, kit.NewText(kit.Strong, "Your list"), kit.HBoxTop(theme.Space12, kit.Grow(o.field), kit.Padded(0, 2, 0, 0, o.add)))),
		o.rows))
	return o
}

func (o *own) forget() { o.lines = nil }

// check says below the field what is wrong with it.
func (o *own) check(sent bool) (origin string, ok bool) {
	before := o.field.Problem()
	defer func() {
		if o.field.Problem() != before {
			o.s.content.Refresh() // a long problem takes more lines
		}
	}()
	text := strings.TrimSpace(o.field.Text())
	if text == "" {
		problem := ""
		if sent {
			problem = "Write the address of the website."
		}
		o.field.SetProblem(problem)
		return "", false
	}
	origin, err := policy.ParseOrigin(text)
	switch {
	case err != nil:
		o.field.SetProblem(sentence(err))
	case slices.Contains(o.s.st.Websites.List, policy.OriginRule{Origin: origin, Allowed: true}):
		o.field.SetProblem("It is in the list.")
	default:
		o.field.SetProblem("")
		return origin, true
	}
	return "", false
}

func (o *own) send() {
	if o.busy {
		return
	}
	origin, ok := o.check(true)
	if !ok {
		o.s.o.Focus(o.field.Focusable())
		return
	}
	o.busy = true
	o.s.run(func() error { return o.s.o.Keeper.AllowOrigin(origin) }, func(err error) {
		o.busy = false
		if err != nil {
			o.s.say(o.s.o.Say(err))
			return
		}
		o.field.SetText("")
	})
}

// show paints the state and says whether things have to be laid out again.
func (o *own) show() bool {
	have := map[string]*rule{}
	for _, l := range o.lines {
		have[l.origin] = l
		l.there = false
	}
	for _, e := range o.s.st.Websites.List {
		l := have[e.Origin]
		if l == nil {
			l = newRule(o, e.Origin)
			o.lines = append(o.lines, l)
		}
		l.there, l.on = true, e.Allowed
	}
	rows := make([]fyne.CanvasObject, 0, len(o.lines))
	for _, l := range o.lines {
		l.paint()
		rows = append(rows, l.row)
	}
	changed := !slices.Equal(rows, o.rows.Objects)
	o.rows.Objects = rows
	return changed
}

// rule is one line of the list. A line that was removed stays, and can be put
// back, until the owner leaves the screen.
type rule struct {
	o      *own
	origin string
	on     bool
	there  bool

	row    fyne.CanvasObject
	name   *kit.Text
	facts  *kit.Text
	power  *kit.Switch
	word   *kit.Text
	remove *kit.Button
	back   *kit.Button
	busy   bool
	drawn  bool
	was    bool
}

func newRule(o *own, origin string) *rule {
	l := &rule{
		o: o, origin: origin, name: kit.NewText(kit.Mono, requestlog.Clean(origin, maxOrigin)).Shorten(kit.CutMiddle),
		facts: kit.NewText(kit.Small, "").Shorten(kit.CutEnd), word: kit.NewText(kit.Note, ""),
	}
	l.power = kit.NewSwitch(origin+" may use Ollama", func(on bool) { o.s.set(l.power, origin, on) })
	l.remove = kit.NewButton(kit.Outlined, "", assets.Close, func() { l.ask(o.s.o.Keeper.RemoveOrigin) }).Small().Named("Remove " + origin)
	l.back = kit.NewButton(kit.Outlined, "Put back", "", func() {
		if l.on {
			l.ask(o.s.o.Keeper.AllowOrigin)
		} else {
			l.ask(o.s.o.Keeper.BlockOrigin)
		}
	}).Named("Put back " + origin)
	l.row = line(kit.HBox(theme.Space12, kit.Grow(kit.VBox(0, l.name, l.facts)), l.power, kit.Sized(wordWidth(), 0, l.word), l.remove, l.back))
	return l
}

// wordWidth holds the longer of the words beside a switch, so that switches lie
// under each other.
func wordWidth() float32 {
	return max(kit.NewText(kit.Note, onWord(true)).MinSize().Width, kit.NewText(kit.Note, onWord(false)).MinSize().Width)
}

func (l *rule) ask(do func(string) error) {
	if l.busy {
		return
	}
	l.busy = true
	l.o.s.run(func() error { return do(l.origin) }, func(err error) {
		l.busy = false
		if err != nil {
			l.o.s.say(l.o.s.o.Say(err))
		}
	})
}

func (l *rule) paint() {
	ink, words := theme.ColorText, ""
	switch {
	case !l.there:
		ink, words = theme.ColorMuted, "removed; presets and other lines decide"
	case !l.on:
		words = "refused, also where a preset below would let it in"
	}
	l.name.SetInk(ink)
	l.facts.SetText(words)
	l.word.SetText(onWord(l.on))
	if l.power.On() != l.on {
		l.power.SetOn(l.on)
	}
	empty := words == ""
	if l.drawn && l.was == l.there && l.facts.Visible() == !empty {
		return
	}
	l.drawn, l.was = true, l.there
	show(l.facts, !empty)
	show(l.power, l.there)
	show(l.word, l.there)
	show(l.remove, l.there)
	show(l.back, !l.there)
	l.row.Refresh()
}
