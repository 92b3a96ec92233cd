package proxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"paddock/policy"
	"paddock/proxy/loopback"
	"paddock/requestlog"
)

// NewTransport makes the connections to Ollama: a client of our own for plain
// HTTP, which costs a third less than net/http's, and net/http's for the rest.
func NewTransport() *loopback.Client { return loopback.New(newOther()) }

// newOther makes net/http's.
func newOther() *http.Transport {
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
func (x *exchange) outbound(ctx context.Context, up *Upstream, e policy.Endpoint, body []byte) *http.Request {
	target := *up.URL
	target.Path = strings.TrimSuffix(target.Path, "/") + x.path
	target.RawPath, target.RawQuery = "", "" // no endpoint of Ollama's takes a query
	out := (&http.Request{
		Method: x.r.Method, URL: &target, Host: target.Host, Header: make(http.Header, len(passedOn)+2),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	switch {
	case x.upload != nil:
		out.Body, out.ContentLength = x.upload, x.r.ContentLength
	case len(body) > 0:
		out.ContentLength = int64(len(body))
		out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		out.Body, _ = out.GetBody()
	}
	named := connectionNames(x.r.Header)
	for _, name := range passedOn {
		if v := x.r.Header[name]; len(v) > 0 && !named(name) {
			out.Header[name] = v[:1]
		}
	}
	if out.Header["User-Agent"] == nil {
		out.Header["User-Agent"] = []string{""} // keep Go from naming itself
	}
	if x.upload == nil && e.Class != policy.ClassManage {
		// An empty list marks the request as repeatable and is never sent.
		// net/http itself repeats only GET and the like (golang/go#19943).
		out.Header["X-Idempotency-Key"] = []string{}
	}
	return out
}

// connectionNames says which headers the client's Connection header names. They
// are meant for the gate alone, whatever they are called.
func connectionNames(h http.Header) func(name string) bool {
	lines := h["Connection"]
	if len(lines) == 0 {
		return func(string) bool { return false }
	}
	return func(name string) bool {
		for _, line := range lines {
			for option := range strings.SplitSeq(line, ",") {
				if strings.EqualFold(strings.TrimSpace(option), name) {
					return true
				}
			}
		}
		return false
	}
}

// forward passes an allowed request on and the answer back.
func (x *exchange) forward(ctx context.Context, up *Upstream, e policy.Endpoint, body []byte) {
	if up.URL == nil { // the owner's setting cannot be read: better nobody than a guess
		x.refuse(policy.UpstreamUnanswers)
		return
	}
	if e.Body == policy.BodyStream && x.r.Body != http.NoBody {
		// Without this the answer to an upload could be cut: see readBody.
		_ = x.rc.EnableFullDuplex()
		x.upload = &upload{body: x.r.Body, rc: x.rc, pause: x.g.limits.bodyPause}
		defer x.endUpload()
		// The transport does not return from a cancelled request before it has
		// read what it is reading of the body, which may be nothing for long.
		defer context.AfterFunc(ctx, func() { x.upload.stop(0) })()
	}
	x.sent = true
	answer, end, err := x.ask(ctx, up, e, body)
	left := false
	defer func() { end(left) }() // behind the closing of the body
	if err != nil {
		x.unanswered(ctx, err)
		return
	}
	defer answer.Body.Close()
	if answer.StatusCode < 200 || answer.StatusCode > 599 {
		// An upgrade that nobody asked for, or no status at all: not Ollama.
		x.upstreamFault(policy.UpstreamUnanswers)
		return
	}

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
	list := listMember(e)
	if x.grant.Models.All() {
		list = ""
	}
	if list != "" && x.r.Method == http.MethodGet && answer.StatusCode == http.StatusOK {
		if err := x.passList(ctx, answer, list, x.grant.Models); err != nil || x.entry.Reason == policy.Allowed {
			x.close(ctx, e, &meter{silent: true, done: true}, err)
		}
		return
	}
	if answer.ContentLength >= 0 && list == "" { // the length of a whole list tells what is in it
		h["Content-Length"] = answer.Header["Content-Length"]
	}
	meter := newMeter(h.Get("Content-Type"), e)
	x.w.WriteHeader(answer.StatusCode)
	if x.r.Method == http.MethodHead || answer.StatusCode == http.StatusNoContent || answer.StatusCode == http.StatusNotModified {
		_, _ = x.writeDeadline() // a request that was cut has nothing more to write
		x.entry.Phase = requestlog.Done
		if answer.StatusCode >= 500 {
			x.entry.Phase = requestlog.Failed
		}
		return
	}
	left = true // whatever ends the copy
	err = x.copyAnswer(ctx, answer, meter)
	left = err != nil && !meter.done
	x.close(ctx, e, meter, err)
}

// send sends a request to Ollama. One that goes out on a pooled connection which
// then turns out to be dead is sent again, at most twice.
//
// Our own client does that by itself. net/http's does it only while it has written
// nothing, or all; when a connection dies in the middle of a body of some hundred
// KB, which is an ordinary prompt with its history, it gives up.
func (x *exchange) send(ctx context.Context, up *Upstream, e policy.Endpoint, body []byte) (*http.Response, error) {
	if _, own := x.g.Transport.(*loopback.Client); own && up.URL.Scheme == "http" {
		return x.g.Transport.RoundTrip(x.outbound(ctx, up, e, body))
	}
	var pooled bool
	// WasIdle as well: the transport also pools connections that it dialled for a
	// request which then took another. They are not Reused, net/http never sends
	// again on them, and they die with Ollama like the rest.
	trace := &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { pooled = c.Reused || c.WasIdle }}
	traced := httptrace.WithClientTrace(ctx, trace)
	for left := 2; ; left-- {
		answer, err := x.g.Transport.RoundTrip(x.outbound(traced, up, e, body))
		if err == nil || !pooled || left == 0 || ctx.Err() != nil || x.upload != nil || e.Class == policy.ClassManage {
			return answer, err
		}
		if t, ok := x.g.Transport.(interface{ CloseIdleConnections() }); ok {
			t.CloseIdleConnections() // they are as old as the one that died
		}
	}
}

// endUpload leaves nobody reading the client's body. It must be closed here and
// not by net/http, which panics when it closes one in full duplex that ends just
// then (golang/go#68560).
func (x *exchange) endUpload() {
	x.entry.BytesIn, _ = x.upload.stop(x.g.limits.hurry)
	_ = x.r.Body.Close()
}

// unanswered tells the client and the log why Ollama gave no answer.
func (x *exchange) unanswered(ctx context.Context, err error) {
	by := cutter(ctx)
	if by != requestlog.CutByNobody && by != requestlog.CutByClient {
		x.entry.Phase, x.entry.CutBy = requestlog.Cut, by
		x.cutAnswer(by)
		return
	}
	if x.upload.tooSlow() { // net/http takes the deadline for a client that left
		x.refuse(policy.BodyTooSlow)
		return
	}
	if by == requestlog.CutByClient {
		x.clientLeft()
	}
	reason := policy.UpstreamUnanswers
	if t, ok := errors.AsType[net.Error](err); ok && t.Timeout() {
		reason = policy.UpstreamTimeout
	}
	x.upstreamFault(reason)
}

func (x *exchange) upstreamFault(r policy.Reason) {
	x.upstreamSilent()
	x.refuse(r)
}

// upstreamSilent tells that Ollama did not answer.
func (x *exchange) upstreamSilent() {
	if x.g.OnUpstreamFault != nil {
		x.g.OnUpstreamFault()
	}
}

// clientLeft ends a request whose client is gone and has got nothing. Returning
// would have net/http make an empty 200 of it, which a client that has only
// closed its sending half would take for the answer.
func (x *exchange) clientLeft() {
	x.entry.Phase, x.entry.CutBy, x.entry.Status = requestlog.Cut, requestlog.CutByClient, 0
	x.entry.Reason = policy.Allowed
	panic(http.ErrAbortHandler)
}

// What went wrong on the client's side of a copy.
type (
	clientError struct{ error }
	stallError  struct{ error }
)

func (e clientError) Unwrap() error { return e.error }
func (e stallError) Unwrap() error  { return e.error }

// copyAnswer passes the answer on, each chunk flushed as it arrives.
func (x *exchange) copyAnswer(ctx context.Context, answer *http.Response, meter *meter) error {
	if answer.ContentLength >= 0 && answer.ContentLength <= chunkSize {
		buf := newChunk()
		defer free(buf)
		n, err := io.ReadFull(answer.Body, (*buf)[:answer.ContentLength])
		if err != nil {
			return err
		}
		return x.pass((*buf)[:n], meter, false)
	}
	stream := meter.kind != kindPlain
	pool := &plainPieces
	if stream {
		pool = &chunks
	}
	buf := pool.Get().(*[]byte)
	defer pool.Put(buf)
	// What is written in one go needs no watch: most answers are short.
	n, err := answer.Body.Read(*buf)
	if err != nil {
		var passed error
		if n > 0 {
			passed = x.pass((*buf)[:n], meter, false)
		}
		if passed != nil || errors.Is(err, io.EOF) {
			return passed
		}
		return err
	}
	// A write that waits for a slow client is woken when the request is cut, so
	// that a withdrawn key ends now and not at the stall limit.
	woken := make(chan struct{})
	unhook := context.AfterFunc(ctx, func() {
		defer close(woken)
		x.endWrites(false)
	})
	defer func() {
		if !unhook() {
			<-woken
		}
	}()
	// When a write lags, Ollama is read by a goroutine of its own into a bounded
	// spool, so that a slow client does not hold Ollama's only slot (Ollama 0.17.4
	// can hang for everybody when a client stops reading and then leaves).
	reading, stop := context.WithCancel(ctx)
	defer stop()
	s := newSpool(plainChunks, 0)
	if stream {
		s = newSpool(streamChunks, x.g.limits.overrun)
	}
	read := make(chan struct{})
	lag := time.AfterFunc(time.Hour, func() { // the time is set for each write
		defer close(read)
		err := x.readAnswer(reading, answer.Body, s)
		if errors.Is(err, errOverrun) {
			answer.Body.Close() // Ollama goes first, then the client
			x.overrun()
		}
		s.end(err)
	})
	lag.Stop()
	for {
		if n > 0 {
			lag.Reset(lagLimit)
			// A piece that does not fill the buffer is all there is for now.
			failed := x.pass((*buf)[:n], meter, stream || n < len(*buf))
			if !lag.Stop() {
				return x.copySpool(ctx, stop, answer.Body, s, read, meter, failed)
			}
			if failed != nil {
				return failed
			}
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		n, err = answer.Body.Read(*buf)
	}
}

// copySpool passes on what the goroutine beside reads, to the end of the answer.
// failed is how the write went during which that goroutine began.
func (x *exchange) copySpool(ctx context.Context, stop context.CancelFunc, body io.Closer, s *spool, read <-chan struct{}, meter *meter, failed error) error {
	for failed == nil {
		var b *[]byte
		var last bool
		if b, last, failed = s.take(ctx); b == nil {
			break
		}
		failed = x.pass(*b, meter, last)
		free(b)
	}
	if failed != nil {
		stop()
		_ = body.Close() // wakes the reader
	}
	<-read
	s.drop()
	return failed
}

// overrun ends the writes to a client that is too far behind.
func (x *exchange) overrun() { x.endWrites(true) }

// endWrites wakes a write that waits, and lets none follow.
func (x *exchange) endWrites(behind bool) {
	x.deadline.Lock()
	defer x.deadline.Unlock()
	if !x.cut {
		x.cut, x.late = true, behind
	}
	_ = x.rc.SetWriteDeadline(time.Unix(1, 0))
}

// behind says whether the writes were ended because the client was too slow.
func (x *exchange) behind() bool {
	x.deadline.Lock()
	defer x.deadline.Unlock()
	return x.late
}

// readAnswer reads Ollama into the spool until the end. It runs in a goroutine
// of its own, where a panic would end the whole program.
func (x *exchange) readAnswer(ctx context.Context, body io.Reader, s *spool) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if x.g.OnPanic != nil {
				x.g.OnPanic(debug.Stack())
			}
			err = errReader
		}
	}()
	buf := newChunk()
	defer func() { free(buf) }()
	for {
		n, err := body.Read(*buf)
		if n > 0 {
			var put error
			if buf, put = s.put(ctx, buf, n); put != nil {
				return put
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

var errReader = errors.New("a fault while Ollama's answer was read")

// pass writes one chunk, and only then looks at it: counting never delays a byte.
func (x *exchange) pass(b []byte, meter *meter, flush bool) error {
	if x.entry.FirstToken == 0 && len(b) > 0 {
		x.entry.FirstToken = max(x.g.Now().Sub(x.entry.Time), 1)
		x.live.FirstByte(x.entry.FirstToken)
	}
	began, err := x.writeDeadline()
	if err == nil {
		_, err = x.w.Write(b)
	}
	if err == nil && flush {
		if err = x.rc.Flush(); errors.Is(err, http.ErrNotSupported) {
			err = nil
		}
		if x.r.ProtoMajor >= 2 {
			// In HTTP/2 a deadline that passes resets the stream, even when
			// nothing waits to be written but the model only thinks.
			_ = x.rc.SetWriteDeadline(time.Time{})
			x.until = time.Time{}
		}
	}
	switch {
	case err == nil:
	case x.behind():
		return stallError{errOverrun}
	case errors.Is(err, os.ErrDeadlineExceeded) && time.Since(began) >= x.g.limits.stall:
		return stallError{err}
	default:
		return clientError{err}
	}
	x.entry.BytesOut += int64(len(b))
	x.live.Progress(meter.feed(b), int64(len(b)))
	return nil
}

// writeDeadline gives the writes that follow until the stall limit, and half as
// long again at most: setting a deadline for each token costs more than looking
// at the clock. It stays in force for what net/http writes after the handler;
// ServeHTTP takes it away when the connection's next request comes.
func (x *exchange) writeDeadline() (began time.Time, err error) {
	x.deadline.Lock()
	defer x.deadline.Unlock()
	if x.cut {
		return began, fmt.Errorf("writing an answer: %w", context.Canceled)
	}
	began = time.Now()
	if stall := x.g.limits.stall; x.until.Sub(began) < stall {
		x.until = began.Add(stall + stall/2)
		_ = x.rc.SetWriteDeadline(x.until) // unsupported only by recorders in tests
	}
	return began, nil
}

// close settles how the request ended. An answer that broke off makes the
// client's connection break off as well, so that nobody takes half for whole.
func (x *exchange) close(ctx context.Context, e policy.Endpoint, meter *meter, err error) {
	meter.end()
	x.entry.TokensIn, x.entry.TokensOut = meter.tokensIn, meter.tokensOut
	x.entry.Rate = meter.rate(x.g.Now().Sub(x.entry.Time) - x.entry.FirstToken)
	if err == nil && (e.Class != policy.ClassUse || meter.complete() || x.entry.Upstream >= 400) {
		x.ended(meter)
		return
	}
	by := cutter(ctx)
	var write clientError
	var stall stallError
	switch {
	case by == requestlog.CutByClient && meter.kind != kindPlain && e.Class == policy.ClassUse && meter.done:
		// Many clients leave at the last object and do not wait for the end of
		// the stream behind it.
		x.ended(meter)
		return
	case by != requestlog.CutByNobody && by != requestlog.CutByClient:
		x.entry.Phase, x.entry.CutBy = requestlog.Cut, by
	case errors.As(err, &stall), errors.Is(err, errOverrun):
		// Before the client: net/http takes every failed write for one that left.
		x.entry.Phase, x.entry.CutBy = requestlog.Cut, requestlog.CutByStall
	case by == requestlog.CutByClient, errors.As(err, &write):
		x.entry.Phase, x.entry.CutBy = requestlog.Cut, requestlog.CutByClient
	case err == nil:
		// Ollama ended the stream without its final object: it failed in the
		// middle, and what it said so far has been passed on faithfully.
		x.entry.Phase, x.entry.Reason = requestlog.Failed, policy.UpstreamUnanswers
		return
	case errors.Is(err, errReader):
		x.entry.Phase, x.entry.Reason = requestlog.Failed, policy.InternalFault
	default:
		x.entry.Phase, x.entry.Reason = requestlog.Failed, policy.UpstreamUnanswers
		x.upstreamSilent()
	}
	if x.entry.BytesOut == 0 {
		x.entry.Status = 0 // not even the header has left
	}
	panic(http.ErrAbortHandler)
}

// ended notes that the answer is whole. What Ollama answered with a fault of
// its own, or said in the middle of a stream, is a failure all the same.
func (x *exchange) ended(meter *meter) {
	x.entry.Phase = requestlog.Done
	if x.entry.Upstream >= 500 || meter.failed {
		x.entry.Phase = requestlog.Failed
	}
}
