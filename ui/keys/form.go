//go:build !lite

package keys

import (
	"context"
	"errors"
	"strings"

	"fyne.io/fyne/v2"

	"paddock/assets"
	"paddock/keystore"
	"paddock/policy"
	"paddock/ui/kit"
	"paddock/ui/page"
	"paddock/ui/theme"
)

// form asks for what a new key needs: a name, and the rest only of those who
// want to say more. It is also where a key that is there is changed.
type form struct {
	s       *Screen
	key     keystore.Key // the one that is changed; none while a new one is made
	opened  policy.Grant // what the form showed of it before anybody touched it
	content *fyne.Container
	old     string // what grace says
	name    *kit.Field
	more    *kit.Button
	summary *kit.Text
	grant   *grantForm
	grace   *kit.Banner
	trouble *kit.Banner
	outcome *kit.Banner
	waiting *fyne.Container
	make    *kit.Button
	leave   *kit.Button
	cancel  *kit.Button

	job *job
}

// formWidth keeps a question as narrow as it is read.
const formWidth = 592

// newForm returns the form for a new key, or with a key that has an ID for that
// one.
func newForm(s *Screen, k keystore.Key) *form {
	f := &form{s: s, key: k}
	f.name = kit.NewField("such as alice, or n8n on the NAS").Labelled("Name").Reserve().
		OnChanged(func(string) { f.check(false) }).OnSubmitted(func(string) { f.send() }).OnKey(fyne.KeyEscape, f.escape)
	f.more = kit.NewButton(kit.Plain, "Role, models, limits", assets.Right, f.fold)
	f.summary = kit.NewText(kit.Small, "").Shorten(kit.CutEnd).Right()
	f.grant = newGrantForm(s, k.Grant, f.edits(), f.paint, func() {
		if f.content != nil {
			f.content.Refresh()
		}
	})
	f.opened = f.grant.value()
	f.trouble, f.outcome = kit.NewBanner(kit.Attention, "", ""), kit.NewBanner(kit.Attention, "", "")
	f.grace = kit.NewBanner(kit.Waiting, "", "")
	f.make = kit.NewButton(kit.Primary, "Make the key", "", f.send).Large()
	f.leave = kit.NewButton(kit.Outlined, "Back", "", func() { s.back(k.ID) })
	f.cancel = kit.NewButton(kit.Outlined, "Cancel", "", f.stop)
	f.waiting = kit.HBox(theme.Space8, kit.NewIcon(assets.Waiting, theme.ColorWaiting, theme.Icon16), kit.NewText(kit.Body, waitingWords).Ink(theme.ColorWaiting), f.cancel)
	for _, o := range []fyne.CanvasObject{f.grace, f.trouble, f.outcome, f.waiting} {
		o.Hide()
	}
	fold := kit.VBox(theme.Space8, kit.NewDivider(), kit.HBox(theme.Space16, f.more, kit.Grow(f.summary)), kit.NewDivider())
	crumb, title := "Keys", "Who gets the new key?"
	body := kit.VBox(theme.Space16, f.trouble,
		kit.NewParagraph(kit.Muted, "Every teammate and every program has a key of its own, so you always see who is who and can cut off one without the others."),
		f.name, fold, f.grant.content, f.outcome)
	if f.edits() {
		crumb, title = "Keys / "+k.Name, "What may "+k.Name+" do?"
		f.make.Set("Save", "")
		body = kit.VBox(theme.Space16, f.trouble, f.grace,
			kit.NewParagraph(kit.Muted, "In force with the next request. The key itself stays the same."), f.grant.content, f.outcome)
	} else {
		f.grant.content.Hide()
	}
	head := kit.VBox(0, kit.NewText(kit.Small, crumb).Shorten(kit.CutEnd), kit.NewText(kit.Title, title).Shorten(kit.CutEnd))
	foot := kit.HBox(theme.Space12, f.leave, kit.Space(), f.waiting, f.make)
	if f.edits() {
		foot = kit.HBox(theme.Space12, f.leave, kit.Grow(f.summary), f.waiting, f.make)
	}
	f.grant.onEscape(f.escape)
	for _, b := range []*kit.Button{f.more, f.make, f.leave, f.cancel} {
		b.OnEscape(f.escape)
	}
	f.content = page.New(kit.MaxWidth(formWidth, head), kit.MaxWidth(formWidth, body), kit.MaxWidth(formWidth, foot))
	f.show()
	return f
}

