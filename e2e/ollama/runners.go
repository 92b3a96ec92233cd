//go:build linux

package ollama

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// Runners returns the processes of the server that hold a model each.
func (s *Server) Runners() []int {
	if s.cmd == nil {
		return nil
	}
	var out []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is good
	for _, file := range stats {
		b, err := os.ReadFile(file)
		if err != nil {
			continue // it ended meanwhile
		}
		// "pid (name) state parent group …", and the name may hold anything.
		var state string
		var parent, group int
		if _, err := fmt.Sscan(string(b[bytes.LastIndexByte(b, ')')+1:]), &state, &parent, &group); err != nil {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if leader := s.cmd.Process.Pid; group == leader && pid != leader && state != "Z" {
			out = append(out, pid)
		}
	}
	return out
}

// KillRunners kills what holds the models, as the system does when memory runs
// out: running answers break off in the middle, and the server goes on. It
// returns how many there were.
func (s *Server) KillRunners() int {
	pids := s.Runners()
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	return len(pids)
}
