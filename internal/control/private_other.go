//go:build !unix

package control

// private takes the folder as it is: on Windows what lies in a user's profile
// is that user's.
func private(string) error { return nil }
