package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
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

// Showing shows something shorter than what is copied. It returns c.
func (c *CopyRow) Showing(text string) *CopyRow {
	c.value.SetText(text)
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
	label := container.New(labelColumn{c}, c.label)
	return widget.NewSimpleRenderer(HBox(theme.Space8, label, Grow(c.value), c.copy))
}

// labelColumn is as wide as the words of all rows need at the size of text.
type labelColumn struct{ row *CopyRow }

// MinSize belongs to Fyne.
func (l labelColumn) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(CopyLabelWidth*lookOf(l.row).scale(), objects[0].MinSize().Height)
}

// Layout belongs to Fyne.
func (labelColumn) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	place(objects[0], 0, 0, size.Width, size.Height)
}
