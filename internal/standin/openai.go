package standin

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"
)

type openaiErrorBody struct {
	Error struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   any     `json:"param"`
		Code    *string `json:"code"`
	} `json:"error"`
}

func openaiErrorOf(kind, message string) openaiErrorBody {
	var b openaiErrorBody
	b.Error.Type, b.Error.Message = kind, message
	return b
}

// openaiBadRequest refuses a request that was not understood.
func openaiBadRequest(w http.ResponseWriter, message string) {
	writeJSON(w, http.StatusBadRequest, openaiErrorOf("invalid_request_error", message))
}

// openaiError refuses a request that was understood. Ollama calls all of these api_error, an unknown model too.
func openaiError(w http.ResponseWriter, status int, message string) {
	writeCompatJSON(w, status, openaiErrorOf("api_error", message))
}

type openaiUsage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	TotalTokens      int `json:"total_tokens"`
}

func usageOf(m metrics) openaiUsage {
	return openaiUsage{m.PromptEvalCount, m.EvalCount, m.PromptEvalCount + m.EvalCount}
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

// completionID is as short as Ollama's: ids repeat.
func completionID(prefix string) string { return fmt.Sprintf("%s-%d", prefix, rand.IntN(999)) }

type openaiChatRequest struct {
	Model           string            `json:"model"`
	Messages        []openaiMessage   `json:"messages"`
	Stream          bool              `json:"stream"`
	StreamOptions   *streamOptions    `json:"stream_options"`
	MaxTokens       *int              `json:"max_tokens"`
	Stop            any               `json:"stop"`
	Tools           []json.RawMessage `json:"tools"`
	Reasoning       *reasoning        `json:"reasoning"`
	ReasoningEffort *string           `json:"reasoning_effort"`
}

type reasoning struct {
	Effort  string `json:"effort,omitempty"`
	Summary string `json:"summary,omitempty"`
}

type openaiMessage struct {
	Role      string            `json:"role"`
	Content   any               `json:"content"`
	ToolCalls []json.RawMessage `json:"tool_calls"`
}

// text is what a message says, or why it is none.
func (m openaiMessage) text() (string, string) {
	switch content := m.Content.(type) {
	case string:
		return content, ""
	case []any:
		var all []string
		for _, part := range content {
			p, _ := part.(map[string]any)
			switch p["type"] {
			case "text":
				t, ok := p["text"].(string)
				if !ok {
					return "", "invalid message format"
				}
				all = append(all, t)
			case "image_url":
				url, ok := p["image_url"].(string)
				if o, is := p["image_url"].(map[string]any); is {
					url, ok = o["url"].(string)
				}
				if !ok {
					return "", "invalid message format"
				}
				if refusal := checkImage(url); refusal != "" {
					return "", refusal
				}
			default:
				return "", "invalid message format"
			}
		}
		return strings.Join(all, " "), ""
	}
	if m.ToolCalls == nil {
		return "", fmt.Sprintf("invalid message content type: %T", m.Content)
	}
	return "", ""
}

// checkImage says what is wrong with the address of an image, if anything: only data in the address itself is taken.
func checkImage(url string) string {
	if strings.HasPrefix(url, "http://") || strings.HasPrefix(url, "https://") {
		return "image URLs are not currently supported, please use base64 encoded data instead"
	}
	for _, kind := range []string{"", "image/jpeg", "image/jpg", "image/png", "image/webp"} {
		if data, ok := strings.CutPrefix(url, "data:"+kind+";base64,"); ok {
			if _, err := base64.StdEncoding.DecodeString(data); err == nil {
				return ""
			}
		}
	}
	return "invalid image input"
}

// stops reads the stop of a request: one text, or a list of them.
func stops(stop any) []string {
	switch v := stop.(type) {
	case string:
		return []string{v}
	case []any:
		var list []string
		for _, e := range v {
			if t, ok := e.(string); ok {
				list = append(list, t)
			}
		}
		return list
	}
	return nil
}

func (s *Server) openaiChat(w http.ResponseWriter, r *http.Request) {
	var req openaiChatRequest
	if err := readJSON(r, &req); err != nil {
		openaiBadRequest(w, err.Error())
		return
	}
	if len(req.Messages) == 0 {
		openaiBadRequest(w, "[] is too short - 'messages'")
		return
	}
	var said []string
	for _, m := range req.Messages {
		t, refusal := m.text()
		if refusal != "" {
			openaiBadRequest(w, refusal)
			return
		}
		said = append(said, t)
	}
	effort := ""
	if req.Reasoning != nil {
		effort = req.Reasoning.Effort
	} else if req.ReasoningEffort != nil {
		effort = *req.ReasoningEffort
	}
	if !slices.Contains([]string{"", "high", "medium", "low", "none"}, effort) {
		openaiBadRequest(w, fmt.Sprintf("invalid reasoning value: '%s' (must be \"high\", \"medium\", \"low\", or \"none\")", effort))
		return
	}
	j := job{
		model: req.Model, chat: true, prompt: countTokens(said...), stream: req.Stream,
		wishes: wishes{stop: stops(req.Stop)}, think: thinkValue{on: effort != "" && effort != "none", level: effort},
	}
	if req.MaxTokens != nil {
		j.wishes.limit = *req.MaxTokens
	}
	s.speak(w, r, &chatCompletionVoice{
		id: completionID("chatcmpl"), stream: req.Stream, usage: req.StreamOptions != nil && req.StreamOptions.IncludeUsage,
	}, j)
}

func (s *Server) openaiCompletions(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Model         string         `json:"model"`
		Prompt        string         `json:"prompt"`
		Suffix        string         `json:"suffix"`
		Stream        bool           `json:"stream"`
		StreamOptions *streamOptions `json:"stream_options"`
		MaxTokens     *int           `json:"max_tokens"`
		Stop          any            `json:"stop"`
	}
	if err := readJSON(r, &req); err != nil {
		openaiBadRequest(w, err.Error())
		return
	}
	j := job{
		model: req.Model, prompt: countTokens(req.Prompt, req.Suffix), empty: req.Prompt == "",
		stream: req.Stream, wishes: wishes{stop: stops(req.Stop)},
	}
	if req.MaxTokens != nil {
		j.wishes.limit = *req.MaxTokens
	}
	s.speak(w, r, &completionVoice{
		id: completionID("cmpl"), stream: req.Stream, usage: req.StreamOptions != nil && req.StreamOptions.IncludeUsage,
	}, j)
}

