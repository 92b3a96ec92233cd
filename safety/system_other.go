//go:build !linux && !darwin && !windows

package safety

// here points the Finder at this system, of which it knows the files only.
func (f *Finder) here() {}
