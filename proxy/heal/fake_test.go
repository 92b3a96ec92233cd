package heal

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is an Ollama without a network, as far as the watchdog can tell it from a
// real one: references, expiry, one slot a model, and the wedge.
type fake struct {
	mu        sync.Mutex
	runners   map[string]*runner
	keepAlive time.Duration
	load      time.Duration // how long a model is not listed at first
	settle    time.Duration // and then listed while it still loads
	shift     time.Duration // of Ollama's wall clock
	down      bool
	asked     int // questions to /api/ps
	unloads   []time.Time
}

type runner struct {
	ready   time.Time // loaded
	listed  time.Time
	slot    chan struct{}
	refs    int
	session time.Duration
	expires time.Time
	wedged  bool
}

func newFake() *fake { return &fake{runners: map[string]*runner{}, keepAlive: 5 * time.Minute} }

var errDown = errors.New("connection refused")

// get returns the runner of a model and counts a user of it.
func (f *fake) get(model string) *runner {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.runners[model]
	if r == nil {
		now := time.Now()
		r = &runner{listed: now.Add(f.load), ready: now.Add(f.load + f.settle), slot: make(chan struct{}, 1), session: f.keepAlive}
		f.runners[model] = r
	}
	r.refs++
	return r
}

// release ends one use.
func (f *fake) release(model string, r *runner) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r.refs--
	f.idle(model, r)
}

func (f *fake) idle(model string, r *runner) {
	if r.refs > 0 {
		return
	}
	if r.session == 0 {
		delete(f.runners, model)
		return
	}
	r.expires = time.Now().Add(f.shift + r.session)
}

// wedge loses the slot of a model that is loaded and idle.
func (f *fake) wedge(model string) {
	r := f.get(model)
	r.slot <- struct{}{}
	r.wedged = true
	f.release(model, r)
}

// answer makes a send for Do: the first byte comes after the model has had its
// slot for as long as it takes. Closing the body ends the answer.
func (f *fake) answer(model string, takes time.Duration) func(context.Context) (*http.Response, error) {
	return func(ctx context.Context) (*http.Response, error) {
		r := f.get(model)
		answered := false
		defer func() {
			if !answered {
				f.release(model, r)
			}
		}()
		if err := wait(ctx, time.Until(r.ready)); err != nil {
			return nil, err
		}
		select {
		case r.slot <- struct{}{}:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if err := wait(ctx, takes); err != nil {
			<-r.slot
			return nil, err
		}
		answered = true
		return &http.Response{StatusCode: http.StatusOK, Body: &body{done: func() {
			<-r.slot
			f.release(model, r)
		}}}, nil
	}
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

type body struct {
	once sync.Once
	done func()
}

func (b *body) Read([]byte) (int, error) { return 0, io.EOF }
func (b *body) Close() error             { b.once.Do(b.done); return nil }

// RoundTrip answers the watchdog's own questions.
func (f *fake) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return nil, errDown
	}
	now := time.Now()
	var out any
	switch r.Method + " " + r.URL.Path {
	case "GET /api/ps":
		f.asked++
		models := []map[string]any{}
		for name, run := range f.runners {
			if now.Before(run.listed) {
				continue
			}
			expires := run.expires
			if expires.IsZero() {
				expires = now.Add(f.shift + run.session)
			}
			models = append(models, map[string]any{"name": name, "model": name, "expires_at": expires, "context_length": 4096})
		}
		out = map[string]any{"models": models}
	case "POST /api/generate":
		var in struct {
			Model     string `json:"model"`
			KeepAlive *int   `json:"keep_alive"`
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.KeepAlive == nil || *in.KeepAlive != 0 {
			return nil, errors.New("not an unload")
		}
		f.unloads = append(f.unloads, now)
		if run := f.runners[canonical(in.Model)]; run != nil {
			if now.Before(run.ready) { // Ollama holds the runner's lock
				f.mu.Unlock()
				err := wait(r.Context(), time.Until(run.ready))
				f.mu.Lock()
				if err != nil {
					return nil, err
				}
			}
			run.session, run.expires = 0, now.Add(f.shift)
			f.idle(canonical(in.Model), run)
		}
		out = map[string]any{"done": true, "done_reason": "unload"}
	default:
		return nil, errors.New("unexpected " + r.Method + " " + r.URL.Path)
	}
	b, err := json.Marshal(out)
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(b)))}, err
}

// rig is a watchdog before a fake, in a bubble.
type rig struct {
	*testing.T
	f      *fake
	w      *Watchdog
	mu     sync.Mutex
	events []Event
	target *url.URL
}

const (
	tiny  = "tiny:latest"
	other = "other:latest"
)

func bubble(t *testing.T, test func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{T: t, f: newFake(), target: &url.URL{Scheme: "http", Host: "127.0.0.1:11434"}}
		r.w = New(Config{
			Upstream:  func() *url.URL { r.mu.Lock(); defer r.mu.Unlock(); return r.target },
			Transport: r.f,
			OnHeal:    func(e Event) { r.mu.Lock(); defer r.mu.Unlock(); r.events = append(r.events, e) },
			OnPanic:   func(stack []byte) { t.Errorf("%s", stack) },
		})
		test(r)
		r.w.Close()
	})
}

func call(model string) Call {
	return Call{Model: model, Send: strings.TrimSuffix(model, ":latest"), Bytes: 80}
}

// result is what became of a request.
type result struct {
	took time.Duration
	err  error
	a    *Attempt
	body io.Closer
}

// start sends a request in the background.
func (r *rig) start(ctx context.Context, c Call, send func(context.Context) (*http.Response, error)) <-chan result {
	out := make(chan result, 1)
	go func() {
		began := time.Now()
		answer, a, err := r.w.Do(ctx, c, send)
		got := result{took: time.Since(began), err: err, a: a}
		if answer != nil {
			got.body = answer.Body
		}
		out <- got
	}()
	return out
}

// end ends an answer as the gate does.
func (g result) end(left bool) {
	g.body.Close()
	g.a.End(left)
}

// must sends a request that has to succeed and ends it.
func (r *rig) must(c Call, takes time.Duration, left bool) time.Duration {
	r.Helper()
	got := <-r.start(r.Context(), c, r.f.answer(c.Model, takes))
	if got.err != nil {
		r.Fatal(got.err)
	}
	got.end(left)
	return got.took
}

// happened returns the events so far.
func (r *rig) happened() []Event {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Event(nil), r.events...)
}

// quiet fails if anything was healed or told.
func (r *rig) quiet() {
	r.Helper()
	e := r.happened()
	r.f.mu.Lock()
	defer r.f.mu.Unlock()
	if len(e) > 0 || len(r.f.unloads) > 0 {
		r.Errorf("events %+v, unloads %v", e, r.f.unloads)
	}
}
