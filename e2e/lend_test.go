//go:build linux && e2e

package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"paddock/e2e/clients"
	"paddock/e2e/ollama"
	"paddock/e2e/ollama/ggufgen"
	"paddock/e2e/program"
	"paddock/internal/testdesk"
)

// loan is a real Ollama that is shared by a real Paddock without a window.
type loan struct {
	t      *testing.T
	server *ollama.Server
	p      *program.Program
	show   *program.Process
	url    string
}

// lend shares an Ollama until the test ends, encrypted as a person would.
func lend(t *testing.T, opts ...ollama.Option) *loan {
	t.Helper()
	l := lendWith(t, nil, opts...)
	l.url = l.show.WaitOut(`(https://127\.0\.0\.1:\d+)`)[1]
	trust(t, l.url, l.p.Home)
	l.server.Trust = filepath.Join(l.p.Home, "ca.pem")
	return l
}

// lendInClear is lend for what is sent byte by byte, or by a browser that trusts
// nobody.
func lendInClear(t *testing.T, opts ...ollama.Option) *loan {
	t.Helper()
	l := lendWith(t, []string{"--allow-http"}, opts...)
	l.url = l.show.WaitOut(`(http://127\.0\.0\.1:\d+)`)[1]
	return l
}

func lendWith(t *testing.T, flags []string, opts ...ollama.Option) *loan {
	t.Helper()
	l := &loan{t: t, server: ollama.Start(t, opts...), p: program.New(t, program.Lite, nil)}
	l.p.Set("PADDOCK_VAULT=memory", "TZ="+noon())
	l.show = l.p.Start(append([]string{"share", "--listen", "127.0.0.1:0", "--ollama", l.server.URL}, flags...)...)
	l.show.WaitOut(`Ollama 0\.17\.4 answers`)
	return l
}

// noon is a time zone where the day is about half over, so that no test runs
// across its end.
func noon() string { return fmt.Sprintf("Etc/GMT%+d", time.Now().UTC().Hour()-12) }

// key makes a key.
func (l *loan) key(name string, flags ...string) gate {
	l.t.Helper()
	return gate{l.t, l.url, strings.TrimSpace(l.p.Must(append([]string{"keys", "add", name}, flags...)...))}
}

// clients are the npm packages, which believe the gate's authority.
func (l *loan) clients(link, key string) *clients.Set {
	l.t.Helper()
	set := clients.New(l.t, link, key)
	set.Env = append(set.Env, "NODE_EXTRA_CA_CERTS="+filepath.Join(l.p.Home, "ca.pem"))
	return set
}

// inAddress is the gate's address with the key in it.
func (g gate) inAddress() string { return g.url + "/k/" + g.key }

// answer is what a gate said, with its head.
type answer struct {
	code   int
	header http.Header
	body   string
}

// send is do with the head. It may be called from any goroutine.
func (g gate) send(method, path string, body io.Reader) (answer, error) {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, method, g.url+path, body)
	if err != nil {
		return answer{}, err
	}
	if g.key != "" {
		req.Header.Set("Authorization", "Bearer "+g.key)
	}
	res, err := client(g.url).Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(b)}, err
}

// want sends a request whose status is known.
func (g gate) want(code int, method, path, body string) answer {
	g.t.Helper()
	a, err := g.send(method, path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	if a.code != code {
		g.t.Errorf("%s %s %.200s: %d %s, want %d", method, path, body, a.code, a.body, code)
	}
	return a
}

// short is a question to a model that is answered with three tokens.
func short(model string) string {
	return fmt.Sprintf(`{"model":%q,"prompt":"hi","stream":false,"options":{"num_predict":3}}`, model)
}

// endless is a model that never ends and is slow enough to be left by its client
// (see TestAClientThatLeavesEndsTheGeneration).
const endless = "endless"

// makeEndless makes that model.
func (l *loan) makeEndless() {
	l.t.Helper()
	o := ggufgen.Options{Dim: 256, FeedForward: 2048, Layers: 4}
	if out, errs, err := l.create(l.server.URL, endless, o); err != nil {
		l.t.Fatalf("ollama create: %v %s %s", err, out, errs)
	}
}

// create runs the command "ollama create" against an address.
func (l *loan) create(host, name string, o ggufgen.Options) (stdout, stderr string, err error) {
	l.t.Helper()
	dir := l.t.TempDir()
	var b bytes.Buffer
	if err := ggufgen.Write(&b, o); err != nil {
		l.t.Fatal(err)
	}
	for file, text := range map[string]string{"model.gguf": b.String(), "Modelfile": "FROM ./model.gguf\nPARAMETER num_thread 1\n"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			l.t.Fatal(err)
		}
	}
	return l.server.Command(host, time.Minute, "create", name, "-f", filepath.Join(dir, "Modelfile"))
}

// wantGenerated checks how many requests to generate Ollama has answered, by its
// own log. It writes a line after each answer, so the last one may be missing for
// a moment; those that came before it are there.
func (l *loan) wantGenerated(n int) {
	l.t.Helper()
	line := regexp.MustCompile(`(?m)^\[GIN\].*\| POST +"/api/generate"`)
	count := func() int { return len(line.FindAllString(l.server.Log(), -1)) }
	testdesk.Wait(l.t, fmt.Sprintf("Ollama to have generated %d times", n), 20*time.Second, func() bool { return count() >= n })
	if got := count(); got > n {
		l.t.Errorf("Ollama has generated %d times, and %d requests were to be let through", got, n)
	}
}

// status reads the part of the program's state that the tests look at.
func (l *loan) status() (s struct{ Running, Waiting int }) {
	l.t.Helper()
	out := l.p.Must("status", "--json")
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		l.t.Fatalf("paddock status --json: %v in %s", err, out)
	}
	return s
}

// silent fails the test if a secret shows up in what the program writes.
func (l *loan) silent(secrets ...string) {
	l.t.Helper()
	for where, text := range map[string]string{
		"the request log": l.p.Must("log", "--json"), "paddock log": l.p.Must("log"), "the status": l.p.Must("status", "--json"),
		"the standard output": l.show.Stdout(), "the standard error": l.show.Stderr(),
	} {
		for _, s := range secrets {
			if strings.Contains(text, s) {
				l.t.Errorf("%s holds a key", where)
			}
		}
	}
}

// eventually waits for a status, as after a time of grace.
func (g gate) eventually(code int, path string) {
	g.t.Helper()
	testdesk.Wait(g.t, fmt.Sprintf("%s to be answered with %d", path, code), 20*time.Second, func() bool {
		got, _ := g.do("GET", path, "")
		return got == code
	})
}
