//go:build !lite

package ui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	facts "paddock/safety"
	"paddock/settings"
	"paddock/share"
	"paddock/ui/kit"
)

// unsafeNow paints a check on a stage.
func (s *stage) unsafeNow(change func(*facts.Evidence)) {
	s.show(with(func(st *share.State) { atHome(st); st.Safety = checked(change) }))
}

func TestAProblemShowsItsFixAndEverythingElseIsFolded(t *testing.T) {
	s := newStage(t, light)
	roomScenes()["safety-problem"](s)
	s.says("Ollama answers on 2 addresses of the network", "192.168.1.24:11434", "Ollama is started by systemd.", "One key never expires")
	code := 0
	visit(s.win.Content(), fyne.Position{}, rect{}, func(o fyne.CanvasObject, _, _ rect) {
		if c, ok := o.(*kit.CodeBlock); ok {
			code++
			if !strings.HasSuffix(c.Code(), "systemctl restart ollama.service") {
				t.Errorf("the steps of the problem end with %q", c.Code())
			}
		}
	})
	if code != 1 {
		t.Errorf("%d pieces of code are unfolded, want those of the problem", code)
	}
	s.silent("Go through the keys:")
	for range 2 { // the first is OLLAMA_HOST's
		s.press("Show how")
	}
	s.says("Go through the keys:")
	for range 2 {
		s.press("Hide")
	}
	s.silent("Go through the keys:")
}

func TestARowUnfoldsWhatItHasToTell(t *testing.T) {
	s := newStage(t, light)
	roomScenes()["safety-good"](s)
	s.silent("CVE-2025-15514")
	s.unfold("Ollama 0.32.4 has no known holes")
	s.says("CVE-2025-15514", "It is not certain that this version has it.")
	s.unfold("Ollama 0.32.4 has no known holes")
	s.silent("CVE-2025-15514")
	if !get[*kit.Row](s, "Every key expires, in order").Disabled() {
		t.Error("a row with nothing to tell can be pressed")
	}
}

// A fact that gets worse at the right moment must not push another one's button
// under the pointer.
func TestFactsStayWhereTheyAreWhileTheOwnerLooks(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		roomScenes()["safety-good"](s)
		title := "Every key was used in the last 90 days, or is newer"
		before := s.titled(title)
		s.unsafeNow(all(exposed, plainHTTP))
		s.says("Ollama answers on 2 addresses of the network", "Plain HTTP is allowed")
		if got := s.titled(title); got != before {
			t.Errorf("the row went from %v to %v", before, got)
		}
		get[*kit.Tag](s, "1 problem")
		if at := s.titled("Ollama answers on 2 addresses of the network"); at.Y > before.Y {
			t.Error("what got worse is not in its place")
		}
		s.press("Check now") // by the owner's own hand
		s.settle()
		s.unsafeNow(all(exposed, plainHTTP))
		if s.titled("Plain HTTP is allowed").Y >= s.titled("Only Paddock listens on port 11435").Y {
			t.Error("after a check that was asked for, what needs the owner is not first")
		}
		// Mended, it stays a card, and says that it is in order.
		before = s.titled("Plain HTTP is allowed")
		s.unsafeNow(exposed)
		if got := s.titled("Only encrypted connections are taken"); got.X != before.X || got.Y > before.Y {
			t.Errorf("the mended fact went from %v to %v", before, got)
		}
		s.board.enter(roomShare)
		s.board.enter(roomSafety)
		if _, there := find[*kit.Row](s, "Only encrypted connections are taken, in order"); !there {
			t.Error("back on the screen it is not among those in order")
		}
	})
}

// titled is where the fact of that title stands, which is a paragraph, as it may
// take more than one line.
func (s *stage) titled(title string) (at fyne.Position) {
	s.t.Helper()
	found := false
	visit(s.win.Content(), fyne.Position{}, rect{}, func(o fyne.CanvasObject, here, _ rect) {
		if p, ok := o.(*kit.Paragraph); ok && p.Text() == title {
			found, at = true, fyne.NewPos(here.x, here.y)
		}
	})
	if !found {
		s.t.Errorf("there is no fact %q on the screen, which says:\n%s", title, s.text())
	}
	return at
}

func TestCheckNowShowsThatItWorks(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		roomScenes()["safety-first"](s)
		s.says("Nothing was looked at yet", "Not checked yet.")
		s.keeper.stubborn = make(chan struct{})
		s.press("Check now")
		working := get[*kit.Button](s, "Checking…")
		if !working.Disabled() {
			t.Error("it can be asked twice")
		}
		s.settle()
		close(s.keeper.stubborn)
		s.settle()
		if !slices.Equal(s.keeper.calls, []string{"check"}) {
			t.Errorf("asked for %q", s.keeper.calls)
		}
		s.unsafeNow(nil)
		s.says("Checked 20 seconds ago, and again whenever something changes.")
		s.silent("Nothing was looked at yet")
		if get[*kit.Button](s, "Check now").Disabled() {
			t.Error("it cannot be asked again")
		}
	})
}

