package cli

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"paddock/internal/control"
	"paddock/requestlog"
)

func (a *app) logCmd() *cobra.Command {
	follow := false
	c := &cobra.Command{
		Use: "log", Short: "Print the requests that the running Paddock remembers", Args: none,
		Long: "Print the requests that the running Paddock remembers, oldest first.\n" +
			"With --json each is one JSON object a line. Prompts and answers are never kept.",
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := control.Dial(a.home)
			if err == nil {
				err = client.Stream(c.Context(), control.OpLog, logArgs{follow}, a.printEntry, nil)
			}
			if errors.Is(err, control.ErrNotRunning) {
				return errors.New("Paddock does not run; the log is kept in memory and ends with the program") //nolint:staticcheck // a name, at the start of a sentence
			}
			if follow && errors.Is(err, control.ErrGone) {
				err = errors.New("the Paddock that ran has ended")
			}
			if c.Context().Err() == nil { // Ctrl-C is how one stops to follow
				return err
			}
			return nil
		},
	}
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on with new requests until Ctrl-C")
	return c
}

func (a *app) printEntry(raw json.RawMessage) error {
	if a.json {
		_, err := fmt.Fprintf(a.Out, "%s\n", raw)
		return err
	}
	var e requestlog.Entry
	if err := json.Unmarshal(raw, &e); err != nil {
		return fmt.Errorf("reading an entry: %w", err)
	}
	_, err := fmt.Fprintln(a.Out, requestLine(e))
	return err
}
