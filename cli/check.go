package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"paddock/internal/control"
	"paddock/safety"
	"paddock/share"
)

// writer is shorter to read in a list of arguments.
type writer = io.Writer

func (a *app) checkCmd() *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "Look for ways around the gate; exit 1 while there is one", Args: none,
		RunE: func(c *cobra.Command, _ []string) error {
			var s share.Safety
			if err := a.call(c.Context(), control.OpCheck, nil, &s); err != nil {
				return err
			}
			if err := a.print(s, func(w writer) { fmt.Fprint(w, a.hints(checkText(s))) }); err != nil {
				return err
			}
			switch s.Problems {
			case 0:
				return nil
			case 1:
				return errors.New("1 problem: people can walk around the gate")
			}
			return fmt.Errorf("%d problems: people can walk around the gate", s.Problems)
		},
	}
}

// sign is a shape for each level, so that nothing hangs on colour.
func sign(l safety.Level) string {
	switch l {
	case safety.Problem:
		return "✕"
	case safety.Attention:
		return "!"
	case safety.OK:
		return "✓"
	case safety.Unknown:
	}
	return "?"
}

func itemText(i safety.Item) string {
	if i.Text == "" {
		return i.Name
	}
	return i.Name + ": " + i.Text
}

// checkText lists what matters most first.
func checkText(s share.Safety) string {
	var b strings.Builder
	for _, level := range []safety.Level{safety.Problem, safety.Attention, safety.OK, safety.Unknown} {
		for _, f := range s.Facts {
			if f.Level == level {
				factText(&b, f)
			}
		}
	}
	return b.String()
}

func factText(b *strings.Builder, f safety.Fact) {
	fmt.Fprintf(b, "%s %s\n", sign(f.Level), f.Title)
	if f.Detail != "" {
		fmt.Fprintf(b, "    %s\n", f.Detail)
	}
	if f.Level == safety.OK || f.Level == safety.Unknown {
		return
	}
	for _, i := range f.Items {
		fmt.Fprintf(b, "    - %s\n", itemText(i))
	}
	for _, step := range f.Fix {
		fmt.Fprintf(b, "    → %s\n", step.Text)
		for line := range strings.SplitSeq(strings.TrimRight(step.Code, "\n"), "\n") {
			if line != "" {
				fmt.Fprintf(b, "        %s\n", line)
			}
		}
	}
}
