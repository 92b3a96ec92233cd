package awake

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"paddock/internal/testdesk"
)

const (
	limit  = 20 * time.Second // for what happens in the end
	moment = 50 * time.Millisecond
)

// nowhere is the address of a bus that is not there.
const nowhere = "unix:path=/nonexistent/bus"

// desk is a machine with a system bus and a session bus, or without.
func desk(t *testing.T, system, session string) {
	t.Helper()
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", system)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", session)
}

// service is a fake of everything that gives locks: login1, and the two kinds of
// desktop.
type service struct {
	t    *testing.T
	conn *dbus.Conn

	mu     sync.Mutex // guards what follows
	allows []string   // what login1 may be asked for
	calls  []string
	pipes  []*os.File // the ends that we read: they end when the holder closes its own
	given  []*os.File // our copies of what the holder got
	hang   chan struct{}
}

// serve puts a fake on a bus under a name.
func serve(t *testing.T, b *testdesk.Bus, name string, allows ...string) *service {
	t.Helper()
	c, err := dbus.Connect(b.Address)
	if err != nil {
		t.Fatal(err)
	}
	s := &service{t: t, conn: c, allows: allows}
	t.Cleanup(s.close)
	var path dbus.ObjectPath
	var methods any
	var face string
	switch name {
	case login1:
		path, methods, face = login1Path, login1Methods{s}, login1+".Manager"
	case "org.gnome.SessionManager":
		path, methods, face = "/org/gnome/SessionManager", gnomeMethods{s}, name
	case "org.freedesktop.PowerManagement":
		path, methods, face = "/org/freedesktop/PowerManagement/Inhibit", powerMethods{s}, name+".Inhibit"
	}
	if err := c.Export(methods, path, face); err != nil {
		t.Fatal(err)
	}
	if r, err := c.RequestName(name, dbus.NameFlagDoNotQueue); err != nil || r != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("owning %s: %v, %v", name, r, err)
	}
	return s
}

// close takes the service off the bus, as a crash does.
func (s *service) close() {
	_ = s.conn.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range slices.Concat(s.pipes, s.given) {
		_ = f.Close()
	}
	s.pipes, s.given = nil, nil
}

func (s *service) called(text string) {
	s.mu.Lock()
	s.calls = append(s.calls, text)
	hang := s.hang
	s.mu.Unlock()
	if hang != nil {
		<-hang
	}
}

func (s *service) heard() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// silence makes calls hang until the test ends.
func (s *service) silence() {
	hang := make(chan struct{})
	s.mu.Lock()
	s.hang = hang
	s.mu.Unlock()
	s.t.Cleanup(func() { close(hang) })
}

// locks counts the descriptors that the holder has open. It must be called
// when the holder has got them, since ours are closed here.
func (s *service) locks() (open int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.given {
		_ = f.Close()
	}
	s.given = nil
	for _, f := range s.pipes {
		_ = f.SetReadDeadline(time.Now().Add(moment))
		if _, err := f.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
			open++
		} else if !errors.Is(err, io.EOF) {
			s.t.Errorf("reading the lock: %v", err)
		}
	}
	return open
}

type login1Methods struct{ s *service }

func (m login1Methods) Inhibit(what, who, why, mode string) (dbus.UnixFD, *dbus.Error) {
	m.s.called(fmt.Sprintf("%s %s %q %s", what, who, why, mode))
	if !slices.Contains(m.s.allows, what) {
		return 0, dbus.NewError("org.freedesktop.DBus.Error.AccessDenied", []any{"Permission denied"})
	}
	r, w, err := os.Pipe()
	if err != nil {
		return 0, dbus.MakeFailedError(err)
	}
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	m.s.pipes, m.s.given = append(m.s.pipes, r), append(m.s.given, w)
	return dbus.UnixFD(w.Fd()), nil
}

type gnomeMethods struct{ s *service }

func (m gnomeMethods) Inhibit(who string, xid uint32, why string, flags uint32) (uint32, *dbus.Error) {
	m.s.called(fmt.Sprintf("%s %d %q %d", who, xid, why, flags))
	return 7, nil
}

type powerMethods struct{ s *service }

func (m powerMethods) Inhibit(who, why string) (uint32, *dbus.Error) {
	m.s.called(fmt.Sprintf("%s %q", who, why))
	return 7, nil
}
