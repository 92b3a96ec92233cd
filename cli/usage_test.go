package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"paddock/cli"
)

func TestWrongUsage(t *testing.T) {
	d := newDesk(t)
	const help = "; see `paddock keys add --help`\n"
	for _, c := range []struct {
		name string
		args []string
		said string
	}{
		{"an unknown command", []string{"statsu"}, "paddock: unknown command \"statsu\"; did you mean `paddock status`?\n"},
		{"an unknown command like no other", []string{"frobnicate"}, "paddock: unknown command \"frobnicate\"; see `paddock --help`\n"},
		{"help for an unknown command", []string{"help", "frobnicate"}, "paddock: unknown command \"frobnicate\"; see `paddock --help`\n"},
		{"an unknown command of keys", []string{"keys", "ad", "x"}, "paddock: unknown command \"ad\"; did you mean `paddock keys add`?\n"},
		{"a group alone", []string{"keys"}, "~(?s)^Make, list.*Usage:.*\npaddock: paddock keys needs a subcommand\n$"},
		{"another group alone", []string{"settings"}, "~paddock: paddock settings needs a subcommand\n$"},
		{"an unknown flag", []string{"status", "--colour"}, "paddock: unknown flag: --colour; see `paddock status --help`\n"},
		{"an argument too many", []string{"status", "now"}, "paddock: paddock status takes no argument \"now\"; see `paddock status --help`\n"},
		{"no name", []string{"keys", "add"}, "paddock: paddock keys add takes a name for the key, and got 0 arguments" + help},
		{"a name in two words", []string{"keys", "add", "n8n", "nas"}, "paddock: paddock keys add takes a name for the key, and got 2 arguments" + help},
		{"an empty name", []string{"keys", "add", " "}, "paddock: a key needs a name\n"},
		{"a name that cannot be shown", []string{"keys", "add", "a\x1b[31mb"}, "paddock: the name holds a character that cannot be shown\n"},
		{"a name too long", []string{"keys", "add", strings.Repeat("n", 65)}, "paddock: the name is too long: at most 64 characters\n"},
		{"a role that is none", []string{"keys", "add", "x", "--role", "root"}, "~^paddock: --role: .*root"},
		{"an expiry that is none", []string{"keys", "add", "x", "--expires", "soon"}, "paddock: --expires \"soon\": write a time from now (30d), a day (2027-01-31) or none\n"},
		{"no expiry at all", []string{"keys", "add", "x", "--expires", ""}, "~write a time from now"},
		{"an expiry in the past", []string{"keys", "add", "x", "--expires", "2020-01-31"}, "paddock: --expires 2020-01-31 lies in the past\n"},
		{"an expiry of nothing", []string{"keys", "add", "x", "--expires", "0d"}, "~^paddock: --expires \"0d\""},
		{"a day that is none", []string{"keys", "add", "x", "--expires", "2027-02-31"}, "~^paddock: --expires \"2027-02-31\""},
		{"the end of time", []string{"keys", "add", "x", "--expires", "9999-12-31"}, "~too far away"},
		{"a rate that is none", []string{"keys", "add", "x", "--rate", "120"}, "paddock: --rate: a rate is a number, / and s, min, h or day, such as 10/min\n"},
		{"a rate of nothing", []string{"keys", "add", "x", "--rate", "0/min"}, "paddock: --rate: a rate is more than nothing; write none for no limit\n"},
		{"no rate at all", []string{"keys", "add", "x", "--rate", ""}, "~^paddock: --rate: a rate is a number"},
		{"none at once", []string{"keys", "add", "x", "--concurrent", "0"}, "paddock: --concurrent: it is more than nothing; write none for no limit\n"},
		{"half a request at once", []string{"keys", "add", "x", "--concurrent", "1.5"}, "paddock: --concurrent: it is a whole number, or none for no limit\n"},
		{"tokens that are none", []string{"keys", "add", "x", "--tokens-per-day", "50k"}, "paddock: --tokens-per-day: it is a whole number, or none for no limit\n"},
		{"a model that is none", []string{"keys", "add", "x", "--model", "llama 3"}, "~^paddock: --model: \"llama 3\" is no model pattern; "},
		{"no model at all", []string{"keys", "add", "x", "--model", ""}, "~^paddock: --model: \"\" is no model pattern; "},
		{"a second step of a later version", []string{"keys", "add", "x", "--second-step", "totp"}, "paddock: --second-step cannot be \"totp\": this version knows only none\n"},
		{"an edit of nothing", []string{"keys", "edit", "x"}, "paddock: nothing to change: name what the key may do; see `paddock keys edit --help`\n"},
		{"an edit of nobody", []string{"keys", "edit", "--cloud"}, "~^paddock: paddock keys edit takes the name of a key, and got 0 arguments"},
		{"an edit to the past", []string{"keys", "edit", "x", "--expires", "2020-01-31"}, "paddock: --expires 2020-01-31 lies in the past\n"},
		{"an edit without an expiry", []string{"keys", "edit", "x", "--expires", ""}, "~^paddock: --expires \"\": write a time"},
		{"some models and all", []string{"keys", "edit", "x", "--model", "llama3", "--all-models"}, "paddock: --model and --all-models cannot both be meant\n"},
		{"a second step for a key that has none", []string{"keys", "edit", "x", "--second-step", "approve"}, "~^paddock: --second-step cannot be \"approve\""},
		{"a grace that is none", []string{"keys", "rotate", "x", "--grace", "0"}, "paddock: --grace \"0\": write a time (24h), or none for an old key that ends at once\n"},
		{"a grace below nothing", []string{"keys", "rotate", "x", "--grace", "-1h"}, "~^paddock: --grace \"-1h\": write a time"},
		{"a grace of a year", []string{"keys", "rotate", "x", "--grace", "365d"}, "paddock: --grace 365d is too long: an old key works on for at most 30d\n"},
		{"an origin without a scheme", []string{"origins", "allow", "app.example.com"}, "paddock: an origin cannot be \"app.example.com\": an origin is a scheme, a host and perhaps a port, such as https://app.example.com or http://localhost:3000; or a preset: local, extensions, obsidian, vscode, tauri\n"},
		{"every origin", []string{"origins", "allow", "*"}, "~^paddock: an origin cannot be \"\\*\": allowing every website would"},
		{"no origin", []string{"origins", "allow", "null"}, "~^paddock: an origin cannot be \"null\": "},
		{"an origin with a path", []string{"origins", "block", "https://a.example/path"}, "~^paddock: an origin cannot be "},
		{"an origin with an escape", []string{"origins", "remove", "https://\x1b[31m"}, "~^paddock: an origin cannot be \"https://\\\\x1b\\[31m\": "},
		{"an origin too few", []string{"origins", "remove"}, "~takes an origin or the name of a preset, and got 0 arguments;"},
		{"websites without a command", []string{"origins"}, "~paddock: paddock origins needs a subcommand\n$"},
		{"a vault that is none", []string{"keys", "list", "--vault", "safe"}, "paddock: --vault or PADDOCK_VAULT cannot be \"safe\": it is auto, keychain, file or memory\n"},
		{"a wrong --listen", []string{"share", "--listen", "11435"}, "~^paddock: --listen cannot be \"11435\": it is :PORT or HOST:PORT"},
		{"a wrong --ollama", []string{"share", "--ollama", "ftp://x"}, "~^paddock: --ollama cannot be \"ftp://x\": the address begins with http:// or https://"},
		{"a setting that is none", []string{"settings", "get", "share.listn"}, "~^paddock: there is no setting \"share.listn\", did you mean share.listen\\?\n"},
		{"a value that is none", []string{"settings", "set", "limits.body", "16M"}, "~^paddock: limits.body cannot be \"16M\": "},
		{"a value too few", []string{"settings", "set", "limits.body"}, "~takes the name of a setting and its value, and got 1 argument;"},
		{"a shell that is none", []string{"completion", "tcsh"}, "~^paddock: \"tcsh\" is not a shell"},
		{"no shell", []string{"completion"}, "~takes a shell: bash, zsh, fish or powershell"},
		{"a window of the edition that has none", nil, "paddock: the lite edition has no window: share with `paddock share`, or see `paddock --help`\n"},
		{"an escape in a flag", []string{"--\x1b[31mred"}, "~^paddock: unknown flag: --\\\\x1b\\[31mred"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &desk{t: t, home: d.home, program: d.program, vault: d.vault}
			d.says(2, "", c.said, c.args...)
		})
	}
	if all, err := os.ReadDir(d.home); err == nil {
		for _, e := range all {
			if e.Name() != "paddock.lock" {
				t.Errorf("wrong usage has left %s", e.Name())
			}
		}
	}
}

