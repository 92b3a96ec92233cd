package control

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"paddock/internal/atomicfile"
)

const (
	// pointerFile in the home holds the path of the socket, so that a client
	// with another environment (cron, ssh, sudo) finds it.
	pointerFile = "control"

	// longestPath is what every system takes: macOS has room for 103 bytes,
	// Linux for 107.
	longestPath = 100

	tempPrefix = "paddock-"
	tempSocket = "control.sock"
)

// bind opens the socket of a home in the first place that takes it, and writes
// down where. The lock of the home is held, so whatever lies at our names is
// left over from an instance that was killed.
//
// Every place is a folder that only this user may enter, because there is a
// moment between making a socket and setting its mode.
func bind(ctx context.Context, home string) (*net.UnixListener, string, error) {
	sweep(home)
	var problems []error
	for _, place := range []func(string) (string, error){inRuntime, inHome, inTemp} {
		path, err := place(home)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		l, err := listen(ctx, path)
		if err != nil {
			problems = append(problems, err)
			discard(path)
			continue
		}
		if err := atomicfile.Write(filepath.Join(home, pointerFile), []byte(path+"\n"), atomicfile.FilePerm); err != nil {
			_ = l.Close()
			discard(path)
			return nil, "", err
		}
		return l, path, nil
	}
	return nil, "", fmt.Errorf("opening the control socket: %w", errors.Join(problems...))
}

func listen(ctx context.Context, path string) (*net.UnixListener, error) {
	if len(path) > longestPath {
		return nil, fmt.Errorf("%s is too long for a socket", path)
	}
	removeSocket(path)
	var c net.ListenConfig
	l, err := c.Listen(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	u, ok := l.(*net.UnixListener)
	if !ok {
		_ = l.Close()
		return nil, fmt.Errorf("%s is no unix socket", path)
	}
	if err := os.Chmod(path, atomicfile.FilePerm); err != nil && runtime.GOOS != "windows" {
		_ = u.Close()
		return nil, err
	}
	return u, nil
}

func inRuntime(home string) (string, error) {
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if dir == "" || !filepath.IsAbs(dir) {
		return "", errors.New("no runtime folder")
	}
	if err := private(dir); err != nil {
		return "", err
	}
	return filepath.Join(dir, tempPrefix+shortHash(home)+".sock"), nil
}

func inHome(home string) (string, error) {
	if err := private(home); err != nil {
		return "", err
	}
	return filepath.Join(home, tempSocket), nil
}

func inTemp(string) (string, error) {
	parent := os.TempDir()
	if len(parent) > longestPath/2 && runtime.GOOS != "windows" {
		parent = "/tmp" // a TMPDIR of somebody's own can be as long as a home
	}
	dir, err := os.MkdirTemp(parent, tempPrefix) // 0700
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, tempSocket), nil
}

// sweep removes what a killed instance left. The lock must be held.
func sweep(home string) {
	if path, err := readPointer(home); err == nil && ours(home, path) {
		discard(path)
	}
	_ = os.Remove(filepath.Join(home, pointerFile))
}

// ours reports whether a path is one that bind makes for this home. What a file
// says is not enough to remove something.
func ours(home, path string) bool {
	dir, name := filepath.Split(path)
	dir = filepath.Clean(dir)
	switch name {
	case tempPrefix + shortHash(home) + ".sock":
		return true
	case tempSocket:
		return dir == home || strings.HasPrefix(filepath.Base(dir), tempPrefix)
	}
	return false
}

// discard removes a socket, with its folder if it was made for it alone.
func discard(path string) {
	removeSocket(path)
	if dir := filepath.Dir(path); filepath.Base(path) == tempSocket && strings.HasPrefix(filepath.Base(dir), tempPrefix) {
		_ = os.Remove(dir) // refused unless it is empty
	}
}

func removeSocket(path string) {
	if fi, err := os.Lstat(path); err == nil && fi.Mode().Type() == fs.ModeSocket {
		_ = os.Remove(path)
	}
}

// readPointer returns the path of the socket that the home names.
func readPointer(home string) (string, error) {
	f, err := os.Open(filepath.Join(home, pointerFile))
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return "", err
	}
	path := strings.TrimSuffix(string(b), "\n")
	if !filepath.IsAbs(path) || strings.ContainsAny(path, "\n\r\x00") {
		return "", fmt.Errorf("%s holds no path", filepath.Join(home, pointerFile))
	}
	return path, nil
}

func shortHash(home string) string {
	sum := sha256.Sum256([]byte(home))
	return hex.EncodeToString(sum[:8])
}
