package safety

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	noon  = time.Date(2026, 8, 20, 12, 0, 0, 0, time.UTC)
	years = 24 * 365 * time.Hour
)

func ip(s string) netip.Addr         { return netip.MustParseAddr(s) }
func ipPort(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// calm is a laptop on which nothing is wrong and everything could be read.
func calm(goos string) Evidence {
	e := Evidence{
		Now: noon, OS: goos, Home: "/home/anna/.config/paddock", Port: 11435, Listening: true,
		Upstream:    Upstream{URL: "http://127.0.0.1:11434", Local: true, Answers: true, Version: "0.40.0"},
		Keys:        []Key{{Name: "alice", Created: noon.Add(-48 * time.Hour), LastUsed: noon.Add(-time.Hour), Expires: noon.Add(years)}},
		Vault:       Vault{Kind: "keychain"},
		Certificate: Certificate{Ready: true, NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(years)},
		Found: Found{
			Probe:      Probe{At: noon.Add(-time.Minute), Port: 11434, Asked: []netip.Addr{ip("192.168.1.5")}},
			Servers:    []Server{{From: FromProcess, PID: 7, Readable: true, Unit: "ollama.service"}},
			OllamaPort: Listeners{Read: true, List: []Listener{{Addr: ipPort("127.0.0.1:11434"), Who: "ollama"}}},
			OwnPort:    Listeners{Read: true, List: []Listener{{Addr: ipPort("[::]:11435"), Own: true}}},
			Firewall:   Firewall{Kind: "ufw", On: true, Port: PortOpen},
			Files:      Files{Read: true, Shut: true},
			Clock:      Clock{Newest: noon.Add(-time.Minute)},
		},
	}
	switch goos {
	case "windows":
		e.Found.Files = Files{Read: true, Profile: true}
		e.Found.Firewall = Firewall{Kind: "windows"}
		fallthrough
	case "darwin":
		e.Found.App = App{Read: true}
		e.Found.Servers = []Server{{From: FromAccount, Readable: true}}
	}
	return e
}

func answered(e *Evidence, at ...string) {
	for _, a := range at {
		e.Found.Probe.Answered = append(e.Found.Probe.Answered, Answer{ip(a), "0.17.4"})
	}
}

// rows are sentences: on this system, with this evidence, this fact has this
// level, says this, and offers that.
var rows = []struct {
	name  string
	os    string // linux when empty
	given func(*Evidence)
	id    string
	level Level
	says  []string // in the title, the detail, the items or the fix, in any order
	not   []string
}{
	// Where Ollama answers.
	{"nobody answers on the network", "", nil, OllamaReach, OK, []string{"answers only on this machine", "192.168.1.5 at 11:59"}, nil},
	{"an answer on the network is a way around", "", func(e *Evidence) { answered(e, "192.168.1.5") }, OllamaReach, Problem, []string{"Ollama answers on 192.168.1.5:11434", "at 11:59", "walk around", "Ollama 0.17.4 answers without a key", "zz-paddock-host.conf", `OLLAMA_HOST=127.0.0.1:11434`}, []string{"internet"}},
	{"a refusal of the name is an answer too", "", func(e *Evidence) { e.Found.Probe.Answered = []Answer{{Addr: ip("192.168.1.5")}} }, OllamaReach, Problem, []string{"192.168.1.5:11434", "answers without a key"}, nil},
	{"two answers are counted, and listed", "", func(e *Evidence) { answered(e, "192.168.1.5", "fd00::5") }, OllamaReach, Problem, []string{"2 addresses of the network", "[fd00::5]:11434"}, nil},
	{"a public address is called one", "", func(e *Evidence) { answered(e, "8.8.4.4") }, OllamaReach, Problem, []string{"8.8.4.4 is a public address", "internet"}, nil},
	{"Tailscale's range is not public", "", func(e *Evidence) { answered(e, "100.101.2.3") }, OllamaReach, Problem, nil, []string{"internet"}},
	{"Ollama started by hand is started anew by hand", "", func(e *Evidence) {
		answered(e, "192.168.1.5")
		e.Found.Servers = []Server{{From: FromProcess, Readable: true}}
	}, OllamaReach, Problem, []string{"OLLAMA_HOST=127.0.0.1:11434 ollama serve"}, []string{"systemctl"}},
	{"nothing known of how it is started shows both ways", "", func(e *Evidence) { answered(e, "192.168.1.5"); e.Found.Servers = nil }, OllamaReach, Problem, []string{"sudo systemctl restart ollama.service", "ollama serve"}, nil},
	{"a unit of the user's own needs no sudo", "", func(e *Evidence) { answered(e, "192.168.1.5"); e.Found.Servers[0].UserUnit = true }, OllamaReach, Problem, []string{"systemctl --user restart ollama.service", "~/.config/systemd/user/ollama.service.d"}, []string{"sudo"}},
	{"a container's port is mended where the container is made", "", func(e *Evidence) {
		answered(e, "192.168.1.5")
		e.Found.Servers = []Server{{From: FromProcess, Container: true, Apart: true}}
	}, OllamaReach, Problem, []string{"-p 127.0.0.1:11434:11434"}, []string{"systemctl"}},
	{"on macOS launchd is told", "darwin", func(e *Evidence) { answered(e, "192.168.1.5") }, OllamaReach, Problem, []string{"launchctl unsetenv OLLAMA_HOST", "menu bar"}, []string{"systemctl", "Expose Ollama"}},
	{"on macOS with the switch on, the switch comes first", "darwin", func(e *Evidence) { answered(e, "192.168.1.5"); e.Found.App.Expose = true }, OllamaReach, Problem, []string{"“Expose Ollama to the network”"}, nil},
	{"on Windows the variable is taken back", "windows", func(e *Evidence) { answered(e, "192.168.1.5") }, OllamaReach, Problem, []string{"SetEnvironmentVariable('OLLAMA_HOST', $null, 'User')", "next to the clock"}, []string{"systemctl", "launchctl"}},
	{"a wide listener that does not answer may answer elsewhere", "", func(e *Evidence) { e.Found.OllamaPort.List = []Listener{{Addr: ipPort("[::]:11434")}} }, OllamaReach, Attention, []string{"every network", "[::]:11434", "holds it back now"}, []string{"can walk around"}},
	{"a wide listener without a network waits for the next", "", func(e *Evidence) {
		e.Found.OllamaPort.List = []Listener{{Addr: ipPort("0.0.0.0:11434")}}
		e.Found.Probe.Asked = nil
	}, OllamaReach, Attention, []string{"On the next one"}, nil},
	{"a wide listener beside one for this machine is not proven to be Ollama", "", func(e *Evidence) {
		e.Found.OllamaPort.List = append(e.Found.OllamaPort.List, Listener{Addr: ipPort("0.0.0.0:11434")})
	}, OllamaReach, OK, nil, nil},
	{"without a network, the table of sockets says enough", "", func(e *Evidence) { e.Found.Probe.Asked = nil }, OllamaReach, OK, []string{"listens on this machine only"}, nil},
	{"without a network and without that table, nobody knows", "", func(e *Evidence) { e.Found.Probe = Probe{}; e.Found.OllamaPort = Listeners{} }, OllamaReach, Unknown, []string{"was not tried"}, nil},
	{"without a network, a listener on an address proves nothing", "", func(e *Evidence) {
		e.Found.Probe.Asked = nil
		e.Found.OllamaPort.List = []Listener{{Addr: ipPort("192.168.1.5:11434")}}
	}, OllamaReach, Unknown, []string{"was not tried"}, nil},
	{"an Ollama that does not run answers nowhere", "", func(e *Evidence) { e.Upstream.Answers = false }, OllamaReach, Unknown, []string{"does not run now"}, nil},
	{"an Ollama that answers only on the network is a way around as well", "", func(e *Evidence) { e.Upstream.Answers = false; answered(e, "192.168.1.5") }, OllamaReach, Problem, nil, nil},
	{"Ollama on another machine is no alarm", "", func(e *Evidence) { e.Upstream = Upstream{URL: "http://nas.local:11434", Answers: true} }, OllamaReach, Unknown, []string{"another machine", "http://nas.local:11434"}, nil},
	{"an Ollama that is not the one shared is worth a look", "", func(e *Evidence) {
		e.Upstream = Upstream{URL: "http://nas.local:11434", Answers: true}
		answered(e, "192.168.1.5")
	}, OllamaReach, Attention, []string{"not the one that you share"}, []string{"walk around"}},
	{"the demo has no way around", "", func(e *Evidence) { e.Upstream = Upstream{Demo: true, Local: true, Answers: true} }, OllamaReach, OK, []string{"demo"}, nil},
	{"the demo does not hide an open Ollama", "", func(e *Evidence) { e.Upstream.Demo = true; answered(e, "192.168.1.5") }, OllamaReach, Attention, []string{"without a key all the same"}, nil},

	// OLLAMA_HOST.
	{"OLLAMA_HOST is not set", "", nil, OllamaHost, OK, []string{"OLLAMA_HOST is not set"}, nil},
	{"OLLAMA_HOST is this machine", "", func(e *Evidence) { e.Found.Servers[0].Host = "127.0.0.1:11434" }, OllamaHost, OK, []string{"OLLAMA_HOST is 127.0.0.1:11434"}, nil},
	{"OLLAMA_HOST names every network, and nothing was tried", "", func(e *Evidence) { e.Found.Servers[0].Host = "0.0.0.0:11434"; e.Found.Probe = Probe{} }, OllamaHost, Problem, []string{"OLLAMA_HOST is 0.0.0.0:11434", "every network", "systemctl"}, nil},
	{"OLLAMA_HOST names every network, but nothing answered", "", func(e *Evidence) { e.Found.Servers[0].Host = "0.0.0.0:11434" }, OllamaHost, Attention, []string{"holds it back now"}, nil},
	{"OLLAMA_HOST is why it answers: one problem, not two", "", func(e *Evidence) { e.Found.Servers[0].Host = "[::]:11434"; answered(e, "192.168.1.5") }, OllamaHost, Attention, []string{"That is why"}, nil},
	{"OLLAMA_HOST with a port only is every network", "", func(e *Evidence) { e.Found.Servers[0].Host = ":11434" }, OllamaHost, Attention, []string{"OLLAMA_HOST is every address, port 11434"}, nil},
	{"OLLAMA_HOST names one address", "", func(e *Evidence) { e.Found.Servers[0].Host = "192.168.1.5:11434"; e.Found.Probe = Probe{} }, OllamaHost, Problem, []string{"an address that others can reach"}, nil},
	{"OLLAMA_HOST is a name, which proves nothing", "", func(e *Evidence) { e.Found.Servers[0].Host = "mybox:11434"; e.Found.Probe = Probe{} }, OllamaHost, Attention, []string{"a name"}, nil},
	{"a container's wildcard is its own", "", func(e *Evidence) {
		e.Found.Servers = []Server{{From: FromProcess, Readable: true, Apart: true, Container: true, Host: "0.0.0.0:11434"}}
	}, OllamaHost, OK, []string{"inside a container"}, nil},
	{"of two Ollamas the wider one counts", "", func(e *Evidence) {
		e.Found.Servers = append(e.Found.Servers, Server{From: FromProcess, Readable: true, Host: "0.0.0.0:11500"})
	}, OllamaHost, Attention, []string{"0.0.0.0:11500"}, nil},
	{"another account's Ollama cannot be read", "", func(e *Evidence) { e.Found.Servers[0].Readable = false }, OllamaHost, Unknown, []string{"could not be read", "another account"}, nil},
	{"no Ollama among the programs", "", func(e *Evidence) { e.Found.Servers = nil }, OllamaHost, Unknown, []string{"not among the programs"}, nil},
	{"no Ollama at all", "", func(e *Evidence) { e.Found.Servers = nil; e.Upstream.Answers = false }, OllamaHost, Unknown, []string{"No Ollama runs"}, nil},
	{"macOS does not tell", "darwin", func(e *Evidence) { e.Found.Servers = nil }, OllamaHost, Unknown, []string{"This system does not tell"}, nil},
	{"what the account says holds from the next start", "windows", func(e *Evidence) { e.Found.Servers[0].Host = "0.0.0.0:11434" }, OllamaHost, Attention, []string{"from the next time"}, nil},
	{"OLLAMA_HOST is another machine's affair", "", func(e *Evidence) { e.Upstream.Local = false }, OllamaHost, Unknown, []string{"another machine"}, nil},
	{"OLLAMA_HOST does not concern the demo", "", func(e *Evidence) { e.Upstream.Demo = true; e.Found.Servers[0].Host = "0.0.0.0:11434" }, OllamaHost, OK, []string{"demo"}, nil},

	// OLLAMA_ORIGINS.
	{"OLLAMA_ORIGINS is not set", "", nil, OllamaOrigins, OK, []string{"OLLAMA_ORIGINS is not set"}, nil},
	{"OLLAMA_ORIGINS lets every website in", "", func(e *Evidence) { e.Found.Servers[0].Origins = "http://a.example,*" }, OllamaOrigins, Attention, []string{"has * in it", "without the gate", "People on the network cannot", `OLLAMA_ORIGINS=`, "zz-paddock-origins.conf"}, []string{"fits any text"}},
	{"OLLAMA_ORIGINS is wider than it seems", "", func(e *Evidence) { e.Found.Servers[0].Origins = "http://192.168.*" }, OllamaOrigins, Attention, []string{"http://192.168.*", "fits any text"}, nil},
	{"OLLAMA_ORIGINS lets extensions in", "", func(e *Evidence) { e.Found.Servers[0].Origins = "chrome-extension://*" }, OllamaOrigins, Attention, []string{"every browser extension"}, nil},
	{"OLLAMA_ORIGINS of an Ollama by hand", "", func(e *Evidence) {
		e.Found.Servers = []Server{{From: FromProcess, Readable: true, Origins: "*"}}
	}, OllamaOrigins, Attention, []string{"env -u OLLAMA_ORIGINS ollama serve"}, []string{"systemctl"}},
	{"OLLAMA_ORIGINS of a container", "", func(e *Evidence) {
		e.Found.Servers = []Server{{From: FromProcess, Readable: true, Container: true, Origins: "*"}}
	}, OllamaOrigins, Attention, []string{"without OLLAMA_ORIGINS"}, []string{"systemctl"}},
	{"OLLAMA_ORIGINS on macOS", "darwin", func(e *Evidence) { e.Found.Servers[0].Origins = "*" }, OllamaOrigins, Attention, []string{"launchctl unsetenv OLLAMA_ORIGINS"}, nil},
	{"OLLAMA_ORIGINS on Windows", "windows", func(e *Evidence) { e.Found.Servers[0].Origins = "*" }, OllamaOrigins, Attention, []string{"'OLLAMA_ORIGINS', $null"}, nil},
	{"OLLAMA_ORIGINS names one website", "", func(e *Evidence) { e.Found.Servers[0].Origins = "https://chat.example.com" }, OllamaOrigins, OK, []string{"It is https://chat.example.com."}, nil},
	{"OLLAMA_ORIGINS names many", "", func(e *Evidence) { e.Found.Servers[0].Origins = "http://a.b,http://c.d,http://e.f,http://g.h" }, OllamaOrigins, OK, []string{"http://a.b, http://c.d, http://e.f and 1 more."}, nil},
	{"the app lets every website in", "darwin", func(e *Evidence) { e.Found.App.Browser = true }, OllamaOrigins, Attention, []string{"Ollama's app lets every website"}, nil},
	{"OLLAMA_ORIGINS could not be read", "", func(e *Evidence) { e.Found.Servers[0].Readable = false }, OllamaOrigins, Unknown, nil, nil},
	{"OLLAMA_ORIGINS is another machine's affair", "", func(e *Evidence) { e.Upstream.Local = false }, OllamaOrigins, Unknown, nil, nil},

	// The app.
	{"the expose switch is off", "darwin", nil, OllamaApp, OK, []string{"expose switch is off"}, nil},
	{"the expose switch is on and nothing was tried", "darwin", func(e *Evidence) { e.Found.App.Expose = true; e.Found.Probe = Probe{} }, OllamaApp, Problem, []string{"switch is on", "Open Settings"}, nil},
	{"the expose switch is on and nothing answered", "windows", func(e *Evidence) { e.Found.App.Expose = true }, OllamaApp, Attention, []string{"holds it back"}, nil},
	{"the expose switch is why it answers", "windows", func(e *Evidence) { e.Found.App.Expose = true; answered(e, "192.168.1.5") }, OllamaApp, Attention, []string{"That is why"}, nil},
	{"the app cannot be read", "windows", func(e *Evidence) { e.Found.App = App{} }, OllamaApp, Unknown, nil, nil},
	{"the app does not concern the demo", "windows", func(e *Evidence) { e.Upstream.Demo = true; e.Found.App.Expose = true }, OllamaApp, OK, []string{"demo"}, nil},

	// Known holes.
	{"a new Ollama has no known holes", "", nil, OllamaVersion, OK, []string{"Ollama 0.40.0 has no known holes", "As of August 2026", "not certain"}, nil},
	{"0.17.4 has one that the gate does not stop", "", func(e *Evidence) { e.Upstream.Version = "0.17.4" }, OllamaVersion, Attention, []string{"a known hole that the gate does not stop", "CVE-2025-15514 lets a broken picture", "4 more are stopped by the gate for teammates; a manager key", "install.sh"}, []string{"CVE-2026-7482", "tampered"}},
	{"on Windows the updater comes with it", "windows", func(e *Evidence) { e.Upstream.Version = "0.17.4" }, OllamaVersion, Attention, []string{"3 known holes", "CVE-2026-42248", "ollama.com/download"}, nil},
	{"0.18.0 has those that the gate stops", "", func(e *Evidence) { e.Upstream.Version = "0.18.0" }, OllamaVersion, Attention, []string{"2 known holes, which the gate stops", "CVE-2026-5530 and CVE-2026-7020 are stopped for teammates"}, []string{"does not stop"}},
	{"0.20.0 has a single one", "", func(e *Evidence) { e.Upstream.Version = "0.20.0" }, OllamaVersion, Attention, []string{"a known hole, which the gate stops", "CVE-2026-7020 is stopped", "reach it."}, nil},
	{"a release candidate comes before its release", "", func(e *Evidence) { e.Upstream.Version = "0.17.1-rc2" }, OllamaVersion, Attention, []string{"Bleeding Llama"}, nil},
	{"a page in the owner's browser goes straight to an old Ollama", "", func(e *Evidence) { e.Upstream.Version = "0.1.28" }, OllamaVersion, Attention, []string{"a known hole that the gate does not stop", "CVE-2024-28224 lets a web page", "goes straight to Ollama"}, nil},
	{"the version is not known", "", func(e *Evidence) { e.Upstream.Version = "" }, OllamaVersion, Unknown, []string{"does not answer"}, nil},
	{"a build from source says nothing", "", func(e *Evidence) { e.Upstream.Version = "0.0.0" }, OllamaVersion, Unknown, []string{"calls itself 0.0.0"}, nil},
	{"the version is whatever somebody sends", "", func(e *Evidence) { e.Upstream.Version = "\x1b[2J\u202eoops" }, OllamaVersion, Unknown, []string{"[2Joops"}, []string{"\x1b", "\u202e"}},
	{"another machine is updated there", "", func(e *Evidence) { e.Upstream.Local = false; e.Upstream.Version = "0.17.4" }, OllamaVersion, Attention, []string{"on the machine where it runs"}, nil},
	{"a container is updated by its image", "", func(e *Evidence) { e.Upstream.Version = "0.17.4"; e.Found.Servers[0].Container = true }, OllamaVersion, Attention, []string{"docker pull"}, nil},
	{"the demo has no version", "", func(e *Evidence) { e.Upstream.Demo = true; e.Upstream.Version = "0.1.0" }, OllamaVersion, OK, []string{"demo"}, nil},

	// Encryption.
	{"encrypted only", "", nil, PlainHTTP, OK, []string{"Only encrypted connections"}, nil},
	{"plain HTTP is allowed", "", func(e *Evidence) { e.AllowHTTP = true }, PlainHTTP, Attention, []string{"Plain HTTP is allowed", "share.allow-http false"}, []string{"came unencrypted"}},
	{"plain HTTP was used", "", func(e *Evidence) { e.AllowHTTP = true; e.PlainRequests = 12 }, PlainHTTP, Attention, []string{"12 requests came unencrypted lately"}, nil},
	{"plain HTTP was used once", "", func(e *Evidence) { e.AllowHTTP = true; e.PlainRequests = 1 }, PlainHTTP, Attention, []string{"One request came"}, nil},

	// The port.
	{"only Paddock listens", "", nil, PortTaken, OK, []string{"Only Paddock listens on port 11435"}, nil},
	{"nobody listens while sharing is off", "", func(e *Evidence) { e.Listening = false; e.Found.OwnPort.List = nil }, PortTaken, OK, []string{"Nobody else"}, nil},
	{"a more specific listener takes connections away", "", func(e *Evidence) {
		e.Found.OwnPort.List = append(e.Found.OwnPort.List, Listener{Addr: ipPort("192.168.1.5:11435"), Who: "node"})
	}, PortTaken, Attention, []string{"too", "node at 192.168.1.5:11435", "hand it their key", "share.listen :11436"}, nil},
	{"another account's program has no name", "", func(e *Evidence) {
		e.Listening = false
		e.Found.OwnPort.List = []Listener{{Addr: ipPort("0.0.0.0:11435")}}
	}, PortTaken, Attention, []string{"a program of another account", "may not start"}, nil},
	{"on another port, the usual one is offered", "", func(e *Evidence) {
		e.Port = 9000
		e.Found.OwnPort.List = []Listener{{Addr: ipPort("0.0.0.0:9000")}}
	}, PortTaken, Attention, []string{"share.listen :11435"}, nil},
	{"macOS is not asked who listens", "darwin", func(e *Evidence) { e.Found.OwnPort = Listeners{} }, PortTaken, Unknown, []string{"on macOS"}, nil},
	{"Linux without its table", "", func(e *Evidence) { e.Found.OwnPort = Listeners{} }, PortTaken, Unknown, []string{"could not be read"}, nil},

	// The firewall.
	{"ufw lets the port in", "", nil, PortFirewall, OK, []string{"lets port 11435 in"}, nil},
	{"ufw lets some in", "", func(e *Evidence) { e.Found.Firewall.Port = PortSome }, PortFirewall, OK, []string{"some addresses"}, nil},
	{"ufw blocks the port", "", func(e *Evidence) { e.Found.Firewall.Port = PortClosed }, PortFirewall, Attention, []string{"Teammates cannot connect", "sudo ufw allow 11435/tcp"}, nil},
	{"ufw cannot be read", "", func(e *Evidence) { e.Found.Firewall.Port = "" }, PortFirewall, Unknown, []string{"administrator", "never lets anybody around"}, nil},
	{"ufw is off", "", func(e *Evidence) { e.Found.Firewall.On = false }, PortFirewall, OK, []string{"is off"}, nil},
	{"firewalld runs", "", func(e *Evidence) { e.Found.Firewall = Firewall{Kind: "firewalld", On: true} }, PortFirewall, Unknown, []string{"firewall-cmd --permanent --add-port=11435/tcp"}, nil},
	{"no firewall known", "", func(e *Evidence) { e.Found.Firewall = Firewall{} }, PortFirewall, Unknown, []string{"knows ufw and firewalld; others"}, nil},
	{"macOS' firewall is not read", "darwin", func(e *Evidence) { e.Found.Firewall = Firewall{} }, PortFirewall, Unknown, []string{"On macOS"}, nil},
	{"Windows Firewall is on", "windows", func(e *Evidence) { e.Found.Firewall.On = true }, PortFirewall, Unknown, []string{"tick Paddock"}, nil},
	{"Windows Firewall is off", "windows", nil, PortFirewall, OK, []string{"is off"}, nil},

	// Keys.
	{"every key expires", "", nil, KeysForever, OK, []string{"Every key expires"}, nil},
	{"no keys yet", "", func(e *Evidence) { e.Keys = nil }, KeysForever, OK, []string{"no keys yet"}, nil},
	{"one key never expires", "", func(e *Evidence) { e.Keys[0].Expires = time.Time{} }, KeysForever, Attention, []string{"One key never expires", "alice. A key", "paddock keys edit alice --expires 90d"}, nil},
	{"a name with blanks is not put into a command", "", func(e *Evidence) { e.Keys[0].Name = "n8n on the NAS"; e.Keys[0].Expires = time.Time{} }, KeysForever, Attention, []string{"n8n on the NAS.", "paddock keys edit NAME"}, []string{"edit n8n"}},
	{"a name that looks like an option is not either", "", func(e *Evidence) { e.Keys[0].Name = "--help"; e.Keys[0].Expires = time.Time{} }, KeysForever, Attention, nil, []string{"edit --help"}},
	{"five are named to three", "", func(e *Evidence) {
		e.Keys = nil
		for i := range 5 {
			e.Keys = append(e.Keys, Key{Name: fmt.Sprint("k", i), Created: noon})
		}
	}, KeysForever, Attention, []string{"5 keys never expire", "k0, k1, k2 and 2 more."}, nil},
	{"a suspended key opens nothing", "", func(e *Evidence) { e.Keys[0].Expires = time.Time{}; e.Keys[0].Suspended = true }, KeysForever, OK, nil, nil},
	{"all keys are in use", "", nil, KeysUnused, OK, nil, nil},
	{"a new key was never used", "", func(e *Evidence) { e.Keys[0].LastUsed = time.Time{} }, KeysUnused, OK, nil, nil},
	{"an old key was never used", "", func(e *Evidence) { e.Keys[0] = Key{Name: "bob", Created: noon.Add(-91 * 24 * time.Hour)} }, KeysUnused, Attention, []string{"One key was not used", "bob.", "keys suspend bob"}, nil},
	{"a key was used long ago", "", func(e *Evidence) {
		e.Keys[0].Created, e.Keys[0].LastUsed = noon.Add(-years), noon.Add(-91*24*time.Hour)
	}, KeysUnused, Attention, nil, nil},
	{"an expired key is no trouble any more", "", func(e *Evidence) {
		e.Keys[0] = Key{Name: "bob", Created: noon.Add(-years), Expires: noon.Add(-time.Hour)}
	}, KeysUnused, OK, nil, nil},
	{"no keys, none unused", "", func(e *Evidence) { e.Keys = nil }, KeysUnused, OK, nil, nil},

	// The vault.
	{"keys are in the keyring", "", nil, SecretsKept, OK, []string{"Keys are in the desktop's keyring"}, nil},
	{"keys are in the macOS Keychain", "darwin", nil, SecretsKept, OK, []string{"Keys are in the macOS Keychain"}, nil},
	{"keys are in Credential Manager", "windows", nil, SecretsKept, OK, []string{"Windows Credential Manager"}, nil},
	{"keys are in a file", "", func(e *Evidence) { e.Vault.Kind = "file" }, SecretsKept, OK, []string{"sealed file"}, nil},
	{"nobody has asked the keychain yet", "", func(e *Evidence) { e.Vault.Kind = "auto" }, SecretsKept, OK, []string{"will be kept"}, nil},
	{"memory was asked for", "", func(e *Evidence) { e.Vault = Vault{Kind: "memory", Asked: true} }, SecretsKept, OK, []string{"as you asked", "end with the program"}, nil},
	{"memory was all there was", "", func(e *Evidence) { e.Vault = Vault{Kind: "memory"} }, SecretsKept, Attention, []string{"end with the program", "--vault file", "KWallet"}, nil},
	{"the keychain is locked", "", func(e *Evidence) { e.Vault.Trouble = "locked" }, SecretsKept, Attention, []string{"is locked", "work all the same"}, nil},
	{"there is no keychain", "darwin", func(e *Evidence) { e.Vault = Vault{Kind: "memory", Trouble: "missing"} }, SecretsKept, Attention, []string{"no keychain", "desktop session"}, nil},
	{"the keychain is silent", "", func(e *Evidence) { e.Vault.Trouble = "silent" }, SecretsKept, Attention, []string{"did not answer in time"}, nil},
	{"the keychain did not keep it", "", func(e *Evidence) { e.Vault.Trouble = "unkept" }, SecretsKept, Attention, []string{"did not keep"}, nil},
	{"the sealed file is closed", "", func(e *Evidence) { e.Vault.Trouble = "sealed" }, SecretsKept, Attention, []string{"PADDOCK_PASSPHRASE_FILE"}, nil},
	{"the keychain has a fault", "", func(e *Evidence) { e.Vault.Trouble = "fault" }, SecretsKept, Attention, []string{"has a fault"}, nil},
	{"the index cannot be saved", "", func(e *Evidence) { e.Vault.Trouble = "unsaved" }, SecretsKept, Attention, []string{"cannot be saved", "/home/anna/.config/paddock"}, nil},

	// The clock.
	{"nothing contradicts the clock", "", nil, ClockRight, OK, []string{"Nothing contradicts it."}, nil},
	{"an unsynchronised clock alone is no trouble", "", func(e *Evidence) { e.Found.Clock.Unsynced = true }, ClockRight, OK, []string{"virtual machines"}, nil},
	{"a file from the future", "", func(e *Evidence) { e.Found.Clock.Newest = noon.Add(time.Hour) }, ClockRight, Attention, []string{"It shows 20 August 2026, 12:00, but a file of Paddock's was changed on 20 August 2026, 13:00", "set-ntp"}, nil},
	{"some minutes are nothing", "", func(e *Evidence) { e.Found.Clock.Newest = noon.Add(4 * time.Minute) }, ClockRight, OK, nil, nil},
	{"a certificate from the future", "darwin", func(e *Evidence) { e.Certificate.NotBefore = noon.Add(years) }, ClockRight, Attention, []string{"certificate was made", "System Settings"}, nil},
	{"the owner's certificate may begin when it likes", "", func(e *Evidence) { e.Certificate.Own = true; e.Certificate.NotBefore = noon.Add(years) }, ClockRight, OK, nil, nil},
	{"a key from the future", "windows", func(e *Evidence) { e.Keys[0].Created = noon.Add(years) }, ClockRight, Attention, []string{"a key was made", "Sync now"}, nil},
	{"a use in the future", "freebsd", func(e *Evidence) { e.Keys[0].LastUsed = noon.Add(years) }, ClockRight, Attention, []string{"a key was used", "NTP"}, nil},

	// Files.
	{"files are the owner's alone", "", nil, FilesClosed, OK, []string{"yours alone"}, nil},
	{"others may read the folder", "", func(e *Evidence) {
		e.Found.Files = Files{Read: true, Wide: []File{{"", "0755"}, {"keys.json", "0644"}}}
	}, FilesClosed, Attention, []string{"can read", "the folder itself", "keys.json", "mode 0644", "chmod -R go= -- '/home/anna/.config/paddock'"}, []string{"chown"}},
	{"others may write the index", "", func(e *Evidence) { e.Found.Files = Files{Read: true, Write: []File{{"keys.json", "0666"}}} }, FilesClosed, Problem, []string{"can change", "give themselves a key"}, nil},
	{"a closed folder keeps others from wide files", "", func(e *Evidence) {
		e.Found.Files = Files{Read: true, Shut: true, Write: []File{{"keys.json", "0666"}}}
	}, FilesClosed, Attention, []string{"wider than need be", "keeps other accounts out"}, nil},
	{"files are root's", "", func(e *Evidence) { e.Found.Files.Foreign = []File{{"keys.json", "0600"}} }, FilesClosed, Attention, []string{"belong to another account", "sudo chown"}, []string{"chmod"}},
	{"a folder with a quote in its name is quoted", "darwin", func(e *Evidence) {
		e.Home = "/Users/o'neil/x; rm -rf $HOME"
		e.Found.Files.Wide = []File{{"a", "0644"}}
	}, FilesClosed, Attention, []string{`'/Users/o'\''neil/x; rm -rf $HOME'`}, nil},
	{"a folder with a line break in its name is no command", "", func(e *Evidence) {
		e.Home = "/home/a\nrm"
		e.Found.Files.Wide = []File{{"a", "0644"}}
	}, FilesClosed, Attention, nil, []string{"chmod"}},
	{"the folder could not be looked at", "", func(e *Evidence) { e.Found.Files = Files{} }, FilesClosed, Unknown, nil, nil},
	{"Windows protects the profile", "windows", nil, FilesClosed, OK, []string{"profile folder"}, nil},
	{"outside of the profile nobody knows", "windows", func(e *Evidence) { e.Found.Files.Profile = false }, FilesClosed, Unknown, []string{"outside"}, nil},

	// The certificate.
	{"the certificate is good", "", nil, CertificateOK, OK, []string{"is good", "renewed by itself"}, nil},
	{"the owner's certificate is good", "", func(e *Evidence) { e.Certificate.Own = true }, CertificateOK, OK, []string{"Your own certificate", "Until 20 August 2027."}, nil},
	{"the owner's certificate expires soon", "", func(e *Evidence) { e.Certificate.Own = true; e.Certificate.NotAfter = noon.Add(13 * 24 * time.Hour) }, CertificateOK, Attention, []string{"expires soon", "2 September 2026"}, nil},
	{"Paddock's own is renewed in time", "", func(e *Evidence) { e.Certificate.NotAfter = noon.Add(13 * 24 * time.Hour) }, CertificateOK, OK, nil, nil},
	{"the certificate has expired", "", func(e *Evidence) { e.Certificate.NotAfter = noon.Add(-time.Hour) }, CertificateOK, Attention, []string{"has expired", "makes itself a new one"}, nil},
	{"the certificate is not good yet", "", func(e *Evidence) { e.Certificate.Own = true; e.Certificate.NotBefore = noon.Add(time.Hour) }, CertificateOK, Attention, []string{"not good yet"}, nil},
	{"the certificate cannot be read", "", func(e *Evidence) { e.Certificate = Certificate{Own: true, Fault: "open x.pem: permission denied"} }, CertificateOK, Attention, []string{"could not be read", "open x.pem: permission denied."}, nil},
	{"no certificate yet", "", func(e *Evidence) { e.Certificate = Certificate{} }, CertificateOK, Unknown, []string{"when sharing starts"}, nil},
	{"the authority ends with the program", "", func(e *Evidence) { e.Certificate.Temporary = true }, CertificateOK, Attention, []string{"ends with the program", "--vault file"}, nil},
	{"the authority ends with the program as asked", "", func(e *Evidence) {
		e.Certificate.Temporary = true
		e.Vault = Vault{Kind: "memory", Asked: true}
	}, CertificateOK, OK, []string{"as you asked"}, nil},

	// The network.
	{"any private network", "", nil, NetworkKnown, OK, []string{"private networks"}, nil},
	{"any private network, with a name", "", func(e *Evidence) { e.Network.Name = "Home Wi-Fi" }, NetworkKnown, OK, []string{"Now on Home Wi-Fi."}, nil},
	{"a chosen network", "", func(e *Evidence) { e.Network = Network{Choice: "Home Wi-Fi", Name: "Home Wi-Fi"} }, NetworkKnown, OK, []string{"You chose where to share", "On Home Wi-Fi."}, nil},
	{"sharing waits on an unknown network", "", func(e *Evidence) { e.Network = Network{Waits: "unknown", Name: "Cafe"} }, NetworkKnown, Attention, []string{"Cafe is not known", "share.network"}, nil},
	{"sharing waits on a public network", "", func(e *Evidence) { e.Network.Waits = "public" }, NetworkKnown, Attention, []string{"This network is a public one"}, nil},
	{"sharing waits for its network", "", func(e *Evidence) { e.Network.Waits = "gone" }, NetworkKnown, Attention, []string{"not here"}, nil},
}

func TestJudge(t *testing.T) {
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			goos := row.os
			if goos == "" {
				goos = "linux"
			}
			e := calm(goos)
			if row.given != nil {
				row.given(&e)
			}
			facts := Judge(e)
			i := slices.IndexFunc(facts, func(f Fact) bool { return f.ID == row.id })
			if i < 0 {
				t.Fatalf("no fact %s", row.id)
			}
			f := facts[i]
			text := allOf(f)
			if f.Level != row.level {
				t.Errorf("level %s, want %s\n%s", f.Level, row.level, text)
			}
			for _, s := range row.says {
				if !strings.Contains(text, s) {
					t.Errorf("does not say %q:\n%s", s, text)
				}
			}
			for _, s := range row.not {
				if strings.Contains(text, s) {
					t.Errorf("says %q:\n%s", s, text)
				}
			}
			for _, f := range facts {
				wellSaid(t, f)
			}
		})
	}
}

