package kit

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"paddock/ui/theme"
)

func TestBesideGoesBelowWhereItIsNarrow(t *testing.T) {
	test.NewTempApp(t).Settings().SetTheme(theme.New(theme.Light))
	words, control := NewParagraph(Body, "some words that take more than one line where it is narrow"), NewButton(Outlined, "a button of some width", "", nil)
	b := Beside(theme.Space16, 180, words, control)
	b.Resize(fyne.NewSize(600, 40))
	if control.Position().X+control.Size().Width != 600 || words.Size().Width != 600-theme.Space16-control.Size().Width {
		t.Errorf("where it is wide: words %v, control at %v of %v", words.Size(), control.Position(), control.Size())
	}
	wide := b.MinSize().Height
	b.Resize(fyne.NewSize(300, 40))
	if control.Position().X != 0 || control.Position().Y < words.Size().Height || words.Size().Width != 300 {
		t.Errorf("where it is narrow: words %v, control at %v", words.Size(), control.Position())
	}
	if b.MinSize().Height <= wide {
		t.Errorf("it needs %v below each other, and %v beside", b.MinSize().Height, wide)
	}
	if b.MinSize().Width > 300 {
		t.Errorf("it is at least %v wide", b.MinSize().Width)
	}
}

func TestAFieldMakesRoomForALongProblem(t *testing.T) {
	test.NewTempApp(t).Settings().SetTheme(theme.New(theme.Light))
	f := NewField("").Reserve()
	f.Resize(fyne.NewSize(240, 60))
	before := f.MinSize().Height
	f.SetProblem("too long")
	if f.MinSize().Height != before {
		t.Error("one line is not reserved")
	}
	f.SetProblem("a sentence that is so long that it needs more than one line, and perhaps a third one")
	if f.MinSize().Height <= before {
		t.Error("there is no room for more lines")
	}
	quiet := NewField("").Quiet()
	quiet.Resize(fyne.NewSize(100, 40))
	before = quiet.MinSize().Height
	quiet.SetProblem("told elsewhere")
	if quiet.MinSize().Height != before {
		t.Error("a quiet field makes room for words that it does not show")
	}
}
