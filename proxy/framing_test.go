package proxy

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"paddock/policy"
	"paddock/requestlog"
)

// strictFraming are the rows about heads that two readers could take for two
// different requests. net/http itself takes all of these that are bad here.
func strictFraming() []attack {
	bad := func(name, text string) attack { return attack{name, text, 400, policy.BadRequest, false} }
	good := func(name, text string) attack { return attack{name, text, 200, policy.Allowed, true} }
	chunked := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(chat), chat)
	folded := func(with string) string {
		return "GET /api/tags HTTP/1.1\r\n" + asUser + "X-Fold: a\r\n" + with + "b\r\n\r\n"
	}
	both := func(first, second string) string {
		return "POST /api/chat HTTP/1.1\r\n" + asUser + first + second + "\r\n" + chunked
	}
	length := fmt.Sprintf("Content-Length: %d\r\n", len(chunked))
	const coding = "Transfer-Encoding: chunked\r\n"
	whole := "GET /api/tags HTTP/1.1\r\n" + asUser + "\r\n"
	return []attack{
		bad("bare LF throughout", strings.ReplaceAll(whole, "\r\n", "\n")),
		bad("a bare LF behind the request line", strings.Replace(whole, "\r\n", "\n", 1)),
		bad("a bare LF behind the Host", strings.Replace(whole, "11435\r\n", "11435\n", 1)),
		bad("a bare LF behind the key", strings.Replace(whole, keyAlice+"\r\n", keyAlice+"\n", 1)),
		bad("a bare LF at the end of the head", strings.TrimSuffix(whole, "\r\n")+"\n"),
		bad("bare LF without a key", "GET /api/tags HTTP/1.1\n"+strings.ReplaceAll(host, "\r\n", "\n")+"\n"),
		bad("bare LF and a wrong key", "GET /api/tags HTTP/1.1\nHost: localhost\nx-api-key: x\n\n"),
		bad("bare LF with HTTP/1.0", "GET /api/tags HTTP/1.0\nHost: localhost\nx-api-key: "+keyAlice+"\n\n"),
		bad("bare LF that hides a header", "GET /api/tags HTTP/1.1\r\n"+asUser+"X-A: b\nX-Secret: 1\r\n\r\n"),
		bad("bare LF before a body", "POST /api/chat HTTP/1.1\r\n"+asUser+fmt.Sprintf("Content-Length: %d\n\r\n", len(chat))+chat),
		bad("a header folded with a blank", folded(" ")),
		bad("a header folded with a tab", folded("\t")),
		bad("a header folded with much", folded("  \t ")),
		bad("a header folded into nothing", "GET /api/tags HTTP/1.1\r\n"+asUser+"X-Fold: a\r\n \r\n\r\n"),
		bad("a folded length", "POST /api/chat HTTP/1.1\r\n"+asUser+fmt.Sprintf("Content-Length:\r\n %d\r\n\r\n", len(chat))+chat),
		bad("a folded coding", "POST /api/chat HTTP/1.1\r\n"+asUser+"Transfer-Encoding:\r\n chunked\r\n\r\n"+chunked),
		bad("a folded Host", "GET /api/tags HTTP/1.1\r\nHost:\r\n laptop.local\r\nx-api-key: "+keyAlice+"\r\n\r\n"),
		bad("a length and then chunks", both(length, coding)),
		bad("chunks and then a length", both(coding, length)),
		bad("a length and chunks in capitals", both(strings.ToUpper(length), strings.Replace(coding, "Transfer-Encoding", "TRANSFER-ENCODING", 1))),
		bad("a length and chunks in small letters", both(strings.ToLower(length), strings.ToLower(coding))),
		bad("a length of nothing and chunks", both("Content-Length: 0\r\n", coding)),
		bad("a length and chunks with headers between", both(length+"X-A: b\r\n", "X-B: c\r\n"+coding)),
		bad("a length and chunks without a key", "POST /api/chat HTTP/1.1\r\n"+host+length+coding+"\r\n"+chunked),
		bad("a length and chunks at a foreign method", strings.Replace(both(length, coding), "POST", "BREW", 1)),
		good("a header whose name begins like a length", both("Content-Length-X: 5\r\n", coding)),
		good("a header whose name ends like a length", both("X-Content-Length: 5\r\n", coding)),
		good("a header whose value is a length", both("X-A: Content-Length: 5\r\n", coding)),
		good("a header whose name ends like a coding", post("/api/chat", asUser+"X-Transfer-Encoding: chunked\r\n", chat)),
		good("a header with a very long name", get("/api/tags", asUser+"X-"+strings.Repeat("a", 300)+": b\r\n")),
		good("a header without a value", get("/api/tags", asUser+"X-A:\r\n")),
		good("a header with blanks behind it", get("/api/tags", asUser+"X-A: b \t \r\n")),
		good("LF in a body", post("/api/chat", asUser, "{\n \"model\":\n\t\"llama3\"\n}\n\n")),
		good("CRLF in a body", post("/api/chat", asUser, "\r\n{\r\n \"model\":\r\n \"llama3\"\r\n}\r\n\r\n")),
		good("a body that looks like a bad head", post("/api/chat", asUser, `{"model":"llama3","prompt":"GET / HTTP/1.1\nContent-Length: 1\nTransfer-Encoding: chunked\n folded\n\n"}`)),
		good("chunks with an extension", "POST /api/chat HTTP/1.1\r\n"+asUser+coding+"\r\n"+fmt.Sprintf("%x;a=b\r\n%s\r\n0\r\n\r\n", len(chat), chat)),
		{"a foreign host with bare LF", "GET /api/tags HTTP/1.1\nHost: evil.example\n\n", 421, policy.WrongHost, false},
		{"an empty line before the request", "\r\n" + whole, 400, "", false},
		{"a blank before the request", " " + whole, 400, "", false},
		{"a line that is no header", "GET /api/tags HTTP/1.1\r\n" + asUser + "hello\r\n\r\n", 400, "", false},
		{"a header without a name", "GET /api/tags HTTP/1.1\r\n" + asUser + ": hello\r\n\r\n", 400, "", false},
		{"a fold in the first header line", "GET /api/tags HTTP/1.1\r\n X: y\r\n" + asUser + "\r\n", 400, "", false},
		{"a CR alone between headers", "GET /api/tags HTTP/1.1\r\n" + asUser + "X: y\rZ: 1\r\n\r\n", 400, "", false},
		{"a length in words", "POST /api/chat HTTP/1.1\r\n" + asUser + "Content-Length: five\r\n\r\nhello", 400, "", false},
		{"a length in hex", "POST /api/chat HTTP/1.1\r\n" + asUser + "Content-Length: 0x5\r\n\r\nhello", 400, "", false},
		{"a length with a comma", "POST /api/chat HTTP/1.1\r\n" + asUser + "Content-Length: 5, 5\r\n\r\nhello", 400, "", false},
		{"a coding with a trailing comma", "POST /api/chat HTTP/1.1\r\n" + asUser + "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n", 501, "", false},
		{"gzip and chunks", "POST /api/chat HTTP/1.1\r\n" + asUser + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, "", false},
	}
}

