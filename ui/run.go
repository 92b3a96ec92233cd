//go:build !lite

package ui

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/app"
	"fyne.io/fyne/v2/driver/desktop"

	"paddock/assets"
	"paddock/share"
	"paddock/ui/tray"
)

// ID is what the desktop knows the program by.
const ID = "io.github.paddock.Paddock"

const (
	// latePanel is how long a panel may take to come up when the program is
	// started together with the desktop.
	latePanel = 10 * time.Second
	// patience is how long what is under way may take to notice the end.
	patience = 2 * time.Second
)

// Run shows the tray and, unless hidden, the main window, until ctx ends or the
// owner quits. It must be called on the main goroutine. hidden counts only
// where there is a tray to find the program in.
func Run(ctx context.Context, sh *share.Share, hidden bool) error {
	var p *program
	tray.OnClick(func() { p.clicked() })
	a := app.NewWithID(ID)
	a.SetIcon(fyne.NewStaticResource("paddock.png", assets.AppPNG()))
	// Fyne runs a function that comes after its loop has ended on the caller,
	// where the clipboard panics.
	var over atomic.Bool
	p = newProgram(ctx, a, sh, func(f func()) {
		fyne.Do(func() {
			if !over.Load() {
				f()
			}
		})
	})
	defer p.end()
	panel, hasTray := a.(desktop.App)
	if hasTray {
		// Fyne starts its tray with its loop or not at all, so there is a menu
		// before; the painter puts the real one in its place at once.
		quit := fyne.NewMenuItem("Quit Paddock", p.leave)
		quit.IsQuit = true
		panel.SetSystemTrayIcon(fyne.NewStaticResource("tray.png", assets.TrayIcon(tray.Shape(sh.State()))))
		panel.SetSystemTrayMenu(fyne.NewMenu("Paddock", quit))
	}
	if !hidden || !hasTray {
		p.main.Show()
	}
	a.Lifecycle().SetOnStarted(func() {
		sh.SetScreen(p)
		p.follow()
		if hasTray {
			p.work.Go(func() { tray.Fyne(p.ctx, panel, sh, p.act) })
			p.work.Go(func() { tray.Companion(p.ctx, sh.Home()) })
		}
		if hidden && hasTray {
			p.work.Go(p.showWithoutTray)
		}
		context.AfterFunc(ctx, func() { p.do(p.leave) })
		p.takeSignals()
	})
	a.Run()
	over.Store(true)
	p.end()
	p.clip.Forget()
	sh.SetScreen(nil)
	p.settle()
	return nil
}

// takeSignals takes Ctrl-C and SIGTERM from Fyne, which ends its loop on them
// at once: a key that was copied would stay on the clipboard. Fyne asks for
// them in a goroutine of its own that may be late, so they are taken twice. A
// second one, a second later, ends the program as it is.
func (p *program) takeSignals() {
	came := make(chan os.Signal, 1)
	take := func() {
		signal.Reset(os.Interrupt, syscall.SIGTERM)
		signal.Notify(came, os.Interrupt, syscall.SIGTERM)
	}
	take()
	again := time.AfterFunc(time.Second, take)
	go func() {
		select {
		case <-p.ctx.Done():
		case <-came:
			p.do(p.leave)
		}
		again.Stop()
		time.AfterFunc(time.Second, func() { signal.Reset(os.Interrupt, syscall.SIGTERM) })
	}()
}

// showWithoutTray shows the window of a hidden start after all, where no panel
// comes up to find it in.
func (p *program) showWithoutTray() {
	ctx, cancel := context.WithTimeout(p.ctx, latePanel)
	defer cancel()
	for p.host(ctx) != tray.Native {
		select {
		case <-ctx.Done():
			if p.ctx.Err() == nil {
				p.do(p.front)
			}
			return
		case <-time.After(time.Second):
		}
	}
}

// settle waits for what is under way. A call that does not notice the end of
// its context is left behind: the process ends next.
func (p *program) settle() {
	done := make(chan struct{})
	go func() {
		p.work.Wait()
		p.board.wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(patience):
	}
}
