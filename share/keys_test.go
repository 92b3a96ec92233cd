package share

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"paddock/keystore"
	"paddock/policy"
	"paddock/requestlog"
)

func TestEditKey(t *testing.T) {
	bubble(t, "holds from the very next request on, and lets running ones go on", nil, func(t *testing.T, r *rig) {
		r.share()
		key := r.key("alice")
		running := r.chat("11435", key)
		if code := r.ask("11435", key, http.MethodDelete, "/api/delete", `{"model":"tiny"}`); code != http.StatusForbidden {
			t.Errorf("a user deletes: %d", code)
		}
		models, err := policy.ParseModels([]string{"other*"})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.EditKey(" ALICE", func(g *policy.Grant) { g.Role, g.Models = policy.RoleManager, models }); err != nil {
			t.Fatal(err)
		}
		if code := r.ask("11435", key, http.MethodDelete, "/api/delete", `{"model":"other"}`); code == http.StatusForbidden || code == http.StatusUnauthorized {
			t.Errorf("a manager deletes: %d", code)
		}
		if code := r.ask("11435", key, http.MethodPost, "/api/generate", `{"model":"tiny"}`); code != http.StatusForbidden {
			t.Errorf("a model that is not granted any more: %d", code)
		}
		r.ollama.tokens <- "on"
		running.word()
	})

	bubble(t, "a key that has expired by it is cut", nil, func(t *testing.T, r *rig) {
		r.share()
		key := r.key("alice")
		cut := r.chat("11435", key)
		if err := r.EditKey("alice", func(g *policy.Grant) { g.Expires = time.Now() }); err != nil {
			t.Fatal(err)
		}
		if cut.rest() == nil {
			t.Error("the running request was not cut")
		}
		if code := r.ask("11435", key, http.MethodGet, "/api/tags", ""); code != http.StatusUnauthorized {
			t.Errorf("a new request: %d", code)
		}
	})

	bubble(t, "a key that is not there", nil, func(t *testing.T, r *rig) {
		err := r.EditKey("x", func(*policy.Grant) { t.Error("it was changed") })
		_, _, rotateErr := r.RotateKey(t.Context(), "x", 0)
		if !errors.Is(err, keystore.ErrNoKey) || !errors.Is(rotateErr, keystore.ErrNoKey) {
			t.Errorf("the errors: %v, %v", err, rotateErr)
		}
	})
}

func TestRotateKey(t *testing.T) {
	for name, c := range map[string]struct {
		grace     time.Duration
		old, late int // status of a request with the old secret, at once and an hour later
	}{
		"with a grace both secrets work for a while": {time.Hour, http.StatusOK, http.StatusUnauthorized},
		"without one the old secret ends at once":    {0, http.StatusUnauthorized, http.StatusUnauthorized},
	} {
		bubble(t, name, nil, func(t *testing.T, r *rig) {
			r.share()
			old := r.key("alice")
			running := r.chat("11435", old)
			k, secret, err := r.RotateKey(t.Context(), "Alice", c.grace)
			if err != nil {
				t.Fatal(err)
			}
			fresh := secret.Reveal()
			if k.Name != "alice" || fresh == old || k.OldUntil.IsZero() != (c.grace == 0) {
				t.Errorf("got %+v", k)
			}
			if c.grace == 0 {
				if running.rest() == nil {
					t.Error("the running request was not cut")
				}
				if e := r.last(); e.CutBy != requestlog.CutByKey {
					t.Errorf("the entry: %+v", e)
				}
			} else {
				r.ollama.tokens <- "on"
				running.word()
			}
			for when, want := range []int{c.old, c.late} {
				if code := r.ask("11435", old, http.MethodGet, "/api/tags", ""); code != want {
					t.Errorf("look %d with the old secret: %d, want %d", when, code, want)
				}
				if code := r.ask("11435", fresh, http.MethodGet, "/api/tags", ""); code != http.StatusOK {
					t.Errorf("look %d with the new secret: %d", when, code)
				}
				after(time.Hour)
			}
			if got, ok := r.State().Keys.Find(k.ID); !ok || !got.OldUntil.IsZero() || got.Today.Requests < 3 {
				t.Errorf("in the end: %+v", got)
			}
		})
	}
}

func TestStateSaysWhatAKeyMayDoWithDefaultsFilledIn(t *testing.T) {
	bubble(t, "state", nil, func(t *testing.T, r *rig) {
		r.key("alice")
		if got := r.State().Keys.List[0].Grant; got != (policy.Grant{}).WithDefaults() {
			t.Errorf("the state says %+v", got)
		}
		if k, _ := r.Key("alice"); k.Grant != (policy.Grant{}) {
			t.Errorf("the key itself has %+v", k.Grant)
		}
	})
}
