package share

import (
	"strings"

	"paddock/lan/discovery"
)

// Discovery says how the gate is announced by mDNS. It is a value.
type Discovery struct {
	Wanted bool   `json:"wanted"`
	On     bool   `json:"on"`
	Name   string `json:"name,omitempty"`   // as others see it
	Target string `json:"target,omitempty"` // the host name in it
	// Conflict is the name that another machine answers to as well.
	Conflict string `json:"conflict,omitempty"`
	Problem  string `json:"problem,omitempty"`
}

// announce brings what the network is told in line with what is served. It does
// not wait.
func (s *Share) announce() { s.announcer.Set(s.service()) }

// service is what the network may know, nil while there is nothing to tell.
func (s *Share) service() *discovery.Service {
	now := s.o.Settings.Get()
	s.mu.Lock()
	defer s.mu.Unlock()
	host, port, err := splitPort(s.listenURL)
	if !now.Discovery || s.phase != Sharing || err != nil || port == 0 {
		return nil
	}
	us := s.us.Within(choiceOf(now.Network))
	name := us.Hostname()
	short, _, _ := strings.Cut(name, ".")
	if short == "" {
		return nil
	}
	v := discovery.Service{Instance: "Paddock on " + short, Hostname: name, Port: port, TXT: []string{"v=1"}}
	for _, a := range us.Addrs() {
		if reached(host, a) {
			v.Addrs = append(v.Addrs, a)
		}
	}
	if len(v.Addrs) == 0 {
		return nil
	}
	e, _ := s.proof.state(s.o.Home, true)
	if e.Ready {
		v.TXT = append(v.TXT, "tls=1", "fp="+strings.ToLower(strings.ReplaceAll(e.Fingerprint, ":", "")))
	} else {
		v.TXT = append(v.TXT, "tls=0")
	}
	return &v
}

// discoveryState says it for the screens.
func (s *Share) discoveryState() Discovery {
	st := s.announcer.State()
	return Discovery{
		Wanted: s.o.Settings.Get().Discovery, On: st.On, Name: st.Instance, Target: st.Target, Conflict: st.Conflict, Problem: st.Problem,
	}
}