func TestHelp(t *testing.T) {
	d := newDesk(t)
	for _, args := range [][]string{{"--help"}, {"help"}, {"help", "keys", "add"}, {"keys", "--help"}, {"keys", "add", "-h"}, {"share", "--help"}} {
		if out := d.must(args...); !strings.Contains(out, "Usage:") {
			t.Errorf("paddock %s: %s", strings.Join(args, " "), out)
		}
	}
	out := d.must("--help")
	for _, command := range []string{"share", "status", "stop", "keys", "origins", "log", "settings", "version", "completion"} {
		if !strings.Contains(out, "\n  "+command+" ") {
			t.Errorf("the help does not list %s:\n%s", command, out)
		}
	}
	if strings.Contains(out, "\n  tray ") {
		t.Error("the help lists a tray that this edition lacks")
	}
}

func TestVersionAndCompletionNeedNoHome(t *testing.T) {
	d := newDesk(t)
	t.Setenv("HOME", "")
	t.Setenv("XDG_CONFIG_HOME", "")
	run := func(args ...string) result {
		var out, err bytes.Buffer
		code := cli.Main(t.Context(), d.program, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &err}, args)
		return result{code, out.String(), err.String()}
	}
	if r := run("version"); r.code != 0 || r.out != "paddock "+cli.Version+" (test edition)\n" {
		t.Errorf("version: %+v", r)
	}
	if r := run("version", "--json"); r.out != "{\n  \"edition\": \"test\",\n  \"version\": \""+cli.Version+"\"\n}\n" {
		t.Errorf("version --json: %+v", r)
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if r := run("completion", shell); r.code != 0 || !strings.Contains(r.out, "paddock") || len(r.out) < 1000 {
			t.Errorf("completion %s: exit code %d, %d bytes", shell, r.code, len(r.out))
		}
	}
	if r := run("status"); r.code != 1 || !strings.Contains(r.err, "name one with --home") {
		t.Errorf("status: %+v", r)
	}
}

