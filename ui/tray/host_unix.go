//go:build !windows && !darwin

package tray

import (
	"context"
	"os"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// hostPatience bounds how long a desktop may take to say what it has.
const hostPatience = 2 * time.Second

// Host says what kind of tray this desktop offers now. It takes some
// milliseconds and at most two seconds: call it off Fyne's thread.
func Host(ctx context.Context) HostKind {
	switch {
	case notifierHost(ctx):
		return Native
	case os.Getenv("DISPLAY") != "" && soon(ctx, xembedHost):
		return XEmbed
	}
	return NoHost
}

// notifierHost asks whether a panel shows StatusNotifierItems.
func notifierHost(ctx context.Context) bool {
	ctx, stop := context.WithTimeout(ctx, hostPatience)
	defer stop()
	// Of our own, since the shared one is Fyne's and the keychain's; and without
	// dbus-launch, which godbus starts where there is no bus and which leaves a
	// daemon behind.
	conn, err := dbus.SessionBusPrivateNoAutoStartup(dbus.WithContext(ctx))
	if err != nil {
		return false
	}
	defer conn.Close()
	if conn.Auth(nil) != nil || conn.Hello() != nil {
		return false
	}
	const watcher = "org.kde.StatusNotifierWatcher"
	var v dbus.Variant
	err = conn.Object(watcher, "/StatusNotifierWatcher").
		CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", dbus.FlagNoAutoStart, watcher, "IsStatusNotifierHostRegistered").Store(&v)
	there, _ := v.Value().(bool)
	return err == nil && there
}

// soon gives up on an answer that takes longer than hostPatience: an X server
// that hangs answers nothing, and its library has no deadline.
func soon(ctx context.Context, ask func() bool) bool {
	answer := make(chan bool, 1)
	go func() { answer <- ask() }()
	select {
	case yes := <-answer:
		return yes
	case <-time.After(hostPatience):
	case <-ctx.Done():
	}
	return false
}

// xembedHost asks whether an old-style X11 tray is there.
func xembedHost() bool {
	conn, err := xgb.NewConn()
	if err != nil {
		return false
	}
	defer conn.Close()
	const selection = "_NET_SYSTEM_TRAY_S0"
	atom, err := xproto.InternAtom(conn, true, uint16(len(selection)), selection).Reply()
	if err != nil || atom.Atom == 0 {
		return false
	}
	owner, err := xproto.GetSelectionOwner(conn, atom.Atom).Reply()
	return err == nil && owner.Owner != 0
}
