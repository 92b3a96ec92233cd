package safety

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// reach says where Ollama answers: the one fact that decides whether there is a
// way around the gate.
func reach(e Evidence) Fact {
	f := Fact{ID: OllamaReach}
	p := e.Found.Probe
	var addrs []string
	public := ""
	for _, a := range p.Answered {
		at := netip.AddrPortFrom(a.Addr, uint16(p.Port)).String()
		addrs = append(addrs, at)
		text := "answers without a key"
		if a.Version != "" {
			text = "Ollama " + clean(a.Version) + " answers without a key"
		}
		f.Items = append(f.Items, Item{at, text})
		if !a.Addr.IsPrivate() && !a.Addr.IsLinkLocalUnicast() && !shared.Contains(a.Addr) {
			public = a.Addr.String()
		}
	}
	switch {
	case len(addrs) > 0 && (e.Upstream.Demo || !e.Upstream.Local):
		// Not what is shared, so nobody walks around the gate by it.
		f.Level = Attention
		f.Title = "An Ollama on this machine answers on " + count(len(addrs), addrs[0], "%d addresses of the network")
		f.Detail = "It is not the one that you share. People on the network can use it without a key all the same."
		f.Fix = e.closeOllama()
	case e.Upstream.Demo:
		f.Level, f.Title = OK, "The built-in demo stands in for Ollama"
		f.Detail = "It runs inside Paddock and has no address of its own, so there is no way around the gate."
	case !e.Upstream.Local:
		f.Level, f.Title = Unknown, "Ollama runs on another machine"
		f.Detail = fmt.Sprintf("It is at %s. Who else reaches it there cannot be seen from here, and whoever does needs no key.", clean(e.Upstream.URL))
		f.Fix = []Step{{Text: "On that machine, let a firewall give Ollama's port to this machine only. Better still: run Paddock there."}}
	case len(addrs) > 0:
		f.Level = Problem
		f.Title = "Ollama answers on " + count(len(addrs), addrs[0], "%d addresses of the network")
		f.Detail = fmt.Sprintf("It did at %s, without asking for a key: people on the network can walk around the gate.", e.moment(p.At))
		if public != "" {
			f.Detail += fmt.Sprintf(" %s is a public address, so the whole internet may be among them.", public)
		}
		f.Detail += " Let it listen on this machine only; teammates keep working through Paddock."
		f.Fix = e.closeOllama()
	case e.wide() != "":
		f.Level, f.Title = Attention, "Ollama listens on every network"
		f.Detail = fmt.Sprintf("It listens on %s. ", e.wide())
		if len(p.Asked) > 0 {
			f.Detail += fmt.Sprintf("It did not answer on this machine's addresses at %s, so something holds it back now; on another network that may not be so.", e.moment(p.At))
		} else {
			f.Detail += "This machine is on no network now. On the next one, people there can walk around the gate."
		}
		f.Fix = e.closeOllama()
	case !e.Upstream.Answers:
		f.Level, f.Title = Unknown, "Ollama does not run now"
		f.Detail = "Where it answers is seen when it does."
	case len(p.Asked) > 0:
		f.Level, f.Title = OK, "Ollama answers only on this machine"
		var asked []string
		for _, a := range p.Asked {
			asked = append(asked, a.String())
		}
		f.Detail = fmt.Sprintf("It did not answer on %s at %s.", some(asked), e.moment(p.At))
	case e.narrow():
		f.Level, f.Title = OK, "Ollama listens on this machine only"
		f.Detail = "This machine is on no network now where it could be tried."
	default:
		f.Level, f.Title = Unknown, "Whether Ollama answers on the network was not tried"
		f.Detail = "This machine has no address on a network now."
	}
	return f
}

// shared is the range of carriers and of Tailscale (RFC 6598), which the
// internet does not reach.
var shared = netip.MustParsePrefix("100.64.0.0/10")

