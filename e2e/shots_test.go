//go:build linux && e2e

package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"image"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"paddock/e2e/program"
	"paddock/internal/standin"
	"paddock/internal/testdesk"
)

// The pictures are of the real program on a network of its own: a laptop called
// anna-laptop at 192.168.1.24, with teammates behind a wire. So they look like
// what an owner sees, and show nothing of the machine that made them.
const onOwnNetwork = `#!/bin/sh
exec unshare --net --uts sh -ec '
hostname anna-laptop
ip link set lo up
ip link add lan0 type veth peer name lan1
ip addr add 192.168.1.24/24 dev lan0
unshare --net sh -ec "
	: >$SHOTS_WORK/apart
	read go <$SHOTS_WORK/go
	for a in 31 9 40 52; do ip addr add 192.168.1.\$a/24 dev lan1; done
	ip link set lan1 up
	exec $SHOTS_HELPER -test.run ^TestShotsTeam\$ -test.timeout 20m
" >$SHOTS_WORK/team.log 2>&1 &
team=$!
until [ -e $SHOTS_WORK/apart ]; do kill -0 $team; done
ip link set lan1 netns $team
echo >$SHOTS_WORK/go
ip link set lan0 up
$SHOTS_HELPER -test.run ^TestShotsOllama\$ -test.timeout 20m >$SHOTS_WORK/ollama.log 2>&1 &
ollama=$!
code=0
"$SHOTS_PADDOCK" "$@" || code=$?
kill $team $ollama || :
exit $code
' sh "$@"
`

// TestShots takes a picture of every window, light and dark, into PADDOCK_SHOTS;
// without it, into a folder of the test's own, so that CI sees them drawn too.
func TestShots(t *testing.T) {
	dir := os.Getenv("PADDOCK_SHOTS")
	if dir == "" {
		dir = t.TempDir()
	}
	for _, theme := range []string{"light", "dark"} {
		t.Run(theme, func(t *testing.T) { shots(t, dir, theme) })
	}
}

