//go:build !lite

package ui

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"paddock/keystore"
	"paddock/policy"
	"paddock/settings"
	"paddock/share"
	"paddock/ui/kit"
	"paddock/ui/tray"
)

func policyOf() policy.Grant { return policy.Grant{} }

func trayItem(a tray.Action) tray.Item { return tray.Item{Action: a} }

// over is the button of that name in the question over the window.
func (r *rig) over(name string) (found *kit.Button) {
	r.s.t.Helper()
	for _, o := range r.main.Canvas().Overlays().List() {
		visit(o, fyne.Position{}, rect{}, func(o fyne.CanvasObject, _, _ rect) {
			if b, ok := o.(*kit.Button); ok && b.AccessibilityLabel() == name {
				found = b
			}
		})
	}
	if found == nil {
		r.s.t.Fatalf("no question has the answer %q", name)
	}
	return found
}

func TestASwitchIsTheSetting(t *testing.T) {
	r := newRig(t)
	test.Tap(get[*kit.NavItem](r.s, "Settings"))
	for name, value := range map[string]func(settings.Settings) bool{
		"Keep awake while a request runs":   func(s settings.Settings) bool { return s.KeepAwake },
		"Start sharing when Paddock starts": func(s settings.Settings) bool { return s.AtStart },
		"Announce on the network":           func(s settings.Settings) bool { return s.Discovery },
	} {
		power := get[*kit.Switch](r.s, name)
		for _, want := range []bool{true, false} {
			test.Tap(power)
			r.pump(name, func() bool { return value(r.sh.Settings().Get()) == want && power.On() == want && !power.Pending() })
		}
		// The other way round: `paddock settings` moves the switch.
		if name == "Keep awake while a request runs" {
			if err := r.sh.Settings().Set(settings.ShareKeepAwake, "true"); err != nil {
				t.Fatal(err)
			}
			r.pump("the switch", power.On)
		}
	}
}

func TestPlainHTTPIsAskedForOnlyOnTheWayOn(t *testing.T) {
	r := newRig(t)
	test.Tap(get[*kit.NavItem](r.s, "Settings"))
	power := get[*kit.Switch](r.s, "Allow plain HTTP")
	allowed := func() bool { return r.sh.Settings().Get().AllowHTTP }
	test.Tap(power)
	r.s.says("Everybody who listens in on the network can then read keys, prompts and answers", "make a new secret for it")
	if r.main.Canvas().Focused() != fyne.Focusable(get[*kit.Button](r.s, "Leave it off")) {
		t.Error("the keyboard is not on the answer that changes nothing")
	}
	r.s.hit(fyne.KeyEscape)
	r.s.silent("Let requests in that are not encrypted?")
	if allowed() || power.On() || power.Pending() {
		t.Fatal("it did not wait for an answer")
	}
	test.Tap(power)
	r.s.press("Allow plain HTTP")
	r.pump("plain HTTP", func() bool { return allowed() && power.On() && !power.Pending() })
	test.Tap(power)
	r.s.silent("Let requests in that are not encrypted?")
	r.pump("its end", func() bool { return !allowed() && !power.On() && !power.Pending() })
}

func TestANewAuthorityIsAskedForFirst(t *testing.T) {
	r := newRig(t)
	test.Tap(get[*kit.NavItem](r.s, "Settings"))
	r.pumpUntil("Paddock makes one when it shares for the first time.")
	r.sh.Start()
	r.pump("an authority", func() bool { return r.last.state.Encryption.Fingerprint != "" })
	first := r.sh.State().Encryption.Fingerprint
	r.s.says("It is in memory only", first[:8])
	r.s.press("New certificate authority…")
	r.s.says("their programs refuse to connect", "Connections that are open now run on.")
	r.s.press("Keep this one")
	r.s.silent("refuse to connect")
	if r.sh.State().Encryption.Fingerprint != first {
		t.Fatal("it did not wait for an answer")
	}
	r.s.press("New certificate authority…")
	r.s.press("Make a new one")
	if !get[*kit.Button](r.s, "New certificate authority…").Disabled() {
		t.Error("it can be asked for twice")
	}
	r.pumpUntil("The new authority is in force. Teammates need the new ca.pem now.")
	if r.sh.State().Encryption.Fingerprint == first {
		t.Error("it is the old one")
	}
}

