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
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !fi.IsDir() || !ok || int(st.Uid) != os.Getuid() || fi.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s is open to others", dir)
	}
	return nil
}
