//go:build linux

package ollama

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"paddock/e2e/ollama/ggufgen"
)

// The models of a [Server].
const (
	// Tiny answers anything with the same [TinyTokens] tokens and ends.
	Tiny = "tiny"
	// Loop answers as Tiny does and never ends.
	Loop = "tiny-loop"
	// Slow answers as Tiny does, but at the pace of a real model. It is there
	// only with [WithSlow].
	Slow = "slow"
)

const (
	// TinyTokens is how many tokens an answer of Tiny has.
	TinyTokens = 73
	// TinyBegins and TinyEnds are how an answer of Tiny begins and ends.
	TinyBegins = "Hello! I am a tiny model made for tests."
	TinyEnds   = "That is all my creator taught."
)

// modelfile tells Ollama how to run a model. With more than one thread a model
// this small waits for its threads most of the time: on a busy machine it is a
// hundred times slower.
const modelfile = `FROM %s
TEMPLATE """{{- range .Messages }}<|im_start|>{{ .Role }}
{{ .Content }}<|im_end|>
{{ end }}<|im_start|>assistant
"""
PARAMETER stop <|im_end|>
PARAMETER num_thread 1
`

// createLimit bounds the import of one model.
const createLimit = time.Minute

// create writes a model and imports it with "ollama create".
func (s *Server) create(name string, o ggufgen.Options) error {
	dir, err := os.MkdirTemp(s.Home, "model-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	gguf := filepath.Join(dir, "model.gguf")
	f, err := os.Create(gguf)
	if err != nil {
		return err
	}
	if err := errors.Join(ggufgen.Write(f, o), f.Close()); err != nil {
		return err
	}
	recipe := filepath.Join(dir, "Modelfile")
	if err := os.WriteFile(recipe, fmt.Appendf(nil, modelfile, gguf), 0o600); err != nil {
		return err
	}
	_, stderr, err := s.command(createLimit, "create", name, "-f", recipe)
	if err != nil {
		return fmt.Errorf("%w: %s", err, tail([]byte(stderr)))
	}
	return nil
}
