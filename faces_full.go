//go:build !lite

package main

import (
	"paddock/cli"
	"paddock/ui"
)

// faces of the full edition: windows, and Fyne's own tray.
func faces(p *cli.Program) {
	p.Edition = "full"
	p.Window = ui.Run
}
