package share

import (
	"context"
	"errors"
	"net/http"
	"os"
	"reflect"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"paddock/keystore"
	"paddock/policy"
	"paddock/requestlog"
)

func TestStateIsAValue(t *testing.T) {
	bubble(t, "", nil, func(t *testing.T, r *rig) {
		r.share()
		r.key("alice")
		after(time.Second)
		st, again := r.State(), r.State()
		if len(st.Ollama.Models) == 0 || len(st.Ollama.Loaded) == 0 || len(st.Addresses) == 0 || len(st.Keys.List) == 0 {
			t.Fatalf("the state is too empty to tell: %+v", st)
		}
		st.Ollama.Models[0], st.Ollama.Loaded[0] = "changed", "changed"
		st.Addresses[0].URL, st.Keys.List[0].Name = "changed", "changed"
		if now := r.State(); !reflect.DeepEqual(now, again) {
			t.Errorf("a change to one picture shows in another: %+v", now)
		}
		r.Stop()
		after(time.Second)
		if again.Phase != Sharing {
			t.Error("an old picture has changed")
		}
	})
}

func TestTeammatesAreThoseOfTheLastQuarter(t *testing.T) {
	bubble(t, "", nil, func(t *testing.T, r *rig) {
		r.share()
		alice, bob := r.key("alice"), r.key("bob")
		if n := r.State().Teammates; n != 0 {
			t.Errorf("%d teammates before anybody came", n)
		}
		wake, stop := r.Watch()
		defer stop()
		r.ask("11435", alice, http.MethodGet, "/api/tags", "")
		after(10 * time.Minute)
		r.ask("11435", bob, http.MethodGet, "/api/tags", "")
		r.ask("11435", "pdk_nobody", http.MethodGet, "/api/tags", "")
		if n := r.State().Teammates; n != 2 {
			t.Errorf("%d teammates", n)
		}
		for len(wake) > 0 {
			<-wake
		}
		after(5*time.Minute + 30*time.Second)
		if n := r.State().Teammates; n != 1 || len(wake) == 0 {
			t.Errorf("%d teammates, and %d tokens to see it by", n, len(wake))
		}
		if err := r.SuspendKey("bob"); err != nil || r.State().Teammates != 0 {
			t.Errorf("a suspended key is a teammate: %v", err)
		}
	})
}

func TestWatch(t *testing.T) {
	bubble(t, "a burst wakes ten times a second at most, and the last change is seen", nil, func(t *testing.T, r *rig) {
		r.share()
		key := r.key("alice")
		id := r.State().Keys.List[0].ID
		_ = key
		wake, stop := r.Watch()
		defer stop()
		after(time.Second)
		for len(wake) > 0 {
			<-wake
		}
		wakes, over := 0, make(chan struct{})
		var last State
		go func() {
			defer close(over)
			for {
				select {
				case <-wake:
					wakes++
					if last = r.State(); last.Totals.Requests == 5000 && last.Keys.List[0].Suspended {
						return
					}
				case <-time.After(time.Minute):
					return
				}
			}
		}()
		for range 5000 {
			r.log.Append(requestlog.Entry{Phase: requestlog.Done})
			r.keys.Used(id, time.Now())
			time.Sleep(time.Second / 1000)
		}
		if err := r.SuspendKey("alice"); err != nil {
			t.Fatal(err)
		}
		<-over
		if last.Totals.Requests != 5000 || !last.Keys.List[0].Suspended {
			t.Errorf("the last change was lost: %d requests", last.Totals.Requests)
		}
		if wakes > 55 {
			t.Errorf("%d wakes in 5 s", wakes)
		}
	})

	bubble(t, "tokens that pass are no change", nil, func(t *testing.T, r *rig) {
		r.share()
		c := r.chat("11435", r.key("alice"))
		after(10 * time.Second) // the safety check has said its first words
		wake, stop := r.Watch()
		defer stop()
		for range 50 {
			r.ollama.tokens <- "word"
			c.word()
		}
		after(time.Second)
		if len(wake) != 0 {
			t.Error("it woke")
		}
	})

	bubble(t, "tells of settings, keys, window and phase", nil, func(t *testing.T, r *rig) {
		after(time.Second)
		wake, stop := r.Watch()
		defer stop()
		for name, change := range map[string]func(){
			"a setting":  func() { r.set("share.listen", ":12000") },
			"a key":      func() { r.key("alice") },
			"a window":   func() { r.SetScreen(nil) },
			"Start":      r.Start,
			"no Ollama":  func() { r.ollama.be("down") },
			"no network": func() { r.move(office) }, // the same: nothing to tell
		} {
			after(probeEvery)
			for len(wake) > 0 {
				<-wake
			}
			change()
			after(probeEvery)
			if (len(wake) > 0) == (name == "no network") {
				t.Errorf("%s: %d tokens", name, len(wake))
			}
		}
	})
}

