//go:build !lite

package websites

import (
	"errors"
	"testing"
	"time"

	"paddock/policy"
)

func TestWhen(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.Local)
	for d, want := range map[time.Duration]string{
		-time.Second: "just now", 59 * time.Second: "just now", time.Hour: "at 11:00", 24 * time.Hour: "on 23 Nov, 12:00", 366 * 24 * time.Hour: "on 23 Nov, 12:00",
	} {
		if got := when(now.Add(-d), now); got != want {
			t.Errorf("%v ago is %q, want %q", d, got, want)
		}
	}
}

func TestSentence(t *testing.T) {
	for text, want := range map[string]string{"": "", "it is so": "It is so.", "\"null\" is so": "\"null\" is so."} {
		if got := sentence(errors.New(text)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestEveryPresetHasWordsOfItsOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range policy.Presets() {
		got := presetOf(p.Name)
		for _, words := range []string{got.Title, got.Means} {
			if words == "" || words == p.Name || seen[words] {
				t.Errorf("%s is %q, as another is, or as its name", p.Name, words)
			}
			seen[words] = true
		}
	}
	if later := presetOf("later"); later.Title != "later" || later.Means != "" {
		t.Errorf("a preset from a newer list is %+v", later)
	}
}
