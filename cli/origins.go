package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"paddock/internal/control"
	"paddock/policy"
	"paddock/share"
)

func (a *app) originsCmd() *cobra.Command {
	c := &cobra.Command{
		Use: "origins", Short: "List, allow, block and remove the websites that may use the gate", Args: none, RunE: groupHelp,
		Long: "Say which web pages may use the gate with a key. A browser tells the origin of each page, such as\n" +
			"https://app.example.com, and the gate refuses those that nobody allowed. Programs that are no web\n" +
			"pages tell none and are not affected.\n\n" + originMeans(),
	}
	change := func(name, short, op string, done func(string) string, offer func(share.Websites) []string) *cobra.Command {
		return &cobra.Command{
			Use: name + " ORIGIN", Short: short, Long: short + ".\n\n" + originMeans(), Args: exactly(1, "an origin or the name of a preset"), ValidArgsFunction: a.completeOrigins(offer),
			RunE: func(c *cobra.Command, args []string) error {
				origin, err := parseOrigin(args[0])
				if err != nil {
					return err
				}
				var sites share.Websites
				if err := a.call(c.Context(), op, control.NameArgs{Name: origin}, &sites); err != nil {
					return err
				}
				fmt.Fprintln(a.Err, oneLine(done(origin)))
				if a.json {
					return a.print(sites, nil)
				}
				return nil
			},
		}
	}
	c.AddCommand(
		&cobra.Command{
			Use: "list", Short: "List presets, websites and those that were refused lately", Args: none,
			RunE: func(c *cobra.Command, _ []string) error {
				var sites share.Websites
				if err := a.call(c.Context(), control.OpOriginsList, nil, &sites); err != nil {
					return err
				}
				return a.print(sites, func(w io.Writer) { a.listOrigins(w, sites, time.Now()) })
			},
		},
		change("allow", "Let the pages of a website use the gate", control.OpOriginsAllow, allowedWords, mayAllow),
		change("block", "Refuse the pages of a website, and keep its line", control.OpOriginsBlock, blockedWords, mayBlock),
		change("remove", "Take a website out of the list; its pages are refused unless another line allows them", control.OpOriginsRemove, removedWords, mayRemove),
	)
	return c
}

// originMeans says what can stand for ORIGIN.
func originMeans() string {
	return "ORIGIN is an origin, a pattern of them ('http://localhost:*', 'chrome-extension://*'), or a preset:\n" +
		presetNames() + ". A no to one origin goes before a yes to a pattern."
}

// presetNames lists the presets.
func presetNames() string {
	var names []string
	for _, p := range policy.Presets() {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}

// parseOrigin reads what a person typed: an origin, a pattern, or a preset in
// whatever letters.
func parseOrigin(text string) (string, error) {
	if p, ok := policy.FindPreset(strings.ToLower(strings.TrimSpace(text))); ok {
		return p.Name, nil
	}
	origin, err := policy.ParseOrigin(text)
	if err != nil {
		return "", usagef("an origin cannot be %.200q: %w; or a preset: %s", text, err, presetNames())
	}
	return origin, nil
}

func allowedWords(origin string) string {
	if p, ok := policy.FindPreset(origin); ok {
		return origin + " is on: " + strings.Join(p.Patterns, ", ")
	}
	return "pages of " + origin + " may use the gate"
}

func blockedWords(origin string) string {
	if _, ok := policy.FindPreset(origin); ok {
		return origin + " is off"
	}
	return "pages of " + origin + " are refused"
}

func removedWords(origin string) string {
	if _, ok := policy.FindPreset(origin); ok {
		return origin + " is off"
	}
	return origin + " is not in the list any more"
}

// presetWords says what a preset is for. One of a newer instance keeps its name.
func presetWords(name string) string {
	if p, ok := policy.FindPreset(name); ok {
		return p.Title + ": " + p.Means
	}
	return name
}

func (a *app) listOrigins(w io.Writer, sites share.Websites, now time.Time) {
	fmt.Fprintln(w, "Programs that are no web pages are not affected by this list.")
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "\nPRESET\tSWITCH\tMEANING")
	for _, p := range sites.Presets {
		fmt.Fprintf(t, "%s\t%s\t%s\n", oneLine(p.Name), onOff(p.Allowed), oneLine(presetWords(p.Name)))
	}
	if len(sites.List) > 0 {
		fmt.Fprintln(t, "\nORIGIN\tSWITCH")
	}
	for _, r := range sites.List {
		fmt.Fprintf(t, "%s\t%s\n", oneLine(r.Origin), onOff(r.Allowed))
	}
	if len(sites.Refused) > 0 {
		fmt.Fprintln(t, "\nREFUSED LATELY\tTIMES\tLAST")
	}
	for _, r := range sites.Refused {
		fmt.Fprintf(t, "%s\t%d\t%s\n", oneLine(r.Origin), r.Count, ago(r.Last, now))
	}
	t.Flush()
	if len(sites.Refused) > 0 {
		fmt.Fprintf(w, "`%s origins allow %s` lets it in.\n", a.prefix, oneLine(sites.Refused[0].Origin))
	}
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// completeOrigins offers what the command can be used on to the shell.
func (a *app) completeOrigins(offer func(share.Websites) []string) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		var sites share.Websites
		if len(args) > 0 || a.resolve() != nil || !a.lived() || a.call(context.WithoutCancel(c.Context()), control.OpOriginsList, nil, &sites) != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return offer(sites), cobra.ShellCompDirectiveNoFileComp
	}
}

// mayAllow is what is off: presets, lines, and who was refused.
func mayAllow(sites share.Websites) []string {
	return append(switched(sites, false), refusedLately(sites)...)
}

// mayBlock is what is on, and who was refused: a no keeps it from the list.
func mayBlock(sites share.Websites) []string {
	return append(switched(sites, true), refusedLately(sites)...)
}

func switched(sites share.Websites, on bool) (out []string) {
	for _, p := range sites.Presets {
		if p.Allowed == on {
			out = append(out, p.Name+"\t"+presetWords(p.Name))
		}
	}
	for _, r := range sites.List {
		if r.Allowed == on {
			out = append(out, r.Origin)
		}
	}
	return out
}

func refusedLately(sites share.Websites) (out []string) {
	for _, r := range sites.Refused {
		out = append(out, r.Origin+"\trefused "+plural(r.Count, "time", "times"))
	}
	return out
}

// mayRemove is what stands in the list.
func mayRemove(sites share.Websites) (out []string) {
	for _, p := range sites.Presets {
		if p.Allowed {
			out = append(out, p.Name)
		}
	}
	for _, r := range sites.List {
		out = append(out, r.Origin)
	}
	return out
}
