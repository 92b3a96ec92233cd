package atomicfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// These make the test binary a program that writes one file for ever, or one
// large file once.
const (
	killMe    = "ATOMICFILE_TEST_WRITE_FOREVER"
	writeMuch = "ATOMICFILE_TEST_WRITE_MUCH"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(killMe); path != "" {
		writeForever(path)
	}
	if path := os.Getenv(writeMuch); path != "" {
		fmt.Println("refused:", Write(path, make([]byte, 1<<20), 0o600))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func only(t *testing.T, dir string, want ...string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range list {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("the folder holds %q, want %q", got, want)
	}
}

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	fi, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return fi.Mode().Perm()
}

func TestWriteMakesAndReplaces(t *testing.T) {
	home := filepath.Join(t.TempDir(), "a", "b")
	path := filepath.Join(home, "x.json")
	for _, want := range []string{"first", "", "a longer third one"} {
		if err := Write(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("it holds %q, %v", got, err)
		}
		only(t, home, "x.json")
	}
	if runtime.GOOS != "windows" {
		if m := mode(t, path); m != 0o600 {
			t.Errorf("the file has mode %o", m)
		}
		if m := mode(t, home); m != 0o700 {
			t.Errorf("the folder has mode %o", m)
		}
		if err := os.Chmod(path, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := Write(path, nil, 0o644); err != nil || mode(t, path) != 0o644 {
			t.Errorf("the mode asked for is not the mode: %o, %v", mode(t, path), err)
		}
	}
}

func TestWriteWithoutAFolderWritesHere(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := Write("x", []byte("here"), 0o600); err != nil {
		t.Fatal(err)
	}
	only(t, ".", "x")
}

// A refused write leaves the old content and no litter, and says which file
// it was about. Root writes anywhere, so permissions alone prove nothing here:
// a file in the place of the folder, a folder in the place of the file and an
// immutable file refuse root too.
func TestRefusedWriteLeavesEverything(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "full", "x.json", "child"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"a file in the place of the folder": filepath.Join(file, "x.json"),
		"a folder in the place of the file": filepath.Join(dir, "full", "x.json"),
		"no file name":                      dir + string(filepath.Separator),
		"a name with a zero byte":           filepath.Join(dir, "full", "a\x00b"),
		"a name that is too long":           filepath.Join(dir, "full", strings.Repeat("n", 300)),
	} {
		err := Write(path, []byte("new"), 0o600)
		if err == nil || !strings.Contains(err.Error(), strings.TrimSuffix(path, string(filepath.Separator))) {
			t.Errorf("%s: the error does not name it: %v", name, err)
		}
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != "old" {
		t.Errorf("the old content is now %q, %v", got, err)
	}
	only(t, dir, "file", "full")
	only(t, filepath.Join(dir, "full"), "x.json")
}

func TestUnwritableFolder(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // folders have no write bit there; the test above covers refusals
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "x.json")
	if err := Write(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.Chmod(dir, 0o700) }()
	// Root ignores the bit; as anybody else the write must be refused whole.
	err := Write(path, []byte("new"), 0o600)
	want := "new"
	if os.Geteuid() != 0 {
		want = "old"
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("the error is %v", err)
		}
	}
	if got, _ := os.ReadFile(path); string(got) != want {
		t.Errorf("it holds %q", got)
	}
	only(t, dir, "x.json")
}

// A full disk is the failure that comes after the temporary file exists. A
// limit on the size of files does the same to a write without needing root.
func TestFullDisk(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // no such limit there
	}
	path := filepath.Join(t.TempDir(), "x.json")
	if err := Write(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", `ulimit -f 8 && exec "$0"`, os.Args[0])
	cmd.Env = append(os.Environ(), writeMuch+"="+path)
	out, err := cmd.Output()
	if err != nil || !strings.HasPrefix(string(out), "refused: writing "+path) {
		t.Errorf("a full disk says %q, %v", out, err)
	}
	if got, _ := os.ReadFile(path); string(got) != "old" {
		t.Errorf("it holds %d bytes", len(got))
	}
	only(t, filepath.Dir(path), "x.json")
}

func TestRemainsOfKilledWritesAreSwept(t *testing.T) {
	dir := t.TempDir()
	for name, age := range map[string]time.Duration{
		".x.json.tmp-1": 2 * time.Hour, ".x.json.tmp-2": time.Minute, ".y.json.tmp-3": 2 * time.Hour, "x.json.tmp-4": 2 * time.Hour,
	} {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(p, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	if err := Write(filepath.Join(dir, "x.json"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	only(t, dir, ".x.json.tmp-2", ".y.json.tmp-3", "x.json", "x.json.tmp-4")
}

func TestConcurrentWritesAndReadsSeeWholeFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	content := func(i int) []byte { return bytes.Repeat([]byte{byte('a' + i)}, 10_000*(i+1)) }
	if err := Write(path, content(0), 0o600); err != nil {
		t.Fatal(err)
	}
	var writers, readers sync.WaitGroup
	done := make(chan struct{})
	for i := range 4 {
		writers.Go(func() {
			for range 10 {
				if err := Write(path, content(i), 0o600); err != nil {
					t.Error(err)
				}
			}
		})
	}
	readers.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			got, err := os.ReadFile(path)
			if err != nil || len(got) == 0 || !bytes.Equal(got, content(int(got[0]-'a'))) {
				t.Errorf("a reader saw %d bytes of a mixture, %v", len(got), err)
				return
			}
		}
	})
	writers.Wait()
	close(done)
	readers.Wait()
	only(t, filepath.Dir(path), "x")
}

func writeForever(path string) {
	for i := 0; ; i = (i + 1) % 26 {
		if err := Write(path, bytes.Repeat([]byte{byte('a' + i)}, 50_000), 0o600); err != nil {
			fmt.Println("failed:", err)
			os.Exit(1)
		}
		if i == 1 {
			fmt.Println("writing")
		}
	}
}

// Killed at any moment, the file is whole: that is what rename gives.
func TestKilledWriterLeavesAWholeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	for round := range 15 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), killMe+"="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "writing\n" {
			t.Fatalf("the writer says %q, %v", line, err)
		}
		time.Sleep(time.Duration(round) * 700 * time.Microsecond) // a different moment each time
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		got, err := os.ReadFile(path)
		if err != nil || len(got) != 50_000 || len(bytes.Trim(got, string(got[:1]))) != 0 {
			t.Fatalf("round %d left %d bytes, %v", round, len(got), err)
		}
	}
}
