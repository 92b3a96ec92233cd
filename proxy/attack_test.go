package proxy

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"mime/multipart"
	"net/http/httptest"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"testing"

	"paddock/policy"
	"paddock/requestlog"
)

// attack is one request, byte for byte, and what must become of it.
type attack struct {
	name   string
	text   string
	status int
	reason policy.Reason // empty when net/http itself refuses, before there is a request
	seen   bool          // Ollama gets it
}

const (
	host   = "Host: laptop.local:11435\r\n"
	asUser = host + "Authorization: Bearer " + keyAlice + "\r\n"
	asMara = host + "Authorization: Bearer " + keyMara + "\r\n"
)

// say composes a request; a body gets its length.
func say(line, headers string, body ...string) string {
	b := strings.Join(body, "")
	if len(body) > 0 {
		headers += fmt.Sprintf("Content-Length: %d\r\n", len(b))
	}
	return line + " HTTP/1.1\r\n" + headers + "\r\n" + b
}

func get(path, headers string) string { return say("GET "+path, headers) }

func post(path, headers, body string) string { return say("POST "+path, headers, body) }

func basic(user, password string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password)) + "\r\n"
}

func form(parts ...func(*multipart.Writer)) (contentType, body string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range parts {
		p(w)
	}
	w.Close()
	return "Content-Type: " + w.FormDataContentType() + "\r\n", b.String()
}

func field(name, value string) func(*multipart.Writer) {
	return func(w *multipart.Writer) { _ = w.WriteField(name, value) }
}

func part(header textproto.MIMEHeader, value string) func(*multipart.Writer) {
	return func(w *multipart.Writer) {
		p, _ := w.CreatePart(header)
		_, _ = p.Write([]byte(value))
	}
}

func credentials() []attack {
	bad := func(name, header string, reason policy.Reason) attack {
		return attack{name: name, text: get("/api/tags", host+header), status: 401, reason: reason}
	}
	good := func(name, header string) attack {
		return attack{name: name, text: get("/api/tags", host+header), status: 200, reason: policy.Allowed, seen: true}
	}
	return []attack{
		good("Bearer", "Authorization: Bearer "+keyAlice+"\r\n"),
		good("bearer in small letters, as RFC 9110 has it", "authorization: bearer "+keyAlice+"\r\n"),
		good("Bearer with two blanks", "Authorization: Bearer  "+keyAlice+"\r\n"),
		good("Basic with the key as password", basic("anything", keyAlice)),
		good("Basic without a user", basic("", keyAlice)),
		good("x-api-key", "x-api-key: "+keyAlice+"\r\n"),
		good("the same key twice is one key", "Authorization: Bearer "+keyAlice+"\r\nx-api-key: "+keyAlice+"\r\n"),
		good("an empty Bearer beside x-api-key", "Authorization: Bearer \r\nx-api-key: "+keyAlice+"\r\n"),
		bad("nothing", "", policy.NoKey),
		bad("an empty Bearer, as n8n sends it", "Authorization: Bearer \r\n", policy.NoKey),
		bad("Bearer alone", "Authorization: Bearer\r\n", policy.NoKey),
		bad("an empty x-api-key", "x-api-key: \r\n", policy.NoKey),
		bad("Basic without a password", basic("ollama", ""), policy.NoKey),
		bad("a wrong key", "Authorization: Bearer "+keyUnknown+"\r\n", policy.WrongKey),
		bad("a wrong x-api-key", "x-api-key: "+keyUnknown+"\r\n", policy.WrongKey),
		bad("a wrong password", basic("alice", keyUnknown), policy.WrongKey),
		bad("a suspended key", "Authorization: Bearer "+keyPaused+"\r\n", policy.SuspendedKey),
		bad("an expired key", "Authorization: Bearer "+keyOld+"\r\n", policy.ExpiredKey),
		bad("a key with something behind it", "Authorization: Bearer "+keyAlice+"x\r\n", policy.WrongKey),
		bad("a key in another letter case", "Authorization: Bearer "+strings.ToUpper(keyAlice)+"\r\n", policy.WrongKey),
		bad("two keys in one header", "Authorization: Bearer "+keyAlice+", Bearer "+keyMara+"\r\n", policy.WrongKey),
		bad("a key without a scheme", "Authorization: "+keyAlice+"\r\n", policy.MalformedKey),
		bad("another scheme", "Authorization: Digest "+keyAlice+"\r\n", policy.MalformedKey),
		bad("a tab for a blank", "Authorization: Bearer\t"+keyAlice+"\r\n", policy.MalformedKey),
		bad("Basic that is not base64", "Authorization: Basic !!!\r\n", policy.MalformedKey),
		bad("Basic without a colon", "Authorization: Basic "+base64.StdEncoding.EncodeToString([]byte(keyAlice))+"\r\n", policy.MalformedKey),
		bad("the key as Basic user", basic(keyAlice, "x"), policy.WrongKey),
		bad("a key of a thousand bytes", "Authorization: Bearer "+strings.Repeat("a", 1000)+"\r\n", policy.MalformedKey),
		bad("an x-api-key of a thousand bytes", "x-api-key: "+strings.Repeat("a", 1000)+"\r\n", policy.MalformedKey),
		bad("two different keys", "Authorization: Bearer "+keyAlice+"\r\nx-api-key: "+keyMara+"\r\n", policy.TwoKeys),
		bad("a good and a bad key", "Authorization: Bearer "+keyUnknown+"\r\nx-api-key: "+keyAlice+"\r\n", policy.TwoKeys),
		bad("a scheme nobody knows beside a good x-api-key", "Authorization: Digest x\r\nx-api-key: "+keyAlice+"\r\n", policy.MalformedKey),
		bad("a key in a cookie", "Cookie: key="+keyAlice+"; Authorization=Bearer "+keyAlice+"\r\n", policy.NoKey),
		bad("a key for a proxy", "Proxy-Authorization: Bearer "+keyAlice+"\r\n", policy.NoKey),
		bad("a header that some proxies take for the other", "X_Api_Key: "+keyAlice+"\r\n", policy.NoKey),
		{"a key in the query", get("/api/tags?key="+keyAlice+"&api_key="+keyAlice, host), 401, policy.NoKey, false},
		{"two Authorization headers", get("/api/tags", asUser+"Authorization: Bearer "+keyMara+"\r\n"), 400, policy.BadRequest, false},
		{"the same Authorization twice", get("/api/tags", asUser+"Authorization: Bearer "+keyAlice+"\r\n"), 400, policy.BadRequest, false},
		{"two x-api-keys", get("/api/tags", host+"x-api-key: "+keyAlice+"\r\nx-api-key: "+keyAlice+"\r\n"), 400, policy.BadRequest, false},
		{"a good key beside a query", get("/api/tags?key=other", asUser), 200, policy.Allowed, true},
	}
}

