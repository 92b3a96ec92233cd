//go:build lite

package main

import (
	"paddock/cli"
	"paddock/ui/tray"
)

// faces of the lite edition: where it was built with cgo, a tray that is a
// client of the control socket.
func faces(p *cli.Program) {
	p.Edition = "lite"
	p.Tray = tray.Painter()
}
