//go:build unix && !darwin

package login

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTheEntryLiesInTheAutostartFolder(t *testing.T) {
	for _, c := range []struct{ what, config, want string }{
		{"the folder that is set", "config", "config/autostart"},
		{"no folder is set", "", "home/.config/autostart"},
		{"one that is not absolute", "./config", "home/.config/autostart"},
	} {
		t.Run(c.what, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("HOME", filepath.Join(dir, "home"))
			config := c.config
			if config != "" && !strings.HasPrefix(config, ".") {
				config = filepath.Join(dir, config)
			}
			t.Setenv("XDG_CONFIG_HOME", config)
			e := entry("--hidden")
			if err := Set(e); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(filepath.Join(dir, c.want, ID+".desktop")); err != nil {
				t.Error(err)
			}
			if command, on, err := Read(); !slices.Equal(command, e.Command) || !on || err != nil {
				t.Errorf("%q, %v, %v", command, on, err)
			}
			for range 2 {
				if err := Clear(); err != nil {
					t.Error(err)
				}
			}
			if command, on, err := Read(); command != nil || on || err != nil {
				t.Errorf("after it was cleared: %q, %v, %v", command, on, err)
			}
		})
	}
}

func TestARefusedEntryLeavesTheOneThatIsThere(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	if err := Set(entry("--hidden")); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []Entry{{}, {Command: []string{"/a=b"}, Name: "Paddock"}} {
		if err := Set(bad); err == nil || !strings.HasPrefix(err.Error(), "starting at login: ") {
			t.Errorf("%q: %v", bad.Command, err)
		}
	}
	if command, on, err := Read(); !slices.Equal(command, entry("--hidden").Command) || !on || err != nil {
		t.Errorf("%q, %v, %v", command, on, err)
	}
}

func TestWithoutAHomeThereIsNoPlace(t *testing.T) {
	t.Setenv("HOME", "")
	t.Setenv("XDG_CONFIG_HOME", "")
	if err := Set(entry()); err == nil {
		t.Error("it was written somewhere")
	}
	if err := Clear(); err == nil {
		t.Error("it was cleared somewhere")
	}
	if _, _, err := Read(); err == nil {
		t.Error("it was read somewhere")
	}
}

// Programs that look after dot files put links in the place of files. The link
// is replaced, and what it points to is left alone.
func TestALinkIsReplacedAndNotFollowed(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	target := filepath.Join(dir, "target")
	if err := os.WriteFile(target, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "autostart"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, filepath.Join(dir, "autostart", ID+".desktop")); err != nil {
		t.Fatal(err)
	}
	if err := Set(entry()); err != nil {
		t.Fatal(err)
	}
	if err := Clear(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(target); string(got) != "mine" || err != nil {
		t.Errorf("the target holds %q, %v", got, err)
	}
}
