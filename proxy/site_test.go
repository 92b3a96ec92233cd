package proxy

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"paddock/policy"
	"paddock/requestlog"
)

// net/http keeps a connection half a second after it refused the rest of a body;
// that is its own goroutine and ends by itself.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(os.Exit), goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

// patience is how long a test waits for what must come. Nothing waits for it
// to pass.
const patience = 20 * time.Second

// The keys of the test's people.
const (
	keyAlice   = "pdk_AliceAliceAliceAliceAliceAl1xyzab"  // a user
	keyMara    = "pdk_MaraMaraMaraMaraMaraMaraMa1xyzabc"  // a manager
	keyCloud   = "pdk_CloudCloudCloudCloudCloudCl1xyzab"  // a user who may use cloud models
	keyPaused  = "pdk_PausedPausedPausedPausedPau1xyzab"  // suspended
	keyOld     = "pdk_OldOldOldOldOldOldOldOldOldO1xyzab" // expired
	keyDora    = "pdk_DoraDoraDoraDoraDoraDoraDo1xyzabc"  // a user whose key may stand in the address
	keyLena    = "pdk_LenaLenaLenaLenaLenaLenaLe1xyzabc"  // a user with some models
	keyLars    = "pdk_LarsLarsLarsLarsLarsLarsLa1xyzabc"  // a manager with some models
	keyCleo    = "pdk_CleoCleoCleoCleoCleoCleoCl1xyzabc"  // a user with some models, a cloud model among them
	keyUnknown = "pdk_NobodyNobodyNobodyNobodyNob1xyzab"
)

// people is a Keys that tests can change under way.
type people struct {
	mu    sync.Mutex
	byKey map[string]policy.Caller
	gone  map[string]bool
	spent map[string]int64 // by key and day
	then  func()           // called after each Authenticate
}

func (p *people) Tokens(id string, at time.Time) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.spent[id+at.Format(time.DateOnly)]
}

func (p *people) Spend(id string, tokens int64, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spent[id+at.Format(time.DateOnly)] += tokens
}

func newPeople() *people {
	p := &people{byKey: map[string]policy.Caller{}, gone: map[string]bool{}, spent: map[string]int64{}}
	add := func(key, name string, g policy.Grant, suspended bool) {
		g.Rate, g.Concurrent = policy.NoRate, policy.NoCap
		p.byKey[key] = policy.Caller{ID: "id-" + name, Name: name, Hint: key[:7], Grant: g, Known: true, Suspended: suspended}
	}
	add(keyAlice, "alice", policy.Grant{}, false)
	add(keyMara, "mara", policy.Grant{Role: policy.RoleManager}, false)
	add(keyCloud, "cloud", policy.Grant{Role: policy.RoleManager, Cloud: true}, false)
	some := func(patterns ...string) policy.Models {
		m, err := policy.ParseModels(patterns)
		if err != nil {
			panic(err)
		}
		return m
	}
	add(keyDora, "dora", policy.Grant{InAddress: true}, false)
	add(keyLena, "lena", policy.Grant{Models: some("llama3", "qwen3*", "mistral:7b")}, false)
	add(keyLars, "lars", policy.Grant{Role: policy.RoleManager, Models: some("llama3*", "mine*")}, false)
	add(keyCleo, "cleo", policy.Grant{Cloud: true, Models: some("llama3", "gpt-oss*")}, false)
	add(keyPaused, "paused", policy.Grant{}, true)
	add(keyOld, "old", policy.Grant{Expires: time.Now().Add(-time.Hour)}, false)
	return p
}

func (p *people) Authenticate(presented string) policy.Caller {
	p.mu.Lock()
	c, then := p.byKey[presented], p.then
	if p.gone[c.ID] {
		c = policy.Caller{}
	}
	p.mu.Unlock()
	if then != nil {
		then()
	}
	return c
}

func (p *people) Valid(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.gone[id]
}

// restore brings back whoever was removed.
func (p *people) restore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.gone)
}

// edit changes what a key may do, from its next request on.
func (p *people) edit(key string, change func(*policy.Grant)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.byKey[key]
	change(&c.Grant)
	p.byKey[key] = c
}

func (p *people) remove(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone[id] = true
}

// site is a gate behind its real server, in front of an upstream that fails the
// test when it sees what it must not.
type site struct {
	t        testing.TB
	addr     string
	gate     *Gate
	log      *requestlog.Log
	keys     *people
	server   *http.Server
	upstream *httptest.Server
	errors   safeBuffer // what net/http would have logged
	faults   safeBuffer // stacks told to OnPanic
	seen     atomic.Int64
	active   atomic.Int64
	downs    atomic.Int64 // calls of OnUpstreamFault
	used     atomic.Int64
	client   *http.Client
	asked    atomic.Int64 // by the gate itself
	// catalogue answers in place of lists.
	catalogue atomic.Pointer[http.HandlerFunc]
	secure    bool // clients speak TLS
	narrow    bool // the system keeps next to nothing for a client that does not read
}

// encrypted has all clients speak TLS, and the owner ask for it.
func encrypted(s *site, c *Config) { s.secure, c.Choices.AllowHTTP = true, false }

