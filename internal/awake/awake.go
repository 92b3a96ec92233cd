// Package awake keeps the machine awake while a request runs.
//
// It holds back the sleep that comes by itself when nobody touches the machine,
// and nothing else: the screen goes dark and locks as it always does, because
// somebody else's request is no reason to leave it open, and a lid that is
// closed sends the machine to sleep.
package awake

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	// linger is how long the machine stays awake after the last request, so that
	// requests in a row are one hold and not many.
	linger = 10 * time.Second

	// again is the pause after a system that refused or went away. A laptop falls
	// asleep after minutes, so there is no hurry.
	again = 30 * time.Second
)

// Holder asks the system not to sleep while it is set. Its methods are safe for
// concurrent use and never wait for the system, but for Close.
type Holder struct {
	take   taker
	why    string
	linger time.Duration
	again  time.Duration

	wake chan struct{} // capacity 1: look again
	quit context.CancelFunc
	done chan struct{} // closed when run has ended

	mu     sync.Mutex // guards what follows
	wanted bool
	since  time.Time // when wanted became false
	held   bool
	err    error
}

// taker asks the system for a lock, or says why there is none. It returns soon
// after ctx has ended.
type taker func(ctx context.Context, why string) (*lock, error)

// lock is what the system gave.
type lock struct {
	lost    <-chan struct{} // closed when the system let go of it; nil where that does not happen
	release func()          // called once, also after it was lost
}

// New makes a Holder that is not set. why is what the system shows to a person
// who asks what keeps the machine awake. Close ends it.
func New(why string) *Holder { return start(why, take, linger, again) }

func start(why string, take taker, linger, again time.Duration) *Holder {
	ctx, quit := context.WithCancel(context.Background())
	h := &Holder{
		take: take, why: why, linger: linger, again: again,
		wake: make(chan struct{}, 1), quit: quit, done: make(chan struct{}),
	}
	go h.run(ctx)
	return h
}

// Set says whether the machine is to stay awake. Setting what is set does
// nothing. After false it stays awake for ten seconds more.
func (h *Holder) Set(on bool) {
	h.mu.Lock()
	changed := h.wanted != on
	h.wanted = on
	if changed && !on {
		h.since = time.Now()
	}
	h.mu.Unlock()
	if !changed {
		return
	}
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// State says whether the machine is kept awake, and if it should be and is not,
// why. After false and nil nobody asks for it, or the system has not answered yet.
func (h *Holder) State() (held bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.held, h.err
}

// Close lets the machine sleep at once and waits until that is done: the
// deadline of one call at most. It may be called twice; Set does nothing
// afterwards.
func (h *Holder) Close() {
	h.quit()
	<-h.done
}

// errLost goes with a lock that the system let go of.
var errLost = errors.New("the system let go of it")

// run owns the lock.
func (h *Holder) run(ctx context.Context) {
	defer close(h.done)
	var held *lock
	drop := func(err error) {
		held.release()
		held = nil
		h.say(false, err)
	}
	defer func() {
		if held != nil {
			drop(nil)
		}
		h.say(false, nil)
	}()
	var next time.Time // not before this is the system asked
	for {
		wanted, since := h.wish()
		var wait time.Duration // until there is something to do; 0 for ever
		switch {
		case wanted && held == nil:
			if wait = time.Until(next); wait > 0 {
				break
			}
			l, err := h.take(ctx, h.why)
			if ctx.Err() != nil {
				held = l
				return
			}
			if err != nil {
				next = time.Now().Add(h.again)
			}
			held = l
			h.say(l != nil, err)
			continue
		case !wanted && held != nil:
			if wait = time.Until(since.Add(h.linger)); wait <= 0 {
				drop(nil)
				continue
			}
		case !wanted:
			h.say(false, nil) // what stood in the way matters to nobody now
		}
		var lost <-chan struct{}
		if held != nil {
			lost = held.lost
		}
		if !h.pause(ctx, wait, lost) {
			return
		}
		select {
		case <-lost:
			drop(errLost)
			next = time.Now().Add(h.again)
		default:
		}
	}
}

// pause waits until there may be something to do, and returns false when the
// Holder is being closed.
func (h *Holder) pause(ctx context.Context, wait time.Duration, lost <-chan struct{}) bool {
	var over <-chan time.Time
	if wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		over = t.C
	}
	select {
	case <-h.wake:
	case <-over:
	case <-lost:
	case <-ctx.Done():
		return false
	}
	return true
}

func (h *Holder) wish() (wanted bool, since time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.wanted, h.since
}

func (h *Holder) say(held bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held, h.err = held, err
}
