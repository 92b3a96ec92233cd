//go:build linux && e2e

package e2e_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"paddock/e2e/program"
	"paddock/internal/testdesk"
)

// TestADesktopWithOnlyTheOldTray: Fyne's icon does not show there, so the full
// edition starts the lite one's tray beside it, and ends it when a panel comes
// up that shows its own.
func TestADesktopWithOnlyTheOldTray(t *testing.T) {
	d := testdesk.New(t, testdesk.WithOpenbox(), testdesk.WithoutTray())
	d.StartKeyring(t)
	p := program.New(t, program.Full, d)
	lite := os.Getenv(program.Lite)
	if filepath.Dir(lite) != filepath.Dir(p.Bin) {
		t.Fatalf("%s and %s must lie in one folder: the one is looked for beside the other", lite, p.Bin)
	}
	if _, err := exec.LookPath("trayer"); err != nil {
		t.Fatal("trayer, an old X11 tray, is not installed (Debian: trayer)")
	}
	trayer := exec.Command("trayer", "--edge", "top", "--align", "right", "--widthtype", "pixel", "--width", "200", "--heighttype", "pixel", "--height", "32")
	trayer.Env = d.Env()
	if err := trayer.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = trayer.Process.Kill(); _ = trayer.Wait() })

	app := p.Start()
	d.Window("Paddock")
	d.Until("the lite tray", 20*time.Second, func() bool { return helper(p.Home) })
	d.ServeTray()
	d.Tray().Entry(nil, "Start sharing")
	d.Until("the lite tray to end", 20*time.Second, func() bool { return !helper(p.Home) })
	if code := app.Stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// helper says whether a lite tray runs for a home.
func helper(home string) bool {
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range all {
		b, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		words := strings.Split(string(bytes.TrimRight(b, "\x00")), "\x00")
		if len(words) == 4 && words[1] == "--home" && words[2] == home && words[3] == "tray" {
			return true
		}
	}
	return false
}
