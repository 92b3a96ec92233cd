package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"paddock/policy"
	"paddock/requestlog"
)

// clock is a Config.Now that tests turn.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

// at is a clock of the wall alone, as after a night's sleep.
func at(text string) *clock {
	t, err := time.ParseInLocation(time.DateTime, text, time.Local)
	if err != nil {
		panic(err)
	}
	return &clock{now: t}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func by(c *clock) option { return func(_ *site, k *Config) { k.Now = c.Now } }

// told is the Retry-After of an answer, in seconds; -1 when there is none.
func told(got result) int {
	n, err := strconv.Atoi(got.header.Get("Retry-After"))
	if err != nil {
		return -1
	}
	return n
}

func TestRequestsAMinute(t *testing.T) {
	now := at("2099-11-23 12:00:00")
	s := open(t, echo, by(now))
	s.keys.edit(keyAlice, func(g *policy.Grant) { g.Rate = policy.Rate{Count: 3, Per: time.Minute} })
	n := 0
	ask := func(key, method, path string, status, retry int) {
		t.Helper()
		got := s.ask(key, method, path, chat)
		n++
		if got.status != status || retry != told(got) {
			t.Errorf("%s: %d, Retry-After %d, want %d, %d", path, got.status, told(got), status, retry)
		}
		if e := s.last(n); status == 429 && (e.Reason != policy.RateLimit || e.Phase != requestlog.Refused) {
			t.Errorf("%+v", e)
		}
	}
	ask(keyAlice, "POST", "/api/chat", 200, -1)
	ask(keyAlice, "GET", "/api/tags", 200, -1)
	ask(keyAlice, "POST", "/api/pull", 403, -1) // what is refused anyway costs nothing
	ask(keyAlice, "GET", "/nothing", 404, -1)
	ask(keyAlice, "POST", "/v1/chat/completions", 200, -1)
	ask(keyAlice, "POST", "/api/chat", 429, 20)
	ask(keyAlice, "GET", "/api/version", 429, 20)
	ask(keyMara, "GET", "/api/version", 200, -1) // nobody else's limit
	now.add(18*time.Second + 500*time.Millisecond)
	ask(keyAlice, "POST", "/api/chat", 429, 2) // never too early
	now.add(1500 * time.Millisecond)
	ask(keyAlice, "POST", "/api/chat", 200, -1)
	ask(keyAlice, "POST", "/api/chat", 429, 20)
	s.keys.edit(keyAlice, func(g *policy.Grant) { g.Rate = policy.NoRate })
	ask(keyAlice, "POST", "/api/chat", 200, -1)
	s.keys.edit(keyAlice, func(g *policy.Grant) { g.Rate = policy.Rate{} }) // a default, not nothing
	now.add(time.Minute)
	for range policy.DefaultRate.Count {
		ask(keyAlice, "GET", "/api/version", 200, -1)
	}
	ask(keyAlice, "GET", "/api/version", 429, 1)
}

// A clock that jumps neither opens a limit nor closes it for long.
func TestClockThatJumps(t *testing.T) {
	now := at("2099-11-23 12:00:00")
	s := open(t, echo, by(now), func(_ *site, c *Config) { c.Choices.Attempts = policy.Rate{Count: 2, Per: time.Minute} })
	s.keys.edit(keyAlice, func(g *policy.Grant) { g.Rate = policy.Rate{Count: 2, Per: time.Minute} })
	status := func(key string, want int) {
		t.Helper()
		got := s.ask(key, "GET", "/api/tags", "")
		if got.status != want || told(got) > 15*60 {
			t.Errorf("%d after %d, want %d", got.status, told(got), want)
		}
	}
	status(keyAlice, 200)
	status(keyAlice, 200)
	status(keyAlice, 429)
	for range 2 {
		status(keyUnknown, 401)
	}
	status(keyUnknown, 429)
	now.add(-24 * time.Hour)
	status(keyAlice, 429) // nothing is refilled by going back
	status(keyUnknown, 429)
	status(keyMara, 200)
	now.add(2 * time.Minute)
	status(keyAlice, 200) // and time goes on from there
	now.add(365 * 24 * time.Hour)
	status(keyAlice, 200)
	status(keyAlice, 200)
	status(keyAlice, 429) // a year is worth no more than a full bucket
	status(keyUnknown, 401)
	for _, e := range s.entries(14) {
		if e.Took < 0 {
			t.Errorf("%+v", e)
		}
	}
}

// A key ends by the wall's clock, wherever that goes, between two requests on one
// connection.
func TestExpiryByTheWall(t *testing.T) {
	now := at("2099-11-23 12:00:00")
	s := open(t, echo, by(now))
	s.keys.edit(keyAlice, func(g *policy.Grant) { g.Expires = now.Now().Add(time.Hour) })
	for _, c := range []struct {
		add    time.Duration
		status int
	}{{0, 200}, {time.Hour - 1, 200}, {1, 401}, {-time.Minute, 200}, {100 * time.Hour, 401}} {
		now.add(c.add)
		if got := s.ask(keyAlice, "GET", "/api/tags", ""); got.status != c.status {
			t.Errorf("at %v: %d, want %d", now.Now(), got.status, c.status)
		}
	}
	s.entries(5)
}

func TestTokensADay(t *testing.T) {
	now := at("2099-11-23 23:59:30")
	answer := final
	s := open(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-ndjson")
		_, _ = io.WriteString(w, answer)
	}, by(now))
	s.keys.edit(keyAlice, func(g *policy.Grant) { g.TokensPerDay = 20 })
	n := 0
	ask := func(path string, status int, spent int64) {
		t.Helper()
		method := "POST"
		if path == "/api/tags" {
			method = "GET"
		}
		got := s.ask(keyAlice, method, path, chat)
		n++
		e := s.last(n)
		if got.status != status || status == 429 && (e.Reason != policy.TokenLimit || told(got) < 1) {
			t.Errorf("%s: %+v\n%+v", path, got, e)
		}
		if is := s.keys.Tokens("id-alice", now.Now()); is != spent {
			t.Errorf("%s: %d tokens are booked, want %d", path, is, spent)
		}
	}
	ask("/api/chat", 200, 14) // 11 of the prompt, 3 of the answer
	ask("/api/tags", 200, 14) // lists cost nothing
	ask("/api/chat", 200, 28) // what has begun is not cut
	ask("/api/chat", 429, 28)
	ask("/api/tags", 200, 28)
	if got := s.ask(keyAlice, "POST", "/api/chat", chat); told(got) != 30 {
		t.Errorf("half a minute before midnight: Retry-After %d", told(got))
	}
	n++
	now.add(30 * time.Second)
	// Who leaves the figures out pays by the length of what was asked.
	answer = `{"done":true}` + "\n"
	ask("/api/chat", 200, int64(len(chat))/4)
	answer = `{"error":"no"}` + "\n"
	ask("/api/chat", 200, 2*(int64(len(chat))/4))
}

