// Command testgate runs `go test` and fails where go test alone would not.
//
//	go run ./scripts/testgate [-v] -- go test -race ./...
//
// Three things fail besides a failing test: a skipped test, when the variable
// CI is set (a check that was left out looks the same as one that passed); the
// line by which Fyne reports a widget call off its thread; and a run in which
// no test ran at all. It prints what go test prints, and its exit code is go
// test's unless that was 0.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// threadError is how Fyne 2.8 reports a call off its thread
// (fyne.io/fyne/v2/internal/async). The program goes on, so the test passes.
const threadError = "Error in Fyne call thread"

func main() {
	verbose := flag.Bool("v", false, "print the output of tests that pass, too")
	flag.Parse()
	os.Exit(run(flag.Args(), *verbose, os.Getenv("CI") != "", os.Stdout))
}

// run starts the command, which is `go test` with its flags, and reads its
// events.
func run(args []string, verbose, ci bool, out io.Writer) int {
	at := slices.Index(args, "test")
	if at < 0 {
		_, _ = fmt.Fprintln(out, "testgate: usage: testgate [-v] -- go test FLAGS PACKAGES")
		return 2
	}
	args = slices.Insert(slices.Clone(args), at+1, "-json")
	cmd := exec.Command(args[0], args[1:]...) //nolint:gosec,noctx // running what it is given is its purpose; the terminal interrupts both
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		_, _ = fmt.Fprintln(out, "testgate:", err)
		return 2
	}
	g := newGate(out, verbose)
	g.read(pipe)
	code := 0
	if err := cmd.Wait(); err != nil {
		code = 1
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.ExitCode() > 0 {
			code = exit.ExitCode()
		}
	}
	if !g.close(ci) && code == 0 {
		code = 1
	}
	return code
}

// event is one line of `go test -json`.
type event struct {
	Action, Package, ImportPath, Test, Output string

	shown bool // printed already
}

// gate keeps the output of a package until it is known whether it passed.
type gate struct {
	out     io.Writer
	verbose bool

	held   map[string][]event // by package, in order
	result map[string]string  // "pass", "fail" or "skip", by package and test

	passed, failed, skipped int
	skips, threads          []string
}

func newGate(out io.Writer, verbose bool) *gate {
	return &gate{out: out, verbose: verbose, held: map[string][]event{}, result: map[string]string{}}
}

func (g *gate) read(r io.Reader) {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		var e event
		if json.Unmarshal([]byte(line), &e) == nil && e.Action != "" {
			g.take(e)
		} else {
			g.print(line)
		}
		if err != nil {
			return
		}
	}
}

func (g *gate) take(e event) {
	switch e.Action {
	case "build-output":
		g.print(e.Output)
	case "output":
		if strings.Contains(e.Output, threadError) {
			g.threads = append(g.threads, strings.TrimSpace(e.Package+" "+e.Test))
		}
		if g.verbose || e.Test == "" && isVerdict(e.Output) {
			g.print(e.Output)
			e.shown = true
		}
		g.held[e.Package] = append(g.held[e.Package], e)
	case "pass", "fail", "skip":
		g.end(e)
	}
}

func (g *gate) end(e event) {
	if e.Test != "" {
		g.result[e.Package+" "+e.Test] = e.Action
		switch e.Action {
		case "pass":
			g.passed++
		case "fail":
			g.failed++
		case "skip":
			g.skipped++
			g.skips = append(g.skips, e.Package+" "+e.Test+g.reason(e))
		}
		return
	}
	if e.Action == "fail" {
		for _, h := range g.held[e.Package] {
			// A test without a result was running when the package died.
			if r := g.result[h.Package+" "+h.Test]; !h.shown && (h.Test == "" || r != "pass" && r != "skip") {
				g.print(h.Output)
			}
		}
	}
	delete(g.held, e.Package)
}

// reason is what a test said before it was skipped.
func (g *gate) reason(e event) string {
	for _, h := range slices.Backward(g.held[e.Package]) {
		text := strings.TrimSpace(h.Output)
		if h.Test == e.Test && text != "" && !strings.HasPrefix(text, "---") && !strings.HasPrefix(text, "===") {
			return ": " + text
		}
	}
	return ""
}

// close prints the sums and reports whether the gate lets the run pass.
func (g *gate) close(ci bool) bool {
	good := true
	for _, s := range g.skips {
		g.print("SKIPPED " + s + "\n")
	}
	if len(g.skips) > 0 && ci {
		g.print("testgate: a skipped test is a failure here: what was not checked is not known to work\n")
		good = false
	}
	for _, t := range g.threads {
		g.print("testgate: " + threadError + " in " + t + "\n")
		good = false
	}
	if g.passed+g.failed == 0 {
		g.print("testgate: no test ran\n")
		good = false
	}
	g.print(fmt.Sprintf("%d passed, %d failed, %d skipped\n", g.passed, g.failed, g.skipped))
	return good
}

func (g *gate) print(s string) { _, _ = io.WriteString(g.out, s) }

// isVerdict tells go test's own line about a package from what the package
// printed.
func isVerdict(line string) bool {
	for _, start := range []string{"ok  \t", "FAIL\t", "?   \t", "---\t"} {
		if strings.HasPrefix(line, start) {
			return true
		}
	}
	return strings.HasPrefix(line, "\t") && strings.Contains(line, "\t\tcoverage:")
}
