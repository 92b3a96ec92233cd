package discovery

import (
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// spare is how much is read of a packet; one byte tells that it is too large.
const spare = largest + 1

// socket binds to the group itself, not to every address as package net would.
// So it gets multicast alone: answers to one asker on this port are for the
// system's responder, and what comes from afar by unicast never arrives. Linux
// sends from the address of the interface all the same (ip(7), IP_MULTICAST_ALL).
func socket(c card, f family) (*net.UDPConn, error) {
	domain := unix.AF_INET
	if f == v6 {
		domain = unix.AF_INET6
	}
	fd, err := unix.Socket(domain, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_UDP)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	file := os.NewFile(uintptr(fd), "mdns")
	defer func() { _ = file.Close() }() // FilePacketConn has one of its own
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return nil, os.NewSyscallError("setsockopt SO_REUSEADDR", err)
	}
	var to unix.Sockaddr
	if f == v4 {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_ALL, 0); err != nil {
			return nil, os.NewSyscallError("setsockopt IP_MULTICAST_ALL", err)
		}
		to = &unix.SockaddrInet4{Port: port, Addr: groups[v4].Addr().As4()}
	} else {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1); err != nil {
			return nil, os.NewSyscallError("setsockopt IPV6_V6ONLY", err)
		}
		to = &unix.SockaddrInet6{Port: port, Addr: groups[v6].Addr().As16(), ZoneId: uint32(c.index)}
	}
	if err := unix.Bind(fd, to); err != nil {
		return nil, os.NewSyscallError("bind", err)
	}
	p, err := net.FilePacketConn(file)
	if err != nil {
		return nil, fmt.Errorf("taking the socket over: %w", err)
	}
	conn, ok := p.(*net.UDPConn)
	if !ok {
		_ = p.Close()
		return nil, errors.New("the socket is none of UDP")
	}
	return conn, nil
}
