package logview

import (
	"slices"
	"sort"

	"paddock/requestlog"
)

// MaxRows is how many finished requests the window lists; older ones stay in
// the log and leave the window.
const MaxRows = 5000

// Key names a row: finished ones by their number, running ones, which have
// none, by the id of the request.
type Key struct {
	Seq uint64
	ID  string
}

func keyOf(e requestlog.Entry) Key {
	if e.Seq > 0 {
		return Key{Seq: e.Seq}
	}
	return Key{ID: e.ID}
}

// Slot is a place among the pinned running requests. A request that ended
// keeps its slot, with its result, while the rows must not move.
type Slot struct {
	Entry    requestlog.Entry
	Ended    bool
	Stopping bool
	key      Key
}

// Hold says what keeps the list still.
type Hold int

// The holds, the one that is told first when there are several at the top.
const (
	NotHeld Hold = iota
	HeldByPause
	HeldBySelection
	HeldByScroll
	HeldByPointer
)

// Feed decides which requests the window lists and in which places. Nothing
// that is selected or under the pointer ever moves: while there is such a row,
// new ones wait. The zero value is ready; it belongs to one goroutine.
type Feed struct {
	rows    []requestlog.Entry // listed, oldest first
	waiting []requestlog.Entry // finished while held, oldest first
	slots   []Slot
	last    uint64 // highest number taken
	older   uint64 // left the window, or were there before it
	missed  uint64 // left the log before the window could take them
	most    int    // rows to list; 0 is MaxRows

	selected Key
	paused   bool
	scrolled bool
	pointer  bool
	pointed  int // slot under the pointer, -1 for none
}

// Take adds what finished since the last time, oldest first, and shows what
// runs now, oldest first. The running ones must have been read before the
// finished ones, so that a request that ends in between is in at least one of
// them. missed counts entries between the last Take and the first of finished
// that are gone.
func (f *Feed) Take(finished []requestlog.Entry, missed uint64, running []requestlog.Entry) {
	first := f.last == 0
	for len(finished) > 0 && finished[0].Seq <= f.last {
		finished = finished[1:]
	}
	if first || len(finished) >= f.limit() {
		f.older += missed // whatever lies in the gap would have left the window anyway
	} else {
		f.missed += missed
	}
	if n := len(finished); n > 0 {
		f.last = finished[n-1].Seq
	}
	f.settle(finished, running)
	f.older += f.keep(&f.waiting, finished)
	f.catchUp()
}

func (f *Feed) limit() int {
	if f.most > 0 {
		return f.most
	}
	return MaxRows
}

// keep appends and keeps the newest. It returns how many it dropped.
func (f *Feed) keep(to *[]requestlog.Entry, more []requestlog.Entry) uint64 {
	over := len(*to) + len(more) - f.limit()
	if over <= 0 {
		*to = append(*to, more...)
		return 0
	}
	if n := len(*to); over > n {
		more = more[over-n:]
	}
	*to = slices.Delete(*to, 0, min(over, len(*to)))
	*to = append(*to, more...)
	return uint64(over)
}

// settle gives every running request its slot.
func (f *Feed) settle(finished, running []requestlog.Entry) {
	if len(f.slots) == 0 && len(running) == 0 {
		return
	}
	ended := make(map[string]requestlog.Entry, len(finished))
	for _, e := range finished {
		ended[e.ID] = e
	}
	runs := make(map[string]requestlog.Entry, len(running))
	for _, e := range running {
		if _, over := ended[e.ID]; !over {
			runs[e.ID] = e
		}
	}
	for i := range f.slots {
		s := &f.slots[i]
		if s.Ended {
			continue
		}
		if e, ok := runs[s.key.ID]; ok {
			s.Entry = e
			delete(runs, s.key.ID)
			continue
		}
		s.Ended, s.Stopping = true, false
		if e, ok := ended[s.key.ID]; ok {
			s.Entry = e
		}
	}
	f.dropEnded()
	for _, e := range running {
		if e, ok := runs[e.ID]; ok {
			f.slots = append(f.slots, Slot{Entry: e, key: Key{ID: e.ID}})
			delete(runs, e.ID)
		}
	}
}

// fixed is how many slots, from the top, must stay where they are.
func (f *Feed) fixed() int {
	n := 0
	if f.pointer {
		n = f.pointed + 1
	}
	if f.selected.ID != "" {
		n = max(n, f.slotOf(f.selected)+1)
	}
	return min(n, len(f.slots))
}

func (f *Feed) dropEnded() {
	keep := f.fixed()
	f.slots = slices.Concat(f.slots[:keep], slices.DeleteFunc(f.slots[keep:], func(s Slot) bool { return s.Ended }))
}

func (f *Feed) slotOf(k Key) int {
	return slices.IndexFunc(f.slots, func(s Slot) bool { return s.key == k })
}

// Hold says what keeps the list still.
func (f *Feed) Hold() Hold {
	switch {
	case f.paused:
		return HeldByPause
	case f.selected != Key{}:
		return HeldBySelection
	case f.scrolled:
		return HeldByScroll
	case f.pointer:
		return HeldByPointer
	}
	return NotHeld
}

