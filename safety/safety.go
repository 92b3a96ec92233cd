// Package safety finds what lets people walk around the gate, each with its fix.
//
// It has two halves. [Finder] collects what this machine tells: which addresses
// Ollama answers on, what the running Ollama was told, who else listens, what
// the firewall and the files say. [Judge] is a pure function from that, and from
// what the program knows of itself, to facts in words. Nothing here changes
// anything.
package safety

import (
	"slices"
)

// Level says how much a fact matters.
type Level string

// The levels.
const (
	Problem   Level = "problem"   // people can walk around the gate; `paddock check` fails
	Attention Level = "attention" // worth a look, nobody walks around anything now
	OK        Level = "ok"
	Unknown   Level = "unknown" // could not be read; says nothing for or against
)

// The facts, in the order in which Judge returns them. They are stable: scripts
// read them.
const (
	OllamaReach   = "ollama-reach"   // where Ollama answers
	OllamaHost    = "ollama-host"    // OLLAMA_HOST
	OllamaOrigins = "ollama-origins" // OLLAMA_ORIGINS
	OllamaApp     = "ollama-app"     // the switch in Ollama's desktop app; not on Linux, where there is none
	OllamaVersion = "ollama-version" // known holes
	PlainHTTP     = "plain-http"
	PortTaken     = "port-taken" // other listeners on Paddock's port
	PortFirewall  = "firewall"
	KeysForever   = "keys-forever"
	KeysUnused    = "keys-unused"
	SecretsKept   = "vault"
	ClockRight    = "clock"
	FilesClosed   = "files"
	CertificateOK = "certificate"
	NetworkKnown  = "network"
)

// The mends that the program itself can do, for Fact.Act.
const (
	ActRequireTLS = "require-tls" // switch plain HTTP off
	ActOpenKeys   = "open-keys"   // show the keys
)

// Fact is one thing that the check looked at. It is a value.
type Fact struct {
	ID     string `json:"id"`
	Level  Level  `json:"level"`
	Title  string `json:"title"`            // one short statement, no full stop
	Detail string `json:"detail,omitempty"` // the evidence, in a sentence or two
	Items  []Item `json:"items,omitempty"`  // what the fact is about, one by one
	Fix    []Step `json:"fix,omitempty"`    // for the system at hand
	Act    string `json:"act,omitempty"`    // a mend that the program can do
}

// Item is one of the things that a fact speaks of: an address, a key, a hole.
type Item struct {
	Name string `json:"name"`
	Text string `json:"text,omitempty"`
}

// Step is one step of a fix.
type Step struct {
	Text string `json:"text"`
	Code string `json:"code,omitempty"` // ready to be copied, and complete
}

// Judge says what the evidence means. The order of the facts is always the
// same, whatever their levels are; a fact that cannot exist on a system is left
// out there.
func Judge(e Evidence) []Fact {
	var facts []Fact
	for _, f := range []func(Evidence) Fact{
		reach, host, origins, app, version,
		plain, taken, firewall,
		forever, unused, vault,
		clock, files, certificate, network,
	} {
		if one := f(e); one.ID != "" {
			facts = append(facts, one)
		}
	}
	return facts
}

// Worst returns the level that a summary shows. What could not be read never
// outweighs what could: it is Unknown only when nothing was.
func Worst(facts []Fact) Level {
	for _, l := range []Level{Problem, Attention, OK} {
		if slices.ContainsFunc(facts, func(f Fact) bool { return f.Level == l }) {
			return l
		}
	}
	return Unknown
}

// Problems counts the ways around the gate.
func Problems(facts []Fact) int {
	n := 0
	for _, f := range facts {
		if f.Level == Problem {
			n++
		}
	}
	return n
}
