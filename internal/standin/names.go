package standin

import (
	"cmp"
	"strings"
)

// name is a model's name in its four parts. Two spellings mean the same model when their keys are equal.
type name struct{ host, namespace, model, tag string }

const (
	defaultHost      = "registry.ollama.ai"
	defaultNamespace = "library"
	defaultTag       = "latest"
	missingPart      = "!MISSING!" // a part that a separator promised; no valid part looks like it
)

// parseName reads a name as Ollama does and fills in the parts left out. It accepts anything: see valid.
func parseName(s string) name {
	n := name{}
	ok := false
	// A tag has no slash, so a colon before the last slash belongs to the host.
	if strings.LastIndex(s, ":") > strings.LastIndex(s, "/") {
		s, n.tag, _ = cutPromised(s, ":")
	}
	if s, n.model, ok = cutPromised(s, "/"); !ok {
		n.model, s = s, ""
	} else if s, n.namespace, ok = cutPromised(s, "/"); !ok {
		n.namespace, s = s, ""
	}
	if scheme, host, ok := strings.Cut(s, "://"); ok {
		n.host = host
	} else {
		n.host = scheme
	}
	n.host = cmp.Or(n.host, defaultHost)
	n.namespace = cmp.Or(n.namespace, defaultNamespace)
	n.tag = cmp.Or(n.tag, defaultTag)
	return n
}

// cutPromised cuts s at the last sep; an empty side becomes missingPart.
func cutPromised(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return cmp.Or(s[:i], missingPart), cmp.Or(s[i+len(sep):], missingPart), true
}

func (n name) valid() bool {
	return validPart(n.host, 350, ".:") && validPart(n.namespace, 80, "") && validPart(n.model, 80, ".") && validPart(n.tag, 80, ".")
}

// validPart reports whether s begins with a letter, digit or underscore and goes on with those, dashes and extra.
func validPart(s string, longest int, extra string) bool {
	if len(s) == 0 || len(s) > longest {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '_':
		case i > 0 && (c == '-' || strings.IndexByte(extra, c) >= 0):
		default:
			return false
		}
	}
	return true
}

// key is equal for all spellings of one name.
func (n name) key() string { return strings.ToLower(n.String()) }

// String is the name with all its parts.
func (n name) String() string { return n.host + "/" + n.namespace + "/" + n.model + ":" + n.tag }

// short is the name as /api/tags shows it: defaults left out, the tag always there.
func (n name) short() string {
	s := n.model + ":" + n.tag
	switch {
	case !strings.EqualFold(n.host, defaultHost):
		return n.host + "/" + n.namespace + "/" + s
	case !strings.EqualFold(n.namespace, defaultNamespace):
		return n.namespace + "/" + s
	}
	return s
}
