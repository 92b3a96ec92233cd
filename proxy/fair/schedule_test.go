package fair

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// schedule plays a row of bytes on a queue in a bubble, and compares the queue
// after every step with what must hold.
type schedule struct {
	t       *testing.T
	q       *Queue
	limits  Limits
	atOnce  map[string]int
	lanes   map[string][]*request // those that wait, as they came
	running []*request
	refused int
	started int
	left    int
}

type request struct {
	key    string
	cancel context.CancelCauseFunc
	ended  chan struct{} // closed when Enter has returned
	ticket *Ticket
	err    error
	place  int // that it was told last
}

var errLeft = errors.New("left")

func (s *schedule) enter(key string) {
	ctx, cancel := context.WithCancelCause(s.t.Context())
	r := &request{key: key, cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(r.ended)
		r.ticket, _, r.err = s.q.Enter(ctx, key, s.atOnce[key], func(n int) {
			if n >= r.place && r.place != 0 {
				s.t.Errorf("place %d came after %d", n, r.place)
			}
			r.place = n
		})
	}()
	s.lanes[key] = append(s.lanes[key], r)
	synctest.Wait()
}

func (s *schedule) own(key string) (n int) {
	for _, r := range s.running {
		if r.key == key {
			n++
		}
	}
	return n
}

// settle sorts out who started, left or was refused since the last step.
func (s *schedule) settle() {
	synctest.Wait()
	before := len(s.running)
	waiting := 0
	for key, lane := range s.lanes {
		var rest []*request
		for i, r := range lane {
			select {
			case <-r.ended:
			default:
				rest = append(rest, r)
				if r.place != len(rest) {
					s.t.Errorf("number %d of %s was told %d", len(rest), key, r.place)
				}
				continue
			}
			full, isFull := errors.AsType[*FullError](r.err)
			switch {
			case r.err == nil:
				if len(rest) > 0 {
					s.t.Errorf("%s: number %d went before number 1", key, i+1)
				}
				if r.place != 0 {
					s.t.Error("it started with place", r.place)
				}
				s.running = append(s.running, r)
				s.started++
			case errors.Is(r.err, errLeft):
				s.left++
			case isFull:
				s.refused++
				if full.Position != len(rest)+1 || len(rest) < s.limits.Waiting {
					s.t.Errorf("refused with place %d, and %d wait", full.Position, len(rest))
				}
			default:
				s.refused++
				if s.own(key) < s.atOnce[key] {
					s.t.Errorf("%s is busy with %d of %d: %v", key, s.own(key), s.atOnce[key], r.err)
				}
			}
		}
		s.lanes[key] = rest
		waiting += len(rest)
		if s.q.Waiting(key) != len(rest) {
			s.t.Errorf("%d of %s wait, want %d", s.q.Waiting(key), key, len(rest))
		}
	}
	if n, w := s.q.Counts(); n != len(s.running) || w != waiting {
		s.t.Errorf("%d run and %d wait, want %d and %d", n, w, len(s.running), waiting)
	}
	if len(s.running) > max(before, s.limits.Running) {
		s.t.Errorf("%d run, and %d may", len(s.running), s.limits.Running)
	}
	for key, lane := range s.lanes {
		if s.own(key) > s.atOnce[key] {
			s.t.Errorf("%d of %s run, and %d may", s.own(key), key, s.atOnce[key])
		}
		if len(lane) > 0 && len(s.running) < s.limits.Running && s.own(key) < s.atOnce[key] {
			s.t.Errorf("%s waits, and there is a slot", key)
		}
	}
}

