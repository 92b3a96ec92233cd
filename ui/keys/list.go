//go:build !lite

package keys

import (
	"context"
	"errors"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"paddock/assets"
	"paddock/keystore"
	"paddock/ui/kit"
	"paddock/ui/theme"
)

// list is the table of keys.
type list struct {
	s       *Screen
	content *fyne.Container
	fresh   *kit.Button // New key
	trouble *kit.Banner // what is wrong with the vault
	notice  *kit.Banner // what became of something that has no row any more
	empty   fyne.CanvasObject
	table   *fyne.Container
	columns *kit.Columns
	header  *kit.Header
	rows    *fyne.Container
	scroll  *kit.Scroll
	foot    *fyne.Container
	kept    *kit.Text
	byID    map[string]*row
	chosen  string
	said    string // trouble and notice as laid out last
	order   []string
}

var columns = []kit.Column{
	{ID: "chip", Width: 32},
	{ID: "name", Title: "Name", Width: 118, Grow: 3},
	{ID: "role", Title: "Role", Width: 68},
	{ID: "models", Title: "Models", Width: 108, Grow: 2, Rank: 2},
	{ID: "limits", Title: "Limits", Width: 92, Rank: 4},
	{ID: "used", Title: "Last used", Width: 78, Rank: 3},
	{ID: "today", Title: "Today", Width: 92, Rank: 1, Right: true},
	{ID: "state", Title: "State", Width: 106},
}

func newList(s *Screen) *list {
	l := &list{s: s, byID: map[string]*row{}}
	l.fresh = kit.NewButton(kit.Primary, "New key", assets.Plus, func() {
		l.say("")
		s.NewKey()
	})
	l.trouble = kit.NewBanner(kit.Attention, "", "")
	ok := kit.NewButton(kit.Outlined, "OK", "", func() { l.say("") }).Small()
	l.notice = kit.NewBanner(kit.Waiting, assets.Allowed, "", ok)
	l.trouble.Hide()
	l.notice.Hide()
	// The button in the empty table is the green one then.
	l.empty = kit.NewCard(kit.NewEmptyState(assets.Keys, "No keys yet",
		"Every teammate and every program has a key of its own, so you always see who is who and can cut off one without the others.",
		kit.NewButton(kit.Primary, "Make the first key", assets.Plus, s.NewKey)))
	l.columns = kit.NewColumns(theme.CardPadX, theme.CardPadX, columnGap, columns...)
	l.header = kit.NewHeader(l.columns)
	l.rows = kit.VBox(0)
	l.scroll = kit.NewScroll(l.rows)
	inside := container.New(&tableLayout{l}, l.header, l.scroll)
	l.table = kit.NewTableCard(inside)
	l.kept = kit.NewText(kit.Small, "").Shorten(kit.CutEnd)
	l.foot = kit.HBox(theme.Space8, kit.NewIcon(assets.Safety, theme.ColorMuted, theme.Icon16), kit.Grow(l.kept))
	head := kit.HBox(theme.Space16, kit.Grow(kit.VBox(0, kit.NewText(kit.Title, "Keys"),
		kit.NewParagraph(kit.Muted, "One key for each teammate or program. Suspending works at once."))), l.fresh)
	m := theme.WindowMargin
	l.content = kit.Padded(m, m, m, m, container.New(&listLayout{l}, head, l.trouble, l.notice, l.empty, l.table, l.foot))
	return l
}

// show paints the keys of the present state.
func (l *list) show() {
	st, now := l.s.st, l.s.o.Now()
	dirty := false
	seen := make(map[string]bool, len(st.Keys.List))
	order := make([]string, 0, len(st.Keys.List))
	for _, k := range st.Keys.List {
		seen[k.ID] = true
		order = append(order, k.ID)
		r := l.byID[k.ID]
		if r == nil {
			r = newRow(l, k)
			l.byID[k.ID] = r
		}
		dirty = r.set(k, now) || dirty
	}
	for id := range l.byID {
		if !seen[id] {
			delete(l.byID, id)
			if l.chosen == id {
				l.chosen = ""
			}
		}
	}
	if !slices.Equal(order, l.order) {
		l.order, dirty = order, true
		l.rows.Objects = l.rows.Objects[:0]
		for _, id := range order {
			l.rows.Objects = append(l.rows.Objects, l.byID[id].row)
		}
	}
	none := len(order) == 0
	show(l.empty, none)
	show(l.table, !none)
	show(l.foot, !none)
	show(l.fresh, !none)
	l.dress()
	trouble := l.s.o.Trouble(st.Keys)
	if trouble != "" {
		l.trouble.Set(kit.Attention, "", trouble)
	}
	show(l.trouble, trouble != "")
	kept := "Keys are kept in " + st.Keys.VaultWords + ". A copied key leaves the clipboard after a minute."
	l.kept.SetText(kept)
	if trouble != l.said {
		l.said, dirty = trouble, true
	}
	if dirty {
		l.content.Refresh()
	}
}

