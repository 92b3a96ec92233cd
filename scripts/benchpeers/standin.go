//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const megabyte = 1 << 20

// standIn is the Ollama of the comparison. It runs in a process of its own,
// answers in next to no time, and does as the prompt says:
//
//	one                 one short answer
//	say COUNT GAP ID    COUNT tokens, one each GAP, each with the time it left
//	silent ID           nothing, until the caller leaves
//
// On standard output it says which requests arrived and when their caller left;
// on standard input it takes the word "drop", which closes all connections as a
// restart would. It ends when its standard input does.
func standIn(args []string) error {
	f := flag.NewFlagSet("stand-in", flag.ContinueOnError)
	listen := f.String("listen", "127.0.0.1:0", "`ADDRESS`")
	if err := f.Parse(args); err != nil {
		return err
	}
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	s := &ollama{conns: map[net.Conn]bool{}}
	v := &http.Server{Handler: s, ConnState: s.connState, ReadHeaderTimeout: time.Minute}
	go func() {
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			if lines.Text() == "drop" {
				s.tell("dropped %d", s.drop())
			}
		}
		_ = v.Close()
	}()
	s.tell("ready %s", l.Addr())
	if err := v.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// ollama is the handler of the stand-in.
type ollama struct {
	out   sync.Mutex // guards standard output
	mu    sync.Mutex // guards conns
	conns map[net.Conn]bool
}

func (s *ollama) tell(format string, args ...any) {
	s.out.Lock()
	defer s.out.Unlock()
	_, _ = fmt.Fprintf(os.Stdout, format+"\n", args...)
}

func (s *ollama) connState(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		s.conns[c] = true
	case http.StateClosed, http.StateHijacked:
		delete(s.conns, c)
	case http.StateActive, http.StateIdle:
	}
}

func (s *ollama) drop() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.Close()
	}
	return len(s.conns)
}

var (
	version    = []byte(`{"version":"0.17.4"}`)
	models     = []byte(`{"models":[{"name":"bench:latest","model":"bench:latest","modified_at":"2026-01-01T00:00:00Z","size":4661224676,"digest":"0000000000000000000000000000000000000000000000000000000000000000","details":{"format":"gguf","family":"llama","families":["llama"],"parameter_size":"8B","quantization_level":"Q4_0"}}]}`)
	loaded     = []byte(`{"models":[{"name":"bench:latest","model":"bench:latest","size":4661224676,"digest":"0000000000000000000000000000000000000000000000000000000000000000","details":{"format":"gguf","family":"llama"},"expires_at":"2099-01-01T00:00:00Z","size_vram":0,"context_length":4096}]}`)
	details    = []byte(`{"modelfile":"FROM bench","details":{"format":"gguf","family":"llama","parameter_size":"8B","quantization_level":"Q4_0"},"model_info":{"general.architecture":"llama"},"capabilities":["completion"]}`)
	answer     = []byte(`{"model":"bench","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"Hello"},"done":true,"done_reason":"stop","total_duration":1,"prompt_eval_count":5,"eval_count":1,"eval_duration":1}` + "\n")
	megaAnswer = []byte(`{"embedding":"` + strings.Repeat("x", megabyte-len(`{"embedding":""}`)) + `"}`)
)

// ServeHTTP implements http.Handler.
func (s *ollama) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/api/version":
		whole(w, version)
	case r.URL.Path == "/":
		whole(w, []byte("Ollama is running"))
	case r.URL.Path == "/api/tags":
		whole(w, models)
	case r.URL.Path == "/api/ps":
		whole(w, loaded)
	case r.URL.Path == "/api/show":
		_, _ = io.Copy(io.Discard, r.Body)
		whole(w, details)
	case r.URL.Path == "/api/chat":
		s.chat(w, r)
	case r.URL.Path == "/api/embed":
		body, _ := io.ReadAll(r.Body)
		if bytes.Contains(body, []byte(`"chunked"`)) {
			w.Header()["Content-Type"] = []string{"application/json; charset=utf-8"}
			_, _ = w.Write(megaAnswer) // longer than net/http's buffer: it leaves in chunks, as Ollama's does
			return
		}
		whole(w, megaAnswer)
	case strings.HasPrefix(r.URL.Path, "/api/blobs/"):
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			return // the caller left
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = fmt.Fprint(w, n)
	default:
		http.NotFound(w, r)
	}
}

func whole(w http.ResponseWriter, b []byte) {
	h := w.Header()
	h["Content-Type"] = []string{"application/json; charset=utf-8"}
	h["Content-Length"] = []string{strconv.Itoa(len(b))}
	_, _ = w.Write(b)
}

