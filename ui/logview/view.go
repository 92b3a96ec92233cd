// Package logview draws the live request log.
package logview

import (
	"slices"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"

	"paddock/policy"
	"paddock/requestlog"
	"paddock/share"
	"paddock/ui/kit"
	"paddock/ui/theme"
)

// View is the content of the request log window. Everything about it belongs
// to Fyne's thread except Follow and SetVisible.
type View struct {
	source Source
	do     Actions

	feed   Feed
	board  *board
	bar    *toolbar
	empty  *empty
	status *kit.Text
	foot   *fyne.Container
	middle *fyne.Container
	all    fyne.CanvasObject

	latest batch
	canvas fyne.Canvas
	paints int // counted for tests

	hop       func(func()) // to Fyne's thread
	visible   atomic.Bool
	poke      chan struct{} // capacity 1: look again
	pointerAt atomic.Int64  // when the pointer last moved over the rows, in Unix nanoseconds
	taken     uint64        // Follow's: the last number read
}

// batch is what one look at the source and the state saw.
type batch struct {
	at       time.Time
	finished []requestlog.Entry
	missed   uint64
	running  []requestlog.Entry
	totals   requestlog.Totals
	state    share.State
}

// allows says whether the owner's list lets a website in by now.
func (b batch) allows(origin string) bool {
	rules := slices.Clone(b.state.Websites.List)
	for _, p := range b.state.Websites.Presets {
		rules = append(rules, policy.OriginRule{Origin: p.Name, Allowed: p.Allowed})
	}
	return policy.NewOrigins(rules).Allows(origin)
}

// New returns a view that shows nothing until Follow runs.
func New(source Source, do Actions) *View {
	v := &View{source: source, do: do, hop: fyne.Do, poke: make(chan struct{}, 1), status: kit.NewText(kit.Small, "").Shorten(kit.CutEnd)}
	if do.Do != nil {
		v.hop = do.Do
	}
	v.visible.Store(true)
	v.latest.at = time.Now()
	v.board = newBoard(&v.feed, func() time.Time { return v.latest.at })
	v.board.stop, v.board.copy, v.board.follow, v.board.help = v.stop, v.copy, v.toggleFollow, v.help
	v.board.kick = v.kick
	v.board.allowed = func(origin string) bool { return v.latest.allows(origin) }
	v.board.allow = func(origin string) { v.do.Allow(origin) }
	v.board.inClear = func() bool { return !v.latest.state.Encrypted }
	v.board.allowHTTP = func() { v.do.AllowHTTP() }
	v.board.moved = func() { v.pointerAt.Store(time.Now().UnixNano()) }
	v.board.changed = v.showFrame
	v.bar = newToolbar(v.toggleFollow, func() { v.do.Start() })
	v.empty = newEmpty(func() { v.do.Start() }, v.copy)
	v.board.Hide()

	shortcuts := kit.NewButton(kit.Plain, "? shortcuts", "", v.help).Small().Named("Shortcuts")
	promise := kit.NewText(kit.Small, "Prompts and answers are never kept")
	v.foot = newDropLine(theme.Space16, dropLine{
		drop:   []fyne.CanvasObject{promise},
		wanted: func(fyne.CanvasObject) bool { return true },
		natural: func() float32 {
			return fyne.MeasureText(v.status.Text(), lookNow().size(theme.SizeTextSmall), fyne.TextStyle{}).Width
		},
	}, kit.Grow(v.status), promise, shortcuts)
	foot := kit.NewGround(theme.ColorBackground, kit.Edges(kit.NewDivider(), nil, nil, nil, kit.Padded(rowMargin, 1, rowMargin, 2, v.foot)))
	v.middle = kit.Grow(nil)
	v.middle.Objects = []fyne.CanvasObject{v.empty.all, v.board}
	v.all = kit.Edges(v.bar.box, foot, nil, nil, v.middle)
	return v
}

// Content returns what to put into the window.
func (v *View) Content() fyne.CanvasObject { return v.all }

// Attach gives the view the keyboard of its window. Call it after the content
// was set.
func (v *View) Attach(w fyne.Window) {
	v.canvas = w.Canvas()
	v.board.windowKeys(v.canvas)
	v.board.takeFocus()
}

// apply paints what Follow read.
func (v *View) apply(b batch) {
	v.latest = b
	v.paints++
	v.feed.Take(b.finished, b.missed, b.running)
	if v.pointerStill(b.at) {
		v.board.running.over, v.board.done.over = false, false
	}
	listed := v.feed.Len()+v.feed.Waiting()+len(v.feed.Slots()) > 0
	if listed != v.board.Visible() {
		show(v.board, listed)
		show(v.empty.all, !listed)
		v.middle.Refresh()
		if listed && v.canvas != nil && v.canvas.Focused() == nil {
			v.board.takeFocus() // a hidden widget cannot have the keyboard
		}
	}
	if listed {
		v.board.sync()
	} else {
		v.empty.show(b.state, b.at)
		v.showFrame()
	}
}

// showFrame paints what stands around the rows.
func (v *View) showFrame() {
	v.bar.show(toolbarFor(v.latest.state, v.feed.Hold(), v.board.grid.aside, v.board.Visible(), v.latest.at))
	running, queued := underWay(v.latest.running)
	if line := statusLine(running, queued, v.latest.totals, v.feed.Missed(), v.latest.at); line != v.status.Text() {
		v.status.SetText(line)
		v.foot.Layout.Layout(v.foot.Objects, v.foot.Size())
	}
}

// underWay counts what Ollama works on, and what waits for it.
func underWay(list []requestlog.Entry) (running, queued int) {
	for _, e := range list {
		if e.Phase == requestlog.Waiting {
			queued++
		}
	}
	return len(list) - queued, queued
}

func (v *View) toggleFollow() {
	switch v.feed.Hold() {
	case NotHeld, HeldByPointer:
		v.feed.SetPaused(true)
		v.board.sync()
	case HeldByPause, HeldBySelection, HeldByScroll:
		v.board.followAgain()
	}
}

func (v *View) stop(id string) {
	if v.do.Stop(id) {
		v.feed.SetStopping(id)
	}
	v.board.sync()
}

func (v *View) copy(text string) { v.do.Copy(text) }

func (v *View) help() {
	if v.canvas == nil {
		v.canvas = fyne.CurrentApp().Driver().CanvasForObject(v.all)
	}
	if v.canvas != nil {
		showHelp(v.canvas)
	}
}
