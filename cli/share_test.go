package cli_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"paddock/cli"
	"paddock/internal/standin"
	"paddock/keystore"
	"paddock/requestlog"
	"paddock/share"
)

func TestShare(t *testing.T) {
	d := newDesk(t)
	show, url := d.share()
	secure := strings.Replace(url, "http:", "https:", 1)
	show.see(`^Sharing at\n  ` + secure + `  \(This machine only\)\n  ` + url + `   \(This machine only, not encrypted\)\nEncrypted\. .*SHA-256 with\n  [0-9A-F:]{95}\nPlain HTTP is allowed: anybody on this network who listens in can read the keys and prompts that come by it\.\nBuilt-in demo instead of Ollama: answers come from Paddock, not from a model\n`)
	show.see(`A key named demo is ready; print it with: paddock --home \S+ keys copy demo\nTry it from another terminal:\n  curl --cacert \S+/ca\.pem ` + secure + `/api/generate -H "Authorization: Bearer \$\(paddock --home \S+ keys copy demo\)" -d '.*'\n`)
	show.see("Ctrl-C ends it\\.\n")
	key := strings.TrimSpace(d.must("keys", "copy", "demo"))
	if code := get(t, url, key); code != http.StatusOK {
		t.Errorf("a request: %d", code)
	}
	show.see(`\d\d:\d\d:\d\d  demo            127\.0\.0\.1        Go +List models +Done +<?\d+ ms  \(not encrypted\)  \(demo\)\n`)
	if code := get(t, url, ""); code != http.StatusUnauthorized {
		t.Errorf("without a key: %d", code)
	}
	show.see(`unknown +127\.0\.0\.1 .* No key`)

	d.says(0, "~^Sharing at\n  "+secure+"  \\(This machine only\\)\n  "+url+" .*\nEncrypted.*\n  [0-9A-F:]+\nPlain HTTP is allowed: .*\nBuilt-in demo .*\n1 key, 1 teammate lately, 0 requests running, 2 requests so far \\(1 refused, 0 failed\\)\n$", "", "status")
	var st struct {
		InstanceRuns bool `json:"instance_runs"`
		share.State
	}
	if err := json.Unmarshal([]byte(d.must("status", "--json")), &st); err != nil || !st.InstanceRuns || st.Phase != share.Sharing || st.Address() != secure || len(st.PlainAddresses) != 1 || st.PlainAddresses[0].URL != url || !st.Ollama.Demo || st.Totals.Requests != 2 {
		t.Errorf("status --json: %v %+v", err, st)
	}

	d.says(1, "", "paddock: a Paddock already runs on this home and shares at "+secure+"\n", "share")
	d.says(1, "", "~^paddock: a Paddock already runs on this home, so --listen, --ollama, --allow-http and --demo cannot be changed from here", "share", "--demo")

	if code := show.end(); code != 0 {
		t.Errorf("Ctrl-C: exit code %d", code)
	}
	if said := show.err.String(); said != "Sharing stopped.\n" {
		t.Errorf("it said %q", said)
	}
	d.says(0, "Paddock does not run, so nothing is shared.\n", "", "status")
	if err := json.Unmarshal([]byte(d.must("status", "--json")), &st); err != nil || st.InstanceRuns || st.Phase != share.Off || st.Addresses == nil {
		t.Errorf("status --json while nothing runs: %v %+v", err, st)
	}
}

func TestShareAsJSON(t *testing.T) {
	d := newDesk(t)
	show := d.start("share", "--json", "--demo", "--listen", "127.0.0.1:0")
	url := show.see(`"url":"(http://127\.0\.0\.1:\d+)"`)[1]
	get(t, url, "")
	show.see(`"event":"request"`)
	show.end()
	events := map[string]int{}
	for line := range strings.Lines(show.out.String()) {
		var e struct {
			Event   string           `json:"event"`
			State   share.State      `json:"state"`
			Request requestlog.Entry `json:"request"`
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Errorf("%q: %v", line, err)
		}
		events[e.Event]++
		if e.Event == "request" && (e.Request.Status != http.StatusUnauthorized || e.Request.Seq != 1) {
			t.Errorf("the request: %+v", e.Request)
		}
	}
	if events["state"] == 0 || events["request"] != 1 || len(events) != 2 {
		t.Errorf("events: %v", events)
	}
}

