package heal

import (
	"context"
	"net/http"
	"time"
)

// Call is a request as the watchdog sees it.
type Call struct {
	Model string // canonical name: what Canonical makes of the one in /api/ps
	Send  string // the name as Ollama is to be told it
	Bytes int64  // size of the body, which tells how long reading the prompt may take
	// Whole says that the answer comes in one piece, so that its first byte
	// comes when all of it has been made. If in doubt, say so.
	Whole bool
}

// Reading a prompt. A token is some four bytes of text; a processor without help
// reads twenty a second or more.
const (
	tokenBytes   = 4
	slowRead     = 20  // tokens a second, of any machine
	likelyRead   = 100 // tokens a second, when a wedge is likely
	mostRead     = 30 * time.Minute
	mostLikely   = 5 * time.Minute
	wholeMake    = 10 * time.Minute // for making an answer that comes in one piece
	wholeSuspect = 2 * time.Minute
)

// allowance is how long a model may be silent while this request has its slot.
// A prompt is cut to the context, given in tokens if it is known; a list of texts
// to embed, which comes back whole, is not.
func (c Call) allowance(suspect bool, contextTokens int64) time.Duration {
	first, rate, most, whole := base, int64(slowRead), mostRead, wholeMake
	if suspect {
		first, rate, most, whole = suspectBase, likelyRead, mostLikely, wholeSuspect
	}
	tokens := c.Bytes / tokenBytes
	if contextTokens > 0 && !c.Whole {
		tokens = min(tokens, contextTokens)
	}
	read := most
	if seconds := tokens / rate; seconds < int64(most/time.Second) {
		read = time.Duration(seconds) * time.Second
	}
	if c.Whole {
		read += whole
	}
	return first + read
}

// place says where an attempt is.
type place int

const (
	outside   place = iota // not sent, or cancelled, or over
	waiting                // for the first byte; on the list of its model
	streaming              // has got it
)

// Attempt is a request that Do has sent.
type Attempt struct {
	w    *Watchdog
	m    *model
	call Call
	stop context.CancelCauseFunc

	place      place
	next, prev *Attempt      // on the list of those that wait, the oldest first
	waited     time.Duration // counted by looks
	cancelled  bool          // by a healing
	again      bool          // was sent again, which happens once
}

// Do sends a request and watches over it until its answer begins, that is until
// send returns; the context it gets must end the sending and the reading of the
// answer's body. If the model is healed meanwhile, send is called once more,
// when that is over. While a model is being healed nothing is sent to it.
//
// The error is that of send, or the cause of ctx. End has to be called when the
// answer is over or left; after an error it does nothing.
//
// Only requests that make Ollama generate or embed belong here. One that merely
// loads a model (no prompt, no messages) is answered by a wedged one too.
func (w *Watchdog) Do(ctx context.Context, c Call, send func(context.Context) (*http.Response, error)) (*http.Response, *Attempt, error) {
	a := &Attempt{w: w, call: c}
	over := false
	defer func() {
		if !over { // send panicked
			a.leave()
		}
	}()
	for {
		try, err := a.begin(ctx)
		if err != nil {
			over = true
			return nil, a, err
		}
		answer, err := send(try)
		switch {
		case a.begun(ctx, answer, err):
			// Healed: whatever came is of no use, its context has ended.
			if answer != nil {
				answer.Body.Close()
			}
		case err != nil:
			over = true
			return nil, a, err
		default:
			over = true
			return answer, a, nil
		}
	}
}

// begin puts the attempt on the list, after a healing that is under way.
func (a *Attempt) begin(ctx context.Context) (context.Context, error) {
	w := a.w
	w.mu.Lock()
	for {
		m := w.model(a.call)
		if m.healing == nil {
			a.m = m
			break
		}
		over := m.healing
		w.mu.Unlock()
		select {
		case <-over:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		w.mu.Lock()
	}
	try, stop := context.WithCancelCause(ctx)
	a.stop, a.place, a.cancelled, a.waited = stop, waiting, false, 0
	a.m.push(a)
	w.waiting++
	if !w.armed {
		w.last = time.Now()
		w.arm()
	}
	w.mu.Unlock()
	return try, nil
}

// begun takes the attempt off the list and says whether it has to be sent again.
func (a *Attempt) begun(ctx context.Context, answer *http.Response, err error) (again bool) {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	if a.cancelled && ctx.Err() == nil {
		a.again = true
		return true
	}
	a.off()
	switch {
	case err != nil:
		a.stop(nil)
		if ctx.Err() == nil {
			a.m.alive() // Ollama refused or fell over, which is no silence
		}
	case answer.StatusCode < http.StatusBadRequest:
		// Errors are often found before the request has got a slot, so they say
		// nothing about the slots.
		a.m.alive()
		a.m.suspect = false
		a.place = streaming
		a.m.streams++
	}
	return false
}

// leave takes an attempt whose sending panicked off the list.
func (a *Attempt) leave() {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	if a.place == waiting {
		a.off()
		a.stop(nil)
	}
}

// off takes the attempt off the list of those that wait, if it is there. The
// caller holds mu.
func (a *Attempt) off() {
	if a.place == waiting {
		a.m.remove(a)
		a.w.waiting--
		a.place = outside
		a.m.unsee()
	}
}

// End says that the answer is over. Left says that it was not read to its end,
// whoever wanted that: the client left or stalled, the owner stopped it, the key
// was withdrawn. It may be called twice, and on nil.
func (a *Attempt) End(left bool) {
	if a == nil {
		return
	}
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	if a.place == streaming {
		a.place = outside
		a.m.streams--
		a.m.alive()
		a.m.unsee()
		// Ollama makes an answer in one piece without the channel on which
		// a streamed one gets stuck.
		if left && !a.call.Whole {
			a.m.suspect = true
		}
	}
	if a.stop != nil {
		a.stop(nil)
	}
}

// Again says whether the request was sent a second time, after its model was
// healed.
func (a *Attempt) Again() bool {
	if a == nil {
		return false
	}
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	return a.again
}

// cancel ends a waiting attempt so that it is sent again. The caller holds mu.
func (a *Attempt) cancel() {
	a.off()
	a.cancelled = true
	a.stop(ErrHealed)
}
