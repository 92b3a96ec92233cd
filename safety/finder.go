package safety

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Finder collects what this machine tells. It only reads: no file is made or
// changed, no other program gets anything from outside, and no secret that it
// comes by is kept. The zero value finds nothing; NewFinder makes one for this
// system. Its fields are where it looks, so that tests can point elsewhere;
// those that are "" are not looked at. It may be used by several goroutines.
type Finder struct {
	Home   string // Paddock's folder
	Proc   string // /proc
	Etc    string // /etc
	AppDB  string // the settings of Ollama's desktop app
	People string // the owner's profile folder, on Windows
	// Dial makes the connections of the probe.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Now is the clock.
	Now func() time.Time
	// system is what has to be asked of the operating system.
	system system
}

// system are the questions that each operating system answers in its own way.
// Any of them may be nil: then nobody knows.
type system struct {
	account  func(context.Context) (Server, bool) // the variables that an Ollama started now would get
	firewall func() (Firewall, bool)
	unsynced func() bool // nothing keeps the clock right
}

// Ask says what to look at.
type Ask struct {
	Addrs      []netip.Addr // this machine's own addresses
	OllamaPort int          // where Ollama listens on this machine, 0 when it does not
	Port       int          // the gate's
	// Skip says which listeners are the gate itself. It may be nil.
	Skip func(netip.AddrPort) bool
}

// NewFinder returns a Finder for this system and Paddock's folder.
func NewFinder(home string) *Finder {
	f := &Finder{Home: home, Dial: (&net.Dialer{}).DialContext, Now: time.Now}
	f.here()
	return f
}

// Find makes one round. It takes some milliseconds, and at most four seconds
// when connections to this machine's own addresses are swallowed. When ctx
// ends, the rest counts as not read.
func (f *Finder) Find(ctx context.Context, ask Ask) Found {
	var (
		found Found
		wait  sync.WaitGroup
	)
	// The probe waits, the rest reads: side by side they take as long as the
	// slower one. The two write different fields.
	wait.Go(func() { found.Probe = f.Probe(ctx, ask.Addrs, ask.OllamaPort, ask.Skip) })
	wait.Go(func() { found.App = f.App(ctx) })
	processes := f.processes(ctx)
	found.Servers = f.servers(ctx, processes)
	listening := f.table(ask.OllamaPort, ask.Port)
	found.OllamaPort = f.listeners(ctx, listening, ask.OllamaPort)
	found.OwnPort = f.listeners(ctx, listening, ask.Port)
	found.Firewall = f.firewall(ask.Port, processes)
	found.Files = f.Files()
	found.Clock = f.Clock()
	wait.Wait()
	return found
}

// Clock returns hints about the clock.
func (f *Finder) Clock() Clock {
	c := Clock{Newest: f.newest()}
	if f.system.unsynced != nil {
		c.Unsynced = f.system.unsynced()
	}
	return c
}
