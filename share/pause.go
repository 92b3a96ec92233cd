package share

import (
	"fmt"
	"time"
)

// Pause answers everybody with 503 for a time, or for 0 until Resume. Requests
// that run may finish. Without sharing it does nothing.
func (s *Share) Pause(d time.Duration) {
	now := time.Now()
	s.mu.Lock()
	if !s.wanted || s.closed {
		s.mu.Unlock()
		return
	}
	s.paused, s.pausedUntil = true, time.Time{}
	words := "Paused until resumed"
	if d > 0 {
		s.pausedUntil = now.Add(d).Round(0) // by the clock on the wall, also over a sleep
		words = "Paused until " + s.pausedUntil.Format("15:04")
	}
	s.gate.Pause(s.pausedUntil)
	s.mu.Unlock()
	s.o.Log.Note(now, words)
	s.watch.Wake()
}

// Resume ends a Pause.
func (s *Share) Resume() {
	if s.endPause() {
		s.o.Log.Note(time.Now(), "Resumed")
	}
}

// endPause says whether there was one.
func (s *Share) endPause() bool {
	s.mu.Lock()
	was := s.paused
	s.paused = false
	s.gate.Resume()
	s.mu.Unlock()
	if was {
		s.watch.Wake()
	}
	return was
}

// pauseOver ends a pause whose time has come. The gate has let everybody in
// since that very moment.
func (s *Share) pauseOver() {
	s.mu.Lock()
	over := s.paused && !s.pausedUntil.IsZero() && !time.Now().Before(s.pausedUntil)
	if over {
		s.paused = false
		s.gate.Resume()
	}
	s.mu.Unlock()
	if over {
		s.o.Log.Note(time.Now(), "Resumed")
		s.watch.Wake()
	}
}

// Panic closes the port, cuts every request and suspends every key, in this
// order of effect: nobody new, nobody still in, nobody later. After an
// *keystore.UnsavedError all of that holds too, until the program ends.
// UndoPanic takes it back.
func (s *Share) Panic() error {
	s.mu.Lock()
	s.sharedAtPanic = s.sharedAtPanic || s.wanted
	s.panicked = true
	s.panics++
	s.mu.Unlock()
	s.gate.Drain(true)
	s.want(false)
	names, err := s.o.Keys.SuspendAll()
	cut := s.gate.Panic()
	s.endPause()
	s.o.Log.Note(time.Now(), fmt.Sprintf("Panic: %s cut, %s suspended", count(cut, "request", "requests"), count(len(names), "key", "keys")))
	s.watch.Wake()
	return err
}

// UndoPanic lets those keys in again that Panic suspended, and shares if that was
// so before. When the keys cannot be written down nothing happens.
func (s *Share) UndoPanic() error {
	names, err := s.o.Keys.ResumeAll()
	if err != nil {
		return err
	}
	s.mu.Lock()
	again := s.sharedAtPanic
	s.panicked, s.sharedAtPanic = false, false
	s.mu.Unlock()
	s.o.Log.Note(time.Now(), fmt.Sprintf("Panic taken back: %s let in again", count(len(names), "key", "keys")))
	if again {
		s.Start()
	}
	s.watch.Wake()
	return nil
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
