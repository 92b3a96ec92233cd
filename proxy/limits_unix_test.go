//go:build unix

package proxy

import "syscall"

// idleConnections is how many connections a test may hold at both their ends:
// mostIdle, or what the system allows. Go has raised the soft limit already.
func idleConnections() int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 100
	}
	return int(min(mostIdle, (max(l.Cur, 700)-500)/2))
}
