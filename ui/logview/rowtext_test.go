package logview

import (
	"strings"
	"testing"
	"time"

	"paddock/policy"
	"paddock/requestlog"
)

func TestRow(t *testing.T) {
	base := requestlog.Entry{
		ID: "x", Time: day, Phase: requestlog.Done, Reason: policy.Allowed, KeyID: "1", Key: "alice", Colour: 2,
		Address: "192.168.1.31", Program: "curl", Action: "Chat", Model: "qwen3:8b", Upstream: 200, Took: 4800 * ms,
	}
	with := func(change func(*requestlog.Entry)) requestlog.Entry {
		e := base
		change(&e)
		return e
	}
	for name, c := range map[string]struct {
		entry requestlog.Entry
		want  map[string]string
		mark  Mark
		chip  int
	}{
		"done": {base, map[string]string{
			colTime: "14:32:14", colWho: "alice", colDevice: "192.168.1.31", colProgram: "curl", colWhat: "Chat", colModel: "qwen3:8b",
			colResult: "Done", colFirst: "", colRate: "", colTokens: "", colTook: "4.8 s",
		}, MarkDone, 3},
		"with figures": {
			with(func(e *requestlog.Entry) { e.FirstToken, e.Rate, e.TokensIn, e.TokensOut = 300*ms, 71.4, 96, 341 }),
			map[string]string{colFirst: "0.3 s", colRate: "71", colTokens: "96→341"},
			MarkDone, 3,
		},
		"waiting": {
			with(func(e *requestlog.Entry) {
				e.Phase, e.Place, e.Waited, e.Took = requestlog.Waiting, 3, 1200*ms, 1200*ms
			}),
			map[string]string{colResult: "Waiting, 3rd", colWaited: "1.2 s", colTook: "1.2 s"},
			MarkWaiting, 3,
		},
		"not kept waiting":   {with(func(e *requestlog.Entry) { e.Waited = ms }), map[string]string{colWaited: ""}, MarkDone, 3},
		"slow":               {with(func(e *requestlog.Entry) { e.Rate, e.TokensOut = 8.44, 12 }), map[string]string{colRate: "8.4", colTokens: "→12"}, MarkDone, 3},
		"an embedding":       {with(func(e *requestlog.Entry) { e.TokensIn, e.FirstToken = 512, ms }), map[string]string{colTokens: "512→0", colFirst: ""}, MarkDone, 3},
		"running":            {with(func(e *requestlog.Entry) { e.Phase = requestlog.Running }), map[string]string{colResult: "Running", colTook: "4.8 s"}, MarkRunning, 3},
		"refused":            {with(func(e *requestlog.Entry) { e.Phase, e.Reason = requestlog.Refused, policy.ManagersOnly }), map[string]string{colResult: "Managers only", colTook: ""}, MarkRefused, 3},
		"nobody":             {with(func(e *requestlog.Entry) { e.KeyID, e.Key, e.Colour = "", "", 0 }), map[string]string{colWho: "unknown"}, MarkDone, 0},
		"the first colour":   {with(func(e *requestlog.Entry) { e.Colour = 0 }), map[string]string{colWho: "alice"}, MarkDone, 1},
		"failed":             {with(func(e *requestlog.Entry) { e.Phase, e.Reason = requestlog.Failed, policy.UpstreamTimeout }), map[string]string{colResult: "Ollama took too long"}, MarkAttention, 3},
		"an error of Ollama": {with(func(e *requestlog.Entry) { e.Upstream = 404 }), map[string]string{colResult: "Ollama said 404"}, MarkAttention, 3},
		"stopped":            {with(func(e *requestlog.Entry) { e.Phase, e.CutBy = requestlog.Cut, requestlog.CutByOwner }), map[string]string{colResult: "Stopped by you"}, MarkStopped, 3},
		"not encrypted":      {with(func(e *requestlog.Entry) { e.Phase, e.Reason = requestlog.Refused, policy.PlainHTTP }), map[string]string{colResult: "Not encrypted"}, MarkRefused, 3},
		"in a pause":         {with(func(e *requestlog.Entry) { e.Phase, e.Reason = requestlog.Refused, policy.Paused }), map[string]string{colResult: "Paused", colTook: ""}, MarkPaused, 3},
		"cut by a pause":     {with(func(e *requestlog.Entry) { e.Phase, e.CutBy = requestlog.Cut, requestlog.CutByPause }), map[string]string{colResult: "Paused"}, MarkPaused, 3},
		"cut by a panic":     {with(func(e *requestlog.Entry) { e.Phase, e.CutBy = requestlog.Cut, requestlog.CutByPanic }), map[string]string{colResult: "Panic"}, MarkStopped, 3},
		"a note": {requestlog.Entry{Time: day, Phase: requestlog.Event, Action: "Paused until 15:04"}, map[string]string{
			colTime: "14:32:14", colWhat: "Paused until 15:04", colWho: "", colResult: "", colTook: "", colDevice: "",
		}, MarkEvent, 0},
		"yesterday": {with(func(e *requestlog.Entry) { e.Time = day.AddDate(0, 0, -1) }), map[string]string{colTime: "Sun 14:32"}, MarkDone, 3},
	} {
		r := Row(c.entry, day)
		for column, want := range c.want {
			if got := r.Cell(column); got != want {
				t.Errorf("%s: %s is %q, want %q", name, column, got, want)
			}
		}
		if r.Mark != c.mark || r.Chip != c.chip {
			t.Errorf("%s: mark %d chip %d, want %d and %d", name, r.Mark, r.Chip, c.mark, c.chip)
		}
		if r.NothingHappened != (c.entry.Phase == requestlog.Refused) {
			t.Errorf("%s: NothingHappened is %v", name, r.NothingHappened)
		}
	}
	if r := Row(base, day).Stopping(); r.Result != "Stopping…" || r.Mark != MarkStopped {
		t.Errorf("stopping is %+v", r)
	}
}

