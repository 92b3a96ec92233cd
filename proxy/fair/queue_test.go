package fair

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// bench is a queue with what happened to it, for use in a bubble.
type bench struct {
	*testing.T
	*Queue

	guard sync.Mutex
	order []string
}

// bubble runs a test in a bubble with a queue.
func bubble(t *testing.T, limits Limits, test func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{T: t, Queue: New(limits)}
		test(b)
		synctest.Wait()
		if running, waiting := b.Counts(); running != 0 || waiting != 0 {
			t.Errorf("%d run and %d wait at the end", running, waiting)
		}
	})
}

// now enters a request that must start at once.
func (b *bench) now(key string, atOnce int) *Ticket {
	b.Helper()
	t, waited, err := b.Enter(b.Context(), key, atOnce, func(n int) { b.Errorf("it was told place %d", n) })
	if err != nil || waited != 0 {
		b.Fatalf("%s: waited %v, %v", key, waited, err)
	}
	return t
}

// later enters a request that waits, then runs for some time and uses tokens.
func (b *bench) later(name, key string, atOnce int, runs time.Duration, tokens int64) {
	b.Helper()
	go func() {
		t, _, err := b.Enter(b.Context(), key, atOnce, nil)
		if err != nil {
			b.Error(name, err)
			return
		}
		b.guard.Lock()
		b.order = append(b.order, name)
		b.guard.Unlock()
		time.Sleep(runs)
		t.Done(tokens)
	}()
	synctest.Wait()
}

// started returns the names of the requests in the order in which they started.
func (b *bench) started() []string {
	synctest.Wait()
	b.guard.Lock()
	defer b.guard.Unlock()
	return slices.Clone(b.order)
}

func (b *bench) counts(running, waiting int) {
	b.Helper()
	synctest.Wait()
	if r, w := b.Counts(); r != running || w != waiting {
		b.Errorf("%d run and %d wait, want %d and %d", r, w, running, waiting)
	}
}

func TestRequestsStartAtOnceWhileThereAreSlots(t *testing.T) {
	bubble(t, Limits{Running: 2, Waiting: 1}, func(b *bench) {
		first, second := b.now("a", 0), b.now("b", 0)
		b.later("third", "b", 0, 0, 0)
		b.counts(2, 1)
		if b.Waiting("b") != 1 || b.Waiting("a") != 0 || b.Waiting("nobody") != 0 {
			b.Error("the lanes are counted wrong")
		}
		first.Done(10)
		first.Done(10) // has no effect
		b.counts(1, 0)
		second.Done(10)
		b.counts(0, 0)
	})
}

func TestZeroLessAndHugeAreNoLimit(t *testing.T) {
	for _, n := range []int{0, -1, 1 << 62} {
		bubble(t, Limits{Running: n, Waiting: n}, func(b *bench) {
			for range 1000 {
				defer b.now("a", n).Done(1)
			}
		})
		bubble(t, Limits{Running: 1, Waiting: n}, func(b *bench) {
			first := b.now("a", n)
			for range 500 {
				b.later("more", "a", n, 0, 1)
			}
			b.counts(1, 500)
			first.Done(1)
		})
	}
}

func TestKeyThatRunsAsManyAsItMayIsBusyAtOnce(t *testing.T) {
	bubble(t, Limits{Running: 3}, func(b *bench) {
		a, a2, other := b.now("a", 2), b.now("a", 2), b.now("b", 2)
		_, _, err := b.Enter(b.Context(), "a", 2, nil)
		busy, ok := errors.AsType[*BusyError](err)
		if !ok || busy.RetryAfter != guess/2*time.Second {
			b.Errorf("got %v", err)
		}
		b.later("b2", "b", 2, time.Second, 0) // those that wait do not count
		b.later("b3", "b", 2, time.Second, 0)
		b.counts(3, 2)
		a.Done(0) // b2 starts; b3 must wait although there will be slots
		b.counts(3, 1)
		a2.Done(0)
		b.counts(2, 1)
		// The slot that b3 may not have is free for others.
		b.now("c", 2).Done(0)
		other.Done(0)
		b.counts(2, 0)
		time.Sleep(time.Second)
	})
}

func TestRaisedLimitOfAKeyLetsItsWaitersGoFirst(t *testing.T) {
	bubble(t, Limits{Running: 1}, func(b *bench) {
		a := b.now("a", 1)
		b.SetLimits(Limits{Running: 2})
		other := b.now("b", 0)
		if _, _, err := b.Enter(b.Context(), "a", 1, nil); err == nil {
			b.Error("a second request of a started")
		}
		a.Done(0)
		a = b.now("x", 0)
		b.later("a1", "a", 1, time.Second, 0)
		b.later("a2", "a", 1, time.Second, 0)
		a.Done(0) // a1 runs, a2 waits for it
		other.Done(0)
		b.counts(1, 1)
		b.later("a3", "a", 3, time.Second, 0) // a2 starts, so that a3 waits
		b.counts(2, 1)
		if !slices.Equal(b.started(), []string{"a1", "a2"}) {
			b.Error(b.started())
		}
		time.Sleep(time.Minute)
	})
}

