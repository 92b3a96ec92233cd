package share

import (
	"context"
	"net/netip"
	"net/url"
	"reflect"
	"runtime"
	"strconv"
	"time"

	"paddock/lan"
	"paddock/requestlog"
	"paddock/safety"
)

// guardEvery is how often the safety check runs while sharing.
const guardEvery = time.Minute

// guardPause is the shortest time between two checks that nobody waits for.
const guardPause = 2 * time.Second

// Safety is what the safety check found last.
type Safety struct {
	At       time.Time     `json:"at,omitzero"` // zero before the first check
	Problems int           `json:"problems"`    // ways around the gate
	Facts    []safety.Fact `json:"facts"`
}

// guard checks at the start, each minute while sharing, and when somebody asks.
func (s *Share) guard(ctx context.Context) {
	tick := time.NewTicker(guardEvery)
	defer tick.Stop()
	pause := time.NewTimer(0)
	defer pause.Stop()
	// The first word on Ollama asks for the first check; one that never comes must
	// not hold it up.
	first := time.After(probeTimeout + time.Second)
	for {
		select { // before the next look: what is asked meanwhile leaves its token
		case <-ctx.Done():
			return
		case <-pause.C:
		}
		select {
		case <-ctx.Done():
			return
		case <-s.checkSoon:
		case <-first:
		case <-tick.C:
			s.mu.Lock()
			idle := s.phase == Off
			s.mu.Unlock()
			if idle {
				pause.Reset(0)
				continue
			}
		}
		s.Check(ctx)
		pause.Reset(guardPause)
	}
}

// Check looks now and returns what it found. It takes some milliseconds, and up
// to four seconds where connections to this machine's own addresses are swallowed.
func (s *Share) Check(ctx context.Context) Safety {
	s.checking.Lock()
	defer s.checking.Unlock()
	st := s.State()
	s.mu.Lock()
	alone := !s.started
	s.mu.Unlock()
	if alone && st.Ollama.Health == Unknown { // nobody else asks
		client, done := s.prober()
		s.lookAtOllama(ctx, client)
		done()
		st = s.State()
	}
	ask := safety.Ask{Addrs: s.addrs(), Port: portOf(s.listening(st)), OllamaPort: localPort(st.Ollama)}
	ask.Skip = func(at netip.AddrPort) bool { return st.Phase == Sharing && int(at.Port()) == ask.Port }
	if st.Ollama.Demo {
		ask.OllamaPort = 11434 // what stands behind the gate is not on the network; an Ollama beside it may be
	}
	found := s.finder.Find(ctx, ask)
	e := s.evidence(st)
	e.Found, e.Port = found, ask.Port
	facts := safety.Judge(e)
	now := Safety{At: time.Now(), Facts: facts, Problems: safety.Problems(facts)}
	if ctx.Err() != nil {
		return now // the rest was not looked at
	}
	s.mu.Lock()
	changed := s.safety.At.IsZero() || !reflect.DeepEqual(s.safety.Facts, now.Facts)
	s.safety = now
	s.mu.Unlock()
	if changed { // that it was looked at again wakes nobody
		s.watch.Wake()
	}
	return now
}

// evidence is what the program knows of itself.
func (s *Share) evidence(st State) safety.Evidence {
	e := safety.Evidence{
		Now: time.Now(), OS: runtime.GOOS, Home: s.o.Home, AllowHTTP: !st.Encryption.Required, Listening: st.Phase == Sharing || st.Phase == Paused,
		Upstream: safety.Upstream{
			URL: st.Ollama.URL, Demo: st.Ollama.Demo, Answers: st.Ollama.Health == Answers, Version: st.Ollama.Version, Local: s.isLocal(st.Ollama.URL),
		},
		Vault: safety.Vault{Kind: string(st.Keys.Vault), Asked: s.o.Keys.State().Fallback == nil, Trouble: string(st.Keys.Trouble)},
		Certificate: safety.Certificate{
			Ready: st.Encryption.Ready, Own: st.Encryption.Own, Temporary: st.Encryption.Temporary, NotAfter: st.Encryption.NotAfter,
			NotBefore: s.proof.born(), Fault: certWords(st.Encryption),
		},
	}
	for _, k := range st.Keys.List {
		e.Keys = append(e.Keys, safety.Key{Name: k.Name, Created: k.Made, LastUsed: k.LastUsed, Expires: k.Grant.Expires, Suspended: k.Suspended})
	}
	switch st.Problem {
	case PublicNetwork:
		e.Network.Waits = "public"
	case OtherNetwork:
		e.Network.Waits = "unknown"
	case NoInterface:
		e.Network.Waits = "gone"
	case NoProblem, PortInUse, NoSuchAddr, NotAllowed, NoNetwork, NoCertificate, ListenFault:
	}
	e.Network.Name = st.Networks.Here
	if now := s.o.Settings.Get().Network; !now.All() {
		e.Network.Choice = now.Interface
		if now.Subnet.IsValid() {
			e.Network.Choice = now.Subnet.String() + " on " + now.Interface
		}
	}
	recent, _, _ := s.o.Log.Since(0, 1000)
	for _, r := range recent {
		if r.Phase != requestlog.Event && r.TLS == "" && r.Reason != "plain-http" && e.Now.Sub(r.Time) < 24*time.Hour {
			e.PlainRequests++
		}
	}
	return e
}

// certWords says a fault of the certificate in the words of an error.
func certWords(e Encryption) string {
	switch e.Fault {
	case NoCertFault:
		return ""
	case CertVault:
		return "the private key of the authority lies in the keychain, which did not give it"
	case CertLost:
		return "the private key of the authority is not in the keychain any more"
	case CertExpired:
		return "it has expired"
	case CertDamaged, CertFiles, CertUnsaved:
	}
	return e.Detail
}

func (s *Share) addrs() (out []netip.Addr) {
	for _, a := range s.look().Addrs() {
		if a.Kind != lan.Loopback {
			out = append(out, a.IP)
		}
	}
	return out
}

// listening is where the gate listens, or would.
func (s *Share) listening(st State) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listenURL != "" {
		return s.listenURL
	}
	return st.Listen
}

func portOf(addr string) int {
	_, p, _ := splitPort(addr)
	return p
}

// isLocal says whether a URL names this machine.
func (s *Share) isLocal(link string) bool {
	u, err := url.Parse(link)
	return err == nil && s.look().Host(u.Hostname())
}

// localPort is where Ollama listens on this machine.
func localPort(o Ollama) int {
	u, err := url.Parse(o.URL)
	if err != nil {
		return 0
	}
	p, _ := strconv.Atoi(u.Port())
	return p
}
