package logview

import (
	"strings"
	"testing"
	"testing/synctest"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"paddock/policy"
	"paddock/requestlog"
	"paddock/share"
	"paddock/ui/theme"
)

var (
	wide   = fyne.NewSize(1280, 760)
	narrow = fyne.NewSize(900, 600)
)

func lightStage(t *testing.T, size fyne.Size) *stage {
	s := newStage(t, theme.New(theme.Light), size)
	s.apply(dayBatch())
	return s
}

func (s *stage) key(name fyne.KeyName) { s.board.TypedKey(&fyne.KeyEvent{Name: name}) }

// at is where a row is on the canvas.
func (s *stage) at(l *lines, i int) fyne.Position {
	p := fyne.CurrentApp().Driver().AbsolutePositionForObject(l.scroll)
	return p.AddXY(300, (float32(i)+0.5)*l.rowHeight()-l.scroll.Offset.Y)
}

func TestHeldRows(t *testing.T) {
	s := lightStage(t, wide)
	test.TapCanvas(s.window.Canvas(), s.at(s.board.done, 2))
	if k := s.feed.Selected(); k.Seq != 212 {
		t.Fatalf("selected %v", k)
	}
	s.apply(later(dayBatch(), 12))
	if s.feed.Waiting() != 12 || !s.board.band.fresh.Visible() || s.board.band.fresh.AccessibilityLabel() != "12 new" {
		t.Errorf("%d wait, the band says %q", s.feed.Waiting(), s.board.band.fresh.AccessibilityLabel())
	}
	test.Tap(s.board.band.fresh)
	if s.feed.Waiting() != 0 || s.feed.Selected().Seq != 212 || s.board.band.fresh.Visible() {
		t.Errorf("%d wait, selected %v", s.feed.Waiting(), s.feed.Selected())
	}
	s.key(fyne.KeyEscape)
	if s.feed.Hold() != NotHeld {
		t.Errorf("hold is %d", s.feed.Hold())
	}
}

func TestPauseAndFollow(t *testing.T) {
	s := lightStage(t, wide)
	s.key(fyne.KeySpace)
	if s.feed.Hold() != HeldByPause || s.bar.follow.AccessibilityLabel() != "Follow" {
		t.Errorf("hold %d, button %q", s.feed.Hold(), s.bar.follow.AccessibilityLabel())
	}
	s.apply(later(dayBatch(), 3))
	s.key(fyne.KeyHome)
	if s.feed.Waiting() != 0 || s.feed.Hold() != HeldByPause {
		t.Errorf("Home: %d wait, hold %d", s.feed.Waiting(), s.feed.Hold())
	}
	test.Tap(s.bar.follow)
	if s.feed.Hold() != NotHeld || s.bar.follow.AccessibilityLabel() != "Pause list" {
		t.Errorf("hold %d, button %q", s.feed.Hold(), s.bar.follow.AccessibilityLabel())
	}
}

// A scroller and a copy button have timers, which end with the bubble.
func TestScrollingHolds(t *testing.T) { synctest.Test(t, testScrollingHolds) }

func testScrollingHolds(t *testing.T) {
	s := lightStage(t, narrow)
	s.key(fyne.KeyEnd)
	s.apply(later(dayBatch(), 4))
	if s.feed.Hold() != HeldByScroll || s.feed.Waiting() != 4 {
		t.Fatalf("hold %d, %d wait", s.feed.Hold(), s.feed.Waiting())
	}
	test.Scroll(s.window.Canvas(), s.at(s.board.done, 3).AddXY(0, 400), 0, 5000)
	if s.board.done.scroll.Offset.Y != 0 {
		t.Fatalf("scrolled to %v", s.board.done.scroll.Offset)
	}
	s.board.sync()
	if s.feed.Hold() != NotHeld || s.feed.Waiting() != 0 {
		t.Errorf("hold %d, %d wait", s.feed.Hold(), s.feed.Waiting())
	}
}

