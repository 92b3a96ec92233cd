package heal

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// sighting is what /api/ps said of a model, and when by our clock. The zero value
// is none.
type sighting struct {
	at      time.Time
	expires time.Time
	context int64 // tokens
}

// drift is how far "now + keep_alive" may be from moving just as our clock does.
const drift = 500 * time.Millisecond

// state is what two sightings tell.
type state int

const (
	unknown state = iota // there is only one
	still                // expires_at did not change: not loading, and idle, busy or wedged
	moving               // it moved with the clock: never idle since it was loaded, or loading
	used                 // it changed otherwise: somebody's request ended meanwhile
)

func compare(before, now sighting) state {
	elapsed, moved := now.at.Sub(before.at), now.expires.Sub(before.expires)
	switch {
	case before.at.IsZero():
		return unknown
	case moved == 0:
		return still
	case (moved - elapsed).Abs() <= drift:
		return moving
	}
	return used
}

// look counts the time of all who wait, and asks Ollama about the models whose
// silence is long.
func (w *Watchdog) look(ctx context.Context) {
	target := w.Upstream()
	due := w.count(target)
	if len(due) == 0 {
		return
	}
	seen, err := w.list(ctx, target)
	if ctx.Err() != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		for _, m := range due {
			m.ask = time.Now().Add(askPause)
		}
		if !w.deaf {
			w.deaf = true
			w.tasks.Go(func() {
				defer w.rescue()
				w.tell(Event{Err: fmt.Errorf("a model may be stuck, but Ollama does not say what is in its memory: %w", err)})
			})
		}
		return
	}
	w.deaf = false
	for name, m := range due {
		w.judge(ctx, name, m, seen[name], target)
	}
}

// count adds the time since the last look to every silence, and returns the
// models about which Ollama has to be asked.
func (w *Watchdog) count(target *url.URL) map[string]*model {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	// Time in which this computer slept, or this program did not run, is no
	// silence of Ollama's.
	passed := min(now.Sub(w.last), 2*tick)
	w.last = now
	if target == nil {
		return nil
	}
	if address := target.String(); address != w.address {
		for _, m := range w.models {
			if w.address != "" {
				m.forget()
			}
		}
		w.address, w.deaf = address, false
	}
	var due map[string]*model
	for name, m := range w.models {
		if m.first == nil || m.streams > 0 {
			continue
		}
		m.silence += passed
		for a := m.first; a != nil; a = a.next {
			a.waited += passed
		}
		limit, possible := m.patience()
		if possible && m.silence >= limit-ahead && !now.Before(m.ask) {
			if due == nil {
				due = map[string]*model{}
			}
			due[name] = m
		}
	}
	return due
}

// patience is how long the model may be silent, and whether it can be healed at
// all: not while an answer is under way, which keeps it in memory, nor while a
// request waits that was sent again already.
func (m *model) patience() (limit time.Duration, possible bool) {
	if m.healing != nil || m.streams > 0 || m.first == nil {
		return 0, false
	}
	if !m.healed.IsZero() && time.Since(m.healed) < once {
		return 0, false
	}
	// Which of them has the slot is not known, so that all get the time that the
	// most patient one needs.
	for a := m.first; a != nil; a = a.next {
		if a.again {
			return 0, false
		}
		limit = max(limit, a.call.allowance(m.suspect, m.seen.context))
	}
	return limit, true
}

// judge decides about one model by what /api/ps says of it now. The caller
// holds mu.
func (w *Watchdog) judge(ctx context.Context, name string, m *model, now *sighting, target *url.URL) {
	limit, possible := m.patience() // things may have changed during the question
	m.ask = time.Now().Add(askPause)
	switch {
	case !possible:
		return
	case now == nil:
		m.forget() // it loads, or waits for others to make room
		return
	}
	state := compare(m.seen, *now)
	m.seen = *now
	switch {
	case state == used:
		m.alive()
	case state == unknown, m.silence < limit, m.first.waited < leastWait:
	case state == still, state == moving && m.suspect:
		m.healing = make(chan struct{})
		w.tasks.Go(func() { w.heal(ctx, name, m, target) })
	default:
		m.ask = time.Now().Add(askLater)
	}
}

// heal has one model loaded anew. It runs in a goroutine of its own, because two
// models may be wedged at once.
func (w *Watchdog) heal(ctx context.Context, name string, m *model, target *url.URL) {
	began := time.Now()
	err := errors.New("a fault while the model was healed") // unless reload returns
	w.mu.Lock()
	e := Event{Model: name, Waited: m.silence}
	send := m.call.Send
	w.mu.Unlock()
	defer w.rescue()
	defer func() {
		w.mu.Lock()
		m.healed = time.Now()
		if err == nil {
			m.forget()
		}
		close(m.healing)
		m.healing = nil
		w.mu.Unlock()
		if !errors.Is(err, errRecovered) && ctx.Err() == nil {
			e.Took, e.Err = time.Since(began), err
			w.tell(e)
		}
	}()
	e.Waiting, err = w.reload(ctx, name, send, m, target)
}

// errRecovered says that the model answered before anything was done to it.
var errRecovered = errors.New("the model answers again")

// reload unloads a model and returns when it is gone, and how many requests it
// cancelled for that. They wait for the end of the healing.
func (w *Watchdog) reload(ctx context.Context, name, send string, m *model, target *url.URL) (cancelled int, err error) {
	ctx, stop := context.WithTimeout(ctx, goLimit)
	defer stop()
	// First the question and then the cancelling: if Ollama does not answer, being
	// dead or loading the model, nobody loses anything.
	if err := w.unload(ctx, target, send); err != nil {
		return 0, fmt.Errorf("unload the model: %w", err)
	}
	w.mu.Lock()
	if m.streams > 0 {
		w.mu.Unlock()
		return 0, errRecovered
	}
	for m.first != nil {
		m.first.cancel()
		cancelled++
	}
	w.mu.Unlock()
	asked := time.Now()
	last := ErrStays
	for {
		seen, err := w.list(ctx, target)
		switch {
		case err == nil && seen[name] == nil:
			return cancelled, nil
		case err == nil && time.Since(asked) >= unloadAgain:
			asked = time.Now()
			err = w.unload(ctx, target, send)
		}
		if err != nil && ctx.Err() == nil {
			last = fmt.Errorf("unload the model: %w", err)
		}
		select {
		case <-time.After(goPause):
		case <-ctx.Done():
			return cancelled, last
		}
	}
}
