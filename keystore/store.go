// Package keystore mints, keeps, finds and revokes keys.
package keystore

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"paddock/internal/atomicfile"
	"paddock/internal/watch"
	"paddock/policy"
)

const (
	// flushEvery bounds how often uses of keys write the index file.
	flushEvery = time.Minute
	// tellEvery bounds how often uses of keys wake whoever watches: screens show
	// them to the second at best.
	tellEvery = time.Second
	// cleanPatience is the deadline of a call that clears an item away.
	cleanPatience = 10 * time.Second
)

// Options are what tests change. The zero value is right for the program.
type Options struct {
	Now        func() time.Time // the clock; nil is time.Now
	Zone       *time.Location   // whose midnight begins a day; nil is time.Local
	FlushEvery time.Duration    // how often uses are written at most; 0 is a minute
}

// Store is the keys of one home: an index in keys.json, their secrets in a
// Vault. The gate needs only the index, so it works while the vault is locked
// or gone; the vault is asked only to make, copy and remove a key.
//
// All methods are safe for concurrent use. Those that change something take
// turns by one mutex, which is never held while a vault is asked: a keychain
// that waits for its owner holds up nobody but the one who asked it. Authenticate,
// Valid, Used, Spend, Tokens, List, Find and State never wait for that mutex, a disk or a vault.
//
// What takes a right away is in force before it is on disk, what gives one
// after. When the disk refuses, the former therefore holds (until the program
// ends, or a later write succeeds: it is tried again each minute and by Close)
// and answers *UnsavedError; the latter did not happen. Rotate, which does
// both, did not happen either.
type Store struct {
	path  string
	vault Vault
	now   func() time.Time
	zone  *time.Location
	every time.Duration
	save  func(path string, version int, value any) error

	table    atomic.Pointer[table]
	watchers watch.List

	vaultFault atomic.Pointer[fault] // the last call's, nil when it went well
	fileFault  atomic.Pointer[fault]

	mu        sync.Mutex // serialises writers; guards what follows
	closed    bool
	colours   int
	leftovers []leftover
	pending   map[string]bool // folded names being added
	fresh     map[string]bool // items being stored: these leftovers are not swept
	passed    bool            // a sweep left out a fresh one

	unsaved  atomic.Bool   // the file is older than the table
	kicked   chan struct{} // capacity 1: something is to be flushed
	untold   atomic.Bool   // a use that the watchers were not woken for
	telling  chan struct{} // capacity 1: wake them
	sweeping chan struct{} // capacity 1: the vault answers, so clear leftovers
	stop     context.CancelFunc
	stopped  chan struct{}
}

type fault struct{ err error }

// entry is one key as the gate sees it: immutable but for use, which all
// entries of one key share.
type entry struct {
	key    Key    // LastUsed and Today are in use
	item   string // name of its secret in the vault
	digest [sha256.Size]byte
	old    [sha256.Size]byte // of the secret before, while key.OldUntil is set
	use    *usage

	folded          string
	present, former holder // former stands in no table while key.OldUntil is not set
}

// holder is whom a digest stands for.
type holder struct {
	digest [sha256.Size]byte
	until  time.Time // when it stands for nobody any more; zero is never
	caller policy.Caller
}

// ready fills in what follows from the rest.
func (e *entry) ready() *entry {
	k := &e.key
	caller := policy.Caller{
		ID: k.ID, Name: k.Name, Hint: k.Hint, Colour: k.Colour, Grant: k.Grant, Known: true, Suspended: k.Suspended,
	}
	e.folded = fold(k.Name)
	e.present = holder{digest: e.digest, caller: caller}
	e.former = holder{digest: e.old, until: k.OldUntil, caller: caller}
	return e
}

// view is a key as others see it, on a day.
func (s *Store) view(e *entry, today date) Key {
	k := e.known()
	if s.over(k.OldUntil) {
		k.OldUntil = time.Time{}
	}
	k.Today = e.use.count(today)
	return k
}

