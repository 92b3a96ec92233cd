package heal

import "time"

// most is how many models are remembered before those of which there is nothing
// to remember are forgotten. Names come from requests.
const mostModels = 256

// model is what is known of one model.
type model struct {
	call        Call     // the last one, for the names
	first, last *Attempt // those that wait for a first byte
	streams     int      // answers under way
	suspect     bool     // somebody left in the middle of a stream, and nobody was answered since
	silence     time.Duration
	healed      time.Time     // when the last healing ended
	healing     chan struct{} // closed when the one under way is over
	seen        sighting      // the last one in /api/ps
	ask         time.Time     // not before
}

// model finds or makes a model. The caller holds mu.
func (w *Watchdog) model(c Call) *model {
	m := w.models[c.Model]
	if m == nil {
		if len(w.models) >= mostModels {
			for name, other := range w.models {
				if other.boring() {
					delete(w.models, name)
				}
			}
		}
		m = &model{}
		w.models[c.Model] = m
	}
	m.call = c
	return m
}

// boring says that a model may be forgotten. A silence may: it only makes the
// next one last longer.
func (m *model) boring() bool {
	return m.first == nil && m.streams == 0 && !m.suspect && m.healing == nil &&
		(m.healed.IsZero() || time.Since(m.healed) >= once)
}

// alive says that the model just gave a sign of life.
func (m *model) alive() { m.silence = 0 }

// unsee says that expires_at changes because the last request of ours is over:
// that is no sign of life.
func (m *model) unsee() {
	if m.first == nil && m.streams == 0 {
		m.seen.at = time.Time{}
	}
}

// forget takes back what is known of a runner that is gone.
func (m *model) forget() {
	m.alive()
	m.suspect, m.seen = false, sighting{}
}

func (m *model) push(a *Attempt) {
	a.prev, a.next = m.last, nil
	if m.last != nil {
		m.last.next = a
	} else {
		m.first = a
	}
	m.last = a
}

func (m *model) remove(a *Attempt) {
	if a.prev != nil {
		a.prev.next = a.next
	} else {
		m.first = a.next
	}
	if a.next != nil {
		a.next.prev = a.prev
	} else {
		m.last = a.prev
	}
	a.next, a.prev = nil, nil
}
