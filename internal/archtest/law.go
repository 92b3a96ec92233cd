// Package archtest proves that every room of the house keeps to its place.
//
// The law below is the only copy of the import table: the tests compare it with
// what `go list` reports for each edition and system, and the table in
// docs/ARCHITECTURE.md is generated from it. Run it with -count=1, because Go's
// test cache does not see what `go list` read.
package archtest

import "strings"

// Module is the import path of the program itself.
const Module = "paddock"

// Edition says which of the two programs a rule or a build is about.
type Edition string

// The editions. Both as a rule's edition means that it holds in either.
const (
	Both Edition = ""
	Full Edition = "full"
	Lite Edition = "lite"
)

// Ban is something that a room must never reach, with the reason.
type Ban struct {
	What    string            // as the table names it
	Why     string            // ends the sentence "… must never reach …, because …"
	Hits    func(string) bool // whether an import path is what is banned
	Direct  bool              // only the room's own imports count
	Edition Edition           // the edition in which the ban holds, for the packages that it links
}

// Room is one row of the table.
type Room struct {
	Name     string   // folder below the module, "main" for the top, "internal/*" for the rest of internal
	Sentence string   // what the room is for
	Uses     []string // our own rooms that it may import; "*" for all of them
	Never    []Ban
}

// under makes a matcher for packages and everything below them.
func under(roots ...string) func(string) bool {
	return func(path string) bool {
		for _, root := range roots {
			if path == root || strings.HasPrefix(path, root+"/") {
				return true
			}
		}
		return false
	}
}

// thirdParty matches what is neither ours nor Go's own. A dot in the first
// element is how the go command itself tells a module from the standard library.
func thirdParty(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(first, ".")
}

func isOurs(path string) bool { return under(Module)(path) }

var (
	isFyne       = under("fyne.io/fyne/v2", "fyne.io/systray", "github.com/fyne-io")
	isGetlantern = under("github.com/getlantern")
	isKeyring    = under("github.com/zalando/go-keyring")
	isHTTP       = under("net/http")
)

// The bans that more than one room shares. Only the reason differs.

func noFyne(why string) Ban    { return Ban{What: "Fyne", Why: why, Hits: isFyne} }
func noKeyring(why string) Ban { return Ban{What: "go-keyring", Why: why, Hits: isKeyring} }
func noHTTP(why string) Ban    { return Ban{What: "net/http", Why: why, Hits: isHTTP} }

