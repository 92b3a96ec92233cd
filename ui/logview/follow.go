package logview

import (
	"context"
	"time"
)

const (
	// paintEvery is the shortest time between two paints: at ten a second a
	// thousand requests a second cost a quarter of a core, and nobody reads faster.
	paintEvery = 100 * time.Millisecond
	// tickEvery is how often the times of running requests are brought up to date.
	tickEvery = 250 * time.Millisecond
	// pointerHolds is how long a pointer that does not move keeps the rows still.
	// Nothing tells a window that the pointer has left it across its edge, and a
	// log that stands still for ever is worse than a row that moves.
	pointerHolds = 30 * time.Second
)

// Follow shows what happens until ctx ends. It is the only place that hands
// work to Fyne's thread, at most ten times a second and never more than one
// piece at once: a hop for every request freezes a window. What was handed
// over when the program quits is dropped by Fyne, so it is never waited for.
// At most one Follow runs at a time.
func (v *View) Follow(ctx context.Context) {
	wake, stop := v.source.Watch()
	defer stop()
	var stateWake <-chan struct{}
	if v.do.Watch != nil {
		c, stop := v.do.Watch()
		defer stop()
		stateWake = c
	}
	painted := make(chan time.Duration, 1) // tells when to look again by itself; 0 is never
	pace, tick := stopped(), stopped()
	defer pace.Stop()
	defer tick.Stop()

	var last time.Time
	dirty, busy := true, false
	for {
		if dirty && !busy && v.visible.Load() {
			now := time.Now()
			if wait := paintEvery - now.Sub(last); wait > 0 {
				pace.Reset(wait)
			} else {
				dirty, busy, last = false, true, now
				b := v.read(now)
				v.hop(func() {
					v.apply(b)
					painted <- v.again(b)
				})
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-wake:
			dirty = true
		case <-stateWake:
			dirty = true
		case <-v.poke:
			dirty = true
		case <-tick.C:
			dirty = true
		case <-pace.C:
		case next := <-painted:
			busy = false
			tick.Stop()
			if next > 0 {
				tick.Reset(next)
			}
		}
	}
}

func stopped() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

// read looks at the source. What runs is read first, so that a request that
// ends meanwhile is seen twice rather than not at all.
func (v *View) read(now time.Time) batch {
	b := batch{at: now, running: v.source.Running(now)}
	b.finished, v.taken, b.missed = v.source.Since(v.taken, MaxRows)
	_, b.totals = v.source.Counts()
	b.state = v.do.State()
	return b
}

// again says when to look again though nothing woke us.
func (v *View) again(b batch) time.Duration {
	switch {
	case len(b.running) > 0:
		return tickEvery
	case v.feed.Hold() == HeldByPointer:
		return pointerHolds
	}
	return 0
}

func (v *View) pointerStill(now time.Time) bool {
	return now.UnixNano()-v.pointerAt.Load() >= int64(pointerHolds)
}

// SetVisible tells whether the window is shown. While it is not, nothing is
// read and nothing painted. It may be called from any goroutine.
func (v *View) SetVisible(visible bool) {
	if v.visible.Swap(visible) != visible {
		v.kick()
	}
}

// kick has Follow look again.
func (v *View) kick() {
	select {
	case v.poke <- struct{}{}:
	default:
	}
}
