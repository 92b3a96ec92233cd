package standin

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"
)

func nativeError(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, map[string]string{"error": message})
}

type generateRequest struct {
	Model     string          `json:"model"`
	Prompt    string          `json:"prompt"`
	Suffix    string          `json:"suffix"`
	System    string          `json:"system"`
	Template  string          `json:"template"`
	Context   []int           `json:"context"`
	Stream    *bool           `json:"stream"`
	Raw       bool            `json:"raw"`
	Format    json.RawMessage `json:"format"`
	KeepAlive *keepAlive      `json:"keep_alive"`
	Images    [][]byte        `json:"images"`
	Options   map[string]any  `json:"options"`
	Think     *thinkValue     `json:"think"`
}

type chatRequest struct {
	Model     string            `json:"model"`
	Messages  []chatMessage     `json:"messages"`
	Stream    *bool             `json:"stream"`
	Format    json.RawMessage   `json:"format"`
	KeepAlive *keepAlive        `json:"keep_alive"`
	Tools     []json.RawMessage `json:"tools"` // accepted and never called
	Options   map[string]any    `json:"options"`
	Think     *thinkValue       `json:"think"`
}

type chatMessage struct {
	Role    string   `json:"role"`
	Content string   `json:"content"`
	Images  [][]byte `json:"images,omitempty"`
}

func (s *Server) generate(w http.ResponseWriter, r *http.Request) {
	var req generateRequest
	if !readNative(w, r, &req) {
		return
	}
	if req.Raw && (req.Template != "" || req.System != "" || len(req.Context) > 0) {
		nativeError(w, http.StatusBadRequest, "raw mode does not support template, system, or context")
		return
	}
	o, err := readWishes(req.Options)
	if err != nil {
		nativeError(w, http.StatusInternalServerError, err.Error())
		return
	}
	s.speak(w, r, generateVoice{raw: req.Raw}, job{
		model:  req.Model,
		prompt: countTokens(req.System, req.Prompt, req.Suffix) + len(req.Context),
		empty:  req.Prompt == "",
		stream: req.Stream == nil || *req.Stream,
		wishes: o,
		keep:   req.KeepAlive,
		think:  or(req.Think, thinkValue{}),
	})
}

func (s *Server) chat(w http.ResponseWriter, r *http.Request) {
	var req chatRequest
	if !readNative(w, r, &req) {
		return
	}
	o, err := readWishes(req.Options)
	if err != nil {
		nativeError(w, http.StatusInternalServerError, err.Error())
		return
	}
	var said []string
	for _, m := range req.Messages {
		said = append(said, m.Content)
	}
	s.speak(w, r, chatVoice{}, job{
		model:  req.Model,
		chat:   true,
		prompt: countTokens(said...),
		empty:  len(req.Messages) == 0,
		stream: req.Stream == nil || *req.Stream,
		wishes: o,
		keep:   req.KeepAlive,
		think:  or(req.Think, thinkValue{}),
	})
}

// nativeVoice is what both dialects of /api/* have in common.
type nativeVoice struct{}

func (nativeVoice) contentType() string { return ndjson }

func (nativeVoice) refuse(w http.ResponseWriter, status int, message string) {
	nativeError(w, status, message)
}

func (nativeVoice) broken(w io.Writer, message string) error {
	return json.NewEncoder(w).Encode(map[string]string{"error": message})
}

// generateVoice speaks as /api/generate.
type generateVoice struct {
	nativeVoice
	raw bool
}

// type check
var _ voice = generateVoice{}

type generateResponse struct {
	Model      string    `json:"model"`
	CreatedAt  time.Time `json:"created_at"`
	Response   string    `json:"response"`
	Done       bool      `json:"done"`
	DoneReason string    `json:"done_reason,omitempty"`
	Context    []int     `json:"context,omitempty"`
	metrics
}

func (v generateVoice) phrase(a answer) generateResponse {
	g := generateResponse{Model: a.model, CreatedAt: a.created, Response: a.text, Done: a.done, DoneReason: a.reason, metrics: a.metrics}
	if a.done && !v.raw {
		for i := range a.metrics.PromptEvalCount + a.metrics.EvalCount {
			g.Context = append(g.Context, i+1)
		}
	}
	return g
}

func (v generateVoice) piece(w io.Writer, a answer) error {
	return json.NewEncoder(w).Encode(v.phrase(a))
}

func (v generateVoice) whole(w http.ResponseWriter, a answer) {
	writeJSON(w, http.StatusOK, v.phrase(a))
}

// chatVoice speaks as /api/chat.
type chatVoice struct{ nativeVoice }

// type check
var _ voice = chatVoice{}

type chatResponse struct {
	Model      string      `json:"model"`
	CreatedAt  time.Time   `json:"created_at"`
	Message    chatMessage `json:"message"`
	Done       bool        `json:"done"`
	DoneReason string      `json:"done_reason,omitempty"`
	metrics
}

