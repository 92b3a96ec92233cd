//go:build !lite

package ui

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"paddock/policy"
	"paddock/share"
	"paddock/ui/kit"
)

func TestAPresetIsSwitchedOnTheScreen(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		scenes()["sites"](s)
		s.says("Programs are not affected")
		power := get[*kit.Switch](s, "Obsidian may use Ollama")
		test.Tap(power)
		if power.On() || !power.Pending() {
			t.Error("a tap moved the switch, or does not show that it waits")
		}
		s.settle()
		if got := s.keeper.calls; len(got) != 1 || got[0] != "allow obsidian" {
			t.Fatalf("asked for %q", got)
		}
		s.show(with(func(st *share.State) { st.Websites.Presets[2].Allowed = true }))
		if !power.On() || power.Pending() {
			t.Error("the state does not show")
		}
		test.Tap(power)
		s.settle()
		if got := s.keeper.calls; got[len(got)-1] != "block obsidian" {
			t.Errorf("asked for %q", got)
		}
	})
}

func TestARefusedWebsiteIsAllowedInItsPlace(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		scenes()["sites"](s)
		s.says("https://chat.example.com", "12 times, last at ", "also let in by “Obsidian” below")
		allow := get[*kit.Button](s, "Allow https://chat.example.com")
		test.Tap(allow)
		test.Tap(allow) // pressed twice
		s.settle()
		if got := s.keeper.calls; len(got) != 1 || got[0] != "allow https://chat.example.com" {
			t.Fatalf("asked for %q", got)
		}
		place := s.placeOf("https://chat.example.com")
		scenes()["sites-done"](s)
		if got := s.placeOf("https://chat.example.com"); got != place {
			t.Errorf("the line went from %v to %v", place, got)
		}
		s.says("Allowed\n")
		if _, there := find[*kit.Button](s, "Allow https://chat.example.com"); there {
			t.Error("what is allowed can be allowed again")
		}
		// Back on the screen it is gone from here, and in the list alone.
		s.board.enter(roomKeys)
		s.board.enter(roomWebsites)
		if n := strings.Count(s.text(), "\nhttps://chat.example.com\n"); n != 1 {
			t.Errorf("it stands there %d times", n)
		}
	})
}

// placeOf is where the first text of that wording stands.
func (s *stage) placeOf(text string) (at fyne.Position) {
	found := false
	visit(s.win.Content(), fyne.Position{}, rect{}, func(o fyne.CanvasObject, here, _ rect) {
		if x, ok := o.(*kit.Text); ok && !found && x.Text() == text {
			found, at = true, fyne.NewPos(here.x, here.y)
		}
	})
	return at
}

// A page that is turned away at the right moment must not get the click that was
// meant for another one.
func TestNothingMovesUnderThePointer(t *testing.T) {
	s := newStage(t, light)
	scenes()["sites"](s)
	before := s.placeOf("app://obsidian.md")
	s.show(with(func(st *share.State) {
		st.Websites.Refused = append([]share.RefusedOrigin{{Origin: "https://evil.example", Count: 1, Last: now}}, st.Websites.Refused[1], st.Websites.Refused[0])
	}))
	s.says("https://evil.example", "just now")
	if got := s.placeOf("app://obsidian.md"); got != before {
		t.Errorf("the line went from %v to %v", before, got)
	}
	s.board.enter(roomShare)
	s.board.enter(roomWebsites)
	if s.placeOf("https://evil.example").Y >= s.placeOf("app://obsidian.md").Y {
		t.Error("the newest one is not the first when the screen is opened again")
	}
}

func TestALineOfTheListIsRemovedAndPutBack(t *testing.T) {
	bubble(t, func(t *testing.T, s *stage) {
		scenes()["sites"](s)
		s.press("Remove https://notes.example.org")
		s.settle()
		gone := with(func(st *share.State) { st.Websites.List = st.Websites.List[1:] })
		s.show(gone)
		s.says("https://notes.example.org", "removed; presets and other lines decide")
		if _, there := find[*kit.Switch](s, "https://notes.example.org may use Ollama"); there {
			t.Error("what was removed has a switch")
		}
		s.press("Put back https://notes.example.org")
		s.settle()
		s.show(sharing())
		if !get[*kit.Switch](s, "https://notes.example.org may use Ollama").On() {
			t.Error("it is not back as it was")
		}
		test.Tap(get[*kit.Switch](s, "http://localhost:3000 may use Ollama"))
		s.settle()
		want := []string{"forget https://notes.example.org", "allow https://notes.example.org", "allow http://localhost:3000"}
		if !slices.Equal(s.keeper.calls, want) {
			t.Errorf("asked for %q", s.keeper.calls)
		}
	})
}

