//go:build !lite

package keys

import (
	"context"
	"strconv"
	"time"

	"fyne.io/fyne/v2"

	"paddock/assets"
	"paddock/keystore"
	"paddock/share"
	"paddock/ui/kit"
	"paddock/ui/page"
	"paddock/ui/theme"
)

// connect shows how to use a key. It is the end of a new key, which then
// stands on top of it, and where "How to connect" leads.
type connect struct {
	s       *Screen
	key     keystore.Key
	secret  keystore.Secret // of a new key, gone when the page is left
	renewed bool            // the key was there before, with another secret

	inAddress bool // as it was when the page was opened
	content   *fyne.Container
	copy      *kit.Button
	done      *kit.Button
	tabs      *kit.Tabs
	steps     *fyne.Container
	grace     *kit.Banner
	address   *kit.Banner
	off       *kit.Banner
	first     *kit.Banner
	outcome   *kit.Paragraph
	job       *job
	waits     bool // the button is the way out

	seen   bool // a State had the key
	chosen int
	shown  sample
	arrive time.Time // when the first request was seen
	since  time.Time // LastUsed when the page opened
	laid   string
}

var copyWords = kit.CopyWords{Copy: "Copy", Copied: "Copied"}

func newConnect(s *Screen, k keystore.Key, secret keystore.Secret, renewed bool) *connect {
	c := &connect{s: s, key: k, secret: secret, renewed: renewed, since: k.LastUsed, inAddress: k.Grant.InAddress}
	fresh := !secret.IsZero()
	crumb, title := "Keys / New key", "The key for "+k.Name+" is ready"
	switch {
	case renewed:
		crumb, title = "Keys / "+k.Name, "The new secret for "+k.Name+" is ready"
	case !fresh:
		crumb, title = "Keys / "+k.Name, "How "+k.Name+" connects"
	}
	head := kit.VBox(0, kit.NewText(kit.Small, crumb).Shorten(kit.CutEnd), kit.NewText(kit.Title, title).Shorten(kit.CutEnd))
	c.outcome = kit.NewParagraph(kit.Small, "")
	c.copy = kit.NewCopyButton(kit.Primary, kit.CopyWords{Copy: "Copy key", Copied: "Copied"}, c.copyKey)
	top := kit.HBox(theme.Space12, kit.Grow(kit.NewParagraph(kit.Body, "Copy the key, give it to "+k.Name+" and to nobody else.")), c.copy)
	if fresh {
		c.copy.Large()
		top = kit.HBox(theme.Space12, kit.Grow(keyLine(secret.Reveal())), c.copy)
	}
	c.outcome.SetText(c.keptWords())
	first := kit.NewCard(kit.VBox(theme.Space12, top,
		kit.HBox(theme.Space8, kit.NewIcon(assets.Safety, theme.ColorMuted, theme.Icon16), kit.Grow(c.outcome))))

	c.grace = kit.NewBanner(kit.Waiting, "", "")
	c.address = kit.NewBanner(kit.Attention, "", "This laptop has no address on a network now. Put its address in place of ADDRESS.")
	labels := []string{}
	for _, x := range clients(sample{inAddress: k.Grant.InAddress}) {
		labels = append(labels, x.label)
	}
	c.tabs = kit.NewTabs(labels, "More", theme.CardPadX, func(i int) {
		c.chosen = i
		c.paint()
	})
	c.steps = kit.VBox(theme.Space16)
	second := kit.NewTableCard(kit.VBox(0, kit.Padded(0, theme.Space4, 0, 0, c.tabs),
		kit.Padded(theme.CardPadX, theme.Space16, theme.CardPadX, theme.CardPadX, c.steps)))

	c.off = kit.NewBanner(kit.Attention, "", "You are not sharing now, so nobody can connect.", kit.NewButton(kit.Outlined, "Start sharing", "", s.o.Start))
	c.first = kit.NewBanner(kit.Waiting, "", "").Noted("this line turns green when it arrives")
	c.done = kit.NewButton(kit.Outlined, "Done", "", func() {
		if fresh && !renewed {
			s.back("")
		} else {
			s.back(k.ID)
		}
	})
	foot := kit.HBox(theme.Space16, kit.Grow(kit.NewText(kit.Small, grantWords(k.Grant, s.o.Now())).Shorten(kit.CutEnd)), c.done)
	c.content = page.New(head, kit.VBox(theme.CardGap, first, c.grace, c.address, second, c.off, c.first), foot)
	return c
}

// focus puts the keyboard on the next sensible step.
func (c *connect) focus() { c.s.o.Focus(c.copy) }

func (c *connect) keptWords() string {
	if c.secret.IsZero() {
		return "Copying asks " + c.s.st.Keys.VaultWords + " for the key. It leaves the clipboard after a minute."
	}
	if c.key.Vault == keystore.VaultMemory {
		return "In memory only: the key ends with the program. Give it to one teammate only."
	}
	return "Also in " + c.s.st.Keys.VaultWords + ": you can copy it again at any time. Give it to one teammate only."
}

