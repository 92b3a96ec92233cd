//go:build !lite

package keys

import (
	"time"

	"fyne.io/fyne/v2"

	"paddock/assets"
	"paddock/policy"
	"paddock/ui/kit"
	"paddock/ui/theme"
)

// grantForm asks what a key may do: of a new key, and of one that is there.
type grantForm struct {
	s       *Screen
	content *fyne.Container
	changed func() // something was chosen
	laid    func() // something takes more or less room now

	choices []*kit.Choice
	models  *modelsField
	cloud   *kit.Switch
	ends    *kit.Segments
	endNote *kit.Paragraph
	expires []expiry
	expiry  int
	rate    *limitField
	atOnce  *limitField
	tokens  *limitField
	address *kit.Switch

	grant policy.Grant // as chosen, but for models, limits and end
}

// expiry is one answer to when a key ends.
type expiry struct {
	label string
	days  int  // from now on; 0 is never
	keep  bool // as it was
}

// expiries are what a key's end is chosen from. A key that ends by itself is
// one less to forget.
var expiries = []expiry{{"30 days", 30, false}, {"90 days", 90, false}, {"1 year", 365, false}, {"Never", 0, false}}

const usualExpiry = 1

// newGrantForm returns a form that is filled with a grant. For a key that is
// there, its end can stay what it is.
func newGrantForm(s *Screen, g policy.Grant, there bool, changed, laid func()) *grantForm {
	f := &grantForm{s: s, grant: g, changed: changed, laid: laid, expires: expiries, expiry: usualExpiry}
	if there {
		f.expiry = len(expiries) - 1
		if !g.Expires.IsZero() {
			f.expires, f.expiry = append([]expiry{{"As it is", 0, true}}, expiries...), 0
		}
	}
	roles := kit.VBox(theme.Space8)
	for _, role := range policy.Roles() {
		icon := assets.Person
		if role == policy.RoleManager {
			icon = assets.Settings
		}
		c := kit.NewChoice(icon, roleWord(role), roleMeans(role), func() {
			f.grant.Role = role
			f.touched()
		})
		f.choices = append(f.choices, c)
		roles.Add(c)
	}
	f.models = newModelsField(g.Models, f.touched, laid)
	f.cloud = kit.NewSwitch("Cloud models", func(on bool) {
		f.grant.Cloud = on
		f.touched()
	})
	f.address = kit.NewSwitch("Key in the address", func(on bool) {
		f.grant.InAddress = on
		f.touched()
	})
	labels := make([]string, len(f.expires))
	for i, e := range f.expires {
		labels[i] = e.label
	}
	f.ends = kit.NewSegments(labels, func(i int) {
		f.expiry = i
		f.touched()
	})
	f.endNote = kit.NewParagraph(kit.Small, "")
	f.rate = newRateField(g.Rate, f.touched, laid)
	f.atOnce = newCapField("At once", "requests that run side by side; more of them are refused", policy.DefaultConcurrent, g.Concurrent, f.touched, laid)
	f.tokens = newCapField("Tokens a day", "of questions and answers together, until midnight", 0, g.TokensPerDay, f.touched, laid)
	row := func(title string, note *kit.Paragraph, control fyne.CanvasObject) fyne.CanvasObject {
		return kit.Beside(theme.Space16, leastWords, kit.VBox(0, kit.NewText(kit.Body, title), note), control)
	}
	small := func(text string) *kit.Paragraph { return kit.NewParagraph(kit.Small, text) }
	f.content = kit.VBox(theme.Space16, roles, kit.NewDivider(),
		f.models.content,
		row("Cloud models", small("They run at ollama.com and spend your account there."), f.cloud), kit.NewDivider(),
		row("Expires", f.endNote, f.ends), kit.NewDivider(),
		f.rate.content, f.atOnce.content, f.tokens.content, kit.NewDivider(),
		row("Key in the address", small("For programs that have only a field for an address. It works encrypted, or on this machine only: otherwise others on the network could read the key."), f.address))
	f.paint()
	return f
}

