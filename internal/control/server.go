package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"
)

// maxConns is how many connections are held at a time; more are told that it is
// busy.
const maxConns = 64

// patience is what keeps a client from holding the instance up.
type patience struct {
	request time.Duration // for the request to arrive
	line    time.Duration // for one line of the answer to be taken
}

var usualPatience = patience{request: 5 * time.Second, line: 10 * time.Second}

// The codes that the socket itself answers with. Handlers add their own.
const (
	CodeFailed     = "failed"      // an error of the handler that has no code
	CodeInternal   = "internal"    // a fault of ours
	CodeBadRequest = "bad-request" // not a request
	CodeBusy       = "busy"        // too many connections
	CodeTooLong    = "too-long"    // a result of more than 1 MiB
)

// Handler answers one request. ctx ends when the client goes away or the Server
// closes; emit sends an event, from any goroutine until the Handler returns, and
// fails when nobody reads any more. An error with a `Code() string` method, in
// its chain, carries its code across. Many Handlers run at a time.
type Handler func(ctx context.Context, op string, args json.RawMessage, emit func(any) error) (any, error)

// Server answers on the control socket of one home.
type Server struct {
	lock   *Lock
	handle Handler
	wait   patience
	l      *net.UnixListener
	path   string

	ctx  context.Context //nolint:containedctx // the life of the server, from which every request's comes
	stop context.CancelFunc
	done sync.WaitGroup // the accepting goroutine, and one for each connection
	once sync.Once
	err  error // of Close

	mu    sync.Mutex // guards conns
	conns map[*net.UnixConn]bool
}

// Serve opens the control socket of a claimed home and answers until Close. A
// home has one Server at a time.
func Serve(lock *Lock, handle Handler) (*Server, error) {
	return serve(lock, handle, usualPatience)
}

func serve(lock *Lock, handle Handler, wait patience) (*Server, error) {
	lock.mu.Lock()
	defer lock.mu.Unlock()
	if !lock.file.Locked() {
		return nil, errors.New("opening the control socket: the home is not claimed")
	}
	if lock.served {
		return nil, errors.New("opening the control socket: it is open")
	}
	ctx, stop := context.WithCancel(context.Background())
	l, path, err := bind(ctx, lock.home)
	if err != nil {
		stop()
		return nil, err
	}
	lock.served = true
	s := &Server{
		lock: lock, handle: handle, wait: wait, l: l, path: path, ctx: ctx, stop: stop,
		conns: map[*net.UnixConn]bool{},
	}
	s.done.Go(s.accept)
	return s, nil
}

// Path returns where the socket is.
func (s *Server) Path() string { return s.path }

// Close stops accepting, ends the contexts of running requests, waits until
// their Handlers have answered, and removes the socket. A Handler must not call
// it, since it would wait for itself. A second call returns what the first did.
func (s *Server) Close() error {
	s.once.Do(func() {
		// The names go while we surely own them, before a next instance can.
		_ = os.Remove(filepath.Join(s.lock.home, pointerFile))
		discard(s.path)
		s.err = s.l.Close()
		s.stop()
		s.mu.Lock()
		for c := range s.conns {
			_ = c.SetReadDeadline(time.Now()) // wakes those who wait for a request; answers still go out
		}
		s.mu.Unlock()
		s.done.Wait()
		s.lock.mu.Lock()
		s.lock.served = false
		s.lock.mu.Unlock()
	})
	return s.err
}

func (s *Server) accept() {
	pause := 5 * time.Millisecond
	for {
		c, err := s.l.AcceptUnix()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // no file descriptors left: others must give theirs back first
			select {
			case <-s.ctx.Done():
				return
			case <-time.After(pause):
			}
			pause = min(2*pause, time.Second)
			continue
		}
		pause = 5 * time.Millisecond
		s.mu.Lock()
		full := len(s.conns) >= maxConns
		if !full {
			s.conns[c] = true
		}
		s.mu.Unlock()
		if full {
			refuse(c, CodeBusy, "too many connections")
			continue
		}
		s.done.Go(func() {
			defer func() {
				s.mu.Lock()
				delete(s.conns, c)
				s.mu.Unlock()
				_ = c.Close()
			}()
			s.serve(c)
		})
	}
}

// refuse answers without waiting: the line fits into an empty socket buffer.
func refuse(c *net.UnixConn, code, message string) {
	_ = c.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
	if line, err := encode(answer{Error: &problem{Code: code, Message: message}}); err == nil {
		_, _ = c.Write(line)
	}
	_ = c.Close()
}

