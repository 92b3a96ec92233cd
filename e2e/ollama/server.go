//go:build linux

package ollama

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"paddock/e2e/ollama/ggufgen"
	"paddock/internal/testdesk"
)

const (
	startLimit = 60 * time.Second
	stopLimit  = 15 * time.Second
)

// Server is a running Ollama. The test that started it must not use it from
// other goroutines, apart from the fields.
type Server struct {
	// URL is where it listens, "http://127.0.0.1:PORT". It survives a restart.
	URL string
	// Host is the same without the scheme, as OLLAMA_HOST takes it.
	Host string
	// Bin is the ollama program, for tests of its command line.
	Bin string
	// Home is its home folder.
	Home string
	// Trust is a PEM file of an authority that its command believes, or "".
	Trust string

	t    testing.TB
	env  []string
	log  *testdesk.Output
	cmd  *exec.Cmd
	done chan struct{} // closed once cmd has ended
}

// Option changes a [Server].
type Option func(*config)

type config struct {
	slow bool
	env  []string
}

// WithSlow adds the model [Slow], which costs half a second.
func WithSlow() Option { return func(c *config) { c.slow = true } }

// WithEnv adds settings such as "OLLAMA_NUM_PARALLEL=2".
func WithEnv(env ...string) Option { return func(c *config) { c.env = append(c.env, env...) } }

// Start runs an Ollama with the models [Tiny] and [Loop] until the test ends. If
// the test failed, its log is kept.
func Start(t testing.TB, opts ...Option) *Server {
	t.Helper()
	var c config
	for _, f := range opts {
		f(&c)
	}
	s := &Server{t: t, Bin: Binary(t), Home: t.TempDir(), Host: "127.0.0.1:0", env: c.env, log: &testdesk.Output{}}
	t.Cleanup(func() {
		s.Stop()
		if t.Failed() {
			testdesk.Keep(t, "ollama.log", []byte(s.log.String()))
		}
	})
	s.start()
	models := map[string]ggufgen.Options{Tiny: {Ends: true}, Loop: {}}
	if c.slow {
		models[Slow] = ggufgen.Options{Ends: true, Dim: 256, FeedForward: 2048, Layers: 4}
	}
	for name, o := range models {
		if err := s.create(name, o); err != nil {
			t.Fatalf("make the model %s: %v", name, err)
		}
	}
	return s
}

// listening is how Ollama says which port the system gave it.
var listening = regexp.MustCompile(`Listening on (127\.0\.0\.1:\d+)`)

// start runs the server and waits until it answers.
func (s *Server) start() {
	s.t.Helper()
	before := len(s.log.String())
	s.cmd = exec.Command(s.Bin, "serve")
	s.cmd.Env = append(s.environment(s.Host),
		"OLLAMA_MODELS="+filepath.Join(s.Home, "models"),
		"OLLAMA_NO_CLOUD=1",
	)
	s.cmd.Env = append(s.cmd.Env, s.env...)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	// A group of its own, so that its runners can be found and ended with it.
	// When the test process dies it is asked to end, and ends its runners.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatalf("start Ollama: %v", err)
	}
	done := make(chan struct{})
	s.done = done
	go func(cmd *exec.Cmd) {
		_ = cmd.Wait() // that it ended is what counts
		close(done)
	}(s.cmd)
	testdesk.Wait(s.t, "Ollama to listen", startLimit, func() bool {
		if !s.running() {
			s.t.Fatalf("Ollama ended: %s", tail([]byte(s.log.String()[before:])))
		}
		m := listening.FindStringSubmatch(s.log.String()[before:])
		if m == nil {
			return false
		}
		s.Host, s.URL = m[1], "http://"+m[1]
		return s.answers()
	})
}

func (s *Server) running() bool {
	if s.cmd == nil {
		return false
	}
	select {
	case <-s.done:
		return false
	default:
		return true
	}
}

func (s *Server) answers() bool {
	ctx, stop := context.WithTimeout(context.Background(), time.Second)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/api/version", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// environment is that of the server and of the command: nothing of the test's
// own, so that no setting of this machine leaks in.
func (s *Server) environment(host string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.Home, "OLLAMA_HOST=" + host, "TERM=dumb", "LANG=C.UTF-8"}
}

// Stop ends the server and its runners as a log-out does, and waits until they
// are gone. It may be called twice.
func (s *Server) Stop() { s.t.Helper(); s.end(syscall.SIGTERM) }

// Crash ends the server and its runners at once.
func (s *Server) Crash() { s.t.Helper(); s.end(syscall.SIGKILL) }

func (s *Server) end(sig syscall.Signal) {
	s.t.Helper()
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(sig)
	select {
	case <-s.done:
	case <-time.After(stopLimit):
		s.t.Logf("Ollama did not end within %v", stopLimit)
	}
	// Whoever is left of the group: runners outlive a server that was killed.
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	<-s.done
	testdesk.Wait(s.t, "the runners to end", stopLimit, func() bool { return len(s.Runners()) == 0 })
	s.cmd = nil
}

// Restart stops the server, if it runs, and starts it on the same port with the
// same models.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	s.start()
}

// Log returns what the server has printed.
func (s *Server) Log() string { return s.log.String() }

// Command runs the ollama command against a host, which may be a whole URL, and
// returns what it printed. Its home folder is the server's. The error is that of
// [exec.Cmd.Run]; one that takes longer than the limit is killed.
func (s *Server) Command(host string, limit time.Duration, args ...string) (stdout, stderr string, err error) {
	ctx, stop := context.WithTimeout(context.Background(), limit)
	defer stop()
	cmd := exec.CommandContext(ctx, s.Bin, args...)
	cmd.Env = s.environment(host)
	if s.Trust != "" {
		cmd.Env = append(cmd.Env, "SSL_CERT_FILE="+s.Trust)
	}
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

func (s *Server) command(limit time.Duration, args ...string) (stdout, stderr string, err error) {
	return s.Command(s.Host, limit, args...)
}
