package tray

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"paddock/share"
)

// brush is a source and a painter.
type brush struct {
	mu      sync.Mutex
	st      share.State
	wake    chan struct{}
	painted []picture
	at      []time.Time
}

func (b *brush) change(f func(*share.State)) {
	b.mu.Lock()
	f(&b.st)
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func (b *brush) see() picture {
	b.mu.Lock()
	defer b.mu.Unlock()
	return pictureOf(b.st)
}

func (b *brush) paint(p picture) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.painted, b.at = append(b.painted, p), append(b.at, time.Now())
}

func (b *brush) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.painted)
}

func paced(t *testing.T, test func(t *testing.T, b *brush)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &brush{st: sharing(), wake: make(chan struct{}, 1)}
		ctx, stop := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() { pace(ctx, b.wake, b.see, b.paint) })
		synctest.Wait()
		if b.count() != 1 {
			t.Fatalf("the first picture was painted %d times", b.count())
		}
		test(t, b)
		// Whatever happened, the last state is on the screen in the end.
		time.Sleep(paceCounts)
		synctest.Wait()
		if !b.painted[len(b.painted)-1].equal(b.see()) {
			t.Errorf("the last state was never painted; shown is %q", b.painted[len(b.painted)-1].tip)
		}
		stop()
		done.Wait()
	})
}

// A thousand requests a second are one paint a second.
func TestCountsWaitASecond(t *testing.T) {
	paced(t, func(t *testing.T, b *brush) {
		time.Sleep(time.Minute)
		before := b.count()
		for range 5000 {
			b.change(func(st *share.State) { st.Running++ })
			time.Sleep(time.Millisecond)
		}
		synctest.Wait()
		if n := b.count() - before; n < 4 || n > 6 {
			t.Errorf("%d paints in five seconds", n)
		}
		for i := before + 1; i < len(b.at); i++ {
			if gap := b.at[i].Sub(b.at[i-1]); gap < paceCounts {
				t.Errorf("two paints within %s", gap)
			}
		}
	})
}

func TestAPhaseIsPaintedAtOnce(t *testing.T) {
	paced(t, func(t *testing.T, b *brush) {
		time.Sleep(time.Minute)
		before := b.count()
		b.change(off)
		synctest.Wait()
		if b.count() != before+1 {
			t.Fatalf("%d paints", b.count()-before)
		}
		// Also in the middle of counting.
		time.Sleep(time.Minute)
		b.change(func(st *share.State) { *st = sharing() })
		time.Sleep(paceShape)
		b.change(func(st *share.State) { st.Running = 7 })
		time.Sleep(paceShape)
		b.change(func(st *share.State) { st.Phase, st.Problem = share.Waiting, share.PortInUse })
		synctest.Wait()
		if got := b.painted[len(b.painted)-1]; !got.equal(b.see()) {
			t.Errorf("shown is %q", got.tip)
		}
	})
}

func TestAFlickerIsBounded(t *testing.T) {
	paced(t, func(t *testing.T, b *brush) {
		before := b.count()
		for n := range 1000 {
			b.change(phase([]share.Phase{share.Off, share.Sharing}[n%2], n%2 == 1))
			time.Sleep(time.Millisecond)
		}
		synctest.Wait()
		if n := b.count() - before; n > 11 {
			t.Errorf("%d paints in a second", n)
		}
	})
}

func TestTheSamePictureIsNotPaintedAgain(t *testing.T) {
	paced(t, func(t *testing.T, b *brush) {
		before := b.count()
		for range 100 {
			b.change(func(st *share.State) { st.Totals.Requests++ }) // not in the menu
			time.Sleep(time.Second)
		}
		if b.count() != before {
			t.Errorf("%d paints", b.count()-before)
		}
	})
}
