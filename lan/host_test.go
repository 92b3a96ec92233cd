package lan

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestHostsThatAreOurs(t *testing.T) {
	u := laptop()
	for _, h := range []string{
		"127.0.0.1", "127.0.0.1:11435", "127.0.0.2", "[::1]", "[::1]:11435", "192.168.1.20", "192.168.1.20:1", "192.168.1.20:65535", "192.168.1.20:0",
		"172.17.0.1:11435", "203.0.113.9", "[2001:db8::5]", "[2001:DB8:0::0:5]:11435", "[fe80::1]:11435", "[::ffff:192.168.1.20]",
		"anna-laptop", "Anna-Laptop:11435", "ANNA-LAPTOP.LOCAL", "anna-laptop.local:443", "localhost", "LocalHost:11435", "host.docker.internal:11435",
	} {
		if !u.Host(h) {
			t.Errorf("%q is ours and was refused", h)
		}
	}
}

func TestHostsThatAreNot(t *testing.T) {
	u := laptop()
	for _, h := range []string{
		"", ":", ":11435", "evil.com", "evil.com:11435", "bob-laptop.local", "anna-laptop.local.evil.com", "evil.anna-laptop.local", "anna-laptop.lan", "xanna-laptop",
		"localhost.evil.com", "foo.localhost", "localhost.", "anna-laptop.local.", "127.0.0.1.", "docker.internal",
		"192.168.1.21", "0.0.0.0", "0.0.0.0:11435", "[::]", "8.8.8.8", "255.255.255.255",
		// Spellings that a browser or a C library would read as an address of ours.
		"127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "127.0.0.01", "192.168.276", "①②⑦.0.0.1", "127。0。0。1",
		"::1", "::1:11435", "fe80::1", "[127.0.0.1]", "[192.168.1.20]:1", "[localhost]", "[]", "[]:1", "[::1", "::1]", "[::1]]", "[[::1]]", "[::1]x", "[::1]11435", "x[::1]",
		"[fe80::1%wlan0]", "[fe80::1%25wlan0]", "[::1%lo]",
		"user@localhost", "localhost@evil.com", "localhost:1@evil.com", "localhost/", "localhost?", "localhost#", "localhost\\", "http://localhost",
		"localhost:", "localhost:http", "localhost:-1", "localhost:+1", "localhost:65536", "localhost:999999", "localhost:1:2", "localhost:1 ", "localhost: 1", "localhost:١",
		" localhost", "localhost ", "local host", "localhost\n", "localhost\x00", "localhost,localhost", "localhost, evil.com",
		"loca\u017fhost", "loca\u212ahost", "*", "*.local", ".local", "local",
	} {
		if u.Host(h) {
			t.Errorf("%q is not ours and passed", h)
		}
	}
	if (Us{}).Host("anna-laptop") || (Us{}).Host("192.168.1.20") || (Us{}).Host("") {
		t.Error("the zero value knows nobody")
	}
}

func FuzzHost(f *testing.F) {
	for _, h := range []string{"localhost:11435", "[::1]:1", "192.168.1.20", "ANNA-LAPTOP.local:0", "[fe80::1%wlan0]", "evil.com", "[", ":", "127.1"} {
		f.Add(h)
	}
	u := laptop()
	names := u.Names()
	f.Fuzz(func(t *testing.T, h string) {
		got := u.Host(h)
		// The slow and obvious way: with the port off it is one of our names or
		// the address of one of our interfaces, spelt as URLs have it.
		host := h
		if i := strings.LastIndexByte(h, ':'); i >= 0 && !strings.HasSuffix(h, "]") {
			n, err := strconv.ParseUint(h[i+1:], 10, 16)
			if err != nil || n > 65535 || len(h[i+1:]) > 5 {
				if got {
					t.Fatalf("%q passed with a bad port", h)
				}
				return
			}
			host = h[:i]
		}
		want := slices.ContainsFunc(names, func(n string) bool { return len(n) == len(host) && strings.EqualFold(n, host) })
		for _, c := range []byte(host) { // EqualFold folds Unicode
			want = want && c < 0x80
		}
		bare, in := strings.CutPrefix(host, "[")
		bare, out := strings.CutSuffix(bare, "]")
		if in == out {
			if a, err := netip.ParseAddr(bare); err == nil && a.Zone() == "" && a.Is6() == in {
				want = a.Unmap().IsLoopback() || slices.ContainsFunc(u.Addrs(), func(o Addr) bool { return o.IP == a.Unmap() })
			}
		}
		if got != want {
			t.Fatalf("Host(%q) = %v, want %v", h, got, want)
		}
		if got {
			if _, _, err := net.SplitHostPort(h); err != nil && strings.Contains(strings.TrimRight(h, "]"), "]:") {
				t.Fatalf("%q passed and cannot be split: %v", h, err)
			}
		}
	})
}

func BenchmarkHost(b *testing.B) {
	u := laptop()
	b.ReportAllocs()
	for b.Loop() {
		if !u.Host("192.168.1.20:11435") {
			b.Fatal("refused")
		}
	}
}
