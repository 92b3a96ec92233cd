//go:build !lite && !windows && !darwin

package tray

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// companionEvery is how often the desktop is asked what tray it has. Panels
// come and go seldom, and asking takes a few milliseconds.
const companionEvery = 5 * time.Second

// Companion runs the lite edition's tray while the desktop has only the old
// X11 kind, where Fyne's icon does not show, until ctx ends. Without a
// paddock-lite beside this program or in the PATH it does nothing. Run it in a
// goroutine of its own.
func Companion(ctx context.Context, home string) {
	path := liteProgram()
	if path == "" {
		return
	}
	tick := time.NewTicker(companionEvery)
	defer tick.Stop()
	stop := func() {}
	var ended chan struct{}
	for {
		want := Host(ctx) == XEmbed
		select {
		case <-ended: // it was closed, or fell: started again only when the desktop changes
		default:
			if !want {
				stop()
				ended = nil
			} else if ended == nil {
				stop, ended = launch(ctx, path, home)
			}
		}
		if !want {
			ended = nil
		}
		select {
		case <-ctx.Done():
			stop()
			return
		case <-tick.C:
		}
	}
}

// liteProgram finds the lite edition beside this program, or in the PATH.
func liteProgram() string {
	const name = "paddock-lite"
	if own, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(own), name)
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return beside
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	return path
}

// launch starts the lite tray. stop ends it and waits for that.
func launch(ctx context.Context, path, home string) (stop func(), ended chan struct{}) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, path, "--home", home, "tray") //nolint:gosec // our own program, and no shell
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 2 * time.Second
	ended = make(chan struct{})
	if cmd.Start() != nil {
		cancel()
		close(ended)
		return func() {}, ended
	}
	go func() {
		defer close(ended)
		_ = cmd.Wait() // closed by the owner, or by stop: both are fine
	}()
	return func() { cancel(); <-ended }, ended
}
