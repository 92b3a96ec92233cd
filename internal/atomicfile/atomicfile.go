// Package atomicfile replaces files whole or not at all.
package atomicfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// FilePerm and DirPerm are the modes of everything this program keeps.
const (
	FilePerm os.FileMode = 0o600
	DirPerm  os.FileMode = 0o700
)

// staleAfter is how long a temporary file may lie about before a later Write
// takes it for the remains of a killed process. No write takes that long.
const staleAfter = time.Hour

// Write puts data where path names, so that a reader, a power cut or a kill at
// any moment finds the old content or the new, never a mixture. Folders that
// are missing on the way are made with DirPerm. On an error the old file is
// untouched and no temporary file stays.
//
// Writes of different paths may run at the same time. Of two that run at the
// same time on one path, either may win.
func Write(path string, data []byte, perm os.FileMode) error {
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	if base == "" {
		return fmt.Errorf("writing %q: not a file name", path)
	}
	if err := os.MkdirAll(dir, DirPerm); err != nil {
		return fmt.Errorf("making the folder of %s: %w", path, err)
	}
	sweep(dir, base)
	if err := replace(dir, base, path, data, perm); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

func replace(dir, base, path string, data []byte, perm os.FileMode) (err error) {
	f, err := os.CreateTemp(dir, tempPattern(base)) // made with 0600, before a byte is in it
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = f.Chmod(perm); err != nil && runtime.GOOS != "windows" {
		return err
	}
	// Without this the rename can reach the disk before the content does, and
	// a power cut leaves an empty file under the good name.
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	// The content is in place from here on: a failing fsync of the folder
	// means that a power cut may bring the old file back, which is whole too.
	syncDir(dir)
	return nil
}

// syncDir makes a rename last. Windows has no such call, and some network file
// systems refuse it; neither is a reason to report a write that has happened.
func syncDir(dir string) {
	if runtime.GOOS == "windows" {
		return
	}
	d, err := os.Open(dir)
	if err != nil {
		return
	}
	_ = d.Sync()
	_ = d.Close()
}

func tempPattern(base string) string { return "." + base + ".tmp-*" }

// sweep removes what killed processes left behind.
func sweep(dir, base string) {
	// Glob's only error is a bad pattern: then there is nothing to find.
	left, _ := filepath.Glob(filepath.Join(dir, tempPattern(base)))
	for _, name := range left {
		if fi, err := os.Lstat(name); err == nil && fi.Mode().IsRegular() && time.Since(fi.ModTime()) > staleAfter {
			_ = os.Remove(name)
		}
	}
}

// DamagedError says that a file is there and cannot be understood. The file is
// left as it was found.
type DamagedError struct {
	Path string
	Err  error // what is wrong with it
}

// Error implements error.
func (e *DamagedError) Error() string { return fmt.Sprintf("%s is damaged: %v", e.Path, e.Err) }

// Unwrap returns what is wrong.
func (e *DamagedError) Unwrap() error { return e.Err }

// NewerError says that a file was written by a newer program. The file is left
// as it was found, because an older program would lose what it does not know.
type NewerError struct {
	Path    string
	Version int // of the file
	Known   int // the newest that this program reads
}

// Error implements error.
func (e *NewerError) Error() string {
	return fmt.Sprintf("%s has format version %d, this program reads up to %d", e.Path, e.Version, e.Known)
}

var errNotObject = errors.New("not one JSON object")
