package standin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// job is one generation, whatever dialect asked for it.
type job struct {
	model  string // as the client spelled it; answers repeat that
	chat   bool   // /api/chat and what is built on it judge a bad name differently from /api/generate
	prompt int    // tokens asked
	empty  bool   // nothing was asked: the model is only loaded or unloaded
	stream bool
	wishes wishes
	keep   *keepAlive
	think  thinkValue
}

// answer is a piece of an answer, or all of it, in Ollama's own terms.
type answer struct {
	model   string
	created time.Time
	text    string
	done    bool
	reason  string // only when done
	metrics metrics
}

// metrics are Ollama's figures; none of them is zero in the last piece of an answer.
type metrics struct {
	TotalDuration      time.Duration `json:"total_duration,omitempty"`
	LoadDuration       time.Duration `json:"load_duration,omitempty"`
	PromptEvalCount    int           `json:"prompt_eval_count,omitempty"`
	PromptEvalDuration time.Duration `json:"prompt_eval_duration,omitempty"`
	EvalCount          int           `json:"eval_count,omitempty"`
	EvalDuration       time.Duration `json:"eval_duration,omitempty"`
}

// voice phrases an answer in one dialect. A voice serves one request and needs no lock.
type voice interface {
	// contentType is that of a stream.
	contentType() string
	// piece says the next piece of a stream.
	piece(w io.Writer, a answer) error
	// whole says an answer that is not streamed.
	whole(w http.ResponseWriter, a answer)
	// refuse says no before anything has been said.
	refuse(w http.ResponseWriter, status int, message string)
	// broken says what the dialect says when the model dies in mid-stream, which may be nothing.
	broken(w io.Writer, message string) error
}

const (
	ndjson      = "application/x-ndjson"
	eventStream = "text/event-stream"
)

// errRunner is what Ollama says when the process that runs the model is gone.
const errRunner = "an error was encountered while running the model: unexpected EOF"

// speak answers a job. It returns when all has been said or the client has left.
func (s *Server) speak(w http.ResponseWriter, r *http.Request, v voice, j job) {
	started := time.Now()
	n := parseName(j.model)
	if !n.valid() && j.chat {
		v.refuse(w, http.StatusBadRequest, "model is required")
		return
	}
	m, ok := s.store.find(n)
	if !ok {
		v.refuse(w, http.StatusNotFound, fmt.Sprintf("model '%s' not found", j.model))
		return
	}
	if j.empty && j.keep != nil && j.keep.Duration == 0 {
		s.store.unload(m)
		s.short(w, v, j, "unload")
		return
	}
	if j.think.level != "" && !j.chat {
		v.refuse(w, http.StatusBadRequest, fmt.Sprintf("think value %q is not supported for this model", j.think.level))
		return
	}
	if j.think.on {
		v.refuse(w, http.StatusBadRequest, fmt.Sprintf("%q does not support thinking", j.model))
		return
	}

	s.active.Add(1)
	defer s.active.Add(-1)
	ctx := r.Context()
	err := s.run(ctx, w, v, j, m, started)
	if err == nil {
		return
	}
	if errors.Is(err, errDropped) || errors.Is(context.Cause(ctx), errStopped) {
		panic(http.ErrAbortHandler) // the client is still there, and must not take what was said so far for the whole
	}
	s.cancelled.Add(1)
}

// errDropped is a Fault that ends a generation while the client is still there.
var errDropped = errors.New("dropped on purpose")

