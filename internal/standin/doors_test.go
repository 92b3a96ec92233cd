package standin

import (
	"io"
	"net/http"
	"testing"
)

func TestHostCheckOfALoopbackListener(t *testing.T) {
	p := open(t, Options{})
	for host, want := range map[string]int{
		"localhost": 200, "localhost:11434": 200, "LOCALHOST": 200, "a.localhost": 200, "printer.local": 200, "host.docker.internal:1": 200,
		"127.0.0.1": 200, "127.9.9.9:80": 200, "[::1]:80": 200, "0.0.0.0": 200, "10.1.2.3": 200, "192.168.1.9:11435": 200, "[fd00::1]:80": 200, "[::1]": 403, // brackets without a port are no address
		"example.com": 403, "localhost.evil.com": 403, "local": 403, "vm.lan": 403, "8.8.8.8": 403, "100.64.0.1": 403, "169.254.1.1": 403,
	} {
		res := p.send(t.Context(), t, "GET", "/api/tags", nil, "Host", host)
		checkDoor(t, "Host "+host, res, want)
	}
}

func TestOriginCheck(t *testing.T) {
	p := open(t, Options{})
	for origin, want := range map[string]int{
		"http://localhost": 200, "https://localhost:8443": 200, "http://127.0.0.1:3000": 200, "http://0.0.0.0": 200,
		"app://x": 200, "file://": 200, "tauri://localhost": 200, "vscode-webview://abc": 200,
		"null": 403, "https://example.com": 403, "http://192.168.1.5:3000": 403, "http://localhost.evil.com": 403, "http://[::1]:3000": 403,
		"chrome-extension://abc": 403, "moz-extension://abc": 403, "wails://wails": 403,
	} {
		res := p.send(t.Context(), t, "GET", "/api/tags", nil, "Origin", origin)
		checkDoor(t, "Origin "+origin, res, want)
		allowed := res.Header.Get("Access-Control-Allow-Origin")
		if want == 200 && allowed != origin || want == 403 && allowed != "" {
			t.Errorf("Origin %s: Access-Control-Allow-Origin %q", origin, allowed)
		}
	}
}

func TestOwnOriginPassesWithoutHeaders(t *testing.T) {
	p := open(t, Options{})
	res := p.send(t.Context(), t, "GET", "/api/tags", nil, "Origin", p.url)
	if res.StatusCode != 200 || res.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%s %v", res.Status, res.Header)
	}
}

func checkDoor(t *testing.T, what string, res *http.Response, want int) {
	t.Helper()
	b, _ := io.ReadAll(res.Body)
	if res.StatusCode != want {
		t.Errorf("%s: %d, want %d", what, res.StatusCode, want)
	}
	if want == 403 && (len(b) > 0 || res.Header.Get("Content-Type") != "") {
		t.Errorf("%s: the refusal says %q", what, b)
	}
}

func TestPreflight(t *testing.T) {
	p := open(t, Options{})
	for _, c := range []struct {
		name   string
		header []string
		want   int
	}{
		{"from an origin it knows", []string{"Origin", "http://localhost:3"}, 204},
		{"from another", []string{"Origin", "http://example.com"}, 403},
		{"without an origin, to an address", nil, 405},
		{"without an origin, to a name", []string{"Host", "localhost"}, 204},
	} {
		res := p.send(t.Context(), t, "OPTIONS", "/api/chat", nil, c.header...)
		if res.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", c.name, res.StatusCode, c.want)
		}
	}
}
