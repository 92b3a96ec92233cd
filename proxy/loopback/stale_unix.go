//go:build unix

package loopback

import (
	"net"
	"syscall"
)

// canLook says that a connection's end is seen before it is used.
const canLook = true

// probe looks whether the other side has closed a connection that waits, or has
// said something that nobody asked for. One read that does not wait costs half a
// microsecond; a request that finds out by failing costs a connection and a try.
type probe struct {
	raw   syscall.RawConn
	read  func(fd uintptr) bool // kept, so that a look allocates nothing
	quiet bool
}

func newProbe(nc net.Conn) *probe {
	s, ok := nc.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return nil
	}
	p := &probe{raw: raw}
	p.read = func(fd uintptr) bool {
		var b [1]byte
		_, err := syscall.Read(int(fd), b[:])
		p.quiet = err == syscall.EAGAIN || err == syscall.EINTR //nolint:errorlint // an errno, straight from the system
		return true
	}
	return p
}

// live says whether the connection is open and silent.
func (p *probe) live() bool {
	if p == nil {
		return true
	}
	err := p.raw.Read(p.read)
	return err == nil && p.quiet
}
