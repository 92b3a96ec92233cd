package proxy

import (
	"encoding/base64"
	"net/http"
	"strings"

	"paddock/policy"
)

// maxCredential bounds what is decoded and hashed for a caller without a key.
const maxCredential = 512

// credential finds the one key that a request presents: Authorization Bearer
// or Basic (the password), or x-api-key. The same key twice is one key; two
// different ones are refused. A key in a query string or cookie is not looked
// for.
func credential(h http.Header) (string, policy.Credential) {
	auth, kind := authorization(h.Get("Authorization"))
	if kind == policy.CredentialMalformed {
		return "", kind
	}
	key := h.Get("X-Api-Key")
	switch {
	case len(key) > maxCredential:
		return "", policy.CredentialMalformed
	case kind == policy.CredentialNone && key == "":
		return "", policy.CredentialNone
	case kind == policy.CredentialNone:
		return key, policy.CredentialOne
	case key != "" && key != auth:
		return "", policy.CredentialTwo
	}
	return auth, policy.CredentialOne
}

func authorization(v string) (string, policy.Credential) {
	if v == "" {
		return "", policy.CredentialNone
	}
	if len(v) > maxCredential {
		return "", policy.CredentialMalformed
	}
	scheme, rest, _ := strings.Cut(v, " ")
	rest = strings.TrimLeft(rest, " ")
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		if rest == "" {
			return "", policy.CredentialNone // n8n sends this when its key field is empty
		}
	case strings.EqualFold(scheme, "Basic"):
		b, err := base64.StdEncoding.DecodeString(rest)
		if err != nil {
			return "", policy.CredentialMalformed
		}
		_, password, found := strings.Cut(string(b), ":")
		if !found {
			return "", policy.CredentialMalformed
		}
		if password == "" {
			return "", policy.CredentialNone
		}
		rest = password
	default:
		return "", policy.CredentialMalformed
	}
	return rest, policy.CredentialOne
}