func targets() []attack {
	unclear := func(name, line string) attack {
		return attack{name: name, text: say(line, asMara), status: 400, reason: policy.UnclearPath}
	}
	return []attack{
		{"no key at /", get("/", host), 401, policy.NoKey, false},
		{"HEAD / says nothing and needs no key", say("HEAD /", host), 200, policy.Allowed, false},
		{"HEAD / with a query", say("HEAD /?x", host), 200, policy.Allowed, false},
		{"HEAD //", say("HEAD //", host), 401, policy.NoKey, false},
		{"the welcome page", get("/paddock/", host), 200, policy.Allowed, false},
		{"beside the welcome page", get("/paddock", host), 401, policy.NoKey, false},
		{"no key at an unknown path", get("/nothing", host), 401, policy.NoKey, false},
		{"a key at /", get("/", asUser), 200, policy.Allowed, true},
		{"an unknown endpoint", get("/api/secret", asUser), 404, policy.UnknownEndpoint, false},
		{"debug pages", get("/debug/pprof", asMara), 404, policy.UnknownEndpoint, false},
		{"a wrong method", get("/api/chat", asUser), 405, policy.WrongMethod, false},
		{"a method in small letters", say("get /api/tags", asUser), 405, policy.WrongMethod, false},
		{"a method of one's own", say("PURGE /api/tags", asUser), 405, policy.WrongMethod, false},
		unclear("two slashes", "GET //api/tags"),
		unclear("two slashes inside", "GET /api//tags"),
		unclear("dots", "POST /api/../api/pull"),
		unclear("one dot", "GET /api/./tags"),
		unclear("an escaped letter", "POST /api/%70ull"),
		unclear("an escaped slash", "POST /api%2fpull"),
		unclear("an escaped slash in capitals", "POST /api%2Fpull"),
		unclear("escaped dots", "POST /api/x/%2e%2e/pull"),
		unclear("an escaped backslash", "POST /api%5cpull"),
		unclear("a backslash", `POST /api\pull`),
		unclear("an escaped NUL", "GET /api/tags%00"),
		unclear("a trailing slash", "GET /api/tags/"),
		unclear("parameters", "GET /api/tags;x"),
		unclear("a fragment", "GET /api/tags#x"),
		unclear("an empty fragment", "GET /api/tags#"),
		unclear("an asterisk", "GET *"),
		unclear("letters beyond ASCII", "GET /api/t\u0430gs"),
		{"capitals", say("POST /API/PULL", asMara), 404, policy.UnknownEndpoint, false},
		{"a control byte", "GET /api/tags\x01 HTTP/1.1\r\n" + asUser + "\r\n", 400, "", false},
		{"a NUL", "GET /api/tags\x00 HTTP/1.1\r\n" + asUser + "\r\n", 400, "", false},
		{"absolute form to somebody else", get("http://evil.example/api/tags", asMara), 421, policy.WrongHost, false},
		{"absolute form to ourselves", get("http://laptop.local:11435/api/tags", asMara), 400, policy.UnclearPath, false},
		{"absolute form with a name and a key", get("http://alice:"+keyAlice+"@laptop.local:11435/api/tags?k="+keyAlice, asMara), 400, policy.UnclearPath, false},
		{"absolute form without a key", get("http://laptop.local:11435/api/tags", host), 401, policy.NoKey, false},
		{"opaque form", get("mailto:"+keyAlice, asMara), 400, policy.UnclearPath, false},
		{"CONNECT elsewhere", say("CONNECT evil.example:443", asMara), 421, policy.WrongHost, false},
		{"CONNECT to this machine", say("CONNECT 127.0.0.1:11434", asMara), 400, policy.UnclearPath, false},
		{"CONNECT without a key", say("CONNECT 127.0.0.1:11434", host), 401, policy.NoKey, false},
		{"CONNECT with a path", say("CONNECT /api/tags", asMara), 405, policy.WrongMethod, false},
		{"TRACE", say("TRACE /api/tags", asMara), 405, policy.WrongMethod, false},
		{"TRACE without a key", say("TRACE /", host), 401, policy.NoKey, false},
		{"OPTIONS * without a key, which Go itself would answer with 200", say("OPTIONS *", host), 401, policy.NoKey, false},
		{"OPTIONS * with a key", say("OPTIONS *", asMara), 400, policy.UnclearPath, false},
		{"OPTIONS that is no preflight, without a key", say("OPTIONS /api/tags", host), 401, policy.NoKey, false},
		{"OPTIONS that is no preflight, with a key", say("OPTIONS /api/tags", asUser), 405, policy.WrongMethod, false},
		{"OPTIONS with an Origin alone", say("OPTIONS /api/tags", host+"Origin: http://a.example\r\n"), 401, policy.NoKey, false},
		{"a preflight", say("OPTIONS /api/chat", host+"Origin: http://a.example\r\nAccess-Control-Request-Method: POST\r\n"), 403, policy.OriginNotAllowed, false},
		{"a preflight with a key", say("OPTIONS /api/chat", asUser+"Origin: http://a.example\r\nAccess-Control-Request-Method: POST\r\n"), 403, policy.OriginNotAllowed, false},
		{"a method override", post("/api/tags", asMara+"X-HTTP-Method-Override: GET\r\n", ""), 405, policy.WrongMethod, false},
		{"a method override to delete", post("/api/chat", asUser+"X-HTTP-Method-Override: DELETE\r\nX-Method-Override: DELETE\r\n", chat), 200, policy.Allowed, true},
		{"a path override", get("/api/tags", asUser+"X-Original-URL: /api/pull\r\nX-Rewrite-URL: /api/pull\r\n"), 200, policy.Allowed, true},
	}
}

