//go:build linux

package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"
)

func TestTheMedianLeavesOutRoundsWithoutAFigure(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want float64
		ok   bool
	}{
		{nil, 0, false},
		{[]float64{math.NaN()}, 0, false},
		{[]float64{3}, 3, true},
		{[]float64{3, 1}, 2, true},
		{[]float64{9, math.NaN(), 1, 2}, 2, true},
	} {
		if got, ok := median(c.in); got != c.want || ok != c.ok {
			t.Errorf("median(%v) = %v %v, want %v %v", c.in, got, ok, c.want, c.ok)
		}
	}
}

func TestQuantilesComeFromTheSortedValues(t *testing.T) {
	v := []float64{5, 1, 4, 2, 3}
	for q, want := range map[float64]float64{0: 1, 0.5: 3, 0.99: 5, 1: 5} {
		if got := quantile(v, q); got != want {
			t.Errorf("quantile %v = %v, want %v", q, got, want)
		}
	}
	if quantile(nil, 0.5) != 0 {
		t.Error("a quantile of nothing is something")
	}
}

func TestRatiosAreOfOneRound(t *testing.T) {
	l := &lab{book: newBook(3), o: options{rounds: 3}}
	for round, v := range []struct{ caddy, paddock float64 }{{10, 20}, {100, 300}, {0, 5}} {
		l.book.round = round
		l.book.put("get-32-rps", &target{name: caddy}, v.caddy)
		l.book.put("get-32-rps", &target{name: paddock}, v.paddock)
	}
	if got := spread(l.book.ratios("get-32-rps", paddock, caddy)); got != "2.50 [2.00–3.00]" {
		t.Errorf("the ratios read %s; dividing by nothing must be left out", got)
	}
	met := map[string]string{}
	for _, row := range l.verdicts() {
		met[row[0]] = row[3]
	}
	if met["requests a second at 32 connections, of Caddy's"] != "yes" || met["beyond: requests a second at 32 connections, of Caddy's"] != "**no**" {
		t.Errorf("the verdicts are %v", met)
	}
	if met["memory, idle"] != "not measured" || met["requests a second at 32 connections over TLS, of Caddy's"] != "not measured" {
		t.Errorf("what was not measured reads %v", met)
	}
}

func TestLossesAreNeverAveragedAway(t *testing.T) {
	l := &lab{book: newBook(3), o: options{rounds: 3}}
	p := &target{name: paddock}
	for round, lost := range []float64{0, 1, 0} {
		l.book.round = round
		l.book.put("cancel-missed", p, lost)
	}
	l.book.count(p, 100, 1, "cut short")
	for _, row := range l.verdicts() {
		if (strings.HasPrefix(row[0], "left callers") || strings.HasPrefix(row[0], "answers lost")) && (row[2] != "1" || row[3] != "**no**") {
			t.Errorf("one loss reads %v", row)
		}
	}
	if text := l.text(); !strings.Contains(text, "1 of 100") || !strings.Contains(text, "cut short") {
		t.Errorf("the loss is not told:\n%s", text)
	}
}

