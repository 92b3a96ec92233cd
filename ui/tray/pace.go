package tray

import (
	"context"
	"reflect"
	"slices"
	"time"

	"paddock/assets"
	"paddock/share"
)

// Rebuilding a tray menu renumbers its entries, and a click that crosses a
// rebuild is lost (1 of 200 at one rebuild a click, 548 of 3,180 at 200 a
// second). So it is repainted only when it says something else, and what only
// counts waits a second.
const (
	paceCounts = time.Second
	paceShape  = 100 * time.Millisecond
)

// picture is all that a painter draws.
type picture struct {
	menu  []Item
	shape assets.TrayShape
	tip   string
}

func pictureOf(st share.State) picture { return picture{Menu(st), Shape(st), Status(st)} }

func (p picture) equal(q picture) bool {
	return p.shape == q.shape && reflect.DeepEqual(p.menu, q.menu)
}

// onlyCounts says whether two pictures differ in nothing but the status row.
func (p picture) onlyCounts(q picture) bool {
	return p.shape == q.shape && len(p.menu) > 0 && len(q.menu) > 0 && reflect.DeepEqual(p.menu[1:], q.menu[1:])
}

// pace calls paint with each new picture until ctx ends, never more often than
// the limits above. see is asked again after each wake; paint runs on the
// caller's goroutine.
func pace(ctx context.Context, wake <-chan struct{}, see func() picture, paint func(picture)) {
	var last picture
	var painted time.Time
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if now := see(); !now.equal(last) {
			gap := paceShape
			if now.onlyCounts(last) {
				gap = paceCounts
			}
			if wait := gap - time.Since(painted); wait > 0 && !painted.IsZero() {
				timer.Reset(wait)
			} else {
				last, painted = now, time.Now()
				last.menu = slices.Clone(now.menu)
				paint(now)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-timer.C:
		}
	}
}
