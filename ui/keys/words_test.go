//go:build !lite

package keys

import (
	"strings"
	"testing"
	"time"

	"paddock/keystore"
	"paddock/policy"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.Local)

func TestAgo(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "now", 0: "now", 9 * time.Second: "now", 12 * time.Second: "12 s ago", 59 * time.Second: "59 s ago",
		time.Minute: "1 min ago", 59 * time.Minute: "59 min ago", time.Hour: "1 h ago", 23 * time.Hour: "23 h ago",
		24 * time.Hour: "yesterday", 49 * time.Hour: "2 days ago", 59 * 24 * time.Hour: "59 days ago", 61 * 24 * time.Hour: "24 Sep 2026",
	} {
		if got := agoWord(noon.Add(-d), noon); got != want {
			t.Errorf("%v ago is %q, want %q", d, got, want)
		}
	}
	if got := agoWord(time.Time{}, noon); got != "never" {
		t.Errorf("never is %q", got)
	}
}

func TestStanding(t *testing.T) {
	key := func(suspended bool, expires time.Time) keystore.Key {
		return keystore.Key{Suspended: suspended, Grant: policy.Grant{Expires: expires}}
	}
	for _, x := range []struct {
		key  keystore.Key
		word string
		end  string
	}{
		{key(false, time.Time{}), "On", "never"},
		{key(false, noon.Add(time.Second)), "On", "24 Nov 2026"},
		{key(false, noon), "Expired", "expired"},
		{key(true, time.Time{}), "Suspended", "never"},
		{key(true, noon), "Expired", "expired"}, // switching it on would not let it in
	} {
		word, _ := standingOf(x.key, noon).word()
		if end := expiresWord(x.key.Grant.Expires, noon); word != x.word || end != x.end {
			t.Errorf("%+v is %q and ends %q", x.key, word, end)
		}
	}
}

func TestNameProblem(t *testing.T) {
	have := []keystore.Key{{Name: "Alice"}}
	for _, x := range []struct {
		name string
		sent bool
		want string // the beginning
	}{
		{"ben", true, ""},
		{" ben ", true, ""},
		{"", false, ""},
		{"  ", true, "A key needs a name"},
		{"alice", false, "There is a key of this name"},
		{" ALICE", false, "There is a key of this name"},
		{strings.Repeat("ä", 65), false, "That is too long"},
		{strings.Repeat("ä", 64), false, ""},
		{"a\u202eb", false, "The name holds a character"},
	} {
		got := nameProblem(x.name, have, x.sent)
		if (got == "") != (x.want == "") || !strings.HasPrefix(got, x.want) {
			t.Errorf("%q (sent: %v): %q", x.name, x.sent, got)
		}
	}
}

func TestEveryRoleSaysWhatItMeans(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range policy.Roles() {
		for _, words := range []string{roleWord(r), roleMeans(r)} {
			if words == "" || seen[words] {
				t.Errorf("%v is %q, as another is", r, words)
			}
			seen[words] = true
		}
	}
}

func TestFactsTellWhatTheTableDoesNot(t *testing.T) {
	k := keystore.Key{Vault: keystore.VaultMemory, LastUsed: noon.Add(-time.Hour), Grant: policy.Grant{Expires: noon.AddDate(0, 1, 0)}}
	if got := factWords(k, noon, true); got != "User: chats, embeds and sees the models · expires 24 Dec 2026 · ends with the program" {
		t.Errorf("beside a whole table: %q", got)
	}
	want := "all models, local only · 120 a minute · 4 at once · last used 1 h ago · 0 requests and 0 tokens today · expires 24 Dec 2026"
	if got := factWords(k, noon, false); !strings.Contains(got, want) {
		t.Errorf("beside a narrow table: %q", got)
	}
	k.Grant.Expires = noon
	if got := factWords(k, noon, true); !strings.Contains(got, "choose a later end under Edit") {
		t.Errorf("expired: %q", got)
	}
	k.Grant.TokensPerDay, k.Today.Tokens, k.Grant.InAddress = 50000, 31240, true
	if got := factWords(k, noon, true); !strings.Contains(got, "31\u00a0240 of 50\u00a0000 tokens of the day used · may stand in the address") {
		t.Errorf("with a limit: %q", got)
	}
}

