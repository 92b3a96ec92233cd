package control

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// The folder and the mode of the socket keep others out; this is about the lock
// behind that door, so the test takes the door off.
func TestAnotherUserIsNotAnswered(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can ask as another user")
	}
	dir := shortDir(t)
	home := filepath.Join(dir, "home")
	s := runningAt(t, home, echo)

	if got, err := askAs(nobodyUser, s.Path()); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("the folder let another user in: %q, %v", got, err)
	}
	for path, mode := range map[string]os.FileMode{dir: 0o755, home: 0o755, s.Path(): 0o666} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := askAs(0, s.Path()); err != nil || got != `{"result":null}`+"\n" {
		t.Fatalf("root is answered %q, %v; without that this proves nothing", got, err)
	}
	if got, err := askAs(nobodyUser, s.Path()); got != "" {
		t.Errorf("another user is answered %q, %v", got, err)
	}
}

const nobodyUser = 65534

// askAs asks for nothing as another user. Only its own thread becomes that user,
// and is thrown away afterwards.
func askAs(uid uintptr, path string) (got string, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends here
		keep := ^uintptr(0)
		if _, _, e := syscall.RawSyscall(syscall.SYS_SETRESUID, keep, uid, keep); e != 0 {
			err = e
			return
		}
		var fd int
		if fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
			return
		}
		defer func() { _ = unix.Close(fd) }()
		_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: int64(limit.Seconds())})
		if err = unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
			return
		}
		_ = unix.Send(fd, []byte(`{"op":"nothing"}`+"\n"), unix.MSG_NOSIGNAL)
		b := make([]byte, 1000)
		n, e := unix.Read(fd, b)
		err = e
		got = string(b[:max(n, 0)])
	}()
	<-done
	return got, err
}
