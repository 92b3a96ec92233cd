//go:build !lite

package ui

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"paddock/keystore"
	"paddock/policy"
	"paddock/share"
	"paddock/ui/keys"
	"paddock/ui/kit"
)

// bubble runs a test in which every goroutine and every minute is accounted for.
func bubble(t *testing.T, body func(t *testing.T, s *stage)) {
	synctest.Test(t, func(t *testing.T) { body(t, newStage(t, light)) })
}

func (s *stage) typed(text string) {
	s.t.Helper()
	f := s.win.Canvas().Focused()
	if f == nil {
		s.t.Fatal("nothing has the keyboard")
	}
	test.Type(f, text)
}

func (s *stage) hit(key fyne.KeyName) {
	s.t.Helper()
	f := s.win.Canvas().Focused()
	if f == nil {
		s.t.Fatal("nothing has the keyboard")
	}
	f.TypedKey(&fyne.KeyEvent{Name: key})
}

// hitNothing presses a key that no widget may take.
func (s *stage) hitNothing(key fyne.KeyName) {
	s.t.Helper()
	before := len(s.keeper.calls)
	if f := s.win.Canvas().Focused(); f != nil {
		f.TypedKey(&fyne.KeyEvent{Name: key})
	}
	if len(s.keeper.calls) != before {
		s.t.Errorf("%v did something while the keychain was asked: %q", key, s.keeper.calls[before:])
	}
}

// settle runs what was handed to Fyne's thread until every goroutine waits.
func (s *stage) settle() {
	for {
		synctest.Wait()
		s.mu.Lock()
		queue := s.queue
		s.queue = nil
		s.mu.Unlock()
		if len(queue) == 0 {
			return
		}
		for _, f := range queue {
			f()
		}
	}
}

func (s *stage) has(asked string) bool {
	return slices.Contains(s.asked, asked)
}

func TestTheSwitchMovesOnlyByState(t *testing.T) {
	s := newStage(t, light)
	s.show(with(off))
	power := get[*kit.Switch](s, "Share Ollama")
	test.Tap(power)
	if !s.has("start") {
		t.Fatal("a tap asked for nothing")
	}
	if power.On() {
		t.Fatal("the switch moved before anything happened")
	}
	s.show(with(func(st *share.State) { off(st); st.Phase = share.Starting }))
	if power.On() || !power.Pending() {
		t.Error("starting does not show")
	}
	s.show(sharing())
	if !power.On() || power.Pending() {
		t.Error("sharing does not show")
	}
	test.Tap(power)
	if !s.has("stop") || !power.On() {
		t.Error("a tap did not ask for the end, or moved the switch")
	}
	s.show(with(off))
	if power.On() {
		t.Error("the end does not show")
	}
}

func TestWaitingOffersAWayOut(t *testing.T) {
	s := newStage(t, light)
	scenes()["share-port"](s)
	s.says("Port 11435 is in use by nginx", "[Use port 11436]", "[Stop trying]")
	s.press("Use port 11436")
	s.press("Stop trying")
	if !s.has("listen :11436") || !s.has("stop") {
		t.Errorf("asked for %q", s.asked)
	}
}

func TestWithoutOllamaThereIsTheDemo(t *testing.T) {
	s := newStage(t, light)
	scenes()["share-noollama"](s)
	s.says("Ollama does not answer", "Nothing answers at 127.0.0.1:11434")
	s.press("Try the built-in demo")
	if !s.has("demo true") {
		t.Fatal("the demo was not asked for")
	}
	for _, scene := range []string{"share-demo", "keys-demo"} {
		s := newStage(t, light)
		scenes()[scene](s)
		s.says("Built-in demo instead of Ollama")
		s.press("Use Ollama again")
		if !s.has("demo false") {
			t.Errorf("%s does not lead back to Ollama", scene)
		}
	}
}

