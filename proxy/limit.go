package proxy

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"paddock/policy"
	"paddock/proxy/fair"
	"paddock/requestlog"
)

// rate counts the request against those that its key may send, and looks what
// is left of the tokens of the day.
func (x *exchange) rate() policy.Reason {
	if r := x.grant.Rate; r.Limited() {
		if ok, after := x.g.rates.Take(x.entry.KeyID, r.Count, r.Per, x.entry.Time); !ok {
			x.retryAfter(after)
			return policy.RateLimit
		}
	}
	if x.entry.Class == policy.ClassUse && x.spent() {
		return policy.TokenLimit
	}
	return policy.Allowed
}

// spent says whether nothing is left of the tokens of the day, and until when.
func (x *exchange) spent() bool {
	now, limit := x.g.Now(), x.grant.TokensPerDay
	if !limit.Limited() || x.g.Keys.Tokens(x.entry.KeyID, now) < int64(limit) {
		return false
	}
	x.retryAfter(untilMidnight(now))
	return true
}

// untilMidnight is how long the owner's day lasts.
func untilMidnight(now time.Time) time.Duration {
	y, m, d := now.Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, now.Location()).Sub(now)
}

// queue waits until the request may run and says whether it may. Nothing is sent
// meanwhile: neither to Ollama, nor to the client, which would take a status for
// an answer.
func (x *exchange) queue(ctx context.Context) bool {
	x.waits.Store(true)
	defer x.waits.Store(false)
	if x.shut() { // who comes too late for Drain or Pause to find
		return false
	}
	ticket, waited, err := x.g.queue.Enter(ctx, x.entry.KeyID, int(min(x.grant.Concurrent, math.MaxInt32)), x.live.Place)
	x.entry.Waited = waited
	if err == nil {
		x.ticket = ticket
		return true
	}
	x.live.Place(0)
	if busy, ok := errors.AsType[*fair.BusyError](err); ok {
		x.retryAfter(busy.RetryAfter)
		x.refuse(policy.ConcurrentLimit)
		return false
	}
	if full, ok := errors.AsType[*fair.FullError](err); ok {
		x.retryAfter(full.RetryAfter)
		x.w.Header().Set("X-Queue-Position", strconv.Itoa(full.Position))
		x.refuse(policy.QueueFull)
		return false
	}
	by := cutter(ctx)
	if by == requestlog.CutByClient || by == requestlog.CutByNobody {
		x.clientLeft()
	}
	x.entry.Phase, x.entry.CutBy = requestlog.Cut, by
	x.cutAnswer(by)
	return false
}

// What is assumed where Ollama says nothing, so that leaving the figures out, or
// leaving before they come, is no way around a budget. English text has some four
// bytes a token, and a body is more than text; ten tokens a second is what a
// laptop makes at its slowest.
const (
	bytesPerToken   = 4
	tokensPerSecond = 10
)

// pay gives the place among those that run back and books what was used.
func (x *exchange) pay(e policy.Endpoint) {
	tokens := x.entry.TokensIn + x.entry.TokensOut
	if e.Class == policy.ClassUse && x.sent {
		tokens += x.assumed(e)
	}
	if x.ticket != nil {
		x.ticket.Done(tokens)
	}
	if tokens > 0 {
		x.g.Keys.Spend(x.entry.KeyID, tokens, x.g.Now())
	}
}

// assumed is what a request cost beyond what Ollama said of it. A prompt is never
// more than the context, whatever pictures the body holds, and a file is no prompt.
func (x *exchange) assumed(e policy.Endpoint) (tokens int64) {
	left := x.entry.Phase == requestlog.Cut && x.entry.Upstream == 0
	if x.entry.TokensIn == 0 && e.Body == policy.BodyJSON && (left || x.entry.Upstream == http.StatusOK) {
		tokens = min(x.entry.BytesIn/bytesPerToken, int64(x.g.choices.Load().NumCtx))
	}
	if left {
		ran := x.g.Now().Sub(x.entry.Time) - x.entry.Waited
		tokens += int64(max(ran, 0).Seconds() * tokensPerSecond)
	}
	return tokens
}

// retryAfter tells when to try again, in whole seconds and never too early.
func (x *exchange) retryAfter(d time.Duration) {
	s := max(1, int64(math.Ceil(d.Seconds())))
	x.w.Header().Set("Retry-After", strconv.FormatInt(s, 10))
}
