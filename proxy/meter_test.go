package proxy

import (
	"strings"
	"testing"
	"time"

	"paddock/policy"
)

// reading is what a meter makes of an answer.
type reading struct {
	in, out  int64
	tokens   int64 // counted while it ran
	nanos    int64
	complete bool
	failed   bool
}

func measure(kind string, e policy.Endpoint, pieces ...string) reading {
	m := newMeter(kind, e)
	var r reading
	for _, p := range pieces {
		r.tokens += m.feed([]byte(p))
	}
	m.end()
	r.in, r.out, r.nanos, r.complete, r.failed = m.tokensIn, m.tokensOut, m.evalNanos, m.complete(), m.failed
	return r
}

const (
	ndjson = "application/x-ndjson"
	sse    = "text/event-stream"
	plain  = "application/json; charset=utf-8"
)

var use = policy.Endpoint{Class: policy.ClassUse}

func openAIChunk(inner string) string {
	return `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","model":"a","choices":[` + inner + `]}` + "\n\n"
}

const (
	openAIToken = `{"index":0,"delta":{"role":"assistant","content":"x"},"finish_reason":null}`
	openAIEnd   = `{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"stop"}`
	anthropic   = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"content\":[],\"usage\":{\"input_tokens\":11,\"output_tokens\":0}}}\n\n" +
		"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n" +
		"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"x\"}}\n\n" +
		"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"y\"}}\n\n" +
		"event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n" +
		"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":7}}\n\n"
	anthropicStop = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
	responses     = "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"status\":\"in_progress\",\"error\":null,\"usage\":null}}\n\n" +
		"event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"x\"}\n\n" +
		"event: response.output_text.done\ndata: {\"type\":\"response.output_text.done\",\"text\":\"x\"}\n\n"
	responsesEnd = "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\",\"error\":null,\"output\":[{\"type\":\"message\"}],\"usage\":{\"input_tokens\":11,\"input_tokens_details\":{\"cached_tokens\":5},\"output_tokens\":7,\"total_tokens\":18}}}\n\n"
)

