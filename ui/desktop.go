//go:build !lite

package ui

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"fyne.io/fyne/v2"

	"paddock/keystore"
	"paddock/requestlog"
	"paddock/settings"
	"paddock/share"
	"paddock/ui/clip"
	"paddock/ui/desk"
	"paddock/ui/keys"
	"paddock/ui/logview"
	"paddock/ui/prefs"
	"paddock/ui/safety"
	"paddock/ui/theme"
	"paddock/ui/tray"
	"paddock/ui/websites"
)

const (
	slow  = 15 * time.Second // how often "2 min ago" is put right
	quick = time.Second      // how often the figures of running requests are
)

// recentLook is how far back the newest requests are looked for, among notes of
// what was no request.
const recentLook = 50

// program is everything that the owner sees of one Share. But for the methods
// of share.Screen it belongs to Fyne's thread.
type program struct {
	ctx  context.Context // ends with the program
	end  context.CancelFunc
	app  fyne.App
	sh   *share.Share
	do   func(func())
	host func(context.Context) tray.HostKind
	quit func() // ends Fyne's loop
	// notify shows a note of the desktop's own; it does not wait.
	notify func(*fyne.Notification)

	clip  *clip.Clip
	main  fyne.Window
	board *board
	last  picture
	log   fyne.Window // nil until it is asked for
	view  *logview.View

	work    sync.WaitGroup // goroutines that may call Fyne
	closing bool
	asking  bool // a question about quitting is on the screen
}

// type check
var _ share.Screen = (*program)(nil)

func newProgram(ctx context.Context, a fyne.App, sh *share.Share, do func(func())) *program {
	p := &program{app: a, sh: sh, do: do, host: tray.Host, quit: a.Quit}
	p.notify = func(n *fyne.Notification) {
		// A notification service that hangs would hang the window with it. Nobody
		// waits for this goroutine, since nothing can end the call.
		go a.SendNotification(n)
	}
	p.ctx, p.end = context.WithCancel(ctx)
	p.clip = clip.New(a.Clipboard(), do)
	p.dress()
	p.main = a.NewWindow("Paddock")
	p.main.SetPadded(false)
	p.board = newBoard(asks{
		desk: desk.Asks{
			Start: sh.Start, Stop: sh.Stop, Pause: sh.Pause, Resume: sh.Resume, Demo: p.demo, Listen: p.listen, Here: p.here, Encrypt: p.encrypt,
			OpenLog: p.openLog, Settings: func() { p.open(roomSettings) }, Trouble: vault,
		},
		keys: keys.Options{
			Context: p.ctx, Keeper: sh, Clip: p.clip.Secret, Start: sh.Start, Do: do, Focus: p.focus, Say: problem, Trouble: vault,
		},
		sites:   websites.Options{Context: p.ctx, Keeper: sh, Do: do, Focus: p.focus, Say: problem},
		safety:  safety.Options{Context: p.ctx, Keeper: sh, Do: do, Say: problem, Panic: p.cutOff},
		prefs:   prefs.Options{Context: p.ctx, Keeper: sh, Patience: keys.Patience, Do: do, Focus: p.focus, Say: problem},
		undo:    p.undoPanic,
		openLog: p.openLog,
	})
	p.main.SetContent(p.board.content)
	p.main.Canvas().SetOnTypedKey(p.board.typedKey)
	p.main.Resize(recall(a.Preferences(), prefMain, fyne.NewSize(1100, 720)))
	p.main.SetCloseIntercept(p.closed)
	p.last, _ = p.see()
	p.board.show(p.last)
	return p
}

// follow keeps windows and look true until the program ends.
func (p *program) follow() {
	states, stopStates := p.sh.Watch()
	choices, stopChoices := p.sh.Settings().Watch()
	p.work.Go(func() {
		defer stopStates()
		follow(p.ctx, states, p.do, p.see, p.show)
	})
	p.work.Go(func() {
		defer stopChoices()
		follow(p.ctx, choices, p.do, func() (settings.Settings, time.Duration) { return p.sh.Settings().Get(), time.Hour },
			func(settings.Settings) { p.dress() })
	})
}

