package share

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"paddock/internal/watch"
	"paddock/keystore"
	"paddock/lan"
	"paddock/lan/discovery"
	"paddock/policy"
	"paddock/requestlog"
	"paddock/safety"
	"paddock/settings"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a Share on a network of pipes, with an Ollama that does what the test
// says. It lives in a synctest bubble, which also finds goroutines that stay.
type rig struct {
	*Share
	t        *testing.T
	home     string
	keys     *keystore.Store
	settings *settings.Store
	log      *requestlog.Log
	net      *pipes
	ollama   *ollamaDouble
	told     *bell
	found    *evidence

	mu sync.Mutex // guards us
	us lan.Us
}

// office is a laptop with one private address.
var office = lan.New("anna", address("127.0.0.1", "lo"), address("192.168.1.5", "eth0"))

func address(ip, iface string) lan.Addr {
	return lan.Addr{IP: netip.MustParseAddr(ip), Interface: iface}
}

// bubble runs a test in a bubble of its own.
func bubble(t *testing.T, name string, change func(*Options), test func(*testing.T, *rig)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, keystore.NewMemoryVault(), change)
			r.Run()
			test(t, r)
		})
	})
}

func newRig(t *testing.T, vault keystore.Vault, change func(*Options)) *rig {
	t.Helper()
	r := &rig{t: t, home: t.TempDir(), net: newPipes(), ollama: newOllama(), us: office, log: requestlog.New(10_000), told: newBell(), found: &evidence{}}
	var err error
	if r.settings, err = settings.Open(r.home); err != nil {
		t.Fatal(err)
	}
	if r.keys, err = keystore.Open(r.home, vault, keystore.Options{}); err != nil {
		t.Fatal(err)
	}
	// Most tests are about something else than encryption.
	if err := r.settings.Set(settings.ShareAllowHTTP, "true"); err != nil {
		t.Fatal(err)
	}
	o := Options{
		Version: "test", Home: r.home, Finder: r.found, Announcer: r.told, Settings: r.settings, Keys: r.keys, Log: r.log,
		Listen: r.net.listen, Transport: r.ollama, Look: r.look,
		OnPanic: func(stack []byte) { t.Errorf("a fault inside the gate:\n%s", stack) },
	}
	if change != nil {
		change(&o)
	}
	r.Share = New(o)
	t.Cleanup(r.end)
	return r
}

// end may be called twice.
func (r *rig) end() {
	r.Close(r.t.Context())
	if err := r.keys.Close(); err != nil && !errors.Is(err, syscall.ENOTDIR) {
		r.t.Error(err)
	}
	r.net.end()
	time.Sleep(6 * time.Second) // crypto/tls gives a goodbye that nobody reads five
}

func (r *rig) look() (lan.Us, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.us, nil
}

func (r *rig) move(us lan.Us) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.us = us
}

// after lets time pass and everything settle.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (r *rig) phase(want Phase, problem Problem) {
	r.t.Helper()
	synctest.Wait()
	if st := r.State(); st.Phase != want || st.Problem != problem {
		r.t.Fatalf("it is %q with problem %q (%s), want %q with %q", st.Phase, st.Problem, st.Detail, want, problem)
	}
}

func (r *rig) share() {
	r.t.Helper()
	r.Start()
	r.phase(Sharing, NoProblem)
}

func (r *rig) set(name, value string) {
	r.t.Helper()
	if err := r.settings.Set(name, value); err != nil {
		r.t.Fatal(err)
	}
	synctest.Wait()
}

func (r *rig) key(name string) string {
	r.t.Helper()
	_, secret, err := r.AddKey(r.t.Context(), name, policy.Grant{})
	if err != nil {
		r.t.Fatal(err)
	}
	return secret.Reveal()
}

