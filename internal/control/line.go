package control

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxLine bounds a line in bytes, in either direction. What is longer is sent
// as several events.
const maxLine = 1 << 20

var errLine = errors.New("the line is longer than 1 MiB")

// request is what a client asks.
type request struct {
	Op   string          `json:"op"`
	Args json.RawMessage `json:"args,omitempty"`
}

// answer is one line back: exactly one member is set.
type answer struct {
	Event  json.RawMessage `json:"event,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  *problem        `json:"error,omitempty"`
}

type problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// readLine returns one line without its end. A line that ends with the stream
// is cut off, and so no line.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > maxLine {
			return nil, errLine
		}
		line = append(line, part...)
		switch {
		case err == nil:
			return bytes.TrimRight(line, "\r\n"), nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(line) > 0:
			return nil, io.ErrUnexpectedEOF
		default:
			return nil, err
		}
	}
}

func parseRequest(line []byte) (request, error) {
	var q request
	if err := json.Unmarshal(line, &q); err != nil {
		return request{}, errors.New("the request is not one JSON object")
	}
	if q.Op == "" {
		return request{}, errors.New("the request names no op")
	}
	return q, nil
}

func parseAnswer(line []byte) (answer, error) {
	// A map tells a member that is null from one that is missing: null is a
	// fine result.
	var members map[string]json.RawMessage
	if err := json.Unmarshal(line, &members); err != nil {
		return answer{}, fmt.Errorf("reading the answer: %w", err)
	}
	a := answer{Event: members["event"], Result: members["result"]}
	if raw, has := members["error"]; has {
		if err := json.Unmarshal(raw, &a.Error); err != nil {
			return answer{}, fmt.Errorf("reading the answer: %w", err)
		}
	}
	set := 0
	for _, has := range []bool{a.Event != nil, a.Result != nil, a.Error != nil} {
		if has {
			set++
		}
	}
	if set != 1 {
		return answer{}, errors.New("reading the answer: it is not one of event, result and error")
	}
	return a, nil
}

// encode makes a line of v, its end included.
func encode(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if len(b)+1 > maxLine {
		return nil, errLine
	}
	return append(b, '\n'), nil
}
