//go:build linux

package clients

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"paddock/internal/testdesk"
)

// browserLimit bounds each thing that a browser is asked to do. On a busy machine
// it takes ten seconds to start.
const browserLimit = time.Minute

// Browser is a headless Chromium. It is used from one goroutine.
type Browser struct {
	t      testing.TB
	stderr testdesk.Output
	to     io.Writer
	lines  chan []byte // closed at the end of the output
}

// Fetch is what a page is to ask for with the function of that name.
type Fetch struct {
	// Page is the address of the page, from which its origin comes. With Framed
	// it is its first frame that asks.
	Page   string `json:"page"`
	Framed bool   `json:"framed"`
	// URL and the rest is what the page asks for.
	URL  string    `json:"url"`
	Init FetchInit `json:"init"`
	// LeaveAfter lets the page leave after so many pieces of the answer; with 0
	// it reads to the end.
	LeaveAfter int `json:"leaveAfter"`
}

// FetchInit is the second argument of fetch. What is empty is left out.
type FetchInit struct {
	Method  string            `json:"method,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    string            `json:"body,omitempty"`
}

// Seen is what a page saw of an answer.
type Seen struct {
	Threw   string            `json:"threw"` // what fetch threw; pages are told no reason
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"` // those that the page may read, in small letters
	Text    string            `json:"text"`
	Pieces  int               `json:"pieces"` // in which the text came
}

// Browser starts a browser that ends with the test.
func (s *Set) Browser() *Browser {
	s.t.Helper()
	chromium := ""
	for _, name := range []string{"chromium", "chromium-browser"} {
		if path, err := exec.LookPath(name); err == nil {
			chromium = path
			break
		}
	}
	if chromium == "" {
		s.t.Fatal("there is neither chromium nor chromium-browser; on Debian: apt-get install chromium")
	}
	b := &Browser{t: s.t, lines: make(chan []byte, 1)}
	cmd := exec.Command("node", filepath.Join(s.dir, "browser.mjs"))
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "CHROMIUM=" + chromium}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = &b.stderr
	to, err := cmd.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	b.to = to
	from, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		s.t.Fatalf("browser: %v", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer close(b.lines)
		lines := bufio.NewScanner(from)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			b.lines <- append([]byte(nil), lines.Bytes()...)
		}
		_ = cmd.Wait() // what it had to say is in stderr
	}()
	s.t.Cleanup(func() {
		_ = to.Close()
		select {
		case <-ended:
		case <-time.After(browserLimit):
			_ = cmd.Process.Kill() // the browser sees its pipe break, and ends too
			<-ended
		}
	})
	b.line()
	return b
}

// Fetch lets a page ask, and returns what it saw.
func (b *Browser) Fetch(f Fetch) Seen {
	b.t.Helper()
	if err := json.NewEncoder(b.to).Encode(f); err != nil {
		b.t.Fatalf("browser: %v: %s", err, b.stderr.String())
	}
	return b.line()
}

// line waits for what the script prints next.
func (b *Browser) line() Seen {
	b.t.Helper()
	select {
	case line, ok := <-b.lines:
		var l struct{ Seen Seen }
		if !ok {
			b.t.Fatalf("the browser ended: %s", b.stderr.String())
		}
		if err := json.Unmarshal(line, &l); err != nil {
			b.t.Fatalf("the browser's script printed %q: %v", line, err)
		}
		return l.Seen
	case <-time.After(browserLimit):
		b.t.Fatalf("the browser did not answer within %v: %s", browserLimit, b.stderr.String())
	}
	return Seen{}
}
