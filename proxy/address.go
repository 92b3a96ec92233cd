package proxy

import (
	"net/http"
	"net/netip"
	"strings"

	"paddock/policy"
)

// addressPrefix begins a path that carries a key, for programs that have
// nothing but an address field: https://host:11435/k/KEY/api/chat.
const addressPrefix = "/k/"

// splitAddress takes a key out of a path. found is false for a path that has
// none. The rest is judged and passed on as if the key had not been there, and
// is all that anybody shows or writes down.
func splitAddress(path string) (key, rest string, found bool) {
	after, found := strings.CutPrefix(path, addressPrefix)
	if !found {
		return "", path, false
	}
	i := strings.IndexByte(after, '/')
	if i < 0 {
		return after, "", true
	}
	return after[:i], after[i:], true
}

// fromAddress lays the key of an address beside what the headers present. The
// same rule holds as among headers: the same key twice is one key.
func fromAddress(inAddress, presented string, kind policy.Credential) (string, policy.Credential) {
	switch {
	case len(inAddress) > maxCredential || inAddress == "":
		return "", policy.CredentialMalformed
	case kind == policy.CredentialNone:
		return inAddress, policy.CredentialOne
	case kind == policy.CredentialOne && presented != inAddress:
		return "", policy.CredentialTwo
	}
	return presented, kind
}

// private says whether nobody on the way can read a request along: it is
// encrypted, or never leaves this machine.
func private(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && a.Addr().Unmap().IsLoopback()
}
