//go:build linux

package program

import (
	"bufio"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test binary plays the program: with this variable set it does what the
// arguments say.
const play = "PROGRAM_TEST_PLAYS"

func TestMain(m *testing.M) {
	if os.Getenv(play) == "" {
		os.Exit(m.Run())
	}
	switch args := os.Args[1:]; args[2] { // after --home DIR
	case "echo":
		line, _ := bufio.NewReader(os.Stdin).ReadString('\n')
		fmt.Println(args[0], args[3:], line, os.Getenv("DISPLAY"), os.Getenv("EXTRA"))
		fmt.Fprintln(os.Stderr, "on stderr")
		os.Exit(3)
	case "share":
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		fmt.Println("listening on 127.0.0.1:4711")
		<-stop
		fmt.Println("stopped")
	}
}

func player(t *testing.T) *Program {
	t.Helper()
	p := At(t, os.Args[0], nil).Set(play+"=1", "EXTRA=first", "EXTRA=last")
	p.Limit = 20 * time.Second
	return p
}

func TestRunGivesBothOutputsAndTheCode(t *testing.T) {
	stdout, stderr, code := player(t).RunWith("typed\n", "echo", "a", "b c")
	if stdout != "--home [a b c] typed\n  last\n" || stderr != "on stderr\n" || code != 3 {
		t.Errorf("got %q, %q, %d", stdout, stderr, code)
	}
}

func TestAProcessIsWaitedForAndStopped(t *testing.T) {
	r := player(t).Start("share")
	if got := r.WaitOut(`listening on (\S+)`); got[1] != "127.0.0.1:4711" {
		t.Errorf("got %q", got)
	}
	if r.Memory() < 1<<20 {
		t.Errorf("it uses %d bytes", r.Memory())
	}
	if code := r.Stop(); code != 0 || r.Running() || !strings.Contains(r.Stdout(), "stopped") {
		t.Errorf("exit code %d, %q", code, r.Stdout())
	}
}

func TestTroubleIsFoundInTheOutput(t *testing.T) {
	for _, bad := range []string{
		"2026/01/01 *** Error in Fyne call thread, this should have been called in fyne.Do",
		"WARNING: DATA RACE",
		"panic: runtime error",
		"http: panic serving 192.168.1.7:50312: boom",
		"fatal error: concurrent map writes",
	} {
		if _, ok := trouble("all is well\n" + bad + "\nmore"); !ok {
			t.Errorf("%q was not noticed", bad)
		}
	}
	if line, ok := trouble("GET /api/tags 200\nno panic here"); ok {
		t.Errorf("%q was taken for trouble", line)
	}
}
