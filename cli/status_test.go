package cli

import (
	"strings"
	"testing"
	"time"

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
		"\nOllama hung with the model llama3:latest, which was unloaded: 1 min ago. The next request loads it again.\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in %s", want, out)
		}
	}
	if strings.Contains(out, "old") {
		t.Errorf("it tells of all of them: %s", out)
	}
	st.Heals[1].Fault = "no answer within 2 seconds"
	if out := statusText(st, now); !strings.Contains(out, "could not be told to unload it (no answer within 2 seconds): 1 min ago.\n") {
		t.Errorf("a model that stays: %s", out)
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
	if line := requestLine(e); !strings.HasSuffix(line, "  5.0 s (waited 3.0 s)") {
		t.Errorf("got %q", line)
	}
	e.Waited, e.Origin = 0, "https://app.example.com"
	if line := requestLine(e); !strings.HasSuffix(line, "Done  5.0 s") {
		t.Errorf("an allowed website: %q", line)
	}
}