func TestPlainHTTPIsSaid(t *testing.T) {
	s := newStage(t, light)
	s.show(sharing())
	s.says("Encrypted. Other computers on 192.168.1.0/24 (en0) can reach these addresses.", "https://anna-mbp.local:11435", "[Copy Fingerprint]")
	s.silent("Not encrypted", "not encrypted", "[Require encryption]")
	s.show(with(inClear))
	s.says("https://anna-mbp.local:11435", "The same addresses with http:// work too, and are not encrypted")
	s.press("Require encryption")
	if !s.has("encrypt") {
		t.Error("encryption was not asked for")
	}
	scenes()["share-only-clear"](s)
	s.says("Not encrypted: anyone who listens in", "http://anna-mbp.local:11435", "unlock it, then try again")
	s.silent("[Copy Fingerprint]", "Encrypted. ")
	s.press("Try again")
	if !s.has("start") {
		t.Error("the keychain was not asked again")
	}
}

func TestAPauseIsChosenAndEnded(t *testing.T) {
	s := newStage(t, light)
	s.show(with(off))
	s.silent("[Pause for]", "[Resume]")
	s.show(sharing())
	s.silent("[Resume]")
	s.press("Pause for")
	choices := map[string]fyne.Tappable{}
	visit(s.win.Canvas().Overlays().Top(), fyne.Position{}, rect{}, func(o fyne.CanvasObject, _, _ rect) {
		w, ok := o.(fyne.Widget)
		choice, can := o.(fyne.Tappable)
		if !ok || !can {
			return
		}
		for _, part := range test.WidgetRenderer(w).Objects() {
			if label, ok := part.(*canvas.Text); ok {
				choices[label.Text] = choice
			}
		}
	})
	for label, want := range map[string]string{"15 minutes": "pause 15m0s", "1 hour": "pause 1h0m0s", "until I resume": "pause 0s"} {
		if choices[label] == nil {
			t.Fatalf("there is no %q in %v", label, choices)
		}
		choices[label].Tapped(&fyne.PointEvent{})
		if !s.has(want) {
			t.Errorf("asked for %q, want %q", s.asked, want)
		}
	}
	s.show(with(func(st *share.State) { st.Phase, st.PausedUntil = share.Paused, now.Add(time.Minute) }))
	s.says("Paused until "+now.Add(time.Minute).Local().Format("15:04"), "told to come again later", "[Resume]")
	s.silent("[Pause for]")
	if !get[*kit.Switch](s, "Share Ollama").On() {
		t.Error("the switch is off in a pause")
	}
	s.press("Resume")
	if !s.has("resume") {
		t.Errorf("asked for %q", s.asked)
	}
}

// Whatever keeps the gate shut is said with a button that mends it.
func TestEveryHindranceHasItsMend(t *testing.T) {
	for scene, x := range map[string]struct{ button, asks string }{
		"share-elsewhere":    {"Share on this network instead", "here"},
		"share-lookalike":    {"Share on this network instead", "here"},
		"share-interface":    {"Share on this network instead", "here"},
		"share-no-interface": {"Open Settings", "settings"},
		"share-public":       {"Open Settings", "settings"},
		"share-locked":       {"Try again", "start"},
		"share-cert-lost":    {"Open Settings", "settings"},
		"share-cert-files":   {"Open Settings", "settings"},
		"share-cert-beside":  {"Open Settings", "settings"},
	} {
		s := newStage(t, light)
		scenes()[scene](s)
		s.press(x.button)
		if !s.has(x.asks) {
			t.Errorf("%s asks for %q", scene, s.asked)
		}
	}
}

func TestTheFirstKeyIsOneTapAway(t *testing.T) {
	s := newStage(t, light)
	scenes()["share-new"](s)
	s.says("No keys yet, so nobody can use it.")
	s.press("Make the first key")
	s.says("Who gets the new key?")
}

func TestNewKeyByKeyboardAlone(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		s.show(sharing())
		s.board.newKey()
		s.typed("carol's phone")
		s.hit(fyne.KeyReturn)
		s.settle()
		s.says("The key for carol's phone is ready", "pdk_Vx9TqLm2RsE7hWc4KbYz0NfPaJ8dGuSAMPLE", "User · local models only · expires 22 Feb 2027",
			"Waiting for the first request from carol's phone…")
		if s.win.Canvas().Focused() != fyne.Focusable(get[*kit.Button](s, "Copy key")) {
			t.Error("Copy key does not have the keyboard")
		}
		s.hit(fyne.KeySpace)
		if s.clip != "pdk_Vx9TqLm2RsE7hWc4KbYz0NfPaJ8dGuSAMPLE" {
			t.Errorf("the clipboard got %q", s.clip)
		}
		s.says("Copied; cleared after a minute", "[Copied]")
		s.press("Done")
		s.silent("pdk_Vx9TqLm2RsE7hWc4KbYz0NfPaJ8dGuSAMPLE")
	})
}

