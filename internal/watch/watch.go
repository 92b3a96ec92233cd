// Package watch wakes readers of a snapshot when it may have changed.
package watch

import (
	"slices"
	"sync"
	"sync/atomic"
)

// List is a set of wake channels. The zero value is ready, and all methods are
// safe for concurrent use. A List must not be copied after its first use.
type List struct {
	mu  sync.Mutex // serialises Add and stop
	all atomic.Pointer[[]chan struct{}]
}

// Add returns a channel of capacity 1 that gets a token at each Wake unless it
// still holds one, and a function that takes it off the list. The channel is
// never closed.
func (l *List) Add() (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	l.change(func(all []chan struct{}) []chan struct{} { return append(all, c) })
	return c, func() {
		l.change(func(all []chan struct{}) []chan struct{} {
			return slices.DeleteFunc(all, func(x chan struct{}) bool { return x == c })
		})
	}
}

func (l *List) change(f func([]chan struct{}) []chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var now []chan struct{}
	if p := l.all.Load(); p != nil {
		now = slices.Clone(*p)
	}
	now = f(now)
	l.all.Store(&now)
}

// Wake puts a token into every channel that has none. It never waits and takes
// no lock, so it may be called for every chunk of a stream.
func (l *List) Wake() {
	p := l.all.Load()
	if p == nil {
		return
	}
	for _, c := range *p {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
