package proxy

import (
	"bytes"
	"strings"
	"time"

	"paddock/policy"
)

// meter reads the figures that Ollama itself states out of an answer that
// passes by. It keeps no text beyond the line or the tail it looks at, and is
// used from one goroutine.
//
// While a stream runs its chunks are counted as tokens, because Ollama sends
// one chunk a token; its own figures replace the count when they come.
type meter struct {
	kind      kind
	line      []byte // the unfinished line of a stream, or the tail of a plain answer
	skip      bool   // the unfinished line is too long to look at
	tokensIn  int64
	tokensOut int64
	evalNanos int64
	done      bool // the marker of a complete answer was seen
	failed    bool // an error object was seen in a stream
}

type kind int

const (
	kindPlain kind = iota
	kindNDJSON
	kindSSE
)

const (
	maxLine = 256 << 10 // final objects of /api/generate carry the whole context
	maxTail = 8 << 10   // Ollama writes its figures last
)

func newMeter(contentType string, e policy.Endpoint) *meter {
	m := &meter{}
	switch {
	case e.Class != policy.ClassUse:
		m.done = true
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
		if m.done {
			return 0
		}
		m.line = append(m.line, b...)
		if len(m.line) > 2*maxTail {
			m.line = append(m.line[:0], m.line[len(m.line)-maxTail:]...)
		}
		return 0
	}
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			if m.skip = m.skip || len(m.line)+len(b) > maxLine; m.skip {
				m.line = m.line[:0]
			} else {
				m.line = append(m.line, b...)
			}
			break
		}
		switch {
		case m.skip:
			m.skip = false
		case len(m.line) > 0:
			m.line = append(m.line, b[:i]...)
			tokens += m.read(m.line)
		default:
			tokens += m.read(b[:i])
		}
		m.line = m.line[:0]
		b = b[i+1:]
	}
	m.tokensOut += tokens
	return tokens
}

// end looks at what is left when the answer is over.
func (m *meter) end() {
	if len(m.line) == 0 {
		return
	}
	if m.kind == kindPlain {
		m.figures(m.line)
	} else {
		m.tokensOut += m.read(m.line)
	}
	m.line = nil
}

var (
	markDone      = []byte(`"done":true`)
	markUsage     = []byte(`"usage":{`)
	markError     = []byte(`{"error":`)
	markData      = []byte("data: ")
	markEnd       = []byte("[DONE]")
	markChoice    = []byte(`"choices":[{`)
	markFinish    = []byte(`"finish_reason":"`)
	markDelta     = []byte(`{"type":"content_block_delta"`)
	markStop      = []byte(`{"type":"message_stop"`)
	markText      = []byte(`"type":"response.output_text.delta"`)
	markReasoning = []byte(`"type":"response.reasoning`)
	markCompleted = []byte(`"type":"response.completed"`)
	markIncompl   = []byte(`"type":"response.incomplete"`)
)

// read looks at one line of a stream and returns 1 when it carries a token.
func (m *meter) read(line []byte) int64 {
	if m.kind == kindNDJSON {
		switch {
		case bytes.Contains(line, markDone):
			m.done = true
			m.figures(line)
			return 0
		case bytes.HasPrefix(line, markError):
			m.done, m.failed = true, true
			return 0
		case len(bytes.TrimSpace(line)) == 0:
			return 0
		}
		return 1
	}
	line, ok := bytes.CutPrefix(line, markData)
	if !ok {
		return 0
	}
	line = bytes.TrimRight(line, "\r")
	switch {
	case bytes.Equal(line, markEnd), bytes.HasPrefix(line, markStop):
		m.done = true
		return 0
	case bytes.Contains(line, markCompleted), bytes.Contains(line, markIncompl):
		m.done = true
		m.figures(line)
		return 0
	case bytes.HasPrefix(line, markError):
		m.failed = true
		return 0
	}
	if bytes.Contains(line, markUsage) {
		m.figures(line)
	}
	switch {
	case bytes.Contains(line, markChoice):
		if !bytes.Contains(line, markFinish) {
			return 1
		}
	case bytes.HasPrefix(line, markDelta), bytes.Contains(line, markText), bytes.Contains(line, markReasoning) && bytes.Contains(line, []byte(`.delta"`)):
		return 1
	}
	return 0
}

// figures takes Ollama's own counts. A quote inside a JSON string is always
// escaped, so a name with both its quotes and a colon is a member and never
// part of what a model said; the last one counts, and Ollama writes its figures
// after everything a model can influence.
func (m *meter) figures(b []byte) {
	for _, name := range []string{`"prompt_eval_count":`, `"prompt_tokens":`, `"input_tokens":`} {
		if n, ok := lastNumber(b, name); ok {
			m.tokensIn = n
		}
	}
	for _, name := range []string{`"eval_count":`, `"completion_tokens":`, `"output_tokens":`} {
		if n, ok := lastNumber(b, name); ok {
			m.tokensOut = n
		}
	}
	if n, ok := lastNumber(b, `"eval_duration":`); ok {
		m.evalNanos = n
	}
}

func lastNumber(b []byte, name string) (n int64, ok bool) {
	i := bytes.LastIndex(b, []byte(name))
	if i < 0 {
		return 0, false
	}
	for i += len(name); i < len(b) && b[i] == ' '; i++ {
	}
	for ; i < len(b) && b[i] >= '0' && b[i] <= '9' && n < 1<<53; i++ {
		n, ok = n*10+int64(b[i]-'0'), true
	}
	return n, ok
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
