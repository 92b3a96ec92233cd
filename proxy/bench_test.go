package proxy

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"paddock/requestlog"
)

// The benchmarks measure the gate as a ratio to a direct call, and beside it
// httputil.ReverseProxy with the same transport, which checks and counts
// nothing. The three take turns within each round, so that a busy machine is
// busy for all of them; figures are medians over the rounds.

// lane is one way to reach the bench's Ollama.
type lane struct {
	name, addr string
	took       []float64 // of each round
}

// lanes opens the three ways.
func lanes(b *testing.B, handler http.HandlerFunc) []*lane {
	b.Helper()
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.UserAgent() == gateAgent {
			_, _ = io.WriteString(w, `{"models":[{"name":"llama3:latest"}]}`)
			return
		}
		handler(w, r)
	}))
	b.Cleanup(upstream.Close)
	u, err := url.Parse(upstream.URL)
	if err != nil {
		b.Fatal(err)
	}
	serve := func(h http.Handler) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		v := NewServer(h)
		go func() { _ = v.Serve(l) }()
		b.Cleanup(func() { v.Close() })
		return l.Addr().String()
	}
	plainTransport, own := newOther(), NewTransport()
	b.Cleanup(plainTransport.CloseIdleConnections)
	b.Cleanup(own.CloseIdleConnections)
	reverse := &httputil.ReverseProxy{ErrorLog: NewServer(nil).ErrorLog, Transport: plainTransport, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(u) }}
	log := requestlog.New(requestlog.DefaultKept)
	_, stop := log.Watch() // as when the log window is open
	b.Cleanup(stop)
	gate := New(Config{Keys: newPeople(), Log: log, Host: ours, Upstream: Upstream{URL: u}, Transport: own, Choices: Choices{AllowHTTP: true, Running: 100_000, Waiting: 100_000}})
	return []*lane{{name: "direct", addr: u.Host}, {name: "reverseproxy", addr: serve(readFirst(reverse))}, {name: "gate", addr: serve(gate)}}
}

// readFirst reads bodies before the plain proxy gets them. Without it that one
// cuts so many answers (golang/go#40747) that there is nothing to measure.
func readFirst(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > 0 {
			b, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(b))
		}
		next.ServeHTTP(w, r)
	})
}

// wire is a client that costs next to nothing: one connection, one request at a
// time, answers with a length or in chunks.
type wire struct {
	c net.Conn
	r *bufio.Reader
}

func (l *lane) dial(b *testing.B) *wire {
	b.Helper()
	c, err := net.Dial("tcp", l.addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	return &wire{c, bufio.NewReaderSize(c, 64<<10)}
}

// head sends a request and reads up to the body.
func (w *wire) head(request []byte) (length int, err error) {
	if _, err := w.c.Write(request); err != nil {
		return 0, err
	}
	length = -1
	for first := true; ; first = false {
		line, err := w.r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if first && !bytes.Contains(line, []byte(" 200 ")) {
			return 0, fmt.Errorf("answered %q", line)
		}
		if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length, _ = strconv.Atoi(string(bytes.TrimSpace(v)))
		}
		if len(line) == 2 {
			return length, nil
		}
	}
}

func (w *wire) call(request []byte) error {
	n, err := w.head(request)
	if err != nil {
		return err
	}
	if n >= 0 {
		_, err = w.r.Discard(n)
		return err
	}
	for {
		line, err := w.r.ReadSlice('\n')
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 32)
		if err != nil {
			return err
		}
		if _, err := w.r.Discard(int(n) + 2); err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
	}
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// report says how the others compare with the direct way, round by round.
func report(b *testing.B, ls []*lane, unit string, scale float64) {
	b.Helper()
	direct := slices.Clone(ls[0].took)
	for _, l := range ls {
		ratios := make([]float64, len(direct))
		for i := range direct {
			ratios[i] = l.took[i] / direct[i]
		}
		b.ReportMetric(median(slices.Clone(l.took))/scale, l.name+"-"+unit)
		if l != ls[0] {
			b.ReportMetric(median(ratios), l.name+"-x-direct")
		}
	}
	b.ReportMetric(0, "ns/op")
}

func small(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header()["Content-Type"] = []string{"application/json; charset=utf-8"}
	_, _ = io.WriteString(w, `{"models":[{"name":"llama3:latest","model":"llama3:latest","size":4661224676}]}`)
}

// Latency of one small request, one after the other.
func BenchmarkSmallRequest(b *testing.B) {
	for _, c := range []struct{ name, text string }{{"look", get("/api/tags", asUser)}, {"use", post("/api/chat", asUser, chat)}} {
		b.Run(c.name, func(b *testing.B) {
			ls := lanes(b, small)
			request := []byte(c.text)
			wires := make([]*wire, len(ls))
			for i, l := range ls {
				wires[i] = l.dial(b)
			}
			const each = 100
			for b.Loop() {
				for i, l := range ls {
					var took [each]float64
					for k := range each {
						began := time.Now()
						if err := wires[i].call(request); err != nil {
							b.Fatal(l.name, err)
						}
						took[k] = float64(time.Since(began))
					}
					l.took = append(l.took, median(took[:]))
				}
			}
			report(b, ls, "µs", 1e3)
		})
	}
}

