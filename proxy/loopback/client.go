// Package loopback is an HTTP/1.1 client for the one server that stands behind
// the gate.
//
// http.Transport serves any server in any way, and pays for it with two
// goroutines a connection and a hand-off between them for each request and each
// answer. Here the caller's own goroutine writes the request and reads the
// answer; only a body that may not fit into the socket at once is written by a
// second one. What is not plain HTTP/1.1 is left to the transport.
package loopback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Times and sizes of the connections.
const (
	dialTimeout = 5 * time.Second
	keepAlive   = 15 * time.Second
	idleTimeout = 90 * time.Second // Ollama itself closes none, a server between may
	maxIdle     = 1024
)

// Client is an http.RoundTripper. It is safe for concurrent use. Make one with New.
type Client struct {
	other http.RoundTripper
	dial  func(ctx context.Context, network, address string) (net.Conn, error)
	idle  pool
}

// New makes a client with an empty pool. It hands to other what is not plain
// HTTP/1.1: https, upgrades, trailers, hosts that need more than a look; a nil
// other refuses those.
func New(other *http.Transport) *Client {
	c := &Client{dial: (&net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive}).DialContext}
	if other != nil {
		c.other = other
	}
	return c
}

// CloseIdleConnections closes what waits in the pool, and in the transport's.
// Requests under way go on.
func (c *Client) CloseIdleConnections() {
	c.idle.drop()
	if t, ok := c.other.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

var errNotPlain = errors.New("not a plain HTTP/1.1 request, and there is no transport for others")

// type check
var _ http.RoundTripper = (*Client)(nil)

// RoundTrip implements http.RoundTripper.
//
// The request's context covers all of it, the reading of the answer's body
// included: when it ends, whatever waits returns at once with an error that
// wraps the context's, and the connection is closed. There is no limit to the
// time until an answer begins, because a model may load for minutes. A server
// that cannot be reached gives an error whose Timeout says whether time was why.
//
// A request that fails on a pooled connection before the first byte of an answer
// is sent once more on a new one, if its body can be had again (GetBody, or none)
// and either nothing of it was written or it may be repeated: GET, HEAD, OPTIONS,
// or marked with an X-Idempotency-Key, as for http.Transport. On Windows, where a
// dead connection is not seen before it is used, what may not be repeated always
// gets a new one.
//
// The answer's body may be closed by another goroutine than the one that reads
// it. It ends in io.EOF only when it is whole. An answer may come before the
// request's body is sent; that body is then still read until the answer's is
// closed, or longer while its Read does not return, and closed after that.
//
// Of the request's headers those that frame a message or concern the connection
// are left out. Without a User-Agent none is sent. Request.Cancel is not looked
// at.
func (c *Client) RoundTrip(r *http.Request) (*http.Response, error) {
	if !plain(r) {
		if c.other == nil {
			closeBody(r.Body)
			return nil, errNotPlain
		}
		return c.other.RoundTrip(r)
	}
	o, err := prepare(r)
	if err != nil {
		closeBody(r.Body)
		return nil, err
	}
	answer, err := c.send(o)
	if !o.handed {
		closeBody(o.body)
		freeBuffer(o.text)
	}
	return answer, err
}

func (c *Client) send(o *outgoing) (*http.Response, error) {
	ctx := o.Context()
	if err := ctx.Err(); err != nil {
		return nil, wrap(ctx, "asking Ollama", err)
	}
	address := dialAddress(o.URL)
	var on *conn
	// Where one cannot see that a connection has died, what could not be sent
	// again is not risked on one that has waited.
	if canLook || o.repeatable() {
		on = c.idle.take(address)
	}
	for pooled := on != nil; ; pooled = false {
		if !pooled {
			nc, err := c.dial(ctx, "tcp", address)
			if err != nil {
				return nil, wrap(ctx, "reaching Ollama", err)
			}
			on = newConn(nc, address, &c.idle)
		}
		answer, failed := on.exchange(o)
		if failed == nil {
			return answer, nil
		}
		if !pooled || !failed.again || ctx.Err() != nil {
			return nil, failed.err
		}
		c.idle.drop() // they are as old as the one that died
		if err := o.rewind(); err != nil {
			return nil, fmt.Errorf("asking Ollama again: %w", err)
		}
	}
}

// wrap says what was being done. What fails because the request's context ended
// is the context's doing, whatever the socket calls it.
func wrap(ctx context.Context, doing string, err error) error {
	if ended := ctx.Err(); ended != nil {
		err = ended
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func closeBody(b io.Closer) {
	if b != nil {
		_ = b.Close()
	}
}
