package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// None is how people write that a limit is off.
const None = "none"

// Rate is so many in a time. The zero value says nothing, so a default holds;
// NoRate is no limit.
type Rate struct {
	Count int
	Per   time.Duration // a second, a minute, an hour or a day
}

// NoRate is the Rate without a limit.
var NoRate = Rate{Count: -1}

// Limited says whether there is a limit.
func (r Rate) Limited() bool { return r.Count > 0 && r.Per > 0 }

var rateUnits = []struct {
	per   time.Duration
	names []string // the first one is printed
}{
	{time.Second, []string{"s", "sec", "second"}},
	{time.Minute, []string{"min", "m", "minute"}},
	{time.Hour, []string{"h", "hour"}},
	{24 * time.Hour, []string{"day", "d"}},
}

// ParseRate reads a rate as people write it: "10/min", "1/s", "500/h",
// "2000/day" or "none". A count of 0 is refused, so that nobody switches a
// limit off, or a key, by mistake. The errors are sentences.
func ParseRate(s string) (Rate, error) {
	s = strings.TrimSpace(s)
	if s == None {
		return NoRate, nil
	}
	form := errors.New("a rate is a number, / and s, min, h or day, such as 10/min")
	count, unit, found := strings.Cut(s, "/")
	count, unit = strings.TrimSpace(count), strings.ToLower(strings.TrimSpace(unit))
	if !found || !digits(count) {
		return Rate{}, form
	}
	n, err := strconv.ParseInt(count, 10, 32)
	switch {
	case err != nil:
		return Rate{}, errors.New("the number is too large")
	case n == 0:
		return Rate{}, errors.New("a rate is more than nothing; write none for no limit")
	}
	for _, u := range rateUnits {
		if slices.Contains(u.names, unit) {
			return Rate{int(n), u.per}, nil
		}
	}
	return Rate{}, form
}

// String prints a rate so that ParseRate reads the same; "" for the zero value.
func (r Rate) String() string {
	switch {
	case r == Rate{}:
		return ""
	case r == NoRate:
		return None
	}
	for _, u := range rateUnits {
		if u.per == r.Per {
			return strconv.Itoa(r.Count) + "/" + u.names[0]
		}
	}
	return fmt.Sprintf("%d/%s", r.Count, r.Per) // for eyes only
}

// MarshalText implements encoding.TextMarshaler. It refuses what nobody could
// read back, since a file of keys with such a rate in it would be lost.
func (r Rate) MarshalText() ([]byte, error) {
	s := r.String()
	if back, err := ParseRate(s); r != (Rate{}) && (err != nil || back != r) {
		return nil, fmt.Errorf("the rate %q cannot be read back", s)
	}
	return []byte(s), nil
}

// UnmarshalText implements encoding.TextUnmarshaler. An empty text says nothing.
func (r *Rate) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*r = Rate{}
		return nil
	}
	v, err := ParseRate(string(b))
	if err == nil {
		*r = v
	}
	return err
}

// Cap is a largest number. The zero value says nothing, so a default holds;
// NoCap is no limit. In JSON it is a number, or "none".
type Cap int64

// NoCap is the Cap without a limit.
const NoCap Cap = -1

// ParseCap reads a whole number above 0, or "none". The errors are sentences.
func ParseCap(s string) (Cap, error) {
	s = strings.TrimSpace(s)
	if s == None {
		return NoCap, nil
	}
	if !digits(s) {
		return 0, errors.New("it is a whole number, or none for no limit")
	}
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case err != nil:
		return 0, errors.New("the number is too large")
	case n == 0:
		return 0, errors.New("it is more than nothing; write none for no limit")
	}
	return Cap(n), nil
}

// Limited says whether there is a limit.
func (c Cap) Limited() bool { return c > 0 }

// String prints a cap so that ParseCap reads the same; "" for the zero value.
func (c Cap) String() string {
	switch {
	case c == 0:
		return ""
	case c < 0:
		return None
	}
	return strconv.FormatInt(int64(c), 10)
}

// MarshalJSON implements json.Marshaler.
func (c Cap) MarshalJSON() ([]byte, error) {
	if c < 0 {
		return json.Marshal(None)
	}
	return json.Marshal(int64(c))
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *Cap) UnmarshalJSON(b []byte) error {
	s := string(b)
	if s == `"`+None+`"` {
		s = None
	}
	v, err := ParseCap(s)
	if err == nil {
		*c = v
	}
	return err
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// What a key may do when its grant does not say.
var (
	DefaultRate       = Rate{120, time.Minute} // requests
	DefaultConcurrent = Cap(4)                 // requests that run at once
)
