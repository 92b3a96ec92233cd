//go:build !lite

package safety

import (
	facts "paddock/safety"
	"paddock/ui/kit"
	"paddock/ui/theme"
)

// mend is the button of a fact that the program can put right by itself, and
// what went wrong with it.
type mend struct {
	s       *Screen
	fact    facts.Fact
	act     *kit.Button
	trouble *kit.Paragraph
	busy    bool
	told    func() // lays out what trouble lies in
}

func newMend(s *Screen, told func()) *mend {
	m := &mend{s: s, trouble: kit.NewParagraph(kit.Body, "").Ink(theme.ColorAttention), told: told}
	m.act = kit.NewButton(kit.Outlined, "", "", m.press)
	m.act.Hide()
	m.trouble.Hide()
	return m
}

// show says whether anything changed. green is for the one button that comes next.
func (m *mend) show(f facts.Fact, green bool) bool {
	m.fact = f
	style := kit.Outlined
	if green {
		style = kit.Primary
	}
	m.act.SetStyle(style)
	words := actWords(f.Act)
	changed := m.act.AccessibilityLabel() != words
	m.act.SetText(words)
	show(m.act, words != "")
	if words == "" && !m.busy { // it was about a button that is gone
		changed = changed || m.trouble.Visible()
		m.trouble.SetText("")
		show(m.trouble, false)
	}
	return changed
}

func (m *mend) press() {
	if m.busy {
		return
	}
	m.busy = true
	m.act.Disable()
	m.tell("")
	m.s.mend(m.fact.Act, func(failed string) {
		m.busy = false
		m.act.Enable()
		m.tell(failed)
	})
}

func (m *mend) tell(failed string) {
	if m.trouble.Text() == failed {
		return
	}
	m.trouble.SetText(failed)
	show(m.trouble, failed != "")
	m.told()
	m.s.content.Refresh()
}
