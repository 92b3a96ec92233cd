package proxy

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Sizes of what waits for a slow client. Small pieces are joined, so that the
// spool is full by bytes and not by tokens: a model at 100 tokens a second
// writes some 15 KB a second, so four megabytes are more than it says in the
// minute after which a stalled client is cut.
const (
	chunkSize    = 32 << 10
	plainChunks  = 32  // 1 MiB of an answer that Ollama has ready: it may wait
	streamChunks = 128 // 4 MiB of one that it makes as it goes
)

// lagLimit is how long a write to the client may take before Ollama is read
// beside it. Until then one goroutine reads and writes in turn, which spares
// each token two hops from one goroutine to another.
const lagLimit = 20 * time.Millisecond

// plainPiece is how much of a plain answer is read and written at once: it
// crosses in system calls, and in pieces of 32 KiB they are all one sees.
const plainPiece = 256 << 10

var plainPieces = sync.Pool{New: func() any { b := make([]byte, plainPiece); return &b }}

// overrunPause is how long Ollama waits in the middle of a stream for a client
// that is a whole spool behind. Then the client is cut, since Ollama 0.17.4 can
// hang for everybody when it waits here and the client then leaves.
const overrunPause = 5 * time.Second

// errOverrun says that the client was that far behind for that long.
var errOverrun = errors.New("the client is too far behind")

// A chunk from the pool has its whole size as length; one that is under way has
// what it holds.
var chunks = sync.Pool{New: func() any { b := make([]byte, chunkSize); return &b }}

func newChunk() *[]byte { return chunks.Get().(*[]byte) }

func free(b *[]byte) {
	*b = (*b)[:cap(*b)]
	chunks.Put(b)
}

// spool is a bounded queue between the goroutine that reads Ollama and the one
// that writes to the client. What is big changes hands without a copy, what is
// small is joined to what waits already.
type spool struct {
	most  int           // chunks
	pause time.Duration // how long put waits for room; 0 for as long as it takes

	mu    sync.Mutex // guards what follows
	wait  []*[]byte
	ended bool
	err   error

	more chan struct{} // holds a token when there may be something to take
	room chan struct{} // holds a token when something was taken
}

func newSpool(most int, pause time.Duration) *spool {
	return &spool{most: most, pause: pause, more: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// put hands the first n bytes of b over and returns the chunk to read into next.
// It waits while the spool is full, and answers errOverrun when that lasts.
func (s *spool) put(ctx context.Context, b *[]byte, n int) (*[]byte, error) {
	var late <-chan time.Time
	for {
		s.mu.Lock()
		if len(s.wait) > 0 {
			if last := s.wait[len(s.wait)-1]; len(*last)+n <= chunkSize {
				*last = append(*last, (*b)[:n]...)
				s.mu.Unlock()
				wake(s.more)
				return b, nil
			}
		}
		if len(s.wait) < s.most {
			*b = (*b)[:n]
			s.wait = append(s.wait, b)
			s.mu.Unlock()
			wake(s.more)
			return newChunk(), nil
		}
		s.mu.Unlock()
		if late == nil && s.pause > 0 {
			timer := time.NewTimer(s.pause)
			defer timer.Stop()
			late = timer.C
		}
		select {
		case <-s.room:
		case <-late:
			return b, errOverrun
		case <-ctx.Done():
			return b, context.Cause(ctx)
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

// take waits for a chunk, which is then the caller's, and says whether it was the
// last that waits. At the end it returns none, and the error of end; when ctx
// ends, that of ctx.
func (s *spool) take(ctx context.Context) (b *[]byte, last bool, err error) {
	for ctx.Err() == nil {
		s.mu.Lock()
		if n := len(s.wait); n > 0 {
			b = s.wait[0]
			copy(s.wait, s.wait[1:])
			s.wait[n-1] = nil
			s.wait = s.wait[:n-1]
			s.mu.Unlock()
			wake(s.room)
			return b, n == 1, nil
		}
		ended, err := s.ended, s.err
		s.mu.Unlock()
		if ended {
			return nil, true, err
		}
		select {
		case <-s.more:
		case <-ctx.Done():
		}
	}
	return nil, true, context.Cause(ctx)
}

// drop gives back what nobody took.
func (s *spool) drop() {
	for _, b := range s.wait {
		free(b)
	}
	s.wait = nil
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
