package proxy

import (
	"bytes"
	"strings"
	"time"

	"paddock/policy"
)

// meter reads the figures that Ollama itself states out of an answer that
// passes by. It keeps no text, and is used from one goroutine.
//
// While a stream runs its chunks are counted as tokens, because Ollama sends
// one chunk a token; its own figures replace the count when they come.
type meter struct {
	kind      kind
	silent    bool // not an inference: nothing is counted, only errors are seen
	tokensIn  int64
	tokensOut int64
	evalNanos int64
	done      bool // the marker of a complete answer was seen
	failed    bool // an error object was seen in a stream
	walk      walker
	line      int     // how many bytes of an SSE line's start have been looked at; -1 when the line does not matter
	head      [6]byte // the first bytes of an SSE line's data
	headed    int
}

type kind int

const (
	kindPlain kind = iota
	kindNDJSON
	kindSSE
)

const (
	dataField = "data:"
	dataEnd   = "[DONE]"
)

func newMeter(contentType string, e policy.Endpoint) *meter {
	m := &meter{silent: e.Class != policy.ClassUse}
	m.done = m.silent
	switch {
	case strings.HasPrefix(contentType, "application/x-ndjson"):
		m.kind = kindNDJSON
	case strings.HasPrefix(contentType, "text/event-stream"):
		m.kind = kindSSE
	}
	return m
}

// complete says whether the answer reached its end. A plain answer is complete
// when its bytes are, which HTTP itself tells.
func (m *meter) complete() bool { return m.kind == kindPlain || m.done }

// feed looks at a chunk and returns how many tokens it counted in it.
func (m *meter) feed(b []byte) (tokens int64) {
	if m.kind == kindPlain {
		if !m.silent {
			m.walk.feed(b)
		}
		return 0
	}
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			m.part(b)
			break
		}
		m.part(b[:i])
		tokens += m.endLine()
		b = b[i+1:]
	}
	return tokens
}

// end looks at what is left when the answer is over.
func (m *meter) end() {
	if m.kind != kindPlain {
		m.endLine()
		return
	}
	if m.walk.closed {
		m.take()
	}
}

// part looks at a piece of a line.
func (m *meter) part(b []byte) {
	if m.kind == kindSSE {
		for m.line >= 0 && m.line < len(dataField) && len(b) > 0 {
			if b[0] != dataField[m.line] {
				m.line = -1
				break
			}
			m.line++
			b = b[1:]
		}
		if m.line < len(dataField) {
			return
		}
		for i := 0; i < len(b) && m.headed < len(m.head); i++ {
			if m.headed == 0 && b[i] == ' ' {
				continue
			}
			m.head[m.headed] = b[i]
			m.headed++
		}
	}
	m.walk.feed(b)
}

// endLine settles a line and returns 1 when it carried a token.
func (m *meter) endLine() (token int64) {
	w := &m.walk
	switch {
	case m.kind == kindSSE && m.headed == len(m.head) && string(m.head[:]) == dataEnd:
		m.done = true
	case !w.touched || !w.closed:
	case w.errored:
		m.failed = true
		m.done = m.done || m.kind == kindNDJSON // Ollama says nothing after it
	case m.silent:
	case m.kind == kindNDJSON && w.done:
		m.done = true
		m.take()
	case m.kind == kindNDJSON:
		token = 1
	default:
		m.take()
		switch {
		case w.event == eventStop:
			m.done = true
		case w.event == eventFailed:
			m.done, m.failed = true, true
		case w.event == eventToken, w.choice && !w.finish:
			token = 1
		}
	}
	if !w.hasOut {
		m.tokensOut += token // line by line: Ollama's own figure replaces what was counted before it
	}
	m.walk, m.line, m.headed = walker{}, 0, 0
	return token
}

// take takes Ollama's own counts from the document that has just ended.
func (m *meter) take() {
	f := &m.walk.figures
	if f.hasIn {
		m.tokensIn = f.in
	}
	if f.hasOut {
		m.tokensOut = f.out
	}
	if f.hasNs {
		m.evalNanos = f.nanos
	}
}

// rate is the tokens a second: by Ollama's own clock where it states one, else
// over the time given, in which the tokens after the first arrived.
func (m *meter) rate(streamed time.Duration) float64 {
	switch {
	case m.tokensOut > 0 && m.evalNanos > 0:
		return float64(m.tokensOut) / time.Duration(m.evalNanos).Seconds()
	case m.tokensOut > 1 && m.kind != kindPlain && streamed > 0:
		return float64(m.tokensOut-1) / streamed.Seconds()
	}
	return 0
}
