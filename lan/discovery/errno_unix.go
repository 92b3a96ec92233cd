//go:build !windows

package discovery

import (
	"errors"
	"syscall"
)

const errInUse = syscall.EADDRINUSE

// isDenied knows both errors of systems that confine a program.
func isDenied(err error) bool { return errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EPERM) }
