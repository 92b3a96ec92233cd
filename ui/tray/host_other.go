//go:build windows || darwin

package tray

import "context"

// Host says what kind of tray this desktop offers.
func Host(context.Context) HostKind { return Native }
