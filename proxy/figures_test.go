package proxy

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// againstJSON compares the walker's figures with a slow and obvious reading of
// the same document. Members written with escapes or in other letter cases, and
// doubled members, are left aside: Ollama writes none.
func againstJSON(t *testing.T, text []byte) {
	if len(text) > 1<<16 || !json.Valid(text) || bytes.Contains(text, []byte(`\`)) {
		return
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil || doubledMember(text) {
		return
	}
	doc, ok := v.(map[string]any)
	if !ok {
		return
	}
	var want figures
	take := func(m map[string]any, name string, n *int64, has *bool) {
		if x, ok := m[name].(json.Number); ok {
			*n, *has = number([]byte(x), *n, *has)
		}
	}
	var w walker
	w.feed(text)
	// Several names lead to one figure, and the last one counts; the oracle
	// knows no order, so it speaks only when there is one.
	sources := 0
	count := func(m map[string]any, names ...string) {
		for _, n := range names {
			if _, ok := m[n]; ok {
				sources++
			}
		}
	}
	usage := func(m map[string]any) {
		u, _ := m["usage"].(map[string]any)
		take(u, "prompt_tokens", &want.in, &want.hasIn)
		take(u, "input_tokens", &want.in, &want.hasIn)
		take(u, "completion_tokens", &want.out, &want.hasOut)
		take(u, "output_tokens", &want.out, &want.hasOut)
		count(u, "prompt_tokens", "input_tokens", "completion_tokens", "output_tokens")
	}
	take(doc, "prompt_eval_count", &want.in, &want.hasIn)
	take(doc, "input_tokens", &want.in, &want.hasIn)
	take(doc, "eval_count", &want.out, &want.hasOut)
	take(doc, "eval_duration", &want.nanos, &want.hasNs)
	count(doc, "prompt_eval_count", "input_tokens", "eval_count")
	usage(doc)
	for _, holder := range []string{"message", "response"} {
		m, _ := doc[holder].(map[string]any)
		usage(m)
	}
	want.done = doc["done"] == true
	switch e := doc["error"].(type) {
	case string, map[string]any:
		want.errored = true
		_ = e
	}
	if s, ok := doc["type"].(string); ok {
		want.event = eventOf([]byte(s))
	}
	if list, ok := doc["choices"].([]any); ok {
		for _, c := range list {
			if m, ok := c.(map[string]any); ok {
				want.choice = true
				if _, ok := m["finish_reason"].(string); ok {
					want.finish = true
				}
			}
		}
	}
	got := w.figures
	if sources > 1 {
		got.in, got.out, got.hasIn, got.hasOut = want.in, want.out, want.hasIn, want.hasOut
	}
	if got != want || !w.closed {
		t.Fatalf("%s\n got %+v, closed %v\nwant %+v", text, got, w.closed, want)
	}
}

func doubledMember(text []byte) bool {
	d := json.NewDecoder(bytes.NewReader(text))
	var open []map[string]bool
	name := []bool{}
	for {
		tok, err := d.Token()
		if err != nil {
			return false
		}
		top := len(open) - 1
		switch v := tok.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				if top >= 0 {
					name[top] = open[top] != nil
				}
				var m map[string]bool
				if v == '{' {
					m = map[string]bool{}
				}
				open, name = append(open, m), append(name, m != nil)
			} else {
				open, name = open[:top], name[:top]
			}
			continue
		case string:
			if top >= 0 && name[top] {
				if open[top][v] {
					return true
				}
				open[top][v], name[top] = true, false
				continue
			}
		}
		if top >= 0 {
			name[top] = open[top] != nil
		}
	}
}

func TestFiguresAgainstEncodingJSON(t *testing.T) {
	for _, a := range answers {
		for line := range strings.SplitSeq(a.text, "\n") {
			line = strings.TrimSpace(strings.TrimPrefix(line, "data:"))
			againstJSON(t, []byte(line))
		}
	}
}
