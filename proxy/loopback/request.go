package loopback

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// inline is the largest body that is written together with its head by the
// goroutine that then reads the answer. A socket takes as much at once even when
// nobody reads at the other end, so that the write does not wait for the reading.
const inline = 32 << 10

// outgoing is a request on its way.
type outgoing struct {
	*http.Request
	text   *[]byte       // the head, and behind it a body that is small and in memory
	body   io.ReadCloser // what is not in text; nil for nothing
	length int64         // of body; -1 when nobody knows
	handed bool          // a sender has, or had, text and body
}

// prepare writes down what can be sent at once.
func prepare(r *http.Request) (*outgoing, error) {
	o := &outgoing{Request: r, text: newBuffer(), body: r.Body, length: bodyLength(r)}
	err := o.appendHead()
	if err == nil && o.inMemory() && o.length <= inline {
		err = o.appendBody()
	}
	if err != nil {
		freeBuffer(o.text)
		return nil, err
	}
	return o, nil
}

// bodyLength is how long the body is, -1 when nobody knows. An unset length
// beside a body says nothing.
func bodyLength(r *http.Request) int64 {
	switch {
	case r.Body == nil || r.Body == http.NoBody:
		return 0
	case r.ContentLength == 0:
		return -1
	}
	return max(r.ContentLength, -1)
}

// inMemory says whether the body can be read without waiting for anybody.
func (o *outgoing) inMemory() bool { return o.length > 0 && o.GetBody != nil }

// repeatable says whether it can be sent twice, and that does no harm.
func (o *outgoing) repeatable() bool {
	if o.GetBody == nil && o.length != 0 {
		return false
	}
	switch o.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	_, marked := o.Header["X-Idempotency-Key"]
	return marked
}

// rewindable says whether all of it can be sent from the start again.
func (o *outgoing) rewindable() bool { return !o.handed || o.GetBody != nil }

// rewind makes it ready to be sent from the start again.
func (o *outgoing) rewind() error {
	if !o.handed {
		return nil
	}
	fresh, err := o.GetBody()
	if err != nil {
		return err
	}
	// The sender of the first try may not have let go of its text yet.
	text := newBuffer()
	*text = append(*text, *o.text...)
	o.text, o.body, o.handed = text, fresh, false
	return nil
}

// plain says whether a request is one for this client.
func plain(r *http.Request) bool {
	return r.URL != nil && r.URL.Scheme == "http" && r.URL.Opaque == "" &&
		plainHost(r.URL.Host) && (r.Host == "" || plainHost(r.Host)) &&
		(r.Method == "" || isToken(r.Method)) && r.Method != http.MethodConnect &&
		len(r.Trailer) == 0 && len(r.TransferEncoding) == 0 && r.Header["Upgrade"] == nil
}

// plainHost says whether a host can be dialled and sent as it stands. A zone
// must not be sent and a name in another script must be encoded first.
func plainHost(host string) bool {
	for i := range len(host) {
		c := host[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '-', c == '_', c == ':', c == '[', c == ']':
		default:
			return false
		}
	}
	return host != "" && host[0] != ':'
}

// dialAddress is where a URL leads, with the port.
func dialAddress(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	return net.JoinHostPort(u.Hostname(), "80")
}

// notSent are the headers that this client writes itself, and those that concern
// a connection and not a request. Expect is one: nobody here would wait.
var notSent = []string{
	"Host", "Content-Length", "Transfer-Encoding", "Trailer", "Connection",
	"Keep-Alive", "Proxy-Connection", "Te", "Expect",
}

// appendHead writes the request up to its body.
func (o *outgoing) appendHead() error {
	b, method := *o.text, o.Method
	if method == "" {
		method = http.MethodGet
	}
	target := o.URL.RequestURI()
	for i := range len(target) {
		if target[i] <= ' ' || target[i] == 0x7f {
			return fmt.Errorf("a request's target holds the byte %#x", target[i])
		}
	}
	host := o.Host
	if host == "" {
		host = o.URL.Host
	}
	b = append(b, method...)
	b = append(b, ' ')
	b = append(b, target...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, host...)
	b = append(b, '\r', '\n')
	for name, values := range o.Header {
		if slices.Contains(notSent, name) {
			continue
		}
		if !isToken(name) {
			return fmt.Errorf("a request's header has the name %q", name)
		}
		for _, v := range values {
			if !isFieldValue(v) {
				return fmt.Errorf("the value of a request's header %s cannot be sent", name)
			}
			if v == "" && name == "User-Agent" {
				continue // how one says that none shall be sent
			}
			b = append(b, name...)
			b = append(b, ':', ' ')
			b = append(b, v...)
			b = append(b, '\r', '\n')
		}
	}
	switch {
	case o.length < 0:
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	case o.length > 0 || method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch:
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, o.length, 10)
		b = append(b, '\r', '\n')
	}
	if o.Close {
		b = append(b, "Connection: close\r\n"...)
	}
	*o.text = append(b, '\r', '\n')
	return nil
}

// appendBody reads a body from memory.
func (o *outgoing) appendBody() error {
	start := len(*o.text)
	*o.text = append(*o.text, make([]byte, o.length)...)
	if _, err := io.ReadFull(o.body, (*o.text)[start:]); err != nil {
		return fmt.Errorf("reading a request's body: %w", err)
	}
	var more [1]byte
	if n, _ := o.body.Read(more[:]); n > 0 {
		return errBodyLong
	}
	closeBody(o.body)
	o.body, o.length = nil, 0
	return nil
}

// isToken says whether s is a token of RFC 9110, 5.6.2: what methods and header
// names are made of.
func isToken(s string) bool {
	for i := range len(s) {
		if !tokenBytes[s[i]] {
			return false
		}
	}
	return s != ""
}

var tokenBytes = func() (is [256]bool) {
	for c := range is {
		is[c] = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
	}
	for _, c := range []byte("!#$%&'*+-.^_`|~") {
		is[c] = true
	}
	return is
}()

// isFieldValue says whether s can stand in a header line: no control byte but
// the tab.
func isFieldValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
