//go:build !linux

package lan

import "net"

// arrival returns the name of the interface by which a connection came in, or
// "" where the system does not tell.
func arrival(net.Conn) string { return "" }
