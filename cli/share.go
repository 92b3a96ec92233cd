package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"paddock/internal/control"
	"paddock/policy"
	"paddock/requestlog"
	"paddock/settings"
	"paddock/share"
)

// closePatience is how long running requests may go on after Ctrl-C.
const closePatience = 5 * time.Second

func (a *app) shareCmd() *cobra.Command {
	var f share.Flags
	c := &cobra.Command{
		Use: "share", Short: "Share without a window until Ctrl-C", Args: none,
		Long: "Share this machine's Ollama until Ctrl-C. Prints the addresses, then a line for each request.",
		RunE: func(c *cobra.Command, _ []string) error {
			if f.Listen != "" {
				if err := settings.CheckListen(f.Listen); err != nil {
					return usagef("--listen cannot be %q: %w", f.Listen, err)
				}
			}
			if f.Ollama != "" {
				if _, err := settings.ParseUpstream(f.Ollama); err != nil {
					return usagef("--ollama cannot be %q: %w", f.Ollama, err)
				}
			}
			return a.share(c.Context(), f)
		},
	}
	c.Flags().StringVar(&f.Listen, "listen", "", "`ADDRESS` and port of the gate, such as :11435 or 127.0.0.1:11435 (default: the setting share.listen)")
	c.Flags().StringVar(&f.Ollama, "ollama", "", "`URL` of Ollama (default: the setting share.ollama, $OLLAMA_HOST, or http://127.0.0.1:11434)")
	for _, name := range []string{"listen", "ollama"} {
		_ = c.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
	c.Flags().BoolVar(&f.Demo, "demo", false, "share a built-in demo instead of Ollama: nothing to install, and no real model")
	c.Flags().BoolVar(&f.AllowHTTP, "allow-http", false, "let requests in that are not encrypted; anybody who listens in on the network can then read keys and prompts")
	return c
}

// instance claims the home, opens everything and answers the control socket,
// runs body, and closes it all in turn.
func (a *app) instance(ctx context.Context, flags share.Flags, windowed bool, body func(ctx context.Context, sh *share.Share) error) (err error) {
	lock, err := control.Claim(a.home)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	sh, closeAll, err := a.open(flags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAll()) }()
	ctx, quit := context.WithCancel(ctx)
	defer quit()
	server, err := control.Serve(lock, ops{sh, quit, ctx.Done(), windowed}.handle)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	sh.Run()
	defer func() {
		quit() // from here on everybody who asks is told to ask again
		finish(sh)
	}()
	return body(ctx, sh)
}

// finish ends sharing, with a while for running requests. Doing it twice is fine.
func finish(sh *share.Share) {
	ctx, cancel := context.WithTimeout(context.Background(), closePatience)
	defer cancel()
	sh.Close(ctx)
}

func (a *app) share(ctx context.Context, flags share.Flags) error {
	shared := false
	err := retry(ctx, func() error {
		err := a.instance(ctx, flags, false, func(ctx context.Context, sh *share.Share) error {
			shared = true
			sh.Start()
			return a.tell(ctx, sh)
		})
		if !errors.Is(err, control.ErrRunning) {
			return err
		}
		return a.shareThere(ctx, flags)
	})
	if shared && err == nil {
		fmt.Fprintln(a.Err, "Sharing stopped.")
	}
	return err
}

// shareThere asks the instance that runs to share.
func (a *app) shareThere(ctx context.Context, flags share.Flags) error {
	var st share.State
	err := a.ask(ctx, control.OpState, nil, &st)
	switch {
	case errors.Is(err, control.ErrNotRunning), errors.Is(err, control.ErrGone):
		return control.ErrRunning // another command that has the files for a moment, or one that has just ended
	case err != nil:
		return err
	case flags != (share.Flags{}):
		return errors.New("a Paddock already runs on this home, so --listen, --ollama, --allow-http and --demo cannot be changed from here; use its settings, or end it first (`paddock stop`, or Quit)")
	case (st.Phase == share.Sharing || st.Phase == share.Paused) && st.Address() != "":
		return fmt.Errorf("a Paddock already runs on this home and shares at %s", st.Address())
	case st.Phase == share.Sharing, st.Phase == share.Paused:
		return errors.New("a Paddock already runs on this home and shares")
	}
	if err := a.ask(ctx, control.OpStart, nil, nil); err != nil {
		return err
	}
	return a.untilShared(ctx)
}

