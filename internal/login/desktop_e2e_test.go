//go:build linux && e2e

package login

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"paddock/internal/testdesk"
)

// generator is what turns autostart files into units on desktops that systemd
// starts, GNOME and KDE among them.
const generator = "/usr/lib/systemd/user-generators/systemd-xdg-autostart-generator"

// tools must be there: a test that cannot run is not a pass.
func tools(t *testing.T) {
	t.Helper()
	for tool, pkg := range map[string]string{"desktop-file-validate": "desktop-file-utils", "gio": "libglib2.0-bin", generator: "systemd", "systemd-analyze": "systemd"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is not installed; on Debian: apt-get install %s", tool, pkg)
		}
	}
}

// witness makes a program that writes down its arguments, one a line, and
// returns its path and where they will be.
func witness(t *testing.T, folder string) (program, said string) {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, folder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	program, said = filepath.Join(dir, "paddock"), filepath.Join(root, "said")
	// Replaced whole, so that nobody reads half of it.
	script := "#!/bin/sh\nprintf '%s\\n' \"$@\" >'" + said + ".part' && mv '" + said + ".part' '" + said + "'\n"
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return program, said
}

// setAt sets an entry in a configuration folder of the test's own, and returns
// the file.
func setAt(t *testing.T, command []string) string {
	t.Helper()
	config := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", config)
	if err := Set(Entry{Command: command, Name: "Paddock", Comment: `Lend this computer's Ollama to your team, safely`}); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(config, "autostart", ID+".desktop")
}

var folders = map[string]string{
	"plain": "opt", "spaces": "Pad dock", "a dollar": "a$HOME b", "quotes": `it's "mine"`, "a backslash": `a\b \ c`, "a backtick": "a`id` b", "letters of others": "Früh 日本",
}

var arguments = []string{"--hidden", "two words", "$HOME", `a"b\`, "`id`", "é"}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func TestTheDesktopsOwnCheckerAcceptsTheFile(t *testing.T) {
	tools(t)
	for what, folder := range folders {
		if out := run(t, "desktop-file-validate", setAt(t, append([]string{"/" + folder + "/paddock"}, arguments...))); out != "" {
			t.Errorf("%s: %s", what, out)
		}
	}
}

func TestGLibStartsWhatTheFileSays(t *testing.T) {
	tools(t)
	for what, folder := range folders {
		t.Run(what, func(t *testing.T) {
			program, said := witness(t, folder)
			run(t, "gio", "launch", setAt(t, append([]string{program}, arguments...)))
			testdesk.Wait(t, "the program to start", 20*time.Second, func() bool { _, err := os.Stat(said); return err == nil })
			got, err := os.ReadFile(said)
			if want := strings.Join(arguments, "\n") + "\n"; err != nil || string(got) != want {
				t.Errorf("it was started with\n%s, %v; want\n%s", got, err, want)
			}
		})
	}
}

// systemd makes a unit of the entry, and of one that is off it makes none. It
// starts no program whose path has quotes, a dollar or a backslash in it, however
// that is written (seen with systemd 252).
func TestSystemdStartsWhatTheFileSays(t *testing.T) {
	tools(t)
	for _, what := range []string{"plain", "spaces", "letters of others"} {
		t.Run(what, func(t *testing.T) {
			program, _ := witness(t, folders[what])
			file := setAt(t, []string{program, "--hidden", "two words"})
			unit := generated(t)
			text, err := os.ReadFile(unit)
			if err != nil {
				t.Fatal(err)
			}
			// Which words it quotes differs from version to version.
			want := "\nExecStart=:" + program + " --hidden two words\n"
			if !strings.Contains(strings.ReplaceAll(string(text), `"`, ""), want) {
				t.Errorf("the unit is\n%s\nwant in it %s", text, want)
			}
			t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
			run(t, "systemd-analyze", "--user", "verify", unit)

			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, append(data, "Hidden=true\n"...), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, on, err := Read(); on || err != nil {
				t.Errorf("a hidden entry is on: %v, %v", on, err)
			}
			if unit := generated(t); unit != "" {
				t.Errorf("a hidden entry makes the unit %s", unit)
			}
		})
	}
}

// generated returns the unit that systemd makes of our entry, or nothing.
func generated(t *testing.T) string {
	t.Helper()
	out := t.TempDir()
	run(t, generator, out, out, out)
	found, err := filepath.Glob(filepath.Join(out, "app-*Paddock@autostart.service"))
	if err != nil || len(found) == 0 {
		return ""
	}
	return found[0]
}
