package awake

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"paddock/internal/testdesk"
)

const (
	gnome  = "org.gnome.SessionManager"
	others = "org.freedesktop.PowerManagement"
)

// holder is one with a short memory.
func holder(t *testing.T) *Holder {
	t.Helper()
	h := start("lends a model", take, moment, moment)
	t.Cleanup(h.Close)
	return h
}

func until(t *testing.T, h *Holder, want bool) {
	t.Helper()
	testdesk.Wait(t, "the state to change", limit, func() bool { held, _ := h.State(); return held == want })
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s was asked for %q, want %q", what, got, want)
	}
}

func TestLogin1LockIsADescriptorThatIsHeldAndClosed(t *testing.T) {
	b := testdesk.NewBus(t)
	s := serve(t, b, login1, "sleep", "idle")
	desk(t, b.Address, nowhere)
	h := holder(t)
	for round := range 2 {
		h.Set(true)
		until(t, h, true)
		if _, err := h.State(); err != nil {
			t.Error(err)
		}
		if n := s.locks(); n != 1 {
			t.Fatalf("round %d: %d descriptors are open", round, n)
		}
		h.Set(false)
		until(t, h, false)
		testdesk.Wait(t, "the descriptor to close", limit, func() bool { return s.locks() == 0 })
	}
	same(t, "login1", s.heard(), `sleep Paddock "lends a model" block`, `sleep Paddock "lends a model" block`)
}

func TestCloseClosesTheDescriptor(t *testing.T) {
	b := testdesk.NewBus(t)
	s := serve(t, b, login1, "sleep")
	desk(t, b.Address, nowhere)
	h := holder(t)
	h.Set(true)
	until(t, h, true)
	if n := s.locks(); n != 1 {
		t.Fatalf("%d descriptors are open", n)
	}
	h.Close()
	if n := s.locks(); n != 0 {
		t.Errorf("%d descriptors are open", n)
	}
}

func TestWhoMayNotHoldBackSleepHoldsBackIdleness(t *testing.T) {
	b := testdesk.NewBus(t)
	s := serve(t, b, login1, "idle")
	desk(t, b.Address, nowhere)
	h := holder(t)
	h.Set(true)
	until(t, h, true)
	same(t, "login1", s.heard(), `sleep Paddock "lends a model" block`, `idle Paddock "lends a model" block`)
	if n := s.locks(); n != 1 {
		t.Errorf("%d descriptors are open", n)
	}
}

func TestTheDesktopIsAskedToo(t *testing.T) {
	for name, want := range map[string]string{gnome: `Paddock 0 "lends a model" 4`, others: `Paddock "lends a model"`} {
		t.Run(name, func(t *testing.T) {
			b := testdesk.NewBus(t)
			system, desktop := serve(t, b, login1, "sleep"), serve(t, b, name)
			desk(t, b.Address, b.Address)
			h := holder(t)
			h.Set(true)
			until(t, h, true)
			same(t, "login1", system.heard(), `sleep Paddock "lends a model" block`)
			same(t, "the desktop", desktop.heard(), want)
		})
	}
}

func TestTheDesktopAloneIsEnough(t *testing.T) {
	b := testdesk.NewBus(t)
	desktop, other := serve(t, b, gnome), serve(t, b, others)
	desk(t, nowhere, b.Address)
	before := people(t, b)
	h := holder(t)
	h.Set(true)
	until(t, h, true)
	same(t, "the desktop", desktop.heard(), `Paddock 0 "lends a model" 4`)
	same(t, "the other kind", other.heard())
	if n := people(t, b); n != before+1 {
		t.Fatalf("%d connections are new", n-before)
	}
	h.Set(false)
	// The desktop's lock ends with the connection.
	testdesk.Wait(t, "the connection to close", limit, func() bool { return people(t, b) == before })
}

// people counts the connections on a bus.
func people(t *testing.T, b *testdesk.Bus) int {
	t.Helper()
	var names []string
	if err := b.Conn().BusObject().Call("org.freedesktop.DBus.ListNames", 0).Store(&names); err != nil {
		t.Fatal(err)
	}
	return len(slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, ":") }))
}

func TestARefusalIsToldWithItsReason(t *testing.T) {
	b := testdesk.NewBus(t)
	serve(t, b, login1) // allows nothing
	desk(t, b.Address, b.Address)
	h := holder(t)
	h.Set(true)
	testdesk.Wait(t, "an error", limit, func() bool { _, err := h.State(); return err != nil })
	held, err := h.State()
	if held || !strings.Contains(err.Error(), "asking "+login1+": Permission denied") || !strings.Contains(err.Error(), "asking "+gnome) {
		t.Errorf("held %v, %v", held, err)
	}
	if n := people(t, b); n > 4 { // the test's, the fake's, and two of a try that may run just now
		t.Errorf("%d connections are left", n)
	}
}

