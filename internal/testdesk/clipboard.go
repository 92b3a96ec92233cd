//go:build linux

package testdesk

import (
	"os/exec"
	"strings"
	"time"
)

// Clipboard returns the text on the clipboard, and false if there is none.
func (d *Desk) Clipboard() (string, bool) {
	d.t.Helper()
	need(d.t, "xclip")
	text, err := d.tool("", "xclip", "-selection", "clipboard", "-out")
	return text, err == nil
}

// SetClipboard puts text on the clipboard, as another program would. It stays
// until somebody else takes the clipboard or the test ends.
func (d *Desk) SetClipboard(text string) {
	d.t.Helper()
	need(d.t, "xclip")
	// In the foreground: the one in the background would be nobody's to stop.
	cmd := exec.Command("xclip", "-selection", "clipboard", "-in", "-quiet")
	cmd.Env = d.Env()
	cmd.Stdin = strings.NewReader(text)
	owner, err := launch(cmd)
	check(d.t, "start xclip", err)
	d.t.Cleanup(owner.stop)
	Wait(d.t, "the clipboard to hold the text", 5*time.Second, func() bool {
		got, ok := d.Clipboard()
		return ok && got == text
	})
}
