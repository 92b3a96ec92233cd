//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// answers fetches megabytes over four connections, with a length and in chunks.
func (l *lab) answers(ctx context.Context, t *target) error {
	if t.roomy != "" {
		if err := l.answersOf(ctx, t, t.roomy, "-roomy"); err != nil {
			return err
		}
	}
	return l.answersOf(ctx, t, t.addr, "")
}

func (l *lab) answersOf(ctx context.Context, t *target, addr, suffix string) error {
	for _, k := range []struct{ metric, kind string }{{"answer-mib", "length"}, {"answer-chunked-mib", "chunked"}} {
		request := post(addr, "/api/embed", t.ring.asked(), `{"model":"bench","input":"`+k.kind+`"}`)
		got := make([]int64, 4)
		errs := make([]error, len(got))
		var g sync.WaitGroup
		began := time.Now()
		end := began.Add(l.span(1200*time.Millisecond, 600*time.Millisecond))
		for i := range got {
			g.Go(func() { got[i], errs[i] = l.fetchMany(ctx, t, addr, request, end) })
		}
		g.Wait()
		took := time.Since(began)
		if err := errors.Join(errs...); err != nil {
			return err
		}
		var sum int64
		for _, n := range got {
			sum += n
		}
		l.book.put(k.metric+suffix, t, float64(sum)/megabyte/took.Seconds())
	}
	return nil
}

// fetchMany asks over one connection until the time is over, and says how much
// came. An answer that is lost counts, and the next goes over a new connection.
func (l *lab) fetchMany(ctx context.Context, t *target, addr string, request []byte, end time.Time) (sum int64, err error) {
	var w *wire
	defer func() {
		if w != nil {
			w.close()
		}
	}()
	for time.Now().Before(end) {
		if err := ctx.Err(); err != nil {
			return sum, err
		}
		if w == nil {
			if w, err = dial(addr, ""); err != nil {
				return sum, err
			}
		}
		status, n, err := w.do(request)
		if err == nil {
			err = expectStatus(status, http.StatusOK)
		}
		if err == nil && n != megabyte {
			err = fmt.Errorf("%d bytes of a megabyte", n)
		}
		l.book.result(t, "an answer of 1 MiB", err)
		if err != nil {
			w.close()
			w = nil
			continue
		}
		sum += n
	}
	return sum, nil
}

const uploadSize = 100 * megabyte

// uploads sends blobs of 100 MiB, one after the other, as a manager does.
func (l *lab) uploads(ctx context.Context, t *target) error {
	if t.roomy != "" {
		if err := l.uploadsTo(ctx, t, t.roomy, "-roomy"); err != nil {
			return err
		}
	}
	return l.uploadsTo(ctx, t, t.addr, "")
}

func (l *lab) uploadsTo(ctx context.Context, t *target, addr, suffix string) error {
	for _, k := range []struct {
		metric  string
		chunked bool
	}{{"upload-mib", false}, {"upload-chunked-mib", true}} {
		w, err := dial(addr, "")
		if err != nil {
			return err
		}
		var sum int64
		began := time.Now()
		span := l.span(1200*time.Millisecond, 500*time.Millisecond)
		for time.Since(began) < span {
			if err := ctx.Err(); err != nil {
				w.close()
				return err
			}
			err := w.upload(t, k.chunked)
			l.book.result(t, "an upload of 100 MiB", err)
			if err != nil {
				w.close()
				if w, err = dial(addr, ""); err != nil {
					return err
				}
				continue
			}
			sum += uploadSize
		}
		l.book.put(k.metric+suffix, t, float64(sum)/megabyte/time.Since(began).Seconds())
		w.close()
	}
	return nil
}

var blob = make([]byte, 256<<10)

// upload sends one blob and believes it only if the stand-in counted it whole.
func (w *wire) upload(t *target, chunked bool) error {
	if err := w.c.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	how := "Content-Length: " + strconv.Itoa(uploadSize)
	if chunked {
		how = "Transfer-Encoding: chunked"
	}
	head := fmt.Sprintf("POST /api/blobs/sha256:%064d HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/octet-stream\r\n%s\r\n\r\n", 0, t.addr, t.ring.manager, how)
	if _, err := io.WriteString(w.c, head); err != nil {
		return err
	}
	size := []byte(strconv.FormatInt(int64(len(blob)), 16) + "\r\n")
	for range uploadSize / len(blob) {
		var err error
		if chunked {
			_, err = (&net.Buffers{size, blob, []byte("\r\n")}).WriteTo(w.c)
		} else {
			_, err = w.c.Write(blob)
		}
		if err != nil {
			return err
		}
	}
	if chunked {
		if _, err := io.WriteString(w.c, "0\r\n\r\n"); err != nil {
			return err
		}
	}
	resp, err := http.ReadResponse(w.r, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if err := expectStatus(resp.StatusCode, http.StatusCreated); err != nil {
		return err
	}
	if string(said) != strconv.Itoa(uploadSize) {
		return fmt.Errorf("%s of %d bytes arrived", said, uploadSize)
	}
	return nil
}

// restarts asks at once after Ollama's connections died: when they were closed
// under a pool that is full, and when the whole program was killed and started
// again. Small questions and such that carry a history take turns.
func (l *lab) restarts(ctx context.Context, t *target) error {
	const callers = 4
	drops := 10
	if l.o.quick {
		drops = 4
	}
	lost := 0
	for i := range drops + 2 {
		bodies := []string{chat("one", false), longChat(200 << 10)}
		request := post(t.addr, "/api/chat", t.ring.asked(), bodies[i%2])
		var wires []*wire
		for range callers {
			w, err := dial(t.addr, "")
			if err != nil {
				return err
			}
			wires = append(wires, w)
		}
		ask := func() []error {
			errs := make([]error, callers)
			var g sync.WaitGroup
			for k, w := range wires {
				g.Go(func() {
					status, n, err := w.do(request)
					if err == nil {
						err = expectStatus(status, http.StatusOK)
					}
					if err == nil && n != int64(len(answer)) {
						err = fmt.Errorf("%d bytes of %d", n, len(answer))
					}
					errs[k] = err
				})
			}
			g.Wait()
			return errs
		}
		errs := ask() // fills the pool
		if i < drops {
			if err := l.up.drop(); err != nil {
				return err
			}
		} else if err := l.up.restart(ctx); err != nil {
			return err
		}
		for _, err := range ask() {
			if err != nil {
				lost++
			}
			errs = append(errs, err)
		}
		for _, err := range errs {
			l.book.result(t, "after a restart of Ollama", err)
		}
		for _, w := range wires {
			w.close()
		}
	}
	l.book.put("restart-lost", t, float64(lost))
	return nil
}