// run loads the model and recites. An error means that the answer is not complete.
func (s *Server) run(ctx context.Context, w http.ResponseWriter, v voice, j job, m model, started time.Time) error {
	// A client that has stopped reading can leave without a pending write noticing; the deadline wakes it.
	rc := http.NewResponseController(w)
	defer context.AfterFunc(ctx, func() { _ = rc.SetWriteDeadline(time.Now()) })()

	l, err := s.load(ctx, m, j.wishes.context)
	if err != nil {
		return err
	}
	stay := defaultKeepAlive
	if j.keep != nil {
		stay = j.keep.Duration
	}
	defer s.store.done(l, stay)
	loadTime := time.Since(started)

	if j.empty {
		s.short(w, v, j, "load")
		return nil
	}

	say := func(a answer) error {
		var b bytes.Buffer
		if err := v.piece(&b, a); err != nil {
			return err
		}
		if w.Header().Get("Content-Type") != v.contentType() {
			w.Header().Set("Content-Type", v.contentType())
		}
		if _, err := w.Write(b.Bytes()); err != nil {
			return err
		}
		return rc.Flush()
	}

	fault := faultOf(ctx)
	var text strings.Builder
	first := time.Now()
	begun := first
	reason, count := "", 0
	for next := range s.recital(j.wishes) {
		delay := s.options.TokenDelay
		if count == 0 {
			delay = s.options.FirstToken
		} else if delay == 0 && s.options.Loop && !j.stream {
			delay = time.Millisecond // nobody reads along and slows it down: it would fill the memory
		}
		if err := pause(ctx, delay); err != nil {
			return err
		}
		if count == 0 {
			begun = time.Now()
		}
		count++
		if j.stream {
			if err := say(answer{model: j.model, created: time.Now().UTC(), text: next}); err != nil {
				return err
			}
		} else {
			text.WriteString(next)
		}
		switch count {
		case fault.DropAfterTokens:
			return errDropped
		case fault.FailAfterTokens:
			return s.breakOff(w, v, j)
		case fault.HangAfterTokens:
			<-ctx.Done()
			return ctx.Err()
		}
		if count == j.wishes.limit {
			reason = "length"
			break
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if reason == "" {
		reason = "stop"
	}
	last := answer{model: j.model, created: time.Now().UTC(), text: text.String(), done: true, reason: reason, metrics: metrics{
		TotalDuration:      max(time.Since(started), 1),
		LoadDuration:       max(loadTime, 1),
		PromptEvalCount:    j.prompt,
		PromptEvalDuration: max(begun.Sub(first), 1),
		EvalCount:          count,
		EvalDuration:       max(time.Since(begun), 1),
	}}
	if j.stream {
		return say(last)
	}
	v.whole(w, last)
	return nil
}

// recital yields the words of the reply up to the first text that ends it, over and over if the stand-in loops.
func (s *Server) recital(o wishes) func(yield func(string) bool) {
	tokens, loop := s.tokens, s.options.Loop
	for _, stop := range o.stop {
		if stop == "" {
			continue
		}
		if before, _, found := strings.Cut(strings.Join(tokens, ""), stop); found {
			tokens, loop = words(before), false
		}
	}
	return func(yield func(string) bool) {
		for {
			for _, t := range tokens {
				if !yield(t) {
					return
				}
			}
			if !loop {
				return
			}
		}
	}
}

// load makes the model ready, which takes LoadDelay unless it is so already.
func (s *Server) load(ctx context.Context, m model, numCtx int) (*loaded, error) {
	l := s.store.use(m, numCtx)
	if l == nil {
		if err := pause(ctx, s.options.LoadDelay); err != nil {
			return nil, err
		}
		l = s.store.load(m, numCtx)
	}
	if s.store.isWedged(l) {
		<-ctx.Done()
		s.store.done(l, defaultKeepAlive)
		return nil, ctx.Err()
	}
	return l, nil
}

// short answers a job that asked nothing. Only event streams stay streams then.
func (s *Server) short(w http.ResponseWriter, v voice, j job, reason string) {
	a := answer{model: j.model, created: time.Now().UTC(), done: true, reason: reason}
	if j.stream && v.contentType() == eventStream {
		w.Header().Set("Content-Type", eventStream)
		_ = v.piece(w, a)
		return
	}
	v.whole(w, a)
}

func (s *Server) breakOff(w http.ResponseWriter, v voice, j job) error {
	if !j.stream {
		v.refuse(w, http.StatusInternalServerError, errRunner)
		return nil
	}
	return v.broken(w, errRunner)
}

// pause waits for d or for the end of ctx, whose error it returns.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
