package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"paddock/cli"
	"paddock/keystore"
	"paddock/policy"
)

// Every command gives the same with and without an instance that runs.
func TestKeys(t *testing.T) {
	for _, mode := range []string{"on the files", "through a running instance"} {
		t.Run(mode, func(t *testing.T) {
			d := newDesk(t)
			if mode != "on the files" {
				show := d.start("share", "--listen", "127.0.0.1:0", "--ollama", "127.0.0.1:1")
				show.see("Ctrl-C ends it")
			}
			d.says(0, "No keys yet. Make one with: "+d.prefix()+" keys add NAME\n", "", "keys", "list")
			d.says(0, "[]\n", "", "keys", "list", "--json")
			out := d.must("keys", "add", "alice", "--expires", "2099-01-31")
			if !regexp.MustCompile(`^pdk_[0-9A-Za-z]{36}\n$`).MatchString(out) {
				t.Errorf("keys add printed %q", out)
			}
			key := strings.TrimSpace(out)
			d.must("keys", "add", "n8n on the NAS", "--role", "manager", "--cloud", "--expires", "none")
			d.says(1, "", "paddock: there is already a key of this name; remove it first or choose another name\n", "keys", "add", "ALICE")
			d.says(0, out, "", "keys", "copy", "alice")
			d.says(0, fmt.Sprintf("{\n  \"key\": %q,\n  \"name\": \"alice\"\n}\n", key), "", "keys", "copy", "--json", "alice")
			if mode == "on the files" {
				d.says(1, "", "paddock: the Paddock that runs shares from a terminal and has neither window nor clipboard\n", "keys", "copy", "--clipboard", "alice")
			}
			hint := key[:7]
			d.says(0, "~^NAME            KEY       ROLE     MODELS       LIMITS              TODAY    EXPIRES     LAST USED  STATE\n"+
				"alice           "+hint+"…  user     all          120/min, 4 at once  nothing  2099-01-31  never      on\n"+
				"n8n on the NAS  pdk_...…  manager  all \\+ cloud  120/min, 4 at once  nothing  never       never      on\n$", "", "keys", "list")
			d.says(0, "~^Name            alice\nKey             "+hint+"…\nRole            user\nModels          all\nCloud models    no\nIn the address  no\n"+
				"Requests        120/min\nAt once         4\nTokens a day    none\nToday           nothing\nExpires         2099-01-31\nState           on\n"+
				"Made            20\\d\\d-.*\nLast used       never\nKept in         keychain\n$", "", "keys", "show", "Alice")
			d.says(0, "", "alice is suspended\n", "keys", "suspend", "alice")
			d.says(0, "~suspended\n", "", "keys", "show", "alice")
			d.says(0, "", "alice may use the gate again\n", "keys", "resume", "alice")
			var k keystore.Key
			if err := json.Unmarshal([]byte(d.must("keys", "show", "alice", "--json")), &k); err != nil || k.Name != "alice" || k.Suspended || k.Hint != hint || k.Grant.Expires.IsZero() {
				t.Errorf("keys show --json: %v %+v", err, k)
			}
			var list []keystore.Key
			if err := json.Unmarshal([]byte(d.must("keys", "list", "--json")), &list); err != nil || len(list) != 2 || list[1].Name != "n8n on the NAS" || !list[1].Grant.Cloud {
				t.Errorf("keys list --json: %v %+v", err, list)
			}
			d.says(0, "", "alice is removed\n", "keys", "remove", "alice")
			for _, command := range []string{"show", "copy", "suspend", "resume", "remove", "rotate"} {
				d.says(1, "", "paddock: there is no key \"alice\"; `"+d.prefix()+" keys list` shows them\n", "keys", command, "alice")
			}
			d.says(1, "", "paddock: there is no key \"alice\"; `"+d.prefix()+" keys list` shows them\n", "keys", "edit", "alice", "--cloud")
			var made struct {
				Key  string       `json:"key"`
				Info keystore.Key `json:"info"`
			}
			if err := json.Unmarshal([]byte(d.must("keys", "add", "carol", "--json")), &made); err != nil || !secret.MatchString(made.Key) || made.Info.Name != "carol" {
				t.Errorf("keys add --json: %v %+v", err, made.Info)
			}
			if left := time.Until(made.Info.Grant.Expires); left < 89*24*time.Hour || left > 90*24*time.Hour {
				t.Errorf("a key without --expires ends in %s", left)
			}
		})
	}
}

