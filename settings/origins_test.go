package settings

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"paddock/internal/atomicfile"
	"paddock/policy"
)

func rule(origin string, allowed bool) policy.OriginRule {
	return policy.OriginRule{Origin: origin, Allowed: allowed}
}

func TestWebsitesAreKeptInTheirOrderAndOneSpelling(t *testing.T) {
	home := t.TempDir()
	s := open(t, home)
	for _, r := range []policy.OriginRule{
		rule("https://app.example.com", true),
		rule("local", true),
		rule("http://localhost:*", false),
		rule(" HTTPS://App.Example.com:443/ ", false), // the first one again, which keeps its place
	} {
		if err := s.SetOrigin(r); err != nil {
			t.Fatal(err)
		}
	}
	want := []policy.OriginRule{rule("https://app.example.com", false), rule("local", true), rule("http://localhost:*", false)}
	if got := s.Get().Origins; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if got := open(t, home).Get().Origins; !slices.Equal(got, want) {
		t.Errorf("the file says %v", got)
	}
	for _, i := range s.List() {
		if i.Name == "origins" {
			t.Error("the list of settings shows the websites")
		}
	}
	if err := s.RemoveOrigin("LOCAL"); err == nil {
		t.Error("the name of a preset is not written in capitals")
	}
	if err := s.RemoveOrigin("https://APP.example.com/"); err != nil {
		t.Fatal(err)
	}
	if got := open(t, home).Get().Origins; !slices.Equal(got, want[1:]) {
		t.Errorf("after the removal the file says %v", got)
	}
	for _, origin := range []string{"local", "http://localhost:*"} {
		if err := s.RemoveOrigin(origin); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := os.ReadFile(filepath.Join(home, File)); err != nil || strings.Contains(string(b), "origins") {
		t.Errorf("an empty list is left in %s, %v", b, err)
	}
}

func TestAListThatWasHandedOutDoesNotChange(t *testing.T) {
	s := open(t, t.TempDir())
	for _, origin := range []string{"http://a", "http://b", "http://c"} {
		if err := s.SetOrigin(rule(origin, true)); err != nil {
			t.Fatal(err)
		}
	}
	had := s.Get().Origins
	before := slices.Clone(had)
	if err := errors.Join(s.SetOrigin(rule("http://b", false)), s.RemoveOrigin("http://a"), s.SetOrigin(rule("http://d", true))); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(had, before) {
		t.Errorf("it is %v now", had)
	}
}

func TestWebsitesThatCannotBe(t *testing.T) {
	s := open(t, t.TempDir())
	wake, stop := s.Watch()
	defer stop()
	for _, origin := range []string{"", "*", "null", "localhost", "https://*", "https://a.example/path", "locals"} {
		for what, err := range map[string]error{"SetOrigin": s.SetOrigin(rule(origin, true)), "RemoveOrigin": s.RemoveOrigin(origin)} {
			if bad, ok := errors.AsType[*ValueError](err); !ok || bad.Value != origin || bad.Reason == "" {
				t.Errorf("%s(%q): %v", what, origin, err)
			}
		}
	}
	if err := s.RemoveOrigin("https://a.example"); !errors.Is(err, ErrNoOrigin) {
		t.Errorf("one that is not there: %v", err)
	}
	if len(s.Get().Origins) != 0 || len(wake) != 0 {
		t.Error("something has changed")
	}
}

func TestTheListOfWebsitesIsBounded(t *testing.T) {
	home := t.TempDir()
	s := open(t, home)
	full := make([]policy.OriginRule, MaxOrigins)
	for i := range full {
		full[i] = rule(fmt.Sprintf("http://n%d", i), true)
	}
	if err := s.changeOrigins(func([]policy.OriginRule) ([]policy.OriginRule, error) { return full, nil }); err != nil {
		t.Fatal(err)
	}
	if err := s.SetOrigin(rule("http://one-more", true)); !errors.Is(err, ErrTooManyOrigins) {
		t.Errorf("one more: %v", err)
	}
	if err := s.SetOrigin(rule("http://n7", false)); err != nil || s.Get().Origins[7].Allowed {
		t.Errorf("one that is there: %v", err)
	}
	if got := open(t, home).Get().Origins; len(got) != MaxOrigins {
		t.Errorf("the file has %d", len(got))
	}
}

func TestWebsitesWake(t *testing.T) {
	s := open(t, t.TempDir())
	wake, stop := s.Watch()
	defer stop()
	for i, c := range []struct {
		change func() error
		wakes  bool
	}{
		{func() error { return s.SetOrigin(rule("http://a", true)) }, true},
		{func() error { return s.SetOrigin(rule("http://A/", true)) }, false},
		{func() error { return s.SetOrigin(rule("http://a", false)) }, true},
		{func() error { return s.RemoveOrigin("http://a") }, true},
	} {
		if err := c.change(); err != nil {
			t.Fatal(err)
		}
		if woken := len(wake) > 0; woken != c.wakes {
			t.Errorf("change %d: woken %v", i, woken)
		}
		for len(wake) > 0 {
			<-wake
		}
	}
}

func TestAWebsiteThatCannotBeSaved(t *testing.T) {
	home := t.TempDir()
	s := open(t, home)
	if err := os.MkdirAll(filepath.Join(home, File, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.SetOrigin(rule("http://a", true)); err == nil || len(s.Get().Origins) != 0 {
		t.Errorf("%v, and memory has %v", err, s.Get().Origins)
	}
}

func TestWebsitesWrittenByHand(t *testing.T) {
	home := t.TempDir()
	write(t, home, `{"version":1,"origins":[{"origin":"HTTPS://App.example.com/","allowed":true},{"origin":"obsidian"}]}`)
	s := open(t, home)
	if got := s.Get().Origins; !slices.Equal(got, []policy.OriginRule{rule("https://app.example.com", true), rule("obsidian", false)}) {
		t.Errorf("got %v", got)
	}
	write(t, home, `{"version":1,"origins":{"https://a":true}}`)
	if _, err := Open(home); err == nil {
		t.Error("a list of another shape was taken")
	} else if _, ok := errors.AsType[*atomicfile.DamagedError](err); !ok {
		t.Errorf("got %v", err)
	}
}
