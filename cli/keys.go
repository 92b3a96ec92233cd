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
	keys := &cobra.Command{Use: "keys", Short: "Make, list, copy, suspend and remove keys", Args: none, RunE: groupHelp}
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
				return a.print(snap.List, func(w io.Writer) { listKeys(w, snap.List, time.Now()) })
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
	var role, expires string
	var cloud bool
	c := &cobra.Command{
		Use: "add NAME", Short: "Make a key and print it", Args: exactly(1, "a name for the key"),
		Long: "Make a key for one teammate or one program and print it, and nothing else, on standard output.",
		RunE: func(c *cobra.Command, args []string) error {
			g := policy.Grant{Cloud: cloud}
			var err error
			if g.Role, err = policy.ParseRole(role); err != nil {
				return usageError{fmt.Errorf("--role: %w", err)}
			}
			if g.Expires, err = parseExpiry(expires, time.Now()); err != nil {
				return err
			}
			if _, err := keystore.CheckName(args[0]); err != nil {
				return usageError{err}
			}
			if err := a.sameVault(c.Context()); err != nil {
				return err
			}
			var r addResult
			if err := a.call(c.Context(), control.OpKeysAdd, addArgs{args[0], g}, &r); err != nil {
				return err
			}
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
				return fmt.Errorf("the key was made, but %w (%w); print it with `%s keys copy`", errUnprinted, unseen, a.prefix)
			}
			return nil
		},
	}
	c.Flags().StringVar(&role, "role", policy.RoleUser.String(), "`ROLE` of the key. user: use models and look at lists; manager: also pull, create and delete models")
	c.Flags().StringVar(&expires, "expires", settings.FormatDuration(share.DefaultExpiry), "`WHEN` the key ends: a time from now (30d), a day (2027-01-31) or none")
	c.Flags().BoolVar(&cloud, "cloud", false, "also allow cloud models, which spend your ollama.com account")
	_ = c.RegisterFlagCompletionFunc("role", cobra.FixedCompletions([]string{"user", "manager"}, cobra.ShellCompDirectiveNoFileComp))
	return c
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

func listKeys(w io.Writer, keys []keystore.Key, now time.Time) {
	if len(keys) == 0 {
		fmt.Fprintln(w, "No keys yet. Make one with: paddock keys add NAME")
		return
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tKEY\tROLE\tEXPIRES\tLAST USED\tSTATE")
	for _, k := range keys {
		fmt.Fprintf(t, "%s\t%s…\t%s\t%s\t%s\t%s\n", oneLine(k.Name), oneLine(k.Hint), k.Grant.Role, expiry(k), ago(k.LastUsed, now), keyState(k, now))
	}
	t.Flush()
}

func showKey(w io.Writer, k keystore.Key, now time.Time) {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	cloud := "no"
	if k.Grant.Cloud {
		cloud = "yes"
	}
	for _, row := range [][2]string{
		{"Name", oneLine(k.Name)},
		{"Key", oneLine(k.Hint) + "…"},
		{"Role", k.Grant.Role.String()},
		{"Cloud models", cloud},
		{"Expires", expiry(k)},
		{"State", keyState(k, now)},
		{"Made", k.Made.Local().Format(time.DateTime)},
		{"Last used", ago(k.LastUsed, now)},
		{"Kept in", string(k.Vault)},
	} {
		fmt.Fprintf(t, "%s\t%s\n", row[0], row[1])
	}
	t.Flush()
}

func expiry(k keystore.Key) string {
	if k.Grant.Expires.IsZero() {
		return "never"
	}
	// The last day on which it is good: one that ends at midnight ends with the day before.
	return k.Grant.Expires.Add(-1).Local().Format(time.DateOnly)
}

func keyState(k keystore.Key, now time.Time) string {
	switch {
	case k.Suspended:
		return "suspended"
	case !k.Grant.Expires.IsZero() && !now.Before(k.Grant.Expires):
		return "expired"
	case k.Vault == keystore.VaultMemory:
		return "on, in memory only"
	}
	return "on"
}

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
