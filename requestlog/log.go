package requestlog

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"paddock/internal/watch"
)

// DefaultKept is how many finished entries a Log holds in memory. An Entry is
// about half a kilobyte, so this is some 5 MiB when full.
const DefaultKept = 10_000

// Log is the live request log: a ring of finished entries with sequence
// numbers, and the requests that run now. Appending waits for no reader but
// while one copies entries, which is why many are read in pages: see Next.
// All methods are safe for concurrent use.
//
// A store on disk is one more reader: it wakes on Watch and takes Since its
// last sequence number, so it can never hold up a request.
type Log struct {
	mu      sync.Mutex // guards ring, next, running and totals
	ring    []Entry    // entry with number s lies at (s-1) % cap
	kept    int
	next    uint64 // number of the next finished entry, from 1
	running []*Request
	totals  Totals

	watchers watch.List
}

// Totals counts since the program started. It is a value.
type Totals struct {
	Since    time.Time `json:"since"`
	Requests uint64    `json:"requests"` // finished
	Refused  uint64    `json:"refused"`
	Failed   uint64    `json:"failed"`
}

// New makes a log that keeps the last entries given, at least one.
func New(kept int) *Log {
	return &Log{kept: max(kept, 1), next: 1, totals: Totals{Since: time.Now()}}
}

// Request is a request that has not ended. Its counters may be added to from
// one goroutine while others read snapshots.
type Request struct {
	log       *Log
	entry     Entry // as Begin was told
	tokensOut atomic.Int64
	bytesOut  atomic.Int64
	first     atomic.Int64 // nanoseconds from arrival, 0 while unknown
	place     atomic.Int64 // in the lane of its key, 0 when it does not wait
	ended     bool         // under log.mu
}

// Begin shows a request as running until End.
func (l *Log) Begin(e Entry) *Request {
	e.Phase = Running
	r := &Request{log: l, entry: e}
	l.mu.Lock()
	l.running = append(l.running, r)
	l.mu.Unlock()
	l.watchers.Wake()
	return r
}

// Place says where in the lane of its key the request waits, from 1; 0 that it
// waits no longer.
func (r *Request) Place(n int) {
	if r.place.Swap(int64(n)) != int64(n) {
		r.log.watchers.Wake()
	}
}

// FirstByte notes when the first byte of the answer came. Later calls count for nothing.
func (r *Request) FirstByte(after time.Duration) {
	if r.first.CompareAndSwap(0, int64(max(after, 1))) {
		r.log.watchers.Wake()
	}
}

// Progress adds what has passed to the client. It costs two atomic additions
// and never waits.
func (r *Request) Progress(tokens, bytes int64) {
	r.tokensOut.Add(tokens)
	r.bytesOut.Add(bytes)
	r.log.watchers.Wake()
}

// End moves the request from the running ones to the finished ones and returns
// the entry as it stands in the log. Only the first call counts.
func (r *Request) End(e Entry) Entry {
	l := r.log
	l.mu.Lock()
	if r.ended {
		l.mu.Unlock()
		return e
	}
	r.ended = true
	l.running = slices.DeleteFunc(l.running, func(x *Request) bool { return x == r })
	e = l.add(e)
	l.mu.Unlock()
	l.watchers.Wake()
	return e
}

// Append adds an entry that never ran, such as a refusal, and returns it with
// its number.
func (l *Log) Append(e Entry) Entry {
	l.mu.Lock()
	e = l.add(e)
	l.mu.Unlock()
	l.watchers.Wake()
	return e
}

// add needs l.mu.
func (l *Log) add(e Entry) Entry {
	e.Seq = l.next
	l.next++
	if len(l.ring) < l.kept {
		l.ring = append(l.ring, e)
	} else {
		l.ring[(e.Seq-1)%uint64(l.kept)] = e
	}
	if e.Phase == Event {
		return e
	}
	l.totals.Requests++
	switch e.Phase {
	case Refused:
		l.totals.Refused++
	case Failed:
		l.totals.Failed++
	case Running, Waiting, Done, Cut, Event:
	}
	return e
}

// Note appends something that was no request, such as a panic, in a few words.
func (l *Log) Note(at time.Time, what string) Entry {
	return l.Append(Entry{Time: at, Phase: Event, Action: Clean(what, MaxText)})
}

// Since returns the finished entries after the number given, oldest first, at
// most limit of the newest ones (0 means all that are kept), and the number to
// ask with next. Entries that have left the ring, or that the limit left out,
// are counted in missed.
func (l *Log) Since(seq uint64, limit int) (entries []Entry, last uint64, missed uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	last = l.next - 1
	if seq >= last {
		return nil, last, 0
	}
	first := seq + 1
	if oldest := l.next - uint64(len(l.ring)); first < oldest {
		first = oldest
	}
	if limit > 0 && last-first+1 > uint64(limit) {
		first = last - uint64(limit) + 1
	}
	missed = first - (seq + 1)
	entries = make([]Entry, 0, last-first+1)
	for s := first; s <= last; s++ {
		entries = append(entries, l.ring[(s-1)%uint64(l.kept)])
	}
	return entries, last, missed
}

// Next returns the oldest finished entries after the number given, at most
// limit, and otherwise is as Since. Whoever reads everything calls it until it
// returns none: requests wait only while one page is copied.
func (l *Log) Next(seq uint64, limit int) (entries []Entry, last uint64, missed uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := max(seq+1, l.next-uint64(len(l.ring)))
	if first >= l.next || limit <= 0 {
		return nil, seq, 0
	}
	end := min(l.next, first+uint64(limit))
	entries = make([]Entry, 0, end-first)
	for s := first; s < end; s++ {
		entries = append(entries, l.ring[(s-1)%uint64(l.kept)])
	}
	return entries, end - 1, first - (seq + 1)
}

// Running returns the requests that run now, oldest first, with their counts
// as they stand and Took as of now.
func (l *Log) Running(now time.Time) []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Entry, len(l.running))
	for i, r := range l.running {
		e := r.entry
		e.TokensOut = r.tokensOut.Load()
		e.BytesOut = r.bytesOut.Load()
		e.FirstToken = time.Duration(r.first.Load())
		e.Took = now.Sub(e.Time)
		if e.Place = int(r.place.Load()); e.Place > 0 {
			e.Phase, e.Waited = Waiting, e.Took
		}
		if streamed := e.Took - e.FirstToken; e.FirstToken > 0 && e.TokensOut > 1 && streamed > 0 {
			e.Rate = float64(e.TokensOut-1) / streamed.Seconds()
		}
		out[i] = e
	}
	return out
}

// Counts returns how many requests have not ended, those that wait included, and
// the totals.
func (l *Log) Counts() (running int, t Totals) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.running), l.totals
}

// Watch returns a channel that holds a token whenever something may have
// changed since it was last emptied, and a function that ends the watch. The
// token carries no data: whoever wakes reads again.
func (l *Log) Watch() (<-chan struct{}, func()) { return l.watchers.Add() }
