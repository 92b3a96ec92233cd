package login

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"paddock/internal/atomicfile"
)

// formats are the two kinds of file, on whatever system this runs.
func formats(t *testing.T) map[string]file {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "not", "yet there")
	return map[string]file{
		"desktop entry": {filepath.Join(dir, ID+".desktop"), desktopEntry, parseDesktopEntry},
		"launch agent":  {filepath.Join(dir, ID+".plist"), launchAgent, parseLaunchAgent},
	}
}

// nasty are arguments that some quoting, somewhere, gets wrong.
var nasty = []string{
	"--hidden", "", " ", "two words", " before", "after ", `a"b`, `""`, "it's", `a\b`, `\`, `\\`, `ends in\`, `\"`, `\n`, `\s`, "$HOME", "${x}", "$(id)", "`id`",
	"%", "%%", "%f", "%U", "100%", "a%20b", "#", "~", "*", "?", "[x]", "{a,b}", "<a>", "&", "&amp;", "]]>", "<!--", "-->", "a;b", "a|b", "!", "=", "a=b", "[Desktop Entry]", "Exec=x",
	"é", "日本", "🦙", "\u00a0", "e\u0301",
}

func entry(args ...string) Entry {
	return Entry{Command: append([]string{"/opt/Pad dock/$1/`x`/\"q\"/b\\s/50%/paddock"}, args...), Name: "Paddock", Comment: `Lend "it" \ <safely> & well`}
}

func TestWhatIsSetIsRead(t *testing.T) {
	for name, f := range formats(t) {
		t.Run(name, func(t *testing.T) {
			if command, on, err := f.read(); command != nil || on || err != nil {
				t.Errorf("before anything is set: %q, %v, %v", command, on, err)
			}
			for _, e := range []Entry{entry(nasty...), entry(), {Command: []string{"/usr/bin/paddock", "--hidden"}, Name: " p "}} {
				if err := f.set(e); err != nil {
					t.Fatal(err)
				}
				if command, on, err := f.read(); !slices.Equal(command, e.Command) || !on || err != nil {
					t.Errorf("read %q, %v, %v\nset  %q", command, on, err, e.Command)
				}
			}
			for range 2 {
				if err := f.clear(); err != nil {
					t.Fatal(err)
				}
				if command, on, err := f.read(); command != nil || on || err != nil {
					t.Errorf("after it was cleared: %q, %v, %v", command, on, err)
				}
			}
		})
	}
}

func TestEachNastyArgumentComesBackAlone(t *testing.T) {
	for name, f := range formats(t) {
		for _, arg := range nasty {
			e := entry(arg)
			data, err := f.encode(e)
			if err != nil {
				t.Fatal(err)
			}
			if command, on, err := f.decode(data); !slices.Equal(command, e.Command) || !on || err != nil {
				t.Errorf("%s: %q came back as %q, %v, %v", name, e.Command, command, on, err)
			}
		}
	}
}

func TestTheSameEntryIsNotWrittenAgain(t *testing.T) {
	for name, f := range formats(t) {
		if err := f.set(entry("--hidden")); err != nil {
			t.Fatal(err)
		}
		old := time.Now().Add(-time.Hour).Truncate(time.Second)
		if err := os.Chtimes(f.path, old, old); err != nil {
			t.Fatal(err)
		}
		if err := f.set(entry("--hidden")); err != nil {
			t.Fatal(err)
		}
		if fi, err := os.Stat(f.path); err != nil || !fi.ModTime().Equal(old) {
			t.Errorf("%s: the file is of %v, %v", name, fi.ModTime(), err)
		}
	}
}

func TestSetPutsRightWhatIsStaleOffOrDamaged(t *testing.T) {
	want := entry("--hidden")
	for name, f := range formats(t) {
		stale, err := f.encode(Entry{Command: []string{"/old/paddock"}, Name: "Paddock"})
		if err != nil {
			t.Fatal(err)
		}
		off := bytes.Replace(stale, []byte("enabled=true"), []byte("enabled=false"), 1)
		off = bytes.Replace(off, []byte("<dict>"), []byte("<dict><key>Disabled</key><true/>"), 1)
		for what, before := range map[string][]byte{"stale": stale, "off": off, "damaged": []byte("\x00"), "empty": nil, "long": bytes.Repeat(stale, 1000)} {
			if err := atomicfile.Write(f.path, before, 0o600); err != nil {
				t.Fatal(err)
			}
			command, on, err := f.read()
			var damaged *atomicfile.DamagedError
			switch what {
			case "stale", "off":
				if !slices.Equal(command, []string{"/old/paddock"}) || on != (what == "stale") || err != nil {
					t.Errorf("%s, %s: %q, %v, %v", name, what, command, on, err)
				}
			case "damaged", "empty":
				if !errors.As(err, &damaged) || damaged.Path != f.path || on {
					t.Errorf("%s, %s: %v, %v", name, what, on, err)
				}
			default:
				if err == nil || on || !strings.Contains(err.Error(), f.path) {
					t.Errorf("%s, %s: %v, %v", name, what, on, err)
				}
			}
			if err := f.set(want); err != nil {
				t.Fatal(err)
			}
			if command, on, err := f.read(); !slices.Equal(command, want.Command) || !on || err != nil {
				t.Errorf("%s, %s: after it was set: %q, %v, %v", name, what, command, on, err)
			}
			if left, err := os.ReadDir(filepath.Dir(f.path)); err != nil || len(left) > 2 { // of both kinds
				t.Errorf("%s, %s: the folder holds %v, %v", name, what, left, err)
			}
		}
	}
}

func TestOthersMayNotWriteTheFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // no such bits there, and no such file
	}
	for name, f := range formats(t) {
		if err := f.set(entry()); err != nil {
			t.Fatal(err)
		}
		if fi, err := os.Stat(f.path); err != nil || fi.Mode().Perm() != 0o644 {
			t.Errorf("%s has mode %v, %v", name, fi.Mode(), err)
		}
	}
}

func TestWhatCannotBeWrittenDownIsRefused(t *testing.T) {
	for what, e := range map[string]Entry{
		"no command":              {Name: "Paddock"},
		"an empty program":        {Command: []string{""}, Name: "Paddock"},
		"a program to look for":   {Command: []string{"paddock"}, Name: "Paddock"},
		"a program of the folder": {Command: []string{"./paddock"}, Name: "Paddock"},
		"no name":                 {Command: []string{"/p"}},
		"a line end in a path":    {Command: []string{"/p\nExec=/q"}, Name: "Paddock"},
		"a zero byte":             {Command: []string{"/p", "\x00"}, Name: "Paddock"},
		"not UTF-8":               {Command: []string{"/p\xff"}, Name: "Paddock"},
		"an escape":               {Command: []string{"/p", "\x1b[2J"}, Name: "Paddock"},
		"a line end in the name":  {Command: []string{"/p"}, Name: "Paddock\nExec=/q"},
		"one in the comment":      {Command: []string{"/p"}, Name: "Paddock", Comment: "\r"},
	} {
		if err := e.check(); err == nil {
			t.Errorf("%s passed", what)
		}
	}
	if err := (Entry{Command: []string{absolute}, Name: "Paddock"}).check(); err != nil {
		t.Error(err)
	}
}

// absolute is the path of a program on this system.
var absolute = filepath.Join(filepath.VolumeName(os.TempDir())+string(filepath.Separator), "p")
