package proxy

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"paddock/policy"
)

// runnerOptions are the options that decide how Ollama loads a model
// (api.Runner of Ollama 0.17.4, and those of older versions). A request that
// sets one other than the model was loaded with makes Ollama load it again, for
// everybody; so a user's request does not set them. num_ctx is kept and
// bounded, because people need it and every client has a field for it.
var runnerOptions = map[string]bool{
	"num_batch": true, "num_gpu": true, "main_gpu": true, "use_mmap": true, "num_thread": true,
	"use_mlock": true, "low_vram": true, "f16_kv": true, "vocab_only": true, "numa": true, "logits_all": true, "embedding_only": true,
}

// tame takes the side doors out of a user's inference request, in a body that
// peekModel has found to be one JSON object without ambiguity. Programs send
// these members every day, so they are taken out or bounded and not refused:
//
//   - keep_alive goes: it would pin the model for ever (-1) or throw it out (0).
//     Ollama's own setting holds then. A request that does nothing but throw a
//     model out is refused, since without keep_alive it would load it instead.
//   - options that concern how a model is loaded go, num_ctx is bounded.
//
// Ollama reads members in any letter case, so "Options" is refused rather than
// looked into: two of them would be laid over each other.
func tame(body []byte, numCtx int) ([]byte, policy.Reason) {
	body = bytes.TrimLeft(body, " \t\r\n")
	unloads, ambiguous, options := false, false, 0
	out := edit(body, func(name string, value []byte) ([]byte, bool) {
		switch {
		case strings.EqualFold(name, "keep_alive"):
			unloads = unloads || isUnload(value)
			return nil, false
		case strings.EqualFold(name, "options"):
			options++
			ambiguous = ambiguous || name != "options" || options > 1
			if value[0] == '{' {
				value = edit(value, func(name string, value []byte) ([]byte, bool) {
					if name == "num_ctx" {
						value = bounded(value, numCtx)
					}
					return value, !runnerOptions[name]
				})
			}
		}
		return value, true
	})
	switch {
	case ambiguous:
		return nil, policy.BadBody
	case unloads && saysNothing(body):
		return nil, policy.UnloadNotGranted
	}
	return out, policy.Allowed
}

// isUnload says whether a keep_alive asks to throw the model out. Ollama cuts
// a number to whole seconds.
func isUnload(value []byte) bool {
	if value[0] == '"' {
		var s string
		if json.Unmarshal(value, &s) != nil {
			return false
		}
		d, err := time.ParseDuration(s)
		return err == nil && d == 0
	}
	f, err := strconv.ParseFloat(string(value), 64)
	return err == nil && f > -1 && f < 1
}

// saysNothing says whether a request has nothing to answer. It is asked only of
// those that want a model thrown out, and reads as Ollama does.
func saysNothing(body []byte) bool {
	var q struct {
		Prompt   string            `json:"prompt"`
		Messages []json.RawMessage `json:"messages"`
		Input    any               `json:"input"`
	}
	return json.Unmarshal(body, &q) != nil || q.Prompt == "" && len(q.Messages) == 0 && q.Input == nil
}

// bounded is a number, or the limit when it is larger. What is no number Ollama
// refuses by itself.
func bounded(value []byte, limit int) []byte {
	f, err := strconv.ParseFloat(string(value), 64)
	if err != nil && f == 0 || f <= float64(limit) {
		return value
	}
	return strconv.AppendInt(nil, int64(limit), 10)
}

// edit goes through the members of a valid JSON object and returns it with the
// values that change gives for them, and without those it does not keep. What
// nobody changes is not copied.
func edit(object []byte, change func(name string, value []byte) (v []byte, keep bool)) []byte {
	var out []byte // nil while all is as it was
	same := 1      // everything before this index is in out, or unchanged
	members(object, func(rawKey, rawValue []byte) bool {
		start, end := offset(object, rawKey), offset(object, rawValue)+len(rawValue)
		v, keep := change(memberName(rawKey), rawValue)
		if keep && len(v) == len(rawValue) && (len(v) == 0 || &v[0] == &rawValue[0]) {
			if out != nil {
				out = append(comma(out), object[start:end]...)
			}
			same = end
			return true
		}
		if out == nil {
			out = append(make([]byte, 0, len(object)), object[:same]...)
		}
		if keep {
			out = append(append(append(comma(out), rawKey...), ':'), v...)
		}
		return true
	})
	if out == nil {
		return object
	}
	return append(out, '}')
}

// comma puts a comma behind what is there, unless the object has just begun.
func comma(b []byte) []byte {
	if b[len(b)-1] == '{' {
		return b
	}
	return append(b, ',')
}

// offset is where a part of b begins in it.
func offset(b, part []byte) int { return cap(b) - cap(part) }

// memberName is a member's name without quotation marks and escapes.
func memberName(rawKey []byte) string {
	name := rawKey[1 : len(rawKey)-1]
	if bytes.IndexByte(name, '\\') < 0 {
		return string(name)
	}
	var decoded string
	_ = json.Unmarshal(rawKey, &decoded) // a valid document: cannot fail
	return decoded
}
