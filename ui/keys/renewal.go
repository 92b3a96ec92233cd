//go:build !lite

package keys

import (
	"time"

	"fyne.io/fyne/v2"

	"paddock/keystore"
	"paddock/ui/kit"
	"paddock/ui/theme"
)

// renewal asks, in a key's row, how long the old secret may go on working
// beside a new one.
type renewal struct {
	r       *row
	content *fyne.Container
	words   *kit.Paragraph
	grace   *kit.Segments
	means   *kit.Paragraph
	keep    *kit.Button
	chosen  int
}

// graces are how long an old secret may go on working beside the new one.
var graces = []struct {
	label string
	time  time.Duration
}{{"Not at all", 0}, {"1 hour", time.Hour}, {"24 hours", 24 * time.Hour}, {"7 days", 7 * 24 * time.Hour}}

const usualGrace = 2

func newRenewal(r *row) *renewal {
	n := &renewal{r: r, words: kit.NewParagraph(kit.Body, ""), means: kit.NewParagraph(kit.Small, "")}
	labels := make([]string, len(graces))
	for i, g := range graces {
		labels[i] = g.label
	}
	n.grace = kit.NewSegments(labels, func(i int) {
		n.chosen = i
		n.paint()
		r.l.content.Refresh()
	})
	id := r.key.ID
	n.keep = kit.NewButton(kit.Outlined, "Leave it", "", func() {
		r.showPart(r.parts.actions)
		r.l.content.Refresh()
	})
	n.content = kit.VBox(theme.Space8, n.words,
		kit.NewText(kit.Body, "How long may the old one work?"), kit.HBox(0, n.grace, kit.Space()), n.means,
		kit.Flow(theme.Space8, kit.NewButton(kit.Outlined, "Make the new secret", "", func() {
			r.showPart(r.parts.actions)
			r.l.rotate(id, graces[n.chosen].time)
		}), n.keep))
	return n
}

// open asks anew.
func (n *renewal) open() {
	n.chosen = usualGrace
	n.paint()
}

func (n *renewal) paint() {
	name, now := n.r.key.Name, n.r.l.s.o.Now()
	words := "Make a new secret for " + name + "? Name, role and limits stay as they are."
	if graceWords(n.r.key, now) != "" {
		words += " The old one that still works beside this one ends at once."
	}
	n.words.SetText(words)
	n.grace.SetSelected(n.chosen)
	n.means.SetText(meansGrace(n.r.key, graces[n.chosen].time, now))
}

// meansGrace says what becomes of the old secret.
func meansGrace(k keystore.Key, grace time.Duration, now time.Time) string {
	name := k.Name
	if grace == 0 {
		return "The old secret is refused at once, and what runs with it is cut. " + name + " cannot connect until they have the new one."
	}
	at := standingOf(k, now)
	k.OldUntil, k.Suspended = now.Add(grace), false
	until, _ := k.OldWorksUntil(now)
	switch at {
	case expired:
		return name + " has expired, so neither secret works."
	case suspended:
		return name + " is suspended, so neither secret works now. Let in again, it could use the old one until " + untilWord(until, now) + "."
	case working:
	}
	return "The old secret works beside the new one until " + untilWord(until, now) + ", so " + name + " can change over in peace. Then it is refused."
}
