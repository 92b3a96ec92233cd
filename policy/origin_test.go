package policy

import (
	"net/url"
	"strings"
	"testing"
)

func TestOriginsAsOwnersWriteThem(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"https://app.example.com", "https://app.example.com"},
		{"  https://app.example.com  ", "https://app.example.com"},
		{"HTTPS://App.Example.COM", "https://app.example.com"},
		{"https://app.example.com/", "https://app.example.com"},
		{"https://app.example.com.", "https://app.example.com."},
		{"https://app.example.com:443", "https://app.example.com"},
		{"http://app.example.com:80/", "http://app.example.com"},
		{"https://app.example.com:80", "https://app.example.com:80"},
		{"https://app.example.com:8443", "https://app.example.com:8443"},
		{"http://localhost:3000", "http://localhost:3000"},
		{"http://localhost:65535", "http://localhost:65535"},
		{"http://my_nas:8080", "http://my_nas:8080"},
		{"https://xn--bcher-kva.example", "https://xn--bcher-kva.example"},
		{"http://192.168.1.20:8080", "http://192.168.1.20:8080"},
		{"http://[::1]:3000", "http://[::1]:3000"},
		{"http://[::1]", "http://[::1]"},
		{"http://[0:0:0:0:0:0:0:1]:80", "http://[::1]"},
		{"http://[FD00::00AB]", "http://[fd00::ab]"},
		{"http://[::ffff:127.0.0.1]", "http://[::ffff:7f00:1]"},
		{"http://[::ffff:0.0.0.1]", "http://[::ffff:0:1]"},
		{"http://localhost:*", "http://localhost:*"},
		{"HTTP://LocalHost:*/", "http://localhost:*"},
		{"https://[::1]:*", "https://[::1]:*"},
		{"chrome-extension://*", "chrome-extension://*"},
		{"Moz-Extension://*/", "moz-extension://*"},
		{"chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb", "chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb"},
		{"safari-web-extension://0A1B2C3D-0000-4000-8000-00000000ABCD", "safari-web-extension://0A1B2C3D-0000-4000-8000-00000000ABCD"},
		{"app://obsidian.md", "app://obsidian.md"},
		{"APP://Obsidian.md", "app://Obsidian.md"}, // browsers leave that letter case alone
		{"app://x:80", "app://x:80"},
		{"file://", "file://"},
		{"file:///", "file://"},
		{"file://*", "file://*"},
		{"local", "local"},
		{" tauri ", "tauri"},
	} {
		got, err := ParseOrigin(c.in)
		if err != nil || got != c.want {
			t.Errorf("%q is %q, %v; want %q", c.in, got, err, c.want)
			continue
		}
		if again, err := ParseOrigin(got); err != nil || again != got {
			t.Errorf("%q is %q, which is %q, %v", c.in, got, again, err)
		}
		if _, preset := FindPreset(got); CleanOrigin(got) != (!strings.Contains(got, "*") && !preset) {
			t.Errorf("%q: clean %v", got, CleanOrigin(got))
		}
	}
}

