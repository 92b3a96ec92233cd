package cli

import (
	"os"

	"golang.org/x/term"
)

// readHidden reads one line that is not shown while it is typed.
func readHidden(in *os.File) ([]byte, error) { return term.ReadPassword(int(in.Fd())) }
