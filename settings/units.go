package settings

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"paddock/policy"
)

// none is how people write that a limit is off.
const none = policy.None

var errTooLarge = errors.New("the number is too large")

// unit is one spelling of a unit, with its worth in the smallest one.
type unit struct {
	name  string
	worth int64
}

// Largest first: printing takes them in this order.
var durationUnits = []unit{
	{"d", int64(24 * time.Hour)},
	{"h", int64(time.Hour)},
	{"m", int64(time.Minute)},
	{"s", int64(time.Second)},
	{"ms", int64(time.Millisecond)},
	{"us", int64(time.Microsecond)},
	{"ns", 1},
}

// Read, but never printed: 2w is shown as 14d, which is easier to compare.
var moreDurationUnits = append([]unit{{"w", int64(7 * 24 * time.Hour)}, {"µs", int64(time.Microsecond)}}, durationUnits...)

// ParseDuration reads a duration as people write it: `90m`, `24h`, `30d`, `2w`,
// `1h30m`. Numbers are whole; a day has 24 hours. `none` is 0 and a plain 0 is
// refused, so that nobody switches a limit off by mistake.
func ParseDuration(s string) (time.Duration, error) {
	s = strings.TrimSpace(s)
	if s == none {
		return 0, nil
	}
	const form = "a duration is a number with s, m, h, d or w, such as 30d"
	var sum int64
	for rest := s; ; {
		n, after, err := leadingNumber(rest)
		if err != nil {
			return 0, wordsFor(err, form)
		}
		name, after := leadingUnit(after)
		worth, ok := lookUp(moreDurationUnits, name, false)
		if !ok {
			return 0, errors.New(form)
		}
		part, ok := multiply(n, worth)
		if !ok || part > math.MaxInt64-sum {
			return 0, errTooLarge
		}
		sum += part
		if rest = after; rest == "" {
			break
		}
	}
	if sum == 0 {
		return 0, errors.New("a duration is more than nothing; write none for no limit")
	}
	return time.Duration(sum), nil
}

// FormatDuration prints a duration so that ParseDuration reads the same: `30d`,
// `1h30m`, and `none` for 0. A negative one, which ParseDuration refuses, gets
// a minus in front.
func FormatDuration(d time.Duration) string {
	if d == 0 {
		return none
	}
	if d == math.MinInt64 { // has no positive twin
		d++
	}
	if d < 0 {
		return "-" + FormatDuration(-d)
	}
	var b strings.Builder
	left := int64(d)
	for _, u := range durationUnits {
		if n := left / u.worth; n > 0 {
			b.WriteString(strconv.FormatInt(n, 10) + u.name)
			left %= u.worth
		}
	}
	return b.String()
}

var sizeUnits = []unit{
	{"TiB", 1 << 40},
	{"GiB", 1 << 30},
	{"MiB", 1 << 20},
	{"KiB", 1 << 10},
	{"TB", 1e12},
	{"GB", 1e9},
	{"MB", 1e6},
	{"KB", 1e3},
	{"B", 1},
}

// ParseSize reads a size in bytes as people write it: `16MiB` (1024), `16MB`
// (1000), `4096`. Any letter case and a space before the unit are fine. A bare
// M is refused, because it means either. `none` is 0 and a plain 0 is refused.
func ParseSize(s string) (int64, error) {
	s = strings.TrimSpace(s)
	if s == none {
		return 0, nil
	}
	const form = "a size is a number with KiB, MiB, GiB, KB, MB or GB, such as 16MiB"
	n, name, err := leadingNumber(s)
	if err != nil {
		return 0, wordsFor(err, form)
	}
	worth := int64(1)
	if name = strings.TrimLeft(name, " "); name != "" {
		var ok bool
		if worth, ok = lookUp(sizeUnits, name, true); !ok {
			return 0, errors.New(form)
		}
	}
	bytes, ok := multiply(n, worth)
	switch {
	case !ok:
		return 0, errTooLarge
	case bytes == 0:
		return 0, errors.New("a size is more than nothing; write none for no limit")
	}
	return bytes, nil
}

// FormatSize prints a size in bytes so that ParseSize reads the same, in the
// largest unit that loses nothing; `none` for 0.
func FormatSize(bytes int64) string {
	if bytes == 0 {
		return none
	}
	for _, u := range sizeUnits {
		if bytes%u.worth == 0 {
			return strconv.FormatInt(bytes/u.worth, 10) + u.name
		}
	}
	return "" // not reached: everything divides by one byte
}

// leadingNumber takes the digits off the front. Only ASCII digits count.
func leadingNumber(s string) (int64, string, error) {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	if i == 0 {
		return 0, s, strconv.ErrSyntax
	}
	n, err := strconv.ParseInt(s[:i], 10, 64)
	if err != nil {
		return 0, s, errTooLarge // digits only: the range is all that can be wrong
	}
	return n, s[i:], nil
}

// leadingUnit takes everything up to the next digit off the front.
func leadingUnit(s string) (string, string) {
	i := strings.IndexAny(s, "0123456789")
	if i < 0 {
		i = len(s)
	}
	return s[:i], s[i:]
}

func lookUp(units []unit, name string, anyCase bool) (int64, bool) {
	for _, u := range units {
		if u.name == name || anyCase && strings.EqualFold(u.name, name) {
			return u.worth, true
		}
	}
	return 0, false
}

func multiply(n, worth int64) (int64, bool) {
	if n > math.MaxInt64/worth {
		return 0, false
	}
	return n * worth, true
}

func wordsFor(err error, form string) error {
	if errors.Is(err, errTooLarge) {
		return errTooLarge
	}
	return errors.New(form)
}