// However a request is cut into packets, it is judged alike.
func TestSingleBytes(t *testing.T) {
	s := open(t, echo)
	n := 0
	for _, a := range append(strictFraming(), framing()...) {
		if len(a.text) > 2000 {
			continue
		}
		method, _, _ := strings.Cut(a.text, " ")
		c := s.dial()
		for i := range len(a.text) {
			if _, err := io.WriteString(c, a.text[i:i+1]); err != nil {
				break // it was refused by now
			}
		}
		got := s.answer(c, bufio.NewReader(c), method)
		c.Close()
		if got.status != a.status && !(got.err != nil && a.reason == "") {
			t.Errorf("%s: %d %v, want %d", a.name, got.status, got.err, a.status)
		}
		if a.reason == "" {
			continue
		}
		n++
		if e := s.last(n); e.Reason != a.reason {
			t.Errorf("%s: logged as %s", a.name, e.Reason)
		}
	}
}

// What is sent ahead lies in net/http's buffer before anybody watches for it. It
// is judged as net/http reads it, its rest is not taken for something bad, and
// what follows is watched again.
func TestAHeadThatWasSentAheadInPart(t *testing.T) {
	first, second := post("/api/chat", asUser, chat), post("/api/chat", asUser+"X-A: b\r\n", "{\n\n\"model\":\"llama3\"\n}")
	bad := "GET /api/tags HTTP/1.1\n" + asUser + "\r\n"
	// The gate answers the first request only when the rest may come.
	hold := make(chan chan struct{}, 1)
	s := open(t, func(w http.ResponseWriter, r *http.Request) {
		select {
		case c := <-hold:
			<-c
		default:
		}
		echo(w, r)
	})
	n := 0
	head := strings.Index(second, "\r\n\r\n") + 4
	cuts := []int{1, 2, 10, strings.Index(second, "\r\n") + 1, strings.Index(second, "\r\n") + 2, strings.Index(second, "Host:") + 5, strings.Index(second, "X-A") - 1, head - 3, head - 2, head - 1, head, head + 1, head + 2, len(second) - 1}
	for _, cut := range cuts {
		c := s.dial()
		r := bufio.NewReader(c)
		release := make(chan struct{})
		hold <- release
		_, _ = io.WriteString(c, first+second[:cut])
		until(t, "Ollama has the first", func() bool { return len(hold) == 0 })
		close(release)
		if got := s.answer(c, r, "POST"); got.status != 200 {
			t.Fatalf("cut at %d: %+v", cut, got)
		}
		_, _ = io.WriteString(c, second[cut:])
		if got := s.answer(c, r, "POST"); got.status != 200 {
			t.Errorf("cut at %d: %+v", cut, got)
		}
		n += 2
		s.entries(n)
		_, _ = io.WriteString(c, bad)
		if got := s.answer(c, r, "GET"); got.status != 400 {
			t.Errorf("cut at %d, and then a bad head: %+v", cut, got)
		}
		c.Close()
		n++
		s.entries(n)
	}
}

