package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"paddock/internal/control"
	"paddock/requestlog"
	"paddock/share"
)

// closePatience is how long running requests may go on after Ctrl-C.
const closePatience = 5 * time.Second

func (a *app) shareCmd() *cobra.Command {
	var f share.Flags
	var allowHTTP bool
	c := &cobra.Command{
		Use: "share", Short: "Share without a window until Ctrl-C", Args: none,
		Long: "Share this machine's Ollama until Ctrl-C. Prints the addresses, then a line for each request.",
		RunE: func(c *cobra.Command, _ []string) error { return a.share(c.Context(), f) },
	}
	c.Flags().StringVar(&f.Listen, "listen", "", "address and port of the gate, such as :11435 or 127.0.0.1:11435 (default: the setting share.listen)")
	c.Flags().StringVar(&f.Ollama, "ollama", "", "where Ollama is (default: the setting share.ollama, $OLLAMA_HOST, or http://127.0.0.1:11434)")
	c.Flags().BoolVar(&f.Demo, "demo", false, "share a built-in demo instead of Ollama: nothing to install, and no real model")
	c.Flags().BoolVar(&allowHTTP, "allow-http", false, "share without encryption; this version always does, and says so")
	return c
}

// instance claims the home, opens everything and answers the control socket,
// runs body, and closes it all in turn.
func (a *app) instance(ctx context.Context, flags share.Flags, body func(ctx context.Context, sh *share.Share) error) (err error) {
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
	server, err := control.Serve(lock, ops{sh, quit}.handle)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	sh.Run()
	defer func() {
		end, cancel := context.WithTimeout(context.Background(), closePatience)
		defer cancel()
		sh.Close(end)
	}()
	return body(ctx, sh)
}

func (a *app) share(ctx context.Context, flags share.Flags) error {
	err := a.instance(ctx, flags, func(ctx context.Context, sh *share.Share) error {
		sh.Start()
		return a.tell(ctx, sh)
	})
	if errors.Is(err, control.ErrRunning) {
		return a.shareThere(ctx, flags)
	}
	return err
}

// shareThere asks the instance that runs to share.
func (a *app) shareThere(ctx context.Context, flags share.Flags) error {
	client, err := control.Dial(a.home)
	if err != nil {
		return control.ErrRunning
	}
	if flags != (share.Flags{}) {
		return errors.New("a Paddock already runs on this home, so --listen, --ollama and --demo cannot be changed from here; use its settings, or end it first")
	}
	var st share.State
	if err := client.Call(ctx, control.OpState, nil, &st); err != nil {
		return err
	}
	if st.Phase == share.Sharing {
		return fmt.Errorf("a Paddock already runs on this home and shares at %s", st.Address())
	}
	if err := client.Call(ctx, control.OpStart, nil, nil); err != nil {
		return err
	}
	fmt.Fprintln(a.Err, "a Paddock already runs on this home; it shares now")
	return nil
}

// tell prints what happens until ctx ends: the state when it changes, and a
// line for each request.
func (a *app) tell(ctx context.Context, sh *share.Share) error {
	states, stopStates := sh.Watch()
	defer stopStates()
	entries, stopEntries := sh.Log().Watch()
	defer stopEntries()
	var last uint64
	said := ""
	for {
		// Keys come and go without a word here: whoever makes one sees it.
		st := sh.State()
		if now := a.banner(st); now != "" && now != said {
			said = now
			if a.json {
				if err := a.line(map[string]any{"event": "state", "state": st}); err != nil {
					return err
				}
			} else {
				fmt.Fprint(a.Out, now, keysLine(st.Keys, st.Ollama.Demo))
			}
		}
		fresh, next, missed := sh.Log().Since(last, 0)
		last = next
		if missed > 0 {
			fmt.Fprintf(a.Err, "(%d requests not shown)\n", missed)
		}
		for _, e := range fresh {
			if a.json {
				if err := a.line(map[string]any{"event": "request", "request": e}); err != nil {
					return err
				}
				continue
			}
			fmt.Fprintln(a.Out, requestLine(e))
		}
		select {
		case <-ctx.Done():
			fmt.Fprintln(a.Err, "Sharing stopped.")
			return nil
		case <-states:
		case <-entries:
		}
	}
}

// banner says the state in the lines that the terminal shows. It is empty while
// there is nothing to say yet, and the same text means the same state.
func (a *app) banner(st share.State) string {
	if st.Ollama.Health == share.Unknown && st.Phase != share.Waiting || st.Phase == share.Starting {
		return ""
	}
	var out string
	switch st.Phase {
	case share.Sharing:
		out = "Sharing at\n"
		for _, x := range st.Addresses {
			out += fmt.Sprintf("  %s\n", x.URL)
		}
		if st.Problem != share.NoProblem {
			out += "  nowhere yet: " + problem(st) + "\n"
		}
		out += unencrypted + "\n"
	case share.Waiting:
		out = "Not sharing: " + problem(st) + "\n"
	case share.Off, share.Starting, share.Stopping:
		return ""
	}
	return out + ollama(st.Ollama) + "\n"
}

