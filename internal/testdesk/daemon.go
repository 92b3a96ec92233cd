//go:build linux

package testdesk

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	startLimit = 20 * time.Second // for a daemon to say that it is there
	stopLimit  = 5 * time.Second  // between asking a daemon to end and ending it
)

// daemon is a program of the desktop that runs beside the test.
type daemon struct {
	cmd  *exec.Cmd
	said *Output
	done chan struct{} // closed once the process is gone
	once sync.Once
}

// launch starts cmd so that it cannot outlive the test process, not even one
// that was killed. What it prints is kept for error messages.
func launch(cmd *exec.Cmd) (*daemon, error) {
	d := &daemon{cmd: cmd, said: &Output{}, done: make(chan struct{})}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if cmd.Stdout == nil {
		cmd.Stdout = d.said
	}
	cmd.Stderr = d.said
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = cmd.Wait() // the process is what counts; how it ended does not
		close(d.done)
	}()
	return d, nil
}

// launchAndRead starts cmd with a pipe as file 3 and returns the first line that
// comes out of it: the address or the number a daemon was given.
func launchAndRead(cmd *exec.Cmd) (*daemon, string, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = r.Close() }()
	cmd.ExtraFiles = []*os.File{w}
	d, err := launch(cmd)
	_ = w.Close()
	if err != nil {
		return nil, "", err
	}
	line, err := firstLine(r, startLimit)
	if err != nil {
		d.stop()
		return nil, "", fmt.Errorf("%w; it said: %s", err, d.said)
	}
	return d, line, nil
}

// stop ends the process and waits until it is gone. It may be called twice.
func (d *daemon) stop() {
	d.once.Do(func() {
		_ = d.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-d.done:
		case <-time.After(stopLimit):
			_ = d.cmd.Process.Kill()
			<-d.done
		}
	})
}

// alive says whether the process still runs.
func (d *daemon) alive() bool {
	select {
	case <-d.done:
		return false
	default:
		return true
	}
}

// firstLine reads one line within the limit.
func firstLine(r *os.File, limit time.Duration) (string, error) {
	if err := r.SetReadDeadline(time.Now().Add(limit)); err != nil {
		return "", err
	}
	s, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("read the first line: %w", err)
	}
	return strings.TrimSpace(s), nil
}

// Output collects what a program prints and can be read while it still prints.
// It is safe for concurrent use.
type Output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

var _ io.Writer = (*Output)(nil)

// Write adds to the output.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

// String returns everything so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