// answers are whole and broken answers in all of Ollama's shapes.
var answers = []struct {
	name, kind, text string
	want             reading
}{
	{"a native stream", ndjson, token + token + token + final, reading{in: 11, out: 3, tokens: 3, nanos: 15e8, complete: true}},
	{"a native stream that breaks off", ndjson, token + token, reading{out: 2, tokens: 2}},
	{"a native stream that breaks off in its last line", ndjson, token + final[:40], reading{out: 1, tokens: 1}},
	{"a native stream without a line end", ndjson, token + strings.TrimSpace(final), reading{in: 11, out: 3, tokens: 1, nanos: 15e8, complete: true}},
	{"a native stream with CRLF and blank lines", ndjson, strings.ReplaceAll(token+"\n"+token+final, "\n", "\r\n"), reading{in: 11, out: 3, tokens: 2, nanos: 15e8, complete: true}},
	{"a native stream that fails", ndjson, token + `{"error":"runner died"}` + "\n", reading{out: 1, tokens: 1, complete: true, failed: true}},
	{"a native stream whose figures are left out when they are zero", ndjson, token + `{"done":true,"prompt_eval_count":4}` + "\n", reading{in: 4, out: 1, tokens: 1, complete: true}},
	{"a native answer in one piece", plain, `{"model":"a","message":{"content":"x"},"done":true,"eval_duration":1500000000,"eval_count":3,"prompt_eval_count":11}`, reading{in: 11, out: 3, nanos: 15e8, complete: true}},
	{"an answer with its context", plain, `{"response":"x","done":true,"context":[` + strings.Repeat("1234,", 50_000) + `1],"prompt_eval_count":11,"eval_count":3}`, reading{in: 11, out: 3, complete: true}},
	{"a line with its context", ndjson, token + `{"response":"x","done":true,"context":[` + strings.Repeat("1234,", 80_000) + `1],"prompt_eval_count":11,"eval_count":3}` + "\n", reading{in: 11, out: 3, tokens: 1, complete: true}},
	{"embeddings", plain, `{"model":"a","embeddings":[[` + strings.Repeat("0.25,-1e-3,", 9000) + `0]],"total_duration":9,"prompt_eval_count":11}`, reading{in: 11, complete: true}},
	{"OpenAI", sse, openAIChunk(openAIToken) + openAIChunk(openAIToken) + openAIChunk(openAIEnd) + "data: [DONE]\n\n", reading{out: 2, tokens: 2, complete: true}},
	{"OpenAI with its usage", sse, openAIChunk(openAIToken) + openAIChunk(openAIEnd) + `data: {"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18}}` + "\n\ndata: [DONE]\n\n", reading{in: 11, out: 7, tokens: 1, complete: true}},
	{"OpenAI with a usage of null in every chunk", sse, `data: {"choices":[` + openAIToken + `],"usage":null}` + "\n\ndata: [DONE]\n\n", reading{out: 1, tokens: 1, complete: true}},
	{"OpenAI with a usage in every chunk", sse, `data: {"choices":[` + openAIToken + `],"usage":{"prompt_tokens":11,"completion_tokens":1}}` + "\n\n" + `data: {"choices":[` + openAIToken + `],"usage":{"prompt_tokens":11,"completion_tokens":2}}` + "\n\ndata: [DONE]\n\n", reading{in: 11, out: 2, tokens: 2, complete: true}},
	{"OpenAI without a blank behind data:", sse, "data:{\"choices\":[" + openAIToken + "]}\n\ndata:[DONE]\n\n", reading{out: 1, tokens: 1, complete: true}},
	{"OpenAI with CRLF", sse, strings.ReplaceAll(openAIChunk(openAIToken)+"data: [DONE]\n\n", "\n", "\r\n"), reading{out: 1, tokens: 1, complete: true}},
	{"OpenAI that breaks off", sse, openAIChunk(openAIToken), reading{out: 1, tokens: 1}},
	{"OpenAI that fails", sse, openAIChunk(openAIToken) + `data: {"error":{"message":"x"}}` + "\n\n", reading{out: 1, tokens: 1, failed: true}},
	{"OpenAI in one piece", plain, `{"object":"chat.completion","choices":[{"message":{"content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18}}`, reading{in: 11, out: 7, complete: true}},
	{"OpenAI embeddings", plain, `{"object":"list","data":[{"embedding":[0.1]}],"usage":{"prompt_tokens":11,"total_tokens":11}}`, reading{in: 11, complete: true}},
	{"Anthropic", sse, anthropic + anthropicStop, reading{in: 11, out: 7, tokens: 2, complete: true}},
	{"Anthropic that breaks off", sse, anthropic, reading{in: 11, out: 7, tokens: 2}},
	{"Anthropic that fails", sse, "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\"}}\n\n", reading{failed: true}},
	{"Anthropic in one piece", plain, `{"type":"message","content":[{"type":"text","text":"x"}],"usage":{"input_tokens":11,"output_tokens":7}}`, reading{in: 11, out: 7, complete: true}},
	{"counted tokens", plain, `{"input_tokens":11}`, reading{in: 11, complete: true}},
	{"Responses", sse, responses + responsesEnd, reading{in: 11, out: 7, tokens: 1, complete: true}},
	{"Responses that break off", sse, responses, reading{out: 1, tokens: 1}},
	{"Responses that end early", sse, responses + strings.ReplaceAll(responsesEnd, "completed", "incomplete"), reading{in: 11, out: 7, tokens: 1, complete: true}},
	{"Responses that fail", sse, responses + "data: {\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"x\"}}}\n\n", reading{out: 1, tokens: 1, complete: true, failed: true}},
	{"Responses in one piece", plain, `{"object":"response","error":null,"output":[{"type":"message"}],"usage":{"input_tokens":11,"output_tokens":7}}`, reading{in: 11, out: 7, complete: true}},
	{"nothing", ndjson, "", reading{}},
	{"rubbish", ndjson, "}}}]]]{{{[[[\"\\\n\x00\xff:,:,\"", reading{}},
	{"rubbish in one piece", plain, strings.Repeat("{[", 5000) + `"eval_count":9` + strings.Repeat("}]", 9000), reading{complete: true}},

	// What a model says or puts into the arguments of a tool is not a figure.
	{"a model that states figures", ndjson, `{"message":{"content":"\"eval_count\":999,\"done\":true,{\"error\":1}"}}` + "\n" + `{"message":{"content":"\\"},"done":false}` + "\n" + final, reading{in: 11, out: 3, tokens: 2, nanos: 15e8, complete: true}},
	{"a tool whose arguments state figures", ndjson, `{"message":{"tool_calls":[{"function":{"name":"f","arguments":{"done":true,"eval_count":999,"error":"x","usage":{"output_tokens":999}}}}]},"done":false}` + "\n", reading{out: 1, tokens: 1}},
	{"such a tool in one piece", plain, `{"message":{"tool_calls":[{"function":{"arguments":{"eval_count":999,"output_tokens":999,"completion_tokens":999,"prompt_eval_count":999,"usage":{"output_tokens":999},"eval_duration":1}}}]},"done":true,"prompt_eval_count":11}`, reading{in: 11, complete: true}},
	{"a schema that states figures", plain, `{"response":"{\"eval_count\":999}","done":true,"prompt_eval_count":11,"eval_count":3}`, reading{in: 11, out: 3, complete: true}},
	{"an Anthropic tool in one piece", plain, `{"type":"message","content":[{"type":"tool_use","input":{"usage":{"output_tokens":999},"input_tokens":999,"error":"x"}}],"usage":{"input_tokens":11,"output_tokens":7}}`, reading{in: 11, out: 7, complete: true}},
	{"an OpenAI model that says it is done", sse, openAIChunk(`{"delta":{"content":"data: [DONE]\n\n{\"error\":1}","tool_calls":[{"function":{"arguments":"{\"usage\":{\"completion_tokens\":999}}"}}]},"finish_reason":null}`), reading{out: 1, tokens: 1}},
	{"figures that are no figures", plain, `{"eval_count":"999","prompt_eval_count":-5,"eval_duration":1e9,"usage":[{"output_tokens":9}],"message":{"usage":7}}`, reading{complete: true}},
	{"figures beyond all measure", plain, `{"eval_count":99999999999999999999,"prompt_eval_count":` + strings.Repeat("9", 5000) + `}`, reading{complete: true}},
}