func TestStopARunningRequest(t *testing.T) {
	s := lightStage(t, wide)
	pos, size := stopArea(lookNow(), s.board.grid.slots(), s.board.running.rowHeight())
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(s.board.running.scroll).Add(pos).AddXY(size.Width/2, size.Height/2)
	test.TapCanvas(s.window.Canvas(), at)
	if len(s.stopped) != 1 || s.stopped[0] != "id-14:32:08" {
		t.Fatalf("stopped %q", s.stopped)
	}
	if got := s.board.running.shown[0]; got.text.Result != "Stopping…" || got.stop.box.Visible() {
		t.Errorf("row says %q", got.text.Result)
	}
	test.TapCanvas(s.window.Canvas(), at) // there is no button any more
	if len(s.stopped) != 1 || s.feed.Selected().ID != "id-14:32:08" {
		t.Errorf("stopped %q, selected %v", s.stopped, s.feed.Selected())
	}
	s.key(fyne.KeyDelete) // stopping already
	s.key(fyne.KeyDown)
	s.key(fyne.KeyDelete)
	if len(s.stopped) != 2 || s.stopped[1] != "id-14:32:13" {
		t.Errorf("stopped %q", s.stopped)
	}
	s.key(fyne.KeyDown)
	s.key(fyne.KeyDelete) // finished ones cannot be stopped
	if len(s.stopped) != 2 {
		t.Errorf("stopped %q", s.stopped)
	}
}

func TestAWaitingRequestIsPinnedAndCanBeStopped(t *testing.T) {
	s := lightStage(t, wide)
	s.apply(waitingBatch())
	row := s.board.running.shown[3]
	if row.text.Result != "Waiting, 21st" || row.text.Mark != MarkWaiting || !row.stop.box.Visible() {
		t.Fatalf("the row says %q", row.text.Result)
	}
	if got := s.status.Text(); !strings.Contains(got, "1 running · 3 waiting") {
		t.Errorf("the status line says %q", got)
	}
	s.board.Select(Key{ID: "id-14:32:11"})
	s.key(fyne.KeyDelete)
	if len(s.stopped) != 1 || s.stopped[0] != "id-14:32:11" {
		t.Errorf("stopped %q", s.stopped)
	}
	// It runs next: the same row in the same place says so.
	b := waitingBatch()
	b.running[1].Phase, b.running[1].Place = requestlog.Running, 0
	s.apply(b)
	if got := s.board.running.shown[1].text; got.Result != "Running" || got.Waited == "" {
		t.Errorf("the row says %+v", got)
	}
}

func TestARefusedWebsiteIsAllowedFromItsRow(t *testing.T) {
	s := lightStage(t, wide)
	s.board.Select(Key{Seq: 208}) // refused for another reason, or not at all
	if s.board.bar.mend.Visible() {
		t.Error("there is no website to allow, and a button for it")
	}
	s.board.Select(Key{Seq: refusedWebsite})
	test.Tap(s.board.bar.mend)
	if len(s.allowed) != 1 || s.allowed[0] != "https://chat.example.com" {
		t.Fatalf("allowed %q", s.allowed)
	}
	if !s.board.bar.mend.Visible() {
		t.Error("the button is gone before the website was allowed")
	}
	b := dayBatch()
	b.state.Websites.List = []policy.OriginRule{{Origin: "https://chat.example.com", Allowed: true}}
	s.apply(b)
	if s.board.bar.mend.Visible() || !s.board.bar.mended.Visible() {
		t.Error("it does not say that the website is allowed now")
	}
	s.board.mendRow()
	if len(s.allowed) != 1 {
		t.Errorf("allowed twice: %q", s.allowed)
	}
}