// known is the key with its last use.
func (e *entry) known() Key {
	k := e.key
	if n := e.use.last.Load(); n != 0 {
		k.LastUsed = time.Unix(0, n).UTC()
	}
	return k
}

// over says whether a moment has come. The clock is asked only when there is
// one.
func (s *Store) over(end time.Time) bool { return !end.IsZero() && !s.now().Before(end) }

// UnsavedError says that a change is in force and could not be written.
type UnsavedError struct{ Err error }

// Error implements error.
func (e *UnsavedError) Error() string { return "in force, but not saved: " + e.Err.Error() }

// Unwrap returns why.
func (e *UnsavedError) Unwrap() error { return e.Err }

// LeftoverError says that a key is revoked for good and its secret still lies
// in the vault, where it opens nothing. It is cleared away at a later occasion.
type LeftoverError struct{ Err error }

// Error implements error.
func (e *LeftoverError) Error() string { return "revoked, but left in the vault: " + e.Err.Error() }

// Unwrap returns why.
func (e *LeftoverError) Unwrap() error { return e.Err }

// ErrAltered means that the vault holds something else than the key that the
// index knows.
var ErrAltered = errors.New("the vault holds another secret than the key")

// Open reads the index in home; without one there are no keys. An index that
// cannot be understood is a *DamagedError, one of a newer program a
// *NewerError; both leave the file untouched. The Store owns the vault from
// here on and closes it. Open never asks the vault anything.
func Open(home string, v Vault, o Options) (*Store, error) {
	s := &Store{
		path: indexPath(home), vault: v, now: o.Now, zone: o.Zone, every: o.FlushEvery, save: atomicfile.Save,
		pending: map[string]bool{}, fresh: map[string]bool{},
		kicked: make(chan struct{}, 1), telling: make(chan struct{}, 1), sweeping: make(chan struct{}, 1), stopped: make(chan struct{}),
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.zone == nil {
		s.zone = time.Local
	}
	if s.every <= 0 {
		s.every = flushEvery
	}
	x, err := loadIndex(s.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("opening the keys: %w", err)
	}
	s.colours, s.leftovers = x.Colours, x.Leftovers
	all := make([]*entry, 0, len(x.Keys))
	for _, r := range x.Keys {
		e, err := r.entry()
		if err != nil {
			return nil, fmt.Errorf("opening the keys: %w", &DamagedError{Path: s.path, Err: err})
		}
		if s.over(e.key.OldUntil) { // for good, whatever the clock says later
			e.key.OldUntil = time.Time{}
		}
		all = append(all, e.ready())
	}
	s.table.Store(newTable(all))
	if l, ok := v.(lateVault); ok {
		l.OnLate(s.sweepSoon)
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go s.keepHouse(ctx)
	return s, nil
}

// Close writes what is not written yet and closes the vault; calls of the OS
// keychain under way return ErrClosed, so that none runs when the D-Bus goes.
// Authenticate and the other readers go on working.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	s.stop()
	vaultErr := closeVault(s.vault) // first: it ends what the housekeeper may wait for
	<-s.stopped
	return errors.Join(s.flush(), vaultErr)
}

// nobody is compared with when no key matches, so that this costs the same.
var nobody holder

// Authenticate looks up who holds a presented key. It reads one atomic pointer
// to an immutable map: no lock, no disk, no vault, no allocation. The zero
// Caller is nobody. Whether the key is suspended or has expired is for policy
// to judge; it costs the same work, and so does a key that nobody has. The old
// secret of a rotated key stands for nobody once its grace is over; it alone
// costs a look at the clock.
func (s *Store) Authenticate(presented string) policy.Caller {
	if !wellFormed(presented) { // a typing error needs no look-up; that it is one tells nothing about keys
		return policy.Caller{}
	}
	var buf [2 * keyLen]byte
	b := buf[:]
	if len(presented) <= len(buf) {
		b = b[:copy(b, presented)]
	} else {
		b = []byte(presented)
	}
	digest := sha256.Sum256(b)
	// The look-up's time may tell something about digests, and that is all
	// right: nobody can choose a key by its digest.
	h, ok := s.table.Load().byDigest[digest]
	if !ok {
		h = &nobody
	}
	if !equal(&h.digest, &digest) || s.over(h.until) {
		h = &nobody
	}
	return h.caller
}

// Valid says whether a key exists, is not suspended and has not expired. A
// request that was authenticated asks once more when it is registered as
// running: a revocation in between is seen here, a later one finds the request
// and cancels it.
func (s *Store) Valid(id string) bool {
	e, ok := s.table.Load().byID[id]
	return ok && !e.key.Suspended && !s.over(e.key.Grant.Expires)
}

// Add makes a key and returns it with its secret, which can be had again by
// Copy. When it fails there is no such key: ErrNameTaken, a *NameError, an
// error of the vault, or one of the disk.
func (s *Store) Add(ctx context.Context, name string, g policy.Grant) (Key, Secret, error) {
	key, secret, err := s.add(ctx, name, g)
	if err != nil {
		return Key{}, Secret{}, fmt.Errorf("adding key %.80q: %w", name, err)
	}
	return key, secret, nil
}

func (s *Store) add(ctx context.Context, name string, g policy.Grant) (Key, Secret, error) {
	name, err := CheckName(name)
	if err != nil {
		return Key{}, Secret{}, err
	}
	if err := checkGrant(g); err != nil {
		return Key{}, Secret{}, err
	}
	release, err := s.reserve(name)
	if err != nil {
		return Key{}, Secret{}, err
	}
	defer release()
	kind, err := s.decide(ctx)
	if err != nil {
		return Key{}, Secret{}, err
	}
	id, secret := newID(name), Mint()
	defer s.settle(id)
	kind, err = s.put(ctx, id, secret, kind)
	if err != nil {
		return Key{}, Secret{}, err
	}
	key, err := s.enter(Key{ID: id, Name: name, Hint: HintOf(secret), Grant: g, Vault: kind}, secret)
	if err != nil {
		s.clear(ctx, id)
		return Key{}, Secret{}, err
	}
	s.sweepSoon()
	return key, secret, nil
}

// checkGrant refuses a grant that could be written and not be read again: it
// would take all keys with it.
func checkGrant(g policy.Grant) error {
	b, err := json.Marshal(g)
	if err == nil {
		err = json.Unmarshal(b, &g)
	}
	if err != nil {
		return fmt.Errorf("a grant that cannot be kept: %w", err)
	}
	return nil
}

// put stores a new item and returns the kind of vault that has it. The item
// counts as a leftover until it is entered, and is spared until settle.
func (s *Store) put(ctx context.Context, item string, secret Secret, kind VaultKind) (VaultKind, error) {
	if err := s.announce(item, kind); err != nil {
		return "", err
	}
	err := s.ask(func() error { return s.vault.Set(ctx, item, secret) })
	if now := s.vault.Kind(); now != kind { // a keychain came up after the decision
		kind = now
		if noteErr := s.announce(item, kind); err == nil && noteErr != nil {
			s.clear(ctx, item)
			return "", noteErr
		}
	}
	if err != nil {
		if !mayHold(err) {
			s.forget(item)
		}
		return "", err
	}
	return kind, nil
}

// mayHold says whether a vault that answered a Set with err may hold the item
// now, or later.
func mayHold(err error) bool {
	if errors.Is(err, errBrokeOff) {
		return true
	}
	for _, sure := range []error{ErrNoVault, ErrLocked, ErrTooBig, ErrNoPassphrase, ErrWrongPassphrase} {
		if errors.Is(err, sure) {
			return false
		}
	}
	return true
}

// reserve takes a name until release: two Adds of one name that wait for the
// keychain must not both succeed.
func (s *Store) reserve(name string) (release func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := fold(name)
	switch {
	case s.closed:
		return nil, ErrClosed
	case s.pending[f] || s.table.Load().find(name) != nil:
		return nil, ErrNameTaken
	}
	s.pending[f] = true
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.pending, f)
	}, nil
}

