//go:build !lite

package safety

import (
	"slices"
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	facts "paddock/safety"
	"paddock/ui/kit"
	"paddock/ui/theme"
)

var copyWords = kit.CopyWords{Copy: "Copy", Copied: "Copied"}

// more is what a fact has to tell beside its sentence: what it speaks of, one by
// one, and the steps of its fix. Only what changed is made anew, so that the
// keyboard stays on the button that it is on.
type more struct {
	content *fyne.Container
	items   *fyne.Container
	steps   *fyne.Container
	said    []facts.Item
	fix     []facts.Step
}

func newMore() *more {
	m := &more{items: kit.VBox(theme.Space8), steps: kit.VBox(theme.Space12)}
	m.content = kit.VBox(theme.Space12, m.items, m.steps)
	return m
}

// empty says whether there is nothing to tell.
func (m *more) empty() bool { return len(m.said) == 0 && len(m.fix) == 0 }

// show says whether anything changed.
func (m *more) show(f facts.Fact) bool {
	changed := false
	if !slices.Equal(m.said, f.Items) {
		changed, m.said = true, slices.Clone(f.Items)
		m.items.Objects = itemLines(f.Items)
	}
	if !slices.Equal(m.fix, f.Fix) {
		changed, m.fix = true, slices.Clone(f.Fix)
		m.steps.Objects = nil
		for i, step := range f.Fix {
			m.steps.Add(stepLine(i, len(f.Fix), step))
		}
	}
	show(m.items, len(m.items.Objects) > 0)
	show(m.steps, len(m.steps.Objects) > 0)
	return changed
}

// itemLines shows names without a text beside each other, as there may be many.
func itemLines(items []facts.Item) []fyne.CanvasObject {
	if !slices.ContainsFunc(items, func(i facts.Item) bool { return i.Text != "" }) {
		names := make([]fyne.CanvasObject, len(items))
		for i, item := range items {
			names[i] = kit.NewTag(kit.Neutral, "", item.Name)
		}
		if len(names) == 0 {
			return nil
		}
		return []fyne.CanvasObject{kit.Flow(theme.Space8, names...)}
	}
	lines := make([]fyne.CanvasObject, len(items))
	for i, item := range items {
		lines[i] = kit.VBox(0, kit.NewText(kit.Mono, item.Name).Shorten(kit.CutMiddle))
		if item.Text != "" {
			lines[i].(*fyne.Container).Add(kit.NewParagraph(kit.Small, item.Text))
		}
	}
	return lines
}

func stepLine(i, of int, step facts.Step) fyne.CanvasObject {
	what := kit.VBox(theme.Space8, kit.NewParagraph(kit.Body, step.Text))
	if step.Code != "" {
		what.Add(kit.NewCodeBlock(step.Code, copyWords, nil))
	}
	if of == 1 {
		return what
	}
	return kit.HBoxTop(theme.Space8, kit.NewText(kit.Strong, strconv.Itoa(i+1)+"."), kit.Grow(what))
}

// column is as wide as the sign of a card, so that the words of cards and rows
// begin on one line.
func column(o fyne.CanvasObject) *fyne.Container { return container.New(columnLayout{}, o) }

type columnLayout struct{}

// MinSize belongs to Fyne.
func (columnLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(float32(int(theme.Icon28*textScale()+0.5)), objects[0].MinSize().Height)
}

// Layout belongs to Fyne.
func (columnLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Move(fyne.Position{})
	objects[0].Resize(size)
}

// textScale is how much larger than drawn the owner wants text.
func textScale() float32 {
	return fyne.CurrentApp().Settings().Theme().Size(theme.SizeTextBody) / 14
}
