package settings

import (
	"errors"
	"testing"
)

func TestUpstreamIsReadAsOllamaReadsIt(t *testing.T) {
	// The table of TestHost in Ollama 0.17.4's envconfig/config_test.go. Where
	// we differ, by making an address to listen on one to call, the comment has
	// Ollama's answer.
	for in, want := range map[string]string{
		"":                           "http://127.0.0.1:11434",
		"1.2.3.4":                    "http://1.2.3.4:11434",
		":1234":                      "http://127.0.0.1:1234", // http://:1234
		"1.2.3.4:1234":               "http://1.2.3.4:1234",
		"example.com":                "http://example.com:11434",
		"example.com:1234":           "http://example.com:1234",
		":0":                         "http://127.0.0.1:0",     // http://:0
		":66000":                     "http://127.0.0.1:11434", // http://:11434
		":-1":                        "http://127.0.0.1:11434", // http://:11434
		"[::1]":                      "http://[::1]:11434",
		"[::]":                       "http://[::1]:11434", // http://[::]:11434
		"::1":                        "http://[::1]:11434",
		"[::1]:1337":                 "http://[::1]:1337",
		" 1.2.3.4 ":                  "http://1.2.3.4:11434",
		`"1.2.3.4"`:                  "http://1.2.3.4:11434",
		` " 1.2.3.4 " `:              "http://1.2.3.4:11434",
		"'1.2.3.4'":                  "http://1.2.3.4:11434",
		"http://1.2.3.4":             "http://1.2.3.4:80",
		"http://1.2.3.4:4321":        "http://1.2.3.4:4321",
		"https://1.2.3.4":            "https://1.2.3.4:443",
		"https://1.2.3.4:4321":       "https://1.2.3.4:4321",
		"https://example.com/ollama": "https://example.com:443/ollama",
		"ollama.com":                 "https://ollama.com:443",

		// Ours.
		"0.0.0.0":                "http://127.0.0.1:11434",
		"0.0.0.0:8080":           "http://127.0.0.1:8080",
		"::":                     "http://[::1]:11434",
		"http://[::]:9":          "http://[::1]:9",
		"HTTP://Example":         "http://Example:80",
		"http://1.2.3.4/":        "http://1.2.3.4:80",
		"http://h/a/b/":          "http://h:80/a/b/",
		"https://h:port":         "https://h:443",
		"h:":                     "http://h:11434",
		"[fe80::1%eth0]":         "http://[fe80::1%25eth0]:11434",
		"host.docker.internal":   "http://host.docker.internal:11434",
		"my_box.local:11434":     "http://my_box.local:11434",
		"::ffff:0.0.0.0":         "http://127.0.0.1:11434",
		"http://192.168.1.2:+80": "http://192.168.1.2:80",
	} {
		got, err := ParseUpstream(in)
		if err != nil {
			t.Errorf("ParseUpstream(%q): %v", in, err)
			continue
		}
		if got.String() != want {
			t.Errorf("ParseUpstream(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestUpstreamThatNobodyCouldCall(t *testing.T) {
	for _, in := range []string{
		"ftp://h", "unix:///run/x", "://h", "http://user:pw@h", "h h", "h\nX: y", "a..b", "http://h/a?b", "http://h/a#b", "http://h/%2e",
		"http://h/a b", "::%]0", "[fe80::1%a b]:1", "1.2.3.4;rm", "[::1]x", "h,i", "http://[h]", "ol\u200dlama",
	} {
		if got, err := ParseUpstream(in); err == nil {
			t.Errorf("ParseUpstream(%q) = %s, want it refused", in, got)
		}
	}
}

func TestUpstreamFlagBeforeSettingBeforeEnvironment(t *testing.T) {
	for _, c := range []struct{ flag, setting, env, want string }{
		{"f", "s", "e", "http://f:11434"},
		{"", "s", "e", "http://s:11434"},
		{" ", "", "e", "http://e:11434"},
		{"", "", "", "http://127.0.0.1:11434"},
		{"", "", "0.0.0.0", "http://127.0.0.1:11434"}, // the laptop whose Ollama was opened to everyone before
	} {
		got, err := Upstream(c.flag, c.setting, c.env)
		if err != nil || got.String() != c.want {
			t.Errorf("Upstream(%q, %q, %q) = %v, %v; want %s", c.flag, c.setting, c.env, got, err, c.want)
		}
	}
	for name, call := range map[string][3]string{
		"--ollama":     {"ftp://x", "s", "e"},
		"share.ollama": {"", "ftp://x", "e"},
		"OLLAMA_HOST":  {"", "", "ftp://x"},
	} {
		_, err := Upstream(call[0], call[1], call[2])
		if bad, ok := errors.AsType[*ValueError](err); !ok || bad.Name != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseUpstream(f *testing.F) {
	for _, s := range []string{"", "1.2.3.4", ":1234", "[::1]:1337", "::", "https://h/p", "'x'", "ollama.com", "http://[fe80::1%eth0]:1", "h:99999", "::%]0"} { // the last was found by fuzzing: a zone that ended the brackets
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParseUpstream(s)
		if err != nil {
			return
		}
		if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || !isPort(u.Port()) || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			t.Fatalf("ParseUpstream(%q) = %#v", s, u)
		}
		again, err := ParseUpstream(u.Scheme + "://" + u.Host + u.Path)
		if err != nil || *again != *u {
			t.Fatalf("ParseUpstream(%q) = %s, read again %v, %v", s, u, again, err)
		}
	})
}
