package keystore

import (
	"fmt"
	"math"
	"sync/atomic"
	"time"
)

// Usage is what a key did on one day.
type Usage struct {
	Requests int64 `json:"requests"`
	Tokens   int64 `json:"tokens"` // prompts and answers together
}

// usage is what changes with each request of a key. All entries of one key
// share it, so that an edit forgets nothing.
type usage struct {
	last  atomic.Int64          // Unix nanoseconds, 0 for never
	today atomic.Pointer[tally] // nil before the first count
}

// tally counts one day.
type tally struct{ day, requests, tokens atomic.Int64 }

// clockSlip is how many days the day that is counted may lie ahead of a
// request's and still be believed. Journeys and small corrections of the clock
// stay within it; what is further ahead comes from a clock that was wrong.
const clockSlip = 2

// on returns the tally that a request of a day counts in. A later day begins a
// new one. An earlier day begins none, or a clock that is set back, and then
// right again, would give a spent budget back: its requests count in the day
// that was reached. When that day cannot be believed the tally is given the
// earlier date and keeps its counts, so that a clock that once ran years ahead
// does not stop the counting for years.
func (u *usage) on(d date) *tally {
	for {
		t := u.today.Load()
		if t != nil {
			at := t.day.Load()
			switch ahead := at - int64(d); {
			case ahead >= 0 && ahead <= clockSlip:
				return t
			case ahead > clockSlip:
				t.day.CompareAndSwap(at, int64(d))
				continue
			}
		}
		next := new(tally)
		next.day.Store(int64(d))
		if u.today.CompareAndSwap(t, next) {
			return next
		}
	}
}

// count returns what counts on a day, by the rule of on.
func (u *usage) count(d date) Usage {
	t := u.today.Load()
	if t == nil || int64(d) > t.day.Load() {
		return Usage{}
	}
	return Usage{t.requests.Load(), t.tokens.Load()}
}

// add stops at the largest number.
func add(n *atomic.Int64, more int64) {
	for {
		old := n.Load()
		sum := old + more
		if sum < old {
			sum = math.MaxInt64
		}
		if n.CompareAndSwap(old, sum) {
			return
		}
	}
}

// Used notes that a key was used, and counts a request of the day of at, by
// the local clock. It writes nothing to disk at once, takes no lock and, but
// for the first request of a day, allocates nothing.
func (s *Store) Used(id string, at time.Time) {
	e, ok := s.table.Load().byID[id]
	if !ok {
		return
	}
	add(&e.use.on(s.dateOf(at)).requests, 1)
	fresh := e.use.touch(at)
	if e.key.Vault.lasts() {
		s.flushSoon()
	}
	if fresh {
		s.watchers.Wake()
	} else {
		s.tellSoon()
	}
}

// touch moves the time of the last use, which never goes back, and says
// whether the one before was a second ago.
func (u *usage) touch(at time.Time) bool {
	now := at.UnixNano()
	for {
		old := u.last.Load()
		if now <= old {
			return false
		}
		if u.last.CompareAndSwap(old, now) {
			return now-old >= int64(tellEvery)
		}
	}
}

// Spend adds to what a key has spent on the day of at, by the local clock. It
// is as cheap as Used. What is not more than nothing is ignored, and the sum
// stops at the largest number. Like uses, it is written within a minute and by
// Close: a program that is killed gives back what its last minute spent.
func (s *Store) Spend(id string, tokens int64, at time.Time) {
	e, ok := s.table.Load().byID[id]
	if !ok || tokens <= 0 {
		return
	}
	add(&e.use.on(s.dateOf(at)).tokens, tokens)
	if e.key.Vault.lasts() {
		s.flushSoon()
	}
	s.tellSoon()
}

// Tokens returns what a key has spent on the day of at, by the local clock.
// When the clock is set back, the day that was reached goes on until the clock
// has passed it: what was spent stays spent. A day that lies more than two days
// ahead is taken for a mistake and ends with the present one.
func (s *Store) Tokens(id string, at time.Time) int64 {
	e, ok := s.table.Load().byID[id]
	if !ok {
		return 0
	}
	return e.use.count(s.dateOf(at)).Tokens
}

// date is a day of the calendar, counted from 1970-01-01. In files it is
// written as "2026-11-23".
type date int64

const (
	secondsPerDay = 24 * 60 * 60
	firstDate     = date(1)         // 0 is no day
	lastDate      = date(2_932_896) // 9999-12-31: a year has four digits in files
)

// dateOf returns the local calendar day of a moment.
func (s *Store) dateOf(at time.Time) date {
	at = at.In(s.zone)
	_, offset := at.Zone()
	return min(max(date((at.Unix()+int64(offset))/secondsPerDay), firstDate), lastDate)
}

// MarshalText implements encoding.TextMarshaler.
func (d date) MarshalText() ([]byte, error) {
	return time.Unix(int64(d)*secondsPerDay, 0).UTC().AppendFormat(nil, time.DateOnly), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *date) UnmarshalText(b []byte) error {
	t, err := time.Parse(time.DateOnly, string(b))
	if err != nil {
		return fmt.Errorf("%.80q is not a day", b)
	}
	*d = date(t.Unix() / secondsPerDay)
	return nil
}

// dayRecord is a tally as the index keeps it.
type dayRecord struct {
	Day date `json:"day"`
	Usage
}

func (r dayRecord) check() error {
	switch {
	case r == dayRecord{}:
	case r.Day < firstDate, r.Day > lastDate:
		return fmt.Errorf("what it did on day %d", int64(r.Day))
	case r.Requests < 0, r.Tokens < 0:
		return fmt.Errorf("%d requests, %d tokens", r.Requests, r.Tokens)
	}
	return nil
}

func (u *usage) record() dayRecord {
	t := u.today.Load()
	if t == nil {
		return dayRecord{}
	}
	return dayRecord{date(t.day.Load()), Usage{t.requests.Load(), t.tokens.Load()}}
}

// usageOf makes the usage that a record tells of.
func usageOf(r record) *usage {
	u := new(usage)
	if !r.LastUsed.IsZero() {
		u.last.Store(r.LastUsed.UnixNano())
	}
	if r.Today != (dayRecord{}) {
		t := u.on(r.Today.Day)
		t.requests.Store(r.Today.Requests)
		t.tokens.Store(r.Today.Tokens)
	}
	return u
}