func (chatVoice) phrase(a answer) chatResponse {
	return chatResponse{
		Model: a.model, CreatedAt: a.created, Message: chatMessage{Role: "assistant", Content: a.text},
		Done: a.done, DoneReason: a.reason, metrics: a.metrics,
	}
}

func (v chatVoice) piece(w io.Writer, a answer) error {
	return json.NewEncoder(w).Encode(v.phrase(a))
}

func (v chatVoice) whole(w http.ResponseWriter, a answer) {
	writeJSON(w, http.StatusOK, v.phrase(a))
}

// details is what Ollama tells about a model everywhere.
type details struct {
	ParentModel       string   `json:"parent_model"`
	Format            string   `json:"format"`
	Family            string   `json:"family"`
	Families          []string `json:"families"`
	ParameterSize     string   `json:"parameter_size"`
	QuantizationLevel string   `json:"quantization_level"`
}

const (
	family    = "demo"
	modelSize = 955_776 // what a very small real model weighs; a zero makes clients divide by it
)

func modelDetails() details {
	return details{Format: "gguf", Family: family, Families: []string{family}, ParameterSize: "0.00K", QuantizationLevel: "F16"}
}

type listedModel struct {
	Name       string    `json:"name"`
	Model      string    `json:"model"`
	ModifiedAt time.Time `json:"modified_at"`
	Size       int64     `json:"size"`
	Digest     string    `json:"digest"`
	Details    details   `json:"details"`
}

func (s *Server) tags(w http.ResponseWriter, _ *http.Request) {
	list := []listedModel{}
	for _, m := range s.store.list() {
		list = append(list, listedModel{
			Name: m.name.short(), Model: m.name.short(), ModifiedAt: m.modified,
			Size: modelSize, Digest: m.digest(), Details: modelDetails(),
		})
	}
	writeJSON(w, http.StatusOK, map[string]any{"models": list})
}

type runningModel struct {
	Name          string    `json:"name"`
	Model         string    `json:"model"`
	Size          int64     `json:"size"`
	Digest        string    `json:"digest"`
	Details       details   `json:"details"`
	ExpiresAt     time.Time `json:"expires_at"`
	SizeVRAM      int64     `json:"size_vram"`
	ContextLength int       `json:"context_length"`
}

func (s *Server) ps(w http.ResponseWriter, _ *http.Request) {
	list := []runningModel{}
	for _, l := range s.store.running() {
		expires := l.expires
		if expires.IsZero() {
			expires = time.Now().Add(defaultKeepAlive) // still at its first answer
		}
		list = append(list, runningModel{
			Name: l.model.name.short(), Model: l.model.name.short(), Size: modelSize, Digest: l.model.digest(),
			Details: modelDetails(), ExpiresAt: expires, ContextLength: l.context,
		})
	}
	writeJSON(w, http.StatusOK, map[string]any{"models": list})
}

type showResponse struct {
	Modelfile    string         `json:"modelfile,omitempty"`
	Template     string         `json:"template,omitempty"`
	System       string         `json:"system,omitempty"`
	Details      details        `json:"details"`
	ModelInfo    map[string]any `json:"model_info"`
	Tensors      []any          `json:"tensors,omitempty"`
	Capabilities []string       `json:"capabilities,omitempty"`
	ModifiedAt   time.Time      `json:"modified_at"`
}

func (s *Server) show(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Model  string `json:"model"`
		Name   string `json:"name"`
		System string `json:"system"`
	}
	if !readNative(w, r, &req) {
		return
	}
	if req.Model == "" {
		req.Model = req.Name
	}
	if req.Model == "" {
		nativeError(w, http.StatusBadRequest, "model is required")
		return
	}
	n := parseName(req.Model)
	if !n.valid() {
		nativeError(w, http.StatusInternalServerError, "unqualified name: "+n.String())
		return
	}
	m, ok := s.store.find(n)
	if !ok {
		nativeError(w, http.StatusNotFound, "model '"+req.Model+"' not found")
		return
	}
	if req.System == "" {
		req.System = m.system
	}
	template := m.template
	if template == "" {
		template = "{{ .Prompt }}"
	}
	var file strings.Builder
	file.WriteString("# Modelfile generated by \"ollama show\"\n# To build a new Modelfile based on this, replace FROM with:\n")
	file.WriteString("# FROM " + m.name.short() + "\n\nFROM /nowhere/blobs/sha256-" + m.digest() + "\nTEMPLATE " + template + "\n")
	writeJSON(w, http.StatusOK, showResponse{
		Modelfile: file.String(),
		Template:  template,
		System:    req.System,
		Details:   modelDetails(),
		ModelInfo: map[string]any{
			"general.architecture":       family,
			"general.file_type":          1,
			"general.parameter_count":    0,
			family + ".context_length":   defaultContext,
			family + ".embedding_length": embeddingLength,
		},
		Capabilities: []string{"completion", "tools"},
		ModifiedAt:   m.modified,
	})
}