func TestPlainHTTPIsAllowedOnlyAfterAQuestion(t *testing.T) {
	s := newStage(t, theme.New(theme.Light), wide)
	s.apply(eventfulBatch())
	s.board.Select(Key{Seq: inClearRow})
	bar := s.board.bar
	if bar.mend.AccessibilityLabel() != "Allow plain HTTP…" || !bar.mend.Visible() {
		t.Fatalf("the button is %q", bar.mend.AccessibilityLabel())
	}
	test.Tap(bar.mend)
	if s.inClear != 0 || !bar.question.Visible() || bar.line.Visible() {
		t.Fatalf("allowed %d times without a question", s.inClear)
	}
	if s.window.Canvas().Focused() != fyne.Focusable(bar.no) {
		t.Error("the keyboard is not on the answer that changes nothing")
	}
	s.apply(later(eventfulBatch(), 0)) // a paint does not answer
	if !bar.question.Visible() {
		t.Fatal("the question went away by itself")
	}
	test.Tap(bar.no)
	if s.inClear != 0 || bar.question.Visible() || !bar.line.Visible() || s.window.Canvas().Focused() != fyne.Focusable(s.board) {
		t.Fatalf("allowed %d times after a no", s.inClear)
	}
	s.board.mendRow()
	s.board.Select(Key{Seq: refusedWebsite})
	if bar.question.Visible() {
		t.Error("the question stays with another row")
	}
	s.board.Select(Key{Seq: inClearRow})
	if bar.question.Visible() {
		t.Error("the question comes back unasked")
	}
	s.board.mendRow()
	test.Tap(bar.question.Objects[len(bar.question.Objects)-1].(fyne.Tappable))
	if s.inClear != 1 || bar.question.Visible() {
		t.Fatalf("allowed %d times after a yes", s.inClear)
	}
	b := later(eventfulBatch(), 0)
	b.state.Encrypted = false
	s.apply(b)
	if bar.mend.Visible() || bar.mended.AccessibilityLabel() != "Plain HTTP is allowed now" || !bar.mended.Visible() {
		t.Errorf("it does not say that plain HTTP is allowed: %q", bar.mended.AccessibilityLabel())
	}
	s.board.mendRow()
	if bar.question.Visible() {
		t.Error("it asks again")
	}
}

// What was no request goes across its row, and counts as none.
func TestNotesAreRowsOfTheirOwn(t *testing.T) {
	s := newStage(t, theme.New(theme.Light), narrow)
	s.apply(eventfulBatch())
	requests := len(finishedDay()) + 3
	if got := s.board.AccessibilityLabel(); got != "Requests: 1 running, 21 finished" || s.feed.Len() != requests+4 {
		t.Errorf("%q of %d rows", got, s.feed.Len())
	}
	seen := map[bool]int{}
	for _, r := range s.board.done.shown {
		seen[r.wide]++
		if r.wide != r.text.Across || r.chip.Visible() == r.wide || r.wide && (r.across.Text() == "" || !r.across.Visible()) {
			t.Errorf("%+v: across %v, chip %v", r.text, r.wide, r.chip.Visible())
		}
		for i, c := range columns {
			if slot := s.board.grid.slots()[i]; r.cells[i].Visible() != (slot.Shown && (!r.wide || c.id == colTime)) {
				t.Errorf("%+v: %s is shown: %v", r.text, c.id, r.cells[i].Visible())
			}
		}
	}
	if seen[true] != 4 || seen[false] == 0 {
		t.Errorf("%v rows are across", seen)
	}
	s.board.Select(Key{Seq: noteRow})
	if got := s.board.AccessibilityLabel(); got != "Note: 14:32:03 · Paused until 14:47" {
		t.Errorf("selected is %q", got)
	}
	if s.board.bar.mend.Visible() || s.board.bar.mended.Visible() || s.board.bar.stop.Visible() {
		t.Error("there is something to mend about a note")
	}
	// A row that was across is used for requests again.
	s.board.Select(Key{})
	s.apply(later(dayBatch(), 60))
	for _, r := range s.board.done.shown {
		if r.wide || !r.chip.Visible() || r.across != nil && r.across.Visible() {
			t.Errorf("%+v is still across", r.text)
		}
	}
}

// What no browser sends cannot be allowed by a click either.
func TestAStrangeOriginHasNoButton(t *testing.T) {
	s := lightStage(t, wide)
	for n, origin := range []string{"null", "", "https://*", "https://a.example/x", "http://a\\x1b.example"} {
		e := finishedDay()[12]
		e.Seq, e.ID, e.Origin = uint64(300+n), origin, origin
		s.apply(batch{at: day, finished: []requestlog.Entry{e}, state: sharing(), totals: totalsDay()})
		s.board.release()
		s.board.Select(Key{Seq: e.Seq})
		if s.feed.Selected().Seq != e.Seq || s.board.bar.mend.Visible() {
			t.Errorf("%q: selected %v, and a button: %v", origin, s.feed.Selected(), s.board.bar.mend.Visible())
		}
		s.board.Select(Key{})
	}
}

