//go:build linux

package testdesk

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/godbus/dbus/v5"
)

// busConfig has no activation files, so that no real keyring, portal or
// notification service can be started behind the test's back.
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
 <type>session</type>
 <listen>unix:dir=%s</listen>
 <auth>EXTERNAL</auth>
 <policy context="default">
  <allow send_destination="*" eavesdrop="true"/>
  <allow eavesdrop="true"/>
  <allow own="*"/>
 </policy>
</busconfig>
`

// Bus is a private session bus. It needs dbus-daemon and nothing else.
type Bus struct {
	// Address is what belongs into DBUS_SESSION_BUS_ADDRESS.
	Address string

	dir    string
	daemon *daemon
	conn   *dbus.Conn
}

// NewBus starts a bus and stops it when the test ends.
func NewBus(t testing.TB) *Bus {
	t.Helper()
	b, err := OpenBus()
	check(t, "start a private session bus", err)
	t.Cleanup(b.Close)
	return b
}

// OpenBus is [NewBus] for a TestMain. Call Close at the end.
func OpenBus() (*Bus, error) {
	if err := find("dbus-daemon"); err != nil {
		return nil, err
	}
	// Not a test's own folder: its name can be too long for a socket address.
	dir, err := os.MkdirTemp("", "bus-")
	if err != nil {
		return nil, err
	}
	b := &Bus{dir: dir}
	conf := filepath.Join(dir, "bus.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, busConfig, dir), 0o600); err != nil {
		b.Close()
		return nil, err
	}
	b.daemon, b.Address, err = launchAndRead(exec.Command("dbus-daemon", "--config-file="+conf, "--nofork", "--print-address=3"))
	if err != nil {
		b.Close()
		return nil, fmt.Errorf("dbus-daemon: %w", err)
	}
	if b.conn, err = dbus.Connect(b.Address); err != nil {
		b.Close()
		return nil, fmt.Errorf("connect to %s: %w", b.Address, err)
	}
	return b, nil
}

// Conn is the test's own connection.
func (b *Bus) Conn() *dbus.Conn { return b.conn }

// Close stops the bus, as a log-out does. It may be called twice.
func (b *Bus) Close() {
	if b.conn != nil {
		_ = b.conn.Close()
	}
	if b.daemon != nil {
		b.daemon.stop()
	}
	_ = os.RemoveAll(b.dir)
}

// SetSession makes this the session bus of the test process until the test ends.
// godbus shares one connection across the process; it is closed before and
// after, so that the next user of dbus.SessionBus reaches this bus, and the next
// test its own. Tests that call it cannot run in parallel.
func (b *Bus) SetSession(t testing.TB) {
	t.Helper()
	// Closing is all that can be done about the old one, and dbus.SessionBus
	// would make a connection just to close it: ask for one on this bus, which
	// is certain to be there.
	drop := func() {
		if c, err := dbus.SessionBus(); err == nil {
			_ = c.Close()
		}
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", b.Address)
	drop()
	t.Cleanup(drop)
}

// HasOwner says whether somebody on the bus owns the name.
func (b *Bus) HasOwner(name string) bool {
	var yes bool
	err := b.conn.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, name).Store(&yes)
	return err == nil && yes
}
