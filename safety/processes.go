package safety

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// How much is read of what belongs to others.
const (
	mostEnviron   = 2 << 20 // the kernel allows a program no more by default
	mostSmall     = 4 << 10
	mostServers   = 8
	mostProcesses = 1 << 16
)

// process is one that matters to the check.
type process struct {
	pid  int
	name string
}

// processes lists the Ollamas and the firewall daemon that run here.
func (f *Finder) processes(ctx context.Context) []process {
	if f.Proc == "" {
		return nil
	}
	dir, err := os.Open(f.Proc)
	if err != nil {
		return nil
	}
	defer func() { _ = dir.Close() }()
	names, _ := dir.Readdirnames(mostProcesses) // what was read before an error is what there is
	var list []process
	for _, n := range names {
		pid, err := strconv.Atoi(n)
		if err != nil || pid <= 0 {
			continue
		}
		if ctx.Err() != nil {
			return nil
		}
		switch name := f.nameOf(n); name {
		case "ollama", "firewalld":
			list = append(list, process{pid, name})
		}
	}
	// The order of /proc is not promised.
	slices.SortFunc(list, func(a, b process) int { return a.pid - b.pid })
	return list
}

// nameOf is what a process is called by the system, or by its file where that
// is ollama's and the process has renamed itself.
func (f *Finder) nameOf(pid string) string {
	comm, _ := readSome(filepath.Join(f.Proc, pid, "comm"), mostSmall)
	name := strings.TrimSuffix(string(comm), "\n")
	if name == "ollama" || name == "firewalld" {
		return name
	}
	exe, err := os.Readlink(filepath.Join(f.Proc, pid, "exe"))
	if err != nil {
		return name
	}
	// The file was replaced, as by an update.
	if filepath.Base(strings.TrimSuffix(exe, " (deleted)")) == "ollama" {
		return "ollama"
	}
	return name
}

// Servers returns the Ollamas that run here with what they were told, and what
// the account would tell one that starts. Those under other accounts are listed
// as not readable.
func (f *Finder) Servers(ctx context.Context) []Server {
	return f.servers(ctx, f.processes(ctx))
}

func (f *Finder) servers(ctx context.Context, processes []process) []Server {
	var list []Server
	for _, p := range processes {
		if p.name != "ollama" || len(list) == mostServers || ctx.Err() != nil {
			continue
		}
		if s, ok := f.server(p.pid); ok {
			list = append(list, s)
		}
	}
	if f.system.account != nil {
		if s, ok := f.system.account(ctx); ok {
			list = append(list, s)
		}
	}
	return list
}

// server reads one process. `ollama run` and the like are not servers: their
// OLLAMA_HOST is where they call, and may have a key in it.
func (f *Finder) server(pid int) (Server, bool) {
	dir := filepath.Join(f.Proc, strconv.Itoa(pid))
	line, err := readSome(filepath.Join(dir, "cmdline"), mostSmall)
	if err != nil {
		return Server{}, false
	}
	if args := bytes.Split(line, []byte{0}); len(args) < 2 || string(args[1]) != "serve" && string(args[1]) != "start" {
		return Server{}, false
	}
	s := Server{From: FromProcess, PID: pid}
	if group, err := readSome(filepath.Join(dir, "cgroup"), mostSmall); err == nil {
		s.Unit, s.UserUnit, s.Container = readGroup(string(group))
	}
	ours, err1 := os.Readlink(filepath.Join(f.Proc, "self", "ns", "net"))
	theirs, err2 := os.Readlink(filepath.Join(dir, "ns", "net"))
	s.Apart = err1 == nil && err2 == nil && ours != theirs
	environ, err := readSome(filepath.Join(dir, "environ"), mostEnviron)
	if err != nil {
		return s, true
	}
	s.Readable = true
	s.Host, s.Origins = readEnviron(environ)
	clear(environ) // the rest is none of our business
	return s, true
}

// readEnviron takes OLLAMA_HOST and OLLAMA_ORIGINS out of an environment as
// /proc/PID/environ has it, and nothing else. Of a name that stands twice, the
// first counts, as in getenv(3) and in Go.
func readEnviron(environ []byte) (host, origins string) {
	var seenHost, seenOrigins bool
	for len(environ) > 0 {
		var entry []byte
		entry, environ, _ = bytes.Cut(environ, []byte{0})
		name, value, ok := bytes.Cut(entry, []byte{'='})
		switch {
		case !ok:
		case string(name) == "OLLAMA_HOST" && !seenHost:
			host, seenHost = listenAddress(string(value)), true
		case string(name) == "OLLAMA_ORIGINS" && !seenOrigins:
			origins, seenOrigins = trimVar(string(value)), true
		}
	}
	return host, origins
}

// unitName is what the name of Ollama's unit may consist of: it becomes part of
// a command that is shown to be copied.
var unitName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.@-]*\.service$`)

// readGroup reads /proc/PID/cgroup (cgroups(7)): which systemd unit a process is
// in, and whether a container runs it.
func readGroup(text string) (unit string, user, container bool) {
	for line := range strings.Lines(text) {
		_, rest, _ := strings.Cut(line, ":")
		_, path, ok := strings.Cut(rest, ":")
		if !ok {
			continue
		}
		path = strings.TrimSpace(path)
		for _, mark := range []string{"docker", "libpod", "containerd", "kubepods", "/lxc"} {
			container = container || strings.Contains(path, mark)
		}
		// A terminal is a unit too; what runs in it is started by hand.
		last := path[strings.LastIndexByte(path, '/')+1:]
		if unit == "" && strings.Contains(last, "ollama") && unitName.MatchString(last) {
			unit, user = last, strings.Contains(path, "/user@")
		}
	}
	return unit, user, container
}

// readSome reads at most so much of a file.
func readSome(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, most))
}
