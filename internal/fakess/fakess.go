//go:build linux

package fakess

import (
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"
)

// The names of the Secret Service.
const (
	busName = "org.freedesktop.secrets"
	root    = dbus.ObjectPath("/org/freedesktop/secrets")
	login   = root + "/collection/login"

	serviceInterface    = "org.freedesktop.Secret.Service"
	collectionInterface = "org.freedesktop.Secret.Collection"
	itemInterface       = "org.freedesktop.Secret.Item"
	sessionInterface    = "org.freedesktop.Secret.Session"
	promptInterface     = "org.freedesktop.Secret.Prompt"
)

// Service is the fake: one collection, "login", open and empty at first. All
// methods are safe for concurrent use and take effect with the next call.
type Service struct {
	conn  *dbus.Conn
	props *prop.Properties
	done  chan struct{} // closed by Close; ends everything that waits
	once  sync.Once

	mu       sync.Mutex // guards all below
	locked   bool
	absent   bool
	lossy    bool
	refusal  string
	delay    time.Duration
	silent   bool
	onUnlock Prompt
	onCreate Prompt
	onDelete Prompt
	items    map[dbus.ObjectPath]*item
	open     map[dbus.ObjectPath]*prompt
	shown    int
	calls    map[string]int
	serial   int
}

// item is one secret in the collection.
type item struct {
	label      string
	attributes map[string]string
	value      []byte
}

// Start runs a fake on the bus at the address until the test ends.
func Start(t testing.TB, address string) *Service {
	t.Helper()
	s, err := Open(address)
	if err != nil {
		t.Fatalf("start the fake secret service: %v", err)
	}
	t.Cleanup(s.Close)
	return s
}

// Open is [Start] for a TestMain. Call Close at the end.
func Open(address string) (*Service, error) {
	c, err := dbus.Connect(address)
	if err != nil {
		return nil, err
	}
	s := &Service{
		conn:     c,
		done:     make(chan struct{}),
		onUnlock: Prompt{Outcome: Accept},
		items:    map[dbus.ObjectPath]*item{},
		open:     map[dbus.ObjectPath]*prompt{},
		calls:    map[string]int{},
	}
	if err := s.export(); err != nil {
		_ = c.Close()
		return nil, err
	}
	reply, err := c.RequestName(busName, dbus.NameFlagDoNotQueue)
	if err == nil && reply != dbus.RequestNameReplyPrimaryOwner {
		err = fmt.Errorf("%s has an owner already", busName)
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return s, nil
}

func (s *Service) export() error {
	if err := s.conn.Export(service{s}, root, serviceInterface); err != nil {
		return err
	}
	if err := s.conn.Export(collection{s}, login, collectionInterface); err != nil {
		return err
	}
	var err error
	s.props, err = prop.Export(s.conn, root, prop.Map{serviceInterface: {"Collections": {Value: []dbus.ObjectPath{login}}}})
	if err != nil {
		return err
	}
	_, err = prop.Export(s.conn, login, prop.Map{collectionInterface: {"Label": {Value: "Login"}}})
	return err
}

// Close takes the service off the bus with prompts still open, as a crash of the
// keychain does. It may be called twice.
func (s *Service) Close() {
	s.once.Do(func() {
		close(s.done)
		_ = s.conn.Close()
	})
}

// Lock locks the collection; whoever wants a secret must get past a prompt.
func (s *Service) Lock() { s.set(func() { s.locked = true }) }

// Unlock unlocks the collection without a prompt.
func (s *Service) Unlock() { s.set(func() { s.locked = false }) }

// Locked says whether the collection is locked.
func (s *Service) Locked() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.locked
}

// OnUnlock says what happens to prompts for unlocking. At first they are
// accepted at once.
func (s *Service) OnUnlock(p Prompt) { s.set(func() { s.onUnlock = p }) }

// OnCreate makes storing ask first. The zero Prompt asks nothing.
func (s *Service) OnCreate(p Prompt) { s.set(func() { s.onCreate = p }) }

// OnDelete makes deleting ask first. The zero Prompt asks nothing.
func (s *Service) OnDelete(p Prompt) { s.set(func() { s.onDelete = p }) }

