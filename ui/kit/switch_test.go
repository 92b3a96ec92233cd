package kit

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

// The window shows what is, not what was clicked: a switch that jumped at once
// would say "Sharing" while the port is still taken by another program.
func TestSwitchAsksAndMovesOnlyWhenTold(t *testing.T) {
	var asked []bool
	s := NewSwitch("Sharing", func(on bool) { asked = append(asked, on) })
	inWindow(t, fyne.NewSize(100, 60), s)
	knob := func() float32 { return test.WidgetRenderer(s).Objects()[1].Position().X }
	off := knob()
	test.Tap(s)
	if s.On() || knob() != off {
		t.Error("moved by itself")
	}
	s.SetPending(true)
	test.Tap(s)
	if len(asked) != 1 || !asked[0] {
		t.Errorf("asked %v", asked)
	}
	s.SetOn(true)
	if !s.On() || s.Pending() || knob() <= off {
		t.Error("did not move when told")
	}
	test.Tap(s)
	if len(asked) != 2 || asked[1] {
		t.Errorf("asked %v", asked)
	}
}

func TestSwitchSizes(t *testing.T) {
	test.NewTempApp(t)
	if NewSwitch("x", nil).MinSize() != fyne.NewSize(36, 20) || NewSwitch("x", nil).Big().MinSize() != fyne.NewSize(64, 36) {
		t.Error("not as drawn")
	}
}