func TestNamesAreJudgedWhileTyping(t *testing.T) {
	s := newStage(t, light)
	s.show(sharing())
	s.board.newKey()
	s.silent("A key needs a name")
	s.hit(fyne.KeyReturn)
	s.says("A key needs a name")
	s.typed("ALICE")
	s.says("There is a key of this name.")
	s.typed(strings.Repeat("x", keystore.MaxName))
	s.says("a name has at most 64 characters")
	if len(s.keeper.calls) > 0 {
		t.Errorf("the keys were asked: %q", s.keeper.calls)
	}
	// Escape leads back, and nothing is made.
	s.hit(fyne.KeyEscape)
	s.says("One key for each teammate")
}

func TestRoleAndExpiryAreKept(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		s.show(sharing())
		s.board.newKey()
		s.silent("also downloads, makes and deletes models")
		s.press("Role, models, limits")
		test.Tap(get[*kit.Choice](s, "Manager"))
		test.Tap(get[*kit.Switch](s, "Cloud models"))
		ends := get[*kit.Segments](s, "90 days")
		ends.TypedKey(&fyne.KeyEvent{Name: fyne.KeyRight})
		ends.TypedKey(&fyne.KeyEvent{Name: fyne.KeyRight})
		s.says("Manager · local and cloud models · never expires")
		s.fill("Name", "dora")
		s.press("Make the key")
		s.settle()
		s.says("The key for dora is ready", "Manager · local and cloud models · never expires")
	})
}

// The keychain asks its owner for a password, and nobody is there. The window
// goes on, says what it waits for, and leads out.
func TestAHangingKeychainBlocksNothing(t *testing.T) {
	start := func(t *testing.T, s *stage) {
		s.keeper.hang = true
		s.show(sharing())
		s.board.newKey()
		s.typed("erik")
		s.hit(fyne.KeyReturn)
		s.settle()
		// A keychain that answers at once shows nothing, so that a second Return
		// does not land on a Cancel that has just come up.
		s.silent("[Cancel]")
		s.hitNothing(fyne.KeyReturn)
		time.Sleep(time.Second)
		s.settle()
		s.says("Waiting for the keychain…", "[Cancel]")
		s.silent("[Make the key]")
		s.show(with(off)) // the screen lives on
	}
	t.Run("cancelled", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *stage) {
			start(t, s)
			s.press("Cancel")
			s.settle()
			s.says("Cancelled, so no key was made.", "[Make the key]", "{erik}")
			s.silent("Waiting for the keychain…")
		})
	})
	t.Run("gave up", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *stage) {
			start(t, s)
			time.Sleep(keys.Patience + time.Second)
			s.settle()
			s.says("The keychain did not answer in time.", "No key was made.", "{erik}")
		})
	})
	t.Run("answers after all", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *stage) {
			s.keeper.stubborn = make(chan struct{})
			start(t, s)
			s.press("Cancel")
			s.press("Back")
			close(s.keeper.stubborn)
			s.settle()
			s.says("The keychain answered after all: the key for erik is in the list.")
		})
	})
	t.Run("escape", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *stage) {
			start(t, s)
			s.hit(fyne.KeyEscape)
			s.settle()
			s.says("Cancelled, so no key was made.", "{erik}")
		})
	})
	t.Run("left", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *stage) {
			s.keeper.err = keystore.ErrLocked
			s.show(sharing())
			s.board.newKey()
			s.typed("erik")
			s.press("Make the key")
			s.press("Back")
			s.settle()
			s.says("The keychain is locked. Unlock it, then try again. No key was made for erik.")
		})
	})
	t.Run("from the page", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *stage) {
			s.keeper.hang = true
			scenes()["connect"](s)
			s.press("Copy key")
			s.press("Copy key") // pressed twice
			time.Sleep(time.Second)
			s.settle()
			s.says("Waiting for the keychain…", "[Cancel]")
			s.press("Cancel")
			s.settle()
			s.says("Cancelled.", "[Copy key]")
			s.keeper.hang = false
			s.press("Copy key")
			s.settle()
			s.says("Copied; cleared after a minute")
		})
	})
	t.Run("copying", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *stage) {
			s.keeper.hang = true
			scenes()["keys-selected"](s)
			s.press("Copy key")
			time.Sleep(time.Second)
			s.settle()
			s.says("Waiting for the keychain…")
			s.press("Cancel")
			s.settle()
			s.says("Cancelled.", "[Copy key]")
			if s.clip != "" {
				t.Errorf("the clipboard got %q", s.clip)
			}
		})
	})
}

