package control

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestLines(t *testing.T) {
	long := strings.Repeat("x", maxLine-1)
	for in, want := range map[string]string{"a\nb\n": "a", "a\r\n": "a", "\n": "", long + "\n": long} {
		for name, r := range map[string]io.Reader{"at once": strings.NewReader(in), "in halves": iotest.HalfReader(strings.NewReader(in))} {
			if got, err := readLine(bufio.NewReader(r)); err != nil || string(got) != want {
				t.Errorf("%s: %.10q gives %.10q, %v", name, in, got, err)
			}
		}
	}
	for in, want := range map[string]error{"": io.EOF, "a": io.ErrUnexpectedEOF, long + "x\n": errLine, long + "xx": errLine} {
		if got, err := readLine(bufio.NewReader(strings.NewReader(in))); !errors.Is(err, want) {
			t.Errorf("%.10q gives %.10q, %v; want %v", in, got, err, want)
		}
	}
	broken := errors.New("broken")
	if _, err := readLine(bufio.NewReader(iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	for _, in := range []string{
		"", "{}", "[]", "null", `{"event":1,"result":2}`, `{"result":1,"error":{"code":"x"}}`, `{"error":null}`, `{"error":5}`, `{"other":1}`, `{"result":1}x`,
	} {
		if a, err := parseAnswer([]byte(in)); err == nil {
			t.Errorf("%s is taken for %+v", in, a)
		}
	}
	for _, in := range []string{`{"result":null}`, `{"event":null}`, `{"result":1,"new":true}`, `{"error":{}}`} {
		if _, err := parseAnswer([]byte(in)); err != nil {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func FuzzRequest(f *testing.F) {
	for _, s := range []string{`{"op":"echo","args":{"a":1}}`, `{"OP":"x","op":"y"}`, `{}`, `null`, `{"op":"x","args":null}`, "{\"op\":\"\\n\"}"} {
		f.Add([]byte(s + "\n"))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		line, err := readLine(bufio.NewReader(iotest.OneByteReader(bytes.NewReader(data))))
		if err != nil {
			return
		}
		q, err := parseRequest(line)
		if err != nil {
			return
		}
		if q.Op == "" || len(q.Args) > 0 && !json.Valid(q.Args) {
			t.Fatalf("%q became %+v", line, q)
		}
		sent, err := encode(q)
		if err != nil {
			return // near the limit, quoting makes it longer
		}
		if bytes.Count(sent, []byte("\n")) != 1 {
			t.Fatalf("%q is sent as more than one line: %q", line, sent)
		}
		again, err := parseRequest(sent)
		if err != nil || again.Op != q.Op {
			t.Fatalf("%q is read again as %+v, %v", sent, again, err)
		}
	})
}

func FuzzAnswer(f *testing.F) {
	for _, s := range []string{`{"event":1}`, `{"result":null}`, `{"error":{"code":"c","message":"m"}}`, `{"error":[]}`, `{"event":{},"event":{}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		a, err := parseAnswer(line)
		if err != nil {
			return
		}
		sent, err := encode(a)
		if err != nil {
			return
		}
		again, err := parseAnswer(sent)
		if err != nil || (again.Error == nil) != (a.Error == nil) || (again.Event == nil) != (a.Event == nil) {
			t.Fatalf("%q is read again as %+v, %v", sent, again, err)
		}
	})
}
