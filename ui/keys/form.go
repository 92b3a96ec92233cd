//go:build !lite

package keys

import (
	"context"
	"errors"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"paddock/assets"
	"paddock/keystore"
	"paddock/policy"
	"paddock/ui/kit"
	"paddock/ui/page"
	"paddock/ui/theme"
)

// form asks for what a new key needs: a name, and the rest only of those who
// want to say more.
type form struct {
	s       *Screen
	content *fyne.Container
	name    *kit.Field
	more    *kit.Button
	summary *kit.Text
	details *fyne.Container
	choices []*kit.Choice
	cloud   *kit.Switch
	ends    *kit.Segments
	trouble *kit.Banner
	outcome *kit.Banner
	waiting *fyne.Container
	make    *kit.Button
	leave   *kit.Button
	cancel  *kit.Button

	grant  policy.Grant
	expiry int
	job    *job
}

// expiries are what a key's end is chosen from. A key that ends by itself is
// one less to forget.
var expiries = []struct {
	label string
	days  int
}{{"30 days", 30}, {"90 days", 90}, {"1 year", 365}, {"Never", 0}}

const usualExpiry = 1

// formWidth keeps a question as narrow as it is read.
const formWidth = 592

func newForm(s *Screen) *form {
	f := &form{s: s, expiry: usualExpiry}
	f.name = kit.NewField("such as alice, or n8n on the NAS").Labelled("Name").Reserve().
		OnChanged(func(string) { f.check(false) }).OnSubmitted(func(string) { f.send() }).OnKey(fyne.KeyEscape, f.escape)
	f.more = kit.NewButton(kit.Plain, "Role and expiry", assets.Right, f.fold)
	f.summary = kit.NewText(kit.Small, "").Shorten(kit.CutEnd).Right()
	f.cloud = kit.NewSwitch("Cloud models", func(on bool) {
		f.grant.Cloud = on
		f.paint()
	})
	roles := kit.VBox(theme.Space8)
	for _, role := range policy.Roles() {
		icon := assets.Person
		if role == policy.RoleManager {
			icon = assets.Settings
		}
		c := kit.NewChoice(icon, roleWord(role), roleMeans(role), func() {
			f.grant.Role = role
			f.paint()
		})
		f.choices = append(f.choices, c)
		roles.Add(c)
	}
	labels := make([]string, len(expiries))
	for i, e := range expiries {
		labels[i] = e.label
	}
	f.ends = kit.NewSegments(labels, func(i int) {
		f.expiry = i
		f.paint()
	})
	label := func(text, below string) fyne.CanvasObject {
		return kit.Grow(kit.VBox(0, kit.NewText(kit.Body, text), kit.NewParagraph(kit.Small, below)))
	}
	f.details = kit.VBox(theme.Space16, roles,
		kit.HBox(theme.Space16, label("Cloud models", "They run at ollama.com and spend your account there."), f.cloud),
		kit.HBox(theme.Space16, label("Expires", "A key that ends by itself is one less to forget."), f.ends))
	f.trouble, f.outcome = kit.NewBanner(kit.Attention, "", ""), kit.NewBanner(kit.Attention, "", "")
	f.make = kit.NewButton(kit.Primary, "Make the key", "", f.send).Large()
	f.leave = kit.NewButton(kit.Outlined, "Back", "", func() { s.back("") })
	f.cancel = kit.NewButton(kit.Outlined, "Cancel", "", f.stop)
	f.waiting = kit.HBox(theme.Space8, kit.NewIcon(assets.Waiting, theme.ColorWaiting, theme.Icon16), kit.NewText(kit.Body, waitingWords).Ink(theme.ColorWaiting), f.cancel)
	for _, o := range []fyne.CanvasObject{f.details, f.trouble, f.outcome, f.waiting} {
		o.Hide()
	}
	fold := kit.VBox(theme.Space8, kit.NewDivider(), kit.HBox(theme.Space16, f.more, kit.Grow(f.summary)), kit.NewDivider())
	body := kit.VBox(theme.Space16, f.trouble,
		kit.NewParagraph(kit.Muted, "Every teammate and every program has a key of its own, so you always see who is who and can cut off one without the others."),
		f.name, fold, f.details, f.outcome)
	head := kit.VBox(0, kit.NewText(kit.Small, "Keys"), kit.NewText(kit.Title, "Who gets the new key?"))
	foot := kit.HBox(theme.Space12, f.leave, kit.Space(), f.waiting, f.make)
	f.content = page.New(kit.MaxWidth(formWidth, head), kit.MaxWidth(formWidth, body), kit.MaxWidth(formWidth, foot))
	f.show()
	return f
}

