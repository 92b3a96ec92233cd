//go:build !lite

package ui

import (
	"context"
	"time"
)

// calm is the shortest time between two paints: ten a second at most.
const calm = 100 * time.Millisecond

// follow calls paint on Fyne's thread, through do, whenever wake holds a token
// or a beat has passed, until ctx ends. It is the only way in which a State
// reaches a window. One paint is under way at most: paints that pile up in
// Fyne's queue freeze the window. see is called on this goroutine, before each
// paint, and says how long until the next beat.
func follow[T any](ctx context.Context, wake <-chan struct{}, do func(func()), see func() (T, time.Duration), paint func(T)) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		now, beat := see()
		painted := make(chan struct{})
		do(func() {
			defer close(painted)
			if ctx.Err() == nil {
				paint(now)
			}
		})
		select {
		case <-ctx.Done():
			return
		case <-painted:
		}
		pause.Reset(calm)
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
		pause.Reset(max(beat-calm, 0))
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-pause.C:
		}
	}
}
