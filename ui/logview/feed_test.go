package logview

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"paddock/requestlog"
)

func entries(from, to uint64) []requestlog.Entry {
	var list []requestlog.Entry
	for s := from; s <= to; s++ {
		list = append(list, requestlog.Entry{Seq: s, ID: fmt.Sprint("id", s), Phase: requestlog.Done, Time: day})
	}
	return list
}

func runs(ids ...string) []requestlog.Entry {
	var list []requestlog.Entry
	for _, id := range ids {
		list = append(list, requestlog.Entry{ID: id, Phase: requestlog.Running, Time: day})
	}
	return list
}

// listed is the feed as one line: slots, rows and how many wait.
func listed(f *Feed) string {
	s := ""
	for _, slot := range f.Slots() {
		s += slot.key.ID
		if slot.Ended {
			s += "†"
		}
		if slot.Stopping {
			s += "!"
		}
		s += " "
	}
	s += "|"
	for i := range f.Len() {
		s += fmt.Sprint(" ", f.Row(i).Seq)
	}
	return s + fmt.Sprint(" +", f.Waiting())
}

func want(t *testing.T, f *Feed, s string) {
	t.Helper()
	if got := listed(f); got != s {
		t.Errorf("listed %q, want %q", got, s)
	}
}

func TestNewestFirst(t *testing.T) {
	var f Feed
	f.Take(entries(1, 2), 0, runs("a"))
	want(t, &f, "a | 2 1 +0")
	f.Take(entries(3, 3), 0, runs("a", "b"))
	want(t, &f, "a b | 3 2 1 +0")
}

func TestEveryHoldHolds(t *testing.T) {
	for name, c := range map[string]struct {
		hold, release func(f *Feed)
		says          Hold
	}{
		"pause":     {func(f *Feed) { f.SetPaused(true) }, func(f *Feed) { f.SetPaused(false) }, HeldByPause},
		"selection": {func(f *Feed) { f.Select(Key{Seq: 1}) }, func(f *Feed) { f.Select(Key{}) }, HeldBySelection},
		"scroll":    {func(f *Feed) { f.SetScrolled(true) }, func(f *Feed) { f.SetScrolled(false) }, HeldByScroll},
		"pointer":   {func(f *Feed) { f.SetPointer(true, -1) }, func(f *Feed) { f.SetPointer(false, -1) }, HeldByPointer},
	} {
		t.Run(name, func(t *testing.T) {
			var f Feed
			f.Take(entries(1, 2), 0, nil)
			c.hold(&f)
			f.Take(entries(3, 4), 0, nil)
			want(t, &f, "| 2 1 +2")
			if f.Hold() != c.says {
				t.Errorf("hold is %d", f.Hold())
			}
			c.release(&f)
			want(t, &f, "| 4 3 2 1 +0")
			if f.Hold() != NotHeld {
				t.Errorf("hold is %d", f.Hold())
			}
		})
	}
}

func TestReleaseListsWhatWaitsAndKeepsTheSelection(t *testing.T) {
	var f Feed
	f.Take(entries(1, 3), 0, nil)
	f.Select(Key{Seq: 2})
	f.Take(entries(4, 6), 0, nil)
	f.Release()
	want(t, &f, "| 6 5 4 3 2 1 +0")
	if f.Selected() != (Key{Seq: 2}) || f.Hold() != HeldBySelection {
		t.Errorf("selected %v, hold %d", f.Selected(), f.Hold())
	}
}

// Somebody about to press Stop must not hit another request because the one
// above it ended that moment.
func TestAnEndedRequestKeepsItsPlaceAboveThePointer(t *testing.T) {
	var f Feed
	f.Take(nil, 0, runs("id1", "b", "c"))
	f.SetPointer(true, 1)
	f.Take(entries(1, 1), 0, runs("b", "c", "d"))
	want(t, &f, "id1† b c d | +1")
	f.Take(nil, 0, runs("b", "d"))
	want(t, &f, "id1† b d | +1") // below the pointer rows may close up
	f.SetPointer(false, -1)
	want(t, &f, "b d | 1 +0")
}

func TestASelectedRequestThatEndsStaysSelected(t *testing.T) {
	var f Feed
	f.Take(nil, 0, runs("id1"))
	f.Select(Key{ID: "id1"})
	f.Take(entries(1, 2), 0, nil)
	want(t, &f, "id1† | +2")
	if s, ok := f.SelectedSlot(); !ok || !s.Ended || s.Entry.Seq != 1 {
		t.Errorf("selected %+v", s)
	}
	f.Release()
	want(t, &f, "| 2 1 +0")
	if f.Selected() != (Key{Seq: 1}) {
		t.Errorf("selected %v", f.Selected())
	}
}

