//go:build !lite

// Package keys is the screen where the owner makes, copies and removes keys.
package keys

import (
	"context"
	"errors"
	"sync"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"paddock/keystore"
	"paddock/policy"
	"paddock/share"
)

// Keeper is where the keys are. Those of its methods that take a context may
// wait for a person who unlocks a keychain.
type Keeper interface {
	AddKey(ctx context.Context, name string, g policy.Grant) (keystore.Key, keystore.Secret, error)
	CopyKey(ctx context.Context, name string) (keystore.Secret, error)
	RotateKey(ctx context.Context, name string, grace time.Duration) (keystore.Key, keystore.Secret, error)
	RemoveKey(ctx context.Context, name string) error
	EditKey(name string, change func(*policy.Grant)) error
	Key(name string) (keystore.Key, bool) // as it is now
	SuspendKey(name string) error
	ResumeKey(name string) error
}

// Options is what the screen is made of. All of it is needed but Now.
type Options struct {
	Context context.Context // ends with the program, and with it every call that waits
	Keeper  Keeper
	Clip    func(keystore.Secret) // onto the clipboard, for a minute
	Start   func()                // asks for sharing
	Do      func(func())          // runs a function on Fyne's thread
	Focus   func(fyne.Focusable)
	Say     func(error) string      // an error in words, with what to do
	Trouble func(share.Keys) string // what is wrong with where keys are kept, or ""
	Now     func() time.Time
}

// Patience is how long a keychain may take, with a person in front of it.
const Patience = 60 * time.Second

// Screen is a list of keys with the two pages that lie behind it. It belongs to
// Fyne's thread.
type Screen struct {
	o       Options
	st      share.State
	content *fyne.Container
	list    *list
	form    *form
	connect *connect
	jobs    sync.WaitGroup
}

// New returns the screen; Show fills it.
func New(o Options) *Screen {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Screen{o: o, content: container.NewStack()}
	s.list = newList(s)
	s.turnTo(s.list.content)
	return s
}

// Content is what to show.
func (s *Screen) Content() fyne.CanvasObject { return s.content }

// Show paints a state.
func (s *Screen) Show(st share.State) {
	s.st = st
	s.list.show()
	if s.form != nil {
		s.form.show()
	}
	if s.connect != nil {
		s.connect.show()
	}
}

// NewKey begins a new key. One that was begun already goes on.
func (s *Screen) NewKey() {
	if s.form == nil || s.form.edits() {
		s.ask(keystore.Key{})
	}
	s.form.focus()
}

// edit shows what a key may do, to be changed.
func (s *Screen) edit(k keystore.Key) {
	s.ask(k)
	s.form.focus()
}

// ask shows the form, for a new key or for one that is there.
func (s *Screen) ask(k keystore.Key) {
	s.connect = nil
	s.form = newForm(s, k)
	s.turnTo(s.form.content)
}

// Copy puts a key on the clipboard, as the button in its row does. When that
// fails the row says so, and failed is called.
func (s *Screen) Copy(name string, failed func()) {
	for _, k := range s.st.Keys.List {
		if k.Name == name {
			s.list.copy(k.ID, func() {}, func() {
				s.back(k.ID)
				failed()
			})
			return
		}
	}
}

// Wait returns when no call to the keychain is under way. Before, end the
// context of the screen.
func (s *Screen) Wait() { s.jobs.Wait() }

// back shows the list with a key selected; an empty id leaves the selection.
func (s *Screen) back(id string) {
	s.form, s.connect = nil, nil
	if id != "" {
		s.list.choose(id)
	}
	s.list.show()
	s.turnTo(s.list.content)
	s.o.Focus(nil)
}

// TypedKey takes a key that was pressed while nothing had the keyboard: Escape
// leads out of the form.
func (s *Screen) TypedKey(e *fyne.KeyEvent) {
	if s.form != nil && e.Name == fyne.KeyEscape {
		s.form.escape()
	}
}

// howTo shows how to connect with a key. The secret is shown too if there is one;
// renewed says that the key had another before.
func (s *Screen) howTo(k keystore.Key, secret keystore.Secret, renewed bool) {
	s.form = nil
	s.connect = newConnect(s, k, secret, renewed)
	s.turnTo(s.connect.content)
	s.connect.show()
	s.connect.focus()
}

func (s *Screen) turnTo(view fyne.CanvasObject) {
	s.content.Objects = []fyne.CanvasObject{view}
	s.content.Refresh()
}

// job is one call that may wait for a person. When it is cancelled, what was
// asked for may happen all the same.
type job struct{ cancel context.CancelFunc }

// run calls work with a deadline, off Fyne's thread, and done with what came of
// it, on Fyne's thread.
func (s *Screen) run(work func(ctx context.Context) error, done func(*job, error)) *job {
	ctx, cancel := context.WithTimeout(s.o.Context, Patience)
	j := &job{cancel: cancel}
	s.jobs.Go(func() {
		err := work(ctx)
		cancel()
		if s.o.Context.Err() != nil {
			return // the program ends, and nobody is there to be told
		}
		s.o.Do(func() { done(j, err) })
	})
	return j
}

// lingers is how long a keychain may take before the screen says that it waits.
// Most take some milliseconds, and a Cancel that flashes up under the finger
// which has just pressed Return would undo what it asked for.
const lingers = 400 * time.Millisecond

// later calls f, on Fyne's thread, when a keychain has lingered.
func (s *Screen) later(f func()) {
	time.AfterFunc(lingers, func() {
		if s.o.Context.Err() == nil {
			s.o.Do(f)
		}
	})
}

const (
	waitingWords   = "Waiting for the keychain…"
	cancelledWords = "Cancelled."
)

func nameFault(err error) (keystore.NameFault, bool) {
	if e, ok := errors.AsType[*keystore.NameError](err); ok {
		return e.Fault, true
	}
	return "", false
}

// show and hide only what changes.
func show(o fyne.CanvasObject, yes bool) {
	switch {
	case yes && !o.Visible():
		o.Show()
	case !yes && o.Visible():
		o.Hide()
	}
}
