package lan

import "golang.org/x/sys/windows"

// The POSIX names in syscall are numbers that Windows never returns.
const (
	errInUse     = windows.WSAEADDRINUSE
	errNoAddress = windows.WSAEADDRNOTAVAIL
	errDenied    = windows.WSAEACCES
)
