//go:build !lite

package safety

import (
	"strings"
	"testing"
	"time"

	"paddock/assets"
	facts "paddock/safety"
)

func TestTheAgeOfACheckIsSaid(t *testing.T) {
	now := time.Date(2026, 11, 24, 14, 32, 20, 0, time.Local)
	for age, want := range map[time.Duration]string{
		0:                    "Checked just now, and again whenever something changes.",
		9 * time.Second:      "Checked just now",
		29 * time.Second:     "Checked 20 seconds ago",
		61 * time.Second:     "Checked a minute ago",
		59 * time.Minute:     "Checked 59 minutes ago",
		2 * time.Hour:        "Checked at 12:32",
		23 * time.Hour:       "Checked on 23 November, 15:32",
		366 * 24 * time.Hour: "Checked on 23 November, 14:32",
	} {
		if got := checkedWords(now.Add(-age), now); !strings.HasPrefix(got, want) {
			t.Errorf("after %v: %q, want %q", age, got, want)
		}
	}
	if got := checkedWords(time.Time{}, now); got != "Not checked yet." {
		t.Errorf("before the first: %q", got)
	}
}

// Take the colours away and nothing may be lost.
func TestEveryLevelHasAShapeAndAWordOfItsOwn(t *testing.T) {
	shapes, words := map[assets.Icon]bool{}, map[string]bool{}
	for _, l := range []facts.Level{facts.Problem, facts.Attention, facts.OK, facts.Unknown} {
		_, shape := looks(l)
		if shape == "" || shapes[shape] || words[levelWord(l)] {
			t.Errorf("%s has the shape %q and the word %q", l, shape, levelWord(l))
		}
		shapes[shape], words[levelWord(l)] = true, true
		if one, two := countWords(l, 1), countWords(l, 2); !strings.HasPrefix(one, "1 ") || !strings.HasPrefix(two, "2 ") {
			t.Errorf("%s is counted as %q and %q", l, one, two)
		}
	}
}

func TestEveryMendThatTheProgramCanDoHasAButton(t *testing.T) {
	for _, act := range []string{facts.ActRequireTLS, facts.ActOpenKeys} {
		if actWords(act) == "" {
			t.Errorf("%s has no word", act)
		}
	}
	if actWords("") != "" {
		t.Error("a fact without a mend has a button")
	}
}
