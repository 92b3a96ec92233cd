package settings

import (
	"fmt"
	"strings"
)

// ValueError says that a value was refused. Reason is in words that fit behind
// the name of the setting.
type ValueError struct {
	Name   string
	Value  string
	Reason string
}

// Error implements error.
func (e *ValueError) Error() string {
	return fmt.Sprintf("%s cannot be %q: %s", e.Name, clip(e.Value), e.Reason)
}

// UnknownError says that there is no setting of that name.
type UnknownError struct {
	Name    string
	Nearest string // the name that was probably meant, "" when none comes near
}

// Error implements error.
func (e *UnknownError) Error() string {
	if e.Nearest == "" {
		return fmt.Sprintf("there is no setting %q", clip(e.Name))
	}
	return fmt.Sprintf("there is no setting %q, did you mean %s?", clip(e.Name), e.Nearest)
}

// nearest finds the name that was probably meant: a few typing errors away, or
// the last part of a name written alone.
func nearest(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	if name == "" || len(name) > 64 {
		return ""
	}
	best, least := "", max(2, len(name)/3)+1
	for _, c := range choices {
		_, last, _ := strings.Cut(c.name, ".")
		for _, known := range []string{c.name, last, strings.ReplaceAll(c.name, ".", "-")} {
			if d := distance(name, known); d < least {
				best, least = c.name, d
			}
		}
	}
	return best
}

// distance is Levenshtein's, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
