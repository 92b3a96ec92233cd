package logview

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"

	"paddock/policy"
	"paddock/requestlog"
	"paddock/share"
	"paddock/ui/theme"
)

// day is the moment of the pictures.
var day = time.Date(2026, 11, 23, 14, 32, 14, 0, time.Local)

// who made the requests of the pictures.
var (
	alice   = requestlog.Entry{KeyID: "1", Key: "alice", Hint: "pdk_7Qm", Colour: 0, Address: "192.168.1.31"}
	ben     = requestlog.Entry{KeyID: "2", Key: "ben", Hint: "pdk_Zr4", Colour: 1, Address: "192.168.1.40"}
	nas     = requestlog.Entry{KeyID: "3", Key: "n8n on the NAS", Hint: "pdk_e0K", Colour: 2, Address: "192.168.1.9"}
	carol   = requestlog.Entry{KeyID: "4", Key: "carol's laptop", Hint: "pdk_Vx9", Colour: 3, Address: "fd12:3456:789a:1::1f2e"}
	nobody  = requestlog.Entry{Address: "192.168.1.52"}
	builder = requestlog.Entry{KeyID: "5", Key: "the build machine in the cellar", Hint: "pdk_aa1", Colour: 4, Address: "192.168.100.131"}
)

func req(e requestlog.Entry, at string, program, action, model string, more func(*requestlog.Entry)) requestlog.Entry {
	t, err := time.ParseInLocation("2006-01-02 15:04:05", "2026-11-23 "+at, time.Local)
	if err != nil {
		panic(err)
	}
	e.ID, e.Time, e.Program, e.Action, e.Model = "id-"+at, t, program, action, model
	e.Phase, e.Reason, e.Method, e.Path, e.Status, e.Upstream, e.TLS = requestlog.Done, policy.Allowed, "POST", "/api/chat", 200, 200, "TLS 1.3"
	if more != nil {
		more(&e)
	}
	return e
}

func took(d time.Duration) func(*requestlog.Entry) {
	return func(e *requestlog.Entry) { e.Took = d }
}

func tokens(first time.Duration, rate float64, in, out int64, d time.Duration) func(*requestlog.Entry) {
	return func(e *requestlog.Entry) {
		e.FirstToken, e.Rate, e.TokensIn, e.TokensOut, e.Took = first, rate, in, out, d
	}
}

func refused(r policy.Reason, status int) func(*requestlog.Entry) {
	return func(e *requestlog.Entry) { e.Phase, e.Reason, e.Status, e.Upstream = requestlog.Refused, r, status, 0 }
}

const ms = time.Millisecond

