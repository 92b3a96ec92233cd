// Package proxy is the gate: an http.Handler that checks every request and
// passes the allowed ones on to Ollama.
package proxy

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"paddock/policy"
	"paddock/proxy/fair"
	"paddock/proxy/heal"
	"paddock/requestlog"
)

// Keys tells who holds a credential. Both methods are called on the way of
// every request and must neither wait nor touch a disk or keychain.
type Keys interface {
	// Authenticate looks the whole presented text up.
	Authenticate(presented string) policy.Caller
	// Valid says whether the key still exists, is not suspended and has not expired.
	Valid(id string) bool
	// Tokens returns what the key has spent on the day of at, by the owner's clock.
	Tokens(id string, at time.Time) int64
	// Spend adds to that.
	Spend(id string, tokens int64, at time.Time)
}

// Config is what a Gate is made of. Keys, Log, Host and Upstream are needed.
type Config struct {
	Keys Keys
	Log  *requestlog.Log
	// Host says whether a Host header, with or without a port, names this machine.
	Host func(host string) bool
	// Upstream is the Ollama behind the gate; SetUpstream changes it later.
	Upstream Upstream
	// Transport speaks to Ollama; nil means NewTransport().
	Transport http.RoundTripper
	// Choices are those of the owner at the beginning; SetChoices changes them.
	Choices Choices
	// Origins are the web origins that may use the gate; SetOrigins changes them.
	Origins *policy.Origins
	// OnOrigin is told of each request from a web origin that nobody allowed; it
	// must not wait. The origin is spelled as browsers spell one.
	OnOrigin func(origin string, at time.Time)
	// OnHeal is told of each model that hung and was loaded anew; it must not wait.
	OnHeal func(heal.Event)
	// Authority returns the certificate (PEM) with which clients check the gate's
	// own, for /paddock/ca.pem; nil, or an empty answer, is none to give.
	Authority func() []byte
	// OnUpstreamFault is called after Ollama did not answer; it must not wait.
	OnUpstreamFault func()
	// OnUse is called once for each request that a good key made; it must not wait.
	OnUse func(keyID string, at time.Time)
	// OnPanic is told of a fault of ours, without any text of the request.
	OnPanic func(stack []byte)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Upstream is the Ollama behind the gate.
type Upstream struct {
	URL  *url.URL // nil while nobody knows where it is: every request fails
	Demo bool     // the built-in demo, which every answer and log line says
}

// Gate is the handler. It is safe for concurrent use.
type Gate struct {
	Config
	upstream atomic.Pointer[Upstream]
	running  running
	draining atomic.Bool
	paused   atomic.Pointer[time.Time] // until when, the zero time for no end; nil while not paused
	choices  atomic.Pointer[Choices]
	origins  atomic.Pointer[policy.Origins]
	models   catalogue
	queue    *fair.Queue
	rates    fair.Buckets
	bodies   budget
	lockout  *fair.Lockout
	watchdog *heal.Watchdog
	limits   limits
}

// Choices are what the owner may change while the gate runs. A number that is 0
// means the default.
type Choices struct {
	// AllowHTTP lets requests in that are not encrypted. Without it they are told
	// to come by https.
	AllowHTTP bool
	MaxBody   int64       // largest body of a "use" request in bytes
	Running   int         // requests that run at once, of all keys
	Waiting   int         // requests that wait, of one key
	NumCtx    int         // largest context that a user may ask for, in tokens
	Attempts  policy.Rate // bad keys from one address
}

// The defaults of Choices.
const (
	DefaultMaxBody = 16 << 20
	DefaultRunning = 4
	DefaultWaiting = 64
	DefaultNumCtx  = 32 << 10
)

// DefaultAttempts is how many bad keys one address may try.
var DefaultAttempts = policy.Rate{Count: 10, Per: time.Minute}

// limits are the gate's patience, which tests shorten.
type limits struct{ bodyPause, bodyTotal, stall, hurry, overrun time.Duration }

// Sizes and times of the gate. They stand in security.md with their reasons.
const (
	maxLookBody = 1 << 20
	bodyPause   = 10 * time.Second       // longest pause while a body arrives
	bodyTotal   = 5 * time.Minute        // longest time for a whole body that is read first
	stallLimit  = 60 * time.Second       // longest time a client may stop reading
	hurryLimit  = 500 * time.Millisecond // longest time for the unread rest of a refused body
)

// New makes a gate.
func New(c Config) *Gate {
	if c.Transport == nil {
		c.Transport = NewTransport()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	g := &Gate{
		Config: c, limits: limits{bodyPause, bodyTotal, stallLimit, hurryLimit, overrunPause},
		queue: fair.New(fair.Limits{}), lockout: fair.NewLockout(0, 0),
	}
	g.watchdog = heal.New(heal.Config{
		Upstream:  func() *url.URL { return g.upstream.Load().URL },
		Transport: c.Transport,
		Canonical: canonical,
		OnHeal:    g.healed,
		OnPanic:   c.OnPanic,
	})
	g.models.now = c.Now
	g.models.ask, g.models.onPanic = g.askOllama, c.OnPanic
	g.SetUpstream(c.Upstream)
	g.SetChoices(c.Choices)
	g.SetOrigins(c.Origins)
	return g
}

// SetUpstream changes the Ollama for the requests that come from now on.
func (g *Gate) SetUpstream(u Upstream) { g.upstream.Store(&u) }

// SetChoices changes the limits for the requests that come from now on.
func (g *Gate) SetChoices(c Choices) {
	if c.MaxBody <= 0 {
		c.MaxBody = DefaultMaxBody
	}
	if c.Running <= 0 {
		c.Running = DefaultRunning
	}
	if c.Waiting <= 0 {
		c.Waiting = DefaultWaiting
	}
	if c.NumCtx <= 0 {
		c.NumCtx = DefaultNumCtx
	}
	if c.Attempts == (policy.Rate{}) {
		c.Attempts = DefaultAttempts
	}
	g.choices.Store(&c)
	g.queue.SetLimits(fair.Limits{Running: c.Running, Waiting: c.Waiting})
	g.lockout.SetLimit(c.Attempts.Count, c.Attempts.Per)
}

// SetOrigins changes the web origins for the requests that come from now on.
func (g *Gate) SetOrigins(o *policy.Origins) { g.origins.Store(o) }

// Close ends what the gate does by itself and the connections to Ollama that
// nobody uses. Requests are passed on all the same.
func (g *Gate) Close() {
	g.watchdog.Close()
	if t, ok := g.Transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// Drain refuses what comes from now on with 503, and what waits in the queue, or
// ends that. What runs goes on.
func (g *Gate) Drain(on bool) {
	g.draining.Store(on)
	if on {
		g.running.cut(requestlog.CutBySharing, func(_ string, c cuttable) bool { return c.waits.Load() })
	}
}

// Pause answers what comes from now on with 503, and what waits in the queue,
// until that moment, or with the zero time until Resume. What runs goes on.
// Whoever has no good key is told so as ever.
func (g *Gate) Pause(until time.Time) {
	g.paused.Store(&until)
	g.running.cut(requestlog.CutByPause, func(_ string, c cuttable) bool { return c.waits.Load() })
}

// Resume ends a Pause.
func (g *Gate) Resume() { g.paused.Store(nil) }

// exchange is one request on its way through the gate.
type exchange struct {
	g     *Gate
	w     http.ResponseWriter
	r     *http.Request
	rc    *http.ResponseController
	entry requestlog.Entry
	live  *requestlog.Request // set while the request waits or runs
	path  string              // as it stood on the wire, without a key
	grant policy.Grant        // of the caller, defaults filled in
	model string
	read  bool // the body has been read to its end

	source string // a second model, of which the named one is made
	remote bool   // that one lies on another machine
	upload *upload
	asks   question     // what the body of an inference says besides its model
	holds  int64        // bytes of the budget for bodies
	sent   bool         // Ollama was asked
	waits  atomic.Bool  // in the queue
	ticket *fair.Ticket // the place among those that run; nil for what never waits

	until    time.Time  // the write deadline that is set; for the goroutine that writes
	deadline sync.Mutex // guards cut and late, and the write deadline with them
	cut      bool       // the request was cut: no deadline may be pushed out again
	late     bool       // because its client is too far behind
}

// Headers that are the same in every answer. Nobody changes the lists.
var (
	nosniff    = []string{"nosniff"}
	varyOrigin = []string{"Origin"}
)

// ServeHTTP checks one request and passes it on. Whatever happens, a fault of
// ours included, exactly one entry is written.
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := g.Now()
	x := &exchange{g: g, w: w, r: r, rc: http.NewResponseController(w)}
	inAddress, path, hasKey := splitAddress(wirePath(r))
	x.path = path
	up := g.upstream.Load()
	x.entry = requestlog.Entry{
		ID: newID(), Time: now, Phase: requestlog.Refused, Reason: policy.InternalFault, Demo: up.Demo,
		Address:   address(r.RemoteAddr),
		Program:   program(r.UserAgent()),
		UserAgent: shown(r.UserAgent(), requestlog.MaxText),
		Origin:    shown(r.Header.Get("Origin"), requestlog.MaxText),
		TLS:       tlsVersion(r.TLS),
		Method:    shown(r.Method, 16),
		Path:      shown(logPath(r), requestlog.MaxPath),
	}
	if hasKey {
		x.entry.Path = addressPrefix + "…" + shown(path, requestlog.MaxPath-len(addressPrefix+"…"))
	}
	// What the last request on this connection left must not end this one.
	_ = x.rc.SetWriteDeadline(time.Time{})
	h := w.Header()
	h["X-Request-Id"] = []string{x.entry.ID}
	h["X-Content-Type-Options"] = nosniff
	abort := false
	func() {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if e, ok := p.(error); ok && errors.Is(e, http.ErrAbortHandler) {
				abort = true
				return
			}
			// The value may quote the request, so only the stack is told.
			if g.OnPanic != nil {
				g.OnPanic(debug.Stack())
			}
			x.entry.Phase, x.entry.Reason = requestlog.Failed, policy.InternalFault
			if x.entry.Status == 0 {
				x.answerError(policy.InternalFault)
			} else {
				abort = true
			}
		}()
		x.serve(up, inAddress, hasKey)
	}()
	x.entry.Took = g.Now().Sub(now)
	if x.live != nil {
		x.live.End(x.entry)
	} else {
		g.Log.Append(x.entry)
	}
	if abort {
		panic(http.ErrAbortHandler) // the client must see a broken answer, not a short one
	}
}

func (x *exchange) serve(up *Upstream, inAddress string, hasKey bool) {
	r, path := x.r, x.path
	endpoint, route := policy.Find(r.Method, path)
	x.entry.Class, x.entry.Action = endpoint.Class, endpoint.Action

	hostOurs := x.g.Host(r.Host)
	switch {
	case !hostOurs:
		x.refuse(policy.WrongHost)
		return
	case ambiguous(r), doubled(r.Header, "Authorization"), doubled(r.Header, "X-Api-Key"), doubled(r.Header, "Origin"), r.Header.Get("Upgrade") != "":
		x.refuse(policy.BadRequest)
		return
	}
	presented, kind := credential(r.Header)
	if hasKey {
		presented, kind = fromAddress(inAddress, presented, kind)
	}
	if r.TLS == nil && !x.g.choices.Load().AllowHTTP {
		if kind == policy.CredentialOne {
			x.setCaller(x.g.Keys.Authenticate(presented)) // whose key somebody may have read, for the log
		}
		x.refusePlain(kind)
		return
	}
	origin := r.Header.Get("Origin")
	originOK := x.admit(origin)
	switch {
	case r.Method == http.MethodHead && path == "/":
		// The ollama command asks this first and explains nothing when it fails,
		// so it gets its answer whatever key it has, in the address or nowhere.
		x.entry.Action, x.entry.Class = "Say hello", policy.ClassLook
		x.ownAnswer(http.StatusOK, "", nil)
		return
	case (r.Method == http.MethodGet || r.Method == http.MethodHead) && path == "/paddock/" && !hasKey:
		x.entry.Action, x.entry.Class = "Read the welcome page", policy.ClassLook
		x.ownAnswer(http.StatusOK, "text/html; charset=utf-8", welcomePage(r.Host, r.TLS != nil))
		return
	case (r.Method == http.MethodGet || r.Method == http.MethodHead) && path == authorityPath && !hasKey:
		x.giveAuthority()
		return
	case isPreflight(r):
		if !originOK {
			x.knock(origin)
		}
		x.preflight(originOK)
		return
	}

	head := policy.Head{
		HostOurs: hostOurs, Credential: kind, InAddress: hasKey, Private: private(r),
		Origin: origin, OriginOK: originOK, Endpoint: endpoint, Route: route, Now: x.entry.Time,
	}
	if kind == policy.CredentialOne {
		head.Caller = x.g.Keys.Authenticate(presented)
		x.setCaller(head.Caller)
	}
	v := policy.Decide(head)
	if x.g.OnUse != nil && head.Caller.Known && v.Reason.Status() != http.StatusUnauthorized {
		x.g.OnUse(head.Caller.ID, x.entry.Time)
	}
	if !v.OK() {
		x.turnAway(v.Reason, origin)
		return
	}
	if x.shut() {
		return
	}

	defer x.forget()
	body, reason := x.inspect(up, endpoint)
	if reason != policy.Allowed {
		x.refuse(reason)
		return
	}

	if x.read {
		x.listens(true)
		defer x.listens(false)
	}
	x.entry.Reason = policy.Allowed
	ctx, stop := context.WithCancelCause(r.Context())
	defer stop(nil)
	x.live = x.g.Log.Begin(x.entry)
	leave := x.g.running.enter(x.entry.ID, head.Caller.ID, &x.waits, stop)
	defer leave()
	if endpoint.Class == policy.ClassUse && !x.queue(ctx) {
		return
	}
	defer x.pay(endpoint)
	// A key that was removed after Authenticate and before enter would miss
	// its Cut, and so would a request whose body arrived while sharing ended:
	// both questions are asked once more from inside.
	switch {
	case !x.g.Keys.Valid(head.Caller.ID):
		x.refuse(policy.SuspendedKey) // or removed: it was good a moment ago
		return
	case x.shut():
		return
	case endpoint.Class == policy.ClassUse && x.spent():
		x.refuse(policy.TokenLimit) // what ran while this waited took the rest
		return
	}
	if endpoint.Class == policy.ClassManage {
		defer x.g.models.changed()
	}
	x.forward(ctx, up, endpoint, body)
}

// inspect judges a request by its body, and returns that as Ollama may get it.
func (x *exchange) inspect(up *Upstream, e policy.Endpoint) (body []byte, r policy.Reason) {
	// Before the body, which costs memory and work, whatever becomes of it.
	if r = x.rate(); r != policy.Allowed {
		return nil, r
	}
	if body, r = x.readBody(e); r != policy.Allowed {
		return nil, r
	}
	if r = x.readModel(e, body, x.path); r != policy.Allowed {
		return nil, r
	}
	if r = x.judgeModels(up, e); r != policy.Allowed {
		return nil, r
	}
	if e.Class == policy.ClassUse && e.Body == policy.BodyJSON && x.grant.Role != policy.RoleManager {
		return tame(body, x.g.choices.Load().NumCtx)
	}
	return body, policy.Allowed
}

// shut refuses a request while nothing is let in, and says whether it did.
func (x *exchange) shut() bool {
	if x.g.draining.Load() {
		x.refuse(policy.Draining)
		return true
	}
	until := x.g.paused.Load()
	if until == nil {
		return false
	}
	left := aWhile
	if !until.IsZero() {
		if left = until.Sub(x.g.Now()); left <= 0 {
			return false
		}
	}
	x.retryAfter(left)
	x.refuse(policy.Paused)
	return true
}

// aWhile is when to ask again during a pause of which nobody knows the end.
const aWhile = time.Minute

// turnAway refuses a request by its head.
func (x *exchange) turnAway(r policy.Reason, origin string) {
	switch {
	case r == policy.WrongMethod:
		x.w.Header().Set("Allow", policy.Methods(x.path))
	case r == policy.OriginNotAllowed:
		x.knock(origin)
	case guessed(r):
		// Only who has no good key comes here, so nobody can keep a good one out
		// by guessing from the same address.
		if after, blocked := x.g.lockout.Fail(remote(x.r.RemoteAddr), x.entry.Time); blocked {
			x.retryAfter(after)
			r = policy.TooManyAttempts
		}
	}
	x.refuse(r)
}

// guessed says whether a request was turned away with a key that is none. Who
// has sent no key has not guessed one.
func guessed(r policy.Reason) bool {
	switch r {
	case policy.TwoKeys, policy.MalformedKey, policy.WrongKey, policy.SuspendedKey, policy.ExpiredKey:
		return true
	default:
		return false
	}
}

// judgeModels asks whether the key may use the models that the request names,
// under that name and under the one that Ollama makes of it.
func (x *exchange) judgeModels(up *Upstream, e policy.Endpoint) policy.Reason {
	if e.Names == "" && x.model == "" {
		return policy.Allowed
	}
	if x.model == "" {
		return policy.BadBody
	}
	if r := policy.DecideModel(x.grant, x.model, false).Reason; r != policy.Allowed {
		return r
	}
	if r := policy.DecideSource(x.grant, x.source, x.remote).Reason; r != policy.Allowed {
		return r
	}
	if x.grant.Cloud && x.grant.Models.All() {
		return policy.Allowed
	}
	for _, name := range [...]string{x.model, x.source} {
		m, ok := policy.ParseModel(name)
		if !ok {
			continue
		}
		runs, remote, err := x.g.models.look(x.r.Context(), up, m)
		switch {
		case x.r.Context().Err() != nil:
			x.clientLeft()
		case errors.Is(err, errFault):
			return policy.InternalFault
		case err != nil:
			// Nobody can tell whose account it would spend, so nobody may.
			x.upstreamSilent()
			return policy.UpstreamUnanswers
		}
		if runs == m && !remote {
			continue // judged already
		}
		if r := policy.DecideModel(x.grant, string(runs), remote).Reason; r != policy.Allowed {
			return r
		}
	}
	return policy.Allowed
}

func (x *exchange) setCaller(c policy.Caller) {
	x.entry.KeyID, x.entry.Key, x.entry.Hint, x.entry.Colour = c.ID, c.Name, c.Hint, c.Colour
	x.grant = c.Grant.WithDefaults()
}

// doubled says whether a header stands more than once. Two proxies that pick
// different ones of two values is a classic way around a gate.
func doubled(h http.Header, name string) bool { return len(h[name]) > 1 }

// wirePath is the path as it stood in the request line. URL.Path is decoded,
// and decoding is where the ways around a gate are.
func wirePath(r *http.Request) string {
	if r.URL.Scheme != "" || r.URL.Host != "" || r.URL.Opaque != "" {
		return r.RequestURI // absolute form and CONNECT: matches nothing
	}
	if r.URL.RawPath != "" {
		return r.URL.RawPath
	}
	p, _, _ := strings.Cut(r.RequestURI, "?")
	return p
}

// logPath is what the log shows of a request target: the path as it was spelled,
// without query and without a name and password, which may be a key.
func logPath(r *http.Request) string {
	if r.URL.Opaque != "" {
		return r.URL.Scheme + ":" // may hold anything
	}
	if r.URL.Scheme != "" || r.URL.Host != "" {
		p := r.URL.RawPath
		if p == "" {
			p = r.URL.Path
		}
		if r.URL.Scheme == "" {
			return r.URL.Host + p
		}
		return r.URL.Scheme + "://" + r.URL.Host + p
	}
	return wirePath(r)
}

func address(from string) string {
	if a := remote(from); a.IsValid() {
		return a.String()
	}
	host, _, err := net.SplitHostPort(from)
	if err != nil {
		return requestlog.Clean(from, requestlog.MaxText)
	}
	return host
}

// remote is the address of a client, the zero value when it has none.
func remote(from string) netip.Addr {
	a, err := netip.ParseAddrPort(from)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap()
}

const idLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ" // Crockford's base 32: no letter is mistaken for a digit

// newID makes a request id: 60 random bits, short enough to be read out aloud.
func newID() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	for i, c := range b {
		b[i] = idLetters[c&31]
	}
	return string(b[:])
}