// What ended between the two looks at the log is in both of them.
func TestARequestThatEndsMeanwhileIsListedOnce(t *testing.T) {
	var f Feed
	f.Take(nil, 0, runs("id1", "b"))
	f.Take(entries(1, 1), 0, runs("id1", "b"))
	want(t, &f, "b | 1 +0")
}

func TestStopping(t *testing.T) {
	var f Feed
	f.Take(nil, 0, runs("id1", "b"))
	f.SetStopping("id1")
	f.SetStopping("nobody")
	want(t, &f, "id1! b | +0")
	f.Take(nil, 0, runs("id1", "b"))
	want(t, &f, "id1! b | +0")
	f.SetPointer(true, 0)
	f.Take(entries(1, 1), 0, runs("b"))
	want(t, &f, "id1† b | +1")
}

func TestMove(t *testing.T) {
	var f Feed
	f.Move(1)
	if f.Selected() != (Key{}) {
		t.Error("there was nothing to select")
	}
	f.Take(entries(1, 3), 0, runs("a", "b"))
	for _, step := range []struct {
		by   int
		want Key
	}{{1, Key{Seq: 3}}, {1, Key{Seq: 2}}, {-2, Key{ID: "b"}}, {-5, Key{ID: "a"}}, {100, Key{Seq: 1}}, {-1, Key{Seq: 2}}} {
		if f.Move(step.by); f.Selected() != step.want {
			t.Errorf("moved by %d to %v, want %v", step.by, f.Selected(), step.want)
		}
	}
	f.Select(Key{})
	if f.Move(-1); f.Selected() != (Key{ID: "b"}) {
		t.Errorf("up from nothing is %v", f.Selected())
	}
}

func TestOnlySoManyRows(t *testing.T) {
	var f Feed
	f.Take(entries(1, 10), 7, nil)
	if f.Older() != 7 || f.Missed() != 0 {
		t.Errorf("what was gone before the window opened counts as older %d, missed %d", f.Older(), f.Missed())
	}
	for s := uint64(11); s < 3*MaxRows; s += 1000 {
		f.Take(entries(s, s+999), 0, nil)
	}
	if f.Len() != MaxRows || cap(f.rows) > 2*MaxRows {
		t.Errorf("%d rows in room for %d", f.Len(), cap(f.rows))
	}
	if f.Older() == 0 || f.Row(0).Seq != 15010 {
		t.Errorf("older %d, newest %d", f.Older(), f.Row(0).Seq)
	}
	f.SetPaused(true)
	for s := uint64(20_000); s < 20_000+2*MaxRows; s += 1000 {
		f.Take(entries(s, s+999), 0, nil)
	}
	if f.Waiting() != MaxRows || cap(f.waiting) > 2*MaxRows {
		t.Errorf("%d wait in room for %d", f.Waiting(), cap(f.waiting))
	}
	f.SetPaused(false)
	if f.Len() != MaxRows || f.Waiting() != 0 {
		t.Errorf("%d rows, %d wait", f.Len(), f.Waiting())
	}
}

func TestMissedInTheMiddleIsTold(t *testing.T) {
	var f Feed
	f.Take(entries(1, 5), 0, nil)
	f.Take(entries(9, 10), 3, nil)
	if f.Missed() != 3 || f.Older() != 0 {
		t.Errorf("missed %d, older %d", f.Missed(), f.Older())
	}
}