func TestCopyFromTheTable(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		scenes()["keys-selected"](s)
		s.press("Copy key")
		s.settle()
		s.says("Copied; cleared after a minute")
		if s.clip != "pdk_of_ben" {
			t.Errorf("the clipboard got %q", s.clip)
		}
	})
}

func TestFailuresAreToldInWords(t *testing.T) {
	for _, x := range []struct {
		err  error
		says string
	}{
		{keystore.ErrLocked, "The keychain is locked. Unlock it, then try again."},
		{keystore.ErrNoVault, "This session has no keychain."},
		{keystore.ErrNotKept, "The keychain did not store it."},
		{keystore.ErrNotFound, "The key is not in the keychain any more."},
		{keystore.ErrWrongPassphrase, "The passphrase of the sealed file is wrong."},
		{errors.New("the moon is in the way"), "The moon is in the way."},
	} {
		bubble(t, func(t *testing.T, s *stage) {
			s.keeper.err = fmt.Errorf("copying key: %w", x.err)
			if x.says == "The moon is in the way." {
				s.keeper.err = x.err
			}
			scenes()["keys-selected"](s)
			s.press("Copy key")
			s.settle()
			s.says(x.says, "[Copy key]")
			s.fits(x.says)
		})
	}
}

func TestRemovingAsksFirst(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		scenes()["keys-remove"](s)
		s.says("Remove this key for good?")
		if s.win.Canvas().Focused() != fyne.Focusable(get[*kit.Button](s, "Keep it")) {
			t.Error("the keyboard is not on the answer that changes nothing")
		}
		s.hit(fyne.KeyReturn)
		s.silent("Remove this key for good?")
		if len(s.keeper.calls) > 0 {
			t.Fatalf("it was removed: %q", s.keeper.calls)
		}
		s.press("Remove…")
		s.press("Remove the key")
		s.settle()
		if len(s.keeper.calls) != 1 || s.keeper.calls[0] != "remove ben" {
			t.Fatalf("the keys were asked for %q", s.keeper.calls)
		}
		s.show(with(func(st *share.State) { st.Keys.List = append(st.Keys.List[:1:1], st.Keys.List[2:]...) }))
		if _, there := find[*kit.Row](s, "ben"); there {
			t.Error("the row is still there")
		}
	})
}

func TestWhatTheKeychainKeptIsTold(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		s.keeper.err = &keystore.LeftoverError{Err: keystore.ErrLocked}
		scenes()["keys-remove"](s)
		s.press("Remove the key")
		s.settle()
		s.says("The key is removed and refused.")
		s.press("OK")
		s.silent("The key is removed and refused.")
	})
}

func TestSuspendingMovesByStateToo(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		scenes()["keys-full"](s)
		power := get[*kit.Switch](s, "ben may use Ollama")
		test.Tap(power)
		if !power.On() || !power.Pending() {
			t.Error("a tap does not show that it waits, or moved the switch")
		}
		s.settle()
		if len(s.keeper.calls) != 1 || s.keeper.calls[0] != "suspend ben" {
			t.Fatalf("the keys were asked for %q", s.keeper.calls)
		}
		if !power.On() || power.Pending() {
			t.Error("the switch moved before the state did")
		}
		s.show(with(func(st *share.State) { st.Keys.List[1].Suspended = true }))
		if power.On() {
			t.Error("the state does not show")
		}
		test.Tap(power)
		s.settle()
		if s.keeper.calls[1] != "resume ben" {
			t.Errorf("the keys were asked for %q", s.keeper.calls)
		}
	})
}

