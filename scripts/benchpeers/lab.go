//go:build linux

package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// lab is everything that runs, and what was measured.
type lab struct {
	o       options
	tools   tools
	dir     string
	up      *upstream
	targets []*target
	keys    ring // of nginx and Caddy
	book    *book
	notes   []string
	facts   string // versions and machine, for the head of the tables
	noise   string // how busy the machine was with other things, the same
}

// openLab starts the stand-in and all targets.
func openLab(ctx context.Context, o options, t tools, dir string) (l *lab, err error) {
	l = &lab{o: o, tools: t, dir: dir, keys: inventKeys(), book: newBook(o.rounds)}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	if l.facts, err = facts(ctx, t); err != nil {
		return nil, err
	}
	if l.up, err = openUpstream(ctx, dir); err != nil {
		return nil, err
	}
	say("Starting nginx, Caddy and Paddock…")
	l.targets = append(l.targets, &target{name: direct, addr: l.up.addr, ring: l.keys})
	for _, name := range targetNames[1:] {
		peer, missing, err := l.open(ctx, name, "main")
		if peer != nil {
			l.targets = append(l.targets, peer)
		}
		if err != nil {
			return nil, err
		}
		if len(missing) > 0 {
			l.notes = append(l.notes, "This version of Paddock has no "+strings.Join(missing, ", no ")+": there was no such limit to lift.")
		}
	}
	return l, nil
}

// open starts one target in a folder of its own.
func (l *lab) open(ctx context.Context, name, instance string) (t *target, missing []string, err error) {
	dir := filepath.Join(l.dir, strings.ToLower(name)+"-"+instance)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, nil, err
	}
	switch name {
	case nginx:
		t, err = openPeer(ctx, name, l.tools.nginx, dir, l.up.addr, l.keys)
	case caddy:
		t, err = openPeer(ctx, name, l.tools.caddy, dir, l.up.addr, l.keys)
	default:
		t, missing, err = openPaddock(ctx, l.tools.paddock, dir, l.up.addr)
	}
	return t, missing, err
}

// close ends everything, those in front first.
func (l *lab) close() {
	for _, t := range slices.Backward(l.targets) {
		t.p.end()
	}
	if l.up != nil {
		l.up.p.end()
	}
}

// rounds measures everything, with another order of the targets each time.
func (l *lab) rounds(ctx context.Context) error {
	before, err := l.hear()
	if err != nil {
		return err
	}
	for round := range l.o.rounds {
		l.book.round = round
		for k, s := range suites() {
			if len(l.o.only) > 0 && !slices.Contains(l.o.only, s.name) {
				continue
			}
			say("Round %d of %d: %s", round+1, l.o.rounds, s.title)
			for i := range l.targets {
				t := l.targets[(i+round+k)%len(l.targets)]
				if !s.direct && t.name == direct {
					continue
				}
				if err := s.run(l, ctx, t); err != nil {
					return fmt.Errorf("%s through %s: %w", s.title, t.name, err)
				}
				if err := l.alive(); err != nil {
					return err
				}
				if err := pause(ctx, 50*time.Millisecond); err != nil {
					return err
				}
			}
		}
	}
	after, err := l.hear()
	l.noise = after.since(before, runtime.NumCPU())
	return err
}

func (l *lab) alive() error {
	for _, p := range l.processes() {
		if err := p.dead(); err != nil {
			return err
		}
	}
	return nil
}

// processes are those that run from the beginning to the end.
func (l *lab) processes() (all []*process) {
	for _, t := range l.targets {
		if t.p != nil {
			all = append(all, t.p)
		}
	}
	return append(all, l.up.p)
}

// span is how long a measurement takes: the first when there is time.
func (l *lab) span(long, quick time.Duration) time.Duration {
	if l.o.quick {
		return quick
	}
	return long
}

// logged says what the access logs hold, as a proof that they were on.
func (l *lab) logged() []string {
	var parts []string
	for _, t := range l.targets {
		if t.logs == "" {
			continue
		}
		n, err := lines(t.logs)
		if err != nil {
			parts = append(parts, t.name+": "+err.Error())
			continue
		}
		part := fmt.Sprintf("%s %d", t.name, n)
		if t.errs != "" {
			if left := leftOut(t.errs); left > 0 {
				part += fmt.Sprintf(" (the terminal log left out %d that came faster than it is read)", left)
			}
		}
		parts = append(parts, part)
	}
	return []string{"Lines in the access logs: " + strings.Join(parts, ", ") + "."}
}

func lines(file string) (n int, err error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }() // only read
	buf := make([]byte, 1<<20)
	for {
		k, err := f.Read(buf)
		n += bytes.Count(buf[:k], []byte("\n"))
		switch {
		case errors.Is(err, io.EOF):
			return n, nil
		case err != nil:
			return n, err
		}
	}
}

// leftOut sums what Paddock says it did not print: "(12 requests not shown)".
func leftOut(file string) (sum int) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		var n int
		if strings.Contains(line, "not shown") {
			if _, err := fmt.Sscanf(line, "(%d request", &n); err == nil {
				sum += n
			}
		}
	}
	return sum
}

// facts names the machine and the programs.
func facts(ctx context.Context, t tools) (string, error) {
	said := func(program, arg string) (string, error) {
		cmd := "exec \"$0\" " + arg + " 2>&1 | head -1"
		out, err := output(ctx, "/", nil, "sh", "-c", cmd, program)
		return strings.TrimSpace(out), err
	}
	n, err1 := said(t.nginx, "-v")
	c, err2 := moduleVersion(t.caddy)
	w, err3 := said(t.wrk, "-v")
	p, err4 := said(t.paddock, "version")
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return "", err
	}
	n = strings.TrimPrefix(n, "nginx version: nginx/")
	w, _, _ = strings.Cut(strings.TrimPrefix(w, "wrk "), " [")
	kernel := "of unknown version"
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		kernel = strings.TrimSpace(string(b))
	}
	return fmt.Sprintf("%d cores, Linux %s, %s, nginx %s, Caddy %s, wrk %s, %s", runtime.NumCPU(), kernel, runtime.Version(), n, c, w, p), nil
}

// moduleVersion is the version of the module that a Go program was built from.
// Caddy itself does not know it in every build.
func moduleVersion(file string) (string, error) {
	i, err := buildinfo.ReadFile(file)
	if err != nil {
		return "", err
	}
	return i.Main.Version, nil
}
