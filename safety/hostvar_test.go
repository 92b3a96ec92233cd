package safety

import (
	"net"
	"strings"
	"testing"
)

func TestOllamaHostIsReadAsOllamaDoes(t *testing.T) {
	for value, want := range map[string]struct {
		at string
		s  scope
	}{
		"":                                     {"", here},
		"  ":                                   {"", here},
		`"127.0.0.1"`:                          {"127.0.0.1:11434", here},
		"0.0.0.0":                              {"0.0.0.0:11434", everywhere},
		"0.0.0.0:11434":                        {"0.0.0.0:11434", everywhere},
		":11434":                               {":11434", everywhere},
		"[::]":                                 {"[::]:11434", everywhere},
		"::":                                   {"[::]:11434", everywhere},
		"[::1]:9999":                           {"[::1]:9999", here},
		"[::ffff:127.0.0.1]:1":                 {"[::ffff:127.0.0.1]:1", here},
		"localhost:11434":                      {"localhost:11434", here},
		"LOCALHOST":                            {"LOCALHOST:11434", here},
		"127.8.9.10":                           {"127.8.9.10:11434", here},
		"192.168.1.5":                          {"192.168.1.5:11434", oneAddress},
		"http://192.168.1.5":                   {"192.168.1.5:80", oneAddress},
		"https://0.0.0.0":                      {"0.0.0.0:443", everywhere},
		"mybox:11434":                          {"mybox:11434", somewhere},
		"0.0.0.0:99999":                        {"0.0.0.0:11434", everywhere},
		"http://127.0.0.1:11435/k/pdk_secret":  {"127.0.0.1:11435", here},
		"http://anna:secret@192.168.1.5:11434": {"192.168.1.5:11434", oneAddress},
	} {
		at := listenAddress(value)
		if at != want.at || scopeOf(at) != want.s {
			t.Errorf("%q: %q %d, want %q %d", value, at, scopeOf(at), want.at, want.s)
		}
	}
}

func FuzzOllamaHost(f *testing.F) {
	for _, s := range []string{"", "0.0.0.0", "http://a:b@c:1/k/KEY", "[::]:1", ":0", "a:b:c", "://", "@", "\"x\"", "[", "h@"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at := listenAddress(s)
		if at == "" {
			return
		}
		// What Ollama itself could not listen on must not pass for this machine.
		if _, _, err := net.SplitHostPort(at); err != nil && scopeOf(at) != somewhere {
			t.Errorf("%q became %q: %v", s, at, err)
		}
		if strings.ContainsAny(at, "/@") {
			t.Errorf("%q kept more than an address: %q", s, at)
		}
	})
}

func TestWhomOllamaOriginsLetsIn(t *testing.T) {
	for value, want := range map[string]width{
		"":                               named,
		"https://chat.example.com":       named,
		"http://localhost:*":             named,
		"http://[::1]:*":                 named,
		"https://*.example.com":          named,
		"https://*.example.com:8443":     named,
		"app://*":                        named,
		"capacitor://localhost":          named,
		"chrome-extension://abc":         named,
		"chrome-extension://*":           extensions,
		"moz-extension://*":              extensions,
		"*":                              anybody,
		" '*' ":                          anybody,
		"http://*":                       anybody,
		"https://*:3000":                 anybody,
		"http://192.168.*":               anybody,
		"http://localhost*":              anybody,
		"https://*.com":                  anybody,
		"*://chat.example.com":           anybody,
		"HTTPS://*":                      anybody,
		"http://a.example,*,http://b":    anybody,
		"moz-extension://*,http://c:*":   extensions,
		"moz-extension://*,http://10.0*": anybody,
	} {
		if w, _ := widest(value); w != want {
			t.Errorf("%q: %d, want %d", value, w, want)
		}
	}
}