// see takes a picture of the program.
func (p *program) see() (picture, time.Duration) {
	// The settings first: a State that is newer tells of itself at once.
	pic := picture{at: time.Now(), choices: p.sh.Settings().Get(), state: p.sh.State()}
	beat := slow
	if pic.state.Running+pic.state.Waiting > 0 {
		beat = quick
	}
	running := p.sh.Log().Running(pic.at)
	done, _, _ := p.sh.Log().Since(0, recentLook)
	done = slices.DeleteFunc(done, func(e requestlog.Entry) bool { return e.Phase == requestlog.Event })
	pic.recent = slices.Concat(done, running)
	slices.SortStableFunc(pic.recent, func(a, b requestlog.Entry) int { return b.Time.Compare(a.Time) })
	pic.recent = pic.recent[:min(len(pic.recent), desk.Recent)]
	return pic, beat
}

func (p *program) show(pic picture) {
	p.last = pic
	p.board.show(pic)
}

// dress gives the windows the look that was chosen.
func (p *program) dress() {
	mode := theme.Auto
	switch p.sh.Settings().Get().Theme {
	case settings.ThemeLight:
		mode = theme.Light
	case settings.ThemeDark:
		mode = theme.Dark
	}
	if now, ok := p.app.Settings().Theme().(*theme.Theme); !ok || now.Mode() != mode {
		p.app.Settings().SetTheme(theme.New(mode))
	}
}

func (p *program) focus(f fyne.Focusable) {
	if f == nil {
		p.main.Canvas().Unfocus()
		return
	}
	p.main.Canvas().Focus(f)
}

// background runs work off Fyne's thread and tells the owner when it fails.
func (p *program) background(title string, work func(ctx context.Context) error) {
	p.work.Go(func() {
		ctx, cancel := context.WithTimeout(p.ctx, keys.Patience)
		defer cancel()
		err := work(ctx)
		if err == nil || p.ctx.Err() != nil {
			return
		}
		p.do(func() {
			p.front()
			ask(p.main, question{title: title, sentence: problem(err), no: "OK"})
		})
	})
}

func (p *program) demo(on bool) {
	title := "The demo could not be started"
	if !on {
		title = "The demo could not be ended"
	}
	p.background(title, func(ctx context.Context) error { return p.sh.UseDemo(ctx, on) })
}

func (p *program) listen(addr string) {
	p.background("The port could not be changed", func(context.Context) error {
		return p.sh.Settings().Set(settings.ShareListen, addr)
	})
}

// here has only the network around us shared on.
func (p *program) here() {
	p.background("This network could not be chosen", func(context.Context) error { return p.sh.Set(settings.ShareNetwork, settings.NetworkHere) })
}

// encrypt refuses plain HTTP.
func (p *program) encrypt() {
	p.background("Plain HTTP is still allowed", func(context.Context) error {
		if err := p.sh.Set(settings.ShareAllowHTTP, "false"); err != nil {
			return err
		}
		if !p.sh.State().Encrypted {
			return errors.New("this Paddock was started with --allow-http; start it again without")
		}
		return nil
	})
}

func (p *program) allowHTTP() {
	p.background("Plain HTTP could not be allowed", func(context.Context) error { return p.sh.Set(settings.ShareAllowHTTP, "true") })
}

// allow lets a website in, or the websites of a preset.
func (p *program) allow(origin string) {
	p.background("The website could not be allowed", func(context.Context) error { return p.sh.AllowOrigin(origin) })
}

func (p *program) block(origin string) {
	p.background("The website could not be switched off", func(context.Context) error { return p.sh.BlockOrigin(origin) })
}

// cutOff asks, and then stops sharing, cuts every request and suspends every key.
func (p *program) cutOff() {
	p.front()
	ask(p.main, question{
		title:    "Cut everyone off?",
		sentence: "Sharing ends, every running request is cut, and every key is suspended. You can take it back.",
		yes:      "Cut everyone off", no: "Leave it",
		answered: func(yes bool) {
			if yes {
				p.panicNow()
			}
		},
	})
}

func (p *program) panicNow() {
	p.background("The panic could not be written down", func(context.Context) error { return p.sh.Panic() })
}

// undoPanic lets the keys in again that a panic suspended.
func (p *program) undoPanic(done func()) {
	p.background("The panic could not be taken back", func(context.Context) error {
		defer p.do(done)
		return p.sh.UndoPanic()
	})
}

