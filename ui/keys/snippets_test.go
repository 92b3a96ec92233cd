//go:build !lite

package keys

import (
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"paddock/policy"
	"paddock/share"
)

const shortPrint = "9F:3A:51:0C:7E:B2:…:D8:44:C7:41"

// samples are every kind of gate there is.
func samples() map[string]sample {
	usual := sample{base: "https://anna.local:11435", byIP: "https://192.168.1.24:11435", model: "qwen3:8b", print: shortPrint, inAddress: true}
	with := func(change func(*sample)) sample {
		s := usual
		change(&s)
		return s
	}
	return map[string]sample{
		"usual":        usual,
		"own":          with(func(s *sample) { s.own, s.base = true, "https://anna.example.com:11435" }),
		"plain too":    with(func(s *sample) { s.plain = "http://anna.local:11435" }),
		"plain only":   with(func(s *sample) { s.base, s.byIP, s.print = "http://anna.local:11435", "http://192.168.1.24:11435", "" }),
		"IPv6":         with(func(s *sample) { s.base, s.byIP = "https://[fd00::2]:11435", "" }),
		"hostile":      with(func(s *sample) { s.model = `it's "$(touch x)" \ <b> ` + "`id`" }),
		"no key there": with(func(s *sample) { s.inAddress = false }),
	}
}

// language is what a piece of code is written in.
func language(code string) string {
	switch {
	case strings.HasPrefix(code, "package main"):
		return "go"
	case strings.HasPrefix(code, "import os"):
		return "py"
	case strings.HasPrefix(code, "import "):
		return "mjs"
	case strings.HasPrefix(code, "models:"):
		return "yaml"
	case strings.HasPrefix(code, "http"):
		return "address"
	}
	return "sh"
}

// pieces is every piece of code, by the name of its gate, client and step.
func pieces() map[string]string {
	all := map[string]string{}
	for name, s := range samples() {
		for _, c := range clients(s) {
			for i, p := range c.steps {
				if p.code != "" {
					all[name+", "+c.label+" "+strconv.Itoa(i+1)] = p.code
				}
			}
		}
	}
	return all
}

func text(c client) (code, words string) {
	var b, w strings.Builder
	for _, p := range c.steps {
		b.WriteString(p.code + "\n")
		w.WriteString(p.title + " " + p.how + "\n")
	}
	return b.String(), w.String() + strings.Join(c.notes, "\n")
}