// untilShared waits until the instance that was asked to share does, or says
// what is in its way.
func (a *app) untilShared(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*closePatience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		var st share.State
		if err := a.ask(ctx, control.OpState, nil, &st); err != nil {
			return err
		}
		switch st.Phase {
		case share.Sharing, share.Paused:
			fmt.Fprintln(a.Err, "a Paddock already runs on this home; it shares now")
			return nil
		case share.Waiting:
			return fmt.Errorf("a Paddock already runs on this home, and cannot share: %s", problem(st))
		case share.Off, share.Starting, share.Stopping:
		}
		select {
		case <-ctx.Done():
			return errors.New("a Paddock already runs on this home; it was asked to share, and does not yet")
		case <-tick.C:
		}
	}
}

// tell prints what happens until ctx ends or nobody reads it: the state when it
// changes, and a line for each request.
func (a *app) tell(ctx context.Context, sh *share.Share) error {
	states, stopStates := sh.Watch()
	defer stopStates()
	entries, stopEntries := sh.Log().Watch()
	defer stopEntries()
	var last uint64
	said, saidKeys := "", false
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		// Ten times a second is as fast as anybody reads; with each token of each
		// answer this was a third of the program's work.
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Reset(tellEvery)
		st := sh.State()
		if now := banner(st); now != "" && now != said {
			said = now
			if a.json {
				if err := a.line(map[string]any{"event": "state", "state": st}); err != nil {
					return err
				}
			} else if _, err := fmt.Fprint(a.Out, a.hints(now)); err != nil {
				return err
			}
		}
		// Keys come and go without a word here, since whoever makes one sees it;
		// but the key of the demo comes by itself, and a moment later.
		if now := a.keysLine(st); said != "" && !a.json && now != "" && !saidKeys {
			saidKeys = true
			if _, err := fmt.Fprint(a.Out, now); err != nil {
				return err
			}
		}
		if err := a.tellRequests(sh, &last); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			if words := stopping(sh.State()); words != "" {
				fmt.Fprintln(a.Err, words)
			}
			finish(sh)
			return a.tellRequests(sh, &last)
		case <-states:
		case <-entries:
		}
	}
}

// stopping says what becomes of the requests that have not ended, or "" when
// there are none: those that run may finish, those that wait are sent away.
func stopping(st share.State) string {
	refused := ", " + plural(st.Waiting, "that waits is", "that wait are") + " refused"
	switch {
	case st.Running == 0 && st.Waiting == 0:
		return ""
	case st.Running == 0:
		return "Stopping: " + plural(st.Waiting, "request that waits is", "requests that wait are") + " refused."
	case st.Waiting == 0:
		refused = ""
	}
	return fmt.Sprintf("Stopping: %s may finish within five seconds%s. Ctrl-C again ends it at once.", plural(st.Running, "request", "requests"), refused)
}

// tellEvery is the shortest time between two looks at what happened.
const tellEvery = 100 * time.Millisecond

// tellRequests prints the requests that have ended since the last one told.
func (a *app) tellRequests(sh *share.Share, last *uint64) error {
	fresh, next, missed := sh.Log().Since(*last, 0)
	*last = next
	if missed > 0 {
		fmt.Fprintf(a.Err, "(%s not shown)\n", plural(int(missed), "request", "requests"))
	}
	var lines []byte // one write for all of them: a terminal takes its time for each
	for _, e := range fresh {
		if !a.json {
			lines = append(append(lines, requestLine(e)...), '\n')
		} else if err := a.line(map[string]any{"event": "request", "request": e}); err != nil {
			return err
		}
	}
	if len(lines) == 0 {
		return nil
	}
	_, err := a.Out.Write(lines)
	return err
}

