//go:build !lite

package keys

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"paddock/policy"
	"paddock/share"
)

func TestSnippetsHoldWhatTheyNeedAndNoKey(t *testing.T) {
	s := sample{base: "http://anna.local:11435", byIP: "http://192.168.1.24:11435", model: "qwen3:8b", inAddress: true}
	labels := map[string]bool{}
	for _, c := range clients(s) {
		labels[c.label] = true
		var all strings.Builder
		for i, p := range c.steps {
			if p.title == "" {
				t.Errorf("%s: step %d says nothing", c.label, i)
			}
			all.WriteString(p.code + "\n")
			// With PADDOCK_SNIPPETS naming a folder they can be run by hand.
			if dir := os.Getenv("PADDOCK_SNIPPETS"); dir != "" {
				if err := os.WriteFile(filepath.Join(dir, c.label+strconv.Itoa(i)), []byte(p.code), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		code := all.String()
		if !strings.Contains(code, s.base) {
			t.Errorf("%s does not name the address", c.label)
		}
		if strings.Contains(code, "pdk_") || strings.Contains(code, "ADDRESS") || strings.Contains(code, "https:") {
			t.Errorf("%s: %s", c.label, code)
		}
		asks := regexp.MustCompile(`"?model"?[:=] ?"`).MatchString(code)
		if asks && !strings.Contains(code, s.model) {
			t.Errorf("%s asks for another model", c.label)
		}
	}
	for _, want := range []string{"curl", "Python", "JavaScript", "n8n", "Open WebUI", "Environment", "Only an address"} {
		if !labels[want] {
			t.Errorf("there is nothing for %s", want)
		}
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
	s, ok := sampleOf(share.State{Listen: ":11500"}, policy.Grant{})
	if ok || s.base != "http://ADDRESS:11500" || s.model == "" {
		t.Errorf("%+v, %v", s, ok)
	}
	s, ok = sampleOf(share.State{Addresses: []share.Address{{URL: "http://[fd00::2]:11435"}, {URL: "http://10.0.0.2:11435"}}}, policy.Grant{})
	if !ok || s.base != "http://[fd00::2]:11435" || s.byIP != "http://10.0.0.2:11435" {
		t.Errorf("%+v, %v", s, ok)
	}
}
