package proxy

import (
	"context"
	"sync"
)

// maxSpool is how much of an answer may wait for a slow client. It is counted
// in bytes, not in chunks: a model at 100 tokens a second writes some 15 KB a
// second, so it is not held up before the client is cut for stalling.
const maxSpool = 1 << 20

const chunkSize = 16 << 10

var chunks = sync.Pool{New: func() any { b := make([]byte, chunkSize); return &b }}

// free gives a buffer back unless it has grown.
func free(b []byte) {
	if cap(b) == chunkSize {
		b = b[:chunkSize]
		chunks.Put(&b)
	}
}

// spool is a bounded queue of bytes between the goroutine that reads Ollama and
// the one that writes to the client. What waits is joined, so that a client that
// was slow for a moment gets it in one piece.
type spool struct {
	mu    sync.Mutex // guards wait, ended and err
	wait  []byte
	ended bool
	err   error
	more  chan struct{} // holds a token when there may be something to take
	room  chan struct{} // holds a token when something was taken
}

func newSpool() *spool {
	return &spool{wait: (*chunks.Get().(*[]byte))[:0], more: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// put adds a copy of b and waits while the spool is full.
func (s *spool) put(ctx context.Context, b []byte) error {
	for {
		s.mu.Lock()
		fits := len(s.wait) == 0 || len(s.wait)+len(b) <= maxSpool
		if fits {
			s.wait = append(s.wait, b...)
		}
		s.mu.Unlock()
		if fits {
			wake(s.more)
			return nil
		}
		select {
		case <-s.room:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// end says that nothing follows; err is nil after a whole answer.
func (s *spool) end(err error) {
	s.mu.Lock()
	s.ended, s.err = true, err
	s.mu.Unlock()
	wake(s.more)
}

// take waits for bytes and swaps them for the empty buffer given. At the end it
// returns none, and the error of end; when ctx ends, that of ctx.
func (s *spool) take(ctx context.Context, spare []byte) ([]byte, error) {
	for {
		if ctx.Err() != nil {
			return spare[:0], context.Cause(ctx)
		}
		s.mu.Lock()
		if len(s.wait) > 0 {
			b := s.wait
			s.wait = spare[:0]
			s.mu.Unlock()
			wake(s.room)
			return b, nil
		}
		ended, err := s.ended, s.err
		s.mu.Unlock()
		if ended {
			return spare[:0], err
		}
		select {
		case <-s.more:
		case <-ctx.Done():
		}
	}
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
