package settings

import (
	"net/netip"
	"strings"
	"testing"
)

func TestNetworksAreReadAsPeopleWriteThem(t *testing.T) {
	lan := netip.MustParsePrefix("192.168.1.0/24")
	for text, want := range map[string]Network{
		"private":                 {},
		" private ":               {},
		"here":                    {Here: true},
		"interface:en0":           {Interface: "en0"},
		"interface:Wi-Fi 2":       {Interface: "Wi-Fi 2"},
		"only:en0,192.168.1.0/24": {Interface: "en0", Subnet: lan},
		"only:en0,fd00:1::/64":    {Interface: "en0", Subnet: netip.MustParsePrefix("fd00:1::/64")},
		"only:WLAN,192.168.1.0/24,AA-BB-CC-DD-EE-FF": {Interface: "WLAN", Subnet: lan, Gateway: "aa:bb:cc:dd:ee:ff"},
	} {
		if got, err := ParseNetwork(text); err != nil || got != want {
			t.Errorf("%q: %+v %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "all", "public", "Private", "interface:", "interface: en0", "interface:a,b", "interface:a\x00", "only:", "only:en0", "only:en0,", "only:,192.168.1.0/24",
		"only:en0,192.168.1.5/24", "only:en0,192.168.1.0/33", "only:en0,::ffff:192.168.1.0/120", "only:en0,192.168.1.0/24,gateway", "only:en0,192.168.1.0/24,aa:bb:cc:dd:ee:ff:00:11",
		"interface:" + strings.Repeat("x", 300),
	} {
		if got, err := ParseNetwork(text); err == nil {
			t.Errorf("%q is taken for %+v", text, got)
		}
	}
}

func FuzzNetwork(f *testing.F) {
	for _, s := range []string{"private", "here", "interface:en0", "only:en0,192.168.1.0/24,aa:bb:cc:dd:ee:ff", "only:en0,fd00::/64"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ParseNetwork(text)
		if err != nil {
			if n != (Network{}) {
				t.Errorf("%q is refused and yet %+v", text, n)
			}
			return
		}
		if again, err := ParseNetwork(n.String()); err != nil || again != n {
			t.Errorf("%q is %+v, which reads as %+v, %v", text, n, again, err)
		}
	})
}
