package keystore

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"paddock/internal/atomicfile"
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
	k, _ := mustAdd(t, s, "bob")
	if err := s.Suspend("alice"); err != nil {
		t.Fatal(err)
	}
	var left *LeftoverError
	if err := s.Remove(t.Context(), "gone"); !errors.As(err, &left) {
		t.Fatal(err)
	}
	s.Used(k.ID, s.now())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(indexPath(home))
	if err != nil {
		t.Fatal(err)
	}
	return raw
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
	for what, text := range map[string]string{
		"another colour":        swap(`"colour": 1`, `"colour": 8`),
		"a negative colour":     swap(`"colour": 1`, `"colour": -1`),
		"a negative count":      swap(`"colours": 3`, `"colours": -3`),
		"a short digest":        swap(digest, digest[:62]),
		"no digest":             swap(digest, ""),
		"not hex":               swap(digest, "g"+digest[1:]),
		"capital hex":           swap(digest, strings.ToUpper("a"+digest[1:])),
		"one digest twice":      swap(digest, last),
		"one name twice":        swap(`"name": "bob"`, `"name": "ALICE"`),
		"an empty name":         swap(`"name": "bob"`, `"name": ""`),
		"an untrimmed name":     swap(`"name": "bob"`, `"name": " bob"`),
		"an escape in a name":   swap(`"name": "bob"`, `"name": "b\u001b[0m"`),
		"an empty id":           swap(`"id": "`+id+`"`, `"id": ""`),
		"an odd id":             swap(`"id": "`+id+`"`, `"id": "../x"`),
		"another hint":          swap(hint, "pdk_ab"),
		"a hint with an escape": swap(hint, `pdk_\u001b[A`),
		"a memory key":          swap(`"vault": "keychain"`, `"vault": "memory"`),
		"an unknown vault":      swap(`"vault": "keychain"`, `"vault": "cloud"`),
		"an unknown role":       swap(`"role": "user"`, `"role": "root"`),
		"an unknown grant":      swap(`"role": "user"`, `"role": "user", "everything": true`),
		"an unknown member":     swap(`"suspended": true`, `"suspended": true, "more": 1`),
		"suspended as a text":   swap(`"suspended": true`, `"suspended": "true"`),
		"a time that is none":   swap(`"made": "`, `"made": "x`),
		"nothing":               "",
		"zeros":                 strings.Repeat("\x00", len(good)),
		"two of them":           good + good,
	} {
		var damaged *DamagedError
		if err := openText(t, []byte(text)); !errors.As(err, &damaged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	var newer *NewerError
	if err := openText(t, []byte(swap(`"version": 1`, `"version": 2`))); !errors.As(err, &newer) || newer.Version != 2 {
		t.Errorf("a newer one: %v", err)
	}
	leftoverIsKey := swap(`"leftovers": [`, `"leftovers": [ {"id": "`+id+`", "vault": "keychain"},`)
	var damaged *DamagedError
	if err := openText(t, []byte(leftoverIsKey)); !errors.As(err, &damaged) {
		t.Errorf("a key that is to be cleared away: %v", err)
	}
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
	var x index
	if err := errors.Join(atomicfile.Decode("keys.json", []byte(good), indexVersion, &x), x.check()); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(good))
	f.Add([]byte(good[:len(good)/2]))
	f.Add([]byte(strings.ReplaceAll(good, "user", "manager")))
	f.Add([]byte(`{"version":1,"keys":[],"colours":0}`))
	f.Add([]byte(`{"version":2}`))
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
		seen := map[string]bool{}
		for _, r := range x.Keys {
			if seen[r.SHA256] || r.ID == "" || r.Name == "" || r.Colour < 0 || r.Colour >= Colours {
				t.Fatalf("a bad key passed: %+v", r)
			}
			seen[r.SHA256] = true
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