// What a key may do is said when it is made, changed member by member, and
// shown everywhere.
func TestGrants(t *testing.T) {
	for _, mode := range []string{"on the files", "through a running instance"} {
		t.Run(mode, func(t *testing.T) {
			d := newDesk(t)
			if mode != "on the files" {
				d.start("share", "--listen", "127.0.0.1:0", "--ollama", "127.0.0.1:1").see("Ctrl-C ends it")
			}
			grant := func() policy.Grant {
				t.Helper()
				var k keystore.Key
				if err := json.Unmarshal([]byte(d.must("keys", "show", "alice", "--json")), &k); err != nil {
					t.Fatal(err)
				}
				return k.Grant
			}
			models := func(patterns ...string) policy.Models {
				t.Helper()
				m, err := policy.ParseModels(patterns)
				if err != nil {
					t.Fatal(err)
				}
				return m
			}
			d.must("keys", "add", "alice", "--expires", "2099-01-31", "--model", "llama3*", "--model", "qwen3:8b", "--model", "hf.co/*", "--in-address",
				"--rate", "20/h", "--concurrent", "none", "--tokens-per-day", "50000", "--second-step", "none")
			want := policy.Grant{
				Models: models("llama3*", "qwen3:8b", "hf.co/*"), InAddress: true, Rate: policy.Rate{Count: 20, Per: time.Hour},
				Concurrent: policy.NoCap, TokensPerDay: 50000, Expires: grant().Expires,
			}
			if got := grant(); got != want || got.Expires.IsZero() {
				t.Errorf("made: %+v", got)
			}
			d.says(0, "~alice  pdk_...…  user  llama3\\*, qwen3:8b and 1 more  20/h, 50000 tokens a day  nothing  2099-01-31", "", "keys", "list")
			d.says(0, "~(?m)^Models +llama3\\*, qwen3:8b, hf.co/\\*\nCloud models +no\nIn the address +yes\nRequests +20/h\nAt once +none\nTokens a day +50000$", "", "keys", "show", "alice")

			// Only what is given changes.
			for _, c := range []struct {
				args   string
				change func()
				said   string
			}{
				{"--rate 5/s", func() { want.Rate = policy.Rate{Count: 5, Per: time.Second} }, "user; models llama3*, qwen3:8b, hf.co/*; limits 5/s, 50000 tokens a day; also in the address; expires 2099-01-31"},
				{"--cloud --role manager", func() { want.Cloud, want.Role = true, policy.RoleManager }, "manager; models llama3*, qwen3:8b, hf.co/* + cloud; limits 5/s, 50000 tokens a day; also in the address; expires 2099-01-31"},
				{"--model mistral", func() { want.Models = models("mistral") }, "manager; models mistral + cloud; limits 5/s, 50000 tokens a day; also in the address; expires 2099-01-31"},
				{"--in-address=false --expires none", func() { want.InAddress, want.Expires = false, time.Time{} }, "manager; models mistral + cloud; limits 5/s, 50000 tokens a day; never expires"},
				{"--all-models --cloud=false", func() { want.Models, want.Cloud = policy.Models{}, false }, "manager; models all; limits 5/s, 50000 tokens a day; never expires"},
				{"--rate none --tokens-per-day none", func() { want.Rate, want.TokensPerDay = policy.NoRate, policy.NoCap }, "manager; models all; limits none; never expires"},
				{"--concurrent 2 --role user", func() { want.Concurrent, want.Role = 2, policy.RoleUser }, "user; models all; limits 2 at once; never expires"},
			} {
				d.says(0, "", "alice is changed: "+c.said+"\n", append([]string{"keys", "edit", "Alice"}, strings.Fields(c.args)...)...)
				if c.change(); grant() != want {
					t.Errorf("after %s: %+v, want %+v", c.args, grant(), want)
				}
			}
			var k keystore.Key
			if err := json.Unmarshal([]byte(d.must("keys", "edit", "alice", "--concurrent", "3", "--json")), &k); err != nil || k.Name != "alice" || k.Grant.Concurrent != 3 {
				t.Errorf("keys edit --json: %v %+v", err, k)
			}
		})
	}
}

