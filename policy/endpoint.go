package policy

import "strings"

// Class groups endpoints by what they can do to the owner's machine.
type Class int

// The endpoint classes. ClassNone is the zero value: nobody may call it.
const (
	ClassNone    Class = iota
	ClassUse           // inference
	ClassLook          // lists and details
	ClassManage        // changes the models on this machine
	ClassAccount       // the owner's ollama.com account, or other people's models
)

// String returns the word used in the request log.
func (c Class) String() string {
	switch c {
	case ClassNone:
		return "none"
	case ClassUse:
		return "use"
	case ClassLook:
		return "look"
	case ClassManage:
		return "manage"
	case ClassAccount:
		return "account"
	}
	return "none"
}

// MarshalText implements encoding.TextMarshaler.
func (c Class) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; an unknown word is ClassNone.
func (c *Class) UnmarshalText(b []byte) error {
	*c = ClassNone
	for k := ClassUse; k <= ClassAccount; k++ {
		if string(b) == k.String() {
			*c = k
		}
	}
	return nil
}

// Dialect says in which shape a path's clients expect an error.
type Dialect int

// The dialects.
const (
	DialectOllama    Dialect = iota // {"error":"…","status":"401 …"}
	DialectOpenAI                   // {"error":{"message","type","code"}}
	DialectAnthropic                // {"type":"error","error":{"type","message"}}
)

// DialectOf tells the dialect from the path alone, so that refusals of unknown
// endpoints are understood as well.
func DialectOf(path string) Dialect {
	switch {
	case path == "/v1/messages" || strings.HasPrefix(path, "/v1/messages/"):
		return DialectAnthropic
	case strings.HasPrefix(path, "/v1/"):
		return DialectOpenAI
	}
	return DialectOllama
}

// Body says what kind of request body an endpoint takes.
type Body int

// The kinds of body.
const (
	BodyNone   Body = iota // none: whatever is sent is refused or ignored
	BodyJSON               // one JSON object, read whole and looked at before it is passed on
	BodyForm               // multipart with an uploaded file, read whole and passed on as it is
	BodyStream             // passed on as it arrives
)

// Endpoint is one thing that the gate knows how to pass on.
type Endpoint struct {
	Method string
	Path   string // as Ollama spells it; a last segment in braces stands for one name
	Class  Class
	Action string // what it does, in the log's words: "Chat"
	Body   Body
	Names  string // JSON members that name the model, in Ollama's order, joined by a comma
}

// Sources names the JSON members of an endpoint's body that say of which model
// the named one is made, and on which host that one lies; empty when there are none.
func (e Endpoint) Sources() (model, host string) {
	switch e.Path {
	case "/api/create":
		return "from", "remote_host"
	case "/api/copy":
		return "source", ""
	}
	return "", ""
}

// The table is an allow-list of exact spellings. Deny-lists on raw paths have
// at least four ways around them, because Ollama routes on the decoded path
// (/api/%70ull and /api%2fpull reach the pull handler); so nothing is decoded,
// cleaned or matched loosely here. The routes are those of Ollama 0.17.4,
// server/routes.go.
var endpoints = []Endpoint{
	{"POST", "/api/generate", ClassUse, "Generate", BodyJSON, "model"},
	{"POST", "/api/chat", ClassUse, "Chat", BodyJSON, "model"},
	{"POST", "/api/embed", ClassUse, "Embed", BodyJSON, "model"},
	{"POST", "/api/embeddings", ClassUse, "Embed", BodyJSON, "model"},
	{"POST", "/v1/chat/completions", ClassUse, "Chat", BodyJSON, "model"},
	{"POST", "/v1/completions", ClassUse, "Generate", BodyJSON, "model"},
	{"POST", "/v1/responses", ClassUse, "Chat", BodyJSON, "model"},
	{"POST", "/v1/embeddings", ClassUse, "Embed", BodyJSON, "model"},
	{"POST", "/v1/messages", ClassUse, "Chat", BodyJSON, "model"},
	{"POST", "/v1/messages/count_tokens", ClassUse, "Count tokens", BodyJSON, "model"},
	{"POST", "/v1/images/generations", ClassUse, "Make image", BodyJSON, "model"},
	{"POST", "/v1/images/edits", ClassUse, "Edit image", BodyJSON, "model"},
	{"POST", "/v1/audio/transcriptions", ClassUse, "Transcribe", BodyForm, "model"},

	{"GET", "/", ClassLook, "Say hello", BodyNone, ""},
	{"GET", "/api/version", ClassLook, "Ask version", BodyNone, ""},
	{"HEAD", "/api/version", ClassLook, "Ask version", BodyNone, ""},
	{"GET", "/api/tags", ClassLook, "List models", BodyNone, ""},
	{"HEAD", "/api/tags", ClassLook, "List models", BodyNone, ""},
	{"GET", "/api/ps", ClassLook, "List loaded", BodyNone, ""},
	{"POST", "/api/show", ClassLook, "Show model", BodyJSON, "model,name"},
	{"GET", "/v1/models", ClassLook, "List models", BodyNone, ""},
	{"GET", "/v1/models/{model}", ClassLook, "Show model", BodyNone, ""},

	{"POST", "/api/pull", ClassManage, "Pull model", BodyJSON, "model,name"},
	{"POST", "/api/push", ClassManage, "Push model", BodyJSON, "model,name"},
	{"POST", "/api/create", ClassManage, "Create model", BodyJSON, "model,name"},
	{"POST", "/api/copy", ClassManage, "Copy model", BodyJSON, "destination"},
	{"DELETE", "/api/delete", ClassManage, "Delete model", BodyJSON, "model,name"},
	{"HEAD", "/api/blobs/{digest}", ClassManage, "Check upload", BodyNone, ""},
	{"POST", "/api/blobs/{digest}", ClassManage, "Upload", BodyStream, ""},

	{"GET", "/api/status", ClassAccount, "Account status", BodyNone, ""},
	{"POST", "/api/me", ClassAccount, "Account", BodyJSON, ""},
	{"POST", "/api/signout", ClassAccount, "Sign out", BodyJSON, ""},
	{"DELETE", "/api/user/keys/{key}", ClassAccount, "Remove account key", BodyNone, ""},
	{"GET", "/api/experimental/aliases", ClassAccount, "Model aliases", BodyNone, ""},
	{"POST", "/api/experimental/aliases", ClassAccount, "Model aliases", BodyJSON, ""},
	{"DELETE", "/api/experimental/aliases", ClassAccount, "Model aliases", BodyJSON, ""},
	{"POST", "/api/experimental/web_search", ClassAccount, "Web search", BodyJSON, ""},
	{"POST", "/api/experimental/web_fetch", ClassAccount, "Web fetch", BodyJSON, ""},
}

