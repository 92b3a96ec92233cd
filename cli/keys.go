package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"paddock/internal/control"
	"paddock/keystore"
	"paddock/policy"
	"paddock/settings"
	"paddock/share"
)

func (a *app) keysCmd() *cobra.Command {
	keys := &cobra.Command{Use: "keys", Short: "Make, list, edit, copy, rotate, suspend and remove keys", Args: none, RunE: groupHelp}
	named := func(use, short, op string, done string) *cobra.Command {
		return &cobra.Command{
			Use: use + " NAME", Short: short, Args: exactly(1, "the name of a key"), ValidArgsFunction: a.completeKeys,
			RunE: func(c *cobra.Command, args []string) error {
				var n note
				if err := a.call(c.Context(), op, control.NameArgs{Name: args[0]}, &n); err != nil {
					return err
				}
				fmt.Fprintf(a.Err, done+"\n", oneLine(args[0]))
				if n.Note != "" {
					fmt.Fprintf(a.Err, "paddock: %s\n", oneLine(n.Note))
				}
				return nil
			},
		}
	}
	keys.AddCommand(
		a.addCmd(),
		&cobra.Command{
			Use: "list", Short: "List the keys", Args: none,
			RunE: func(c *cobra.Command, _ []string) error {
				var snap share.Keys
				if err := a.call(c.Context(), control.OpKeysList, nil, &snap); err != nil {
					return err
				}
				if snap.List == nil {
					snap.List = []keystore.Key{}
				}
				return a.print(snap.List, func(w io.Writer) { a.listKeys(w, snap.List, time.Now()) })
			},
		},
		&cobra.Command{
			Use: "show NAME", Short: "Show what one key may do", Args: exactly(1, "the name of a key"), ValidArgsFunction: a.completeKeys,
			RunE: func(c *cobra.Command, args []string) error {
				var k keystore.Key
				if err := a.call(c.Context(), control.OpKeysShow, control.NameArgs{Name: args[0]}, &k); err != nil {
					return err
				}
				return a.print(k, func(w io.Writer) { showKey(w, k, time.Now()) })
			},
		},
		a.copyCmd(),
		a.editCmd(),
		a.rotateCmd(),
		named("suspend", "Refuse a key until it is resumed; its running requests are cut", control.OpKeysSuspend, "%s is suspended"),
		named("resume", "Let a suspended key in again", control.OpKeysResume, "%s may use the gate again"),
		named("remove", "Revoke a key for good; its running requests are cut", control.OpKeysRemove, "%s is removed"),
	)
	return keys
}

func groupHelp(c *cobra.Command, _ []string) error {
	c.Root().SetOut(c.ErrOrStderr()) // it was not asked for, so it is no result
	_ = c.Help()
	return usagef("%s needs a subcommand", c.CommandPath())
}

func (a *app) addCmd() *cobra.Command {
	var may grantFlags
	c := &cobra.Command{
		Use: "add NAME", Short: "Make a key and print it", Args: exactly(1, "a name for the key"),
		Long: "Make a key for one teammate or one program and print it, and nothing else, on standard output.",
		RunE: func(c *cobra.Command, args []string) error {
			g, _, err := may.read(c, time.Now())
			if err != nil {
				return err
			}
			if _, err := keystore.CheckName(args[0]); err != nil {
				return usageError{err}
			}
			if err := a.sameVault(c.Context()); err != nil {
				return err
			}
			var r secretResult
			if err := a.call(c.Context(), control.OpKeysAdd, addArgs{args[0], g}, &r); err != nil {
				return err
			}
			return a.handOver(r, "made")
		},
	}
	may.register(c, settings.FormatDuration(share.DefaultExpiry))
	return c
}

func (a *app) editCmd() *cobra.Command {
	var may grantFlags
	c := &cobra.Command{
		Use: "edit NAME", Short: "Change what a key may do; the key stays the same", ValidArgsFunction: a.completeKeys,
		Args: exactly(1, "the name of a key"),
		Long: "Change what a key may do, from its next request on. What no flag names stays as it is.\n" +
			"--model replaces the whole list of models, and --all-models takes it away.\n" +
			"What was given is taken back with --cloud=false and --in-address=false.",
		RunE: func(c *cobra.Command, args []string) error {
			g, given, err := may.read(c, time.Now())
			if err != nil {
				return err
			}
			if len(given) == 0 {
				return usagef("nothing to change: name what the key may do; see `%s --help`", c.CommandPath())
			}
			var k keystore.Key
			if err := a.call(c.Context(), control.OpKeysEdit, editArgs{args[0], g, given}, &k); err != nil {
				return err
			}
			fmt.Fprintln(a.Err, mayNow(k))
			if a.json {
				return a.print(k, nil)
			}
			return nil
		},
	}
	may.register(c, "")
	c.Flags().Lookup("model").Usage = "`PATTERN` of models that the key may use and see, in place of the list that it has; may be given many times"
	c.Flags().BoolVar(&may.allModels, "all-models", false, "allow every model again")
	return c
}

