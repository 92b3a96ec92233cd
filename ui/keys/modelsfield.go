//go:build !lite

package keys

import (
	"fmt"
	"slices"
	"strings"

	"fyne.io/fyne/v2"

	"paddock/policy"
	"paddock/requestlog"
	"paddock/ui/kit"
	"paddock/ui/theme"
)

// modelsField asks which models a key may use: all, or those that are named.
// What is installed can be pressed instead of typed.
type modelsField struct {
	content *fyne.Container
	which   *kit.Segments
	under   *fyne.Container
	field   *kit.Field
	hints   *fyne.Container
	more    *kit.Text
	touched func()
	laid    func()

	only      bool
	installed []string
	offered   []string // as shown now
	typing    bool     // something was typed since the form was opened
	pills     []*kit.Pill
	waits     bool // nothing can be changed now
	escape    func()
}

// offers is how many installed models are offered at once.
const offers = 10

func newModelsField(m policy.Models, touched, laid func()) *modelsField {
	f := &modelsField{touched: touched, laid: laid, only: !m.All()}
	f.which = kit.NewSegments([]string{"All", "Only these"}, func(i int) {
		f.only = i == 1
		f.paint()
		f.touched()
		f.laid()
	})
	f.field = kit.NewField("such as llama3*, qwen3:8b").Noted("Names with commas between; * stands for anything.").Mono().Named("Models")
	f.field.SetText(strings.Join(m.List(), ", "))
	f.field.OnChanged(func(string) {
		f.typing = true
		f.read(false)
		f.offer()
		f.touched()
	})
	f.hints, f.more = kit.Flow(theme.Space8), kit.NewText(kit.Small, "").Shorten(kit.CutEnd)
	f.under = kit.VBox(theme.Space8, f.field, f.hints, f.more)
	words := kit.VBox(0, kit.NewText(kit.Body, "Models"), kit.NewParagraph(kit.Small, "Others are neither answered nor listed."))
	f.content = kit.VBox(theme.Space8, kit.Beside(theme.Space16, leastWords, words, f.which), f.under)
	f.paint()
	return f
}

func (f *modelsField) paint() {
	f.which.SetSelected(0)
	if f.only {
		f.which.SetSelected(1)
	}
	show(f.under, f.only)
}

// disable keeps the models from being changed.
func (f *modelsField) disable(off bool) {
	f.waits = off
	able(f.which, !off)
	able(f.field, !off)
	for _, p := range f.pills {
		able(p, !off)
	}
}

// names are what stands in the field.
func (f *modelsField) names() []string {
	return strings.FieldsFunc(f.field.Text(), func(r rune) bool { return strings.ContainsRune(", ;\n\t", r) })
}

// value returns the models that are chosen.
func (f *modelsField) value() (policy.Models, error) {
	if !f.only {
		return policy.Models{}, nil
	}
	return policy.ParseModels(f.names())
}

// read says below the field what is wrong with it. An empty one is only wrong
// when it is sent.
func (f *modelsField) read(sent bool) {
	problem := ""
	_, err := f.value()
	switch {
	case err != nil && (sent || f.field.Problem() != ""): // half a name is no mistake yet
		problem = sentence(err)
	case f.only && sent && len(f.names()) == 0:
		problem = "Name at least one model, or choose All."
	}
	if problem != f.field.Problem() {
		f.field.SetProblem(problem)
		f.laid()
	}
}

func (f *modelsField) check() fyne.Focusable {
	if f.read(true); f.field.Problem() != "" {
		return f.field.Focusable()
	}
	return nil
}

// show offers what is installed now.
func (f *modelsField) show(installed []string) {
	if !slices.Equal(installed, f.installed) || f.offered == nil {
		f.installed = installed
		f.offer()
	}
}

// offer shows those of the installed models that go on with the word that is
// being typed, or all of them.
func (f *modelsField) offer() {
	begun := f.begun()
	fit := make([]string, 0, len(f.installed))
	for _, m := range f.installed {
		name := strings.TrimSuffix(m, ":latest")
		if strings.Contains(strings.ToLower(name), begun) {
			fit = append(fit, name)
		}
	}
	more := ""
	if len(fit) > offers {
		more = fmt.Sprintf("and %d more that are installed; type a part of the name", len(fit)-offers)
		fit = fit[:offers]
	}
	if !slices.Equal(fit, f.offered) || f.offered == nil {
		f.offered, f.pills, f.hints.Objects = fit, nil, nil
		for _, name := range fit {
			p := kit.NewPill(requestlog.Clean(name, maxPill), "", func() { f.toggle(name) })
			p.OnEscape(f.escape)
			able(p, !f.waits)
			f.pills = append(f.pills, p)
			f.hints.Add(p)
		}
		f.more.SetText(more)
		show(f.more, more != "")
		show(f.hints, len(fit) > 0)
		f.laid()
	}
	names := f.names()
	for i, name := range f.offered {
		f.pills[i].SetOn(slices.Contains(names, name))
	}
}

// maxPill keeps a pill narrower than the form.
const maxPill = 48

// begun is the word that is being typed: the last one, while it is neither a
// pattern nor an installed model's whole name.
func (f *modelsField) begun() string {
	if !f.typing {
		return ""
	}
	text := f.field.Text()
	last := strings.ToLower(strings.TrimSpace(text[strings.LastIndexAny(text, ", ;\n\t")+1:]))
	if strings.Contains(last, "*") {
		return ""
	}
	if slices.ContainsFunc(f.installed, func(m string) bool { return strings.EqualFold(strings.TrimSuffix(m, ":latest"), last) }) {
		return ""
	}
	return last
}

// toggle puts a model into the field in place of the word that is being typed,
// or takes it out.
func (f *modelsField) toggle(name string) {
	names := f.names()
	switch i := slices.Index(names, name); {
	case i >= 0:
		names = slices.Delete(names, i, i+1)
	case f.begun() != "":
		names[len(names)-1] = name
	default:
		names = append(names, name)
	}
	f.field.SetText(strings.Join(names, ", "))
}

// sentence makes one of an error that is written to be read.
func sentence(err error) string {
	s := []rune(err.Error())
	if len(s) > 0 && s[0] >= 'a' && s[0] <= 'z' {
		s[0] += 'A' - 'a'
	}
	return string(s) + "."
}