func TestCopyRow(t *testing.T) { synctest.Test(t, testCopyRow) }

func testCopyRow(t *testing.T) {
	s := lightStage(t, wide)
	copyKey := &fyne.ShortcutCopy{}
	s.board.TypedShortcut(copyKey)
	if s.copied != "" {
		t.Errorf("copied %q with nothing selected", s.copied)
	}
	s.board.Select(Key{Seq: 213})
	want := CopyText(finishedDay()[16], day)
	for name, do := range map[string]func(){
		"the shortcut": func() { s.board.TypedShortcut(copyKey) },
		"the button":   func() { test.Tap(s.board.bar.copy) },
		"the menu": func() {
			s.board.done.TappedSecondary(&fyne.PointEvent{Position: fyne.NewPos(300, 40), AbsolutePosition: fyne.NewPos(300, 300)})
			menu := s.window.Canvas().Overlays().Top()
			if menu == nil {
				t.Fatal("no menu")
			}
			s.window.Canvas().Overlays().Remove(menu)
			s.board.copyRow()
		},
	} {
		s.copied = ""
		if do(); s.copied != want {
			t.Errorf("%s copied %q, want %q", name, s.copied, want)
		}
	}
	if !strings.Contains(s.board.AccessibilityLabel(), "Managers only") {
		t.Errorf("the selected row is told as %q", s.board.AccessibilityLabel())
	}
}

func TestNarrowLayout(t *testing.T) {
	s := lightStage(t, narrow)
	shown := func() (ids []string) {
		for i, slot := range s.board.grid.slots() {
			if slot.Shown {
				ids = append(ids, columns[i].id)
			}
		}
		return ids
	}
	if got := strings.Join(shown(), " "); got != "time who what model result tokens took" {
		t.Errorf("shown: %s", got)
	}
	if got := s.bar.aside.Text(); got != "5 columns hidden" || !s.bar.aside.Visible() {
		t.Errorf("the note says %q", got)
	}
	s.window.Resize(wide)
	if got := len(shown()); got != len(columns) || s.bar.aside.Visible() {
		t.Errorf("%d columns in a wide window", got)
	}
}

// What grows above the rows must not move the one that somebody is about to
// press.
func TestRowsStayUnderThePointerWhenMoreRun(t *testing.T) {
	for name, n := range map[string]int{"more run": 5, "fewer run": 0} {
		t.Run(name, func(t *testing.T) {
			s := lightStage(t, wide)
			row := func() fyne.Position {
				for _, r := range s.board.done.shown {
					if r.key.Seq == 210 {
						return fyne.CurrentApp().Driver().AbsolutePositionForObject(r.box)
					}
				}
				return fyne.Position{}
			}
			before := row()
			s.board.moved = func() { s.pointerAt.Store(day.UnixNano()) }
			s.board.done.MouseIn(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(300, 4.5*32)}})
			b := later(dayBatch(), 4)
			b.running = nil
			for i := range n {
				e := runningDay()[0]
				e.ID = string(rune('a' + i))
				b.running = append(b.running, e)
			}
			s.apply(b)
			if got := row(); got != before || before.IsZero() {
				t.Errorf("the row went from %v to %v", before, got)
			}
			s.board.done.MouseOut()
			s.apply(batch{at: b.at, running: b.running, totals: totalsDay(), state: sharing()})
			if s.feed.Waiting() != 0 || s.board.done.scroll.Offset.Y != 0 || s.board.pinned != max(n, 1) {
				t.Errorf("afterwards %d wait, scrolled to %v, %d pinned", s.feed.Waiting(), s.board.done.scroll.Offset, s.board.pinned)
			}
		})
	}
}

