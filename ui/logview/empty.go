package logview

import (
	"time"

	"fyne.io/fyne/v2"

	"paddock/assets"
	"paddock/share"
	"paddock/ui/kit"
	"paddock/ui/theme"
)

// empty is what the window shows before the first request: what will be here,
// and what to do next.
type empty struct {
	all   fyne.CanvasObject
	box   *fyne.Container
	words emptyWords
	built bool
	start func()
	copy  func(string)
}

// curlWidth holds the line with a name or an IPv4 address unbroken.
const curlWidth = 760

func newEmpty(start func(), copy func(string)) *empty {
	e := &empty{box: kit.VBox(0), start: start, copy: copy}
	e.all = kit.NewGround(theme.ColorSurface, e.box)
	return e
}

func (e *empty) show(s share.State, now time.Time) {
	words := emptyFor(s, now)
	if e.built && e.words == words {
		return
	}
	e.words, e.built = words, true
	var more []fyne.CanvasObject
	if words.start {
		more = append(more, kit.NewButton(kit.Primary, "Start sharing", "", e.start))
	}
	if words.curl != "" {
		line := words.curl
		more = append(more, kit.Sized(curlWidth, 0, kit.NewCodeBlock(line, kit.CopyWords{Copy: "Copy", Copied: "Copied"}, func(done func()) {
			e.copy(line)
			done()
		})))
	}
	e.box.Objects = []fyne.CanvasObject{kit.Grow(kit.NewEmptyState(assets.Log, words.title, words.sentence, more...))}
	e.box.Refresh()
}
