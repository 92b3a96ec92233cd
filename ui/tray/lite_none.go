//go:build lite && !cgo

package tray

import "context"

// Painter returns nil: an edition built without cgo has no tray.
func Painter() func(ctx context.Context, home string) error { return nil }