// A bare LF makes no two requests out of one, neither in a head, which is
// refused, nor in the chunks of a body, which net/http reads as it does: what
// passes is one request that the gate writes itself.
func TestBareLFSmugglesNothing(t *testing.T) {
	s := open(t, echo)
	got := s.send("GET", "GET /api/tags HTTP/1.1\nHost: localhost\nAuthorization: Bearer "+keyAlice+"\nX-Secret: 1\n\n")
	if got.status != 400 || s.seen.Load() != 0 {
		t.Errorf("%d, seen %d", got.status, s.seen.Load())
	}
	chunked := "POST /api/chat HTTP/1.1\r\n" + asUser + "Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\nGET /api/pull HTTP/1.1\r\n" + host + "\r\n"
	got = s.send("POST", chunked)
	if got.status != 400 && got.status != 200 {
		t.Errorf("%d", got.status)
	}
	until(t, "entries", func() bool { n, _ := s.log.Counts(); _, last, _ := s.log.Since(0, 0); return n == 0 && last >= 2 })
	all, _, _ := s.log.Since(0, 0)
	for _, e := range all[2:] {
		if e.Phase != 2 /* refused */ {
			t.Errorf("what stood behind the body passed: %+v", e)
		}
	}
}

// On a connection that is used again every head is watched.
func TestABadHeadBehindGoodOnes(t *testing.T) {
	s := open(t, echo)
	c := s.dial()
	defer c.Close()
	r := bufio.NewReader(c)
	var got []int
	for _, text := range []string{
		get("/api/tags", asUser), post("/api/chat", asUser, "{\n\"model\":\"llama3\"\n}"), get("/api/tags", asUser), strings.Replace(get("/api/tags", asUser), "\r\n", "\n", 1),
		get("/api/tags", asUser), "GET /api/tags HTTP/1.1\r\n" + asUser + "X: a\r\n b\r\n\r\n", get("/api/tags", asUser),
	} {
		_, _ = io.WriteString(c, text)
		got = append(got, s.answer(c, r, "GET").status)
	}
	if !slices.Equal(got, []int{200, 200, 200, 400, 200, 400, 200}) {
		t.Errorf("%v", got)
	}
	s.entries(7)
}

// A connection that nobody watches, such as one of another listener, is served
// as net/http serves it, and the methods that net/http looks for are there.
func TestStrictConnIsStillAConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	strict := Strict(l)
	dialled, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer dialled.Close()
	c, err := strict.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, ok := c.(interface{ NetConn() net.Conn }).NetConn().(*net.TCPConn); !ok {
		t.Error("the connection below is hidden")
	}
	if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadAll(dialled); err != nil {
		t.Error(err)
	}
	strict.Close()
	if _, err := strict.Accept(); err == nil {
		t.Error("a closed listener accepts")
	}
	pipe, _ := net.Pipe()
	defer pipe.Close()
	if err := (&strictConn{Conn: pipe}).CloseWrite(); err != nil {
		t.Error(err)
	}
	onState(pipe, http.StateNew)
}