// edits says whether the form changes a key that is there.
func (f *form) edits() bool { return f.key.ID != "" }

// focus puts the keyboard where the form begins.
func (f *form) focus() {
	if f.edits() {
		f.s.o.Focus(nil) // the first Tab leads to the first choice
		return
	}
	f.s.o.Focus(f.name.Focusable())
}

// show paints what a State changes.
func (f *form) show() {
	trouble := f.s.o.Trouble(f.s.st.Keys)
	if trouble != "" {
		f.trouble.Set(kit.Attention, "", trouble)
	}
	changed := f.trouble.Visible() != (trouble != "")
	show(f.trouble, trouble != "")
	if k, there := f.s.st.Keys.Find(f.key.ID); there {
		f.key = k
	}
	if old := graceWords(f.key, f.s.o.Now()); old != f.old {
		f.old = old
		f.grace.Set(kit.Waiting, "", old)
		show(f.grace, old != "")
		changed = true
	}
	f.grant.show()
	if f.name.Problem() != "" {
		f.check(f.name.Text() == "") // the key in the way may be gone
	}
	f.paint()
	if changed {
		f.content.Refresh()
	}
}

// paint shows what was chosen.
func (f *form) paint() { f.summary.SetText(grantWords(f.grant.value(), f.s.o.Now())) }

func (f *form) fold() {
	open := !f.grant.content.Visible()
	show(f.grant.content, open)
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
	if problem != f.name.Problem() {
		f.name.SetProblem(problem)
		f.content.Refresh() // a long one takes more lines
	}
	return problem == ""
}

func (f *form) send() {
	if f.job != nil {
		return
	}
	f.tell("")
	if !f.edits() && !f.check(true) {
		f.s.o.Focus(f.name.Focusable())
		return
	}
	if wrong := f.grant.check(); wrong != nil {
		if !f.grant.content.Visible() {
			f.fold()
		}
		f.s.o.Focus(wrong)
		return
	}
	if f.edits() {
		f.save()
		return
	}
	name, grant := strings.TrimSpace(f.name.Text()), f.grant.value()
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
			f.s.howTo(made, secret, false)
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

// save puts what was changed in force. No keychain is asked. What the owner left
// alone stays as it is by now, which need not be what the form shows: to write
// that would give back a right that was taken away meanwhile.
func (f *form) save() {
	name, id, from, to := f.key.Name, f.key.ID, f.opened, f.grant.value()
	var now policy.Grant
	f.wait(f.s.run(func(context.Context) error {
		// Another key may have come under the name of one that was removed.
		if k, there := f.s.o.Keeper.Key(name); !there || k.ID != id {
			return keystore.ErrNoKey
		}
		return f.s.o.Keeper.EditKey(name, func(g *policy.Grant) {
			copyChanged(g, from, to)
			now = *g
		})
	}, func(j *job, err error) {
		here := f.job == j && f.s.form == f
		f.wait(nil)
		var unsaved *keystore.UnsavedError
		switch {
		case errors.As(err, &unsaved):
			f.s.list.say(name + ": " + f.s.o.Say(err))
			if here {
				f.s.back(id)
				f.s.list.tell(id, kit.Attention, "In force, but not saved: "+grantWords(now, f.s.o.Now()))
			}
			return
		case err != nil && here:
			f.tell(f.s.o.Say(err) + " Nothing was changed.")
			return
		case err != nil:
			f.s.list.say(name + ": " + f.s.o.Say(err) + " Nothing was changed.")
			return
		}
		if here {
			f.s.back(id)
			f.s.list.tell(id, kit.Allowed, "Saved: "+grantWords(now, f.s.o.Now()))
		}
	}))
}

// wait notes that an answer is on its way, mostly from the keychain, or with
// nil that none is.
func (f *form) wait(j *job) {
	f.job = j
	f.grant.disable(j != nil)
	if j == nil {
		f.name.Enable()
		f.showWaiting(false)
		return
	}
	f.name.Disable()
	if f.edits() {
		return // no person is asked for anything
	}
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
	if f.job != nil && !f.edits() {
		f.stop()
		return
	}
	f.s.back(f.key.ID)
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