// banner says the state in the lines that the terminal shows. It is empty while
// there is nothing to say yet, and the same text means the same state.
func banner(st share.State) string {
	if st.Ollama.Health == share.Unknown && st.Phase != share.Waiting {
		return ""
	}
	var out string
	switch st.Phase {
	case share.Sharing:
		out = sharingAt(st)
	case share.Waiting:
		out = "Not sharing: " + problem(st) + "\n"
	case share.Paused:
		out = pausedWords(st) + "\n"
	case share.Off:
		if !st.Panicked {
			return ""
		}
		return panickedWords
	case share.Starting, share.Stopping:
		return ""
	}
	return out + ollama(st.Ollama) + "\n"
}

// sharingAt says where the gate is.
func sharingAt(st share.State) string {
	out := "Sharing at\n"
	wide := 0
	all := st.Addresses
	if st.Encryption.Ready {
		all = slices.Concat(all, st.PlainAddresses) // without a certificate they are the same
	}
	for _, x := range all {
		wide = max(wide, len(x.URL))
	}
	for _, x := range all {
		plain := ""
		if strings.HasPrefix(x.URL, "http:") {
			plain = ", not encrypted"
		}
		out += fmt.Sprintf("  %-*s  (%s%s)\n", wide, x.URL, x.Label, plain)
	}
	switch {
	case len(st.Addresses) == 0:
		out = "Sharing, but nobody can reach it: " + problem(st) + "\n"
	case st.Problem != share.NoProblem:
		out += "  and not where it should: " + problem(st) + "\n"
	}
	return out + encryption(st)
}

// encryption says how the gate proves itself, and what is taken in clear.
func encryption(st share.State) string {
	e, out := st.Encryption, ""
	switch {
	case e.Ready && e.Own:
		out = "Encrypted, with your own certificate; its SHA-256 is\n  " + e.Fingerprint + "\n"
	case e.Ready && e.Temporary:
		out = "Encrypted. The certificate ends with the program; the SHA-256 of its authority is\n  " + e.Fingerprint + "\n"
	case e.Ready:
		out = "Encrypted. Whoever connects fetches /paddock/ca.pem once and compares its SHA-256 with\n  " + e.Fingerprint + "\n"
	}
	if e.Fault != share.NoCertFault {
		out += "About the certificate: " + certFault(e) + ".\n"
	}
	if len(st.PlainAddresses) > 0 {
		out += unencrypted + "\n"
	}
	return out
}

// keysLine says who may use what is shared, and how to go on. It is empty while
// the key of the demo is being made.
func (a *app) keysLine(st share.State) string {
	k, demo := st.Keys, st.Ollama.Demo && st.Ollama.Health != share.Silent
	var out string
	switch n := len(k.List); {
	case n == 0 && demo && k.Trouble != share.NoTrouble:
		out = fmt.Sprintf("The key named demo could not be made: %s. Make one with: %s keys add NAME\n", trouble(k), a.prefix)
	case n == 0 && demo:
		return ""
	case n == 0:
		out = fmt.Sprintf("No keys yet, so nobody can use it. Make one with: %s keys add NAME\n", a.prefix)
	case demo && n == 1 && k.List[0].Name == share.DemoKey:
		out = fmt.Sprintf("A key named demo is ready; print it with: %s keys copy demo\n", a.prefix)
		if at := here(st); at != "" {
			out += fmt.Sprintf("Try it from another terminal:\n  curl %s%s/api/generate -H \"Authorization: Bearer $(%s keys copy demo)\" -d '{\"model\":\"demo\",\"prompt\":\"Hello\"}'\n", trust(st, at), at, a.prefix)
		}
	default:
		out = plural(n, "key", "keys") + " may use it.\n"
	}
	if k.InMemory() {
		out += "Keys are in memory only and end with this program.\n"
	}
	return out + "Ctrl-C ends it.\n"
}

