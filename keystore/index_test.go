package keystore

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"paddock/internal/atomicfile"
	"paddock/policy"
)

// sampleIndex is a file that this program wrote, with all of its members.
func sampleIndex(t testing.TB) []byte {
	t.Helper()
	home := t.TempDir()
	v := &scripted{MemoryVault: NewMemoryVault(), delete: ErrLocked}
	s, err := Open(home, v, Options{})
	if err != nil {
		t.Fatal(err)
	}
	mustAdd(t, s, "gone")
	mustAdd(t, s, "alice")
	k, _, err := s.Add(t.Context(), "bob", fullGrant(t))
	if err != nil {
		t.Fatal(err)
	}
	mustRotate(t, s, "bob", MaxGrace)
	if err := s.Suspend("alice"); err != nil {
		t.Fatal(err)
	}
	var left *LeftoverError
	if err := s.Remove(t.Context(), "gone"); !errors.As(err, &left) {
		t.Fatal(err)
	}
	s.Used(k.ID, s.now())
	s.Spend(k.ID, 3400, s.now())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(indexPath(home))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// fullGrant has all that a grant can say.
func fullGrant(t testing.TB) policy.Grant {
	t.Helper()
	models, err := policy.ParseModels([]string{"llama3*", "hf.co/*"})
	if err != nil {
		t.Fatal(err)
	}
	return policy.Grant{
		Role: policy.RoleUser, Models: models, Cloud: true, InAddress: true, Expires: time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC),
		Rate: policy.Rate{Count: 10, Per: time.Minute}, Concurrent: 3, TokensPerDay: 50_000,
	}
}