func TestWhatIsNoOrigin(t *testing.T) {
	for _, s := range []string{
		"", " ", "null", "NULL", "*", "**", "://", "://x", "http", "file", "https:", "http:/x", "http//x", "http://", "https:///", "app.example.com", "localhost:3000", "//localhost", "LOCAL", "everything",
		"https://a.example/path", "https://a.example//", "https://a.example?x", "https://a.example#x", `https://a.example\`, "https://a.example/..", "file:///home/x", "file://host", "file://host/x", "file://:80", "file://:",
		"https://user@a.example", "https://user:pass@a.example", "http://localhost@evil.example", "http://localhost:3000@evil.example", "http://evil.example\\@localhost",
		"https://*", "http://*:*", "https://*:443", "https://*.example.com", "https://a*.example", "https://*:3000", "*://localhost", "http*://localhost", "ws://*", "wss://*", "ftp://*", "ftp://a:*", "app://*:80", "app://*:*", "app://x:*", "chrome-extension://a*", "chrome-extension://**", "chrome-extension://*/x",
		"http://localhost:", "http://:3000", "http://localhost:0", "http://localhost:080", "http://localhost:65536", "http://localhost:99999999999999999999", "http://localhost:-1", "http://localhost:+80", "http://localhost:3000:3000", "http://localhost:30*", "http://localhost:*:*", "http://localhost:3000,http://evil.example", "http://localhost:８０", "app://x:",
		"http://[::1", "http://::1", "http://::1]", "http://[::1]x", "http://[::1]x:80", "http://[]", "http://[:]", "http://[zz]", "http://[127.0.0.1]", "http://[fe80::1%25eth0]", "http://[fe80::1%eth0]", "http://[[::1]]", "http://[::1]]", "http://[::1]:", "app://[::1]",
		"http://1", "http://1.2.3", "http://1.2.3.4.5", "http://1.2.3.256", "http://01.2.3.4", "http://127.0.0.1.", "http://2130706433", "http://.example", "http://a..b", "http://..", "http://.", "http://a..",
		"http://local host", "http://local\thost", "http://a\x00b", "http://a\r\nb", "http://a%2eb", "http://a;b", "http://a,b", "http://a'b", `http://a"b`, "http://<a>", "http://a|b", "http://bücher.example", "http://loc\u0430lhost", "http://\u212aitty", "http://a\u3002b", "ht\u017fp://a", "http://\xff",
		"1http://x", "-x://y", "http ://x", " ://x", "data:text/html,x", "blob:https://a.example", "http://http://localhost",
		"http://" + strings.Repeat("a", 400), strings.Repeat("a", 400) + "://x", strings.Repeat("x", 1<<16),
	} {
		if got, err := ParseOrigin(s); err == nil || got != "" {
			t.Errorf("%.80q was taken as %q", s, got)
		} else if len(err.Error()) > 200 {
			t.Errorf("%.80q: the sentence has %d bytes", s, len(err.Error()))
		}
		if CleanOrigin(s) {
			t.Errorf("%.80q counts as clean", s)
		}
	}
}

func TestWhatABrowserNeverSendsIsNotClean(t *testing.T) {
	for _, s := range []string{
		"http://localhost:80", "https://localhost:443", "http://localhost/", "HTTP://localhost", "http://Localhost", "http://localhost:*", "chrome-extension://*", " http://localhost", "http://localhost ",
		"http://[0:0::1]", "http://[::FFFF]", "http://[::ffff:127.0.0.1]", "CHROME-extension://abc", "local", "file:///", "file://*", "app://x/",
	} {
		if CleanOrigin(s) {
			t.Errorf("%q counts as clean", s)
		}
	}
}

func seedOrigins(f *testing.F, add func(string)) {
	f.Helper()
	for _, s := range []string{
		"", "null", "*", "local", "http://localhost", "http://localhost:3000", "https://app.example.com", "HTTPS://App.Example.com:443/", "http://[::1]:3000", "http://[0::1]", "http://[::ffff:1.2.3.4]",
		"http://localhost:*", "https://*", "chrome-extension://*", "chrome-extension://abc", "app://Obsidian.md", "file://", "file://*", "http://localhost@evil", "http://localhost:3000.evil", "http://localhost.evil.example",
		"http://127.0.0.1.", "http://1", "http://a..b", "http://a%2eb", "http://localhost:03000", "https://xn--bcher-kva.example", "http://localhost\x00", "app://x:",
	} {
		add(s)
	}
}

// What is read is one spelling: reading it again changes nothing, net/url sees
// the same in it, and unless it is a pattern or a preset a browser could send it.
func FuzzParseOrigin(f *testing.F) {
	seedOrigins(f, func(s string) { f.Add(s) })
	f.Fuzz(func(t *testing.T, s string) {
		if CleanOrigin(s) {
			if v, err := ParseOrigin(s); err != nil || v != s {
				t.Fatalf("%q is clean, and read as %q, %v", s, v, err)
			}
		}
		v, err := ParseOrigin(s)
		if err != nil {
			if v != "" {
				t.Fatalf("%q is refused, and yet %q", s, v)
			}
			return
		}
		if again, err := ParseOrigin(v); err != nil || again != v {
			t.Fatalf("%q is %q, which is %q, %v", s, v, again, err)
		}
		if _, preset := FindPreset(v); preset || strings.Contains(v, "*") {
			if CleanOrigin(v) {
				t.Fatalf("the pattern %q is clean", v)
			}
			return
		}
		u, err := url.Parse(v)
		if err != nil || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" || u.Scheme+"://"+u.Host != v {
			t.Fatalf("%q is %q, in which net/url sees %#v, %v", s, v, u, err)
		}
		if !CleanOrigin(v) {
			t.Fatalf("%q is %q, which is not clean", s, v)
		}
	})
}