func TestFreshTablesTakeThePlaceOfTheOldOnes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "doc.md")
	if err := os.WriteFile(file, []byte("before\n"+beginMark+"old\n"+endMark+"after\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 { // twice is as once
		if err := replace(file, "new\n"); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(file)
		if want := "before\n" + beginMark + "\nnew\n\n" + endMark + "after\n"; err != nil || string(got) != want {
			t.Fatalf("%q, want %q", got, want)
		}
	}
	if err := os.WriteFile(file, []byte("no marks\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if replace(file, "new\n") == nil {
		t.Error("a document without a place for the tables was taken")
	}
}

func TestProcessorTimeIsReadBehindAnyName(t *testing.T) {
	stat := "42 (a ) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 150 50 7 8 20 0 5 0 12345 1000 200"
	if got, err := statTime([]byte(stat)); err != nil || got != 2*time.Second {
		t.Errorf("%v %v, want 2s", got, err)
	}
	for _, bad := range []string{"", "42 (x) S 1", "42 (x) S 1 1 1 1 1 1 1 1 1 1 a b"} {
		if _, err := statTime([]byte(bad)); err == nil {
			t.Errorf("%q was understood", bad)
		}
	}
	if _, err := rollup([]byte("Rss:  2048 kB\nPss: 1024 kB\n"), "Shared:"); err == nil {
		t.Error("a field that is not there was read")
	}
	if got, err := rollup([]byte("header [rollup]\nRss:  2048 kB\nPss: 1024 kB\n"), "Pss:"); err != nil || got != 1024 {
		t.Errorf("%v %v", got, err)
	}
}

func TestWhatWrkSaysIsRead(t *testing.T) {
	out := "Running 1s test\nBENCH {\"requests\":200,\"us\":1000000,\"connect\":1,\"read\":2,\"write\":0,\"status\":3,\"timeout\":0,\"p50\":25,\"p99\":80}\n"
	s, err := readWrk(out)
	if err != nil || s.rps() != 200 || s.lost() != 6 || s.P99 != 80 {
		t.Errorf("%+v %v", s, err)
	}
	if _, err := readWrk("Running 1s test\n"); err == nil {
		t.Error("silence was understood")
	}
}

func TestTokensCarryTheirTime(t *testing.T) {
	if at, ok := stamp([]byte(`{"model":"bench","message":{"role":"assistant","content":"123456 "},"done":false}`)); !ok || at != 123456 {
		t.Errorf("%d %v", at, ok)
	}
	for _, line := range [][]byte{answer, []byte("{}"), []byte(`{"content":"x","done":false}`)} {
		if _, ok := stamp(line); ok {
			t.Errorf("%s was taken for a token", line)
		}
	}
}

func TestAnAnswerThatEndsEarlyIsNone(t *testing.T) {
	for _, c := range []struct {
		name, said string
		whole      bool
	}{
		{"a whole one", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd", true},
		{"one shorter than its length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcd", false},
		{"one whose last chunk is missing", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n", false},
		{"chunks to their end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n", true},
		{"nothing", "", false},
	} {
		ours, theirs := net.Pipe()
		go func() {
			_, _ = bufio.NewReader(theirs).ReadString('\n')
			_, _ = io.WriteString(theirs, c.said)
			theirs.Close()
		}()
		w := &wire{ours, bufio.NewReader(ours)}
		_, n, err := w.do([]byte("GET / HTTP/1.1\n"))
		if (err == nil) != c.whole || c.whole && n != 4 {
			t.Errorf("%s: %d bytes, %v", c.name, n, err)
		}
		w.close()
	}
}

func TestTheTemplatesHoldAllKeys(t *testing.T) {
	keys := inventKeys()
	for _, name := range []string{"nginx.conf.tmpl", "Caddyfile.tmpl"} {
		var out bytes.Buffer
		config, err := template.ParseFS(templates, name)
		if err == nil {
			err = config.Option("missingkey=error").Execute(&out, map[string]any{
				"Dir": "d", "Log": "l", "Listen": "a", "ListenTLS": "b", "ListenRoomy": "c", "Upstream": "u",
				"Keys": keys.good, "Root": true, "Cert": "cert", "Key": "key", "Files": 1024,
			})
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range keys.good {
			if !strings.Contains(out.String(), `"Bearer `+key+`"`) {
				t.Errorf("%s lacks a key", name)
			}
		}
	}
}

func TestWhatTheTerminalLogLeftOutIsCounted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "err")
	if err := os.WriteFile(file, []byte("hello\n(1 request not shown)\n(120 requests not shown)\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := leftOut(file); got != 121 {
		t.Errorf("%d, want 121", got)
	}
}

func TestWhatOthersTookOfTheMachineIsTold(t *testing.T) {
	stat := []byte("cpu  100 20 30 4000 5 6 7 50 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n")
	busy, stolen, err := machineTime(stat)
	if err != nil || busy != 1500*time.Millisecond || stolen != 500*time.Millisecond {
		t.Fatalf("%v %v %v", busy, stolen, err)
	}
	for _, bad := range []string{"", "cpu 1 2", "intr 1 2 3 4 5 6 7 8 9", "cpu a b c d e f g h"} {
		if _, _, err := machineTime([]byte(bad)); err == nil {
			t.Errorf("%q was understood", bad)
		}
	}
	began := time.Unix(1000, 0)
	was := noise{began: began}
	for _, c := range []struct {
		busy, own, stolen time.Duration
		want              string
	}{
		{10 * time.Second, 10 * time.Second, 0, "Other programs took 0 % of the processors meanwhile, other machines 0 %."},
		{10 * time.Second, 11 * time.Second, 0, "Other programs took 0 % of the processors meanwhile, other machines 0 %."},
		{14 * time.Second, 10 * time.Second, 2 * time.Second, "Other programs took 20 % of the processors meanwhile, other machines 10 %: it was noisy."},
	} {
		now := noise{began: began.Add(10 * time.Second), busy: c.busy, own: c.own, stolen: c.stolen}
		if got := now.since(was, 2); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestAHandshakeIsWithTheTargetsOwnAuthority(t *testing.T) {
	dir := t.TempDir()
	cert, key, roots, err := certificate(dir)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil || len(pair.Certificate) != 2 {
		t.Fatalf("%d certificates, %v; want a leaf and its authority", len(pair.Certificate), err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Second, ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello")
	})}
	go func() {
		_ = server.Serve(tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}))
	}()
	t.Cleanup(func() { server.Close() })

	theirs := &target{name: caddy, secure: l.Addr().String(), roots: x509.NewCertPool(), ring: ring{good: []string{"key"}}}
	if _, err := dialTLS(theirs.secure, "", theirs.tls(nil)); err == nil {
		t.Error("a certificate of nobody's was taken")
	}
	theirs.roots = roots
	for _, resumed := range []bool{false, true} {
		b := &lab{book: newBook(1)}
		n, err := b.greet(t.Context(), theirs, resumed, time.Now().Add(100*time.Millisecond))
		if err != nil || n < 2 || b.book.asked[caddy] != n || b.book.lost[caddy] != 0 {
			t.Errorf("resumed %t: %d handshakes, %d of %d lost, %v", resumed, n, b.book.lost[caddy], b.book.asked[caddy], err)
		}
	}
}
