//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// quiet is the share of the processors that others may take before the tables
// call the machine noisy.
const quiet = 0.05

// noise is how busy the machine was with other things.
type noise struct {
	began        time.Time
	busy, stolen time.Duration // of all processors
	own          time.Duration // of this program and what it started
}

// hear reads the counters.
func (l *lab) hear() (noise, error) {
	n := noise{began: time.Now()}
	stat, err := os.ReadFile("/proc/stat")
	if err == nil {
		n.busy, n.stolen, err = machineTime(stat)
	}
	if err != nil {
		return n, err
	}
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var r syscall.Rusage
		if err := syscall.Getrusage(who, &r); err != nil {
			return n, err
		}
		n.own += time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	for _, p := range l.processes() {
		t, err := p.cpu()
		if err != nil {
			return n, err
		}
		n.own += t
	}
	return n, nil
}

// since says what others took meanwhile, for the head of the tables.
func (n noise) since(was noise, processors int) string {
	all := n.began.Sub(was.began).Seconds() * float64(processors)
	others := max(0, ((n.busy-was.busy)-(n.own-was.own)).Seconds()/all)
	stolen := (n.stolen - was.stolen).Seconds() / all
	said := fmt.Sprintf("Other programs took %.0f %% of the processors meanwhile, other machines %.0f %%", 100*others, 100*stolen)
	if others+stolen > quiet {
		return said + ": it was noisy."
	}
	return said + "."
}

// machineTime reads the first line of /proc/stat (proc_stat(5)): the time in
// programs, and the time that the machine below gave to others.
func machineTime(stat []byte) (busy, stolen time.Duration, err error) {
	line, _, _ := bytes.Cut(stat, []byte("\n"))
	fields := bytes.Fields(line)
	if len(fields) < 9 || string(fields[0]) != "cpu" {
		return 0, 0, errors.New("/proc/stat is not as proc_stat(5) describes it")
	}
	var of [9]time.Duration
	for i, f := range fields[1:9] {
		n, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return 0, 0, err
		}
		of[i+1] = time.Duration(n) * time.Second / ticks
	}
	return of[1] + of[2] + of[3], of[8], nil // user, nice, system; steal
}
