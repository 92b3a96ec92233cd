package login

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/windows/registry"
)

// elsewhere makes keys of the test's own, so that nothing starts at the next login.
func elsewhere(t *testing.T) runKeys {
	t.Helper()
	const root = `Software\PaddockTest`
	k := runKeys{run: root + `\Run`, approved: root + `\Approved`}
	t.Cleanup(func() {
		for _, path := range []string{k.run, k.approved, root} {
			_ = registry.DeleteKey(registry.CURRENT_USER, path)
		}
	})
	return k
}

func TestWhatIsSetInTheRegistryIsRead(t *testing.T) {
	k := elsewhere(t)
	if command, on, err := k.read(); command != nil || on || err != nil {
		t.Errorf("before anything is set: %q, %v, %v", command, on, err)
	}
	for _, command := range [][]string{
		{`C:\Program Files\Pad $dock\100%\paddock.exe`, "--hidden"},
		{`C:\p.exe`},
		{`C:\p.exe`, "", "two words", `a"b`, `ends in\`, `two words\`, `\"`, "é", "%PATH%"},
	} {
		e := Entry{Command: command, Name: "Paddock"}
		if err := e.check(); err != nil {
			t.Fatal(err)
		}
		if err := k.set(e); err != nil {
			t.Fatal(err)
		}
		if got, on, err := k.read(); !slices.Equal(got, command) || !on || err != nil {
			t.Errorf("%q came back as %q, %v, %v", command, got, on, err)
		}
	}
	for range 2 {
		if err := k.clear(); err != nil {
			t.Fatal(err)
		}
		if command, on, err := k.read(); command != nil || on || err != nil {
			t.Errorf("after it was cleared: %q, %v, %v", command, on, err)
		}
	}
}

func TestWhatTheTaskManagerSwitchedOffIsOff(t *testing.T) {
	k := elsewhere(t)
	e := Entry{Command: []string{`C:\p.exe`}, Name: "Paddock"}
	if err := k.set(e); err != nil {
		t.Fatal(err)
	}
	approved, _, err := registry.CreateKey(registry.CURRENT_USER, k.approved, registry.SET_VALUE)
	if err != nil {
		t.Fatal(err)
	}
	defer approved.Close()
	for first, want := range map[byte]bool{2: true, 3: false, 6: true, 7: false} {
		if err := approved.SetBinaryValue(ID, append([]byte{first}, make([]byte, 11)...)); err != nil {
			t.Fatal(err)
		}
		if command, on, err := k.read(); on != want || len(command) != 1 || err != nil {
			t.Errorf("%d: %q, %v, %v", first, command, on, err)
		}
		if err := k.set(e); err != nil {
			t.Fatal(err)
		}
		if _, on, err := k.read(); !on || err != nil {
			t.Errorf("%d: after it was set: %v, %v", first, on, err)
		}
	}
}

func TestACommandThatWindowsWouldNotStartIsRefused(t *testing.T) {
	k := elsewhere(t)
	if err := k.set(Entry{Command: []string{`C:\` + strings.Repeat("p", mostCommand)}, Name: "Paddock"}); err == nil {
		t.Error("it was written")
	}
}