// copyKey puts the key on the clipboard. One that is not at hand comes out of
// the keychain first.
func (c *connect) copyKey(done func()) {
	copied := func() {
		c.tell("Copied; cleared after a minute", theme.ColorAllowed)
		done()
	}
	if !c.secret.IsZero() {
		c.s.o.Clip(c.secret)
		copied()
		return
	}
	if c.job != nil && !c.waits {
		return // pressed twice
	}
	if c.job != nil {
		c.job.cancel()
		c.waited(nil)
		c.tell(cancelledWords, theme.ColorPaused)
		return
	}
	name := c.key.Name
	var secret keystore.Secret
	c.job = c.s.run(func(ctx context.Context) (err error) {
		secret, err = c.s.o.Keeper.CopyKey(ctx, name)
		return err
	}, func(j *job, err error) {
		if c.job != j {
			return // cancelled
		}
		c.waited(nil)
		if err != nil {
			c.tell(c.s.o.Say(err), theme.ColorAttention)
			return
		}
		c.s.o.Clip(secret)
		copied()
	})
	j := c.job
	c.s.later(func() {
		if c.job == j {
			c.waited(j)
			c.tell(waitingWords, theme.ColorWaiting)
		}
	})
}

// tell says what became of it under the button.
func (c *connect) tell(sentence string, ink fyne.ThemeColorName) {
	c.outcome.Ink(ink)
	c.outcome.SetText(sentence)
	c.outcome.Refresh()
	c.content.Refresh()
}

// waited turns the button into the way out while the keychain is asked.
func (c *connect) waited(j *job) {
	c.job, c.waits = j, j != nil
	if j != nil {
		c.copy.Set("Cancel", assets.Close)
		c.copy.SetStyle(kit.Outlined)
		return
	}
	c.copy.Set("Copy key", assets.Copy)
	c.copy.SetStyle(kit.Primary)
}

// show paints what a State changes.
func (c *connect) show() {
	st := c.s.st
	k, there := st.Keys.Find(c.key.ID)
	// A State from before the new secret knows nothing of the old one's time.
	if there && (c.seen || !c.renewed || k.Hint == c.key.Hint) {
		c.key, c.seen = k, true
	}
	sharing := st.Phase == share.Sharing || st.Phase == share.Stopping
	if c.arrive.IsZero() && there && k.LastUsed.After(c.since) {
		c.arrive = k.LastUsed
	}
	which := "first"
	if !c.since.IsZero() {
		which = "next"
	}
	switch {
	case !there && c.seen: // a new key may be in the next State only
		c.first.Set(kit.Paused, "", "This key was removed.")
		c.first.Noted("")
	case !c.arrive.IsZero():
		c.first.Set(kit.Allowed, "", "The "+which+" request from "+c.key.Name+" arrived at "+c.arrive.Local().Format(time.TimeOnly)+".")
		c.first.Noted("")
	case c.key.Suspended:
		c.first.Set(kit.Paused, "", c.key.Name+" is suspended, so it is refused.")
		c.first.Noted("")
	default:
		c.first.Set(kit.Waiting, "", "Waiting for the "+which+" request from "+c.key.Name+"…")
		c.first.Noted("this line turns green when it arrives")
	}
	grace := graceWords(c.key, c.s.o.Now())
	// That of a suspended key may work again, so nothing is said of it.
	if c.renewed && grace == "" && !(c.key.Suspended && c.key.OldUntil.After(c.s.o.Now())) {
		grace = "The old secret is refused from now on."
	}
	c.grace.Set(kit.Waiting, "", grace)
	show(c.grace, grace != "")
	show(c.off, !sharing)
	show(c.first, sharing)
	c.paint()
	laid := c.first.AccessibilityLabel() + strconv.FormatBool(sharing) + grace
	if laid != c.laid {
		c.laid = laid
		c.content.Refresh()
	}
}

// paint shows the steps of the chosen client, filled with what is true now.
func (c *connect) paint() {
	now, ok := sampleOf(c.s.st, c.key.Grant)
	now.inAddress = c.inAddress // the tabs stay what they were
	show(c.address, !ok)
	if now == c.shown && c.tabs.Selected() == c.chosen {
		return
	}
	c.shown = now
	c.tabs.SetSelected(c.chosen)
	x := clients(now)[c.chosen]
	c.steps.Objects = nil
	for i, p := range x.steps {
		line := stepLine(i+1, p)
		if p.code == "" {
			c.steps.Add(line)
			continue
		}
		c.steps.Add(kit.VBox(theme.Space8, line, kit.NewCodeBlock(p.code, copyWords, nil)))
	}
	if len(x.notes) > 0 {
		notes := kit.VBox(theme.Space4)
		for _, n := range x.notes {
			notes.Add(kit.NewParagraph(kit.Small, n))
		}
		c.steps.Add(notes)
	}
	c.content.Refresh()
}

// beside is how many letters of what is said about a step stand beside its title.
// More go below it, where they can take several lines.
const beside = 58

func stepLine(number int, p step) fyne.CanvasObject {
	line := kit.Flow(theme.Space8, kit.NewText(kit.Strong, strconv.Itoa(number)+"."), kit.NewText(kit.Strong, p.title))
	switch {
	case p.how == "":
	case len(p.how) <= beside:
		line.Add(kit.NewText(kit.Muted, p.how))
	default:
		return kit.VBox(0, line, kit.NewParagraph(kit.Muted, p.how))
	}
	return line
}
