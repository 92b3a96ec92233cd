//go:build lite && cgo

package tray

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/getlantern/systray"

	"paddock/assets"
	"paddock/internal/control"
	"paddock/share"
)

// Painter returns the tray of this edition.
func Painter() func(ctx context.Context, home string) error { return runLite }

// runLite shows the tray as a client of the instance in home until ctx ends or
// the owner quits it. It sees labels and states, and never a key.
func runLite(ctx context.Context, home string) error {
	if runtime.GOOS != "windows" && runtime.GOOS != "darwin" && os.Getenv("DISPLAY") == "" {
		return errors.New("showing the tray: there is no X11 display") // GTK would end the process
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var done sync.WaitGroup
	systray.Run(func() {
		l := &lite{home: home, stop: stop}
		done.Go(func() {
			l.follow(ctx)
			systray.Quit()
		})
	}, stop)
	done.Wait()
	return nil
}

// lite is the painter. Its slots are touched by one goroutine, clicks come from
// others.
type lite struct {
	home  string
	stop  func()
	mu    sync.Mutex // guards slots' items and shape
	slots []*slot
	icons map[assets.TrayShape][]byte // the library keeps pointers to these for ever
	shape assets.TrayShape
}

// A slot is one line of the menu. The library can neither remove nor reorder
// entries, so lines are relabelled, and hidden when there are fewer. Submenus
// become lines of their own with the label of both.
type slot struct {
	item *systray.MenuItem
	what Item
}

// retry is how often an instance that has gone is looked for.
const retry = 2 * time.Second

// follow paints the state of the instance, and of its absence.
func (l *lite) follow(ctx context.Context) {
	wake := make(chan struct{}, 1)
	var mu sync.Mutex
	var st share.State
	there := false
	set := func(s share.State, ok bool) {
		mu.Lock()
		st, there = s, ok
		mu.Unlock()
		select {
		case wake <- struct{}{}:
		default:
		}
	}
	var reader sync.WaitGroup
	reader.Go(func() {
		for ctx.Err() == nil {
			client, err := control.Dial(l.home)
			if err == nil {
				_ = client.Stream(ctx, control.OpWatch, nil, func(raw json.RawMessage) error {
					var s share.State
					if err := json.Unmarshal(raw, &s); err != nil {
						return fmt.Errorf("reading the state: %w", err)
					}
					set(s, true)
					return nil
				}, nil)
			}
			set(share.State{}, false)
			select {
			case <-ctx.Done():
			case <-time.After(retry):
			}
		}
	})
	pace(ctx, wake, func() picture {
		mu.Lock()
		defer mu.Unlock()
		if !there {
			return picture{menu: []Item{{Label: "○ Paddock does not run", Disabled: true}, {}, {Label: "Close this icon", Action: Quit}}, shape: assets.TrayOff}
		}
		return pictureOf(st)
	}, l.paint)
	reader.Wait()
}

func (l *lite) paint(p picture) {
	lines := flatten(p.menu)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.icons == nil {
		l.icons = map[assets.TrayShape][]byte{}
	}
	if p.shape != l.shape {
		l.shape = p.shape
		if l.icons[p.shape] == nil {
			l.icons[p.shape] = assets.TrayIcon(p.shape)
		}
		systray.SetIcon(l.icons[p.shape])
	}
	systray.SetTooltip(p.tip)
	for len(l.slots) < len(lines) {
		s := &slot{item: systray.AddMenuItem("", "")}
		go l.clicks(s)
		l.slots = append(l.slots, s)
	}
	for i, s := range l.slots {
		if i >= len(lines) {
			s.what = Item{}
			s.item.Hide()
			continue
		}
		s.what = lines[i]
		s.item.SetTitle(lines[i].Label)
		if lines[i].Disabled {
			s.item.Disable()
		} else {
			s.item.Enable()
		}
		s.item.Show()
	}
}

// flatten makes one list of a menu, for a tray that can only relabel lines.
func flatten(items []Item) []Item {
	var out []Item
	for _, i := range items {
		switch {
		case len(i.Sub) > 0:
			for _, x := range i.Sub {
				switch {
				case x.Label == "":
					continue // the lines around it are not together here
				case x.Action == CopyKey:
					x.Label = "Copy key for " + x.Label
				case x.Action == Pause && x.Arg == "0":
					x.Label = "Pause " + x.Label // until I resume
				case x.Action == Pause:
					x.Label = pauseFor + " " + x.Label
				case x.Ticked:
					x.Label = "☑ " + i.Label + ": " + x.Label
				case x.Choice:
					x.Label = "☐ " + i.Label + ": " + x.Label
				}
				out = append(out, x)
			}
		case i.Label == "":
			out = append(out, Item{Label: "────────", Disabled: true})
		default:
			out = append(out, i)
		}
	}
	return out
}

// clicks acts on the clicks of one line for as long as the program lives.
func (l *lite) clicks(s *slot) {
	for range s.item.ClickedCh {
		l.mu.Lock()
		what := s.what
		l.mu.Unlock()
		l.act(what)
	}
}

// askPatience bounds one question to the instance; a keychain may ask a person.
const askPatience = time.Minute

func (l *lite) act(i Item) {
	op, args := "", control.NameArgs{Name: i.Arg}
	switch i.Action {
	case Quit:
		l.quit()
		return
	case Start:
		op = control.OpStart
	case Stop:
		op = control.OpStop
	case Pause:
		op, args = control.OpPause, control.NameArgs{Value: i.Arg}
	case Resume, UndoPanic:
		op, args = control.OpResume, control.NameArgs{}
	case Panic:
		op, args = control.OpPanic, control.NameArgs{}
	case UseOllama:
		op, args = control.OpDemo, control.NameArgs{Value: "off"}
	case CopyKey:
		op = control.OpKeysClip
	case CopyAddress:
		op = control.OpAddressClip
	case Open:
		op = control.OpShow
	case NewKey:
		op, args = control.OpShow, control.NameArgs{Name: string(NewKey)}
	case OpenLog, Websites, Safety:
		op, args = control.OpShow, control.NameArgs{Name: string(i.Action)}
	case Allow:
		op = control.OpOriginsAllow
	case Block:
		op = control.OpOriginsBlock
	case None:
		return
	}
	go func() { l.ask(op, args) }()
}

func (l *lite) ask(op string, args control.NameArgs) {
	ctx, stop := context.WithTimeout(context.Background(), askPatience)
	defer stop()
	client, err := control.Dial(l.home)
	if err == nil {
		err = client.Call(ctx, op, args, nil)
	}
	if err != nil && !errors.Is(err, control.ErrNotRunning) { // the icon itself says that it does not run
		fmt.Fprintf(os.Stderr, "paddock: %s: %v\n", op, err)
	}
}

// quit ends the instance, and with it this icon.
func (l *lite) quit() {
	l.ask(control.OpQuit, control.NameArgs{})
	l.stop()
}
