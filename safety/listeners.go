package safety

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// mostListeners is more than a few ports have anywhere, and ends the reading.
const mostListeners = 256

// Listeners returns the sockets of this machine that listen on a port.
func (f *Finder) Listeners(ctx context.Context, port int) Listeners {
	return f.listeners(ctx, f.table(port), port)
}

// table is what listens on some ports. The kernel goes through all connections
// for each reading, which takes milliseconds.
type table struct {
	read bool
	list []socket
}

func (f *Finder) table(ports ...int) table {
	var t table
	if f.Proc == "" {
		return t
	}
	for _, name := range []string{"net/tcp", "net/tcp6"} {
		file, err := os.Open(filepath.Join(f.Proc, name))
		if err != nil {
			continue // a kernel without IPv6 has no tcp6
		}
		t.read = true
		t.list = append(t.list, readSockets(file, ports...)...)
		_ = file.Close()
	}
	return t
}

func (f *Finder) listeners(ctx context.Context, t table, port int) Listeners {
	if !t.read || port <= 0 || port > 65535 {
		return Listeners{}
	}
	found := Listeners{Read: true}
	var inodes []string
	for _, s := range t.list {
		if int(s.addr.Port()) == port {
			found.List = append(found.List, Listener{Addr: s.addr})
			inodes = append(inodes, s.inode)
		}
	}
	if len(inodes) == 0 || ctx.Err() != nil {
		return found
	}
	own := f.socketsOf("self")
	foreign := false
	for i, inode := range inodes {
		found.List[i].Own = own[inode]
		foreign = foreign || !own[inode]
	}
	if foreign {
		f.nameThem(ctx, found.List, inodes)
	}
	return found
}

// nameThem finds the programs behind sockets. Only the owner's own can be
// looked into.
func (f *Finder) nameThem(ctx context.Context, list []Listener, inodes []string) {
	dir, err := os.Open(f.Proc)
	if err != nil {
		return
	}
	defer func() { _ = dir.Close() }()
	pids, _ := dir.Readdirnames(mostProcesses)
	for _, pid := range pids {
		if _, err := strconv.Atoi(pid); err != nil {
			continue
		}
		if ctx.Err() != nil {
			return
		}
		sockets, missing := f.socketsOf(pid), false
		for i, inode := range inodes {
			if list[i].Who == "" && !list[i].Own && sockets[inode] {
				list[i].Who = clean(f.nameOf(pid))
			}
			missing = missing || list[i].Who == "" && !list[i].Own
		}
		if !missing {
			return
		}
	}
}

// socketsOf lists the inodes of a process's sockets.
func (f *Finder) socketsOf(pid string) map[string]bool {
	dir, err := os.Open(filepath.Join(f.Proc, pid, "fd"))
	if err != nil {
		return nil
	}
	defer func() { _ = dir.Close() }()
	names, _ := dir.Readdirnames(mostProcesses)
	sockets := map[string]bool{}
	for _, n := range names {
		target, err := os.Readlink(filepath.Join(f.Proc, pid, "fd", n))
		if err != nil {
			continue
		}
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			sockets[strings.TrimSuffix(inode, "]")] = true
		}
	}
	return sockets
}

// socket is one line of a table of sockets.
type socket struct {
	addr  netip.AddrPort
	inode string
}

// readSockets reads the sockets that listen on some ports out of /proc/net/tcp
// or tcp6 (proc_net(5)). Lines that are not understood are passed over.
func readSockets(r io.Reader, ports ...int) []socket {
	var list []socket
	for lines := bufio.NewScanner(r); lines.Scan() && len(list) < mostListeners; {
		// sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || fields[3] != "0A" {
			continue
		}
		addr, ok := readHexAddress(fields[1])
		if !ok || !slices.Contains(ports, int(addr.Port())) {
			continue
		}
		if _, err := strconv.ParseUint(fields[9], 10, 64); err != nil {
			continue
		}
		list = append(list, socket{addr, fields[9]})
	}
	return list
}

// readHexAddress reads 0100007F:2CAA. The kernel writes an address as words of
// four bytes in the machine's own order, and the port as a number.
func readHexAddress(s string) (netip.AddrPort, bool) {
	host, text, ok := strings.Cut(s, ":")
	if !ok || len(text) != 4 {
		return netip.AddrPort{}, false
	}
	port, err := strconv.ParseUint(text, 16, 16)
	if err != nil {
		return netip.AddrPort{}, false
	}
	raw, err := hex.DecodeString(host)
	if err != nil || len(raw) != 4 && len(raw) != 16 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(raw); i += 4 {
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	addr, ok := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(addr.Unmap(), uint16(port)), ok
}
