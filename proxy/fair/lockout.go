package fair

import (
	"container/list"
	"net/netip"
	"sync"
	"time"
)

const (
	// maxAddresses is how many addresses are remembered.
	maxAddresses = 4096
	// firstBlock is how long the first block of an address lasts; each further
	// one lasts twice as long, up to lastBlock.
	firstBlock = time.Minute
	lastBlock  = 15 * time.Minute
	// pardon is after how long without a failure an address begins anew.
	pardon = time.Hour
	// maxBatches bounds what is remembered of one address, whatever the limit.
	maxBatches = 64
)

// Lockout counts failed attempts by address. It is only asked about a request
// whose credential was bad, so nobody can lock out a good key by failing from
// the same address.
//
// Addresses of IPv6 count by their /64, which is what one household has. When
// 4,096 are remembered, the one that failed longest ago is forgotten: whoever
// has so many addresses can go on guessing from each, and a key is too long for
// that to matter. All methods take the same short time, whatever is remembered,
// and are safe for concurrent use.
type Lockout struct {
	mu     sync.Mutex // guards what follows
	clock  clock
	count  int
	per    time.Duration
	all    map[place]*list.Element // of *failures
	recent *list.List              // the most recent failure first
}

// place is an address in 16 bytes, without zone and host part.
type place [16]byte

// failures is what is remembered of one address. Times are those of Lockout.clock.
type failures struct {
	place   place
	batches []batch       // those that count against the limit, oldest first
	sum     int           // of the batches
	last    time.Duration // when the last one was
	until   time.Duration // the end of the latest block, 0 before the first
	length  time.Duration // of the latest block
}

// batch is failures that are remembered as one, with the time of the last of
// them, so that none is forgotten too early. It is a single one for limits up to
// maxBatches, which are exact.
type batch struct {
	at time.Duration
	n  int
}

// NewLockout returns a Lockout that allows count failures in any time of length
// per. A count or a per of zero or less is no limit.
func NewLockout(count int, per time.Duration) *Lockout {
	return &Lockout{count: count, per: per, all: map[place]*list.Element{}, recent: list.New()}
}

// SetLimit changes the limit. Blocks go on, unless there is no limit any more:
// then all is forgotten.
func (l *Lockout) SetLimit(count int, per time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count, l.per = count, per
	if l.off() {
		l.all, l.recent = map[place]*list.Element{}, list.New()
	}
}

func (l *Lockout) off() bool { return l.count <= 0 || l.per <= 0 }

// Fail counts a failed attempt and says whether it is beyond the limit, and if
// so, for how long further ones will be. The attempt that is one too many begins
// a block of a minute; those during a block change nothing. Each block of the
// same address lasts twice as long as the one before, up to 15 minutes, until
// an hour went by without a failure.
func (l *Lockout) Fail(addr netip.Addr, now time.Time) (retryAfter time.Duration, blocked bool) {
	where := locate(addr)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.off() {
		return 0, false
	}
	t := l.clock.read(now)
	f := l.find(where, t)
	f.last = t
	if t < f.until {
		return f.until - t, true
	}
	f.expire(t - l.per)
	if f.sum < l.count {
		f.add(t, (l.count+maxBatches-1)/maxBatches)
		return 0, false
	}
	f.batches, f.sum = f.batches[:0], 0
	f.length = min(max(firstBlock, 2*f.length), lastBlock)
	f.until = t + f.length
	return f.length, true
}

// find returns what is remembered of the address, as the most recent. A new one
// takes the place of the oldest when there are enough.
func (l *Lockout) find(where place, now time.Duration) *failures {
	e := l.all[where]
	switch {
	case e != nil:
		l.recent.MoveToFront(e)
		if f := e.Value.(*failures); now-f.last >= pardon {
			*f = failures{place: where, batches: f.batches[:0]}
		}
	case len(l.all) < maxAddresses:
		e = l.recent.PushFront(&failures{place: where})
		l.all[where] = e
	default:
		e = l.recent.Back()
		f := e.Value.(*failures)
		delete(l.all, f.place)
		*f = failures{place: where, batches: f.batches[:0]}
		l.recent.MoveToFront(e)
		l.all[where] = e
	}
	return e.Value.(*failures)
}

// expire forgets what was at end or before.
func (f *failures) expire(end time.Duration) {
	n := 0
	for n < len(f.batches) && f.batches[n].at <= end {
		f.sum -= f.batches[n].n
		n++
	}
	f.batches = append(f.batches[:0], f.batches[n:]...)
}

func (f *failures) add(now time.Duration, size int) {
	f.sum++
	if n := len(f.batches); n > 0 && f.batches[n-1].n < size {
		f.batches[n-1].n++
		f.batches[n-1].at = now
		return
	}
	f.batches = append(f.batches, batch{now, 1})
}

func locate(addr netip.Addr) place {
	addr = addr.Unmap()
	p := place(addr.As16())
	if addr.Is6() {
		clear(p[8:])
	}
	return p
}
