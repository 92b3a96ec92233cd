package standin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"time"
)

// readJSON reads the first JSON value of the body, as Ollama does: what follows it is ignored, keys match in any
// letter case and the last one wins. The rest of the body is read off, because net/http notices
// that a client has left only once the body is at its end.
func readJSON(r *http.Request, into any) error {
	err := json.NewDecoder(r.Body).Decode(into)
	_, _ = io.Copy(io.Discard, r.Body) // a body that breaks off here shows itself as a client that left
	return err
}

// readNative is readJSON with the refusals of /api/*. It reports whether the handler may go on.
func readNative(w http.ResponseWriter, r *http.Request, into any) bool {
	err := readJSON(r, into)
	switch {
	case errors.Is(err, io.EOF):
		nativeError(w, http.StatusBadRequest, "missing request body")
	case err != nil:
		nativeError(w, http.StatusBadRequest, err.Error())
	}
	return err == nil
}

func plainText(w http.ResponseWriter, status int, contentType, text string) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

// writeJSON answers as Ollama's own handlers do: no newline at the end, a charset in the type unless one was set before.
func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		plainText(w, http.StatusInternalServerError, "text/plain", err.Error())
		return
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

// writeCompatJSON answers as Ollama's /v1 translators do: a newline at the end, no charset in the type.
func writeCompatJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// keepAlive is how long a model stays loaded: seconds, a duration in words, or for ever when negative.
type keepAlive struct{ time.Duration }

const defaultKeepAlive = 5 * time.Minute

// UnmarshalJSON takes a number of seconds or a duration such as "10m".
func (k *keepAlive) UnmarshalJSON(b []byte) error {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	switch t := v.(type) {
	case float64:
		k.Duration = time.Duration(math.Max(-1, math.Min(t*float64(time.Second), math.MaxInt64/2)))
	case string:
		d, err := time.ParseDuration(t)
		if err != nil {
			return err
		}
		k.Duration = d
	case nil:
		k.Duration = defaultKeepAlive
	default:
		return fmt.Errorf("unsupported type: '%T'", v)
	}
	if k.Duration < 0 {
		k.Duration = math.MaxInt64
	}
	return nil
}

// thinkValue is the wish to think, which may be a yes, a no or a level; the stand-in can do none of it.
type thinkValue struct {
	on    bool
	level string
}

// UnmarshalJSON takes true, false or one of the levels.
func (t *thinkValue) UnmarshalJSON(b []byte) error {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	switch v := v.(type) {
	case bool:
		t.on = v
	case string:
		if v != "high" && v != "medium" && v != "low" {
			return fmt.Errorf("invalid think value: %q (must be \"high\", \"medium\", \"low\", true, or false)", v)
		}
		t.on, t.level = true, v
	case nil:
	default:
		return errors.New("think must be a boolean or string (\"high\", \"medium\", \"low\", true, or false)")
	}
	return nil
}

// wishes are the entries of options that the stand-in honours.
type wishes struct {
	limit   int      // num_predict; zero or less means none
	context int      // num_ctx; zero means the default
	stop    []string // text that ends the answer
}

func readWishes(options map[string]any) (wishes, error) {
	var o wishes
	for key, v := range options {
		switch key {
		case "num_predict", "num_ctx":
			f, ok := v.(float64)
			if !ok {
				return o, fmt.Errorf("option %q must be of type integer", key)
			}
			n := int(math.Max(-1, math.Min(f, math.MaxInt32)))
			if key == "num_predict" {
				o.limit = n
			} else {
				o.context = max(n, 0)
			}
		case "stop":
			list, ok := v.([]any)
			if !ok {
				return o, fmt.Errorf("option %q must be of type array", key)
			}
			for _, e := range list {
				t, ok := e.(string)
				if !ok {
					return o, fmt.Errorf("option %q must be of an array of strings", key)
				}
				o.stop = append(o.stop, t)
			}
		}
	}
	return o, nil
}

// words cuts text into pieces that give the text again when put together; each but the first brings the blank before it.
func words(text string) []string {
	var pieces []string
	start := 0
	for i := 1; i < len(text); i++ {
		if text[i] == ' ' && text[i-1] != ' ' {
			pieces = append(pieces, text[start:i])
			start = i
		}
	}
	if start < len(text) {
		pieces = append(pieces, text[start:])
	}
	return pieces
}

// countTokens is the stand-in's idea of a prompt's length: its words, and never none.
func countTokens(texts ...string) int {
	n := 0
	for _, t := range texts {
		n += len(strings.Fields(t))
	}
	return max(n, 1)
}

// or is what p points at, or otherwise when it points nowhere.
func or[T any](p *T, otherwise T) T {
	if p != nil {
		return *p
	}
	return otherwise
}
