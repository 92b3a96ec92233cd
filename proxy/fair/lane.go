package fair

import (
	"math"
	"slices"
	"time"
)

const (
	// halfLife is how fast the tokens that a lane used are forgiven.
	halfLife = 2 * time.Minute
	// minTokens is what any request counts at least: an embedding of five words
	// keeps a slot busy too.
	minTokens = 64
	// maxTokens is what any request counts at most: more than any model's
	// context, so that no wrong figure shuts a key out for hours.
	maxTokens = 1 << 24
	// patience bounds how often a lane is passed over. One that was passed over
	// this many times for each lane that could go goes next whatever it used,
	// so light lanes get all but a small share of the turns, not all.
	patience = 4
)

// lane is what the queue knows of one key.
type lane struct {
	line    []*waiter // those who wait, first come first
	atOnce  int       // how many may run
	running int
	held    int64   // tokens charged for those that run, until their figures are known
	used    float64 // tokens of those that ended, as much as was not yet forgiven at Queue.settled
	served  uint64  // Queue.starts when it was last served
	able    uint64  // Queue.starts since when it could go and was passed over
	tokens  mean    // that a request used
	took    mean    // seconds that a request ran
}

// lane finds the key's lane or makes one.
func (q *Queue) lane(key string) *lane {
	l := q.lanes[key]
	if l == nil {
		l = &lane{atOnce: math.MaxInt}
		q.lanes[key] = l
	}
	return l
}

// settle brings all debts up to date once a half-life, and forgets the lanes
// that mean nothing any more.
func (q *Queue) settle(now time.Time) {
	if now.Sub(q.settled) < halfLife {
		return
	}
	kept := q.kept(now)
	q.settled = now
	for key, l := range q.lanes {
		l.used *= kept
		if l.running == 0 && len(l.line) == 0 && l.used < 1 {
			delete(q.lanes, key)
		}
	}
}

// kept is the share of lane.used that is not forgiven by now. It is the same for
// all lanes, which makes comparing many of them cheap.
func (q *Queue) kept(now time.Time) float64 {
	return math.Exp2(-float64(now.Sub(q.settled)) / float64(halfLife))
}

// debt is what the lane used lately, in tokens, with the estimates of those that run.
func (l *lane) debt(kept float64) float64 { return float64(l.held) + l.used*kept }

// start gives a slot to the lane.
func (q *Queue) start(l *lane, now time.Time) *Ticket {
	t := &Ticket{queue: q, lane: l, began: now, estimate: max(minTokens, int64(l.tokens.value))}
	q.starts++
	l.served, l.able = q.starts, q.starts
	l.held += t.estimate
	l.running++
	q.running++
	return t
}

// free takes the slot back.
func (q *Queue) free(t *Ticket) {
	t.done = true
	l := t.lane
	if l.running >= l.atOnce {
		l.able = q.starts // until now it held up itself
	}
	l.held -= t.estimate
	l.running--
	q.running--
}

// fill starts those who wait for as long as there are slots.
func (q *Queue) fill(now time.Time) {
	for q.running < q.limits.Running {
		l := q.next(now)
		if l == nil {
			return
		}
		w := l.line[0]
		w.ticket = q.start(l, now)
		q.remove(l, 0)
		w.move(0)
	}
}

// next chooses the lane that goes next, or none. It looks at each lane in which
// somebody waits: those are no more than the keys that are in use at the moment.
func (q *Queue) next(now time.Time) *lane {
	var light, overdue *lane
	var least float64
	var able uint64
	kept := q.kept(now)
	for _, l := range q.lined {
		if l.running >= l.atOnce {
			continue
		}
		able++
		if d := l.debt(kept); light == nil || d < least || d == least && l.served < light.served {
			light, least = l, d
		}
		if overdue == nil || l.able < overdue.able {
			overdue = l
		}
	}
	if overdue != nil && q.starts-overdue.able >= patience*able {
		return overdue
	}
	return light
}

// join puts a new waiter at the end of the lane.
func (q *Queue) join(l *lane, curious bool) *waiter {
	w := &waiter{lane: l, curious: curious, changed: make(chan struct{}, 1)}
	if len(l.line) == 0 {
		q.lined = append(q.lined, l)
		l.able = q.starts
	}
	l.line = append(l.line, w)
	q.waiting++
	w.place.Store(int64(len(l.line)))
	return w
}

// remove takes the i-th waiter out of the lane, counted from 0.
func (q *Queue) remove(l *lane, i int) {
	l.line = slices.Delete(l.line, i, i+1)
	q.waiting--
	for ; i < len(l.line); i++ {
		l.line[i].move(i + 1)
	}
	if len(l.line) == 0 {
		l.line = nil // a lane remembers nothing of a long line
		i := slices.Index(q.lined, l)
		q.lined = slices.Delete(q.lined, i, i+1)
	}
}

// mean is a moving average in which the last eight or so count.
type mean struct {
	value float64
	known bool
}

func (m *mean) add(x float64) {
	if !m.known {
		m.value, m.known = x, true
		return
	}
	m.value += (x - m.value) / 8
}
