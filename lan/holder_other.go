//go:build !linux

package lan

// Holder returns the name of the process that listens on a port of this
// machine, or "" where the system does not tell.
func Holder(int) string { return "" }
