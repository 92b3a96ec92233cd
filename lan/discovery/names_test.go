package discovery

import (
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func TestALabelIsSpeltAsItIsReadFromTheWire(t *testing.T) {
	for text, want := range map[string]string{
		"Paddock on anna-mbp":       "Paddock on anna-mbp",
		"Paddock on Ünal's Mac":     "Paddock on Ünal's Mac",
		`a.b\c "d" (e); @f`:         `a.b\c "d" (e); @f`,
		"bell\a and\nline":          "bell andline",
		"  edges  ":                 "edges",
		"\xff\xfe":                  "",
		"":                          "",
		strings.Repeat("x", 70):     strings.Repeat("x", 63),
		strings.Repeat("ü", 40):     strings.Repeat("ü", 31),
		strings.Repeat("\x00", 200): "",
	} {
		l := label(text)
		if got := plain(l); got != want {
			t.Errorf("%q reads %q, want %q", text, got, want)
		}
		if l == "" {
			continue
		}
		m := new(dns.Msg)
		m.SetQuestion(l+"."+service, dns.TypeSRV)
		b, err := m.Pack()
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		var back dns.Msg
		if err := back.Unpack(b); err != nil || back.Question[0].Name != l+"."+service {
			t.Errorf("%q is written %q and read %q, %v", text, l, back.Question[0].Name, err)
		}
	}
}

func TestANumberedNameKeepsItsNumber(t *testing.T) {
	for _, text := range []string{"Paddock", strings.Repeat("x", 63), strings.Repeat("ü", 31)} {
		got := plain(numbered(text, 1))
		if !strings.HasSuffix(got, " (2)") || len(got) > longest {
			t.Errorf("%q becomes %q", text, got)
		}
		if got := plain(numbered(text, 0)); got != text {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}

func TestTheHostIsTheFirstLabelOfWhatTheSystemSays(t *testing.T) {
	for hostname, want := range map[string]string{
		"anna-mbp": "anna-mbp.local.", "Anna-MBP.fritz.box": "anna-mbp.local.", " box\n": "box.local.", "a_b.": "a_b.local.",
		"": "", "localhost": "", "localhost.localdomain": "", ".": "", "büro": "", "a b": "", "a\\.b": "", strings.Repeat("x", 64): "",
	} {
		if got := hostOf(hostname); got != want {
			t.Errorf("%q is %q, want %q", hostname, got, want)
		}
	}
}

func TestANameOfOurMakingStaysAndIsOurs(t *testing.T) {
	s := Service{Hostname: "box", TXT: []string{"v=1", "fp=aa"}}
	other := Service{Hostname: "box", TXT: []string{"v=1", "fp=bb"}}
	name := s.ownHost(0)
	if len(name) != len("paddock-01234567.local.") || hostOf(name) != name {
		t.Errorf("%q is no name of a host", name)
	}
	s.TXT = []string{"v=2", "fp=aa"}
	if s.ownHost(0) != name {
		t.Error("the name changes with what is no part of it")
	}
	if other.ownHost(0) == name || s.ownHost(1) == name {
		t.Error("two names are the same")
	}
}
