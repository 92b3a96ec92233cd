//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"
)

const (
	streamCount = 64
	tokenGap    = 20 * time.Millisecond
)

// heard is what one client heard of one stream. Times are in nanoseconds.
type heard struct {
	first   float64
	transit []float64
	jitter  []float64
	merged  int
	err     error
}

// streams opens 64 streams and measures each token.
func (l *lab) streams(ctx context.Context, t *target) error {
	return l.streamsOver(ctx, t, "", func() (*wire, error) { return dial(t.addr, "") })
}

// streamsOverTLS is the same, encrypted.
func (l *lab) streamsOverTLS(ctx context.Context, t *target) error {
	return l.streamsOver(ctx, t, "tls-", func() (*wire, error) { return dialTLS(t.secure, "", t.tls(nil)) })
}

// streamsOver connects all callers first, so that what is measured is the answers
// and no handshake, and spreads the streams over five gaps, so that they do not
// tick as one.
func (l *lab) streamsOver(ctx context.Context, t *target, prefix string, dial func() (*wire, error)) error {
	tokens := int(l.span(4*time.Second, 2*time.Second) / tokenGap)
	all := make([]heard, streamCount)
	var g sync.WaitGroup
	wires, errs := make([]*wire, streamCount), make([]error, streamCount)
	for i := range wires {
		g.Go(func() { wires[i], errs[i] = dial() })
	}
	g.Wait()
	defer func() {
		for _, w := range wires {
			if w != nil {
				w.close()
			}
		}
	}()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	before, err := l.cpu(t)
	if err != nil {
		return err
	}
	for i := range all {
		g.Go(func() {
			if err := pause(ctx, time.Duration(i)*tokenGap*5/streamCount); err != nil {
				all[i].err = err
				return
			}
			all[i] = listen(t, wires[i], tokens, fmt.Sprintf("%s-%d-%d", t.name, l.book.round, i))
		})
	}
	g.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	after, err := l.cpu(t)
	if err != nil {
		return err
	}
	var first, transit, jitter []float64
	merged := 0
	for _, h := range all {
		l.book.result(t, "a stream", h.err)
		first = append(first, h.first/1e3)
		for _, v := range h.transit {
			transit = append(transit, v/1e3)
		}
		for _, v := range h.jitter {
			jitter = append(jitter, v/1e3)
		}
		merged += h.merged
	}
	for name, v := range map[string][]float64{"first": first, "transit": transit, "jitter": jitter} {
		l.book.put(prefix+name+"-p50", t, quantile(v, 0.5))
		l.book.put(prefix+name+"-p99", t, quantile(v, 0.99))
	}
	l.book.put(prefix+"merged", t, 1000*float64(merged)/float64(streamCount*tokens))
	if t.p != nil {
		l.book.put(prefix+"token-cpu", t, (after-before).Seconds()*1e6/float64(streamCount*tokens))
	}
	return nil
}

// listen asks for a stream and stamps its tokens as they come.
func listen(t *target, w *wire, tokens int, id string) (h heard) {
	began := monotonic()
	resp, err := w.send(post(t.addr, "/api/chat", t.ring.asked(), chat(fmt.Sprintf("say %d %s %s", tokens, tokenGap, id), true)))
	if err != nil {
		return heard{err: err}
	}
	defer resp.Body.Close()
	if err := expectStatus(resp.StatusCode, 200); err != nil {
		return heard{err: err}
	}
	lines := bufio.NewReader(resp.Body)
	var last int64
	for n := 0; ; n++ {
		if err := w.c.SetDeadline(time.Now().Add(patience)); err != nil {
			h.err = err
			return h
		}
		line, err := lines.ReadSlice('\n')
		now := monotonic()
		if err != nil {
			h.err = fmt.Errorf("cut after %d of %d tokens: %w", n, tokens, err)
			return h
		}
		sent, isToken := stamp(line)
		if !isToken {
			if n != tokens {
				h.err = fmt.Errorf("ended after %d of %d tokens", n, tokens)
			} else if _, err := lines.ReadByte(); err == nil {
				h.err = errors.New("something came after the end")
			}
			return h
		}
		h.transit = append(h.transit, float64(now-sent))
		if last == 0 {
			h.first = float64(now - began)
		} else {
			h.jitter = append(h.jitter, math.Abs(float64(now-last-int64(tokenGap))))
			if now-last < int64(tokenGap)/20 { // a millisecond after the one before: it had to wait for it
				h.merged++
			}
		}
		last = now
	}
}

// stamp reads the time at which a token left the stand-in.
func stamp(line []byte) (at int64, ok bool) {
	_, rest, ok := bytes.Cut(line, []byte(`"content":"`))
	if !ok || !bytes.Contains(rest, []byte(`"done":false`)) {
		return 0, false
	}
	digits, _, _ := bytes.Cut(rest, []byte(" "))
	at, err := strconv.ParseInt(string(digits), 10, 64)
	return at, err == nil
}

// cancel leaves many times, in the middle of a stream and before the first byte,
// and asks the stand-in when it knew. A caller of whom it hears nothing within
// three seconds is missed.
func (l *lab) cancel(ctx context.Context, t *target) error {
	each := 100
	if l.o.quick {
		each = 25
	}
	missed := 0
	for _, kind := range []string{"stream", "silent"} {
		var took []float64
		for i := range each {
			if err := ctx.Err(); err != nil {
				return err
			}
			id := fmt.Sprintf("%s-%s-%d-%d", t.name, kind, l.book.round, i)
			left, gone, err := l.leave(t, kind, id)
			l.book.result(t, "a question that was left", err)
			if err != nil {
				continue
			}
			select {
			case at := <-gone:
				took = append(took, float64(at-left)/1e6)
			case <-time.After(3 * time.Second):
				missed++
			}
		}
		l.book.put("cancel-"+kind+"-p50", t, quantile(took, 0.5))
		l.book.put("cancel-"+kind+"-p99", t, quantile(took, 0.99))
		l.book.pool("cancel", t, took)
	}
	l.book.put("cancel-missed", t, float64(missed))
	return nil
}

// leave begins a request and leaves it at a known time.
func (l *lab) leave(t *target, kind, id string) (left int64, gone <-chan int64, err error) {
	gone = l.up.expect("gone", id)
	w, err := dial(t.addr, "")
	if err != nil {
		return 0, nil, err
	}
	defer w.close()
	if kind == "silent" {
		arrived := l.up.expect("arrived", id)
		if _, err := w.c.Write(post(t.addr, "/api/chat", t.ring.asked(), chat("silent "+id, true))); err != nil {
			return 0, nil, err
		}
		select {
		case <-arrived:
		case <-time.After(patience):
			return 0, nil, errors.New("never arrived")
		}
		return monotonic(), gone, nil
	}
	resp, err := w.send(post(t.addr, "/api/chat", t.ring.asked(), chat("say 100000 2ms "+id, true)))
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	if err := expectStatus(resp.StatusCode, 200); err != nil {
		return 0, nil, err
	}
	lines := bufio.NewReader(resp.Body)
	for range 3 {
		if _, err := lines.ReadSlice('\n'); err != nil {
			return 0, nil, err
		}
	}
	// The connection goes first and in one stroke: closing the body would read on.
	left = monotonic()
	w.close()
	return left, gone, nil
}
