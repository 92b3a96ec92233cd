//go:build linux

// Package cache keeps what is expensive to make between runs of the tests: the
// Ollama binary, models, installed npm packages.
//
// The cache is the folder paddock-e2e in the user's cache folder, or
// PADDOCK_E2E_CACHE. It may be deleted at any time.
package cache

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// lockLimit is how long to wait for another test process that makes the same
// thing: the longest of them is a build of Ollama on a slow machine.
const lockLimit = 25 * time.Minute

// Root returns the cache folder and makes it if needed.
func Root() (string, error) {
	root := os.Getenv("PADDOCK_E2E_CACHE")
	if root == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		root = filepath.Join(user, "paddock-e2e")
	}
	if !filepath.IsAbs(root) {
		return "", fmt.Errorf("PADDOCK_E2E_CACHE is %q, which is not an absolute path", root)
	}
	return root, os.MkdirAll(root, 0o755)
}

// Once returns the folder with this name in the cache. If it is not there yet,
// fill is called with an empty folder to fill, which then takes the name whole
// or, if fill fails, not at all. Test processes that ask at the same time wait
// for the first of them.
func Once(t testing.TB, name string, fill func(dir string) error) string {
	t.Helper()
	dir, err := once(name, fill)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return dir
}

func once(name string, fill func(dir string) error) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, name)
	if exists(dir) {
		return dir, nil
	}
	unlock, err := lock(dir + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if exists(dir) {
		return dir, nil
	}
	part := dir + ".part" // what a killed process left is swept away, under the lock
	if err := os.RemoveAll(part); err != nil {
		return "", err
	}
	if err := os.Mkdir(part, 0o755); err != nil {
		return "", err
	}
	if err := fill(part); err != nil {
		return "", err
	}
	return dir, os.Rename(part, dir)
}

func exists(dir string) bool {
	_, err := os.Stat(dir)
	return err == nil
}

// lock takes a file lock, which the kernel gives back when the process ends.
func lock(name string) (unlock func(), err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	end := time.NewTimer(lockLimit)
	defer end.Stop()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			_ = f.Close()
			return nil, fmt.Errorf("lock %s: %w", name, err)
		}
		select {
		case <-again.C:
		case <-end.C:
			_ = f.Close()
			return nil, fmt.Errorf("another process has held %s for %v", name, lockLimit)
		}
	}
}
