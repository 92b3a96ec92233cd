package proxy

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// upload is a request body that is passed on while it arrives. Each read must
// make progress within the pause, and it counts what came.
//
// The deadline is taken away at the end of the body: net/http then watches the
// connection for a client that leaves, and takes a deadline for one.
type upload struct {
	body  io.Reader
	rc    *http.ResponseController
	pause time.Duration

	mu      sync.Mutex // guards what follows, and the deadline with stopped
	until   time.Time  // the deadline that is set
	reading time.Time  // since when a read waits, zero while none does
	stopped bool
	ended   bool
	slow    bool
	n       int64
}

// Read implements io.Reader.
func (u *upload) Read(p []byte) (int, error) {
	began := time.Now()
	u.deadline(began)
	n, err := u.body.Read(p)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.n += int64(n)
	u.reading = time.Time{}
	if err != nil {
		u.ended = u.ended || errors.Is(err, io.EOF)
		// By the clock and not by stopped: net/http ends the request's context
		// when this read fails, which calls stop before we get here.
		u.slow = u.slow || errors.Is(err, os.ErrDeadlineExceeded) && time.Since(began) >= u.pause
		if !u.stopped {
			_ = u.rc.SetReadDeadline(time.Time{})
		}
	}
	return n, err
}

// Close implements io.Closer. The transport calls it at times of its own, even
// after an answer has begun; the body itself is closed by whoever calls stop.
func (u *upload) Close() error { return nil }

// deadline gives the next read the pause at least, and half as much again at
// most: a deadline for each of a hundred thousand reads costs more than the reads.
func (u *upload) deadline(now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.reading = now
	if !u.stopped && u.until.Sub(now) < u.pause {
		u.until = now.Add(u.pause + u.pause/2)
		_ = u.rc.SetReadDeadline(u.until)
	}
}

// stop ends the reading: a body that has not ended yet is given the time left.
func (u *upload) stop(left time.Duration) (n int64, slow bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.stopped && !u.ended {
		_ = u.rc.SetReadDeadline(time.Now().Add(left))
	}
	u.stopped = true
	return u.n, u.slow
}

// tooSlow says whether the body failed to make progress. A read that has just run
// into the deadline counts, though it has not returned: net/http ends the request's
// context first, and whoever asks may come before it.
func (u *upload) tooSlow() bool {
	if u == nil {
		return false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.slow || !u.reading.IsZero() && time.Since(u.reading) >= u.pause
}
