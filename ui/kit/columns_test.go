package kit

import (
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"paddock/ui/theme"
)

func logColumns() *Columns {
	return NewColumns(20, 20, 16,
		Column{ID: "time", Title: "Time", Width: 60},
		Column{ID: "device", Title: "Device", Width: 100, Rank: 2},
		Column{ID: "model", Title: "Model", Width: 100, Grow: 1, Rank: 1},
		Column{ID: "result", Title: "Result", Width: 120, Grow: 2},
		Column{ID: "took", Title: "Took", Width: 50, Right: true})
}

func shownIn(c *Columns, width float32) []bool {
	var all []bool
	for _, s := range c.Slots(width) {
		all = append(all, s.Shown)
	}
	return all
}

func TestColumnsStepAsideByRank(t *testing.T) {
	test.NewTempApp(t)
	c := logColumns()
	for _, want := range []struct {
		width float32
		shown []bool
		aside int
	}{
		{800, []bool{true, true, true, true, true}, 0},
		{534, []bool{true, true, true, true, true}, 0},
		{533, []bool{true, false, true, true, true}, 1},
		{400, []bool{true, false, false, true, true}, 2},
		{100, []bool{true, false, false, true, true}, 2},
	} {
		if got := shownIn(c, want.width); !slices.Equal(got, want.shown) || c.Aside(want.width) != want.aside {
			t.Errorf("at %v: %v, %d aside", want.width, got, c.Aside(want.width))
		}
	}
}

func TestColumnsFillTheWidthWithoutOverlap(t *testing.T) {
	test.NewTempApp(t)
	c := logColumns()
	for width := c.MinWidth(); width < 1400; width += 13 {
		end := float32(20)
		for i, s := range c.Slots(width) {
			if !s.Shown {
				continue
			}
			if s.X < end-0.01 || s.Width < c.list[i].Width-1 {
				t.Fatalf("at %v column %d is %+v after %v", width, i, s, end)
			}
			end = s.X + s.Width + 16
		}
		if right := end - 16; right < width-21 || right > width-19 {
			t.Fatalf("at %v the last column ends at %v", width, right)
		}
	}
}

func TestColumnsAreReorderedHiddenAndWidened(t *testing.T) {
	test.NewTempApp(t)
	c := logColumns()
	list := c.List()
	list[0], list[4] = list[4], list[0]
	list[1].Hidden = true
	list[3].Width = 300
	c.Set(append(list, Column{ID: "unknown"})...)
	slots := c.Slots(900)
	if slots[4].X != 20 || slots[1].Shown || slots[3].Width < 300 || slots[0].X < slots[3].X {
		t.Errorf("places are %+v", slots)
	}
	c.Set(list[0]) // a list remembered from before the others existed
	if got := shownIn(c, 900); !slices.Equal(got, []bool{false, false, false, false, true}) {
		t.Errorf("shown are %v", got)
	}
	if c.Aside(900) != 0 {
		t.Error("what the owner hid counts as having no room")
	}
}

func TestLargerTextNeedsWiderColumns(t *testing.T) {
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.New(theme.Light).WithTextScale(1.5))
	if w := logColumns().Slots(1200)[0].Width; w != 90 {
		t.Errorf("the time is %v wide", w)
	}
}

func TestACellGoesWithItsColumn(t *testing.T) {
	c := logColumns()
	device := NewText(Cell, "ben-thinkpad").Shorten(CutEnd)
	row := c.Cells(NewText(Cell, "14:31:22"), device, nil, NewState(Refused, "", "No key"), NewText(Cell, "1 s").Right())
	w := inWindow(t, fyne.NewSize(900, 32), row)
	if !device.Visible() || device.Position().X != 96 {
		t.Errorf("the device is at %v", device.Position())
	}
	w.Resize(fyne.NewSize(450, 32))
	if device.Visible() {
		t.Error("the device stays in a narrow window")
	}
	w.Resize(fyne.NewSize(900, 32))
	if !device.Visible() {
		t.Error("the device does not come back")
	}
}

func TestHeaderShowsTitlesAndResizes(t *testing.T) {
	c := logColumns()
	id, width, tapped := "", float32(0), ""
	h := NewHeader(c).OnGround().OnResize(func(i string, w float32) { id, width = i, w }).OnTapped(func(i string) { tapped = i })
	inWindow(t, fyne.NewSize(900, 32), h)
	if got := textsOf(h); !slices.Equal(got, []string{"Time", "Device", "Model", "Result", "Took"}) {
		t.Errorf("shows %q", got)
	}
	s := c.Slots(900)[1]
	test.TapAt(h, fyne.NewPos(s.X+10, 10))
	h.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(s.X+s.Width+18, 10)}, Dragged: fyne.NewDelta(10, 0)})
	h.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(s.X+s.Width+23, 10)}, Dragged: fyne.NewDelta(5, 0)})
	h.DragEnd()
	if tapped != "device" || id != "device" || width != s.Width+15 {
		t.Errorf("tapped %q, resized %q to %v", tapped, id, width)
	}
	h.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(s.X+40, 10)}, Dragged: fyne.NewDelta(10, 0)})
	if width != s.Width+15 {
		t.Error("dragging the middle of a title resized it")
	}
}

func TestRowShowsPointerAndSelection(t *testing.T) {
	r := NewRow("ben", theme.SizeKeyRow, NewText(Body, "ben"), func() {}).First()
	inWindow(t, fyne.NewSize(300, 60), r)
	if r.MinSize().Height != 60 {
		t.Errorf("%v high", r.MinSize().Height)
	}
	r.MouseIn(nil)
	if !r.ground.hovered {
		t.Error("the pointer does not show")
	}
	r.MouseOut()
	r.SetSelected(true)
	if r.ground.hovered || !r.ground.selected || !r.Selected() {
		t.Error("the selection does not show")
	}
}
