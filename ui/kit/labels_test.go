package kit

import (
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"paddock/assets"
)

func TestPillKeepsItsWidthWhenChosen(t *testing.T) {
	p := NewPill("Refused", assets.Refused, nil)
	p.SetCount("9")
	inWindow(t, fyne.NewSize(200, 60), HBox(0, p))
	before := p.MinSize()
	p.SetOn(true)
	if p.MinSize() != before || !p.On() || p.AccessibilityLabel() != "Refused 9" {
		t.Errorf("%v, was %v", p.MinSize(), before)
	}
	p.SetText("All")
	p.SetCount("")
	if got := textsOf(p); !slices.Equal(got, []string{"All"}) {
		t.Errorf("shows %q", got)
	}
}

func TestTagStateAndChipShowWhatTheyAreSetTo(t *testing.T) {
	tag, state, chip := NewTag(Neutral, "", "a"), NewState(Allowed, "", "Done").InRow(), NewChip("A", 1, false)
	inWindow(t, fyne.NewSize(300, 60), HBox(0, tag, state, chip))
	tag.Set(Refused, assets.Danger, "1 problem")
	state.Set(Waiting, "", "Next in line")
	chip.Set("?", 0)
	for _, c := range []struct {
		o    fyne.CanvasObject
		want string
	}{{tag, "1 problem"}, {state, "Next in line"}, {chip, "?"}} {
		if got := textsOf(c.o); !slices.Contains(got, c.want) {
			t.Errorf("shows %q, want %q", got, c.want)
		}
	}
	if tag.AccessibilityLabel() != "1 problem" || state.AccessibilityLabel() != "Next in line" {
		t.Error("says the old words")
	}
}

// Take the colours away and nothing may be lost.
func TestEveryToneHasAShapeOfItsOwn(t *testing.T) {
	seen := map[assets.Icon]bool{}
	for _, tone := range []Tone{Allowed, Attention, Refused, Waiting, Paused} {
		if tone.Icon() == "" || seen[tone.Icon()] {
			t.Errorf("tone %d has the shape %q", tone, tone.Icon())
		}
		seen[tone.Icon()] = true
	}
}

func TestNavItemShowsItsBadge(t *testing.T) {
	n := NewNavItem(assets.Safety, "Safety", nil)
	inWindow(t, fyne.NewSize(184, 36), n)
	n.SetBadge(Attention, assets.Attention, "1")
	n.SetSelected(true)
	if got := textsOf(n); !slices.Contains(got, "1") || n.AccessibilityLabel() != "Safety, 1" || !n.Selected() {
		t.Errorf("shows %q", got)
	}
	n.SetBadge(Neutral, "", "")
	if n.AccessibilityLabel() != "Safety" {
		t.Error("the badge stays")
	}
}

func TestBannerStateAndNote(t *testing.T) {
	b := NewBanner(Waiting, "", "Waiting for the first request…").Noted("soon")
	inWindow(t, fyne.NewSize(500, 60), b)
	b.Set(Allowed, "", "The first request arrived.")
	b.Noted("")
	if got := textsOf(b); !slices.Contains(got, "The first request arrived.") || slices.Contains(got, "soon") {
		t.Errorf("shows %q", got)
	}
	if b.AccessibilityLabel() != "The first request arrived." {
		t.Error("says the old sentence")
	}
}

func TestEmptyStateSaysWhatToDo(t *testing.T) {
	o := NewEmptyState(assets.Log, "Nothing yet", "Send something.", NewButton(Primary, "Send a test request", "", nil))
	inWindow(t, fyne.NewSize(500, 400), o)
	for _, want := range []string{"Nothing yet", "Send something.", "Send a test request"} {
		if !slices.Contains(textsOf(o), want) {
			t.Errorf("%q is missing from %q", want, textsOf(o))
		}
	}
}

func TestChoiceShowsThatItIsChosen(t *testing.T) {
	c := NewChoice(assets.Person, "A person", "sends from their own tools", nil)
	inWindow(t, fyne.NewSize(300, 60), c)
	c.SetChosen(true)
	tick := test.WidgetRenderer(c).Objects()[5]
	if !c.Chosen() || !tick.Visible() {
		t.Error("no tick")
	}
	c.SetChosen(false)
	if tick.Visible() {
		t.Error("the tick stays")
	}
}
