//go:build !unix

package control

import "os"

// private takes the folder as it is: on Windows what lies in a user's profile
// is that user's.
func private(string) error { return nil }

// owner returns ourselves, since the system does not tell.
func owner(string) int { return os.Getuid() }
