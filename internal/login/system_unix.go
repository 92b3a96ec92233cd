//go:build unix && !darwin

package login

import (
	"os"
	"path/filepath"
)

func set(e Entry) error {
	f, err := here()
	if err != nil {
		return err
	}
	return f.set(e)
}

func clearEntry() error {
	f, err := here()
	if err != nil {
		return err
	}
	return f.clear()
}

func read() ([]string, bool, error) {
	f, err := here()
	if err != nil {
		return nil, false, err
	}
	return f.read()
}

// here is our file in the autostart folder of the user (XDG Base Directory
// Specification: a path that is not absolute is as if it were not set).
func here() (file, error) {
	dir := os.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(dir) {
		home, err := os.UserHomeDir()
		if err != nil {
			return file{}, err
		}
		dir = filepath.Join(home, ".config")
	}
	return file{path: filepath.Join(dir, "autostart", ID+".desktop"), encode: desktopEntry, decode: parseDesktopEntry}, nil
}