// leastWords is how narrow the words beside a control may become.
const leastWords = 180

func (f *grantForm) touched() {
	f.paint()
	f.changed()
}

// show paints what a State changes.
func (f *grantForm) show() { f.models.show(f.s.st.Ollama.Models) }

// paint shows what was chosen.
func (f *grantForm) paint() {
	for i, role := range policy.Roles() {
		f.choices[i].SetChosen(role == f.grant.Role)
	}
	f.cloud.SetOn(f.grant.Cloud)
	f.address.SetOn(f.grant.InAddress)
	f.ends.SetSelected(f.expiry)
	note := "A key that ends by itself is one less to forget."
	if end := f.end(); !end.IsZero() {
		note = endWords(end, f.s.o.Now())
	}
	f.endNote.SetText(note)
	f.show()
}

// end is when the key ends by what is chosen now.
func (f *grantForm) end() time.Time {
	e := f.expires[f.expiry]
	switch {
	case e.keep:
		return f.grant.Expires
	case e.days == 0:
		return time.Time{}
	}
	return f.s.o.Now().AddDate(0, 0, e.days).Round(time.Second)
}

// value is the grant as it is chosen. What cannot be read is left out.
func (f *grantForm) value() policy.Grant {
	g := f.grant
	g.Expires = f.end()
	g.Models, _ = f.models.value()
	g.Rate = f.rate.rate()
	g.Concurrent, g.TokensPerDay = f.atOnce.limit(), f.tokens.limit()
	return g
}

// check says beside each field what is wrong with it, and returns the first
// one, or nil.
func (f *grantForm) check() fyne.Focusable {
	var first fyne.Focusable
	for _, x := range []interface{ check() fyne.Focusable }{f.models, f.rate, f.atOnce, f.tokens} {
		if wrong := x.check(); wrong != nil && first == nil {
			first = wrong
		}
	}
	return first
}

// disable keeps everything from being changed while the answer is on its way.
func (f *grantForm) disable(off bool) {
	for _, c := range f.choices {
		able(c, !off)
	}
	for _, x := range []fyne.Disableable{f.cloud, f.ends, f.address} {
		able(x, !off)
	}
	f.models.disable(off)
	for _, x := range []*limitField{f.rate, f.atOnce, f.tokens} {
		x.disable(off)
	}
}

// able enables or disables only what changes.
func able(x fyne.Disableable, yes bool) {
	switch {
	case yes && x.Disabled():
		x.Enable()
	case !yes && !x.Disabled():
		x.Disable()
	}
}

// onEscape calls do when Escape is pressed anywhere in the form.
func (f *grantForm) onEscape(do func()) {
	for _, c := range f.choices {
		c.OnEscape(do)
	}
	for _, x := range []interface{ OnEscape(do func()) }{f.cloud, f.ends, f.address, f.models.which, f.rate.none, f.atOnce.none, f.tokens.none} {
		x.OnEscape(do)
	}
	f.models.escape = do
	for _, p := range f.models.pills {
		p.OnEscape(do)
	}
	for _, x := range []*kit.Field{f.models.field, f.rate.field, f.atOnce.field, f.tokens.field} {
		x.OnKey(fyne.KeyEscape, do)
	}
}

// copyChanged writes into a grant what differs between two others, and leaves
// the rest of it alone.
func copyChanged(g *policy.Grant, from, to policy.Grant) {
	if to.Role != from.Role {
		g.Role = to.Role
	}
	if to.Models != from.Models {
		g.Models = to.Models
	}
	if to.Cloud != from.Cloud {
		g.Cloud = to.Cloud
	}
	if to.InAddress != from.InAddress {
		g.InAddress = to.InAddress
	}
	if !to.Expires.Equal(from.Expires) {
		g.Expires = to.Expires
	}
	if to.Rate != from.Rate {
		g.Rate = to.Rate
	}
	if to.Concurrent != from.Concurrent {
		g.Concurrent = to.Concurrent
	}
	if to.TokensPerDay != from.TokensPerDay {
		g.TokensPerDay = to.TokensPerDay
	}
}