func TestSuspendingThatFails(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		s.keeper.err = keystore.ErrNoKey
		scenes()["keys-full"](s)
		test.Tap(get[*kit.Switch](s, "ben may use Ollama"))
		s.settle()
		s.says("There is no such key any more.")
	})
}

func TestTheLineTurnsGreenWhenTheRequestArrives(t *testing.T) {
	s := newStage(t, light)
	s.show(sharing())
	s.board.enter(roomKeys)
	s.selectKey("an intern of last summer")
	s.press("How to connect")
	s.says("Waiting for the first request from an intern of last summer…", "[Copy key]")
	s.show(with(func(st *share.State) { st.Keys.List[4].LastUsed = now }))
	s.says("The first request from an intern of last summer arrived at")
	s.show(with(func(st *share.State) { st.Keys.List = st.Keys.List[:4] }))
	s.says("This key was removed.")
}

func TestWithoutSharingNobodyConnects(t *testing.T) {
	s := newStage(t, light)
	scenes()["connect-off"](s)
	s.says("You are not sharing now, so nobody can connect.")
	s.press("Start sharing")
	if !s.has("start") {
		t.Fatal("sharing was not asked for")
	}
	s.show(sharing())
	s.silent("You are not sharing now")
}

func TestSnippetsFollowTheAddress(t *testing.T) {
	s := newStage(t, light)
	scenes()["connect"](s)
	code := func() string {
		var all []string
		visit(s.win.Content(), fyne.Position{}, rect{}, func(o fyne.CanvasObject, _, _ rect) {
			if c, ok := o.(*kit.CodeBlock); ok {
				all = append(all, c.Code())
			}
		})
		return strings.Join(all, "\n")
	}
	if got := code(); !strings.Contains(got, "--cacert paddock-ca.pem https://anna-mbp.local:11435/api/chat") || !strings.Contains(got, `"model": "qwen3:8b"`) {
		t.Errorf("the code is\n%s", got)
	}
	s.show(with(func(st *share.State) { st.Addresses[0].URL = "https://other.local:11500" }))
	if got := code(); !strings.Contains(got, "https://other.local:11500/api/chat") {
		t.Errorf("the code is\n%s", got)
	}
	tabs := get[*kit.Tabs](s, "curl")
	for range 8 {
		tabs.TypedKey(&fyne.KeyEvent{Name: fyne.KeyRight})
		if tabs.AccessibilityLabel() == "Environment" {
			s.says("the ollama command cannot send a key")
		}
		if got := code(); !strings.Contains(got, "https://other.local:11500") || strings.Contains(got, "pdk_") {
			t.Errorf("%s: the code is\n%s", tabs.AccessibilityLabel(), got)
		}
		s.fits("snippets for " + tabs.AccessibilityLabel())
	}
	if tabs.AccessibilityLabel() != "Browser" {
		t.Errorf("the last one is %s", tabs.AccessibilityLabel())
	}
	// With the owner's own certificate nobody has to be told whom to trust.
	s.says("Trust this gate, once", fingerprint[:17])
	s.show(with(func(st *share.State) { st.Encryption.Own = true }))
	s.silent("Trust this gate, once")
	s.show(with(inClear))
	s.says("Trust this gate, once", "may use http://anna-mbp.local:11435 for now")
}

// A key that has no cloud grant is not shown how to ask for a cloud model.
func TestSnippetsUseAModelThatIsGranted(t *testing.T) {
	s := newStage(t, light)
	s.show(with(func(st *share.State) {
		st.Ollama.Loaded, st.Ollama.Models = nil, []string{"gpt-oss:120b-cloud", "nomic-embed-text", "tiny:latest"}
		st.Keys.List[1].Grant = policy.Grant{}
	}))
	s.board.enter(roomKeys)
	s.selectKey("ben")
	s.press("How to connect")
	if _, ok := find[*kit.CodeBlock](s, "curl --cacert paddock-ca.pem https://anna-mbp.local:11435/api/chat \\\n  -H \"Authorization: Bearer $PADDOCK_KEY\" \\\n  -d '{\"model\": \"tiny\",\n       \"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}'"); !ok {
		t.Error("the code asks for another model")
	}
}