// wide returns the socket by which Ollama listens on every network, or "". With
// one for this machine beside it, nobody knows which of the two is Ollama.
func (e Evidence) wide() string {
	at := ""
	for _, l := range e.Found.OllamaPort.List {
		switch {
		case l.Own: // the gate of this very program
		case l.Addr.Addr().IsLoopback():
			return ""
		case l.Addr.Addr().IsUnspecified():
			at = l.Addr.String()
		}
	}
	return at
}

// narrow says whether all who listen on Ollama's port do so for this machine.
func (e Evidence) narrow() bool {
	for _, l := range e.Found.OllamaPort.List {
		if !l.Addr.Addr().IsLoopback() {
			return false
		}
	}
	return len(e.Found.OllamaPort.List) > 0
}

// elsewhere answers the facts about Ollama's settings where they do not matter
// for what is shared.
func (e Evidence) elsewhere(f *Fact, what string) bool {
	switch {
	case e.Upstream.Demo:
		f.Level, f.Title = OK, what+" does not concern the demo"
		f.Detail = "The built-in demo stands in for Ollama now."
	case !e.Upstream.Local:
		f.Level, f.Title = Unknown, what+" is set on another machine"
		f.Detail = "Ollama runs there; from here it cannot be read."
	default:
		return false
	}
	return true
}

// told returns what the Ollama of this machine was told that matters most by a
// measure, if anything could be read.
func (e Evidence) told(measure func(Server) int) (Server, bool) {
	var worst Server
	found := false
	for _, s := range e.Found.Servers {
		if s.Readable && (!found || measure(s) > measure(worst)) {
			worst, found = s, true
		}
	}
	return worst, found
}

// untold says why nothing could be read.
func (e Evidence) untold() string {
	switch {
	case slices.ContainsFunc(e.Found.Servers, func(s Server) bool { return !s.Readable }):
		return "Ollama runs under another account, as its installer sets it up on Linux, and only that account may read it. What counts is where Ollama answers."
	case e.OS == "linux" && e.Upstream.Answers:
		return "Ollama answers, but is not among the programs that Paddock may look at."
	case e.OS == "linux":
		return "No Ollama runs now."
	}
	return "This system does not tell what the running Ollama was started with. What counts is where Ollama answers."
}

// host says what OLLAMA_HOST tells Ollama.
func host(e Evidence) Fact {
	f := Fact{ID: OllamaHost}
	if e.elsewhere(&f, "OLLAMA_HOST") {
		return f
	}
	far := func(s Server) int {
		if s.Apart {
			return int(here)
		}
		return int(scopeOf(s.Host))
	}
	s, ok := e.told(far)
	if !ok {
		f.Level, f.Title, f.Detail = Unknown, "OLLAMA_HOST could not be read", e.untold()
		return f
	}
	value := clean(s.Host)
	if strings.HasPrefix(value, ":") {
		value = "every address, port " + value[1:]
	}
	switch {
	case s.Host == "":
		f.Level, f.Title, f.Detail = OK, "OLLAMA_HOST is not set", "Ollama then listens on this machine only."
		return f
	case s.Apart && scopeOf(s.Host) != here:
		f.Level, f.Title = OK, fmt.Sprintf("OLLAMA_HOST is %s inside a container", value)
		f.Detail = "That is the container's own network. What leads in from outside is seen by where Ollama answers."
		return f
	case scopeOf(s.Host) == here:
		f.Level, f.Title, f.Detail = OK, "OLLAMA_HOST is "+value, "That is this machine only."
		return f
	}
	f.Title = "OLLAMA_HOST is " + value
	switch scopeOf(s.Host) {
	case everywhere:
		f.Detail = "It tells Ollama to listen on every network that this machine joins."
	case oneAddress:
		f.Detail = "It tells Ollama to listen on an address that others can reach."
	case somewhere, here:
		f.Detail = "It tells Ollama to listen on a name, which may stand for an address that others can reach."
	}
	f.Level = e.suspicion(scopeOf(s.Host) == somewhere)
	switch {
	case len(e.Found.Probe.Answered) > 0:
		f.Detail += " That is why it answers there."
	case s.From == FromAccount:
		f.Detail += " That holds from the next time that Ollama starts."
	case len(e.Found.Probe.Asked) > 0:
		f.Detail += fmt.Sprintf(" It did not answer there at %s, so something holds it back now.", e.moment(e.Found.Probe.At))
	}
	f.Fix = e.closeOllama()
	return f
}

