package cli

import "runtime"

// display says whether a window could be shown. Fyne panics where there is
// none, so it must be asked first.
func display(getenv func(string) string) bool {
	switch runtime.GOOS {
	case "windows", "darwin":
		return true
	}
	return getenv("DISPLAY") != "" || getenv("WAYLAND_DISPLAY") != ""
}
