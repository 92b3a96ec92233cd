package proxy

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"

	"paddock/policy"
)

// authorityPath is where the certificate lies with which clients check the gate.
const authorityPath = "/paddock/ca.pem"

//go:embed welcome.html
var welcomeSource string

var welcomeTemplate = template.Must(template.New("welcome").Parse(welcomeSource))

// welcomePage is what a person sees who opens the gate's address in a browser. It
// tells nothing about keys, models or people. host is the request's own, which
// names this machine: whatever else it says was refused before.
func welcomePage(host string, encrypted bool) []byte {
	var b bytes.Buffer
	err := welcomeTemplate.Execute(&b, struct {
		Host      string
		Encrypted bool
	}{host, encrypted})
	if err != nil {
		panic(err) // a buffer takes everything, and the template is our own
	}
	return b.Bytes()
}

// giveAuthority answers with the public certificate of the local authority. It
// is no secret, and whoever gets it must compare its fingerprint with the one
// that the owner sees: the connection it came by was not proven yet.
func (x *exchange) giveAuthority() {
	x.entry.Action, x.entry.Class = "Fetch the certificate", policy.ClassLook
	var pem []byte
	if x.g.Authority != nil {
		pem = x.g.Authority()
	}
	if len(pem) == 0 {
		x.refuse(policy.UnknownEndpoint)
		return
	}
	x.w.Header().Set("Content-Disposition", `attachment; filename="paddock-ca.pem"`)
	x.ownAnswer(http.StatusOK, "application/x-x509-ca-cert", pem)
}

// refusePlain answers a request that came without encryption while the owner
// asks for it. There is no redirect: a client that has sent its key in clear
// must fail loudly, not go on as if nothing had happened.
func (x *exchange) refusePlain(kind policy.Credential) {
	h := x.w.Header()
	h["Upgrade"] = []string{"TLS/1.2, HTTP/1.1"} // RFC 9110 section 15.5.22 asks for it
	h["Connection"] = []string{"Upgrade, close"}
	if x.path == "/paddock/" {
		x.entry.Reason = policy.PlainHTTP
		x.ownAnswer(policy.PlainHTTP.Status(), "text/html; charset=utf-8", welcomePage(x.r.Host, false))
		return
	}
	message := "this gate takes encrypted requests only: call https://" + x.r.Host + " instead, and trust the certificate that `curl -k https://" +
		x.r.Host + authorityPath + "` gives once you have compared its fingerprint with the one that the owner of this Ollama sees; or the owner allows plain HTTP (paddock settings set share.allow-http true)"
	if kind != policy.CredentialNone && !private(x.r) { // within this machine nobody read along
		message += ". The key that came with this request could be read on its way: ask the owner for a new one"
	}
	x.entry.Reason = policy.PlainHTTP
	x.writeError(policy.PlainHTTP.Status(), code(policy.PlainHTTP), message)
}
