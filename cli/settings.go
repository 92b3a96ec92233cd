package cli

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"paddock/internal/control"
	"paddock/settings"
)

func (a *app) settingsCmd() *cobra.Command {
	c := &cobra.Command{Use: "settings", Short: "List, get and set the owner's choices", Args: none, RunE: groupHelp}
	c.AddCommand(
		&cobra.Command{
			Use: "list", Short: "List all settings with their values", Args: none,
			RunE: func(c *cobra.Command, _ []string) error {
				var items []settings.Item
				if err := a.call(c.Context(), control.OpSettingsList, nil, &items); err != nil {
					return err
				}
				return a.print(items, func(w io.Writer) {
					t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
					fmt.Fprintln(t, "NAME\tVALUE\tMEANING")
					for _, i := range items {
						value := i.Value
						if value == "" {
							value = "-"
						}
						fmt.Fprintf(t, "%s\t%s\t%s\n", i.Name, value, i.Help)
					}
					t.Flush()
				})
			},
		},
		&cobra.Command{
			Use: "get NAME", Short: "Print one setting", Args: exactly(1, "the name of a setting"), ValidArgsFunction: a.completeSettings,
			RunE: func(c *cobra.Command, args []string) error {
				var v string
				if err := a.call(c.Context(), control.OpSettingsGet, control.NameArgs{Name: args[0]}, &v); err != nil {
					return err
				}
				return a.print(map[string]string{"name": args[0], "value": v}, func(w io.Writer) { fmt.Fprintln(w, v) })
			},
		},
		&cobra.Command{
			Use: "set NAME VALUE", Short: "Change one setting", Args: exactly(2, "the name of a setting and its value"), ValidArgsFunction: a.completeSettings,
			RunE: func(c *cobra.Command, args []string) error {
				return a.call(c.Context(), control.OpSettingsSet, control.NameArgs{Name: args[0], Value: args[1]}, nil)
			},
		},
	)
	return c
}

// completeSettings offers the names of settings to the shell.
func (a *app) completeSettings(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var items []settings.Item
	if len(args) > 0 || a.resolve() != nil || !a.lived() || a.call(context.WithoutCancel(c.Context()), control.OpSettingsList, nil, &items) != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, i := range items {
		names = append(names, i.Name+"\t"+i.Help)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