// ask sends one request to a port and returns the status; 0 when nobody is there.
func (r *rig) ask(port, key, method, path, body string) int {
	r.t.Helper()
	res, err := r.send(port, key, method, path, body)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

func (r *rig) send(port, key, method, path, body string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(r.t.Context(), method, "http://127.0.0.1:"+port+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	return r.net.client.Do(req)
}

// chat is a stream that runs.
type chat struct {
	t    *testing.T
	body io.Closer
	scan *bufio.Scanner
}

func (r *rig) chat(port, key string) *chat {
	r.t.Helper()
	res, err := r.send(port, key, http.MethodPost, "/api/chat", `{"model":"tiny","messages":[]}`)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != http.StatusOK {
		r.t.Fatalf("chat: %d", res.StatusCode)
	}
	c := &chat{r.t, res.Body, bufio.NewScanner(res.Body)}
	c.word()
	return c
}

// word waits for the next piece.
func (c *chat) word() {
	c.t.Helper()
	if !c.scan.Scan() {
		c.t.Fatalf("the stream ended: %v", c.scan.Err())
	}
}

// rest reads to the end, and returns nil for a whole answer.
func (c *chat) rest() error {
	for c.scan.Scan() {
	}
	return c.scan.Err()
}

func (r *rig) last() requestlog.Entry {
	r.t.Helper()
	synctest.Wait()
	all, _, _ := r.log.Since(0, 1)
	if len(all) == 0 {
		r.t.Fatal("nothing is in the log")
	}
	return all[0]
}

// pipes is a network inside one process.
type pipes struct {
	client *http.Client
	tr     *http.Transport

	mu     sync.Mutex
	open   map[string]*pipeListener // by port
	taken  map[string]string        // ports that others hold, by whom
	fail   error                    // what every listen answers
	events []string
}

func newPipes() *pipes {
	n := &pipes{open: map[string]*pipeListener{}, taken: map[string]string{}}
	n.tr = &http.Transport{DialContext: func(ctx context.Context, _, addr string) (net.Conn, error) {
		_, port, _ := net.SplitHostPort(addr)
		n.mu.Lock()
		l := n.open[port]
		n.mu.Unlock()
		if l == nil {
			return nil, syscall.ECONNREFUSED
		}
		here, there := net.Pipe()
		select {
		case l.conns <- there:
			return here, nil
		case <-l.closed:
			return nil, syscall.ECONNREFUSED
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
	n.client = &http.Client{Transport: n.tr}
	return n
}

func (n *pipes) end() { n.tr.CloseIdleConnections() }

func (n *pipes) note(format string, args ...any) {
	n.events = append(n.events, fmt.Sprintf(format, args...))
}

func (n *pipes) told() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.events, ", ")
}

func (n *pipes) listen(_ context.Context, addr string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, p, err := splitPort(addr)
	if err != nil {
		return nil, err
	}
	at := fmt.Sprint(p)
	switch {
	case n.fail != nil:
		n.note("failed %s", addr)
		return nil, n.fail
	case n.taken[at] != "":
		n.note("refused %s", addr)
		return nil, &lan.PortInUseError{Addr: addr, Port: p, Holder: n.taken[at], Err: syscall.EADDRINUSE}
	case n.open[at] != nil:
		n.note("refused %s", addr)
		return nil, &lan.PortInUseError{Addr: addr, Port: p, Holder: "paddock", Err: syscall.EADDRINUSE}
	}
	n.note("open %s", addr)
	l := &pipeListener{net: n, at: at, addr: addr, conns: make(chan net.Conn), closed: make(chan struct{})}
	n.open[at] = l
	return l, nil
}

func (n *pipes) listening(port string) *pipeListener {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.open[port]
}

func (n *pipes) hold(port, who string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.taken[port] = who
}

type pipeListener struct {
	net    *pipes
	at     string
	addr   string
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, errors.New("the network went away")
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() {
		l.net.mu.Lock()
		defer l.net.mu.Unlock()
		l.net.note("close %s", l.addr)
		delete(l.net.open, l.at)
		close(l.closed)
	})
	return nil
}

func (l *pipeListener) Addr() net.Addr {
	p, _ := netip.ParseAddrPort("127.0.0.1:" + l.at)
	return net.TCPAddrFromAddrPort(p)
}

// ollamaDouble is what stands behind the gate: a transport, so that it needs no
// socket.
type ollamaDouble struct {
	mu     sync.Mutex
	mode   string         // "" answers, "down", "stranger", "hangs"
	asked  map[string]int // by host and path
	tokens chan string    // what streams say: nothing by themselves after the first word
}

func newOllama() *ollamaDouble {
	return &ollamaDouble{asked: map[string]int{}, tokens: make(chan string)}
}

func (o *ollamaDouble) be(mode string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mode = mode
}

func (o *ollamaDouble) count(what string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.asked[what]
}

func (o *ollamaDouble) RoundTrip(r *http.Request) (*http.Response, error) {
	o.mu.Lock()
	mode := o.mode
	o.asked[r.URL.Host+r.URL.Path]++
	o.mu.Unlock()
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	answer := func(code int, v any) (*http.Response, error) {
		b, _ := json.Marshal(v)
		return &http.Response{
			StatusCode: code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
			Header:        http.Header{"Content-Type": {"application/json"}, "Location": {"http://elsewhere.example/"}},
			ContentLength: int64(len(b)), Body: io.NopCloser(strings.NewReader(string(b))),
		}, nil
	}
	switch mode {
	case "down":
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	case "hangs":
		<-r.Context().Done()
		return nil, r.Context().Err()
	case "stranger":
		return answer(http.StatusFound, map[string]any{})
	}
	type models struct {
		Models []map[string]string `json:"models"`
	}
	switch strings.TrimPrefix(r.URL.Path, "/prefix") {
	case "/api/version":
		return answer(http.StatusOK, map[string]string{"version": "0.17.4"})
	case "/api/tags":
		return answer(http.StatusOK, models{[]map[string]string{{"name": "tiny:latest"}, {"name": "evil\x1b[2J:latest"}}})
	case "/api/ps":
		return answer(http.StatusOK, models{[]map[string]string{{"name": "tiny:latest"}}})
	case "/api/chat":
		return &http.Response{
			StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r, ContentLength: -1,
			Header: http.Header{"Content-Type": {"application/x-ndjson"}},
			Body:   &stream{ctx: r.Context(), tokens: o.tokens, closed: make(chan struct{}), rest: `{"message":{"content":"Hello"},"done":false}` + "\n"},
		}, nil
	}
	return answer(http.StatusNotFound, map[string]string{"error": "not found"})
}

// stream is an answer that comes word by word, and ends after the word "".
type stream struct {
	ctx    context.Context //nolint:containedctx // as a body has it
	tokens chan string
	rest   string
	over   bool
	once   sync.Once
	closed chan struct{}
}

func (s *stream) Read(b []byte) (int, error) {
	if s.rest == "" {
		if s.over {
			return 0, io.EOF
		}
		select {
		case <-s.ctx.Done():
			return 0, s.ctx.Err()
		case <-s.closed:
			return 0, http.ErrBodyReadAfterClose
		case word := <-s.tokens:
			s.over = word == ""
			s.rest = fmt.Sprintf("{\"message\":{\"content\":%q},\"done\":%v}\n", word, s.over)
		}
	}
	n := copy(b, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *stream) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

// bell is what the network is told.
type bell struct {
	watch.List
	mu   sync.Mutex
	last *discovery.Service
}

func newBell() *bell { return &bell{} }

func (b *bell) Set(s *discovery.Service) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last = s
}

func (b *bell) now() *discovery.Service {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last
}

func (b *bell) State() discovery.State           { return discovery.State{On: b.now() != nil} }
func (b *bell) Watch() (<-chan struct{}, func()) { return b.Add() }
func (b *bell) Close()                           { b.Set(nil) }

// evidence is what the safety check finds on the test's machine.
type evidence struct {
	mu    sync.Mutex
	found safety.Found
	asks  []safety.Ask
}

func (e *evidence) Find(_ context.Context, ask safety.Ask) safety.Found {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asks = append(e.asks, ask)
	return e.found
}

func (e *evidence) be(f safety.Found) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.found = f
}

func (e *evidence) rounds() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.asks)
}

func lanWith(ip string) lan.Us {
	return lan.New("anna", address("127.0.0.1", "lo"), address(ip, "eth0"))
}
