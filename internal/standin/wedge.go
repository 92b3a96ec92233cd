package standin

// Wedge puts a loaded model into the state that some versions of Ollama fall into when a client leaves at the wrong
// moment: it answers nobody, without an error or a time-out, until it is unloaded with keep_alive 0.
// It reports whether the model was loaded.
func (s *Server) Wedge(model string) bool {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	l, ok := s.store.loaded[parseName(model).key()]
	if ok {
		l.wedged = true
	}
	return ok
}

func (s *store) isWedged(l *loaded) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return l.wedged
}