func allOf(f Fact) string {
	var b strings.Builder
	fmt.Fprintln(&b, f.Title)
	fmt.Fprintln(&b, f.Detail)
	for _, i := range f.Items {
		fmt.Fprintln(&b, i.Name, i.Text)
	}
	for _, s := range f.Fix {
		fmt.Fprintln(&b, s.Text)
		fmt.Fprintln(&b, s.Code)
	}
	return b.String()
}

// wellSaid holds the words against the rules: a calm title, whole sentences, a
// fix for everything that needs the owner, nothing that writes on the screen.
func wellSaid(t *testing.T, f Fact) {
	t.Helper()
	text := allOf(f)
	if f.Title == "" || strings.HasSuffix(f.Title, ".") || clean(f.Title) != f.Title && len(f.Title) < longest {
		t.Errorf("title: %q", f.Title)
	}
	if f.Detail != "" && !strings.HasSuffix(f.Detail, ".") {
		t.Errorf("detail: %q", f.Detail)
	}
	if strings.ContainsAny(text, "!\x1b\u202e") || strings.Contains(text, "%") || strings.Contains(text, "  ") {
		t.Errorf("not well said: %q", text)
	}
	if (f.Level == Problem || f.Level == Attention) && len(f.Fix) == 0 {
		t.Errorf("no fix for %q", f.Title)
	}
	if f.Level == OK && len(f.Fix)+len(f.Act) > 0 {
		t.Errorf("a fix for what is in order: %q", f.Title)
	}
	for _, s := range f.Fix {
		if s.Text == "" {
			t.Errorf("a step without words: %q", s.Code)
		}
	}
	switch f.Act {
	case "", ActRequireTLS, ActOpenKeys:
	default:
		t.Errorf("act %q", f.Act)
	}
}

