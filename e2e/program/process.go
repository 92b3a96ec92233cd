//go:build linux

package program

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"

	"paddock/internal/testdesk"
)

// stopLimit is how long Paddock may take to end when asked to.
const stopLimit = 15 * time.Second

// Run runs a command to its end and returns what it printed and its exit code.
// One that does not end within the limit is killed and fails the test, and so
// does output that no program should produce.
func (p *Program) Run(args ...string) (stdout, stderr string, code int) {
	p.t.Helper()
	return p.RunWith("", args...)
}

// RunWith is Run with something on the standard input.
func (p *Program) RunWith(input string, args ...string) (stdout, stderr string, code int) {
	p.t.Helper()
	r := p.start(input, args)
	code = r.Wait(p.Limit)
	return r.Stdout(), r.Stderr(), code
}

// Must is Run for a command that has to succeed; it returns the standard output.
func (p *Program) Must(args ...string) string {
	p.t.Helper()
	stdout, stderr, code := p.Run(args...)
	if code != 0 {
		p.t.Fatalf("paddock %s: exit code %d\n%s", strings.Join(args, " "), code, said(stdout, stderr))
	}
	return stdout
}

// Process is a Paddock that runs beside the test.
type Process struct {
	p              *Program
	what           string
	cmd            *exec.Cmd
	stdout, stderr testdesk.Output
	done           chan struct{} // closed once it has ended and all is read
	judged         bool
}

// Start starts a command that stays. At the end of the test it is asked to stop;
// if the test failed, its output is kept, and the screen with it.
func (p *Program) Start(args ...string) *Process {
	p.t.Helper()
	return p.start("", args)
}

func (p *Program) start(input string, args []string) *Process {
	p.t.Helper()
	r := &Process{p: p, what: "paddock " + strings.Join(args, " "), done: make(chan struct{})}
	r.cmd = exec.Command(p.Bin, p.arguments(args)...)
	r.cmd.Env = p.Env
	r.cmd.Stdin = strings.NewReader(input)
	r.cmd.Stdout, r.cmd.Stderr = &r.stdout, &r.stderr
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	// A child that keeps the pipes open must not keep the test waiting.
	r.cmd.WaitDelay = stopLimit / 3
	if err := r.cmd.Start(); err != nil {
		p.t.Fatalf("%s: %v", r.what, err)
	}
	go func() {
		_ = r.cmd.Wait() // the exit code is in ProcessState
		close(r.done)
	}()
	p.t.Cleanup(r.cleanUp)
	return r
}

// cleanUp ends a process that the test left running, and judges its output.
func (r *Process) cleanUp() {
	r.p.t.Helper()
	if r.p.t.Failed() && r.p.desk != nil {
		r.p.desk.KeepScreen() // while its windows are there
	}
	if r.Running() {
		r.Stop()
	}
	r.judge()
	if r.p.t.Failed() {
		testdesk.Keep(r.p.t, fmt.Sprintf("paddock-%d.txt", r.cmd.Process.Pid), []byte(r.what+"\n"+said(r.Stdout(), r.Stderr())))
	}
}

// judge fails the test, once, if the output has what must not be there.
func (r *Process) judge() {
	r.p.t.Helper()
	if r.judged {
		return
	}
	if line, bad := trouble(r.Stdout() + "\n" + r.Stderr()); bad {
		r.judged = true
		r.p.t.Errorf("%s printed %q", r.what, line)
	}
}

// Running says whether it has not ended yet.
func (r *Process) Running() bool {
	select {
	case <-r.done:
		return false
	default:
		return true
	}
}

// Pid is its number.
func (r *Process) Pid() int { return r.cmd.Process.Pid }

// Stdout returns what it printed so far.
func (r *Process) Stdout() string { return r.stdout.String() }

// Stderr returns what it printed so far.
func (r *Process) Stderr() string { return r.stderr.String() }

// Signal sends a signal.
func (r *Process) Signal(sig os.Signal) {
	r.p.t.Helper()
	if err := r.cmd.Process.Signal(sig); err != nil {
		r.p.t.Fatalf("%s: %v", r.what, err)
	}
}

// Stop asks it to end, as a log-out does, and returns its exit code. Taking
// longer than a person would wait fails the test.
func (r *Process) Stop() int {
	r.p.t.Helper()
	_ = r.cmd.Process.Signal(syscall.SIGTERM) // it may just have ended
	return r.Wait(stopLimit)
}

// Kill ends it at once, as a power cut does.
func (r *Process) Kill() {
	_ = r.cmd.Process.Kill() // it may just have ended
	<-r.done
}

// Wait waits until it has ended and returns its exit code, which is -1 if a
// signal ended it.
func (r *Process) Wait(limit time.Duration) int {
	r.p.t.Helper()
	select {
	case <-r.done:
	case <-time.After(limit):
		// Where it hangs is worth more than that it hangs.
		_ = r.cmd.Process.Signal(syscall.SIGQUIT)
		select {
		case <-r.done:
		case <-time.After(stopLimit):
			r.Kill()
		}
		r.judged = true
		r.p.t.Fatalf("%s did not end within %v\n%s", r.what, limit, said(r.Stdout(), r.Stderr()))
	}
	r.judge()
	return r.cmd.ProcessState.ExitCode()
}

// WaitOut waits until the standard output matches and returns the match and its
// groups. A process that ends before that fails the test.
func (r *Process) WaitOut(pattern string) []string {
	r.p.t.Helper()
	return r.match("standard output", pattern, r.Stdout)
}

// WaitErr is WaitOut for the standard error.
func (r *Process) WaitErr(pattern string) []string {
	r.p.t.Helper()
	return r.match("standard error", pattern, r.Stderr)
}

func (r *Process) match(where, pattern string, output func() string) []string {
	r.p.t.Helper()
	re := regexp.MustCompile(pattern)
	var found []string
	testdesk.Wait(r.p.t, fmt.Sprintf("%s of %s to match %q", where, r.what, pattern), r.p.Limit, func() bool {
		ended := !r.Running() // asked first, so that the last words count
		found = re.FindStringSubmatch(output())
		if found == nil && ended {
			r.p.t.Fatalf("%s ended, and its %s does not match %q\n%s", r.what, where, pattern, said(r.Stdout(), r.Stderr()))
		}
		return found != nil
	})
	return found
}

// Memory returns its resident memory in bytes.
func (r *Process) Memory() int {
	r.p.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", r.Pid()))
	if err != nil {
		r.p.t.Fatalf("%s: %v", r.what, err)
	}
	var size, resident int
	if _, err := fmt.Sscan(string(b), &size, &resident); err != nil {
		r.p.t.Fatalf("%s: %v", r.what, err)
	}
	return resident * os.Getpagesize()
}
