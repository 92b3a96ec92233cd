package proxy

import (
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"paddock/policy"
)

// readBody reads the whole body of a request that passes one on from memory.
//
// Reading first is needed for the model check, and it closes a trap: net/http
// closes the inbound body when an answer starts, so a proxy that still reads it
// while Ollama answers early loses the answer (golang/go#40747; plain
// ReverseProxy cut 6 to 12 % of Ollama's streams under load).
func (x *exchange) readBody(e policy.Endpoint) ([]byte, policy.Reason) {
	if e.Body == policy.BodyStream {
		if encoded(x.r.Header["Content-Encoding"]) {
			return nil, policy.EncodedBody
		}
		return nil, policy.Allowed
	}
	if x.r.ContentLength == 0 {
		x.read = true
		return nil, policy.Allowed
	}
	if encoded(x.r.Header["Content-Encoding"]) {
		return nil, policy.EncodedBody
	}
	limit := x.g.choices.Load().MaxBody
	if e.Class == policy.ClassLook {
		limit = min(limit, maxLookBody)
	}
	if x.r.ContentLength > limit {
		return nil, policy.BodyTooLarge
	}
	body, err := x.slurp(limit)
	x.entry.BytesIn = int64(len(body))
	// net/http watches the connection for a client that leaves once the body is
	// read, and takes a deadline that stayed set for one.
	_ = x.rc.SetReadDeadline(time.Time{})
	switch {
	case errors.Is(err, errNoRoom):
		x.retryAfter(noRoomPause)
		return nil, policy.QueueFull
	case err == nil && int64(len(body)) > limit:
		return nil, policy.BodyTooLarge
	case err == nil && e.Body == policy.BodyNone:
		x.read = true
		return nil, policy.Allowed // what nobody asked for goes no further
	case err == nil:
		x.read = true
		return body, policy.Allowed
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, policy.BodyTooSlow
	case x.r.Context().Err() != nil:
		x.clientLeft()
	}
	return nil, policy.BadBody
}

// errNoRoom says that other bodies take the memory that there is for bodies.
var errNoRoom = errors.New("no room for the body")

// noRoomPause is when to try again.
const noRoomPause = 5 * time.Second

// slurp reads up to one byte more than limit. Each read must make progress
// within bodyPause, and all of it must end within bodyTotal, so that nobody
// holds a connection by dripping.
func (x *exchange) slurp(limit int64) ([]byte, error) {
	size := x.r.ContentLength
	if size < 0 {
		size = 4 << 10
	}
	// The length is the caller's word, so memory grows with what really arrives.
	buf := make([]byte, 0, min(size, 256<<10)+1)
	end := time.Now().Add(x.g.limits.bodyTotal)
	for {
		pause := time.Now().Add(x.g.limits.bodyPause)
		if pause.After(end) {
			pause = end
		}
		_ = x.rc.SetReadDeadline(pause) // unsupported only by recorders in tests
		if len(buf) == cap(buf) {
			// Doubled rather than grown by append's quarter: a body of 16 MiB
			// is copied six times on its way, not sixteen.
			size := min(int64(2*cap(buf)), limit+1)
			if !x.hold(size) {
				return buf, errNoRoom
			}
			more := make([]byte, len(buf), size)
			copy(more, buf)
			buf = more
		}
		room := buf[len(buf):cap(buf)]
		if left := limit + 1 - int64(len(buf)); int64(len(room)) > left {
			room = room[:left]
		}
		n, err := x.r.Body.Read(room)
		buf = buf[:len(buf)+n]
		switch {
		case errors.Is(err, io.EOF):
			return buf, nil
		case err != nil:
			return buf, err
		case int64(len(buf)) > limit:
			return buf, nil
		}
	}
}

// encoded says whether a body is compressed. Ollama decodes zstd before it
// looks at the model, so a gate that cannot read it must not let it through.
func encoded(contentEncoding []string) bool {
	for _, v := range contentEncoding {
		if v != "" && !strings.EqualFold(strings.TrimSpace(v), "identity") {
			return true
		}
	}
	return false
}
