package keystore

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/zalando/go-keyring"
)

var errRingEmpty = keyring.ErrNotFound

func TestKeychainOneCallAtATime(t *testing.T) {
	ring := &fakeRing{}
	v := newOSKeychain(ring.calls())
	done := make(chan error)
	for i := range 20 {
		go func() { done <- v.Set(t.Context(), fmt.Sprintf("k-%d", i), NewSecret("x")) }()
	}
	for range 20 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := ring.most.Load(); n != 1 {
		t.Errorf("%d calls ran at once", n)
	}
}

// The story: go-keyring has no time-outs, so a question that nobody answers
// blocks for ever. The caller must get away, later callers too, and no second
// question may come up over the first.
func TestKeychainThatHangsIsLeftAlone(t *testing.T) {
	ring := &fakeRing{hang: make(chan struct{})}
	v := newOSKeychain(ring.calls())
	for range 3 {
		start := time.Now()
		if _, err := v.Get(within(t, 50*time.Millisecond), "k"); !errors.Is(err, ErrTimeout) {
			t.Errorf("hanging: %v", err)
		}
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("it took %v", d)
		}
	}
	if n := ring.inside.Load(); n != 1 {
		t.Errorf("%d calls wait in the keychain", n)
	}
	close(ring.hang)
	if err := v.Set(within(t, 5*time.Second), "k", NewSecret("x")); err != nil {
		t.Errorf("after it woke up: %v", err)
	}
}

// A time-out means "gave up": the item may turn up afterwards, and whoever
// gave up is told.
func TestKeychainTellsOfLateSuccess(t *testing.T) {
	ring := &fakeRing{hang: make(chan struct{})}
	v := newOSKeychain(ring.calls())
	late := make(chan struct{}, 1)
	v.OnLate(func() { late <- struct{}{} })
	if _, err := v.Get(within(t, 20*time.Millisecond), "k"); !errors.Is(err, ErrTimeout) {
		t.Fatal(err)
	}
	if err := v.Set(within(t, 20*time.Millisecond), "k", NewSecret("x")); !errors.Is(err, ErrTimeout) {
		t.Fatal(err)
	}
	close(ring.hang)
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-late:
		t.Error("told of a call that failed")
	default:
	}

	ring = &fakeRing{hang: make(chan struct{})}
	v = newOSKeychain(ring.calls())
	v.OnLate(func() { late <- struct{}{} })
	if err := v.Set(within(t, 20*time.Millisecond), "k", NewSecret("x")); !errors.Is(err, ErrTimeout) {
		t.Fatal(err)
	}
	close(ring.hang)
	<-late
	if !ring.has("k") {
		t.Error("told of an item that is not there")
	}
}

// The story: when the D-Bus goes away under an open question, go-keyring
// reads from a nil signal and takes the program with it.
func TestKeychainThatPanicsIsAnError(t *testing.T) {
	ring := &fakeRing{broken: "invalid memory address"}
	v := newOSKeychain(ring.calls())
	for range 2 { // its turn is given back
		if err := v.Set(within(t, 5*time.Second), "k", NewSecret("x")); !errors.Is(err, ErrNoVault) || !mayHold(err) {
			t.Errorf("panicking: %v", err)
		}
	}
}

