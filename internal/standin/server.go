// Package standin speaks Ollama's API without a model.
package standin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultReply is what the stand-in recites when Options name no other text.
// It owns up to being no model, so that nobody who tries the demo takes it for one.
const DefaultReply = "Hello! This is Paddock's built-in demo speaking, and there is no real model behind it. " +
	"Whatever you ask, I recite these same few sentences, one word at a time. " +
	"Your question came in through the gate, your key was checked, and the answer is being streamed back to you right now. " +
	"Once Ollama runs on this computer, start Paddock without the demo and your own models will answer instead."

// Options say what the stand-in knows and how fast it speaks.
// The zero value knows demo:latest and speaks without any pause, which is what tests want.
type Options struct {
	Models     []string      // names of the models it claims to have; none means demo:latest
	Reply      string        // the text it recites; empty means DefaultReply
	TokenDelay time.Duration // pause between two words, and between two lines of a pull, push or create
	FirstToken time.Duration // pause before the first word; headers wait with it, as Ollama's do
	LoadDelay  time.Duration // pause before the headers of a request to a model that is not loaded
	Version    string        // what /api/version says; empty means 0.17.4
	Loop       bool          // start over at the end of the text, until the client leaves or num_predict is reached

	// Fault decides, once for each request that passed the Host and Origin checks, how it goes wrong. Nil means never.
	// It is called from many goroutines at once and must leave the body alone.
	Fault func(*http.Request) Fault

	// Observe sees every request as it arrives, those refused by the Host and Origin checks included.
	// It is called from many goroutines at once and must leave the body alone.
	Observe func(*http.Request)
}

// DemoOptions is the stand-in at a pace people can watch.
func DemoOptions() Options {
	return Options{
		TokenDelay: 40 * time.Millisecond,
		FirstToken: 200 * time.Millisecond,
		LoadDelay:  400 * time.Millisecond,
	}
}

// Server is the stand-in as an http.Handler. Everything it is told (pulled models, blobs, aliases) it keeps in memory.
// It is safe for concurrent use.
type Server struct {
	options   Options
	tokens    []string // the reply, cut into words; never changed after New
	front     http.Handler
	active    atomic.Int64
	cancelled atomic.Int64
	store     store
}

// New makes a stand-in that is ready to serve.
func New(o Options) *Server {
	if len(o.Models) == 0 {
		o.Models = []string{"demo:latest"}
	}
	if o.Reply == "" {
		o.Reply = DefaultReply
	}
	if o.Version == "" {
		o.Version = "0.17.4"
	}
	s := &Server{options: o, tokens: words(o.Reply)}
	s.store.open(o.Models)

	// Ollama stands behind Go's own mux, which is why //api/tags is redirected rather than refused.
	mux := http.NewServeMux()
	mux.Handle("/", s.router())
	s.front = mux
	return s
}

// type check
var _ http.Handler = (*Server)(nil)

// ServeHTTP answers one request as Ollama would. A Fault that drops the connection panics with
// http.ErrAbortHandler, which net/http turns into just that.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.options.Observe != nil {
		s.options.Observe(r)
	}
	if !passOrigin(w, r) || !passHost(w, r) {
		return
	}
	if s.options.Fault != nil {
		f := s.options.Fault(r)
		if s.fail(w, r, f) {
			return
		}
		r = r.WithContext(context.WithValue(r.Context(), faultKey{}, f))
	}
	s.front.ServeHTTP(w, r)
}

// Active is the number of generations running right now, those still waiting for their model to load included.
func (s *Server) Active() int { return int(s.active.Load()) }

// Cancelled is the number of generations so far that ended because the client left.
// It is raised before Active falls, so whoever sees Active reach zero sees the final count.
func (s *Server) Cancelled() int64 { return s.cancelled.Load() }

// Start serves a new stand-in on a free port of 127.0.0.1 until stop is called or ctx ends.
// Stop returns when the last request has ended; it may be called more than once.
func Start(ctx context.Context, o Options) (url string, stop func(), err error) {
	return New(o).Start(ctx)
}

// Start is the function Start for a Server that its maker wants to keep at hand, to read Active or Cancelled.
func (s *Server) Start(ctx context.Context) (url string, stop func(), err error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("listening for the stand-in: %w", err)
	}

	// Requests hang on a context of their own, so that one ended by stop can be told from one whose client left.
	base, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	var running gate
	srv := &http.Server{
		Handler:           running.guard(s),
		BaseContext:       func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = srv.Serve(l) // always ErrServerClosed: the listener is ours and only stop closes it
	}()

	var once sync.Once
	end := func() {
		once.Do(func() {
			cancel(errStopped)
			running.close()
			_ = srv.Close()
			<-served
			running.wait()
		})
	}
	unhook := context.AfterFunc(ctx, end)
	return "http://" + l.Addr().String(), func() { unhook(); end() }, nil
}

// errStopped is why a request ended that was still running when the stand-in was stopped.
var errStopped = errors.New("the stand-in was stopped")

// gate counts running handlers, which http.Server.Close does not wait for.
type gate struct {
	mu     sync.Mutex // guards closed, so that nobody enters once wait may have begun
	closed bool
	inside sync.WaitGroup
}

func (g *gate) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		if g.closed {
			g.mu.Unlock()
			panic(http.ErrAbortHandler)
		}
		g.inside.Add(1)
		g.mu.Unlock()
		defer g.inside.Done()
		next.ServeHTTP(w, r)
	})
}

func (g *gate) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
}

func (g *gate) wait() { g.inside.Wait() }