func TestFullLaneTellsThePlace(t *testing.T) {
	bubble(t, Limits{Running: 2, Waiting: 64}, func(b *bench) {
		first, second := b.now("a", 0), b.now("a", 0)
		for range 64 {
			b.later("more", "a", 0, 0, 0)
		}
		_, waited, err := b.Enter(b.Context(), "a", 0, nil)
		full, ok := errors.AsType[*FullError](err)
		if !ok || full.Position != 65 || waited != 0 || full.RetryAfter != 64*guess/2*time.Second {
			b.Errorf("waited %v, got %v", waited, err)
		}
		b.later("other lane", "b", 0, 0, 0)
		b.counts(2, 65)
		first.Done(0)
		second.Done(0)
	})
}

func TestPlacesAreToldUntilTheStart(t *testing.T) {
	bubble(t, Limits{Running: 1}, func(b *bench) {
		running := b.now("a", 0)
		var told [3][]int
		leave := make([]context.CancelFunc, 3)
		for i := range told {
			ctx, cancel := context.WithCancel(b.Context())
			leave[i] = cancel
			go func() {
				t, waited, err := b.Enter(ctx, "a", 0, func(n int) { told[i] = append(told[i], n) })
				switch {
				case i == 1 && !errors.Is(err, context.Canceled), i != 1 && err != nil:
					b.Error(i, err)
				case waited != time.Duration(i+1)*time.Second:
					b.Error(i, "waited", waited)
				case err == nil:
					time.Sleep(2 * time.Second)
					t.Done(0)
				}
			}()
			synctest.Wait()
		}
		time.Sleep(time.Second)
		running.Done(0)
		time.Sleep(time.Second)
		leave[1]()
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if fmt.Sprint(told) != "[[1 0] [2 1] [3 2 1 0]]" {
			b.Error(told)
		}
		leave[0]()
		leave[2]()
	})
}

func TestWhoLeavesTheQueueHearsTheCause(t *testing.T) {
	bubble(t, Limits{Running: 1}, func(b *bench) {
		running := b.now("a", 0)
		gone := errors.New("the key was suspended")
		ctx, cancel := context.WithCancelCause(b.Context())
		time.AfterFunc(time.Second, func() { cancel(gone) })
		ticket, waited, err := b.Enter(ctx, "b", 0, nil)
		if ticket != nil || waited != time.Second || !errors.Is(err, gone) {
			b.Error(ticket, waited, err)
		}
		b.counts(1, 0)
		running.Done(0)
	})
}

// The moment between the grant and the select is forced by hand.
func TestSlotGrantedToWhoLeavesGoesToTheNext(t *testing.T) {
	bubble(t, Limits{Running: 1}, func(b *bench) {
		running := b.now("a", 0)
		b.mu.Lock()
		w := b.join(b.lane("b"), false)
		b.mu.Unlock()
		b.later("next", "c", 0, time.Second, 0)
		running.Done(0)
		if len(b.started()) != 0 || w.ticket == nil {
			b.Fatal("it was not granted")
		}
		b.leave(w)
		b.counts(1, 0)
		if !slices.Equal(b.started(), []string{"next"}) {
			b.Error(b.started())
		}
		time.Sleep(time.Second)
		if l := b.lanes["b"]; l.debt(1) != 0 || l.took.known {
			b.Error("the one who left was charged")
		}
	})
}

func TestLimitsAreLive(t *testing.T) {
	bubble(t, Limits{Running: 1, Waiting: 1}, func(b *bench) {
		first := b.now("a", 0)
		b.later("a1", "a", 0, time.Second, 0)
		if _, _, err := b.Enter(b.Context(), "a", 0, nil); err == nil {
			b.Error("a full lane took one more")
		}
		b.SetLimits(Limits{Running: 1, Waiting: 3})
		b.later("a2", "a", 0, time.Second, 0)
		b.later("a3", "a", 0, time.Second, 0)
		b.counts(1, 3)
		b.SetLimits(Limits{Running: 3, Waiting: 3})
		b.counts(3, 1)
		b.SetLimits(Limits{Running: 1, Waiting: 0}) // nobody is ended, nobody starts
		b.counts(3, 1)
		first.Done(0)
		b.counts(2, 1)
		time.Sleep(time.Second)
		b.counts(1, 0)
		time.Sleep(time.Second)
	})
}

