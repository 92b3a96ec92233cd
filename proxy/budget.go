package proxy

import "sync"

// Memory that bodies may take while their requests are read, wait and run. What
// is small is not counted: connections bound it.
const (
	smallBody    = 256 << 10
	bodiesPerKey = 4  // largest bodies of one key
	bodiesInAll  = 16 // largest bodies of all keys
)

// budget counts the bytes of large bodies. The zero value is ready.
type budget struct {
	mu  sync.Mutex // guards what follows
	all int64
	key map[string]int64 // no entry for those who hold none
}

// take says whether a key may hold n bytes more.
func (b *budget) take(key string, n, perKey, inAll int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all+n > inAll || b.key[key]+n > perKey {
		return false
	}
	if b.key == nil {
		b.key = map[string]int64{}
	}
	b.all += n
	b.key[key] += n
	return true
}

// give returns what take gave.
func (b *budget) give(key string, n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all -= n
	if b.key[key] -= n; b.key[key] <= 0 {
		delete(b.key, key)
	}
}

// hold takes what a body grows by out of the budget. A single body of the size
// that the owner allows always fits.
func (x *exchange) hold(size int64) bool {
	if size <= smallBody {
		return true
	}
	largest := max(x.g.choices.Load().MaxBody, smallBody)
	perKey, inAll := times(largest, bodiesPerKey), times(largest, bodiesInAll)
	if more := size - x.holds; !x.g.bodies.take(x.entry.KeyID, more, perKey, inAll) {
		return false
	}
	x.holds = size
	return true
}

// times multiplies without running over, for limits that are none.
func times(n, by int64) int64 {
	if n > 1<<62/by {
		return 1 << 62
	}
	return n * by
}

// forget gives back what the body took.
func (x *exchange) forget() {
	if x.holds > 0 {
		x.g.bodies.give(x.entry.KeyID, x.holds)
		x.holds = 0
	}
}
