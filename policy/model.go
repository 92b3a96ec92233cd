package policy

import (
	"cmp"
	"strings"
)

// Model is a model's name in the one spelling under which two names compare
// equal when Ollama takes them for the same model: all four parts, in small
// letters, "registry.ollama.ai/library/llama3:latest".
type Model string

// What Ollama fills in for the parts that a name leaves out (types/model/name.go).
const (
	defaultHost      = "registry.ollama.ai"
	defaultNamespace = "library"
	defaultTag       = "latest"
)

// The longest parts that Ollama takes (types/model/name.go, isValidLen).
const (
	maxHost = 350
	maxPart = 80
)

// ParseModel reads a name as Ollama's ParseName does, its oddities included: a
// scheme may be any text, and one without a host stands before the default
// host. ok is false for what Ollama refuses, such as a name with a digest.
func ParseModel(s string) (m Model, ok bool) {
	host, namespace, model, tag, ok := splitModel(s)
	if !ok {
		return "", false
	}
	if _, rest, found := strings.Cut(host, "://"); found {
		host = cmp.Or(rest, defaultHost) // a scheme says how to pull, not what
	}
	if !validPart(host, maxHost, ".:") || !validPart(namespace, maxPart, "") || !validPart(model, maxPart, ".") || !validPart(tag, maxPart, ".") {
		return "", false
	}
	return Model(strings.ToLower(host + "/" + namespace + "/" + model + ":" + tag)), true
}

// splitModel takes a name apart and fills in what it leaves out. A part that a
// separator promises and that is empty makes no name.
func splitModel(s string) (host, namespace, model, tag string, ok bool) {
	host, namespace, tag = defaultHost, defaultNamespace, defaultTag
	// A tag has no slash, so a colon before the last slash belongs to the host.
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, '/') {
		s, tag = s[:i], s[i+1:]
	}
	i := strings.LastIndexByte(s, '/')
	if i < 0 {
		return host, namespace, s, tag, s != "" && tag != ""
	}
	s, model = s[:i], s[i+1:]
	i = strings.LastIndexByte(s, '/')
	if i < 0 {
		return host, s, model, tag, s != "" && model != "" && tag != ""
	}
	host, namespace = s[:i], s[i+1:]
	return host, namespace, model, tag, host != "" && namespace != "" && model != "" && tag != ""
}

// validPart says whether a part begins with a letter, a digit or an underscore
// and goes on with those, dashes and the extra bytes.
func validPart(s string, longest int, extra string) bool {
	if s == "" || len(s) > longest {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_':
		case i > 0 && (c == '-' || strings.IndexByte(extra, c) >= 0):
		default:
			return false
		}
	}
	return true
}

// Short is the name as Ollama lists it: what is default is left out, but the tag.
func (m Model) Short() string {
	s := strings.TrimPrefix(string(m), defaultHost+"/")
	if s == string(m) {
		return s
	}
	return strings.TrimPrefix(s, defaultNamespace+"/")
}

// IsCloud says whether Ollama would send a model of this name to ollama.com
// with the owner's account: its tag is "cloud" or ends in "-cloud", in any
// letter case (Ollama, internal/modelref).
func IsCloud(model string) bool {
	m := strings.ToLower(strings.TrimSpace(model))
	return strings.HasSuffix(m, ":cloud") || strings.HasSuffix(m, "-cloud")
}