// Tab reaches everything that can be pressed, and comes back.
func TestEverythingIsReachedByKeyboard(t *testing.T) {
	for _, name := range []string{"share-port", "share-noollama", "share-on", "share-elsewhere", "share-clear", "keys-selected", "new-more", "connect"} {
		s := newStage(t, light)
		scenes()[name](s)
		want := map[fyne.CanvasObject]bool{}
		visit(s.win.Content(), fyne.Position{}, rect{}, func(o fyne.CanvasObject, _, _ rect) {
			switch o.(type) {
			case *kit.Button, *kit.Switch, *kit.Row, *kit.NavItem, *kit.Tabs, *kit.Segments, *kit.Choice:
				if d, ok := o.(fyne.Disableable); !ok || !d.Disabled() {
					want[o] = true
				}
			}
		})
		for range len(want) + 10 {
			s.win.Canvas().FocusNext()
			if o, ok := s.win.Canvas().Focused().(fyne.CanvasObject); ok {
				delete(want, o)
			}
		}
		for o := range want {
			t.Errorf("%s: %s is not reached", name, called(o))
		}
	}
}

func TestLimitsAndModelsAreAsked(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		s.show(sharing())
		s.board.newKey()
		s.press("Role, models, limits")
		models := get[*kit.Segments](s, "All")
		models.TypedKey(&fyne.KeyEvent{Name: fyne.KeyRight})
		s.fill("Name", "dora")
		s.press("Make the key")
		s.settle()
		s.says("Name at least one model, or choose All.")
		// What is installed can be pressed, and takes the place of what was begun.
		s.fill("Models", "qw")
		if _, there := find[*kit.Pill](s, "nomic-embed-text"); there {
			t.Error("a model is offered that does not go on with what is typed")
		}
		test.Tap(get[*kit.Pill](s, "qwen3:8b"))
		test.Tap(get[*kit.Pill](s, "nomic-embed-text"))
		s.says("{qwen3:8b, nomic-embed-text}")
		test.Tap(get[*kit.Pill](s, "qwen3:8b"))
		s.says("{nomic-embed-text}")
		s.fill("Models", "nomic-embed-text, llama3*")
		s.fill("Requests a minute", "500/h")
		s.fill("At once", "0")
		s.press("Make the key")
		s.settle()
		s.says("It is more than nothing; if there is to be none, choose No limit.")
		s.fill("At once", "1")
		s.press("Make the key")
		s.settle()
		s.says("The key for dora is ready", "User · only nomic-embed-text, llama3* · 500 an hour · 1 at once · expires 22 Feb 2027")
	})
}

func TestEditingShowsWhatIsAndSaves(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		scenes()["edit"](s)
		before := s.state.Keys.List[1].Grant
		s.says("What may ben do?", "{llama3.2:3b, qwen3:8b}", "{60}", "{2}", "It ends on 21 Feb 2027.")
		s.press("Save")
		s.settle()
		if s.keeper.edited != before {
			t.Fatalf("saved as it was shown, it is %+v, and was %+v", s.keeper.edited, before)
		}
		s.says("Saved: User · only llama3.2:3b, qwen3:8b", "[Edit…]")
		s.press("Edit…")
		test.Tap(get[*kit.Choice](s, "Manager"))
		test.Tap(get[*kit.Switch](s, "Key in the address"))
		get[*kit.Segments](s, "As it is").TypedKey(&fyne.KeyEvent{Name: fyne.KeyRight})
		test.Tap(get[*kit.Pill](s, "No limit: Tokens a day"))
		s.fill("Tokens a day", "50 000")
		s.press("Save")
		s.settle()
		want := before
		want.Role, want.InAddress, want.Expires, want.TokensPerDay = policy.RoleManager, true, now.AddDate(0, 0, 30), 50000
		if s.keeper.edited != want {
			t.Errorf("saved %+v, want %+v", s.keeper.edited, want)
		}
		if got := s.keeper.calls; len(got) != 2 || got[1] != "edit ben" {
			t.Errorf("the keys were asked for %q", got)
		}
	})
}

