package loopback

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"testing/iotest"
)

// recorded is a connection whose other side has said everything already.
type recorded struct {
	net.Conn
	io.Reader
	closed bool
}

func (r *recorded) Read(p []byte) (int, error)  { return r.Reader.Read(p) }
func (r *recorded) Write(p []byte) (int, error) { return len(p), nil }
func (r *recorded) Close() error                { r.closed = true; return nil }

// oracle reads an answer as net/http does. Like http.Transport it goes past
// interim answers.
func oracle(raw []byte, r *http.Request) (*http.Response, []byte, error) {
	from := bufio.NewReader(bytes.NewReader(raw))
	for {
		a, err := http.ReadResponse(from, r)
		if err != nil {
			return nil, nil, err
		}
		if a.StatusCode >= 100 && a.StatusCode < 200 {
			continue
		}
		b, err := io.ReadAll(a.Body)
		return a, b, err
	}
}

// What we take for an answer is one, and the same one, for net/http as well. We
// may refuse more; then what was passed on until that is the beginning of what
// net/http reads. It makes no difference in how small pieces the bytes come.
func FuzzAnswer(f *testing.F) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for _, s := range []string{
		"", "HTTP/1.1 200 OK", ok + "\r\n", ok + "\r\nuntil the end", ok + "Content-Length: 5\r\n\r\nhello", ok + "Content-Length: 5\r\n\r\nhell",
		ok + "Content-Length: 5\r\n\r\nhello and more", ok + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", ok + "content-LENGTH:\t5 \r\nconnection: CLOSE\r\n\r\nhello",
		ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", ok + "Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n",
		ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", ok + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nhello", ok + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
		ok + "Transfer-Encoding: gzip\r\n\r\nx", ok + "Transfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi",
		"HTTP/1.1 100 Continue\r\n\r\n" + ok + "Content-Length: 2\r\n\r\nhi", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nx", "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nhi",
		"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 099 Odd\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1 200\r\n\r\nx", "HTTP/1.1 200 OK\n\nx", ok + "X: a\r\n b\r\n\r\n", ok + "X : a\r\n\r\n", ok + "Trailer: X\r\n\r\n",
		"\x00", ok + "X: \x00\r\n\r\n", ok + "Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\nc\r\n\r\n", ok + "Connection: a, close ,b\r\nContent-Length: 0\r\n\r\n",
	} {
		f.Add([]byte(s), false)
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, raw []byte, head bool) {
		r := &http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "http", Host: "ollama"}}
		if head {
			r.Method = http.MethodHead
		}
		var kept [2]bool
		for i, from := range []io.Reader{bytes.NewReader(raw), iotest.OneByteReader(bytes.NewReader(raw))} {
			var p pool
			nc := &recorded{Reader: from}
			o, err := prepare(r)
			if err != nil {
				t.Fatal(err)
			}
			a, failed := newConn(nc, "ollama", &p).exchange(o)
			if failed != nil {
				if !nc.closed {
					t.Fatal("failed and left open")
				}
				continue
			}
			body, err := io.ReadAll(a.Body)
			if kept[i] = p.count() == 1; kept[i] == nc.closed {
				t.Fatalf("kept %v and closed %v", kept[i], nc.closed)
			}
			if p.sweep != nil {
				p.sweep.Stop()
			}
			theirs, want, wrong := oracle(raw, r)
			switch {
			case theirs == nil:
				t.Fatalf("we took %+v for an answer, net/http says %v", a, wrong)
			case a.StatusCode != theirs.StatusCode || a.Status != theirs.Status || a.ProtoMinor != theirs.ProtoMinor || a.ContentLength != theirs.ContentLength:
				t.Fatalf("%+v, net/http says %+v", a, theirs)
			case err == nil && (wrong != nil || !bytes.Equal(body, want)):
				t.Fatalf("%q is whole, net/http says %q, %v", body, want, wrong)
			case !bytes.HasPrefix(want, body):
				t.Fatalf("%q, net/http says %q", body, want)
			case kept[i] && theirs.Close:
				t.Fatal("kept, though net/http would close")
			}
			for name, v := range theirs.Header {
				if len(a.Header[name]) != len(v) || a.Header.Get(name) != v[0] {
					t.Fatalf("%s: %q, net/http says %q", name, a.Header[name], v)
				}
			}
		}
	})
}
