package requestlog

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"paddock/policy"
)

func numbers(entries []Entry) []uint64 {
	var out []uint64
	for _, e := range entries {
		out = append(out, e.Seq)
	}
	return out
}

func TestSince(t *testing.T) {
	l := New(4)
	if e, last, missed := l.Since(0, 0); e != nil || last != 0 || missed != 0 {
		t.Fatalf("an empty log: %v %d %d", e, last, missed)
	}
	for range 6 {
		l.Append(Entry{Phase: Done})
	}
	for _, c := range []struct {
		name   string
		seq    uint64
		limit  int
		want   []uint64
		missed uint64
	}{
		{"everything that is kept", 0, 0, []uint64{3, 4, 5, 6}, 2},
		{"from the oldest that is kept", 2, 0, []uint64{3, 4, 5, 6}, 0},
		{"one is gone already", 1, 0, []uint64{3, 4, 5, 6}, 1},
		{"the newest ones", 0, 2, []uint64{5, 6}, 4},
		{"a limit that nothing reaches", 4, 9, []uint64{5, 6}, 0},
		{"a limit of one", 3, 1, []uint64{6}, 2},
		{"nothing new", 6, 0, nil, 0},
		{"a number from another life", 99, 0, nil, 0},
		{"a limit below nothing is none", 4, -1, []uint64{5, 6}, 0},
	} {
		got, last, missed := l.Since(c.seq, c.limit)
		if !slices.Equal(numbers(got), c.want) || last != 6 || missed != c.missed {
			t.Errorf("%s: %v, last %d, missed %d", c.name, numbers(got), last, missed)
		}
	}
}

func TestEntriesAreCopies(t *testing.T) {
	l := New(0) // keeps one
	l.Append(Entry{ID: "a"})
	got, _, _ := l.Since(0, 0)
	got[0].ID = "changed"
	l.Append(Entry{ID: "b"})
	again, _, missed := l.Since(0, 0)
	if len(again) != 1 || again[0].ID != "b" || got[0].ID != "changed" || missed != 1 {
		t.Errorf("%+v, missed %d", again, missed)
	}
}

func TestRunningUntilEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(10)
		start := time.Now()
		first := l.Begin(Entry{ID: "first", Time: start, Phase: Done, Reason: policy.Allowed})
		second := l.Begin(Entry{ID: "second", Time: start})
		time.Sleep(time.Second)
		first.FirstByte(time.Since(start))
		first.FirstByte(time.Hour) // counts for nothing
		first.Progress(1, 10)
		time.Sleep(2 * time.Second)
		first.Progress(4, 40)

		run := l.Running(time.Now())
		if len(run) != 2 || run[0].ID != "first" || run[1].ID != "second" {
			t.Fatalf("running: %+v", run)
		}
		e := run[0]
		if e.Phase != Running || e.Seq != 0 || e.TokensOut != 5 || e.BytesOut != 50 || e.FirstToken != time.Second || e.Took != 3*time.Second || e.Rate != 2 {
			t.Errorf("the first: %+v", e)
		}
		if run[1].Took != 3*time.Second || run[1].Rate != 0 || run[1].FirstToken != 0 {
			t.Errorf("the second: %+v", run[1])
		}
		if n, _ := l.Counts(); n != 2 {
			t.Errorf("%d run", n)
		}
		if entries, _, _ := l.Since(0, 0); len(entries) != 0 {
			t.Errorf("finished already: %+v", entries)
		}

		if got := second.End(Entry{ID: "second", Phase: Failed}); got.Seq != 1 {
			t.Errorf("ended as %+v", got)
		}
		if got := second.End(Entry{ID: "again", Phase: Failed}); got.Seq != 0 {
			t.Errorf("ended twice as %+v", got)
		}
		first.End(Entry{ID: "first", Phase: Done})
		l.Append(Entry{ID: "third", Phase: Refused})
		entries, last, _ := l.Since(0, 0)
		if last != 3 || entries[0].ID != "second" || entries[1].ID != "first" || entries[2].ID != "third" {
			t.Errorf("finished: %+v", entries)
		}
		n, totals := l.Counts()
		if n != 0 || totals.Requests != 3 || totals.Failed != 1 || totals.Refused != 1 || !totals.Since.Equal(start) {
			t.Errorf("%d run, %+v", n, totals)
		}
		if len(l.Running(time.Now())) != 0 {
			t.Error("something still runs")
		}
	})
}

func TestWatchWakesOnEveryKindOfChange(t *testing.T) {
	l := New(10)
	c, stop := l.Watch()
	defer stop()
	woken := func(what string) {
		t.Helper()
		select {
		case <-c:
		default:
			t.Errorf("%s woke nobody", what)
		}
		select {
		case <-c:
			t.Errorf("%s woke twice", what)
		default:
		}
	}
	l.Append(Entry{})
	woken("Append")
	r := l.Begin(Entry{Time: time.Now()})
	woken("Begin")
	r.FirstByte(0)
	woken("FirstByte")
	r.Progress(1, 1)
	woken("Progress")
	r.End(Entry{})
	woken("End")
	r.End(Entry{})
	select {
	case <-c:
		t.Error("a second End woke somebody")
	default:
	}
}

// The log against the slow and obvious way: remember everything for ever and
// take the end of it.
func FuzzLogAgainstASlice(f *testing.F) {
	f.Add(uint8(3), []byte{0, 0, 0, 0, 0, 9, 2, 40, 0, 7, 255})
	f.Add(uint8(1), []byte{1, 1, 2, 2, 64, 65, 129, 3})
	f.Fuzz(func(t *testing.T, kept uint8, steps []byte) {
		keep := int(kept)%9 + 1
		steps = steps[:min(len(steps), 200)] // the obvious way is slow
		l := New(keep)
		var all []uint64
		var running []*Request
		next := uint64(1)
		for _, s := range steps {
			switch {
			case s < 64:
				if got := l.Append(Entry{}); got.Seq != next {
					t.Fatalf("appended as %d, want %d", got.Seq, next)
				}
				all = append(all, next)
				next++
			case s < 96:
				running = append(running, l.Begin(Entry{BytesIn: int64(s)}))
			case s < 128 && len(running) > 0:
				i := int(s) % len(running)
				running[i].End(Entry{})
				running = slices.Delete(running, i, i+1)
				all = append(all, next)
				next++
			default:
				seq, limit := uint64(s%24), int(s/24)%5
				var want []uint64
				var missed uint64
				for i, n := range all {
					switch {
					case n <= seq:
					case i < len(all)-keep || limit > 0 && i < len(all)-limit:
						missed++
					default:
						want = append(want, n)
					}
				}
				got, last, lost := l.Since(seq, limit)
				if !slices.Equal(numbers(got), want) || lost != missed || last != next-1 {
					t.Fatalf("Since(%d, %d) of %d kept of %d: %v last %d missed %d, want %v %d", seq, limit, keep, len(all), numbers(got), last, lost, want, missed)
				}
			}
			if n, totals := l.Counts(); n != len(running) || totals.Requests != next-1 {
				t.Fatalf("%d run, %d done; want %d, %d", n, totals.Requests, len(running), next-1)
			}
			for i, e := range l.Running(time.Now()) {
				if e.BytesIn != running[i].entry.BytesIn {
					t.Fatal("running out of order")
				}
			}
		}
	})
}
