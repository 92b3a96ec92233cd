//go:build linux

package testdesk

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// toolLimit bounds the helpers that are started for one action.
const toolLimit = 10 * time.Second

// Focus raises the window and gives it the keyboard.
func (w *Window) Focus() {
	w.d.t.Helper()
	how := "windowfocus"
	if w.d.wm != nil {
		how = "windowactivate"
	}
	w.d.xdotool(how, "--sync", w.id())
}

// Click moves the mouse to a place in the window, counted from its top left
// corner, and presses the left button.
func (w *Window) Click(x, y int) { w.d.t.Helper(); w.button(x, y, "1") }

// RightClick is Click with the right button.
func (w *Window) RightClick(x, y int) { w.d.t.Helper(); w.button(x, y, "3") }

// Scroll turns the wheel over a place in the window: down, or up if notches is
// negative.
func (w *Window) Scroll(x, y, notches int) {
	w.d.t.Helper()
	wheel := "5"
	if notches < 0 {
		wheel, notches = "4", -notches
	}
	w.Move(x, y)
	w.d.xdotool("click", "--repeat", strconv.Itoa(notches), "--delay", "20", wheel)
}

// Move moves the mouse to a place in the window.
func (w *Window) Move(x, y int) {
	w.d.t.Helper()
	at := w.Bounds().Min
	w.d.xdotool("mousemove", strconv.Itoa(at.X+x), strconv.Itoa(at.Y+y))
}

func (w *Window) button(x, y int, button string) {
	w.d.t.Helper()
	at := w.Bounds().Min
	w.d.xdotool("mousemove", strconv.Itoa(at.X+x), strconv.Itoa(at.Y+y), "click", button)
}

// Type types text into whatever has the focus of this window. Only characters of
// a US keyboard arrive everywhere; use [Desk.SetClipboard] and paste others.
func (w *Window) Type(text string) {
	w.d.t.Helper()
	w.Focus()
	w.d.xdotool("type", "--delay", "5", "--", text)
}

// Key presses keys one after the other, each named as X names it ("Tab",
// "ctrl+v", "alt+F4").
func (w *Window) Key(keys ...string) {
	w.d.t.Helper()
	w.Focus()
	w.d.xdotool(append([]string{"key", "--delay", "20", "--"}, keys...)...)
}

func (w *Window) id() string { return strconv.FormatUint(uint64(w.ID), 10) }

// xdotool runs it on this desktop.
func (d *Desk) xdotool(args ...string) {
	d.t.Helper()
	need(d.t, "xdotool")
	if _, err := d.tool("", "xdotool", args...); err != nil {
		d.t.Fatal(err)
	}
}

// tool runs a program on this desktop with a limit and returns what it prints.
func (d *Desk) tool(input, name string, args ...string) (string, error) {
	ctx, stop := context.WithTimeout(context.Background(), toolLimit)
	defer stop()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = d.Env("LC_ALL=C.UTF-8") // xdotool types by locale
	cmd.Stdin = strings.NewReader(input)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return string(out), nil
}