func (a *app) rotateCmd() *cobra.Command {
	var grace string
	c := &cobra.Command{
		Use: "rotate NAME", Short: "Give a key a new secret and print it", ValidArgsFunction: a.completeKeys,
		Args: exactly(1, "the name of a key"),
		Long: "Give a key a new secret and print it, and nothing else, on standard output. What the key may do\n" +
			"stays the same. The old secret works for a while longer, so that its holder has time to change it.\n" +
			"There is one old secret at most: one that still works from a rotation before ends at once.",
		RunE: func(c *cobra.Command, args []string) error {
			d, err := settings.ParseDuration(grace)
			if err != nil {
				return usagef("--grace %q: write a time (24h), or none for an old key that ends at once", grace)
			}
			if d > keystore.MaxGrace {
				return usagef("--grace %s is too long: an old key works on for at most %s", grace, settings.FormatDuration(keystore.MaxGrace))
			}
			if err := a.sameVault(c.Context()); err != nil {
				return err
			}
			var r secretResult
			if err := a.call(c.Context(), control.OpKeysRotate, rotateArgs{args[0], d}, &r); err != nil {
				return err
			}
			if err := a.handOver(r, "changed"); err != nil {
				return err
			}
			fmt.Fprintln(a.Err, oneLine(afterRotation(r.Key, time.Now())))
			if r.Older {
				fmt.Fprintln(a.Err, "the key before that one works no more")
			}
			return nil
		},
	}
	c.Flags().StringVar(&grace, "grace", "24h", "`TIME` for which the old key still works, such as 1h; none cuts its running requests too")
	_ = c.RegisterFlagCompletionFunc("grace", cobra.NoFileCompletions)
	return c
}

// afterRotation says what became of the old secret of a key.
func afterRotation(k keystore.Key, now time.Time) string {
	until, works := k.OldWorksUntil(now)
	switch {
	case works:
		return fmt.Sprintf("the old key of %s works until %s", k.Name, until.Local().Format(toTheMinute))
	case !k.OldUntil.After(now):
		return fmt.Sprintf("the old key of %s works no more", k.Name)
	case ended(k, now):
		return fmt.Sprintf("%s has expired: neither its old key nor the new one works until it ends later", k.Name)
	}
	return k.Name + " is suspended: neither its old key nor the new one works until it is resumed"
}

// handOver prints a key that was just made or changed.
func (a *app) handOver(r secretResult, done string) error {
	if r.Key.Vault == keystore.VaultMemory {
		fmt.Fprintln(a.Err, "paddock: the key lies in memory and ends with the Paddock that runs")
	}
	var unseen error
	if a.json {
		unseen = a.print(map[string]any{"key": r.Text, "info": r.Key}, nil)
	} else {
		_, unseen = fmt.Fprintln(a.Out, r.Text)
	}
	if unseen != nil {
		return fmt.Errorf("the key was %s, but %w (%w); print it with `paddock keys copy`", done, errUnprinted, unseen)
	}
	return nil
}

// sameVault refuses a --vault that the Paddock that runs does not use: a key
// would lie elsewhere than was asked for.
func (a *app) sameVault(ctx context.Context) error {
	if a.vault == string(keystore.VaultAuto) {
		return nil
	}
	var keys share.Keys
	err := a.ask(ctx, control.OpKeysList, nil, &keys)
	if err != nil || keys.Vault == keystore.VaultAuto || string(keys.Vault) == a.vault {
		return nil //nolint:nilerr // whatever is wrong shows when the key is made
	}
	return coded{"other-vault", fmt.Sprintf("the Paddock that runs keeps keys in %s; leave out --vault %s, or end it and start it with that", keys.VaultWords, a.vault)}
}

// parseExpiry reads a time from now, a day (its end, by the local clock) or none.
func parseExpiry(s string, now time.Time) (time.Time, error) {
	if s == "none" {
		return time.Time{}, nil
	}
	if day, err := time.ParseInLocation(time.DateOnly, s, now.Location()); err == nil {
		end := day.AddDate(0, 0, 1)
		switch {
		case !end.After(now):
			return time.Time{}, usagef("--expires %s lies in the past", s)
		case end.Year() > 9999: // JSON has no such time
			return time.Time{}, usagef("--expires %s is too far away; write none for a key that never ends", s)
		}
		return end.UTC(), nil
	}
	d, err := settings.ParseDuration(s)
	if err != nil || d <= 0 {
		return time.Time{}, usagef("--expires %q: write a time from now (30d), a day (2027-01-31) or none", s)
	}
	return now.Add(d).UTC().Truncate(time.Second), nil
}

