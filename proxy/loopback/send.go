package loopback

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
)

var (
	errBodyLong  = errors.New("the request's body is longer than it was said to be")
	errBodyPanic = errors.New("a fault while a request's body was read")
)

// pieceSize is how much of a streamed body is read and written at once.
const pieceSize = 256 << 10

// pieces are longer by what frames a chunk: its size before and a line end behind.
var pieces = sync.Pool{New: func() any { b := make([]byte, frontSize+pieceSize+2); return &b }}

// frontSize holds the largest chunk's size in hexadecimal and CR LF.
const frontSize = len("10000\r\n")

// sender writes a body in a goroutine of its own, so that an answer that comes
// before the end is read. A nil sender has sent everything already.
type sender struct {
	nc     net.Conn
	body   io.ReadCloser
	length int64
	heard  atomic.Bool // an answer has begun
	result chan error  // gets one: nil when all is written
}

func newSender(nc net.Conn, o *outgoing) *sender {
	return &sender{nc: nc, body: o.body, length: o.length, result: make(chan error, 1)}
}

// bodyError is an error of the body's, not of the connection's.
type bodyError struct{ error }

func (e bodyError) Unwrap() error { return e.error }

// run sends the body, behind the head if there is one.
func (s *sender) run(head []byte) {
	err := s.write(head)
	closeBody(s.body)
	s.result <- err // before the connection ends, so that who waits for an answer sees why
	if _, ok := errors.AsType[bodyError](err); !ok {
		return // the reader will see what became of the connection
	}
	if half, ok := s.nc.(interface{ CloseWrite() error }); ok && s.heard.Load() {
		// The server learns that nothing more comes, its answer is still read.
		_ = half.CloseWrite()
		return
	}
	s.nc.Close()
}

func (s *sender) write(head []byte) (err error) {
	defer func() {
		// A panic here would end the whole program. The value may quote the body.
		if recover() != nil {
			err = bodyError{errBodyPanic}
		}
	}()
	if head != nil {
		return s.whole(head)
	}
	if s.length < 0 {
		return s.chunks()
	}
	return s.known()
}

// whole writes head and body from memory with as few copies as the body allows.
func (s *sender) whole(head []byte) error {
	w := &behindHead{nc: s.nc, head: head, left: s.length}
	_, err := io.Copy(w, s.body)
	if err == nil && w.left > 0 {
		err = bodyError{io.ErrUnexpectedEOF}
	}
	return err
}

// behindHead writes what it gets to a connection, the first of it in one go with
// the head.
type behindHead struct {
	nc   net.Conn
	head []byte
	left int64
}

func (w *behindHead) Write(p []byte) (int, error) {
	if w.left -= int64(len(p)); w.left < 0 {
		return 0, bodyError{errBodyLong}
	}
	if w.head == nil {
		return w.nc.Write(p)
	}
	both := net.Buffers{w.head, p}
	n, err := both.WriteTo(w.nc)
	n = max(0, n-int64(len(w.head)))
	w.head = nil
	return int(n), err
}

// known streams a body of a known length. It reads it to its very end, because
// bodies tell by that whether they were whole.
func (s *sender) known() error {
	piece := pieces.Get().(*[]byte)
	defer pieces.Put(piece)
	for left := s.length; ; {
		n, err := s.body.Read((*piece)[:pieceSize])
		if left -= int64(n); left < 0 {
			return bodyError{errBodyLong}
		}
		if n > 0 {
			if _, err := s.nc.Write((*piece)[:n]); err != nil {
				return fmt.Errorf("sending a body: %w", err)
			}
		}
		switch {
		case errors.Is(err, io.EOF) && left == 0:
			return nil
		case errors.Is(err, io.EOF):
			return bodyError{io.ErrUnexpectedEOF}
		case err != nil:
			return bodyError{err}
		}
	}
}

// chunks streams a body of unknown length, each piece as it comes.
func (s *sender) chunks() error {
	piece := pieces.Get().(*[]byte)
	defer pieces.Put(piece)
	for {
		n, err := s.body.Read((*piece)[frontSize : frontSize+pieceSize])
		if n > 0 {
			if _, err := s.nc.Write(framed(*piece, n)); err != nil {
				return fmt.Errorf("sending a body: %w", err)
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			if _, err := io.WriteString(s.nc, "0\r\n\r\n"); err != nil {
				return fmt.Errorf("sending a body: %w", err)
			}
			return nil
		case err != nil:
			return bodyError{err}
		}
	}
}

// framed makes a chunk of the n bytes that stand behind the front.
func framed(piece []byte, n int) []byte {
	var digits [16]byte
	size := append(strconv.AppendInt(digits[:0], int64(n), 16), '\r', '\n')
	start := frontSize - len(size)
	copy(piece[start:], size)
	end := frontSize + n
	copy(piece[end:], "\r\n")
	return piece[start : end+2]
}

// answered notes that an answer has begun.
func (s *sender) answered() {
	if s != nil {
		s.heard.Store(true)
	}
}

// complete says whether all is written by now.
func (s *sender) complete() bool {
	if s == nil {
		return true
	}
	select {
	case err := <-s.result:
		return err == nil
	default:
		return false
	}
}

// fault is what went wrong with the body itself, if that is known by now.
func (s *sender) fault() error {
	if s == nil {
		return nil
	}
	select {
	case err := <-s.result:
		if f, ok := errors.AsType[bodyError](err); ok {
			return f.error
		}
	default:
	}
	return nil
}
