package requestlog

import (
	"sync"
	"testing"
	"time"
)

// Many requests beside readers that miss nothing: every number comes once, in
// order, and what the ring lost is counted.
func TestReadersBesideWriters(t *testing.T) {
	const writers, each = 8, 400
	l := New(64)
	var write, read sync.WaitGroup
	finished := make(chan struct{})
	for range 3 {
		c, stop := l.Watch()
		read.Go(func() {
			defer stop()
			var seen, at uint64
			for {
				entries, last, missed := l.Since(at, 0)
				if uint64(len(entries))+missed != last-at {
					t.Errorf("%d and %d missed between %d and %d", len(entries), missed, at, last)
					return
				}
				for i, e := range entries {
					if e.Seq != at+missed+uint64(i)+1 {
						t.Errorf("number %d out of order", e.Seq)
						return
					}
				}
				for _, e := range l.Running(time.Now()) {
					if e.TokensOut > 3 || e.Phase != Running {
						t.Errorf("a snapshot of %+v", e)
					}
				}
				seen, at = seen+uint64(len(entries))+missed, last
				if seen == writers*each {
					return
				}
				select {
				case <-c:
				case <-finished:
				}
			}
		})
	}
	for range writers {
		write.Go(func() {
			for i := range each {
				if i%2 == 0 {
					l.Append(Entry{Phase: Refused})
					continue
				}
				r := l.Begin(Entry{Time: time.Now()})
				r.FirstByte(1)
				for range 3 {
					r.Progress(1, 5)
				}
				r.End(Entry{Phase: Done})
			}
		})
	}
	write.Wait()
	close(finished)
	read.Wait()
	if n, totals := l.Counts(); n != 0 || totals.Requests != writers*each || totals.Refused != writers*each/2 {
		t.Errorf("%d run, %+v", n, totals)
	}
}

func TestOneRequestEndsOnce(t *testing.T) {
	l := New(10)
	r := l.Begin(Entry{})
	var g sync.WaitGroup
	for range 8 {
		g.Go(func() { r.End(Entry{Phase: Cut}) })
	}
	g.Wait()
	if _, last, _ := l.Since(0, 0); last != 1 {
		t.Errorf("one request left %d entries", last)
	}
}