// suspicion is the level of a setting that opens Ollama to the network. Where a
// connection was tried, that decides whether people can walk around the gate;
// where none was, the setting is the best that is known.
func (e Evidence) suspicion(unsure bool) Level {
	if unsure || !e.Found.Probe.At.IsZero() {
		return Attention
	}
	return Problem
}

// origins says which websites Ollama itself lets call.
func origins(e Evidence) Fact {
	f := Fact{ID: OllamaOrigins}
	if e.elsewhere(&f, "OLLAMA_ORIGINS") {
		return f
	}
	s, ok := e.told(func(s Server) int { w, _ := widest(s.Origins); return int(w) })
	w, entry := widest(s.Origins)
	const around = " directly, without a key and without the gate. People on the network cannot do that."
	switch {
	case e.Found.App.Browser && w != anybody:
		f.Level, f.Title = Attention, "Ollama's app lets every website call Ollama"
		f.Detail = "A web page in a browser on this machine can use Ollama" + around
		f.Fix = []Step{{Text: "Open Settings in Ollama's app, and switch off that web pages may use Ollama, or reset the settings to their defaults."}}
	case !ok:
		f.Level, f.Title, f.Detail = Unknown, "OLLAMA_ORIGINS could not be read", e.untold()
	case w == anybody:
		f.Level, f.Title = Attention, fmt.Sprintf("OLLAMA_ORIGINS has %s in it, which lets websites call Ollama", clean(entry))
		f.Detail = "A web page in a browser on this machine can use Ollama" + around
		if entry != "*" {
			f.Detail += " The * fits any text, so more names match than it seems."
		}
		f.Fix = e.closeOrigins()
	case w == extensions:
		f.Level, f.Title = Attention, "OLLAMA_ORIGINS lets every browser extension call Ollama"
		f.Detail = "An extension of a browser on this machine can use Ollama" + around
		f.Fix = e.closeOrigins()
	case s.Origins == "":
		f.Level, f.Title, f.Detail = OK, "OLLAMA_ORIGINS is not set", "Only pages and apps of this machine itself may call Ollama."
	default:
		f.Level, f.Title = OK, "OLLAMA_ORIGINS names who may call Ollama"
		var list []string
		for one := range strings.SplitSeq(s.Origins, ",") {
			list = append(list, one)
		}
		f.Detail = "They are " + some(list) + "."
		if len(list) == 1 {
			f.Detail = "It is " + some(list) + "."
		}
	}
	return f
}

// app says how the switch in Ollama's desktop app stands.
func app(e Evidence) Fact {
	if e.OS != "darwin" && e.OS != "windows" {
		return Fact{} // there is no such app
	}
	f := Fact{ID: OllamaApp}
	a := e.Found.App
	switch {
	case e.elsewhere(&f, "The expose switch of Ollama's app"):
	case !a.Read:
		f.Level, f.Title = Unknown, "The settings of Ollama's app could not be read"
		f.Detail = "The app is not here, or keeps them in a way that Paddock does not know. What counts is where Ollama answers."
	case a.Expose:
		f.Level, f.Title = e.suspicion(false), "Ollama's own expose switch is on"
		f.Detail = "With it Ollama listens on every network, without keys."
		switch {
		case len(e.Found.Probe.Answered) > 0:
			f.Detail += " That is why it answers there."
		case len(e.Found.Probe.Asked) > 0:
			f.Detail += fmt.Sprintf(" It did not answer there at %s, so something holds it back now.", e.moment(e.Found.Probe.At))
		}
		f.Fix = []Step{exposeOff}
	default:
		f.Level, f.Title, f.Detail = OK, "Ollama's own expose switch is off", "Sharing goes through Paddock only."
	}
	return f
}