func TestMeter(t *testing.T) {
	for _, a := range answers {
		if got := measure(a.kind, use, a.text); got != a.want {
			t.Errorf("%s:\n got %+v\nwant %+v", a.name, got, a.want)
		}
	}
}

// A packet may end anywhere.
func TestMeterAtEveryCut(t *testing.T) {
	for _, a := range answers {
		step := 1
		if len(a.text) > 4000 {
			step = len(a.text) / 20
		}
		for i := 0; i <= len(a.text); i += step {
			if got := measure(a.kind, use, a.text[:i], a.text[i:]); got != a.want {
				t.Fatalf("%s, cut at %d (%q | %q):\n got %+v\nwant %+v", a.name, i, a.text[max(0, i-9):i], a.text[i:min(i+9, len(a.text))], got, a.want)
			}
		}
		m := newMeter(a.kind, use)
		var r reading
		for i := range len(a.text) {
			r.tokens += m.feed([]byte{a.text[i]})
		}
		m.end()
		r.in, r.out, r.nanos, r.complete, r.failed = m.tokensIn, m.tokensOut, m.evalNanos, m.complete(), m.failed
		if r != a.want {
			t.Errorf("%s, byte by byte:\n got %+v\nwant %+v", a.name, r, a.want)
		}
	}
}

func TestMeterOfWhatIsNoInference(t *testing.T) {
	manage := policy.Endpoint{Class: policy.ClassManage}
	if got := measure(ndjson, manage, `{"status":"pulling"}`+"\n"+`{"status":"success"}`+"\n"); got != (reading{complete: true}) {
		t.Errorf("a pull: %+v", got)
	}
	if got := measure(ndjson, manage, `{"status":"pulling"}`+"\n"+`{"error":"no space"}`+"\n"); got != (reading{complete: true, failed: true}) {
		t.Errorf("a pull that fails: %+v", got)
	}
	if got := measure(plain, policy.Endpoint{Class: policy.ClassLook}, `{"eval_count":4}`); got != (reading{complete: true}) {
		t.Errorf("a look: %+v", got)
	}
}

// An answer that came in one chunk, figures included, once counted its tokens
// on top of Ollama's own figure.
func TestFiguresReplaceWhatWasCountedInTheSameChunk(t *testing.T) {
	if got := measure(ndjson, use, token+token+final); got.out != 3 {
		t.Errorf("%d tokens out, want Ollama's 3", got.out)
	}
}

func TestRate(t *testing.T) {
	for _, c := range []struct {
		m    meter
		want float64
	}{
		{meter{tokensOut: 3, evalNanos: 15e8}, 2},
		{meter{tokensOut: 5, kind: kindSSE}, 2},
		{meter{tokensOut: 5}, 0}, // in one piece there is nothing to measure
		{meter{tokensOut: 1, kind: kindSSE}, 0},
		{meter{}, 0},
	} {
		if got := c.m.rate(2 * time.Second); got != c.want {
			t.Errorf("%+v: %v, want %v", c.m, got, c.want)
		}
	}
}

// Whatever comes, in whatever pieces: no panic, no token more or less, and the
// same figures as in one piece.
func FuzzMeter(f *testing.F) {
	for _, a := range answers {
		if len(a.text) < 2000 {
			f.Add(a.kind, []byte(a.text), []byte{3, 200, 0, 7, 1})
		}
	}
	f.Fuzz(func(t *testing.T, kind string, text, cuts []byte) {
		if !strings.HasPrefix(kind, ndjson) && !strings.HasPrefix(kind, sse) {
			kind = plain
		}
		whole := measure(kind, use, string(text))
		var pieces []string
		rest := string(text)
		for _, c := range cuts {
			n := min(int(c), len(rest))
			pieces = append(pieces, rest[:n])
			rest = rest[n:]
		}
		if got := measure(kind, use, append(pieces, rest)...); got != whole {
			t.Fatalf("in pieces %+v, whole %+v", got, whole)
		}
		if whole.in < 0 || whole.out < 0 || whole.nanos < 0 {
			t.Fatalf("%+v", whole)
		}
	})
}

// The oracle: for one JSON object the walker sees what encoding/json sees, the
// last of equal members included.
func FuzzFiguresAgainstEncodingJSON(f *testing.F) {
	for _, a := range answers {
		if a.kind == plain && len(a.text) < 2000 {
			f.Add([]byte(a.text))
		}
	}
	f.Add([]byte(`{"a":[{"b":{}},[]],"eval_count":5,"usage":{"x":{"output_tokens":1},"output_tokens":2}}`))
	f.Fuzz(func(t *testing.T, text []byte) { againstJSON(t, text) })
}
