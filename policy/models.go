package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Models says which models a key may use and see, as a list of patterns. The
// zero value is every model. It is a plain value: two of them with the same
// patterns in the same order are equal.
//
// A pattern is a name in which a star stands for any part of one part of it.
// What a pattern leaves out is filled in as in a name, but a pattern whose last
// part has a star and no tag takes every tag: "llama3" is llama3:latest,
// "llama3*" and "llama3:*" are any of them, "*" is everything, "hf.co/*"
// whatever comes from there.
type Models struct{ patterns string } // normalised, one a line

// MaxPatterns bounds how many patterns a key may have, since each request of
// the key is compared with all of them.
const MaxPatterns = 64

// ParseModels reads patterns as people write them. Doubles are left out; the
// errors are sentences.
func ParseModels(patterns []string) (Models, error) {
	if len(patterns) > MaxPatterns {
		return Models{}, fmt.Errorf("at most %d model patterns a key", MaxPatterns)
	}
	var lines []string
	seen := map[string]bool{}
	for _, p := range patterns {
		p = strings.ToLower(strings.TrimSpace(p))
		if _, ok := splitPattern(p); !ok {
			return Models{}, fmt.Errorf("%.80q is no model pattern; it is a name such as llama3, in which * stands for anything: llama3*, qwen3:*", p)
		}
		if !seen[p] {
			lines = append(lines, p)
		}
		seen[p] = true
	}
	return Models{strings.Join(lines, "\n")}, nil
}

// All says whether there is no restriction.
func (m Models) All() bool { return m.patterns == "" }

// List returns the patterns, none for every model.
func (m Models) List() []string {
	if m.patterns == "" {
		return nil
	}
	return strings.Split(m.patterns, "\n")
}

// Match says whether a model is among them. It costs a look at each pattern.
func (m Models) Match(name Model) bool {
	if m.patterns == "" {
		return true
	}
	for line := range strings.SplitSeq(m.patterns, "\n") {
		if p, ok := splitPattern(line); ok && p.match(name) {
			return true
		}
	}
	return false
}

// MarshalJSON implements json.Marshaler: a list of texts.
func (m Models) MarshalJSON() ([]byte, error) {
	list := m.List()
	if list == nil {
		list = []string{}
	}
	return json.Marshal(list)
}

// UnmarshalJSON implements json.Unmarshaler. An empty list is refused: whoever
// wrote it may have meant no model at all.
func (m *Models) UnmarshalJSON(b []byte) error {
	var list []string
	if err := json.Unmarshal(b, &list); err != nil {
		return fmt.Errorf("reading model patterns: %w", err)
	}
	if len(list) == 0 {
		return errors.New("an empty list of models")
	}
	v, err := ParseModels(list)
	if err == nil {
		*m = v
	}
	return err
}

type pattern struct{ host, namespace, model, tag string }

// splitPattern takes a pattern in small letters apart.
func splitPattern(s string) (p pattern, ok bool) {
	if s == "*" {
		return pattern{"*", "*", "*", "*"}, true
	}
	if len(s) > maxHost || strings.Contains(s, "://") {
		return p, false
	}
	anyTag := strings.LastIndexByte(s, ':') <= strings.LastIndexByte(s, '/') && strings.HasSuffix(s[strings.LastIndexByte(s, '/')+1:], "*")
	p.host, p.namespace, p.model, p.tag, ok = splitModel(s)
	if anyTag {
		p.tag = "*"
	}
	if ok && p.host == defaultHost && strings.Count(s, "/") == 1 && p.model == "*" && strings.ContainsAny(p.namespace, ".:") {
		p.host, p.namespace = p.namespace, "*" // no namespace has a dot: "hf.co/*" is a host
	}
	// A star is as good as a letter for what may stand where.
	valid := func(part string, longest int, extra string) bool {
		return validPart(strings.ReplaceAll(part, "*", "x"), longest, extra)
	}
	return p, ok && valid(p.host, maxHost, ".:") && valid(p.namespace, maxPart, "") && valid(p.model, maxPart, ".") && valid(p.tag, maxPart, ".")
}

func (p pattern) match(m Model) bool {
	host, namespace, model, tag, ok := splitModel(string(m))
	return ok && glob(p.host, host) && glob(p.namespace, namespace) && glob(p.model, model) && glob(p.tag, tag)
}

// glob says whether a text fits a pattern in which a star stands for any text,
// none included. It goes back to the last star only, so its cost is bounded by
// the product of the two lengths.
func glob(pattern, s string) bool {
	i, j, star, from := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case j < len(pattern) && pattern[j] == '*':
			star, from = j, i
			j++
		case j < len(pattern) && pattern[j] == s[i]:
			i++
			j++
		case star >= 0:
			from++
			i, j = from, star+1
		default:
			return false
		}
	}
	return strings.Trim(pattern[j:], "*") == ""
}