func TestEditingThatFailsChangesNothing(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		s.keeper.err = keystore.ErrNoKey
		scenes()["edit"](s)
		s.press("Save")
		s.settle()
		s.says("There is no such key any more. Nothing was changed.", "[Save]")
		// What is in force and not on the disk is not told as a failure.
		s.keeper.err = &keystore.UnsavedError{Err: errors.New("the disk is away")}
		s.press("Save")
		s.settle()
		s.says("ben: It is in force, but could not be saved", "In force, but not saved: User · only llama3.2:3b, qwen3:8b")
		s.silent("Saved:", "Nothing was changed.")
	})
}

// Somebody may take a right away, at the command line say, while the form is
// open. Saving something else must not give it back.
func TestEditingLeavesAloneWhatWasNotTouched(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		s.show(sharing())
		s.board.enter(roomKeys)
		s.selectKey("alice")
		s.press("Edit…")
		meanwhile := s.state.Keys.List[0]
		meanwhile.Grant.Cloud, meanwhile.Grant.Role, meanwhile.Grant.Expires = false, policy.RoleUser, now.Add(time.Hour)
		s.keeper.keys = map[string]keystore.Key{"alice": meanwhile}
		s.fill("Requests a minute", "30")
		s.press("Save")
		s.settle()
		want := meanwhile.Grant
		want.Rate = policy.Rate{Count: 30, Per: time.Minute}
		if s.keeper.edited != want {
			t.Errorf("saved %+v, want %+v", s.keeper.edited, want)
		}
		s.says("Saved: User · local models only · 30 a minute")
	})
}

func TestEditingIsNotForAnotherKeyOfTheName(t *testing.T) {
	for name, meanwhile := range map[string]keystore.Key{"removed": {}, "made again": key(7, "ben", nil)} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *stage) {
				scenes()["edit"](s)
				s.keeper.keys = map[string]keystore.Key{"ben": meanwhile}
				test.Tap(get[*kit.Choice](s, "Manager"))
				s.press("Save")
				s.settle()
				if len(s.keeper.calls) > 0 {
					t.Errorf("the keys were asked for %q", s.keeper.calls)
				}
				s.says("There is no such key any more. Nothing was changed.")
			})
		})
	}
}

func TestEscapeLeavesTheEditForm(t *testing.T) {
	for name, at := range map[string]func(s *stage) fyne.Focusable{
		"nowhere":  func(*stage) fyne.Focusable { return nil },
		"a choice": func(s *stage) fyne.Focusable { return get[*kit.Choice](s, "Manager") },
		"segments": func(s *stage) fyne.Focusable { return get[*kit.Segments](s, "As it is") },
		"a pill":   func(s *stage) fyne.Focusable { return get[*kit.Pill](s, "qwen3:8b") },
		"a switch": func(s *stage) fyne.Focusable { return get[*kit.Switch](s, "Cloud models") },
		"a button": func(s *stage) fyne.Focusable { return get[*kit.Button](s, "Save") },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *stage) {
				scenes()["edit"](s)
				if f := at(s); f != nil {
					s.win.Canvas().Focus(f)
					s.hit(fyne.KeyEscape)
				} else {
					s.win.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyEscape})
				}
				s.says("One key for each teammate")
				if len(s.keeper.calls) > 0 {
					t.Errorf("the keys were asked for %q", s.keeper.calls)
				}
			})
		})
	}
}

// What is chosen while the keychain is asked would be lost without a word.
func TestNothingIsChosenWhileTheKeychainIsAsked(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		s.keeper.hang = true
		s.show(sharing())
		s.board.newKey()
		s.press("Role, models, limits")
		s.fill("Name", "erik")
		get[*kit.Segments](s, "All").TypedKey(&fyne.KeyEvent{Name: fyne.KeyRight})
		s.fill("Models", "qwen3:8b")
		test.Tap(get[*kit.Pill](s, "No limit: At once"))
		s.press("Make the key")
		s.settle()
		before := s.text()
		touch := func() {
			test.Tap(get[*kit.Choice](s, "Manager"))
			test.Tap(get[*kit.Switch](s, "Cloud models"))
			test.Tap(get[*kit.Switch](s, "Key in the address"))
			get[*kit.Segments](s, "90 days").TypedKey(&fyne.KeyEvent{Name: fyne.KeyRight})
			test.Tap(get[*kit.Pill](s, "qwen3:8b"))
			get[*kit.Segments](s, "Only these").TypedKey(&fyne.KeyEvent{Name: fyne.KeyLeft})
			test.Tap(get[*kit.Pill](s, "No limit: Requests a minute"))
		}
		touch()
		s.show(with(func(st *share.State) { st.Ollama.Models = append(st.Ollama.Models, "qwen3:8b-more") }))
		test.Tap(get[*kit.Pill](s, "qwen3:8b-more"))
		if got := s.text(); got != before {
			t.Errorf("the form changed from\n%s\nto\n%s", before, got)
		}
		time.Sleep(time.Second)
		s.settle()
		s.press("Cancel")
		if f := get[*kit.Pill](s, "No limit: At once"); !f.On() || f.Disabled() {
			t.Error("the pill is not what it was")
		}
		touch()
		s.says("Manager · local and cloud models · any number of requests")
	})
}

