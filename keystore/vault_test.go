package keystore

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// contract is what every vault promises. It leaves the vault empty.
func contract(t *testing.T, v Vault, kind VaultKind) {
	t.Helper()
	ctx := within(t, time.Minute)
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	is := func(what string, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	get := func(id, want string) {
		t.Helper()
		if s, err := v.Get(ctx, id); err != nil || s.Reveal() != want {
			t.Errorf("%s holds another secret, or %v", id, err)
		}
	}

	_, err := v.Get(ctx, "alice-1")
	is("reading what is not there", err, ErrNotFound)
	is("deleting what is not there", v.Delete(ctx, "alice-1"), ErrNotFound)

	must("storing", v.Set(ctx, "alice-1", NewSecret("pdk_one")))
	must("storing a neighbour", v.Set(ctx, "alice-10", NewSecret("pdk_ten")))
	get("alice-1", "pdk_one")
	must("replacing", v.Set(ctx, "alice-1", NewSecret("pdk_two")))
	get("alice-1", "pdk_two")
	get("alice-10", "pdk_ten")

	odd := "line\nline\ttab é 漢 \"quote\" 'quote' \\ $HOME `x` %s"
	must("storing an odd text", v.Set(ctx, "odd.id_2", NewSecret(odd)))
	get("odd.id_2", odd)
	long := strings.Repeat("x", MaxSecret)
	must("storing the longest secret", v.Set(ctx, "odd.id_2", NewSecret(long)))
	get("odd.id_2", long)
	is("storing one that is too long", v.Set(ctx, "odd.id_2", NewSecret(long+"x")), ErrTooBig)
	get("odd.id_2", long)

	for _, id := range []string{"", "A", "a b", "a:b", "a/b", "a\nb", "é", "a'b", strings.Repeat("a", 65)} {
		if v.Set(ctx, id, NewSecret("x")) == nil || v.Delete(ctx, id) == nil {
			t.Errorf("id %q is taken", id)
		}
		if _, err := v.Get(ctx, id); err == nil {
			t.Errorf("id %q is taken", id)
		}
	}

	must("deleting", v.Delete(ctx, "alice-1"))
	_, err = v.Get(ctx, "alice-1")
	is("reading what was deleted", err, ErrNotFound)
	is("deleting twice", v.Delete(ctx, "alice-1"), ErrNotFound)
	get("alice-10", "pdk_ten")

	over, stop := context.WithCancel(ctx)
	stop()
	is("storing when time is up", v.Set(over, "late", NewSecret("x")), ErrTimeout)
	_, err = v.Get(over, "alice-10")
	is("reading when time is up", err, ErrTimeout)
	is("deleting when time is up", v.Delete(over, "alice-10"), ErrTimeout)
	_, err = v.Get(ctx, "late")
	is("reading what came too late", err, ErrNotFound)

	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			id, s := fmt.Sprintf("many-%d", i), NewSecret(fmt.Sprintf("pdk_%d", i))
			if err := v.Set(ctx, id, s); err != nil {
				t.Errorf("storing among others: %v", err)
			}
			if got, err := v.Get(ctx, id); err != nil || !got.Equal(s) {
				t.Errorf("reading among others: %v", err)
			}
			if err := v.Delete(ctx, id); err != nil {
				t.Errorf("deleting among others: %v", err)
			}
		})
	}
	all.Wait()

	must("clearing up", v.Delete(ctx, "odd.id_2"))
	must("clearing up", v.Delete(ctx, "alice-10"))
	if v.Kind() != kind || v.Describe() == "" {
		t.Errorf("it calls itself %q, %q", v.Kind(), v.Describe())
	}
	for _, err := range []error{v.Set(over, "x", NewSecret(plain)), v.Set(ctx, "x", NewSecret(strings.Repeat(plain, 60)))} {
		if err == nil || leaks(err.Error()) {
			t.Errorf("an error is missing or shows the secret: %v", err)
		}
	}
}

func TestVault(t *testing.T) {
	t.Run("memory", func(t *testing.T) { contract(t, NewMemoryVault(), VaultMemory) })
	t.Run("file", func(t *testing.T) {
		contract(t, quickFile(filepath.Join(t.TempDir(), VaultFileName), "correct horse"), VaultFile)
	})
	t.Run("keychain over a map", func(t *testing.T) { contract(t, newOSKeychain((&fakeRing{}).calls()), VaultKeychain) })
	t.Run("auto with a keychain", func(t *testing.T) {
		contract(t, newAutoVault(newOSKeychain((&fakeRing{}).calls()), NewMemoryVault()), VaultKeychain)
	})
	t.Run("auto without one", func(t *testing.T) {
		ring := &fakeRing{}
		ring.absent.Store(true)
		contract(t, newAutoVault(newOSKeychain(ring.calls()), NewMemoryVault()), VaultMemory)
	})
	systemVaults(t)
}

// fakeRing stands for go-keyring where a test needs to hold it at one point.
type fakeRing struct {
	mu     sync.Mutex
	items  map[string]string
	absent atomic.Bool
	hang   chan struct{} // when not nil, set, get and delete wait for it
	broken string        // when not empty, they panic with it
	probes atomic.Int32
	inside atomic.Int32 // calls that run
	most   atomic.Int32 // the most that ever ran at once
}

func (r *fakeRing) calls() keyringCalls {
	return keyringCalls{
		set: func(service, id, secret string) error {
			defer r.enter()()
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.items == nil {
				r.items = map[string]string{}
			}
			r.items[service+" "+id] = secret
			return nil
		},
		get: func(service, id string) (string, error) {
			defer r.enter()()
			r.mu.Lock()
			defer r.mu.Unlock()
			s, ok := r.items[service+" "+id]
			if !ok {
				return "", errRingEmpty
			}
			return s, nil
		},
		delete: func(service, id string) error {
			defer r.enter()()
			r.mu.Lock()
			defer r.mu.Unlock()
			if _, ok := r.items[service+" "+id]; !ok {
				return errRingEmpty
			}
			delete(r.items, service+" "+id)
			return nil
		},
		ready: func() error { return nil },
		probe: func(context.Context) error {
			r.probes.Add(1)
			if r.absent.Load() {
				return fmt.Errorf("%w: none here", ErrNoVault)
			}
			return nil
		},
	}
}

func (r *fakeRing) enter() func() {
	n := r.inside.Add(1)
	for {
		m := r.most.Load()
		if n <= m || r.most.CompareAndSwap(m, n) {
			break
		}
	}
	if r.hang != nil {
		<-r.hang
	}
	if r.broken != "" {
		r.inside.Add(-1)
		panic(r.broken)
	}
	return func() { r.inside.Add(-1) }
}

func (r *fakeRing) has(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.items[service+" "+id]
	return ok
}

func TestOpenVault(t *testing.T) {
	t.Setenv(PassphraseFileEnv, "")
	for kind, want := range map[VaultKind]VaultKind{
		"": VaultAuto, VaultAuto: VaultAuto, VaultKeychain: VaultKeychain, VaultFile: VaultFile, VaultMemory: VaultMemory,
	} {
		v, err := OpenVault(kind, t.TempDir(), nil)
		if err != nil || v.Kind() != want || v.Describe() == "" {
			t.Errorf("%q is %v, %v", kind, v, err)
		}
		if v != nil {
			_ = closeVault(v)
		}
	}
	if _, err := OpenVault("plain", t.TempDir(), nil); err == nil {
		t.Error("there is a vault called plain")
	}
}
