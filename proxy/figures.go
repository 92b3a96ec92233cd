package proxy

import (
	"bytes"
	"strings"
)

// figures are what one JSON document of an answer says about itself: the
// counts that Ollama states, and the marks by which the end is known.
type figures struct {
	in, out, nanos       int64
	hasIn, hasOut, hasNs bool
	done                 bool // "done": true
	errored              bool // an "error" that is not null
	choice, finish       bool // an OpenAI choice; one that carries its finish_reason
	event                event
}

// event is the "type" of an Anthropic or Responses document, as far as it matters.
type event uint8

const (
	eventOther event = iota
	eventToken
	eventStop
	eventFailed
)

// walker reads figures out of a JSON document that passes by in pieces, cut
// anywhere. It follows only the few paths below, so a model that writes
// "eval_count": 999 into its text or into the arguments of a tool cannot say
// what it cost. It keeps one short word and eight levels, whatever the length
// of the document; of a text that is not JSON it makes nothing or nonsense, and
// never more.
type walker struct {
	figures
	level    int // how many objects and lists are open
	open     [8]level
	member   node // of the value that comes next in an object
	colon    bool // a member's name has been read, its value follows
	inString bool
	escaped  bool
	isName   bool
	wanted   bool // the string may be a word that matters
	touched  bool // something other than blanks came
	closed   bool // the document is complete
	long     bool // the word is longer than any that matters
	n        int
	word     [40]byte
}

type level struct {
	node node
	list bool
}

// node is a place in a document that matters.
type node uint8

const (
	nowhere node = iota
	atRoot
	atUsage
	atHolder // "message" and "response", which may hold a usage
	atChoices
	atChoice
	atDone
	atError
	atType
	atIn
	atOut
	atNanos
	atFinish
)

// below tells where a member of an object leads.
func (n node) below(name []byte) node {
	switch n {
	case atRoot:
		switch string(name) {
		case "done":
			return atDone
		case "error":
			return atError
		case "type":
			return atType
		case "prompt_eval_count", "input_tokens":
			return atIn
		case "eval_count":
			return atOut
		case "eval_duration":
			return atNanos
		case "usage":
			return atUsage
		case "message", "response":
			return atHolder
		case "choices":
			return atChoices
		}
	case atHolder:
		if string(name) == "usage" {
			return atUsage
		}
	case atUsage:
		switch string(name) {
		case "prompt_tokens", "input_tokens":
			return atIn
		case "completion_tokens", "output_tokens":
			return atOut
		}
	case atChoice:
		if string(name) == "finish_reason" {
			return atFinish
		}
	case nowhere, atChoices, atDone, atError, atType, atIn, atOut, atNanos, atFinish:
	}
	return nowhere
}

// dull are the bytes that mean nothing in a place that does not matter.
var dull = func() (t [256]bool) {
	for c := range t {
		t[c] = !strings.ContainsRune(`"{}[]`, rune(c))
	}
	return t
}()

// feed takes the next piece of the document.
func (w *walker) feed(b []byte) {
	for i := 0; i < len(b); {
		if w.inString {
			i += w.text(b[i:])
			continue
		}
		top := w.top()
		if w.level > 0 && top.node == nowhere { // a million numbers of an embedding, say
			for i < len(b) && dull[b[i]] {
				i++
			}
			if i == len(b) {
				return
			}
		}
		switch c := b[i]; c {
		case ' ', '\t', '\r', '\n':
			w.endScalar()
			i++
			continue
		case '"':
			w.inString, w.n, w.long = true, 0, false
			w.isName = w.level > 0 && !top.list && !w.colon
			w.wanted = top.node != nowhere && (w.isName || w.here() == atType)
		case '{', '[':
			w.push(c == '[')
		case '}', ']':
			w.endScalar()
			if w.level > 0 {
				w.level--
				w.closed = w.level == 0
			}
			w.colon = false
		case ',':
			w.endScalar()
			w.colon = false
		case ':':
			w.colon = true
		default:
			w.keep(c)
		}
		w.touched = true
		i++
	}
}