// openaiVoice is what both dialects of completions have in common.
type openaiVoice struct{}

func (openaiVoice) contentType() string { return eventStream }

func (openaiVoice) refuse(w http.ResponseWriter, status int, message string) {
	openaiError(w, status, message)
}

// writeData sends one event without a name.
func writeData(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "data: %s\n\n", b)
	return err
}

// writeEvent sends one event with a name.
func writeEvent(w io.Writer, name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "event: %s\ndata: %s\n\n", name, b)
	return err
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

type chatCompletion struct {
	ID                string       `json:"id"`
	Object            string       `json:"object"`
	Created           int64        `json:"created"`
	Model             string       `json:"model"`
	SystemFingerprint string       `json:"system_fingerprint"`
	Choices           []chatChoice `json:"choices"`
	Usage             *openaiUsage `json:"usage,omitempty"`
}

type chatChoice struct {
	Index        int       `json:"index"`
	Message      *chatSaid `json:"message,omitempty"`
	Delta        *chatSaid `json:"delta,omitempty"`
	FinishReason *string   `json:"finish_reason"`
}

type chatSaid struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// chatCompletionVoice speaks as /v1/chat/completions.
type chatCompletionVoice struct {
	openaiVoice
	id            string
	stream, usage bool
}

// type check
var _ voice = (*chatCompletionVoice)(nil)

