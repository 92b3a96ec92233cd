package lan

import (
	"context"
	"time"
)

// DefaultEvery is how often Watch looks. A look costs well under a millisecond,
// and someone who has just joined another network reads the new address.
const DefaultEvery = 2 * time.Second

// Watch looks again and again, and calls changed in the caller's goroutine with
// the first look and with each later one that differs from the one before. It
// returns when ctx ends. A look that fails is passed over: the network is in the
// middle of a change, and the next look will tell.
//
// The systems have events for this, each its own way and each with holes
// (sleep, VPNs); polling has none.
func Watch(ctx context.Context, every time.Duration, changed func(Us)) {
	watch(ctx, every, Look, changed)
}

func watch(ctx context.Context, every time.Duration, look func() (Us, error), changed func(Us)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	var last Us
	for first := true; ; {
		if now, err := look(); err == nil && (first || !now.Equal(last)) {
			first, last = false, now
			changed(now)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
