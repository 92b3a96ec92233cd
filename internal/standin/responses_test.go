package standin

import (
	"fmt"
	"testing"
)

func TestResponsesStream(t *testing.T) {
	s := New(Options{Reply: "one two"})
	w := ask(t, s, "POST", "/v1/responses", object{"model": "demo", "stream": true, "instructions": "be short", "input": []object{
		{"role": "user", "content": []object{{"type": "input_text", "text": "hello there"}}},
	}})
	for k, v := range map[string]string{"Content-Type": "text/event-stream", "Cache-Control": "no-cache", "Connection": "keep-alive"} {
		if w.Header().Get(k) != v {
			t.Errorf("%s: %q", k, w.Header().Get(k))
		}
	}
	all := events(t, w.Body.String())
	var names []string
	for i, e := range all {
		names = append(names, e.name)
		if o := parse(t, e.data); o["type"] != e.name || o["sequence_number"] != float64(i) {
			t.Errorf("event %d: %s", i, e.data)
		}
	}
	want := "[response.created response.in_progress response.output_item.added response.content_part.added " +
		"response.output_text.delta response.output_text.delta response.output_text.done response.content_part.done " +
		"response.output_item.done response.completed]"
	if fmt.Sprint(names) != want {
		t.Errorf("%v", names)
	}
	last := parse(t, all[len(all)-1].data)["response"].(object)
	if last["status"] != "completed" || last["instructions"] != "be short" || last["usage"].(object)["total_tokens"] != 6.0 || outputOf(last) != "one two" {
		t.Errorf("%v", last)
	}
}

func TestResponsesWhole(t *testing.T) {
	s := New(Options{Reply: "one two"})
	w := ask(t, s, "POST", "/v1/responses", object{"model": "demo", "input": "x", "max_output_tokens": 1, "reasoning": object{"effort": "low"}})
	o := parse(t, w.Body.String())
	if outputOf(o) != "one" || o["usage"].(object)["output_tokens"] != 1.0 || o["max_output_tokens"] != 1.0 || o["reasoning"].(object)["effort"] != "low" {
		t.Errorf("%s", w.Body)
	}
	if w := ask(t, s, "POST", "/v1/responses", object{"model": "demo"}); outputOf(parse(t, w.Body.String())) != "" {
		t.Errorf("%s", w.Body)
	}
}

func outputOf(response object) any {
	return response["output"].([]any)[0].(object)["content"].([]any)[0].(object)["text"]
}
