package loopback

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// conn is one connection. It belongs to one request at a time, or to the pool.
type conn struct {
	nc      net.Conn
	r       *bufio.Reader
	probe   *probe
	pool    *pool
	address string
	abort   func()    // closes nc; kept, so that each request need not make it
	since   time.Time // when it came into the pool
}

func newConn(nc net.Conn, address string, p *pool) *conn {
	return &conn{
		nc: nc, r: bufio.NewReader(nc), probe: newProbe(nc), pool: p, address: address,
		abort: func() { nc.Close() },
	}
}

// live says whether the connection may be used again, as far as one can see.
func (c *conn) live() bool { return c.probe.live() }

// Buffers for heads, and for small bodies behind them.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 2<<10); return &b }}

func newBuffer() *[]byte { return buffers.Get().(*[]byte) }

func freeBuffer(b *[]byte) {
	*b = (*b)[:0]
	buffers.Put(b)
}

// failure is why there is no answer. The connection is closed.
type failure struct {
	err   error
	again bool // the same request may go out once more
}

// exchange sends a request and reads the answer up to its body.
func (c *conn) exchange(o *outgoing) (*http.Response, *failure) {
	ctx := o.Context()
	// The connection is closed from outside when the context ends, which wakes
	// whatever waits. It goes back to the pool only if unhook says that this has
	// not begun and never will.
	unhook := func() bool { return true }
	if ctx.Done() != nil {
		unhook = context.AfterFunc(ctx, c.abort)
	}
	fail := func(again bool, doing string, err error) (*http.Response, *failure) {
		unhook()
		c.nc.Close()
		return nil, &failure{wrap(ctx, doing, err), again && o.rewindable()}
	}

	sent, n, broken := c.send(o)
	if broken != nil && n == 0 {
		return fail(true, "asking Ollama", broken)
	}
	// Even after a broken write: the server may have answered and closed.
	h, began, err := c.readFinalHead()
	if err != nil {
		again := !began && o.repeatable()
		if fault := sent.fault(); fault != nil {
			return fail(false, "reading a request's body", fault)
		}
		if broken != nil {
			return fail(again, "asking Ollama", broken)
		}
		return fail(again, "waiting for Ollama's answer", err)
	}
	sent.answered()

	a := &answer{
		Response: http.Response{
			Status: h.status, StatusCode: h.code, Proto: h.proto, ProtoMajor: 1, ProtoMinor: h.minor,
			Header: h.header, ContentLength: h.length, Close: !h.keepAlive, Request: o.Request,
		},
		conn: c, sent: sent, unhook: unhook, keep: h.keepAlive && !o.Close && broken == nil,
	}
	a.open(h)
	return &a.Response, nil
}

// send sends the request; n is zero when nothing of it has left. What may have
// to wait for the server is left to a sender, which it starts and returns.
func (c *conn) send(o *outgoing) (s *sender, n int, err error) {
	if o.inMemory() {
		o.handed = true
		s = newSender(c.nc, o)
		go s.run(*o.text)
		return s, len(*o.text), nil
	}
	// Of a body that is streamed the head goes first: it may be long in coming.
	if n, err = c.nc.Write(*o.text); err != nil || o.length == 0 {
		return nil, n, err
	}
	o.handed = true
	s = newSender(c.nc, o)
	go s.run(nil)
	return s, n, nil
}

// readFinalHead reads heads until one is not interim, and says whether anything
// came at all.
func (c *conn) readFinalHead() (h head, began bool, err error) {
	b := newBuffer()
	defer func() { freeBuffer(b) }()
	for range maxInterim + 1 {
		*b, err = readHead(c.r, (*b)[:0])
		began = began || len(*b) > 0
		if err == io.EOF { //nolint:errorlint // readHead's own: the end where an answer should begin
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return h, began, err
		}
		h, err = parseHead(string(*b))
		switch {
		case err != nil:
			return h, began, err
		case h.code == http.StatusSwitchingProtocols:
			return h, began, errSwitch
		case h.code >= 200:
			return h, began, nil
		}
	}
	return h, began, errInterim
}
