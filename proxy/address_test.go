package proxy

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"paddock/policy"
)

func addressKeys() []attack {
	const in = "/k/" + keyDora
	bad := func(name, line, headers string, reason policy.Reason) attack {
		return attack{name, say(line, host+headers), 401, reason, false}
	}
	unclear := func(name, line string) attack {
		return attack{name, say(line, host), 400, policy.UnclearPath, false}
	}
	good := func(name, line, headers string, body ...string) attack {
		return attack{name, say(line, host+headers, body...), 200, policy.Allowed, true}
	}
	return []attack{
		good("a key in the address", "GET "+in+"/api/tags", ""),
		good("a key in the address alone, as the ollama command has it", "GET "+in+"/", ""),
		good("a key in the address with a question", "POST "+in+"/api/chat", "", chat),
		good("a key in the address of another dialect", "POST "+in+"/v1/chat/completions", "", chat),
		good("a key in the address and a name in the path", "GET "+in+"/v1/models/llama3", ""),
		good("a key in the address and HEAD", "HEAD "+in+"/api/tags", ""),
		good("a key in the address and a query", "GET "+in+"/api/tags?key=x", ""),
		good("the same key in the address and in a header", "GET "+in+"/api/tags", "Authorization: Bearer "+keyDora+"\r\n"),
		good("the same key in the address and as a password", "GET "+in+"/api/tags", basic("x", keyDora)),
		good("the same key in the address and in x-api-key", "GET "+in+"/api/tags", "x-api-key: "+keyDora+"\r\n"),
		good("a key in the address and an empty Bearer", "GET "+in+"/api/tags", "Authorization: Bearer \r\n"),
		good("a key that may stand in the address, in a header", "GET /api/tags", "Authorization: Bearer "+keyDora+"\r\n"),
		bad("another key in a header", "GET "+in+"/api/tags", "Authorization: Bearer "+keyAlice+"\r\n", policy.TwoKeys),
		bad("another key in x-api-key", "GET "+in+"/api/tags", "x-api-key: "+keyAlice+"\r\n", policy.TwoKeys),
		bad("a wrong key in the address beside a good one", "GET /k/"+keyUnknown+"/api/tags", "x-api-key: "+keyAlice+"\r\n", policy.TwoKeys),
		bad("a good key in the address beside a scheme nobody knows", "GET "+in+"/api/tags", "Authorization: Digest x\r\n", policy.MalformedKey),
		bad("a good key in the address beside two others", "GET "+in+"/api/tags", "Authorization: Bearer "+keyAlice+"\r\nx-api-key: "+keyMara+"\r\n", policy.TwoKeys),
		{"a good key in the address beside the same header twice", get(in+"/api/tags", host+"x-api-key: "+keyDora+"\r\nx-api-key: "+keyDora+"\r\n"), 400, policy.BadRequest, false},
		bad("a wrong key in the address", "GET /k/"+keyUnknown+"/api/tags", "", policy.WrongKey),
		bad("a wrong key in the address at an unknown endpoint", "GET /k/"+keyUnknown+"/nothing", "", policy.WrongKey),
		bad("a suspended key in the address", "GET /k/"+keyPaused+"/api/tags", "", policy.SuspendedKey),
		bad("an expired key in the address", "GET /k/"+keyOld+"/api/tags", "", policy.ExpiredKey),
		bad("a key in the address that may not stand there", "GET /k/"+keyAlice+"/api/tags", "", policy.KeyInAddress),
		bad("a key in the address that may not stand there, and in a header", "GET /k/"+keyAlice+"/api/tags", "x-api-key: "+keyAlice+"\r\n", policy.KeyInAddress),
		bad("a manager's key in the address that may not stand there", "GET /k/"+keyMara+"/api/tags", "", policy.KeyInAddress),
		bad("a key in the address that may not stand there, at an unknown endpoint", "GET /k/"+keyAlice+"/nothing", "", policy.KeyInAddress),
		bad("an empty key in the address", "GET /k//api/tags", "", policy.MalformedKey),
		bad("an empty key in the address beside a good one", "GET /k//api/tags", "x-api-key: "+keyAlice+"\r\n", policy.MalformedKey),
		bad("nothing behind the prefix", "GET /k/", "", policy.MalformedKey),
		bad("a key behind two slashes", "GET /k//"+keyDora+"/api/tags", "", policy.MalformedKey),
		bad("the prefix without its slash", "GET /k", "", policy.NoKey),
		bad("the prefix behind two slashes", "GET /"+in+"/api/tags", "", policy.NoKey),
		bad("the prefix in capitals", "GET /K/"+keyDora+"/api/tags", "", policy.NoKey),
		bad("the prefix in escapes", "GET /%6b/"+keyDora+"/api/tags", "", policy.NoKey),
		bad("the prefix with an escaped slash", "GET /k%2f"+keyDora+"/api/tags", "", policy.NoKey),
		bad("the prefix with a backslash", `GET /k\`+keyDora+"/api/tags", "", policy.NoKey),
		bad("the prefix behind dots", "GET /./k/"+keyDora+"/api/tags", "", policy.NoKey),
		bad("the prefix somewhere else", "GET /api"+in+"/tags", "", policy.NoKey),
		bad("dots for a key", "GET /k/../api/tags", "", policy.WrongKey),
		bad("a dot for a key", "GET /k/./api/tags", "", policy.WrongKey),
		bad("a key with an escaped letter", "GET /k/%70"+keyDora[1:]+"/api/tags", "", policy.WrongKey),
		bad("a key with an escaped slash", "GET "+in+"%2fapi/tags", "", policy.WrongKey),
		bad("a key with parameters", "GET "+in+";x=1/api/tags", "", policy.WrongKey),
		bad("a key in another letter case", "GET /k/"+strings.ToUpper(keyDora)+"/api/tags", "", policy.WrongKey),
		bad("a key and a blank", "GET "+in+"%20/api/tags", "", policy.WrongKey),
		bad("a key and a NUL", "GET "+in+"%00/api/tags", "", policy.WrongKey),
		bad("half a key", "GET "+in[:20]+"/api/tags", "", policy.WrongKey),
		bad("a key of 600 bytes in the address", "GET /k/"+strings.Repeat("a", 600)+"/api/tags", "", policy.MalformedKey),
		bad("a key in the address of an absolute form", "GET http://laptop.local:11435"+in+"/api/tags", "", policy.NoKey),
		bad("a prefix in a query", "GET /api/tags?"+in+"/", "", policy.NoKey),
		bad("a wrong key alone and HEAD", "HEAD /k/"+keyUnknown, "", policy.WrongKey),
		unclear("a key and nothing else", "GET "+in),
		unclear("a key and a query", "GET "+in+"?/api/tags"),
		unclear("a key and two slashes", "GET "+in+"//api/tags"),
		unclear("a key and dots", "GET "+in+"/../api/tags"),
		unclear("a key and dots that lead to another", "GET "+in+"/../"+keyMara+"/api/tags"),
		unclear("a key and an escaped slash behind it", "GET "+in+"/api%2ftags"),
		unclear("a key and an escaped letter behind it", "POST "+in+"/api/%70ull"),
		unclear("a key and a trailing slash", "GET "+in+"/api/tags/"),
		{"a key in the address twice", get(in+in+"/api/tags", host), 404, policy.UnknownEndpoint, false},
		{"a key in the address and then another", get(in+"/k/"+keyMara+"/api/tags", host), 404, policy.UnknownEndpoint, false},
		{"a key in the address at the welcome page", get(in+"/paddock/", host), 400, policy.UnclearPath, false},
		{"a key in the address at an unknown endpoint", get(in+"/nothing", host), 404, policy.UnknownEndpoint, false},
		{"a key in the address with a wrong method", get(in+"/api/chat", host), 405, policy.WrongMethod, false},
		{"a key in the address at a manager's endpoint", post(in+"/api/pull", host, chat), 403, policy.ManagersOnly, false},
		{"a key in the address and a cloud model", post(in+"/api/chat", host, `{"model":"minimax:cloud"}`), 403, policy.CloudNotGranted, false},
		{"a key in the address and a foreign host", get(in+"/api/tags", "Host: evil.example\r\n"), 421, policy.WrongHost, false},
		{"a key in the address and a page nobody allowed", get(in+"/api/tags", host+"Origin: https://evil.example\r\n"), 403, policy.OriginNotAllowed, false},
		{"a key in the address and an allowed page", get(in+"/api/tags", host+fromApp), 200, policy.Allowed, true},
		{"a preflight with a key in the address", preflight(in+"/api/chat", "https://app.example.com", ""), 204, policy.Allowed, false},
		{"a preflight with a wrong key in the address", preflight("/k/"+keyUnknown+"/api/chat", "https://app.example.com", ""), 204, policy.Allowed, false},
		{"the greeting with any key in the address", say("HEAD /k/x/", host), 200, policy.Allowed, false},
		{"the greeting with a good key in the address", say("HEAD "+in+"/", host), 200, policy.Allowed, false},
		{"the greeting with an empty key in the address", say("HEAD /k//", host), 200, policy.Allowed, false},
		{"a blank behind the key", "GET " + in + " /api/tags HTTP/1.1\r\n" + host + "\r\n", 400, "", false},
	}
}

// A key in the address is taken only where nobody on the way can read it.
func TestAKeyInTheAddressInClear(t *testing.T) {
	s := open(t, echo)
	n := 0
	for _, c := range []struct {
		name, from string
		encrypted  bool
		status     int
		reason     policy.Reason
	}{
		{"the network in clear", "192.0.2.7:1234", false, 403, policy.AddressInClear},
		{"the network over IPv6 in clear", "[2001:db8::1]:1234", false, 403, policy.AddressInClear},
		{"the network over TLS", "192.0.2.7:1234", true, 200, policy.Allowed},
		{"this machine", "127.0.0.1:1234", false, 200, policy.Allowed},
		{"this machine over IPv6", "[::1]:1234", false, 200, policy.Allowed},
		{"this machine written as IPv6", "[::ffff:127.0.0.1]:1234", false, 200, policy.Allowed},
		{"the network written as IPv6", "[::ffff:192.0.2.7]:1234", false, 403, policy.AddressInClear},
		{"nobody knows where", "", false, 403, policy.AddressInClear},
		{"a socket", "@", false, 403, policy.AddressInClear},
	} {
		r := httptest.NewRequest("GET", "http://laptop.local/k/"+keyDora+"/api/tags", nil)
		r.RequestURI = "/k/" + keyDora + "/api/tags"
		r.URL.Scheme, r.URL.Host, r.RemoteAddr, r.TLS = "", "", c.from, nil
		r.Header.Set("X-Forwarded-Proto", "https")
		r.Header.Set("X-Forwarded-For", "127.0.0.1")
		if c.encrypted {
			r.TLS = &tls.ConnectionState{Version: tls.VersionTLS13}
		}
		w := httptest.NewRecorder()
		s.gate.ServeHTTP(w, r)
		n++
		if e := s.last(n); w.Code != c.status || e.Reason != c.reason || e.Path != "/k/…/api/tags" {
			t.Errorf("%s: %d %+v", c.name, w.Code, e)
		}
	}
	// In a header the same key needs no such care, and a wrong key in the address
	// is answered like any other.
	for key, want := range map[string]int{keyUnknown: 401, keyAlice: 401} {
		r := httptest.NewRequest("GET", "/k/"+key+"/api/tags", nil)
		r.Host, r.RemoteAddr = "laptop.local", "192.0.2.7:1"
		w := httptest.NewRecorder()
		s.gate.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: %d", key, w.Code)
		}
	}
	s.entries(n + 2)
}

// Nothing that is shown or kept holds a key from an address: not the log, not
// the answer, not what Ollama gets.
func TestAKeyInTheAddressIsShownNowhere(t *testing.T) {
	var targets []string
	s := open(t, func(w http.ResponseWriter, r *http.Request) {
		targets = append(targets, r.RequestURI)
		echo(w, r)
	})
	for i, path := range []string{
		"/api/tags", "", "/", "//api/tags", "/k/" + keyMara + "/api/tags", "/api/tags?" + keyDora, "/nothing", "/api/../" + keyDora, "/" + strings.Repeat("x", 300) + keyDora, "/\x1b[2J",
	} {
		got := s.send("GET", get("/k/"+keyDora+strings.ReplaceAll(path, "\x1b", "%1b"), host))
		e := s.last(i + 1)
		all, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(e.Path, "/k/…") || len(e.Path) > 210 {
			t.Errorf("%q is logged as %q", path, e.Path)
		}
		for what, text := range map[string]string{"the log": string(all), "the answer": got.body, "a header": headerText(got.header)} {
			if strings.Contains(text, keyDora[4:12]) || strings.Contains(text, keyMara[4:12]) {
				t.Errorf("%q: %s holds a key: %s", path, what, text)
			}
		}
	}
	for _, target := range targets {
		if strings.Contains(target, "/k/") || strings.Contains(target, "pdk_") {
			t.Errorf("Ollama was asked for %q", target)
		}
	}
}

func headerText(h http.Header) string {
	var b bytes.Buffer
	_ = h.Write(&b)
	return b.String()
}

// However path and headers are spelled: what is found is what stood there, the
// path is left as it was behind the key, and two different keys are never one.
func FuzzAddressAndCredential(f *testing.F) {
	for _, a := range addressKeys() {
		line, rest, _ := strings.Cut(a.text, "\r\n")
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		auth, key := "", ""
		for line := range strings.SplitSeq(rest, "\r\n") {
			if v, ok := strings.CutPrefix(line, "Authorization: "); ok {
				auth = v
			}
			if v, ok := strings.CutPrefix(line, "x-api-key: "); ok {
				key = v
			}
		}
		f.Add(fields[1], auth, key)
	}
	f.Fuzz(func(t *testing.T, path, auth, key string) {
		inAddress, rest, found := splitAddress(path)
		switch {
		case !found && (rest != path || inAddress != "" || strings.HasPrefix(path, "/k/")):
			t.Fatalf("%q: not found, and yet %q %q", path, inAddress, rest)
		case found && path != "/k/"+inAddress+rest:
			t.Fatalf("%q was split into %q and %q", path, inAddress, rest)
		case found && (strings.Contains(inAddress, "/") || rest != "" && rest[0] != '/'):
			t.Fatalf("%q was split into %q and %q", path, inAddress, rest)
		}
		h := http.Header{}
		if auth != "" {
			h["Authorization"] = []string{auth}
		}
		if key != "" {
			h["X-Api-Key"] = []string{key}
		}
		header, kind := credential(h)
		if !found {
			return
		}
		both, whole := fromAddress(inAddress, header, kind)
		if (both != "") != (whole == policy.CredentialOne) || len(both) > maxCredential {
			t.Fatalf("%q of kind %d", both, whole)
		}
		if whole == policy.CredentialOne && (both != inAddress || kind == policy.CredentialOne && header != inAddress) {
			t.Fatalf("%q in the address and %q in a header are %q", inAddress, header, both)
		}
		if kind != policy.CredentialNone && kind != policy.CredentialOne && whole == policy.CredentialOne {
			t.Fatalf("an address made good what the headers had spoilt: %q %q", auth, key)
		}
	})
}
