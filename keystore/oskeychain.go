package keystore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/zalando/go-keyring"
)

const (
	// service is the one name under which all items lie; the id tells them apart.
	service = "paddock"

	// patience is the deadline of a call that came without one: time enough to
	// find the password of a keychain.
	patience = time.Minute
	// probePatience is short because Probe asks nobody anything.
	probePatience = 2 * time.Second
	// keepPatience bounds the wait for an item after the keychain said that it
	// is stored: a stray signal can end go-keyring's wait for a prompt early.
	keepPatience = 3 * time.Second
	keepPause    = 100 * time.Millisecond
	// defaultKeyring is where go-keyring looks when no keyring is called "login".
	defaultKeyring = "/org/freedesktop/secrets/aliases/default"
	// closePatience is how long Close waits for a call that runs.
	closePatience = time.Second
)

// OSKeychain keeps secrets in the keychain of the operating system: the Secret
// Service on Linux, the Keychain on macOS, the Credential Manager on Windows.
//
// It is the only user of go-keyring, which has neither time-outs nor contexts,
// takes a dismissed question for success, and panics when the D-Bus goes away
// under an open one. So each call runs on a goroutine of its own with a
// recover, one at a time, is read back, and has a deadline. A call that a
// keychain never answers keeps its goroutine and its turn: later ones end by
// their own deadlines, and questions never pile up on the screen.
//
// An item is called "Password for 'ID' on 'paddock'" in keychain programs,
// which is go-keyring's wording and cannot be changed; the Store therefore
// makes ids that begin with the name of the key.
type OSKeychain struct {
	turn  chan struct{} // a token: held by the one call that runs, abandoned ones included
	quit  chan struct{} // closed by Close
	once  sync.Once
	calls keyringCalls
	keep  time.Duration // keepPatience

	mu   sync.Mutex // guards late
	late func()
}

// keyringCalls is go-keyring, or what stands for it in a test.
type keyringCalls struct {
	set    func(service, id, secret string) error
	get    func(service, id string) (string, error)
	delete func(service, id string) error
	ready  func() error                    // before each call: cheap, asks nobody
	probe  func(ctx context.Context) error // asks the system, not a person
}

var (
	_ Vault  = (*OSKeychain)(nil)
	_ Prober = (*OSKeychain)(nil)
)

// NewOSKeychain makes one. It does nothing before the first use.
func NewOSKeychain() *OSKeychain {
	return newOSKeychain(keyringCalls{keyring.Set, keyring.Get, keyring.Delete, keychainReady, keychainProbe})
}

func newOSKeychain(calls keyringCalls) *OSKeychain {
	return &OSKeychain{turn: make(chan struct{}, 1), quit: make(chan struct{}), calls: calls, keep: keepPatience}
}

// Set implements Vault.
func (o *OSKeychain) Set(ctx context.Context, id string, secret Secret) error {
	if len(secret.Reveal()) > MaxSecret {
		return ErrTooBig
	}
	_, err := o.do(ctx, id, func(ctx context.Context) (string, error) {
		if err := o.calls.set(service, id, secret.Reveal()); err != nil {
			return "", err
		}
		return "", o.until(ctx, func() bool {
			got, err := o.calls.get(service, id)
			return err == nil && secret.Equal(NewSecret(got))
		})
	})
	return wrapVault(err, "storing", id)
}

// Get implements Vault.
func (o *OSKeychain) Get(ctx context.Context, id string) (Secret, error) {
	got, err := o.do(ctx, id, func(context.Context) (string, error) { return o.calls.get(service, id) })
	if err != nil {
		return Secret{}, wrapVault(err, "reading", id)
	}
	return NewSecret(got), nil
}

// Delete implements Vault.
func (o *OSKeychain) Delete(ctx context.Context, id string) error {
	_, err := o.do(ctx, id, func(ctx context.Context) (string, error) {
		if err := o.calls.delete(service, id); err != nil {
			return "", err
		}
		return "", o.until(ctx, func() bool {
			_, err := o.calls.get(service, id)
			return errors.Is(err, keyring.ErrNotFound)
		})
	})
	return wrapVault(err, "deleting", id)
}

// Kind implements Vault.
func (*OSKeychain) Kind() VaultKind { return VaultKeychain }

// Describe implements Vault.
func (*OSKeychain) Describe() string { return "the OS keychain" }

// Probe implements Prober. A keychain that is locked is there: nothing is
// unlocked and nobody is asked. While another call runs, that call shows
// better than a probe whether the keychain works, and Probe does not wait for
// it.
func (o *OSKeychain) Probe(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, probePatience)
	defer stop()
	c := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				c <- fmt.Errorf("%w: %v", errBrokeOff, p)
			}
		}()
		c <- o.calls.probe(ctx)
	}()
	select {
	case err := <-c:
		if err != nil && ctx.Err() != nil {
			err = timedOut(ctx)
		}
		return wrapVault(classify(err), "looking for", "the keychain")
	case <-ctx.Done():
		return wrapVault(timedOut(ctx), "looking for", "the keychain")
	case <-o.quit:
		return ErrClosed
	}
}

// Close makes all calls return ErrClosed, those that wait included, and waits
// a moment for the one that runs, so that none is under way when the program
// closes the D-Bus. One that waits for a person who does not come stays behind
// with its recover.
func (o *OSKeychain) Close() error {
	o.once.Do(func() { close(o.quit) })
	t := time.NewTimer(closePatience)
	defer t.Stop()
	select {
	case o.turn <- struct{}{}:
		<-o.turn
	case <-t.C:
	}
	return nil
}

