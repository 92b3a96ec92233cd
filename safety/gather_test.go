package safety

import (
	"context"
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// tree writes files below a new folder.
func tree(t testing.TB, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func zeros(s ...string) string { return strings.Join(s, "\x00") + "\x00" }

func TestServersAreThoseThatServe(t *testing.T) {
	proc := tree(t, map[string]string{
		"12/comm":    "ollama\n",
		"12/cmdline": zeros("/usr/local/bin/ollama", "serve"),
		"12/environ": zeros("PATH=/bin", "SECRET_TOKEN=x", "OLLAMA_HOST=0.0.0.0", "OLLAMA_ORIGINS=*", "OLLAMA_HOST=127.0.0.1"),
		"12/cgroup":  "0::/system.slice/ollama.service\n",
		// A client: where it calls is nobody's address, and has a key in it.
		"13/comm":    "ollama\n",
		"13/cmdline": zeros("ollama", "run", "tiny"),
		"13/environ": zeros("OLLAMA_HOST=http://10.0.0.1:11435/k/pdk_secret"),
		"14/comm":    "ollama\n",
		"14/cmdline": zeros("/usr/local/bin/ollama", "runner", "--port", "4711"),
		// One whose environment is not ours to read.
		"9/comm":     "ollama\n",
		"9/cmdline":  zeros("ollama", "start"),
		"9/cgroup":   "0::/system.slice/docker-0123.scope\n",
		"15/comm":    "bash\n",
		"15/cmdline": zeros("bash", "serve"),
		"sys/comm":   "ollama\n",
		"20/comm":    "firewalld\n",
	})
	f := &Finder{Proc: proc}
	got := f.Servers(t.Context())
	want := []Server{
		{From: FromProcess, PID: 9, Container: true},
		{From: FromProcess, PID: 12, Unit: "ollama.service", Readable: true, Host: "0.0.0.0:11434", Origins: "*"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	if w := f.firewall(11435, f.processes(t.Context())); w != (Firewall{Kind: "firewalld", On: true}) {
		t.Errorf("%+v", w)
	}
}

func TestServersInAnotherNetworkStandApart(t *testing.T) {
	proc := tree(t, map[string]string{"12/comm": "ollama\n", "12/cmdline": zeros("ollama", "serve"), "self/x": "", "12/ns/x": "", "self/ns/x": ""})
	for path, to := range map[string]string{"12/ns/net": "net:[1]", "self/ns/net": "net:[2]", "12/exe": "/opt/ollama (deleted)"} {
		if err := os.Symlink(to, filepath.Join(proc, path)); err != nil {
			t.Fatal(err)
		}
	}
	got := (&Finder{Proc: proc}).Servers(t.Context())
	if len(got) != 1 || !got[0].Apart {
		t.Errorf("%+v", got)
	}
	// Known by its file when it has renamed itself.
	if err := os.WriteFile(filepath.Join(proc, "12/comm"), []byte("main\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := (&Finder{Proc: proc}).Servers(t.Context()); len(got) != 1 {
		t.Errorf("%+v", got)
	}
}

func TestTheAccountIsAskedToo(t *testing.T) {
	f := &Finder{}
	f.system.account = func(context.Context) (Server, bool) { return Server{From: FromAccount, Readable: true}, true }
	if got := f.Servers(t.Context()); len(got) != 1 || got[0].From != FromAccount {
		t.Errorf("%+v", got)
	}
}

func TestUnitsAndContainersAreReadFromTheGroup(t *testing.T) {
	for text, want := range map[string]struct {
		unit            string
		user, container bool
	}{
		"0::/system.slice/ollama.service\n":                                                                   {"ollama.service", false, false},
		"0::/user.slice/user-1000.slice/user@1000.service/app.slice/ollama.service\n":                         {"ollama.service", true, false},
		"0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-org.gnome.Terminal.slice/vte.scope\n": {},
		"0::/user.slice/user-1000.slice/user@1000.service/app.slice/gnome-terminal-server.service\n":          {},
		"12:pids:/docker/abc\n0::/docker/abc\n":                                                               {"", false, true},
		"0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-1.scope/container\n":              {"", false, true},
		"0::/system.slice/snap.ollama.listener.service\n":                                                     {"snap.ollama.listener.service", false, false},
		"0::/system.slice/ollama;reboot.service\n":                                                            {},
		"0::/system.slice/$(ollama).service\n":                                                                {},
		"nonsense":                                                                                            {},
		"":                                                                                                    {},
	} {
		unit, user, container := readGroup(text)
		if unit != want.unit || user != want.user || container != want.container {
			t.Errorf("%q: %q %v %v", text, unit, user, container)
		}
	}
}

func FuzzEnviron(f *testing.F) {
	f.Add([]byte(zeros("A=b", "OLLAMA_HOST=0.0.0.0", "OLLAMA_ORIGINS=*")))
	f.Add([]byte("OLLAMA_HOST"))
	f.Add([]byte("OLLAMA_HOST=\x00OLLAMA_HOST=x"))
	f.Add([]byte("\x00\x00=\x00SECRET=OLLAMA_HOST=1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		host, origins := readEnviron(slices.Clone(b))
		// The oracle reads as os.Environ and os.Getenv do.
		var wantHost, wantOrigins string
		var h, o bool
		for entry := range strings.SplitSeq(string(b), "\x00") {
			if v, ok := strings.CutPrefix(entry, "OLLAMA_HOST="); ok && !h {
				wantHost, h = listenAddress(v), true
			}
			if v, ok := strings.CutPrefix(entry, "OLLAMA_ORIGINS="); ok && !o {
				wantOrigins, o = trimVar(v), true
			}
		}
		if host != wantHost || origins != wantOrigins {
			t.Errorf("%q: %q %q, want %q %q", b, host, origins, wantHost, wantOrigins)
		}
	})
}

// On a machine that writes the low byte first, as all that Paddock is built for.
const tcpTable = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:2CAB 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 111 1 0000000000000000 100 0 0 10 0
   1: 0501A8C0:2CAB 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1001        0 222 1 0000000000000000 100 0 0 10 0
   2: 0100007F:2CAB 0100007F:9999 01 00000000:00000000 00:00000000 00000000  1000        0 333 1 0000000000000000 100 0 0 10 0
   3: 0100007F:2CAA 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 444 1 0000000000000000 100 0 0 10 0
`

const tcp6Table = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 000080FE00000000FF005450DDCCBBFE:2CAB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 555 1 0000000000000000 100 0 0 10 0
   1: 0000000000000000FFFF00000100007F:2CAB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 666 1 0000000000000000 100 0 0 10 0
`

func TestListenersOfAPort(t *testing.T) {
	proc := tree(t, map[string]string{"net/tcp": tcpTable, "net/tcp6": tcp6Table, "77/comm": "no\x1bde\n", "self/fd/x": "", "77/fd/x": ""})
	for path, to := range map[string]string{"self/fd/3": "socket:[111]", "self/fd/4": "/dev/null", "77/fd/9": "socket:[222]"} {
		if err := os.Symlink(to, filepath.Join(proc, path)); err != nil {
			t.Fatal(err)
		}
	}
	got := (&Finder{Proc: proc}).Listeners(t.Context(), 11435)
	want := []Listener{
		{ipPort("0.0.0.0:11435"), true, ""},
		{ipPort("192.168.1.5:11435"), false, "node"},
		{ipPort("[fe80::5054:ff:febb:ccdd]:11435"), false, ""},
		{ipPort("127.0.0.1:11435"), false, ""},
	}
	if !got.Read || !slices.Equal(got.List, want) {
		t.Errorf("%+v", got)
	}
	if got := (&Finder{Proc: t.TempDir()}).Listeners(t.Context(), 11435); got.Read {
		t.Errorf("%+v without a table", got)
	}
	if got := (&Finder{Proc: proc}).Listeners(t.Context(), 0); got.Read {
		t.Errorf("%+v without a port", got)
	}
}

func FuzzSockets(f *testing.F) {
	f.Add(tcpTable, uint16(11435))
	f.Add(tcp6Table, uint16(11435))
	f.Add("0: 00000000:0001 x 0A a b c d e 1", uint16(1))
	f.Add("0: 000000:0001 x 0A a b c d e 1\n:::\n", uint16(1))
	f.Fuzz(func(t *testing.T, table string, port uint16) {
		list := readSockets(strings.NewReader(table), int(port))
		if len(list) > mostListeners {
			t.Errorf("%d sockets", len(list))
		}
		for _, s := range list {
			if s.addr.Port() != port || !s.addr.Addr().IsValid() || s.addr.Addr().Is4In6() {
				t.Errorf("%v for port %d", s.addr, port)
			}
			if _, err := strconv.ParseUint(s.inode, 10, 64); err != nil {
				t.Errorf("inode %q", s.inode)
			}
		}
	})
}

const ufwRules = `*filter
:ufw-user-input - [0:0]
### RULES ###

### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in
-A ufw-user-input -p tcp --dport 22 -j ACCEPT

### tuple ### allow any 53 0.0.0.0/0 any 0.0.0.0/0 DNS - in comment=abcd
### tuple ### deny udp 11435 0.0.0.0/0 any 0.0.0.0/0 in
### tuple ### route:allow tcp 11435 0.0.0.0/0 any 0.0.0.0/0 in
### tuple ### allow tcp 11435 0.0.0.0/0 any 0.0.0.0/0 out
`

func TestUfwLetsThePortInOrNot(t *testing.T) {
	for rules, want := range map[string][2]string{ // with policy DROP, with policy ACCEPT
		"": {PortClosed, PortOpen},
		"### tuple ### allow tcp 11435 0.0.0.0/0 any 0.0.0.0/0 in":                                                           {PortOpen, PortOpen},
		"### tuple ### limit_log tcp 11435 0.0.0.0/0 any 0.0.0.0/0 in":                                                       {PortOpen, PortOpen},
		"### tuple ### allow any 11435 ::/0 any ::/0 in":                                                                     {PortOpen, PortOpen},
		"### tuple ### allow tcp 80,11000:12000 0.0.0.0/0 any 0.0.0.0/0 in":                                                  {PortOpen, PortOpen},
		"### tuple ### allow tcp 11435 0.0.0.0/0 any 0.0.0.0/0 Paddock - in":                                                 {PortOpen, PortOpen},
		"### tuple ### deny tcp 11435 0.0.0.0/0 any 0.0.0.0/0 in":                                                            {PortClosed, PortClosed},
		"### tuple ### reject any any 0.0.0.0/0 any 0.0.0.0/0 in":                                                            {PortClosed, PortClosed},
		"### tuple ### allow tcp 11435 0.0.0.0/0 any 192.168.0.0/16 in":                                                      {PortSome, PortOpen},
		"### tuple ### allow tcp 11435 0.0.0.0/0 any 0.0.0.0/0 in_wlan0":                                                     {PortSome, PortOpen},
		"### tuple ### deny tcp 11435 0.0.0.0/0 any 10.0.0.0/8 in":                                                           {PortClosed, PortSome},
		"### tuple ### deny tcp 11435 0.0.0.0/0 any 10.0.0.0/8 in\n### tuple ### allow tcp 11435 0.0.0.0/0 any 0.0.0.0/0 in": {PortSome, PortSome},
		"### tuple ### allow tcp 11435 0.0.0.0/0 any 10.0.0.0/8 in\n### tuple ### deny tcp 11435 0.0.0.0/0 any 0.0.0.0/0 in": {PortSome, PortSome},
		"### tuple ### deny tcp 11435 0.0.0.0/0 any 0.0.0.0/0 in\n### tuple ### allow tcp 11435 0.0.0.0/0 any 0.0.0.0/0 in":  {PortClosed, PortClosed},
		"### tuple ### allow tcp 11434 0.0.0.0/0 any 0.0.0.0/0 in\n### tuple ### allow":                                      {PortClosed, PortOpen},
		ufwRules: {PortClosed, PortOpen},
	} {
		for i, policy := range []string{"DROP", "accept"} {
			if got := judgeRules(strings.NewReader(rules), policy, 11435); got != want[i] {
				t.Errorf("%s under %s: %q, want %q", rules, policy, got, want[i])
			}
		}
		if got := judgeRules(strings.NewReader(rules), "?", 11435); got != "" {
			t.Errorf("a policy that nobody knows: %q", got)
		}
	}
}

func FuzzUfw(f *testing.F) {
	f.Add(ufwRules, "DROP", 11435)
	f.Add("### tuple ### allow tcp 1:65535,x 0.0.0.0/0 any 1.2.3.4 in", "ACCEPT", 1)
	f.Add("### tuple ###", "", 0)
	f.Fuzz(func(t *testing.T, rules, policy string, port int) {
		got := judgeRules(strings.NewReader(rules), policy, port)
		switch got {
		case PortOpen, PortSome, PortClosed:
		case "":
			if p := strings.ToUpper(policy); p == "DROP" || p == "ACCEPT" || p == "REJECT" {
				t.Errorf("no verdict under %q", policy)
			}
		default:
			t.Errorf("%q", got)
		}
		if !strings.Contains(rules, "allow") && !strings.Contains(rules, "limit") && strings.EqualFold(policy, "DROP") && got != PortClosed {
			t.Errorf("nothing allows, and it is %q", got)
		}
	})
}

func TestFirewallFromItsFiles(t *testing.T) {
	on := map[string]string{"ufw/ufw.conf": "# comment\nENABLED=yes\n", "default/ufw": "IPV6=yes\nDEFAULT_INPUT_POLICY=\"DROP\"\n"}
	with := func(name, text string) map[string]string {
		m := maps.Clone(on)
		m[name] = text
		return m
	}
	for name, c := range map[string]struct {
		etc  map[string]string
		want Firewall
	}{
		"none":              {nil, Firewall{}},
		"off":               {map[string]string{"ufw/ufw.conf": "ENABLED=no\n"}, Firewall{Kind: "ufw"}},
		"rules not to read": {on, Firewall{Kind: "ufw", On: true}},
		"closed":            {with("ufw/user.rules", ufwRules), Firewall{"ufw", true, PortClosed}},
		"open":              {with("ufw/user.rules", "### tuple ### allow tcp 11435 0.0.0.0/0 any 0.0.0.0/0 in\n"), Firewall{"ufw", true, PortOpen}},
	} {
		if got := (&Finder{Etc: tree(t, c.etc)}).firewall(11435, nil); got != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestTheSystemsOwnFirewallIsAskedFirst(t *testing.T) {
	f := &Finder{Etc: tree(t, map[string]string{"ufw/ufw.conf": "ENABLED=yes\n"})}
	f.system.firewall = func() (Firewall, bool) { return Firewall{Kind: "windows", On: true}, true }
	if got := f.firewall(1, nil); got.Kind != "windows" {
		t.Errorf("%+v", got)
	}
}

func TestNewestIsTheLatestChangeOfAFile(t *testing.T) {
	home := tree(t, map[string]string{"keys.json": "", "settings.json": "", "sub/deep": ""})
	later := time.Now().Add(24 * time.Hour).Truncate(time.Second)
	if err := os.Chtimes(filepath.Join(home, "keys.json"), later, later); err != nil {
		t.Fatal(err)
	}
	if got := (&Finder{Home: home}).Clock().Newest; !got.Equal(later) {
		t.Errorf("%v, want %v", got, later)
	}
	if got := (&Finder{Home: filepath.Join(home, "none")}).Clock().Newest; !got.IsZero() {
		t.Errorf("%v of no folder", got)
	}
}

func TestAHomeInTheProfileFolder(t *testing.T) {
	root := t.TempDir()
	for home, want := range map[string]bool{"anna/AppData/paddock": true, "anna": true, "bob/paddock": false, "anna2": false} {
		f := &Finder{Home: filepath.Join(root, home), People: filepath.Join(root, "anna")}
		if got := f.Files(); !got.Read || got.Profile != want {
			t.Errorf("%s: %+v", home, got)
		}
	}
}

// Whatever is asked, nothing in the folders looked at may be there afterwards
// that was not there before.
func TestFindLeavesNoTrace(t *testing.T) {
	root := tree(t, map[string]string{"home/keys.json": "{}", "etc/ufw/ufw.conf": "ENABLED=no\n", "proc/net/tcp": tcpTable})
	f := machine{"192.168.1.5:11434": ollama}.finder(t)
	f.Home, f.Etc, f.Proc = filepath.Join(root, "home"), filepath.Join(root, "etc"), filepath.Join(root, "proc")
	f.AppDB = filepath.Join(root, "home", "db.sqlite")
	before := listing(t, root)
	found := f.Find(t.Context(), Ask{Addrs: []netip.Addr{ip("192.168.1.5")}, OllamaPort: 11434, Port: 11435})
	if after := listing(t, root); !slices.Equal(before, after) {
		t.Errorf("before %v\nafter %v", before, after)
	}
	if len(found.Probe.Answered) != 1 || !found.OwnPort.Read || !found.Files.Read || found.Firewall.Kind != "ufw" || found.App.Read || found.Clock.Newest.IsZero() {
		t.Errorf("%+v", found)
	}
}

func listing(t testing.TB, root string) []string {
	t.Helper()
	var names []string
	if err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		names = append(names, path)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return names
}

func TestFindEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := NewFinder(t.TempDir())
	found := f.Find(ctx, Ask{Addrs: []netip.Addr{ip("192.168.1.5")}, OllamaPort: 11434, Port: 11435})
	if !found.Probe.At.IsZero() || found.App.Read || len(found.Servers) > 0 {
		t.Errorf("%+v", found)
	}
}

func TestTheZeroFinderFindsNothing(t *testing.T) {
	if got := (&Finder{}).Find(t.Context(), Ask{Addrs: []netip.Addr{ip("192.168.1.5")}, OllamaPort: 1, Port: 2}); got.Probe.Port != 0 || got.Files.Read || got.OwnPort.Read {
		t.Errorf("%+v", got)
	}
}
