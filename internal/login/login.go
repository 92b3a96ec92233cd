// Package login starts the program when its owner logs in.
//
// It writes the one entry that each system has for that, in places that belong
// to this user: a file in the autostart folder of the desktop, a LaunchAgent, or a
// value of the registry. The owner may switch the entry off or delete it
// elsewhere, so what counts is what [Read] finds and not what was last set.
//
// Desktops that systemd starts, GNOME and KDE among them, start no program whose
// path has a quote, a dollar, a percent sign or a backslash in it, however that
// is written; spaces and letters of any language are fine everywhere.
package login

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ID names the entry on every system.
const ID = "io.github.paddock.Paddock"

// Entry is what is to be started.
type Entry struct {
	// Command is the absolute path of the program, and its arguments. No shell
	// reads it.
	Command []string
	// Name and Comment are for whoever looks through a list of such entries. Only
	// desktops with autostart folders show them.
	Name, Comment string
}

// Set makes the system start the command at each login from the next one on. It
// replaces an entry that names another command, and switches on one that was
// switched off; one that says the same already is not touched. Nothing is started
// now.
func Set(e Entry) error {
	err := e.check()
	if err == nil {
		err = set(e)
	}
	if err != nil {
		return fmt.Errorf("starting at login: %w", err)
	}
	return nil
}

// Clear takes the entry away. That there is none is no error. What runs goes on.
func Clear() error {
	if err := clearEntry(); err != nil {
		return fmt.Errorf("no longer starting at login: %w", err)
	}
	return nil
}

// Read says what the system will start at the next login, and whether it will.
// An entry that is switched off has a command too. A command that is not the
// expected one is stale: [Set] puts that right. An entry that cannot be
// understood is an error.
func Read() (command []string, on bool, err error) {
	if command, on, err = read(); err != nil {
		return nil, false, fmt.Errorf("reading what starts at login: %w", err)
	}
	return command, on, nil
}

// check refuses what some system could not write down and read again.
func (e Entry) check() error {
	if len(e.Command) == 0 || !filepath.IsAbs(e.Command[0]) {
		return fmt.Errorf("%.100q does not begin with the absolute path of a program", e.Command)
	}
	if e.Name == "" {
		return errors.New("the entry has no name")
	}
	for _, s := range append([]string{e.Name, e.Comment}, e.Command...) {
		if !utf8.ValidString(s) || strings.ContainsFunc(s, unwritable) {
			return fmt.Errorf("%.200q cannot be written into an entry", s)
		}
	}
	return nil
}

// unwritable are what ends a line or a string somewhere, and what XML has no way
// to write.
func unwritable(r rune) bool {
	return unicode.IsControl(r) || r == '\ufffe' || r == '\uffff' || r == '\u2028' || r == '\u2029'
}
