//go:build linux && e2e

package e2e_test

import (
	"strings"
	"testing"
	"time"

	"paddock/e2e/program"
	"paddock/internal/testdesk"
)

// TestTheLiteTray is a client of the Paddock that runs: it shows the state, asks
// for actions, and never sees a key.
func TestTheLiteTray(t *testing.T) {
	d := testdesk.New(t, testdesk.WithOpenbox())
	p := program.New(t, program.Lite, d)
	p.Set("PADDOCK_VAULT=memory")
	icon := p.Start("tray")
	tray := d.Tray()
	tray.Entry(nil, "○ Paddock does not run")

	show := p.Start("share", "--demo", "--listen", "127.0.0.1:0")
	url := show.WaitOut(`(https://127\.0\.0\.1:\d+)`)[1]
	entry := tray.Entry(func(e testdesk.Entry) bool { return strings.HasPrefix(e.Label, "● Sharing the demo") && !e.Enabled }, "● Sharing the demo · 0 teammates · 0 running")
	t.Logf("status row: %s", entry.Label)
	for _, e := range tray.Menu() {
		if strings.Contains(e.Label, "Copy key") && e.Visible {
			t.Errorf("%q: this instance has no clipboard", e.Label)
		}
	}
	tray.Click("Stop sharing")
	testdesk.Wait(t, "the port to close", 15*time.Second, func() bool { return portClosed(url) })
	if code := show.Wait(15 * time.Second); code != 0 {
		t.Errorf("share ended with %d", code)
	}
	tray.Entry(nil, "○ Paddock does not run")
	if code := icon.Stop(); code != 0 {
		t.Errorf("SIGTERM to the tray: exit code %d", code)
	}
}
