// Package fair holds the limits of the gate: who may start now, who waits in
// which order, who asks too often and who guesses keys.
//
// It knows nothing of HTTP. Its clock is the time package's, or is handed in,
// so every rule can be tested in a synctest bubble or as a table. It starts no
// goroutine.
package fair

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Limits bound a Queue. Zero or less means no limit.
type Limits struct {
	Running int // requests that run at once, of all keys together
	Waiting int // requests that wait in one lane
}

// Queue lets a bounded number of requests run at once. The rest waits, one lane
// a key, first come first served within a lane.
//
// When a slot is free, the waiting lane that used the fewest tokens lately goes
// next: a key with one question goes before the next of another's two hundred
// embeddings. Between lanes that used the same, the one that was served longest
// ago goes next, which is round robin. No lane is passed over for ever, however
// much it used: see patience.
//
// All methods are safe for concurrent use.
type Queue struct {
	mu      sync.Mutex // guards what follows and what the lanes hold
	limits  Limits     // with math.MaxInt for no limit
	lanes   map[string]*lane
	lined   []*lane // those with somebody waiting, in the order in which they began to
	running int
	waiting int
	starts  uint64    // so far: the queue's own clock, for who was served longest ago
	took    mean      // seconds that a request ran, of all lanes
	settled time.Time // when lane.used was true
}

// New returns an empty queue.
func New(limits Limits) *Queue {
	return &Queue{limits: limits.clean(), lanes: map[string]*lane{}, settled: time.Now()}
}

// SetLimits changes the limits. More room starts waiting requests before it
// returns; less room ends nothing that runs and turns away nobody who waits.
func (q *Queue) SetLimits(limits Limits) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.limits = limits.clean()
	q.fill(time.Now())
}

// BusyError says that the key runs as many requests as it may at once.
type BusyError struct {
	RetryAfter time.Duration // 1 s to 10 min, whole seconds: when one of them may be over
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("the key has as many requests running as it may; room in about %v", e.RetryAfter)
}

// FullError says that as many requests of the key wait as may.
type FullError struct {
	Position   int           // the place in the lane that the request would have had
	RetryAfter time.Duration // 1 s to 10 min, whole seconds: when those ahead may be through
}

func (e *FullError) Error() string {
	return fmt.Sprintf("the queue of the key is full; place %d would be free in about %v", e.Position, e.RetryAfter)
}

// Enter starts a request of key, now or when it is its turn, and says how long
// it waited. The ticket's Done must be called when the request is over.
//
// It answers *BusyError at once when atOnce requests of the key run already;
// those that wait do not count, and an atOnce of zero or less is no limit. The
// latest atOnce of a key holds for all its waiting requests. It answers
// *FullError at once when the request would have to wait and its lane is full.
// When ctx ends first, the request leaves the queue and the error is the cause
// of ctx.
//
// onPosition, if any, hears the place in the lane, counted from 1, at first and
// whenever it changed, and 0 when a request that waited starts. It is called on
// the caller's goroutine, before Enter returns and without a lock, so a slow one
// holds up nobody but its own request; places that passed while it was busy are
// left out. A request that starts at once never calls it.
func (q *Queue) Enter(ctx context.Context, key string, atOnce int, onPosition func(position int)) (ticket *Ticket, waited time.Duration, err error) {
	now := time.Now()
	q.mu.Lock()
	q.settle(now)
	l := q.lane(key)
	if atOnce = unlimited(atOnce); l.atOnce != atOnce {
		l.atOnce = atOnce
		q.fill(now) // those who wait in this lane come first
	}
	if l.running >= l.atOnce {
		err := &BusyError{q.untilRoom(l)}
		q.mu.Unlock()
		return nil, 0, err
	}
	// Whenever the lock is free, a free slot means that nobody who waits could
	// have it: every change that lets a request start starts it.
	if q.running < q.limits.Running {
		t := q.start(l, now)
		q.mu.Unlock()
		return t, 0, nil
	}
	if n := len(l.line); n >= q.limits.Waiting {
		err := &FullError{n + 1, q.untilThrough(l)}
		q.mu.Unlock()
		return nil, 0, err
	}
	w := q.join(l, onPosition != nil)
	q.mu.Unlock()
	ticket, err = q.wait(ctx, w, onPosition)
	return ticket, time.Since(now), err
}

// wait returns when w was started or ctx ended.
func (q *Queue) wait(ctx context.Context, w *waiter, onPosition func(int)) (*Ticket, error) {
	told := 0
	for {
		place := int(w.place.Load())
		if place != told && onPosition != nil {
			onPosition(place)
		}
		if place == 0 {
			return w.ticket, nil
		}
		told = place
		select {
		case <-w.changed:
		case <-ctx.Done():
			q.leave(w)
			return nil, context.Cause(ctx)
		}
	}
}

// leave takes w out of the queue, or gives back the slot that it got at the
// moment in which it left.
func (q *Queue) leave(w *waiter) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.ticket == nil {
		q.remove(w.lane, int(w.place.Load())-1)
		return
	}
	q.free(w.ticket)
	q.fill(time.Now())
}

// Ticket is a request that runs.
type Ticket struct {
	queue    *Queue
	lane     *lane
	began    time.Time
	estimate int64 // tokens charged for as long as it runs
	done     bool  // guarded by the queue's mutex
}

// Done ends the request: its slot goes to the next, and the tokens that it used
// are charged to its lane instead of what was estimated. Less than zero means
// that nobody knows how many it used; the estimate then stands. Calls after the
// first do nothing.
func (t *Ticket) Done(tokens int64) {
	now := time.Now()
	q, l := t.queue, t.lane
	q.mu.Lock()
	defer q.mu.Unlock()
	if t.done {
		return
	}
	q.settle(now) // before the lane looks as if it meant nothing
	q.free(t)
	seconds := now.Sub(t.began).Seconds()
	l.took.add(seconds)
	q.took.add(seconds)
	if tokens < 0 {
		tokens = t.estimate
	} else {
		tokens = min(max(tokens, minTokens), maxTokens)
		l.tokens.add(float64(tokens))
	}
	l.used += float64(tokens) / q.kept(now)
	q.fill(now)
}

// Counts returns how many requests run and how many wait.
func (q *Queue) Counts() (running, waiting int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.running, q.waiting
}

// Waiting returns how many requests of the key wait.
func (q *Queue) Waiting(key string) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if l := q.lanes[key]; l != nil {
		return len(l.line)
	}
	return 0
}

// waiter is a request that waits.
type waiter struct {
	lane    *lane
	curious bool          // wants to hear of each place
	ticket  *Ticket       // once it was started; guarded by the queue's mutex
	place   atomic.Int64  // in its lane, from 1; 0 once it was started
	changed chan struct{} // holds a token when place changed
}

func (w *waiter) move(place int) {
	w.place.Store(int64(place))
	if place > 0 && !w.curious {
		return
	}
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

func (l Limits) clean() Limits {
	return Limits{Running: unlimited(l.Running), Waiting: unlimited(l.Waiting)}
}

func unlimited(n int) int {
	if n <= 0 {
		return math.MaxInt
	}
	return n
}
