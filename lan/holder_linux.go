package lan

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
)

// Holder returns the name of the process that listens on a port of this
// machine, or "" when the system does not tell, as with other users' processes.
func Holder(port int) string { return holder("/proc", port) }

func holder(proc string, port int) string {
	sockets := map[string]bool{}
	for _, table := range []string{"net/tcp", "net/tcp6"} {
		listening(filepath.Join(proc, table), port, sockets)
	}
	if len(sockets) == 0 {
		return ""
	}
	// Glob's only error is a bad pattern.
	links, _ := filepath.Glob(filepath.Join(proc, "[0-9]*", "fd", "*"))
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil || !sockets[target] {
			continue
		}
		name, err := os.ReadFile(filepath.Join(filepath.Dir(filepath.Dir(link)), "comm"))
		if err != nil {
			continue
		}
		return printable(string(name))
	}
	return ""
}

// listening adds the sockets of one table that listen on port, spelt as the
// links in /proc/PID/fd are (proc(5)).
func listening(table string, port int, into map[string]bool) {
	f, err := os.Open(table)
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		// sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || fields[3] != "0A" {
			continue
		}
		_, hex, _ := strings.Cut(fields[1], ":")
		if n, err := strconv.ParseUint(hex, 16, 16); err == nil && int(n) == port {
			into[fmt.Sprintf("socket:[%s]", fields[9])] = true
		}
	}
}

// printable keeps what a process calls itself from writing on the screen.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.TrimSpace(s))
}