func TestOneQuestionGoesBeforeTwoHundredEmbeddings(t *testing.T) {
	bubble(t, Limits{Running: 4}, func(b *bench) {
		for i := range 204 {
			b.later(fmt.Sprint("embedding ", i), "heavy", 0, time.Second, 5)
			if i == 3 {
				time.Sleep(time.Millisecond) // those that run end first
			}
		}
		time.Sleep(10 * time.Second)
		before := len(b.started())
		b.later("question", "light", 0, time.Second, 500)
		time.Sleep(time.Second)
		if i := slices.Index(b.started(), "question"); i < before || i >= before+4 {
			b.Errorf("the question was number %d, and %d had started before", i, before)
		}
		time.Sleep(time.Hour)
	})
}

func TestQuestionIsTheVeryNextToStart(t *testing.T) {
	bubble(t, Limits{Running: 1}, func(b *bench) {
		b.later("running", "heavy", 0, time.Second, 5)
		for i := range 200 {
			b.later(fmt.Sprint(i), "heavy", 0, time.Second, 5)
		}
		time.Sleep(20*time.Second + time.Millisecond)
		before := len(b.started())
		b.later("question", "light", 0, time.Second, 500)
		time.Sleep(time.Second)
		if len(b.started()) <= before || b.started()[before] != "question" {
			b.Error(b.started()[before:])
		}
		time.Sleep(time.Hour)
	})
}

func TestEqualLanesAreServedRoundRobin(t *testing.T) {
	for _, tokens := range []int64{-1, 0, 300} {
		bubble(t, Limits{Running: 1}, func(b *bench) {
			running := b.now("x", 0)
			for _, key := range []string{"a", "b", "c"} {
				for range 5 {
					b.later(key, key, 0, 3*time.Second, tokens)
				}
			}
			running.Done(0)
			time.Sleep(time.Hour)
			for i, key := range b.started() {
				if key != []string{"a", "b", "c"}[i%3] {
					b.Fatalf("%d tokens: %v", tokens, b.started())
				}
			}
		})
	}
}

func TestTurnsFollowTheTokens(t *testing.T) {
	bubble(t, Limits{Running: 1}, func(b *bench) {
		running := b.now("x", 0)
		for range 100 {
			b.later("long", "long", 0, time.Second, 3000)
			b.later("short", "short", 0, time.Second, 1000)
		}
		running.Done(0)
		time.Sleep(80*time.Second - time.Millisecond)
		n := 0
		for _, key := range b.started() {
			if key == "short" {
				n++
			}
		}
		if len(b.started()) != 80 || n < 55 || n > 65 {
			b.Errorf("%d of %d turns went to the lane that uses a third", n, len(b.started()))
		}
		time.Sleep(time.Hour)
	})
}

func TestHeavyLaneGetsItsTurnsWhileLightOnesKeepComing(t *testing.T) {
	bubble(t, Limits{Running: 1}, func(b *bench) {
		b.now("heavy", 0).Done(maxTokens) // hours of others' work
		running := b.now("x", 0)
		for range 60 {
			b.later("heavy", "heavy", 0, time.Second, 3000)
			for _, key := range []string{"a", "b"} {
				for range 4 {
					b.later("light", key, 0, time.Second, 1)
				}
			}
		}
		running.Done(0)
		time.Sleep(400*time.Second - time.Millisecond)
		passed, turns := 0, 0
		for _, key := range b.started() {
			if key == "light" {
				passed++
				continue
			}
			if passed > patience*3 {
				b.Errorf("it was passed over %d times", passed)
			}
			passed, turns = 0, turns+1
		}
		if turns < 25 || turns > 35 {
			b.Errorf("it had %d of %d turns", turns, len(b.started()))
		}
		time.Sleep(time.Hour)
	})
}

func TestLaneServedLongestAgoGoesFirstAmongEquals(t *testing.T) {
	bubble(t, Limits{Running: 3}, func(b *bench) {
		first, second, third := b.now("a", 0), b.now("b", 0), b.now("c", 0)
		b.later("b", "b", 0, time.Second, 0)
		b.later("a", "a", 0, time.Second, 0)
		third.Done(0)
		if order := b.started(); !slices.Equal(order, []string{"a"}) {
			b.Error(order)
		}
		first.Done(0)
		second.Done(0)
		time.Sleep(time.Minute)
	})
}