// holder is an Ollama that answers each request when the test says so.
type holder struct{ calls chan *held }

type held struct {
	path   string
	answer chan struct{} // closed by the test
	gone   chan struct{} // closed when the request has ended
}

func newHolder() *holder { return &holder{make(chan *held, 1000)} }

func (o *holder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	c := &held{r.URL.Path, make(chan struct{}), make(chan struct{})}
	defer close(c.gone)
	if r.Method == http.MethodGet {
		echo(w, r)
		return
	}
	o.calls <- c
	select {
	case <-c.answer:
	case <-r.Context().Done():
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	_, _ = io.WriteString(w, final)
}

// line opens a question on a connection of its own.
func (s *site) line(text string) (net.Conn, *bufio.Reader) {
	s.t.Helper()
	c := s.dial()
	s.t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, text); err != nil {
		s.t.Fatal(err)
	}
	return c, bufio.NewReader(c)
}

// places waits until requests wait at the places given, in the order in which
// they came, and so many run.
func (s *site) places(running int, want ...int) {
	s.t.Helper()
	var is string
	until(s.t, fmt.Sprintf("%d run and %v wait", running, want), func() bool {
		var places []int
		runs := 0
		for _, e := range s.log.Running(time.Now()) {
			switch e.Phase {
			case requestlog.Waiting:
				places = append(places, e.Place)
			case requestlog.Running:
				runs++
			default:
				s.t.Fatalf("%+v", e)
			}
		}
		is = fmt.Sprint(places)
		return runs == running && is == fmt.Sprint(want)
	})
	if r, w := s.gate.queue.Counts(); w != len(want) || r > running {
		s.t.Errorf("the queue counts %d and %d, want %d and %d (%s)", r, w, running, len(want), is)
	}
}

func lanesOf(running, waiting int) option {
	return func(_ *site, c *Config) { c.Choices.Running, c.Choices.Waiting = running, waiting }
}

