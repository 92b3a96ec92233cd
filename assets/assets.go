// Package assets holds the pictures that ship inside the program.
package assets

import "embed"

// One file system keeps the SVGs in the binary once; a name that has no file
// is caught by the test that opens every constant.
//
//go:embed icons/*.svg tray/*.png app.png
var files embed.FS

// read returns a shipped file. A missing one is a mistake in this package, not
// a state of the world, so it ends the program where the mistake is.
func read(name string) []byte {
	data, err := files.ReadFile(name)
	if err != nil {
		panic("assets: " + err.Error())
	}
	return data
}
