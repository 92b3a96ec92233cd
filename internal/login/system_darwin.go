package login

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// patience is the deadline of launchctl, which answers in milliseconds.
const patience = 2 * time.Second

// set does not load the agent, since that would start a second Paddock now.
func set(e Entry) error {
	f, err := here()
	if err != nil {
		return err
	}
	if err := f.set(e); err != nil {
		return err
	}
	if !overruled() {
		return nil
	}
	if _, err := launchctl("enable", domain()+"/"+ID); err != nil {
		return fmt.Errorf("switching the agent on again: %w", err)
	}
	return nil
}

// clearEntry does not unload the agent, since that would end a Paddock that was
// started by it.
func clearEntry() error {
	f, err := here()
	if err != nil {
		return err
	}
	return f.clear()
}

func read() ([]string, bool, error) {
	f, err := here()
	if err != nil {
		return nil, false, err
	}
	command, on, err := f.read()
	return command, on && !overruled(), err
}

func here() (file, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return file{}, err
	}
	return file{path: filepath.Join(home, "Library", "LaunchAgents", ID+".plist"), encode: launchAgent, decode: parseLaunchAgent}, nil
}

// overruled says whether `launchctl disable` was said about the agent. A
// launchctl that does not answer leaves it at what the file says.
func overruled() bool {
	out, err := launchctl("print-disabled", domain())
	return err == nil && disabledIn(out)
}

// domain is the session of this user with a screen.
func domain() string { return "gui/" + strconv.Itoa(os.Getuid()) }

func launchctl(args ...string) ([]byte, error) {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	return exec.CommandContext(ctx, "/bin/launchctl", args...).Output()
}
