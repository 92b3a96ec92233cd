package awake

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// system stands for what gives locks.
type system struct {
	mu sync.Mutex // guards what follows
	facts
}

type facts struct {
	asked    int
	held     int
	refusal  error
	hangs    bool
	lost     chan struct{}
	lastAsk  time.Time
	released time.Time
	why      string
}

func (s *system) take(ctx context.Context, why string) (*lock, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	s.lastAsk, s.why = time.Now(), why
	if s.hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if s.refusal != nil {
		return nil, s.refusal
	}
	s.held++
	s.lost = make(chan struct{})
	return &lock{lost: s.lost, release: func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.held--
		s.released = time.Now()
	}}, nil
}

func (s *system) now() facts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.facts
}

func (s *system) refuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusal = err
}

// inBubble runs a test whose clock jumps.
func inBubble(t *testing.T, s *system, f func(t *testing.T, h *Holder)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := start("lends a model", s.take, linger, again)
		defer h.Close()
		f(t, h)
	})
}

func says(t *testing.T, h *Holder, held bool, err error) {
	t.Helper()
	synctest.Wait()
	if got, e := h.State(); got != held || !errors.Is(e, err) || (err == nil) != (e == nil) {
		t.Errorf("it says held %v, %v; want %v, %v", got, e, held, err)
	}
}

func TestNothingIsAskedBeforeItIsSet(t *testing.T) {
	s := &system{}
	inBubble(t, s, func(t *testing.T, h *Holder) {
		time.Sleep(time.Hour)
		says(t, h, false, nil)
		if s.now().asked != 0 {
			t.Errorf("the system was asked %d times", s.now().asked)
		}
	})
}

func TestRequestsInARowAreOneHold(t *testing.T) {
	s := &system{}
	inBubble(t, s, func(t *testing.T, h *Holder) {
		for range 20 {
			h.Set(true)
			h.Set(true)
			says(t, h, true, nil)
			time.Sleep(time.Minute)
			h.Set(false)
			h.Set(false)
			time.Sleep(linger - time.Millisecond)
			says(t, h, true, nil)
		}
		if s.now().asked != 1 || s.now().why != "lends a model" {
			t.Errorf("the system was asked %d times, because %q", s.now().asked, s.now().why)
		}
		time.Sleep(time.Millisecond)
		says(t, h, false, nil)
		if s.now().held != 0 {
			t.Errorf("%d locks are left", s.now().held)
		}
	})
}

func TestTheLingerCountsFromTheLastRequest(t *testing.T) {
	s := &system{}
	inBubble(t, s, func(t *testing.T, h *Holder) {
		h.Set(true)
		synctest.Wait()
		h.Set(false)
		time.Sleep(linger / 2)
		h.Set(true)
		time.Sleep(time.Minute)
		h.Set(false)
		ended := time.Now()
		time.Sleep(linger / 2)
		h.Set(false) // says nothing new, so it does not begin anew
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := s.now().released.Sub(ended); got != linger {
			t.Errorf("it was let go %v after the last request", got)
		}
	})
}

func TestCloseLetsGoAtOnce(t *testing.T) {
	s := &system{}
	inBubble(t, s, func(t *testing.T, h *Holder) {
		h.Set(true)
		says(t, h, true, nil)
		before := time.Now()
		h.Close()
		if s.now().held != 0 || time.Since(before) != 0 {
			t.Errorf("%d locks are left after %v", s.now().held, time.Since(before))
		}
		h.Close()
		h.Set(true)
		time.Sleep(time.Hour)
		says(t, h, false, nil)
		if s.now().asked != 1 {
			t.Errorf("the system was asked %d times", s.now().asked)
		}
	})
}

func TestARefusalIsToldAndAskedAboutAgainLater(t *testing.T) {
	no := errors.New("not allowed")
	s := &system{facts: facts{refusal: no}}
	inBubble(t, s, func(t *testing.T, h *Holder) {
		h.Set(true)
		says(t, h, false, no)
		h.Set(false)
		says(t, h, false, nil) // nobody asks, so nothing is wrong
		for range 9 {          // many short requests ask the system no more often
			h.Set(true)
			time.Sleep(time.Second)
			h.Set(false)
			time.Sleep(2 * time.Second)
		}
		if s.now().asked != 1 {
			t.Errorf("the system was asked %d times", s.now().asked)
		}
		s.refuse(nil)
		h.Set(true)
		time.Sleep(again)
		says(t, h, true, nil)
		if s.now().asked != 2 {
			t.Errorf("the system was asked %d times", s.now().asked)
		}
	})
}

func TestALockThatIsLostIsToldAndTakenAgain(t *testing.T) {
	s := &system{}
	inBubble(t, s, func(t *testing.T, h *Holder) {
		h.Set(true)
		says(t, h, true, nil)
		close(s.now().lost)
		says(t, h, false, errLost)
		if s.now().held != 0 {
			t.Errorf("%d locks are left", s.now().held)
		}
		gone := time.Now()
		time.Sleep(again)
		says(t, h, true, nil)
		if got := s.now().lastAsk.Sub(gone); got != again {
			t.Errorf("it was asked for again after %v", got)
		}
	})
}

func TestALockThatIsLostWhileItLingersIsNotTakenAgain(t *testing.T) {
	s := &system{}
	inBubble(t, s, func(t *testing.T, h *Holder) {
		h.Set(true)
		says(t, h, true, nil)
		h.Set(false)
		close(s.now().lost)
		time.Sleep(time.Hour)
		says(t, h, false, nil)
		if s.now().asked != 1 || s.now().held != 0 {
			t.Errorf("asked %d times, %d locks are left", s.now().asked, s.now().held)
		}
	})
}

func TestASystemThatHangsHoldsUpNobody(t *testing.T) {
	s := &system{facts: facts{hangs: true}}
	inBubble(t, s, func(t *testing.T, h *Holder) {
		before := time.Now()
		h.Set(true)
		synctest.Wait()
		h.Set(false)
		h.Set(true)
		if held, err := h.State(); held || err != nil {
			t.Errorf("it says held %v, %v", held, err)
		}
		h.Close()
		if time.Since(before) != 0 {
			t.Errorf("that took %v", time.Since(before))
		}
	})
}
