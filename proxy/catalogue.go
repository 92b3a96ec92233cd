package proxy

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"paddock/policy"
)

// Ages of the catalogue.
const (
	catalogueFresh   = 2 * time.Second        // older than that it is read again by the next who asks
	catalogueUsable  = 10 * time.Second       // until then the others go on with what there is
	catalogueUnknown = 500 * time.Millisecond // for a name that is not in it: somebody may have made it just now
	cataloguePatient = 5 * time.Second        // for Ollama's answer
	maxCatalogue     = 8 << 20                // bytes of a list
)

// catalogue knows which names on this Ollama stand for something else: a model
// on another machine (a name may say nothing of it: an entry of /api/tags names
// its remote_host), or another name (the aliases of Ollama 0.17). It is asked
// for each request of a key that may not use everything.
type catalogue struct {
	ask func(ctx context.Context, up *Upstream, path string, into any) (status int, err error)
	now func() time.Time
	// onPanic is told of a fault of ours; may be nil.
	onPanic func(stack []byte)

	have  atomic.Pointer[models]
	stale atomic.Uint64 // counts the requests that may have changed it

	mu  sync.Mutex // guards run
	run *lookUp    // the one under way, nil when none is
}

// lookUp is one reading under way, for everybody who wants it.
type lookUp struct {
	upstream *Upstream
	stale    uint64
	done     chan struct{} // closed when what follows is set
	err      error
}

// models is one reading. It never changes, but that aliases are added to it.
type models struct {
	at       time.Time
	stale    uint64 // as it was before reading
	upstream *Upstream
	remote   map[policy.Model]bool

	more     sync.Mutex // guards what follows, which is asked for with the first name that no model has
	told     bool
	aliases  map[policy.Model]string
	prefixes []alias // the longest first, as Ollama looks at them
}

type alias struct {
	Alias  string `json:"alias"`
	Target string `json:"target"`
	Prefix bool   `json:"prefix_matching"`
}

// changed says that models may have been made or taken away.
func (c *catalogue) changed() { c.stale.Add(1) }

// look returns which model Ollama runs for a name, and whether that is on
// another machine. An error means that nobody can tell now.
//
// Versions after 0.17 take a tag "local" for no part of the name, so it is
// looked at without that as well, and what stands for something else counts.
func (c *catalogue) look(ctx context.Context, up *Upstream, name policy.Model) (runs policy.Model, remote bool, err error) {
	m, err := c.read(ctx, up, func(m *models) time.Duration {
		if _, known := m.remote[name]; !known {
			return catalogueUnknown
		}
		return catalogueFresh
	})
	if err != nil {
		return "", false, err
	}
	if _, known := m.remote[name]; known {
		return name, m.remote[name], nil // a model goes before an alias
	}
	if err := c.addAliases(up, m); err != nil {
		return "", false, err
	}
	runs = m.resolve(name)
	if bare, found := strings.CutSuffix(string(name), ":local"); found && runs == name && !m.remote[name] {
		other, _ := policy.ParseModel(bare)
		if to := m.resolve(other); to != other || m.remote[to] {
			runs = to
		}
	}
	return runs, m.remote[runs], nil
}

// read returns a reading that is not older than fresh says. There is one reading
// at a time, whoever asks: who may have missed a change waits for it, the others go
// on with what there is while that is usable.
func (c *catalogue) read(ctx context.Context, up *Upstream, fresh func(*models) time.Duration) (*models, error) {
	good := func(m *models, age time.Duration) bool {
		if m == nil || m.upstream != up || m.stale != c.stale.Load() {
			return false
		}
		since := c.now().Sub(m.at)
		return since >= 0 && since < age
	}
	var last error
	for range 2 { // a reading that began before a change does not count
		have := c.have.Load()
		if good(have, catalogueUsable) {
			want := fresh(have)
			if good(have, want) {
				return have, nil
			}
			if want == catalogueFresh {
				run, ours := c.begin(up)
				if ours {
					run.wait(ctx)
					have = cmp.Or(c.have.Load(), have)
				}
				if good(have, catalogueUsable) {
					return have, nil
				}
			}
		}
		run, _ := c.begin(up)
		if !run.wait(ctx) {
			return nil, context.Cause(ctx)
		}
		if have = c.have.Load(); good(have, catalogueUsable) {
			return have, nil // read since we asked, so it is as fresh as can be
		}
		last = run.err
	}
	if last == nil {
		last = errChanging
	}
	return nil, last
}

var errChanging = errors.New("the models of this Ollama change while they are read")

// wait says whether the reading ended before ctx did.
func (r *lookUp) wait(ctx context.Context) bool {
	select {
	case <-r.done:
		return true
	case <-ctx.Done():
		return false
	}
}

// begin joins the reading under way, or begins one, which is then ours. It ends by
// itself, whether those who want it stay or leave.
func (c *catalogue) begin(up *Upstream) (run *lookUp, ours bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	stale := c.stale.Load()
	if c.run != nil && c.run.upstream == up && c.run.stale == stale {
		return c.run, false
	}
	run = &lookUp{upstream: up, stale: stale, done: make(chan struct{})}
	c.run = run
	go func() {
		defer close(run.done)
		defer c.end(run)
		run.err = c.fetch(up, stale)
	}()
	return run, true
}

