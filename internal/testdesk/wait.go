//go:build linux

package testdesk

import (
	"testing"
	"time"
)

// tick is how often [Wait] looks again. It is short against anything a person
// would notice and long against the cost of looking.
const tick = 10 * time.Millisecond

// Wait looks until ok is true and fails the test when the limit is over. The
// first look is immediate; there is always one more look at the limit, so that a
// machine that stood still does not fail a test that would have passed.
func Wait(t testing.TB, what string, limit time.Duration, ok func() bool) {
	t.Helper()
	if !holds(limit, nil, ok) {
		t.Fatalf("waited %v in vain for %s", limit, what)
	}
}

// holds is Wait without a test. A value on wake means "look now".
func holds(limit time.Duration, wake <-chan struct{}, ok func() bool) bool {
	end := time.NewTimer(limit)
	defer end.Stop()
	again := time.NewTicker(tick)
	defer again.Stop()
	for {
		if ok() {
			return true
		}
		select {
		case <-wake:
		case <-again.C:
		case <-end.C:
			return ok()
		}
	}
}
