package lan

import (
	"net/url"
	"slices"
	"testing"
)

func urls(list []Address) []string {
	var s []string
	for _, a := range list {
		s = append(s, a.URL)
	}
	return s
}

func TestURLsTheBestFirst(t *testing.T) {
	u := laptop()
	for host, want := range map[string][]string{
		"": {
			"http://anna-laptop.local:11435",
			"http://192.168.1.20:11435", "http://[fd12:3456::5]:11435", "http://169.254.7.7:11435",
			"http://10.8.0.2:11435", "http://100.101.102.103:11435", // tunnels
			"http://172.17.0.1:11435", // containers
		},
		"0.0.0.0": {
			"http://anna-laptop.local:11435", "http://192.168.1.20:11435", "http://169.254.7.7:11435",
			"http://10.8.0.2:11435", "http://100.101.102.103:11435", "http://172.17.0.1:11435",
		},
		"127.0.0.1":    {"http://127.0.0.1:11435"},
		"::1":          {"http://[::1]:11435"},
		"localhost":    {"http://localhost:11435"},
		"192.168.1.20": {"http://192.168.1.20:11435"},
		"203.0.113.9":  {"http://203.0.113.9:11435"}, // the owner named it
		"10.99.0.1":    {"http://10.99.0.1:11435"},   // of a network that we left
		"box.corp":     {"http://box.corp:11435"},
	} {
		if got := urls(u.URLs("http", 11435, host)); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", host, got, want)
		}
	}
	if v6 := u.URLs("http", 11435, "::"); !slices.Equal(v6, u.URLs("http", 11435, "")) {
		t.Errorf("[::] serves IPv4 too: %v", v6)
	}
	first := u.URLs("https", 1, "")[:2]
	if first[0] != (Address{Label: "anna-laptop.local", URL: "https://anna-laptop.local:1", Kind: Name}) ||
		first[1] != (Address{Label: "192.168.1.20", URL: "https://192.168.1.20:1", Interface: "wlan0", Kind: Private}) {
		t.Errorf("got %+v", first)
	}
}

func TestURLsWithoutANetwork(t *testing.T) {
	u := New("anna", Addr{IP: ip("127.0.0.1"), Interface: "lo"}, Addr{IP: ip("203.0.113.9"), Interface: "eth0"})
	if got := u.URLs("http", 11435, ""); len(got) != 0 {
		t.Errorf("nobody can reach %v", got)
	}
}

// Each address that we show must be one whose Host header we take.
func TestURLsAreHostsOfOurs(t *testing.T) {
	for _, u := range []Us{laptop(), New("a.b.c", Addr{IP: ip("fd00::2"), Interface: "eth0"})} {
		for _, host := range []string{"", "0.0.0.0", "::", "127.0.0.1", "::1", "localhost"} {
			for _, a := range u.URLs("http", 11435, host) {
				parsed, err := url.Parse(a.URL)
				if err != nil || !u.Host(parsed.Host) {
					t.Errorf("%s is shown and refused, %v", a.URL, err)
				}
			}
		}
	}
}

func TestBridgesOfContainersComeLast(t *testing.T) {
	for _, name := range []string{"docker0", "br-0a1b2c3d4e5f", "veth12ab", "virbr0", "vboxnet0", "vmnet8", "vEthernet (WSL)", "podman1", "lxdbr0", "bridge100"} {
		if reach(name) != 2 {
			t.Errorf("%s was taken for a network card", name)
		}
	}
	for _, name := range []string{"tun0", "wg0", "utun3", "tailscale0", "ppp0"} {
		if reach(name) != 1 {
			t.Errorf("%s was not taken for a tunnel", name)
		}
	}
	for _, name := range []string{"eth0", "enp3s0", "wlan0", "wlp2s0", "en0", "br0", "bond0", "Wi-Fi", "Ethernet 2", "bridge0", ""} {
		if reach(name) != 0 {
			t.Errorf("%s was not taken for a network card", name)
		}
	}
}