func (v *chatCompletionVoice) piece(w io.Writer, a answer) error {
	c := chatCompletion{
		ID: v.id, Object: "chat.completion.chunk", Created: time.Now().Unix(), Model: a.model, SystemFingerprint: "fp_ollama",
		Choices: []chatChoice{{Delta: &chatSaid{"assistant", a.text}, FinishReason: orNull(a.reason)}},
	}
	if err := writeData(w, c); err != nil || !a.done {
		return err
	}
	if v.usage {
		u := usageOf(a.metrics)
		c.Usage, c.Choices = &u, []chatChoice{}
		if err := writeData(w, c); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "data: [DONE]\n\n")
	return err
}

func (v *chatCompletionVoice) whole(w http.ResponseWriter, a answer) {
	u := usageOf(a.metrics)
	writeCompatJSON(w, http.StatusOK, chatCompletion{
		ID: v.id, Object: "chat.completion", Created: a.created.Unix(), Model: a.model, SystemFingerprint: "fp_ollama",
		Choices: []chatChoice{{Message: &chatSaid{"assistant", a.text}, FinishReason: orNull(a.reason)}}, Usage: &u,
	})
}

// broken leaves the client in the dark, as Ollama does: an empty chunk, no reason, no [DONE].
func (v *chatCompletionVoice) broken(w io.Writer, _ string) error {
	return v.piece(w, answer{})
}

type textCompletion struct {
	ID                string       `json:"id"`
	Object            string       `json:"object"`
	Created           int64        `json:"created"`
	Model             string       `json:"model"`
	SystemFingerprint string       `json:"system_fingerprint"`
	Choices           []textChoice `json:"choices"`
	Usage             *openaiUsage `json:"usage,omitempty"`
}

type textChoice struct {
	Text         string  `json:"text"`
	Index        int     `json:"index"`
	FinishReason *string `json:"finish_reason"`
}

// completionVoice speaks as /v1/completions.
type completionVoice struct {
	openaiVoice
	id            string
	stream, usage bool
}

// type check
var _ voice = (*completionVoice)(nil)

func (v *completionVoice) piece(w io.Writer, a answer) error {
	c := textCompletion{
		ID: v.id, Object: "text_completion", Created: time.Now().Unix(), Model: a.model, SystemFingerprint: "fp_ollama",
		Choices: []textChoice{{Text: a.text, FinishReason: orNull(a.reason)}},
	}
	if v.usage {
		c.Usage = &openaiUsage{} // a quirk of this dialect alone: zeros in every chunk
	}
	if err := writeData(w, c); err != nil || !a.done {
		return err
	}
	if v.usage {
		u := usageOf(a.metrics)
		c.Usage, c.Choices = &u, []textChoice{}
		if err := writeData(w, c); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "data: [DONE]\n\n")
	return err
}

func (v *completionVoice) whole(w http.ResponseWriter, a answer) {
	u := usageOf(a.metrics)
	writeCompatJSON(w, http.StatusOK, textCompletion{
		ID: v.id, Object: "text_completion", Created: a.created.Unix(), Model: a.model, SystemFingerprint: "fp_ollama",
		Choices: []textChoice{{Text: a.text, FinishReason: orNull(a.reason)}}, Usage: &u,
	})
}

func (v *completionVoice) broken(w io.Writer, _ string) error {
	return v.piece(w, answer{})
}

type openaiModelEntry struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

func (s *Server) openaiModels(w http.ResponseWriter, _ *http.Request) {
	var list []openaiModelEntry // null when there is none, as Ollama has it
	for _, m := range s.store.list() {
		list = append(list, openaiModelEntry{m.name.short(), "model", m.modified.Unix(), m.name.namespace})
	}
	writeCompatJSON(w, http.StatusOK, struct {
		Object string             `json:"object"`
		Data   []openaiModelEntry `json:"data"`
	}{"list", list})
}

