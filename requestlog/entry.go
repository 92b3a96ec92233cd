// Package requestlog remembers what passed the gate, never what was said.
package requestlog

import (
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"

	"paddock/policy"
)

// Phase says how far a request has come.
type Phase int

// The phases.
const (
	Running Phase = iota // passed on to Ollama, not finished
	Done                 // answered to the end
	Refused              // the verdict was no
	Failed               // passed on, and then Ollama or the gate went wrong
	Cut                  // let in, and then somebody ended it: see Entry.CutBy
	Waiting              // let in, and not passed on yet: see Entry.Place
	Event                // no request: something that the owner or the gate did, in Entry.Action
)

// String returns the word used in JSON and in filters.
func (p Phase) String() string {
	switch p {
	case Running:
		return "running"
	case Done:
		return "done"
	case Refused:
		return "refused"
	case Failed:
		return "failed"
	case Cut:
		return "cut"
	case Waiting:
		return "waiting"
	case Event:
		return "event"
	}
	return "unknown"
}

// MarshalText implements encoding.TextMarshaler.
func (p Phase) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Phase) UnmarshalText(b []byte) error {
	for k := Running; k <= Event; k++ {
		if string(b) == k.String() {
			*p = k
			return nil
		}
	}
	return fmt.Errorf("phase %q is not known", b)
}

// Cutter says who ended a running request.
type Cutter string

// Who can cut a request.
const (
	CutByNobody  Cutter = ""
	CutByClient  Cutter = "client"  // the client went away
	CutByOwner   Cutter = "owner"   // Stop in the request log
	CutByKey     Cutter = "key"     // the key was suspended or removed
	CutBySharing Cutter = "sharing" // sharing stopped
	CutByPause   Cutter = "pause"   // the owner paused while it waited
	CutByPanic   Cutter = "panic"   // the owner cut everyone off
	CutByStall   Cutter = "stall"   // the client stopped reading
)

// Entry is one request. It is a value: copies are independent. It holds
// neither prompt, answer, key nor header values beyond those named here, and
// its text is bounded and free of control characters (see Clean).
type Entry struct {
	Seq        uint64        `json:"seq"`                  // position in the log, from 1; 0 while running
	ID         string        `json:"request_id"`           // X-Request-Id
	Time       time.Time     `json:"time"`                 // arrival
	Phase      Phase         `json:"phase"`                //
	Reason     policy.Reason `json:"verdict"`              //
	KeyID      string        `json:"key_id,omitempty"`     //
	Key        string        `json:"key,omitempty"`        // name at that time
	Hint       string        `json:"key_hint,omitempty"`   // first characters of the key
	Colour     int           `json:"-"`                    // colour chip of the key
	Address    string        `json:"address"`              // of the client, without port
	Program    string        `json:"program,omitempty"`    // from User-Agent: "curl"
	UserAgent  string        `json:"user_agent,omitempty"` //
	Origin     string        `json:"origin,omitempty"`     //
	TLS        string        `json:"tls,omitempty"`        // protocol version; empty means not encrypted
	Method     string        `json:"method"`               //
	Path       string        `json:"path"`                 // without query
	Class      policy.Class  `json:"class"`                //
	Action     string        `json:"action,omitempty"`     // "Chat"
	Model      string        `json:"model,omitempty"`      //
	Status     int           `json:"status,omitempty"`     // what the client got; 0 when it got nothing
	Upstream   int           `json:"ollama_status,omitempty"`
	Place      int           `json:"place,omitempty"`          // in the lane of its key while it waits, from 1
	Waited     time.Duration `json:"waited_ns,omitempty"`      // in the queue, before it was passed on
	FirstToken time.Duration `json:"first_token_ns,omitempty"` // from arrival to the first byte of Ollama's answer body
	Took       time.Duration `json:"took_ns"`                  // from arrival to the end
	TokensIn   int64         `json:"tokens_in,omitempty"`      // Ollama's own figures
	TokensOut  int64         `json:"tokens_out,omitempty"`     // Ollama's own figures; chunks counted while running
	Rate       float64       `json:"tokens_per_second,omitempty"`
	BytesIn    int64         `json:"bytes_in,omitempty"`
	BytesOut   int64         `json:"bytes_out,omitempty"`
	CutBy      Cutter        `json:"cut_by,omitempty"`
	SentAgain  bool          `json:"sent_again,omitempty"` // once more, after a model that hung was loaded anew
	Demo       bool          `json:"demo,omitempty"`       // answered by the built-in demo, not by Ollama
}

// Limits of text from outside, in bytes. A path or a User-Agent beyond them is
// shortened, so that one request cannot fill the log.
const (
	MaxPath  = 200
	MaxText  = 120
	MaxModel = 160
)

// Clean makes text from outside fit to be shown: whatever is not a visible
// character or a plain space (control characters, terminal escapes, invisible
// and bidirectional marks, broken UTF-8) is written as an escape, and what would
// be longer than limit bytes is cut with an ellipsis.
func Clean(s string, limit int) string {
	plain := len(s) <= limit
	for i := 0; plain && i < len(s); i++ {
		plain = s[i] >= ' ' && s[i] < 0x7f
	}
	if plain {
		return s
	}
	b := make([]byte, 0, min(len(s)+8, max(limit, 0)+16))
	fits := 0 // how much of b leaves room for the ellipsis
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			b = fmt.Appendf(b, `\x%02x`, s[i])
		case unicode.IsPrint(r):
			b = append(b, s[i:i+n]...)
		case r < 0x100:
			b = fmt.Appendf(b, `\x%02x`, r)
		case r < 0x10000:
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			b = fmt.Appendf(b, `\U%08x`, r)
		}
		if len(b) > limit {
			b = b[:fits]
			if limit >= len("…") {
				b = append(b, "…"...)
			}
			break
		}
		if len(b) <= limit-len("…") {
			fits = len(b)
		}
		i += n
	}
	return string(b)
}
