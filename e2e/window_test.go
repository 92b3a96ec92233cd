//go:build linux && e2e

package e2e_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"paddock/e2e/ollama"
	"paddock/e2e/program"
	"paddock/internal/fakess"
	"paddock/internal/testdesk"
	"paddock/requestlog"
	"paddock/share"
)

// status asks the running instance as a script would.
func status(t *testing.T, p *program.Program) share.State {
	t.Helper()
	var st share.State
	if err := json.Unmarshal([]byte(p.Must("status", "--json")), &st); err != nil {
		t.Fatalf("paddock status --json: %v", err)
	}
	return st
}

// shares waits until the instance listens and returns its address.
func shares(t *testing.T, p *program.Program) string {
	t.Helper()
	var st share.State
	testdesk.Wait(t, "sharing", 15*time.Second, func() bool {
		st = status(t, p)
		return st.Phase == share.Sharing && st.Ollama.Health == share.Answers && st.Address() != ""
	})
	trust(t, st.Address(), p.Home)
	return st.Address()
}

// keysIn are the keys in a keychain, without the private key of the authority.
func keysIn(k *testdesk.Keyring) []testdesk.Secret {
	return slices.DeleteFunc(k.Secrets("paddock"), func(s testdesk.Secret) bool { return !strings.HasPrefix(s.Value, "pdk_") })
}

// TestAKeysWholeLifeFromTheTray is the owner's day: tray, key, gate, live log.
// Nothing is a stand-in: keychain, tray, window, Ollama.
func TestAKeysWholeLifeFromTheTray(t *testing.T) {
	d := testdesk.New(t, testdesk.WithOpenbox())
	keyring := d.StartKeyring(t)
	server := ollama.Start(t)
	p := program.New(t, program.Full, d)
	p.Must("settings", "set", "share.listen", "127.0.0.1:0")
	p.Must("settings", "set", "share.ollama", server.URL)

	began := time.Now()
	app := p.Start()
	tray := d.Tray()
	t.Logf("start to tray icon: %v", time.Since(began).Round(time.Millisecond))
	main := d.Window("Paddock")
	tray.Entry(nil, "○ Not sharing")
	t.Logf("resident memory with an idle window: %d MiB", app.Memory()>>20)

	tray.Click("Start sharing")
	url := shares(t, p)
	tray.Entry(nil, "Stop sharing")
	if code, _ := (gate{t, url, ""}).do("GET", "/", ""); code != 401 {
		t.Errorf("GET / without a key: %d", code)
	}

	tray.Click("New key…")
	typed(t, d, main, "alice", func() bool { return len(keysIn(keyring)) == 1 })
	key := keysIn(keyring)[0].Value
	// The page that shows the key has the focus on "Copy key".
	testdesk.Wait(t, "the key on the clipboard", 10*time.Second, func() bool {
		main.Key("Return")
		text, _ := d.Clipboard()
		return text == key
	})

	tray.Click("Request log…")
	log := d.Window("Request log")
	alice := gate{t, url, key}
	chat := alice.chat(ollama.Tiny)
	if first := chat.token(); !strings.Contains(first, `"content"`) {
		t.Errorf("first piece: %s", first)
	}
	if pieces, err := chat.end(time.Minute); err != nil || pieces+1 < ollama.TinyTokens {
		t.Errorf("chat: %d pieces, %v", pieces+1, err)
	}
	e := entry(t, p, "the chat", func(e requestlog.Entry) bool { return e.Action == "Chat" && e.Phase == requestlog.Done })
	if e.Key != "alice" || e.TokensOut != ollama.TinyTokens || e.Model != ollama.Tiny {
		t.Errorf("the entry: %+v", e)
	}
	// What the window's list holds: copy its newest row. The pointer must not
	// rest on the list, which would hold it still.
	d.SetClipboard("")
	log.Focus()
	log.Move(640, 20)
	testdesk.Wait(t, "the newest row of the log window", 15*time.Second, func() bool {
		log.Key("Escape", "Home", "Down", "ctrl+c")
		text, _ := d.Clipboard()
		return strings.Contains(text, "alice") && strings.Contains(text, "Chat") && strings.Contains(text, "tiny") && strings.Contains(text, "Done")
	})

	running := alice.chat(ollama.Loop)
	for range 5 {
		running.token()
	}
	tray.Entry(func(e testdesk.Entry) bool { return strings.Contains(e.Label, "1 running") }, "● Sharing · 1 teammate · 1 running")
	p.Must("keys", "suspend", "alice")
	if code, _ := alice.do("GET", "/api/tags", ""); code != 401 {
		t.Errorf("a suspended key: %d, want 401 at once", code)
	}
	if _, err := running.end(5 * time.Second); err == nil {
		t.Error("the running stream of a suspended key ended as if it were whole")
	}
	p.Must("keys", "resume", "alice")
	if code, _ := alice.do("GET", "/api/tags", ""); code != 200 {
		t.Errorf("a resumed key: %d", code)
	}
	p.Must("keys", "remove", "alice")
	if left := keysIn(keyring); len(left) != 0 {
		t.Errorf("%d items left in the keychain", len(left))
	}

	// A second start brings the first one's window to the front and ends.
	if _, _, code := p.Run(); code != 0 {
		t.Errorf("a second start: exit code %d", code)
	}

	tray.Click("Stop sharing")
	testdesk.Wait(t, "the port to close", 10*time.Second, func() bool { return portClosed(url) })
	tray.Entry(nil, "○ Not sharing")
	tray.Click("Quit Paddock")
	if code := app.Wait(15 * time.Second); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if strings.Contains(app.Stdout()+app.Stderr(), key) {
		t.Error("the key stands in the program's output")
	}
}

