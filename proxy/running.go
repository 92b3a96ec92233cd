package proxy

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"paddock/requestlog"
)

// running is the set of requests that can be cut. The zero value is ready.
type running struct {
	mu  sync.Mutex
	all map[string]cuttable // by request id
}

type cuttable struct {
	key   string
	waits *atomic.Bool // in the queue
	cut   context.CancelCauseFunc
}

// cutError is the cause with which a request's context ends when it is cut.
type cutError struct{ by requestlog.Cutter }

func (e cutError) Error() string { return "cut by " + string(e.by) }

// enter makes a request cuttable until leave is called.
func (r *running) enter(id, key string, waits *atomic.Bool, cut context.CancelCauseFunc) (leave func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all == nil {
		r.all = map[string]cuttable{}
	}
	r.all[id] = cuttable{key, waits, cut}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.all, id)
	}
}

func (r *running) cut(by requestlog.Cutter, which func(id string, c cuttable) bool) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, c := range r.all {
		if which(id, c) {
			c.cut(cutError{by})
			n++
		}
	}
	return n
}

// StopRequest ends one running request, in Ollama too, and says whether it ran.
func (g *Gate) StopRequest(id string) bool {
	return g.running.cut(requestlog.CutByOwner, func(x string, _ cuttable) bool { return x == id }) > 0
}

// CutKey ends every running request of a key and returns how many. Call it
// after the key has become invalid, so that no new request slips in between.
func (g *Gate) CutKey(keyID string) int {
	return g.running.cut(requestlog.CutByKey, func(_ string, c cuttable) bool { return c.key == keyID })
}

// CutAll ends every running request because sharing stops.
func (g *Gate) CutAll() int {
	return g.running.cut(requestlog.CutBySharing, func(string, cuttable) bool { return true })
}

// Panic ends every running request because the owner cut everyone off.
func (g *Gate) Panic() int {
	return g.running.cut(requestlog.CutByPanic, func(string, cuttable) bool { return true })
}

// cutter tells who ended the request whose context this is; nobody while it runs.
func cutter(ctx context.Context) requestlog.Cutter {
	if ctx.Err() == nil {
		return requestlog.CutByNobody
	}
	if e, ok := errors.AsType[cutError](context.Cause(ctx)); ok {
		return e.by
	}
	return requestlog.CutByClient
}