// text takes the inside of a string up to its end, and returns how much that was.
func (w *walker) text(b []byte) int {
	i := 0
	if w.escaped {
		w.escaped = false
		i = 1
	}
	for ; i < len(b); i++ {
		if !w.wanted { // what a model says: look for its end in strides
			i += stride(b[i:])
			if i == len(b) {
				break
			}
		}
		switch c := b[i]; {
		case c == '"':
			w.inString = false
			w.endString()
			return i + 1
		case c == '\\':
			w.long = true // no word that matters is written with escapes
			if i++; i == len(b) {
				w.escaped = true
			}
		case w.wanted:
			w.keep(c)
		}
	}
	return len(b)
}

// stride returns how far the next quote or backslash is, if that is not too far:
// each byte is looked at by machine code, and none more than a few times.
func stride(b []byte) int {
	at := 0
	for at < len(b) {
		near := b[at:min(len(b), at+512)]
		quote := bytes.IndexByte(near, '"')
		if quote >= 0 {
			near = near[:quote]
		}
		if escape := bytes.IndexByte(near, '\\'); escape >= 0 {
			return at + escape
		}
		at += len(near)
		if quote >= 0 {
			break
		}
	}
	return at
}

func (w *walker) keep(c byte) {
	if w.n < len(w.word) {
		w.word[w.n] = c
		w.n++
	} else {
		w.long = true
	}
}

func (w *walker) top() level {
	if w.level == 0 || w.level > len(w.open) {
		return level{}
	}
	return w.open[w.level-1]
}

// here is the place of the value that is being read.
func (w *walker) here() node {
	top := w.top()
	switch {
	case w.level == 0:
		return atRoot
	case top.list && top.node == atChoices:
		return atChoice
	case top.list:
		return nowhere
	}
	return w.member
}

func (w *walker) push(list bool) {
	at := w.here()
	switch {
	case at == atError && !list:
		w.errored = true
	case at == atChoice && !list:
		w.choice = true
	}
	if list != (at == atChoices) {
		at = nowhere // a list where an object belongs, or the other way round
	}
	w.closed = false
	if w.level < len(w.open) {
		w.open[w.level] = level{at, list}
	}
	w.level++
	w.member, w.colon, w.n, w.long = nowhere, false, 0, false
}

func (w *walker) endString() {
	word := w.word[:w.n]
	if w.long {
		word = nil
	}
	w.n, w.long = 0, false
	if w.isName {
		w.member = w.top().node.below(word)
		return
	}
	switch w.here() {
	case atError:
		w.errored = true
	case atFinish:
		w.finish = true
	case atType:
		w.event = eventOf(word)
	default: // no member that matters
	}
}

// endScalar settles a number or a word such as true, if one was being read.
func (w *walker) endScalar() {
	if w.n == 0 {
		return
	}
	word := w.word[:w.n]
	if w.long {
		word = nil
	}
	w.n, w.long = 0, false
	switch w.here() {
	case atDone:
		w.done = string(word) == "true"
	case atIn:
		w.in, w.hasIn = number(word, w.in, w.hasIn)
	case atOut:
		w.out, w.hasOut = number(word, w.out, w.hasOut)
	case atNanos:
		w.nanos, w.hasNs = number(word, w.nanos, w.hasNs)
	default: // no member that matters
	}
}

// number reads a whole number, or keeps what was there.
func number(word []byte, old int64, had bool) (int64, bool) {
	if len(word) == 0 || len(word) > 15 {
		return old, had
	}
	var n int64
	for _, c := range word {
		if c < '0' || c > '9' {
			return old, had
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

func eventOf(word []byte) event {
	switch string(word) {
	case "content_block_delta", "response.output_text.delta", "response.reasoning_summary_text.delta",
		"response.reasoning_text.delta", "response.reasoning.delta", "response.function_call_arguments.delta":
		return eventToken
	case "message_stop", "response.completed", "response.incomplete":
		return eventStop
	case "response.failed", "error":
		return eventFailed
	}
	return eventOther
}