func TestAskingTheKeychainForANewAuthorityShows(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		roomScenes()["settings-rotating"](s)
		s.says("Asking the keychain for a place for the new private key.")
		synctest.Wait()
		s.board.enter(roomShare)
		s.board.enter(roomSettings)
		s.says("Asking the keychain")
	})
	bubble(t, func(t *testing.T, s *stage) {
		roomScenes()["settings-unrotated"](s)
		s.says("There is no new authority, and nothing has changed. The keychain is locked. Unlock it, then try again.")
	})
}

func TestAnOwnCertificateIsGivenAndTakenBack(t *testing.T) {
	r := newRig(t)
	const keyField = "Private key, a PEM file"
	test.Tap(get[*kit.NavItem](r.s, "Settings"))
	if !get[*kit.Button](r.s, "Apply the certificate").Disabled() {
		t.Error("there is nothing to apply")
	}
	r.s.fill(certField, "gate.pem")
	r.s.press("Apply the certificate")
	r.s.says("The certificate needs its key.")
	r.s.fill(keyField, "gate.key")
	r.s.silent("The certificate needs its key.")
	r.s.press("Apply the certificate")
	r.pumpUntil("The path of the file is written in full")
	cert, key := r.sh.Home()+"/gate.pem", r.sh.Home()+"/gate.key"
	r.s.fill(certField, cert)
	r.s.fill(keyField, "gate.key")
	r.s.press("Apply the certificate")
	r.pumpUntil("The path of the file is written in full")
	r.pump("the old value", func() bool { return r.sh.Settings().Get().Certificate == "" }) // both or neither
	r.s.fill(keyField, key)
	r.s.press("Apply the certificate")
	r.pump("both settings", func() bool {
		now := r.sh.Settings().Get()
		return now.Certificate == cert && now.CertificateKey == key && !get[*kit.Button](r.s, "Clear the certificate").Disabled()
	})
	r.pumpUntil("gate.pem: no such file.")
	r.s.press("Clear the certificate")
	r.pump("the end of the fault", func() bool { return !strings.Contains(r.s.text(), "no such file") })
	if now := r.sh.Settings().Get(); now.Certificate+now.CertificateKey != "" {
		t.Errorf("the settings are %q and %q", now.Certificate, now.CertificateKey)
	}
	r.s.says("{} ")
}

func TestWhatIsTypedStaysWhenTheStateChanges(t *testing.T) {
	s := newStage(t, light)
	roomScenes()["settings"](s)
	s.choices.Certificate, s.choices.CertificateKey = "/a.pem", "/a.key"
	s.show(with(atHome))
	s.says("{/a.pem}", "{/a.key}")
	s.fill(certField, "/b")
	s.choices.Certificate, s.choices.CertificateKey = "/c.pem", "/c.key"
	s.show(with(atHome))
	s.says("{/b}", "{/a.key}")
}

func TestTheNetworkIsChosen(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		roomScenes()["settings"](s)
		choose := func(title, want string) {
			t.Helper()
			test.Tap(get[*kit.Choice](s, title))
			s.settle()
			if got := s.keeper.calls[len(s.keeper.calls)-1:]; want != "" && !slices.Equal(got, []string{"set share.network " + want}) {
				t.Errorf("%s: asked for %q", title, s.keeper.calls)
			}
		}
		s.keeper.calls = []string{""}
		choose("All private networks", "") // it is the choice
		if len(s.keeper.calls) != 1 {
			t.Errorf("asked for %q", s.keeper.calls)
		}
		choose("One interface", "interface:wlan0")
		choose("Only this network", "here")
		s.show(with(func(st *share.State) { atHome(st); st.Networks.Choice = "only:wlan0,192.168.1.0/24,aa:bb:cc:dd:ee:ff" }))
		if !get[*kit.Choice](s, "Only this network").Chosen() || get[*kit.Choice](s, "All private networks").Chosen() {
			t.Error("the choice does not show")
		}
		s.says("by its router's hardware address")
		calls := len(s.keeper.calls)
		choose("Only this network", "")
		if len(s.keeper.calls) != calls {
			t.Errorf("asked for what is so: %q", s.keeper.calls)
		}
		s.keeper.err = share.ErrNoNetwork
		choose("All private networks", "private")
		s.says("This computer is on no private network now")
	})
}

