package standin

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

func anthropicErrorOf(status int, message string) any {
	kind := "api_error"
	switch status {
	case http.StatusBadRequest:
		kind = "invalid_request_error"
	case http.StatusNotFound:
		kind = "not_found_error"
	}
	type inner struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	}
	return struct {
		Type      string `json:"type"`
		Error     inner  `json:"error"`
		RequestID string `json:"request_id"`
	}{"error", inner{kind, message}, anthropicID("req")}
}

func anthropicID(prefix string) string {
	b := make([]byte, 12)
	_, _ = rand.Read(b) // never fails
	return fmt.Sprintf("%s_%x", prefix, b)
}

type messagesRequest struct {
	Model     string `json:"model"`
	MaxTokens int    `json:"max_tokens"`
	Messages  []struct {
		Role    string `json:"role"`
		Content any    `json:"content"`
	} `json:"messages"`
	System        any               `json:"system"`
	Stream        bool              `json:"stream"`
	StopSequences []string          `json:"stop_sequences"`
	Tools         []json.RawMessage `json:"tools"` // accepted and never called
}

func (s *Server) messages(w http.ResponseWriter, r *http.Request) {
	refuse := func(message string) {
		writeJSON(w, http.StatusBadRequest, anthropicErrorOf(http.StatusBadRequest, message))
	}
	var req messagesRequest
	if err := readJSON(r, &req); err != nil {
		refuse(err.Error())
		return
	}
	switch {
	case req.Model == "":
		refuse("model is required")
		return
	case req.MaxTokens <= 0:
		refuse("max_tokens is required and must be positive")
		return
	case len(req.Messages) == 0:
		refuse("messages is required")
		return
	}
	for _, m := range req.Messages {
		if message := badContent(m.Content); message != "" {
			refuse(message)
			return
		}
	}
	if req.Stream {
		streamHeaders(w)
	}
	said := []string{blockText(req.System)}
	for _, m := range req.Messages {
		said = append(said, blockText(m.Content))
	}
	s.speak(w, r, newMessagesVoice(req), job{
		model: req.Model, chat: true, prompt: countTokens(said...), stream: req.Stream,
		wishes: wishes{limit: req.MaxTokens, stop: req.StopSequences},
	})
}

// badContent says what is wrong with the content of a message, if anything.
func badContent(content any) string {
	switch c := content.(type) {
	case string:
		return ""
	case []any:
		for _, block := range c {
			b, ok := block.(map[string]any)
			if !ok {
				return "invalid content block format"
			}
			if b["type"] != "image" {
				continue
			}
			source, ok := b["source"].(map[string]any)
			if !ok {
				return "invalid image source"
			}
			if source["type"] != "base64" {
				return fmt.Sprintf("invalid image source type: %s. Only base64 images are supported.", source["type"])
			}
		}
		return ""
	}
	return fmt.Sprintf("invalid message content type: %T", content)
}

func blockText(content any) string {
	switch c := content.(type) {
	case string:
		return c
	case []any:
		var all strings.Builder
		for _, block := range c {
			if b, ok := block.(map[string]any); ok && b["type"] == "text" {
				if t, ok := b["text"].(string); ok {
					all.WriteString(t + " ")
				}
			}
		}
		return all.String()
	}
	return ""
}

// estimate is Ollama's guess at the length of a prompt before it has counted: the fourth part of its letters.
func (req messagesRequest) estimate() int {
	n := len(blockText(req.System))
	for _, m := range req.Messages {
		n += len(m.Role) + len(blockText(m.Content))
	}
	for _, t := range req.Tools {
		n += len(t)
	}
	return max(n/4, 1)
}

type anthropicUsage struct {
	InputTokens  int `json:"input_tokens"`
	OutputTokens int `json:"output_tokens"`
}

type anthropicMessage struct {
	ID         string         `json:"id"`
	Type       string         `json:"type"`
	Role       string         `json:"role"`
	Model      string         `json:"model"`
	Content    []textBlock    `json:"content"`
	StopReason string         `json:"stop_reason,omitempty"`
	Usage      anthropicUsage `json:"usage"`
}

type textBlock struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// messagesVoice speaks as /v1/messages.
type messagesVoice struct {
	req            messagesRequest
	id             string
	started, begun bool
}

// type check
var _ voice = (*messagesVoice)(nil)

func newMessagesVoice(req messagesRequest) *messagesVoice {
	return &messagesVoice{req: req, id: anthropicID("msg")}
}

func (v *messagesVoice) contentType() string { return eventStream }

func (v *messagesVoice) refuse(w http.ResponseWriter, status int, message string) {
	writeCompatJSON(w, status, anthropicErrorOf(status, message))
}

func (v *messagesVoice) piece(w io.Writer, a answer) error {
	var err error
	say := func(event string, data any) {
		if err == nil {
			err = writeEvent(w, event, data)
		}
	}
	if !v.started {
		v.started = true
		say("message_start", struct {
			Type    string           `json:"type"`
			Message anthropicMessage `json:"message"`
		}{"message_start", anthropicMessage{
			ID: v.id, Type: "message", Role: "assistant", Model: v.req.Model, Content: []textBlock{},
			Usage: anthropicUsage{InputTokens: v.req.estimate()},
		}})
	}
	if a.text != "" {
		if !v.begun {
			v.begun = true
			say("content_block_start", struct {
				Type         string    `json:"type"`
				Index        int       `json:"index"`
				ContentBlock textBlock `json:"content_block"`
			}{"content_block_start", 0, textBlock{Type: "text"}})
		}
		say("content_block_delta", struct {
			Type  string    `json:"type"`
			Index int       `json:"index"`
			Delta textBlock `json:"delta"`
		}{"content_block_delta", 0, textBlock{"text_delta", a.text}})
	}
	if !a.done {
		return err
	}
	if v.begun {
		say("content_block_stop", struct {
			Type  string `json:"type"`
			Index int    `json:"index"`
		}{"content_block_stop", 0})
	}
	say("message_delta", struct {
		Type  string            `json:"type"`
		Delta map[string]string `json:"delta"`
		Usage anthropicUsage    `json:"usage"`
	}{"message_delta", map[string]string{"stop_reason": stopReason(a.reason)}, anthropicUsage{a.metrics.PromptEvalCount, a.metrics.EvalCount}})
	say("message_stop", map[string]string{"type": "message_stop"})
	return err
}

func (v *messagesVoice) whole(w http.ResponseWriter, a answer) {
	var content []textBlock // null when nothing was said
	if a.text != "" {
		content = []textBlock{{"text", a.text}}
	}
	writeCompatJSON(w, http.StatusOK, anthropicMessage{
		ID: v.id, Type: "message", Role: "assistant", Model: a.model, Content: content,
		StopReason: stopReason(a.reason), Usage: anthropicUsage{a.metrics.PromptEvalCount, a.metrics.EvalCount},
	})
}

// broken says nothing: the stream ends without message_stop, and that is all a client can go by.
func (v *messagesVoice) broken(io.Writer, string) error { return nil }

func stopReason(reason string) string {
	switch reason {
	case "stop":
		return "end_turn"
	case "length":
		return "max_tokens"
	}
	return "stop_sequence"
}
