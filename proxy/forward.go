package proxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"paddock/policy"
	"paddock/requestlog"
)

// NewTransport makes the connection pool to Ollama.
func NewTransport() *http.Transport {
	return &http.Transport{
		Proxy:               nil, // HTTP_PROXY must not lead prompts away
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		MaxIdleConnsPerHost: 1024, // the default of 2 halves the requests a second at 32 connections
		MaxIdleConns:        1024,
		IdleConnTimeout:     90 * time.Second,
		DisableCompression:  true, // Ollama never compresses, and bytes are passed on as they are
		// No ResponseHeaderTimeout: a model that loads for minutes is not an error.
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// passedOn are the request headers that Ollama gets; nothing else goes through.
// The list takes away credentials, cookies, origins, forwarding and hop-by-hop
// headers, method overrides and upgrades in one stroke.
var passedOn = []string{
	"Accept", "Accept-Language", "Content-Type", "User-Agent", "Openai-Beta",
	"Anthropic-Version", "Anthropic-Beta",
}

// passedBack are the headers of Ollama's answer that the client gets.
var passedBack = []string{"Content-Type", "Cache-Control", "Retry-After"}

// outbound builds Ollama's request. A body in memory can be sent again when a
// pooled connection turns out to be dead, which is what keeps the first request
// after a restart of Ollama from failing.
func (x *exchange) outbound(ctx context.Context, up *Upstream, e policy.Endpoint, body []byte) (*http.Request, error) {
	target := *up.URL
	target.Path = strings.TrimSuffix(target.Path, "/") + wirePath(x.r)
	target.RawQuery = "" // no endpoint of Ollama's takes one
	var content io.Reader
	if e.Body == policy.BodyStream {
		content = x.r.Body
	} else if len(body) > 0 {
		content = bytes.NewReader(body)
	}
	out, err := http.NewRequestWithContext(ctx, x.r.Method, target.String(), content)
	if err != nil {
		return nil, err
	}
	for _, name := range passedOn {
		if v := x.r.Header[name]; len(v) > 0 {
			out.Header[name] = v[:1]
		}
	}
	if out.Header["User-Agent"] == nil {
		out.Header["User-Agent"] = []string{""} // keep Go from naming itself
	}
	switch {
	case e.Body == policy.BodyStream:
		out.ContentLength = x.r.ContentLength
	case e.Class != policy.ClassManage:
		// An empty list marks the request as repeatable and is never sent.
		// net/http itself repeats only GET and the like (golang/go#19943).
		out.Header["X-Idempotency-Key"] = []string{}
	}
	return out, nil
}

// forward passes an allowed request on and the answer back.
func (x *exchange) forward(ctx context.Context, up *Upstream, e policy.Endpoint, body []byte) {
	if e.Body == policy.BodyStream {
		// Without this the answer to an upload could be cut: see readBody.
		_ = x.rc.EnableFullDuplex()
		defer x.r.Body.Close()
	}
	if up.URL == nil { // the owner's setting cannot be read: better nobody than a guess
		x.refuse(policy.UpstreamUnanswers)
		return
	}
	out, err := x.outbound(ctx, up, e, body)
	if err != nil {
		x.refuse(policy.InternalFault)
		return
	}
	answer, err := x.g.Transport.RoundTrip(out)
	if err != nil {
		x.unanswered(ctx, err)
		return
	}
	defer answer.Body.Close()

	x.entry.Upstream, x.entry.Status = answer.StatusCode, answer.StatusCode
	h := x.w.Header()
	for _, name := range passedBack {
		if v := answer.Header[name]; len(v) > 0 {
			h[name] = v[:1]
		}
	}
	if up.Demo {
		h["X-Paddock-Demo"] = []string{"built-in demo, not a real model"}
	}
	if answer.ContentLength >= 0 {
		h["Content-Length"] = answer.Header["Content-Length"]
	}
	meter := newMeter(h.Get("Content-Type"), e)
	x.w.WriteHeader(answer.StatusCode)
	if x.r.Method == http.MethodHead || answer.StatusCode == http.StatusNoContent {
		x.entry.Phase = requestlog.Done
		return
	}
	err = x.copyAnswer(ctx, answer, meter)
	x.close(ctx, e, meter, err)
}

// unanswered tells the client and the log why Ollama gave no answer.
func (x *exchange) unanswered(ctx context.Context, err error) {
	if by := cutter(ctx); by != requestlog.CutByNobody {
		x.entry.Phase, x.entry.CutBy = requestlog.Cut, by
		if by != requestlog.CutByClient {
			x.entry.Status = x.cutAnswer(by)
		}
		return
	}
	if x.g.OnUpstreamFault != nil {
		x.g.OnUpstreamFault()
	}
	reason := policy.UpstreamUnanswers
	if t, ok := errors.AsType[net.Error](err); ok && t.Timeout() {
		reason = policy.UpstreamTimeout
	}
	x.refuse(reason)
}

// errWrite wraps what went wrong on the client's side of a copy.
type errWrite struct{ error }

func (e errWrite) Unwrap() error { return e.error }

// copyAnswer passes the answer on, each chunk flushed as it arrives.
func (x *exchange) copyAnswer(ctx context.Context, answer *http.Response, meter *meter) error {
	defer func() { _ = x.rc.SetWriteDeadline(time.Time{}) }()
	if answer.ContentLength >= 0 && answer.ContentLength <= int64(chunkSize) {
		buf := chunks.Get().(*[]byte)
		defer chunks.Put(buf)
		n, err := io.ReadFull(answer.Body, (*buf)[:answer.ContentLength])
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		return x.pass((*buf)[:n], meter, false)
	}
	// Ollama is read by a goroutine of its own into a bounded queue, so that a
	// slow client does not hold Ollama's only slot (ollama 0.17.4 can hang for
	// everybody when a client stops reading and then leaves).
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	queue := make(chan *[]byte, queueLength)
	var end error
	var reader sync.WaitGroup
	reader.Go(func() {
		defer close(queue)
		for {
			buf := chunks.Get().(*[]byte)
			*buf = (*buf)[:chunkSize]
			n, err := answer.Body.Read(*buf)
			*buf = (*buf)[:n]
			if n > 0 {
				select {
				case queue <- buf:
				case <-ctx.Done():
					end = ctx.Err()
					return
				}
			}
			if err != nil {
				if !errors.Is(err, io.EOF) {
					end = err
				}
				return
			}
		}
	})
	var failed error
	for buf := range queue {
		if failed == nil {
			if err := x.pass(*buf, meter, len(queue) == 0); err != nil {
				failed = errWrite{err}
				stop()
				answer.Body.Close() // wakes the reader
			}
		}
		*buf = (*buf)[:cap(*buf)]
		chunks.Put(buf)
	}
	reader.Wait()
	if failed != nil {
		return failed
	}
	return end
}

const (
	chunkSize   = 16 << 10
	queueLength = 64 // so at most 1 MiB waits for a slow client
)

var chunks = sync.Pool{New: func() any { b := make([]byte, chunkSize); return &b }}

// pass writes one chunk, and only then looks at it: counting never delays a byte.
func (x *exchange) pass(b []byte, meter *meter, flush bool) error {
	if x.entry.FirstToken == 0 {
		x.entry.FirstToken = max(x.g.Now().Sub(x.entry.Time), 1)
		x.live.FirstByte(x.entry.FirstToken)
	}
	_ = x.rc.SetWriteDeadline(time.Now().Add(stallLimit))
	if _, err := x.w.Write(b); err != nil {
		return err
	}
	if flush {
		if err := x.rc.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
	}
	x.entry.BytesOut += int64(len(b))
	x.live.Progress(meter.feed(b), int64(len(b)))
	return nil
}

// close settles how the request ended. An answer that broke off makes the
// client's connection break off as well, so that nobody takes half for whole.
func (x *exchange) close(ctx context.Context, e policy.Endpoint, meter *meter, err error) {
	meter.end()
	x.entry.TokensIn, x.entry.TokensOut = meter.tokensIn, meter.tokensOut
	x.entry.Rate = meter.rate(x.g.Now().Sub(x.entry.Time) - x.entry.FirstToken)
	by := cutter(ctx)
	var write errWrite
	switch {
	case err == nil && (e.Class != policy.ClassUse || meter.complete() || x.entry.Upstream >= 400):
		x.entry.Phase = requestlog.Done
		if x.entry.Upstream >= 500 || meter.failed {
			x.entry.Phase = requestlog.Failed
		}
		return
	case by != requestlog.CutByNobody:
		x.entry.Phase, x.entry.CutBy = requestlog.Cut, by
	case errors.As(err, &write) && errors.Is(err, os.ErrDeadlineExceeded):
		x.entry.Phase, x.entry.CutBy = requestlog.Cut, requestlog.CutByStall
	case errors.As(err, &write):
		x.entry.Phase, x.entry.CutBy = requestlog.Cut, requestlog.CutByClient
	case err == nil:
		// Ollama ended the stream without its final object: it failed in the
		// middle, and what it said so far has been passed on faithfully.
		x.entry.Phase, x.entry.Reason = requestlog.Failed, policy.UpstreamUnanswers
		return
	default:
		x.entry.Phase, x.entry.Reason = requestlog.Failed, policy.UpstreamUnanswers
		if x.g.OnUpstreamFault != nil {
			x.g.OnUpstreamFault()
		}
	}
	panic(http.ErrAbortHandler)
}
