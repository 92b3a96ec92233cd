//go:build !linux

package discovery

import (
	"context"
	"errors"
	"net"
)

// spare is how much is read of a packet. Windows makes an error of one that is
// larger, so there is room for any.
const spare = 1 << 16

// socket shares the port, as package net does with every group address. It is
// bound to all addresses: macOS would send from the group's address otherwise,
// and Windows does not bind to a group at all.
func socket(_ card, f family) (*net.UDPConn, error) {
	network := "udp4"
	if f == v6 {
		network = "udp6"
	}
	var c net.ListenConfig
	p, err := c.ListenPacket(context.Background(), network, groups[f].String())
	if err != nil {
		return nil, err
	}
	conn, ok := p.(*net.UDPConn)
	if !ok {
		_ = p.Close()
		return nil, errors.New("the socket is none of UDP")
	}
	return conn, nil
}