// Law is the import table.
//
// A ban counts the whole chain of imports unless it is Direct. Two are Direct
// because the chain cannot be otherwise: every package that formats text
// reaches os through fmt, and ui reaches net/http through Fyne and go-keyring
// through share, which is where both belong.
func Law() []Room {
	return []Room{
		{
			Name: "main", Sentence: "who is who: makes every part once, hands it down, leaves",
			Uses: []string{"*"},
			Never: []Ban{
				{
					What: "getlantern", Edition: Full, Hits: isGetlantern,
					Why: "Fyne links its own fork of that tray: on macOS the two do not link together, on Windows the second one fails at run time",
				},
				{
					What: "Fyne", Edition: Lite, Hits: isFyne,
					Why: "the lite edition runs where there is no OpenGL, and Fyne's tray clashes with its own",
				},
			},
		},
		{
			Name: "policy", Sentence: "decides whether one request may pass, and says why",
			Never: []Ban{
				{
					What: "os", Direct: true, Hits: under("os"),
					Why: "a verdict is a pure function of values: it reads no file and no environment",
				},
				noHTTP("a verdict is about values, not about a connection, so that it can be tested as a table"),
				{What: "any third party", Hits: thirdParty, Why: "the code that says yes or no is code that we have read"},
			},
		},
		{
			Name: "keystore", Sentence: "mints, keeps, finds and revokes keys; the only room that touches the keychain",
			Uses: []string{"policy", "internal/atomicfile", "internal/watch"},
			Never: []Ban{
				noFyne("keys must work on a server without a screen"),
				noHTTP("a key store that speaks to the network is one mistake from sending keys over it"),
			},
		},
		{
			Name: "requestlog", Sentence: "remembers what passed, never what was said",
			Uses: []string{"policy", "internal/*"},
			Never: []Ban{
				noFyne("the log is kept with or without a window"),
				noKeyring("the log must not be able to hold a key"),
				noHTTP("the log gets finished facts; with a request in its hands it could keep what was said"),
			},
		},
		{
			Name: "settings", Sentence: "the owner's choices, written whole or not at all",
			Uses: []string{"policy", "internal/atomicfile", "internal/watch"},
			Never: []Ban{
				noFyne("Fyne's preferences truncate on save and come back empty when damaged; what decides who gets in is not kept there"),
				noKeyring("settings are plain text, secrets are not settings"),
				noHTTP("settings are a file, not a service"),
			},
		},
		{
			Name: "lan", Sentence: "who we are on this network",
			Uses: []string{"internal/atomicfile", "internal/watch"},
			Never: []Ban{
				noFyne("addresses are needed without a window too"),
				noKeyring("the private key of the certificate is handed in; only the key store touches the keychain"),
			},
		},
		{
			Name: "proxy", Sentence: "the gate itself: an http.Handler that runs in a test without keychain or screen",
			Uses: []string{"policy", "requestlog", "internal/watch"},
			Never: []Ban{
				noFyne("no request may wait for a window"),
				noKeyring("no request may wait for a keychain, which may wait for a person"),
				{What: "lan", Hits: under(Module + "/lan"), Why: "the gate is told what this machine is called, it does not go and look"},
			},
		},
		{
			Name: "safety", Sentence: "finds what lets people walk around the gate, each with its fix",
			Never: []Ban{
				noFyne("`paddock check` works without a window"),
				noKeyring("a check reads facts and never secrets"),
				{What: "the other rooms", Hits: func(path string) bool { return isOurs(path) && !under(Module+"/safety")(path) }, Why: "its judgement is a pure function of what it is told"},
			},
		},
		{
			Name: "share", Sentence: "runs the show: start, stop, pause, state",
			Uses: []string{"policy", "keystore", "requestlog", "proxy", "lan", "settings", "safety", "internal/awake", "internal/login", "internal/watch"},
			Never: []Ban{
				noFyne("sharing runs without a window"),
				{What: "getlantern", Hits: isGetlantern, Why: "a fault in a tray must not take the gate down"},
			},
		},
		{
			Name: "connect", Sentence: "makes a far gate look like an Ollama on this machine",
			Uses:  []string{"lan", "keystore", "internal/watch"},
			Never: []Ban{noFyne("joining works from the command line")},
		},
		{
			Name: "cli", Sentence: "the program without a window",
			Uses:  []string{"share", "connect", "keystore", "requestlog", "settings", "policy", "lan", "safety", "internal/control", "internal/atomicfile"},
			Never: []Ban{noFyne("the command line is the whole program on a server, where nothing of a window exists")},
		},
		{
			Name: "ui", Sentence: "what the owner sees",
			Uses: []string{"share", "connect", "requestlog", "keystore", "policy", "settings", "safety", "assets", "internal/control", "internal/atomicfile", "internal/fynecache"},
			Never: []Ban{
				{
					What: "net/http", Direct: true, Hits: isHTTP,
					Why: "a window shows the state of share and asks it for actions; one that calls the network by itself can freeze, or lie",
				},
				{
					What: "go-keyring", Direct: true, Hits: isKeyring,
					Why: "a keychain can wait for a person for ever; keystore has the deadline",
				},
				{
					What: "getlantern", Edition: Full, Hits: isGetlantern,
					Why: "the full edition has Fyne's tray, and no binary links both",
				},
				{
					What: "Fyne", Edition: Lite, Hits: isFyne,
					Why: "the lite edition has getlantern's tray, and no binary links both",
				},
			},
		},
		{Name: "assets", Sentence: "pictures and words inside the program"},
		{
			Name: "internal/fynecache", Sentence: "sets Fyne's cache time before Fyne reads it",
			Never: []Ban{{
				What: "anything but syscall", Direct: true,
				Hits: func(path string) bool { return path != "syscall" && path != "unsafe" },
				Why:  "Fyne reads the variable while packages are initialised: each import of this one lets Fyne come first",
			}},
		},
		{
			Name: "internal/*", Sentence: "plumbing: atomicfile, control, standin, watch, login, awake, the tests' desks and networks, archtest",
			Uses:  []string{"internal/*"},
			Never: []Ban{noFyne("plumbing serves every room, those without a window included")},
		},
		{
			Name: "e2e", Sentence: "the whole program from outside; of the rooms it knows the shapes that --json prints",
			Uses:  []string{"internal/*", "policy", "requestlog", "safety", "share"},
			Never: []Ban{noFyne("the tests see what a person sees, a picture and a tray menu, not widgets")},
		},
		{Name: "scripts", Sentence: "helpers of the Makefile, no part of the program", Uses: []string{"settings"}},
	}
}

// roomName says in which room a package of ours lives.
func roomName(path string) string {
	below := strings.TrimPrefix(strings.TrimPrefix(path, Module), "/")
	top, rest, _ := strings.Cut(below, "/")
	switch top {
	case "":
		return "main"
	case "internal":
		name, _, _ := strings.Cut(rest, "/")
		return "internal/" + name
	}
	return top
}

// find returns the row for a room. A row of its own comes before "internal/*".
func find(law []Room, name string) (Room, bool) {
	for _, room := range law {
		if room.Name == name {
			return room, true
		}
	}
	if strings.HasPrefix(name, "internal/") {
		return find(law, "internal/*")
	}
	return Room{}, false
}

// mayUse reports whether a room may import another one.
func (r Room) mayUse(other string) bool {
	for _, u := range r.Uses {
		if u == "*" || u == other || u == "internal/*" && strings.HasPrefix(other, "internal/") {
			return true
		}
	}
	return false
}