// hung is a vault that never answers, as a keychain whose question nobody sees.
type hung struct{ *keystore.MemoryVault }

func (hung) Set(ctx context.Context, _ string, _ keystore.Secret) error { return wait(ctx) }
func (hung) Get(ctx context.Context, _ string) (keystore.Secret, error) {
	return keystore.Secret{}, wait(ctx)
}
func (hung) Delete(ctx context.Context, _ string) error { return wait(ctx) }

func wait(ctx context.Context) error {
	<-ctx.Done()
	return keystore.ErrTimeout
}

func TestAVaultThatHangsHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := keystore.NewMemoryVault()
		v := &switched{}
		v.become(memory)
		r := newRig(t, v, nil)
		r.Run()
		r.share()
		key := r.key("alice")
		v.become(hung{memory})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		answers := make(chan error, 3)
		go func() { _, _, err := r.AddKey(ctx, "bob", policy.Grant{}); answers <- err }()
		go func() { _, err := r.CopyKey(ctx, "alice"); answers <- err }()
		after(time.Second)

		began := time.Now()
		if code := r.ask("11435", key, http.MethodGet, "/api/tags", ""); code != http.StatusOK {
			t.Errorf("a request: %d", code)
		}
		running := r.chat("11435", key)
		r.Stop()
		r.phase(Stopping, NoProblem)
		r.share()
		if n := len(r.State().Keys.List); n != 1 {
			t.Errorf("%d keys", n)
		}
		go func() { answers <- r.RemoveKey(ctx, "alice") }()
		synctest.Wait()
		if code := r.ask("11435", key, http.MethodGet, "/api/tags", ""); code != http.StatusUnauthorized {
			t.Errorf("a key that is being removed: %d", code)
		}
		if running.rest() == nil {
			t.Error("its running request was not cut")
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("all that took %s", took)
		}
		cancel()
		for range 3 {
			err := <-answers
			var left *keystore.LeftoverError
			if !errors.Is(err, keystore.ErrTimeout) && !errors.As(err, &left) {
				t.Errorf("a call of the vault: %v", err)
			}
		}
	})
}

// switched is a vault that can become another one.
type switched struct {
	now atomic.Pointer[keystore.Vault]
}

func (s *switched) become(v keystore.Vault)  { s.now.Store(&v) }
func (s *switched) Kind() keystore.VaultKind { return (*s.now.Load()).Kind() }
func (s *switched) Describe() string         { return (*s.now.Load()).Describe() }
func (s *switched) Delete(ctx context.Context, id string) error {
	return (*s.now.Load()).Delete(ctx, id)
}

func (s *switched) Get(ctx context.Context, id string) (keystore.Secret, error) {
	return (*s.now.Load()).Get(ctx, id)
}

func (s *switched) Set(ctx context.Context, id string, secret keystore.Secret) error {
	return (*s.now.Load()).Set(ctx, id, secret)
}

