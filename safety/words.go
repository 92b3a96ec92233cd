package safety

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// longest is how much of a foreign text is shown, in characters.
const longest = 80

// clean makes text from outside fit for a sentence: nothing that moves a
// cursor or turns the direction of writing, and not too much of it.
func clean(s string) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n == longest {
			b.WriteRune('…')
			break
		}
		if unicode.IsPrint(r) && r != unicode.ReplacementChar {
			b.WriteRune(r)
			n++
		}
	}
	return strings.TrimSpace(b.String())
}

// count says a number of things.
func count(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return fmt.Sprintf(many, n)
}

// either picks the words for one or for several.
func either(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// some names up to three, and counts the rest.
func some(names []string) string {
	const most = 3
	shown := make([]string, 0, most+1)
	for _, n := range names[:min(most, len(names))] {
		shown = append(shown, clean(n))
	}
	if rest := len(names) - len(shown); rest > 0 {
		shown = append(shown, fmt.Sprintf("%d more", rest))
	}
	return and(shown)
}

// and joins words as a sentence does.
func and(words []string) string {
	switch len(words) {
	case 0:
		return ""
	case 1:
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// day writes a date the way it is read without doubt.
func (e Evidence) day(t time.Time) string { return t.In(e.Now.Location()).Format("2 January 2006") }

// moment writes when something was looked at.
func (e Evidence) moment(t time.Time) string { return t.In(e.Now.Location()).Format("15:04") }

// systemName is what people call an operating system.
func systemName(goos string) string {
	switch goos {
	case "darwin":
		return "macOS"
	case "windows":
		return "Windows"
	case "linux":
		return "Linux"
	}
	return "this system"
}
