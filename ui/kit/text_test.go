package kit

import (
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"paddock/ui/theme"
)

func TestTextShowsAsMuchAsFits(t *testing.T) {
	for _, c := range []struct {
		name  string
		cut   Cut
		width float32
		check func(shown string) bool
	}{
		{"a wide place", CutEnd, 400, func(s string) bool { return s == "llama3.2:70b-instruct" }},
		{"a narrow place", CutEnd, 80, func(s string) bool { return strings.HasPrefix(s, "llama3") && strings.HasSuffix(s, "…") }},
		{"a narrow place for the middle", CutMiddle, 80, func(s string) bool {
			return strings.HasPrefix(s, "lla") && strings.HasSuffix(s, "ct") && strings.Contains(s, "…")
		}},
		{"hardly any place", CutEnd, 4, func(s string) bool { return s == "…" }},
		{"a verdict", CutNever, 4, func(s string) bool { return s == "llama3.2:70b-instruct" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := NewText(Body, "llama3.2:70b-instruct").Shorten(c.cut)
			inWindow(t, fyne.NewSize(500, 40), VBox(0, Sized(0, 0, text)))
			text.Resize(fyne.NewSize(c.width, 20))
			shown := test.WidgetRenderer(text).Objects()[0].(*canvas.Text).Text
			if !c.check(shown) {
				t.Errorf("shows %q", shown)
			}
			if text.AccessibilityLabel() != "llama3.2:70b-instruct" || text.Text() != text.AccessibilityLabel() {
				t.Error("the whole text is lost")
			}
		})
	}
}

func TestShortenedTextFits(t *testing.T) {
	test.NewTempApp(t)
	for width := float32(20); width < 300; width += 7 {
		for _, cut := range []Cut{CutEnd, CutMiddle} {
			s := shorten("9F:3A:51:0C:7E:B2:44:10:9B:7D:22:6C", cut, width, 13, fyne.TextStyle{})
			if w := fyne.MeasureText(s, 13, fyne.TextStyle{}).Width; w > width+0.5 {
				t.Errorf("%q is %v wide, want at most %v", s, w, width)
			}
		}
	}
}

func TestTextThatMayGiveWayNeedsNearlyNoWidth(t *testing.T) {
	test.NewTempApp(t)
	long := strings.Repeat("long ", 20)
	if NewText(Body, long).MinSize().Width < 200 || NewText(Body, long).Shorten(CutEnd).MinSize().Width > 20 {
		t.Error("the wrong one gives way")
	}
}

func TestAFingerprintIsShortenedBetweenTwoBytes(t *testing.T) {
	const whole = "9F:3A:51:0C:7E:B2:11:0D:5E:77:80:C4:92:4B:DA:63:EF:08:1C:3D:95:A6:20:FE:41:B7:6C:58:D8:44:C7:41"
	if got := Fingerprint(whole); got != "9F:3A:51:0C:7E:B2:…:D8:44:C7:41" {
		t.Errorf("%q", got)
	}
	for _, short := range []string{"", "9F:3A"} {
		if got := Fingerprint(short); got != short {
			t.Errorf("%q became %q", short, got)
		}
	}
	test.NewTempApp(t)
	// In a narrow place it gives way where it did before, and on both sides.
	for width := float32(20); width < 260; width += 7 {
		got := shorten(Fingerprint(whole), CutMiddle, width, 13, fyne.TextStyle{Monospace: true})
		head, tail, cut := strings.Cut(got, "…")
		if !cut || strings.Contains(tail, "…") || !strings.HasPrefix(whole, head) || !strings.HasSuffix(whole, tail) {
			t.Errorf("in %v it is %q", width, got)
		}
	}
}

// The log sets every cell ten times a second; equal cells must cost nothing.
func TestSettingTheSameTextAllocatesNothing(t *testing.T) {
	test.NewTempApp(t)
	text := NewText(Cell, "14:32:08")
	text.Resize(fyne.NewSize(60, 18))
	if n := testing.AllocsPerRun(100, func() { text.Set("14:32:08", "") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	state := NewState(Allowed, "", "Done")
	state.Resize(fyne.NewSize(60, 18))
	if n := testing.AllocsPerRun(100, func() { state.Set(Allowed, "", "Done") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestTextChangesKindInkAndWords(t *testing.T) {
	text := NewText(Body, "a").Right()
	inWindow(t, fyne.NewSize(100, 40), text)
	line := test.WidgetRenderer(text).Objects()[0].(*canvas.Text)
	text.SetKind(Strong)
	text.SetInk(theme.ColorPaused)
	text.SetText("b")
	if !line.TextStyle.Bold || line.Text != "b" || line.Alignment != fyne.TextAlignTrailing || line.Color != lookOf(text).color(theme.ColorPaused) {
		t.Errorf("%+v", line)
	}
}

func TestParagraphWrapsAtWordsAndGrows(t *testing.T) {
	p := NewParagraph(Body, "Every teammate and every program has a key of its own.\nA second line.")
	box := VBox(0, p, NewText(Body, "below"))
	inWindow(t, fyne.NewSize(160, 400), box)
	lines := textsOf(p)
	if len(lines) < 4 || lines[len(lines)-1] != "A second line." {
		t.Fatalf("lines are %q", lines)
	}
	for _, line := range lines {
		if w := fyne.MeasureText(line, 14, fyne.TextStyle{}).Width; w > 161 {
			t.Errorf("%q is %v wide", line, w)
		}
	}
	if below := box.Objects[1].Position().Y; below != float32(20*len(lines)) {
		t.Errorf("what follows begins at %v after %d lines", below, len(lines))
	}
	p.SetText("short")
	box.Refresh()
	if got := textsOf(p); !slices.Equal(got, []string{"short"}) || box.Objects[1].Position().Y != 20 {
		t.Errorf("shows %q", got)
	}
}

func TestCodeBreaksAnywhereAndKeepsEveryLetter(t *testing.T) {
	test.NewTempApp(t)
	measure := func(s string) float32 { return float32(len(s)) }
	got := breakAnywhere(nil, "0123456789abcdefghij", 12, measure)
	if want := []string{"0123456789ab", "    cdefghij"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := breakAnywhere(nil, "abcdefgh", 2, measure); len(got) != 1 {
		t.Errorf("a place too narrow to fold in gave %q", got)
	}
}