// The story: the bus went away after the keychain had stored the item, the
// note of it was dropped as if there were no keychain, and the item stayed.
func TestItemStoredAsTheBusGoesIsClearedAway(t *testing.T) {
	for what, breakOff := range map[string]func() error{
		"a panic":   func() error { panic("invalid memory address") },
		"an answer": func() error { return errors.New("dbus: connection closed by user") },
	} {
		t.Run(what, func(t *testing.T) {
			home, ring := t.TempDir(), &fakeRing{}
			calls := ring.calls()
			set := calls.set
			calls.set = func(service, id, secret string) error {
				_ = set(service, id, secret)
				return breakOff()
			}
			s := openWith(t, home, newOSKeychain(calls))
			if _, _, err := s.Add(t.Context(), "alice", grant); !errors.Is(err, ErrNoVault) || len(ring.items) != 1 {
				t.Fatalf("it says %v, with %d items", err, len(ring.items))
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if x := readIndex(t, home); len(x.Leftovers) != 1 {
				t.Errorf("the index says %+v", x)
			}
			s = reopen(t, home, ring)
			k, _ := mustAdd(t, s, "bob")
			wait(t, "the item to go", func() bool {
				ring.mu.Lock()
				defer ring.mu.Unlock()
				return len(ring.items) == 1
			})
			if !ring.has(k.ID) {
				t.Error("the wrong one went")
			}
		})
	}
}

func TestKeychainThatDoesNotKeep(t *testing.T) {
	ring := &fakeRing{}
	calls := ring.calls()
	calls.set = func(_, _, _ string) error { return nil }
	calls.delete = func(_, _ string) error { return nil }
	v := newOSKeychain(calls)
	v.keep = 500 * time.Millisecond
	if err := v.Set(within(t, 10*time.Second), "k", NewSecret("x")); !errors.Is(err, ErrNotKept) {
		t.Errorf("storing: %v", err)
	}
	ring.items = map[string]string{service + " k": "x"}
	if err := v.Delete(within(t, 10*time.Second), "k"); !errors.Is(err, ErrNotKept) {
		t.Errorf("deleting: %v", err)
	}
	// With less time than the read-back takes, nobody knows yet.
	if err := v.Set(within(t, 200*time.Millisecond), "other", NewSecret("x")); !errors.Is(err, ErrTimeout) {
		t.Errorf("storing in a hurry: %v", err)
	}
}

func TestClosedKeychain(t *testing.T) {
	ring := &fakeRing{hang: make(chan struct{})}
	v := newOSKeychain(ring.calls())
	running, waiting := make(chan error, 1), make(chan error, 1)
	go func() { running <- v.Set(t.Context(), "k", NewSecret("x")) }()
	wait(t, "a call that runs", func() bool { return ring.inside.Load() == 1 })
	go func() { _, err := v.Get(t.Context(), "k"); waiting <- err }()
	start := time.Now()
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	if d := time.Since(start); d > closePatience+2*time.Second {
		t.Errorf("closing took %v", d)
	}
	for _, c := range []chan error{running, waiting} {
		if err := <-c; !errors.Is(err, ErrClosed) {
			t.Errorf("a call under way says %v", err)
		}
	}
	if err := v.Delete(t.Context(), "k"); !errors.Is(err, ErrClosed) {
		t.Errorf("a later call says %v", err)
	}
	close(ring.hang)
	if err := v.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

// Close waits for a call that is about to end, so that nothing speaks with the
// D-Bus when that is closed next.
func TestCloseWaitsForACallThatEnds(t *testing.T) {
	ring := &fakeRing{hang: make(chan struct{})}
	v := newOSKeychain(ring.calls())
	go func() { _, _ = v.Get(t.Context(), "k") }()
	wait(t, "a call that runs", func() bool { return ring.inside.Load() == 1 })
	time.AfterFunc(100*time.Millisecond, func() { close(ring.hang) })
	_ = v.Close()
	if n := ring.inside.Load(); n != 0 {
		t.Errorf("%d calls still run", n)
	}
}

func TestProbeThatHangsOrPanics(t *testing.T) {
	calls := (&fakeRing{}).calls()
	release := make(chan struct{})
	defer close(release)
	calls.probe = func(context.Context) error { <-release; return nil }
	v := newOSKeychain(calls)
	start := time.Now()
	if err := v.Probe(t.Context()); !errors.Is(err, ErrTimeout) {
		t.Errorf("hanging: %v", err)
	}
	if d := time.Since(start); d < probePatience-100*time.Millisecond || d > probePatience+2*time.Second {
		t.Errorf("it took %v", d)
	}
	calls.probe = func(context.Context) error { panic("boom") }
	if err := newOSKeychain(calls).Probe(t.Context()); err == nil {
		t.Error("a panic is no error")
	}
}

// One text, two causes: a fresh user has no keyring at all, another has one
// that is not called "login", and it is locked.
func TestDefaultKeyringThatCannotBeUnlocked(t *testing.T) {
	ring := &fakeRing{}
	calls := ring.calls()
	calls.get = func(_, _ string) (string, error) {
		return "", errors.New("failed to unlock correct collection '/org/freedesktop/secrets/aliases/default'")
	}
	v := newOSKeychain(calls)
	if _, err := v.Get(t.Context(), "k"); !errors.Is(err, ErrLocked) {
		t.Errorf("with a keyring: %v", err)
	}
	ring.absent.Store(true)
	if _, err := v.Get(t.Context(), "k"); !errors.Is(err, ErrNoVault) {
		t.Errorf("without one: %v", err)
	}
}

// go-keyring's errors are texts. These were seen, on Debian 12 unless noted.
func TestClassify(t *testing.T) {
	for text, want := range map[string]error{
		`exec: "dbus-launch": executable file not found in $PATH`:                                 ErrNoVault,
		"dial unix /tmp/dbus-gone: connect: no such file or directory":                            ErrNoVault,
		"The name org.freedesktop.secrets was not provided by any .service files":                 ErrNoVault,
		"dbus: couldn't determine address of session bus":                                         ErrNoVault,
		"failed to unlock correct collection '/org/freedesktop/secrets/aliases/default'":          ErrLocked,
		"failed to unlock correct collection '/org/freedesktop/secrets/collection/login'":         ErrLocked,
		"security: SecKeychainSearchCopyNext: User interaction is not allowed.":                   ErrLocked, // macOS
		"dbus: connection closed by user":                                                         ErrNoVault,
		"Message recipient disconnected from message bus without replying":                        ErrNoVault,
		"write unix @->/tmp/dbus-x: write: broken pipe":                                           ErrNoVault,
		"Could not activate remote peer: unit failed. org.freedesktop.DBus.Error.NameHasNoOwner.": ErrNoVault,
	} {
		if err := classify(errors.New(text)); !errors.Is(err, want) {
			t.Errorf("%q is %v", text, err)
		}
	}
	for text, sure := range map[string]bool{
		"The name org.freedesktop.secrets was not provided by any .service files": true,
		"dial unix /tmp/dbus-gone: connect: no such file or directory":            true,
		"dbus: connection closed by user":                                         false,
		"Message recipient disconnected from message bus without replying":        false,
		"write unix @->/tmp/dbus-x: write: broken pipe":                           false,
	} {
		if mayHold(classify(errors.New(text))) == sure {
			t.Errorf("%q: that nothing was stored is sure: %v, want %v", text, !sure, sure)
		}
	}
	for _, c := range []struct{ err, want error }{
		{keyring.ErrNotFound, ErrNotFound},
		{keyring.ErrSetDataTooBig, ErrTooBig},
		{keyring.ErrUnsupportedPlatform, ErrNoVault},
		{context.DeadlineExceeded, ErrTimeout},
		{ErrNotKept, ErrNotKept},
	} {
		if err := classify(c.err); !errors.Is(err, c.want) {
			t.Errorf("%v is %v", c.err, err)
		}
	}
	unheard := errors.New("something else")
	if err := classify(unheard); !errors.Is(err, unheard) || err.Error() != unheard.Error() || classify(nil) != nil {
		t.Error("an unknown error is changed, or none is one")
	}
}