func narrow(s *site, _ *Config) { s.narrow = true }

// testTLS is what the tests' listeners prove themselves with, and testTrust what
// clients need to believe it.
var testTLS, testTrust = func() (server, client *tls.Config) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}, DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, leaf, key.Public(), key)
	if err != nil {
		panic(err)
	}
	if leaf, err = x509.ParseCertificate(der); err != nil {
		panic(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}}, NextProtos: []string{"h2", "http/1.1"}},
		&tls.Config{RootCAs: roots, ServerName: "localhost"}
}()

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// never are the headers that Ollama must not see.
var never = []string{
	"Authorization", "Proxy-Authorization", "X-Api-Key", "Cookie", "Origin", "Referer", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host",
	"X-Forwarded-Proto", "X-Real-Ip", "Via", "Connection", "Keep-Alive", "Te", "Trailer", "Upgrade", "Http2-Settings", "Expect", "X-Http-Method-Override",
	"X-Method-Override", "X-Original-Url", "X-Rewrite-Url", "X-Idempotency-Key", "Idempotency-Key", "Content-Encoding", "Accept-Encoding", "X-Secret",
}

type option func(*site, *Config)

// open makes a site; handler is Ollama.
func open(t testing.TB, handler http.HandlerFunc, options ...option) *site {
	t.Helper()
	s := &site{t: t, log: requestlog.New(20_000), keys: newPeople()}
	s.upstream = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.UserAgent() == gateAgent {
			s.lists(w, r)
			return
		}
		s.seen.Add(1)
		s.active.Add(1)
		defer s.active.Add(-1)
		s.look(r)
		handler(w, r)
	}))
	s.upstream.Config.ErrorLog = NewServer(nil).ErrorLog
	s.upstream.Start()
	u, err := url.Parse(s.upstream.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := Config{
		Keys: s.keys, Log: s.log, Host: ours, Upstream: Upstream{URL: u},
		Choices:         Choices{AllowHTTP: true, Running: 100_000, Waiting: 100_000, Attempts: policy.NoRate},
		OnUpstreamFault: func() { s.downs.Add(1) },
		OnUse:           func(string, time.Time) { s.used.Add(1) },
		OnPanic:         func(stack []byte) { _, _ = s.faults.Write(stack) },
	}
	for _, o := range options {
		o(s, &c)
	}
	s.gate = New(c)
	s.server = NewServer(s.gate)
	s.server.ErrorLog.SetOutput(&s.errors)
	if s.narrow {
		s.server.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
			_ = c.(watched).watch().Conn.(*net.TCPConn).SetWriteBuffer(8 << 10)
			return withStrict(ctx, c)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.server.Serve(Doors(l, testTLS, nil))
	}()
	own := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 200, TLSClientConfig: testTrust}
	s.client = &http.Client{Transport: own, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(func() {
		own.CloseIdleConnections()
		s.gate.CutAll()
		_ = s.server.Close()
		<-served
		s.upstream.CloseClientConnections()
		s.upstream.Close()
		s.gate.Close()
		if text := s.errors.String(); text != "" {
			t.Errorf("net/http complained:\n%s", text)
		}
	})
	return s
}

// ours says what the test's machine is called.
func ours(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	if name == "laptop.local" || name == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(name)
	return err == nil && a.IsLoopback()
}

// What the gate is told when it asks on its own account: helper and one of the
// gpt-oss lie on another machine, and some names stand for others. The alias of
// llama3 is shadowed by the model but for who comes by another alias, loop-a has no end, and deep-0 is far from its.
const tags = `{"models":[{"name":"llama3:latest","model":"llama3:latest"},{"name":"qwen3:8b"},{"name":"mistral:7b"},{"name":"secret:latest"},
{"name":"helper:latest","remote_model":"gpt-oss:120b","remote_host":"https://ollama.com:443"},{"name":"gpt-oss:120b-cloud","remote_host":"https://ollama.com:443"}]}`

var aliases = func() string {
	all := []string{
		`{"alias":"best","target":"helper"}`, `{"alias":"llama3","target":"minimax:cloud"}`, `{"alias":"plain","target":"mistral:7b"}`, `{"alias":"through","target":"llama3"}`,
		`{"alias":"chain-a","target":"chain-b"}`, `{"alias":"Chain-B:latest","target":"library/chain-c"}`, `{"alias":"chain-c","target":"minimax:cloud"}`,
		`{"alias":"loop-a","target":"loop-b"}`, `{"alias":"loop-b","target":"loop-a"}`,
		`{"alias":"qwen3-secret","target":"secret"}`, `{"alias":"qwen3-fine","target":"mistral:7b"}`, `{"alias":"qwen3-far","target":"helper"}`,
		`{"alias":"qwen3-fast","target":"secret","prefix_matching":true}`, `{"alias":"qwen3-fast-","target":"mistral:7b","prefix_matching":true}`,
		`{"alias":"gpt-","target":"minimax:cloud","prefix_matching":true}`, `{"alias":"deep-25","target":"minimax:cloud"}`,
	}
	for i := range 25 {
		all = append(all, fmt.Sprintf(`{"alias":"deep-%d","target":"deep-%d"}`, i, i+1))
	}
	return `{"aliases":[` + strings.Join(all, ",") + `]}`
}()