func TestTheOrderIsFixedAndACalmLaptopIsAllInOrder(t *testing.T) {
	all := []string{
		OllamaReach, OllamaHost, OllamaOrigins, OllamaApp, OllamaVersion, PlainHTTP, PortTaken, PortFirewall,
		KeysForever, KeysUnused, SecretsKept, ClockRight, FilesClosed, CertificateOK, NetworkKnown,
	}
	for _, goos := range []string{"linux", "darwin", "windows", "freebsd"} {
		want := all
		if goos == "linux" || goos == "freebsd" {
			want = slices.DeleteFunc(slices.Clone(all), func(id string) bool { return id == OllamaApp })
		}
		facts := Judge(calm(goos))
		var got []string
		for _, f := range facts {
			got = append(got, f.ID)
			if f.Level != OK {
				t.Errorf("%s: %s is %s", goos, f.ID, f.Level)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v", goos, got)
		}
		if Worst(facts) != OK || Problems(facts) != 0 {
			t.Errorf("%s: worst %s, %d problems", goos, Worst(facts), Problems(facts))
		}
	}
}

// A round in which nothing could be read must neither alarm nor calm about
// Ollama, and must not fall over.
func TestWithoutAnyEvidenceNothingIsAProblem(t *testing.T) {
	for _, goos := range []string{"linux", "darwin", "windows", "freebsd", ""} {
		facts := Judge(Evidence{Now: noon, OS: goos, Upstream: Upstream{Local: true}})
		for _, f := range facts {
			wellSaid(t, f)
			if strings.HasPrefix(f.ID, "ollama") && f.Level != Unknown {
				t.Errorf("%s: %s is %s without evidence", goos, f.ID, f.Level)
			}
		}
		if Problems(facts) != 0 {
			t.Errorf("%s: problems out of nothing", goos)
		}
	}
}

func TestOneOpenOllamaIsOneProblem(t *testing.T) {
	e := calm("darwin")
	e.Found.Servers[0].Host, e.Found.App.Expose = "0.0.0.0:11434", true
	answered(&e, "192.168.1.5")
	if n := Problems(Judge(e)); n != 1 {
		t.Errorf("%d problems", n)
	}
}

func TestActsAreWhereTheProgramCanHelp(t *testing.T) {
	e := calm("linux")
	e.AllowHTTP, e.Keys[0].Expires = true, time.Time{}
	acts := map[string]string{}
	for _, f := range Judge(e) {
		if f.Act != "" {
			acts[f.ID] = f.Act
		}
	}
	if len(acts) != 2 || acts[PlainHTTP] != "require-tls" || acts[KeysForever] != "open-keys" {
		t.Errorf("%v", acts)
	}
}

func TestWorst(t *testing.T) {
	levels := func(l ...Level) (f []Fact) {
		for _, x := range l {
			f = append(f, Fact{Level: x})
		}
		return f
	}
	for _, c := range []struct {
		facts []Fact
		want  Level
		count int
	}{
		{nil, Unknown, 0},
		{levels(Unknown, Unknown), Unknown, 0},
		{levels(Unknown, OK), OK, 0},
		{levels(OK, Attention, Unknown), Attention, 0},
		{levels(Attention, Problem, OK, Problem), Problem, 2},
	} {
		if w, n := Worst(c.facts), Problems(c.facts); w != c.want || n != c.count {
			t.Errorf("%v: %s, %d", c.facts, w, n)
		}
	}
}

func TestFactsAreReadAsJSON(t *testing.T) {
	b, err := json.Marshal(Fact{ID: "x", Level: OK, Title: "T"})
	if err != nil || string(b) != `{"id":"x","level":"ok","title":"T"}` {
		t.Errorf("%s, %v", b, err)
	}
	b, err = json.Marshal(Fact{"x", Problem, "T", "D.", []Item{{"a", "b"}}, []Step{{"s", "c"}}, ActOpenKeys})
	if err != nil || string(b) != `{"id":"x","level":"problem","title":"T","detail":"D.","items":[{"name":"a","text":"b"}],"fix":[{"text":"s","code":"c"}],"act":"open-keys"}` {
		t.Errorf("%s, %v", b, err)
	}
}
