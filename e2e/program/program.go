//go:build linux

// Package program runs Paddock itself for the tests: the binary that make built,
// in an environment of its own, with its output read along.
package program

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"paddock/internal/testdesk"
)

// Full and Lite are where the binaries of the two editions are told.
const (
	Full = "PADDOCK_BIN"
	Lite = "PADDOCK_LITE_BIN"
)

// Program is one edition of Paddock with a home of its own.
type Program struct {
	// Bin is the binary.
	Bin string
	// Home is passed as --home with every run. Its path is short.
	Home string
	// Env is the whole environment. Add to it with Set.
	Env []string
	// Limit bounds every wait for the program; a minute at first.
	Limit time.Duration

	t    testing.TB
	desk *testdesk.Desk
}

// New prepares the edition that the environment variable edition names. It runs
// on the desk, or without any display and session bus if desk is nil.
func New(t testing.TB, edition string, desk *testdesk.Desk) *Program {
	t.Helper()
	bin := os.Getenv(edition)
	if bin == "" {
		t.Fatalf("%s does not say where the program is; make e2e builds it and sets it", edition)
	}
	return At(t, bin, desk)
}

// At is [New] for a binary whose path is known.
func At(t testing.TB, bin string, desk *testdesk.Desk) *Program {
	t.Helper()
	if !filepath.IsAbs(bin) {
		t.Fatalf("%s is not an absolute path; a test runs in the folder of its package", bin)
	}
	if _, err := os.Stat(bin); err != nil {
		t.Fatal(err)
	}
	// Not the test's own folder: its name can be too long for a socket address.
	dir, err := os.MkdirTemp("", "pad-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	p := &Program{Bin: bin, Home: filepath.Join(dir, "paddock"), Limit: time.Minute, t: t, desk: desk}
	if desk != nil {
		p.Env = desk.Env()
		return p
	}
	user := filepath.Join(dir, "home")
	if err := os.Mkdir(user, 0o700); err != nil {
		t.Fatal(err)
	}
	p.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + user, "LANG=en_GB.UTF-8", "TZ=UTC",
		// Nowhere, rather than nothing: with nothing, programs look for a bus of
		// the machine or start one.
		"DBUS_SESSION_BUS_ADDRESS=unix:path=" + filepath.Join(dir, "no-bus"),
	}
	return p
}

// Set adds to the environment; a later value wins over an earlier one.
func (p *Program) Set(env ...string) *Program {
	p.Env = append(p.Env, env...)
	return p
}

// arguments puts --home in front, where every command takes it.
func (p *Program) arguments(args []string) []string {
	return append([]string{"--home", p.Home}, args...)
}

// troubles is what must never be in the output, whatever the program was doing.
var troubles = []string{
	"Error in Fyne call thread", // a widget was touched outside its thread
	"DATA RACE",
	"panic:",
	"panic serving", // net/http caught one
	"fatal error:",  // the runtime gave up: deadlock, concurrent map writes
}

// trouble returns the first line of the output that must not be there.
func trouble(output string) (string, bool) {
	for line := range strings.Lines(output) {
		for _, bad := range troubles {
			if strings.Contains(line, bad) {
				return strings.TrimSpace(line), true
			}
		}
	}
	return "", false
}

// said puts both outputs together for a message.
func said(stdout, stderr string) string {
	return fmt.Sprintf("stdout:\n%s\nstderr:\n%s", stdout, stderr)
}