func TestTheTabKey(t *testing.T) {
	d := newDesk(t)
	if out := d.must("__complete", "keys", "show", ""); strings.Contains(out, "alice") {
		t.Error(out)
	}
	if _, err := os.Stat(d.home); err == nil {
		t.Error("the Tab key made a home")
	}
	d.must("keys", "add", "alice")
	for _, c := range []struct {
		want string
		args []string
	}{
		{"alice\n", []string{"keys", "show", ""}},
		{"alice\n", []string{"keys", "remove", ""}},
		{"manager\n", []string{"keys", "add", "--role", ""}},
		{"alice\n", []string{"keys", "edit", ""}},
		{"alice\n", []string{"keys", "rotate", ""}},
		{"user\n", []string{"keys", "edit", "alice", "--role", ""}},
		{"obsidian\tObsidian: the app and its plugins, on computers and phones\n", []string{"origins", "allow", ""}},
		{"limits.num-ctx\t", []string{"settings", "get", ""}},
		{"limits.body\t", []string{"settings", "set", ""}},
		{"suspend\t", []string{"keys", ""}},
		{"fish\n", []string{"completion", ""}},
		{"file\n", []string{"keys", "list", "--vault", ""}},
		{":4\n", []string{"keys", "list", "--vault", ""}}, // no files
		{":4\n", []string{"keys", "rotate", "alice", "--grace", ""}},
		{":4\n", []string{"share", "--listen", ""}},
		{":4\n", []string{"share", "--ollama", ""}},
	} {
		if out := d.must(append([]string{"__complete"}, c.args...)...); !strings.Contains(out, c.want) {
			t.Errorf("Tab after paddock %s: %s", strings.Join(c.args, " "), out)
		}
	}
}

func TestTheHomeOfTheEnvironment(t *testing.T) {
	d := newDesk(t)
	t.Setenv("PADDOCK_HOME", filepath.Join(t.TempDir(), "mine"))
	t.Setenv("PADDOCK_VAULT", "keychain")
	var out, err bytes.Buffer
	if code := cli.Main(t.Context(), d.program, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &err}, []string{"keys", "add", "alice"}); code != 0 {
		t.Fatal(err.String())
	}
	if _, err := os.Stat(filepath.Join(os.Getenv("PADDOCK_HOME"), "keys.json")); err != nil {
		t.Error(err)
	}
	t.Setenv("PADDOCK_VAULT", "cellar")
	d.says(2, "", "~PADDOCK_VAULT cannot be \"cellar\"", "keys", "list")
}