// finishedDay is oldest first.
func finishedDay() []requestlog.Entry {
	list := []requestlog.Entry{
		req(alice, "14:19:02", "Continue", "Chat", "qwen3:8b", func(e *requestlog.Entry) {
			tokens(420*ms, 31.2, 12045, 6553, 3*time.Minute+31*time.Second)(e)
			e.Waited = 2300 * ms
		}),
		req(nobody, "14:20:11", "python", "Chat", "", refused(policy.WrongKey, 401)),
		req(nas, "14:21:40", "n8n", "Embed", "nomic-embed-text", tokens(0, 0, 505, 0, 231*ms)),
		req(carol, "14:22:13", "JavaScript", "Chat", "llama3.2:3b", tokens(300*ms, 70, 22, 118, 1900*ms)),
		req(alice, "14:23:30", "Continue", "List models", "", took(12*ms)),
		req(builder, "14:24:07", "Ollama for JetBrains", "Chat", "hf.co/unsloth/Qwen3-Coder-30B-A3B-Instruct-GGUF:Q4_K_M", func(e *requestlog.Entry) {
			tokens(4200*ms, 8.4, 3904, 512, 65*time.Second)(e)
			e.Phase, e.CutBy = requestlog.Cut, requestlog.CutByStall
		}),
		req(ben, "14:25:13", "Open WebUI", "Chat", "qwen3:8b", func(e *requestlog.Entry) {
			tokens(700*ms, 28, 340, 112, 4600*ms)(e)
			e.Phase, e.CutBy = requestlog.Cut, requestlog.CutByOwner
		}),
		req(carol, "14:25:59", "JavaScript", "Chat", "llama3.2:3b", refused(policy.SuspendedKey, 401)),
		req(alice, "14:26:18", "Continue", "Chat", "qwen3:8b", tokens(900*ms, 29, 1204, 655, 25400*ms)),
		req(nobody, "14:27:40", "python", "List models", "", refused(policy.NoKey, 401)),
		req(nas, "14:28:02", "n8n", "Embed", "nomic-embed-text", tokens(0, 0, 498, 0, 214*ms)),
		req(alice, "14:28:47", "curl", "Chat", "qwen3:8b", func(e *requestlog.Entry) {
			e.Phase, e.Reason, e.Took, e.Upstream = requestlog.Failed, policy.UpstreamUnanswers, time.Minute, 0
		}),
		req(alice, "14:29:31", "Firefox", "Chat", "llama3.2:3b", func(e *requestlog.Entry) {
			refused(policy.OriginNotAllowed, 403)(e)
			e.Origin = "https://chat.example.com"
		}),
		req(alice, "14:29:55", "Continue", "List models", "", took(104*ms)),
		req(ben, "14:30:12", "Open WebUI", "Chat", "llama3.2:3b", tokens(300*ms, 71, 96, 341, 4800*ms)),
		req(ben, "14:31:22", "Open WebUI", "Chat", "llama3.2:70b", func(e *requestlog.Entry) {
			took(31 * ms)(e)
			e.Upstream, e.Status = 404, 404
		}),
		req(ben, "14:31:40", "ollama", "Pull model", "llama3.2:3b", func(e *requestlog.Entry) {
			refused(policy.ManagersOnly, 403)(e)
			e.Path = "/api/pull"
		}),
		req(nas, "14:31:57", "n8n", "Embed", "nomic-embed-text", tokens(0, 0, 512, 0, 205*ms)),
	}
	for i := range list {
		list[i].Seq = uint64(197 + i)
	}
	return list
}

func runningDay() []requestlog.Entry {
	list := []requestlog.Entry{
		req(alice, "14:32:08", "Continue", "Chat", "qwen3:8b", tokens(600*ms, 27, 0, 148, 6100*ms)),
		req(nas, "14:32:13", "n8n", "Embed", "nomic-embed-text", took(1200*ms)),
	}
	for i := range list {
		list[i].Phase, list[i].Status, list[i].Upstream = requestlog.Running, 0, 0
	}
	return list
}

func totalsDay() requestlog.Totals {
	return requestlog.Totals{Since: day.Add(-6*time.Hour - 18*time.Minute), Requests: 212, Refused: 9, Failed: 1}
}

func sharing() share.State {
	return share.State{
		Phase: share.Sharing, Addresses: []share.Address{{Label: "Name", URL: "https://anna-mbp.local:11435"}}, Ollama: share.Ollama{Health: share.Answers},
		Encrypted: true, Encryption: share.Encryption{Ready: true, Required: true},
	}
}

func dayBatch() batch {
	return batch{at: day, finished: finishedDay(), running: runningDay(), totals: totalsDay(), state: sharing()}
}

// waitingBatch is a day on which one runs and three wait.
func waitingBatch() batch {
	b := dayBatch()
	b.running = b.running[:1]
	for i, who := range []requestlog.Entry{nas, ben, builder} {
		e := req(who, fmt.Sprintf("14:32:%02d", 9+i), "Open WebUI", "Chat", "llama3.2:3b", nil)
		e.Phase, e.Place, e.Status, e.Upstream = requestlog.Waiting, []int{1, 2, 21}[i], 0, 0
		e.Waited = day.Sub(e.Time)
		e.Took = e.Waited
		b.running = append(b.running, e)
	}
	return b
}

