// Package cli is the program without a window.
package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"paddock/internal/control"
	"paddock/keystore"
	"paddock/requestlog"
	"paddock/share"
)

// Version is set by the build.
var Version = "0.1.0-dev"

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// Parts says what an instance is to be made of.
type Parts struct {
	Home   string
	Vault  keystore.VaultKind
	Prompt keystore.Prompt // asks for the file vault's passphrase
	Flags  share.Flags
	// LoginArgs are what the program is to be started with at login.
	LoginArgs []string
	Stderr    io.Writer
}

// Program is what main hands down: how to make an instance, and the faces that
// this edition has beside the command line. A nil face is one that it lacks.
type Program struct {
	// Open makes an instance on the files of a home whose lock is held. close
	// flushes and closes what was opened.
	Open func(Parts) (sh *share.Share, closeAll func() error, err error)
	// Window shows the windows and the tray until the program is to end.
	Window func(ctx context.Context, sh *share.Share, hidden bool) error
	// Tray shows the tray of the lite edition as a client of the instance in home.
	Tray func(ctx context.Context, home string) error
	// Edition is "full" or "lite".
	Edition string
	// Name is what the person typed to start the program, for examples that can
	// be copied; empty means "paddock".
	Name string
}

// Streams are where a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Main runs one command and returns the exit code: 0 done, 1 failed, 2 wrong
// usage. What goes wrong is said in one line on Streams.Err.
func Main(ctx context.Context, p Program, s Streams, args []string) int {
	out := &output{w: s.Out}
	s.Out = out
	a := &app{Program: p, Streams: s}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	err := root.ExecuteContext(ctx)
	if a.tty.restore() {
		fmt.Fprintln(s.Err)
	}
	if err != nil && ctx.Err() != nil && errors.Is(err, keystore.ErrTimeout) {
		err = errors.New("interrupted")
	}
	if out.err != nil && (err == nil || errors.Is(err, out.err)) && !errors.Is(err, errUnprinted) {
		err = fmt.Errorf("writing the output: %w", out.err)
	}
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, syscall.EPIPE) && !errors.Is(err, errUnprinted):
		return exitDone // who reads has seen enough, as in `paddock log | head`
	}
	if isUsage(err) { // which names commands to read about, on whatever home
		fmt.Fprintf(s.Err, "paddock: %s\n", oneLine(sentence(err)))
		return exitUsage
	}
	fmt.Fprintf(s.Err, "paddock: %s\n", oneLine(a.hints(sentence(err))))
	return exitFailed
}

// output remembers that somebody could not be told, which those who print line
// by line need not ask each time. It is used by one goroutine at a time.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(b []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.w.Write(b)
	o.err = err
	return n, err
}

// oneLine makes what is said fit for a terminal: it may quote a path or a flag
// with escapes in it.
func oneLine(s string) string {
	return requestlog.Clean(strings.ReplaceAll(strings.TrimSpace(s), "\n", "; "), 2000)
}

// isUsage says whether a person typed something wrongly, be it found here or by
// the instance that runs.
func isUsage(err error) bool {
	if _, ok := errors.AsType[usageError](err); ok {
		return true
	}
	c := code(err)
	if r, ok := errors.AsType[*control.RemoteError](err); ok {
		c = r.Code
	}
	return c == codeBadValue || c == codeNoSetting
}

// usageError is what a person typed wrongly.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// errUnprinted says that something was done whose result nobody got to see.
var errUnprinted = errors.New("not printed")

// app is one run of the program. It is used by one command.
type app struct {
	Program
	Streams
	home   string
	vault  string
	json   bool
	tty    tty
	named  []string // flags that name home and vault, as they were given
	prefix string   // how to call this program on the same home: "paddock", or with --home
}

func (a *app) root() *cobra.Command {
	hidden := false
	root := &cobra.Command{
		Use:   "paddock",
		Short: "Lend this machine's Ollama to the local network, safely",
		Long: "Paddock lends this machine's Ollama to the local network, safely:\n" +
			"each teammate has a key of their own, and a gate checks every request.\n\n" +
			a.howToBegin(),
		SilenceUsage: true, SilenceErrors: true,
		Args: none,
		RunE: func(c *cobra.Command, _ []string) error { return a.window(c.Context(), hidden) },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usagef("%w; see `%s --help`", err, c.CommandPath())
	})
	f := root.PersistentFlags()
	f.StringVar(&a.home, "home", "", "`DIR` of Paddock's files (default $PADDOCK_HOME or the user's configuration folder)")
	f.StringVar(&a.vault, "vault", "", "`KIND` of place for the keys: auto, keychain, file or memory (default $PADDOCK_VAULT or auto)")
	f.BoolVar(&a.json, "json", false, "print facts as JSON")
	_ = root.RegisterFlagCompletionFunc("vault", cobra.FixedCompletions(vaultKinds(), cobra.ShellCompDirectiveNoFileComp))
	if a.Window != nil {
		root.Flags().BoolVar(&hidden, "hidden", false, "start in the tray, without a window")
	}
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error {
		if c.Annotations[homeless] != "" {
			return nil
		}
		return a.resolve()
	}
	root.AddCommand(
		a.shareCmd(), a.statusCmd(), a.stopCmd(), a.pauseCmd(), a.resumeCmd(), a.panicCmd(), a.keysCmd(), a.originsCmd(), a.logCmd(),
		a.checkCmd(), a.authorityCmd(), a.loginCmd(), a.settingsCmd(),
		&cobra.Command{
			Use: "version", Short: "Print the version", Args: none, Annotations: map[string]string{homeless: "yes"},
			RunE: func(*cobra.Command, []string) error {
				return a.print(map[string]string{"version": Version, "edition": a.Edition},
					func(w io.Writer) { fmt.Fprintf(w, "paddock %s (%s edition)\n", Version, a.Edition) })
			},
		},
		completionCmd(),
	)
	if a.Tray != nil {
		root.AddCommand(&cobra.Command{
			Use: "tray", Short: "Show a tray icon for the Paddock that runs", Args: none,
			RunE: func(c *cobra.Command, _ []string) error { return a.Tray(c.Context(), a.home) },
		})
	}
	root.SetHelpCommand(&cobra.Command{Use: "help [command]", Short: "Explain a command", RunE: func(c *cobra.Command, args []string) error {
		found, rest, err := c.Root().Find(args)
		if err != nil {
			return usageError{err}
		}
		if len(rest) > 0 {
			return unknown(found, rest[0])
		}
		return found.Help()
	}, Annotations: map[string]string{homeless: "yes"}})
	return root
}

