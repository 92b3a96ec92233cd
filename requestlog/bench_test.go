package requestlog

import (
	"testing"
)

// One entry into a full ring with a reader that sleeps: what a request pays.
func BenchmarkAppend(b *testing.B) {
	l := New(DefaultKept)
	_, stop := l.Watch()
	defer stop()
	e := fullEntry()
	for range DefaultKept {
		l.Append(e)
	}
	b.ReportAllocs()
	for b.Loop() {
		l.Append(e)
	}
}

// A running request with 100 chunks, watched.
func BenchmarkRequest(b *testing.B) {
	l := New(DefaultKept)
	_, stop := l.Watch()
	defer stop()
	e := fullEntry()
	b.ReportAllocs()
	for b.Loop() {
		r := l.Begin(e)
		r.FirstByte(1)
		for range 100 {
			r.Progress(1, 100)
		}
		r.End(e)
	}
}

// 5,000 entries while one reader takes everything new at each wake. "wakes" is
// how often it was woken; the log window paints at most ten times a second.
func BenchmarkBurst(b *testing.B) {
	const burst = 5000
	e := fullEntry()
	var wakes, lost uint64
	for b.Loop() {
		l := New(DefaultKept)
		c, stop := l.Watch()
		done := make(chan struct{})
		go func() {
			defer close(done)
			var at uint64
			for at < burst {
				<-c
				_, last, missed := l.Since(at, 0)
				at, wakes, lost = last, wakes+1, lost+missed
			}
		}()
		for range burst {
			l.Append(e)
		}
		<-done
		stop()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/burst, "ns/entry")
	b.ReportMetric(float64(wakes)/float64(b.N), "wakes")
	b.ReportMetric(float64(lost), "lost")
}
