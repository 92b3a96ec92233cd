package standin

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sync"
	"time"
)

// store is what the stand-in has and what it has loaded. Methods lock; values handed out are copies.
type store struct {
	mu      sync.Mutex // guards all below
	models  []model    // in the order they came
	loaded  map[string]*loaded
	blobs   map[string]bool // digests only: nothing will ever read the bytes
	aliases []alias
}

type model struct {
	name     name
	modified time.Time
	system   string
	template string
}

// digest is made from the name, so that it is the same on every start.
func (m model) digest() string {
	sum := sha256.Sum256([]byte(m.name.key()))
	return hex.EncodeToString(sum[:])
}

// loaded is a model in what would be memory.
type loaded struct {
	model   model
	expires time.Time
	context int
	busy    int // requests being answered: a busy model does not expire
	wedged  bool
}

func (s *store) open(names []string) {
	s.loaded = map[string]*loaded{}
	s.blobs = map[string]bool{}
	now := time.Now()
	for _, n := range names {
		if p := parseName(n); p.valid() {
			s.put(model{name: p, modified: now})
		}
	}
}

// find returns the model that n means, in whatever letter case.
func (s *store) find(n name) (model, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.index(n); i >= 0 {
		return s.models[i], true
	}
	return model{}, false
}

func (s *store) index(n name) int {
	key := n.key()
	return slices.IndexFunc(s.models, func(m model) bool { return m.name.key() == key })
}

// put adds m, or replaces the model of that name.
func (s *store) put(m model) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.index(m.name); i >= 0 {
		m.name = s.models[i].name
		s.models[i] = m
		return
	}
	s.models = append(s.models, m)
}

// remove reports whether there was such a model.
func (s *store) remove(n name) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.index(n)
	if i < 0 {
		return false
	}
	s.models = slices.Delete(s.models, i, i+1)
	s.drop(n.key())
	return true
}

// list is newest first.
func (s *store) list() []model {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Clone(s.models)
	slices.SortStableFunc(all, func(a, b model) int { return b.modified.Compare(a.modified) })
	return all
}

// running is the models loaded now, the one that stays longest first.
func (s *store) running() []loaded {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	all := make([]loaded, 0, len(s.loaded))
	for _, l := range s.loaded {
		all = append(all, *l)
	}
	slices.SortFunc(all, func(a, b loaded) int {
		if c := b.expires.Compare(a.expires); c != 0 {
			return c
		}
		return slices.Compare([]byte(a.model.name.key()), []byte(b.model.name.key()))
	})
	return all
}

// expire throws out what is idle and past its time. Nobody can see the difference to a timer, and nothing has to be stopped.
func (s *store) expire() {
	now := time.Now()
	for key, l := range s.loaded {
		if l.busy == 0 && !l.expires.After(now) {
			s.drop(key)
		}
	}
}

// drop forgets a loaded model; requests it is busy with run on, as those in Ollama do.
func (s *store) drop(key string) {
	delete(s.loaded, key)
}

func (s *store) unload(m model) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(m.name.key())
}

// use returns the loaded model, busy with one more request. Without one, or with one of another context length,
// it returns nil and the caller has to load.
func (s *store) use(m model, context int) *loaded {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	l, ok := s.loaded[m.name.key()]
	if !ok || context != 0 && context != l.context {
		return nil
	}
	l.busy++
	return l
}

// load is use for a model whose loading has just been waited for.
func (s *store) load(m model, context int) *loaded {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := m.name.key()
	if l, ok := s.loaded[key]; ok && (context == 0 || context == l.context) {
		l.busy++ // somebody else was quicker
		return l
	}
	s.drop(key)
	if context == 0 {
		context = defaultContext
	}
	l := &loaded{model: m, context: context, busy: 1}
	s.loaded[key] = l
	return l
}

// done ends one use and says how long the model is to stay.
func (s *store) done(l *loaded, stay time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.busy--
	l.expires = time.Now().Add(stay)
}

const defaultContext = 4096
