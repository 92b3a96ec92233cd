package fair

import (
	"testing"
	"time"
)

// day is a time of the wall clock alone, which can jump.
var day = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestClockNeverRunsBackward(t *testing.T) {
	var c clock
	for _, step := range []struct {
		now  time.Duration // the callers' clock
		want time.Duration
		why  string
	}{
		{0, 0, "it starts at nothing"},
		{5 * time.Second, 5 * time.Second, "it goes on"},
		{5*time.Second - time.Millisecond, 5 * time.Second, "a caller that read its clock earlier changes nothing"},
		{6 * time.Second, 6 * time.Second, "and gains nothing"},
		{-time.Hour, 6 * time.Second, "a jump back changes nothing"},
		{-time.Hour + time.Second, 7 * time.Second, "it goes on from there"},
		{-2 * time.Hour, 7 * time.Second, "a second jump"},
		{-2*time.Hour + time.Second, 8 * time.Second, "and on"},
	} {
		if got := c.read(day.Add(step.now)); got != step.want {
			t.Errorf("%s: %v, want %v", step.why, got, step.want)
		}
	}
}