func TestTheBarDoesNotHoldTheListAfterwards(t *testing.T) {
	s := lightStage(t, narrow)
	last := len(s.board.done.shown) - 2
	test.TapCanvas(s.window.Canvas(), s.at(s.board.done, last))
	if s.board.done.scroll.Offset.Y == 0 {
		t.Fatal("the bar covers the selected row")
	}
	s.key(fyne.KeyEscape)
	if s.feed.Hold() != NotHeld || s.board.done.scroll.Offset.Y != 0 {
		t.Errorf("hold %d, scrolled to %v", s.feed.Hold(), s.board.done.scroll.Offset)
	}
}

func TestRowsAreUsedAgain(t *testing.T) {
	s := lightStage(t, wide)
	kept := map[*row]bool{}
	for _, r := range s.board.done.shown {
		kept[r] = true
	}
	s.apply(later(dayBatch(), 3))
	again := 0
	for _, r := range s.board.done.shown {
		if kept[r] {
			again++
		}
	}
	if n := len(s.board.done.shown); again < n-3 {
		t.Errorf("%d of %d rows were used again", again, n)
	}
}

func TestEmptyStates(t *testing.T) {
	s := newStage(t, theme.New(theme.Light), narrow)
	s.apply(batch{at: day, state: share.State{Phase: share.Off}})
	if s.board.Visible() || !s.empty.words.start {
		t.Errorf("not sharing: %+v", s.empty.words)
	}
	var start fyne.Tappable
	for _, o := range test.LaidOutObjects(s.empty.box) {
		if b, ok := o.(interface {
			fyne.Tappable
			AccessibilityLabel() string
		}); ok && b.AccessibilityLabel() == "Start sharing" {
			start = b
		}
	}
	if start == nil {
		t.Fatal("no button to start sharing")
	}
	if test.Tap(start); s.started != 1 {
		t.Errorf("started %d times", s.started)
	}
	s.apply(batch{at: day, state: sharing()})
	if want := "curl -k https://anna-mbp.local:11435/paddock/ca.pem -o paddock-ca.pem\n" +
		`curl --cacert paddock-ca.pem https://anna-mbp.local:11435/api/tags \` + "\n" + `  -H "Authorization: Bearer $PADDOCK_KEY"`; s.empty.words.curl != want {
		t.Errorf("to try: %s", s.empty.words.curl)
	}
	for _, phase := range []share.Phase{share.Off, share.Starting, share.Sharing, share.Waiting, share.Paused, share.Stopping} {
		s.apply(batch{at: day, state: share.State{Phase: phase}})
		if s.empty.words.title == "" || s.empty.words.sentence == "" || s.bar.shown.word == "" {
			t.Errorf("%s: %+v %+v", phase, s.empty.words, s.bar.shown)
		}
	}
	s.apply(dayBatch())
	if !s.board.Visible() || s.empty.all.Visible() {
		t.Error("the first request does not replace the empty window")
	}
}

func TestShortcutsOpenAndClose(t *testing.T) {
	s := lightStage(t, narrow)
	c := s.window.Canvas()
	test.TypeOnCanvas(c, "?")
	h, ok := c.Overlays().Top().(*help)
	if !ok {
		t.Fatalf("over the window is %T", c.Overlays().Top())
	}
	showHelp(c) // a second time opens nothing
	h.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if c.Overlays().Top() != nil {
		t.Error("it does not close")
	}
	if c.Focused() != s.board {
		t.Errorf("the keyboard went to %T", c.Focused())
	}
}

func TestTheWindowFollowsTheTheme(t *testing.T) {
	s := lightStage(t, wide)
	light := s.window.Canvas().Capture()
	fyne.CurrentApp().Settings().SetTheme(theme.New(theme.Dark))
	s.Content().Refresh()
	dark := s.window.Canvas().Capture()
	for _, at := range []fyne.Position{fyne.NewPos(945, 300), fyne.NewPos(640, 40), fyne.NewPos(640, 170), fyne.NewPos(400, 750)} {
		l, _, _, _ := light.At(int(at.X), int(at.Y)).RGBA()
		d, _, _, _ := dark.At(int(at.X), int(at.Y)).RGBA()
		if l < 0xc000 || d > 0x4000 {
			t.Errorf("at %v it is %x in light and %x in dark", at, l>>8, d>>8)
		}
	}
}
