//go:build !lite

package ui

import (
	"context"
	"errors"
	"fmt"
	"image/png"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"

	"paddock/keystore"
	"paddock/policy"
	"paddock/requestlog"
	"paddock/settings"
	"paddock/share"
	"paddock/ui/desk"
	"paddock/ui/keys"
	"paddock/ui/kit"
	"paddock/ui/safety"
	"paddock/ui/theme"
	"paddock/ui/websites"
)

// now is the moment in which all pictures are taken.
var now = time.Date(2026, 11, 24, 14, 32, 20, 0, time.UTC)

// stage is the main window's content without a Share behind it.
type stage struct {
	t      *testing.T
	win    fyne.Window
	board  *board
	keeper *keeper
	asked  []string
	clip   string
	state  share.State
	size   fyne.Size

	choices settings.Settings

	mu    sync.Mutex
	queue []func() // handed to Fyne's thread and not run yet: see settle
}

type look struct {
	name  string
	theme *theme.Theme
	size  fyne.Size
}

var (
	usual = fyne.NewSize(1100, 720)
	light = look{"light", theme.New(theme.Light), usual}
	looks = []look{
		light,
		{"dark", theme.New(theme.Dark), usual},
		{"small", theme.New(theme.Light), least},
		{"large", theme.New(theme.Light).WithTextScale(1.5), usual},
		{"large-small", theme.New(theme.Light).WithTextScale(1.5), least},
	}
)

func newStage(t *testing.T, l look) *stage {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(l.theme)
	s := &stage{t: t, keeper: &keeper{}, size: l.size, choices: settings.Defaults()}
	note := func(what string) func() { return func() { s.asked = append(s.asked, what) } }
	s.win = app.NewWindow("Paddock")
	t.Cleanup(s.win.Close)
	s.win.SetPadded(false)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	s.board = newBoard(asks{
		desk: desk.Asks{
			Start: note("start"), Stop: note("stop"), OpenLog: note("log"), Trouble: vault,
			Demo:   func(on bool) { note(fmt.Sprintf("demo %v", on))() },
			Pause:  func(d time.Duration) { note(fmt.Sprintf("pause %v", d))() },
			Resume: note("resume"), Here: note("here"), Encrypt: note("encrypt"), Settings: note("settings"),
			Listen: func(a string) { note("listen " + a)() },
		},
		keys: keys.Options{
			Context: ctx, Keeper: s.keeper, Start: note("start"), Do: s.do, Say: problem, Trouble: vault,
			Clip: func(k keystore.Secret) { s.clip = k.Reveal() },
			Focus: func(f fyne.Focusable) {
				if f == nil {
					s.win.Canvas().Unfocus()
				} else {
					s.win.Canvas().Focus(f)
				}
			},
			Now: func() time.Time { return now },
		},
		sites: websites.Options{
			Context: ctx, Keeper: s.keeper, Do: s.do, Say: problem, Now: func() time.Time { return now },
			Focus: func(f fyne.Focusable) { s.win.Canvas().Focus(f) },
		},
		safety:  safety.Options{Context: ctx, Keeper: s.keeper, Do: s.do, Say: problem, Panic: note("panic"), Now: func() time.Time { return now }},
		prefs:   s.prefs(ctx),
		undo:    func(func()) { note("undo")() },
		openLog: note("log"),
	})
	s.win.SetContent(s.board.content)
	s.win.Canvas().SetOnTypedKey(s.board.typedKey)
	s.keeper.state = func() share.State { return s.state }
	s.win.Resize(l.size)
	return s
}

func (s *stage) do(f func()) {
	s.mu.Lock()
	s.queue = append(s.queue, f)
	s.mu.Unlock()
}

