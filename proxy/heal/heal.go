// Package heal notices a model of Ollama's that answers nobody any more and has
// Ollama load it anew.
//
// # What happens in Ollama
//
// Ollama 0.17.4 can be wedged by a client that leaves in the middle of a
// streamed answer: the goroutine that makes the answer blocks for ever on a
// channel that nobody reads, and keeps the model's only slot (server/routes.go,
// llm/server.go). Later requests for the model wait without an error and
// without a limit. Unloading the model ends that: the next request loads it anew.
//
// The following was measured with the real 0.17.4, on the processor alone. "E"
// is the time that /api/ps gives as expires_at.
//
//   - Idle: listed, E stands still, at the end of the last request + keep_alive.
//   - Busy with the first requests since it was loaded: listed, E moves along
//     with the clock, always now + keep_alive, however long that takes.
//   - Busy later on: listed, E stands still where the last idle moment put it,
//     and after keep_alive it lies in the past.
//   - Wedged: just the same as idle, and with a request waiting just the same as
//     busy later on. With nobody waiting it is unloaded when E is reached, and
//     well again.
//   - Wedged while others waited, so that it was never idle since it was loaded:
//     E moves (read in the source).
//   - Loading: not listed at first; then for a moment listed, with E moving.
//   - {"model":M,"keep_alive":0} is answered in under 10 ms when M is wedged, and
//     sets E to now. The model goes only when nobody waits for it any more: with
//     one request waiting it stayed, answering nobody, and a new request joined
//     the waiting one. 14 ms after the last one had left it was gone, and
//     the next request was answered after 0.34 s. So the waiting
//     requests have to be cancelled and sent again, before or after.
//   - While a model loads the answer to keep_alive 0 waits for the end of that
//     (read in the source: both take the runner's lock).
//   - A running answer is not hurt by keep_alive 0. It goes on to its end, and
//     then the model is unloaded. So an error of judgement costs a reload.
//   - While a request that needs other options (num_ctx) waits for a model that
//     does not become idle, Ollama loads no other model either.
//
// # What follows
//
// Nothing that Ollama tells distinguishes a wedged model from one that is busy
// for another program or reads a long prompt. What distinguishes them is what
// the gate saw, and time: a model is suspect after somebody left it in the
// middle of a streamed answer and until a request has got an answer since. A
// suspect model is healed after ten seconds of silence, any other one after
// a minute and more; both longer if the prompt is long or the answer comes in
// one piece. E must have stood still meanwhile. If it moves, which may mean that
// the model loads, only a suspect one is healed; Ollama is asked to unload first,
// and as long as it does not answer that, which is so while it loads, no request
// is touched.
//
// # Limits
//
// A request that waits for the model without having come through the gate keeps
// a wedged model in memory; then healing fails, and says so. With
// OLLAMA_NUM_PARALLEL above one a slot can be lost without anybody waiting;
// the model is healed when the last slot is gone. Two models that share their
// weights share a runner, which /api/ps lists by one of the names; a wedge is
// noticed only by requests for that name.
package heal

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"runtime/debug"
	"sync"
	"time"
)

// Times of the watchdog. The base is what a small prompt gets before its first
// byte; what allowance adds stands there.
const (
	tick        = time.Second      // between two looks at who waits
	suspectBase = 10 * time.Second // silence of a suspect model
	base        = 60 * time.Second // silence of any other model
	leastWait   = 8 * time.Second  // no request is cancelled earlier, whatever went before
	ahead       = 5 * time.Second  // Ollama is asked so long before the silence is too long
	askPause    = 2 * time.Second  // between two questions to Ollama about a model
	askLater    = 10 * time.Second // the same when the silence is too long already
	once        = time.Minute      // between two healings of a model
	askLimit    = 5 * time.Second  // for an answer of Ollama's to the watchdog itself
	goLimit     = 15 * time.Second // for a model to leave the memory
	goPause     = 50 * time.Millisecond
	unloadAgain = time.Second // another request may have set its own keep_alive
)

