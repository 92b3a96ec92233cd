//go:build !lite && (windows || darwin)

package tray

import "context"

// Companion does nothing here: the desktop's own tray always shows the icon.
func Companion(context.Context, string) {}