func (s *Server) openaiModel(w http.ResponseWriter, _ *http.Request, asked string) {
	n := parseName(asked)
	if !n.valid() {
		openaiError(w, http.StatusInternalServerError, "unqualified name: "+n.String())
		return
	}
	m, ok := s.store.find(n)
	if !ok {
		openaiError(w, http.StatusNotFound, fmt.Sprintf("model '%s' not found", asked))
		return
	}
	writeCompatJSON(w, http.StatusOK, openaiModelEntry{asked, "model", m.modified.Unix(), n.namespace})
}

type openaiEmbedding struct {
	Object    string `json:"object"`
	Embedding any    `json:"embedding"`
	Index     int    `json:"index"`
}

func (s *Server) openaiEmbeddings(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Model          string `json:"model"`
		Input          any    `json:"input"`
		Dimensions     int    `json:"dimensions"`
		EncodingFormat string `json:"encoding_format"`
	}
	if err := readJSON(r, &req); err != nil {
		openaiBadRequest(w, err.Error())
		return
	}
	base64Wanted := strings.EqualFold(req.EncodingFormat, "base64")
	if !base64Wanted && req.EncodingFormat != "" && !strings.EqualFold(req.EncodingFormat, "float") {
		openaiBadRequest(w, fmt.Sprintf("Invalid value for 'encoding_format' = %s. Supported values: ['float', 'base64'].", req.EncodingFormat))
		return
	}
	if req.Input == "" {
		req.Input = []any{""}
	}
	if list, ok := req.Input.([]any); req.Input == nil || ok && len(list) == 0 {
		openaiBadRequest(w, "invalid input")
		return
	}
	list, err := texts(req.Input)
	if err != nil {
		openaiError(w, http.StatusBadRequest, err.Error())
		return
	}
	release, status, message := s.borrow(r, req.Model, nil)
	if status != 0 {
		openaiError(w, status, message)
		return
	}
	defer release()
	vectors, tokens := vectorsOf(list, req.Dimensions)
	data := []openaiEmbedding{}
	for i, v := range vectors {
		e := openaiEmbedding{"embedding", v, i}
		if base64Wanted {
			e.Embedding = base64Of(v)
		}
		data = append(data, e)
	}
	writeCompatJSON(w, http.StatusOK, struct {
		Object string            `json:"object"`
		Data   []openaiEmbedding `json:"data"`
		Model  string            `json:"model"`
		Usage  any               `json:"usage"`
	}{"list", data, req.Model, map[string]int{"prompt_tokens": tokens, "total_tokens": tokens}})
}

func base64Of(v []float32) string {
	b, _ := binary.Append(nil, binary.LittleEndian, v) // cannot fail: the size of a float32 is known
	return base64.StdEncoding.EncodeToString(b)
}

// openaiImages accepts what Ollama accepts and paints nothing, which is what Ollama does when the model is not one for images.
func (s *Server) openaiImages(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Model  string `json:"model"`
		Prompt string `json:"prompt"`
		Image  string `json:"image"`
	}
	if err := readJSON(r, &req); err != nil {
		openaiBadRequest(w, err.Error())
		return
	}
	switch {
	case req.Prompt == "":
		openaiBadRequest(w, "prompt is required")
		return
	case req.Model == "":
		openaiBadRequest(w, "model is required")
		return
	}
	if strings.HasSuffix(r.URL.Path, "/edits") {
		if req.Image == "" {
			openaiBadRequest(w, "image is required")
			return
		}
		if refusal := checkImage(req.Image); refusal != "" {
			openaiBadRequest(w, "invalid image: "+refusal)
			return
		}
	}
	if _, ok := s.store.find(parseName(req.Model)); !ok {
		openaiError(w, http.StatusNotFound, fmt.Sprintf("model '%s' not found", req.Model))
		return
	}
	w.Header().Set("Content-Type", ndjson)
	_ = http.NewResponseController(w).Flush()
}