func openText(t *testing.T, text []byte) error {
	t.Helper()
	home := t.TempDir()
	if err := os.WriteFile(indexPath(home), text, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(home, NewMemoryVault(), Options{})
	if s != nil {
		_ = s.Close()
	}
	if err != nil && !strings.Contains(err.Error(), indexPath(home)) {
		t.Errorf("the error does not name the file: %v", err)
	}
	if now, _ := os.ReadFile(indexPath(home)); !bytes.Equal(now, text) {
		t.Error("the file was touched")
	}
	if list, _ := os.ReadDir(home); len(list) != 1 {
		t.Errorf("%d files", len(list))
	}
	return err
}

func TestDamagedIndexIsRefusedAndLeft(t *testing.T) {
	good := string(sampleIndex(t))
	if err := openText(t, []byte(good)); err != nil {
		t.Fatalf("the sample is not good: %v", err)
	}
	swap := func(old, new string) string {
		t.Helper()
		out := strings.Replace(good, old, new, 1)
		if out == good {
			t.Fatalf("%q is not in\n%s", old, good)
		}
		return out
	}
	between := func(after, until string) string {
		i := strings.Index(good, after) + len(after)
		return good[i : i+strings.Index(good[i:], until)]
	}
	digest, id, hint := between(`"sha256": "`, `"`), between(`"id": "`, `"`), between(`"hint": "`, `"`)
	last := good[strings.LastIndex(good, `"sha256": "`)+11:][:64]
	old, oldUntil, item := between(`"old_sha256": "`, `"`), between(`"old_until": "`, `"`), between(`"item": "`, `"`)
	day := between(`"day": "`, `"`)
	leftover := good[strings.Index(good, `"leftovers"`):]
	leftover = leftover[strings.Index(leftover, `"id": "`)+7:]
	leftover = leftover[:strings.IndexByte(leftover, '"')]
	models := `"models": [` + between(`"models": [`, `]`) + `]`
	for what, text := range map[string]string{
		"another colour":               swap(`"colour": 1`, `"colour": 8`),
		"a negative colour":            swap(`"colour": 1`, `"colour": -1`),
		"a negative count":             swap(`"colours": 3`, `"colours": -3`),
		"a short digest":               swap(digest, digest[:62]),
		"no digest":                    swap(digest, ""),
		"not hex":                      swap(digest, "g"+digest[1:]),
		"capital hex":                  swap(digest, strings.ToUpper("a"+digest[1:])),
		"one digest twice":             swap(digest, last),
		"one name twice":               swap(`"name": "bob"`, `"name": "ALICE"`),
		"an empty name":                swap(`"name": "bob"`, `"name": ""`),
		"an untrimmed name":            swap(`"name": "bob"`, `"name": " bob"`),
		"an escape in a name":          swap(`"name": "bob"`, `"name": "b\u001b[0m"`),
		"an empty id":                  swap(`"id": "`+id+`"`, `"id": ""`),
		"an odd id":                    swap(`"id": "`+id+`"`, `"id": "../x"`),
		"another hint":                 swap(hint, "pdk_ab"),
		"a hint with an escape":        swap(hint, `pdk_\u001b[A`),
		"a memory key":                 swap(`"vault": "keychain"`, `"vault": "memory"`),
		"an unknown vault":             swap(`"vault": "keychain"`, `"vault": "cloud"`),
		"an unknown role":              swap(`"role": "user"`, `"role": "root"`),
		"an unknown grant":             swap(`"role": "user"`, `"role": "user", "everything": true`),
		"an unknown member":            swap(`"suspended": true`, `"suspended": true, "more": 1`),
		"suspended as a text":          swap(`"suspended": true`, `"suspended": "true"`),
		"a time that is none":          swap(`"made": "`, `"made": "x`),
		"an old digest of another key": swap(`"old_sha256": "`+old, `"old_sha256": "`+digest),
		"an old digest of its own":     swap(`"old_sha256": "`+old, `"old_sha256": "`+last),
		"another key's old digest":     swap(digest, old),
		"a short old digest":           swap(old, old[:62]),
		"an old secret without an end": swap(`"old_until": "`+oldUntil+`",`, ""),
		"an end of no old secret":      swap(`"old_sha256": "`+old+`",`, ""),
		"an odd item":                  swap(`"item": "`+item, `"item": "../x`),
		"one item twice":               swap(`"item": "`+item, `"item": "`+id),
		"an item to be cleared away":   swap(`"item": "`+item, `"item": "`+leftover),
		"a day that is none":           swap(`"day": "`+day, `"day": "2026-02-30`),
		"a day without zeros":          swap(`"day": "`+day, `"day": "2026-2-3`),
		"no day":                       swap(`"day": "`+day+`",`, ""),
		"a day before all days":        swap(`"day": "`+day, `"day": "0000-01-01`),
		"negative requests":            swap(`"requests": 1`, `"requests": -1`),
		"negative tokens":              swap(`"tokens": 3400`, `"tokens": -1`),
		"too many tokens":              swap(`"tokens": 3400`, `"tokens": 9223372036854775808`),
		"an odd rate":                  swap(`"rate": "10/min"`, `"rate": "x/min"`),
		"a rate of nothing":            swap(`"rate": "10/min"`, `"rate": "0/min"`),
		"a rate as a number":           swap(`"rate": "10/min"`, `"rate": 10`),
		"a negative cap":               swap(`"concurrent": 3`, `"concurrent": -3`),
		"a cap of nothing":             swap(`"concurrent": 3`, `"concurrent": 0`),
		"half a cap":                   swap(`"concurrent": 3`, `"concurrent": 3.5`),
		"negative tokens a day":        swap(`"tokens_per_day": 50000`, `"tokens_per_day": -1`),
		"too many tokens a day":        swap(`"tokens_per_day": 50000`, `"tokens_per_day": 9223372036854775808`),
		"an empty list of models":      swap(models, `"models": []`),
		"no list of models":            swap(models, `"models": "llama3"`),
		"models that are null":         swap(models, `"models": null`),
		"an odd model":                 swap(`"llama3*"`, `"../x y"`),
		"nothing":                      "",
		"zeros":                        strings.Repeat("\x00", len(good)),
		"two of them":                  good + good,
	} {
		var damaged *DamagedError
		if err := openText(t, []byte(text)); !errors.As(err, &damaged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	var newer *NewerError
	if err := openText(t, []byte(swap(`"version": 2`, `"version": 3`))); !errors.As(err, &newer) || newer.Version != 3 {
		t.Errorf("a newer one: %v", err)
	}
	leftoverIsKey := swap(`"leftovers": [`, `"leftovers": [ {"id": "`+id+`", "vault": "keychain"},`)
	var damaged *DamagedError
	if err := openText(t, []byte(leftoverIsKey)); !errors.As(err, &damaged) {
		t.Errorf("a key that is to be cleared away: %v", err)
	}
}

func TestGrantsAreWrittenAndReadWhole(t *testing.T) {
	home := t.TempDir()
	s, ring := ringStore(t, home)
	full := fullGrant(t)
	for name, g := range map[string]policy.Grant{
		"full": full, "nothing": {}, "without limits": {Rate: policy.NoRate, Concurrent: policy.NoCap, TokensPerDay: policy.NoCap},
	} {
		if _, _, err := s.Add(t.Context(), name, g); err != nil {
			t.Fatal(err)
		}
		mustAdd(t, s, name+", later")
		if err := s.Edit(name+", later", func(now *policy.Grant) { *now = g }); err != nil {
			t.Fatal(err)
		}
	}
	before := s.List()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = reopen(t, home, ring)
	after := s.List()
	if len(after) != 6 {
		t.Fatalf("%d keys", len(after))
	}
	for i, k := range after {
		if k != before[i] || k.Grant != before[i].Grant {
			t.Errorf("%s: it is %+v, want %+v", k.Name, k.Grant, before[i].Grant)
		}
	}
	if k, _ := s.Find("full, later"); k.Grant != full {
		t.Errorf("it is %+v", k.Grant)
	}
}

// The story: what can be written and not be read makes the whole index a
// damaged one at the next start, with everybody's keys.
func TestGrantsThatCannotBeReadAgainAreRefused(t *testing.T) {
	home := t.TempDir()
	s, ring := ringStore(t, home)
	mustAdd(t, s, "alice")
	for what, g := range map[string]policy.Grant{
		"a rate of no unit":    {Rate: policy.Rate{Count: 5, Per: 7 * time.Second}},
		"a role of no name":    {Role: 7},
		"an end in year 20000": {Expires: time.Date(20_000, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if _, _, err := s.Add(t.Context(), "bob", g); err == nil {
			t.Errorf("%s: added", what)
		}
		if err := s.Edit("alice", func(now *policy.Grant) { *now = g }); err == nil {
			t.Errorf("%s: edited", what)
		}
	}
	if k, _ := s.Find("alice"); k.Grant != grant || len(s.List()) != 1 {
		t.Errorf("alice may do %+v", k.Grant)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	reopen(t, home, ring)
}

func TestTruncatedIndexIsRefused(t *testing.T) {
	good := sampleIndex(t)
	for n := range len(good) - 1 {
		var damaged *DamagedError
		if err := openText(t, good[:n]); !errors.As(err, &damaged) {
			t.Errorf("cut at byte %d of %d: %v", n, len(good), err)
		}
	}
}

func FuzzIndex(f *testing.F) {
	good := `{"version":1,"keys":[{"id":"bob-k2","name":"Bob","hint":"pdk_Ab1","grant":{"role":"user"},"suspended":false,"colour":1,"vault":"keychain",` +
		`"made":"2030-01-02T03:04:05Z","changed":"2030-01-02T03:04:05Z","last_used":"2030-01-02T03:04:05Z","sha256":"` + strings.Repeat("0a", 32) + `"}],` +
		`"colours":2,"leftovers":[{"id":"gone-x7","vault":"file"}]}`
	rotated := strings.NewReplacer(
		`{"role":"user"}`, `{"role":"user","models":["llama3*"],"rate":"10/min","concurrent":3,"tokens_per_day":"none","in_address":true}`,
		`"sha256":`, `"old_until":"2030-01-03T03:04:05Z","item":"bob-k3","old_sha256":"`+strings.Repeat("0b", 32)+`","today":{"day":"2030-01-02","requests":4,"tokens":5},"sha256":`,
		`gone-x7`, `bob-k2`,
	).Replace(good)
	for _, text := range []string{good, rotated} {
		var x index
		if err := atomicfile.Decode("keys.json", []byte(text), indexVersion, &x); err != nil {
			f.Fatal(err)
		}
		if err := x.check(); err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(text))
	}
	f.Add([]byte(strings.ReplaceAll(rotated, "0b", "0a")))
	f.Add([]byte(good[:len(good)/2]))
	f.Add([]byte(strings.ReplaceAll(good, "user", "manager")))
	f.Add([]byte(`{"version":1,"keys":[],"colours":0}`))
	f.Add([]byte(strings.Replace(rotated, `"version":1`, `"version":2`, 1)))
	f.Add([]byte(`{"version":3}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var x index
		err := atomicfile.Decode("keys.json", data, indexVersion, &x)
		if err == nil {
			if err := x.check(); err != nil {
				return
			}
		}
		if err != nil {
			var damaged *DamagedError
			var newer *NewerError
			if !errors.As(err, &damaged) && !errors.As(err, &newer) {
				t.Fatalf("an untyped error: %v", err)
			}
			return
		}
		// What passes can be worked with, and written and read again.
		seen, items := map[string]bool{"": true}, map[string]bool{}
		for _, r := range x.Keys {
			if seen[r.SHA256] || r.ID == "" || r.Name == "" || r.Colour < 0 || r.Colour >= Colours {
				t.Fatalf("a bad key passed: %+v", r)
			}
			seen[r.SHA256] = true
			if r.OldSHA256 != "" && seen[r.OldSHA256] || items[r.item()] {
				t.Fatalf("a digest or an item of another key passed: %+v", r)
			}
			seen[r.OldSHA256], items[r.item()] = true, true
			e, err := r.entry()
			if err != nil {
				t.Fatalf("a key that cannot be worked with passed: %v", err)
			}
			if got := e.ready().record(); got.Today != r.Today || got.item() != r.item() || got.OldSHA256 != r.OldSHA256 || got.SHA256 != r.SHA256 {
				t.Fatalf("it would be written as %+v, and is %+v", got, r)
			}
		}
		again, err := atomicfile.Encode(indexVersion, x)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		var y index
		if err := atomicfile.Decode("keys.json", again, indexVersion, &y); err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if err := y.check(); err != nil || len(y.Keys) != len(x.Keys) {
			t.Fatalf("what was written is another index: %v", err)
		}
	})
}