func TestRequestsAtOnce(t *testing.T) {
	o := newHolder()
	s := open(t, o.ServeHTTP)
	s.keys.edit(keyAlice, func(g *policy.Grant) { g.Concurrent = 2 })
	ask := post("/api/chat", asUser, chat)
	_, first := s.line(ask)
	one := wait(t, "the first", o.calls)
	_, second := s.line(ask)
	two := wait(t, "the second", o.calls)
	got := s.ask(keyAlice, "POST", "/v1/chat/completions", chat)
	if got.status != 429 || told(got) < 1 || !strings.Contains(got.body, "rate_limit_error") {
		t.Errorf("%+v", got)
	}
	if e := s.log.Running(time.Now()); len(e) != 2 {
		t.Errorf("%d run", len(e))
	}
	if got := s.ask(keyAlice, "GET", "/api/tags", ""); got.status != 200 {
		t.Errorf("a list: %+v", got)
	}
	_, mara := s.line(post("/api/chat", asMara, chat))
	three := wait(t, "somebody else's", o.calls)
	close(one.answer)
	if got := s.answer(nil, first, "POST"); got.status != 200 {
		t.Errorf("%+v", got)
	}
	until(t, "the place is free", func() bool { r, _ := s.gate.queue.Counts(); return r == 2 })
	_, fourth := s.line(ask)
	four := wait(t, "the next", o.calls)
	close(two.answer)
	close(three.answer)
	close(four.answer)
	for _, r := range []*bufio.Reader{second, mara, fourth} {
		if got := s.answer(nil, r, "POST"); got.status != 200 {
			t.Errorf("%+v", got)
		}
	}
	all := s.entries(6)
	if all[0].Reason != policy.ConcurrentLimit || all[0].Phase != requestlog.Refused {
		t.Errorf("%+v", all[0])
	}
	s.atRest()
}

// atRest says that nothing is left of anything.
func (s *site) atRest() {
	s.t.Helper()
	until(s.t, "Ollama is at rest", func() bool { return s.active.Load() == 0 })
	until(s.t, "the queue is empty", func() bool { r, w := s.gate.queue.Counts(); return r+w == 0 })
	s.gate.running.mu.Lock()
	defer s.gate.running.mu.Unlock()
	if n := len(s.gate.running.all); n != 0 {
		s.t.Errorf("%d requests can still be cut", n)
	}
	if text := s.faults.String(); text != "" {
		s.t.Error(text)
	}
}