// Requests a second at 64 connections: the metric is µs a request, so that the
// ratio reads as in the other benchmarks.
func BenchmarkThroughput64(b *testing.B) {
	const connections, each = 64, 20
	ls := lanes(b, small)
	request := []byte(post("/api/chat", asUser, chat))
	wires := make([][]*wire, len(ls))
	for i, l := range ls {
		for range connections {
			wires[i] = append(wires[i], l.dial(b))
		}
	}
	for b.Loop() {
		for i, l := range ls {
			var g sync.WaitGroup
			began := time.Now()
			for _, w := range wires[i] {
				g.Go(func() {
					for range each {
						if err := w.call(request); err != nil {
							b.Error(l.name, err)
							return
						}
					}
				})
			}
			g.Wait()
			l.took = append(l.took, float64(time.Since(began))/connections/each)
		}
	}
	report(b, ls, "µs", 1e3)
	b.ReportMetric(1e9/median(ls[2].took), "gate-requests/s")
}

// How long after the question the first token is there, while Ollama has not
// said the second one.
func BenchmarkFirstToken(b *testing.B) {
	more := make(chan struct{})
	ls := lanes(b, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header()["Content-Type"] = []string{"application/x-ndjson"}
		_, _ = io.WriteString(w, token)
		w.(http.Flusher).Flush()
		<-more
		_, _ = io.WriteString(w, final)
	})
	request := []byte(post("/api/chat", asUser, chat))
	wires := make([]*wire, len(ls))
	for i, l := range ls {
		wires[i] = l.dial(b)
	}
	const each = 40
	for b.Loop() {
		for i, l := range ls {
			var took [each]float64
			for k := range each {
				began := time.Now()
				if _, err := wires[i].head(request); err != nil {
					b.Fatal(l.name, err)
				}
				if _, err := wires[i].r.ReadSlice('{'); err != nil {
					b.Fatal(l.name, err)
				}
				took[k] = float64(time.Since(began))
				if _, err := wires[i].r.ReadSlice('\n'); err != nil {
					b.Fatal(l.name, err)
				}
				more <- struct{}{}
				for _, end := range []string{"\n", "\n", "\n", "\n", "\n"} { // chunk end, size, line, chunk end, last size
					if _, err := wires[i].r.ReadSlice(end[0]); err != nil {
						b.Fatal(l.name, err)
					}
				}
				if _, err := wires[i].r.ReadSlice('\n'); err != nil {
					b.Fatal(l.name, err)
				}
			}
			l.took = append(l.took, median(took[:]))
		}
	}
	report(b, ls, "µs", 1e3)
}

// What one request allocates in the gate, transport included: all that the
// program allocates less what it does for a direct call.
func BenchmarkAllocations(b *testing.B) {
	for _, c := range []struct{ name, text string }{{"look", get("/api/tags", asUser)}, {"use", post("/api/chat", asUser, chat)}, {"refused", get("/api/tags", host)}} {
		b.Run(c.name, func(b *testing.B) {
			ls := lanes(b, small)
			request := []byte(c.text)
			const each = 200
			var objects, size [3][]float64
			wires := make([]*wire, len(ls))
			for i, l := range ls {
				wires[i] = l.dial(b)
			}
			for b.Loop() {
				for i, l := range ls {
					var before, after runtime.MemStats
					runtime.ReadMemStats(&before)
					for range each {
						if err := wires[i].call(request); err != nil && c.name != "refused" {
							b.Fatal(l.name, err)
						} else if err != nil {
							wires[i].skip()
						}
					}
					runtime.ReadMemStats(&after)
					objects[i] = append(objects[i], float64(after.Mallocs-before.Mallocs)/each)
					size[i] = append(size[i], float64(after.TotalAlloc-before.TotalAlloc)/each)
				}
			}
			base, baseSize := median(objects[0]), median(size[0])
			for i, l := range ls[1:] {
				b.ReportMetric(median(objects[i+1])-base, l.name+"-allocs")
				b.ReportMetric((median(size[i+1])-baseSize)/1024, l.name+"-KiB")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// skip drops the rest of an answer that was not 200.
func (w *wire) skip() {
	n := 0
	for {
		line, err := w.r.ReadSlice('\n')
		if err != nil || len(line) == 2 {
			break
		}
		if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			n, _ = strconv.Atoi(string(bytes.TrimSpace(v)))
		}
	}
	_, _ = w.r.Discard(n)
}

// Answers of a megabyte, four at a time.
func BenchmarkMegabyteAnswer(b *testing.B) {
	const size = 1 << 20
	answer := []byte(`{"embedding":"` + string(bytes.Repeat([]byte("x"), size-16)) + `"}`)
	ls := lanes(b, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header()["Content-Type"] = []string{"application/json"}
		w.Header()["Content-Length"] = []string{strconv.Itoa(len(answer))}
		_, _ = w.Write(answer)
	})
	request := []byte(post("/api/embed", asUser, chat))
	wires := make([][]*wire, len(ls))
	for i, l := range ls {
		for range 4 {
			wires[i] = append(wires[i], l.dial(b))
		}
	}
	for b.Loop() {
		for i, l := range ls {
			var g sync.WaitGroup
			began := time.Now()
			for _, w := range wires[i] {
				g.Go(func() {
					for range 4 {
						if err := w.call(request); err != nil {
							b.Error(l.name, err)
							return
						}
					}
				})
			}
			g.Wait()
			l.took = append(l.took, float64(time.Since(began))/16)
		}
	}
	report(b, ls, "µs", 1e3)
}