// Route says how a method and a path fared in the table.
type Route int

// The outcomes of a look-up. RouteUnclear is the zero value.
const (
	RouteUnclear Route = iota // not spelled canonically: refused without a look-up
	RouteUnknown              // no such path
	RouteMethod               // the path exists, the method is not taken there
	RouteFound
)

// Endpoints returns a copy of the table, for tests and documentation.
func Endpoints() []Endpoint { return append([]Endpoint(nil), endpoints...) }

type routeKey struct{ method, path string }

var (
	exact    = map[routeKey]Endpoint{}
	prefixed = map[routeKey]Endpoint{} // keyed by the path up to and with its last slash
	paths    = map[string]string{}     // path or prefix to its methods, for Allow
)

func init() {
	for _, e := range endpoints {
		p := e.Path
		if i := strings.IndexByte(p, '{'); i >= 0 {
			p = p[:i]
			prefixed[routeKey{e.Method, p}] = e
		} else {
			exact[routeKey{e.Method, p}] = e
		}
		if m := paths[p]; m != "" {
			paths[p] = m + ", " + e.Method
		} else {
			paths[p] = e.Method
		}
	}
}

// Find looks a method and the path of a request target up, as they stood on
// the wire. It allocates nothing.
func Find(method, path string) (Endpoint, Route) {
	if !canonical(path) {
		return Endpoint{}, RouteUnclear
	}
	if e, ok := exact[routeKey{method, path}]; ok {
		return e, RouteFound
	}
	if _, ok := paths[path]; ok && path[len(path)-1] != '/' || path == "/" {
		return Endpoint{}, RouteMethod
	}
	i := strings.LastIndexByte(path, '/') + 1
	if i == len(path) {
		return Endpoint{}, RouteUnknown
	}
	if e, ok := prefixed[routeKey{method, path[:i]}]; ok {
		return e, RouteFound
	}
	if _, ok := paths[path[:i]]; ok && i > 1 {
		return Endpoint{}, RouteMethod
	}
	return Endpoint{}, RouteUnknown
}

// Methods lists the methods taken at a path, for an Allow header; empty for an
// unknown path.
func Methods(path string) string {
	if m := paths[path]; m != "" && (path == "/" || !strings.HasSuffix(path, "/")) {
		return m
	}
	if i := strings.LastIndexByte(path, '/') + 1; i > 1 && i < len(path) {
		return paths[path[:i]]
	}
	return ""
}

// canonical says whether a path is spelled in the one way that the gate takes:
// it starts with a slash, has no empty, "." or ".." segment, no percent sign,
// backslash, semicolon, control or non-ASCII byte, and ends in a slash only
// when it is "/".
func canonical(p string) bool {
	if p == "/" {
		return true
	}
	if len(p) < 2 || len(p) > 512 || p[0] != '/' || p[len(p)-1] == '/' {
		return false
	}
	for i := 0; i < len(p); i++ {
		switch c := p[i]; {
		case c <= ' ' || c >= 0x7f || c == '%' || c == '\\' || c == ';' || c == '?' || c == '#':
			return false
		case c == '/' && i+1 < len(p):
			if p[i+1] == '/' {
				return false
			}
			if p[i+1] == '.' && (i+2 == len(p) || p[i+2] == '/' || p[i+2] == '.' && (i+3 == len(p) || p[i+3] == '/')) {
				return false
			}
		}
	}
	return true
}
