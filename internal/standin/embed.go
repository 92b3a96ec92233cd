package standin

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"
)

const embeddingLength = 64

type embedResponse struct {
	Model           string        `json:"model"`
	Embeddings      [][]float32   `json:"embeddings"`
	TotalDuration   time.Duration `json:"total_duration,omitempty"`
	LoadDuration    time.Duration `json:"load_duration,omitempty"`
	PromptEvalCount int           `json:"prompt_eval_count,omitempty"`
}

var errInputType = errors.New("invalid input type")

// texts reads the input of an embedding: one text, or a list of them.
func texts(input any) ([]string, error) {
	switch in := input.(type) {
	case nil:
		return nil, nil
	case string:
		if in == "" {
			return nil, nil
		}
		return []string{in}, nil
	case []any:
		var list []string
		for _, v := range in {
			t, ok := v.(string)
			if !ok {
				return nil, errInputType
			}
			list = append(list, t)
		}
		return list, nil
	}
	return nil, errInputType
}

// borrow loads the model for work that is no generation. Of the results, release is only set when status is zero.
func (s *Server) borrow(r *http.Request, asked string, keep *keepAlive) (release func(), status int, message string) {
	n := parseName(asked)
	if !n.valid() {
		return nil, http.StatusInternalServerError, "unqualified name: " + n.String()
	}
	m, ok := s.store.find(n)
	if !ok {
		return nil, http.StatusNotFound, fmt.Sprintf("model %q not found, try pulling it first", asked)
	}
	l, err := s.load(r.Context(), m, 0)
	if err != nil {
		return nil, 499, "request canceled"
	}
	stay := defaultKeepAlive
	if keep != nil {
		stay = keep.Duration
	}
	return func() { s.store.done(l, stay) }, 0, ""
}

func (s *Server) embed(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	var req struct {
		Model      string     `json:"model"`
		Input      any        `json:"input"`
		KeepAlive  *keepAlive `json:"keep_alive"`
		Dimensions int        `json:"dimensions"`
	}
	if !readNative(w, r, &req) {
		return
	}
	list, err := texts(req.Input)
	if err != nil {
		nativeError(w, http.StatusBadRequest, err.Error())
		return
	}
	release, status, message := s.borrow(r, req.Model, req.KeepAlive)
	if status != 0 {
		nativeError(w, status, message)
		return
	}
	defer release()
	if len(list) == 0 {
		writeJSON(w, http.StatusOK, embedResponse{Model: req.Model, Embeddings: [][]float32{}})
		return
	}
	loadTime := time.Since(started)
	vectors, tokens := vectorsOf(list, req.Dimensions)
	writeJSON(w, http.StatusOK, embedResponse{
		Model: req.Model, Embeddings: vectors, PromptEvalCount: tokens,
		LoadDuration: max(loadTime, 1), TotalDuration: max(time.Since(started), 1),
	})
}

// embeddings is the older way, which knows no usage.
func (s *Server) embeddings(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Model     string     `json:"model"`
		Prompt    string     `json:"prompt"`
		KeepAlive *keepAlive `json:"keep_alive"`
	}
	if !readNative(w, r, &req) {
		return
	}
	if !parseName(req.Model).valid() {
		nativeError(w, http.StatusBadRequest, "model is required")
		return
	}
	release, status, message := s.borrow(r, req.Model, req.KeepAlive)
	if status != 0 {
		nativeError(w, status, message)
		return
	}
	defer release()
	vector := []float32{}
	if req.Prompt != "" {
		vector = vectorOf(req.Prompt, 0)
	}
	writeJSON(w, http.StatusOK, map[string]any{"embedding": vector})
}

func vectorsOf(list []string, dimensions int) (vectors [][]float32, tokens int) {
	for _, t := range list {
		vectors = append(vectors, vectorOf(t, dimensions))
		tokens += countTokens(t)
	}
	return vectors, tokens
}

// vectorOf makes a vector of length one out of a text's hash: the same text gives the same vector, and that is all it is good for.
func vectorOf(text string, dimensions int) []float32 {
	v := make([]float32, 0, embeddingLength)
	for block := byte(0); len(v) < embeddingLength; block++ {
		sum := sha256.Sum256(append([]byte{block}, text...))
		for i := 0; i < len(sum); i += 2 {
			v = append(v, float32(binary.LittleEndian.Uint16(sum[i:]))/math.MaxUint16-0.5)
		}
	}
	v = v[:embeddingLength]
	if dimensions > 0 && dimensions < len(v) {
		v = v[:dimensions]
	}
	var square float64
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	norm := float32(1 / max(math.Sqrt(square), 1e-12))
	for i := range v {
		v[i] *= norm
	}
	return v
}