// note is what was no request.
func note(at, what string) requestlog.Entry {
	e := req(requestlog.Entry{}, at, "", what, "", nil)
	return requestlog.Entry{Time: e.Time, Phase: requestlog.Event, Action: what}
}

// Rows of eventfulBatch.
const (
	inClearRow = 216
	noteRow    = 217
)

// eventfulBatch is a day on which things were done that are no requests.
func eventfulBatch() batch {
	b := dayBatch()
	b.running = b.running[:1]
	more := []requestlog.Entry{
		note("14:32:00", "192.168.1.40 does not trust the certificate: give it ca.pem"),
		req(ben, "14:32:01", "ollama", "Chat", "llama3.2:3b", func(e *requestlog.Entry) {
			refused(policy.PlainHTTP, 426)(e)
			e.TLS = ""
		}),
		note("14:32:03", "Paused until 14:47"),
		req(nas, "14:32:04", "n8n", "Embed", "nomic-embed-text", refused(policy.Paused, 503)),
		req(alice, "14:32:05", "Continue", "Chat", "qwen3:8b", func(e *requestlog.Entry) {
			e.Phase, e.CutBy, e.Status, e.Upstream = requestlog.Cut, requestlog.CutByPause, 503, 0
		}),
		note("14:32:06", "Resumed"),
		note("14:32:07", "A new certificate authority; the old one is trusted no more"),
	}
	for i := range more {
		more[i].Seq = uint64(215 + i)
	}
	b.finished = append(b.finished, more...)
	return b
}

// refusedWebsite is the row of finishedDay that a website sent.
const refusedWebsite = 209

// idle is a source that has nothing.
type idle struct{}

func (idle) Since(seq uint64, _ int) ([]requestlog.Entry, uint64, uint64) { return nil, seq, 0 }
func (idle) Running(time.Time) []requestlog.Entry                         { return nil }
func (idle) Counts() (int, requestlog.Totals)                             { return 0, requestlog.Totals{} }
func (idle) Watch() (<-chan struct{}, func())                             { return nil, func() {} }

// stage is a view in a window, as the pictures and the tests use it.
type stage struct {
	*View
	window  fyne.Window
	stopped []string
	started int
	copied  string
	allowed []string
	inClear int // how often plain HTTP was allowed
}

func newStage(t testing.TB, th fyne.Theme, size fyne.Size) *stage {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(th)
	s := &stage{}
	s.View = New(idle{}, Actions{
		State: sharing,
		Start: func() { s.started++ },
		Stop:  func(id string) bool { s.stopped = append(s.stopped, id); return true },
		Copy:  func(text string) { s.copied = text },
		Allow: func(origin string) { s.allowed = append(s.allowed, origin) },

		AllowHTTP: func() { s.inClear++ },
	})
	s.window = app.NewWindow("Request log")
	t.Cleanup(s.window.Close)
	s.window.SetPadded(false)
	s.window.SetContent(s.Content())
	s.window.Resize(size)
	s.Attach(s.window)
	return s
}

// later adds n finished requests to a batch.
func later(b batch, n int) batch {
	b.finished = nil
	for i := range n {
		e := finishedDay()[i%5]
		e.Seq, e.ID, e.Time = uint64(215+i), fmt.Sprint("later ", i), day.Add(time.Duration(i)*time.Second)
		b.finished = append(b.finished, e)
	}
	b.at = day.Add(time.Duration(n) * time.Second)
	return b
}

// scene is one picture.
type scene struct {
	name string
	do   func(s *stage)
}

