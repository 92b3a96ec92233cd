//go:build linux

package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync"
	"time"
)

// tls is how a caller speaks with the target's encrypted entrance: TLS 1.3, and
// its certificate checked. Of the key exchanges X25519 alone, which all of them
// know: Go would take a post-quantum one with Paddock and Caddy and none with
// this nginx, and compare the two.
func (t *target) tls(sessions tls.ClientSessionCache) *tls.Config {
	return &tls.Config{
		RootCAs: t.roots, MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.X25519}, ClientSessionCache: sessions,
		ServerName: "127.0.0.1",
	}
}

// dialTLS connects as dial does, and shakes hands.
func dialTLS(addr, from string, config *tls.Config) (*wire, error) {
	w, err := dial(addr, from)
	if err != nil {
		return nil, err
	}
	c := tls.Client(w.c, config)
	err = c.SetDeadline(time.Now().Add(patience))
	if err == nil {
		err = c.HandshakeContext(context.Background()) // its time is the deadline
	}
	if err != nil {
		w.close()
		return nil, fmt.Errorf("shaking hands: %w", err)
	}
	return &wire{c, bufio.NewReaderSize(c, 64<<10)}, nil
}

// Bounds of handshakes.
const (
	greeters = 8
	meetings = 10_000 // of one greeter
)

// handshakes opens connections as fast as they come, with one request on each:
// with a full handshake, and with one that goes on from an earlier session.
func (l *lab) handshakes(ctx context.Context, t *target) error {
	for _, k := range []struct {
		metric  string
		resumed bool
	}{{"full", false}, {"resumed", true}} {
		before, err := l.cpu(t)
		if err != nil {
			return err
		}
		counts, errs := make([]int, greeters), make([]error, greeters)
		began := time.Now()
		end := began.Add(l.span(2*time.Second, time.Second))
		var g sync.WaitGroup
		for i := range greeters {
			g.Go(func() { counts[i], errs[i] = l.greet(ctx, t, k.resumed, end) })
		}
		g.Wait()
		took := time.Since(began)
		if err := errors.Join(errs...); err != nil {
			return err
		}
		after, err := l.cpu(t)
		if err != nil {
			return err
		}
		var all int
		for _, n := range counts {
			all += n
		}
		l.book.put(k.metric+"-rps", t, float64(all)/took.Seconds())
		l.book.put(k.metric+"-cpu", t, (after-before).Seconds()*1e6/float64(all))
	}
	return nil
}

// greet is one caller after the other until the time is over. What is no
// handshake of the kind that is measured ends the run.
func (l *lab) greet(ctx context.Context, t *target, resumed bool, end time.Time) (n int, err error) {
	var sessions tls.ClientSessionCache
	if resumed {
		sessions = tls.NewLRUClientSessionCache(1)
	}
	config, request := t.tls(sessions), get(t.secure, "/api/version", t.ring.asked())
	for ; n < meetings && time.Now().Before(end); n++ {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		w, err := dialTLS(t.secure, "", config)
		if err == nil {
			if did := w.c.(*tls.Conn).ConnectionState().DidResume; did != (resumed && n > 0) {
				w.close()
				return n, fmt.Errorf("handshake %d went on from an earlier session: %t", n+1, did)
			}
			var status int
			if status, _, err = w.do(request); err == nil {
				err = expectStatus(status, 200)
			}
			w.close()
		}
		l.book.result(t, "a handshake with a request", err)
	}
	return n, nil
}
