//go:build !windows

package safety

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestFilesThatOthersGetAtAreNamed(t *testing.T) {
	home := tree(t, map[string]string{"keys.json": "", "settings.json": "", "ca.pem": "", "requests.db": ""})
	chmod := func(name string, mode os.FileMode) {
		t.Helper()
		if err := os.Chmod(filepath.Join(home, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	chmod("", 0o700)
	chmod("keys.json", 0o600)
	chmod("settings.json", 0o400)
	chmod("ca.pem", 0o600)
	chmod("requests.db", 0o600)
	// A link is as open as what it leads to.
	if err := os.Symlink("/etc/passwd", filepath.Join(home, "link")); err != nil {
		t.Fatal(err)
	}
	f := &Finder{Home: home}
	got := f.Files()
	if !got.Read || !got.Shut || len(got.Wide)+len(got.Write)+len(got.Foreign) != 0 {
		t.Errorf("%+v", got)
	}
	chmod("", 0o751)
	chmod("ca.pem", 0o644)
	chmod("keys.json", 0o620)
	got = f.Files()
	if got.Shut || !slices.Equal(got.Wide, []File{{"", "0751"}, {"ca.pem", "0644"}}) || !slices.Equal(got.Write, []File{{"keys.json", "0620"}}) {
		t.Errorf("%+v", got)
	}
	if got := (&Finder{Home: filepath.Join(home, "keys.json")}).Files(); got.Read {
		t.Errorf("%+v of a file", got)
	}
}
