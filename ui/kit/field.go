package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"paddock/assets"
	"paddock/ui/theme"
)

// entry is Fyne's entry that tells its field about the keyboard.
type entry struct {
	widget.Entry
	field *Field
}

// type check
var _ fyne.Accessible = (*entry)(nil)

// FocusGained belongs to Fyne.
func (e *entry) FocusGained() {
	e.Entry.FocusGained()
	e.field.focused = true
	e.field.Refresh()
}

// FocusLost belongs to Fyne.
func (e *entry) FocusLost() {
	e.Entry.FocusLost()
	e.field.focused = false
	e.field.Refresh()
	if e.field.onLeave != nil {
		e.field.onLeave()
	}
}

// TypedKey belongs to Fyne.
func (e *entry) TypedKey(k *fyne.KeyEvent) {
	if f := e.field.keys[k.Name]; f != nil {
		f()
		return
	}
	e.Entry.TypedKey(k)
}

// AccessibilityLabel is what the field is for.
func (e *entry) AccessibilityLabel() string {
	switch {
	case e.field.name != "":
		return e.field.name
	case e.field.label.text != "":
		return e.field.label.text
	}
	return e.field.hint
}

// AccessibilityRole is text; Fyne has no role for fields yet.
func (e *entry) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// Field is a line to type into, with what it is for above and what is wrong
// with it below.
type Field struct {
	widget.BaseWidget
	entry   *entry
	label   *Text
	name    string
	hint    string // the whole placeholder
	note    string
	problem string
	reserve bool
	quiet   bool // what is wrong is told elsewhere
	icon    assets.Icon
	focused bool
	keys    map[fyne.KeyName]func()
	onLeave func()
}

// NewField returns an empty field.
func NewField(placeholder string) *Field {
	f := &Field{label: NewText(Small, ""), hint: placeholder, keys: map[fyne.KeyName]func(){}}
	f.entry = &entry{field: f}
	f.entry.Wrapping = fyne.TextWrap(fyne.TextTruncateClip)
	f.entry.PlaceHolder = placeholder
	f.entry.ExtendBaseWidget(f.entry)
	f.ExtendBaseWidget(f)
	return f
}

// Labelled says above the field what it is for. It returns f.
func (f *Field) Labelled(label string) *Field {
	f.label.text = label
	return f
}

// Named says what a field without a label is for, to those who cannot see what
// stands beside it. It returns f.
func (f *Field) Named(name string) *Field {
	f.name = name
	return f
}

// Noted says below the field what helps to fill it. It returns f.
func (f *Field) Noted(note string) *Field {
	f.note, f.reserve = note, true
	return f
}

// Reserve keeps room for one line below, so that a problem moves nothing. It returns f.
func (f *Field) Reserve() *Field {
	f.reserve = true
	return f
}

// Quiet leaves it to the caller to tell what is wrong, where a narrow field has
// no room for a sentence; the field only shows that something is. It returns f.
func (f *Field) Quiet() *Field {
	f.quiet = true
	return f
}

// WithIcon shows an icon at the start. It returns f.
func (f *Field) WithIcon(icon assets.Icon) *Field {
	f.icon = icon
	return f
}

// Hinted shows a short word at the end, such as the shortcut that leads here. It returns f.
func (f *Field) Hinted(hint string) *Field {
	f.entry.ActionItem = Padded(0, 0, theme.Space8, 0, HBox(0, NewTag(Neutral, "", hint)))
	return f
}

// OnKey calls do for a key instead of giving it to the field, for Escape and
// the arrows that lead out of it. It returns f.
func (f *Field) OnKey(key fyne.KeyName, do func()) *Field {
	f.keys[key] = do
	return f
}

// OnLeave calls do when the keyboard goes elsewhere. It returns f.
func (f *Field) OnLeave(do func()) *Field {
	f.onLeave = do
	return f
}

// OnChanged calls do with the text after every change. It returns f.
func (f *Field) OnChanged(do func(string)) *Field {
	f.entry.OnChanged = do
	return f
}

// OnSubmitted calls do with the text when Enter is pressed. It returns f.
func (f *Field) OnSubmitted(do func(string)) *Field {
	f.entry.OnSubmitted = do
	return f
}

// Secret shows dots instead of letters. It returns f.
func (f *Field) Secret() *Field {
	f.entry.Password = true
	return f
}

// Text returns what stands in the field.
func (f *Field) Text() string { return f.entry.Text }

// SetText puts text into the field.
func (f *Field) SetText(text string) {
	if f.entry.Text != text {
		f.entry.SetText(text)
	}
}

