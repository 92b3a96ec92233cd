package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"paddock/keystore"
	"paddock/policy"
)

// grantFlags are the flags that say what a key may do, the same when it is made
// and when it is changed.
type grantFlags struct {
	role, expires, rate, concurrent, tokens, secondStep string
	models                                              []string
	allModels, cloud, inAddress                         bool
}

// register adds the flags to a command. Without an expires nothing has a
// default: what is not given stays as it is.
func (f *grantFlags) register(c *cobra.Command, expires string) {
	flags := c.Flags()
	flags.StringVar(&f.role, "role", policy.RoleUser.String(), "`ROLE` of the key. user: use models and look at lists; manager: also pull, create and delete models")
	flags.StringArrayVar(&f.models, "model", nil, "`PATTERN` of models that the key may use and see, such as llama3 or 'qwen3:*'; may be given many times, and without it are all models")
	flags.BoolVar(&f.cloud, "cloud", false, "allow cloud models too, which spend your ollama.com account")
	flags.BoolVar(&f.inAddress, "in-address", false, "let the key stand in the address, /k/KEY/…, for programs that have nothing but an address field")
	flags.StringVar(&f.expires, "expires", expires, "`WHEN` the key ends: a time from now (30d), a day (2027-01-31) or none")
	flags.StringVar(&f.rate, "rate", policy.DefaultRate.String(), "`RATE` of requests, such as 120/min or 1000/day; none for no limit")
	flags.StringVar(&f.concurrent, "concurrent", policy.DefaultConcurrent.String(), "`NUMBER` of requests that run at once; none for no limit")
	flags.StringVar(&f.tokens, "tokens-per-day", policy.None, "`NUMBER` of tokens a day, prompts and answers together; none for no limit")
	flags.StringVar(&f.secondStep, "second-step", policy.None, "`KIND` of second step")
	_ = flags.MarkHidden("second-step") // this version has none
	_ = c.RegisterFlagCompletionFunc("role", cobra.FixedCompletions([]string{"user", "manager"}, cobra.ShellCompDirectiveNoFileComp))
	for _, name := range []string{"role", "rate", "concurrent", "tokens-per-day"} {
		if expires == "" {
			flags.Lookup(name).DefValue = "" // as the help shows it
		}
	}
	for _, name := range []string{"model", "expires", "rate", "concurrent", "tokens-per-day"} {
		_ = c.RegisterFlagCompletionFunc(name, cobra.NoFileCompletions)
	}
}

// The members of a grant that can be changed, by their names in JSON.
const (
	givenRole       = "role"
	givenModels     = "models"
	givenCloud      = "cloud"
	givenInAddress  = "in_address"
	givenExpires    = "expires"
	givenRate       = "rate"
	givenConcurrent = "concurrent"
	givenPerDay     = "tokens_per_day"
)

// read returns the grant that the flags describe, and the members that they
// name. A limit that nobody named is left open, so that its default holds.
func (f *grantFlags) read(c *cobra.Command, now time.Time) (g policy.Grant, given []string, err error) {
	for _, x := range []struct {
		flag, member string
		take         func() error
	}{
		{"role", givenRole, func() (err error) { g.Role, err = policy.ParseRole(f.role); return err }},
		{"model", givenModels, func() (err error) { g.Models, err = policy.ParseModels(f.models); return err }},
		{"cloud", givenCloud, func() error { g.Cloud = f.cloud; return nil }},
		{"in-address", givenInAddress, func() error { g.InAddress = f.inAddress; return nil }},
		{"rate", givenRate, func() (err error) { g.Rate, err = policy.ParseRate(f.rate); return err }},
		{"concurrent", givenConcurrent, func() (err error) { g.Concurrent, err = policy.ParseCap(f.concurrent); return err }},
		{"tokens-per-day", givenPerDay, func() (err error) { g.TokensPerDay, err = policy.ParseCap(f.tokens); return err }},
	} {
		flag := c.Flags().Lookup(x.flag)
		if !flag.Changed {
			continue
		}
		if err := x.take(); err != nil {
			return g, nil, usagef("--%s: %w", x.flag, err)
		}
		given = append(given, x.member)
	}
	if f.secondStep != policy.None {
		return g, nil, usagef("--second-step cannot be %q: this version knows only none", f.secondStep)
	}
	if f.allModels {
		if !g.Models.All() {
			return g, nil, usagef("--model and --all-models cannot both be meant")
		}
		given = append(given, givenModels)
	}
	if f.expires != "" || c.Flags().Changed("expires") {
		if g.Expires, err = parseExpiry(f.expires, now); err != nil {
			return g, nil, err
		}
		given = append(given, givenExpires)
	}
	return g, given, nil
}

// copyGiven copies the members that are named from one grant into another. It
// returns a name that it does not know, of which there is none when it is "".
func copyGiven(to *policy.Grant, from policy.Grant, given []string) (unknown string) {
	for _, member := range given {
		switch member {
		case givenRole:
			to.Role = from.Role
		case givenModels:
			to.Models = from.Models
		case givenCloud:
			to.Cloud = from.Cloud
		case givenInAddress:
			to.InAddress = from.InAddress
		case givenExpires:
			to.Expires = from.Expires
		case givenRate:
			to.Rate = from.Rate
		case givenConcurrent:
			to.Concurrent = from.Concurrent
		case givenPerDay:
			to.TokensPerDay = from.TokensPerDay
		default:
			return member
		}
	}
	return ""
}

// mayNow says in one line what a key may do.
func mayNow(k keystore.Key) string {
	parts := []string{k.Grant.Role.String(), "models " + models(k.Grant, policy.MaxPatterns), "limits " + limits(k.Grant)}
	if k.Grant.InAddress {
		parts = append(parts, "also in the address")
	}
	if k.Grant.Expires.IsZero() {
		parts = append(parts, "never expires")
	} else {
		parts = append(parts, "expires "+expiry(k))
	}
	return oneLine(k.Name) + " is changed: " + strings.Join(parts, "; ")
}

// models says which models a grant allows, naming so many of its patterns.
func models(g policy.Grant, most int) string {
	out := modelNames(g.Models, most)
	if g.Cloud {
		out += " + cloud"
	}
	return out
}

func modelNames(m policy.Models, most int) string {
	if m.All() {
		return "all"
	}
	list := m.List()
	if more := len(list) - most; more > 0 {
		return oneLine(strings.Join(list[:most], ", ")) + fmt.Sprintf(" and %d more", more)
	}
	return oneLine(strings.Join(list, ", "))
}

// limits says in a few words how much a grant allows.
func limits(g policy.Grant) string {
	g = g.WithDefaults()
	var parts []string
	if g.Rate.Limited() {
		parts = append(parts, g.Rate.String())
	}
	if g.Concurrent.Limited() {
		parts = append(parts, g.Concurrent.String()+" at once")
	}
	if g.TokensPerDay.Limited() {
		parts = append(parts, plural(int(g.TokensPerDay), "token", "tokens")+" a day")
	}
	if len(parts) == 0 {
		return policy.None
	}
	return strings.Join(parts, ", ")
}
