package loopback

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync/atomic"
)

// maxTrailer is how much a server may say behind the last chunk. Nobody reads it.
const maxTrailer = 4 << 10

var errTrailer = errors.New("malformed answer: what follows the last chunk")

// answer is an http.Response and the body that it has. One piece of memory.
type answer struct {
	http.Response
	conn   *conn
	sent   *sender
	unhook func() bool
	keep   bool // the server keeps the connection open

	chunks io.Reader // nil unless the body comes in chunks
	left   int64     // what is missing of a body of a known length; -1 until the connection ends
	last   bool      // all chunks have come, what follows has not
	err    error     // what the next Read returns; only the reader touches it
	ended  atomic.Bool
}

// open decides where the body ends.
func (a *answer) open(h head) {
	none := a.Request.Method == http.MethodHead || h.code == http.StatusNoContent || h.code == http.StatusNotModified
	switch {
	case none || h.length == 0:
		if a.Body = http.NoBody; none && a.Request.Method != http.MethodHead {
			a.ContentLength = 0
		}
		a.end(true)
		return
	case h.chunked:
		a.TransferEncoding = chunkedEncoding
		a.chunks = httputil.NewChunkedReader(a.conn.r)
	default:
		if a.left = h.length; a.left < 0 {
			a.keep, a.Close = false, true
		}
	}
	a.Body = (*body)(a)
}

var chunkedEncoding = []string{"chunked"}

// end gives the connection back, or closes it. Only the first call does anything:
// a body may be closed while it is read.
func (a *answer) end(whole bool) {
	if a.ended.Swap(true) {
		return
	}
	// Buffered: a server that says more than it announced is not understood.
	if a.unhook() && whole && a.keep && a.sent.complete() && a.conn.r.Buffered() == 0 {
		a.conn.pool.put(a.conn)
		return
	}
	a.conn.nc.Close()
}

// body is the answer's body.
type body answer

// Read implements io.Reader. At the end of the body the connection is free for
// the next request, whether Close has been called or not.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.ended.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := b.read(p)
	if err == nil {
		return n, nil
	}
	whole := err == io.EOF //nolint:errorlint // read's own; one inside another error is no end
	if !whole {
		if b.ended.Load() {
			err = http.ErrBodyReadAfterClose
		}
		err = wrap(b.Request.Context(), "reading Ollama's answer", err)
	}
	b.err = err
	(*answer)(b).end(whole)
	return n, err
}

// Close implements io.Closer. Before the end of the body it closes the
// connection, by which the server learns that nobody listens.
func (b *body) Close() error {
	(*answer)(b).end(false)
	return nil
}

func (b *body) read(p []byte) (n int, err error) {
	switch {
	case b.chunks != nil:
		return b.readChunks(p)
	case b.left < 0:
		return b.conn.r.Read(p)
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err = b.conn.r.Read(p)
	b.left -= int64(n)
	switch {
	case b.left == 0:
		return n, io.EOF
	case errors.Is(err, io.EOF):
		return n, io.ErrUnexpectedEOF
	}
	return n, err
}

func (b *body) readChunks(p []byte) (n int, err error) {
	if !b.last {
		n, err = b.chunks.Read(p)
		if err != io.EOF { //nolint:errorlint // the chunked reader's own
			return n, err
		}
		b.last = true
	}
	if n > 0 {
		// What has come must not wait for what says that nothing more comes.
		if b.conn.r.Buffered() < len("\r\n") {
			return n, nil
		}
		if end, _ := b.conn.r.Peek(len("\r\n")); string(end) != "\r\n" {
			return n, nil
		}
	}
	return n, endChunks(b.conn.r)
}

// endChunks reads up to the empty line behind the last chunk and returns io.EOF
// there. Trailers are dropped.
func endChunks(r *bufio.Reader) error {
	for got := 0; got <= maxTrailer; {
		line, err := r.ReadSlice('\n')
		got += len(line)
		switch {
		case errors.Is(err, io.EOF):
			return io.ErrUnexpectedEOF
		case errors.Is(err, bufio.ErrBufferFull):
			return errTrailer
		case err != nil:
			return err
		case string(line) == "\r\n":
			return io.EOF
		}
		text, ends := strings.CutSuffix(string(line), "\r\n")
		if _, _, ok := field(text); !ok || !ends {
			return errTrailer
		}
	}
	return errTrailer
}
