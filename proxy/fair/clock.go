package fair

import "time"

// disorder is how far apart the clock readings of two goroutines may arrive.
const disorder = time.Second

// clock turns the times that callers hand in into the time since the first of
// them, which never runs backward. When the callers' clock jumps back, this one
// goes on from where it was: nobody waits for the lost time to come again, and
// nobody gains by it. The zero value is ready.
type clock struct {
	first time.Time
	last  time.Duration
}

func (c *clock) read(now time.Time) time.Duration {
	if c.first.IsZero() {
		c.first = now
	}
	d := now.Sub(c.first)
	if d < c.last-disorder {
		c.first = now.Add(-c.last)
	}
	c.last = max(c.last, d)
	return c.last
}
