package lan

import (
	"encoding/json"
	"net/netip"
	"slices"
	"testing"
)

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

// laptop is one with everything: a card, a tunnel, containers, a public address.
func laptop() Us {
	return New("Anna-Laptop",
		Addr{IP: ip("127.0.0.1"), Interface: "lo"},
		Addr{IP: ip("::1"), Interface: "lo"},
		Addr{IP: ip("172.17.0.1"), Interface: "docker0"},
		Addr{IP: ip("10.8.0.2"), Interface: "tun0"},
		Addr{IP: ip("100.101.102.103"), Interface: "tailscale0"},
		Addr{IP: ip("2001:db8::5"), Interface: "wlan0"},
		Addr{IP: ip("fd12:3456::5"), Interface: "wlan0"},
		Addr{IP: ip("fe80::1%wlan0"), Interface: "wlan0"},
		Addr{IP: ip("169.254.7.7"), Interface: "eth1"},
		Addr{IP: ip("::ffff:192.168.1.20"), Interface: "wlan0"},
		Addr{IP: ip("203.0.113.9"), Interface: "eth0"},
		Addr{},
	)
}

func TestKinds(t *testing.T) {
	for in, want := range map[string]Kind{
		"127.0.0.1": Loopback, "127.9.9.9": Loopback, "::1": Loopback, "::ffff:127.0.0.1": Loopback,
		"10.0.0.1": Private, "172.16.0.1": Private, "172.31.255.255": Private, "192.168.0.1": Private, "fc00::1": Private, "fd00::1": Private,
		"172.32.0.1": Public, "172.15.0.1": Public, "192.169.0.1": Public, "11.0.0.1": Public,
		"100.64.0.0": Shared, "100.127.255.255": Shared, "100.63.255.255": Public, "100.128.0.0": Public,
		"169.254.1.1": LinkLocal, "fe80::1": LinkLocal, "fe80::1%eth0": LinkLocal,
		"8.8.8.8": Public, "2001:db8::1": Public, "0.0.0.0": Public, "::": Public, "224.0.0.1": Public, "ff02::1": Public, "255.255.255.255": Public,
		"64:ff9b::a00:1": Public, "2002:a00:1::": Public,
	} {
		if got := KindOf(ip(in)); got != want {
			t.Errorf("%s is %v, want %v", in, got, want)
		}
	}
	if KindOf(netip.Addr{}) != Public {
		t.Error("no address must count as public")
	}
	for k := Name; k <= Public; k++ {
		b, err := json.Marshal(k)
		var back Kind
		if err != nil || json.Unmarshal(b, &back) != nil || back != k {
			t.Errorf("%v becomes %s and %v", k, b, back)
		}
	}
	back := Name
	if err := json.Unmarshal([]byte(`"galactic"`), &back); err != nil || back != Public {
		t.Errorf("an unknown kind is %v, %v", back, err)
	}
}

func TestNames(t *testing.T) {
	every := []string{"localhost", "host.docker.internal"}
	for in, want := range map[string][]string{
		"Anna-Laptop":           {"anna-laptop", "anna-laptop.local"},
		"anna.corp.example":     {"anna.corp.example", "anna", "anna.local"},
		"Annas-Mac.local":       {"annas-mac.local", "annas-mac"},
		"anna.":                 {"anna", "anna.local"},
		"localhost":             {},
		"localhost.localdomain": {"localhost.localdomain"},
		"":                      {},
		"10.0.0.1":              {},
		"anna's laptop":         {},
		"änna":                  {},
		"a..b":                  {},
		"my_box":                {"my_box", "my_box.local"},
		// U+212A is a K to strings.ToLower.
		"\u212aarl": {},
	} {
		got := New(in).Names()
		if in == "localhost" || in == "localhost.localdomain" {
			got = slices.DeleteFunc(got, func(s string) bool { return s == "localhost" || s == "host.docker.internal" })
			if !slices.Equal(got, want) {
				t.Errorf("%q: %q, want %q", in, got, want)
			}
			continue
		}
		if !slices.Equal(got, append(slices.Clone(want), every...)) {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestLookSeesThisMachine(t *testing.T) {
	u, err := Look()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(u.Addrs(), func(a Addr) bool { return a.Kind == Loopback && a.Interface != "" }) {
		t.Errorf("no loopback address in %v", u.Addrs())
	}
	again, err := Look()
	if err != nil || !u.Equal(again) {
		t.Errorf("two looks differ: %v and %v, %v", u, again, err)
	}
	for _, a := range u.Addrs() {
		host := a.IP.String()
		if a.IP.Is6() {
			host = "[" + host + "]"
		}
		if !u.Host(host) {
			t.Errorf("own address %s is not a Host of ours", host)
		}
	}
	for _, n := range u.Names() {
		if !u.Host(n + ":11435") {
			t.Errorf("own name %s is not a Host of ours", n)
		}
	}
}

func TestUsIsAValueThatNobodyCanChange(t *testing.T) {
	u := laptop()
	u.Names()[0] = "evil"
	u.Addrs()[0].IP = ip("8.8.8.8")
	if u.Host("evil") || u.Host("8.8.8.8") || !u.Equal(laptop()) {
		t.Error("a caller changed it")
	}
	if u.Equal(New("Anna-Laptop")) || u.Equal(New("other", u.Addrs()...)) {
		t.Error("different, and called equal")
	}
}

// On a network where somebody else answers to our .local name, that name is theirs.
func TestRenamed(t *testing.T) {
	u := New("Anna-MBP.home", Addr{IP: netip.MustParseAddr("192.168.1.5"), Interface: "eth0"})
	r := u.Renamed("paddock-0a1b2c3d.local")
	if !r.Host("paddock-0a1b2c3d.local:11435") || r.Host("anna-mbp.local") || !r.Host("anna-mbp") || !r.Host("192.168.1.5") {
		t.Errorf("%v", r.Names())
	}
	if r.Equal(u) || u.Host("paddock-0a1b2c3d.local") {
		t.Error("the machine itself was renamed")
	}
	if urls := r.URLs("https", 11435, ""); urls[0].URL != "https://paddock-0a1b2c3d.local:11435" {
		t.Errorf("%+v", urls)
	}
	for _, bad := range []string{"", "evil.example", "a b.local", "anna-mbp.local", ".local"} {
		if got := u.Renamed(bad); !got.Equal(u) {
			t.Errorf("%q: %v", bad, got.Names())
		}
	}
}
