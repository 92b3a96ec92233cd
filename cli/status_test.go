package cli

import (
	"strings"
	"testing"
	"time"

	"paddock/keystore"
	"paddock/policy"
	"paddock/requestlog"
	"paddock/share"
)

func TestStatusTellsOfWaitingRequestsAndOfModelsThatHung(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	st := share.State{Phase: share.Sharing, Running: 2, Waiting: 3, Heals: []share.Heal{
		{Model: "old", At: now.Add(-2 * time.Minute)},
		{Model: "llama3:latest", At: now.Add(-time.Minute)},
	}}
	out := statusText(st, now)
	for _, want := range []string{
		"2 requests running, 3 waiting, 0 requests so far",
		"\n1 min ago Ollama hung with llama3:latest; Paddock unloaded it, and the next request loads it again.\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in %s", want, out)
		}
	}
	if strings.Contains(out, "old") {
		t.Errorf("it tells of all of them: %s", out)
	}
	st.Heals[1].Fault = "no answer within 2 seconds"
	if out := statusText(st, now); !strings.Contains(out, "1 min ago Ollama hung with llama3:latest, and Paddock could not unload it (no answer within 2 seconds).\n") {
		t.Errorf("a model that stays: %s", out)
	}
	st.Heals[1].At = now.Add(-time.Second)
	if out := statusText(st, now); !strings.Contains(out, "\nJust now Ollama hung with llama3:latest, and") {
		t.Errorf("just now: %s", out)
	}
	if out := statusText(st, now.Add(time.Hour)); strings.Contains(out, "hung") {
		t.Errorf("an hour later: %s", out)
	}
	st.Waiting = 0
	if out := statusText(st, now); strings.Contains(out, "waiting") {
		t.Errorf("nobody waits: %s", out)
	}
}

func TestARequestThatWaited(t *testing.T) {
	e := requestlog.Entry{Phase: requestlog.Done, Reason: policy.Allowed, Action: "Chat", Took: 5 * time.Second, Waited: 3 * time.Second, TLS: "1.3"}
	if line := requestLine(e); !strings.HasSuffix(line, "  Chat                Done                    5.0 s (waited 3.0 s)") {
		t.Errorf("got %q", line)
	}
	e.Waited, e.Origin = 0, "https://app.example.com"
	if line := requestLine(e); !strings.HasSuffix(line, "Done                    5.0 s") {
		t.Errorf("an allowed website: %q", line)
	}
}

func TestWhatCtrlCSaysOfRequests(t *testing.T) {
	for want, st := range map[string]share.State{
		"": {},
		"Stopping: 1 request may finish within five seconds. Ctrl-C again ends it at once.":                           {Running: 1},
		"Stopping: 2 requests may finish within five seconds, 1 that waits is refused. Ctrl-C again ends it at once.": {Running: 2, Waiting: 1},
		"Stopping: 1 request may finish within five seconds, 3 that wait are refused. Ctrl-C again ends it at once.":  {Running: 1, Waiting: 3},
		"Stopping: 1 request that waits is refused.":                                                                  {Waiting: 1},
		"Stopping: 2 requests that wait are refused.":                                                                 {Waiting: 2},
	} {
		if got := stopping(st); got != want {
			t.Errorf("%d running, %d waiting: %q", st.Running, st.Waiting, got)
		}
	}
}

func TestWhatBecomesOfAnOldKey(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.Local)
	hour, two := now.Add(time.Hour), now.Add(2*time.Hour)
	for _, c := range []struct {
		key           keystore.Key
		rotated, list string
	}{
		{keystore.Key{}, "the old key of alice works no more", "on"},
		{keystore.Key{OldUntil: now}, "the old key of alice works no more", "on"},
		{keystore.Key{OldUntil: hour}, "the old key of alice works until 2026-11-23 13:00", "on, old key too until 2026-11-23 13:00"},
		{keystore.Key{OldUntil: two, Grant: policy.Grant{Expires: hour}}, "the old key of alice works until 2026-11-23 13:00", "on, old key too until 2026-11-23 13:00"},
		{keystore.Key{OldUntil: hour, Suspended: true}, "alice is suspended: neither its old key nor the new one works until it is resumed", "suspended, old key too"},
		{keystore.Key{OldUntil: hour, Grant: policy.Grant{Expires: now}}, "alice has expired: neither its old key nor the new one works until it ends later", "expired, old key too"},
		{keystore.Key{Suspended: true}, "the old key of alice works no more", "suspended"},
	} {
		c.key.Name = "alice"
		if got := afterRotation(c.key, now); got != c.rotated {
			t.Errorf("%+v: %q", c.key, got)
		}
		if got := keyState(c.key, now); got != c.list {
			t.Errorf("%+v: %q", c.key, got)
		}
	}
}

func TestLimitsOfOne(t *testing.T) {
	if got := limits(policy.Grant{Rate: policy.NoRate, Concurrent: 1, TokensPerDay: 1}); got != "1 at once, 1 token a day" {
		t.Error(got)
	}
}

func TestHintsNameTheHome(t *testing.T) {
	a := &app{}
	const said = "there is no key; `paddock keys list` shows them, `paddock status` tells, and a paddock is a field"
	if got := a.hints(said); got != said {
		t.Error(got)
	}
	a.prefix = "./bin/paddock --home '/a b'"
	if got := a.hints(said); got != "there is no key; `./bin/paddock --home '/a b' keys list` shows them, `./bin/paddock --home '/a b' status` tells, and a paddock is a field" {
		t.Error(got)
	}
}