func TestANewSecretAsksHowLongTheOldOneWorks(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		scenes()["keys-renew"](s)
		s.says("Make a new secret for ben?", "The old secret works beside the new one until 14:32 tomorrow")
		if s.win.Canvas().Focused() != fyne.Focusable(get[*kit.Button](s, "Leave it")) {
			t.Error("the keyboard is not on the answer that changes nothing")
		}
		grace := get[*kit.Segments](s, "24 hours")
		grace.TypedKey(&fyne.KeyEvent{Name: fyne.KeyLeft})
		s.says("until 15:32,")
		grace.TypedKey(&fyne.KeyEvent{Name: fyne.KeyLeft})
		s.says("The old secret is refused at once, and what runs with it is cut.")
		grace.TypedKey(&fyne.KeyEvent{Name: fyne.KeyRight})
		s.press("Make the new secret")
		s.settle()
		if got := s.keeper.calls; len(got) != 1 || got[0] != "rotate ben 1h0m0s" {
			t.Fatalf("the keys were asked for %q", got)
		}
		s.says("The new secret for ben is ready", "pdk_Rt2TqLm2RsE7hWc4KbYz0NfPaJ8dGuSAMPLE", "The old secret works until 15:32.")
		s.hit(fyne.KeySpace)
		if s.clip != "pdk_Rt2TqLm2RsE7hWc4KbYz0NfPaJ8dGuSAMPLE" {
			t.Errorf("the clipboard got %q", s.clip)
		}
		s.press("Done")
		s.silent("pdk_Rt2TqLm2RsE7hWc4KbYz0NfPaJ8dGuSAMPLE")
		s.show(with(func(st *share.State) { st.Keys.List[1].OldUntil = now.Add(time.Hour) }))
		s.says("The old secret works until 15:32.")
		s.show(with(func(st *share.State) { st.Keys.List[1].OldUntil = now })) // over
		s.silent("The old secret works")
	})
}

func TestALateNewSecretIsTold(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		s.keeper.stubborn = make(chan struct{})
		scenes()["keys-renew"](s)
		s.press("Make the new secret")
		time.Sleep(time.Second)
		s.settle()
		s.says("Waiting for the keychain…")
		s.press("Cancel")
		s.says("Cancelled, so the secret stays what it was.")
		close(s.keeper.stubborn)
		s.settle()
		s.says("The keychain answered after all: ben has a new secret.")
	})
}

// The facts of a row that was just unfolded had no width yet, and the table was
// made as high as if each word had a line of its own.
func TestTheTableIsAsHighAsItsRows(t *testing.T) {
	s := newStage(t, light)
	s.show(sharing())
	s.board.enter(roomKeys)
	lowest := func() (y float32) {
		visit(s.win.Content(), fyne.Position{}, rect{}, func(o fyne.CanvasObject, here, _ rect) {
			if x, ok := o.(*kit.Text); ok && strings.HasPrefix(x.Text(), "Keys are kept in") {
				y = here.y
			}
		})
		return y
	}
	for _, do := range []func(){
		func() { s.selectKey("ben") }, func() { s.press("New secret…") }, func() { s.press("Leave it") }, func() { s.press("Remove…") },
	} {
		do()
		at := lowest()
		s.win.Resize(s.size.AddWidthHeight(1, 0))
		s.win.Resize(s.size)
		if again := lowest(); at != again {
			t.Errorf("below the table it goes on at %v, and at %v when all is laid out again", at, again)
		}
	}
}
