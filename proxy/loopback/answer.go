package loopback

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
)

// Bounds of what a server may say before its body. Ollama's own head has some
// 150 bytes in five lines.
const (
	maxHead    = 64 << 10
	maxLines   = 256
	maxInterim = 5
)

var (
	errHeadTooLarge = errors.New("the answer's header is larger than 64 KiB")
	errHeadLines    = errors.New("the answer's header has too many lines")
	errInterim      = errors.New("too many interim answers")
	errSwitch       = errors.New("an upgrade that nobody asked for")
)

// readHead appends an answer's head to b, up to and with the empty line. Nothing
// read at all is io.EOF or the connection's error.
func readHead(r *bufio.Reader, b []byte) ([]byte, error) {
	start := 0 // of the line
	for {
		piece, err := r.ReadSlice('\n')
		b = append(b, piece...)
		switch {
		case len(b) > maxHead:
			return b, errHeadTooLarge
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(b) > 0:
			return b, io.ErrUnexpectedEOF
		case err != nil:
			return b, err
		}
		if len(b)-start <= len("\r\n") {
			return b, nil // whatever it is: parseHead insists on both bytes
		}
		start = len(b)
	}
}

// head is what an answer says before its body.
type head struct {
	proto     string
	minor     int    // of the HTTP version, whose major is 1
	status    string // with the code, as in http.Response
	code      int
	header    http.Header
	length    int64 // -1 when it is not given
	chunked   bool
	keepAlive bool
}

func malformed(what, got string) error {
	if len(got) > 80 {
		got = got[:80]
	}
	return fmt.Errorf("malformed answer: %s %q", what, got)
}

// parseHead is stricter than net/http: every line ends in CR LF, no line goes on
// in the next one, a length is given once or not at all, and not together with
// chunks. The strings share text's memory.
func parseHead(text string) (h head, err error) {
	line, text, ok := strings.Cut(text, "\r\n")
	if !ok {
		return h, malformed("line", line)
	}
	// HTTP/1.1 200 OK
	if len(line) < 12 || line[:7] != "HTTP/1." || line[7] != '0' && line[7] != '1' || line[8] != ' ' || len(line) > 12 && line[12] != ' ' || !isFieldValue(line) {
		return h, malformed("status line", line)
	}
	for _, c := range []byte(line[9:12]) {
		if c < '0' || c > '9' {
			return h, malformed("status", line[9:12])
		}
		h.code = 10*h.code + int(c-'0')
	}
	if h.code < 100 || h.code > 599 {
		return h, malformed("status", line[9:12])
	}
	h.proto, h.minor, h.status = line[:8], int(line[7]-'0'), line[9:]
	h.keepAlive = h.minor == 1
	h.length = -1

	lines := strings.Count(text, "\n") - 1
	if lines > maxLines {
		return h, errHeadLines
	}
	h.header = make(http.Header, lines)
	values := make([]string, 0, lines) // one piece of memory for all of them
	for {
		line, text, ok = strings.Cut(text, "\r\n")
		if !ok {
			return h, malformed("line", line)
		}
		if line == "" {
			break
		}
		name, value, ok := field(line)
		if !ok {
			return h, malformed("header line", line)
		}
		if err := h.note(name, value); err != nil {
			return h, err
		}
		if name == "Transfer-Encoding" {
			continue // as net/http: it is no header of the answer, but of the way here
		}
		if old := h.header[name]; old != nil {
			h.header[name] = append(old, value)
			continue
		}
		values = append(values, value)
		h.header[name] = values[len(values)-1 : len(values) : len(values)]
	}
	if h.chunked && (h.length >= 0 || h.minor == 0) {
		return h, malformed("framing", "both chunks and a length or version 1.0")
	}
	return h, nil
}

// field takes a header line apart. The name comes in its canonical spelling.
func field(line string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(line, ":")
	if !ok || !isToken(name) || !isFieldValue(value) {
		return "", "", false
	}
	return textproto.CanonicalMIMEHeaderKey(name), strings.Trim(value, " \t"), true
}

// note keeps what a header says about the message itself.
func (h *head) note(name, value string) error {
	switch name {
	case "Content-Length":
		if h.length >= 0 || value == "" || len(value) > 18 {
			return malformed("length", value)
		}
		for i := range len(value) {
			if value[i] < '0' || value[i] > '9' {
				return malformed("length", value)
			}
		}
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return malformed("length", value)
		}
		h.length = n
	case "Transfer-Encoding":
		if h.chunked || !strings.EqualFold(value, "chunked") {
			return malformed("transfer encoding", value)
		}
		h.chunked = true
	case "Connection":
		for option := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.Trim(option, " \t"), "close") {
				h.keepAlive = false
			}
		}
	}
	return nil
}
