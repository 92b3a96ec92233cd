package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"paddock/ui/theme"
)

// CopyLabelWidth is the column of the labels, so that rows under each other
// start their values on one line.
const CopyLabelWidth float32 = 92

// CopyRow is a labelled value in monospace with a button that copies it.
type CopyRow struct {
	widget.BaseWidget
	label *Text
	value *Text
	whole string
	copy  *Button
}

// NewCopyRow returns a row that copies value and shows it as it is.
func NewCopyRow(label, value string, words CopyWords) *CopyRow {
	c := &CopyRow{label: NewText(Muted, label), value: NewText(Mono, value), whole: value}
	c.copy = NewCopyButton(Outlined, words, ToClipboard(func() string { return c.whole })).Small().Named(words.Copy + " " + label)
	c.ExtendBaseWidget(c)
	return c
}

// Shorten lets the shown value give way; what is copied stays whole. It returns c.
func (c *CopyRow) Shorten(cut Cut) *CopyRow {
	c.value.Shorten(cut)
	return c
}

// SetValue shows and copies another value.
func (c *CopyRow) SetValue(value string) {
	c.whole = value
	c.value.SetText(value)
	if (value == "") != c.copy.Disabled() {
		if value == "" {
			c.copy.Disable()
		} else {
			c.copy.Enable()
		}
	}
}

// Value returns what would be copied.
func (c *CopyRow) Value() string { return c.whole }

// CreateRenderer belongs to Fyne.
func (c *CopyRow) CreateRenderer() fyne.WidgetRenderer {
	row := HBox(theme.Space8, Sized(CopyLabelWidth, 0, c.label), Grow(c.value), c.copy)
	return widget.NewSimpleRenderer(Sized(0, 0, row))
}
