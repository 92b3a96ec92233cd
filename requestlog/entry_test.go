package requestlog

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"paddock/policy"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestClean(t *testing.T) {
	for _, c := range []struct {
		name, in string
		limit    int
		want     string
	}{
		{"plain text stays", "curl/8.5.0 (x86)", 120, "curl/8.5.0 (x86)"},
		{"nothing stays nothing", "", 120, ""},
		{"letters of all scripts stay", "Grüße 你好 نص 👋", 120, "Grüße 你好 نص 👋"},
		{"terminal escapes are shown", "a\x1b[2Jb\r\n\x07", 120, `a\x1b[2Jb\x0d\x0a\x07`},
		{"C1 controls are shown", "a\u009bb", 120, `a\x9bb`},
		{"an override that turns text round is shown", "abc\u202ecba", 120, `abc\u202ecba`},
		{"an isolate is shown", "\u2066x\u2069", 120, `\u2066x\u2069`},
		{"what nobody sees is shown", "a\u200b\u00ad\u2060\ufeff\U000e0041b", 120, `a\u200b\xad\u2060\ufeff\U000e0041b`},
		{"other spaces and line ends are shown", "a\u00a0b\u2028c", 120, `a\xa0b\u2028c`},
		{"broken UTF-8 is shown", "a\xff\xc3b\xed\xa0\x80", 120, `a\xff\xc3b\xed\xa0\x80`},
		{"the replacement character itself stays", "a\ufffdb", 120, "a\ufffdb"},
		{"long text is cut", "abcdefghij", 8, "abcde…"},
		{"text that just fits is whole", "abcdefgh", 8, "abcdefgh"},
		{"other letters that just fit are whole", "éééé", 8, "éééé"},
		{"an escape is cut whole", "abcd\x1b", 7, "abcd…"},
		{"no letter is cut in two", "ééééé", 8, "éé…"},
		{"no room for an ellipsis", "abcdef", 2, ""},
		{"no room at all", "a", 0, ""},
	} {
		if got := Clean(c.in, c.limit); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { Clean("/api/chat", MaxPath) }); n != 0 {
		t.Errorf("plain text costs %v allocations", n)
	}
}

func FuzzClean(f *testing.F) {
	f.Add("curl/8", 120)
	f.Add("a\x1b[31m\u202e\u200b\xff\U000e0041", 20)
	f.Add(strings.Repeat("é", 99), 9)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit %= 300
		got := Clean(s, limit)
		if len(got) > max(limit, 0) {
			t.Fatalf("%d bytes of %d: %q", len(got), limit, got)
		}
		if !utf8.ValidString(got) {
			t.Fatalf("not UTF-8: %q", got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Bidi_Control) {
				t.Fatalf("%U is left in %q", r, got)
			}
		}
		if again := Clean(got, limit); again != got {
			t.Fatalf("cleaned twice: %q, then %q", got, again)
		}
	})
}

func fullEntry() Entry {
	return Entry{
		Seq: 7, ID: "0123456789AB", Time: time.Date(2026, 7, 1, 12, 0, 0, 500, time.UTC), Phase: Cut, Reason: policy.Allowed,
		KeyID: "k1", Key: "alice", Hint: "pdk_7Qm", Colour: 3, Address: "192.168.1.20", Program: "curl", UserAgent: "curl/8.5.0",
		Origin: "https://app.example", TLS: "TLS 1.3", Method: "POST", Path: "/api/chat", Class: policy.ClassUse, Action: "Chat",
		Model: "llama3:latest", Status: 200, Upstream: 200, FirstToken: 250 * time.Millisecond, Took: 2 * time.Second,
		TokensIn: 12, TokensOut: 80, Rate: 45.5, BytesIn: 300, BytesOut: 9000, CutBy: CutByOwner, Demo: true,
		Place: 3, Waited: time.Second, SentAgain: true,
	}
}

// Scripts read `paddock log --json`, so the names in it are a promise.
func TestEntryJSON(t *testing.T) {
	v := reflect.ValueOf(fullEntry())
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("%s is missing in the example", v.Type().Field(i).Name)
		}
	}
	var b []byte
	for _, e := range []Entry{fullEntry(), {}} {
		one, err := json.MarshalIndent(e, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		b = append(append(b, one...), '\n')
	}
	golden := filepath.Join("testdata", "entry.golden.json")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(b) != string(want) {
		t.Errorf("got\n%s\nwant\n%s", b, want)
	}
	var back Entry
	one, _ := json.Marshal(fullEntry())
	if err := json.Unmarshal(one, &back); err != nil {
		t.Fatal(err)
	}
	whole := fullEntry()
	whole.Colour = 0 // a matter of the screen
	if back != whole {
		t.Errorf("came back as %+v", back)
	}
}

func TestPhases(t *testing.T) {
	for p := Running; p <= Cut; p++ {
		b, _ := p.MarshalText()
		var back Phase
		if err := back.UnmarshalText(b); err != nil || back != p || p.String() == "unknown" {
			t.Errorf("%s came back as %v, %v", b, back, err)
		}
	}
	var p Phase
	if p.UnmarshalText([]byte("unknown")) == nil || Phase(99).String() != "unknown" {
		t.Error("a phase nobody knows was taken")
	}
}

func TestEveryResultIsWorded(t *testing.T) {
	seen := map[string]policy.Reason{}
	for _, r := range policy.Reasons() {
		w := Words(r)
		if w == string(r) || w == "" {
			t.Errorf("%s has no words", r)
		}
		if other, twice := seen[w]; twice {
			t.Errorf("%s and %s read alike", r, other)
		}
		seen[w] = r
	}
	if Words("new") != "new" {
		t.Error("a reason of a later version is hidden")
	}
	for _, c := range []struct {
		e    Entry
		want string
	}{
		{Entry{Phase: Running}, "Running"},
		{Entry{Phase: Done, Upstream: 200}, "Done"},
		{Entry{Phase: Done, Upstream: 404}, "Ollama said 404"},
		{Entry{Phase: Refused, Reason: policy.NoKey}, "No key"},
		{Entry{Phase: Failed, Reason: policy.UpstreamUnanswers}, "Ollama did not answer"},
		{Entry{Phase: Failed, Reason: policy.Allowed, Upstream: 500}, "Ollama said 500"},
		{Entry{Phase: Failed, Reason: policy.Allowed, Upstream: 200}, "Ollama reported an error"},
		{Entry{Phase: Cut, CutBy: CutByClient}, "Client left"},
		{Entry{Phase: Cut, CutBy: CutByOwner}, "Stopped by you"},
		{Entry{Phase: Cut, CutBy: CutByKey}, "Key withdrawn"},
		{Entry{Phase: Cut, CutBy: CutBySharing}, "Sharing stopped"},
		{Entry{Phase: Cut, CutBy: CutByStall}, "Client stopped reading"},
		{Entry{Phase: Cut}, "Cut off"},
	} {
		if got := c.e.Result(); got != c.want {
			t.Errorf("%+v: %q, want %q", c.e, got, c.want)
		}
	}
	for d, want := range map[time.Duration]string{
		-1: "", 0: "<1 ms", 1500 * time.Microsecond: "1 ms", 99 * time.Millisecond: "99 ms", 240 * time.Millisecond: "0.2 s", 12300 * time.Millisecond: "12 s", 185 * time.Second: "3 min 5 s",
		59900 * time.Millisecond: "1 min 0 s", 9990 * time.Millisecond: "10 s",
	} {
		if got := Seconds(d); got != want {
			t.Errorf("Seconds(%v) = %q, want %q", d, got, want)
		}
	}
}
