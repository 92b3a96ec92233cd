package proxy

import (
	"bufio"
	"bytes"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// syncBuffer is a buffer that several goroutines may write to.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// An upstream that says something nobody asked for: net/http prints the
// beginning of it to the standard logger, and it may be an answer.
func TestUnsolicitedBytesOfOllamaAreNotPrinted(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	spoken := make(chan struct{})
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			return
		}
		_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"))
		<-spoken
		_, _ = conn.Write([]byte("a secret answer that nobody asked for\r\n"))
		_, _ = conn.Read(make([]byte, 1)) // until the transport hangs up
		close(spoken)
	}()
	var out syncBuffer
	before := log.Writer()
	log.SetOutput(Hush(&out))
	defer log.SetOutput(before)
	transport := newOther()
	defer transport.CloseIdleConnections()
	res, err := (&http.Client{Transport: transport}).Get("http://" + ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	var b [2]byte
	_, _ = res.Body.Read(b[:])
	_, _ = res.Body.Read(b[:]) // the end, so that the connection is idle
	res.Body.Close()
	spoken <- struct{}{}
	select {
	case <-spoken:
	case <-time.After(10 * time.Second):
		t.Fatal("the transport kept a connection on which it was told more than it had asked for")
	}
	log.Print("what the program itself says")
	if got := out.String(); strings.Contains(got, "secret") || !strings.Contains(got, "what the program itself says") {
		t.Errorf("printed: %q", got)
	}
}