func (a *app) copyCmd() *cobra.Command {
	clip := false
	c := &cobra.Command{
		Use: "copy NAME", Short: "Print a key again, from the keychain", Args: exactly(1, "the name of a key"), ValidArgsFunction: a.completeKeys,
		RunE: func(c *cobra.Command, args []string) error {
			if clip {
				if err := a.call(c.Context(), control.OpKeysClip, control.NameArgs{Name: args[0]}, nil); err != nil {
					return err
				}
				fmt.Fprintln(a.Err, "copied; the clipboard is cleared after a minute")
				return nil
			}
			if err := a.sameVault(c.Context()); err != nil {
				return err
			}
			var text string
			if err := a.call(c.Context(), control.OpKeysCopy, control.NameArgs{Name: args[0]}, &text); err != nil {
				return err
			}
			if a.json {
				return a.print(map[string]string{"name": args[0], "key": text}, nil)
			}
			fmt.Fprintln(a.Out, text)
			return nil
		},
	}
	c.Flags().BoolVar(&clip, "clipboard", false, "let the Paddock with the window put it on the clipboard for a minute instead")
	return c
}

// completeKeys offers the names of keys to the shell.
func (a *app) completeKeys(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var snap share.Keys
	if len(args) > 0 || a.resolve() != nil || !a.lived() || a.call(context.WithoutCancel(c.Context()), control.OpKeysList, nil, &snap) != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, k := range snap.List {
		names = append(names, k.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// lived says whether the home is there. The Tab key makes none.
func (a *app) lived() bool {
	info, err := os.Stat(a.home)
	return err == nil && info.IsDir()
}

func (a *app) listKeys(w io.Writer, keys []keystore.Key, now time.Time) {
	if len(keys) == 0 {
		fmt.Fprintf(w, "No keys yet. Make one with: %s keys add NAME\n", a.prefix)
		return
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tKEY\tROLE\tMODELS\tLIMITS\tTODAY\tEXPIRES\tLAST USED\tSTATE")
	for _, k := range keys {
		fmt.Fprintf(t, "%s\t%s…\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", oneLine(k.Name), oneLine(k.Hint), k.Grant.Role, models(k.Grant, 2), limits(k.Grant),
			today(k.Today), expiry(k), ago(k.LastUsed, now), keyState(k, now))
	}
	t.Flush()
}

func showKey(w io.Writer, k keystore.Key, now time.Time) {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	g := k.Grant.WithDefaults()
	rows := [][2]string{
		{"Name", oneLine(k.Name)},
		{"Key", oneLine(k.Hint) + "…"},
		{"Role", g.Role.String()},
		{"Models", modelNames(g.Models, policy.MaxPatterns)},
		{"Cloud models", yesNo(g.Cloud)},
		{"In the address", yesNo(g.InAddress)},
		{"Requests", g.Rate.String()},
		{"At once", g.Concurrent.String()},
		{"Tokens a day", g.TokensPerDay.String()},
		{"Today", today(k.Today)},
		{"Expires", expiry(k)},
		{"State", keyState(k, now)},
		{"Made", k.Made.Local().Format(time.DateTime)},
		{"Last used", ago(k.LastUsed, now)},
		{"Kept in", string(k.Vault)},
	}
	for _, row := range rows {
		fmt.Fprintf(t, "%s\t%s\n", row[0], row[1])
	}
	t.Flush()
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// today says what a key has done since midnight.
func today(u keystore.Usage) string {
	if u == (keystore.Usage{}) {
		return "nothing"
	}
	return plural(int(u.Requests), "request", "requests") + ", " + plural(int(u.Tokens), "token", "tokens")
}

func expiry(k keystore.Key) string {
	if k.Grant.Expires.IsZero() {
		return "never"
	}
	// The last day on which it is good: one that ends at midnight ends with the day before.
	return k.Grant.Expires.Add(-1).Local().Format(time.DateOnly)
}

func keyState(k keystore.Key, now time.Time) string {
	state := "on"
	switch {
	case k.Suspended:
		state = "suspended"
	case ended(k, now):
		state = "expired"
	case k.Vault == keystore.VaultMemory:
		state = "on, in memory only"
	}
	if until, works := k.OldWorksUntil(now); works {
		state += ", old key too until " + until.Local().Format(toTheMinute)
	} else if k.OldUntil.After(now) {
		state += ", old key too"
	}
	return state
}

// ended says whether a key has expired.
func ended(k keystore.Key, now time.Time) bool {
	return !k.Grant.Expires.IsZero() && !now.Before(k.Grant.Expires)
}

// toTheMinute is how moments are written that somebody waits for.
const toTheMinute = "2006-01-02 15:04"

// ago says how long ago a moment was.
func ago(t, now time.Time) string {
	d := now.Sub(t)
	switch {
	case t.IsZero():
		return "never"
	case d < time.Minute:
		return "now"
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", d/time.Hour)
	}
	return fmt.Sprintf("%d days ago", d/(24*time.Hour))
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
