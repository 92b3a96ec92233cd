package standin

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

type responsesRequest struct {
	Model           string            `json:"model"`
	Background      bool              `json:"background"`
	Input           responsesInput    `json:"input"`
	Instructions    string            `json:"instructions"`
	MaxOutputTokens *int              `json:"max_output_tokens"`
	Reasoning       reasoning         `json:"reasoning"`
	Temperature     *float64          `json:"temperature"`
	TopP            *float64          `json:"top_p"`
	Truncation      *string           `json:"truncation"`
	Tools           []json.RawMessage `json:"tools"`
	Stream          bool              `json:"stream"`
	Text            *struct {
		Format json.RawMessage `json:"format"`
	} `json:"text"`
}

// responsesInput is the conversation: one text, or a list of items.
type responsesInput struct {
	said []string
}

// UnmarshalJSON refuses the items that Ollama does not know.
func (in *responsesInput) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		if text != "" {
			in.said = []string{text}
		}
		return nil
	}
	var items []json.RawMessage
	if err := json.Unmarshal(b, &items); err != nil {
		return fmt.Errorf("input must be a string or array: %w", err)
	}
	in.said = []string{}
	for i, raw := range items {
		var item struct {
			Type    string          `json:"type"`
			Role    string          `json:"role"`
			Content json.RawMessage `json:"content"`
			Output  json.RawMessage `json:"output"`
		}
		if err := json.Unmarshal(raw, &item); err != nil {
			return fmt.Errorf("input[%d]: %w", i, err)
		}
		if item.Type == "" && item.Role != "" {
			item.Type = "message"
		}
		switch item.Type {
		case "message":
			text, err := messageText(item.Content)
			if err != nil {
				return fmt.Errorf("input[%d]: %w", i, err)
			}
			in.said = append(in.said, text)
		case "function_call", "function_call_output", "reasoning":
			in.said = append(in.said, string(item.Output))
		default:
			return fmt.Errorf("input[%d]: unknown input item type: %s", i, item.Type)
		}
	}
	return nil
}

func messageText(content json.RawMessage) (string, error) {
	if len(content) == 0 {
		return "", nil
	}
	var text string
	if json.Unmarshal(content, &text) == nil {
		return text, nil
	}
	var parts []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if err := json.Unmarshal(content, &parts); err != nil {
		return "", fmt.Errorf("content must be a string or array: %w", err)
	}
	var all strings.Builder
	for i, p := range parts {
		switch p.Type {
		case "input_text", "output_text":
			all.WriteString(p.Text + " ")
		case "input_image":
		default:
			return "", fmt.Errorf("content[%d]: unknown content type: %s", i, p.Type)
		}
	}
	return all.String(), nil
}

func (s *Server) responses(w http.ResponseWriter, r *http.Request) {
	var req responsesRequest
	if err := readJSON(r, &req); err != nil {
		openaiBadRequest(w, err.Error())
		return
	}
	v := newResponsesVoice(req)
	if req.Stream {
		streamHeaders(w)
	}
	j := job{
		model: req.Model, chat: true, prompt: countTokens(append(req.Input.said, req.Instructions)...),
		empty: len(req.Input.said) == 0 && req.Instructions == "", stream: req.Stream,
	}
	if req.MaxOutputTokens != nil {
		j.wishes.limit = *req.MaxOutputTokens
	}
	s.speak(w, r, v, j)
}

// streamHeaders are set by the younger dialects, before they know whether there will be a stream.
func streamHeaders(w http.ResponseWriter) {
	w.Header().Set("Content-Type", eventStream)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Connection", "keep-alive")
}

// responsesVoice speaks as /v1/responses. It counts its events and remembers the text, which the last ones repeat.
type responsesVoice struct {
	openaiVoice
	req        responsesRequest
	id, itemID string
	sequence   int
	begun      bool
	text       strings.Builder
}

// type check
var _ voice = (*responsesVoice)(nil)

func newResponsesVoice(req responsesRequest) *responsesVoice {
	return &responsesVoice{req: req, id: fmt.Sprintf("resp_%d", rand.IntN(999999)), itemID: fmt.Sprintf("msg_%d", rand.IntN(999999))}
}

