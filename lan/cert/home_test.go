package cert

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"paddock/internal/atomicfile"
	"paddock/lan"
)

func TestTheAuthorityInAHome(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	if _, err := Load(home); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	a, err := New(lan.New("laptop"), time.Now(), false)
	if err != nil {
		t.Fatal(err)
	}
	if err := Save(home, a.Public); err != nil {
		t.Fatal(err)
	}
	got, err := Load(home)
	if err != nil || got.ID() != a.ID() || got.Fingerprint() != a.Fingerprint() {
		t.Errorf("%v %v", got.ID(), err)
	}
	b, err := os.ReadFile(filepath.Join(home, FileName))
	if err != nil || strings.Contains(string(b), "PRIVATE") {
		t.Errorf("%v\n%s", err, b)
	}
}

// What nobody understands is named and left alone: laying a new authority over it
// would break every teammate without a word.
func TestADamagedAuthorityIsLeftAsItIs(t *testing.T) {
	for _, text := range []string{"", "nonsense", strings.Repeat("x", 1<<20)} {
		home := t.TempDir()
		path := filepath.Join(home, FileName)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Load(home)
		var damaged *atomicfile.DamagedError
		if !errors.As(err, &damaged) || damaged.Path != path {
			t.Errorf("%v", err)
		}
		if b, _ := os.ReadFile(path); string(b) != text {
			t.Error("it was changed")
		}
	}
}
