package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"paddock/ui/theme"
)

// CodeBlock is code to be copied. Long lines are folded on screen only.
type CodeBlock struct {
	widget.BaseWidget
	code *Paragraph
	copy *Button
}

// type check
var _ fyne.Accessible = (*CodeBlock)(nil)

// NewCodeBlock returns code with a copy button in its corner. copy may be nil
// for code that goes to the clipboard as it is shown.
func NewCodeBlock(code string, words CopyWords, copy func(done func())) *CodeBlock {
	c := &CodeBlock{code: NewParagraph(Mono, code)}
	c.code.hang = true
	if copy == nil {
		copy = ToClipboard(func() string { return c.code.text })
	}
	c.copy = NewCopyButton(Outlined, words, copy).Small()
	c.ExtendBaseWidget(c)
	return c
}

// SetCode shows other code.
func (c *CodeBlock) SetCode(code string) {
	c.code.SetText(code)
	c.Refresh()
}

// Code returns the code as it would be copied.
func (c *CodeBlock) Code() string { return c.code.text }

// AccessibilityLabel is the code.
func (c *CodeBlock) AccessibilityLabel() string { return c.code.text }

// AccessibilityRole is text.
func (c *CodeBlock) AccessibilityRole() fyne.AccessibleRole { return fyne.AccessibleRoleText }

// CreateRenderer belongs to Fyne.
func (c *CodeBlock) CreateRenderer() fyne.WidgetRenderer {
	// The first line is as high as the button beside it, so a single line of
	// code lies in the middle of the block.
	corner := Padded(0, theme.Space12, theme.Space12, theme.Space12, VBox(0, c.copy))
	inside := Edges(nil, nil, nil, corner, Padded(theme.Space16, 14, theme.Space8, 14, c.code))
	return widget.NewSimpleRenderer(container.NewStack(newPlate(theme.ColorBackground, theme.ColorLine, theme.RadiusButton), inside))
}
