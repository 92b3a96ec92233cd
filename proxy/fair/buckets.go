package fair

import (
	"math"
	"sync"
	"time"
)

// sweepEvery is how often buckets that are full again are forgotten.
const sweepEvery = time.Minute

// Buckets count the requests of each key against its requests a minute, one
// token bucket a key. The zero value is ready. All methods are safe for
// concurrent use.
type Buckets struct {
	mu    sync.Mutex // guards what follows
	clock clock
	all   map[string]*bucket
	swept time.Duration
}

// bucket is counted in whole numbers, so that what it promises is exact: one
// request costs `per`, and each microsecond adds `count`.
type bucket struct {
	count, per int64 // per in microseconds
	level      int64 // at most count*per
	at         int64 // microseconds of Buckets.clock
}

// Take says whether the key may send one more request now, at count requests a
// per, and if not, after which time one will be possible, to the microsecond. An
// unused key may send count requests at once; what it used comes back evenly.
// The rate may differ from the last call's: what was spent is carried over, in
// requests or as a share of the bucket, whichever is less. Who could send a
// request before can send one then, and nobody more than the new burst.
//
// A count or a per of zero or less is no limit, and neither is a count beyond a
// hundred million a day or its like. A request that is refused costs nothing.
func (b *Buckets) Take(key string, count int, per time.Duration, now time.Time) (ok bool, retryAfter time.Duration) {
	n, unit := int64(count), per.Microseconds()
	if n <= 0 || unit <= 0 || n > math.MaxInt64/unit {
		b.Forget(key)
		return true, 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.clock.read(now)
	b.sweep(t)
	at := t.Microseconds()
	k := b.all[key]
	if k == nil {
		if b.all == nil {
			b.all = map[string]*bucket{}
		}
		k = &bucket{n, unit, n * unit, at}
		b.all[key] = k
	}
	k.fill(at)
	k.resize(n, unit)
	if k.level < unit {
		missing := unit - k.level
		return false, time.Duration((missing+n-1)/n) * time.Microsecond
	}
	k.level -= unit
	return true, 0
}

// Forget forgets what the key used.
func (b *Buckets) Forget(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.all, key)
}

func (b *Buckets) sweep(now time.Duration) {
	if now-b.swept < sweepEvery {
		return
	}
	b.swept = now
	for key, k := range b.all {
		if k.fill(now.Microseconds()); k.level == k.size() {
			delete(b.all, key)
		}
	}
}

func (k *bucket) size() int64 { return k.count * k.per }

// fill adds what came back until now. After a whole per the bucket is full, so
// no longer time is multiplied, and nothing overflows.
func (k *bucket) fill(now int64) {
	passed := min(now-k.at, k.per)
	k.level += min(passed*k.count, k.size()-k.level)
	k.at = now
}

func (k *bucket) resize(count, per int64) {
	if k.count == count && k.per == per {
		return
	}
	share := float64(k.level) / float64(k.size())
	spent := float64(k.size()-k.level) / float64(k.per) // in requests
	ready := k.level >= k.per
	k.count, k.per = count, per
	left := max(float64(k.size())-spent*float64(per), share*float64(k.size()))
	k.level = min(int64(left), k.size())
	if ready {
		k.level = max(k.level, per) // of a bucket of one, any share is less than a request
	}
}