// decide returns the kind of vault, once that is known.
func (s *Store) decide(ctx context.Context) (VaultKind, error) {
	if k := s.vault.Kind(); k != VaultAuto {
		return k, nil
	}
	_ = s.Probe(ctx) // why it is not the keychain is in State
	if k := s.vault.Kind(); k != VaultAuto {
		return k, nil
	}
	if ctx.Err() != nil {
		return "", timedOut(ctx)
	}
	return "", ErrNoVault
}

// announce writes down that an item will be stored, before it is. Thus a
// program that is killed in the middle leaves a note, and a disk that refuses
// is noticed before anybody is asked to unlock a keychain.
func (s *Store) announce(item string, kind VaultKind) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	s.fresh[item] = true
	if !kind.lasts() {
		return nil
	}
	s.leftovers = append(s.leftovers, leftover{item, kind})
	if err := s.write(s.prune()); err != nil {
		s.dropLeftover(item)
		delete(s.fresh, item)
		return err
	}
	return nil
}

// settle ends what announce began: what is still a leftover now is one.
func (s *Store) settle(item string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.fresh, item)
	if s.passed {
		s.passed = false
		s.sweepSoon()
	}
}

// enter puts a key whose secret is in the vault into the index.
func (s *Store) enter(k Key, secret Secret) (Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return Key{}, ErrClosed
	}
	k.Made = s.stamp()
	k.Changed = k.Made
	k.Colour = s.colours % Colours
	e := &entry{key: k, item: k.ID, digest: sha256.Sum256([]byte(secret.Reveal())), use: new(usage)}
	next := s.prune().with(e.ready())
	leftovers := slices.Clone(s.leftovers)
	s.colours++
	s.dropLeftover(k.ID)
	if k.Vault.lasts() {
		if err := s.write(next); err != nil {
			s.colours--
			s.leftovers = leftovers
			return Key{}, err
		}
	}
	s.publish(next)
	return k, nil
}