// version says which known holes Ollama's version has.
func version(e Evidence) Fact {
	f := Fact{ID: OllamaVersion}
	if e.Upstream.Demo {
		f.Level, f.Title, f.Detail = OK, "Ollama's known holes do not concern the demo", "The built-in demo stands in for Ollama now."
		return f
	}
	v, ok := parseRelease(e.Upstream.Version)
	if !ok {
		f.Level, f.Title = Unknown, "Ollama's version is not known"
		f.Detail = "It does not answer now, so known holes cannot be looked up."
		if said := clean(e.Upstream.Version); said != "" {
			f.Detail = fmt.Sprintf("It calls itself %s, which is no released version, so known holes cannot be looked up.", said)
		}
		return f
	}
	var open, stopped, notSure []string
	var openItems, stoppedItems []Item
	for _, a := range advisories {
		item := Item{a.id, fmt.Sprintf("Lets %s. Source: %s.", a.what, a.source)}
		switch h := a.of(v, e.OS); {
		case h == hits && a.gate == stops:
			stopped = append(stopped, a.id)
			item.Text += " The gate stops it for teammates."
			stoppedItems = append(stoppedItems, item)
		case h == hits:
			if a.gate == halves {
				item.Text += " The gate stops it for teammates; a page in your own browser goes straight to Ollama."
			}
			open = append(open, a.id)
			openItems = append(openItems, item)
		case h == perhaps:
			notSure = append(notSure, a.id)
			if a.gate != stops {
				item.Text += " It is not certain that this version has it."
				openItems = append(openItems, item)
			}
		}
	}
	f.Items = append(openItems, stoppedItems...)
	name := "Ollama " + clean(e.Upstream.Version)
	var said []string
	switch {
	case len(open) > 0:
		f.Level = Attention
		f.Title = name + count(len(open), " has a known hole that the gate does not stop", " has %d known holes that the gate does not stop")
		said = append(said, fmt.Sprintf("%s: see below.", some(open)))
		if len(open) == 1 {
			said[0] = openItems[slices.IndexFunc(openItems, func(i Item) bool { return i.Name == open[0] })].sentence()
		}
		if len(stopped) > 0 {
			said = append(said, count(len(stopped), "One more is stopped by the gate", "%d more are stopped by the gate")+local(len(stopped)))
		}
	case len(stopped) > 0:
		f.Level = Attention
		f.Title = name + count(len(stopped), " has a known hole, which the gate stops", " has %d known holes, which the gate stops")
		said = append(said, some(stopped)+either(len(stopped), " is stopped", " are stopped")+local(len(stopped)))
	default:
		f.Level, f.Title = OK, name+" has no known holes"
	}
	if f.Level == Attention {
		f.Fix = e.update()
	}
	if len(notSure) > 0 {
		more := " "
		if len(open)+len(stopped) > 0 {
			more = " more "
		}
		said = append(said, count(len(notSure),
			"Of one"+more+"report it is not certain whether this version has what it says.",
			"Of %d"+more+"reports it is not certain whether this version has what they say."))
	}
	f.Detail = strings.Join(append(said, "As of "+advisoriesOf+"."), " ")
	return f
}

// sentence says a hole with its name in front.
func (i Item) sentence() string {
	what, _, _ := strings.Cut(i.Text, ". ")
	return i.Name + " l" + strings.TrimPrefix(what, "L") + "."
}

// local says for whom the gate stops a hole, and for whom not.
func local(n int) string {
	return " for teammates; a manager key or a program on this machine can still reach " + either(n, "it.", "them.")
}

// update are the steps to a newer Ollama.
func (e Evidence) update() []Step {
	switch {
	case !e.Upstream.Local:
		return []Step{{Text: "Update Ollama on the machine where it runs."}}
	case e.OS == "darwin", e.OS == "windows":
		return []Step{{Text: "Update Ollama: its menu says so when a new version is there. Or download it:", Code: "https://ollama.com/download"}}
	case e.ollamaRuns().container:
		return []Step{{Text: "Fetch the new image, and make the container anew from it:", Code: "docker pull ollama/ollama"}}
	}
	return []Step{{
		Text: "Update Ollama the way you installed it. With Ollama's own installer, which restarts it and asks for your password:",
		Code: "curl -fsSL https://ollama.com/install.sh | sh",
	}}
}