func (s *Server) serve(c *net.UnixConn) {
	if err := checkPeer(c, os.Getuid()); err != nil {
		return // a stranger gets no answer, and learns nothing
	}
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	out := &writer{c: c, wait: s.wait.line, cancel: cancel}
	q, err := s.read(c)
	switch {
	case errors.Is(err, errBadRequest):
		out.fail(CodeBadRequest, err.Error())
		return
	case err != nil:
		return // gone without asking, as Dial does
	}
	var watcher sync.WaitGroup
	watcher.Go(func() {
		defer cancel() // nothing more is to come, so this returns when the client is gone
		_, _ = io.Copy(io.Discard, c)
	})
	result, err := s.call(ctx, q, out.event)
	out.finish(result, err)
	_ = c.SetReadDeadline(time.Now())
	watcher.Wait()
}

var errBadRequest = errors.New("bad request")

func (s *Server) read(c *net.UnixConn) (request, error) {
	_ = c.SetReadDeadline(time.Now().Add(s.wait.request))
	// Close sets the deadline of every connection after it ended the context,
	// so one of the two is seen whatever the order.
	if s.ctx.Err() != nil {
		return request{}, s.ctx.Err()
	}
	line, err := readLine(bufio.NewReader(c))
	switch {
	case errors.Is(err, errLine):
		return request{}, fmt.Errorf("%w: %w", errBadRequest, err)
	case err != nil:
		return request{}, err
	}
	q, err := parseRequest(line)
	if err != nil {
		return request{}, fmt.Errorf("%w: %w", errBadRequest, err)
	}
	if s.ctx.Err() == nil {
		_ = c.SetReadDeadline(time.Time{})
	}
	return q, nil
}

// call runs the Handler, whose faults must not take the gate down.
func (s *Server) call(ctx context.Context, q request, emit func(any) error) (result any, err error) {
	defer func() {
		if p := recover(); p != nil {
			// The value may hold what was asked, a key even; its type and the
			// stack are enough to find the fault.
			slog.Error("a control request failed inside", "op", q.Op, "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			err = errInside
		}
	}()
	return s.handle(ctx, q.Op, q.Args, emit)
}

var errInside = &coded{CodeInternal, "the request failed inside"}

// coded is an error with a code of the socket itself.
type coded struct{ code, message string }

func (e *coded) Error() string { return e.message }
func (e *coded) Code() string  { return e.code }

// writer sends the lines of one answer.
type writer struct {
	c      *net.UnixConn
	wait   time.Duration
	cancel context.CancelFunc

	mu   sync.Mutex // one line at a time; guards over
	over error      // why no more may be sent
}

// errOver is what an event gets that comes too late.
var errOver = errors.New("the request is answered")

// event sends one event.
func (w *writer) event(v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding an event: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.send(answer{Event: raw})
}

// finish sends the last line.
func (w *writer) finish(result any, err error) {
	if err != nil {
		code := CodeFailed
		if c, ok := errors.AsType[interface {
			error
			Code() string
		}](err); ok {
			code = c.Code()
		}
		w.fail(code, err.Error())
		return
	}
	raw, err := json.Marshal(result)
	if err != nil {
		w.fail(CodeInternal, "the result cannot be sent")
		return
	}
	w.mu.Lock()
	err = w.send(answer{Result: raw})
	w.mu.Unlock()
	if errors.Is(err, errLine) {
		w.fail(CodeTooLong, "the result is longer than 1 MiB")
		return
	}
	w.end()
}

func (w *writer) fail(code, message string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r := []rune(message); len(r) > 4096 {
		message = string(r[:4096]) + "…"
	}
	_ = w.send(answer{Error: &problem{Code: code, Message: message}})
	w.over = errOver
}

func (w *writer) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = errOver
}

// send writes one line; w.mu is held. A client that does not take it in time is
// as good as gone.
func (w *writer) send(a answer) error {
	if w.over != nil {
		return w.over
	}
	line, err := encode(a)
	if err != nil {
		return err // nothing was sent, so the next line may still be
	}
	_ = w.c.SetWriteDeadline(time.Now().Add(w.wait))
	if _, err := w.c.Write(line); err != nil {
		w.over = fmt.Errorf("answering: %w", err)
		w.cancel()
		return w.over
	}
	return nil
}