// TestAWebsiteIsSwitchedOnOnTheScreen: a page that is turned away, the button
// that lets it in, and the switch that turns it away again, by mouse in the real
// window. The gate's answer is what counts.
func TestAWebsiteIsSwitchedOnOnTheScreen(t *testing.T) {
	d := testdesk.New(t, testdesk.WithOpenbox())
	d.StartKeyring(t)
	server := ollama.Start(t)
	p := program.New(t, program.Full, d)
	p.Must("settings", "set", "share.listen", "127.0.0.1:0")
	p.Must("settings", "set", "share.ollama", server.URL)
	key := strings.TrimSpace(p.Must("keys", "add", "alice"))
	app := p.Start()
	d.Tray().Click("Start sharing")
	url := shares(t, p)
	main := d.Window("Paddock")
	main.Resize(1100, 720)

	const origin = "https://chat.example.com"
	page := func() int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/api/tags", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+key)
		req.Header.Set("Origin", origin)
		res, err := client(url).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if allowed := res.Header.Get("Access-Control-Allow-Origin"); (res.StatusCode == 200) != (allowed == origin) {
			t.Errorf("the answer is %d, and the browser is told %q", res.StatusCode, allowed)
		}
		return res.StatusCode
	}
	if code := page(); code != 403 {
		t.Fatalf("a page that nobody allowed: %d", code)
	}
	testdesk.Wait(t, "the refused website in the state", 10*time.Second, func() bool {
		w := status(t, p).Websites
		return len(w.Refused) == 1 && w.Refused[0].Origin == origin
	})
	main.Focus()
	main.Click(100, 154) // Websites, in the sidebar
	click(t, main, 1024, 196, "the website to be allowed", func() bool { return page() == 200 })
	click(t, main, 970, 365, "the website to be refused again", func() bool { return page() == 403 })
	// A preset lets in what nobody named; the list's own no goes before it.
	if list := status(t, p).Websites.List; len(list) != 1 || list[0].Origin != origin || list[0].Allowed {
		t.Errorf("the list is %+v", list)
	}
	if code := app.Stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// click presses a place of the window until that had its effect: the window may