// Suspend refuses a key until Resume. Suspending twice changes nothing.
func (s *Store) Suspend(name string) error {
	return s.edit("suspending", name, func(k *Key) (direction, error) { k.Suspended, k.ByPanic = true, false; return takes, nil })
}

// Resume ends a Suspend.
func (s *Store) Resume(name string) error {
	return s.edit("resuming", name, func(k *Key) (direction, error) { k.Suspended, k.ByPanic = false, false; return gives, nil })
}

// Edit changes what a key may do. One that takes rights away and gives none is
// in force before it is on disk, and answers *UnsavedError when that refuses;
// with any other nothing is changed then. The function must not call the Store.
func (s *Store) Edit(name string, change func(*policy.Grant)) error {
	return s.edit("editing", name, func(k *Key) (direction, error) {
		old := k.Grant
		change(&k.Grant)
		return directionOf(old, k.Grant), checkGrant(k.Grant)
	})
}

func (s *Store) edit(doing, name string, change func(*Key) (direction, error)) error {
	wrap := func(err error) error { return fmt.Errorf("%s key %.80q: %w", doing, name, err) }
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return wrap(ErrClosed)
	}
	t := s.prune()
	old := t.find(name)
	if old == nil {
		return wrap(ErrNoKey)
	}
	e := *old
	k := &e.key
	way, err := change(k)
	if err != nil {
		return wrap(err)
	}
	if *k == old.key {
		return nil
	}
	k.Changed = s.stamp()
	next := t.with(e.ready())
	if way == takes {
		s.publish(next)
	}
	if k.Vault.lasts() {
		if err := s.write(next); err != nil {
			if way == takes {
				err = &UnsavedError{err}
			}
			return wrap(err)
		}
	}
	s.publish(next)
	return nil
}

