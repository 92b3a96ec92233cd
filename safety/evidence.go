package safety

import (
	"net/netip"
	"time"
)

// Evidence is all that Judge looks at: what the program knows of itself, and
// what a Finder found. It is a value. Names and addresses in it may come from
// outside; Judge shows them without control characters and cut to a length.
type Evidence struct {
	Now  time.Time // its location is the one that times are shown in
	OS   string    // runtime.GOOS
	Home string    // where Paddock keeps its files

	Upstream      Upstream
	AllowHTTP     bool
	PlainRequests int  // requests that came unencrypted lately; 0 when that is not known
	Port          int  // where the gate listens, or would
	Listening     bool // the gate listens now
	Keys          []Key
	Vault         Vault
	Certificate   Certificate
	Network       Network

	Found Found
}

// Upstream is the Ollama behind the gate.
type Upstream struct {
	URL     string
	Local   bool // on this machine
	Demo    bool // the built-in demo stands in for it
	Answers bool
	Version string
}

// Key is what the check needs of a key. Zero times mean never.
type Key struct {
	Name                       string
	Created, LastUsed, Expires time.Time
	Suspended                  bool
}

// Vault says where secrets lie.
type Vault struct {
	Kind    string // keychain, file, memory, or auto while nobody has asked yet
	Asked   bool   // memory is what --vault asked for
	Trouble string // "", locked, missing, silent, unkept, sealed, fault, unsaved
}

// Certificate is what the gate shows to clients.
type Certificate struct {
	Ready               bool
	Own                 bool // the owner's own, not one of Paddock's authority
	Temporary           bool // the authority ends with the program
	NotBefore, NotAfter time.Time
	Fault               string // why it cannot be read, in the system's words
}

// Network says whether sharing waits for a network.
type Network struct {
	Waits  string // "", unknown, public, or gone when the chosen one is not there
	Choice string // what the owner chose, in words; "" for every private network
	Name   string // of the network in question, where the system tells
}

// Found is what this machine told a Finder. The zero value is "nothing could
// be read".
type Found struct {
	Probe   Probe
	Servers []Server
	App     App
	// OllamaPort and OwnPort are who listens on the ports of Ollama and Paddock.
	OllamaPort Listeners
	OwnPort    Listeners
	Firewall   Firewall
	Files      Files
	Clock      Clock
}

// Probe is a round of real connections to this machine's own addresses.
type Probe struct {
	At       time.Time // zero when no round was made
	Port     int
	Asked    []netip.Addr
	Answered []Answer
}

// Answer is an address where Ollama answered.
type Answer struct {
	Addr    netip.Addr
	Version string // "" when it refused the name in the address (its Host check)
}

// Where a Server's variables were read.
const (
	FromProcess = "process" // what the running Ollama was started with
	FromAccount = "account" // what an Ollama gets that starts from now on
)

// Server is an Ollama that runs here, or what the account would tell one. Of
// its environment there is only what these fields hold.
type Server struct {
	From     string
	PID      int    // 0 when From is not a process
	Unit     string // the systemd unit it runs in
	UserUnit bool   // the unit belongs to the user's own systemd
	// Container says that a container runs it. Apart says that its network is
	// not this machine's: what it listens on there, nobody reaches as it is.
	Container, Apart bool
	Readable         bool   // its environment could be read
	Host             string // HOST:PORT as Ollama understands OLLAMA_HOST; "" when not set
	Origins          string // OLLAMA_ORIGINS; "" when not set
}

// App is what Ollama's desktop app was told in its settings.
type App struct {
	Read    bool
	Expose  bool // "Expose Ollama to the network"
	Browser bool // let every website call
}

// Listeners are the sockets that listen on one port.
type Listeners struct {
	Read bool
	List []Listener
}

// Listener is one socket that listens.
type Listener struct {
	Addr netip.AddrPort
	Own  bool   // this process
	Who  string // the program, where the system tells
}

// Firewall is what could be read of it.
type Firewall struct {
	Kind string // ufw, firewalld, windows, or "" when none is known
	On   bool
	Port string // for the gate's port: open, some (for some addresses), closed, or "" when that cannot be read
}

// What a firewall does with the gate's port, for Firewall.Port.
const (
	PortOpen   = "open"
	PortSome   = "some"
	PortClosed = "closed"
)

// Files is how the home folder lies on the disk.
type Files struct {
	Read    bool
	Shut    bool   // the folder keeps others out, whatever the files allow
	Wide    []File // others may read them
	Write   []File // others may write them
	Foreign []File // they belong to another account
	Profile bool   // Windows: inside the owner's profile folder
}

// File is one file of Paddock's. Name is "" for the folder itself.
type File struct {
	Name string
	Mode string // 0644
}

// Clock is what is known about the clock apart from what it shows.
type Clock struct {
	Newest   time.Time // the newest change of one of Paddock's files
	Unsynced bool      // the system says that nothing keeps it right; a hint, no more
}
