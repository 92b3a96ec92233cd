package logview

import (
	"runtime"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"paddock/assets"
	"paddock/ui/kit"
	"paddock/ui/theme"
)

// help is the list of shortcuts over the window. Any of the usual ways out
// closes it: Esc, Enter, "?", a click.
type help struct {
	widget.BaseWidget
	canvas fyne.Canvas
	card   fyne.CanvasObject
	before fyne.Focusable // had the keyboard
}

// type check
var (
	_ fyne.Focusable = (*help)(nil)
	_ fyne.Tappable  = (*help)(nil)
)

func showHelp(c fyne.Canvas) {
	if _, open := c.Overlays().Top().(*help); open {
		return
	}
	h := &help{canvas: c, before: c.Focused()}
	keys, does := kit.VBox(theme.Space8), kit.VBox(theme.Space8)
	for _, s := range shortcuts(runtime.GOOS == "darwin") {
		keys.Add(kit.NewText(kit.Strong, s.keys))
		does.Add(kit.NewText(kit.Muted, s.does))
	}
	shut := kit.NewButton(kit.Outlined, "", assets.Close, h.close).Small().Named("Close")
	h.card = kit.NewCard(kit.VBox(theme.Space12, kit.HBox(theme.Space24, kit.Grow(kit.NewText(kit.Big, "Shortcuts")), shut),
		kit.HBoxTop(theme.Space24, keys, does)))
	h.ExtendBaseWidget(h)
	c.Overlays().Add(h)
	h.Resize(c.Size())
	c.Focus(h)
}

func (h *help) close() {
	h.canvas.Overlays().Remove(h)
	if h.before != nil {
		h.canvas.Focus(h.before)
	}
}

// CreateRenderer belongs to Fyne.
func (h *help) CreateRenderer() fyne.WidgetRenderer {
	veil := canvas.NewRectangle(nil)
	r := &renderer{
		objects: func() []fyne.CanvasObject { return []fyne.CanvasObject{veil, h.card} },
		minSize: func() fyne.Size { return h.card.MinSize() },
	}
	r.layout = func(s fyne.Size) {
		place(veil, 0, 0, s.Width, s.Height)
		m := h.card.MinSize()
		place(h.card, float32(int((s.Width-m.Width)/2)), float32(int((s.Height-m.Height)/2)), m.Width, m.Height)
	}
	r.refresh = func() {
		veil.FillColor = lookNow().color(fynetheme.ColorNameShadow)
		veil.Refresh()
	}
	r.refresh()
	return r
}

// Tapped belongs to Fyne.
func (h *help) Tapped(*fyne.PointEvent) { h.close() }

// FocusGained belongs to Fyne.
func (h *help) FocusGained() {}

// FocusLost belongs to Fyne.
func (h *help) FocusLost() {}

// TypedRune belongs to Fyne.
func (h *help) TypedRune(r rune) {
	if r == '?' {
		h.close()
	}
}

// TypedKey belongs to Fyne.
func (h *help) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyEscape, fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		h.close()
	}
}