// watchSimply looks at a whole head at once: what headWatch is to find in pieces.
func watchSimply(text []byte) (length int, bad bool) {
	length = len(text)
	lines := bytes.SplitAfter(text, []byte("\n"))
	at, names := 0, map[string]bool{}
	for i, line := range lines {
		at += len(line)
		ended := bytes.HasSuffix(line, []byte("\n"))
		content := bytes.ReplaceAll(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"), nil)
		if ended && !bytes.HasSuffix(line, []byte("\r\n")) && !(i == 0 && len(line) == 1) {
			bad = true
		}
		if i > 0 && len(content) > 0 {
			if content[0] == ' ' || content[0] == '\t' {
				bad = true
			}
			if name, _, found := bytes.Cut(content, []byte(":")); found {
				names[string(asciiLower(name))] = true
			}
		}
		if names["content-length"] && names["transfer-encoding"] {
			bad = true
		}
		if ended && len(content) == 0 {
			return at, bad
		}
	}
	return length, bad
}

func asciiLower(b []byte) []byte {
	b = bytes.Clone(b)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return b
}

// A head that is cut anywhere is judged as in one piece, and one whose lines all
// end in CRLF, without folds and with one framing, is never bad, even when only
// its rest is seen.
func FuzzHeadWatch(f *testing.F) {
	for _, rows := range [][]attack{strictFraming(), framing()} {
		for _, a := range rows {
			if len(a.text) < 1000 {
				f.Add([]byte(a.text), 7, 40)
			}
		}
	}
	f.Add([]byte("\n\n"), 0, 1)
	f.Add([]byte("GET / HTTP/1.1\r\n\r \r\nContent-Length:\r\nTransfer-Encoding:"), 3, 5)
	f.Fuzz(func(t *testing.T, text []byte, first, second int) {
		wantEnd, wantBad := watchSimply(text)
		for _, piece := range []int{len(text), 1, max(first%64, 1), max(second%64, 1)} {
			w := newHeadWatch()
			over, bad := false, false
			at := 0
			for at < len(text) && !over {
				end := min(at+max(piece, 1), len(text))
				var b bool
				over, b = w.feed(text[at:end])
				bad = bad || b
				at = end
			}
			if bad != wantBad {
				t.Fatalf("%q in pieces of %d: bad %v, want %v", text, piece, bad, wantBad)
			}
			if ended := wantEnd < len(text) || bytes.HasSuffix(text[:wantEnd], []byte("\n")) && over; over != ended {
				t.Fatalf("%q in pieces of %d: over %v at %d, want %v at %d", text, piece, over, at, ended, wantEnd)
			}
		}
		// The same as the value of a clean header, and only the rest of it seen.
		value := bytes.Map(func(r rune) rune {
			if r < ' ' || r > '~' {
				return 'x'
			}
			return r
		}, text)
		head := append(append([]byte("GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nX-A: "), value...), "\r\n\r\n"...)
		from := (first%len(head) + len(head)) % len(head)
		w := newHeadWatch()
		if over, bad := w.feed(append(head[from:], "1\n2\n content-length: 3\n\n"...)); bad || !over {
			t.Fatalf("%q is bad, or goes on into the body", head[from:])
		}
	})
}

// net/http hears of a client that leaves by reading one byte. A stray one behind
// the body, as old clients send a line end there, was all it read: the client left,
// and Ollama worked on for nobody.
func TestAStrayByteDoesNotHideThatTheClientLeft(t *testing.T) {
	came, left := make(chan struct{}, 1), make(chan struct{}, 1)
	s := open(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		came <- struct{}{}
		<-r.Context().Done()
		left <- struct{}{}
	})
	for i, stray := range []string{"\r\n", "G", "GET / HTTP/1.1\r\nHost: laptop.local\r\n\r\n"} {
		c := s.dial()
		if _, err := io.WriteString(c, post("/api/chat", asUser, chat)); err != nil {
			t.Fatal(err)
		}
		wait(t, "the request", came)
		if _, err := io.WriteString(c, stray); err != nil {
			t.Fatal(err)
		}
		c.Close()
		wait(t, "Ollama to know", left)
		if e := s.last(i + 1); e.CutBy != requestlog.CutByClient {
			t.Errorf("after %q: %+v", stray, e)
		}
	}
}

// What is sent ahead while a request runs is the next one, and is judged as strictly.
func TestWhatIsSentAheadIsTheNextRequest(t *testing.T) {
	answer := make(chan struct{})
	s := open(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			<-answer
		}
		echo(w, r)
	})
	for name, c := range map[string]struct {
		next   string
		status int
	}{
		"a good one":                   {get("/api/tags", asUser), 200},
		"a folded one":                 {get("/api/tags", asUser+"X-Fold: a\r\n b\r\n"), 400},
		"one with two kinds of length": {"POST /api/chat HTTP/1.1\r\n" + asUser + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
	} {
		conn := s.dial()
		r := bufio.NewReader(conn)
		before := s.seen.Load()
		if _, err := io.WriteString(conn, post("/api/chat", asUser, chat)); err != nil {
			t.Fatal(err)
		}
		until(t, "the first to run", func() bool { return s.seen.Load() > before })
		if _, err := io.WriteString(conn, c.next); err != nil {
			t.Fatal(err)
		}
		answer <- struct{}{}
		if got := s.answer(conn, r, "POST"); got.status != 200 {
			t.Errorf("%s: the first: %+v", name, got)
		}
		if got := s.answer(conn, r, "GET"); got.status != c.status {
			t.Errorf("%s: %+v", name, got)
		}
		conn.Close()
	}
	s.entries(6)
}
