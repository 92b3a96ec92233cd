package settings

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"paddock/internal/atomicfile"
	"paddock/policy"
)

func open(t *testing.T, home string) *Store {
	t.Helper()
	s, err := Open(home)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func same(a, b Settings) bool { return reflect.DeepEqual(a, b) }

func write(t *testing.T, home, text string) string {
	t.Helper()
	path := filepath.Join(home, File)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDefaultsAreThoseOfTheContract(t *testing.T) {
	want := Settings{
		Listen: ":11435", Discovery: true, Body: 16 << 20, Running: 4, Waiting: 64, Connections: 512, PerAddress: 64,
		Attempts: policy.Rate{Count: 10, Per: time.Minute}, NumCtx: 32768, LogKept: 10_000, Theme: ThemeAuto,
	}
	if got := Defaults(); !same(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	home := t.TempDir()
	s := open(t, home)
	if !same(s.Get(), want) {
		t.Errorf("an empty home has %+v", s.Get())
	}
	for _, i := range s.List() {
		if i.Value != i.Default || i.Changed || i.Help == "" {
			t.Errorf("%+v", i)
		}
	}
	if left, _ := os.ReadDir(home); len(left) != 0 {
		t.Errorf("opening wrote %v", left)
	}
}

func TestEachSettingTakesAndRefuses(t *testing.T) {
	for _, c := range []struct {
		name    string
		takes   map[string]string // value → how it is shown
		refuses []string
	}{
		{
			ShareListen,
			map[string]string{
				":11435": ":11435", " :80 ": ":80", "127.0.0.1:0": "127.0.0.1:0", "[::1]:11435": "[::1]:11435",
				"[fe80::1%eth0]:1": "[fe80::1%eth0]:1", "laptop.local:1": "laptop.local:1", "0.0.0.0:11435": "0.0.0.0:11435",
			},
			[]string{"", " ", "11435", "1.2.3.4", "::1:11435", ":", ":http", ":65536", ":-1", ":1_0", "a b:1", "[x]:1", "http://h:1"},
		},
		{
			ShareOllama,
			map[string]string{"": "", "0.0.0.0": "0.0.0.0", " http://h:1/p ": "http://h:1/p"},
			[]string{"ftp://h", "h h"},
		},
		{
			ShareAtStart,
			map[string]string{"true": "true", "Yes": "true", "on": "true", "off": "false", "no": "false", "false": "false"},
			[]string{"", "1", "maybe"},
		},
		{
			LimitsBody,
			map[string]string{"16MiB": "16MiB", "1024": "1KiB", "none": "none", "1 gib": "1GiB", "4611686018427387904": "none"},
			[]string{"", "0", "1", "1023B", "-1", "16M", "8191PiB", "4611686018427387905"},
		},
		{
			LimitsConnections,
			map[string]string{"1": "1", "512": "512", "none": "none"},
			[]string{"", "0", "-1", "1000001", "1.5", "99999999999999999999"},
		},
		{
			LimitsRunning,
			map[string]string{"1": "1", " 4 ": "4", "none": "none", "1000000": "1000000"},
			[]string{"", "0", "-1", "1000001", "four"},
		},
		{
			LimitsWaiting,
			map[string]string{"1": "1", "64": "64", "none": "none"},
			[]string{"", "0", "-1", "1000001"},
		},
		{
			LimitsPerAddress,
			map[string]string{"1": "1", "64": "64", "none": "none"},
			[]string{"", "0", "-1", "1000001"},
		},
		{
			LimitsAttempts,
			map[string]string{"10/min": "10/min", "3 / hour": "3/h", "1/S": "1/s", "none": "none"},
			[]string{"", "0/min", "10", "-1/min", "10/week", "99999999999/s"},
		},
		{
			LimitsNumCtx,
			map[string]string{"256": "256", "131072": "131072", "none": "none"},
			[]string{"", "0", "255", "32k", "1000000001"},
		},
		{
			LogKept,
			map[string]string{"100": "100", "1000000": "1000000"},
			[]string{"", "none", "99", "1000001"},
		},
		{
			UITheme,
			map[string]string{"auto": "auto", "light": "light", "dark": "dark"},
			[]string{"", "Dark", "blue"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			home := t.TempDir()
			s := open(t, home)
			for in, shown := range c.takes {
				if err := s.Set(c.name, in); err != nil {
					t.Errorf("Set(%q): %v", in, err)
					continue
				}
				if got, err := s.Value(c.name); err != nil || got != shown {
					t.Errorf("after Set(%q) it is %q, %v; want %q", in, got, err, shown)
				}
				if again := open(t, home).Get(); !same(again, s.Get()) {
					t.Errorf("after Set(%q) the file says %+v, memory %+v", in, again, s.Get())
				}
			}
			before := s.Get()
			for _, in := range c.refuses {
				err := s.Set(c.name, in)
				bad, ok := errors.AsType[*ValueError](err)
				if !ok || bad.Name != c.name || bad.Value != in || bad.Reason == "" {
					t.Errorf("Set(%q) = %v, want a *ValueError with all three", in, err)
				}
			}
			if !same(s.Get(), before) {
				t.Errorf("refused values changed %+v to %+v", before, s.Get())
			}
			if err := s.Reset(c.name); err != nil {
				t.Fatal(err)
			}
			if !same(s.Get(), Defaults()) || !same(open(t, home).Get(), Defaults()) {
				t.Errorf("after Reset: %+v", s.Get())
			}
		})
	}
}

func TestALimitOfNoneIsNeverReached(t *testing.T) {
	s := open(t, t.TempDir())
	for _, name := range []string{LimitsBody, LimitsRunning, LimitsWaiting, LimitsConnections, LimitsPerAddress, LimitsAttempts, LimitsNumCtx} {
		if err := s.Set(name, "none"); err != nil {
			t.Fatal(err)
		}
	}
	now := s.Get()
	for _, n := range []int{now.Running, now.Waiting, now.Connections, now.PerAddress, now.NumCtx} {
		if n != NoCountLimit {
			t.Errorf("%+v", now)
		}
	}
	if now.Body != NoLimit || now.Body+1 < now.Body || now.Attempts.Limited() {
		t.Errorf("%+v", now)
	}
}

func TestUnknownNamesAndTheNearest(t *testing.T) {
	s := open(t, t.TempDir())
	for name, near := range map[string]string{
		"share.listn": ShareListen, "share_listen": ShareListen, "listen": ShareListen, "Share.Listen": ShareListen,
		"theme": UITheme, "limit.body": LimitsBody, "at-start": ShareAtStart, "kept": LogKept,
		"": "", "colour-of-the-sky": "", strings.Repeat("x", 10_000): "",
	} {
		_, valueErr := s.Value(name)
		for what, err := range map[string]error{"Value": valueErr, "Set": s.Set(name, "x"), "Reset": s.Reset(name)} {
			unknown, ok := errors.AsType[*UnknownError](err)
			if !ok || unknown.Name != name || unknown.Nearest != near {
				t.Errorf("%s(%.20q) = %v, want nearest %q", what, name, err, near)
			}
			if len(err.Error()) > 400 {
				t.Errorf("the error for a long name is %d bytes long", len(err.Error()))
			}
		}
	}
}

func TestFileHoldsOnlyWhatWasChosenInTheSameNames(t *testing.T) {
	home := t.TempDir()
	s := open(t, home)
	for name, v := range map[string]string{LimitsBody: "32 MiB", ShareAtStart: "yes"} {
		if err := s.Set(name, v); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(filepath.Join(home, File))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || got["version"] != 1.0 || got[LimitsBody] != "32MiB" || got[ShareAtStart] != "true" {
		t.Errorf("the file is %s", b)
	}
	fi, err := os.Stat(filepath.Join(home, File))
	if err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", fi.Mode(), err)
	}
}

func TestHandWrittenFile(t *testing.T) {
	home := t.TempDir()
	write(t, home, `{"version": 1, "share.at-start": true, "log.kept": 500, "limits.body": "1GiB", "from.the-future": {"a": [1]}}`)
	s := open(t, home)
	want := Defaults()
	want.AtStart, want.LogKept, want.Body = true, 500, 1<<30
	if !same(s.Get(), want) {
		t.Errorf("got %+v", s.Get())
	}
	// A name that we do not know belongs to somebody who does.
	if err := s.Set(UITheme, "dark"); err != nil {
		t.Fatal(err)
	}
	if err := s.Reset(LogKept); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(home, File))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]json.RawMessage
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if _, still := got[LogKept]; still || len(got["from.the-future"]) == 0 || string(got[UITheme]) != `"dark"` {
		t.Errorf("the file is %s", b)
	}
}

func TestFileThatCannotBeUnderstoodIsNamedAndLeft(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "cut": `{"version":1,"ui.theme":"da`, "array": `[]`, "no version": `{"ui.theme":"dark"}`, "two": `{"version":1}{}`,
		"bad value":                `{"version":1,"limits.body":"plenty"}`,
		"null value":               `{"version":1,"ui.theme":null}`,
		"list value":               `{"version":1,"share.listen":[":1"]}`,
		"long value":               `{"version":1,"ui.theme":"` + strings.Repeat("x", 100_000) + `"}`,
		"zero bytes":               "\x00\x00\x00\x00",
		"websites that are a text": `{"version":1,"origins":"http://localhost"}`,
		"websites that are none":   `{"version":1,"origins":null}`,
		"a website that is none":   `{"version":1,"origins":[{"origin":"localhost","allowed":true}]}`,
		"a website that is empty":  `{"version":1,"origins":[null]}`,
		"the website of everybody": `{"version":1,"origins":[{"origin":"*","allowed":true}]}`,
		"a website twice":          `{"version":1,"origins":[{"origin":"http://a","allowed":true},{"origin":"HTTP://A:80/","allowed":false}]}`,
		"a website that has more":  `{"version":1,"origins":[{"origin":"http://a","allowed":true,"until":"tomorrow"}]}`,
		"too many websites":        `{"version":1,"origins":[` + strings.Repeat(`{"origin":"http://a"},`, MaxOrigins) + `{"origin":"http://a"}]}`,
		"huge number":              `{"version":1,"log.kept":1e400}`,
	} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			path := write(t, home, text)
			_, err := Open(home)
			damaged, ok := errors.AsType[*atomicfile.DamagedError](err)
			if !ok || damaged.Path != path || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v", err)
			}
			if err != nil && len(err.Error()) > 600 {
				t.Errorf("the error is %d bytes long", len(err.Error()))
			}
			if b, _ := os.ReadFile(path); string(b) != text {
				t.Error("the file was changed")
			}
		})
	}
	home := t.TempDir()
	path := write(t, home, `{"version":2,"share.listen":{"new":"shape"}}`)
	_, err := Open(home)
	if newer, ok := errors.AsType[*atomicfile.NewerError](err); !ok || newer.Path != path {
		t.Errorf("a newer file: %v", err)
	}
}