// What is printed is what holds, and the file stays short.
func TestGrantsAsJSONSayWhatHolds(t *testing.T) {
	for _, mode := range []string{"on the files", "through a running instance"} {
		t.Run(mode, func(t *testing.T) {
			d := newDesk(t)
			if mode != "on the files" {
				d.start("share", "--listen", "127.0.0.1:0", "--ollama", "127.0.0.1:1").see("Ctrl-C ends it")
			}
			for _, args := range [][]string{{"add", "alice"}, {"list"}, {"show", "alice"}, {"edit", "alice", "--cloud"}, {"rotate", "alice"}} {
				out := d.must(append(append([]string{"keys"}, args...), "--json")...)
				for _, want := range []string{`"rate": "120/min"`, `"concurrent": 4`, `"tokens_per_day": "none"`} {
					if !strings.Contains(out, want) {
						t.Errorf("keys %s --json has no %s: %s", args[0], want, secret.ReplaceAllString(out, "…"))
					}
				}
			}
			if out := d.must("status", "--json"); mode != "on the files" && !strings.Contains(out, `"rate": "120/min"`) {
				t.Errorf("status --json: %s", out)
			}
			if file := d.read("keys.json"); strings.Contains(file, "rate") || strings.Contains(file, "concurrent") || strings.Contains(file, "tokens_per_day") {
				t.Errorf("keys.json: %s", file)
			}
		})
	}
}

func TestRotate(t *testing.T) {
	d := newDesk(t)
	old := d.must("keys", "add", "alice")
	later := `^the old key of alice works until 20\d\d-\d\d-\d\d \d\d:\d\d\n$`
	first := d.run("keys", "rotate", "Alice")
	if first.code != 0 || !regexp.MustCompile(`^pdk_[0-9A-Za-z]{36}\n$`).MatchString(first.out) || first.out == old || !matches(first.err, "~"+later) {
		t.Errorf("keys rotate: %+v", first)
	}
	d.says(0, first.out, "", "keys", "copy", "alice")
	d.says(0, "~on, old key too until 20", "", "keys", "list")
	d.says(0, "~(?m)^State +on, old key too until 20", "", "keys", "show", "alice")

	_, url := d.share()
	try := func(when string, want map[string]int) {
		t.Helper()
		for key, code := range want {
			if got := get(t, url, strings.TrimSpace(key)); got != code {
				t.Errorf("%s: %d, want %d", when, got, code)
			}
		}
	}
	try("two secrets", map[string]int{old: http.StatusOK, first.out: http.StatusOK})
	second := d.run("keys", "rotate", "alice", "--grace", "1h")
	if second.code != 0 || !matches(second.err, "~"+strings.TrimSuffix(later, "$")+"the key before that one works no more\n$") {
		t.Errorf("keys rotate --grace: %+v", second)
	}
	try("rotated again", map[string]int{old: http.StatusUnauthorized, first.out: http.StatusOK, second.out: http.StatusOK})
	var third struct {
		Key  string       `json:"key"`
		Info keystore.Key `json:"info"`
	}
	r := d.run("keys", "rotate", "alice", "--grace", "none", "--json")
	if err := json.Unmarshal([]byte(r.out), &third); err != nil || r.err != "the old key of alice works no more\nthe key before that one works no more\n" || !third.Info.OldUntil.IsZero() || third.Info.Name != "alice" {
		t.Errorf("keys rotate --grace none --json: %v, %+v, it said %q", err, third.Info, r.err)
	}
	try("without a grace", map[string]int{first.out: http.StatusUnauthorized, second.out: http.StatusUnauthorized, third.Key: http.StatusOK})
	d.says(0, third.Key+"\n", "", "keys", "copy", "alice")
	d.says(0, "~alice .* [4-9] requests, 0 tokens ", "", "keys", "list")

	d.must("keys", "suspend", "alice")
	suspended := d.run("keys", "rotate", "alice")
	if suspended.err != "alice is suspended: neither its old key nor the new one works until it is resumed\n" {
		t.Errorf("it said %q", suspended.err)
	}
	d.says(0, "~(?m)^State +suspended, old key too$", "", "keys", "show", "alice")
	try("suspended", map[string]int{third.Key: http.StatusUnauthorized, suspended.out: http.StatusUnauthorized})
	d.must("keys", "resume", "alice")
	try("resumed", map[string]int{third.Key: http.StatusOK, suspended.out: http.StatusOK})
	if said := d.run("keys", "rotate", "alice", "--grace", "none").err; !strings.HasSuffix(said, "\nthe key before that one works no more\n") {
		t.Errorf("it said %q", said)
	}
	third.Key = strings.TrimSpace(d.must("keys", "copy", "alice"))

	// A vault that refuses leaves the key as it was.
	d.vault.refuse(keystore.ErrLocked)
	d.says(1, "", "paddock: the keychain is locked; unlock it and try again, or use --vault file\n", "keys", "rotate", "alice")
	d.vault.refuse(nil)
	try("after a failure", map[string]int{third.Key: http.StatusOK})
}

