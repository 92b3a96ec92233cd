//go:build !lite

package ui

import (
	"strings"
	"testing"

	"paddock/policy"
	"paddock/requestlog"
	"paddock/share"
	"paddock/ui/tray"
)

func TestTheTrayPausesAndCutsEveryoneOff(t *testing.T) {
	r := newRig(t)
	if _, _, err := r.keys.Add(t.Context(), "ben", policy.Grant{}); err != nil {
		t.Fatal(err)
	}
	r.act(tray.Item{Action: tray.Start})
	r.pump("sharing", func() bool { return r.sh.State().Phase == share.Sharing })
	r.act(tray.Item{Action: tray.Pause, Arg: "15m"})
	r.pump("the pause", func() bool { st := r.sh.State(); return st.Phase == share.Paused && !st.PausedUntil.IsZero() })
	r.act(tray.Item{Action: tray.Pause, Arg: "0"})
	r.pump("the pause for no set time", func() bool { return r.sh.State().PausedUntil.IsZero() })
	r.pumpUntil("Paused until you resume")
	r.act(tray.Item{Action: tray.Resume})
	r.pump("the end of the pause", func() bool { return r.sh.State().Phase == share.Sharing })

	r.act(tray.Item{Action: tray.Panic})
	r.pump("the panic", func() bool {
		st := r.sh.State()
		return st.Panicked && st.Phase == share.Off && st.Keys.List[0].Suspended
	})
	r.pumpUntil("Everyone is cut off")
	r.act(tray.Item{Action: tray.UndoPanic})
	r.pump("the end of the panic", func() bool {
		st := r.sh.State()
		return !st.Panicked && st.Phase == share.Sharing && !st.Keys.List[0].Suspended
	})
	// All of that is in the log, and none of it among the last requests.
	done, _, _ := r.sh.Log().Since(0, 0)
	notes := 0
	for _, e := range done {
		if e.Phase == requestlog.Event {
			notes++
		}
	}
	if pic, _ := r.see(); notes < 5 || len(pic.recent) != 0 {
		t.Errorf("%d notes, %d requests", notes, len(pic.recent))
	}
	r.act(tray.Item{Action: tray.Safety})
	if r.board.at != roomSafety {
		t.Errorf("the safety check leads to room %d", r.board.at)
	}
}

func TestPlainHTTPIsAllowedFromTheLogAndTakenBackOnTheDesk(t *testing.T) {
	r := newRig(t)
	r.allowHTTP()
	r.pump("plain HTTP", func() bool { return !r.last.state.Encrypted })
	r.encrypt()
	r.pump("encryption", func() bool { return r.last.state.Encrypted })
}

// A machine that is on no network is told so, and one that is shares there.
func TestThisNetworkIsChosen(t *testing.T) {
	r := newRig(t)
	some := r.sh.State().Networks.Here != ""
	r.here()
	r.pump("the answer", func() bool {
		return !some && len(r.main.Canvas().Overlays().List()) == 1 || strings.Contains(r.sh.Settings().Get().Network.String(), "/")
	})
}
