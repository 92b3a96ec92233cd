//go:build !lite

package keys

import (
	"strings"
	"unicode"

	"fyne.io/fyne/v2"

	"paddock/policy"
	"paddock/ui/kit"
	"paddock/ui/theme"
)

// limitField asks for one limit: a number, nothing for what is usual, or none.
type limitField struct {
	content *fyne.Container
	field   *kit.Field
	none    *kit.Pill
	note    *kit.Paragraph
	usual   string // "" where nothing is usual
	means   string
	parse   func(string) error
	times   bool // a unit of time may follow
	touched func()
	laid    func()
	off     bool // no limit
	waits   bool // nothing can be changed now
}

func newLimitField(title, means, usual, text string, off bool, parse func(string) error, touched, laid func()) *limitField {
	f := &limitField{means: means, usual: usual, parse: parse, touched: touched, laid: laid, off: off}
	hint := "number"
	if usual != "" {
		hint = "usual: " + usual
	}
	f.field = kit.NewField(hint).Quiet().Named(title)
	f.field.SetText(text)
	f.field.OnChanged(func(string) {
		if f.field.Problem() != "" {
			f.check()
		}
		f.touched()
	})
	f.none = kit.NewPill("No limit", "", func() {
		f.off = !f.off
		f.check()
		f.paint()
		f.touched()
	}).Named("No limit: " + title)
	f.note = kit.NewParagraph(kit.Small, means)
	f.content = kit.Beside(theme.Space16, leastWords, kit.VBox(0, kit.NewText(kit.Body, title), f.note),
		kit.HBox(theme.Space12, kit.Sized(fieldWidth(), 0, f.field), f.none))
	f.paint()
	return f
}

// fieldWidth holds "usual: 120" at every size of text.
func fieldWidth() float32 {
	return kit.NewText(kit.Body, "usual: 120/min").MinSize().Width + 2*theme.Space12
}

// newRateField asks for requests a minute. A number that has a unit keeps it.
func newRateField(r policy.Rate, touched, laid func()) *limitField {
	perMinute := func(r policy.Rate) string { return strings.TrimSuffix(r.String(), "/min") }
	text := ""
	if r.Limited() {
		text = perMinute(r)
	}
	f := newLimitField("Requests a minute", "More are refused for a while. 500/h and 2000/day work too.",
		perMinute(policy.DefaultRate), text, r == policy.NoRate, func(s string) error {
			_, err := parseRate(s)
			return err
		}, touched, laid)
	f.times = true
	return f
}

func newCapField(title, means string, usual, c policy.Cap, touched, laid func()) *limitField {
	text := ""
	if c.Limited() {
		text = c.String()
	}
	return newLimitField(title, means, usual.String(), text, c == policy.NoCap || c == 0 && usual == 0, func(s string) error {
		_, err := policy.ParseCap(s)
		return err
	}, touched, laid)
}

// parseRate reads a rate, and a number alone as one a minute.
func parseRate(s string) (policy.Rate, error) {
	if !strings.Contains(s, "/") {
		if _, err := policy.ParseCap(s); err != nil {
			return policy.Rate{}, err
		}
		s += "/min"
	}
	return policy.ParseRate(s)
}

// text is what stands in the field, without the gaps that people write between
// groups of digits.
func (f *limitField) text() string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, f.field.Text())
}

func (f *limitField) rate() policy.Rate {
	if f.off {
		return policy.NoRate
	}
	if r, err := parseRate(f.text()); err == nil && r.Limited() {
		return r
	}
	return policy.Rate{}
}

func (f *limitField) limit() policy.Cap {
	if c, err := policy.ParseCap(f.text()); err == nil && !f.off && c.Limited() {
		return c
	}
	if f.off && f.usual != "" {
		return policy.NoCap
	}
	return 0
}

// check says beside the field what is wrong with it.
func (f *limitField) check() fyne.Focusable {
	problem := ""
	switch text := f.text(); {
	case f.off:
	case text == "" && f.usual == "":
		problem = "Write a number, or choose No limit."
	case text != "":
		if f.parse(text) != nil {
			problem = wrongLimit(text, f.times)
		}
	}
	if problem != f.field.Problem() {
		f.field.SetProblem(problem)
		words, ink := f.means, fyne.ThemeColorName("")
		if problem != "" {
			words, ink = problem, theme.ColorRefused
		}
		f.note.Ink(ink)
		f.note.SetText(words)
		f.note.Refresh()
		f.laid()
	}
	if problem == "" {
		return nil
	}
	return f.field.Focusable()
}

// wrongLimit says what is wrong with a limit that cannot be read. times says
// that it may have a unit of time.
func wrongLimit(text string, times bool) string {
	switch digits := strings.Trim(text, "0123456789") == ""; {
	case strings.Trim(text, "0") == "":
		return "It is more than nothing; if there is to be none, choose No limit."
	case digits:
		return "That number is too large."
	case times:
		return "Write a number, or one with a time, such as 500/h."
	}
	return "Write a whole number, or choose No limit."
}

func (f *limitField) paint() {
	f.none.SetOn(f.off)
	able(f.none, !f.waits)
	able(f.field, !f.waits && !f.off)
}

// disable keeps the limit from being changed.
func (f *limitField) disable(off bool) {
	f.waits = off
	f.paint()
}