// SetProblem says below the field what is wrong; an empty one says nothing. A
// long one takes more lines, so whoever holds the field lays it out again.
func (f *Field) SetProblem(problem string) {
	if f.problem != problem {
		f.problem = problem
		f.Refresh()
	}
}

// Problem returns what is said to be wrong.
func (f *Field) Problem() string { return f.problem }

// fitHint shortens the placeholder to what is seen of it. Fyne would let it
// scroll, under a bar that hides the letters.
func (f *Field) fitHint(width float32) {
	l := lookOf(f)
	room := width - 2*l.size(fynetheme.SizeNameInnerPadding) - 2
	if f.icon != "" {
		room -= l.size(fynetheme.SizeNameInlineIcon) + l.size(fynetheme.SizeNameLineSpacing)
	}
	if f.entry.ActionItem != nil {
		room -= f.entry.ActionItem.MinSize().Width
	}
	fits := shorten(f.hint, CutEnd, room, l.size(fynetheme.SizeNameText), f.entry.TextStyle)
	if fits != f.entry.PlaceHolder {
		f.entry.SetPlaceHolder(fits)
	}
}

// Mono shows the text in monospace, for keys and addresses. It returns f.
func (f *Field) Mono() *Field {
	f.entry.TextStyle.Monospace = true
	return f
}

// Focusable is what Canvas.Focus wants.
func (f *Field) Focusable() fyne.Focusable { return f.entry }

// Disable keeps the field from being typed into.
func (f *Field) Disable() { f.entry.Disable() }

// Enable lets the field be typed into.
func (f *Field) Enable() { f.entry.Enable() }

// Disabled reports whether the field cannot be typed into.
func (f *Field) Disabled() bool { return f.entry.Disabled() }

// CreateRenderer belongs to Fyne.
func (f *Field) CreateRenderer() fyne.WidgetRenderer {
	edge := canvas.NewRectangle(color.Transparent)
	edge.CornerRadius = theme.RadiusButton
	below, sign := NewParagraph(Small, ""), newGlyph()
	r := &renderer{objects: []fyne.CanvasObject{f.label, f.entry, edge, sign.Image, below}}
	const above, under = float32(6), theme.Space4
	// Fyne's entry keeps its text at a fixed distance from the top, so a field
	// that is higher than its text needs would not show it in the middle.
	// Monospaced letters are lower than others, and so is their field.
	height := func() float32 {
		fits := f.entry.MinSize().Height
		if f.entry.TextStyle.Monospace {
			return ceil(fits)
		}
		return max(lookOf(f).base(theme.SizeField), fits)
	}
	r.minSize = func() fyne.Size {
		l := lookOf(f)
		h := height()
		w := float32(120)
		if f.label.text != "" {
			m := f.label.MinSize()
			h += m.Height + above
			w = max(w, m.Width)
		}
		if f.reserve || f.problem != "" && !f.quiet {
			h += under + max(l.size(theme.SizeLineSmall), below.MinSize().Height)
		}
		return fyne.NewSize(w, h)
	}
	r.layout = func(s fyne.Size) {
		l := lookOf(f)
		y := float32(0)
		f.label.Hide()
		if f.label.text != "" {
			f.label.Show()
			h := f.label.MinSize().Height
			place(f.label, 0, 0, s.Width, h)
			y += h + above
		}
		h := height()
		f.fitHint(s.Width)
		place(f.entry, 0, y, s.Width, h)
		place(edge, 0, y, s.Width, h)
		y += h + under
		line := l.size(theme.SizeLineSmall)
		sign.center(0, y, line)
		x := sign.width(theme.Space4)
		place(below, x, y, max(s.Width-x, 0), max(line, below.MinSize().Height))
	}
	r.refresh = func() {
		l := lookOf(f)
		edge.StrokeColor, edge.StrokeWidth = nil, 0
		switch {
		case f.focused:
			edge.StrokeColor, edge.StrokeWidth = l.color(theme.ColorAccent), ringWidth
		case f.problem != "":
			edge.StrokeColor, edge.StrokeWidth = l.color(theme.ColorRefused), 1
		}
		edge.Refresh()
		if f.icon != "" {
			if icon := inked(f.icon, l.color(theme.ColorMuted), l.size(fynetheme.SizeNameInlineIcon)); f.entry.Icon != icon {
				f.entry.SetIcon(icon)
			}
		}
		if f.problem != "" && !f.quiet {
			sign.set(assets.Attention, l.color(theme.ColorRefused), l.icon(theme.Icon14))
			below.Ink(theme.ColorRefused).SetText(f.problem)
		} else {
			sign.set("", nil, 0)
			below.Ink("").SetText(f.note)
		}
		below.Refresh()
		f.label.Refresh()
		r.layout(f.Size())
		canvas.Refresh(f)
	}
	r.refresh()
	return r
}