func TestWithdrawnKeys(t *testing.T) {
	for name, withdraw := range map[string]func(*rig) error{
		"suspend": func(r *rig) error { return r.SuspendKey("Alice ") },
		"remove":  func(r *rig) error { return r.RemoveKey(r.t.Context(), "ALICE") },
	} {
		bubble(t, name, nil, func(t *testing.T, r *rig) {
			r.share()
			alice, bob := r.key("alice"), r.key("bob")
			cut, stays := r.chat("11435", alice), r.chat("11435", bob)
			if err := withdraw(r); err != nil {
				t.Fatal(err)
			}
			if cut.rest() == nil {
				t.Error("the running request was not cut")
			}
			if e := r.last(); e.CutBy != requestlog.CutByKey || e.Key != "alice" {
				t.Errorf("the entry: %+v", e)
			}
			if code := r.ask("11435", alice, http.MethodGet, "/api/tags", ""); code != http.StatusUnauthorized {
				t.Errorf("a new request: %d", code)
			}
			r.ollama.tokens <- "on"
			stays.word()
			if name == "suspend" {
				if err := r.ResumeKey("alice"); err != nil {
					t.Fatal(err)
				}
				if code := r.ask("11435", alice, http.MethodGet, "/api/tags", ""); code != http.StatusOK {
					t.Errorf("resumed: %d", code)
				}
			}
		})

		// What takes a right away holds even when the disk refuses to write it
		// down: the requests must not run on because of that.
		t.Run(name+" on a full disk", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, &lasting{keystore.NewMemoryVault()}, nil)
				r.Run()
				r.share()
				alice := r.key("alice")
				cut := r.chat("11435", alice)
				// Root writes anywhere, so the folder becomes a file.
				if err := os.Rename(r.home, r.home+"-away"); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(r.home, nil, 0o600); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = os.Remove(r.home); _ = os.RemoveAll(r.home + "-away") })
				err := withdraw(r)
				if _, ok := errors.AsType[*keystore.UnsavedError](err); !ok {
					t.Errorf("the error: %v", err)
				}
				if cut.rest() == nil {
					t.Error("the running request was not cut")
				}
				if code := r.ask("11435", alice, http.MethodGet, "/api/tags", ""); code != http.StatusUnauthorized {
					t.Errorf("a new request: %d", code)
				}
				synctest.Wait()
				if k := r.State().Keys; k.Trouble != IndexUnsaved {
					t.Errorf("the state says %q", k.Trouble)
				}
			})
		})
	}

	bubble(t, "a key that is not there", nil, func(t *testing.T, r *rig) {
		for _, err := range []error{r.SuspendKey("x"), r.ResumeKey("x"), r.RemoveKey(t.Context(), "x")} {
			if !errors.Is(err, keystore.ErrNoKey) {
				t.Errorf("the error: %v", err)
			}
		}
	})
}

// lasting is a vault in memory that says it is a file, so that the index is written.
type lasting struct{ *keystore.MemoryVault }

func (*lasting) Kind() keystore.VaultKind { return keystore.VaultFile }

func TestStoppingOneRequest(t *testing.T) {
	bubble(t, "", nil, func(t *testing.T, r *rig) {
		r.share()
		key := r.key("alice")
		one, other := r.chat("11435", key), r.chat("11435", key)
		if n := r.State().Running; n != 2 {
			t.Fatalf("%d run", n)
		}
		id := r.log.Running(time.Now())[0].ID
		if !r.StopRequest(id) || r.StopRequest("nobody") {
			t.Error("it says something else than it did")
		}
		if one.rest() == nil {
			t.Error("it was not cut")
		}
		r.ollama.tokens <- "on"
		other.word()
	})
}

func TestTroubles(t *testing.T) {
	for want, err := range map[Trouble]error{
		NoTrouble: nil, VaultLocked: keystore.ErrLocked, VaultMissing: keystore.ErrNoVault, VaultSilent: keystore.ErrTimeout,
		VaultUnkept: keystore.ErrNotKept, VaultSealed: keystore.ErrWrongPassphrase, VaultFault: errors.New("x"),
	} {
		if got := TroubleOf(err); got != want {
			t.Errorf("%v is %q, want %q", err, got, want)
		}
	}
	if TroubleOf(keystore.ErrNoPassphrase) != VaultSealed {
		t.Error("no passphrase is something else than a sealed vault")
	}
	memory := keysState(keystore.Snapshot{Vault: keystore.VaultMemory, Fallback: keystore.ErrNoVault})
	if memory.Trouble != VaultMissing || !memory.InMemory() {
		t.Errorf("memory in place of a keychain: %+v", memory)
	}
	both := keysState(keystore.Snapshot{FileProblem: errors.New("full"), VaultProblem: keystore.ErrLocked})
	if both.Trouble != IndexUnsaved {
		t.Errorf("two troubles: %+v", both)
	}
}
