//go:build linux

package testdesk

import (
	"fmt"
	"os/exec"
	"testing"
)

// packages says which Debian package brings a tool.
var packages = map[string]string{
	"Xvfb":                 "xvfb",
	"dbus-daemon":          "dbus-daemon",
	"gnome-keyring-daemon": "gnome-keyring",
	"openbox":              "openbox",
	"xclip":                "xclip",
	"xdotool":              "xdotool",
}

// find returns an error that says how to get the tool if it is not installed.
func find(tool string) error {
	if _, err := exec.LookPath(tool); err != nil {
		return fmt.Errorf("%s is not installed; on Debian: apt-get install %s", tool, packages[tool])
	}
	return nil
}

// need fails the test, rather than skipping it, if a tool is missing.
func need(t testing.TB, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if err := find(tool); err != nil {
			t.Fatal(err)
		}
	}
}

// check fails the test on an error.
func check(t testing.TB, doing string, err error) {
	if err != nil {
		t.Helper()
		t.Fatalf("%s: %v", doing, err)
	}
}
