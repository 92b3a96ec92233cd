package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"paddock/requestlog"
)

// TLS comes later, and with it HTTP/2, where deadlines and connections mean
// something else: a deadline that passes resets the stream even while nothing
// waits to be written, and Connection: close ends the neighbours' streams.
func TestHTTP2(t *testing.T) {
	o := newSpeaker()
	s := open(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/blobs/") {
			n, _ := io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusCreated)
			fmt.Fprint(w, n)
			return
		}
		o.ServeHTTP(w, r)
	})
	s.gate.limits.stall = 100 * time.Millisecond
	v := httptest.NewUnstartedServer(s.gate)
	v.EnableHTTP2 = true
	v.Config.ErrorLog = NewServer(nil).ErrorLog
	v.StartTLS()
	defer v.Close()
	call := func(method, path string, body io.Reader, key string) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, v.URL+path, body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+key)
		a, err := v.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if a.ProtoMajor != 2 {
			t.Fatalf("spoke %s", a.Proto)
		}
		return a
	}
	go func() { o.say <- token }()
	stream := call("POST", "/api/chat", strings.NewReader(chat), keyAlice)
	defer stream.Body.Close()
	lines := bufio.NewReader(stream.Body)
	if line, err := lines.ReadString('\n'); line != token || err != nil {
		t.Fatalf("%q, %v", line, err)
	}

	// A refused request with a body that never ends, beside the stream.
	endless, hold := io.Pipe()
	refused := call("POST", "/api/chat", endless, keyUnknown)
	if b, err := io.ReadAll(refused.Body); refused.StatusCode != 401 || err != nil || len(b) == 0 {
		t.Errorf("%d %q %v", refused.StatusCode, b, err)
	}
	hold.Close()
	refused.Body.Close()
	upload := call("POST", "/api/blobs/sha256-1", io.MultiReader(strings.NewReader("abc"), strings.NewReader("def")), keyMara)
	if b, err := io.ReadAll(upload.Body); upload.StatusCode != 201 || string(b) != "6" || err != nil {
		t.Errorf("%d %q %v", upload.StatusCode, b, err)
	}
	upload.Body.Close()

	<-time.After(3 * s.gate.limits.stall) // the model thinks for longer than a client may stall
	go func() { o.say <- final; close(o.say) }()
	if line, err := lines.ReadString('\n'); line != final || err != nil {
		t.Errorf("%q, %v", line, err)
	}
	if _, err := lines.ReadByte(); err != io.EOF {
		t.Error(err)
	}
	for _, e := range s.entries(3) {
		if e.TLS != "TLS 1.3" || e.Phase != requestlog.Done && e.Status != 401 {
			t.Errorf("%+v", e)
		}
	}
}