func (s *ollama) chat(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if bytes.Contains(body, []byte(`"content":"one"`)) {
		whole(w, answer)
		return
	}
	var asked struct {
		Messages []struct {
			Content string `json:"content"`
		} `json:"messages"`
	}
	if err := json.Unmarshal(body, &asked); err != nil || len(asked.Messages) == 0 {
		http.Error(w, `{"error":"not understood"}`, http.StatusBadRequest)
		return
	}
	words := strings.Fields(asked.Messages[0].Content)
	switch {
	case len(words) == 2 && words[0] == "silent":
		s.tell("arrived %s", words[1])
		<-r.Context().Done()
		s.tell("gone %s %d", words[1], monotonic())
	case len(words) == 4 && words[0] == "say":
		count, _ := strconv.Atoi(words[1])
		gap, err := time.ParseDuration(words[2])
		if err != nil || gap <= 0 {
			http.Error(w, `{"error":"not understood"}`, http.StatusBadRequest)
			return
		}
		s.stream(w, r, count, gap, words[3])
	default:
		http.Error(w, `{"error":"not understood"}`, http.StatusBadRequest)
	}
}

func (s *ollama) stream(w http.ResponseWriter, r *http.Request, count int, gap time.Duration, id string) {
	w.Header()["Content-Type"] = []string{"application/x-ndjson"}
	rc := http.NewResponseController(w)
	tick := time.NewTicker(gap)
	defer tick.Stop()
	var line []byte
	for i := range count {
		if i > 0 {
			select {
			case <-tick.C:
			case <-r.Context().Done():
				s.tell("gone %s %d", id, monotonic())
				return
			}
		}
		line = append(line[:0], `{"model":"bench","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"`...)
		line = strconv.AppendInt(line, monotonic(), 10)
		line = append(line, ` "},"done":false}`+"\n"...)
		if _, err := w.Write(line); err != nil || rc.Flush() != nil {
			<-r.Context().Done()
			s.tell("gone %s %d", id, monotonic())
			return
		}
	}
	_, _ = w.Write(answer)
}

// monotonic is the machine's monotonic clock in nanoseconds, the same for all
// processes.
func monotonic() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // cannot fail for this clock
	return t.Nano()
}

// upstream is the stand-in as the comparison sees it.
type upstream struct {
	addr string
	dir  string

	mu      sync.Mutex // guards what follows
	p       *process
	in      io.WriteCloser
	waiting map[string]chan int64 // event and id: who waits for it
}

// openUpstream starts the stand-in.
func openUpstream(ctx context.Context, dir string) (*upstream, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	u := &upstream{addr: "127.0.0.1:" + port, dir: dir, waiting: map[string]chan int64{}}
	return u, u.start(ctx)
}

func (u *upstream) start(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "stand-in", "-listen", u.addr)
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, write, err := os.Pipe()
	if err != nil {
		return err
	}
	cmd.Stdout = write
	ready := u.expect("ready", u.addr)
	p, err := start("stand-in", cmd, u.dir)
	_ = write.Close() // the stand-in has its own
	if err != nil {
		_ = out.Close()
		return err
	}
	u.mu.Lock()
	u.p, u.in = p, in
	u.mu.Unlock()
	go u.listen(out)
	select {
	case <-ready:
		return nil
	case <-p.gone:
		return p.dead()
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(5 * time.Second):
		return errors.New("the stand-in does not start")
	}
}

// listen reads what the stand-in says until it ends.
func (u *upstream) listen(out io.ReadCloser) {
	defer out.Close()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 2 {
			continue
		}
		var at int64
		if len(words) == 3 {
			at, _ = strconv.ParseInt(words[2], 10, 64)
		}
		name := words[0] + " " + words[1]
		if words[0] == "dropped" {
			name = "dropped -"
		}
		u.mu.Lock()
		if c := u.waiting[name]; c != nil {
			c <- at // holds one, and is told once
			delete(u.waiting, name)
		}
		u.mu.Unlock()
	}
}

// expect waits for a word of the stand-in about one request. It is called
// before what brings the word about.
func (u *upstream) expect(word, id string) <-chan int64 {
	c := make(chan int64, 1)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.waiting[word+" "+id] = c
	return c
}

// drop closes all connections of the stand-in, which goes on listening.
func (u *upstream) drop() error {
	dropped := u.expect("dropped", "-")
	if _, err := io.WriteString(u.in, "drop\n"); err != nil {
		return err
	}
	select {
	case <-dropped:
		return nil
	case <-time.After(5 * time.Second):
		return errors.New("the stand-in does not drop its connections")
	}
}

// restart kills the stand-in and starts another one at the same address.
func (u *upstream) restart(ctx context.Context) error {
	u.p.kill()
	return u.start(ctx)
}

// nextPort is where the last free port was found.
var nextPort = 21000

// freePort finds a port below those that the kernel gives to clients: there are
// thousands of them here, and one could take a port just before its server does.
func freePort() (string, error) {
	for nextPort++; nextPort < 30000; nextPort++ {
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(nextPort))
		if err == nil {
			return strconv.Itoa(nextPort), l.Close()
		}
	}
	return "", errors.New("no port between 21000 and 30000 is free")
}
