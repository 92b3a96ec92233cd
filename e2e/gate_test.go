//go:build linux && e2e

package e2e_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"paddock/e2e/program"
	"paddock/internal/testdesk"
	"paddock/requestlog"
)

// gate is how a teammate sees Paddock: an address and a key.
type gate struct {
	t   *testing.T
	url string
	key string
}

// do sends one request and returns status and body.
func (g gate) do(method, path, body string) (int, string) {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), method, g.url+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	if g.key != "" {
		req.Header.Set("Authorization", "Bearer "+g.key)
	}
	res, err := client(g.url).Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// stream is a chat that is being answered.
type stream struct {
	t      *testing.T
	res    *http.Response
	lines  chan string
	broken chan error // what ended it, nil for a clean end
}

// chat starts a streamed chat and returns when its headers are there.
func (g gate) chat(model string) *stream {
	g.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	g.t.Cleanup(cancel)
	body := fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":"hi"}]}`, model)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url+"/api/chat", strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+g.key)
	res, err := client(g.url).Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(res.Body)
		res.Body.Close()
		g.t.Fatalf("chat: %d %s", res.StatusCode, b)
	}
	s := &stream{t: g.t, res: res, lines: make(chan string, 1<<20), broken: make(chan error, 1)}
	go func() {
		defer res.Body.Close()
		defer close(s.lines)
		scan := bufio.NewScanner(res.Body)
		scan.Buffer(nil, 1<<20)
		for scan.Scan() {
			s.lines <- scan.Text()
		}
		s.broken <- scan.Err()
	}()
	return s
}

// token waits for the next piece.
func (s *stream) token() string {
	s.t.Helper()
	select {
	case l, ok := <-s.lines:
		if !ok {
			s.t.Fatal("the stream ended")
		}
		return l
	case <-time.After(30 * time.Second):
		s.t.Fatal("no token within 30 s")
	}
	return ""
}

// end reads to the end and returns how many pieces came and how it ended.
func (s *stream) end(limit time.Duration) (pieces int, err error) {
	s.t.Helper()
	timeout := time.After(limit)
	for {
		select {
		case _, ok := <-s.lines:
			if !ok {
				return pieces, <-s.broken
			}
			pieces++
		case <-timeout:
			s.t.Fatalf("the stream still runs after %v", limit)
		}
	}
}

// entries reads the request log as a script would.
func entries(t *testing.T, p *program.Program) []requestlog.Entry {
	t.Helper()
	var out []requestlog.Entry
	for line := range strings.Lines(p.Must("log", "--json")) {
		var e requestlog.Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("paddock log --json: %v in %s", err, line)
		}
		out = append(out, e)
	}
	return out
}

// entry waits for an entry that fits.
func entry(t *testing.T, p *program.Program, what string, fits func(requestlog.Entry) bool) requestlog.Entry {
	t.Helper()
	var found requestlog.Entry
	testdesk.Wait(t, what+" in the log", 10*time.Second, func() bool {
		for _, e := range entries(t, p) {
			if fits(e) {
				found = e
				return true
			}
		}
		return false
	})
	return found
}

// trusted holds a client for each gate whose authority a test believes, by host.
var trusted sync.Map

// trust believes the authority of a gate whose home this is, for the address at
// which it answers.
func trust(t *testing.T, link, home string) {
	t.Helper()
	pem, err := os.ReadFile(filepath.Join(home, "ca.pem"))
	roots := x509.NewCertPool()
	if err != nil || !roots.AppendCertsFromPEM(pem) {
		t.Fatalf("ca.pem: %v\n%s", err, pem)
	}
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	trusted.Store(hostOf(link), &http.Client{Transport: tr})
	t.Cleanup(tr.CloseIdleConnections)
}

// client is the one to call an address with.
func client(link string) *http.Client {
	if c, ok := trusted.Load(hostOf(link)); ok {
		return c.(*http.Client)
	}
	return http.DefaultClient
}

func hostOf(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	return u.Host
}

// portClosed says whether nobody listens at a gate's address any more.
func portClosed(link string) bool {
	c, err := net.DialTimeout("tcp", hostOf(link), time.Second)
	if err != nil {
		return true
	}
	c.Close()
	return false
}
