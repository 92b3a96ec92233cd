package standin

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// site is a stand-in behind a real socket, with a client of its own.
type site struct {
	*Server
	url    string
	client *http.Client
}

func open(t *testing.T, o Options) *site {
	t.Helper()
	s := New(o)
	address, stop, err := s.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{}
	t.Cleanup(func() { tr.CloseIdleConnections(); stop() })
	return &site{s, address, &http.Client{
		Transport:     tr,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// send makes a request; its body may be a string or anything that JSON can say.
func (p *site) send(ctx context.Context, t *testing.T, method, path string, body any, header ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, p.url+path, strings.NewReader(textOf(t, body)))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
			continue
		}
		req.Header.Set(header[i], header[i+1])
	}
	res, err := p.client.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res
}

func textOf(t *testing.T, body any) string {
	t.Helper()
	switch b := body.(type) {
	case nil:
		return ""
	case string:
		return b
	}
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// ask calls the handler itself and returns the answer.
func ask(t *testing.T, s *Server, method, path string, body any) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(textOf(t, body))))
	return w
}

type object = map[string]any

func parse(t *testing.T, text string) object {
	t.Helper()
	var o object
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatalf("not JSON: %q", text)
	}
	return o
}

// objects reads a stream of JSON lines.
func objects(t *testing.T, text string) []object {
	t.Helper()
	var all []object
	for line := range strings.Lines(text) {
		all = append(all, parse(t, line))
	}
	return all
}

type event struct {
	name string
	data string
}

func events(t *testing.T, text string) []event {
	t.Helper()
	var all []event
	for block := range strings.SplitSeq(strings.TrimSuffix(text, "\n\n"), "\n\n") {
		var e event
		for line := range strings.SplitSeq(block, "\n") {
			if v, ok := strings.CutPrefix(line, "event: "); ok {
				e.name = v
			} else if v, ok := strings.CutPrefix(line, "data: "); ok {
				e.data = v
			} else {
				t.Fatalf("unexpected line %q", line)
			}
		}
		all = append(all, e)
	}
	return all
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.After(10 * time.Second)
	for !is() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func TestTheDemoSaysThatItIsNoModel(t *testing.T) {
	s := New(DemoOptions())
	if s.options.TokenDelay != 40*time.Millisecond {
		t.Errorf("the demo speaks every %v", s.options.TokenDelay)
	}
	for _, must := range []string{"demo", "no real model"} {
		if !strings.Contains(s.options.Reply, must) {
			t.Errorf("the reply does not say %q", must)
		}
	}
	if m := s.store.list(); len(m) != 1 || m[0].name.short() != "demo:latest" {
		t.Errorf("models: %v", m)
	}
}

func TestPaceIsWhatWasAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Reply: "one two three four", LoadDelay: time.Hour, FirstToken: time.Minute, TokenDelay: time.Second})
		for _, c := range []struct {
			name string
			body object
			want time.Duration
		}{
			{"the first request loads the model", object{"model": "demo", "prompt": "x"}, time.Hour + time.Minute + 3*time.Second},
			{"the second finds it loaded", object{"model": "demo", "prompt": "x"}, time.Minute + 3*time.Second},
			{"another context length loads it again", object{"model": "demo", "prompt": "x", "options": object{"num_ctx": 99}}, time.Hour + time.Minute + 3*time.Second},
			{"not streaming takes as long", object{"model": "demo", "prompt": "x", "stream": false, "keep_alive": 0}, time.Minute + 3*time.Second},
			{"keep_alive 0 has unloaded it", object{"model": "demo"}, time.Hour},
		} {
			started := time.Now()
			ask(t, s, "POST", "/api/generate", c.body)
			if took := time.Since(started); took != c.want {
				t.Errorf("%s: took %v, want %v", c.name, took, c.want)
			}
		}
		started := time.Now()
		time.Sleep(defaultKeepAlive)
		ask(t, s, "POST", "/api/embed", object{"model": "demo", "input": "x"})
		if took := time.Since(started) - defaultKeepAlive; took != time.Hour {
			t.Errorf("after its time a model has to be loaded again: took %v", took)
		}
	})
}

func TestGenerationStopsAtOnceWhenTheClientLeaves(t *testing.T) {
	for _, c := range []struct {
		name, path, body string
		options          Options
	}{
		{"while loading", "/api/chat", `{"model":"demo","messages":[{"role":"user","content":"x"}]}`, Options{LoadDelay: time.Hour}},
		{"before the first word", "/api/generate", `{"model":"demo","prompt":"x"}`, Options{FirstToken: time.Hour}},
		{"between words", "/v1/chat/completions", `{"model":"demo","stream":true,"messages":[{"role":"user","content":"x"}]}`, Options{TokenDelay: time.Hour}},
		{"not streaming", "/v1/messages", `{"model":"demo","max_tokens":9,"messages":[{"role":"user","content":"x"}]}`, Options{TokenDelay: time.Hour}},
		{"not streaming, without end", "/v1/responses", `{"model":"demo","input":"x"}`, Options{Loop: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := New(c.options)
				ctx, leave := context.WithCancel(t.Context())
				started := time.Now()
				done := make(chan struct{})
				go func() {
					defer close(done)
					s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "POST", c.path, strings.NewReader(c.body)))
				}()
				synctest.Wait()
				if s.Active() != 1 || s.Cancelled() != 0 {
					t.Errorf("running: active %d, cancelled %d", s.Active(), s.Cancelled())
				}
				leave()
				<-done
				if took := time.Since(started); took != 0 {
					t.Errorf("it took %v to notice", took)
				}
				if s.Active() != 0 || s.Cancelled() != 1 {
					t.Errorf("afterwards: active %d, cancelled %d", s.Active(), s.Cancelled())
				}
			})
		})
	}
}

