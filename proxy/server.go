package proxy

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"time"
)

// Times and sizes of the server in front of the gate (security.md).
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 120 * time.Second
	maxHeader     = 32 << 10
	maxStreams    = 100 // at a time on one HTTP/2 connection, the least that RFC 9113 section 6.5.2 recommends
)

// Hush returns a writer for Go's standard logger that passes everything on to w
// but what net/http says of Ollama's connections, because that quotes what
// Ollama sent, and so may quote an answer.
func Hush(w io.Writer) io.Writer { return hush{w} }

type hush struct{ w io.Writer }

func (h hush) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("Unsolicited response received on idle HTTP channel")) {
		return len(line), nil
	}
	return h.w.Write(line)
}

// NewServer makes the server that the gate stands in. It has no time limit for
// a whole answer, because a stream may take minutes; the gate itself limits
// pauses while it reads a body and while it writes an answer.
func NewServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		// Go's own answer to "OPTIONS *" would be a 200 without a key.
		DisableGeneralOptionsHandler: true,
		// net/http's complaints quote what strangers sent, so they go nowhere.
		ErrorLog: log.New(io.Discard, "", 0),
		// For listeners made by Strict.
		ConnContext: withStrict,
		ConnState:   onState,
	}
}
