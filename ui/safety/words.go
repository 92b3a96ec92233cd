//go:build !lite

package safety

import (
	"fmt"
	"time"

	"paddock/assets"
	facts "paddock/safety"
	"paddock/ui/kit"
)

// Count is how many of the facts have this level.
func Count(list []facts.Fact, level facts.Level) int {
	n := 0
	for _, f := range list {
		if f.Level == level {
			n++
		}
	}
	return n
}

func countWords(level facts.Level, n int) string {
	switch level {
	case facts.Problem:
		if n == 1 {
			return "1 problem"
		}
		return fmt.Sprintf("%d problems", n)
	case facts.Attention:
		return fmt.Sprintf("%d to look at", n)
	case facts.OK:
		return fmt.Sprintf("%d in order", n)
	case facts.Unknown:
	}
	return fmt.Sprintf("%d not known", n)
}

// looks is the shape and the colour of a level.
func looks(level facts.Level) (kit.Tone, assets.Icon) {
	switch level {
	case facts.Problem:
		return kit.Refused, assets.Danger
	case facts.Attention:
		return kit.Attention, assets.Attention
	case facts.OK:
		return kit.Allowed, assets.Allowed
	case facts.Unknown:
	}
	return kit.Neutral, assets.Unknown
}

// levelWord says a level to those who cannot see its shape.
func levelWord(level facts.Level) string {
	switch level {
	case facts.Problem:
		return "problem"
	case facts.Attention:
		return "to look at"
	case facts.OK:
		return "in order"
	case facts.Unknown:
	}
	return "not known"
}

// actWords are what the button of a fact says, or "".
func actWords(act string) string {
	switch act {
	case facts.ActRequireTLS:
		return "Refuse plain HTTP"
	case facts.ActOpenKeys:
		return "Show keys"
	}
	return ""
}

// checkedWords say how old the facts are.
func checkedWords(at, now time.Time) string {
	const and = ", and again whenever something changes."
	age := now.Sub(at)
	switch {
	case at.IsZero():
		return "Not checked yet."
	case age < 10*time.Second:
		return "Checked just now" + and
	case age < time.Minute:
		return fmt.Sprintf("Checked %d seconds ago", int(age.Seconds())/10*10) + and
	case age < 2*time.Minute:
		return "Checked a minute ago" + and
	case age < time.Hour:
		return fmt.Sprintf("Checked %d minutes ago", int(age.Minutes())) + and
	case at.Local().YearDay() == now.Local().YearDay() && age < 24*time.Hour:
		return "Checked at " + at.Local().Format("15:04") + and
	}
	return "Checked on " + at.Local().Format("2 January, 15:04") + and
}