// Remove revokes a key for good, its old secret included. It is refused from the first moment on,
// before the disk and the vault are asked. After a *LeftoverError or an
// *UnsavedError it is refused too.
func (s *Store) Remove(ctx context.Context, name string) error {
	wrap := func(err error) error { return fmt.Errorf("removing key %.80q: %w", name, err) }
	e, fileErr, err := s.revoke(name)
	if err != nil {
		return wrap(err)
	}
	if fileErr != nil {
		fileErr = &UnsavedError{fileErr}
	}
	if err := s.discard(ctx, e); err != nil {
		fileErr = errors.Join(fileErr, &LeftoverError{err})
	} else {
		s.sweepSoon()
	}
	if fileErr != nil {
		return wrap(fileErr)
	}
	return nil
}

func (s *Store) revoke(name string) (e *entry, fileErr, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, ErrClosed
	}
	t := s.prune()
	e = t.find(name)
	if e == nil {
		return nil, nil, ErrNoKey
	}
	next := t.without(e.key.ID)
	s.publish(next)
	if e.key.Vault.lasts() {
		s.leftovers = append(s.leftovers, leftover{e.item, e.key.Vault})
		fileErr = s.write(next)
	}
	return e, fileErr, nil
}

// discard deletes the item of a key that is revoked.
func (s *Store) discard(ctx context.Context, e *entry) error {
	if err := s.here(ctx, e.key); err != nil {
		return err
	}
	err := s.ask(func() error { return s.vault.Delete(ctx, e.item) })
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	s.forget(e.item)
	return nil
}

// Copy returns the secret of a key. A key whose vault is not the one in use,
// as when the keychain is gone and memory stands in for it, answers
// ErrNoVault; one whose item somebody deleted ErrNotFound.
func (s *Store) Copy(ctx context.Context, name string) (Secret, error) {
	secret, err := s.copySecret(ctx, name)
	if err != nil {
		return Secret{}, fmt.Errorf("copying key %.80q: %w", name, err)
	}
	return secret, nil
}

func (s *Store) copySecret(ctx context.Context, name string) (Secret, error) {
	e := s.table.Load().find(name)
	for {
		if e == nil {
			return Secret{}, ErrNoKey
		}
		secret, err := s.fetch(ctx, e)
		if errors.Is(err, ErrNotFound) {
			// The key may have been rotated meanwhile.
			if now := s.table.Load().find(name); now == nil || now.item != e.item {
				e = now
				continue
			}
		}
		return secret, err
	}
}

func (s *Store) fetch(ctx context.Context, e *entry) (Secret, error) {
	if err := s.here(ctx, e.key); err != nil {
		return Secret{}, err
	}
	var secret Secret
	err := s.ask(func() (err error) {
		secret, err = s.vault.Get(ctx, e.item)
		return err
	})
	if err != nil {
		return Secret{}, err
	}
	digest := sha256.Sum256([]byte(secret.Reveal()))
	if !equal(&digest, &e.digest) {
		return Secret{}, ErrAltered
	}
	s.sweepSoon()
	return secret, nil
}

// here says whether a key's secret lies in the vault in use.
func (s *Store) here(ctx context.Context, k Key) error {
	kind, err := s.decide(ctx)
	if err != nil || kind == k.Vault {
		return err
	}
	err = fmt.Errorf("%w: it lies in %s, and %s is in use", ErrNoVault, k.Vault, kind)
	if f := s.fallback(); f != nil {
		err = fmt.Errorf("%w: %w", err, f)
	}
	return err
}

// List returns the keys, the oldest first.
func (s *Store) List() []Key {
	t, today := s.table.Load(), s.dateOf(s.now())
	out := make([]Key, len(t.all))
	for i, e := range t.all {
		out[i] = s.view(e, today)
	}
	return out
}