func TestNoBusAtAllIsAnErrorAtOnce(t *testing.T) {
	desk(t, nowhere, nowhere)
	before := time.Now()
	l, err := take(t.Context(), "why")
	if l != nil || err == nil || !strings.Contains(err.Error(), "finding the bus") || time.Since(before) > patience {
		t.Errorf("%v, %v after %v", l, err, time.Since(before))
	}
}

func TestABusWithoutLogin1IsAnErrorAtOnce(t *testing.T) {
	b := testdesk.NewBus(t)
	desk(t, b.Address, b.Address)
	before := time.Now()
	l, err := take(t.Context(), "why")
	if _, ok := errors.AsType[dbus.Error](err); l != nil || !ok || time.Since(before) > patience {
		t.Errorf("%v, %v after %v", l, err, time.Since(before))
	}
	testdesk.Wait(t, "the connections to close", limit, func() bool { return people(t, b) == 1 })
}

func TestAServiceThatNeverAnswersIsGivenUp(t *testing.T) {
	b := testdesk.NewBus(t)
	s := serve(t, b, login1, "sleep")
	s.silence()
	desk(t, b.Address, nowhere)
	before := time.Now()
	_, err := take(t.Context(), "why")
	if took := time.Since(before); !errors.Is(err, context.DeadlineExceeded) || took < patience || took > 2*patience {
		t.Errorf("%v after %v", err, took)
	}
	same(t, "login1", s.heard(), `sleep Paddock "why" block`) // and is not asked for the lesser thing
}

// A bus that takes a connection and says nothing has no deadline of its own in
// the D-Bus library.
func TestABusThatNeverAnswersIsGivenUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	desk(t, "unix:path="+path, nowhere)
	before := time.Now()
	_, err = take(t.Context(), "why")
	if took := time.Since(before); !errors.Is(err, context.DeadlineExceeded) || took < patience || took > 2*patience {
		t.Errorf("%v after %v", err, took)
	}
}

func TestCloseDoesNotWaitForAServiceThatHangs(t *testing.T) {
	b := testdesk.NewBus(t)
	s := serve(t, b, login1, "sleep")
	s.silence()
	desk(t, b.Address, nowhere)
	h := holder(t)
	h.Set(true)
	testdesk.Wait(t, "the call", limit, func() bool { return len(s.heard()) == 1 })
	before := time.Now()
	h.Close()
	if took := time.Since(before); took > patience/2 {
		t.Errorf("it waited %v", took)
	}
}

func TestAServiceThatGoesAwayIsToldAndAskedAgainWhenItIsBack(t *testing.T) {
	b := testdesk.NewBus(t)
	s := serve(t, b, login1, "sleep")
	desk(t, b.Address, nowhere)
	h := holder(t)
	h.Set(true)
	until(t, h, true)
	s.close()
	until(t, h, false)
	testdesk.Wait(t, "an error", limit, func() bool { _, err := h.State(); return err != nil })

	again := serve(t, b, login1, "sleep")
	until(t, h, true)
	if n := again.locks(); n != 1 {
		t.Errorf("%d descriptors are open", n)
	}
}

func TestABusThatGoesAwayIsTold(t *testing.T) {
	b := testdesk.NewBus(t)
	serve(t, b, login1, "sleep")
	desk(t, b.Address, nowhere)
	h := holder(t)
	h.Set(true)
	until(t, h, true)
	b.Close()
	until(t, h, false)
	h.Set(false)
	testdesk.Wait(t, "peace", limit, func() bool { held, err := h.State(); return !held && err == nil })
}

func TestALockWithoutItsDesktopIsTakenAnew(t *testing.T) {
	b := testdesk.NewBus(t)
	system, desktop := serve(t, b, login1, "sleep"), serve(t, b, gnome)
	desk(t, b.Address, b.Address)
	h := holder(t)
	h.Set(true)
	until(t, h, true)
	desktop.close()
	testdesk.Wait(t, "login1 to be asked once more", limit, func() bool { return len(system.heard()) == 2 })
	until(t, h, true)
	testdesk.Wait(t, "one descriptor", limit, func() bool { return system.locks() == 1 })
}