// lateVault is a Vault whose calls can succeed after they were given up.
type lateVault interface {
	// OnLate sets what to call, on any goroutine, after a call succeeded that
	// had answered ErrTimeout; now and then also after one that had not.
	OnLate(f func())
}

// OnLate implements lateVault.
func (o *OSKeychain) OnLate(f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.late = f
}

func (o *OSKeychain) wasLate() {
	o.mu.Lock()
	f := o.late
	o.mu.Unlock()
	if f != nil {
		f()
	}
}

// errBrokeOff goes with the ErrNoVault of a vault that was lost in the middle of
// a call: unlike one that was never there, it may have done what it was asked.
var (
	errBrokeOff  = errors.New("the keychain broke off")
	errVaultLost = fmt.Errorf("%w: %w", ErrNoVault, errBrokeOff)
)

type answer struct {
	text string
	err  error
}

// do runs f on a goroutine of its own when it is its turn.
func (o *OSKeychain) do(ctx context.Context, id string, f func(context.Context) (string, error)) (string, error) {
	if err := checkID(id); err != nil {
		return "", err
	}
	if _, has := ctx.Deadline(); !has {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, patience)
		defer stop()
	}
	select { // not left to chance below
	case <-o.quit:
		return "", ErrClosed
	default:
	}
	if ctx.Err() != nil {
		return "", timedOut(ctx)
	}
	select {
	case o.turn <- struct{}{}:
	case <-ctx.Done():
		return "", timedOut(ctx)
	case <-o.quit:
		return "", ErrClosed
	}
	c := make(chan answer, 1)
	go func() {
		a := o.call(ctx, f)
		c <- a
		<-o.turn
		if a.err == nil && ctx.Err() != nil {
			o.wasLate()
		}
	}()
	select {
	case a := <-c:
		return a.text, a.err
	case <-ctx.Done():
		// The answer may have come at the same moment; it is the better one.
		select {
		case a := <-c:
			return a.text, a.err
		default:
		}
		return "", timedOut(ctx)
	case <-o.quit:
		return "", ErrClosed
	}
}

// call runs f and survives it.
func (o *OSKeychain) call(ctx context.Context, f func(context.Context) (string, error)) (a answer) {
	defer func() {
		if p := recover(); p != nil {
			a = answer{err: fmt.Errorf("%w: %v", errVaultLost, p)}
		}
	}()
	if err := o.calls.ready(); err != nil {
		return answer{err: classify(err)}
	}
	text, err := f(ctx)
	err = classify(err)
	if errors.Is(err, ErrLocked) && strings.Contains(err.Error(), defaultKeyring) {
		// It says the same of a keyring that is locked and of a fresh user who
		// has none.
		if none := o.calls.probe(ctx); errors.Is(none, ErrNoVault) {
			err = none
		}
	}
	return answer{text, err}
}

// until looks again and again whether the keychain did what it said it did.
func (o *OSKeychain) until(ctx context.Context, done func() bool) error {
	limit := time.NewTimer(o.keep)
	defer limit.Stop()
	pause := time.NewTicker(keepPause)
	defer pause.Stop()
	for !done() {
		select {
		case <-pause.C:
		case <-limit.C:
			return ErrNotKept
		case <-ctx.Done():
			// Not ErrNotKept: the question may still be open.
			return timedOut(ctx)
		case <-o.quit:
			return ErrClosed
		}
	}
	return nil
}

// classify turns go-keyring's texts into errors that can be told apart. Only
// three of its errors have a type; the texts were seen with gnome-keyring 42
// and godbus 5, and each has a test.
func classify(err error) error {
	if err == nil {
		return nil
	}
	for _, known := range []error{ErrNotFound, ErrNoVault, ErrLocked, ErrTimeout, ErrNotKept, ErrTooBig, ErrClosed} {
		if errors.Is(err, known) {
			return err
		}
	}
	is := func(kind error) error { return fmt.Errorf("%w: %w", kind, err) }
	switch {
	case errors.Is(err, keyring.ErrNotFound):
		return ErrNotFound
	case errors.Is(err, keyring.ErrSetDataTooBig):
		return is(ErrTooBig)
	case errors.Is(err, keyring.ErrUnsupportedPlatform):
		return is(ErrNoVault)
	case errors.Is(err, context.DeadlineExceeded):
		return is(ErrTimeout)
	}
	text := err.Error()
	for _, k := range []struct {
		part string
		kind error
	}{
		{"failed to unlock correct collection", ErrLocked},
		{"IsLocked", ErrLocked},
		{"User interaction is not allowed", ErrLocked}, // macOS, no screen
		{"The name org.freedesktop.secrets was not provided", ErrNoVault},
		{"ServiceUnknown", ErrNoVault},
		{"Could not activate remote peer", ErrNoVault},
		{"dbus-launch", ErrNoVault},
		{"session bus", ErrNoVault},
		{"dial unix", ErrNoVault},
		{"connection closed by user", errVaultLost}, // the bus went away
		{"broken pipe", errVaultLost},
		{"Message recipient disconnected", errVaultLost}, // the service went away
	} {
		if strings.Contains(text, k.part) {
			return is(k.kind)
		}
	}
	return err
}

func wrapVault(err error, doing, what string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", doing, what, err)
}