func TestStartAtLoginIsReadAndChanged(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		s.keeper.atLogin = true
		s.show(with(atHome))
		s.board.enter(roomSettings)
		power := get[*kit.Switch](s, "Start Paddock at login")
		if !power.Disabled() {
			t.Error("it can be changed before it is known")
		}
		s.settle()
		if !power.On() || power.Disabled() {
			t.Error("what the system says does not show")
		}
		test.Tap(power)
		s.settle()
		if power.On() || power.Pending() || !slices.Contains(s.keeper.calls, "at login false") {
			t.Errorf("on %v, pending %v, asked for %q", power.On(), power.Pending(), s.keeper.calls)
		}
		s.keeper.err = errors.New("the moon is in the way")
		test.Tap(power)
		s.settle()
		s.says("The moon is in the way.")
		if power.On() || power.Pending() {
			t.Error("it says what is not so")
		}
	})
	bubble(t, func(t *testing.T, s *stage) {
		roomScenes()["settings-failed"](s)
		s.says("Whether it does cannot be read.")
		if get[*kit.Switch](s, "Start Paddock at login").Disabled() {
			t.Error("what cannot be read cannot be written either")
		}
	})
}

func TestPlainHTTPByTheCommandLineCannotBeSwitchedOff(t *testing.T) {
	s := newStage(t, light)
	roomScenes()["settings-flag"](s)
	power := get[*kit.Switch](s, "Allow plain HTTP")
	if !power.On() || !power.Disabled() {
		t.Error("the switch does not say what is so")
	}
	s.says("Paddock was started with --allow-http.")
}

func TestALockedVaultIsTriedAgain(t *testing.T) {
	s := newStage(t, light)
	roomScenes()["settings-locked"](s)
	s.says("The keychain is locked.", "nobody can connect encrypted", "Unlock it, then try again.")
	s.press("Try again")
	if !slices.Contains(s.keeper.calls, "start") {
		t.Errorf("asked for %q", s.keeper.calls)
	}
}

// From the first control to the last by Tab, in the order in which they stand.
func TestTheTabKeyGoesDownTheSettings(t *testing.T) {
	s := newStage(t, light)
	roomScenes()["settings"](s)
	c := s.win.Canvas()
	c.Focus(get[*kit.Switch](s, "Allow plain HTTP"))
	var names []string
	for range 14 {
		if a, ok := c.Focused().(interface{ AccessibilityLabel() string }); ok {
			names = append(names, a.AccessibilityLabel())
		}
		c.FocusNext()
	}
	want := []string{
		"Allow plain HTTP", "New certificate authority…", "Copy Fingerprint", "Copy File", certField, "Private key, a PEM file",
		"All private networks", "One interface", "Which interface", "Only this network", "Announce on the network",
		"Start Paddock at login", "Start sharing when Paddock starts", "Keep awake while a request runs",
	}
	if !slices.Equal(names, want) {
		t.Errorf("Tab goes\n%q, want\n%q", names, want)
	}
}

func TestProblemsOfTheAuthorityAndTheNetworkHaveWords(t *testing.T) {
	for _, err := range []error{
		share.ErrNoNetwork,
		&share.AuthorityError{Fault: share.CertVault, Detail: string(share.VaultSilent)},
		&share.AuthorityError{Fault: share.CertUnsaved, Detail: keystore.ErrClosed.Error()},
	} {
		if got := problem(err); !strings.HasSuffix(got, ".") || strings.Contains(got, err.Error()) {
			t.Errorf("%v is said as %q", err, got)
		}
	}
}
