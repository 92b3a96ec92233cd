package logview

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"paddock/policy"
	"paddock/requestlog"
)

// Mark is the shape that stands before a result. Each has an icon of its own,
// so that a result can be told without its colour.
type Mark int

// The marks.
const (
	MarkDone      Mark = iota // answered to the end
	MarkRunning               // under way
	MarkRefused               // the verdict was no
	MarkAttention             // Ollama or the gate went wrong
	MarkStopped               // somebody ended it
	MarkWaiting               // in the queue
	MarkPaused                // told to come again, while the owner takes a break
	MarkEvent                 // no request: what the owner or the gate did
)

// RowText is all that a row shows, as text.
type RowText struct {
	Time                string
	Letter              string // on the chip
	Chip                int    // colour of the chip, 1 and up; 0 is the outline of somebody unknown
	Who                 string
	Device, Program     string
	What                string
	Model               string
	Result              string
	Mark                Mark
	Waited              string // in the queue, where that was felt
	First, Rate, Tokens string
	Took                string
	NothingHappened     bool // refused: what was asked for was not done
	Across              bool // no request: What goes across the row
}

// feltWait is the shortest wait worth a number: passing through an empty queue
// takes some microseconds too.
const feltWait = 10 * time.Millisecond

// Row puts an entry into words. A text that would say nothing stays empty.
func Row(e requestlog.Entry, now time.Time) RowText {
	if e.Phase == requestlog.Event {
		return RowText{Time: clock(e.Time, now), What: e.Action, Mark: MarkEvent, Across: true}
	}
	r := RowText{
		Time: clock(e.Time, now), Device: e.Address, Program: e.Program, What: e.Action, Model: e.Model,
		Letter: "?", Who: "unknown",
		Result: e.Result(), Mark: mark(e), NothingHappened: e.Phase == requestlog.Refused,
	}
	if e.KeyID != "" || e.Key != "" {
		r.Who, r.Letter, r.Chip = e.Key, letter(e.Key), e.Colour+1
	}
	if e.Phase == requestlog.Refused {
		return r // it took no time worth telling and no tokens at all
	}
	if e.Waited >= feltWait {
		r.Waited = requestlog.Seconds(e.Waited)
	}
	if e.FirstToken > 0 && e.TokensOut > 0 {
		r.First = requestlog.Seconds(e.FirstToken)
	}
	switch {
	case e.Rate >= 10:
		r.Rate = fmt.Sprintf("%.0f", e.Rate)
	case e.Rate > 0:
		r.Rate = fmt.Sprintf("%.1f", e.Rate)
	}
	switch {
	case e.TokensIn > 0:
		r.Tokens = fmt.Sprintf("%d→%d", e.TokensIn, e.TokensOut)
	case e.TokensOut > 0:
		r.Tokens = fmt.Sprintf("→%d", e.TokensOut) // Ollama counts the prompt at the end
	}
	r.Took = requestlog.Seconds(e.Took)
	return r
}

// Stopping returns the row of a request that was told to stop and has not ended.
func (r RowText) Stopping() RowText {
	r.Result, r.Mark = "Stopping…", MarkStopped
	return r
}

func mark(e requestlog.Entry) Mark {
	switch e.Phase {
	case requestlog.Running:
		return MarkRunning
	case requestlog.Waiting:
		return MarkWaiting
	case requestlog.Event:
		return MarkEvent
	case requestlog.Refused:
		if e.Reason == policy.Paused {
			return MarkPaused
		}
		return MarkRefused
	case requestlog.Cut:
		if e.CutBy == requestlog.CutByPause {
			return MarkPaused
		}
		return MarkStopped
	case requestlog.Done:
		if e.Upstream < 400 {
			return MarkDone
		}
	case requestlog.Failed:
	}
	return MarkAttention
}

// clock is the time of day, with the day where it is not today's.
func clock(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04:05")
	}
	return t.Format("Mon 15:04")
}

// letter is what a chip shows for a name: its first letter or digit.
func letter(name string) string {
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return string(unicode.ToUpper(r))
		}
	}
	return "•"
}

// Cell returns the text in the column of that name.
func (r RowText) Cell(column string) string {
	switch column {
	case colTime:
		return r.Time
	case colWho:
		return r.Who
	case colDevice:
		return r.Device
	case colProgram:
		return r.Program
	case colWhat:
		return r.What
	case colModel:
		return r.Model
	case colResult:
		return r.Result
	case colWaited:
		return r.Waited
	case colFirst:
		return r.First
	case colRate:
		return r.Rate
	case colTokens:
		return r.Tokens
	case colTook:
		return r.Took
	}
	return ""
}

// CopyText is the row for the clipboard: every column, also those that stepped
// aside, between tabs, with the date.
func CopyText(e requestlog.Entry, now time.Time) string {
	r := Row(e, now)
	r.Time = e.Time.Local().Format("2006-01-02 15:04:05")
	cells := make([]string, len(columns))
	for i, c := range columns {
		cells[i] = plainCell(r.Cell(c.id))
	}
	if inClear(e) {
		cells = append(cells, unencrypted)
	}
	return strings.Join(cells, "\t")
}

// plainCell keeps a text in its cell. A model or a program is named by whoever
// sent the request, and a spreadsheet runs what begins like a formula.
func plainCell(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	if s != "" && strings.ContainsRune("=+-@", rune(s[0])) {
		return "'" + s
	}
	return s
}

// unencrypted marks a request that others on the network could read along.
const unencrypted = "not encrypted"

// inClear says whether to say so: it is not for what was no request, nor where
// the verdict says it.
func inClear(e requestlog.Entry) bool {
	return e.TLS == "" && e.Phase != requestlog.Event && e.Reason != policy.PlainHTTP
}

// Summary is the whole row in one line, for the bar under the list and for
// those who cannot see the row.
func Summary(e requestlog.Entry, now time.Time) (result string, facts string) {
	r := Row(e, now)
	if r.Across {
		return "Note", r.Time + " · " + r.What // no verdict, and what says it may be long
	}
	var parts []string
	for _, s := range []string{r.Time, who(e, r), r.Device, r.Program, r.What, r.Model} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if e.Origin != "" && e.Reason == policy.OriginNotAllowed {
		parts = append(parts, "from "+e.Origin)
	}
	if e.Method != "" {
		parts = append(parts, e.Method+" "+e.Path)
	}
	if e.Status > 0 {
		parts = append(parts, fmt.Sprintf("answered %d", e.Status))
	}
	if inClear(e) {
		parts = append(parts, unencrypted)
	}
	return r.Result, strings.Join(parts, " · ")
}

// who is the name with the beginning of the key, which tells two keys of one
// name apart.
func who(e requestlog.Entry, r RowText) string {
	if e.Hint != "" {
		return r.Who + " (" + e.Hint + "…)"
	}
	return r.Who
}
