//go:build !windows

package lan

import "syscall"

const (
	errInUse     = syscall.EADDRINUSE
	errNoAddress = syscall.EADDRNOTAVAIL
	errDenied    = syscall.EACCES
)
