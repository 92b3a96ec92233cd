//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// script makes wrk send one request over and over, or several in turn, and say
// what it saw in a form that can be read.
const script = `
local keys = {%s}
local made = {}
function init(args)
	for i, key in ipairs(keys) do
		made[i] = wrk.format(%q, %q, {["Authorization"] = "Bearer " .. key, ["Content-Type"] = %s}, %s)
	end
end
local at = 0
function request()
	at = at %% #made + 1
	return made[at]
end
function done(s, l, r)
	io.write(string.format('BENCH {"requests":%%d,"us":%%d,"connect":%%d,"read":%%d,"write":%%d,"status":%%d,"timeout":%%d,"p50":%%d,"p99":%%d}\n',
		s.requests, s.duration, s.errors.connect, s.errors.read, s.errors.write, s.errors.status, s.errors.timeout, l:percentile(50), l:percentile(99)))
end
`

// load is what wrk is to do.
type load struct {
	scheme, addr string
	method, path string
	body         string
	keys         []string
	connections  int
	span         time.Duration // whole seconds
	at           *target       // whose processor time is read, nil for nobody's
}

// seen is what wrk saw. Times are in microseconds.
type seen struct {
	Requests int     `json:"requests"`
	Micros   float64 `json:"us"`
	Connect  int     `json:"connect"`
	Read     int     `json:"read"`
	Write    int     `json:"write"`
	Status   int     `json:"status"` // answers of 400 and above
	Timeout  int     `json:"timeout"`
	P50      float64 `json:"p50"`
	P99      float64 `json:"p99"`

	cpu time.Duration // of the target meanwhile
}

func (s seen) rps() float64 { return float64(s.Requests) / s.Micros * 1e6 }

func (s seen) lost() int { return s.Connect + s.Read + s.Write + s.Status + s.Timeout }

func (s seen) why() string {
	return fmt.Sprintf("%d not connected, %d not read, %d not written, %d refused or failed, %d too late", s.Connect, s.Read, s.Write, s.Status, s.Timeout)
}

// wrk runs a load to its end. On a machine that is busy with other things wrk
// itself may get no processor for seconds; its clock shows that, and such a run
// is repeated, at most twice. What a run lost counts all the same.
func (l *lab) wrk(ctx context.Context, d load) (seen, error) {
	lost := seen{}
	for try := 0; ; try++ {
		s, err := l.wrkOnce(ctx, d)
		if err != nil {
			return s, err
		}
		starved := s.Requests == 0 || time.Duration(s.Micros)*time.Microsecond > d.span*3/2
		if starved && try < 2 {
			l.book.repeat()
			lost = lost.plus(s)
			continue
		}
		s = s.plus(lost)
		if s.Requests == 0 {
			return s, fmt.Errorf("wrk got no answer at all: %s", s.why())
		}
		return s, nil
	}
}

// plus adds what another run lost.
func (s seen) plus(o seen) seen {
	s.Connect, s.Read, s.Write, s.Status, s.Timeout = s.Connect+o.Connect, s.Read+o.Read, s.Write+o.Write, s.Status+o.Status, s.Timeout+o.Timeout
	return s
}

func (l *lab) wrkOnce(ctx context.Context, d load) (seen, error) {
	var keys []string
	for _, k := range d.keys {
		keys = append(keys, strconv.Quote(k))
	}
	kind, body := "nil", "nil"
	if d.body != "" {
		kind, body = `"application/json"`, strconv.Quote(d.body)
	}
	f, err := os.CreateTemp(l.dir, "wrk-*.lua")
	if err != nil {
		return seen{}, err
	}
	defer func() { _ = os.Remove(f.Name()) }() // goes with its folder otherwise
	_, err = fmt.Fprintf(f, script, strings.Join(keys, ", "), d.method, d.path, kind, body)
	if err := errors.Join(err, f.Close()); err != nil {
		return seen{}, err
	}
	cmd := exec.CommandContext(ctx, l.tools.wrk, "-t1", "-c"+strconv.Itoa(d.connections), "-d"+strconv.Itoa(int(d.span.Seconds()))+"s",
		"--timeout", "10s", "-s", f.Name(), d.scheme+"://"+d.addr)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	before, err := l.cpu(d.at)
	if err != nil {
		return seen{}, err
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return seen{}, fmt.Errorf("wrk: %w: %s", err, out[max(0, len(out)-400):])
	}
	after, err := l.cpu(d.at)
	if err != nil {
		return seen{}, err
	}
	s, err := readWrk(string(out))
	s.cpu = after - before
	return s, err
}