// still be drawing what is to be pressed.
func click(t *testing.T, w *testdesk.Window, x, y int, what string, done func() bool) {
	t.Helper()
	for range 5 {
		w.Click(x, y)
		end := time.Now().Add(2 * time.Second)
		for time.Now().Before(end) {
			if done() {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	t.Fatalf("pressing the place did not bring %s", what)
}

// typed types a name into the field that has the focus and confirms it, as
// often as it takes for the window to be ready for it.
func typed(t *testing.T, d *testdesk.Desk, w *testdesk.Window, text string, done func() bool) {
	t.Helper()
	w.Focus()
	for range 5 {
		w.Key("ctrl+a")
		w.Type(text)
		w.Key("Return")
		end := time.Now().Add(3 * time.Second)
		for time.Now().Before(end) {
			if done() {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	t.Fatalf("typing %q and Return did nothing", text)
}

// TestAClickOnTheIconShares is the first line of the README.
func TestAClickOnTheIconShares(t *testing.T) {
	d := testdesk.New(t, testdesk.WithOpenbox())
	d.StartKeyring(t)
	server := ollama.Start(t)
	p := program.New(t, program.Full, d)
	p.Must("settings", "set", "share.listen", "127.0.0.1:0")
	p.Must("settings", "set", "share.ollama", server.URL)
	p.Must("keys", "add", "alice")
	app := p.Start("--hidden")
	tray := d.Tray()
	tray.Entry(nil, "Start sharing")
	if _, shown := d.FindWindow("Paddock"); shown {
		t.Error("--hidden shows a window")
	}
	if err := tray.Activate(); err != nil {
		t.Fatal(err)
	}
	shares(t, p)
	if err := tray.Activate(); err != nil {
		t.Fatal(err)
	}
	d.Window("Paddock")
	if code := app.Stop(); code != 0 {
		t.Errorf("SIGTERM: exit code %d", code)
	}
}

// TestTheTrayComesLateOrNever: the window is there all the same.
func TestTheTrayComesLateOrNever(t *testing.T) {
	d := testdesk.New(t, testdesk.WithOpenbox(), testdesk.WithoutTray())
	d.StartKeyring(t)
	p := program.New(t, program.Full, d)
	p.Must("settings", "set", "share.listen", "127.0.0.1:0")
	app := p.Start("--hidden")
	d.Window("Paddock") // hidden where no icon could bring it back is gone for good
	d.ServeTray()
	d.Tray().Entry(nil, "Start sharing")
	if code := app.Stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestASignalWithAKeyOnTheClipboard: Fyne ends its loop on SIGTERM by itself,
// and what comes after that to the clipboard panics.
func TestASignalWithAKeyOnTheClipboard(t *testing.T) {
	d := testdesk.New(t, testdesk.WithOpenbox())
	d.StartKeyring(t)
	p := program.New(t, program.Full, d)
	key := strings.TrimSpace(p.Must("keys", "add", "alice"))
	for range 3 {
		app := p.Start()
		d.Tray().Click("Copy key for", "alice")
		d.Until("the key on the clipboard", 10*time.Second, func() bool {
			text, _ := d.Clipboard()
			return text == key
		})
		if code := app.Stop(); code != 0 {
			t.Errorf("exit code %d", code)
		}
		if text, _ := d.Clipboard(); text == key {
			t.Error("the key is still on the clipboard")
		}
		d.NoTray()
	}
}

// TestAnUnansweredKeychainFreezesNothing: a prompt that nobody answers, requests
// that go on, and a clean end while the prompt is still open. go-keyring has no
// time-out and panics when the bus closes under it.
func TestAnUnansweredKeychainFreezesNothing(t *testing.T) {
	d := testdesk.New(t, testdesk.WithOpenbox())
	keychain := fakess.Start(t, d.Address)
	server := ollama.Start(t)
	p := program.New(t, program.Full, d)
	p.Must("settings", "set", "share.listen", "127.0.0.1:0")
	p.Must("settings", "set", "share.ollama", server.URL)
	key := strings.TrimSpace(p.Must("keys", "add", "alice"))
	app := p.Start()
	tray := d.Tray()
	tray.Click("Start sharing")
	url := shares(t, p)

	keychain.Lock()
	keychain.OnUnlock(fakess.Prompt{Outcome: fakess.Ignore})
	tray.Click("Copy key for", "alice")
	d.Until("the keychain's question", 10*time.Second, func() bool { return keychain.PromptOpen() > 0 })

	alice := gate{t, url, key}
	if code, _ := alice.do("GET", "/api/tags", ""); code != 200 {
		t.Errorf("a request while the keychain waits: %d", code)
	}
	tray.Click("Request log…")
	d.Window("Request log")
	tray.Click("Quit Paddock")
	if code := app.Wait(15 * time.Second); code != 0 {
		t.Errorf("quitting while a question is open: exit code %d", code)
	}
}

// TestAKeychainThatRefusesHalfMakesNoKey, whatever way it refuses.
func TestAKeychainThatRefusesHalfMakesNoKey(t *testing.T) {
	bus := testdesk.NewBus(t)
	keychain := fakess.Start(t, bus.Address)
	p := program.New(t, program.Lite, nil)
	p.Set("DBUS_SESSION_BUS_ADDRESS=" + bus.Address)
	for name, set := range map[string]func(){
		"dismissed":    func() { keychain.OnCreate(fakess.Prompt{Outcome: fakess.Dismiss}) },
		"says yes":     func() { keychain.Lose(true) },
		"locked":       func() { keychain.Lock(); keychain.OnUnlock(fakess.Prompt{Outcome: fakess.Dismiss}) },
		"disk is full": func() { keychain.Refuse("disk full") },
	} {
		set()
		out, errs, code := p.Run("--vault", "keychain", "keys", "add", "alice")
		if code != 1 || out != "" || errs == "" {
			t.Errorf("%s: exit code %d, printed %q, said %q", name, code, out, errs)
		}
		t.Logf("%s: %s", name, strings.TrimSpace(errs))
		keychain.OnCreate(fakess.Prompt{})
		keychain.Lose(false)
		keychain.Unlock()
		keychain.Refuse("")
		if out := p.Must("keys", "list", "--json"); strings.TrimSpace(out) != "[]" {
			t.Errorf("%s: a key was half made: %s", name, out)
		}
	}
	if key := p.Must("--vault", "keychain", "keys", "add", "alice"); !strings.HasPrefix(key, "pdk_") {
		t.Errorf("afterwards: %q", key)
	}
}

// TestASignalEndsEverything in the middle of a stream too.
func TestASignalEndsEverything(t *testing.T) {
	server := ollama.Start(t, ollama.WithSlow())
	p := program.New(t, program.Lite, nil)
	p.Set("PADDOCK_VAULT=memory")
	show := p.Start("share", "--listen", "127.0.0.1:0", "--ollama", server.URL)
	url := show.WaitOut(`(https://127\.0\.0\.1:\d+)`)[1]
	trust(t, url, p.Home)
	alice := gate{t, url, strings.TrimSpace(p.Must("keys", "add", "alice"))}
	loop := alice.chat(ollama.Loop)
	loop.token()
	show.Signal(syscall.SIGINT)
	if _, err := loop.end(10 * time.Second); err == nil {
		t.Error("the stream ended as if it were whole")
	}
	if code := show.Wait(15 * time.Second); code != 0 {
		t.Errorf("Ctrl-C: exit code %d", code)
	}
}
