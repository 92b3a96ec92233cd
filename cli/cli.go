// Package cli is the program without a window.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"paddock/keystore"
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
	Stderr io.Writer
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
}

// Streams are where a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Main runs one command and returns the exit code: 0 done, 1 failed, 2 wrong
// usage. What goes wrong is said in one line on Streams.Err.
func Main(ctx context.Context, p Program, s Streams, args []string) int {
	a := &app{Program: p, Streams: s}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	if errors.Is(err, errSilent) {
		return exitFailed
	}
	fmt.Fprintf(s.Err, "paddock: %s\n", sentence(err))
	if _, ok := errors.AsType[usageError](err); ok || strings.HasPrefix(err.Error(), "unknown command") {
		return exitUsage
	}
	return exitFailed
}

// usageError is what a person typed wrongly.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// errSilent ends a command with code 1 after it has said why itself.
var errSilent = errors.New("already said")

// app is one run of the program. It is used by one command.
type app struct {
	Program
	Streams
	home  string
	vault string
	json  bool
}

func (a *app) root() *cobra.Command {
	hidden := false
	root := &cobra.Command{
		Use:   "paddock",
		Short: "Lend this machine's Ollama to the local network, safely",
		Long: "Paddock lends this machine's Ollama to the local network, safely:\n" +
			"each teammate has a key of their own, and a gate checks every request.\n\n" +
			"Without a command it opens its window and its tray icon.",
		SilenceUsage: true, SilenceErrors: true,
		Args: none,
		RunE: func(c *cobra.Command, _ []string) error { return a.window(c.Context(), hidden) },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	f := root.PersistentFlags()
	f.StringVar(&a.home, "home", "", "folder of Paddock's files (default $PADDOCK_HOME or the user's configuration folder)")
	f.StringVar(&a.vault, "vault", "", "where keys are kept: auto, keychain, file or memory (default $PADDOCK_VAULT or auto)")
	f.BoolVar(&a.json, "json", false, "print facts as JSON")
	root.Flags().BoolVar(&hidden, "hidden", false, "start in the tray, without a window")
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return a.resolve() }
	root.AddCommand(
		a.shareCmd(), a.statusCmd(), a.stopCmd(), a.keysCmd(), a.logCmd(), a.settingsCmd(),
		&cobra.Command{
			Use: "version", Short: "Print the version", Args: none,
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
		found, _, err := c.Root().Find(args)
		if err != nil {
			return usageError{err}
		}
		return found.Help()
	}})
	return root
}

func completionCmd() *cobra.Command {
	return &cobra.Command{
		Use: "completion bash|zsh|fish|powershell", Short: "Print a completion script for a shell",
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
	a.home = abs
	if a.vault == "" {
		a.vault = os.Getenv("PADDOCK_VAULT")
	}
	if a.vault == "" {
		a.vault = string(keystore.VaultAuto)
	}
	for _, k := range keystore.VaultKinds() {
		if a.vault == string(k) {
			return nil
		}
	}
	return usagef("--vault %q: it is auto, keychain, file or memory", a.vault)
}

func none(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("unknown command or argument %q; see --help", args[0])
	}
	return nil
}

func exactly(n int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n {
			return usagef("it takes %s", what)
		}
		return nil
	}
}
