package heal

import (
	"context"
	"net/http"
	"net/url"
	"testing"
)

// What the watchdog costs a request whose first byte comes at once.
func BenchmarkRequest(b *testing.B) {
	w := New(Config{
		Upstream:  func() *url.URL { return &url.URL{Scheme: "http", Host: "127.0.0.1:1"} },
		Transport: newFake(),
	})
	defer w.Close()
	c := call(tiny)
	answer := &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}
	send := func(context.Context) (*http.Response, error) { return answer, nil }
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	b.ReportAllocs()
	for b.Loop() {
		_, a, err := w.Do(ctx, c, send)
		if err != nil {
			b.Fatal(err)
		}
		a.End(false)
	}
}
