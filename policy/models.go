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
// A pattern is a name in which a star stands for any text within one part: it
// goes over no slash, and not into the tag. What a pattern leaves out is filled in as in a name, but
// one that ends in a star and has no tag takes every tag: "llama3" is
// llama3:latest, "llama3:*" every llama3, "llama3*" whatever begins so,
// "hf.co/*" whatever comes from there, and "*" alone is everything.
type Models struct{ patterns string } // valid, in small letters, one a line

// MaxPatterns bounds how many patterns a key may have, since each request of
// the key is compared with all of them.
const MaxPatterns = 64

// ParseModels reads patterns as people write them; none at all is every model.
// Doubles are left out; the errors are sentences.
func ParseModels(patterns []string) (Models, error) {
	if len(patterns) > MaxPatterns {
		return Models{}, fmt.Errorf("at most %d model patterns a key", MaxPatterns)
	}
	var lines []string
	seen := map[string]bool{}
	for _, p := range patterns {
		p = strings.ToLower(strings.TrimSpace(p))
		if !validPattern(p) {
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

// Match says whether a model is among them. It costs a look at each pattern
// and allocates nothing.
func (m Models) Match(name Model) bool {
	if m.patterns == "" {
		return true
	}
	host, namespace, model, tag, ok := splitModel(string(name))
	if !ok {
		return false
	}
	for line := range strings.SplitSeq(m.patterns, "\n") {
		// The name comes first, because it tells most models apart.
		if p, ok := splitPattern(line); ok && glob(p.model, model) && glob(p.tag, tag) && glob(p.namespace, namespace) && glob(p.host, host) {
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

// splitPattern takes a pattern in small letters apart and fills in what it
// leaves out. It looks at the separators alone: see validPattern.
func splitPattern(s string) (p pattern, ok bool) {
	if s == "*" {
		return pattern{"*", "*", "*", "*"}, true
	}
	p.host, p.namespace, p.model, p.tag, ok = splitModel(s)
	if !strings.HasSuffix(p.model, "*") {
		return p, ok
	}
	slash := strings.LastIndexByte(s, '/')
	if strings.LastIndexByte(s, ':') <= slash {
		p.tag = "*"
	}
	if p.model == "*" && strings.IndexByte(s, '/') == slash && strings.ContainsAny(p.namespace, ".:") {
		p.host, p.namespace = p.namespace, "*" // no namespace has a dot: "hf.co/*" is a host
	}
	return p, ok
}

// validPattern says whether a text is a pattern that can match: a star is as
// good as a letter for what may stand where.
func validPattern(s string) bool {
	p, ok := splitPattern(s)
	valid := func(part string, longest int, extra string) bool {
		return validPart(strings.ReplaceAll(part, "*", "x"), longest, extra)
	}
	return ok && valid(p.host, maxHost, ".:") && valid(p.namespace, maxPart, "") && valid(p.model, maxPart, ".") && valid(p.tag, maxPart, ".")
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
