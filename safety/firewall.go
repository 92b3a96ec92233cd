package safety

import (
	"bufio"
	"bytes"
	"io"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// mostRules is how much of a firewall's files is read.
const mostRules = 1 << 20

// firewall looks for one that it knows. Rules that somebody loaded into the
// kernel by hand can be read by the administrator only, and are not seen.
func (f *Finder) firewall(port int, processes []process) Firewall {
	if f.system.firewall != nil {
		if w, ok := f.system.firewall(); ok {
			return w
		}
	}
	if slices.ContainsFunc(processes, func(p process) bool { return p.name == "firewalld" }) {
		return Firewall{Kind: "firewalld", On: true}
	}
	if f.Etc == "" {
		return Firewall{}
	}
	conf, err := readSome(filepath.Join(f.Etc, "ufw", "ufw.conf"), mostRules)
	if err != nil {
		return Firewall{}
	}
	w := Firewall{Kind: "ufw", On: strings.EqualFold(setting(conf, "ENABLED"), "yes")}
	if !w.On {
		return w
	}
	rules, err := readSome(filepath.Join(f.Etc, "ufw", "user.rules"), mostRules)
	if err != nil {
		return w // as a rule for the administrator's eyes only
	}
	defaults, err := readSome(filepath.Join(f.Etc, "default", "ufw"), mostRules)
	if err != nil {
		return w
	}
	w.Port = judgeRules(bytes.NewReader(rules), setting(defaults, "DEFAULT_INPUT_POLICY"), port)
	return w
}

// setting reads NAME=value or NAME="value" from a file of such lines.
func setting(file []byte, name string) string {
	for line := range bytes.Lines(file) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(string(line)), name+"="); ok {
			return trimVar(value)
		}
	}
	return ""
}

// judgeRules says what ufw does with connections from outside to a TCP port:
// the first rule that fits decides, and the policy where none does. The rules
// are read from the comments that ufw keeps beside them (ufw 0.36,
// /etc/ufw/user.rules):
//
//	### tuple ### allow tcp 11435 0.0.0.0/0 any 192.168.0.0/16 in comment=…
func judgeRules(r io.Reader, policy string, port int) string {
	var verdict string
	switch strings.ToUpper(policy) {
	case "ACCEPT":
		verdict = PortOpen
	case "DROP", "REJECT":
		verdict = PortClosed
	default:
		return ""
	}
	var someIn, someOut bool
	for lines := bufio.NewScanner(r); lines.Scan(); {
		tuple, ok := strings.CutPrefix(strings.TrimSpace(lines.Text()), "### tuple ###")
		if !ok {
			continue
		}
		fields := strings.Fields(tuple)
		if len(fields) < 7 {
			continue
		}
		direction := slices.IndexFunc(fields, func(s string) bool { return s == "in" || strings.HasPrefix(s, "in_") })
		if strings.HasPrefix(fields[0], "route:") || direction < 6 || !covers(fields[1], fields[2], port) {
			continue
		}
		action, _, _ := strings.Cut(fields[0], "_") // allow_log
		lets := action == "allow" || action == "limit"
		// A rule for some addresses, or for one interface, leaves the rest to
		// those after it.
		if !anyAddress(fields[3]) || !anyAddress(fields[5]) || fields[4] != "any" || fields[direction] != "in" {
			someIn, someOut = someIn || lets, someOut || !lets
			continue
		}
		if lets {
			verdict = PortOpen
		} else {
			verdict = PortClosed
		}
		break
	}
	if verdict == PortClosed && someIn || verdict == PortOpen && someOut {
		return PortSome
	}
	return verdict
}

// covers says whether a rule's protocol and ports (80,443 or 8000:9000) have
// this TCP port among them.
func covers(proto, ports string, port int) bool {
	if proto != "tcp" && proto != "any" {
		return false
	}
	if ports == "any" {
		return true
	}
	for one := range strings.SplitSeq(ports, ",") {
		low, high, isRange := strings.Cut(one, ":")
		if !isRange {
			high = low
		}
		a, err1 := strconv.Atoi(low)
		b, err2 := strconv.Atoi(high)
		if err1 == nil && err2 == nil && a <= port && port <= b {
			return true
		}
	}
	return false
}

func anyAddress(s string) bool {
	p, err := netip.ParsePrefix(s)
	return s == "any" || err == nil && p.Bits() == 0
}
