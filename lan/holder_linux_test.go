package lan

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestHolderFindsThisProcess(t *testing.T) {
	own, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Skip("no /proc here:", err)
	}
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Skip("no such address here:", err)
		}
		if got := Holder(l.Addr().(*net.TCPAddr).Port); got != strings.TrimSpace(string(own)) {
			t.Errorf("%s: got %q, want %q", addr, got, own)
		}
		_ = l.Close()
	}
}

func TestHolderIsQuietWhenTheSystemIs(t *testing.T) {
	proc := t.TempDir()
	if got := holder(proc, 1); got != "" {
		t.Errorf("an empty /proc says %q", got)
	}
	put := func(name, text string) {
		t.Helper()
		path := filepath.Join(proc, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("net/tcp", `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2CAB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 777 1 0 100 0 0 10 0
   1: 0100007F:2CAC 0100007F:0001 01 00000000:00000000 00:00000000 00000000     0        0 778 1 0 100 0 0 10 0
nonsense
   2: zz 0 0A
`)
	put("42/comm", "evil\x1b[31m\n")
	if err := os.MkdirAll(filepath.Join(proc, "42", "fd"), 0o755); err != nil {
		t.Fatal(err)
	}
	for fd, target := range map[string]string{"3": "socket:[777]", "4": "socket:[778]", "5": "/dev/null"} {
		if err := os.Symlink(target, filepath.Join(proc, "42", "fd", fd)); err != nil {
			t.Fatal(err)
		}
	}
	if got := holder(proc, 0x2CAB); got != "evil[31m" {
		t.Errorf("got %q", got)
	}
	if got := holder(proc, 0x2CAC); got != "" {
		t.Errorf("a connection is no listener, got %q", got)
	}
	_ = os.Remove(filepath.Join(proc, "42", "comm"))
	if got := holder(proc, 0x2CAB); got != "" {
		t.Errorf("a process that has ended is %q", got)
	}
}