func TestARotatedKeyThatNobodySaw(t *testing.T) {
	d := newDesk(t)
	d.must("keys", "add", "alice")
	var said strings.Builder
	code := cli.Main(t.Context(), d.program, cli.Streams{In: strings.NewReader(""), Out: broken{syscall.EPIPE}, Err: &said}, []string{"--home", d.home, "keys", "rotate", "alice"})
	if code != 1 || !strings.Contains(said.String(), "the key was changed, but not printed") || secret.MatchString(said.String()) {
		t.Errorf("exit code %d, said %q", code, said.String())
	}
}

func TestSettings(t *testing.T) {
	for _, mode := range []string{"on the file", "through a running instance"} {
		t.Run(mode, func(t *testing.T) {
			d := newDesk(t)
			if mode != "on the file" {
				d.share()
			}
			d.says(0, ":11435\n", "", "settings", "get", "share.listen")
			d.says(0, "", "", "settings", "set", "limits.body", "32 mib")
			d.says(0, "32MiB\n", "", "settings", "get", "limits.body")
			d.says(0, "{\n  \"name\": \"limits.body\",\n  \"value\": \"32MiB\"\n}\n", "", "settings", "get", "limits.body", "--json")
			d.says(2, "", "~^paddock: limits.body cannot be \"0\": ", "settings", "set", "limits.body", "0")
			for name, v := range map[string][2]string{
				"limits.running-at-once": {"none", "none"}, "limits.waiting-per-key": {"8", "8"}, "limits.connections-per-address": {" 6 ", "6"},
				"limits.failed-attempts": {"3/hour", "3/h"}, "limits.num-ctx": {"131072", "131072"},
			} {
				d.says(0, "", "", "settings", "set", name, v[0])
				d.says(0, v[1]+"\n", "", "settings", "get", name)
			}
			d.says(2, "", "~^paddock: limits.failed-attempts cannot be \"10\": a rate is ", "settings", "set", "limits.failed-attempts", "10")
			d.says(2, "", "~^paddock: there is no setting", "settings", "set", "x", "0")
			d.says(0, "~(?m)^NAME +VALUE +MEANING\nshare.listen +:11435 +where to listen", "", "settings", "list")
			var items []map[string]any
			if err := json.Unmarshal([]byte(d.must("settings", "list", "--json")), &items); err != nil || len(items) < 5 || items[0]["name"] != "share.listen" {
				t.Errorf("settings list --json: %v", err)
			}
		})
	}
}

// What cannot be understood is refused and named, and stays as it is.
func TestFilesThatCannotBeRead(t *testing.T) {
	for name, c := range map[string]struct{ file, text, said string }{
		"damaged keys":     {"keys.json", "{\"version\":1,", "keys.json is damaged and was left as it is: .*; repair it, or move it away"},
		"newer keys":       {"keys.json", `{"version":99,"keys":[]}`, "keys.json was written by a newer Paddock and was left as it is; use that version"},
		"damaged settings": {"settings.json", "not json\x1b[2J", "settings.json is damaged and was left as it is"},
		"newer settings":   {"settings.json", `{"version":99}`, "settings.json was written by a newer Paddock"},
		"a wrong setting":  {"settings.json", `{"version":1,"share.listen":"everywhere"}`, "settings.json is damaged and was left as it is: share.listen"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.write(c.file, c.text)
			for _, args := range [][]string{
				{"share", "--demo"},
				{"keys", "add", "x"},
				{"keys", "list"},
				{"keys", "remove", "x"},
				{"settings", "list"},
				{"settings", "set", "limits.body", "1MiB"},
			} {
				d.says(1, "", "~^paddock: .*"+c.said, args...)
			}
			if d.read(c.file) != c.text {
				t.Error("the file has changed")
			}
			d.must("status") // needs none of them
		})
	}
}

