//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// memory is measured of a fresh process: idle, then with 5,000 callers that
// keep their connection after one request, then under load.
func (l *lab) memory(ctx context.Context, t *target) error {
	fresh, _, err := l.open(ctx, t.name, fmt.Sprintf("memory-%d", l.book.round))
	if fresh != nil {
		defer fresh.p.end()
	}
	if err != nil {
		return err
	}
	note := func(metric string) error {
		mib, err := fresh.p.memory()
		if err == nil {
			l.book.put(metric, t, mib)
		}
		return err
	}
	if err := pause(ctx, l.span(time.Second, 500*time.Millisecond)); err != nil {
		return err
	}
	if err := note("memory-idle"); err != nil {
		return err
	}
	wires, err := l.crowd(ctx, t, fresh.addr, fresh, dial)
	if err == nil {
		err = pause(ctx, l.span(time.Second, 500*time.Millisecond))
	}
	if err == nil {
		err = note("memory-5000")
	}
	for _, w := range wires {
		w.close()
	}
	if err != nil {
		return err
	}
	most := make(chan float64)
	ended, stop := context.WithCancel(ctx)
	go func() {
		var top float64
		for pause(ended, 50*time.Millisecond) == nil {
			if mib, err := fresh.p.memory(); err == nil {
				top = max(top, mib)
			}
		}
		most <- top
	}()
	s, err := l.wrk(ctx, load{
		scheme: "http", addr: fresh.addr, method: "GET", path: "/api/version",
		keys: []string{fresh.ring.asked()}, connections: 256, span: l.span(2*time.Second, time.Second),
	})
	stop()
	top := <-most
	if err != nil {
		return err
	}
	l.book.count(t, s.Requests, s.lost(), "memory: "+s.why())
	l.book.put("memory-load", t, top)
	_ = os.Remove(filepath.Clean(fresh.logs)) // many of them would fill a small disk
	return nil
}

// memoryTLS is that of a fresh process with 5,000 callers over TLS.
func (l *lab) memoryTLS(ctx context.Context, t *target) error {
	fresh, _, err := l.open(ctx, t.name, fmt.Sprintf("memory-tls-%d", l.book.round))
	if fresh != nil {
		defer fresh.p.end()
	}
	if err != nil {
		return err
	}
	config := fresh.tls(nil)
	wires, err := l.crowd(ctx, t, fresh.secure, fresh, func(addr, from string) (*wire, error) { return dialTLS(addr, from, config) })
	if err == nil {
		err = pause(ctx, l.span(time.Second, 500*time.Millisecond))
	}
	if err == nil {
		var mib float64
		if mib, err = fresh.p.memory(); err == nil {
			l.book.put("memory-5000-tls", t, mib)
		}
	}
	for _, w := range wires {
		w.close()
	}
	return err
}

// crowd opens 5,000 connections from a hundred addresses, each of which asks once.
func (l *lab) crowd(ctx context.Context, t *target, addr string, fresh *target, dial func(addr, from string) (*wire, error)) ([]*wire, error) {
	const addresses, each, workers = 100, 50, 8
	request := get(addr, "/api/version", fresh.ring.asked())
	type place struct{ address int }
	jobs := make(chan place)
	var mu sync.Mutex
	var wires []*wire
	var refused error
	var g sync.WaitGroup
	for range workers {
		g.Go(func() {
			for j := range jobs {
				w, err := dial(addr, fmt.Sprintf("127.0.1.%d", j.address+1))
				if err == nil {
					var status int
					if status, _, err = w.do(request); err == nil {
						err = expectStatus(status, 200)
					}
				}
				l.book.result(t, "one of 5,000 connections", err)
				mu.Lock()
				if w != nil {
					wires = append(wires, w)
				}
				if err != nil && refused == nil {
					refused = err
				}
				mu.Unlock()
			}
		})
	}
	var err error
	for i := range addresses * each {
		if err = ctx.Err(); err != nil {
			break
		}
		jobs <- place{i % addresses}
	}
	close(jobs)
	g.Wait()
	if err == nil && refused != nil {
		err = fmt.Errorf("5,000 connections could not be kept: %w", refused)
	}
	return wires, err
}
