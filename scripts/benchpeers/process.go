//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ticks is USER_HZ, which Linux fixes at 100 for what /proc shows.
const ticks = 100

// process is a program that this one started and ends.
type process struct {
	name string
	cmd  *exec.Cmd
	gone chan struct{} // closed when it has ended
	errs string        // file of its standard error
}

// start starts a program in a process group of its own, so that Ctrl-C reaches
// it through end and not beside it. Should this program be killed, the kernel
// ends it.
func start(name string, cmd *exec.Cmd, dir string) (*process, error) {
	p := &process{name: name, cmd: cmd, gone: make(chan struct{}), errs: filepath.Join(dir, name+".err")}
	stderr, err := os.Create(p.errs)
	if err != nil {
		return nil, err
	}
	defer func() { _ = stderr.Close() }() // the program has its own
	cmd.Stderr = stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	go func() {
		defer close(p.gone)
		_ = cmd.Wait() // how it ended is told by dead
	}()
	return p, nil
}

// end asks the process to end and, after three seconds, makes it.
func (p *process) end() {
	if p == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.gone:
		return
	case <-time.After(3 * time.Second):
	}
	for _, pid := range p.pids() { // nginx's workers do not end with a master that is killed
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	<-p.gone
}

// kill ends the process as a crash would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.gone
}

// dead says that the process has ended by itself, with the end of what it said.
func (p *process) dead() error {
	select {
	case <-p.gone:
	default:
		return nil
	}
	said, _ := os.ReadFile(p.errs)
	said = bytes.TrimSpace(said[max(0, len(said)-600):])
	return fmt.Errorf("%s ended by itself (%s): %s", p.name, p.cmd.ProcessState, said)
}

// pids are the process and its children.
func (p *process) pids() []int {
	all := []int{p.cmd.Process.Pid}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", p.cmd.Process.Pid))
	if err != nil {
		return all
	}
	for word := range strings.FieldsSeq(string(b)) {
		if pid, err := strconv.Atoi(word); err == nil {
			all = append(all, pid)
		}
	}
	return all
}

// cpu is the processor time that the process and its children have taken.
func (p *process) cpu() (time.Duration, error) {
	var sum time.Duration
	for _, pid := range p.pids() {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0, err
		}
		t, err := statTime(b)
		if err != nil {
			return 0, err
		}
		sum += t
	}
	return sum, nil
}

// statTime reads utime and stime out of /proc/PID/stat (proc_pid_stat(5)).
func statTime(stat []byte) (time.Duration, error) {
	at := bytes.LastIndexByte(stat, ')') // the name before it may hold anything
	fields := bytes.Fields(stat[at+1:])
	if at < 0 || len(fields) < 13 {
		return 0, errors.New("/proc/PID/stat is not as proc(5) describes it")
	}
	var sum int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return time.Duration(sum) * time.Second / ticks, nil
}

// memory is what the process holds in MiB: the resident set of one process, and
// the proportional share of several, which would count common pages twice.
func (p *process) memory() (float64, error) {
	pids := p.pids()
	var sum float64
	for _, pid := range pids {
		field := "Rss:"
		if len(pids) > 1 {
			field = "Pss:"
		}
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			return 0, err
		}
		kib, err := rollup(b, field)
		if err != nil {
			return 0, err
		}
		sum += kib / 1024
	}
	return sum, nil
}

// rollup reads one field of /proc/PID/smaps_rollup, in KiB.
func rollup(b []byte, field string) (float64, error) {
	for line := range bytes.Lines(b) {
		words := strings.Fields(string(line))
		if len(words) == 3 && words[0] == field {
			return strconv.ParseFloat(words[1], 64)
		}
	}
	return 0, fmt.Errorf("/proc/PID/smaps_rollup has no %s", field)
}

// toFile opens the file that takes a program's output.
func toFile(dir, name string) (io.WriteCloser, error) {
	return os.Create(filepath.Join(dir, name))
}
