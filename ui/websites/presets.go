//go:build !lite

package websites

import (
	"fmt"
	"slices"
	"strings"

	"fyne.io/fyne/v2"

	"paddock/ui/kit"
	"paddock/ui/theme"
)

// presets are the groups of websites that have one switch.
type presets struct {
	s     *Screen
	card  *fyne.Container
	rows  *fyne.Container
	lines map[string]*group
	order []string
}

type group struct {
	row   fyne.CanvasObject
	power *kit.Switch
	word  *kit.Text
}

func newPresets(s *Screen) *presets {
	p := &presets{s: s, rows: kit.VBox(0), lines: map[string]*group{}}
	p.card = kit.NewTableCard(kit.VBox(0, head("Presets", "Programs that are web pages inside, and pages without a website of their own. All are off until you switch them on."), p.rows))
	return p
}

// show paints the state and says whether things have to be laid out again.
func (p *presets) show() bool {
	order := make([]string, 0, len(p.s.st.Websites.Presets))
	for _, e := range p.s.st.Websites.Presets {
		g := p.lines[e.Name]
		if g == nil {
			g = newGroup(p.s, e.Name, e.Patterns)
			p.lines[e.Name] = g
		}
		order = append(order, e.Name)
		g.word.SetText(onWord(e.Allowed))
		if g.power.On() != e.Allowed {
			g.power.SetOn(e.Allowed)
		}
	}
	if slices.Equal(order, p.order) {
		return false
	}
	p.order = order
	p.rows.Objects = nil
	for _, name := range order {
		p.rows.Add(p.lines[name].row)
	}
	return true
}

func newGroup(s *Screen, name string, patterns []string) *group {
	p := presetOf(name)
	g := &group{word: kit.NewText(kit.Note, "")}
	g.power = kit.NewSwitch(p.Title+" may use Ollama", func(on bool) { s.set(g.power, name, on) })
	words := kit.VBox(0, kit.NewText(kit.Body, p.Title).Shorten(kit.CutEnd), kit.NewParagraph(kit.Small, p.Means),
		kit.NewText(kit.MonoSmall, some(patterns)).Shorten(kit.CutEnd))
	g.row = line(kit.HBox(theme.Space12, kit.Grow(words), g.power, kit.Sized(wordWidth(), 0, g.word)))
	return g
}

// some names the first patterns of a preset.
func some(patterns []string) string {
	const few = 3
	text := strings.Join(patterns[:min(len(patterns), few)], "  ")
	if more := len(patterns) - few; more > 0 {
		text += fmt.Sprintf("  +%d", more)
	}
	return text
}
