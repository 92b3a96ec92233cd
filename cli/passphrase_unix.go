//go:build unix

package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// readHidden reads one line that is not shown while it is typed. The line's end
// is not part of it.
//
// term.ReadPassword is not used, because it takes the end of a terminal for
// nothing read and asks again, for ever: a window that is closed under a
// question would leave a program that keeps a core busy.
func readHidden(in *os.File) ([]byte, error) {
	fd := int(in.Fd())
	before, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return nil, fmt.Errorf("asking the terminal: %w", err)
	}
	silent := *before
	silent.Lflag &^= unix.ECHO
	silent.Lflag |= unix.ICANON | unix.ISIG
	silent.Iflag |= unix.ICRNL
	if err := unix.IoctlSetTermios(fd, setTermios, &silent); err != nil {
		return nil, fmt.Errorf("hiding what is typed: %w", err)
	}
	defer func() { _ = unix.IoctlSetTermios(fd, setTermios, before) }()
	var line []byte
	var b [1]byte // what is behind the line is for whoever reads next
	for {
		_, err := in.Read(b[:])
		switch {
		case errors.Is(err, io.EOF) && len(line) > 0:
			return line, nil
		case err != nil:
			return nil, err
		case b[0] == '\n':
			return bytes.TrimSuffix(line, []byte("\r")), nil
		}
		line = append(line, b[0])
	}
}