var scenes = []scene{
	{"full", func(s *stage) { s.apply(dayBatch()) }},
	{"held", func(s *stage) {
		s.apply(dayBatch())
		s.board.Select(Key{Seq: 213})
		s.apply(later(dayBatch(), 12))
	}},
	{"demo", func(s *stage) {
		b := dayBatch()
		b.running, b.state.Ollama.Demo = nil, true
		s.apply(b)
		s.toggleFollow()
		s.apply(later(b, 3))
	}},
	{"running-selected", func(s *stage) {
		b := dayBatch()
		for i := range 4 {
			e := runningDay()[0]
			e.ID, e.TokensOut, e.Program = fmt.Sprint("more ", i), int64(i*100), "Open WebUI"
			b.running = append(b.running, e)
		}
		s.apply(b)
		s.board.Select(Key{ID: b.running[0].ID})
		s.View.stop(b.running[1].ID)
	}},
	{"waiting", func(s *stage) { s.apply(waitingBatch()) }},
	{"website", func(s *stage) {
		s.apply(dayBatch())
		s.board.Select(Key{Seq: refusedWebsite})
	}},
	{"events", func(s *stage) { s.apply(eventfulBatch()) }},
	{"note", func(s *stage) {
		s.apply(eventfulBatch())
		s.board.Select(Key{Seq: 215})
	}},
	{"in-clear", func(s *stage) {
		s.apply(eventfulBatch())
		s.board.Select(Key{Seq: inClearRow})
	}},
	{"question", func(s *stage) {
		s.apply(eventfulBatch())
		s.board.Select(Key{Seq: inClearRow})
		s.board.mendRow()
	}},
	{"paused", func(s *stage) {
		b := eventfulBatch()
		b.state.Phase, b.state.PausedUntil, b.state.Encrypted = share.Paused, day.Add(15*time.Minute), false
		b.running = nil
		s.apply(b)
	}},
	{"silent-paused", func(s *stage) {
		st := sharing()
		st.Phase, st.PausedUntil = share.Paused, day.Add(15*time.Minute)
		s.apply(batch{at: day, state: st, totals: requestlog.Totals{Since: day}})
	}},
	{"not-sharing", func(s *stage) {
		s.apply(batch{at: day, state: share.State{Phase: share.Off}, totals: requestlog.Totals{Since: day}})
	}},
	{"silent", func(s *stage) { s.apply(batch{at: day, state: sharing(), totals: requestlog.Totals{Since: day}}) }},
	{"shortcuts", func(s *stage) { s.apply(dayBatch()); s.help() }},
	{"stopped", func(s *stage) {
		b := dayBatch()
		b.running, b.state = nil, share.State{Phase: share.Off}
		s.apply(b)
	}},
}

// TestScenes draws every scene in both sizes, light, dark and large. With
// PADDOCK_SHOTS naming a folder it leaves the pictures there to be looked at.
func TestScenes(t *testing.T) {
	dir := os.Getenv("PADDOCK_SHOTS")
	modes := map[string]fyne.Theme{"light": theme.New(theme.Light), "dark": theme.New(theme.Dark), "large": theme.New(theme.Light).WithTextScale(1.5)}
	for mode, th := range modes {
		for width, size := range map[string]fyne.Size{"wide": fyne.NewSize(1280, 760), "narrow": fyne.NewSize(900, 600)} {
			for _, c := range scenes {
				if dir == "" && (width == "wide" || mode == "large" && c.name != "demo" || mode == "dark" && c.name != "held") {
					continue // drawing in software is slow: every scene once, and the hardest in each mode
				}
				name := fmt.Sprintf("log-%s-%s-%s", c.name, width, mode)
				s := newStage(t, th, size)
				c.do(s)
				if dir != "" {
					s.window.Canvas().(software.WindowlessCanvas).SetScale(2)
					s.window.Resize(size.AddWidthHeight(1, 0))
					s.window.Resize(size)
				}
				img := s.window.Canvas().Capture()
				if n := tints(img); n < 8 {
					t.Errorf("%s shows only %d colours", name, n)
				}
				if dir != "" {
					save(t, filepath.Join(dir, name+".png"), img)
				}
			}
		}
	}
}

func tints(img image.Image) int {
	seen := map[color.Color]bool{}
	for y := 0; y < img.Bounds().Dy(); y += 3 {
		for x := 0; x < img.Bounds().Dx(); x += 3 {
			seen[img.At(x, y)] = true
		}
	}
	return len(seen)
}

func save(t *testing.T, path string, img image.Image) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
}