func (s *schedule) step(op, arg byte) {
	keys := []string{"a", "b", "c"}
	key := keys[int(arg)%len(keys)]
	switch op % 16 {
	default:
		s.enter(key)
	case 6, 7, 8, 9, 10:
		if n := len(s.running); n > 0 {
			i := int(arg) % n
			r := s.running[i]
			s.running = append(s.running[:i], s.running[i+1:]...)
			r.ticket.Done(int64(arg) * 20)
			r.ticket.Done(1)
			r.cancel(nil)
		}
	case 11:
		if lane := s.lanes[key]; len(lane) > 0 {
			lane[int(arg)%len(lane)].cancel(errLeft)
		}
	case 12: // a slot comes free while somebody leaves
		if n := len(s.running); n > 0 && len(s.lanes[key]) > 0 {
			r := s.running[n-1]
			s.running = s.running[:n-1]
			s.lanes[key][0].cancel(errLeft)
			r.ticket.Done(5)
			r.cancel(nil)
		}
	case 13:
		s.limits = Limits{Running: 1 + int(arg)%5, Waiting: 1 + int(arg/16)%4}
		s.q.SetLimits(s.limits)
	case 14:
		time.Sleep(time.Duration(arg) * time.Second)
	}
	s.settle()
}

func play(t *testing.T, ops []byte) {
	synctest.Test(t, func(t *testing.T) {
		s := &schedule{
			t: t, limits: Limits{Running: 3, Waiting: 4},
			atOnce: map[string]int{"a": 1, "b": 2, "c": 100}, lanes: map[string][]*request{},
		}
		s.q = New(s.limits)
		for i := 0; i+1 < len(ops) && !t.Failed(); i += 2 {
			s.step(ops[i], ops[i+1])
		}
		for len(s.running) > 0 && !t.Failed() {
			s.step(6, 0)
		}
		for _, lane := range s.lanes {
			if len(lane) > 0 {
				t.Error("somebody waits though nobody runs")
			}
			for _, r := range lane {
				r.cancel(errLeft)
			}
		}
	})
}

// FuzzSchedule proves for any order of events: no more run than may, of all and
// of each key; who came first in a lane starts first; no slot stays free that
// somebody waits for; everybody starts, is refused or leaves; all slots come back.
func FuzzSchedule(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 2, 0, 2, 6, 0, 11, 1, 12, 2, 13, 0, 13, 4, 14, 200, 6, 1})
	f.Add([]byte{0, 2, 0, 2, 0, 2, 0, 0, 0, 0, 0, 1, 12, 0, 12, 1, 6, 0, 6, 0, 6, 0})
	f.Fuzz(func(t *testing.T, ops []byte) { play(t, ops[:min(len(ops), 2000)]) })
}

func TestAnyScheduleKeepsTheRules(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			ops := make([]byte, 600)
			for i := range ops {
				ops[i] = byte(random.Uint32())
			}
			play(t, ops)
		})
	}
}

// Many goroutines at once, on the real clock and without an order: what the
// bubble cannot show, the race detector can.
func TestCrowdKeepsTheRules(t *testing.T) {
	const limit, own, crowd, rounds = 3, 2, 16, 200
	q := New(Limits{Running: limit, Waiting: 3})
	var running, started, refused, left atomic.Int64
	var ownRunning [5]atomic.Int64
	var all sync.WaitGroup
	for i := range crowd {
		all.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 7))
			for range rounds {
				ctx, cancel := context.WithCancel(t.Context())
				if random.IntN(2) == 0 {
					go func() {
						runtime.Gosched()
						cancel()
					}()
				}
				k := random.IntN(len(ownRunning))
				ticket, _, err := q.Enter(ctx, fmt.Sprint(k), own, func(int) {})
				switch {
				case err == nil:
					started.Add(1)
					if n := running.Add(1); n > limit {
						t.Errorf("%d run", n)
					}
					if n := ownRunning[k].Add(1); n > own {
						t.Errorf("%d of one key run", n)
					}
					for range random.IntN(10) {
						runtime.Gosched()
					}
					q.Counts()
					running.Add(-1)
					ownRunning[k].Add(-1)
					ticket.Done(int64(random.IntN(1000)))
				case errors.Is(err, context.Canceled):
					left.Add(1)
				default:
					refused.Add(1)
				}
				cancel()
			}
		})
	}
	all.Wait()
	if n := started.Load() + refused.Load() + left.Load(); n != crowd*rounds {
		t.Errorf("%d of %d ended", n, crowd*rounds)
	}
	if r, w := q.Counts(); r != 0 || w != 0 {
		t.Errorf("%d run and %d wait at the end", r, w)
	}
	t.Logf("%d started, %d refused, %d left", started.Load(), refused.Load(), left.Load())
}