// catchUp lists what waits unless something holds the list still.
func (f *Feed) catchUp() {
	f.dropEnded()
	if f.Hold() == NotHeld {
		f.flow()
	}
}

func (f *Feed) flow() {
	if len(f.waiting) == 0 {
		return
	}
	f.older += f.keep(&f.rows, f.waiting)
	clear(f.waiting)
	f.waiting = f.waiting[:0]
	if f.selected.Seq > 0 && f.rowOf(f.selected) < 0 {
		f.selected = Key{} // pushed out at the far end
	}
}

// Release lists what waits although the list is held: the owner asked for it.
// The selection stays on its request.
func (f *Feed) Release() {
	if i := f.slotOf(f.selected); i >= 0 && f.slots[i].Ended {
		f.selected = Key{}
		if e := f.slots[i].Entry; e.Seq > 0 {
			f.selected = keyOf(e)
		}
	}
	f.slots = slices.DeleteFunc(f.slots, func(s Slot) bool { return s.Ended })
	f.flow()
}

// SetPaused holds the list until it is told to follow again.
func (f *Feed) SetPaused(paused bool) {
	f.paused = paused
	f.catchUp()
}

// SetScrolled tells whether the list shows something other than its top.
func (f *Feed) SetScrolled(scrolled bool) {
	f.scrolled = scrolled
	f.catchUp()
}

// SetPointer tells whether the pointer is over the rows, and over which slot;
// -1 is for none.
func (f *Feed) SetPointer(over bool, slot int) {
	f.pointer, f.pointed = over, slot
	f.catchUp()
}

// Select selects the row, or none for the zero Key or one that is not listed.
func (f *Feed) Select(k Key) {
	if f.rowOf(k) < 0 && f.slotOf(k) < 0 {
		k = Key{}
	}
	f.selected = k
	f.catchUp()
}

// Selected returns the selected row, or the zero Key.
func (f *Feed) Selected() Key { return f.selected }

// SelectedSlot returns the selected request as a Slot; one that is listed as
// finished has ended. It reports false when nothing is selected.
func (f *Feed) SelectedSlot() (Slot, bool) {
	if i := f.slotOf(f.selected); i >= 0 {
		return f.slots[i], true
	}
	if i := f.rowOf(f.selected); i >= 0 {
		return Slot{Entry: f.Row(i), Ended: true, key: f.selected}, true
	}
	return Slot{}, false
}

// Move selects the row that many places further down, running ones being above
// finished ones, and stays within the list.
func (f *Feed) Move(by int) {
	at, total := f.place(f.selected), len(f.slots)+len(f.rows)
	switch {
	case total == 0:
		return
	case at >= 0:
		at += by
	case by < 0:
		at = len(f.slots) - 1 // from between the two lists upwards
	default:
		at = len(f.slots)
	}
	at = min(max(at, 0), total-1)
	if at < len(f.slots) {
		f.selected = f.slots[at].key
	} else {
		f.selected = keyOf(f.Row(at - len(f.slots)))
	}
	f.catchUp()
}

func (f *Feed) place(k Key) int {
	if i := f.slotOf(k); i >= 0 {
		return i
	}
	if i := f.rowOf(k); i >= 0 {
		return len(f.slots) + i
	}
	return -1
}

// rowOf returns the place of a finished row, or -1.
func (f *Feed) rowOf(k Key) int {
	if k.Seq == 0 {
		return -1
	}
	i := sort.Search(len(f.rows), func(i int) bool { return f.rows[i].Seq >= k.Seq })
	if i == len(f.rows) || f.rows[i].Seq != k.Seq {
		return -1
	}
	return len(f.rows) - 1 - i
}

// SetStopping marks a running request as told to stop.
func (f *Feed) SetStopping(id string) {
	if i := f.slotOf(Key{ID: id}); i >= 0 && !f.slots[i].Ended {
		f.slots[i].Stopping = true
	}
}

// Len is how many finished rows are listed.
func (f *Feed) Len() int { return len(f.rows) }

// Row returns the finished row at a place, the newest at 0.
func (f *Feed) Row(i int) requestlog.Entry { return f.rows[len(f.rows)-1-i] }

// Slots are the pinned rows. The caller must not change them.
func (f *Feed) Slots() []Slot { return f.slots }

// Requests is how many finished rows are requests. The others are what the owner
// or the gate did.
func (f *Feed) Requests() int {
	n := 0
	for _, e := range f.rows {
		if e.Phase != requestlog.Event {
			n++
		}
	}
	return n
}

// Waiting is how many finished rows are held back.
func (f *Feed) Waiting() int { return len(f.waiting) }

// Older is how many finished rows the window does not list because it
// holds only the newest.
func (f *Feed) Older() uint64 { return f.older }

// Missed is how many finished rows left the log before they could be listed.
func (f *Feed) Missed() uint64 { return f.missed }
