//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are what the command line says.
type options struct {
	dir      string // the work folder: programs that were fetched, and this run's files
	paddock  string // the program under test
	nginx    string // a program that is there already, empty to fetch one
	caddy    string
	only     []string
	rounds   int
	quick    bool
	markdown bool
	into     string
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "stand-in" {
		if err := standIn(os.Args[2:]); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, "stand-in:", err)
			os.Exit(1)
		}
		return
	}
	o, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		err = compare(ctx, o)
		stop()
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "benchpeers:", err)
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	var o options
	var only string
	f := flag.NewFlagSet("benchpeers", flag.ContinueOnError)
	f.StringVar(&o.dir, "dir", "build/benchpeers", "work `FOLDER`")
	f.StringVar(&o.paddock, "paddock", "", "`FILE` of the lite edition")
	f.StringVar(&o.nginx, "nginx", "", "`FILE` of an nginx to use instead of fetching one")
	f.StringVar(&o.caddy, "caddy", "", "`FILE` of a Caddy to use instead of fetching one")
	f.StringVar(&only, "only", "", "these `METRICS` only, joined by commas: "+strings.Join(suiteNames(), ", "))
	f.IntVar(&o.rounds, "rounds", 0, "`NUMBER` of rounds (default 5, with -quick 2)")
	f.BoolVar(&o.quick, "quick", false, "two short rounds: a look, not a result")
	f.BoolVar(&o.markdown, "markdown", false, "print the tables of docs/performance.md")
	f.StringVar(&o.into, "into", "", "write them into the marked place of this `FILE`")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("%q is not understood", f.Arg(0))
	}
	if only != "" {
		o.only = strings.Split(only, ",")
		for _, name := range o.only {
			if !slices.Contains(suiteNames(), name) {
				return o, fmt.Errorf("-only knows %s, not %q", strings.Join(suiteNames(), ", "), name)
			}
		}
	}
	if o.rounds == 0 {
		o.rounds = 5
		if o.quick {
			o.rounds = 2
		}
	}
	if o.rounds < 1 {
		return o, errors.New("-rounds must be at least 1")
	}
	if o.paddock == "" {
		return o, errors.New("-paddock must name the program: make bench-peers builds it")
	}
	for _, p := range []*string{&o.dir, &o.paddock, &o.nginx, &o.caddy} {
		if *p == "" {
			continue
		}
		abs, err := filepath.Abs(*p)
		if err != nil {
			return o, err
		}
		*p = abs
	}
	return o, nil
}

// compare runs everything.
func compare(ctx context.Context, o options) (err error) {
	began := time.Now()
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return err
	}
	say("Looking for the peers…")
	t, err := fetch(ctx, o)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp(o.dir, "run-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	l, err := openLab(ctx, o, t, work)
	if err != nil {
		return err
	}
	defer l.close()
	if err := l.rounds(ctx); err != nil {
		return err
	}
	l.notes = append(l.notes, l.logged()...)
	if l.book.again > 0 {
		l.notes = append(l.notes, fmt.Sprintf("The machine was busy: %d runs of the load generator got no processor for too long and were repeated.", l.book.again))
	}
	l.notes = append(l.notes, fmt.Sprintf("The run took %s on %d cores (%s); %d rounds.", time.Since(began).Round(time.Second), runtime.NumCPU(), runtime.GOARCH, o.rounds))
	switch {
	case o.into != "":
		return replace(o.into, l.markdown())
	case o.markdown:
		_, err = fmt.Fprint(os.Stdout, l.markdown())
	default:
		_, err = fmt.Fprint(os.Stdout, l.text())
	}
	return err
}

// say tells on standard error how far the run has come.
func say(format string, args ...any) {
	_, _ = fmt.Fprintf(os.Stderr, format+"\n", args...)
}
