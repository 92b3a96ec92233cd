package assets

// AppSVG returns the program's own icon as a drawing in its own colours.
func AppSVG() []byte { return outlined(read("icons/app.svg")) }

// AppPNG returns the program's own icon, 512 pixels wide.
func AppPNG() []byte { return read("app.png") }

// Scene returns the landscape beside the first steps, by day or by night.
func Scene(dark bool) []byte {
	if dark {
		return outlined(read("icons/scene-dark.svg"))
	}
	return outlined(read("icons/scene.svg"))
}
