package share

import (
	"slices"
	"strings"
	"sync"
	"time"

	"paddock/policy"
	"paddock/proxy/heal"
)

// Heal is a model that hung in Ollama and was thrown out of memory, so that the
// next request loads it anew.
type Heal struct {
	Model string    `json:"model"`
	At    time.Time `json:"at"`
	Fault string    `json:"fault,omitempty"` // why that did not work; empty when it did
}

// maxHeals bounds how many of them are remembered.
const maxHeals = 10

// heals are the last few, in memory only.
type heals struct {
	mu   sync.Mutex // guards last
	last []Heal     // the oldest first; never changed in place
}

func (h *heals) add(x Heal) {
	h.mu.Lock()
	defer h.mu.Unlock()
	kept := h.last[max(0, len(h.last)-maxHeals+1):]
	h.last = append(slices.Clip(kept), x)
}

func (h *heals) list() []Heal {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.last)
}

// onHeal is told by the gate what its watchdog did. It does not wait.
func (s *Share) onHeal(e heal.Event) {
	if e.Model == "" {
		return // Ollama as a whole does not answer, which its state shows
	}
	fault := ""
	if e.Err != nil {
		fault = e.Err.Error()
	}
	s.healed(strings.TrimSuffix(policy.Model(e.Model).Short(), ":latest"), e.At, fault)
}

// healed notes that the gate found a model hung, and what became of it.
func (s *Share) healed(model string, at time.Time, fault string) {
	s.heals.add(Heal{Model: bounded(model), At: at, Fault: bounded(fault)})
	s.watch.Wake()
}
