package logview

import (
	"fmt"
	"strings"
	"time"

	"paddock/requestlog"
	"paddock/share"
	"paddock/ui/tray"
)

// count writes a number with its noun, in groups of three from five digits on.
func count(n uint64, one, many string) string {
	noun := many
	if n == 1 {
		noun = one
	}
	return Number(n) + " " + noun
}

// Number writes a number in groups of three from five digits on.
func Number(n uint64) string {
	s := fmt.Sprint(n)
	if len(s) < 5 {
		return s
	}
	var groups []string
	for ; len(s) > 3; s = s[:len(s)-3] {
		groups = append([]string{s[len(s)-3:]}, groups...)
	}
	return strings.Join(append([]string{s}, groups...), "\u00a0")
}

// statusLine sums up everything since the program started, not only what is listed.
func statusLine(running, queued int, t requestlog.Totals, missed uint64, now time.Time) string {
	since := t.Since.Local().Format("15:04")
	if t.Since.Local().YearDay() != now.Local().YearDay() {
		since = t.Since.Local().Format("Mon 15:04")
	}
	all := "No requests"
	if n := t.Requests + uint64(running+queued); n > 0 {
		all = count(n, "request", "requests")
	}
	parts := []string{all + " since " + since}
	if t.Refused > 0 {
		parts = append(parts, Number(t.Refused)+" refused")
	}
	if t.Failed > 0 {
		parts = append(parts, Number(t.Failed)+" failed")
	}
	if running > 0 {
		parts = append(parts, fmt.Sprintf("%d running", running))
	}
	if queued > 0 {
		parts = append(parts, fmt.Sprintf("%d waiting", queued))
	}
	if missed > 0 {
		parts = append(parts, Number(missed)+" gone before they could be listed")
	}
	return strings.Join(parts, " · ")
}

// bandWords says why new rows wait; a held list into which nothing came needs
// no excuse.
func bandWords(h Hold, waiting int) string {
	switch h {
	case HeldByPause:
		return "list held still until you follow again"
	case HeldBySelection:
		return "list held still while a row is selected"
	case HeldByScroll:
		return "list held still while it is scrolled"
	case HeldByPointer:
		if waiting > 0 {
			return "list held still under the pointer"
		}
	case NotHeld:
	}
	return ""
}

func olderWords(n uint64) string {
	if n == 0 {
		return ""
	}
	if n == 1 {
		return "1 older row is not listed"
	}
	return Number(n) + " older rows are not listed"
}

func asideWords(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "1 column hidden"
	}
	return fmt.Sprintf("%d columns hidden", n)
}

// emptyWords is what an empty log says, by what sharing does.
type emptyWords struct {
	title, sentence string
	start           bool   // offer to start sharing
	curl            string // lines to try on another computer
}

func emptyFor(s share.State, now time.Time) emptyWords {
	switch s.Phase {
	case share.Off, share.Stopping:
		return emptyWords{
			title: "Not sharing", start: s.Phase == share.Off,
			sentence: "While you share, every request that teammates send shows here: who, with which program and model, and how it ended.",
		}
	case share.Starting:
		return emptyWords{title: "Starting…", sentence: "The gate is being opened."}
	case share.Paused:
		return emptyWords{
			title:    "Paused " + tray.Until(s.PausedUntil, now),
			sentence: "Teammates with a key are told to come again later, and those attempts show here. The Share screen has a button to resume.",
		}
	case share.Waiting:
		return emptyWords{title: "Not sharing yet", sentence: "Something is in the way. The Share screen says what it is, and sharing goes on by itself when it has gone."}
	case share.Sharing:
	}
	if s.Problem == share.NoNetwork || s.Address() == "" {
		return emptyWords{title: "Nothing yet", sentence: "You are sharing, but this computer is in no network where others could reach it."}
	}
	return emptyWords{
		title:    "Nothing yet",
		sentence: "You are sharing. When a teammate sends something, it shows here at once. To try it, paste this on another computer, with a key in PADDOCK_KEY.",
		curl:     curlLines(s.Address(), s.Encryption.Own),
	}
}

// curlLines ask for the models. Where the gate proves itself by its own
// authority, its certificate is fetched first; how to check that is told where
// keys are handed out.
func curlLines(address string, own bool) string {
	address = strings.TrimSuffix(address, "/")
	const key = `-H "Authorization: Bearer $PADDOCK_KEY"`
	if own || !strings.HasPrefix(address, "https:") {
		return "curl " + address + "/api/tags " + key
	}
	return "curl -k " + address + "/paddock/ca.pem -o paddock-ca.pem\ncurl --cacert paddock-ca.pem " + address + "/api/tags \\\n  " + key
}

// shortcut is one line of the list behind "?".
type shortcut struct{ keys, does string }

func shortcuts(mac bool) []shortcut {
	mod := "Ctrl "
	if mac {
		mod = "⌘"
	}
	return []shortcut{
		{"Up, Down", "select a row"},
		{"Page Up, Page Down", "select a row one page away"},
		{"Home", "show the newest rows"},
		{"End", "show the oldest rows"},
		{"Space", "pause the list, or follow again"},
		{mod + "C", "copy the selected row"},
		{"Del", "stop the selected request, running or waiting"},
		{"Esc", "clear the selection"},
		{"?", "show this list"},
	}
}
