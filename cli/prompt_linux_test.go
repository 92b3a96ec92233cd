package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"paddock/cli"
)

// terminal makes a real one: the side of the person, and that of the program,
// which is not closed, since a reader may be left behind on it.
func terminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatalf("these tests need a terminal of their own: %v", err)
	}
	t.Cleanup(func() { person.Close() })
	n, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return person, program
}

func echoes(t *testing.T, f *os.File) bool {
	t.Helper()
	a, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return a.Lflag&unix.ECHO != 0
}

// ask runs `keys add` with the file vault on a terminal.
func (d *desk) ask(ctx context.Context, program *os.File) (said *screen, out *bytes.Buffer, wait func() int) {
	said, out = &screen{change: make(chan struct{}, 1)}, &bytes.Buffer{}
	var code int
	var done sync.WaitGroup
	done.Go(func() {
		code = cli.Main(ctx, d.program, cli.Streams{In: program, Out: out, Err: said}, []string{"--home", d.home, "--vault", "file", "keys", "add", "x"})
	})
	return said, out, func() int { done.Wait(); return code }
}

func (s *screen) wait(t *testing.T, text string) {
	t.Helper()
	limit := time.After(15 * time.Second)
	for !strings.Contains(s.String(), text) {
		select {
		case <-s.change:
		case <-limit:
			t.Fatalf("%q does not come, but %q", text, s)
		}
	}
}

// hidden waits until what is typed is not shown.
func hidden(t *testing.T, f *os.File) {
	t.Helper()
	eventually(t, "a terminal without echo", func() bool { return !echoes(t, f) })
}

func TestTwoPassphrasesThatDiffer(t *testing.T) {
	d := newDesk(t)
	person, program := terminal(t)
	said, out, wait := d.ask(t.Context(), program)
	for _, line := range []struct{ prompt, answer string }{{"New passphrase for the key vault: ", "horse"}, {"The same once more: ", "house"}} {
		said.wait(t, line.prompt)
		hidden(t, program)
		if _, err := fmt.Fprintln(person, line.answer); err != nil {
			t.Fatal(err)
		}
	}
	if code := wait(); code != 1 || out.Len() > 0 || !strings.HasSuffix(said.String(), "\npaddock: the two passphrases differ; nothing was made\n") {
		t.Errorf("exit code %d, printed %q, said %q", code, out, said)
	}
	if d.read("vault.age") != "" || strings.Contains(said.String(), "horse") {
		t.Error("something was made, or shown")
	}
}

// Ctrl-C while a passphrase is asked for: the terminal shows again what is typed.
func TestAQuestionThatIsLeft(t *testing.T) {
	d := newDesk(t)
	person, program := terminal(t)
	ctx, interrupt := context.WithCancel(t.Context())
	said, out, wait := d.ask(ctx, program)
	said.wait(t, "New passphrase")
	hidden(t, program)
	interrupt()
	if code := wait(); code != 1 || out.Len() > 0 || !strings.HasSuffix(said.String(), "paddock: interrupted\n") {
		t.Errorf("exit code %d, printed %q, said %q", code, out, said)
	}
	if !echoes(t, program) {
		t.Error("the terminal is left without echo")
	}
	if _, err := fmt.Fprintln(person, "for the reader that was left behind"); err != nil {
		t.Fatal(err)
	}
}

// Somebody closes the window in which a passphrase is asked for. Reading a
// terminal that is gone answers "nothing" at once, and term.ReadPassword asked
// again for ever, at the cost of a core.
func TestAQuestionInAWindowThatIsClosed(t *testing.T) {
	d := newDesk(t)
	person, program := terminal(t)
	said, out, wait := d.ask(t.Context(), program)
	said.wait(t, "New passphrase")
	hidden(t, program)
	person.Close()
	if code := wait(); code != 1 || out.Len() > 0 || d.read("vault.age") != "" {
		t.Errorf("exit code %d, printed %q, said %q", code, out, said)
	}
}