// A lane is at its own limit for a long time. That does not make it overdue:
// nobody passed it over.
func TestLaneThatHoldsUpItselfIsNotPassedOver(t *testing.T) {
	bubble(t, Limits{Running: 2}, func(b *bench) {
		x, y := b.now("x", 0), b.now("x", 0)
		b.later("own", "own", 1, 100*time.Second, 1e6)
		b.later("own", "own", 1, time.Second, 1e6)
		for range 200 {
			b.later("other", "other", 0, time.Second, 1)
		}
		x.Done(0)
		y.Done(0)
		time.Sleep(100*time.Second + time.Millisecond)
		if b.Waiting("own") != 1 {
			b.Error("it went before one that used less")
		}
		time.Sleep(time.Hour)
	})
}

func TestRetryAfterFollowsWhatRequestsTook(t *testing.T) {
	for _, c := range []struct {
		name       string
		took       time.Duration
		busy, full time.Duration
	}{
		{"moments", time.Millisecond, time.Second, time.Second},
		{"a minute", time.Minute, 30 * time.Second, 2 * time.Minute},
		{"an hour", time.Hour, 10 * time.Minute, 10 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, Limits{Running: 2, Waiting: 2}, func(b *bench) {
				for range 3 {
					ticket := b.now("a", 0)
					time.Sleep(c.took)
					ticket.Done(0)
				}
				first, second := b.now("a", 2), b.now("a", 2)
				_, _, err := b.Enter(b.Context(), "a", 2, nil)
				if e, ok := errors.AsType[*BusyError](err); !ok || e.RetryAfter != c.busy {
					b.Error(err)
				}
				// Two lanes wait: each has one of the two slots. The other key
				// has no figures of its own.
				for range 2 {
					b.later("b", "b", 0, 0, 0)
					b.later("c", "c", 0, 0, 0)
				}
				_, _, err = b.Enter(b.Context(), "b", 0, nil)
				if e, ok := errors.AsType[*FullError](err); !ok || e.RetryAfter != c.full {
					b.Error(err)
				}
				first.Done(0)
				second.Done(0)
			})
		})
	}
}

func TestFullLaneOfAKeyWithItsOwnLimitTakesLonger(t *testing.T) {
	bubble(t, Limits{Running: 4, Waiting: 6}, func(b *bench) {
		var running []*Ticket
		for range 4 {
			running = append(running, b.now("x", 0))
		}
		for range 6 {
			b.later("a", "a", 2, 0, 0)
		}
		_, _, err := b.Enter(b.Context(), "a", 2, nil)
		if e, ok := errors.AsType[*FullError](err); !ok || e.RetryAfter != 6*guess/2*time.Second {
			b.Error(err)
		}
		for _, t := range running {
			t.Done(0)
		}
	})
}

func TestEstimateHoldsUntilTheFigureIsKnown(t *testing.T) {
	bubble(t, Limits{}, func(b *bench) {
		debt := func() float64 { return b.lanes["a"].debt(b.kept(time.Now())) }
		ticket := b.now("a", 0)
		time.Sleep(100 * 24 * time.Hour)
		if debt() != minTokens {
			b.Error("at the first start:", debt())
		}
		ticket.Done(1000)
		if debt() != 1000 {
			b.Error("after the figure:", debt())
		}
		time.Sleep(halfLife)
		if debt() != 500 {
			b.Error("after a half-life:", debt())
		}
		ticket = b.now("a", 0)
		if debt() != 1500 {
			b.Error("with the estimate of the next:", debt())
		}
		ticket.Done(-1)
		if debt() != 1500 {
			b.Error("without a figure:", debt())
		}
		b.now("a", 0).Done(0)
		if debt() != 1500+minTokens {
			b.Error("after one without tokens:", debt())
		}
		b.now("a", 0).Done(1 << 62)
		if debt() > 2*maxTokens {
			b.Error("after a wrong figure:", debt())
		}
	})
}

func TestLanesThatMeanNothingAreForgotten(t *testing.T) {
	bubble(t, Limits{Running: 1}, func(b *bench) {
		for i := range 10_000 {
			b.now(fmt.Sprint(i), 0).Done(100)
			time.Sleep(time.Second)
			if n := len(b.lanes); n > 2000 {
				b.Fatalf("%d lanes are remembered after %d keys", n, i+1)
			}
		}
		running := b.now("running", 0)
		b.later("waiting", "waiting", 0, time.Second, 0)
		time.Sleep(24 * time.Hour)
		b.later("last", "last", 0, time.Second, 0)
		if len(b.lanes) != 3 {
			b.Errorf("%d lanes are left", len(b.lanes))
		}
		running.Done(0)
		time.Sleep(time.Minute)
	})
}

func TestRefusalsSayWhatIsFull(t *testing.T) {
	for err, want := range map[error]string{
		&BusyError{90 * time.Second}:      "the key has as many requests running as it may; room in about 1m30s",
		&FullError{65, 160 * time.Second}: "the queue of the key is full; place 65 would be free in about 2m40s",
	} {
		if err.Error() != want {
			t.Error(err)
		}
	}
}