// Every way a request can end has a word, and every mark a picture.
func TestEveryPhaseHasAMark(t *testing.T) {
	for p := requestlog.Running; p <= requestlog.Event; p++ {
		r := Row(requestlog.Entry{Time: day, Phase: p, Reason: policy.NoKey, Action: "Chat"}, day)
		if r.Result == "" && r.What == "" || (r.Result == "") != r.Across || int(r.Mark) >= len(marks) || marks[r.Mark].icon == "" {
			t.Errorf("%v: %+v", p, r)
		}
	}
}

func TestLetterOfAName(t *testing.T) {
	for name, want := range map[string]string{"alice": "A", "'ben'": "B", "élan": "É", "7 of 9": "7", "…": "•", "": "•", "日本": "日"} {
		if got := letter(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestEveryColumnHasAText(t *testing.T) {
	e := finishedDay()[0]
	for _, c := range columns {
		if Row(e, day).Cell(c.id) == "" {
			t.Errorf("%s shows nothing", c.id)
		}
	}
	if Row(e, day).Cell("nonsense") != "" {
		t.Error("a column that does not exist shows something")
	}
}

func TestCopiedRow(t *testing.T) {
	clear := finishedDay()[15]
	clear.TLS = ""
	got := CopyText(clear, day)
	want := "2026-11-23 14:31:22\tben\t192.168.1.40\tOpen WebUI\tChat\tllama3.2:70b\tOllama said 404\t\t\t\t\t31 ms\tnot encrypted"
	if got != want {
		t.Errorf("copied\n%q, want\n%q", got, want)
	}
	if got := CopyText(finishedDay()[15], day); strings.Contains(got, "encrypted") {
		t.Errorf("an encrypted request is copied as %q", got)
	}
	if got, want := CopyText(note("14:32:03", "Paused until 14:47"), day), "2026-11-23 14:32:03\t\t\t\tPaused until 14:47\t\t\t\t\t\t\t"; got != want {
		t.Errorf("a note is copied as %q", got)
	}
	evil := req(nobody, "14:00:00", "=HYPERLINK(1)", "Chat", "@x\ty\nz", nil)
	cells := strings.Split(CopyText(evil, day), "\t")
	if len(cells) != len(columns) || cells[3] != "'=HYPERLINK(1)" || cells[5] != "'@x y z" {
		t.Errorf("a row that wants to be a formula is copied as %q", cells)
	}
}

func TestSummary(t *testing.T) {
	e := req(ben, "14:31:40", "Firefox", "Chat", "", func(e *requestlog.Entry) {
		refused(policy.OriginNotAllowed, 403)(e)
		e.Origin, e.TLS = "http://evil.example", ""
	})
	result, facts := Summary(e, day)
	if want := "14:31:40 · ben (pdk_Zr4…) · 192.168.1.40 · Firefox · Chat · from http://evil.example · POST /api/chat · answered 403 · not encrypted"; facts != want || result != "Website not allowed" {
		t.Errorf("%q %q", result, facts)
	}
}

func TestStatusLine(t *testing.T) {
	since := time.Date(2026, 11, 23, 8, 14, 0, 0, time.Local)
	for want, got := range map[string]string{
		"214 requests since 08:14 · 9 refused · 1 running":                  statusLine(1, 0, requestlog.Totals{Since: since, Requests: 213, Refused: 9}, 0, day),
		"5 requests since 08:14 · 2 running · 1 waiting":                    statusLine(2, 1, requestlog.Totals{Since: since, Requests: 2}, 0, day),
		"No requests since 08:14":                                           statusLine(0, 0, requestlog.Totals{Since: since}, 0, day),
		"1 request since 08:14":                                             statusLine(0, 0, requestlog.Totals{Since: since, Requests: 1}, 0, day),
		"1\u00a0234\u00a0567 requests since Sun 08:14 · 12\u00a0000 failed": statusLine(0, 0, requestlog.Totals{Since: since.AddDate(0, 0, -1), Requests: 1234567, Failed: 12000}, 0, day),
		"5 requests since 08:14 · 4 gone before they could be listed":       statusLine(0, 0, requestlog.Totals{Since: since, Requests: 5}, 4, day),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
