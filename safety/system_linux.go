package safety

import "golang.org/x/sys/unix"

// here points the Finder at this system.
func (f *Finder) here() {
	f.Proc, f.Etc = "/proc", "/etc"
	f.system.unsynced = unsynced
}

// unsynced asks the kernel whether anything keeps the clock right
// (adjtimex(2)); asking changes nothing. Virtual machines and containers often
// say no and are right all the same.
func unsynced() bool {
	var t unix.Timex // Modes 0: only read
	state, err := unix.Adjtimex(&t)
	return err == nil && (state == unix.TIME_ERROR || t.Status&unix.STA_UNSYNC != 0)
}
