package control

import (
	"bufio"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"paddock/internal/atomicfile"
)

func TestOneInstancePerHome(t *testing.T) {
	home := filepath.Join(t.TempDir(), "new", "home")
	lock, err := Claim(home)
	if err != nil {
		t.Fatal(err)
	}
	if fi, err := os.Stat(home); err != nil || fi.Mode().Perm() != 0o700 {
		t.Errorf("the folder is %v, %v", fi.Mode(), err)
	}
	if fi, err := os.Stat(filepath.Join(home, lockFile)); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("the lock is %v, %v", fi.Mode(), err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(home, link); err != nil {
		t.Fatal(err)
	}
	for _, spelling := range []string{home, home + "/.", link} {
		if _, err := Claim(spelling); !errors.Is(err, ErrRunning) || !strings.Contains(err.Error(), spelling) {
			t.Errorf("%s: %v", spelling, err)
		}
	}
	if _, err := Dial(home); !errors.Is(err, ErrNotRunning) {
		t.Errorf("claimed and not served yet: %v", err)
	}
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
	if err := lock.Release(); err != nil {
		t.Errorf("the second time: %v", err)
	}
	if _, err := Serve(lock, echo); err == nil {
		t.Error("served without a claim")
	}
	again, err := Claim(link)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Release() }()
	if want := mustReal(t, home); again.Home() != want {
		t.Errorf("home is %s, want %s", again.Home(), want)
	}
}

func TestHomeThatIsNoFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, home := range []string{file, filepath.Join(file, "below")} {
		if _, err := Claim(home); err == nil || errors.Is(err, ErrRunning) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", home, err)
		}
	}
	if _, err := Dial(filepath.Join(t.TempDir(), "nowhere")); !errors.Is(err, ErrNotRunning) {
		t.Errorf("no home: %v", err)
	}
	if _, err := os.Stat(filepath.Join(file, "nowhere")); err == nil {
		t.Error("asking made a folder")
	}
}

func TestOneServerPerClaim(t *testing.T) {
	lock, err := Claim(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Release() }()
	s, err := Serve(lock, echo)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Serve(lock, echo); err == nil {
		t.Error("a second server took the socket away")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestSocketLiesWhereOnlyTheOwnerCanGo(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes and paths of unix")
	}
	long := filepath.Join(t.TempDir(), strings.Repeat("x", 60), strings.Repeat("y", 60))
	private, open := t.TempDir(), t.TempDir()
	for dir, mode := range map[string]os.FileMode{private: 0o700, open: 0o755} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
	}
	short, runtimeDir := shortDir(t), shortDir(t)

	for name, c := range map[string]struct{ runtimeDir, home, under string }{
		"the runtime folder":              {runtimeDir, private, runtimeDir},
		"no runtime folder":               {"", short, short},
		"a runtime folder open to others": {open, short, short},
		"a runtime folder that is gone":   {"/nowhere/at/all", short, short},
		"a relative runtime folder":       {"run", short, short},
		"a long home":                     {"", long, os.TempDir()},
		"a home open to others":           {"", open, os.TempDir()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("XDG_RUNTIME_DIR", c.runtimeDir)
			lock, err := Claim(c.home)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = lock.Release() }()
			s, err := Serve(lock, echo)
			if err != nil {
				t.Fatal(err)
			}
			path := s.Path()
			if !strings.HasPrefix(path, mustReal(t, c.under)) && !strings.HasPrefix(path, c.under) || len(path) > longestPath {
				t.Errorf("the socket is %s", path)
			}
			if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o600 || fi.Mode().Type() != fs.ModeSocket {
				t.Errorf("the socket is %v, %v", fi.Mode(), err)
			}
			if fi, err := os.Stat(filepath.Dir(path)); err != nil || fi.Mode().Perm() != 0o700 {
				t.Errorf("its folder is %v, %v", fi.Mode(), err)
			}
			if fi, err := os.Stat(filepath.Join(c.home, pointerFile)); err != nil || fi.Mode().Perm() != 0o600 {
				t.Errorf("the pointer is %v, %v", fi.Mode(), err)
			}
			// A client from cron or ssh has no runtime folder, and finds it.
			t.Setenv("XDG_RUNTIME_DIR", "")
			if err := dial(t, c.home).Call(t.Context(), "nothing", nil, nil); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the socket stays: %v", err)
			}
			if strings.HasPrefix(filepath.Base(filepath.Dir(path)), tempPrefix) {
				if _, err := os.Lstat(filepath.Dir(path)); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("its folder stays: %v", err)
				}
			}
		})
	}
}

