package proxy

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"paddock/policy"
	"paddock/requestlog"
)

// words is what a teammate reads: what is wrong and what to do, and nothing
// that would help somebody without a key. All bad keys read alike.
func words(r policy.Reason) string {
	switch r {
	case policy.WrongHost:
		return "this gate does not answer to that host name; use the address that Paddock shows"
	case policy.PlainHTTP:
		return "this gate takes encrypted requests only: call it by https, or ask the owner of this Ollama to allow plain HTTP"
	case policy.NoKey:
		return "a key is needed: ask the owner of this Ollama for one and send it as \"Authorization: Bearer KEY\""
	case policy.TwoKeys:
		return "the request carries two different keys; send one, or the same one in every place"
	case policy.MalformedKey, policy.WrongKey, policy.SuspendedKey, policy.ExpiredKey:
		return "the key is not valid; check it for typing errors or ask the owner of this Ollama"
	case policy.KeyInAddress:
		return "this key may not stand in the address; send it as \"Authorization: Bearer KEY\", or ask the owner of this Ollama to allow it"
	case policy.AddressInClear:
		return "a key in the address is taken over https only, because others on the network could read it"
	case policy.TooManyAttempts:
		return "too many attempts with a key that is not valid; wait, then check the key for typing errors"
	case policy.OriginNotAllowed:
		return "the owner of this Ollama has not allowed web pages of this origin"
	case policy.UnclearPath:
		return "the path is not spelled the way this gate takes it: no percent signs, double slashes, dots or trailing slash"
	case policy.UnknownEndpoint:
		return "the gate does not know this endpoint"
	case policy.WrongMethod:
		return "the endpoint does not take this method"
	case policy.ManagersOnly:
		return "this key may use models but not change them; ask the owner of this Ollama"
	case policy.OwnerOnly:
		return "this endpoint concerns the owner's account and is closed to everybody"
	case policy.CloudNotGranted:
		return "cloud models spend the owner's account, and this key does not grant them"
	case policy.ModelNotGranted:
		return "this key may not use that model; the list of models shows those it may use"
	case policy.BadModel:
		return "that is no model name; write it as the list of models shows it"
	case policy.UnloadNotGranted:
		return "this key may use models but not throw them out of memory"
	case policy.RateLimit:
		return "this key has used up its requests for the moment; try again later"
	case policy.ConcurrentLimit:
		return "this key has as many requests running as it may; wait for one to end"
	case policy.TokenLimit:
		return "this key has used up its tokens for today; ask the owner of this Ollama for more, or try again tomorrow"
	case policy.QueueFull:
		return "too many requests of this key wait already; try again later"
	case policy.BadRequest:
		return "the request is written ambiguously: a header stands twice, is folded or ends in a bare line feed, there are two kinds of length, or it asks for an upgrade"
	case policy.BadBody:
		return "the body must be one JSON object that names its model once, in small letters"
	case policy.BodyTooLarge:
		return "the body is larger than the owner of this Ollama allows"
	case policy.BodyTooSlow:
		return "the body arrived too slowly"
	case policy.EncodedBody:
		return "compressed bodies are not taken; send the body as it is"
	case policy.Draining:
		return "sharing is being stopped; try again later"
	case policy.Paused:
		return "the owner of this Ollama takes a break; try again later"
	case policy.UpstreamUnanswers:
		return "Ollama does not answer on the owner's machine; the gate is up, so try again in a moment"
	case policy.UpstreamTimeout:
		return "Ollama did not answer in time; try again in a moment"
	case policy.Allowed, policy.InternalFault:
	}
	return "the gate made a mistake; the owner's request log shows this request id"
}

// refuse answers a request that does not pass, in the dialect of its path.
func (x *exchange) refuse(r policy.Reason) {
	x.entry.Reason, x.entry.Phase = r, requestlog.Refused
	if r.Failed() {
		x.entry.Phase = requestlog.Failed
	}
	x.answerError(r)
}

func (x *exchange) answerError(r policy.Reason) {
	x.writeError(r.Status(), code(r), words(r))
}

