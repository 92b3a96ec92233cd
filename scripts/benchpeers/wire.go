//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// patience is the longest that any answer here may take.
const patience = 20 * time.Second

// wire is a client that costs next to nothing: one connection, one request at a
// time. It believes no answer that is not whole.
type wire struct {
	c net.Conn
	r *bufio.Reader
}

// dial connects, from the local address given if there is one.
func dial(addr, from string) (*wire, error) {
	d := net.Dialer{Timeout: patience}
	if from != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	c, err := d.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &wire{c, bufio.NewReaderSize(c, 64<<10)}, nil
}

func (w *wire) close() { w.c.Close() }

// send writes a request and reads the head of the answer.
func (w *wire) send(request []byte) (*http.Response, error) {
	if err := w.c.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	if _, err := w.c.Write(request); err != nil {
		return nil, err
	}
	return http.ReadResponse(w.r, nil)
}

// do sends a request and reads the whole answer. A body that ends early is an
// error: http.Response tells a length or a chunk that was not kept.
func (w *wire) do(request []byte) (status int, n int64, err error) {
	resp, err := w.send(request)
	if err != nil {
		return 0, 0, err
	}
	defer resp.Body.Close()
	n, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, n, err
}

// get is the bytes of a GET.
func get(addr, path, key string) []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", path, addr, key)
}

// post is the bytes of a POST with a JSON body.
func post(addr, path, key, body string) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, addr, key, len(body), body)
}

// chat is the body of a question with this prompt.
func chat(prompt string, stream bool) string {
	return fmt.Sprintf(`{"model":"bench","messages":[{"role":"user","content":"%s"}],"stream":%t}`, prompt, stream)
}

// longChat is a question that carries its history, in bytes.
func longChat(size int) string {
	return fmt.Sprintf(`{"model":"bench","messages":[{"role":"user","content":"one"},{"role":"user","content":"%s"}],"stream":false}`, strings.Repeat("x", size))
}

// fileLimit is how many files a program that is started here may open.
func fileLimit() uint64 {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return 1024
	}
	return r.Max
}