// dress leaves one green button: of the selected row, or New key.
func (l *list) dress() {
	if l.chosen == "" {
		l.fresh.SetStyle(kit.Primary)
	} else {
		l.fresh.SetStyle(kit.Outlined)
	}
}

// choose unfolds one row, or none.
func (l *list) choose(id string) {
	if r := l.byID[l.chosen]; r != nil && l.chosen != id {
		r.fold()
	}
	l.chosen = id
	if r := l.byID[id]; r != nil {
		r.unfold()
	}
	l.dress()
	l.content.Refresh()
	if r := l.byID[id]; r != nil {
		l.reveal(r)
	}
}

// reveal scrolls as far as it takes to see a row.
func (l *list) reveal(r *row) {
	top, bottom := r.row.Position().Y, r.row.Position().Y+r.row.Size().Height
	switch {
	case top < l.scroll.Offset.Y:
		l.scroll.ScrollToOffset(fyne.NewPos(0, top))
	case bottom > l.scroll.Offset.Y+l.scroll.Size().Height:
		l.scroll.ScrollToOffset(fyne.NewPos(0, bottom-l.scroll.Size().Height))
	}
}

// say tells what has no row of its own to be told in.
func (l *list) say(sentence string) {
	if sentence != "" {
		l.notice.Set(kit.Waiting, assets.Keys, sentence)
	}
	if l.notice.Visible() != (sentence != "") {
		show(l.notice, sentence != "")
	}
	l.content.Refresh()
}

// copy fetches a key from the vault and puts it on the clipboard.
func (l *list) copy(id string, done, failed func()) {
	r := l.byID[id]
	if r == nil || r.job != nil {
		return
	}
	l.say("")
	var secret keystore.Secret
	name := r.key.Name
	r.wait(l.s.run(func(ctx context.Context) (err error) {
		secret, err = l.s.o.Keeper.CopyKey(ctx, name)
		return err
	}, func(j *job, err error) {
		if r.ended(j, err) {
			return
		}
		if err != nil {
			failed()
			return
		}
		l.s.o.Clip(secret)
		r.tell(kit.Allowed, "Copied; cleared after a minute")
		done()
	}), cancelledWords)
}

// rotate gives a key a new secret.
func (l *list) rotate(id string, grace time.Duration) {
	r := l.byID[id]
	if r == nil || r.job != nil {
		return
	}
	l.say("")
	var fresh keystore.Key
	var secret keystore.Secret
	name := r.key.Name
	r.wait(l.s.run(func(ctx context.Context) (err error) {
		fresh, secret, err = l.s.o.Keeper.RotateKey(ctx, name, grace)
		return err
	}, func(j *job, err error) {
		if r.ended(j, err) {
			if err == nil {
				l.say("The keychain answered after all: " + name + " has a new secret. Copy it from its row.")
			}
			return
		}
		if err == nil {
			fresh.LastUsed = r.key.LastUsed // what comes now counts as the next request
			l.s.howTo(fresh, secret, true)
		}
	}), "Cancelled, so the secret stays what it was. If the keychain still shows its question, close it.")
}

// tell says in a key's row what became of it.
func (l *list) tell(id string, tone kit.Tone, sentence string) {
	if r := l.byID[id]; r != nil && r.parts != nil {
		r.tell(tone, sentence)
	}
}

