//go:build !lite

package ui

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A burst of changes is ten paints a second, and the last one is of the last
// change.
func TestFollowPaintsTenTimesASecondAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		wake := make(chan struct{}, 1)
		var state atomic.Int64
		var painted int
		var last int64
		go follow(ctx, wake, func(f func()) { f() }, func() (int64, time.Duration) { return state.Load(), time.Hour }, func(n int64) { painted++; last = n })
		synctest.Wait()
		painted = 0
		for range 5000 { // five seconds
			state.Add(1)
			select {
			case wake <- struct{}{}:
			default:
			}
			time.Sleep(time.Millisecond)
			synctest.Wait()
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if painted < 45 || painted > 52 {
			t.Errorf("5 s of changes were painted %d times", painted)
		}
		if last != state.Load() {
			t.Errorf("the last paint shows %d, and %d is true", last, state.Load())
		}
		cancel()
	})
}

// A window that takes its time to paint is never handed a second paint.
func TestFollowHasOnePaintUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		wake := make(chan struct{}, 1)
		var queue []func()
		go follow(ctx, wake, func(f func()) { queue = append(queue, f) }, func() (int, time.Duration) { return 0, time.Second }, func(int) {})
		for range 50 {
			select {
			case wake <- struct{}{}:
			default:
			}
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
		}
		if len(queue) != 1 {
			t.Errorf("%d paints are queued", len(queue))
		}
		cancel()
		synctest.Wait() // it ends although nobody ever painted
	})
}

func TestFollowBeatsWithoutAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		painted := 0
		go follow(ctx, nil, func(f func()) { f() }, func() (int, time.Duration) { return 0, time.Second }, func(int) { painted++ })
		time.Sleep(10*time.Second + time.Millisecond)
		synctest.Wait()
		if painted != 11 {
			t.Errorf("painted %d times in 10 s", painted)
		}
		cancel()
	})
}
