package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"paddock/internal/control"
	"paddock/settings"
	"paddock/share"
)

func (a *app) pauseCmd() *cobra.Command {
	return &cobra.Command{
		Use: "pause [DURATION]", Short: "Take a break: answer everybody with 503, for a time or until `paddock resume`",
		Long: "Take a break. Requests get 503 with Retry-After; those that run may finish. DURATION is such as 15m or 1h; without one the break lasts until `paddock resume`.",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("%s takes one duration, such as 15m; see `%s --help`", c.CommandPath(), c.CommandPath())
			}
			return nil
		},
		ValidArgs: []string{"15m", "1h"},
		RunE: func(c *cobra.Command, args []string) error {
			value := "0"
			if len(args) == 1 {
				d, err := settings.ParseDuration(args[0])
				if err != nil {
					return usagef("%q is no time for a break: %w", args[0], err)
				}
				if d < time.Second {
					return usagef("%q is no time for a break: it is a second or more", args[0])
				}
				value = d.String()
			}
			var st share.State
			if err := a.running(c.Context(), control.OpPause, control.NameArgs{Value: value}, &st); err != nil {
				return err
			}
			fmt.Fprintln(a.Err, pausedWords(st))
			return nil
		},
	}
}

// running asks the instance that runs, and says so in words when there is none.
func (a *app) running(ctx context.Context, op string, args, result any) error {
	err := retry(ctx, func() error { return a.ask(ctx, op, args, result) })
	if errors.Is(err, control.ErrNotRunning) {
		return errors.New("Paddock does not run, so nothing is shared") //nolint:staticcheck // a name
	}
	return err
}

func pausedWords(st share.State) string {
	if st.PausedUntil.IsZero() {
		return "Paused until `paddock resume`; requests that run may finish."
	}
	return "Paused until " + st.PausedUntil.Local().Format("15:04") + "; requests that run may finish."
}

func (a *app) resumeCmd() *cobra.Command {
	return &cobra.Command{
		Use: "resume", Short: "End a break, or take a panic back", Args: none,
		RunE: func(c *cobra.Command, _ []string) error {
			var done resumed
			if err := a.call(c.Context(), control.OpResume, nil, &done); err != nil {
				return err
			}
			fmt.Fprintln(a.Err, done.Words)
			return nil
		},
	}
}

// resumed says what Resume ended.
type resumed struct {
	Words string `json:"words"`
}

func (a *app) panicCmd() *cobra.Command {
	return &cobra.Command{
		Use: "panic", Short: "Stop at once: close the port, cut every request, suspend every key", Args: none,
		Long: "Stop at once: close the port, cut every request and suspend every key. `paddock resume` takes it back: those keys work again, and sharing goes on if it did before.",
		RunE: func(c *cobra.Command, _ []string) error {
			var done note
			if err := a.call(c.Context(), control.OpPanic, nil, &done); err != nil {
				return err
			}
			fmt.Fprintln(a.Err, "Everyone is cut off and every key is suspended. `"+a.prefix+" resume` takes it back.")
			return nil
		},
	}
}

func (a *app) authorityCmd() *cobra.Command {
	c := &cobra.Command{
		Use: "authority", Short: "Show the certificate authority with which the gate proves itself", Args: none,
		RunE: func(c *cobra.Command, _ []string) error { return a.authority(c.Context(), "") },
	}
	c.AddCommand(&cobra.Command{
		Use: "rotate", Short: "Make a new authority; whoever trusts the old one has to fetch ca.pem again", Args: none,
		Long: "Make a new authority, for when its private key may have leaked. Every teammate who trusts the old one stops trusting this gate at the next connection, and has to fetch ca.pem again and compare its fingerprint. Keys stay as they are; requests that run go on.",
		RunE: func(c *cobra.Command, _ []string) error {
			if err := a.authority(c.Context(), "rotate"); err != nil {
				return err
			}
			fmt.Fprintln(a.Err, "Every teammate has to fetch ca.pem again and compare its fingerprint; until then their programs refuse this gate.")
			return nil
		},
	})
	return c
}

func (a *app) authority(ctx context.Context, name string) error {
	var e share.Encryption
	if err := a.call(ctx, control.OpAuthority, control.NameArgs{Name: name}, &e); err != nil {
		return err
	}
	return a.print(e, func(w writer) { fmt.Fprint(w, a.hints(authorityText(e))) })
}

func authorityText(e share.Encryption) string {
	switch {
	case e.Fingerprint == "" && e.Fault == share.NoCertFault:
		return "There is no authority yet; Paddock makes one when it shares for the first time.\n"
	case e.Fingerprint == "":
		return "There is no certificate: " + certFault(e) + "\n"
	}
	var b strings.Builder
	what := "Authority"
	if e.Own {
		what = "Your own certificate"
	}
	fmt.Fprintf(&b, "%s\n  SHA-256 %s\n", what, e.Fingerprint)
	if e.File != "" && !e.Temporary {
		fmt.Fprintf(&b, "  in %s, until %s\n", e.File, e.AuthorityNotAfter.Local().Format(time.DateOnly))
	}
	if e.Own {
		fmt.Fprintf(&b, "  until %s\n", e.NotAfter.Local().Format(time.DateOnly))
	}
	if e.Temporary {
		b.WriteString("  it ends with the program, because this session has no keychain for its private key\n")
	}
	if e.Fault != share.NoCertFault {
		fmt.Fprintf(&b, "  but %s\n", certFault(e))
	}
	return b.String()
}

// certFault says what is wrong with the certificate, and what to do.
func certFault(e share.Encryption) string {
	switch e.Fault {
	case share.NoCertFault:
		return ""
	case share.CertVault:
		why := trouble(share.Keys{Trouble: share.Trouble(e.Detail)})
		return why + ", and the private key of the certificate lies there; unlock it and run `paddock share` again, or take a certificate of your own (share.certificate)"
	case share.CertLost:
		return "the keychain does not have the private key of ca.pem any more; make a new authority with `paddock authority rotate`, which every teammate has to trust anew"
	case share.CertDamaged:
		return e.Detail + "; repair it, or move it away and make a new one with `paddock authority rotate`"
	case share.CertExpired:
		if e.Own {
			return "your own certificate has expired; renew it, or clear share.certificate"
		}
		return "the authority has expired; make a new one with `paddock authority rotate`"
	case share.CertFiles:
		return "your own certificate cannot be used: " + e.Detail
	case share.CertUnsaved:
		return "ca.pem cannot be written: " + e.Detail
	}
	return e.Detail
}

func (a *app) loginCmd() *cobra.Command {
	return &cobra.Command{
		Use: "login [on|off]", Short: "Start Paddock when you log in, or say whether it does",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && args[0] != "on" && args[0] != "off" {
				return usagef("%s takes on or off, or nothing to ask; see `%s --help`", c.CommandPath(), c.CommandPath())
			}
			return nil
		},
		ValidArgs: []string{"on", "off"},
		RunE: func(c *cobra.Command, args []string) error {
			value := strings.Join(args, "")
			var on bool
			if err := a.call(c.Context(), control.OpLogin, control.NameArgs{Value: value}, &on); err != nil {
				return err
			}
			return a.print(map[string]bool{"at_login": on}, func(w writer) {
				if on {
					fmt.Fprintln(w, "Paddock starts when you log in.")
				} else {
					fmt.Fprintln(w, "Paddock does not start when you log in.")
				}
			})
		},
	}
}