func TestShareSaysWhatIsInTheWay(t *testing.T) {
	d := newDesk(t)
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	show := d.start("share", "--listen", other.Addr().String(), "--ollama", "127.0.0.1:1")
	show.see(`Not sharing: ` + other.Addr().String() + ` is in use by .*; waiting for it`)
	show.see(`Ollama does not answer at http://127\.0\.0\.1:1 \(connection refused\); start it, or try `)
	other.Close()
	show.see(`Sharing at\n  https://` + other.Addr().String())
	show.see(`No keys yet, so nobody can use it\. Make one with: paddock --home \S+ keys add NAME`)
	if n := strings.Count(show.out.String(), "No keys yet"); n != 1 {
		t.Errorf("it says %d times that there are no keys", n)
	}

	for name, c := range map[string]struct{ args, said string }{
		"itself":         {"--ollama 127.0.0.1:23456 --listen 127.0.0.1:23456", `leads back to Paddock itself`},
		"a machine away": {"--ollama http://nowhere.invalid --listen 127.0.0.1:0", `Ollama does not answer at http://nowhere\.invalid:80 \(.*\); start it`},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.start(append([]string{"share"}, strings.Fields(c.args)...)...).see(c.said)
		})
	}
}

func TestADemoThatCannotHaveItsKey(t *testing.T) {
	d := newDesk(t)
	d.vault.refuse(keystore.ErrLocked)
	show, _ := d.share()
	show.see(`The key named demo could not be made: the keychain is locked\. Make one with: paddock --home \S+ keys add NAME`)
	d.says(0, "~About the keys: the keychain is locked\\.\n$", "", "status")
}

func TestStop(t *testing.T) {
	d := newDesk(t)
	d.says(0, "", "Paddock does not run, so nothing is shared.\n", "stop")
	for range 5 { // a script that goes on at once finds no remains
		show, url := d.share()
		d.says(0, "", "Sharing stopped.\n", "stop")
		if c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://")); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("after stop somebody listens: %v %v", c, err)
		}
		d.says(0, "Paddock does not run, so nothing is shared.\n", "", "status")
		// No wait for the process: its home must be free already.
		d.must("keys", "list")
		if code := show.wait(); code != 0 {
			t.Errorf("share ended with %d", code)
		}
	}
}

// chat begins a stream that ends only when it is cut.
func chat(t *testing.T, url, key string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/api/generate", strings.NewReader(`{"model":"demo","prompt":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	res, err := (&http.Client{Transport: tr}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != http.StatusOK {
		t.Fatalf("chat: %d", res.StatusCode)
	}
	return res
}