// FuzzFeed drives the feed beside a real log, which knows what happened.
func FuzzFeed(f *testing.F) {
	f.Add([]byte("aaettbbtpmtetrt"))
	f.Add([]byte{0, 0, 2, 3, 5, 5, 1, 2, 3, 9, 3, 7, 3, 12, 3, 200, 3, 40, 3, 11, 3})
	f.Fuzz(func(t *testing.T, ops []byte) {
		log := requestlog.New(16)
		feed := Feed{most: 24}
		var (
			running []*requestlog.Request
			ids     []string
			last    uint64
			n       int
		)
		add := func(phase requestlog.Phase) requestlog.Entry {
			n++
			return requestlog.Entry{ID: fmt.Sprint("r", n), Phase: phase, Time: day}
		}
		for at, op := range ops {
			arg := int(op >> 4)
			before, selected, held := listedNow(&feed), selectedID(&feed), feed.Hold() != NotHeld
			fixed := feed.fixed()
			choice, look := false, false
			switch op % 16 {
			case 0, 1:
				e := add(requestlog.Running)
				running, ids = append(running, log.Begin(e)), append(ids, e.ID)
			case 2:
				if len(running) > 0 {
					i := arg % len(running)
					running[i].End(requestlog.Entry{ID: ids[i], Phase: requestlog.Done, Time: day})
					running, ids = slices.Delete(running, i, i+1), slices.Delete(ids, i, i+1)
				}
			case 3, 4:
				for range arg*2 + 1 {
					log.Append(add(requestlog.Refused))
				}
			case 5, 6, 7:
				look = true
				now := log.Running(day)
				if arg > 7 && len(running) > 0 { // one ends between the two looks
					running[0].End(requestlog.Entry{ID: ids[0], Phase: requestlog.Done, Time: day})
					running, ids = running[1:], ids[1:]
				}
				list, next, missed := log.Since(last, feed.most)
				last = next
				feed.Take(list, missed, now)
			case 8:
				if feed.Len() > 0 {
					feed.Select(keyOf(feed.Row(arg % feed.Len())))
					choice = true
				}
			case 9:
				if len(feed.Slots()) > 0 {
					feed.Select(feed.Slots()[arg%len(feed.Slots())].key)
					choice = true
				}
			case 10:
				feed.Move(arg - 8)
				choice = true
			case 11:
				feed.Select(Key{})
				choice = true
			case 12:
				feed.SetPaused(arg%2 == 0)
			case 13:
				feed.SetScrolled(arg%2 == 0)
			case 14:
				feed.SetPointer(arg%2 == 0, arg/2-1)
			case 15:
				feed.Release()
			}
			check(t, &feed, last)
			if got := selectedID(&feed); !choice && got != selected && (got != "" || hasRow(&feed, selected)) {
				t.Fatalf("op %d: the selection went from %q to %q", at, selected, got)
			}
			if look {
				if after := listedNow(&feed); held && !slices.Equal(before.rows, after.rows) {
					t.Fatalf("op %d: rows moved while held", at)
				} else if len(after.slots) < fixed || !slices.Equal(before.slots[:fixed], after.slots[:fixed]) {
					t.Fatalf("op %d: slots moved: %v, %v", at, before.slots, after.slots)
				}
				alive := 0
				for _, s := range feed.Slots() {
					if !s.Ended {
						alive++
					}
				}
				if alive != len(running) {
					t.Fatalf("op %d: %d of %d running ones are shown", at, alive, len(running))
				}
			}
		}
	})
}

type places struct {
	slots []string
	rows  []uint64
}

func listedNow(f *Feed) (p places) {
	for _, s := range f.Slots() {
		p.slots = append(p.slots, s.key.ID)
	}
	for i := range f.Len() {
		p.rows = append(p.rows, f.Row(i).Seq)
	}
	return p
}

func selectedID(f *Feed) string {
	s, _ := f.SelectedSlot()
	return s.Entry.ID
}

func hasRow(f *Feed, id string) bool {
	return slices.ContainsFunc(f.rows, func(e requestlog.Entry) bool { return e.ID == id })
}

// check holds at any time: every finished request is in exactly one place, or
// counted.
func check(t *testing.T, f *Feed, last uint64) {
	t.Helper()
	seen := map[string]bool{}
	seq := uint64(0)
	for _, e := range slices.Concat(f.rows, f.waiting) {
		if e.Seq <= seq || seen[e.ID] {
			t.Fatalf("%s (%d) is out of order or there twice", e.ID, e.Seq)
		}
		seq, seen[e.ID] = e.Seq, true
	}
	if all := uint64(f.Len()+f.Waiting()) + f.Older() + f.Missed(); all != last {
		t.Fatalf("%d are accounted for, %d were taken", all, last)
	}
	if f.Len() > f.limit() || f.Waiting() > f.limit() {
		t.Fatalf("%d rows, %d wait", f.Len(), f.Waiting())
	}
	slots := map[string]bool{}
	for _, s := range f.Slots() {
		if slots[s.key.ID] || hasRow(f, s.key.ID) {
			t.Fatalf("%s is shown twice", s.key.ID)
		}
		slots[s.key.ID] = true
	}
	if k := f.Selected(); k != (Key{}) && f.place(k) < 0 {
		t.Fatalf("%v is selected and not there", k)
	}
	if f.Hold() == NotHeld && f.Waiting() > 0 {
		t.Fatal("something waits for nothing")
	}
}

func BenchmarkTake5000(b *testing.B) {
	list := entries(1, MaxRows)
	for b.Loop() {
		var f Feed
		for i := 0; i < len(list); i += 100 {
			f.Take(list[i:i+100], 0, nil)
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(time.Microsecond)/float64(b.N)/50, "µs/take")
}