// shortDir is a folder of mode 0700 with a path that a socket fits into, which
// the name of a test in t.TempDir may prevent.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "d-") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// After kill -9 the socket and the file that names it are still there.
func TestKilledInstanceIsHealedByTheNext(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("kill -9 of unix")
	}
	runtimeDir := shortDir(t)
	long := filepath.Join(t.TempDir(), strings.Repeat("x", 100))
	for name, c := range map[string]struct{ runtimeDir, home string }{
		"in the runtime folder":   {runtimeDir, t.TempDir()},
		"in the home":             {"", t.TempDir()},
		"in the temporary folder": {"", long},
	} {
		t.Run(name, func(t *testing.T) {
			kill := start(t, c.home, c.runtimeDir)
			var pid int
			if err := dial(t, c.home).Call(t.Context(), "pid", nil, &pid); err != nil || pid == os.Getpid() {
				t.Fatalf("asked %d, %v", pid, err)
			}
			if _, err := Claim(c.home); !errors.Is(err, ErrRunning) {
				t.Errorf("while it runs: %v", err)
			}
			kill()
			left, err := readPointer(mustReal(t, c.home))
			if err != nil {
				t.Fatalf("nothing was left over, so this proves nothing: %v", err)
			}
			if _, err := os.Lstat(left); err != nil {
				t.Fatalf("nothing was left over, so this proves nothing: %v", err)
			}
			if _, err := Dial(c.home); !errors.Is(err, ErrNotRunning) {
				t.Errorf("after kill -9: %v", err)
			}
			s := runningAt(t, c.home, echo)
			if err := dial(t, c.home).Call(t.Context(), "nothing", nil, nil); err != nil {
				t.Errorf("the next instance: %v", err)
			}
			if left != s.Path() {
				if _, err := os.Lstat(left); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s was left for ever", left)
				}
			}
		})
	}
}

// start runs an instance in a process of its own and returns how to kill it.
func start(t *testing.T, home, runtimeDir string) func() {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), instanceHome+"="+home, "XDG_RUNTIME_DIR="+runtimeDir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // says that it was killed
	}
	t.Cleanup(kill)
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("the instance said %q, %v", line, err)
	}
	return kill
}

// The file that names the socket is outside text like any other.
func TestPointerThatLies(t *testing.T) {
	dir := t.TempDir()
	precious := filepath.Join(dir, tempSocket) // of that name, and no socket
	foreign := filepath.Join(dir, "foreign.sock")
	if err := os.WriteFile(precious, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: foreign})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	for name, text := range map[string]string{
		"a file": precious + "\n", "a socket of somebody else": foreign + "\n", "a folder": dir + "\n", "empty": "", "relative": "../x\n",
		"abstract": "@x\n", "two lines": "/a\n/b\n", "long": "/" + strings.Repeat("x", 10_000), "nul": "/a\x00b",
	} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			if err := os.WriteFile(filepath.Join(home, pointerFile), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if name != "a socket of somebody else" {
				if _, err := Dial(home); err == nil {
					t.Error("somebody answers")
				}
			}
			runningAt(t, home, echo)
			if err := dial(t, home).Call(t.Context(), "nothing", nil, nil); err != nil {
				t.Error(err)
			}
			for _, path := range []string{precious, foreign} {
				if _, err := os.Lstat(path); err != nil {
					t.Errorf("%s is gone: %v", path, err)
				}
			}
		})
	}
}

func TestHomeThatCannotBeWritten(t *testing.T) {
	home := t.TempDir()
	lock, err := Claim(home)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Release() }()
	// A folder in the place of the pointer stops even root.
	if err := os.MkdirAll(filepath.Join(home, pointerFile, "x"), atomicfile.DirPerm); err != nil {
		t.Fatal(err)
	}
	if _, err := Serve(lock, echo); err == nil || !strings.Contains(err.Error(), pointerFile) {
		t.Fatalf("got %v", err)
	}
	if _, err := os.Lstat(filepath.Join(home, tempSocket)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket stays: %v", err)
	}
}