// lists answers what the gate asks on its own account.
func (s *site) lists(w http.ResponseWriter, r *http.Request) {
	s.asked.Add(1)
	if f := s.catalogue.Load(); f != nil {
		(*f)(w, r)
		return
	}
	switch r.URL.Path {
	case "/api/tags":
		fmt.Fprint(w, tags)
	case "/api/experimental/aliases":
		fmt.Fprint(w, aliases)
	default:
		s.t.Errorf("the gate asked for %s", r.URL.Path)
	}
}

// look is Ollama's side of the header hygiene.
func (s *site) look(r *http.Request) {
	for _, name := range never {
		if v, ok := r.Header[name]; ok {
			s.t.Errorf("Ollama saw %s: %q", name, v)
		}
	}
	for name, values := range r.Header {
		if strings.Contains(strings.Join(values, " "), "pdk_") {
			s.t.Errorf("Ollama saw a key in %s", name)
		}
	}
	if r.Host != strings.TrimPrefix(s.upstream.URL, "http://") {
		s.t.Errorf("Ollama saw the Host %q", r.Host)
	}
	if r.URL.RawQuery != "" {
		s.t.Errorf("Ollama saw the query %q", r.URL.RawQuery)
	}
	if r.RequestURI != r.URL.Path {
		s.t.Errorf("Ollama saw the target %q", r.RequestURI)
	}
	if _, route := policy.Find(r.Method, r.RequestURI); route != policy.RouteFound {
		s.t.Errorf("Ollama saw %s %q, which is not in the table", r.Method, r.RequestURI)
	}
	if len(r.Trailer) > 0 {
		s.t.Errorf("Ollama saw trailers %v", r.Trailer)
	}
}

// result is one answer, as it stood on the wire.
type result struct {
	status int
	header http.Header
	body   string
	err    error // while the answer was read
}

// send sends bytes as they are on a connection of their own and reads the answer
// to a request of the method given. It closes nothing before the answer is there.
func (s *site) send(method, text string) result {
	s.t.Helper()
	c := s.dial()
	defer c.Close()
	if _, err := io.WriteString(c, text); err != nil {
		s.t.Fatal(err)
	}
	return s.answer(c, bufio.NewReader(c), method)
}

func (s *site) dial() net.Conn {
	s.t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(patience))
	if s.secure {
		return tls.Client(c, testTrust)
	}
	return c
}

func (s *site) answer(_ net.Conn, r *bufio.Reader, method string) result {
	s.t.Helper()
	a, err := http.ReadResponse(r, &http.Request{Method: method})
	if err != nil {
		return result{err: err}
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	return result{a.StatusCode, a.Header, string(b), err}
}

// ask sends one ordinary request with a key.
func (s *site) ask(key, method, path, body string, headers ...string) result {
	s.t.Helper()
	a := s.start(key, method, path, body, headers...)
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	return result{a.StatusCode, a.Header, string(b), err}
}

// start sends one ordinary request and leaves the answer's body to the caller.
func (s *site) start(key, method, path, body string, headers ...string) *http.Response {
	s.t.Helper()
	a, err := s.try(key, method, path, body, headers...)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

func (s *site) try(key, method, path, body string, headers ...string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.scheme()+s.addr+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header[headers[i]] = append(r.Header[headers[i]], headers[i+1])
	}
	return s.client.Do(r)
}

func (s *site) scheme() string {
	if s.secure {
		return "https://"
	}
	return "http://"
}

// entries waits until the log holds n finished entries and nothing runs, and
// returns them all: one request, one entry, never more.
func (s *site) entries(n int) []requestlog.Entry {
	s.t.Helper()
	wake, stop := s.log.Watch()
	defer stop()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		all, _, missed := s.log.Since(0, 0)
		run, _ := s.log.Counts()
		if len(all)+int(missed) > n {
			s.t.Fatalf("%d entries for %d requests; the last: %+v", len(all), n, all[len(all)-1])
		}
		if len(all) == n && run == 0 {
			return all
		}
		select {
		case <-wake:
		case <-limit.C:
			s.t.Fatalf("%d entries and %d running after %v, want %d", len(all), run, patience, n)
		}
	}
}

// last waits for the nth entry and returns it.
func (s *site) last(n int) requestlog.Entry {
	s.t.Helper()
	return s.entries(n)[n-1]
}

// until polls a condition.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// wait waits for a channel to be closed or to hold something.
func wait[T any](t testing.TB, what string, c <-chan T) (v T) {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case v = <-c:
	case <-limit.C:
		t.Fatalf("not within %v: %s", patience, what)
	}
	return v
}

// echo is an Ollama that answers one small object.
func echo(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	fmt.Fprint(w, `{"ok":true}`)
}

const chat = `{"model":"llama3","messages":[{"role":"user","content":"hello"}]}`
