package share

import (
	"slices"
	"strings"
	"sync"
	"time"

	"paddock/policy"
	"paddock/proxy"
	"paddock/settings"
)

// Websites says which web origins may use the gate, and which were refused.
// Programs send no origin and are not affected by any of it.
type Websites struct {
	Presets []PresetState       `json:"presets"` // in the order of policy.Presets
	List    []policy.OriginRule `json:"list"`    // the owner's own lines, the oldest first
	// Refused are those that nobody has decided about, the newest first. They
	// are kept in memory only, the hundred that came last.
	Refused []RefusedOrigin `json:"refused"`
}

// PresetState is one preset with its switch.
type PresetState struct {
	Name     string   `json:"name"`
	Allowed  bool     `json:"allowed"`
	Patterns []string `json:"patterns"`
}

// RefusedOrigin is a website that asked and was not allowed.
type RefusedOrigin struct {
	Origin string    `json:"origin"`
	Count  int       `json:"count"`
	First  time.Time `json:"first"`
	Last   time.Time `json:"last"`
}

// maxRefused bounds how many refused websites are remembered. Whoever reaches
// the port can send any number of names, without a key.
const maxRefused = 100

// websites is what the gate was told about origins, and what it refused since.
type websites struct {
	gate    *proxy.Gate
	changed chan struct{} // gets a token when State may have changed

	applying sync.Mutex // one apply at a time, so that the last word is the newest

	mu      sync.Mutex          // guards what follows; held for moments only, since requests wait for it
	rules   []policy.OriginRule // like origins written by apply alone
	origins *policy.Origins
	refused map[string]*RefusedOrigin
}

func newWebsites() *websites {
	return &websites{changed: make(chan struct{}, 1), refused: map[string]*RefusedOrigin{}}
}

// apply brings the gate in line with the settings. When it returns the very
// next request is judged by them.
func (w *websites) apply(store *settings.Store) {
	w.applying.Lock()
	defer w.applying.Unlock()
	rules := store.Get().Origins
	if w.origins != nil && slices.Equal(rules, w.rules) { // nobody else changes them
		return
	}
	origins := policy.NewOrigins(rules)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rules, w.origins = rules, origins
	w.gate.SetOrigins(origins)
	for origin := range w.refused {
		if w.decided(origin) {
			delete(w.refused, origin)
		}
	}
	token(w.changed)
}

// decided says whether the owner has said yes or no to an origin. It needs w.mu.
func (w *websites) decided(origin string) bool {
	return w.origins.Allows(origin) || slices.ContainsFunc(w.rules, func(r policy.OriginRule) bool { return r.Origin == origin })
}

// refuse notes that a page was refused. The origin is spelled as browsers spell
// one.
func (w *websites) refuse(origin string, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.decided(origin) {
		return // no, or a yes that came while the request was judged
	}
	r := w.refused[origin]
	if r == nil {
		if len(w.refused) >= maxRefused {
			w.forgetOne()
		}
		r = &RefusedOrigin{Origin: origin, First: at}
		w.refused[origin] = r
	}
	r.Count++
	if at.After(r.Last) {
		r.Last = at
	}
	token(w.changed)
}

// forgetOne makes room: the one that was seen least lately leaves. It needs w.mu.
func (w *websites) forgetOne() {
	var oldest *RefusedOrigin
	for _, r := range w.refused {
		if oldest == nil || r.Last.Before(oldest.Last) {
			oldest = r
		}
	}
	delete(w.refused, oldest.Origin)
}

// state returns the picture as it is now.
func (w *websites) state() Websites {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := Websites{Presets: []PresetState{}, List: []policy.OriginRule{}, Refused: []RefusedOrigin{}}
	for _, p := range policy.Presets() {
		on := slices.Contains(w.rules, policy.OriginRule{Origin: p.Name, Allowed: true})
		out.Presets = append(out.Presets, PresetState{p.Name, on, p.Patterns})
	}
	for _, r := range w.rules {
		if _, preset := policy.FindPreset(r.Origin); !preset {
			out.List = append(out.List, r)
		}
	}
	for _, r := range w.refused {
		out.Refused = append(out.Refused, *r)
	}
	slices.SortFunc(out.Refused, func(a, b RefusedOrigin) int {
		if c := b.Last.Compare(a.Last); c != 0 {
			return c
		}
		return strings.Compare(a.Origin, b.Origin)
	})
	return out
}

// AllowOrigin lets the pages of a website, a pattern of them or a preset use
// the gate, from the very next request on. The errors are those of
// settings.Store.SetOrigin.
func (s *Share) AllowOrigin(origin string) error { return s.setOrigin(origin, true) }

// BlockOrigin refuses them and keeps the line. The errors are those of AllowOrigin.
func (s *Share) BlockOrigin(origin string) error { return s.setOrigin(origin, false) }

// RemoveOrigin takes the line out of the list, so that what is not allowed by
// another one is refused. The errors are those of settings.Store.RemoveOrigin.
func (s *Share) RemoveOrigin(origin string) error {
	err := s.o.Settings.RemoveOrigin(origin)
	s.sites.apply(s.o.Settings)
	return err
}

func (s *Share) setOrigin(origin string, allowed bool) error {
	err := s.o.Settings.SetOrigin(policy.OriginRule{Origin: origin, Allowed: allowed})
	s.sites.apply(s.o.Settings)
	return err
}