// ErrHealed is the cause with which the context of a waiting request ends when
// its model is unloaded. [Watchdog.Do] sends the request again.
var ErrHealed = errors.New("the model is being loaded anew")

// ErrStays says that a model stayed in memory although no request of ours waited
// for it.
var ErrStays = errors.New("the model stays in memory, probably because another program on this computer waits for it")

// Config is what a Watchdog is made of. Upstream and Transport are needed.
type Config struct {
	// Upstream is Ollama's address at this moment, nil while nobody knows it.
	Upstream func() *url.URL
	// Transport speaks to Ollama.
	Transport http.RoundTripper
	// Canonical makes of a name in /api/ps what Call.Model holds. Nil means
	// lower case, without the default registry and namespace, with a tag.
	Canonical func(name string) string
	// OnHeal is told how each healing ended, and once when a model that may be
	// wedged cannot be looked at. It must not wait, and is called from
	// goroutines of the watchdog, never two at once.
	OnHeal func(Event)
	// OnPanic is told of a fault of ours, without any text of a request.
	OnPanic func(stack []byte)
}

// Event is a healing, or why there was none.
type Event struct {
	Model   string        // canonical; empty if Err is about Ollama as a whole
	At      time.Time     // when it ended, in wall time
	Waited  time.Duration // how long the model had been silent while somebody waited, to the second
	Waiting int           // how many requests were sent again
	Took    time.Duration // of the healing itself
	Err     error         // nil: the model has left the memory and is loaded anew
}

// Watchdog watches over requests that wait for Ollama's first byte. It is safe
// for concurrent use. While nobody waits it has neither goroutine nor timer, once
// its last timer has run out, which takes a second.
type Watchdog struct {
	Config
	stop  context.CancelFunc
	timer *time.Timer    // for the next look; mu guards whether it runs
	tasks sync.WaitGroup // looks and healings under way

	telling sync.Mutex // serialises OnHeal

	mu      sync.Mutex // guards what follows, and all models and attempts
	models  map[string]*model
	waiting int  // in all models
	armed   bool // the timer runs, or a look is under way
	closed  bool
	last    time.Time // of the last look
	address string    // of the Ollama that all of it is about
	deaf    bool      // Ollama did not answer the last question, which was told
}

// New makes a watchdog.
func New(c Config) *Watchdog {
	if c.Canonical == nil {
		c.Canonical = canonical
	}
	if c.OnHeal == nil {
		c.OnHeal = func(Event) {}
	}
	w := &Watchdog{Config: c, models: map[string]*model{}}
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	w.timer = time.AfterFunc(time.Hour, func() { w.wake(ctx) })
	w.timer.Stop() // until somebody waits
	return w
}

// Close ends the watching and waits until no goroutine of the watchdog is left.
// Requests go on, unwatched.
func (w *Watchdog) Close() {
	w.mu.Lock()
	w.closed = true
	w.timer.Stop()
	w.mu.Unlock()
	w.stop()
	w.tasks.Wait()
}

// arm has the next look happen. The caller holds mu.
func (w *Watchdog) arm() {
	if w.closed {
		return
	}
	w.armed = true
	w.timer.Reset(tick)
}

// wake runs in a goroutine of its own when the timer is due.
func (w *Watchdog) wake(ctx context.Context) {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return
	}
	w.tasks.Add(1) // under mu, so that Close waits for it or it does not begin
	w.mu.Unlock()
	defer w.tasks.Done()
	defer w.rescue()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.armed = w.waiting > 0; w.armed {
			w.arm()
		}
	}()
	w.look(ctx)
}

// rescue keeps a fault in a goroutine of ours from ending the program.
func (w *Watchdog) rescue() {
	if p := recover(); p != nil && w.OnPanic != nil {
		w.OnPanic(debug.Stack())
	}
}

func (w *Watchdog) tell(e Event) {
	w.telling.Lock()
	defer w.telling.Unlock()
	e.At = time.Now()
	w.OnHeal(e)
}