func TestTheButtonOfAFactActs(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		roomScenes()["safety-amber"](s)
		s.press("Refuse plain HTTP")
		if !get[*kit.Button](s, "Refuse plain HTTP").Disabled() {
			t.Error("it can be pressed twice")
		}
		s.settle()
		if want := []string{"set share.allow-http false", "check"}; !slices.Equal(s.keeper.calls, want) {
			t.Errorf("asked for %q, want %q", s.keeper.calls, want)
		}
		// The stage's state still has it: as with --allow-http.
		s.says("it was started with --allow-http.")
		s.keeper.err = &settings.ValueError{Name: settings.ShareAllowHTTP, Value: "false", Reason: "the moon is in the way"}
		s.press("Refuse plain HTTP")
		s.settle()
		s.says("the moon is in the way")
		s.press("Show keys")
		if s.board.at != roomKeys {
			t.Error("the keys are not shown")
		}
	})
}

func TestTheSidebarSaysHowSafeItIs(t *testing.T) {
	s := newStage(t, light)
	s.unsafeNow(all(exposed, forever("ben")))
	get[*kit.NavItem](s, "Safety, 1")
	s.says("1 safety problem")
	s.unsafeNow(forever("ben"))
	get[*kit.NavItem](s, "Safety, 1")
	s.silent("1 safety problem")
	if b := safetyBadge(s.state.Safety); b.tone != kit.Attention {
		t.Errorf("what is worth a look has the badge %v", b)
	}
	s.unsafeNow(nil)
	get[*kit.NavItem](s, "Safety")
}

func TestThePanicIsUndoneFromEveryRoom(t *testing.T) {
	s := newStage(t, light)
	s.show(with(func(st *share.State) { off(st); st.Panicked = true }))
	for _, r := range allRooms {
		s.board.enter(r)
		s.says("Everyone is cut off", "everyone is cut off")
		get[*kit.Button](s, "Undo the panic")
	}
	s.press("Undo the panic")
	if !s.has("undo") || !get[*kit.Button](s, "Undo the panic").Disabled() {
		t.Errorf("it asked for %q", s.asked)
	}
	s.show(with(func(st *share.State) { st.Panicked = true }))
	s.silent("Everyone is cut off")
	s.show(sharing())
	if _, there := find[*kit.Button](s, "Undo the panic"); there {
		t.Error("there is nothing to undo any more")
	}
}

func TestPanicIsAskedForFirst(t *testing.T) {
	r := newRig(t)
	if _, _, err := r.keys.Add(t.Context(), "ben", policyOf()); err != nil {
		t.Fatal(err)
	}
	r.sh.Start()
	r.pump("sharing", func() bool { return r.sh.State().Phase == share.Sharing })
	test.Tap(get[*kit.NavItem](r.s, "Safety"))
	suspended := func() bool { k, _ := r.keys.Find("ben"); return k.Suspended }
	r.s.press("Panic: stop and cut everyone off")
	if r.main.Canvas().Focused() != fyne.Focusable(r.over("Leave it")) {
		t.Error("the keyboard is not on the answer that changes nothing")
	}
	test.Tap(r.over("Leave it"))
	if suspended() || r.sh.State().Panicked {
		t.Fatal("it did not wait for an answer")
	}
	r.s.press("Panic: stop and cut everyone off")
	test.Tap(r.over("Cut everyone off"))
	r.pumpUntil("Everyone is cut off")
	if !suspended() || r.sh.State().Wanted {
		t.Error("the key is let in, or it is shared")
	}
	r.s.press("Undo the panic")
	r.pump("sharing again", func() bool { return r.sh.State().Phase == share.Sharing && !r.last.state.Panicked })
	if suspended() {
		t.Error("the key is not let in again")
	}
}

func TestPlainHTTPIsRefusedFromTheSafetyScreen(t *testing.T) {
	r := newRig(t)
	if err := r.sh.Settings().Set(settings.ShareAllowHTTP, "true"); err != nil {
		t.Fatal(err)
	}
	r.act(trayItem("safety"))
	r.pumpUntil("Plain HTTP is allowed\n")
	r.s.unfold("Plain HTTP is allowed") // where it was in order when the screen came
	if _, there := find[*kit.Button](r.s, "Refuse plain HTTP"); !there {
		t.Fatal("the fact has no button")
	}
	r.s.press("Refuse plain HTTP")
	r.pump("the end of it", func() bool { return !r.sh.Settings().Get().AllowHTTP })
	r.pump("the fact in order", func() bool { return strings.Contains(r.s.text(), "Only encrypted connections are taken\n") })
	if _, there := find[*kit.Button](r.s, "Refuse plain HTTP"); there {
		t.Error("what is done can be done again")
	}
}

func TestTheFooterHasWordsForEveryState(t *testing.T) {
	for want, st := range map[string]share.State{
		"Paused: until you resume":        {Phase: share.Paused},
		"Paused: until 15:32":             {Phase: share.Paused, PausedUntil: time.Date(2026, 11, 24, 15, 32, 0, 0, time.Local)},
		"Off: everyone is cut off":        {Phase: share.Off, Panicked: true},
		"Waiting: for its interface":      {Phase: share.Waiting, Problem: share.NoInterface},
		"Waiting: not your network":       {Phase: share.Waiting, Problem: share.OtherNetwork},
		"Waiting: this network is public": {Phase: share.Waiting, Problem: share.PublicNetwork},
		"Waiting: no certificate":         {Phase: share.Waiting, Problem: share.NoCertificate},
		"Sharing: its address has gone":   {Phase: share.Sharing, Problem: share.NoSuchAddr},
		"Sharing: 2 safety problems":      {Phase: share.Sharing, Safety: share.Safety{Problems: 2}, Problem: share.NoNetwork},
	} {
		if word, detail := footWords(st); word+": "+detail != want {
			t.Errorf("%q, want %q", word+": "+detail, want)
		}
	}
}
