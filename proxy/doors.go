package proxy

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"
)

// handshakeRecord is the first byte of every TLS connection (RFC 8446 section
// 5.1: the content type of a handshake). No HTTP request begins with it.
const handshakeRecord = 0x16

// doorBuffer is how much is read to tell one from the other. The head of most
// requests fits into it, and every ClientHello but those with post-quantum keys.
const doorBuffer = 2 << 10

// Doors returns a listener that takes TLS and plain HTTP on one port, told apart
// by the first byte of a connection. What the gate then says to a plain request
// is the gate's affair. The connections are those of Strict: heads of HTTP/1 are
// watched behind TLS too. Without a config all connections are plain.
//
// Handshakes run beside each other and have the time of a request's head, so
// that a connection on which nobody speaks holds up nobody. Accept returns those
// that are through; Close ends those that are not. onFault is told of clients
// that broke a handshake off, and must not wait; nil tells nobody.
func Doors(l net.Listener, config *tls.Config, onFault func(client net.Addr, err error)) net.Listener {
	if config == nil {
		return Strict(l)
	}
	ctx, stop := context.WithCancel(context.Background())
	d := &doors{Listener: l, config: config, onFault: onFault, patience: headerTimeout, came: make(chan arrival), stop: stop}
	d.work.Go(func() { d.run(ctx) })
	return d
}

type doors struct {
	net.Listener
	config   *tls.Config
	onFault  func(net.Addr, error)
	patience time.Duration // for the first bytes and the handshake together

	came chan arrival // closed when nothing more comes
	stop context.CancelFunc
	work sync.WaitGroup
}

// arrival is what Accept returns.
type arrival struct {
	conn net.Conn
	err  error
}

// Accept implements net.Listener.
func (d *doors) Accept() (net.Conn, error) {
	a, ok := <-d.came
	if !ok {
		return nil, net.ErrClosed
	}
	return a.conn, a.err
}

// Close implements net.Listener. Connections that Accept returned go on.
func (d *doors) Close() error {
	err := d.Listener.Close()
	d.stop()
	d.work.Wait()
	return err
}

func (d *doors) run(ctx context.Context) {
	var inside sync.WaitGroup
	defer func() {
		inside.Wait()
		close(d.came)
	}()
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			select {
			case d.came <- arrival{err: err}: // net/http waits a little after one that passes
			case <-ctx.Done():
				return
			}
			if passes, ok := errors.AsType[net.Error](err); !ok || !passes.Temporary() { //nolint:staticcheck // what net/http asks as well
				return
			}
			continue
		}
		inside.Go(func() {
			ready := d.meet(ctx, c)
			if ready == nil {
				_ = c.Close()
				return
			}
			select {
			case d.came <- arrival{conn: ready}:
			case <-ctx.Done():
				_ = c.Close()
			}
		})
	}
}

// meet reads the first bytes of a connection and returns it as the server is to
// have it, or nil when the client does not come in.
func (d *doors) meet(ctx context.Context, c net.Conn) net.Conn {
	broken := context.AfterFunc(ctx, func() { _ = c.SetDeadline(past) })
	defer broken()
	_ = c.SetDeadline(time.Now().Add(d.patience))
	var b [doorBuffer]byte
	n, err := c.Read(b[:])
	if n == 0 || err != nil {
		return nil
	}
	first := bytes.Clone(b[:n])
	if first[0] != handshakeRecord {
		_ = c.SetDeadline(time.Time{})
		return &strictConn{Conn: c, ahead: first}
	}
	t := tls.Server(&begun{Conn: c, first: first}, d.config)
	if err := t.HandshakeContext(ctx); err != nil {
		if d.onFault != nil && ctx.Err() == nil {
			d.onFault(c.RemoteAddr(), err)
		}
		return nil
	}
	_ = c.SetDeadline(time.Time{})
	if t.ConnectionState().NegotiatedProtocol == "h2" {
		return t // net/http knows it by its type; its framing leaves nothing to doubt
	}
	return &secureConn{strictConn: strictConn{Conn: t}, tls: t}
}

// past is a deadline that is over.
var past = time.Unix(1, 0)

// begun is a connection whose first bytes were read already.
type begun struct {
	net.Conn
	first []byte
}

// Read implements net.Conn.
func (c *begun) Read(b []byte) (int, error) {
	if len(c.first) == 0 {
		return c.Conn.Read(b)
	}
	n := copy(b, c.first)
	if c.first = c.first[n:]; len(c.first) == 0 {
		c.first = nil // a connection that idles for hours keeps no buffer
	}
	return n, nil
}

// CloseWrite ends the sending half.
func (c *begun) CloseWrite() error { return closeWrite(c.Conn) }

// secureConn is a strictConn behind TLS, which net/http asks for the state that
// it puts into each request.
type secureConn struct {
	strictConn
	tls *tls.Conn
}

// ConnectionState makes http.Request.TLS, as a *tls.Conn would.
func (c *secureConn) ConnectionState() tls.ConnectionState { return c.tls.ConnectionState() }

func closeWrite(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// watched is a connection that Doors or Strict made, with HTTP/1 on it.
type watched interface{ watch() *strictConn }

func (c *strictConn) watch() *strictConn { return c }