func TestFailedWriteChangesNothing(t *testing.T) {
	home := t.TempDir()
	s := open(t, home)
	wake, stop := s.Watch()
	defer stop()
	// A folder under the name of the file cannot be replaced by a file, not
	// even by root.
	if err := os.MkdirAll(filepath.Join(home, File, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.Set(UITheme, "dark"); err == nil || !strings.Contains(err.Error(), File) {
		t.Fatalf("got %v, want an error that names the file", err)
	}
	changed := slices.ContainsFunc(s.List(), func(i Item) bool { return i.Changed })
	if !same(s.Get(), Defaults()) || changed {
		t.Error("memory has what the disk has not")
	}
	select {
	case <-wake:
		t.Error("a change that did not happen was announced")
	default:
	}
}

func TestWatchWakesOnChangesOnly(t *testing.T) {
	s := open(t, t.TempDir())
	wake, stop := s.Watch()
	defer stop()
	woken := func() bool {
		select {
		case <-wake:
			return true
		default:
			return false
		}
	}
	if err := s.Set(UITheme, "dark"); err != nil || !woken() {
		t.Errorf("a change: %v", err)
	}
	if err := s.Set(UITheme, "dark"); err != nil || woken() {
		t.Errorf("the same again: %v", err)
	}
	if err := s.Reset(LogKept); err != nil || woken() {
		t.Errorf("a reset of a default: %v", err)
	}
	if err := s.Reset(UITheme); err != nil || !woken() {
		t.Errorf("a reset: %v", err)
	}
}

func TestManyWritersAndReaders(t *testing.T) {
	home := t.TempDir()
	s := open(t, home)
	var g sync.WaitGroup
	for _, v := range []string{"light", "dark", "auto"} {
		g.Go(func() {
			for range 20 {
				if err := s.Set(UITheme, v); err != nil {
					t.Error(err)
				}
			}
		})
		g.Go(func() {
			for range 200 {
				_, _ = s.Get(), s.List()
			}
		})
	}
	g.Wait()
	if !same(open(t, home).Get(), s.Get()) {
		t.Error("disk and memory differ")
	}
}

func FuzzSet(f *testing.F) {
	for _, c := range choices {
		f.Add(c.name, c.byDefault)
	}
	f.Add(ShareListen, "[::1]:0")
	f.Add(LimitsBody, "none")
	f.Fuzz(func(t *testing.T, name, value string) {
		c, err := find(name)
		if err != nil {
			return
		}
		var s, again Settings
		if c.put(&s, value) != nil {
			return
		}
		shown := c.show(s)
		if err := c.put(&again, shown); err != nil || !same(again, s) {
			t.Fatalf("%s = %q is shown as %q, which reads as %+v, %v", name, value, shown, again, err)
		}
	})
}

// What is in the file came from a person with an editor.
func FuzzFile(f *testing.F) {
	f.Add([]byte(`{"version":1,"ui.theme":"dark","log.kept":500,"share.at-start":true,"x":null}`))
	f.Add([]byte(`{"version":1,"limits.num-ctx":"none","limits.failed-attempts":"3/h","limits.running-at-once":2}`))
	f.Add([]byte(`{"version":1,"origins":[{"origin":"local","allowed":true},{"origin":"HTTP://LocalHost:*/","allowed":false}]}`))
	f.Add([]byte(`{"version":1,"origins":[{"origin":"https://a.example:443"},{"origin":"chrome-extension://*","allowed":1}]}`))
	f.Add([]byte(`{"version":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var chosen map[string]json.RawMessage
		if atomicfile.Decode("f", data, version, &chosen) != nil {
			return
		}
		s, err := read(chosen)
		if err != nil {
			return
		}
		if s.Listen == "" || s.Body <= 0 || s.Connections <= 0 || s.LogKept <= 0 || s.Theme == "" ||
			s.Running <= 0 || s.Waiting <= 0 || s.PerAddress <= 0 || s.NumCtx <= 0 || s.Attempts == (policy.Rate{}) {
			t.Fatalf("%q became %+v", data, s)
		}
		seen := map[string]bool{}
		for _, r := range s.Origins {
			if clean, err := policy.ParseOrigin(r.Origin); err != nil || clean != r.Origin || seen[clean] {
				t.Fatalf("%q has the origin %q: %q, %v", data, r.Origin, clean, err)
			}
			seen[r.Origin] = true
		}
	})
}

func BenchmarkGet(b *testing.B) {
	s, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_ = s.Get()
		}
	})
}
