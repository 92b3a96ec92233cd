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
	now := x.g.Now()
	if limit := x.grant.TokensPerDay; limit.Limited() && x.entry.Class == policy.ClassUse && x.g.Keys.Tokens(x.entry.KeyID, now) >= int64(limit) {
		x.retryAfter(untilMidnight(now))
		return policy.TokenLimit
	}
	return policy.Allowed
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

// Of an answer that does not say what its prompt cost this much is assumed, so
// that leaving the figures out is no way around a budget. English text has some
// four bytes a token, and a body is more than text.
const bytesPerToken = 4

// pay gives the place among those that run back and books what was used.
func (x *exchange) pay(e policy.Endpoint) {
	tokens := x.entry.TokensIn + x.entry.TokensOut
	if x.entry.TokensIn == 0 && x.entry.Upstream == http.StatusOK && e.Class == policy.ClassUse {
		tokens += x.entry.BytesIn / bytesPerToken
	}
	if x.ticket != nil {
		x.ticket.Done(tokens)
	}
	if tokens > 0 {
		x.g.Keys.Spend(x.entry.KeyID, tokens, x.g.Now())
	}
}

// retryAfter tells when to try again, in whole seconds and never too early.
func (x *exchange) retryAfter(d time.Duration) {
	s := max(1, int64(math.Ceil(d.Seconds())))
	x.w.Header().Set("Retry-After", strconv.FormatInt(s, 10))
}