func framing() []attack {
	return []attack{
		{"an Upgrade to websocket", get("/api/tags", asUser+"Connection: Upgrade\r\nUpgrade: websocket\r\n"), 400, policy.BadRequest, false},
		{"an Upgrade to h2c", get("/api/tags", asUser+"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"), 400, policy.BadRequest, false},
		{"an Upgrade that Connection does not name", get("/api/tags", asUser+"Upgrade: h2c\r\n"), 400, policy.BadRequest, false},
		{"h2c by prior knowledge", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 421, policy.WrongHost, false},
		{"HTTP/2.0 in words", "GET /api/tags HTTP/2.0\r\n" + asUser + "\r\n", 505, "", false},
		{"HTTP/1.0 without a Host", "GET /api/tags HTTP/1.0\r\nAuthorization: Bearer " + keyAlice + "\r\n\r\n", 421, policy.WrongHost, false},
		{"HTTP/1.0 with a Host", "GET /api/tags HTTP/1.0\r\n" + asUser + "\r\n", 200, policy.Allowed, true},
		{"no Host", "GET /api/tags HTTP/1.1\r\nAuthorization: Bearer " + keyAlice + "\r\n\r\n", 400, "", false},
		{"two Hosts", get("/api/tags", asUser+"Host: evil.example\r\n"), 400, "", false},
		{"a foreign Host", get("/api/tags", "Host: evil.example\r\nAuthorization: Bearer "+keyAlice+"\r\n"), 421, policy.WrongHost, false},
		{"a foreign Host without a key", get("/", "Host: evil.example\r\n"), 421, policy.WrongHost, false},
		{"a foreign Host and HEAD /", say("HEAD /", "Host: evil.example\r\n"), 421, policy.WrongHost, false},
		{"somebody else's .local", get("/api/tags", "Host: other.local\r\nAuthorization: Bearer "+keyAlice+"\r\n"), 421, policy.WrongHost, false},
		{"our name with more behind it", get("/api/tags", "Host: laptop.local.evil.example\r\nAuthorization: Bearer "+keyAlice+"\r\n"), 421, policy.WrongHost, false},
		{"X-Forwarded-Host", get("/api/tags", "Host: evil.example\r\nX-Forwarded-Host: laptop.local\r\nAuthorization: Bearer "+keyAlice+"\r\n"), 421, policy.WrongHost, false},
		{"a length and chunks at once", "POST /api/chat HTTP/1.1\r\n" + asUser + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, policy.BadRequest, false},
		{"a length and chunks at once, which is one body for Go", "POST /api/chat HTTP/1.1\r\n" + asUser + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(chat), chat), 400, policy.BadRequest, false},
		{"two lengths", "POST /api/chat HTTP/1.1\r\n" + asUser + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", 400, "", false},
		{"a negative length", "POST /api/chat HTTP/1.1\r\n" + asUser + "Content-Length: -1\r\n\r\n", 400, "", false},
		{"a length with a sign", "POST /api/chat HTTP/1.1\r\n" + asUser + "Content-Length: +5\r\n\r\nhello", 400, "", false},
		{"chunks by another name", "POST /api/chat HTTP/1.1\r\n" + asUser + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501, "", false},
		{"chunks twice", "POST /api/chat HTTP/1.1\r\n" + asUser + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", 501, "", false},
		{"a chunk that lies about its length", "POST /api/chat HTTP/1.1\r\n" + asUser + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", 400, policy.BadBody, false},
		{"a folded header", "GET /api/tags HTTP/1.1\r\n" + asUser + "X-Fold: a\r\n b\r\n\r\n", 400, policy.BadRequest, false},
		{"a folded credential", "GET /api/tags HTTP/1.1\r\n" + host + "Authorization: Bearer\r\n " + keyUnknown + "\r\n\r\n", 400, policy.BadRequest, false},
		{"a blank before the colon", "GET /api/tags HTTP/1.1\r\n" + asUser + "X-Secret : 1\r\n\r\n", 400, "", false},
		{"a NUL in a header", "GET /api/tags HTTP/1.1\r\n" + asUser + "X-Secret: a\x00b\r\n\r\n", 400, "", false},
		{"a bare CR in a header", "GET /api/tags HTTP/1.1\r\n" + asUser + "X-Secret: a\rb\r\n\r\n", 400, "", false},
		{"headers beyond the limit", get("/api/tags", asUser+"X-Secret: "+strings.Repeat("a", 40<<10)+"\r\n"), 431, "", false},
		{"an expectation nobody can meet", get("/api/tags", asUser+"Expect: miracles\r\n"), 417, "", false},
		{"a web page with a good key", get("/api/tags", asUser+"Origin: https://evil.example\r\n"), 403, policy.OriginNotAllowed, false},
		{"a page without an origin", get("/api/tags", asUser+"Origin: null\r\n"), 403, policy.OriginNotAllowed, false},
		{"a page of our own address", get("/api/tags", asUser+"Origin: http://laptop.local:11435\r\n"), 403, policy.OriginNotAllowed, false},
		{"two Origins", get("/api/tags", asUser+"Origin: http://a.example\r\nOrigin: http://b.example\r\n"), 400, policy.BadRequest, false},
		{"a web page without a key learns no more than anybody", get("/api/tags", host+"Origin: https://evil.example\r\n"), 401, policy.NoKey, false},
	}
}

func endpointsAndModels() []attack {
	var rows []attack
	for _, e := range policy.Endpoints() {
		path := e.Path
		if i := strings.IndexByte(path, '{'); i >= 0 {
			path = path[:i] + "one"
		}
		var body []string
		if e.Body != policy.BodyNone {
			body = []string{`{"model":"llama3"}`}
		}
		if e.Path == "/api/copy" {
			body = []string{`{"source":"llama3","destination":"mine"}`}
		}
		kind := ""
		if e.Body == policy.BodyForm {
			var text string
			kind, text = form(field("model", "whisper"))
			body = []string{text}
		}
		row := func(who, headers string) attack {
			a := attack{name: who + " at " + e.Method + " " + e.Path, text: say(e.Method+" "+path, headers+kind, body...), status: 200, reason: policy.Allowed, seen: true}
			switch {
			case who == "nobody":
				a.status, a.reason, a.seen = 401, policy.NoKey, false
			case e.Class == policy.ClassAccount:
				a.status, a.reason, a.seen = 403, policy.OwnerOnly, false
			case e.Class == policy.ClassManage && who != "a manager":
				a.status, a.reason, a.seen = 403, policy.ManagersOnly, false
			}
			return a
		}
		rows = append(rows, row("nobody", host), row("a user", asUser), row("a manager", asMara))
	}
	bad := func(name, body string) attack {
		return attack{name, post("/v1/chat/completions", asUser, body), 400, policy.BadBody, false}
	}
	cloud := func(name, path, headers, body string) attack {
		return attack{name, post(path, headers, body), 403, policy.CloudNotGranted, false}
	}
	multi := func(parts ...func(*multipart.Writer)) string {
		kind, body := form(parts...)
		return post("/v1/audio/transcriptions", asUser+kind, body)
	}
	disposition := func(d string, more ...string) textproto.MIMEHeader {
		h := textproto.MIMEHeader{"Content-Disposition": {d}}
		for i := 0; i < len(more); i += 2 {
			h[more[i]] = []string{more[i+1]}
		}
		return h
	}
	return append(rows, []attack{
		cloud("a cloud model", "/api/chat", asUser, `{"model":"minimax:cloud"}`),
		cloud("a cloud model by its dash", "/api/generate", asUser, `{"model":"gpt-oss:120b-cloud"}`),
		cloud("a cloud model in capitals", "/v1/chat/completions", asUser, `{"model":"Minimax:CLOUD"}`),
		cloud("a cloud model with blanks", "/v1/chat/completions", asUser, `{"model":" minimax:cloud "}`),
		cloud("a cloud model in escapes", "/api/chat", asUser, `{"model":"minimax\u003acl\u006fud"}`),
		cloud("a cloud model behind an escaped member", "/api/chat", asUser, `{"m\u006fdel":"minimax:cloud"}`),
		cloud("a cloud model with its host", "/api/embed", asUser, `{"model":"registry.ollama.ai/library/minimax:cloud"}`),
		cloud("a cloud model by its old name", "/api/show", asUser, `{"name":"minimax:cloud"}`),
		cloud("a web search on the owner's account", "/v1/messages", asUser, `{"model":"llama3","max_tokens":1,"messages":[],"tools":[{"type":"web_search_20250305","name":"web_search"}]}`),
		cloud("a web search in capitals behind a harmless tool", "/v1/messages", asMara, `{"model":"llama3","Tools":[{"name":"x"},{"TYPE":"WEB_search"}]}`),
		cloud("a manager needs the grant as well", "/api/chat", asMara, `{"model":"minimax:cloud"}`),
		cloud("a manager pulls a cloud model", "/api/pull", asMara, `{"model":"minimax:cloud"}`),
		cloud("a manager makes an alias of a cloud model", "/api/create", asMara, `{"model":"mine","from":"minimax:cloud"}`),
		cloud("a manager makes an alias of a model elsewhere", "/api/create", asMara, `{"model":"mine","from":"gpt","remote_host":"https://ollama.com:443"}`),
		cloud("a manager copies a cloud model", "/api/copy", asMara, `{"source":"minimax:cloud","destination":"mine"}`),
		{"a copy with two sources", post("/api/copy", asMara, `{"source":"a","Source":"minimax:cloud","destination":"b"}`), 400, policy.BadBody, false},
		{"a copy whose source has a long s", post("/api/copy", asMara, `{"source":"a","ſource":"minimax:cloud","destination":"b"}`), 400, policy.BadBody, false},
		{"details of a cloud model", get("/v1/models/minimax:cloud", asUser), 403, policy.CloudNotGranted, false},
		{"a cloud model with the grant", post("/api/chat", host+"x-api-key: "+keyCloud+"\r\n", `{"model":"minimax:cloud"}`), 200, policy.Allowed, true},
		{"a copy of a cloud model with the grant", post("/api/copy", host+"x-api-key: "+keyCloud+"\r\n", `{"source":"minimax:cloud","destination":"mine"}`), 200, policy.Allowed, true},
		{"a form with a cloud model", multi(field("model", "whisper:cloud")), 403, policy.CloudNotGranted, false},
		{"a form with two models", multi(field("model", "a"), field("model", "whisper:cloud")), 400, policy.BadBody, false},
		{"a form with a model in capitals", multi(field("Model", "whisper:cloud")), 400, policy.BadBody, false},
		{"a form whose model is quoted-printable, which Ollama would undo", multi(part(disposition(`form-data; name="model"`, "Content-Transfer-Encoding", "quoted-printable"), "whisper=3Aclou=64")), 400, policy.BadBody, false},
		{"a form whose model is a file", multi(part(disposition(`form-data; name="model"; filename="x"`), "whisper:cloud")), 400, policy.BadBody, false},
		{"a form whose model's name is escaped", multi(part(disposition(`form-data; name*=utf-8''mod%65l`), "whisper:cloud")), 403, policy.CloudNotGranted, false},
		{"a form with a very long model", multi(field("model", strings.Repeat("a", 2000))), 400, policy.BadBody, false},
		{"a form that is JSON", post("/v1/audio/transcriptions", asUser+"Content-Type: application/json\r\n", `{"model":"whisper"}`), 400, policy.BadBody, false},
		{"a form without an end", post("/v1/audio/transcriptions", asUser+"Content-Type: multipart/form-data; boundary=x\r\n", "--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper"), 400, policy.BadBody, false},
		{"a whole form", multi(field("language", "de"), field("model", "whisper"), part(disposition(`form-data; name="file"; filename="a.wav"`), "RIFF")), 200, policy.Allowed, true},

		bad("two models", `{"model":"a","model":"minimax:cloud"}`),
		bad("two equal models", `{"model":"a","model":"a"}`),
		bad("a second model in capitals", `{"model":"a","MODEL":"minimax:cloud"}`),
		bad("one model in capitals", `{"Model":"a"}`),
		bad("null and a second spelling", `{"model":null,"Model":"minimax:cloud"}`),
		bad("a second model in escapes", `{"model":"a","m\u006fdel":"minimax:cloud"}`),
		bad("a second model in escaped capitals", `{"model":"a","\u004dodel":"minimax:cloud"}`),
		bad("a model that is a number", `{"model":7}`),
		bad("a model that is a list", `{"model":["a"]}`),
		bad("a model with a lone surrogate", `{"model":"a\ud800"}`),
		bad("a byte order mark", "\ufeff"+`{"model":"a"}`),
		bad("data behind the object", `{"model":"a"}{"model":"minimax:cloud"}`),
		bad("rubbish behind the object", `{"model":"a"} x`),
		bad("a NUL behind the object", "{\"model\":\"a\"}\x00"),
		bad("broken UTF-8", "{\"model\":\"a\",\"x\":\"\xff\"}"),
		bad("UTF-16", "\xff\xfe{\x00}\x00"),
		bad("very deep nesting", `{"model":"a","x":`+strings.Repeat("[", 20_000)+strings.Repeat("]", 20_000)+`}`),
		bad("a list", `[{"model":"a"}]`),
		bad("a string", `"model"`),
		bad("null", `null`),
		bad("half an object", `{"model":"a"`),
		bad("no body", ``),
		bad("blanks", "  \r\n"),
		bad("a comment", `{"model":"a"/*x*/}`),
		bad("a comma too many", `{"model":"a",}`),
		{"two names that agree, as ollama-js sends them", post("/api/show", asUser, `{"name":"a","model":"a"}`), 200, policy.Allowed, true},
		{"two names that differ", post("/api/show", asUser, `{"name":"minimax:cloud","model":"a"}`), 400, policy.BadBody, false},
		{"a name in capitals", post("/api/show", asUser, `{"Name":"minimax:cloud","model":"a"}`), 400, policy.BadBody, false},
		{"a name is no model where Ollama does not read it", post("/api/chat", asUser, `{"name":"minimax:cloud","model":"a"}`), 200, policy.Allowed, true},
		{"nesting that is no attack", post("/api/chat", asUser, `{"model":"a","x":`+strings.Repeat("[", 500)+strings.Repeat("]", 500)+`}`), 200, policy.Allowed, true},
		{"a nested model says nothing", post("/api/chat", asUser, `{"options":{"model":"minimax:cloud","Model":1},"model":"a"}`), 200, policy.Allowed, true},
		{"curl -d without a content type of JSON", post("/api/chat", asUser+"Content-Type: application/x-www-form-urlencoded\r\n", chat), 200, policy.Allowed, true},
		{"a body where none belongs goes no further", say("GET /api/tags", asUser, `{"model":"minimax:cloud"}`), 200, policy.Allowed, true},

		{"zstd", post("/v1/responses", asUser+"Content-Encoding: zstd\r\n", "(\xb5/\xfd"), 415, policy.EncodedBody, false},
		{"gzip", post("/api/chat", asUser+"Content-Encoding: gzip\r\n", "\x1f\x8b"), 415, policy.EncodedBody, false},
		{"deflate in capitals", post("/api/chat", asUser+"content-encoding: DEFLATE\r\n", "x"), 415, policy.EncodedBody, false},
		{"two encodings", post("/api/chat", asUser+"Content-Encoding: identity, zstd\r\n", chat), 415, policy.EncodedBody, false},
		{"two encoding headers", post("/api/chat", asUser+"Content-Encoding: identity\r\nContent-Encoding: zstd\r\n", chat), 415, policy.EncodedBody, false},
		{"an empty encoding before another", post("/api/chat", asUser+"Content-Encoding: \r\nContent-Encoding: zstd\r\n", chat), 415, policy.EncodedBody, false},
		{"a compressed upload", post("/api/blobs/sha256-1", asMara+"Content-Encoding: gzip\r\n", "x"), 415, policy.EncodedBody, false},
		{"identity", post("/api/chat", asUser+"Content-Encoding: identity\r\n", chat), 200, policy.Allowed, true},
		{"a body declared too large", "POST /api/chat HTTP/1.1\r\n" + asUser + "Content-Length: 99999999999\r\n\r\n", 413, policy.BodyTooLarge, false},
		{"a body of all the length there is", "POST /api/chat HTTP/1.1\r\n" + asUser + "Content-Length: 9223372036854775807\r\n\r\n{", 413, policy.BodyTooLarge, false},
		{"a look declared too large", "POST /api/show HTTP/1.1\r\n" + asUser + "Content-Length: 1048577\r\n\r\n", 413, policy.BodyTooLarge, false},
		{"chunks that grow too large", "POST /api/show HTTP/1.1\r\n" + asUser + "Transfer-Encoding: chunked\r\n\r\n100001\r\n" + strings.Repeat(" ", 0x100001), 413, policy.BodyTooLarge, false},
		{"chunks", "POST /api/chat HTTP/1.1\r\n" + asUser + "Transfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(chat), chat), 200, policy.Allowed, true},
		{"chunks with trailers", "POST /api/chat HTTP/1.1\r\n" + asUser + "Trailer: X-Secret\r\nTransfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\nX-Secret: 1\r\n\r\n", len(chat), chat), 200, policy.Allowed, true},
	}...)
}

// attacks is the whole table.
func attacks() map[string][]attack {
	return map[string][]attack{
		"credentials": credentials(), "targets": targets(), "framing": framing(), "endpoints and models": endpointsAndModels(),
		"strict framing": strictFraming(), "origins": origins(), "keys in the address": addressKeys(), "names of models": modelNames(), "side doors": sideDoors(),
	}
}

// inWhole finds more of a key than its hint.
var inWhole = regexp.MustCompile(`pdk_[0-9A-Za-z]{6}`)

// Each request of the table goes through the real server on a connection of its
// own. It gets its status, reaches Ollama only where the table says so, leaves
// exactly one entry with its one reason, and its answer carries that entry's id.
func TestAttacks(t *testing.T) { fireAll(t) }

// The same behind TLS, where another kind of connection carries the same bytes.
func TestAttacksBehindTLS(t *testing.T) { fireAll(t, encrypted) }

func fireAll(t *testing.T, options ...option) {
	for name, rows := range attacks() {
		t.Run(name, func(t *testing.T) {
			s := open(t, echo, append(options, func(_ *site, c *Config) { c.Origins = websites })...)
			logged := 0
			for _, a := range rows {
				before := s.seen.Load()
				method, _, _ := strings.Cut(a.text, " ")
				got := s.send(method, a.text)
				if got.err != nil || got.status != a.status {
					t.Errorf("%s: %d %v, want %d\n%s", a.name, got.status, got.err, a.status, got.body)
				}
				if seen := s.seen.Load() > before; seen != a.seen {
					t.Errorf("%s: Ollama saw it: %v", a.name, seen)
				}
				id := got.header.Get("X-Request-Id")
				if a.reason == "" {
					if id != "" {
						t.Errorf("%s: reached the gate", a.name)
					}
					continue
				}
				logged++
				e := s.last(logged)
				if e.Reason != a.reason {
					t.Errorf("%s: logged as %s, want %s", a.name, e.Reason, a.reason)
				}
				if id == "" || e.ID != id {
					t.Errorf("%s: answered as %q and logged as %q", a.name, id, e.ID)
				}
				if e.Status != got.status {
					t.Errorf("%s: answered %d and logged %d", a.name, got.status, e.Status)
				}
				if v := got.header.Get("X-Content-Type-Options"); v != "nosniff" {
					t.Errorf("%s: X-Content-Type-Options %q", a.name, v)
				}
				if got.status == 405 && got.header.Get("Allow") == "" {
					t.Errorf("%s: 405 without Allow", a.name)
				}
				if got.status == 401 && len(got.header.Values("WWW-Authenticate")) != 2 {
					t.Errorf("%s: 401 with %q", a.name, got.header.Values("WWW-Authenticate"))
				}
				a.checkOrigin(t, got)
				if text := e.Path + e.UserAgent + e.Origin + e.Model + e.Method; inWhole.MatchString(text) {
					t.Errorf("%s: a key in the log: %+v", a.name, e)
				}
			}
			s.entries(logged)
		})
	}
}

// While the owner asks for TLS nothing that comes in clear reaches Ollama, with
// whatever key: what is no request for us is refused as ever, and all else gets 426.
func TestNothingPassesInClearWhileTheOwnerAsksForTLS(t *testing.T) {
	for name, rows := range attacks() {
		t.Run(name, func(t *testing.T) {
			s := open(t, echo, func(_ *site, c *Config) { c.Origins, c.Choices.AllowHTTP = websites, false })
			for _, a := range rows {
				method, _, _ := strings.Cut(a.text, " ")
				got := s.send(method, a.text)
				before := a.reason == "" || a.reason == policy.WrongHost || a.reason == policy.BadRequest
				if got.err != nil || got.status != 426 && (!before || got.status != a.status) {
					t.Errorf("%s: %d %v, want 426", a.name, got.status, got.err)
				}
				if got.status == 426 && (!strings.HasPrefix(got.header.Get("Upgrade"), "TLS/") || method != "HEAD" && !strings.Contains(got.body, "https://")) {
					t.Errorf("%s: %v %q", a.name, got.header, got.body)
				}
			}
			if n := s.seen.Load() + s.asked.Load(); n != 0 {
				t.Errorf("Ollama saw %d", n)
			}
		})
	}
}

// The owner learns whose key somebody may have read, and the teammate that it needs replacing.
func TestAKeyInClearIsNamedInTheLog(t *testing.T) {
	s := open(t, echo, func(_ *site, c *Config) { c.Choices.AllowHTTP = false })
	for i, path := range []string{"/api/tags", "/v1/models", "/v1/messages", "/nothing", "/paddock/ca.pem"} {
		got := s.send("GET", get(path, asUser))
		if got.status != 426 || strings.Contains(got.body, "ask the owner for a new one") || strings.Contains(got.body, keyAlice) {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
		if e := s.last(i + 1); e.Key != "alice" || e.Reason != policy.PlainHTTP || e.TLS != "" || e.Phase != requestlog.Refused {
			t.Errorf("%+v", e)
		}
	}
	far := httptest.NewRequestWithContext(t.Context(), "GET", "http://laptop.local:11435/api/tags", nil)
	far.RemoteAddr = "192.168.1.9:4711" // what came over a network needs replacing; what never left this machine does not
	far.Header.Set("Authorization", "Bearer "+keyAlice)
	w := httptest.NewRecorder()
	s.gate.ServeHTTP(w, far)
	if w.Code != 426 || !strings.Contains(w.Body.String(), "ask the owner for a new one") || s.last(6).Key != "alice" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if got := s.send("GET", get("/api/tags", host)); got.status != 426 || strings.Contains(got.body, "new one") {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := s.send("HEAD", say("HEAD /", host)); got.status != 426 {
		t.Errorf("%d", got.status)
	}
	page := s.send("GET", get("/paddock/", host))
	if page.status != 426 || !strings.Contains(page.body, "https://laptop.local:11435/paddock/") || !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") {
		t.Errorf("%+v", page)
	}
}

// Whoever holds a bad key must not learn in which way it is bad.
func TestBadKeysAreAnsweredAlike(t *testing.T) {
	s := open(t, echo)
	n := 0
	for _, path := range []string{"/", "/api/chat", "/v1/chat/completions", "/v1/messages", "/nothing"} {
		for _, method := range []string{"GET", "POST", "OPTIONS", "HEAD"} {
			if method == "HEAD" && path == "/" {
				continue
			}
			var first string
			for _, auth := range []string{
				"Bearer " + keyUnknown, "Bearer " + keyPaused, "Bearer " + keyOld, "Bearer nonsense", "Digest x", "Basic !", "Bearer " + strings.Repeat("x", 900),
			} {
				got := s.send(method, say(method+" "+path, host+"Authorization: "+auth+"\r\n"))
				n++
				id := got.header.Get("X-Request-Id")
				got.header.Del("X-Request-Id")
				got.header.Del("Date")
				text := fmt.Sprint(got.status, got.header, strings.ReplaceAll(got.body, id, "ID"), got.err)
				if first == "" {
					first = text
				}
				if text != first {
					t.Errorf("%s %s with %q:\n%s\nwant\n%s", method, path, auth, text, first)
				}
			}
		}
	}
	s.entries(n)
	if s.seen.Load() != 0 {
		t.Error("Ollama saw one of them")
	}
}

// Nobody may learn of a request by the log and not by an answer, or the other
// way round, when two stand in one packet.
func TestPipelinedRequestsAreJudgedOneByOne(t *testing.T) {
	s := open(t, echo)
	c := s.dial()
	defer c.Close()
	text := get("/api/tags", asUser) + get("/api/tags", host) + post("/api/chat", asUser, chat) + get("/api/version", asUser)
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	var got []int
	for range 4 {
		got = append(got, s.answer(c, r, "GET").status)
	}
	if !slices.Equal(got, []int{200, 401, 200, 200}) {
		t.Errorf("answered %v", got)
	}
	s.entries(4)
	if s.seen.Load() != 3 {
		t.Errorf("Ollama saw %d", s.seen.Load())
	}
}

// Every reason has words for a teammate, and each is produced somewhere here:
// the table gives most of them, failures give the rest (see failure_test.go).
func TestEveryReasonIsWordedAndProduced(t *testing.T) {
	produced := map[policy.Reason]bool{
		policy.BodyTooSlow:       true, // TestDrippingBodyIsCut
		policy.Draining:          true, // TestDrain
		policy.UpstreamUnanswers: true, // TestOllamaIsNotThere
		policy.UpstreamTimeout:   true, // TestOllamaTakesTooLong
		policy.InternalFault:     true, // TestPanicInTransport
		policy.AddressInClear:    true, // TestAKeyInTheAddressInClear
		policy.TooManyAttempts:   true, // TestWhoGuessesIsLockedOut
		policy.RateLimit:         true, // TestRequestsAMinute
		policy.TokenLimit:        true, // TestTokensADay
		policy.ConcurrentLimit:   true, // TestRequestsAtOnce
		policy.QueueFull:         true, // TestTheQueueIsFull
		policy.PlainHTTP:         true, // TestAKeyInClearIsNamedInTheLog
		policy.Paused:            true, // TestPause
	}
	for _, rows := range attacks() {
		for _, a := range rows {
			produced[a.reason] = true
		}
	}
	seen := map[string]policy.Reason{}
	alike := map[policy.Reason]bool{policy.WrongKey: true, policy.SuspendedKey: true, policy.ExpiredKey: true, policy.MalformedKey: true}
	for _, r := range policy.Reasons() {
		if !produced[r] {
			t.Errorf("nothing produces %s", r)
		}
		w := words(r)
		if other, twice := seen[w]; twice && !(alike[r] && alike[other]) && r != policy.InternalFault {
			t.Errorf("%s and %s read alike", r, other)
		}
		seen[w] = r
		if w == words(policy.InternalFault) && r != policy.InternalFault && r != policy.Allowed {
			t.Errorf("%s has no words", r)
		}
	}
}