func loop(t *testing.T) string {
	t.Helper()
	url, stop, err := standin.Start(context.Background(), standin.Options{Loop: true, TokenDelay: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return url
}

func TestStopWhileARequestRuns(t *testing.T) {
	d := newDesk(t)
	at := loop(t)
	show := d.start("share", "--listen", "127.0.0.1:0", "--ollama", at)
	url := show.see(`(http://127\.0\.0\.1:\d+) +\(This`)[1]
	key := strings.TrimSpace(d.must("keys", "add", "alice"))
	res := chat(t, url, key)
	d.says(0, "~1 request running", "", "status")
	began := time.Now()
	d.says(0, "", "Sharing stopped.\n", "stop")
	if took := time.Since(began); took < 4*time.Second || took > 9*time.Second {
		t.Errorf("it took %s, want five seconds for the request", took)
	}
	for s := bufio.NewScanner(res.Body); s.Scan(); {
	}
	if code := show.wait(); code != 0 {
		t.Errorf("share ended with %d", code)
	}
	if said := show.err.String(); !strings.HasPrefix(said, "Stopping: 1 request may finish within five seconds.") || !strings.HasSuffix(said, "Sharing stopped.\n") {
		t.Errorf("it said %q", said)
	}
	if out := show.out.String(); !strings.Contains(out, "alice") || !strings.Contains(out, "Sharing stopped") {
		t.Errorf("the cut request is not printed: %s", out)
	}
}

func TestLog(t *testing.T) {
	d := newDesk(t)
	const none = "paddock: Paddock does not run; the log is kept in memory and ends with the program\n"
	d.says(1, "", none, "log")
	d.says(1, "", none, "log", "--follow", "--json")
	show, url := d.share()
	d.says(0, "", "", "log")
	get(t, url, "")
	show.see("No key")
	d.says(0, "~^\\d\\d:\\d\\d:\\d\\d  unknown .* No key .*\\(not encrypted\\)  \\(demo\\)\n$", "", "log")

	follow := d.start("log", "--follow", "--json")
	follow.see(`"seq":1,`)
	for n := 2; n < 5; n++ {
		get(t, url, "pdk_wrong")
		follow.see(fmt.Sprintf(`"seq":%d,`, n))
	}
	for line := range strings.Lines(follow.out.String()) {
		var e requestlog.Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.ID == "" || e.Phase != requestlog.Refused {
			t.Errorf("%q: %v", line, err)
		}
	}
	if code := follow.end(); code != 0 || follow.err.String() != "" {
		t.Errorf("Ctrl-C: exit code %d, said %q", code, follow.err)
	}

	// It ends with the Paddock that it follows.
	last := d.start("log", "-f")
	last.see("No key")
	show.end()
	if code := last.wait(); code != 0 {
		t.Errorf("exit code %d, said %s", code, last.err)
	}
}

// As in `paddock log | head`.
func TestAReaderThatHasSeenEnough(t *testing.T) {
	d := newDesk(t)
	_, url := d.share()
	get(t, url, "")
	for _, args := range [][]string{{"log"}, {"log", "--follow"}, {"log", "--follow", "--json"}, {"status"}} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		var said strings.Builder
		code := cli.Main(t.Context(), d.program, cli.Streams{In: strings.NewReader(""), Out: w, Err: &said}, append([]string{"--home", d.home}, args...))
		w.Close()
		if code != 0 || said.String() != "" {
			t.Errorf("paddock %s: exit code %d, said %q", strings.Join(args, " "), code, said.String())
		}
	}
}

// Sharing that nobody watches any more ends, and ends well.
func TestShareIntoAPipeThatCloses(t *testing.T) {
	for _, flags := range [][]string{nil, {"--json"}} {
		d := newDesk(t)
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		var said strings.Builder
		over := make(chan int)
		go func() {
			over <- cli.Main(t.Context(), d.program, cli.Streams{In: strings.NewReader(""), Out: w, Err: &said},
				append([]string{"--home", d.home, "share", "--demo", "--listen", "127.0.0.1:0"}, flags...))
			w.Close()
		}()
		lines := bufio.NewScanner(r)
		url := ""
		for url == "" && lines.Scan() {
			if i := strings.Index(lines.Text(), "http://127"); i >= 0 {
				url, _, _ = strings.Cut(strings.FieldsFunc(lines.Text()[i:], func(r rune) bool { return r == ' ' || r == '"' })[0], " ")
			}
		}
		r.Close()
		// It notices at its next line. That may be this request's, or one of its
		// own before: then the port is closed already.
		if res, err := http.Get(url + "/api/tags"); err == nil {
			res.Body.Close()
		}
		select {
		case code := <-over:
			if code != 0 || strings.Contains(said.String(), "pipe") {
				t.Errorf("exit code %d, said %q", code, said.String())
			}
		case <-time.After(10 * time.Second):
			t.Fatal("it goes on")
		}
	}
}

// glass is a window.
type glass struct {
	shown, quit atomic.Int64
	clip        atomic.Pointer[string]
	end         context.CancelFunc
}

func (g *glass) Show(name string) { g.shown.Add(1) }
func (g *glass) Clip(text string) { g.clip.Store(&text) }
func (g *glass) Quit()            { g.quit.Add(1); g.end() }
func (g *glass) ClipSecret(k keystore.Secret) {
	text := k.Reveal()
	g.clip.Store(&text)
}

// Of twenty starts at once one has the window, and the others show it.
func TestOneWindow(t *testing.T) {
	d := newDesk(t)
	t.Setenv("DISPLAY", ":99")
	var windows atomic.Int64
	g := &glass{}
	open := make(chan struct{})
	d.program.Window = func(ctx context.Context, sh *share.Share, hidden bool) error {
		windows.Add(1)
		ctx, g.end = context.WithCancel(ctx)
		<-open // as slow as a window may be
		sh.SetScreen(g)
		<-ctx.Done()
		return nil
	}
	var all sync.WaitGroup
	var others atomic.Int64
	for range 20 {
		all.Go(func() {
			r := d.run()
			if r.code != 0 {
				t.Errorf("%+v", r)
			}
			if r.err == "Paddock already runs; its window is in front now.\n" {
				others.Add(1)
			}
		})
	}
	eventually(t, "a window", func() bool { return windows.Load() > 0 })
	close(open)
	eventually(t, "the others", func() bool { return others.Load() == 19 })
	if g.shown.Load() != 19 || windows.Load() != 1 {
		t.Errorf("%d windows, shown %d times", windows.Load(), g.shown.Load())
	}

	key := d.must("keys", "add", "alice")
	d.says(0, "", "copied; the clipboard is cleared after a minute\n", "keys", "copy", "alice", "--clipboard")
	if got := g.clip.Load(); got == nil || *got != strings.TrimSpace(key) {
		t.Error("the clipboard holds something else")
	}
	d.must("settings", "set", "share.listen", "127.0.0.1:0")
	d.says(0, "", "a Paddock already runs on this home; it shares now\n", "share")
	d.says(0, "~^Sharing at|^About to", "", "status")
	d.says(0, "", "Sharing stopped.\n", "stop") // and the window stays
	d.says(0, "~^Not sharing\\.\n", "", "status")
	g.end()
	all.Wait()
}

func TestAWindowWithoutADisplay(t *testing.T) {
	d := newDesk(t)
	d.program.Window = func(context.Context, *share.Share, bool) error { t.Error("it opens"); return nil }
	d.says(1, "", "paddock: there is no display for a window; share from this terminal with `"+d.prefix()+" share`\n")
	d.share()
	d.says(1, "", "paddock: the Paddock that runs shares from a terminal and has neither window nor clipboard\n")
}