// Find returns the key of a name; letter case and spaces around it do not
// matter.
func (s *Store) Find(name string) (Key, bool) {
	if e := s.table.Load().find(name); e != nil {
		return s.view(e, s.dateOf(s.now())), true
	}
	return Key{}, false
}

// Snapshot is the keys at one moment. It never changes.
type Snapshot struct {
	Keys       []Key     // the oldest first
	Vault      VaultKind // VaultAuto while it is not decided
	VaultWords string    // fits after "in": "the OS keychain"
	// Fallback says why the vault is memory although nobody asked for that;
	// nil otherwise. It is ErrNoVault, ErrTimeout or something unheard of.
	Fallback error
	// VaultProblem is why the last call of the vault failed, FileProblem why
	// the last write of the index did; nil when it went well. ErrNotFound and
	// the like, which concern one key only, are not kept here.
	VaultProblem error
	FileProblem  error
}

// State returns the keys and the state of their vault as they are now.
func (s *Store) State() Snapshot {
	x := Snapshot{
		Keys: s.List(), Vault: s.vault.Kind(), VaultWords: s.vault.Describe(), Fallback: s.fallback(),
	}
	if f := s.vaultFault.Load(); f != nil {
		x.VaultProblem = f.err
	}
	if f := s.fileFault.Load(); f != nil {
		x.FileProblem = f.err
	}
	return x
}

// Watch returns a channel that gets a token when State may have changed, and a
// function that ends this. The channel is of capacity 1 and never closed.
func (s *Store) Watch() (<-chan struct{}, func()) { return s.watchers.Add() }

// Probe finds out whether the vault is there, which decides between keychain
// and memory when that is open. It asks nobody to unlock anything, but can
// take two seconds: call it on a goroutine at start. nil means that the vault
// is there; State tells the rest.
func (s *Store) Probe(ctx context.Context) error {
	p, ok := s.vault.(Prober)
	if !ok {
		return nil
	}
	err := p.Probe(ctx)
	if s.vault.Kind() == VaultMemory {
		s.note(&s.vaultFault, nil) // memory stands in and works
	} else {
		s.note(&s.vaultFault, err)
	}
	s.watchers.Wake()
	return err
}

func (s *Store) fallback() error {
	if f, ok := s.vault.(interface{ Fallback() error }); ok {
		return f.Fallback()
	}
	return nil
}

// ask calls the vault and notes how it fared. The caller must not hold mu.
func (s *Store) ask(call func() error) error {
	err := call()
	switch {
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrClosed):
	default:
		s.note(&s.vaultFault, err)
	}
	return err
}

func (s *Store) note(where *atomic.Pointer[fault], err error) {
	var f *fault
	if err != nil {
		f = &fault{err}
	}
	if old := where.Swap(f); old != nil || f != nil {
		s.watchers.Wake()
	}
}

// publish makes a table the one that the gate reads. The caller holds mu.
func (s *Store) publish(t *table) {
	s.table.Store(t)
	s.watchers.Wake()
}

// write saves the index as of a table. The caller holds mu.
func (s *Store) write(t *table) error {
	x := index{Keys: []record{}, Colours: s.colours, Leftovers: s.leftovers}
	s.unsaved.Store(false) // before reading: a use from here on counts as new
	for _, e := range t.all {
		if e.key.Vault.lasts() {
			x.Keys = append(x.Keys, e.record())
		}
	}
	err := s.save(s.path, indexVersion, x)
	if err != nil {
		s.flushSoon() // try again in a minute
	}
	s.note(&s.fileFault, err)
	return err
}

// stamp is the clock as the index keeps it. The caller holds mu.
func (s *Store) stamp() time.Time { return s.now().UTC().Round(0).Truncate(time.Millisecond) }

func randomTail() string {
	const alphabet = "abcdefghijkmnpqrstuvwxyz23456789" // 32, none of them alike
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	for i := range b {
		b[i] = alphabet[b[i]%32]
	}
	return string(b[:])
}
