//go:build linux && e2e

package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"paddock/e2e/ollama"
	"paddock/e2e/program"
	"paddock/internal/testdesk"
	"paddock/requestlog"
)

// TestAWedgedModelIsHealed: a program on Ollama's own computer leaves in the
// middle of an answer, and the model answers nobody any more. The next teammate
// waits a while, and then is answered.
func TestAWedgedModelIsHealed(t *testing.T) {
	server := ollama.Start(t)
	p := program.New(t, program.Lite, nil)
	p.Set("PADDOCK_VAULT=memory")
	show := p.Start("share", "--listen", "127.0.0.1:0", "--ollama", server.URL)
	url := show.WaitOut(`(https://127\.0\.0\.1:\d+)`)[1]
	trust(t, url, p.Home)
	alice := gate{t, url, strings.TrimSpace(p.Must("keys", "add", "alice"))}

	wedge(t, server)
	type answer struct {
		code int
		body string
		took time.Duration
	}
	answered := make(chan answer, 1)
	go func() {
		began := time.Now()
		res, err := ask(url, alice.key, `{"model":"tiny-loop","prompt":"hi","options":{"num_predict":5}}`, 5*time.Minute)
		if err != nil {
			res.body = err.Error()
		}
		answered <- answer{res.code, res.body, time.Since(began)}
	}()
	// Another model is not affected, and its teammate waits for nothing.
	if code, body := alice.do("POST", "/api/generate", `{"model":"tiny","prompt":"hi","stream":false}`); code != 200 {
		t.Errorf("another model meanwhile: %d %s", code, body)
	}
	got := <-answered
	if got.code != 200 || !strings.Contains(got.body, `"done":true`) {
		t.Fatalf("after %v: %d %s", got.took, got.code, got.body)
	}
	t.Logf("answered after %v", got.took.Round(time.Second))
	// Nobody saw who left, so the gate has to be patient; but not too patient.
	if got.took < 30*time.Second || got.took > 3*time.Minute {
		t.Errorf("answered after %v", got.took)
	}

	entry(t, p, "the chat that was sent again", func(e requestlog.Entry) bool {
		return e.Phase == requestlog.Done && e.Model == ollama.Loop && e.TokensOut == 5
	})
	if out := p.Must("log", "--json"); !strings.Contains(out, `"sent_again":true`) {
		t.Errorf("the log does not say that it was sent again: %s", out)
	}
	var status struct {
		Heals []struct {
			Model string    `json:"model"`
			At    time.Time `json:"at"`
			Fault string    `json:"fault"`
		} `json:"heals"`
	}
	out := p.Must("status", "--json")
	if err := json.Unmarshal([]byte(out), &status); err != nil {
		t.Fatal(err)
	}
	if h := status.Heals; len(h) != 1 || h[0].Model != ollama.Loop || h[0].Fault != "" || time.Since(h[0].At) > 5*time.Minute {
		t.Errorf("the status says %+v: %s", h, out)
	}

	// It is well: no second healing, and no wait.
	began := time.Now()
	if code, body := alice.do("POST", "/api/generate", `{"model":"tiny-loop","prompt":"hi","stream":false,"options":{"num_predict":5}}`); code != 200 || time.Since(began) > 30*time.Second {
		t.Errorf("then: %d after %v %s", code, time.Since(began), body)
	}
	show.Stop()
}

// wedge makes the looping model answer nobody any more, as far as that can be
// done: one client after the other stops reading until Ollama cannot write, says
// that it sends no more, and leaves.
func wedge(t *testing.T, server *ollama.Server) {
	t.Helper()
	const tries = 4
	short := `{"model":"` + ollama.Loop + `","prompt":"hi","stream":false,"options":{"num_predict":3}}`
	for try := range tries {
		if res, err := ask(server.URL, "", short, time.Minute); err != nil || res.code != http.StatusOK {
			t.Fatalf("before the model is wedged: %d %s %v", res.code, res.body, err)
		}
		stuffAndLeave(t, server)
		_, err := ask(server.URL, "", short, 20*time.Second)
		if err == nil {
			continue // it got away with it
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		t.Logf("wedged at try %d", try+1)
		return
	}
	t.Fatalf("Ollama %s was not wedged by %d clients that left; is it cured?", ollama.Version, tries)
}

// stuffAndLeave is one such client.
func stuffAndLeave(t *testing.T, server *ollama.Server) {
	t.Helper()
	d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		var set error
		err := raw.Control(func(fd uintptr) { set = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 2048) })
		return errors.Join(err, set)
	}}
	c, err := d.DialContext(t.Context(), "tcp4", server.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	// Much text for each token, so that the buffers are full soon.
	body := `{"model":"` + ollama.Loop + `","messages":[{"role":"user","content":"hi"}],"logprobs":true,"top_logprobs":20,"options":{"num_predict":20000}}`
	if _, err := fmt.Fprintf(c, "POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body); err != nil {
		t.Fatal(err)
	}
	last, since := "", time.Now()
	testdesk.Wait(t, "Ollama to have written all that fits", 5*time.Minute, func() bool {
		q := unsent(t, c.RemoteAddr(), c.LocalAddr())
		if q != last {
			last, since = q, time.Now()
		}
		return q != "" && time.Since(since) > 4*time.Second
	})
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	<-time.After(time.Second) // Ollama has to see this before that
}

// unsent is how much of what one end of a connection on this computer has
// written the other one has not taken, in hexadecimal; empty for nothing.
func unsent(t *testing.T, from, to net.Addr) string {
	t.Helper()
	// The kernel writes IPv4 addresses as hexadecimal numbers in its own order.
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	ends := [2]string{}
	for i, a := range []net.Addr{from, to} {
		ends[i] = fmt.Sprintf(":%04X", a.(*net.TCPAddr).Port)
	}
	for line := range bytes.Lines(table) {
		f := strings.Fields(string(line)) // number, local, remote, state, send:receive queue …
		if len(f) > 4 && strings.HasSuffix(f[1], ends[0]) && strings.HasSuffix(f[2], ends[1]) {
			queue, _, _ := strings.Cut(f[4], ":")
			return strings.TrimLeft(queue, "0")
		}
	}
	return ""
}

// reply is an answer read to its end.
type reply struct {
	code int
	body string
}

// ask asks a model, with a key or without, and waits as long as a patient person.
// Unlike a gate's do it may be called from any goroutine.
func ask(url, key, body string, limit time.Duration) (reply, error) {
	ctx, stop := context.WithTimeout(context.Background(), limit)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/api/generate", strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	res, err := client(url).Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, string(b)}, err
}