func TestAWebsiteIsTypedIn(t *testing.T) {
	const field = "such as https://chat.example.com"
	for text, says := range map[string]string{
		"":                          "Write the address of the website.",
		"null":                      "\"null\" is what every page",
		"*":                         "Allowing every website would let",
		"example.com":               "An origin is a scheme, a host",
		"https://*.example.com":     "An origin is a scheme, a host",
		"https://notes.example.org": "It is in the list.",
	} {
		bubble(t, func(t *testing.T, s *stage) {
			scenes()["sites"](s)
			s.fill(field, text)
			s.press("Allow this website")
			s.settle()
			s.says(says)
			s.fits(says)
			if len(s.keeper.calls) > 0 {
				t.Errorf("%q was asked for: %q", text, s.keeper.calls)
			}
		})
	}
	bubble(t, func(t *testing.T, s *stage) {
		scenes()["sites"](s)
		s.fill(field, " HTTPS://App.Example.com:443/ ")
		s.press("Allow this website")
		s.settle()
		if got := s.keeper.calls; len(got) != 1 || got[0] != "allow https://app.example.com" {
			t.Errorf("asked for %q", got)
		}
		s.says("{} ")
		s.keeper.err = errors.New("the moon is in the way")
		s.fill(field, "https://other.example.com")
		s.press("Allow this website")
		s.settle()
		s.says("The moon is in the way.", "{https://other.example.com}")
		s.press("OK")
		s.silent("The moon is in the way.")
	})
}

func TestManyRefusedWebsitesAreFolded(t *testing.T) {
	s := newStage(t, light)
	scenes()["sites"](s)
	s.show(with(func(st *share.State) {
		for i := range 40 {
			st.Websites.Refused = append(st.Websites.Refused, share.RefusedOrigin{Origin: fmt.Sprintf("https://%d.example.com", i), Count: 1, Last: now})
		}
	}))
	s.silent("https://20.example.com")
	s.press("Show all 42")
	s.says("https://20.example.com", "https://39.example.com")
}

func TestTheSidebarCountsWhatWasRefusedSinceTheOwnerLooked(t *testing.T) {
	s := newStage(t, light)
	s.show(sharing())
	get[*kit.NavItem](s, "Websites, 2")
	s.board.enter(roomWebsites)
	s.board.enter(roomShare)
	get[*kit.NavItem](s, "Websites")
	s.show(with(func(st *share.State) {
		st.Websites.Refused = append(st.Websites.Refused, share.RefusedOrigin{Origin: "https://new.example", Count: 1, Last: now})
	}))
	get[*kit.NavItem](s, "Websites, 1")
}

func TestEveryPresetIsOnTheScreen(t *testing.T) {
	s := newStage(t, light)
	scenes()["sites"](s)
	n := 0
	visit(s.win.Content(), fyne.Position{}, rect{}, func(o fyne.CanvasObject, _, _ rect) {
		if _, ok := o.(*kit.Switch); ok {
			n++
		}
	})
	if want := len(policy.Presets()) + len(someWebsites().List); n != want {
		t.Errorf("%d switches, want %d", n, want)
	}
}

func TestAHealIsToldUntilItIsRead(t *testing.T) {
	s := newStage(t, light)
	scenes()["share-healed"](s)
	s.says("llama3 had stopped answering; Paddock restarted it at ", "It has happened 2 times lately.", "1 running · 3 waiting")
	s.press("OK")
	s.silent("had stopped answering")
	scenes()["share-healed"](s)
	s.silent("had stopped answering")
	scenes()["share-unhealed"](s)
	s.silent("stopped answering") // it is as old as the one that was read
	s.show(with(func(st *share.State) {
		st.Heals = []share.Heal{{Model: "llama3:latest", At: now.Add(-time.Minute), Fault: "it does not leave the memory"}}
	}))
	s.says("llama3 has stopped answering, and Paddock could not restart it at ", "it does not leave the memory. Restarting Ollama helps.")
}
