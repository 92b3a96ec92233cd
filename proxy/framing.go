package proxy

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
)

// Strict returns a listener whose connections watch for heads of requests that
// are written in a way on which two readers could disagree: a line that ends in
// a bare LF, a folded line, Content-Length beside Transfer-Encoding. net/http
// accepts these and makes one thing of them; the gate refuses them. Nothing is
// decided by this but a refusal: what a request says is what net/http reads.
func Strict(l net.Listener) net.Listener { return strictListener{l} }

type strictListener struct{ net.Listener }

// Accept implements net.Listener.
func (l strictListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &strictConn{Conn: c}, nil
}

// strictConn looks at what is read while the head of a request is expected. It
// is used as net/http uses a connection: one Read at a time, and its state
// changes between two of them.
type strictConn struct {
	net.Conn
	head  headWatch
	armed atomic.Bool // a head is expected
	bad   atomic.Bool // the last head was ambiguous
	quiet atomic.Bool // a request runs whose body has been read
	ahead []byte      // what came meanwhile
}

// Read implements net.Conn.
func (c *strictConn) Read(b []byte) (int, error) {
	if c.quiet.Load() && len(b) == 1 {
		return c.listen(b, 0)
	}
	if len(c.ahead) > 0 {
		n := copy(b, c.ahead)
		if c.ahead = c.ahead[n:]; len(c.ahead) == 0 {
			c.ahead = nil // a connection that idles for hours keeps no buffer
		}
		c.look(b[:n])
		return n, nil
	}
	n, err := c.Conn.Read(b)
	if n == 1 && len(b) == 1 && err == nil && c.quiet.Load() {
		return c.listen(b, 1)
	}
	c.look(b[:n])
	return n, err
}

func (c *strictConn) look(b []byte) {
	if len(b) == 0 || !c.armed.Load() {
		return
	}
	over, bad := c.head.feed(b)
	if bad {
		c.bad.Store(true)
	}
	if over {
		c.armed.Store(false)
	}
}

// maxAhead bounds what a client may send ahead while its request runs.
const maxAhead = 4 << 10

// listen goes on reading while a request runs. net/http reads one byte, to hear of
// a client that leaves, and hears nothing more once it got one: a byte too many
// behind a body would hide that its client has gone. What comes is kept for the next
// request. n is how much of b was read already.
func (c *strictConn) listen(b []byte, n int) (int, error) {
	c.ahead = append(c.ahead, b[:n]...)
	var more [512]byte
	for len(c.ahead) < maxAhead {
		n, err := c.Conn.Read(more[:min(len(more), maxAhead-len(c.ahead))])
		c.ahead = append(c.ahead, more[:n]...)
		if err != nil {
			return 0, err // the client left, or net/http ends the watch
		}
	}
	b[0], c.ahead = c.ahead[0], c.ahead[1:]
	return 1, nil
}

// listens tells the connection that nothing more belongs to a request that runs
// now, and when it does so no longer. That must be before the end of the answer is
// sent: a client then sends its next request, and nobody may still be listening for
// a client that leaves.
func (x *exchange) listens(on bool) {
	if c, ok := x.r.Context().Value(strictKey{}).(*strictConn); ok {
		c.quiet.Store(on)
	}
}

// CloseWrite ends the sending half, which net/http does so that a refusal
// arrives and not a reset.
func (c *strictConn) CloseWrite() error { return closeWrite(c.Conn) }

// NetConn returns the connection below, as crypto/tls does.
func (c *strictConn) NetConn() net.Conn { return c.Conn }

// state arms the watch for the next head and disarms it when a request has been
// read. What a client sent ahead lies in net/http's buffer and was read while
// nobody watched: such a head is judged by net/http alone.
func (c *strictConn) state(s http.ConnState) {
	c.quiet.Store(false)
	switch s {
	case http.StateNew, http.StateIdle:
		c.head = newHeadWatch()
		c.bad.Store(false)
		c.armed.Store(true)
	case http.StateActive, http.StateHijacked, http.StateClosed:
		c.armed.Store(false)
	}
}

type strictKey struct{}

func withStrict(ctx context.Context, c net.Conn) context.Context {
	if w, ok := c.(watched); ok {
		return context.WithValue(ctx, strictKey{}, w.watch())
	}
	return ctx
}

func onState(c net.Conn, s http.ConnState) {
	if w, ok := c.(watched); ok {
		w.watch().state(s)
	}
}

// ambiguous says whether the head of a request was written ambiguously.
func ambiguous(r *http.Request) bool {
	c, ok := r.Context().Value(strictKey{}).(*strictConn)
	return ok && c.bad.Load()
}

// headWatch reads the head of one request as it passes by, cut anywhere. Of a
// head whose beginning was sent ahead it sees the rest, and must not take that
// for ambiguous: the line in which it begins counts as the first one, and the
// first empty line is the end, although servers skip one before a request.
type headWatch struct {
	last   byte // the byte before this one
	lines  int  // that have ended
	column int  // of the line, without its end
	long   bool // the name is longer than any that matters
	named  bool // the line's name has ended
	name   [20]byte
	n      int
	length bool // Content-Length was there
	coding bool // Transfer-Encoding was there
}

// newHeadWatch begins as if a CR had been seen, which is where a head that was
// sent ahead may have been cut.
func newHeadWatch() headWatch { return headWatch{last: '\r'} }

// feed takes the next bytes and says whether the head is over, and whether it
// has turned out ambiguous.
func (w *headWatch) feed(b []byte) (over, bad bool) {
	for _, c := range b {
		switch {
		case c == '\n':
			if w.last != '\r' {
				bad = true
			}
			if w.column == 0 {
				return true, bad
			}
			w.lines++
			w.column, w.n, w.long, w.named = 0, 0, false, false
		case c == '\r':
		default:
			if w.column == 0 && w.lines > 0 && (c == ' ' || c == '\t') {
				bad = true
			}
			w.column++
			w.header(c)
			if w.length && w.coding {
				bad = true
			}
		}
		w.last = c
	}
	return false, bad
}

func (w *headWatch) header(c byte) {
	switch {
	case w.named || w.long || w.lines == 0:
	case c == ':':
		w.named = true
		switch string(w.name[:w.n]) {
		case "content-length":
			w.length = true
		case "transfer-encoding":
			w.coding = true
		}
	case w.n == len(w.name):
		w.long = true
	default:
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		w.name[w.n] = c
		w.n++
	}
}
