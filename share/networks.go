package share

import (
	"errors"
	"net/netip"
	"time"

	"paddock/lan"
	"paddock/settings"
)

// Networks says where the owner wants to share, and what there is to choose from.
type Networks struct {
	Choice string    `json:"choice"`         // as share.network has it
	Fits   bool      `json:"fits"`           // this machine is on what was chosen
	Here   string    `json:"here,omitempty"` // the network that it is on now: "192.168.1.0/24 on en0"
	List   []Network `json:"list"`           // what to choose from now, the best first
	// Discovery says how the gate is announced by mDNS.
	Discovery Discovery `json:"discovery"`
}

// Network is one that this machine is on.
type Network struct {
	Interface string `json:"interface"`
	Subnet    string `json:"subnet,omitempty"`
	Address   string `json:"address"`
	Kind      string `json:"kind"`
	Here      bool   `json:"here,omitempty"` // what "only this network" would mean
}

// choiceOf is what the settings mean to package lan.
func choiceOf(n settings.Network) lan.Choice {
	return lan.Choice{Interface: n.Interface, Subnet: n.Subnet, Gateway: n.Gateway}
}

func (s *Share) choice() lan.Choice { return choiceOf(s.o.Settings.Get().Network) }

// fitting remembers the last word on a network whose gateway the system does not
// tell at all times: it forgets one that is not used.
type fitting struct {
	us     lan.Us
	choice lan.Choice
	last   lan.Fit
	known  bool
}

// now tells whether this machine is on the chosen networks. FitUnsure only comes
// while nothing else was ever known of these addresses.
func (f *fitting) now(us lan.Us, c lan.Choice) lan.Fit {
	fit := us.Fit(c)
	if fit == lan.FitUnsure {
		if f.known && f.choice == c && us.Equal(f.us) {
			return f.last
		}
		f.known = false
		return fit
	}
	f.us, f.choice, f.last, f.known = us, c, fit, true
	return fit
}

// admits says whether a connection to a wildcard address is let in. It is asked
// with each one, so that a change of the network or the choice counts at once.
func (s *Share) admits(local, remote netip.Addr) bool {
	return s.look().Admits(s.choice(), local, remote)
}

// ErrNoNetwork means that this machine is on no network that could be chosen: on
// none at all, or on a public one.
var ErrNoNetwork = errors.New("this machine is on no private network now")

// Set changes a setting, as the Store does, whose errors it returns. The network
// `here` becomes the one that this machine is on now; ErrNoNetwork says that it
// is on none.
func (s *Share) Set(name, value string) error {
	before := s.plainAllowed()
	if name == settings.ShareNetwork {
		n, err := settings.ParseNetwork(value)
		if err == nil && n.Here {
			if value, err = s.here(); err != nil {
				return err
			}
		}
	}
	if err := s.o.Settings.Set(name, value); err != nil {
		return err
	}
	s.gate.SetChoices(s.gateChoices()) // when this returns, what was closed is closed
	if now := s.plainAllowed(); now != before {
		what := "Plain HTTP is refused again"
		if now {
			what = "Plain HTTP was allowed"
		}
		s.o.Log.Note(time.Now(), what)
	}
	return nil
}

// here is the value of share.network for the network around us.
func (s *Share) here() (string, error) {
	us, err := s.o.Look()
	if err != nil {
		return "", err
	}
	n, ok := us.Here()
	if !ok || !n.Subnet.IsValid() || n.Kind == lan.Public {
		return "", ErrNoNetwork
	}
	return settings.Network{Interface: n.Interface, Subnet: n.Subnet, Gateway: n.Gateway}.String(), nil
}

// settleHere answers a `here` that somebody wrote into the file by hand. Until it
// is answered nothing is shared: a network that nobody knows is none that was chosen.
func (s *Share) settleHere() {
	if s.o.Settings.Get().Network.Here {
		_ = s.Set(settings.ShareNetwork, settings.NetworkHere) // without a network it is tried again
	}
}

// networks says it for the screens. The caller holds s.mu.
func (s *Share) networks(fit lan.Fit) Networks {
	now := s.o.Settings.Get()
	n := Networks{Choice: now.Network.String(), Fits: fit == lan.FitYes, List: []Network{}}
	here, some := s.us.Here()
	if some {
		n.Here = named(here)
	}
	for _, x := range s.us.Networks() {
		entry := Network{Interface: x.Interface, Address: x.Addr.String(), Kind: x.Kind.String(), Here: some && x == here}
		if x.Subnet.IsValid() {
			entry.Subnet = x.Subnet.String()
		}
		n.List = append(n.List, entry)
	}
	return n
}

func named(n lan.Network) string {
	if !n.Subnet.IsValid() {
		return n.Interface
	}
	return n.Subnet.String() + " on " + n.Interface
}

// hindrance is what keeps sharing from an address that stands for all networks:
// none of them is one to share on.
func (s *Share) hindrance(addr string) (p Problem, detail string) {
	if !wild(addr) {
		return NoProblem, ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.o.Settings.Get().Network
	if now.Here {
		return OtherNetwork, ""
	}
	switch s.fits.now(s.us, choiceOf(now)) {
	case lan.FitYes, lan.FitNoNetwork: // without a network the gate is up, and State says that nobody can reach it
		return NoProblem, ""
	case lan.FitNoInterface:
		return NoInterface, now.Interface
	case lan.FitPublic:
		return PublicNetwork, ""
	case lan.FitOtherNetwork, lan.FitUnsure:
	}
	return OtherNetwork, now.Subnet.String()
}
