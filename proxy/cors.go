package proxy

import (
	"net/http"

	"paddock/policy"
)

// What a page may send and read. Of the headers these are the ones that the
// clients send which people use in a browser (the openai, ollama and anthropic
// packages among them); a page that asks for others gets this list all the same,
// and its browser refuses the request.
const (
	corsMethods = "GET, HEAD, POST, DELETE"
	corsHeaders = "authorization, content-type, accept, user-agent, x-api-key, x-request-id, x-requested-with, " +
		"anthropic-version, anthropic-beta, anthropic-dangerous-direct-browser-access, " +
		"openai-beta, openai-organization, openai-project, " +
		"x-stainless-arch, x-stainless-async, x-stainless-custom-poll-interval, x-stainless-helper-method, x-stainless-lang, " +
		"x-stainless-os, x-stainless-package-version, x-stainless-poll-helper, x-stainless-retry-count, x-stainless-runtime, " +
		"x-stainless-runtime-version, x-stainless-timeout"
	corsExposed = "X-Request-Id, Retry-After, X-Queue-Position"
	corsMaxAge  = "600" // seconds: a switch that is turned off is off within ten minutes for preflights, and at once for requests
)

// admit says whether a request's web origin may use the gate, and tells the
// browser. Every answer depends on the Origin, the one without any included, so
// no cache may give the answer for one page to another.
func (x *exchange) admit(origin string) bool {
	h := x.w.Header()
	h["Vary"] = varyOrigin
	if origin == "" || !x.g.origins.Load().Allows(origin) {
		return false
	}
	// Exactly the origin and never a star; no credentials, since there is no
	// cookie here that a browser could add by itself.
	h["Access-Control-Allow-Origin"] = []string{origin}
	h["Access-Control-Expose-Headers"] = []string{corsExposed}
	return true
}

// knock tells the owner about a web origin that is not allowed.
func (x *exchange) knock(origin string) {
	if x.g.OnOrigin != nil && policy.CleanOrigin(origin) && shown(origin, len(origin)) == origin {
		x.g.OnOrigin(origin, x.entry.Time)
	}
}

// preflight answers a browser that asks on behalf of a page before it sends.
// Ollama is not asked: it would allow its own list of origins and of headers.
func (x *exchange) preflight(allowed bool) {
	x.entry.Action = "Ask for a website"
	if !allowed {
		x.refuse(policy.OriginNotAllowed)
		return
	}
	h := x.w.Header()
	h["Vary"] = []string{"Origin, Access-Control-Request-Method, Access-Control-Request-Headers, Access-Control-Request-Private-Network"}
	h["Access-Control-Allow-Methods"] = []string{corsMethods}
	h["Access-Control-Allow-Headers"] = []string{corsHeaders}
	h["Access-Control-Max-Age"] = []string{corsMaxAge}
	if x.r.Header.Get("Access-Control-Request-Private-Network") == "true" {
		h["Access-Control-Allow-Private-Network"] = []string{"true"}
	}
	x.ownAnswer(http.StatusNoContent, "", nil)
}

// isPreflight says whether a browser asks before it sends.
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}
