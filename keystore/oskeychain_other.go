//go:build !(linux || (dragonfly && cgo) || (freebsd && cgo) || netbsd || openbsd)

package keystore

import (
	"context"
	"fmt"
	"os"
	"runtime"
)

// keychainReady has nothing to look at: these systems are their own keychain.
func keychainReady() error { return nil }

// keychainProbe says whether this system has a keychain that go-keyring knows.
func keychainProbe(context.Context) error {
	switch runtime.GOOS {
	case "windows":
		return nil
	case "darwin":
		if _, err := os.Stat("/usr/bin/security"); err != nil { // go-keyring runs it
			return fmt.Errorf("%w: %w", ErrNoVault, err)
		}
		return nil
	}
	return fmt.Errorf("%w: no keychain for %s", ErrNoVault, runtime.GOOS)
}
