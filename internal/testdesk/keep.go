//go:build linux

package testdesk

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Keep writes what helps to understand a failure to testdata/failed, below the
// package under test and below the name of the test, and says where. Problems
// with that are logged, not failed.
func Keep(t testing.TB, name string, data []byte) {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("testdata", "failed", strings.Map(plain, t.Name())))
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	file := filepath.Join(dir, name)
	if err == nil {
		err = os.WriteFile(file, data, 0o644)
	}
	if err != nil {
		t.Logf("%s was not kept: %v", name, err)
		return
	}
	t.Logf("kept %s", file)
}

// plain replaces what does not belong into the name of a folder.
func plain(r rune) rune {
	if strings.ContainsRune(`/\:*?"<>| `, r) {
		return '_'
	}
	return r
}
