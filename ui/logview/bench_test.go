package logview

import (
	"fmt"
	"testing"
	"time"

	"paddock/requestlog"
	"paddock/ui/theme"
)

// BenchmarkBurst5000 is what 5,000 requests within five seconds cost Fyne's
// thread, without the drawing: fifty paints of a hundred new rows.
func BenchmarkBurst5000(b *testing.B) {
	s := newStage(b, theme.New(theme.Light), wide)
	seq := uint64(0)
	for b.Loop() {
		for range 50 {
			s.apply(hundred(&seq))
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/50/float64(time.Millisecond), "ms/paint")
}

// BenchmarkDraw is one paint of new rows with the drawing, in software.
func BenchmarkDraw(b *testing.B) {
	s := newStage(b, theme.New(theme.Light), wide)
	seq := uint64(0)
	for b.Loop() {
		s.apply(hundred(&seq))
		s.window.Canvas().Capture()
	}
}

// BenchmarkTick is one paint where only the times of running requests change.
func BenchmarkTick(b *testing.B) {
	s := newStage(b, theme.New(theme.Light), wide)
	s.apply(dayBatch())
	n := time.Duration(0)
	for b.Loop() {
		n += 100 * ms
		t := batch{at: day, running: runningDay(), totals: totalsDay(), state: sharing()}
		for i := range t.running {
			t.running[i].Took += n
		}
		s.apply(t)
	}
}

func hundred(seq *uint64) batch {
	t := batch{at: day, totals: totalsDay(), state: sharing()}
	for range 100 {
		*seq++
		e := finishedDay()[*seq%18]
		e.Seq, e.ID, e.Took = *seq, fmt.Sprint(*seq), time.Duration(*seq)*ms%time.Minute
		t.finished = append(t.finished, e)
	}
	t.totals = requestlog.Totals{Since: day, Requests: *seq}
	return t
}
