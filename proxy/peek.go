package proxy

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"unicode/utf8"

	"paddock/policy"
)

// peekModel reads the model out of a JSON body so that policy judges the model
// that Ollama will run. names are the members that name it, in Ollama's order
// of preference.
//
// Ollama reads /v1 bodies twice with parsers that disagree: once exact with the
// last duplicate winning, once ignoring case. So a body passes only when no two
// readings can differ: one JSON object, valid UTF-8, no data behind it, and
// each naming member at most once and spelled exactly. encoding/json folds case
// as strings.EqualFold does ("ſ" is an s, the Kelvin sign a k), so that is
// what is compared here.
func peekModel(body []byte, names string) (model string, ok bool) {
	body = bytes.TrimLeft(body, " \t\r\n")
	if len(body) == 0 || body[0] != '{' || !utf8.Valid(body) || !json.Valid(body) {
		return "", false
	}
	wanted := strings.Split(names, ",")
	found := make([]string, len(wanted))
	seen := make([]bool, len(wanted))
	good := true
	members(body, func(rawKey, rawValue []byte) bool {
		key := rawKey[1 : len(rawKey)-1]
		if bytes.IndexByte(key, '\\') >= 0 { // most keys have no escapes, and a body may have a million
			var decoded string
			if json.Unmarshal(rawKey, &decoded) != nil {
				good = false
				return false
			}
			key = []byte(decoded)
		}
		for i, w := range wanted {
			if w == "" || !strings.EqualFold(string(key), w) {
				continue
			}
			if string(key) != w || seen[i] {
				good = false
				return false
			}
			seen[i] = true
			if string(rawValue) == "null" {
				continue
			}
			if rawValue[0] != '"' || json.Unmarshal(rawValue, &found[i]) != nil || strings.ContainsRune(found[i], utf8.RuneError) {
				good = false
				return false
			}
		}
		return true
	})
	if !good {
		return "", false
	}
	for _, f := range found {
		switch {
		case f == "":
		case model == "":
			model = f
		case f != model:
			return "", false // ollama-js sends both, and always the same
		}
	}
	return model, true
}

// members calls yield for each top-level member of a valid JSON object until
// it returns false.
func members(b []byte, yield func(key, value []byte) bool) {
	i := space(b, 1)
	for b[i] == '"' {
		key := b[i:stringEnd(b, i)]
		i = space(b, i+len(key))
		i = space(b, i+1) // the colon
		end := valueEnd(b, i)
		if !yield(key, b[i:end]) {
			return
		}
		i = space(b, end)
		if b[i] != ',' {
			return
		}
		i = space(b, i+1)
	}
}

func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n') {
		i++
	}
	return i
}

// stringEnd returns the index behind the string that starts at i.
func stringEnd(b []byte, i int) int {
	for i++; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// valueEnd returns the index behind the value that starts at i.
func valueEnd(b []byte, i int) int {
	depth := 0
	for {
		switch b[i] {
		case '"':
			i = stringEnd(b, i)
			if depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i // the end of the object behind a number or a word
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
		i++
	}
}

// maxForm bounds the value of a form's model field.
const maxForm = 1 << 10

// peekForm reads the model out of a multipart form; at most one field may name
// it. A part with a Content-Transfer-Encoding is refused: Ollama's reader undoes
// quoted-printable, so "x=3Acloud" would be one model here and another there.
func peekForm(body []byte, contentType string) (model string, ok bool) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/form-data" {
		return "", false
	}
	reader := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	seen := false
	for {
		part, err := reader.NextRawPart()
		if err != nil {
			// Exactly io.EOF stands behind the last boundary. A form that breaks
			// off wraps it, and Ollama's reader refuses such a form.
			return model, err == io.EOF //nolint:errorlint // see above
		}
		if !strings.EqualFold(part.FormName(), "model") {
			continue
		}
		if part.FormName() != "model" || part.FileName() != "" || part.Header.Get("Content-Transfer-Encoding") != "" {
			return "", false
		}
		var b [maxForm + 1]byte
		n := 0
		for n < len(b) {
			k, err := part.Read(b[n:])
			n += k
			if err != nil {
				break
			}
		}
		if seen || n > maxForm || !utf8.Valid(b[:n]) || bytes.ContainsRune(b[:n], utf8.RuneError) {
			return "", false
		}
		seen, model = true, string(b[:n])
	}
}

// searchesTheWeb says whether a request of the Anthropic dialect asks Ollama to
// run a web search itself. Ollama signs that with the owner's account
// (middleware/anthropic.go); not every version refuses it for local models.
func searchesTheWeb(body []byte) (found bool) {
	members(bytes.TrimLeft(body, " \t\r\n"), func(rawKey, rawValue []byte) bool {
		var key string
		if json.Unmarshal(rawKey, &key) != nil || !strings.EqualFold(key, "tools") {
			return true
		}
		var tools []struct {
			Type string `json:"type"`
		}
		// What cannot be read here Ollama cannot read either.
		_ = json.Unmarshal(rawValue, &tools)
		for _, t := range tools {
			found = found || strings.HasPrefix(strings.ToLower(strings.TrimSpace(t.Type)), "web_search")
		}
		return !found
	})
	return found
}

// readModel finds the model that the request names.
func (x *exchange) readModel(e policy.Endpoint, body []byte, path string) policy.Reason {
	ok := true
	switch e.Body {
	case policy.BodyJSON:
		x.model, ok = peekModel(body, e.Names)
		if from, remote := e.Sources(); ok && from != "" {
			x.source, ok = peekModel(body, from)
			if ok && remote != "" {
				var host string
				host, ok = peekModel(body, remote)
				x.remote = host != ""
			}
		}
		x.remote = x.remote || ok && path == "/v1/messages" && searchesTheWeb(body)
		if ok && e.Class == policy.ClassUse {
			x.asks = questionOf(e, body)
		}
	case policy.BodyForm:
		x.model, ok = peekForm(body, x.r.Header.Get("Content-Type"))
	case policy.BodyNone:
		if rest, found := strings.CutPrefix(path, "/v1/models/"); found {
			x.model = rest
		}
	case policy.BodyStream:
	}
	if !ok {
		return policy.BadBody
	}
	x.entry.Model = cleanModel(x.model)
	return policy.Allowed
}