func TestSnippetsHoldWhatTheyNeedAndNoKey(t *testing.T) {
	for name, s := range samples() {
		labels := ""
		for _, c := range clients(s) {
			labels += c.label + "|"
			for i, p := range c.steps {
				if p.title == "" {
					t.Errorf("%s, %s: step %d says nothing", name, c.label, i)
				}
				// With PADDOCK_SNIPPETS naming a folder they can be run by hand.
				if dir := os.Getenv("PADDOCK_SNIPPETS"); dir != "" && p.code != "" {
					if err := os.WriteFile(filepath.Join(dir, name+" "+c.label+strconv.Itoa(i)+"."+language(p.code)), []byte(p.code), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			code, words := text(c)
			if !strings.Contains(code, s.base) {
				t.Errorf("%s, %s does not name the address", name, c.label)
			}
			if strings.Contains(code+words, "pdk_") || strings.Contains(code, "ADDRESS") {
				t.Errorf("%s, %s: %s", name, c.label, code)
			}
			if strings.HasPrefix(s.base, "https:") && strings.Contains(code, "http:") {
				t.Errorf("%s, %s goes around encryption: %s", name, c.label, code)
			}
			asks := regexp.MustCompile(`"?model"?[:=] ?"`).MatchString(code)
			if asks && !strings.Contains(code, "qwen3:8b") && name != "hostile" {
				t.Errorf("%s, %s asks for another model", name, c.label)
			}
			if s.plain != "" && !strings.Contains(words, s.plain) {
				t.Errorf("%s, %s does not tell of the way in clear", name, c.label)
			}
		}
		want := "curl|Python|JavaScript|Go|n8n|Open WebUI|Continue|Environment|Browser|"
		if s.inAddress {
			want += "Only an address|"
		}
		if labels != want {
			t.Errorf("%s: %s", name, labels)
		}
	}
}

// What checks the gate is told how, and with what to compare; where everybody
// trusts it anyway, nothing is said of it.
func TestTrustComesFirstWhereItIsNeeded(t *testing.T) {
	told := map[string]string{
		"curl": "--cacert paddock-ca.pem ", "Python": `export SSL_CERT_FILE="$PWD/paddock-ca.pem"`, "JavaScript": `export NODE_EXTRA_CA_CERTS="$PWD/paddock-ca.pem"`,
		"Go": "export SSL_CERT_FILE=", "n8n": `-e NODE_EXTRA_CA_CERTS=/paddock-ca.pem -v "$PWD/paddock-ca.pem:/paddock-ca.pem:ro"`,
		"Open WebUI": "-e SSL_CERT_FILE=/paddock-ca.pem -v", "Continue": "caBundlePath: /path/to/paddock-ca.pem", "Environment": "NODE_EXTRA_CA_CERTS",
		"Browser": "security add-trusted-cert", "Only an address": `SSL_CERT_FILE="$PWD/paddock-ca.pem" OLLAMA_HOST="https://anna.local:11435/k/$PADDOCK_KEY" ollama run qwen3:8b`,
	}
	for _, c := range clients(samples()["usual"]) {
		first := c.steps[0]
		if first.title != "Trust this gate, once" || !strings.Contains(first.how, shortPrint) ||
			first.code != "curl -k https://anna.local:11435/paddock/ca.pem -o paddock-ca.pem\nopenssl x509 -in paddock-ca.pem -noout -fingerprint -sha256" {
			t.Errorf("%s begins with %+v", c.label, first)
		}
		if code, _ := text(c); told[c.label] == "" || !strings.Contains(code, told[c.label]) {
			t.Errorf("%s is not told whom to trust: %s", c.label, code)
		}
	}
	for _, name := range []string{"own", "plain only"} {
		for _, c := range clients(samples()[name]) {
			if code, words := text(c); strings.Contains(code+words, caFile) || strings.Contains(code, "-k ") || strings.Contains(code, "SSL_CERT") {
				t.Errorf("%s, %s: %s %s", name, c.label, code, words)
			}
		}
	}
	s := samples()["usual"]
	s.print = ""
	if how := clients(s)[0].steps[0].how; !strings.Contains(how, "what the owner sees") {
		t.Errorf("without a fingerprint: %q", how)
	}
}

func TestTheKeyInTheAddressWorksOverTheNetworkOnceItIsEncrypted(t *testing.T) {
	last := func(s sample) client { all := clients(s); return all[len(all)-1] }
	if _, words := text(last(samples()["usual"])); !strings.Contains(words, "on the network too") {
		t.Error(words)
	}
	if _, words := text(last(samples()["plain only"])); !strings.Contains(words, "on this machine only") {
		t.Error(words)
	}
	code, _ := text(last(samples()["own"]))
	if !strings.Contains(code, "\nOLLAMA_HOST=\"https://anna.example.com:11435/k/$PADDOCK_KEY\" ollama run qwen3:8b\n") {
		t.Error(code)
	}
}

func TestEveryShellLineIsOne(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Logf("there is no bash here: %v", err)
		return
	}
	for name, code := range pieces() {
		if language(code) != "sh" {
			continue
		}
		cmd := exec.CommandContext(t.Context(), bash, "-n")
		cmd.Stdin = strings.NewReader(code)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s\n%s", name, err, code, out)
		}
	}
	// What a model is called is no command: curl is a word that writes its arguments.
	for _, c := range clients(samples()["hostile"]) {
		code, _ := text(c)
		_, command, found := strings.Cut(code, "\ncurl --cacert")
		if !found {
			continue
		}
		cmd := exec.CommandContext(t.Context(), bash, "-c", `curl() { printf '%s\n' "$@"; }; curl --cacert`+command)
		out, err := cmd.Output()
		if err != nil || !strings.Contains(string(out), `{"model": "it's \"$(touch x)\" \\ <b> `+"`id`"+`",`) {
			t.Errorf("%v: %s", err, out)
		}
	}
}

func TestGoCodeIsGo(t *testing.T) {
	for name, code := range pieces() {
		if language(code) != "go" {
			continue
		}
		if _, err := parser.ParseFile(token.NewFileSet(), name, code, parser.AllErrors); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if formatted, err := format.Source([]byte(code)); err != nil || strings.TrimSpace(string(formatted)) != code {
			t.Errorf("%s is not formatted: %v", name, err)
		}
	}
}

func TestWordsOfTheShell(t *testing.T) {
	for text, want := range map[string]string{
		"qwen3:8b": "qwen3:8b", "a b": "'a b'", "it's": `'it'\''s'`, "": "''", "https://[fd00::2]:1": "'https://[fd00::2]:1'", "$x": "'$x'", "hf.co/a/b-c_d:Q4_K_M": "hf.co/a/b-c_d:Q4_K_M",
	} {
		if got := shell(text); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
	if got := withKey("https://[fd00::2]:1", "/k/$K"); got != `'https://[fd00::2]:1'"/k/$K"` {
		t.Error(got)
	}
	if got := quoted("<a> & \"b\"\n"); got != `"<a> & \"b\"\n"` {
		t.Error(got)
	}
}

func TestModelOf(t *testing.T) {
	for _, x := range []struct {
		installed, loaded []string
		cloud             bool
		want              string
	}{
		{nil, nil, false, ""},
		{[]string{"a:1b", "b:1b"}, []string{"b:1b"}, false, "b:1b"},
		{[]string{"nomic-embed-text:latest", "bge-m3", "a:latest"}, []string{"nomic-embed-text:latest"}, false, "a"},
		{[]string{"big:120b-cloud", "a"}, nil, false, "a"},
		{[]string{"big:120b-cloud", "a"}, nil, true, "big:120b-cloud"},
		{[]string{"big:120b-cloud"}, nil, false, ""},
	} {
		if got := modelOf(x.installed, x.loaded, policy.Grant{Cloud: x.cloud}); got != x.want {
			t.Errorf("of %v, loaded %v, cloud %v: %q, want %q", x.installed, x.loaded, x.cloud, got, x.want)
		}
	}
}

func TestSampleWithoutAnAddressSaysSo(t *testing.T) {
	s, ok := sampleOf(share.State{Listen: ":11500", Encrypted: true}, policy.Grant{})
	if ok || s.base != "https://ADDRESS:11500" || s.model == "" {
		t.Errorf("%+v, %v", s, ok)
	}
	if s, ok = sampleOf(share.State{Listen: ":11500"}, policy.Grant{}); ok || s.base != "http://ADDRESS:11500" {
		t.Errorf("%+v, %v", s, ok)
	}
	s, ok = sampleOf(share.State{
		Addresses:      []share.Address{{URL: "https://[fd00::2]:11435"}, {URL: "https://10.0.0.2:11435"}},
		PlainAddresses: []share.Address{{URL: "http://[fd00::2]:11435"}},
		Encryption:     share.Encryption{Fingerprint: strings.Repeat("AB:", 31) + "CD", Own: true},
	}, policy.Grant{})
	if !ok || s.base != "https://[fd00::2]:11435" || s.byIP != "https://10.0.0.2:11435" || s.plain != "http://[fd00::2]:11435" || !s.own || s.print != "AB:AB:AB:AB:AB:AB:…:AB:AB:AB:CD" {
		t.Errorf("%+v, %v", s, ok)
	}
	// Where plain HTTP is all there is, it is no fallback.
	plain := []share.Address{{URL: "http://10.0.0.2:11435"}}
	if s, _ := sampleOf(share.State{Addresses: plain, PlainAddresses: plain}, policy.Grant{}); s.plain != "" || s.trusts() {
		t.Errorf("%+v", s)
	}
}
