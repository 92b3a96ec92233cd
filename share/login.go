package share

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"paddock/internal/login"
)

// AtLogin says whether the system starts this program when its owner logs in.
// That is the system's own list, which the owner may change elsewhere, so it is
// read and not remembered.
func (s *Share) AtLogin() (bool, error) {
	want, err := s.loginCommand()
	if err != nil {
		return false, err
	}
	command, on, err := login.Read()
	return on && slices.Equal(command, want), err
}

// SetAtLogin has the system start this program at login, in the tray, or no longer.
func (s *Share) SetAtLogin(on bool) error {
	if !on {
		return login.Clear()
	}
	command, err := s.loginCommand()
	if err != nil {
		return err
	}
	return login.Set(login.Entry{Command: command, Name: "Paddock", Comment: "Lends this machine's Ollama to the local network"})
}

// mendLogin has the entry follow a program that was moved or renamed. One that
// starts another program, or this one on another home, is not touched.
func (s *Share) mendLogin() {
	want, err := s.loginCommand()
	command, on, readErr := login.Read()
	if err != nil || readErr != nil || !on || len(command) < 2 || !slices.Equal(command[1:], want[1:]) || command[0] == want[0] {
		return
	}
	if _, err := os.Stat(command[0]); errors.Is(err, fs.ErrNotExist) {
		_ = s.SetAtLogin(true) // the next start tries again
	}
}

// loginCommand is what the system is to start.
func (s *Share) loginCommand() ([]string, error) {
	program, err := os.Executable()
	if err == nil {
		program, err = filepath.EvalSymlinks(program)
	}
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	return append([]string{program}, s.o.LoginArgs...), nil
}
