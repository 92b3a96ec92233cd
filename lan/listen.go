package lan

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// keepAlive finds laptops that were closed without a goodbye; a stream to one
// of them would hold a model and a place in the queue.
const keepAlive = 15 * time.Second

// Listen binds a share.listen: `:PORT` and wildcards serve whom admits lets in,
// over IPv4 and IPv6, as Only asks it, and never by a public address; without an
// admits that is every private network. `HOST:PORT` serves that address, be it
// public, and does not ask, since the owner named it. Port 0 lets the system
// choose.
//
// The errors to tell apart are *AddressError, *PortInUseError, *NoAddressError
// and *PrivilegedPortError.
func Listen(ctx context.Context, addr string, admits func(local, remote netip.Addr) bool) (net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || !isPort(port) {
		return nil, &AddressError{Addr: addr, Reason: "it is :PORT or HOST:PORT"}
	}
	_, wild, only4 := wildcard(host)
	network := "tcp"
	if wild && only4 && host != "" {
		network = "tcp4" // Go would take 0.0.0.0 for both
	}
	c := net.ListenConfig{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: keepAlive, Interval: keepAlive}}
	l, err := c.Listen(ctx, network, addr)
	if err != nil {
		n, _ := strconv.Atoi(port)
		return nil, explain(err, addr, n)
	}
	switch {
	case wild && admits != nil:
		// Whatever is chosen, a public address is not.
		l = Only(l, func(local, remote netip.Addr) bool { return KindOf(local) != Public && admits(local, remote) })
	case wild:
		l = PrivateOnly(l)
	}
	return l, nil
}

func explain(err error, addr string, port int) error {
	var dns *net.DNSError
	switch {
	case errors.Is(err, errInUse):
		return &PortInUseError{Addr: addr, Port: port, Holder: Holder(port), Err: err}
	case errors.Is(err, errNoAddress), errors.As(err, &dns):
		return &NoAddressError{Addr: addr, Err: err}
	case errors.Is(err, errDenied):
		return &PrivilegedPortError{Addr: addr, Port: port, Err: err}
	}
	return fmt.Errorf("listening on %s: %w", addr, err)
}

// AddressError says that an address to listen on is not written as one.
type AddressError struct {
	Addr   string
	Reason string
}

// Error implements error.
func (e *AddressError) Error() string {
	return fmt.Sprintf("cannot listen on %q: %s", e.Addr, e.Reason)
}

// PortInUseError says that somebody else listens there.
type PortInUseError struct {
	Addr   string
	Port   int
	Holder string // the name of the process, "" when the system does not tell
	Err    error
}

// Error implements error.
func (e *PortInUseError) Error() string {
	if e.Holder == "" {
		return fmt.Sprintf("port %d is in use", e.Port)
	}
	return fmt.Sprintf("port %d is in use by %s", e.Port, e.Holder)
}

// Unwrap returns the system's error.
func (e *PortInUseError) Unwrap() error { return e.Err }

// NoAddressError says that the address is not one of this machine, such as one
// of a network that it has left.
type NoAddressError struct {
	Addr string
	Err  error
}

// Error implements error.
func (e *NoAddressError) Error() string {
	return fmt.Sprintf("%s is not an address of this machine", e.Addr)
}

// Unwrap returns the system's error.
func (e *NoAddressError) Unwrap() error { return e.Err }

// PrivilegedPortError says that the system does not let us have this port:
// below 1024 on Linux, reserved ranges on Windows.
type PrivilegedPortError struct {
	Addr string
	Port int
	Err  error
}

// Error implements error.
func (e *PrivilegedPortError) Error() string {
	return fmt.Sprintf("the system does not let this user listen on port %d", e.Port)
}

// Unwrap returns the system's error.
func (e *PrivilegedPortError) Unwrap() error { return e.Err }
