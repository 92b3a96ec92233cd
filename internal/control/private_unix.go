//go:build unix

package control

import (
	"fmt"
	"os"
	"syscall"
)

// private reports whether a folder is one that only this user may enter.
func private(dir string) error {
	fi, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !fi.IsDir() || owner(dir) != os.Getuid() || fi.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s is open to others", dir)
	}
	return nil
}

// owner returns the user of a folder, or ourselves when the system does not tell.
func owner(dir string) int {
	if fi, err := os.Stat(dir); err == nil {
		if st, ok := fi.Sys().(*syscall.Stat_t); ok {
			return int(st.Uid)
		}
	}
	return os.Getuid()
}
