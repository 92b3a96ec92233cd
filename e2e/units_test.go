//go:build linux && e2e

package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"paddock/e2e/program"
)

// units are those of packaging/systemd, with the worst score that each may have:
// tenths of what `systemd-analyze security` gives, where 0 is shut and 100 open.
// A service that is on the network and speaks to a socket cannot have 0.
var units = []struct {
	file, scope string
	worst       int
}{
	{"paddock-system.service", "--system", 11},
	{"paddock.service", "--user", 62},
}

const (
	packaged = "../packaging/systemd"
	started  = "/usr/local/bin/paddock"
)

func unitText(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(packaged, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func analyze(t *testing.T, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Fatal("systemd-analyze is not installed; on Debian: apt-get install systemd")
	}
	out, err := exec.Command("systemd-analyze", args...).CombinedOutput()
	if err != nil {
		t.Errorf("systemd-analyze %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestUnitsAreUnderstoodAndShut(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir()) // asked for with --user
	for _, u := range units {
		t.Run(u.file, func(t *testing.T) {
			dir := t.TempDir()
			standIn := filepath.Join(dir, "paddock")
			if err := os.WriteFile(standIn, []byte("#!/bin/sh\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			text := unitText(t, u.file)
			if n := strings.Count(text, "\nExecStart="+started+" share\n"); n != 1 {
				t.Fatalf("it starts %s %d times", started, n)
			}
			unit := filepath.Join(dir, u.file)
			if err := os.WriteFile(unit, []byte(strings.ReplaceAll(text, started, standIn)), 0o644); err != nil {
				t.Fatal(err)
			}
			// What systemd does not know it says, and passes over.
			if said := analyze(t, u.scope, "verify", unit); said != "" {
				t.Errorf("systemd says\n%s", said)
			}
			analyze(t, "security", "--offline=true", "--no-pager", "--threshold="+strconv.Itoa(u.worst), unit)
		})
	}
}

// unitEnvironment is what the system unit sets, with the folders that systemd
// would make.
func unitEnvironment(t *testing.T, state, runtime, credentials string) (env []string) {
	t.Helper()
	for line := range strings.Lines(unitText(t, "paddock-system.service")) {
		if set, ok := strings.CutPrefix(strings.TrimSpace(line), "Environment="); ok {
			env = append(env, strings.Fields(strings.NewReplacer("%S", state, "%t", runtime, "%d", credentials).Replace(set))...)
		}
	}
	return env
}

// Without systemd: the program with the environment of the system unit, its
// umask and no HOME. A command that has nothing of that finds it all the same.
func TestUnitsMakeAPlaceForEverything(t *testing.T) {
	// Not the test's own folder: its name can be too long for a socket address.
	root, err := os.MkdirTemp("", "unit-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	state, runtime, credentials := filepath.Join(root, "lib"), filepath.Join(root, "run"), filepath.Join(root, "cred")
	home := filepath.Join(state, "paddock")
	for _, dir := range []string{home, filepath.Join(runtime, "paddock"), credentials} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(credentials, "passphrase"), []byte("a passphrase of the test\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	p := program.New(t, program.Lite, nil)
	inner := filepath.Join(root, "start")
	if err := os.WriteFile(inner, []byte("#!/bin/sh\numask 0077\nexec '"+p.Bin+"' \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	p.Bin, p.Home = inner, home
	p.Env = append(unitEnvironment(t, state, runtime, credentials), "PATH="+os.Getenv("PATH"))
	show := p.Start("share", "--demo", "--listen", "127.0.0.1:0")
	show.WaitOut(`://127\.0\.0\.1:\d+`)

	p.Env = []string{"PATH=" + os.Getenv("PATH")}
	if key := strings.TrimSpace(p.Must("keys", "add", "alice")); !strings.HasPrefix(key, "pdk_") {
		t.Errorf("the key is %q", key)
	}
	if _, err := os.Stat(filepath.Join(home, "vault.age")); err != nil {
		t.Error(err)
	}
	if found, err := filepath.Glob(filepath.Join(runtime, "paddock", "*.sock")); len(found) != 1 || err != nil {
		t.Errorf("the runtime folder holds the sockets %q, %v", found, err)
	}
	open, err := exec.Command("find", home, filepath.Join(runtime, "paddock"), "-perm", "/077").Output()
	if err != nil || len(open) != 0 {
		t.Errorf("open to others: %s, %v", open, err)
	}
	if code := show.Stop(); code != 0 {
		t.Errorf("SIGTERM: exit code %d", code)
	}
}