// open shows a room of the main window.
func (p *program) open(r room) {
	p.board.enter(r)
	p.front()
}

// front brings the main window before the owner.
func (p *program) front() {
	p.main.Show()
	p.main.RequestFocus()
}

func (p *program) openLog() {
	if p.log == nil {
		p.view = logview.New(p.sh.Log(), logview.Actions{
			State: p.sh.State, Watch: p.sh.Watch, Start: p.sh.Start, Stop: p.sh.StopRequest, Copy: p.clip.Text, Allow: p.allow, AllowHTTP: p.allowHTTP,
			Do: p.do,
		})
		p.log = p.app.NewWindow("Request log")
		p.log.SetPadded(false)
		p.log.SetContent(p.view.Content())
		p.view.Attach(p.log)
		p.log.Resize(recall(p.app.Preferences(), prefLog, fyne.NewSize(1280, 760)))
		p.log.SetCloseIntercept(func() {
			remember(p.app.Preferences(), prefLog, p.log.Canvas().Size())
			p.view.SetVisible(false)
			p.log.Hide()
		})
		view := p.view
		p.work.Go(func() { view.Follow(p.ctx) })
	}
	p.view.SetVisible(true)
	p.log.Show()
	p.log.RequestFocus()
}

// act does what an entry of the tray's menu says.
func (p *program) act(i tray.Item) {
	switch i.Action {
	case tray.Start:
		p.sh.Start()
	case tray.Stop:
		p.sh.Stop()
	case tray.Pause:
		if d, err := time.ParseDuration(i.Arg); err == nil {
			p.sh.Pause(d)
		}
	case tray.Resume:
		p.sh.Resume()
	case tray.Panic:
		p.panicNow()
	case tray.UndoPanic:
		p.undoPanic(func() {})
	case tray.Safety:
		p.open(roomSafety)
	case tray.CopyAddress:
		p.clip.Text(i.Arg)
	case tray.CopyKey:
		p.board.keys.Copy(i.Arg, func() {
			p.board.enter(roomKeys)
			p.front()
		})
	case tray.NewKey:
		p.newKey()
	case tray.UseOllama:
		p.demo(false)
	case tray.OpenLog:
		p.openLog()
	case tray.Allow:
		p.allow(i.Arg)
	case tray.Block:
		p.block(i.Arg)
	case tray.Websites:
		p.open(roomWebsites)
	case tray.Open:
		p.front()
	case tray.Quit:
		p.leave()
	case tray.None:
	}
}

// clicked is a click on the tray's icon where the desktop tells it apart: it
// shares, or shows what is needed before that makes sense.
func (p *program) clicked() {
	st := p.sh.State()
	switch {
	case len(st.Keys.List) == 0, st.Wanted:
		p.front()
	default:
		p.sh.Start()
	}
}

func (p *program) newKey() {
	p.front()
	p.board.newKey()
}

// Show implements share.Screen.
func (p *program) Show(name string) {
	p.do(func() {
		switch name {
		case "new-key":
			p.newKey()
		case "open-log":
			p.openLog()
		case "websites":
			p.open(roomWebsites)
		case "safety":
			p.open(roomSafety)
		case "settings":
			p.open(roomSettings)
		default:
			p.front()
		}
	})
}

// ClipSecret implements share.Screen.
func (p *program) ClipSecret(s keystore.Secret) { p.do(func() { p.clip.Secret(s) }) }

// Clip implements share.Screen.
func (p *program) Clip(text string) { p.do(func() { p.clip.Text(text) }) }

// Quit implements share.Screen.
func (p *program) Quit() { p.do(p.leave) }

// leave ends the program. Whoever waits for a keychain is told first: the
// desktop's bus, which a keychain call may hang on, goes with Fyne's loop.
func (p *program) leave() {
	if p.closing {
		return
	}
	p.closing = true
	p.clip.Clear()
	remember(p.app.Preferences(), prefMain, p.main.Canvas().Size())
	if p.log != nil {
		remember(p.app.Preferences(), prefLog, p.log.Canvas().Size())
	}
	p.end()
	p.quit()
}
