package proxy

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"testing"

	"paddock/policy"
)

// spares is a pool whose first connections were dialled before Ollama restarted
// and never used.
type spares struct{ dead, calls int }

func (s *spares) RoundTrip(r *http.Request) (*http.Response, error) {
	s.calls++
	idle := s.calls <= s.dead
	httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{WasIdle: idle})
	if idle {
		return nil, errors.New("EOF")
	}
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

// A request that got a dead spare connection, which net/http does not call
// reused, was answered 502: once in some hundred restarts.
func TestADeadSpareConnectionIsNotAnAnswer(t *testing.T) {
	for _, c := range []struct {
		class policy.Class
		dead  int
		calls int
		ok    bool
	}{
		{policy.ClassUse, 0, 1, true},
		{policy.ClassUse, 1, 2, true},
		{policy.ClassLook, 2, 3, true},
		{policy.ClassUse, 9, 3, false},    // Ollama is gone: said soon
		{policy.ClassManage, 1, 1, false}, // what changes models is never sent twice
	} {
		pool := &spares{dead: c.dead}
		x := &exchange{g: New(Config{Transport: pool}), r: httptest.NewRequest("POST", "/api/chat", nil)}
		_, err := x.send(context.Background(), &Upstream{URL: &url.URL{Scheme: "http", Host: "ollama"}}, policy.Endpoint{Class: c.class}, []byte("{}"))
		if pool.calls != c.calls || (err == nil) != c.ok {
			t.Errorf("%+v: %d calls, %v", c, pool.calls, err)
		}
	}
}