// howToBegin is the advice on the first page of the help.
func (a *app) howToBegin() string {
	const terminal = "  paddock share             share in this terminal (with --demo if you have no Ollama yet)\n" +
		"  paddock keys add alice    from another one: make a key for a teammate, and print it\n" +
		"  paddock status            what goes on"
	if a.Window == nil {
		return "To begin:\n" + terminal
	}
	return "Without a command it opens its window and its tray icon. Without a window:\n" + terminal
}

// homeless marks the commands that need no home, and so work where none can be found.
const homeless = "homeless"

func completionCmd() *cobra.Command {
	return &cobra.Command{
		Annotations: map[string]string{homeless: "yes"},
		Use:         "completion bash|zsh|fish|powershell", Short: "Print a completion script for a shell",
		Args: exactly(1, "a shell: bash, zsh, fish or powershell"), ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		RunE: func(c *cobra.Command, args []string) error {
			out, root := c.OutOrStdout(), c.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(out, true)
			case "zsh":
				return root.GenZshCompletion(out)
			case "fish":
				return root.GenFishCompletion(out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(out)
			}
			return usagef("%q is not a shell that completion is written for: bash, zsh, fish or powershell", args[0])
		},
	}
}

// resolve fills in what flags left open.
func (a *app) resolve() error {
	a.prefix = quoted(cmp.Or(a.Name, "paddock"))
	if a.home != "" {
		a.prefix += " --home " + quoted(a.home)
	}
	usual := a.home == "" && os.Getenv("PADDOCK_HOME") == ""
	if a.home == "" {
		a.home = os.Getenv("PADDOCK_HOME")
	}
	if a.home == "" {
		dir, err := os.UserConfigDir()
		if err != nil {
			return fmt.Errorf("finding the configuration folder: %w; name one with --home", err)
		}
		a.home = filepath.Join(dir, "paddock")
	}
	abs, err := filepath.Abs(a.home)
	if err != nil {
		return fmt.Errorf("finding the home: %w", err)
	}
	a.home, a.named = abs, nil
	if !usual {
		a.named = append(a.named, "--home", abs)
	}
	if a.vault == "" {
		a.vault = os.Getenv("PADDOCK_VAULT")
	}
	if a.vault != "" {
		a.named = append(a.named, "--vault", a.vault)
	}
	if a.vault == "" {
		a.vault = string(keystore.VaultAuto)
	}
	for _, k := range keystore.VaultKinds() {
		if a.vault == string(k) {
			return nil
		}
	}
	return usagef("--vault or PADDOCK_VAULT cannot be %q: it is auto, keychain, file or memory", a.vault)
}

func vaultKinds() (out []string) {
	for _, k := range keystore.VaultKinds() {
		out = append(out, string(k))
	}
	return out
}

// quoted writes a path so that it can be pasted into a shell.
func quoted(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(requestlog.Clean(path, 500), "'", `'\''`) + "'"
}

func none(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return unknown(c, args[0])
	}
	return nil
}

func unknown(c *cobra.Command, arg string) error {
	if !c.HasAvailableSubCommands() {
		return usagef("%s takes no argument %q; see `%s --help`", c.CommandPath(), arg, c.CommandPath())
	}
	c.SuggestionsMinimumDistance = 2
	if near := c.SuggestionsFor(arg); len(near) > 0 {
		return usagef("unknown command %q; did you mean `%s %s`?", arg, c.CommandPath(), near[0])
	}
	return usagef("unknown command %q; see `%s --help`", arg, c.CommandPath())
}

func exactly(n int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != n {
			return usagef("%s takes %s, and got %s; see `%s --help`", c.CommandPath(), what, plural(len(args), "argument", "arguments"), c.CommandPath())
		}
		return nil
	}
}