// remove revokes a key for good.
func (l *list) remove(id string) {
	r := l.byID[id]
	if r == nil || r.job != nil {
		return
	}
	name := r.key.Name
	r.wait(l.s.run(func(ctx context.Context) error { return l.s.o.Keeper.RemoveKey(ctx, name) }, func(j *job, err error) {
		var left *keystore.LeftoverError
		var unsaved *keystore.UnsavedError
		if errors.As(err, &left) || errors.As(err, &unsaved) {
			l.say(name + ": " + l.s.o.Say(err))
			err = nil
		}
		r.ended(j, err)
	}), "The key is removed. What is left of it in the keychain is cleared away later.")
}

// suspend asks for a key to be refused, or let in again.
func (l *list) suspend(id string, on bool) {
	r := l.byID[id]
	if r == nil || r.switching {
		return
	}
	r.switching = true
	r.power.SetPending(true)
	name := r.key.Name
	l.s.run(func(context.Context) error {
		if on {
			return l.s.o.Keeper.ResumeKey(name)
		}
		return l.s.o.Keeper.SuspendKey(name)
	}, func(_ *job, err error) {
		r.switching = false
		r.paintSwitch()
		if err != nil {
			l.choose(id)
			r.tell(kit.Attention, l.s.o.Say(err))
		}
	})
}

// tableLayout puts the rows under their titles and gives them what is left.
type tableLayout struct{ l *list }

// MinSize belongs to Fyne. It is the least that is of use; natural is all.
func (t *tableLayout) MinSize([]fyne.CanvasObject) fyne.Size {
	head, rows := t.l.header.MinSize(), t.l.rows.MinSize()
	return fyne.NewSize(max(head.Width, rows.Width), head.Height+min(rows.Height, 60))
}

// tableEnd stays plain, so that a selected row does not cover the card's corners.
const tableEnd = theme.Space8

// whole says whether every column has room.
func (l *list) whole() bool { return l.columns.Aside(l.rows.Size().Width) == 0 }

// natural is the height at which no row has to scroll.
func (l *list) natural() float32 {
	return l.header.MinSize().Height + l.rows.MinSize().Height + tableEnd
}

// settleRows lays the rows out until their heights stay: what has just been
// unfolded knows its height only after it was given a width.
func (l *list) settleRows() {
	for range 4 { // twice does it mostly
		before := l.natural()
		l.rows.Layout.Layout(l.rows.Objects, l.rows.Size())
		if l.natural() == before {
			return
		}
	}
}

// Layout belongs to Fyne.
func (t *tableLayout) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	h := t.l.header.MinSize().Height
	t.l.header.Move(fyne.Position{})
	t.l.header.Resize(fyne.NewSize(size.Width, h))
	t.l.scroll.Move(fyne.NewPos(0, h))
	t.l.scroll.Resize(fyne.NewSize(size.Width, max(size.Height-h-tableEnd, 0)))
}

// listLayout stacks the parts of the screen. The table is as high as its rows
// while there is room; then its rows scroll, and titles and foot stay in sight.
type listLayout struct{ l *list }

// MinSize belongs to Fyne.
func (y *listLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var m fyne.Size
	n := 0
	for _, o := range objects {
		if o.Visible() {
			s := o.MinSize()
			m = fyne.NewSize(max(m.Width, s.Width), m.Height+s.Height)
			n++
		}
	}
	m.Height += theme.CardGap * float32(max(n-1, 0))
	return m
}

// Layout belongs to Fyne.
func (y *listLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	l := y.l
	rest, n := size.Height, 0
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		n++
		if o.Size().Width != size.Width { // wrapped text knows its height only then
			o.Resize(fyne.NewSize(size.Width, o.Size().Height))
		}
		if o != l.table && o != l.empty {
			rest -= o.MinSize().Height
		}
	}
	rest -= theme.CardGap * float32(max(n-1, 0))
	at := float32(0)
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		h := o.MinSize().Height
		switch o {
		case l.table:
			l.rows.Resize(fyne.NewSize(size.Width-2, l.rows.Size().Height))
			l.settleRows()
			const border = 2
			h = max(min(l.natural()+border, rest), h)
		case l.empty:
			h = max(rest, h)
		}
		o.Move(fyne.NewPos(0, at))
		o.Resize(fyne.NewSize(size.Width, h))
		at += h + theme.CardGap
	}
}
