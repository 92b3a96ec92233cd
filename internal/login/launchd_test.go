package login

import (
	"slices"
	"strings"
	"testing"
)

func agent(t *testing.T) string {
	t.Helper()
	data, err := launchAgent(entry("--hidden"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestAnAgentThatWasChangedByHandIsRead(t *testing.T) {
	text := agent(t)
	for what, c := range map[string]struct {
		text string
		want bool
	}{
		"as written":       {text, true},
		"disabled":         {strings.Replace(text, "<dict>", "<dict>\n<key>Disabled</key>\n<true/>", 1), false},
		"not disabled":     {strings.Replace(text, "<dict>", "<dict>\n<key>Disabled</key>\n<false/>", 1), true},
		"only on demand":   {strings.Replace(text, "<key>RunAtLoad</key>\n\t<true/>", "<key>RunAtLoad</key>\n\t<false/>", 1), false},
		"with a comment":   {strings.Replace(text, "<dict>", "<!-- mine -->\n<dict>", 1), true},
		"with other keys":  {strings.Replace(text, "<dict>", "<dict><key>EnvironmentVariables</key><dict><key>Disabled</key><true/></dict>", 1), true},
		"with a last line": {text + "<!-- end -->\n", true},
	} {
		command, on, err := parseLaunchAgent([]byte(c.text))
		if on != c.want || err != nil || !slices.Equal(command, entry("--hidden").Command) {
			t.Errorf("%s: %q, %v, %v", what, command, on, err)
		}
	}
}

func TestAnAgentThatCannotBeUnderstoodIsAnError(t *testing.T) {
	text := agent(t)
	for what, bad := range map[string]string{
		"empty":                   "",
		"cut":                     text[:len(text)/2],
		"another root":            "<list><dict/></list>",
		"nothing in it":           "<plist><dict/></plist>",
		"a key without a value":   strings.Replace(text, "<dict>", "<dict><key>x</key>", 1),
		"a value without a key":   strings.Replace(text, "<dict>", "<dict><true/><true/>", 1),
		"a number for a program":  strings.Replace(text, "<array>", "<array><integer>1</integer>", 1),
		"an entity of its own":    strings.Replace(text, "--hidden", "&x;", 1),
		"two lists":               text + text,
		"bytes of another format": "bplist00\xd1\x01\x02",
	} {
		if command, on, err := parseLaunchAgent([]byte(bad)); err == nil {
			t.Errorf("%s: %q, %v", what, command, on)
		}
	}
}

func TestWhatLaunchctlSaysIsRead(t *testing.T) {
	const old = "disabled services = {\n\t\"com.apple.x\" => true\n\t\"" + ID + "\" => %\n}\n"
	for state, want := range map[string]bool{"true": true, "false": false, "disabled": true, "enabled": false, "": false, "odd": false} {
		if got := disabledIn([]byte(strings.Replace(old, "%", state, 1))); got != want {
			t.Errorf("%q is read as %v", state, got)
		}
	}
	for _, text := range []string{"", "\"" + ID + ".other\" => disabled\n", ID + " => disabled\n", "\"x\" => disabled\n"} {
		if disabledIn([]byte(text)) {
			t.Errorf("%q is read as ours", text)
		}
	}
}

func FuzzLaunchAgent(f *testing.F) {
	data, err := launchAgent(entry(nasty...))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(data))
	f.Add("<plist><dict><key>ProgramArguments</key><array><string>/p</string></array><key>Disabled</key><true/></dict></plist>")
	f.Add("<plist><dict><key>a</key></dict></plist>")
	f.Fuzz(func(t *testing.T, text string) {
		command, on, err := parseLaunchAgent([]byte(text))
		if err != nil && (on || command != nil) || err == nil && len(command) == 0 {
			t.Fatalf("%q, %v, %v", command, on, err)
		}
		disabledIn([]byte(text))
	})
}
