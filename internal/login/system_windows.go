package login

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// mostCommand is how long a command under Run may be, in UTF-16 units
// (learn.microsoft.com: Run and RunOnce Registry Keys).
const mostCommand = 260

// runKeys are the places of the registry below HKEY_CURRENT_USER. Windows keeps
// apart what is to start and what the owner switched off in the Task Manager or
// the Settings.
type runKeys struct{ run, approved string }

var keys = runKeys{
	run:      `Software\Microsoft\Windows\CurrentVersion\Run`,
	approved: `Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run`,
}

func set(e Entry) error             { return keys.set(e) }
func clearEntry() error             { return keys.clear() }
func read() ([]string, bool, error) { return keys.read() }

func (k runKeys) set(e Entry) error {
	line := windows.ComposeCommandLine(e.Command)
	if n := len(windows.StringToUTF16(line)) - 1; n > mostCommand {
		return fmt.Errorf("the command is %d characters long, and Windows starts none of more than %d", n, mostCommand)
	}
	run, _, err := registry.CreateKey(registry.CURRENT_USER, k.run, registry.SET_VALUE)
	if err != nil {
		return err
	}
	defer func() { _ = run.Close() }()
	if err := run.SetStringValue(ID, line); err != nil {
		return err
	}
	return deleteValue(k.approved) // without a word there, what is under Run is on
}

func (k runKeys) clear() error {
	return errors.Join(deleteValue(k.run), deleteValue(k.approved))
}

func (k runKeys) read() ([]string, bool, error) {
	run, err := registry.OpenKey(registry.CURRENT_USER, k.run, registry.QUERY_VALUE)
	if errors.Is(err, registry.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = run.Close() }()
	line, _, err := run.GetStringValue(ID)
	if errors.Is(err, registry.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	command, err := windows.DecomposeCommandLine(line)
	if err == nil && (len(command) == 0 || command[0] == "") {
		err = errors.New("it is empty")
	}
	if err != nil {
		return nil, false, fmt.Errorf("the value %s is damaged: %w", ID, err)
	}
	off, err := k.switchedOff()
	if err != nil {
		return nil, false, err
	}
	return command, !off, nil
}

// switchedOff reads what the Task Manager wrote: twelve bytes, of which the first
// is odd for off (seen: 2 and 6 for on, 3 and 7 for off), and the rest the time.
func (k runKeys) switchedOff() (bool, error) {
	approved, err := registry.OpenKey(registry.CURRENT_USER, k.approved, registry.QUERY_VALUE)
	if errors.Is(err, registry.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = approved.Close() }()
	state, _, err := approved.GetBinaryValue(ID)
	if errors.Is(err, registry.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return len(state) > 0 && state[0]&1 == 1, nil
}

func deleteValue(path string) error {
	key, err := registry.OpenKey(registry.CURRENT_USER, path, registry.SET_VALUE)
	if err == nil {
		defer func() { _ = key.Close() }()
		err = key.DeleteValue(ID)
	}
	if errors.Is(err, registry.ErrNotExist) {
		return nil
	}
	return err
}
