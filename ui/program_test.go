//go:build !lite

package ui

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"paddock/keystore"
	"paddock/policy"
	"paddock/requestlog"
	"paddock/safety"
	"paddock/settings"
	"paddock/share"
	"paddock/ui/kit"
	"paddock/ui/theme"
	"paddock/ui/tray"
)

// rig is the whole program but for Fyne's loop and the desktop: a test is the
// thread of the windows, and runs what was handed to it in pump.
type rig struct {
	*program
	s     *stage // for looking at the main window
	keys  *keystore.Store
	found *finder
	quits int
	notes []*fyne.Notification
	kind  tray.HostKind

	mu    sync.Mutex
	queue []func()
}

// finder finds for the safety check what a test says.
type finder struct {
	mu    sync.Mutex
	found safety.Found
}

func (f *finder) Find(context.Context, safety.Ask) safety.Found {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.found
}

func newRig(t *testing.T) *rig {
	t.Helper()
	home := t.TempDir()
	choices, err := settings.Open(home)
	if err != nil {
		t.Fatal(err)
	}
	if err := choices.Set(settings.ShareDiscovery, "false"); err != nil { // nobody else is to hear of a test
		t.Fatal(err)
	}
	r := &rig{found: &finder{}}
	r.keys, err = keystore.Open(home, keystore.NewMemoryVault(), keystore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	sh := share.New(share.Options{
		Version: "test", Home: home, Finder: r.found, Settings: choices, Keys: r.keys, Log: requestlog.New(100),
		Flags:  share.Flags{Ollama: "http://127.0.0.1:1"}, // nobody answers there
		Listen: func(context.Context, string) (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") },
	})
	sh.Run()
	app := test.NewTempApp(t)
	r.program = newProgram(t.Context(), app, sh, func(f func()) {
		r.mu.Lock()
		r.queue = append(r.queue, f)
		r.mu.Unlock()
	})
	r.host = func(context.Context) tray.HostKind { return r.kind }
	r.quit = func() { r.quits++ }
	r.notify = func(n *fyne.Notification) { r.notes = append(r.notes, n) }
	r.follow()
	r.s = &stage{t: t, win: r.main, board: r.board, size: usual}
	r.main.Show()
	t.Cleanup(func() {
		r.end()
		r.settle()
		end, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		sh.Close(end)
		if err := r.keys.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// pump runs what was handed to Fyne's thread until something is so.
func (r *rig) pump(what string, so func() bool) {
	r.s.t.Helper()
	limit := time.Now().Add(10 * time.Second)
	for !so() {
		if time.Now().After(limit) {
			r.s.t.Fatalf("%s did not happen; the window says:\n%s", what, r.s.text())
		}
		r.mu.Lock()
		queue := r.queue
		r.queue = nil
		r.mu.Unlock()
		for _, f := range queue {
			f()
		}
		if len(queue) == 0 {
			time.Sleep(time.Millisecond)
		}
	}
}

func (r *rig) pumpUntil(words string) {
	r.s.t.Helper()
	r.pump("the words "+words, func() bool { return strings.Contains(r.s.text(), words) })
}

func TestFromTheFirstKeyToTheFirstRequest(t *testing.T) {
	r := newRig(t)
	r.pumpUntil("No keys yet, so nobody can use it.")
	r.s.press("Make the first key")
	r.s.typed("alice")
	r.s.hit(fyne.KeyReturn)
	r.pumpUntil("The key for alice is ready")
	r.s.says("In memory only: the key ends with the program.", "You are not sharing now")
	r.s.press("Start sharing")
	r.pumpUntil("Waiting for the first request from alice…")
	// The tray's way: the button's own word changes back by a timer, which the
	// test driver would run beside this test. TestNewKeyByKeyboardAlone has it.
	r.act(tray.Item{Action: tray.CopyKey, Arg: "alice"})
	r.pump("the copy", func() bool { return r.app.Clipboard().Content() != "" })
	key := r.app.Clipboard().Content()
	if who := r.keys.Authenticate(key); who.Name != "alice" {
		t.Fatalf("the clipboard's key opens the gate for %q", who.Name)
	}
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/tags", nil)
	req.Host, req.TLS = "127.0.0.1", &tls.ConnectionState{Version: tls.VersionTLS13}
	req.Header.Set("Authorization", "Bearer "+key)
	r.sh.Gate().ServeHTTP(httptest.NewRecorder(), req)
	r.pumpUntil("The first request from alice arrived at")
	r.s.press("Done")
	test.Tap(get[*kit.NavItem](r.s, "Share"))
	r.pump("the request in the strip", func() bool { return strings.Contains(r.s.text(), "List models\n") })
	r.s.says("Sharing", "alice")

	test.Tap(get[*kit.NavItem](r.s, "Keys"))
	r.s.selectKey("alice")
	r.s.press("Remove…")
	r.s.press("Remove the key")
	r.pumpUntil("No keys yet")
	if r.keys.Authenticate(key).Known {
		t.Error("the removed key still opens the gate")
	}
	test.Tap(get[*kit.NavItem](r.s, "Share"))
	test.Tap(get[*kit.Switch](r.s, "Share Ollama"))
	r.pump("the end of sharing", func() bool { return !get[*kit.Switch](r.s, "Share Ollama").On() })
}

func TestTheLookFollowsTheSetting(t *testing.T) {
	r := newRig(t)
	mode := func() theme.Mode { return r.app.Settings().Theme().(*theme.Theme).Mode() }
	if mode() != theme.Auto {
		t.Fatal("the look is not the system's at first")
	}
	if err := r.sh.Settings().Set(settings.UITheme, settings.ThemeDark); err != nil {
		t.Fatal(err)
	}
	r.pump("the dark look", func() bool { return mode() == theme.Dark })
}

func TestClosingGoesToTheTrayAndSaysSoOnce(t *testing.T) {
	r := newRig(t)
	r.kind = tray.Native
	r.sh.Start()
	r.pumpUntil("Sharing")
	for range 2 {
		r.closed()
		r.pump("the answer", func() bool { return !r.asking })
		r.main.Show()
	}
	if r.quits != 0 || len(r.notes) != 1 || !strings.Contains(r.notes[0].Content, "goes on sharing in the tray") {
		t.Errorf("%d ends, notes %v", r.quits, r.notes)
	}
}

// Where there is no tray a hidden window could never be found again.
func TestClosingWithoutATrayEndsIt(t *testing.T) {
	r := newRig(t)
	r.kind = tray.XEmbed // Fyne's icon does not show there
	r.closed()
	r.pump("the end", func() bool { return r.quits == 1 })
	if r.ctx.Err() == nil {
		t.Error("the program's context goes on")
	}
}

func TestQuittingSaysWhatBecomesOfRequests(t *testing.T) {
	for want, st := range map[string]share.State{
		"ends sharing.": {},
		"ends sharing. One request that runs has five seconds to finish.":                                          {Running: 1},
		"ends sharing. One request that waits is refused at once.":                                                 {Waiting: 1},
		"ends sharing. 2 requests that run have five seconds to finish. 3 requests that wait are refused at once.": {Running: 2, Waiting: 3},
	} {
		if got := quitWords(st); !strings.HasSuffix(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestClosingWithoutATrayAsksWhileSharing(t *testing.T) {
	r := newRig(t)
	r.sh.Start()
	r.pump("sharing", func() bool { return r.sh.State().Phase == share.Sharing })
	over := func(name string) *kit.Button {
		var found *kit.Button
		for _, o := range r.main.Canvas().Overlays().List() {
			visit(o, fyne.Position{}, rect{}, func(o fyne.CanvasObject, _, _ rect) {
				if b, ok := o.(*kit.Button); ok && b.AccessibilityLabel() == name {
					found = b
				}
			})
		}
		return found
	}
	r.closed()
	r.pump("the question", func() bool { return over("Quit") != nil })
	if r.quits != 0 {
		t.Fatal("it ended without an answer")
	}
	if r.main.Canvas().Focused() != fyne.Focusable(over("Go on sharing")) {
		t.Error("the keyboard is not on the answer that changes nothing")
	}
	test.Tap(over("Go on sharing"))
	if over("Quit") != nil || r.quits != 0 {
		t.Fatal("the question stays, or it ended")
	}
	r.closed()
	r.pump("the question", func() bool { return over("Quit") != nil })
	test.Tap(over("Quit"))
	if r.quits != 1 {
		t.Error("it goes on")
	}
}

func TestTheTrayIsObeyed(t *testing.T) {
	r := newRig(t)
	r.pumpUntil("No keys yet")
	r.act(tray.Item{Action: tray.CopyAddress, Arg: "http://anna.local:11435"})
	if got := r.app.Clipboard().Content(); got != "http://anna.local:11435" {
		t.Errorf("the clipboard holds %q", got)
	}
	r.act(tray.Item{Action: tray.NewKey})
	r.s.says("Who gets the new key?")
	if _, _, err := r.keys.Add(t.Context(), "ben", policy.Grant{}); err != nil {
		t.Fatal(err)
	}
	r.pump("the key", func() bool { return len(r.last.state.Keys.List) == 1 })
	r.act(tray.Item{Action: tray.CopyKey, Arg: "ben"})
	r.pump("the copy", func() bool { return r.keys.Authenticate(r.app.Clipboard().Content()).Name == "ben" })
	preset := func() bool { return r.sh.State().Websites.Presets[0].Allowed }
	r.act(tray.Item{Action: tray.Allow, Arg: "local"})
	r.pump("the preset on", preset)
	r.act(tray.Item{Action: tray.Block, Arg: "local"})
	r.pump("the preset off", func() bool { return !preset() })
	r.act(tray.Item{Action: tray.Websites})
	r.s.says("Programs are not affected")
	r.act(tray.Item{Action: tray.Start})
	r.pump("sharing", func() bool { return r.sh.State().Phase == share.Sharing })
	r.act(tray.Item{Action: tray.Stop})
	r.pump("the end of sharing", func() bool { return r.sh.State().Phase == share.Off })
	r.act(tray.Item{Action: tray.OpenLog})
	if r.log == nil {
		t.Error("there is no request log")
	}
	log := r.log
	r.act(tray.Item{Action: tray.OpenLog})
	if r.log != log {
		t.Error("there are two request logs")
	}
	r.act(tray.Item{Action: tray.UseOllama})
	r.act(tray.Item{Action: tray.Quit})
	if r.quits != 1 || r.app.Clipboard().Content() != "" {
		t.Errorf("%d ends; the clipboard holds %q", r.quits, r.app.Clipboard().Content())
	}
	r.act(tray.Item{Action: tray.Quit})
	if r.quits != 1 {
		t.Error("it ended twice")
	}
}

func TestOtherProcessesUseTheScreen(t *testing.T) {
	r := newRig(t)
	var c share.Screen = r.program
	c.Show("new-key")
	r.pumpUntil("Who gets the new key?")
	c.Show("safety")
	r.pumpUntil("Facts that could let people walk around the gate")
	c.Show("settings")
	r.pumpUntil("A change is in force as soon as it is made.")
	c.Show("open-log")
	r.pump("the request log", func() bool { return r.log != nil })
	c.Clip("an address")
	r.pump("the text", func() bool { return r.app.Clipboard().Content() == "an address" })
	c.ClipSecret(keystore.NewSecret("pdk_x"))
	r.pump("the key", func() bool { return r.app.Clipboard().Content() == "pdk_x" })
	c.Quit()
	r.pump("the end", func() bool { return r.quits == 1 })
	if got := r.app.Clipboard().Content(); got != "" {
		t.Errorf("the clipboard still holds %q", got)
	}
}

func TestFailuresInTheBackgroundAreShown(t *testing.T) {
	r := newRig(t)
	r.background("It could not be done", func(context.Context) error { return errors.New("the moon is in the way") })
	r.pump("the question", func() bool { return len(r.main.Canvas().Overlays().List()) == 1 })
}

func TestSizesAreRemembered(t *testing.T) {
	p := test.NewTempApp(t).Preferences()
	if got := recall(p, prefMain, usual); got != usual {
		t.Errorf("at first the size is %v", got)
	}
	remember(p, prefMain, fyne.NewSize(1300, 800))
	if got := recall(p, prefMain, usual); got != fyne.NewSize(1300, 800) {
		t.Errorf("the size was remembered as %v", got)
	}
	remember(p, prefMain, fyne.NewSize(10, 10))
	if got := recall(p, prefMain, usual); got != fyne.NewSize(1300, 800) {
		t.Errorf("a size that is of no use was remembered: %v", got)
	}
	p.SetFloatList(prefMain, []float64{1e9, 5})
	if got := recall(p, prefMain, usual); got != usual {
		t.Errorf("a damaged size counts: %v", got)
	}
}