func TestTheQueueIsFull(t *testing.T) {
	o := newHolder()
	s := open(t, o.ServeHTTP, lanesOf(1, 2))
	ask := post("/api/chat", asUser, chat)
	_, first := s.line(ask)
	running := wait(t, "the first", o.calls)
	conn, second := s.line(ask)
	s.places(1, 1)
	_, third := s.line(ask)
	s.places(1, 1, 2)
	got := s.ask(keyAlice, "POST", "/v1/messages", chat)
	if got.status != 503 || got.header.Get("X-Queue-Position") != "3" || told(got) < 1 || !strings.Contains(got.body, "overloaded_error") {
		t.Errorf("%+v", got)
	}
	// Another key has a lane of its own, and lists do not wait.
	_, mara := s.line(post("/api/chat", asMara, chat))
	s.places(1, 1, 2, 1)
	if got := s.ask(keyAlice, "GET", "/api/tags", ""); got.status != 200 {
		t.Errorf("%+v", got)
	}
	if n := s.seen.Load(); n != 2 {
		t.Errorf("Ollama saw %d", n)
	}
	// Who waits is sent nothing, not even a header.
	_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if b, err := second.Peek(1); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("sent %q, %v", b, err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	close(running.answer)
	for range 3 {
		close(wait(t, "the next", o.calls).answer)
	}
	for _, r := range []*bufio.Reader{first, second, third, mara} {
		if got := s.answer(nil, r, "POST"); got.status != 200 || got.header.Get("X-Queue-Position") != "" {
			t.Errorf("%+v", got)
		}
	}
	all := s.entries(6)
	if all[0].Reason != policy.QueueFull || all[0].Phase != requestlog.Refused || all[0].Status != 503 {
		t.Errorf("%+v", all[0])
	}
	waited := 0
	for _, e := range all {
		if e.Waited > 0 && e.Phase == requestlog.Done && e.Place == 0 {
			waited++
		}
	}
	if waited != 3 {
		t.Errorf("%d waited: %+v", waited, all)
	}
	s.atRest()
}

// More room lets those start who wait.
func TestMoreRoomStartsWhoWaits(t *testing.T) {
	o := newHolder()
	s := open(t, o.ServeHTTP, lanesOf(1, 10))
	ask := post("/api/chat", asUser, chat)
	for range 4 {
		s.line(ask)
	}
	until(t, "three wait", func() bool { _, w := s.gate.queue.Counts(); return w == 3 })
	s.gate.SetChoices(Choices{AllowHTTP: true, Running: 4, Waiting: 10, Attempts: policy.NoRate})
	for range 4 {
		close(wait(t, "each", o.calls).answer)
	}
	s.entries(4)
	s.atRest()
}

func TestWhoWaitsCanLeave(t *testing.T) {
	o := newHolder()
	s := open(t, o.ServeHTTP, lanesOf(1, 10))
	ask := post("/api/chat", asUser, chat)
	_, first := s.line(ask)
	running := wait(t, "the first", o.calls)
	second, _ := s.line(ask)
	s.places(1, 1)
	_, third := s.line(ask)
	s.places(1, 1, 2)
	second.Close()
	s.places(1, 1)
	if e := s.entry(1); e.Phase != requestlog.Cut || e.CutBy != requestlog.CutByClient || e.Status != 0 || e.Waited <= 0 || e.BytesOut != 0 {
		t.Errorf("%+v", e)
	}
	close(running.answer)
	close(wait(t, "the third", o.calls).answer)
	for _, r := range []*bufio.Reader{first, third} {
		if got := s.answer(nil, r, "POST"); got.status != 200 {
			t.Errorf("%+v", got)
		}
	}
	s.entries(3)
	if s.seen.Load() != 2 {
		t.Errorf("Ollama saw %d", s.seen.Load())
	}
	s.atRest()
}

// entry returns the nth entry while others run.
func (s *site) entry(n int) requestlog.Entry {
	s.t.Helper()
	var all []requestlog.Entry
	until(s.t, "the entry", func() bool { all, _, _ = s.log.Since(0, 0); return len(all) >= n })
	return all[n-1]
}

func TestWhoWaitsCanBeCut(t *testing.T) {
	for name, c := range map[string]struct {
		cut    func(s *site, id string)
		status int
		by     requestlog.Cutter
		reason policy.Reason
		starts bool // it is told when its turn comes, not at once
	}{
		"the owner stops it":      {func(s *site, id string) { s.gate.StopRequest(id) }, 503, requestlog.CutByOwner, policy.Allowed, false},
		"the key is suspended":    {func(s *site, _ string) { s.keys.remove("id-alice"); s.gate.CutKey("id-alice") }, 401, requestlog.CutByKey, policy.Allowed, false},
		"sharing ends":            {func(s *site, _ string) { s.gate.Drain(true); s.gate.CutAll() }, 503, requestlog.CutBySharing, policy.Allowed, false},
		"the key ends by itself":  {func(s *site, _ string) { s.keys.remove("id-alice") }, 401, requestlog.CutByNobody, policy.SuspendedKey, true},
		"sharing is being ended":  {func(s *site, _ string) { s.gate.Drain(true) }, 503, requestlog.CutBySharing, policy.Allowed, false},
		"the origins are changed": {func(s *site, _ string) { s.gate.SetOrigins(websites) }, 200, requestlog.CutByNobody, policy.Allowed, true},
	} {
		t.Run(name, func(t *testing.T) {
			o := newHolder()
			s := open(t, o.ServeHTTP, lanesOf(1, 10))
			s.line(post("/api/chat", asMara, chat))
			running := wait(t, "the first", o.calls)
			_, second := s.line(post("/api/chat", asUser, chat))
			s.places(1, 1)
			c.cut(s, s.log.Running(time.Now())[1].ID)
			if c.starts {
				close(running.answer)
			}
			if c.status == 200 {
				close(wait(t, "its turn", o.calls).answer)
			}
			got := s.answer(nil, second, "POST")
			if got.status != c.status || c.status == 401 != (got.header.Get("WWW-Authenticate") != "") {
				t.Errorf("%+v", got)
			}
			var e requestlog.Entry
			until(t, "its entry", func() bool {
				all, _, _ := s.log.Since(0, 0)
				for _, e = range all {
					if e.Key == "alice" {
						return true
					}
				}
				return false
			})
			if e.CutBy != c.by || e.Reason != c.reason || e.Waited <= 0 || e.Status != c.status {
				t.Errorf("%+v", e)
			}
			if !c.starts {
				select {
				case <-running.answer:
				default:
					close(running.answer)
				}
			}
			s.entries(2)
			s.gate.Drain(false)
			if want := int64(1); c.status != 200 && s.seen.Load() != want {
				t.Errorf("Ollama saw %d", s.seen.Load())
			}
			go func() { close((<-o.calls).answer) }()
			if got := s.ask(keyMara, "POST", "/api/chat", chat); got.status != 200 {
				t.Errorf("afterwards: %+v", got)
			}
			s.entries(3)
			s.atRest()
		})
	}
}

// One who asks seldom goes before the second of another's many.
func TestOneQuestionIsNotStuckBehindMany(t *testing.T) {
	o := newHolder()
	s := open(t, o.ServeHTTP, lanesOf(1, 100))
	many := post("/api/embed", asMara, chat)
	s.line(many)
	running := wait(t, "the first", o.calls)
	for range 20 {
		s.line(many)
	}
	until(t, "twenty wait", func() bool { _, w := s.gate.queue.Counts(); return w == 20 })
	_, one := s.line(post("/api/chat", asUser, chat))
	until(t, "it waits too", func() bool { _, w := s.gate.queue.Counts(); return w == 21 })
	done := make(chan struct{})
	go func() {
		defer close(done)
		if got := s.answer(nil, one, "POST"); got.status != 200 {
			t.Errorf("%+v", got)
		}
	}()
	answered := 0
	for running.path != "/api/chat" && answered < 21 {
		close(running.answer)
		<-running.gone
		answered++
		running = wait(t, "the next", o.calls)
	}
	close(running.answer)
	if answered > 4 {
		t.Errorf("answered after %d of another's", answered)
	}
	wait(t, "its answer", done)
	s.gate.CutAll()
	s.entries(22)
	s.atRest()
}

func TestWhoGuessesIsLockedOut(t *testing.T) {
	now := at("2099-11-23 12:00:00")
	s := open(t, echo, by(now), func(_ *site, c *Config) { c.Choices.Attempts = policy.Rate{Count: 10, Per: time.Minute} })
	n := 0
	from := func(address, path, headers string, status, retry int) {
		t.Helper()
		r := httptest.NewRequest("GET", path, nil)
		r.Host, r.RemoteAddr = "laptop.local", address
		for line := range strings.SplitSeq(headers, "\r\n") {
			if name, v, found := strings.Cut(line, ": "); found {
				r.Header.Add(name, v)
			}
		}
		w := httptest.NewRecorder()
		s.gate.ServeHTTP(w, r)
		n++
		got := result{status: w.Code, header: w.Header()}
		if got.status != status || told(got) != retry {
			t.Errorf("%s with %q: %d, Retry-After %d, want %d, %d", path, headers, got.status, told(got), status, retry)
		}
		if e := s.last(n); (e.Reason == policy.TooManyAttempts) != (status == 429) || status == 429 && (e.Status != 429 || e.Phase != requestlog.Refused) {
			t.Errorf("%+v", e)
		}
		if status == 429 && w.Header().Get("WWW-Authenticate") != "" {
			t.Error("a 429 asks for another key")
		}
	}
	const here, good, wrong = "192.0.2.1:1", "x-api-key: " + keyAlice, "x-api-key: " + keyUnknown
	for range 30 {
		from(here, "/api/tags", "", 401, -1)               // no key is no guess
		from(here, "/k/"+keyMara+"/api/tags", "", 401, -1) // nor is a good one in the wrong place
		from(here, "/api/tags", good, 200, -1)
	}
	for _, headers := range []string{
		wrong, "Authorization: Bearer x", "Authorization: Digest x", good + "\r\nAuthorization: Bearer " + keyMara, "x-api-key: " + keyPaused, "x-api-key: " + keyOld, basicLine("a", "b"),
	} {
		from(here, "/api/tags", headers, 401, -1)
	}
	from(here, "/k/x/api/tags", "", 401, -1)
	from(here, "/nothing", wrong, 401, -1)
	from(here, "/k//api/tags", "", 401, -1)
	for _, headers := range []string{wrong, "Authorization: Digest x", "x-api-key: " + keyPaused, good + "\r\nAuthorization: Bearer " + keyMara} {
		from(here, "/v1/messages", headers, 429, 60)
	}
	from(here, "/k/x/api/tags", "", 429, 60)
	from(here, "/api/tags", good, 200, -1) // a good key passes at all times
	from(here, "/api/tags", "", 401, -1)
	from("192.0.2.2:1", "/api/tags", wrong, 401, -1)
	now.add(59*time.Second + 1)
	from(here, "/api/tags", wrong, 429, 1)
	now.add(time.Second)
	from(here, "/api/tags", wrong, 401, -1)

	// An address of IPv6 is the network of a household.
	for i := range 10 {
		from(fmt.Sprintf("[2001:db8:1:2:%x::1]:9", i), "/api/tags", wrong, 401, -1)
	}
	from("[2001:db8:1:2:ffff::1]:9", "/api/tags", wrong, 429, 60)
	from("[2001:db8:1:2::]:9", "/api/tags", good, 200, -1)
	from("[2001:db8:1:3::1]:9", "/api/tags", wrong, 401, -1)
	for range 10 {
		from("[::ffff:192.0.2.9]:9", "/api/tags", wrong, 401, -1)
	}
	from("192.0.2.9:8", "/api/tags", wrong, 429, 60) // the same machine, written otherwise
	// What has no address is one place.
	for range 10 {
		from("", "/api/tags", wrong, 401, -1)
	}
	from("@", "/api/tags", wrong, 429, 60)
	// The owner may take the limit away, which forgets the blocks.
	s.gate.SetChoices(Choices{AllowHTTP: true, Running: 10, Waiting: 10, Attempts: policy.NoRate})
	for range 20 {
		from("192.0.2.9:8", "/api/tags", wrong, 401, -1)
	}
	if s.seen.Load() != 32 {
		t.Errorf("Ollama saw %d", s.seen.Load())
	}
}

func basicLine(user, password string) string {
	return strings.TrimSuffix(basic(user, password), "\r\n")
}

// A request passes the look at the budget, waits, and meanwhile others of the same
// key spend it: thirty once went through on what was left for one.
func TestWhoWaitsDoesNotOutrunTheBudget(t *testing.T) {
	o := newHolder()
	s := open(t, o.ServeHTTP, lanesOf(1, 100))
	s.keys.edit(keyAlice, func(g *policy.Grant) { g.TokensPerDay = 10 })
	s.line(post("/api/chat", asMara, chat))
	running := wait(t, "the first", o.calls)
	_, first := s.line(post("/api/chat", asUser, chat))
	s.places(1, 1)
	s.keys.Spend("id-alice", 10, time.Now())
	close(running.answer)
	if got := s.answer(nil, first, "POST"); got.status != 429 || got.header.Get("Retry-After") == "" {
		t.Errorf("%+v", got)
	}
	s.entries(2)
	s.atRest()
}

// Forty bodies that each lacked their last byte once took a gigabyte, for a key
// that could not have used one of them.
func TestBodiesOfOneKeyAreBounded(t *testing.T) {
	s := open(t, echo, func(_ *site, c *Config) { c.Choices.MaxBody = 1 << 20 })
	head := "POST /api/chat HTTP/1.1\r\n" + asUser + "Content-Length: 1048576\r\n\r\n"
	most := `{"model":"llama3","x":"` + strings.Repeat("a", 900<<10)
	refused := make(chan result, 20)
	var held []net.Conn
	for range 12 {
		c := s.dial()
		defer c.Close()
		held = append(held, c)
		if _, err := io.WriteString(c, head+most); err != nil {
			t.Fatal(err)
		}
		go func() { refused <- s.answer(nil, bufio.NewReader(c), "POST") }()
	}
	got := wait(t, "a refusal", refused)
	if got.status != 503 || got.header.Get("Retry-After") == "" {
		t.Errorf("%+v", got)
	}
	if got := s.ask(keyMara, "POST", "/api/chat", chat); got.status != 200 {
		t.Errorf("another key meanwhile: %+v", got)
	}
	for _, c := range held {
		c.Close()
	}
	s.entries(13)
	s.gate.bodies.mu.Lock()
	defer s.gate.bodies.mu.Unlock()
	if s.gate.bodies.all != 0 || len(s.gate.bodies.key) != 0 {
		t.Errorf("%d bytes are held by %v", s.gate.bodies.all, s.gate.bodies.key)
	}
}
