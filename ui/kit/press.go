package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// press is what everything that can be pressed has in common: pointer, Tab,
// Space and Enter. A press by pointer does not take the keyboard, so the ring
// shows only to those who use keys.
type press struct {
	widget.DisableableWidget
	hovered, focused bool
	act              func()
	escape           func()
}

// type check
var (
	_ fyne.Focusable    = (*press)(nil)
	_ fyne.Tappable     = (*press)(nil)
	_ fyne.Disableable  = (*press)(nil)
	_ desktop.Hoverable = (*press)(nil)
)

// Tapped belongs to Fyne.
func (p *press) Tapped(*fyne.PointEvent) { p.activate() }

func (p *press) activate() {
	if !p.Disabled() && p.act != nil {
		p.act()
	}
}

// OnEscape calls do when Escape is pressed here, which does nothing otherwise.
func (p *press) OnEscape(do func()) { p.escape = do }

// FocusGained belongs to Fyne.
func (p *press) FocusGained() {
	p.focused = true
	p.Refresh()
}

// FocusLost belongs to Fyne.
func (p *press) FocusLost() {
	p.focused = false
	p.Refresh()
}

// TypedRune belongs to Fyne.
func (p *press) TypedRune(rune) {}

// TypedKey belongs to Fyne.
func (p *press) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		p.activate()
	case fyne.KeyEscape:
		if p.escape != nil { // the way out stays open to what is disabled
			p.escape()
		}
	}
}

// MouseIn belongs to Fyne.
func (p *press) MouseIn(*desktop.MouseEvent) {
	p.hovered = true
	p.Refresh()
}

// MouseMoved belongs to Fyne.
func (p *press) MouseMoved(*desktop.MouseEvent) {}

// MouseOut belongs to Fyne.
func (p *press) MouseOut() {
	p.hovered = false
	p.Refresh()
}

// lit reports whether the pointer should be answered.
func (p *press) lit() bool { return p.hovered && !p.Disabled() }