func (v *responsesVoice) piece(w io.Writer, a answer) error {
	var err error
	say := func(event string, data map[string]any) {
		data["type"], data["sequence_number"] = event, v.sequence
		v.sequence++
		if err == nil {
			err = writeEvent(w, event, data)
		}
	}
	at := func(more map[string]any) map[string]any {
		more["item_id"], more["output_index"], more["content_index"] = v.itemID, 0, 0
		return more
	}
	if v.sequence == 0 {
		say("response.created", map[string]any{"response": v.response("in_progress", []any{}, nil)})
		say("response.in_progress", map[string]any{"response": v.response("in_progress", []any{}, nil)})
	}
	if a.text != "" {
		if !v.begun {
			v.begun = true
			say("response.output_item.added", map[string]any{"output_index": 0, "item": v.item("in_progress", []any{})})
			say("response.content_part.added", at(map[string]any{"part": outputText("")}))
		}
		v.text.WriteString(a.text)
		say("response.output_text.delta", at(map[string]any{"delta": a.text, "logprobs": []any{}}))
	}
	if !a.done {
		return err
	}
	var output []any // null when nothing was said
	if v.begun {
		text := v.text.String()
		item := v.item("completed", []any{outputText(text)})
		say("response.output_text.done", at(map[string]any{"text": text, "logprobs": []any{}}))
		say("response.content_part.done", at(map[string]any{"part": outputText(text)}))
		say("response.output_item.done", map[string]any{"output_index": 0, "item": item})
		output = []any{item}
	}
	final := v.response("completed", output, responsesUsage(a.metrics))
	final["completed_at"] = time.Now().Unix()
	say("response.completed", map[string]any{"response": final})
	return err
}

func (v *responsesVoice) whole(w http.ResponseWriter, a answer) {
	final := v.response("completed", []any{v.item("completed", []any{outputText(a.text)})}, responsesUsage(a.metrics))
	final["created_at"], final["completed_at"] = a.created.Unix(), time.Now().Unix()
	writeCompatJSON(w, http.StatusOK, final)
}

// broken says nothing: the stream ends without its last event, and that is all a client can go by.
func (v *responsesVoice) broken(io.Writer, string) error { return nil }

func (v *responsesVoice) item(status string, content []any) map[string]any {
	return map[string]any{"id": v.itemID, "type": "message", "status": status, "role": "assistant", "content": content}
}

func outputText(text string) map[string]any {
	return map[string]any{"type": "output_text", "text": text, "annotations": []any{}, "logprobs": []any{}}
}

func responsesUsage(m metrics) map[string]any {
	return map[string]any{
		"input_tokens": m.PromptEvalCount, "output_tokens": m.EvalCount, "total_tokens": m.PromptEvalCount + m.EvalCount,
		"input_tokens_details":  map[string]any{"cached_tokens": 0},
		"output_tokens_details": map[string]any{"reasoning_tokens": 0},
	}
}

// response is the object that stands in several events; most of it repeats what was asked.
func (v *responsesVoice) response(status string, output []any, usage map[string]any) map[string]any {
	r := v.req
	var format any = map[string]any{"type": "text"}
	if r.Text != nil && len(r.Text.Format) > 0 && string(r.Text.Format) != "null" {
		format = r.Text.Format
	}
	var thinking any
	if r.Reasoning != (reasoning{}) {
		thinking = map[string]any{"effort": orNull(r.Reasoning.Effort), "summary": orNull(r.Reasoning.Summary)}
	}
	tools := r.Tools
	if tools == nil {
		tools = []json.RawMessage{}
	}
	return map[string]any{
		"id": v.id, "object": "response", "created_at": time.Now().Unix(), "completed_at": nil, "status": status,
		"incomplete_details": nil, "model": r.Model, "previous_response_id": nil, "instructions": orNull(r.Instructions),
		"output": output, "error": nil, "tools": tools, "tool_choice": "auto", "truncation": or(r.Truncation, "disabled"),
		"parallel_tool_calls": true, "text": map[string]any{"format": format}, "top_p": or(r.TopP, 1),
		"presence_penalty": 0, "frequency_penalty": 0, "top_logprobs": 0, "temperature": or(r.Temperature, 1),
		"reasoning": thinking, "usage": usage, "max_output_tokens": r.MaxOutputTokens, "max_tool_calls": nil,
		"store": false, "background": r.Background, "service_tier": "default", "metadata": map[string]any{},
		"safety_identifier": nil, "prompt_cache_key": nil,
	}
}