func TestGenerationWithoutEndStopsWhenTheConnectionCloses(t *testing.T) {
	p := open(t, Options{Loop: true})
	for i, path := range []string{"/api/chat", "/v1/chat/completions"} {
		ctx, leave := context.WithCancel(t.Context())
		res := p.send(ctx, t, "POST", path, object{"model": "demo", "stream": true, "messages": []object{{"role": "user", "content": "x"}}})
		if _, err := bufio.NewReader(res.Body).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		if p.Active() != 1 {
			t.Errorf("active: %d", p.Active())
		}
		leave()
		eventually(t, "the generation has ended", func() bool { return p.Active() == 0 })
		if got := p.Cancelled(); got != int64(i+1) {
			t.Errorf("cancelled: %d", got)
		}
	}
}

// stuckWriter is a connection whose other end reads nothing: only a deadline wakes a write.
type stuckWriter struct {
	*httptest.ResponseRecorder
	woken chan struct{}
}

func (w stuckWriter) Write([]byte) (int, error) {
	<-w.woken
	return 0, os.ErrDeadlineExceeded
}

func (w stuckWriter) SetWriteDeadline(time.Time) error {
	close(w.woken)
	return nil
}

func TestBlockedWriteEndsWhenTheClientLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{})
		ctx, leave := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.ServeHTTP(stuckWriter{httptest.NewRecorder(), make(chan struct{})},
				httptest.NewRequestWithContext(ctx, "POST", "/api/generate", strings.NewReader(`{"model":"demo","prompt":"x"}`)))
		}()
		synctest.Wait()
		leave()
		<-done
		if s.Active() != 0 || s.Cancelled() != 1 {
			t.Errorf("active %d, cancelled %d", s.Active(), s.Cancelled())
		}
	})
}

// A client that stops reading blocks the writer; when it then leaves politely (FIN, connection kept), nothing but
// the request's context tells. This is the pattern that wedges Ollama 0.17.4; the stand-in must not fall for it by itself.
func TestClientThatStoppedReadingAndHalfClosed(t *testing.T) {
	p := open(t, Options{Loop: true, Reply: strings.Repeat("long", 4096) + " word"})
	u, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := `{"model":"demo","prompt":"x"}`
	if _, err := io.WriteString(conn, "POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 29\r\n\r\n"+body); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the generation runs", func() bool { return p.Active() == 1 })
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the generation has ended", func() bool { return p.Active() == 0 })
	if p.Cancelled() != 1 {
		t.Errorf("cancelled: %d", p.Cancelled())
	}
}

func TestStopEndsRunningRequestsWithoutCallingThemCancelled(t *testing.T) {
	s := New(Options{Loop: true})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	address, stop, err := s.Start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(address, "http://127.0.0.1:") {
		t.Errorf("listens on %s", address)
	}
	p := &site{s, address, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	res := p.send(t.Context(), t, "POST", "/api/generate", object{"model": "demo", "prompt": "x"})
	cancel()
	if _, err := io.Copy(io.Discard, res.Body); err == nil {
		t.Error("the stream ended as if it were whole")
	}
	stop()
	stop()
	if s.Active() != 0 || s.Cancelled() != 0 {
		t.Errorf("active %d, cancelled %d", s.Active(), s.Cancelled())
	}
	if _, err := net.Dial("tcp", strings.TrimPrefix(address, "http://")); err == nil {
		t.Error("still listening")
	}
}

func TestStartServesItsOptions(t *testing.T) {
	address, stop, err := Start(t.Context(), Options{Version: "9.9.9"})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	p := &site{nil, address, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	b, _ := io.ReadAll(p.send(t.Context(), t, "GET", "/api/version", nil).Body)
	if string(b) != `{"version":"9.9.9"}` {
		t.Errorf("%s", b)
	}
}

func TestObserveSeesEvenWhatIsRefused(t *testing.T) {
	var seen atomic.Int64
	p := open(t, Options{Observe: func(r *http.Request) {
		if r.Header.Get("Origin") == "https://example.com" && r.Host == "example.com" {
			seen.Add(1)
		}
	}})
	res := p.send(t.Context(), t, "GET", "/api/tags", nil, "Origin", "https://example.com", "Host", "example.com")
	if res.StatusCode != http.StatusForbidden || seen.Load() != 1 {
		t.Errorf("status %d, seen %d", res.StatusCode, seen.Load())
	}
}

func TestWedgedModelAnswersAgainOnceUnloaded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Reply: "hi"})
		if s.Wedge("demo") {
			t.Error("a model that is not loaded cannot be wedged")
		}
		ask(t, s, "POST", "/api/generate", object{"model": "demo"})
		if !s.Wedge("DEMO") {
			t.Fatal("not loaded")
		}
		ctx, leave := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "POST", "/api/generate", strings.NewReader(`{"model":"demo","prompt":"x"}`)))
		}()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if s.Active() != 1 {
			t.Errorf("active: %d", s.Active())
		}
		leave()
		<-done
		if w := ask(t, s, "POST", "/api/generate", object{"model": "demo", "keep_alive": 0}); parse(t, w.Body.String())["done_reason"] != "unload" {
			t.Errorf("%s", w.Body)
		}
		if w := ask(t, s, "POST", "/api/generate", object{"model": "demo", "prompt": "x", "stream": false}); parse(t, w.Body.String())["response"] != "hi" {
			t.Errorf("%s", w.Body)
		}
	})
}
