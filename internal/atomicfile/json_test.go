package atomicfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type sample struct {
	Names []string       `json:"names"`
	Deep  map[string]int `json:"deep,omitempty"`
}

func TestSaveAndLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "home", "x.json")
	want := sample{[]string{"a", "é<>&"}, map[string]int{"n": 1}}
	if err := Save(path, 3, want); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(raw, []byte("{\n  \"version\": 3,\n  \"names\": [")) || !bytes.HasSuffix(raw, []byte("}\n")) {
		t.Errorf("it is written as\n%s", raw)
	}
	var got sample
	if err := Load(path, 3, &got); err != nil || len(got.Names) != 2 || got.Names[1] != want.Names[1] || got.Deep["n"] != 1 {
		t.Errorf("loaded %+v, %v", got, err)
	}
	if err := Load(path, 4, &got); err != nil {
		t.Errorf("a newer program does not read an older file: %v", err)
	}
	if err := Save(path, 3, struct{}{}); err != nil {
		t.Fatal(err)
	}
	if raw, _ := os.ReadFile(path); string(raw) != "{\n  \"version\": 3\n}\n" {
		t.Errorf("an empty value is written as %q", raw)
	}
}

func TestSaveRefusesWhatItCouldNotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.json")
	for _, v := range []any{nil, 1, "x", []int{1}, (*sample)(nil), struct{ F func() }{}, map[string]int{"version": 1}} {
		if err := Save(path, 1, v); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("saving %#v says %v", v, err)
		}
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error("something was written")
	}
}

func TestLoadTellsWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.json")
	var into sample
	if err := Load(path, 1, &into); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if err := Load(dir, 1, &into); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder: %v", err)
	}
	for _, text := range []string{
		"", " \n", "{", "null", "[]", "1", `"x"`, "\x00\x00\x00", "\xff\xfe", `{}`, `{"names":[]}`, `{"version":"1"}`, `{"version":0}`, `{"version":-1}`,
		`{"version":1.5}`, `{"version":null}`, `{"version":1,"names":1}`, `{"version":1,"nmaes":[]}`, `{"version":1}{"version":1}`, `{"version":1} x`,
		`{"version":99999999999999999999}`, `{"Version":1}`, `{"version":1,"names":["a"]`,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := Load(path, 1, &into)
		var damaged *DamagedError
		if !errors.As(err, &damaged) || damaged.Path != path || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v", text, err)
		}
		if got, _ := os.ReadFile(path); string(got) != text {
			t.Errorf("%q was touched", text)
		}
	}
	const newer = `{"version":2,"something":"nobody knows yet"}`
	if err := os.WriteFile(path, []byte(newer), 0o600); err != nil {
		t.Fatal(err)
	}
	err := Load(path, 1, &into)
	var ne *NewerError
	if !errors.As(err, &ne) || ne.Path != path || ne.Version != 2 || ne.Known != 1 || !strings.Contains(err.Error(), path) {
		t.Errorf("newer: %v", err)
	}
	if got, _ := os.ReadFile(path); string(got) != newer {
		t.Error("a newer file was touched")
	}
}

func TestTruncationAtEveryByteIsNoticed(t *testing.T) {
	whole, err := Encode(1, sample{[]string{"alice", "bob"}, map[string]int{"a": 1, "b": 22}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.json")
	for n := range len(whole) - 1 { // the last byte is a line end, and no loss
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		var into sample
		var damaged *DamagedError
		if err := Load(path, 1, &into); !errors.As(err, &damaged) {
			t.Errorf("cut at byte %d of %d: %v", n, len(whole), err)
		}
		if got, _ := os.ReadFile(path); !bytes.Equal(got, whole[:n]) {
			t.Errorf("cut at byte %d: touched", n)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"version":1,"names":["a"],"deep":{"x":1}}`))
	f.Add([]byte(`{"version":2}`))
	f.Add([]byte(`{"version":1}{`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var got sample
		err := Decode("x", data, 1, &got)
		var damaged *DamagedError
		var newer *NewerError
		if err != nil {
			if !errors.As(err, &damaged) && !errors.As(err, &newer) {
				t.Fatalf("an untyped error: %v", err)
			}
			return
		}
		if !json.Valid(data) {
			t.Fatalf("%q passed", data)
		}
		again, err := Encode(1, got)
		if err != nil {
			t.Fatal(err)
		}
		var second sample
		if err := Decode("x", again, 1, &second); err != nil {
			t.Fatalf("what was read cannot be written and read again: %v", err)
		}
	})
}