// hurry keeps a caller whose body is not read from holding the connection:
// net/http would wait for up to 256 KiB of it, with no deadline, before the
// answer leaves. It concerns every answer of the gate's own, the greeting that
// needs no key included.
func (x *exchange) hurry() {
	if x.read || x.r.ContentLength == 0 || x.r.Body == nil || x.r.Body == http.NoBody {
		return
	}
	if x.r.ProtoMajor == 1 { // in HTTP/2 it would end everybody's streams on the connection
		x.w.Header().Set("Connection", "close")
	}
	_ = x.rc.SetReadDeadline(time.Now().Add(x.g.limits.hurry))
}

// code is the short name in an OpenAI error.
func code(r policy.Reason) string {
	if r.Status() == http.StatusUnauthorized {
		return "invalid_api_key"
	}
	return string(r)
}

func (x *exchange) writeError(status int, code, message string) {
	h := x.w.Header()
	switch status {
	case http.StatusUnauthorized:
		h["Www-Authenticate"] = []string{`Bearer realm="Paddock"`, `Basic realm="Paddock", charset="UTF-8"`}
	case http.StatusServiceUnavailable:
		if h.Get("Retry-After") == "" {
			h.Set("Retry-After", "5")
		}
	}
	var body any
	switch policy.DialectOf(x.path) {
	case policy.DialectAnthropic:
		type inner struct {
			Type    string `json:"type"`
			Message string `json:"message"`
		}
		body = struct {
			Type      string `json:"type"`
			Error     inner  `json:"error"`
			RequestID string `json:"request_id"`
		}{"error", inner{anthropicType(status), message}, x.entry.ID}
	case policy.DialectOpenAI:
		type inner struct {
			Message string  `json:"message"`
			Type    string  `json:"type"`
			Param   *string `json:"param"`
			Code    string  `json:"code"`
		}
		body = map[string]inner{"error": {message, openAIType(status), nil, code}}
	case policy.DialectOllama:
		body = struct {
			Error  string `json:"error"`
			Status string `json:"status"` // the ollama command prints this one
		}{message, fmt.Sprintf("%d %s: %s", status, http.StatusText(status), message)}
	}
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // strings only: cannot fail
	}
	x.ownAnswer(status, "application/json; charset=utf-8", b)
}

// ownAnswer writes an answer that Ollama has no part in.
func (x *exchange) ownAnswer(status int, contentType string, body []byte) {
	x.hurry()
	_, _ = x.writeDeadline()
	h := x.w.Header()
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	x.entry.Status = status
	if status < 400 {
		x.entry.Reason, x.entry.Phase = policy.Allowed, requestlog.Done
	}
	x.w.WriteHeader(status)
	if x.r.Method != http.MethodHead {
		n, _ := x.w.Write(body) // a client that is gone needs no answer
		x.entry.BytesOut = int64(n)
	}
}

// cutAnswer tells a client whose request was ended before its answer began.
func (x *exchange) cutAnswer(by requestlog.Cutter) {
	status, code, message := http.StatusServiceUnavailable, "stopped", "the owner of this Ollama stopped this request"
	switch by {
	case requestlog.CutByKey:
		status, code, message = http.StatusUnauthorized, "invalid_api_key", words(policy.WrongKey)
	case requestlog.CutBySharing:
		code, message = string(policy.Draining), words(policy.Draining)
	case requestlog.CutByPause:
		if x.shut() { // the pause may be over by now
			x.entry.Phase, x.entry.CutBy = requestlog.Cut, by
			return
		}
		code, message = string(policy.Paused), words(policy.Paused)
	case requestlog.CutByPanic:
		status, code, message = http.StatusUnauthorized, "invalid_api_key", words(policy.WrongKey)
	case requestlog.CutByNobody, requestlog.CutByClient, requestlog.CutByOwner, requestlog.CutByStall:
	}
	x.writeError(status, code, message)
}

func openAIType(status int) string {
	switch {
	case status == http.StatusUnauthorized:
		return "authentication_error"
	case status == http.StatusForbidden:
		return "permission_error"
	case status == http.StatusNotFound:
		return "not_found_error"
	case status == http.StatusTooManyRequests:
		return "rate_limit_error"
	case status >= 500:
		return "api_error"
	}
	return "invalid_request_error"
}

func anthropicType(status int) string {
	switch status {
	case http.StatusRequestEntityTooLarge:
		return "request_too_large"
	case http.StatusServiceUnavailable:
		return "overloaded_error"
	}
	return openAIType(status)
}