// trust is what curl needs to believe an address of this machine's own gate.
func trust(st share.State, at string) string {
	if e := st.Encryption; strings.HasPrefix(at, "https:") && e.File != "" {
		return "--cacert " + quoted(e.File) + " "
	}
	return ""
}

// here is the address of the gate for this machine itself, where its .local
// name may lead nowhere.
func here(st share.State) string {
	at := st.Address()
	u, err := url.Parse(at)
	if err != nil || at == "" {
		return at
	}
	host, _, err := net.SplitHostPort(st.Listen)
	if ip, ipErr := netip.ParseAddr(host); err != nil || host != "" && (ipErr != nil || !ip.IsUnspecified()) {
		return at
	}
	return u.Scheme + "://127.0.0.1:" + u.Port()
}

// requestLine is one request as the terminal shows it.
func requestLine(e requestlog.Entry) string {
	if e.Phase == requestlog.Event {
		return fmt.Sprintf("%s  – %s", e.Time.Local().Format(time.TimeOnly), e.Action)
	}
	who := e.Key
	if who == "" {
		who = "unknown"
	}
	what := e.Action
	if what == "" {
		what = e.Method + " " + e.Path
	}
	line := fmt.Sprintf("%s  %-14s  %-15s  %-12s  %-18s  %-22s", e.Time.Local().Format(time.TimeOnly), who, e.Address, e.Program, what, e.Result())
	if e.Model != "" {
		line += "  " + e.Model
	}
	if e.TokensIn+e.TokensOut > 0 {
		line += fmt.Sprintf("  %d→%d tokens", e.TokensIn, e.TokensOut)
	}
	if e.Origin != "" && e.Reason == policy.OriginNotAllowed {
		line += "  " + e.Origin
	}
	line += "  " + requestlog.Seconds(e.Took)
	if e.Waited > 0 {
		line += " (waited " + requestlog.Seconds(e.Waited) + ")"
	}
	if e.TLS == "" {
		line += "  (not encrypted)"
	}
	if e.Demo {
		line += "  (demo)"
	}
	return line
}

func (a *app) statusCmd() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Say whether this machine shares, where, and with whom", Args: none,
		RunE: func(c *cobra.Command, _ []string) error {
			var st share.State
			err := a.ask(c.Context(), control.OpState, nil, &st)
			if errors.Is(err, control.ErrNotRunning) {
				none := map[string]any{"instance_runs": false, "phase": share.Off, "wanted": false, "addresses": []string{}, "running": 0, "waiting": 0}
				return a.print(none, func(w io.Writer) { fmt.Fprintln(w, "Paddock does not run, so nothing is shared.") })
			}
			if err != nil {
				return err
			}
			type instance struct {
				InstanceRuns bool `json:"instance_runs"`
				share.State
			}
			return a.print(instance{true, st}, func(w io.Writer) { fmt.Fprint(w, a.hints(statusText(st, time.Now()))) })
		},
	}
}

const panickedWords = "Everyone is cut off and every key is suspended; `paddock resume` takes it back.\n"

// healedLately is how long the status tells of a model that hung.
const healedLately = time.Hour

