package loopback

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The benchmarks measure this client as a ratio to http.Transport, tuned as the
// gate would use it. The two take turns within each round, so that a busy machine
// is busy for both; figures are medians over the rounds.

func transport() *http.Transport {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive}).DialContext,
		MaxIdleConnsPerHost: maxIdle, MaxIdleConns: maxIdle, IdleConnTimeout: idleTimeout,
		DisableCompression: true, MaxResponseHeaderBytes: maxHead,
	}
}

func median(v []float64) float64 {
	v = slices.Clone(v)
	slices.Sort(v)
	return v[len(v)/2]
}

// versus times each requests with both clients, wide of them at once, and counts
// what the program allocates, server included.
func versus(b *testing.B, handler http.HandlerFunc, method string, body func() io.Reader, wide, each int) {
	b.Helper()
	s := httptest.NewServer(handler)
	defer s.Close()
	theirs, ours := transport(), New(nil)
	defer theirs.CloseIdleConnections()
	defer ours.CloseIdleConnections()
	clients := []http.RoundTripper{theirs, ours}
	var took, objects [2][]float64
	one := func(c http.RoundTripper, buf []byte) {
		var from io.Reader
		if body != nil {
			from = body()
		}
		r, err := http.NewRequestWithContext(b.Context(), method, s.URL, from)
		if err != nil {
			b.Error(err)
			return
		}
		a, err := c.RoundTrip(r)
		if err != nil {
			b.Error(err)
			return
		}
		for err == nil {
			_, err = a.Body.Read(buf)
		}
		if !errors.Is(err, io.EOF) {
			b.Error(err)
		}
		a.Body.Close()
	}
	for b.Loop() {
		for i, c := range clients {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			var g sync.WaitGroup
			for range wide {
				g.Go(func() {
					buf := make([]byte, 32<<10)
					for range each {
						one(c, buf)
					}
				})
			}
			g.Wait()
			took[i] = append(took[i], float64(time.Since(began))/float64(wide*each))
			runtime.ReadMemStats(&after)
			objects[i] = append(objects[i], float64(after.Mallocs-before.Mallocs)/float64(wide*each))
		}
	}
	ratios := make([]float64, len(took[0]))
	for i := range ratios {
		ratios[i] = took[1][i] / took[0][i]
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(took[0])/1e3, "transport-µs")
	b.ReportMetric(median(took[1])/1e3, "ours-µs")
	b.ReportMetric(median(ratios), "x-transport")
	b.ReportMetric(median(objects[1])-median(objects[0]), "allocs-more")
}

func smallAnswer(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header()["Content-Type"] = []string{"application/json; charset=utf-8"}
	_, _ = io.WriteString(w, `{"models":[{"name":"llama3:latest","model":"llama3:latest","size":4661224676}]}`)
}

func chat() io.Reader {
	return strings.NewReader(`{"model":"llama3","messages":[{"role":"user","content":"Why is the sky blue?"}]}`)
}

func BenchmarkSmallGet(b *testing.B)  { versus(b, smallAnswer, "GET", nil, 1, 200) }
func BenchmarkSmallPost(b *testing.B) { versus(b, smallAnswer, "POST", chat, 1, 200) }
func BenchmarkPost32(b *testing.B)    { versus(b, smallAnswer, "POST", chat, 32, 20) }

func BenchmarkStreamOf64(b *testing.B) {
	versus(b, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header()["Content-Type"] = []string{"application/x-ndjson"}
		for range 64 {
			_, _ = io.WriteString(w, `{"model":"llama3","message":{"role":"assistant","content":"x"},"done":false}`+"\n")
			w.(http.Flusher).Flush()
		}
	}, "POST", chat, 4, 10)
}

func BenchmarkMegabyteAnswer(b *testing.B) {
	answer := make([]byte, 1<<20)
	versus(b, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header()["Content-Length"] = []string{strconv.Itoa(len(answer))}
		_, _ = w.Write(answer)
	}, "POST", chat, 4, 10)
}

func BenchmarkHalfMegabytePost(b *testing.B) {
	body := make([]byte, 512<<10)
	versus(b, smallAnswer, "POST", func() io.Reader { return bytes.NewReader(body) }, 4, 10)
}

func BenchmarkUploadOf100MiB(b *testing.B) {
	body := make([]byte, 100<<20)
	versus(b, smallAnswer, "POST", func() io.Reader { return onlyReader{bytes.NewReader(body)} }, 1, 1)
}
