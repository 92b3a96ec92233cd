package awake

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"
)

const (
	// who is how the system names us.
	who = "Paddock"

	// patience is the deadline of all that one bus is asked. None of it asks a
	// person.
	patience = 2 * time.Second
)

// take asks the system (login1) and the desktop. Either alone leaves a hole:
// before systemd 257 a lock of login1 does not hold back a desktop of the same
// user (github.com/systemd/systemd/issues/29818), and a desktop cannot hold back
// login1's own IdleAction. One is enough to be held.
//
// org.freedesktop.ScreenSaver is not asked, though every desktop has it: it keeps
// the screen from locking.
func take(ctx context.Context, why string) (*lock, error) {
	var all []*lock
	var problems []error
	for _, ask := range []taker{takeLogin1, takeDesktop} {
		l, err := ask(ctx, why)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		all = append(all, l)
	}
	if len(all) == 0 {
		return nil, errors.Join(problems...)
	}
	return both(all), nil
}

// both makes one lock of several, which is lost when one of them is.
func both(all []*lock) *lock {
	lost, over := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var watching sync.WaitGroup
	for _, l := range all {
		watching.Go(func() {
			select {
			case <-l.lost:
				once.Do(func() { close(lost) })
			case <-over:
			}
		})
	}
	return &lock{lost: lost, release: func() {
		close(over)
		watching.Wait()
		for _, l := range all {
			l.release()
		}
	}}
}

const (
	login1     = "org.freedesktop.login1"
	login1Path = dbus.ObjectPath("/org/freedesktop/login1")
)

// takeLogin1 asks systemd-logind, or elogind. Its lock lasts for as long as a
// file descriptor is open, so it ends with this process however that ends.
//
// Who may have which is polkit's to say (org.freedesktop.login1.policy): "sleep"
// is for users of this machine's screen, "idle" for everybody, a service without
// a session included. "idle" holds back login1's IdleAction only.
func takeLogin1(ctx context.Context, why string) (*lock, error) {
	return onBus(ctx, dbus.SystemBusPrivate, []string{login1}, func(ctx context.Context, c *dbus.Conn) (string, func(), error) {
		var err error
		for _, what := range []string{"sleep", "idle"} {
			var fd dbus.UnixFD
			err = c.Object(login1, login1Path).CallWithContext(ctx, login1+".Manager.Inhibit", 0, what, who, why, "block").Store(&fd)
			if err == nil {
				return login1, func() { _ = unix.Close(int(fd)) }, nil
			}
			if _, said := errors.AsType[dbus.Error](err); !said || ctx.Err() != nil {
				break // nobody answered, so there is nothing less to ask for
			}
		}
		return "", nil, fmt.Errorf("asking %s: %w", login1, err)
	})
}

// suspendFlag is GSM_INHIBITOR_FLAG_SUSPEND of gnome-session: no sleep by itself.
const suspendFlag uint32 = 4

// takeDesktop asks whoever decides in this session when nobody is there any
// more. Their locks last for as long as the connection.
func takeDesktop(ctx context.Context, why string) (*lock, error) {
	const gnome, others = "org.gnome.SessionManager", "org.freedesktop.PowerManagement"
	return onBus(ctx, dbus.SessionBusPrivateNoAutoStartup, []string{gnome, others}, func(ctx context.Context, c *dbus.Conn) (string, func(), error) {
		ask := func(name string, path dbus.ObjectPath, method string, args ...any) error {
			// What does not run is not to be started for this.
			err := c.Object(name, path).CallWithContext(ctx, method, dbus.FlagNoAutoStart, args...).Store(new(uint32))
			if err != nil {
				return fmt.Errorf("asking %s: %w", name, err)
			}
			return nil
		}
		// GNOME, Cinnamon, MATE, Budgie …
		one := ask(gnome, "/org/gnome/SessionManager", gnome+".Inhibit", who, uint32(0), why, suspendFlag)
		if one == nil {
			return gnome, func() {}, nil
		}
		// KDE, Xfce, LXQt …
		two := ask(others, "/org/freedesktop/PowerManagement/Inhibit", others+".Inhibit.Inhibit", who, why)
		if two == nil {
			return others, func() {}, nil
		}
		return "", nil, errors.Join(one, two)
	})
}

// onBus connects, asks, and keeps the connection for as long as the lock is held:
// it tells when who gave the lock has gone. The connection is ours alone, since a
// bus that hangs or closes must take nothing else with it.
func onBus(ctx context.Context, dial dialer, names []string, ask asker) (*lock, error) {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	life, end := context.WithCancel(context.Background()) // of the connection, which it closes
	inTime := context.AfterFunc(ctx, end)                 // Auth and Hello know no other deadline
	c, err := dial(dbus.WithContext(life))
	if err != nil {
		end()
		return nil, fmt.Errorf("finding the bus: %w", err)
	}
	signals := make(chan *dbus.Signal, 8)
	c.Signal(signals)
	name, letGo, err := askOn(ctx, c, names, ask)
	if err == nil && !inTime() {
		letGo()
		err = context.Cause(ctx)
	}
	if err != nil {
		if ctx.Err() != nil { // what a closed connection says is not the reason
			err = fmt.Errorf("asking %s: no answer within %v: %w", names[0], patience, context.Cause(ctx))
		}
		end()
		_ = c.Close()
		return nil, err
	}
	return watched(c, end, signals, name, letGo), nil
}

// dialer makes a connection that nobody shares.
type dialer func(...dbus.ConnOption) (*dbus.Conn, error)

// asker returns which name gave a lock, and how to give it back before the
// connection closes.
type asker func(ctx context.Context, c *dbus.Conn) (name string, letGo func(), err error)

func askOn(ctx context.Context, c *dbus.Conn, names []string, ask asker) (string, func(), error) {
	err := c.Auth(nil)
	if err == nil {
		err = c.Hello()
	}
	// Before asking, or one that leaves right after its answer is not noticed.
	for _, name := range names {
		if err == nil {
			err = c.AddMatchSignalContext(ctx, dbus.WithMatchSender(busName), dbus.WithMatchInterface(busName),
				dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, name))
		}
	}
	if err != nil {
		return "", nil, fmt.Errorf("greeting the bus: %w", err)
	}
	return ask(ctx, c)
}

const busName = "org.freedesktop.DBus"

// watched is a lock that is lost when the connection closes or the name at its
// other end changes hands.
func watched(c *dbus.Conn, end func(), signals <-chan *dbus.Signal, name string, letGo func()) *lock {
	lost, over, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case s := <-signals:
				if s != nil && !leaves(s, name) { // nil: the connection is closed
					continue
				}
			case <-c.Context().Done():
			case <-over:
				return
			}
			close(lost)
			return
		}
	}()
	return &lock{lost: lost, release: func() {
		close(over)
		<-done
		letGo()
		end()
		_ = c.Close()
	}}
}

// leaves says whether a signal tells that the owner of a name has left it. One
// that was only now started for our question has none before it.
func leaves(s *dbus.Signal, name string) bool {
	var of, before, now string
	if s.Name != busName+".NameOwnerChanged" || dbus.Store(s.Body, &of, &before, &now) != nil {
		return false
	}
	return of == name && before != ""
}