// keysLine says who may use what is shared.
func keysLine(k share.Keys, demo bool) string {
	var out string
	switch n := len(k.List); {
	case n == 0 && demo:
		out = "A key named demo is being made; print it with: paddock keys copy demo\n"
	case n == 0:
		out = "No keys yet, so nobody can use it. Make one with: paddock keys add NAME\n"
	case demo && n == 1 && k.List[0].Name == share.DemoKey:
		out = "A key named demo is ready; print it with: paddock keys copy demo\n"
	default:
		out = plural(n, "key", "keys") + " may use it.\n"
	}
	if k.InMemory() {
		out += "Keys are in memory only and end with this program.\n"
	}
	return out + "Ctrl-C ends it.\n"
}

// requestLine is one request as the terminal shows it.
func requestLine(e requestlog.Entry) string {
	who := e.Key
	if who == "" {
		who = "unknown"
	}
	what := e.Action
	if what == "" {
		what = e.Method + " " + e.Path
	}
	line := fmt.Sprintf("%s  %-14s  %-15s  %-12s  %-14s  %s", e.Time.Local().Format(time.TimeOnly), who, e.Address, e.Program, what, e.Result())
	if e.Model != "" {
		line += "  " + e.Model
	}
	if e.TokensIn+e.TokensOut > 0 {
		line += fmt.Sprintf("  %d→%d tokens", e.TokensIn, e.TokensOut)
	}
	line += "  " + requestlog.Seconds(e.Took)
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
			client, err := control.Dial(a.home)
			var st share.State
			if err == nil {
				err = client.Call(c.Context(), control.OpState, nil, &st)
			}
			if errors.Is(err, control.ErrNotRunning) {
				return a.print(map[string]any{"running": false, "phase": share.Off}, func(w io.Writer) {
					fmt.Fprintln(w, "Paddock does not run, so nothing is shared.")
				})
			}
			if err != nil {
				return err
			}
			type running struct {
				InstanceRuns bool `json:"instance_runs"`
				share.State
			}
			return a.print(running{true, st}, func(w io.Writer) { fmt.Fprint(w, statusText(st)) })
		},
	}
}

func statusText(st share.State) string {
	var out string
	switch st.Phase {
	case share.Sharing:
		out = "Sharing at\n"
		for _, x := range st.Addresses {
			out += fmt.Sprintf("  %s  (%s)\n", x.URL, x.Label)
		}
		if st.Problem != share.NoProblem {
			out += "  " + problem(st) + "\n"
		}
		out += unencrypted + "\n"
	case share.Waiting:
		out = "Not sharing: " + problem(st) + "\n"
	case share.Starting:
		out = "About to share.\n"
	case share.Stopping:
		out = "Stopping; running requests may finish.\n"
	case share.Off:
		out = "Not sharing.\n"
	}
	out += ollama(st.Ollama) + "\n"
	out += fmt.Sprintf("%s, %s lately, %s running, %s so far (%d refused, %d failed)\n",
		plural(len(st.Keys.List), "key", "keys"), plural(st.Teammates, "teammate", "teammates"),
		plural(st.Running, "request", "requests"), plural(int(st.Totals.Requests), "request", "requests"), st.Totals.Refused, st.Totals.Failed)
	if st.Keys.InMemory() {
		out += "Keys are in memory only and end with the program.\n"
	}
	return out
}

func (a *app) stopCmd() *cobra.Command {
	return &cobra.Command{
		Use: "stop", Short: "Stop sharing; the port closes at once", Args: none,
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := control.Dial(a.home)
			if err == nil {
				err = client.Call(c.Context(), control.OpStop, nil, nil)
			}
			if errors.Is(err, control.ErrNotRunning) {
				fmt.Fprintln(a.Err, "Paddock does not run, so nothing is shared.")
				return nil
			}
			if err != nil {
				return err
			}
			return a.untilOff(c.Context(), client)
		},
	}
}

// untilOff waits until the port is closed, so that a script can rely on it.
func (a *app) untilOff(ctx context.Context, client *control.Client) error {
	ctx, cancel := context.WithTimeout(ctx, 2*closePatience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		var st share.State
		err := client.Call(ctx, control.OpState, nil, &st)
		switch {
		case ctx.Err() != nil:
			return errors.New("sharing did not stop in time")
		case errors.Is(err, control.ErrNotRunning), errors.Is(err, control.ErrGone), err == nil && !st.Wanted && st.Phase == share.Off:
			fmt.Fprintln(a.Err, "Sharing stopped.")
			return nil
		case err != nil:
			return err
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// window is the program without a command: windows and tray, or the window of
// the instance that already runs.
func (a *app) window(ctx context.Context, hidden bool) error {
	if a.Window == nil {
		return usagef("the lite edition has no window; see `paddock --help`, or start with `paddock share`")
	}
	client, err := control.Dial(a.home)
	if err == nil {
		err = client.Call(ctx, control.OpShow, nil, nil)
	}
	if !errors.Is(err, control.ErrNotRunning) {
		if err == nil {
			fmt.Fprintln(a.Err, "Paddock already runs; its window is in front now.")
		}
		return err
	}
	if !display(os.Getenv) {
		return errors.New("there is no display for a window; share from this terminal with `paddock share`")
	}
	err = a.instance(ctx, share.Flags{}, func(ctx context.Context, sh *share.Share) error {
		if sh.Settings().Get().AtStart {
			sh.Start()
		}
		return a.Window(ctx, sh, hidden)
	})
	return err
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