// Delay makes every call take at least this long.
func (s *Service) Delay(d time.Duration) { s.set(func() { s.delay = d }) }

// Silence makes every call hang until Silence(false) or Close: a keychain whose
// process is stopped, which is not the same as a prompt that stays open. Calls
// that hang are answered when the silence ends.
func (s *Service) Silence(on bool) { s.set(func() { s.silent = on }) }

// Refuse makes storing and deleting fail with this message; "" ends that.
func (s *Service) Refuse(message string) { s.set(func() { s.refusal = message }) }

// Lose makes storing and deleting report success and do nothing.
func (s *Service) Lose(on bool) { s.set(func() { s.lossy = on }) }

// Absent makes the collection disappear: the keychain of a fresh user, who has
// none yet.
func (s *Service) Absent(on bool) {
	s.set(func() { s.absent = on })
	paths := []dbus.ObjectPath{login}
	if on {
		paths = []dbus.ObjectPath{}
	}
	s.props.SetMust(serviceInterface, "Collections", paths)
}

// Put stores a secret without going over the bus.
func (s *Service) Put(service, user, value string) {
	s.store(service+" "+user, map[string]string{"service": service, "username": user}, []byte(value))
}

// Secrets returns what is stored for a service, by user name, without going
// over the bus and whether locked or not.
func (s *Service) Secrets(service string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]string{}
	for _, i := range s.items {
		if i.attributes["service"] == service {
			out[i.attributes["username"]] = string(i.value)
		}
	}
	return out
}

// Calls returns how often a method was called, by its last name: "Unlock",
// "CreateItem", "SearchItems", "GetSecret", "Delete", "Prompt", "Dismiss".
func (s *Service) Calls(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[method]
}

// set changes the behaviour.
func (s *Service) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// called counts a call and holds it for as long as the behaviour asks. It
// returns false when the service is gone and nobody waits for the answer.
func (s *Service) called(method string) bool {
	s.mu.Lock()
	s.calls[method]++
	delay := s.delay
	s.mu.Unlock()
	if delay > 0 && !s.pause(delay) {
		return false
	}
	for s.isSilent() {
		if !s.pause(10 * time.Millisecond) {
			return false
		}
	}
	return true
}

func (s *Service) isSilent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.silent
}

// pause waits, and returns false when the service was closed meanwhile.
func (s *Service) pause(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-s.done:
		return false
	}
}

// next makes a new object path below base. The caller holds mu.
func (s *Service) next(base dbus.ObjectPath) dbus.ObjectPath {
	s.serial++
	return dbus.ObjectPath(fmt.Sprintf("%s/n%d", base, s.serial))
}

// store keeps a secret and returns its path. Like the real service, it replaces
// the item that has the same attributes.
func (s *Service) store(label string, attributes map[string]string, value []byte) dbus.ObjectPath {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lossy {
		return s.next(login)
	}
	for p, i := range s.items {
		if maps.Equal(i.attributes, attributes) {
			i.label, i.value = label, value
			return p
		}
	}
	p := s.next(login)
	s.items[p] = &item{label, attributes, value}
	// Exporting on a connection that is closing fails, and then nobody asks.
	_ = s.conn.Export(itemObject{s, p}, p, itemInterface)
	_, _ = prop.Export(s.conn, p, prop.Map{itemInterface: {"Label": {Value: label}, "Attributes": {Value: attributes}}})
	return p
}

// remove deletes an item.
func (s *Service) remove(p dbus.ObjectPath) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lossy {
		return
	}
	delete(s.items, p) // the object stays on the bus and says that there is no such item
}

// find returns the items that have all these attributes.
func (s *Service) find(attributes map[string]string) []dbus.ObjectPath {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []dbus.ObjectPath{}
	for p, i := range s.items {
		if has(i.attributes, attributes) {
			out = append(out, p)
		}
	}
	return out
}

func has(attributes, want map[string]string) bool {
	for k, v := range want {
		if attributes[k] != v {
			return false
		}
	}
	return true
}
