package login

import (
	"slices"
	"strings"
	"testing"
)

// The examples of the Desktop Entry Specification, and of what stands in files
// that people have.
func TestExecIsQuotedAsTheSpecificationSays(t *testing.T) {
	for _, c := range []struct {
		command []string
		want    string // as it stands in the file
	}{
		{[]string{"/usr/bin/paddock", "--hidden"}, `/usr/bin/paddock --hidden`},
		{[]string{"/opt/Pad dock/p"}, `"/opt/Pad dock/p"`},
		{[]string{"/a$b"}, `"/a\\$b"`},
		{[]string{"/a`b"}, "\"/a\\\\`b\""},
		{[]string{`/a"b`}, `"/a\\"b"`},
		{[]string{`/a\b`}, `"/a\\\\b"`},
		{[]string{"/50%"}, `/50%%`},
		{[]string{"/p", ""}, `/p ""`},
		{[]string{"/p", "a=b"}, `/p a=b`},
		{[]string{"/p", "é"}, `/p "é"`},
	} {
		got, err := quoteExec(c.command)
		if got = escapeValue(got); got != c.want || err != nil {
			t.Errorf("%q is written %s, %v; want %s", c.command, got, err, c.want)
		}
	}
	if got, err := quoteExec([]string{"/a=b/p"}); err == nil {
		t.Errorf("a path with an equal sign is written %s", got)
	}
}

func TestExecOfOthersIsRead(t *testing.T) {
	for text, want := range map[string][]string{
		`/usr/bin/p --hidden %U`: {"/usr/bin/p", "--hidden"},
		`p  a	b `:                {"p", "a", "b"},
		`"/a b/p" --x="y z" %%`:  {"/a b/p", "--x=y z", "%"},
		`/a\ b/p`:                {"/a b/p"},
		`/p "" "a\"b\$\x"`:       {"/p", "", `a"b$\x`},
		`/p --name=%c-x %i`:      {"/p", "--name=-x"},
	} {
		if got, err := parseExec(text); !slices.Equal(got, want) || err != nil {
			t.Errorf("%s is read as %q, %v; want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"", " ", `"`, `/p "a`, `/p "a\"`, "/p %", "%f"} {
		if got, err := parseExec(text); err == nil {
			t.Errorf("%s is read as %q", text, got)
		}
	}
}

func TestSwitchedOffElsewhereIsOff(t *testing.T) {
	const head = "[Desktop Entry]\nType=Application\nName=Paddock\nExec=/p --hidden\n"
	for text, want := range map[string]bool{
		head:                                                   true,
		head + "Hidden=false\n":                                true,
		head + "Hidden=true\n":                                 false,
		head + "Hidden = true\r\n":                             false,
		head + "Hidden=1\n":                                    false,
		head + "#Hidden=true\n":                                true,
		head + "[Other]\nHidden=true\n":                        true,
		head + "X-GNOME-Autostart-enabled=true\n":              true,
		head + "X-GNOME-Autostart-enabled=false\n":             false,
		head + "X-GNOME-Autostart-enabled=\n":                  false,
		head + "Hidden=true\nX-GNOME-Autostart-enabled=true\n": false,
		"\ufeff" + head:                                        false, // see below
		"# by hand\n\n" + head:                                 true,
		strings.Replace(head, "Application", "Link", 1):        false,
		strings.Replace(head, "Type=Application\n", "", 1):     false,
		head + "Hidden=true\nHidden=false\n":                   true, // the last one counts
		strings.ReplaceAll(head, "\n", "\r\n"):                 true,
		strings.Replace(head, "Exec=", "Exec = ", 1):           true,
		"[Other]\nExec=/q\n" + head:                            true,
	} {
		command, on, err := parseDesktopEntry([]byte(text))
		if strings.HasPrefix(text, "\ufeff") { // GLib takes such a file for damaged too
			if err == nil {
				t.Errorf("%q passed", text)
			}
			continue
		}
		if on != want || err != nil || !slices.Equal(command, []string{"/p", "--hidden"}) {
			t.Errorf("%q: %q, %v, %v", text, command, on, err)
		}
	}
	if command, on, err := parseDesktopEntry([]byte("[Desktop Entry]\nHidden=true\n")); command != nil || on || err != nil {
		t.Errorf("a file that only hides: %q, %v, %v", command, on, err)
	}
}

func TestADesktopEntryThatCannotBeUnderstoodIsAnError(t *testing.T) {
	for _, text := range []string{
		"", "x", "[Desktop Entry]\n", "[Desktop Entry]\nType=Application\n", "Exec=/p\n", "[Desktop Entry]\nExec=/a\\qb\n", "[Desktop Entry]\nExec=/p \\\n",
		"[Desktop Entry]\nExec=\"/p\n", "[Desktop Entry]\nExec=/p\xff\n",
	} {
		if command, on, err := parseDesktopEntry([]byte(text)); err == nil {
			t.Errorf("%q: %q, %v", text, command, on)
		}
	}
}

// FuzzQuoteExec proves that no command is read as another one, on the way
// through quoting, escaping and the file.
func FuzzQuoteExec(f *testing.F) {
	for _, arg := range nasty {
		f.Add("/opt/"+arg+"/paddock", arg, arg+arg)
	}
	f.Fuzz(func(t *testing.T, program, one, two string) {
		e := Entry{Command: []string{"/" + program, one, two}, Name: "Paddock", Comment: one}
		if e.check() != nil {
			return
		}
		for name, c := range map[string]file{"desktop entry": {encode: desktopEntry, decode: parseDesktopEntry}, "launch agent": {encode: launchAgent, decode: parseLaunchAgent}} {
			data, err := c.encode(e)
			if err != nil {
				if name == "desktop entry" && strings.Contains(program, "=") {
					continue
				}
				t.Fatal(err)
			}
			command, on, err := c.decode(data)
			if !slices.Equal(command, e.Command) || !on || err != nil {
				t.Fatalf("%s: %q came back as %q, %v, %v\n%s", name, e.Command, command, on, err, data)
			}
		}
	})
}

// FuzzDesktopEntry reads what anybody may have written there.
func FuzzDesktopEntry(f *testing.F) {
	f.Add("[Desktop Entry]\nType=Application\nExec=/p --hidden\nHidden=true\n")
	f.Add("[Desktop Entry]\nExec=\"/a b\" \\\\$x %f %%\n")
	f.Add("[x]\n=\n")
	f.Fuzz(func(t *testing.T, text string) {
		command, on, err := parseDesktopEntry([]byte(text))
		if err != nil && (on || command != nil) || on && len(command) == 0 {
			t.Fatalf("%q, %v, %v", command, on, err)
		}
	})
}
