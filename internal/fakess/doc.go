// Package fakess is a Secret Service for tests that misbehaves on request.
//
// It owns org.freedesktop.secrets on a private bus and can be locked, have its
// prompts dismissed or left open for ever, be slow or silent, refuse, lose what
// it was given, or let an unrelated signal reach the caller in the middle of a
// prompt. All of these happen on real desktops, and go-keyring survives few of
// them. The package is for tests only and works on Linux.
package fakess
