package standin

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func always(f Fault) func(*http.Request) Fault { return func(*http.Request) Fault { return f } }

func TestFaultWithAStatus(t *testing.T) {
	p := open(t, Options{Fault: always(Fault{Status: 503, Body: `{"error":"server busy"}`, Header: http.Header{"Retry-After": {"7"}}})})
	res := p.send(t.Context(), t, "POST", "/api/chat", object{"model": "demo"})
	b, _ := io.ReadAll(res.Body)
	if res.StatusCode != 503 || string(b) != `{"error":"server busy"}` || res.Header.Get("Retry-After") != "7" || res.Header.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("%v %v %s", res.Status, res.Header, b)
	}
}

func TestFaultIsDecidedForEachRequest(t *testing.T) {
	var count atomic.Int64
	p := open(t, Options{Fault: func(r *http.Request) Fault {
		if r.URL.Path == "/api/tags" && count.Add(1) == 1 {
			return Fault{Status: 500, Body: "no"}
		}
		return Fault{}
	}})
	for i, want := range []int{500, 200} {
		if res := p.send(t.Context(), t, "GET", "/api/tags", nil); res.StatusCode != want {
			t.Errorf("request %d: %s", i, res.Status)
		}
	}
	p.send(t.Context(), t, "GET", "/api/tags", nil, "Host", "example.com")
	if count.Load() != 2 {
		t.Error("asked about a request that was refused at the door")
	}
}

func TestFaultsThatCloseTheConnection(t *testing.T) {
	chat := object{"model": "demo", "messages": hello}
	for _, c := range []struct {
		name  string
		fault Fault
		body  object
		lines int // -1: no answer at all
	}{
		{"before the header", Fault{DropBeforeHeader: true}, chat, -1},
		{"with nonsense", Fault{Raw: "hello?\r\n\r\n"}, chat, -1},
		{"after three words", Fault{DropAfterTokens: 3}, chat, 3},
		{"after three words, not streaming", Fault{DropAfterTokens: 3}, object{"model": "demo", "messages": hello, "stream": false}, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := open(t, Options{Fault: always(c.fault)})
			req, _ := http.NewRequestWithContext(t.Context(), "POST", p.url+"/api/chat", strings.NewReader(textOf(t, c.body)))
			res, err := p.client.Do(req)
			if c.lines < 0 {
				if err == nil {
					res.Body.Close()
					t.Errorf("answered %s", res.Status)
				}
			} else if err != nil {
				t.Error(err)
			} else {
				defer res.Body.Close()
				b, err := io.ReadAll(res.Body)
				if !errors.Is(err, io.ErrUnexpectedEOF) || strings.Count(string(b), "\n") != c.lines {
					t.Errorf("%v after %q", err, b)
				}
			}
			eventually(t, "nothing runs", func() bool { return p.Active() == 0 })
			if p.Cancelled() != 0 {
				t.Error("the client did not leave")
			}
		})
	}
}

func TestFaultsThatHang(t *testing.T) {
	for _, c := range []struct {
		name      string
		fault     Fault
		lines     int
		cancelled int64
	}{
		{"before the header", Fault{HangBeforeHeader: true}, 0, 0},
		{"after two words", Fault{HangAfterTokens: 2}, 2, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := New(Options{Fault: always(c.fault)})
				ctx, leave := context.WithCancel(t.Context())
				w := httptest.NewRecorder()
				done := make(chan struct{})
				go func() {
					defer close(done)
					defer func() {
						if p := recover(); p != nil && p != http.ErrAbortHandler { //nolint:errorlint // this very value
							panic(p)
						}
					}()
					s.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "POST", "/api/generate", strings.NewReader(`{"model":"demo","prompt":"x"}`)))
				}()
				time.Sleep(24 * time.Hour)
				synctest.Wait()
				select {
				case <-done:
					t.Error("it did not hang")
				default:
				}
				leave()
				<-done
				if got := strings.Count(w.Body.String(), "\n"); got != c.lines || s.Cancelled() != c.cancelled {
					t.Errorf("%d lines, cancelled %d", got, s.Cancelled())
				}
			})
		})
	}
}

func TestFaultSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Fault: always(Fault{Slow: time.Minute})})
		started := time.Now()
		ask(t, s, "GET", "/api/tags", nil)
		if took := time.Since(started); took != time.Minute {
			t.Errorf("took %v", took)
		}
	})
}

func TestRunnerThatDiesInMidStream(t *testing.T) {
	s := New(Options{Reply: "one two three", Fault: always(Fault{FailAfterTokens: 2})})
	for _, c := range []struct{ path, body, end string }{
		{"/api/chat", `{"model":"demo","messages":[{"role":"user","content":"x"}]}`, `{"error":"an error was encountered while running the model: unexpected EOF"}` + "\n"},
		{"/api/generate", `{"model":"demo","prompt":"x"}`, `{"error":"an error was encountered while running the model: unexpected EOF"}` + "\n"},
		{"/v1/chat/completions", `{"model":"demo","stream":true,"messages":[{"role":"user","content":"x"}]}`, `"model":"","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}` + "\n\n"},
		{"/v1/completions", `{"model":"demo","stream":true,"prompt":"x"}`, `"choices":[{"text":"","index":0,"finish_reason":null}]}` + "\n\n"},
		{"/v1/messages", `{"model":"demo","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"x"}]}`, `{"type":"text_delta","text":" two"}}` + "\n\n"},
		{"/v1/responses", `{"model":"demo","stream":true,"input":"x"}`, `"type":"response.output_text.delta"}` + "\n\n"},
	} {
		w := ask(t, s, "POST", c.path, c.body)
		if w.Code != 200 || !strings.HasSuffix(w.Body.String(), c.end) || strings.Contains(w.Body.String(), "three") {
			t.Errorf("%s: %d %s", c.path, w.Code, w.Body)
		}
	}
	w := ask(t, s, "POST", "/api/chat", object{"model": "demo", "messages": hello, "stream": false})
	if w.Code != 500 || parse(t, w.Body.String())["error"] != errRunner {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// The answer must be on its way while the client still holds its body back.
func TestAnswerBeforeTheBodyIsRead(t *testing.T) {
	p := open(t, Options{Reply: "one two", Fault: always(Fault{AnswerBeforeBodyRead: true})})
	for path, contentType := range map[string]string{
		"/api/chat": ndjson, "/api/generate": ndjson,
		"/v1/chat/completions": eventStream, "/v1/completions": eventStream, "/v1/responses": eventStream, "/v1/messages": eventStream,
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.WriteString(conn, "POST "+path+" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		first := make([]byte, 16)
		if _, err := io.ReadFull(res.Body, first); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if _, err := io.WriteString(conn, "{}"); err != nil {
			t.Error(err)
		}
		rest, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != 200 || res.Header.Get("Content-Type") != contentType || !strings.Contains(string(rest), "two") {
			t.Errorf("%s: %v %s %v", path, err, res.Status, res.Header)
		}
		conn.Close()
	}
}
