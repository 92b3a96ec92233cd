package discovery

import (
	"errors"

	"golang.org/x/sys/windows"
)

// The POSIX names in syscall are numbers that Windows never returns.
const errInUse = windows.WSAEADDRINUSE

func isDenied(err error) bool { return errors.Is(err, windows.WSAEACCES) }