func models(t *testing.T, patterns ...string) policy.Models {
	t.Helper()
	m, err := policy.ParseModels(patterns)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestModelsInTwoLines(t *testing.T) {
	for _, x := range []struct {
		grant         policy.Grant
		title, detail string
	}{
		{policy.Grant{}, "All", "local only"},
		{policy.Grant{Cloud: true}, "All", "local and cloud"},
		{policy.Grant{Models: models(t, "qwen3:8b")}, "1 model", "qwen3:8b"},
		{policy.Grant{Models: models(t, "qwen3:8b", "b")}, "2 models", "qwen3:8b, b"},
		{policy.Grant{Models: models(t, "llama3*")}, "Some", "llama3*"},
	} {
		if title, detail := modelsWords(x.grant); title != x.title || detail != x.detail {
			t.Errorf("%q, %q; want %q, %q", title, detail, x.title, x.detail)
		}
	}
}

func TestGrantInOneLine(t *testing.T) {
	for _, x := range []struct {
		grant policy.Grant
		want  string
	}{
		{policy.Grant{}, "User · local models only · never expires"},
		{policy.Grant{Role: policy.RoleManager, Cloud: true, Expires: noon.AddDate(0, 1, 0)}, "Manager · local and cloud models · expires 24 Dec 2026"},
		{policy.Grant{Models: models(t, "a", "b*"), Cloud: true, Expires: noon}, "User · only a, b* · cloud too · expired 24 Nov 2026"},
		{
			policy.Grant{Rate: policy.Rate{Count: 500, Per: time.Hour}, Concurrent: 1, TokensPerDay: 50000, InAddress: true},
			"User · local models only · 500 an hour · 1 at once · 50\u00a0000 tokens a day · may stand in the address · never expires",
		},
		{policy.Grant{Rate: policy.NoRate, Concurrent: policy.NoCap}, "User · local models only · any number of requests · any number at once · never expires"},
		// What is usual needs no words.
		{policy.Grant{Rate: policy.DefaultRate, Concurrent: policy.DefaultConcurrent, TokensPerDay: policy.NoCap}, "User · local models only · never expires"},
	} {
		if got := grantWords(x.grant, noon); got != x.want {
			t.Errorf("%q, want %q", got, x.want)
		}
	}
}

func TestUntil(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Hour: "13:00", 24 * time.Hour: "12:00 tomorrow", 20 * time.Hour: "08:00 tomorrow",
		6 * 24 * time.Hour: "12:00 on Monday", 7 * 24 * time.Hour: "12:00 on 1 Dec 2026",
	} {
		if got := untilWord(noon.Add(d), noon); got != want {
			t.Errorf("in %v: %q, want %q", d, got, want)
		}
	}
}

func TestAnOldSecretNeverOutlastsItsKey(t *testing.T) {
	for name, x := range map[string]struct {
		key  keystore.Key
		want string
	}{
		"none":                     {keystore.Key{}, ""},
		"over":                     {keystore.Key{OldUntil: noon}, ""},
		"works":                    {keystore.Key{OldUntil: noon.Add(time.Hour)}, "The old secret works until 13:00."},
		"ends with it":             {keystore.Key{OldUntil: noon.Add(2 * time.Hour), Grant: policy.Grant{Expires: noon.Add(time.Hour)}}, "The old secret works until 13:00."},
		"ends before it":           {keystore.Key{OldUntil: noon.Add(time.Hour), Grant: policy.Grant{Expires: noon.Add(2 * time.Hour)}}, "The old secret works until 13:00."},
		"of one that is expired":   {keystore.Key{OldUntil: noon.Add(time.Hour), Grant: policy.Grant{Expires: noon}}, ""},
		"of one that is suspended": {keystore.Key{OldUntil: noon.Add(time.Hour), Suspended: true}, ""},
	} {
		if got := graceWords(x.key, noon); got != x.want {
			t.Errorf("%s: %q, want %q", name, got, x.want)
		}
	}
}

func TestWhatBecomesOfTheOldSecret(t *testing.T) {
	for name, x := range map[string]struct {
		key   keystore.Key
		grace time.Duration
		want  string
	}{
		"none":      {keystore.Key{}, 0, "The old secret is refused at once"},
		"an hour":   {keystore.Key{}, time.Hour, "until 13:00, so alice"},
		"ends":      {keystore.Key{Grant: policy.Grant{Expires: noon.Add(time.Hour)}}, 24 * time.Hour, "until 13:00, so alice"},
		"suspended": {keystore.Key{Suspended: true}, time.Hour, "alice is suspended, so neither secret works now. Let in again, it could use the old one until 13:00."},
		"expired":   {keystore.Key{Grant: policy.Grant{Expires: noon}}, time.Hour, "alice has expired, so neither secret works."},
	} {
		x.key.Name = "alice"
		if got := meansGrace(x.key, x.grace, noon); !strings.Contains(got, x.want) {
			t.Errorf("%s: %q, want %q", name, got, x.want)
		}
	}
}

func TestEnds(t *testing.T) {
	for want, at := range map[string]time.Time{
		"no end": {}, "is over": noon, "to 25 Nov": noon.AddDate(0, 0, 1), "to Nov 2027": noon.AddDate(1, 0, 0),
	} {
		if got := endsWord(at, noon); got != want {
			t.Errorf("%v: %q, want %q", at, got, want)
		}
	}
}

func TestRates(t *testing.T) {
	for text, want := range map[string]string{"120": "120/min", "500/h": "500/h", "10 / s": "10/s", "1": "1/min"} {
		if r, err := parseRate(text); err != nil || r.String() != want {
			t.Errorf("%q is %v, %v", text, r, err)
		}
	}
	for _, text := range []string{"", "0", "-1", "ten", "5/fortnight", "99999999999"} {
		if r, err := parseRate(text); err == nil {
			t.Errorf("%q is %v", text, r)
		}
	}
}

func TestTodayInTwoLines(t *testing.T) {
	k := keystore.Key{Grant: policy.Grant{TokensPerDay: 1000}}
	k.Today.Requests, k.Today.Tokens = 1, 999
	if requests, tokens, spent := todayWords(k); requests != "1 request" || tokens != "999 tokens" || spent {
		t.Errorf("%q, %q, %v", requests, tokens, spent)
	}
	k.Today.Tokens = 1000
	if _, tokens, spent := todayWords(k); tokens != "tokens spent" || !spent {
		t.Errorf("%q, %v", tokens, spent)
	}
}