func shots(t *testing.T, dir, theme string) {
	d := testdesk.New(t, testdesk.WithOpenbox(), testdesk.WithScreen("1400x900"))
	d.StartKeyring(t)
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	real := program.New(t, program.Full, d)
	wrapper := filepath.Join(work, "paddock")
	if err := os.WriteFile(wrapper, []byte(onOwnNetwork), 0o700); err != nil {
		t.Fatal(err)
	}
	p := program.At(t, wrapper, d)
	p.Home = real.Home
	pipe := filepath.Join(work, "orders")
	for _, name := range []string{pipe, filepath.Join(work, "go")} {
		if err := syscall.Mkfifo(name, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.Set("SHOTS_HELPER="+own, "SHOTS_WORK="+work, "SHOTS_PADDOCK="+real.Bin, "SHOTS_CA="+filepath.Join(real.Home, "ca.pem"), "SHOTS_ORDERS="+pipe)

	real.Must("settings", "set", "ui.theme", theme)
	real.Must("settings", "set", "share.listen", ":11435")
	real.Must("settings", "set", "share.ollama", "http://127.0.0.1:11434")
	real.Must("settings", "set", "limits.running-at-once", "2")
	real.Must("origins", "allow", "vscode")
	real.Must("origins", "allow", "https://notes.example.org")
	var keys []string
	for _, args := range [][]string{
		{"keys", "add", "alice", "--role", "manager", "--cloud"},
		{"keys", "add", "ben", "--model", "llama3.2:3b", "--model", "qwen3*", "--rate", "60/min", "--concurrent", "2"},
		{"keys", "add", "n8n on the NAS", "--expires", "none", "--model", "nomic-embed-text", "--tokens-per-day", "80000"},
		{"keys", "add", "carol's laptop"},
	} {
		keys = append(keys, strings.TrimSpace(real.Must(args...)))
	}
	real.Must("keys", "suspend", "carol's laptop")

	app := p.Start()
	tray := d.Tray()
	main := d.Window("Paddock")
	take := func(w *testdesk.Window, name string) {
		t.Helper()
		w.Focus()
		settled(t, w)
		file := filepath.Join(dir, name+"-"+theme+".png")
		w.Screenshot(file)
		if plain(t, file) {
			t.Errorf("%s is of one colour", file)
		}
	}
	take(main, "share-off")
	tray.Click("Start sharing")
	testdesk.Wait(t, "sharing", 15*time.Second, func() bool { return status(t, real).Phase == "sharing" })

	// Who is told the keys gives the orders, and holds the last request open.
	orders, err := os.OpenFile(pipe, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer orders.Close()
	fmt.Fprintln(orders, strings.Join(keys, " "))
	testdesk.Wait(t, "two requests that run", 30*time.Second, func() bool { return status(t, real).Running == 2 })
	if err := os.WriteFile(filepath.Join(work, "both-run"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	testdesk.Wait(t, "the teammates' requests", 30*time.Second, func() bool {
		st := status(t, real)
		return st.Totals.Requests >= finished && st.Running == 2 && st.Waiting == 1
	})

	take(main, "share")
	tray.Click("Request log…")
	log := d.Window("Request log")
	take(log, "log")
	log.Resize(900, 600)
	take(log, "log-narrow")
	log.Close()
	d.NoWindow("Request log")
	main.Resize(900, 600)
	take(main, "share-narrow")
	main.Resize(1100, 720)
	main.Click(100, 116) // Keys, in the sidebar
	main.Click(420, 205) // ben's row
	take(main, "keys")
	main.Click(581, 285) // Edit…
	take(main, "key-edit")
	main.Resize(900, 600)
	main.Click(100, 154) // Websites, in the sidebar
	take(main, "websites-narrow")
	main.Resize(1100, 720)
	take(main, "websites")
	main.Click(100, 230) // Settings
	take(main, "settings")
	main.Click(100, 192) // Safety
	take(main, "safety-quiet")
	// Ollama opens itself to the network, and the check finds out.
	if err := os.WriteFile(filepath.Join(work, "open"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	testdesk.Wait(t, "the check to find the open Ollama", 30*time.Second, func() bool {
		_, _, _ = real.Run("check") // which is asked of the instance, and takes effect there
		return status(t, real).Safety.Problems == 1
	})
	main.Click(100, 154)
	main.Click(100, 192) // the rows are put in order when the room is entered
	take(main, "safety")
	main.Resize(900, 600)
	take(main, "safety-narrow")
	main.Resize(1100, 720)
	main.Move(1080, 12) // off everything that answers to the pointer
	tray.Click("New key…")
	take(main, "new-key")
	main.Type("dora")
	main.Key("Return")
	testdesk.Wait(t, "the new key", 10*time.Second, func() bool { return len(status(t, real).Keys.List) == 5 })
	take(main, "key-ready")
	tray.Click("Quit Paddock")
	if code := app.Wait(20 * time.Second); code != 0 {
		t.Errorf("exit code %d", code)
	}
	for _, name := range []string{"team.log", "ollama.log"} {
		if b, err := os.ReadFile(filepath.Join(work, name)); err != nil || bytes.Contains(b, []byte("FAIL")) {
			t.Errorf("%s: %s, %v", name, b, err)
		}
	}
}

// finished is how many requests of the teammates come to an end.
const finished = 17

// settled waits until two pictures in a row are the same, or a second has gone:
// what runs keeps counting.
func settled(t *testing.T, w *testdesk.Window) {
	t.Helper()
	var last image.Image
	end := time.Now().Add(1500 * time.Millisecond)
	for time.Now().Before(end) {
		now := w.Picture()
		if last != nil && same(last, now) && time.Until(end) < time.Second {
			return
		}
		last = now
		time.Sleep(100 * time.Millisecond)
	}
}

func same(a, b image.Image) bool {
	if a.Bounds() != b.Bounds() {
		return false
	}
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y += 2 {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x += 2 {
			if a.At(x, y) != b.At(x, y) {
				return false
			}
		}
	}
	return true
}

// plain says whether a picture shows nothing.
func plain(t *testing.T, file string) bool {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, _, err := image.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y += 3 {
		for x := b.Min.X; x < b.Max.X; x += 3 {
			if img.At(x, y) != img.At(b.Min.X, b.Min.Y) {
				return false
			}
		}
	}
	return true
}

// TestShotsOllama runs inside the pictures' network: an Ollama with well-known
// models. It is started by TestShots alone.
func TestShotsOllama(t *testing.T) {
	if os.Getenv("SHOTS_ORDERS") == "" {
		return // not asked for: TestShots starts it again with orders
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	server := &http.Server{Addr: "127.0.0.1:11434", ReadHeaderTimeout: time.Minute, Handler: standin.New(standin.Options{
		Models:     []string{"qwen3:8b", "llama3.2:3b", "nomic-embed-text:latest"},
		TokenDelay: 25 * time.Millisecond, FirstToken: 300 * time.Millisecond, Loop: true,
	})}
	context.AfterFunc(ctx, func() { server.Close() })
	go func() { // later on the network too, as with OLLAMA_HOST=0.0.0.0
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(100 * time.Millisecond):
			}
			if _, err := os.Stat(filepath.Join(os.Getenv("SHOTS_WORK"), "open")); err == nil {
				break
			}
		}
		if l, err := net.Listen("tcp", "192.168.1.24:11434"); err == nil {
			_ = server.Serve(l)
		}
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
}

// TestShotsTeam runs behind the wire of the pictures' network: the teammates.
// It is started by TestShots alone.
func TestShotsTeam(t *testing.T) {
	pipe := os.Getenv("SHOTS_ORDERS")
	if pipe == "" {
		return // not asked for: TestShots starts it again with orders
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	f, err := os.Open(pipe)
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(f).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	keys := strings.Fields(line)
	alice, ben, n8n, carol := keys[0], keys[1], keys[2], keys[3]
	chat := func(model string, tokens int) string {
		return fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":"How does a gate keep a meadow safe?"}],"options":{"num_predict":%d},"max_tokens":%d,"stream":true}`, model, tokens, max(tokens, 1))
	}
	embed := `{"model":"nomic-embed-text","input":["a meadow","a gate"]}`
	const (
		continues = "Continue/1.3.4"
		webUI     = "Python/3.13 aiohttp/3.12"
		flow      = "n8n/1.110.1"
		shell     = "curl/8.15.0"
		browser   = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
	)
	requests := []struct{ from, agent, key, method, path, body, origin string }{
		{"40", browser, carol, "POST", "/api/chat", chat("llama3.2:3b", 45), ""},
		{"40", browser, ben, "POST", "/api/chat", chat("llama3.2:3b", 45), "https://chat.example.com"},
		{"31", browser, alice, "POST", "/api/chat", chat("qwen3:8b", 45), "app://obsidian.md"},
		{"40", browser, ben, "POST", "/api/chat", chat("llama3.2:3b", 45), "https://chat.example.com"},
		{"52", "python-requests/2.32", "", "GET", "/api/tags", "", ""},
		{"31", continues, alice, "GET", "/api/tags", "", ""},
		{"31", continues, alice, "POST", "/api/chat", chat("qwen3:8b", 45), ""},
		{"9", flow, n8n, "POST", "/api/embed", embed, ""},
		{"9", flow, n8n, "POST", "/api/embed", embed, ""},
		{"40", "OpenAI/JS 6.49.0", ben, "POST", "/v1/chat/completions", chat("llama3.2:3b", 71), ""},
		{"40", "ollama/0.17.4 (amd64 linux) Go/go1.26", ben, "POST", "/api/pull", `{"model":"llama3.2:70b"}`, ""},
		{"40", shell, ben, "POST", "/api/chat", chat("gpt-oss:120b-cloud", 45), ""},
		{"31", shell, alice, "POST", "/api/chat", chat("mistral:7b", 45), ""},
		{"40", webUI, ben, "POST", "/api/chat", chat("llama3.2:3b", 41), ""},
		{"9", flow, n8n, "POST", "/api/embed", embed, ""},
		{"31", continues, alice, "POST", "/api/chat", chat("qwen3:8b", 60), ""},
		{"9", flow, n8n, "POST", "/api/embed", embed, ""},
	}
	if len(requests) != finished {
		t.Errorf("%d requests end, and %d are waited for", len(requests), finished)
	}
	for _, r := range requests {
		send(ctx, t, r.from, r.agent, r.key, r.method, r.path, r.body, r.origin)
	}
	// Two that go on until the pictures are taken, and one that waits for them.
	var running sync.WaitGroup
	running.Go(func() { send(ctx, t, "31", continues, alice, "POST", "/api/chat", chat("qwen3:8b", -1), "") })
	running.Go(func() { send(ctx, t, "40", webUI, ben, "POST", "/api/chat", chat("llama3.2:3b", -1), "") })
	testdesk.Wait(t, "the word that both run", 30*time.Second, func() bool {
		_, err := os.Stat(filepath.Join(os.Getenv("SHOTS_WORK"), "both-run"))
		return err == nil
	})
	running.Go(func() { send(ctx, t, "9", flow, n8n, "POST", "/api/embed", embed, "") })
	running.Wait()
}

func send(ctx context.Context, t *testing.T, from, agent, key, method, path, body, origin string) {
	pem, err := os.ReadFile(os.Getenv("SHOTS_CA"))
	roots := x509.NewCertPool()
	if err != nil || !roots.AppendCertsFromPEM(pem) {
		t.Errorf("ca.pem: %v", err)
		return
	}
	req, err := http.NewRequestWithContext(ctx, method, "https://192.168.1.24:11435"+path, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return
	}
	req.Header.Set("User-Agent", agent)
	if origin != "" {
		req.Header.Set("Origin", origin)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	local := net.TCPAddrFromAddrPort(netip.MustParseAddrPort("192.168.1." + from + ":0"))
	client := &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{LocalAddr: local}).DialContext, DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots}}}
	res, err := client.Do(req)
	if err != nil {
		return // cut when the pictures are done
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
}