// end takes a reading off the list. A panic in it ends nobody's program.
func (c *catalogue) end(run *lookUp) {
	if recover() != nil {
		run.err = errFault
		if c.onPanic != nil {
			c.onPanic(debug.Stack())
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.run == run {
		c.run = nil
	}
}

var errFault = errors.New("a fault while the models were read")

// fetch reads the lists.
func (c *catalogue) fetch(up *Upstream, stale uint64) error {
	ctx, cancel := context.WithTimeout(context.Background(), cataloguePatient)
	defer cancel()
	m := &models{stale: stale, upstream: up, remote: map[policy.Model]bool{}}
	var tags struct {
		Models []struct {
			Name        string `json:"name"`
			RemoteHost  string `json:"remote_host"`
			RemoteModel string `json:"remote_model"`
		} `json:"models"`
	}
	if status, err := c.ask(ctx, up, "/api/tags", &tags); err != nil && !otherServer(status, err) {
		return err
	}
	for _, t := range tags.Models {
		if name, ok := policy.ParseModel(t.Name); ok {
			m.remote[name] = t.RemoteHost != "" || t.RemoteModel != "" || policy.IsCloud(t.Name)
		}
	}
	m.at = c.now()
	c.have.Store(m)
	return nil
}

// addAliases reads the aliases, once for a reading.
func (c *catalogue) addAliases(up *Upstream, m *models) error {
	m.more.Lock()
	defer m.more.Unlock()
	if m.told {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), cataloguePatient)
	defer cancel()
	var list struct {
		Aliases []alias `json:"aliases"`
	}
	// Versions before 0.17 have none.
	if status, err := c.ask(ctx, up, "/api/experimental/aliases", &list); err != nil && !otherServer(status, err) && status != http.StatusMethodNotAllowed {
		return err
	}
	m.aliases = map[policy.Model]string{}
	for _, a := range list.Aliases {
		if a.Prefix {
			m.prefixes = append(m.prefixes, alias{Alias: strings.ToLower(strings.TrimSpace(a.Alias)), Target: a.Target})
		} else if name, ok := policy.ParseModel(a.Alias); ok {
			m.aliases[name] = a.Target
		}
	}
	slices.SortStableFunc(m.prefixes, func(a, b alias) int { return len(b.Alias) - len(a.Alias) })
	m.told = true
	return nil
}

// otherServer says whether an answer that is no list comes from something that is
// not Ollama and so has no such names: it does not know the path, or answers every
// path with a text. Ollama itself answers 500 when it cannot read its models.
func otherServer(status int, err error) bool {
	return status == http.StatusNotFound || errors.Is(err, errNoJSON)
}

// resolve follows aliases as Ollama does (server/aliases.go, ResolveName): a
// model that exists is never one; the prefixes are looked at for the first step
// only.
func (m *models) resolve(name policy.Model) policy.Model {
	if _, exists := m.remote[name]; exists {
		return name
	}
	target, found := m.aliases[name]
	if !found {
		short := strings.TrimSuffix(name.Short(), ":latest") // Ollama leaves it out here
		i := slices.IndexFunc(m.prefixes, func(p alias) bool { return p.Alias != "" && strings.HasPrefix(short, p.Alias) })
		if i < 0 {
			return name
		}
		target = m.prefixes[i].Target
	}
	for range len(m.aliases) + 1 { // a longer way goes round in circles, and Ollama refuses it
		to, ok := policy.ParseModel(target)
		if !ok {
			break
		}
		name = to
		if target, found = m.aliases[to]; !found {
			break
		}
	}
	return name
}

// askOllama reads one list for the gate itself.
func (g *Gate) askOllama(ctx context.Context, up *Upstream, path string, into any) (status int, err error) {
	if up.URL == nil {
		return 0, errNoUpstream
	}
	target := *up.URL
	target.Path = strings.TrimSuffix(target.Path, "/") + path
	target.RawPath, target.RawQuery = "", ""
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return 0, err
	}
	r.Header.Set("User-Agent", gateAgent)
	answer, err := g.Transport.RoundTrip(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return answer.StatusCode, fmt.Errorf("asking %s: status %d", path, answer.StatusCode)
	}
	b, err := io.ReadAll(io.LimitReader(answer.Body, maxCatalogue+1))
	switch {
	case err != nil:
		return 0, err
	case len(b) > maxCatalogue:
		return 0, errors.New("the list of models is too long")
	}
	if text := bytes.TrimLeft(b, " \t\r\n"); len(text) == 0 || text[0] != '{' {
		return answer.StatusCode, errNoJSON
	}
	return answer.StatusCode, json.Unmarshal(b, into)
}

// gateAgent is how the gate calls itself when it asks Ollama on its own account.
const gateAgent = "paddock-gate"

var errNoJSON = errors.New("not a JSON object")

var errNoUpstream = errors.New("nobody knows where Ollama is")
