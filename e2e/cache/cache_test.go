//go:build linux

package cache

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

func TestOnceMakesAFolderOnceForAllWhoAsk(t *testing.T) {
	t.Setenv("PADDOCK_E2E_CACHE", t.TempDir())
	var made atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			dir, err := once("thing", func(dir string) error {
				made.Add(1)
				return os.WriteFile(filepath.Join(dir, "file"), []byte("x"), 0o600)
			})
			if err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(filepath.Join(dir, "file")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := made.Load(); n != 1 {
		t.Errorf("made %d times", n)
	}
}

func TestAFailureLeavesNothingThatLooksMade(t *testing.T) {
	t.Setenv("PADDOCK_E2E_CACHE", t.TempDir())
	want := errors.New("no compiler")
	half := func(dir string) error {
		if err := os.WriteFile(filepath.Join(dir, "half"), nil, 0o600); err != nil {
			return err
		}
		return want
	}
	if _, err := once("thing", half); !errors.Is(err, want) {
		t.Fatal(err)
	}
	dir, err := once("thing", func(string) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("the second try found %v, %v", left, err)
	}
}
