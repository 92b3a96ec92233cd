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
	if got := factWords(k, noon, true); got != "User: chats, embeds and sees the models · ends with the program" {
		t.Errorf("beside a whole table: %q", got)
	}
	if got := factWords(k, noon, false); !strings.Contains(got, "last used 1 h ago · expires 24 Dec 2026") {
		t.Errorf("beside a narrow table: %q", got)
	}
	k.Grant.Expires = noon
	if got := factWords(k, noon, true); !strings.Contains(got, "make a new key and remove this one") {
		t.Errorf("expired: %q", got)
	}
}
