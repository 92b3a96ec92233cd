// Package control asks a running instance for things over a local socket.
//
// One JSON object a line. The client sends one request, {"op":"…","args":…};
// the instance answers with any number of {"event":…} and a final
// {"result":…} or {"error":{"code":"…","message":"…"}}, and closes. It is never
// reached over TCP.
package control

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/gofrs/flock"

	"paddock/internal/atomicfile"
)

// ErrRunning says that another instance holds the home.
var ErrRunning = errors.New("another instance is running")

// lockFile stays when the instance ends: removing it would let two instances
// hold locks on two files of one name.
const lockFile = "paddock.lock"

// Lock is the claim on a home. While it is held no other instance, of whatever
// user, works on the files there. Its methods are safe for concurrent use.
type Lock struct {
	home string
	file *flock.Flock

	mu     sync.Mutex
	served bool // a Server is running on it
}

// Claim takes a home for this process, and makes the folder (0700) when there is
// none. Another instance there is an ErrRunning. The system gives the lock back
// when the process ends, in whatever way.
func Claim(home string) (*Lock, error) {
	if err := os.MkdirAll(home, atomicfile.DirPerm); err != nil {
		return nil, fmt.Errorf("making the home folder: %w", err)
	}
	abs, err := realHome(home)
	if err != nil {
		return nil, err
	}
	l := &Lock{home: abs, file: flock.New(filepath.Join(abs, lockFile), flock.SetPermissions(atomicfile.FilePerm))}
	got, err := l.file.TryLock()
	if err != nil {
		return nil, fmt.Errorf("claiming %s: %w", home, err)
	}
	if !got {
		return nil, fmt.Errorf("claiming %s: %w", home, ErrRunning)
	}
	return l, nil
}

// Home returns the absolute path of the home, links resolved.
func (l *Lock) Home() string { return l.home }

// Release gives the home back. Close the Server first. A second call does
// nothing.
func (l *Lock) Release() error {
	if err := l.file.Unlock(); err != nil {
		return fmt.Errorf("releasing %s: %w", l.home, err)
	}
	return nil
}

// realHome makes one spelling of a folder, since the name of the socket is made
// from it.
func realHome(home string) (string, error) {
	abs, err := filepath.Abs(home)
	if err != nil {
		return "", fmt.Errorf("finding %s: %w", home, err)
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return "", fmt.Errorf("finding the home folder %s: %w", abs, err)
	}
	return real, nil
}