// answer waits for what is under way, outside of a bubble.
func (s *stage) answer() {
	for {
		s.mu.Lock()
		queue := s.queue
		s.queue = nil
		s.mu.Unlock()
		for _, f := range queue {
			f()
		}
		if len(queue) > 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// show paints a state, as the follower does.
func (s *stage) show(st share.State, recent ...requestlog.Entry) {
	s.state = st
	s.board.show(picture{now, s.choices, st, recent})
}

func (s *stage) save(name string) {
	dir := os.Getenv("PADDOCK_SHOTS")
	if dir == "" {
		return
	}
	s.win.Canvas().(software.WindowlessCanvas).SetScale(2)
	s.win.Resize(s.size.AddWidthHeight(1, 0))
	s.win.Resize(s.size)
	f, err := os.Create(filepath.Join(dir, name+".png"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, s.win.Canvas().Capture()); err != nil {
		s.t.Fatal(err)
	}
}

// visit calls see for every visible object with the place it has in the window
// and the part of the window in which it can be seen.
func visit(o fyne.CanvasObject, at fyne.Position, clip rect, see func(o fyne.CanvasObject, at rect, clip rect)) {
	if !o.Visible() {
		return
	}
	here := rect{at.X + o.Position().X, at.Y + o.Position().Y, o.Size().Width, o.Size().Height}
	see(o, here, clip)
	var children []fyne.CanvasObject
	switch x := o.(type) {
	case *kit.Scroll:
		// What is scrolled away is not lost, as long as it is not too wide.
		visit(x.Content, fyne.NewPos(here.x, here.y), rect{here.x, -1e6, here.w, 2e6}, see)
		return
	case *fyne.Container:
		children = x.Objects
	case fyne.Widget:
		children = test.WidgetRenderer(x).Objects()
	}
	for _, c := range children {
		visit(c, fyne.NewPos(here.x, here.y), clip, see)
	}
}

type rect struct{ x, y, w, h float32 }

// fits fails for everything that is squeezed below its least size or lies
// outside of where it can be seen.
func (s *stage) fits(name string) {
	s.t.Helper()
	s.win.Resize(s.size)
	if m := s.board.content.MinSize(); m.Width > s.size.Width || m.Height > s.size.Height {
		s.t.Errorf("%s: the content needs %v, the window has %v", name, m, s.size)
	}
	visit(s.board.content, fyne.Position{}, rect{0, 0, s.size.Width, s.size.Height}, func(o fyne.CanvasObject, at, clip rect) {
		switch o.(type) {
		case *kit.Text, *kit.Paragraph, *kit.Button, *kit.State, *kit.Switch, *kit.Chip, *kit.CopyRow, *kit.Field, *kit.CodeBlock, *kit.Segments, *kit.Choice, *kit.Banner, *kit.NavItem:
		default:
			return
		}
		m := o.MinSize()
		const slack = 0.6
		if at.w+slack < m.Width || at.h+slack < m.Height {
			s.t.Errorf("%s: %s has %.0fx%.0f and needs %.0fx%.0f", name, called(o), at.w, at.h, m.Width, m.Height)
		}
		if at.x < clip.x-slack || at.y < clip.y-slack || at.x+at.w > clip.x+clip.w+slack || at.y+at.h > clip.y+clip.h+slack {
			s.t.Errorf("%s: %s at %.0f,%.0f %.0fx%.0f is outside of %v", name, called(o), at.x, at.y, at.w, at.h, clip)
		}
	})
}

func called(o fyne.CanvasObject) string {
	if a, ok := o.(interface{ AccessibilityLabel() string }); ok {
		return fmt.Sprintf("%T %q", o, a.AccessibilityLabel())
	}
	return fmt.Sprintf("%T", o)
}

// find returns the visible control of that name.
func find[T fyne.CanvasObject](s *stage, name string) (found T, ok bool) {
	visit(s.win.Content(), fyne.Position{}, rect{}, func(o fyne.CanvasObject, _, _ rect) {
		if x, is := o.(T); is && !ok {
			if a, can := o.(interface{ AccessibilityLabel() string }); can && a.AccessibilityLabel() == name {
				found, ok = x, true
			}
		}
	})
	return found, ok
}

func get[T fyne.CanvasObject](s *stage, name string) T {
	s.t.Helper()
	x, ok := find[T](s, name)
	if !ok {
		s.t.Fatalf("there is no %T %q on the screen, which says:\n%s", x, name, s.text())
	}
	return x
}

// press taps the button of that name.
func (s *stage) press(name string) {
	s.t.Helper()
	test.Tap(get[*kit.Button](s, name))
}

// text is all that can be read on the screen.
func (s *stage) text() string {
	var b strings.Builder
	visit(s.win.Content(), fyne.Position{}, rect{}, func(o fyne.CanvasObject, _, _ rect) {
		switch x := o.(type) {
		case *kit.Text:
			b.WriteString(x.Text() + "\n")
		case *kit.Paragraph:
			b.WriteString(x.Text() + "\n")
		case *kit.State:
			b.WriteString(x.AccessibilityLabel() + "\n")
		case *kit.Button:
			b.WriteString("[" + x.AccessibilityLabel() + "]\n")
		case *kit.Field:
			b.WriteString("{" + x.Text() + "} " + x.Problem() + "\n")
		}
	})
	return b.String()
}

func (s *stage) says(words ...string) {
	s.t.Helper()
	for _, w := range words {
		if !strings.Contains(s.text(), w) {
			s.t.Errorf("%q is not on the screen, which says:\n%s", w, s.text())
		}
	}
}

func (s *stage) silent(words ...string) {
	s.t.Helper()
	for _, w := range words {
		if strings.Contains(s.text(), w) {
			s.t.Errorf("%q is on the screen:\n%s", w, s.text())
		}
	}
}

// keeper is a keystore that does what a test says.
type keeper struct {
	mu       sync.Mutex
	calls    []string
	err      error
	edited   policy.Grant
	keys     map[string]keystore.Key // those that are not what the state says
	state    func() share.State
	hang     bool          // calls wait for the end of their context
	stubborn chan struct{} // calls wait for this, whatever the context says
	atLogin  bool
	loginErr error
}

func (k *keeper) note(call string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls = append(k.calls, call)
	return k.err
}

func (k *keeper) wait(ctx context.Context, call string) error {
	err := k.note(call)
	switch {
	case k.stubborn != nil:
		<-k.stubborn
	case k.hang:
		<-ctx.Done()
		return fmt.Errorf("asking: %w", errors.Join(keystore.ErrTimeout, context.Cause(ctx)))
	}
	return err
}

func (k *keeper) AddKey(ctx context.Context, name string, g policy.Grant) (keystore.Key, keystore.Secret, error) {
	if err := k.wait(ctx, "add "+name); err != nil {
		return keystore.Key{}, keystore.Secret{}, err
	}
	s := keystore.NewSecret("pdk_Vx9TqLm2RsE7hWc4KbYz0NfPaJ8dGuSAMPLE")
	return keystore.Key{ID: name + "-1", Name: name, Hint: keystore.HintOf(s), Grant: g, Made: now, Vault: keystore.VaultKeychain}, s, nil
}

func (k *keeper) CopyKey(ctx context.Context, name string) (keystore.Secret, error) {
	if err := k.wait(ctx, "copy "+name); err != nil {
		return keystore.Secret{}, err
	}
	return keystore.NewSecret("pdk_of_" + name), nil
}

func (k *keeper) RemoveKey(ctx context.Context, name string) error {
	return k.wait(ctx, "remove "+name)
}

func (k *keeper) RotateKey(ctx context.Context, name string, grace time.Duration) (keystore.Key, keystore.Secret, error) {
	if err := k.wait(ctx, fmt.Sprintf("rotate %s %v", name, grace)); err != nil {
		return keystore.Key{}, keystore.Secret{}, err
	}
	s := keystore.NewSecret("pdk_Rt2TqLm2RsE7hWc4KbYz0NfPaJ8dGuSAMPLE")
	fresh := key(1, name, func(k *keystore.Key) { k.Hint = keystore.HintOf(s) })
	if grace > 0 {
		fresh.OldUntil = now.Add(grace)
	}
	return fresh, s, nil
}

func (k *keeper) EditKey(name string, change func(*policy.Grant)) error {
	err := k.note("edit " + name)
	var unsaved *keystore.UnsavedError
	if err == nil || errors.As(err, &unsaved) {
		now, _ := k.Key(name)
		change(&now.Grant)
		k.edited = now.Grant
	}
	return err
}

func (k *keeper) Key(name string) (keystore.Key, bool) {
	if now, there := k.keys[name]; there {
		return now, now.ID != ""
	}
	list := k.state().Keys.List
	if i := slices.IndexFunc(list, func(k keystore.Key) bool { return k.Name == name }); i >= 0 {
		return list[i], true
	}
	return keystore.Key{}, false
}

func (k *keeper) AllowOrigin(origin string) error  { return k.note("allow " + origin) }
func (k *keeper) BlockOrigin(origin string) error  { return k.note("block " + origin) }
func (k *keeper) RemoveOrigin(origin string) error { return k.note("forget " + origin) }
func (k *keeper) SuspendKey(name string) error     { return k.note("suspend " + name) }
func (k *keeper) ResumeKey(name string) error      { return k.note("resume " + name) }

// key makes a key as the state holds it.
func key(i int, name string, change func(*keystore.Key)) keystore.Key {
	k := keystore.Key{
		ID: fmt.Sprintf("%s-%d", strings.ReplaceAll(name, " ", "-"), i), Name: name, Hint: "pdk_" + []string{"7Qm", "Zr4", "e0K", "Vx9", "aa1"}[i%5],
		Colour: i % keystore.Colours, Vault: keystore.VaultKeychain, Made: now.Add(-time.Hour * 24 * time.Duration(40-i%40)),
		Grant: policy.Grant{Expires: now.AddDate(0, 0, 90-i%40)},
	}
	if change != nil {
		change(&k)
	}
	return k
}

func someKeys() []keystore.Key {
	only := func(patterns ...string) policy.Models {
		m, err := policy.ParseModels(patterns)
		if err != nil {
			panic(err)
		}
		return m
	}
	return []keystore.Key{
		key(0, "alice", func(k *keystore.Key) {
			k.Grant.Role, k.Grant.Cloud, k.LastUsed = policy.RoleManager, true, now.Add(-3*time.Second)
			k.Today.Requests, k.Today.Tokens = 48, 31240
		}),
		key(1, "ben", func(k *keystore.Key) {
			k.LastUsed = now.Add(-2 * time.Minute)
			k.Grant.Models, k.Grant.Rate, k.Grant.Concurrent = only("llama3.2:3b", "qwen3:8b"), policy.Rate{Count: 60, Per: time.Minute}, 2
			k.Today.Requests, k.Today.Tokens = 17, 9815
		}),
		key(2, "n8n on the NAS", func(k *keystore.Key) {
			k.LastUsed, k.Grant.Expires = now.Add(-12*time.Second), time.Time{}
			k.Grant.Models, k.Grant.TokensPerDay = only("nomic-embed-text"), 80000
			k.Today.Requests, k.Today.Tokens = 149, 80288
		}),
		key(3, "carol's laptop", func(k *keystore.Key) { k.Suspended, k.LastUsed = true, now.Add(-72*time.Hour) }),
		key(4, "an intern of last summer", func(k *keystore.Key) { k.Grant.Expires = now.Add(-24 * time.Hour) }),
	}
}

func someWebsites() share.Websites {
	w := share.Websites{
		List: []policy.OriginRule{{Origin: "https://notes.example.org", Allowed: true}, {Origin: "http://localhost:3000", Allowed: false}},
		Refused: []share.RefusedOrigin{
			{Origin: "https://chat.example.com", Count: 12, First: now.Add(-2 * time.Hour), Last: now.Add(-20 * time.Minute)},
			{Origin: "app://obsidian.md", Count: 1, First: now.Add(-26 * time.Hour), Last: now.Add(-26 * time.Hour)},
		},
	}
	for _, p := range policy.Presets() {
		w.Presets = append(w.Presets, share.PresetState{Name: p.Name, Allowed: p.Name == "vscode", Patterns: p.Patterns})
	}
	return w
}

// fingerprint is that of the gate's authority.
const fingerprint = "9F:3A:51:0C:7E:B2:11:0D:5E:77:80:C4:92:4B:DA:63:EF:08:1C:3D:95:A6:20:FE:41:B7:6C:58:D8:44:C7:41"

// inClear allows plain HTTP beside the rest.
func inClear(st *share.State) {
	st.Encrypted, st.Encryption.Required = false, false
	st.PlainAddresses = []share.Address{{URL: "http://anna-mbp.local:11435"}, {URL: "http://192.168.1.24:11435"}}
}

// hindered waits for a cause to go.
func hindered(p share.Problem, detail string) func(st *share.State) {
	return func(st *share.State) {
		off(st)
		st.Phase, st.Wanted, st.Problem, st.Detail = share.Waiting, true, p, detail
	}
}

// unproven waits for a certificate.
func unproven(fault share.CertFault, detail string) func(st *share.State) {
	return func(st *share.State) {
		hindered(share.NoCertificate, "")(st)
		st.Encryption = share.Encryption{Required: true, Fault: fault, Detail: detail}
	}
}

// sharing is the state of a good day.
func sharing() share.State {
	return share.State{
		Version: "0.1.0", Phase: share.Sharing, Wanted: true, Listen: ":11435", Since: now.Add(-time.Hour), Running: 1,
		Addresses: []share.Address{
			{Label: "anna-mbp.local", URL: "https://anna-mbp.local:11435"},
			{Label: "192.168.1.24", URL: "https://192.168.1.24:11435"},
		},
		Encrypted: true, Encryption: share.Encryption{Ready: true, Required: true, Fingerprint: fingerprint, NotAfter: now.AddDate(0, 3, 0), AuthorityNotAfter: now.AddDate(9, 0, 0)},
		Networks: share.Networks{Choice: settings.NetworkPrivate, Fits: true, Here: "192.168.1.0/24 on en0"},
		Ollama: share.Ollama{
			URL: "http://127.0.0.1:11434", Health: share.Answers, Version: "0.17.4",
			Models: []string{"qwen3:8b", "nomic-embed-text:latest", "llama3.2:3b"}, Loaded: []string{"qwen3:8b", "nomic-embed-text:latest"},
		},
		Websites: someWebsites(),
		Keys:     share.Keys{List: someKeys(), Vault: keystore.VaultKeychain, VaultWords: "the OS keychain"},
	}
}

func with(change func(*share.State)) share.State {
	st := sharing()
	change(&st)
	return st
}

func off(st *share.State) {
	st.Phase, st.Wanted, st.Running, st.Since = share.Off, false, 0, time.Time{}
}

func requests() []requestlog.Entry {
	at := func(s int) time.Time { return now.Add(-time.Duration(s) * time.Second) }
	return []requestlog.Entry{
		{Time: at(7), Phase: requestlog.Running, Reason: policy.Allowed, Key: "alice", KeyID: "1", Action: "Chat", Model: "qwen3:8b", TokensOut: 148, Took: 6100 * time.Millisecond},
		{Time: at(12), Phase: requestlog.Done, Reason: policy.Allowed, Key: "n8n on the NAS", KeyID: "3", Colour: 2, Action: "Embed", Model: "nomic-embed-text:latest", TokensIn: 512, Took: 210 * time.Millisecond, Upstream: 200},
		{Time: at(23), Phase: requestlog.Refused, Reason: policy.ManagersOnly, Key: "ben", KeyID: "2", Colour: 1, Action: "Pull model", Model: "llama3.2:3b"},
		{Time: at(40), Phase: requestlog.Failed, Reason: policy.UpstreamUnanswers, Key: "ben", KeyID: "2", Colour: 1, Action: "Chat", Model: "llama3.2:70b-instruct-q8_0", Took: 2 * time.Second},
		{Time: at(58), Phase: requestlog.Refused, Reason: policy.NoKey, Address: "192.168.1.77", Method: "GET", Path: "/"},
	}
}

// scenes are the states that have to look right.
func scenes() map[string]func(s *stage) {
	put := func(change func(*share.State)) func(s *stage) {
		return func(s *stage) { s.show(with(change), requests()...) }
	}
	inKeys := func(change func(*share.State), then func(s *stage)) func(s *stage) {
		return func(s *stage) {
			s.show(with(change))
			s.board.enter(roomKeys)
			if then != nil {
				then(s)
			}
		}
	}
	inSites := func(change func(*share.State), then func(s *stage)) func(s *stage) {
		return func(s *stage) {
			s.show(with(change))
			s.board.enter(roomWebsites)
			if then != nil {
				then(s)
			}
		}
	}
	same := func(*share.State) {}
	none := func(st *share.State) { st.Keys.List = nil }
	return map[string]func(s *stage){
		"share-on":  put(same),
		"share-off": put(off),
		"share-new": func(s *stage) { s.show(with(func(st *share.State) { off(st); none(st) })) },
		"share-port": put(func(st *share.State) {
			off(st)
			st.Phase, st.Wanted, st.Problem, st.Detail = share.Waiting, true, share.PortInUse, "nginx (process 1234)"
		}),
		"share-address": put(func(st *share.State) {
			off(st)
			st.Phase, st.Wanted, st.Problem, st.Detail, st.Listen = share.Waiting, true, share.NoSuchAddr, "192.168.99.3", "192.168.99.3:11435"
		}),
		"share-low": put(func(st *share.State) {
			off(st)
			st.Phase, st.Wanted, st.Problem, st.Listen = share.Waiting, true, share.NotAllowed, ":80"
		}),
		"share-fault": put(func(st *share.State) {
			off(st)
			st.Phase, st.Wanted, st.Problem, st.Detail = share.Waiting, true, share.ListenFault, "listen tcp :11435: socket: too many open files in system"
		}),
		"share-starting":    put(func(st *share.State) { off(st); st.Phase, st.Wanted = share.Starting, true }),
		"share-stopping":    put(func(st *share.State) { st.Phase, st.Wanted = share.Stopping, false }),
		"share-paused-long": put(func(st *share.State) { st.Phase, st.Running = share.Paused, 0 }),
		"share-clear":       put(inClear),
		"share-only-clear": put(func(st *share.State) {
			inClear(st)
			st.Addresses, st.Encryption = st.PlainAddresses, share.Encryption{Fault: share.CertVault, Detail: string(share.VaultLocked)}
		}),
		"share-temporary":    put(func(st *share.State) { st.Encryption.Temporary = true }),
		"share-own-cert":     put(func(st *share.State) { st.Encryption.Own = true }),
		"share-interface":    put(hindered(share.NoInterface, "enx00e04c680001")),
		"share-no-interface": put(func(st *share.State) { hindered(share.NoInterface, "en7")(st); st.Networks.Here = "" }),
		"share-elsewhere": put(func(st *share.State) {
			hindered(share.OtherNetwork, "10.20.30.0/24")(st)
			st.Networks.Fits = false
		}),
		"share-lookalike": put(hindered(share.OtherNetwork, "192.168.1.0/24")),
		"share-public":    put(func(st *share.State) { hindered(share.PublicNetwork, "")(st); st.Networks.Here = "" }),
		"share-locked":    put(unproven(share.CertVault, string(share.VaultLocked))),
		"share-cert-lost": put(unproven(share.CertLost, "")),
		"share-cert-files": put(unproven(share.CertFiles,
			"tls: private key does not match public key in /etc/ssl/private/anna-mbp.example.com/privkey.pem")),
		"share-cert-beside": put(func(st *share.State) {
			st.Encryption.Fault, st.Encryption.Detail = share.CertFiles, "open /home/anna/certs/fullchain.pem: no such file or directory"
		}),
		"share-proving":   put(func(st *share.State) { off(st); st.Phase, st.Wanted, st.Encryption.Ready = share.Starting, true, false }),
		"share-nonetwork": put(func(st *share.State) { st.Problem, st.Addresses = share.NoNetwork, nil }),
		"share-noollama": put(func(st *share.State) {
			st.Ollama = share.Ollama{URL: "http://127.0.0.1:11434", Health: share.Silent, Detail: "connect: connection refused"}
		}),
		"share-stranger": put(func(st *share.State) { st.Ollama = share.Ollama{URL: "http://10.0.0.5:8080", Health: share.Stranger} }),
		"share-own": put(func(st *share.State) {
			st.Ollama = share.Ollama{URL: "http://127.0.0.1:11435", Health: share.Stranger, Detail: share.DetailOwnUpstream}
		}),
		"share-asking": put(func(st *share.State) { st.Ollama = share.Ollama{URL: "http://127.0.0.1:11434", Health: share.Unknown} }),
		"share-demo": put(func(st *share.State) {
			st.Ollama.Demo, st.Ollama.Models, st.Ollama.Loaded, st.Ollama.URL = true, []string{"demo:latest"}, []string{"demo:latest"}, "http://127.0.0.1:39999"
		}),
		"share-memory": put(func(st *share.State) {
			st.Keys.Vault, st.Keys.VaultWords, st.Keys.Trouble = keystore.VaultMemory, "memory, until the program ends", share.VaultMissing
		}),
		"share-many": put(func(st *share.State) {
			for i := range 4 {
				ip := netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 2)}).String()
				st.Addresses = append(st.Addresses, share.Address{Label: ip, URL: "https://" + ip + ":11435"})
			}
			st.Addresses[0].URL = "https://a-laptop-with-a-very-long-name-indeed-0123456789.local:11435"
			for i := range 20 {
				st.Ollama.Loaded = append(st.Ollama.Loaded, fmt.Sprintf("model-with-a-long-name-%d:70b-instruct-q8_0", i))
			}
		}),
		"keys-full":     inKeys(same, nil),
		"keys-empty":    inKeys(none, nil),
		"keys-one":      inKeys(func(st *share.State) { st.Keys.List = st.Keys.List[:1] }, nil),
		"keys-selected": inKeys(same, func(s *stage) { s.selectKey("ben") }),
		"keys-last":     inKeys(same, func(s *stage) { s.selectKey("an intern of last summer") }),
		"keys-remove": inKeys(same, func(s *stage) {
			s.selectKey("ben")
			s.press("Remove…")
		}),
		"keys-200": inKeys(func(st *share.State) {
			for i := range 195 {
				st.Keys.List = append(st.Keys.List, key(i+5, fmt.Sprintf("teammate %d", i), nil))
			}
		}, func(s *stage) { s.selectKey("teammate 150") }),
		"keys-long": inKeys(func(st *share.State) {
			st.Keys.List[0].Name = strings.Repeat("wide name ", 6)
			st.Keys.List[1].Name = strings.Repeat("W", keystore.MaxName)
		}, func(s *stage) { s.selectKey(strings.Repeat("W", keystore.MaxName)) }),
		"keys-locked": inKeys(func(st *share.State) { st.Keys.Trouble = share.VaultLocked }, nil),
		"keys-memory": inKeys(func(st *share.State) {
			st.Keys.Vault, st.Keys.VaultWords, st.Keys.Trouble = keystore.VaultMemory, "memory, until the program ends", share.VaultMissing
		}, nil),
		"keys-demo": inKeys(func(st *share.State) { st.Ollama.Demo = true }, nil),
		"new-form":  inKeys(same, func(s *stage) { s.board.newKey() }),
		"new-more": inKeys(same, func(s *stage) {
			s.board.newKey()
			s.press("Role, models, limits")
		}),
		"new-taken": inKeys(same, func(s *stage) {
			s.board.newKey()
			test.Type(s.win.Canvas().Focused(), "Alice")
		}),
		"new-ready": inKeys(same, func(s *stage) {
			s.board.newKey()
			test.Type(s.win.Canvas().Focused(), "dora's tablet")
			s.press("Make the key")
			s.answer()
			s.show(with(func(st *share.State) { st.Keys.List = append(st.Keys.List, key(5, "dora's tablet", nil)) }))
		}),
		"new-waiting": inKeys(same, func(s *stage) {
			s.keeper.hang = true
			s.board.newKey()
			test.Type(s.win.Canvas().Focused(), "dora's tablet")
			s.press("Make the key")
			s.answer() // it lingers
		}),
		"new-failed": inKeys(same, func(s *stage) {
			s.keeper.err = keystore.ErrLocked
			s.board.newKey()
			test.Type(s.win.Canvas().Focused(), "dora's tablet")
			s.press("Make the key")
			s.answer()
		}),
		"keys-renew": inKeys(same, func(s *stage) {
			s.selectKey("ben")
			s.press("New secret…")
		}),
		"keys-grace": inKeys(func(st *share.State) {
			st.Keys.List[1].OldUntil = now.Add(23 * time.Hour)
			st.Keys.List[3].OldUntil = now.Add(30 * time.Minute)
		}, func(s *stage) { s.selectKey("ben") }),
		"keys-renewed": inKeys(same, func(s *stage) {
			s.selectKey("ben")
			s.press("New secret…")
			s.press("Make the new secret")
			s.answer()
			s.show(with(func(st *share.State) {
				st.Keys.List[1].OldUntil, st.Keys.List[1].Hint = now.Add(24*time.Hour), "pdk_Rt2"
			}))
		}),
		"edit": inKeys(same, func(s *stage) {
			s.selectKey("ben")
			s.press("Edit…")
		}),
		"edit-all": inKeys(func(st *share.State) {
			for i := range 40 {
				st.Ollama.Models = append(st.Ollama.Models, fmt.Sprintf("hf.co/somebody/a-model-with-a-long-name-%d-GGUF:Q4_K_M", i))
			}
			st.Keys.List[1].OldUntil = now.Add(23 * time.Hour)
			st.Keys.List[1].Grant.TokensPerDay, st.Keys.List[1].Grant.InAddress = 50000, true
		}, func(s *stage) {
			s.selectKey("ben")
			s.press("Edit…")
		}),
		"edit-wrong": inKeys(same, func(s *stage) {
			s.selectKey("ben")
			s.press("Edit…")
			s.fill("Models", "llama3, http://x y")
			s.fill("Requests a minute", "many")
			s.press("Save")
		}),
		"sites-empty": inSites(func(st *share.State) { st.Websites.List, st.Websites.Refused = nil, nil }, nil),
		"sites":       inSites(same, nil),
		"sites-many": inSites(func(st *share.State) {
			for i := range 40 {
				st.Websites.Refused = append(st.Websites.Refused, share.RefusedOrigin{
					Origin: fmt.Sprintf("https://a-website-with-a-name-that-goes-on-and-on-%d.%s.example.com:8443", i, strings.Repeat("long-", 12)), Count: i + 1, Last: now.Add(-time.Hour),
				})
				st.Websites.List = append(st.Websites.List, policy.OriginRule{Origin: fmt.Sprintf("https://%d.%sexample.com", i, strings.Repeat("long-", 30)), Allowed: i%2 == 0})
			}
		}, func(s *stage) { s.press("Show all 42") }),
		"sites-wrong": inSites(same, func(s *stage) {
			s.fill("such as https://chat.example.com", "*")
			s.press("Allow this website")
		}),
		"sites-done": inSites(same, func(s *stage) {
			s.show(with(func(st *share.State) {
				st.Websites.Refused = st.Websites.Refused[1:]
				st.Websites.List = append([]policy.OriginRule{{Origin: "https://chat.example.com", Allowed: true}}, st.Websites.List[1:]...)
			}))
		}),
		"share-healed": put(func(st *share.State) {
			st.Waiting = 3
			st.Heals = []share.Heal{{Model: "llama3:latest", At: now.Add(-time.Hour)}, {Model: "llama3:latest", At: now.Add(-30 * time.Minute)}}
		}),
		"share-unhealed": put(func(st *share.State) {
			st.Heals = []share.Heal{{Model: "llama3:latest", At: now.Add(-30 * time.Minute), Fault: "Ollama does not take the model out of memory"}}
		}),
		"connect": inKeys(same, func(s *stage) {
			s.selectKey("ben")
			s.press("How to connect")
		}),
		"connect-python":   inKeys(inClear, howTo("Python")),
		"connect-n8n":      inKeys(same, howTo("n8n")),
		"connect-webui":    inKeys(same, howTo("Open WebUI")),
		"connect-go":       inKeys(same, howTo("Go")),
		"connect-continue": inKeys(same, howTo("Continue")),
		"connect-env":      inKeys(same, howTo("Environment")),
		"connect-browser":  inKeys(same, howTo("Browser")),
		"connect-address":  inKeys(func(st *share.State) { st.Keys.List[1].Grant.InAddress = true }, howTo("Only an address")),
		"connect-own":      inKeys(func(st *share.State) { st.Encryption.Own = true }, howTo("curl")),
		"connect-off": inKeys(off, func(s *stage) {
			s.selectKey("ben")
			s.press("How to connect")
		}),
	}
}

// howTo opens how to connect with a client.
func howTo(client string) func(s *stage) {
	return func(s *stage) {
		s.selectKey("ben")
		s.press("How to connect")
		tabs := get[*kit.Tabs](s, "curl")
		for range 12 {
			if tabs.AccessibilityLabel() == client {
				return
			}
			tabs.TypedKey(&fyne.KeyEvent{Name: fyne.KeyRight})
		}
		s.t.Fatalf("there is no client %q", client)
	}
}

// fill puts text into the field of that name.
func (s *stage) fill(name, text string) {
	s.t.Helper()
	found := false
	visit(s.win.Content(), fyne.Position{}, rect{}, func(o fyne.CanvasObject, _, _ rect) {
		f, ok := o.(*kit.Field)
		if !ok || f.Focusable().(interface{ AccessibilityLabel() string }).AccessibilityLabel() != name {
			return
		}
		found = true
		f.SetText(text)
	})
	if !found {
		s.t.Fatalf("there is no field %q on the screen, which says:\n%s", name, s.text())
	}
}

func (s *stage) selectKey(name string) {
	s.t.Helper()
	test.Tap(get[*kit.Row](s, name))
}
