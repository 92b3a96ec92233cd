package fair

import (
	"math"
	"time"
)

const (
	minRetry = time.Second
	maxRetry = 10 * time.Minute
	// guess is how many seconds a request runs as long as none has ended.
	guess = 10
)

// seconds is how long a request of the lane runs: as its last ones did, or else
// as the last ones of all did.
func (q *Queue) seconds(l *lane) float64 {
	switch {
	case l.took.known:
		return l.took.value
	case q.took.known:
		return q.took.value
	}
	return guess
}

// untilRoom is when one of the lane's running requests may be over. They began
// at different times, so one of n ends n times as often.
func (q *Queue) untilRoom(l *lane) time.Duration {
	return retry(q.seconds(l) / float64(l.running))
}

// untilThrough is when all who wait in the lane may have started: with its share
// of the slots, which it has in common with the other lanes that wait, and no
// more of them than the key may have.
func (q *Queue) untilThrough(l *lane) time.Duration {
	share := min(float64(q.limits.Running)/float64(len(q.lined)), float64(l.atOnce))
	return retry(q.seconds(l) * float64(len(l.line)) / share)
}

// retry is whole seconds, because Retry-After is.
func retry(seconds float64) time.Duration {
	d := min(math.Ceil(seconds), maxRetry.Seconds())
	return max(minRetry, time.Duration(d)*time.Second)
}