func readWrk(out string) (s seen, err error) {
	_, rest, found := strings.Cut(out, "BENCH ")
	if !found {
		return s, fmt.Errorf("wrk said nothing that can be read: %s", out)
	}
	line, _, _ := strings.Cut(rest, "\n")
	if err := json.Unmarshal([]byte(line), &s); err != nil {
		return s, fmt.Errorf("wrk: %w: %s", err, line)
	}
	if s.Micros == 0 {
		return s, fmt.Errorf("wrk ran for no time at all: %s", line)
	}
	return s, nil
}

// drive runs one load and notes the figures that this metric has rows for.
func (l *lab) drive(ctx context.Context, t *target, name string, d load) (seen, error) {
	d.keys, d.at = []string{t.ring.asked()}, t
	s, err := l.wrk(ctx, d)
	if err != nil {
		return s, err
	}
	l.book.count(t, s.Requests, s.lost(), name+": "+s.why())
	l.book.put(name+"-rps", t, s.rps())
	l.book.put(name+"-p50", t, s.P50)
	l.book.put(name+"-p99", t, s.P99)
	if t.p != nil {
		l.book.put(name+"-cpu", t, s.cpu.Seconds()*1e6/float64(s.Requests))
	}
	return s, nil
}

func (l *lab) cpu(t *target) (time.Duration, error) {
	if t == nil || t.p == nil {
		return 0, nil
	}
	return t.p.cpu()
}

// requests are small GETs at 1, 32 and 256 connections.
func (l *lab) requests(ctx context.Context, t *target) error {
	for _, connections := range []int{1, 32, 256} {
		d := load{scheme: "http", addr: t.addr, method: "GET", path: "/api/version", connections: connections, span: l.span(2*time.Second, time.Second)}
		if _, err := l.drive(ctx, t, fmt.Sprintf("get-%d", connections), d); err != nil {
			return err
		}
	}
	return nil
}

// questions are the smallest that Ollama is for: one token and no stream.
func (l *lab) questions(ctx context.Context, t *target) error {
	for _, connections := range []int{1, 32} {
		d := load{scheme: "http", addr: t.addr, method: "POST", path: "/api/chat", body: chat("one", false), connections: connections, span: l.span(2*time.Second, time.Second)}
		if _, err := l.drive(ctx, t, fmt.Sprintf("chat-%d", connections), d); err != nil {
			return err
		}
	}
	return nil
}

// overTLS is as requests, encrypted.
func (l *lab) overTLS(ctx context.Context, t *target) error {
	for _, connections := range []int{1, 32} {
		d := load{scheme: "https", addr: t.secure, method: "GET", path: "/api/version", connections: connections, span: l.span(2*time.Second, time.Second)}
		if _, err := l.drive(ctx, t, fmt.Sprintf("tls-%d", connections), d); err != nil {
			return err
		}
	}
	return nil
}

// flood is eight connections that try wrong keys as fast as they are answered,
// and one caller with a right key beside them.
func (l *lab) flood(ctx context.Context, t *target) error {
	span := l.span(3*time.Second, 2*time.Second)
	attack := load{scheme: "http", addr: t.addr, method: "GET", path: "/api/version", keys: t.ring.withdrawn, connections: 8, span: span}
	caller := load{scheme: "http", addr: t.addr, method: "GET", path: "/api/version", keys: []string{t.ring.asked()}, connections: 1, span: span - time.Second}
	var hits seen
	var failed error
	var both sync.WaitGroup
	both.Go(func() { hits, failed = l.wrkOnce(ctx, attack) })
	err := pause(ctx, 500*time.Millisecond)
	var valid seen
	if err == nil {
		// Not repeated: the flood ends, and what would be measured is none.
		valid, err = l.wrkOnce(ctx, caller)
	}
	both.Wait()
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	if valid.Requests == 0 || hits.Requests == 0 {
		l.book.count(t, 1, 1, "flood: no answer at all: "+valid.why())
		return nil
	}
	if let := hits.Requests - hits.Status; let > 0 {
		return fmt.Errorf("%d of %d requests with a wrong key were answered as if it were right", let, hits.Requests)
	}
	l.book.put("flood-rps", t, hits.rps())
	l.book.count(t, valid.Requests, valid.lost(), "flood: "+valid.why())
	l.book.put("flood-valid-rps", t, valid.rps())
	l.book.put("flood-valid-p50", t, valid.P50/1e3)
	l.book.put("flood-valid-p99", t, valid.P99/1e3)
	return nil
}
