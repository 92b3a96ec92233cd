package standin

import (
	"fmt"
	"testing"
)

func TestMessagesStream(t *testing.T) {
	s := New(Options{Reply: "one two three"})
	for _, c := range []struct {
		name   string
		limit  int
		deltas int
		reason string
	}{
		{"to its end", 100, 3, "end_turn"},
		{"to its limit", 2, 2, "max_tokens"},
	} {
		w := ask(t, s, "POST", "/v1/messages", object{"model": "demo", "max_tokens": c.limit, "stream": true, "system": "be short", "messages": hello})
		if w.Header().Get("Content-Type") != "text/event-stream" || w.Header().Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %v", c.name, w.Header())
		}
		all := events(t, w.Body.String())
		names := ""
		for _, e := range all {
			names += e.name + " "
			if parse(t, e.data)["type"] != e.name {
				t.Errorf("%s: %s", c.name, e.data)
			}
		}
		want := "message_start content_block_start "
		for range c.deltas {
			want += "content_block_delta "
		}
		if names != want+"content_block_stop message_delta message_stop " {
			t.Errorf("%s: %s", c.name, names)
		}
		if u := parse(t, all[0].data)["message"].(object)["usage"].(object); u["input_tokens"] != 5.0 {
			t.Errorf("%s: the estimate is a fourth of the letters: %v", c.name, u)
		}
		o := parse(t, all[len(all)-2].data)
		if o["delta"].(object)["stop_reason"] != c.reason || fmt.Sprint(o["usage"]) != fmt.Sprintf("map[input_tokens:4 output_tokens:%d]", c.deltas) {
			t.Errorf("%s: %v", c.name, o)
		}
	}
}

func TestMessagesWhole(t *testing.T) {
	s := New(Options{Reply: "one two three"})
	w := ask(t, s, "POST", "/v1/messages", object{"model": "demo", "max_tokens": 100, "stop_sequences": []string{" three"}, "messages": []object{
		{"role": "user", "content": []object{{"type": "text", "text": "hello there"}, {"type": "image", "source": object{"type": "base64", "data": "AA=="}}}},
	}})
	o := parse(t, w.Body.String())
	if o["content"].([]any)[0].(object)["text"] != "one two" || o["stop_reason"] != "end_turn" || o["role"] != "assistant" || o["type"] != "message" {
		t.Errorf("%s", w.Body)
	}
	if u := o["usage"].(object); u["input_tokens"] != 2.0 || u["output_tokens"] != 2.0 {
		t.Errorf("%v", u)
	}
}

func TestMessagesRefusals(t *testing.T) {
	s := New(Options{})
	for _, c := range []struct {
		body    object
		status  int
		kind    string
		message string
	}{
		{object{"max_tokens": 5, "messages": hello}, 400, "invalid_request_error", "model is required"},
		{object{"model": "demo", "messages": hello}, 400, "invalid_request_error", "max_tokens is required and must be positive"},
		{object{"model": "demo", "max_tokens": 5}, 400, "invalid_request_error", "messages is required"},
		{object{"model": "demo", "max_tokens": 5, "messages": []object{{"role": "user", "content": 3}}}, 400, "invalid_request_error", "invalid message content type: float64"},
		{object{"model": "demo", "max_tokens": 5, "messages": []object{{"role": "user", "content": []object{{"type": "image", "source": object{"type": "url"}}}}}}, 400, "invalid_request_error", "invalid image source type: url. Only base64 images are supported."},
		{object{"model": "nope", "max_tokens": 5, "messages": hello}, 404, "not_found_error", "model 'nope' not found"},
		{object{"model": "nope", "max_tokens": 5, "messages": hello, "stream": true}, 404, "not_found_error", "model 'nope' not found"},
	} {
		w := ask(t, s, "POST", "/v1/messages", c.body)
		o := parse(t, w.Body.String())
		e := o["error"].(object)
		if w.Code != c.status || o["type"] != "error" || e["type"] != c.kind || e["message"] != c.message || o["request_id"] == "" {
			t.Errorf("%v: %d %v", c.body, w.Code, o)
		}
	}
}