// Root writes where permissions forbid it, but not below a file.
func TestAHomeThatCannotBe(t *testing.T) {
	d := newDesk(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, home := range []string{file, filepath.Join(file, "home\x1b[31m")} {
		d.home = home
		for _, args := range [][]string{{"share"}, {"keys", "add", "x"}, {"settings", "set", "limits.body", "1MiB"}} {
			d.says(1, "", "~^paddock: .*"+regexp.QuoteMeta(file), args...)
		}
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "mine" {
		t.Errorf("the file holds %q, %v", b, err)
	}
	// A folder in the place of the file: nothing can be saved.
	d.home = filepath.Join(t.TempDir(), "home")
	if err := os.MkdirAll(filepath.Join(d.home, "keys.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	d.says(1, "", "~keys.json", "keys", "add", "x")
}

// A vault that refuses leaves no key behind, nor a word of it on the screen.
func TestAVaultThatRefuses(t *testing.T) {
	for said, err := range map[string]error{
		"the keychain is locked; unlock it and try again, or use --vault file":                   keystore.ErrLocked,
		"this session has no keychain; use --vault file, which seals the keys with a passphrase": keystore.ErrNoVault,
		"the keychain did not answer in time; perhaps it asks for a password in another window":  keystore.ErrTimeout,
		"the keychain did not store the key; perhaps its question was dismissed":                 keystore.ErrNotKept,
		"adding key \"alice\": the disk of the keychain\\x1b[31m is full":                        errors.New("the disk of the keychain\x1b[31m is full"),
		"the keychain takes no item of this size":                                                keystore.ErrTooBig,
	} {
		for _, mode := range []string{"on the files", "through a running instance"} {
			t.Run(fmt.Sprint(err)+" "+mode, func(t *testing.T) {
				d := newDesk(t)
				if mode != "on the files" {
					d.start("share", "--listen", "127.0.0.1:0", "--ollama", "127.0.0.1:1").see("Ctrl-C ends it")
				}
				d.vault.refuse(err)
				d.says(1, "", "paddock: "+said+"\n", "keys", "add", "alice")
				d.vault.refuse(nil)
				d.says(0, "[]\n", "", "keys", "list", "--json")
				d.must("keys", "add", "alice")
				d.vault.refuse(err)
				if r := d.run("keys", "copy", "alice"); r.code != 1 || r.out != "" {
					t.Errorf("keys copy: %+v", r)
				}
				// Revoked is revoked, whatever the vault says.
				r := d.run("keys", "remove", "alice")
				if r.code != 0 || !strings.HasPrefix(r.err, "alice is removed\n") || !strings.Contains(r.err, "opens nothing") {
					t.Errorf("keys remove: %+v", r)
				}
				d.says(0, "[]\n", "", "keys", "list", "--json")
			})
		}
	}
}

func TestMemoryNeedsSomebodyWhoRemembers(t *testing.T) {
	d := newDesk(t)
	d.says(1, "", "~^paddock: a key in memory ends with the program, and no Paddock runs that could keep it", "--vault", "memory", "keys", "add", "x")
	show := d.start("--vault", "memory", "share", "--listen", "127.0.0.1:0", "--ollama", "127.0.0.1:1")
	show.see("Keys are in memory only and end with this program")
	r := d.run("keys", "add", "x")
	if r.code != 0 || r.err != "paddock: the key lies in memory and ends with the Paddock that runs\n" {
		t.Errorf("keys add: %+v", r)
	}
	d.says(0, r.out, "", "keys", "copy", "x")
	d.says(0, "~Keys are in memory only and end with the program", "", "status")
	d.says(1, "", "~^paddock: the Paddock that runs keeps keys in memory.*; leave out --vault keychain", "--vault", "keychain", "keys", "add", "y")
	show.end()
	d.says(0, "[]\n", "", "keys", "list", "--json")
}

// The real file vault, from end to end. Each opening and sealing costs seconds
// with the race detector, so there are three.
func TestFileVault(t *testing.T) {
	d := newDesk(t)
	d.says(1, "", "~^paddock: the file vault needs a passphrase: name its file in PADDOCK_PASSPHRASE_FILE", "--vault", "file", "keys", "add", "x")
	d.says(0, "[]\n", "", "keys", "list", "--json")
	pass := filepath.Join(t.TempDir(), "pass")
	t.Setenv("PADDOCK_PASSPHRASE_FILE", pass)
	d.says(1, "", "~^paddock: the passphrase file .*pass cannot be read: no such file", "--vault", "file", "keys", "add", "x")
	if err := os.WriteFile(pass, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d.says(1, "", "~^paddock: the passphrase file .*pass is empty\n", "--vault", "file", "keys", "add", "x")
	if err := os.WriteFile(pass, []byte("correct horse\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	key := d.must("--vault", "file", "keys", "add", "alice")
	if strings.Contains(d.read("keys.json")+d.read("vault.age"), strings.TrimSpace(key)) || d.read("vault.age") == "" {
		t.Error("the key is on the disk in the clear")
	}
	sealed := d.read("vault.age")
	if err := os.WriteFile(pass, []byte("wrong horse\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.says(1, "", "paddock: the passphrase is wrong; nothing was changed\n", "--vault", "file", "keys", "copy", "alice")
	if d.read("vault.age") != sealed {
		t.Error("a wrong passphrase has changed the vault")
	}
	// The gate needs no passphrase.
	show, url := d.share("--vault", "file")
	if code := get(t, url, strings.TrimSpace(key)); code != http.StatusOK {
		t.Errorf("a request while the vault is sealed: %d", code)
	}
	show.end()
	if err := os.WriteFile(pass, []byte("correct horse\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.says(0, key, "", "--vault", "file", "keys", "copy", "alice")
}

func get(t *testing.T, url, key string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/api/tags", nil)
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

// Two commands at once on one home take turns.
func TestCommandsTakeTurns(t *testing.T) {
	d := newDesk(t)
	results := make(chan result)
	for i := range 8 {
		go func() { results <- d.run("keys", "add", fmt.Sprintf("key %d", i)) }()
	}
	for range 8 {
		if r := <-results; r.code != 0 {
			t.Errorf("%+v", r)
		}
	}
	var list []keystore.Key
	if err := json.Unmarshal([]byte(d.must("keys", "list", "--json")), &list); err != nil || len(list) != 8 {
		t.Errorf("%v, %d keys", err, len(list))
	}
}

// Who is not told the key must know that it is there.
func TestAKeyThatNobodySaw(t *testing.T) {
	for _, err := range []error{syscall.EPIPE, syscall.ENOSPC} {
		d := newDesk(t)
		var said strings.Builder
		code := cli.Main(context.Background(), d.program, cli.Streams{In: strings.NewReader(""), Out: broken{err}, Err: &said}, []string{"--home", d.home, "keys", "add", "alice"})
		if code != 1 || !strings.Contains(said.String(), "the key was made, but not printed") || !strings.Contains(said.String(), "keys copy") || secret.MatchString(said.String()) {
			t.Errorf("exit code %d, said %q", code, said.String())
		}
		d.must("keys", "copy", "alice")
	}
}

func TestAnOutputThatBreaks(t *testing.T) {
	d := newDesk(t)
	d.must("keys", "add", "alice")
	for _, c := range []struct {
		err  error
		code int
		said string
	}{
		{syscall.EPIPE, 0, ""}, // the reader has seen enough
		{syscall.ENOSPC, 1, "paddock: the disk is full: writing the output: no space left on device\n"},
	} {
		for _, args := range [][]string{{"keys", "list"}, {"status"}, {"settings", "list", "--json"}, {"version"}, {"completion", "bash"}} {
			var said strings.Builder
			code := cli.Main(t.Context(), d.program, cli.Streams{In: strings.NewReader(""), Out: broken{c.err}, Err: &said}, append([]string{"--home", d.home}, args...))
			if code != c.code || said.String() != c.said {
				t.Errorf("%v: paddock %s: exit code %d, said %q", c.err, strings.Join(args, " "), code, said.String())
			}
		}
	}
}