// show paints what a State changes.
func (f *form) show() {
	trouble := f.s.o.Trouble(f.s.st.Keys)
	if trouble != "" {
		f.trouble.Set(kit.Attention, "", trouble)
	}
	changed := f.trouble.Visible() != (trouble != "")
	show(f.trouble, trouble != "")
	if f.name.Problem() != "" {
		f.check(f.name.Text() == "") // the key in the way may be gone
	}
	f.paint()
	if changed {
		f.content.Refresh()
	}
}

// paint shows what was chosen.
func (f *form) paint() {
	for i, role := range policy.Roles() {
		f.choices[i].SetChosen(role == f.grant.Role)
	}
	f.cloud.SetOn(f.grant.Cloud)
	f.ends.SetSelected(f.expiry)
	f.summary.SetText(grantWords(f.granted(), f.s.o.Now()))
}

func (f *form) granted() policy.Grant {
	g := f.grant
	if days := expiries[f.expiry].days; days > 0 {
		g.Expires = f.s.o.Now().AddDate(0, 0, days).Round(time.Second)
	}
	return g
}

func (f *form) fold() {
	open := !f.details.Visible()
	show(f.details, open)
	icon := assets.Right
	if open {
		icon = assets.Down
	}
	f.more.SetIcon(icon)
	f.content.Refresh()
}

// check says beside the name what is wrong with it.
func (f *form) check(sent bool) bool {
	problem := nameProblem(f.name.Text(), f.s.st.Keys.List, sent)
	f.name.SetProblem(problem)
	return problem == ""
}

func (f *form) send() {
	if f.job != nil {
		return
	}
	f.tell("")
	if !f.check(true) {
		f.s.o.Focus(f.name.Focusable())
		return
	}
	name, grant := strings.TrimSpace(f.name.Text()), f.granted()
	var made keystore.Key
	var secret keystore.Secret
	f.wait(f.s.run(func(ctx context.Context) (err error) {
		made, secret, err = f.s.o.Keeper.AddKey(ctx, name, grant)
		return err
	}, func(j *job, err error) {
		if f.job != j || f.s.form != f { // cancelled, or the form was left
			switch {
			case err == nil:
				f.s.list.say("The keychain answered after all: the key for " + name + " is in the list.")
			case f.job == j:
				f.s.list.say(f.s.o.Say(err) + " No key was made for " + name + ".")
			}
			return
		}
		f.wait(nil)
		fault, wrong := nameFault(err)
		switch {
		case err == nil:
			f.s.howTo(made, secret)
		case wrong:
			f.name.SetProblem(faultWords(fault))
			f.s.o.Focus(f.name.Focusable())
		case errors.Is(err, keystore.ErrNameTaken):
			f.name.SetProblem(taken)
			f.s.o.Focus(f.name.Focusable())
		default:
			f.tell(f.s.o.Say(err) + " No key was made.")
		}
	}))
}

// wait notes that the keychain is asked, or with nil that it is not.
func (f *form) wait(j *job) {
	f.job = j
	if j == nil {
		f.name.Enable()
		f.showWaiting(false)
		return
	}
	f.name.Disable()
	f.s.later(func() {
		if f.job == j {
			f.showWaiting(true)
		}
	})
}

func (f *form) showWaiting(on bool) {
	if f.waiting.Visible() == on {
		return
	}
	show(f.waiting, on)
	show(f.make, !on)
	show(f.leave, !on)
	f.content.Refresh()
}

// stop gives up waiting for the keychain.
func (f *form) stop() {
	if f.job == nil {
		return
	}
	f.job.cancel()
	f.wait(nil)
	f.tell("Cancelled, so no key was made. If the keychain still shows its question, close it.")
	f.s.o.Focus(f.name.Focusable())
}

func (f *form) escape() {
	if f.job != nil {
		f.stop()
		return
	}
	f.s.back("")
}

func (f *form) tell(sentence string) {
	if sentence != "" {
		f.outcome.Set(kit.Attention, "", sentence)
	}
	if f.outcome.Visible() != (sentence != "") || sentence != "" {
		show(f.outcome, sentence != "")
		f.content.Refresh()
	}
}
