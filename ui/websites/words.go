//go:build !lite

package websites

import (
	"time"

	"paddock/policy"
)

// when says a moment: as a time where it was today, else with its day.
func when(at, now time.Time) string {
	at, now = at.Local(), now.Local()
	switch {
	case now.Sub(at) < time.Minute:
		return "just now"
	case at.YearDay() == now.YearDay() && at.Year() == now.Year():
		return "at " + at.Format("15:04")
	}
	return at.Format("on 2 Jan, 15:04")
}

// presetOf is the preset of a name. One that is not known has its name for a title.
func presetOf(name string) policy.Preset {
	if p, known := policy.FindPreset(name); known {
		return p
	}
	return policy.Preset{Name: name, Title: name}
}

// sentence makes one of an error that is written to be read.
func sentence(err error) string {
	s := []rune(err.Error())
	if len(s) == 0 {
		return ""
	}
	if c := s[0]; c >= 'a' && c <= 'z' {
		s[0] = c - 'a' + 'A'
	}
	return string(s) + "."
}
