//go:build linux

package clients

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"paddock/internal/testdesk"
)

// Piece is a piece of a streamed answer.
type Piece struct {
	Text string
	// At is when it arrived, counted from the start of the client.
	At time.Duration
}

// Failure is the error a client threw.
type Failure struct {
	Name    string          `json:"name"` // of its class
	Status  int             `json:"status"`
	Message string          `json:"message"`
	Cause   string          `json:"cause"`
	Body    json.RawMessage `json:"body"` // as the client understood it
}

// Says tells whether the server's words reached the person who uses the client:
// in the message, or in the body, where some clients leave what they do not
// understand.
func (f *Failure) Says(words string) bool {
	return strings.Contains(f.Message, words) || bytes.Contains(f.Body, []byte(words))
}

// Result is what became of a run.
type Result struct {
	Models     []string `json:"models"`     // of List
	Text       string   `json:"text"`       // of Chat, as far as it came
	Reason     string   `json:"reason"`     // why the answer ended; "left" if the client left
	Tokens     int      `json:"tokens"`     // of the answer, by the server's count
	Dimensions int      `json:"dimensions"` // of Embed
	// Error is set if the client threw one, also in the middle of an answer.
	Error *Failure `json:"error"`
	// Pieces is how the answer came.
	Pieces []Piece `json:"-"`
}

// Run lets a client act and waits for the result. The limit is the whole run's.
func (s *Set) Run(c Client, a Action, model string, limit time.Duration) Result {
	s.t.Helper()
	return s.Start(c, a, model).Wait(limit)
}

// Running is a client at work.
type Running struct {
	t      testing.TB
	what   string
	cmd    *exec.Cmd
	stderr testdesk.Output
	done   chan struct{} // closed once the client has ended and all is read

	mu     sync.Mutex // guards the rest
	pieces []Piece
	result *Result
	err    error
}

// Start lets a client act. It is killed at the end of the test at the latest.
// Settings in env come on top of those of the set; "STOP_AFTER=3" lets the
// client leave after three pieces of an answer.
func (s *Set) Start(c Client, a Action, model string, env ...string) *Running {
	s.t.Helper()
	r := &Running{t: s.t, what: string(c) + " " + string(a), done: make(chan struct{})}
	r.cmd = exec.Command("node", filepath.Join(s.dir, string(c)+".mjs"), string(a), model)
	r.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "BASE_URL=" + s.BaseURL, "KEY=" + s.Key}, s.Env...)
	r.cmd.Env = append(r.cmd.Env, env...)
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	r.cmd.Stderr = &r.stderr
	out, err := r.cmd.StdoutPipe()
	if err == nil {
		err = r.cmd.Start()
	}
	if err != nil {
		s.t.Fatalf("%s: %v", r.what, err)
	}
	go r.follow(out)
	s.t.Cleanup(func() {
		_ = r.cmd.Process.Kill()
		<-r.done
	})
	return r
}

// follow reads what the script reports until it ends.
func (r *Running) follow(out io.Reader) {
	defer close(r.done)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		r.take(lines.Bytes())
	}
	err := r.cmd.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.err = fmt.Errorf("%w: %s", err, r.stderr.String())
	}
}

func (r *Running) take(line []byte) {
	var l struct {
		Piece *struct {
			Text string
			At   float64 // milliseconds
		}
		Result *Result
	}
	err := json.Unmarshal(line, &l)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err != nil:
		r.err = fmt.Errorf("the script printed %q: %w", line, err)
	case l.Piece != nil:
		r.pieces = append(r.pieces, Piece{l.Piece.Text, time.Duration(l.Piece.At * float64(time.Millisecond))})
	case l.Result != nil:
		r.result = l.Result
	}
}

// Pieces returns how many pieces of the answer have arrived so far.
func (r *Running) Pieces() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.pieces)
}

// WaitPieces waits until so many pieces have arrived.
func (r *Running) WaitPieces(n int, limit time.Duration) {
	r.t.Helper()
	testdesk.Wait(r.t, fmt.Sprintf("%d pieces for %s", n, r.what), limit, func() bool { return r.Pieces() >= n })
}

// Wait waits for the result. It fails the test if there is none in time or the
// script broke; what the client was told by the server is in the result.
func (r *Running) Wait(limit time.Duration) Result {
	r.t.Helper()
	select {
	case <-r.done:
	case <-time.After(limit):
		_ = r.cmd.Process.Kill()
		r.t.Fatalf("%s did not end within %v, with %d pieces", r.what, limit, r.Pieces())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil || r.result == nil {
		r.t.Fatalf("%s broke: %v", r.what, r.err)
	}
	r.result.Pieces = r.pieces
	return *r.result
}