func statusText(st share.State, now time.Time) string {
	var out string
	switch st.Phase {
	case share.Sharing:
		out = sharingAt(st)
	case share.Waiting:
		out = "Not sharing: " + problem(st) + "\n"
	case share.Paused:
		out = pausedWords(st) + "\n" + sharingAt(st)
	case share.Starting:
		out = "About to share.\n"
	case share.Stopping:
		out = "Stopping; running requests may finish.\n"
	case share.Off:
		out = "Not sharing.\n"
	}
	if st.Panicked {
		out += panickedWords
	}
	switch n := st.Safety.Problems; {
	case n == 1:
		out += "The safety check found 1 problem: `paddock check` tells.\n"
	case n > 1:
		out += fmt.Sprintf("The safety check found %d problems: `paddock check` tells.\n", n)
	}
	out += ollama(st.Ollama) + "\n"
	waiting := ""
	if st.Waiting > 0 {
		waiting = fmt.Sprintf(", %d waiting", st.Waiting)
	}
	out += fmt.Sprintf("%s, %s lately, %s running%s, %s so far (%d refused, %d failed)\n",
		plural(len(st.Keys.List), "key", "keys"), plural(st.Teammates, "teammate", "teammates"),
		plural(st.Running, "request", "requests"), waiting, plural(int(st.Totals.Requests), "request", "requests"), st.Totals.Refused, st.Totals.Failed)
	if n := len(st.Heals); n > 0 && now.Sub(st.Heals[n-1].At) < healedLately {
		out += healed(st.Heals[n-1], now) + "\n"
	}
	why := trouble(st.Keys)
	switch {
	case st.Keys.InMemory() && why != "":
		out += fmt.Sprintf("Keys are in memory only and end with the program: %s.\n", why)
	case st.Keys.InMemory():
		out += "Keys are in memory only and end with the program.\n"
	case why != "":
		out += fmt.Sprintf("About the keys: %s.\n", why)
	}
	return out
}

func (a *app) stopCmd() *cobra.Command {
	return &cobra.Command{
		Use: "stop", Short: "Stop sharing; the port closes at once", Args: none,
		RunE: func(c *cobra.Command, _ []string) error {
			var st share.State
			err := a.ask(c.Context(), control.OpState, nil, &st)
			if err == nil {
				err = a.ask(c.Context(), control.OpStop, nil, nil)
			}
			ending, _ := errors.AsType[*control.RemoteError](err)
			switch {
			case errors.Is(err, control.ErrNotRunning):
				fmt.Fprintln(a.Err, "Paddock does not run, so nothing is shared.")
				return nil
			case err == nil, errors.Is(err, control.ErrGone), ending != nil && ending.Code == codeEnding:
				return a.untilOff(c.Context(), st.Window)
			}
			return err
		},
	}
}

// untilOff waits until the port is closed, and without a window until the
// instance has ended, so that a script can rely on it.
func (a *app) untilOff(ctx context.Context, window bool) error {
	ctx, cancel := context.WithTimeout(ctx, 2*closePatience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		var st share.State
		err := a.ask(ctx, control.OpState, nil, &st)
		switch {
		case ctx.Err() != nil:
			return errors.New("sharing did not stop in time")
		case errors.Is(err, control.ErrNotRunning), window && err == nil && !st.Wanted && st.Phase == share.Off:
			fmt.Fprintln(a.Err, "Sharing stopped.")
			return nil
		case err != nil && !errors.Is(err, control.ErrGone):
			return err
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// window is the program without a command: windows and tray, or the window of
// the instance that already runs. Of many that start at once one gets to be the
// instance, and the others show its window.
func (a *app) window(ctx context.Context, hidden bool) error {
	if a.Window == nil {
		return usagef("the lite edition has no window: share with `paddock share`, or see `paddock --help`")
	}
	return retry(ctx, func() error {
		err := a.ask(ctx, control.OpShow, nil, nil)
		if err == nil {
			fmt.Fprintln(a.Err, "Paddock already runs; its window is in front now.")
		}
		if !errors.Is(err, control.ErrNotRunning) {
			return err
		}
		if !display(os.Getenv) {
			return errors.New("there is no display for a window; share from this terminal with `paddock share`")
		}
		return a.instance(ctx, share.Flags{}, true, func(ctx context.Context, sh *share.Share) error {
			if sh.Settings().Get().AtStart {
				sh.Start()
			}
			return a.Window(ctx, sh, hidden)
		})
	})
}

// line prints one JSON line.
func (a *app) line(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	_, err = fmt.Fprintf(a.Out, "%s\n", b)
	return err
}

// print writes facts: as indented JSON with --json, else by text.
func (a *app) print(v any, text func(io.Writer)) error {
	if !a.json {
		text(a.Out)
		return nil
	}
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	_, err = fmt.Fprintf(a.Out, "%s\n", b)
	return err
}
