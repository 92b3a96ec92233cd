//go:build !lite

package desk

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"paddock/requestlog"
	"paddock/share"
)

// unencrypted stands wherever an address for plain HTTP is shown.
const unencrypted = "Not encrypted: anyone who listens in on this network can read keys, prompts and answers. Share only on networks you trust."

// said is a state in words.
type said struct {
	title    string
	sentence string
	trouble  bool // needs the owner
}

// sharing says how far sharing has come, and what to do where it does not work.
func sharing(st share.State) said {
	switch st.Phase {
	case share.Off:
		return said{title: "Off", sentence: "Nobody else can use your Ollama. Switch it on, and everybody with a key can."}
	case share.Starting:
		return said{title: "Starting…", sentence: "Opening the gate at " + st.Listen + "."}
	case share.Stopping:
		return said{title: "Stopping…", sentence: "New requests are refused. Those that run may finish within five seconds."}
	case share.Waiting:
		return said{"Waiting", waiting(st), true}
	case share.Sharing:
	}
	switch {
	case st.Problem == share.NoNetwork:
		return said{"Sharing, but unreachable", "This machine is on no private network, so nobody can reach it. Join one, and it works by itself.", true}
	case st.Ollama.Demo:
		return said{title: "Sharing the demo", sentence: "Teammates on this network get made-up answers, each with their own key."}
	}
	return said{title: "Sharing", sentence: "Teammates on this network can use your Ollama, each with their own key."}
}

func waiting(st share.State) string {
	switch st.Problem {
	case share.PortInUse:
		who := "another program"
		if st.Detail != "" {
			who = st.Detail
		}
		return fmt.Sprintf("%s is in use by %s. Sharing starts by itself when it is free; end that program, or take another port.", portOf(st.Listen), who)
	case share.NoSuchAddr:
		return fmt.Sprintf("This machine has no address %s now. Sharing starts by itself when it is back.", st.Detail)
	case share.NotAllowed:
		return fmt.Sprintf("The system does not let Paddock listen on %s. Take a port above 1023.", st.Listen)
	case share.ListenFault:
		return fmt.Sprintf("Paddock cannot listen on %s: %s. It tries again every two seconds.", st.Listen, st.Detail)
	case share.NoNetwork, share.NoProblem:
	}
	return "Sharing starts by itself when the cause has gone."
}

func portOf(listen string) string {
	if _, port, err := net.SplitHostPort(listen); err == nil {
		return "Port " + port
	}
	return listen
}

// otherPort is an address to listen on that avoids the present one, or "" when
// another port would not help.
func otherPort(st share.State) string {
	host, text, err := net.SplitHostPort(st.Listen)
	port, bad := strconv.Atoi(text)
	if err != nil || bad != nil || st.Phase != share.Waiting {
		return ""
	}
	switch st.Problem {
	case share.PortInUse:
		if port++; port > 65535 {
			port = 11436
		}
	case share.NotAllowed:
		port = 11435
	case share.NoSuchAddr, share.NoNetwork, share.ListenFault, share.NoProblem:
		return ""
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

// addressLabel says what kind of address a URL holds.
func addressLabel(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return "Address"
	}
	ip, err := netip.ParseAddr(u.Hostname())
	switch {
	case u.Hostname() == "localhost", err == nil && ip.IsLoopback():
		return "Local only"
	case err == nil:
		return "IP address"
	}
	return "Name"
}

// ollama says how Ollama is.
func ollama(o share.Ollama) said {
	where := place(o.URL)
	switch {
	case o.Detail == share.DetailOwnUpstream:
		return said{"Ollama is not where Paddock looks", fmt.Sprintf("The address %s leads back to Paddock itself. Set share.ollama, or OLLAMA_HOST, to where Ollama is.", o.URL), true}
	case o.Demo:
		return said{title: "Built-in demo", sentence: "stands in for Ollama"}
	}
	switch o.Health {
	case share.Answers:
		return said{title: "Ollama " + o.Version, sentence: "answers " + where}
	case share.Silent:
		if o.URL == "" {
			return said{"Ollama's address cannot be read", o.Detail, true}
		}
		return said{"Ollama does not answer", fmt.Sprintf("Nothing answers at %s. Start Ollama, and Paddock notices by itself; or try the built-in demo, which needs nothing.", host(o.URL)), true}
	case share.Stranger:
		return said{"This is not Ollama", fmt.Sprintf("Something else answers at %s. Start Ollama there, or set share.ollama to where it is.", host(o.URL)), true}
	case share.Unknown:
	}
	return said{title: "Asking Ollama…", sentence: where}
}

// lastHeal is the newest one.
func lastHeal(heals []share.Heal) (newest share.Heal, ok bool) {
	for _, h := range heals {
		if !ok || h.At.After(newest.At) {
			newest, ok = h, true
		}
	}
	return newest, ok
}

// healed says what became of the model that stopped answering last.
func healed(heals []share.Heal, now time.Time) said {
	h, _ := lastHeal(heals)
	model := requestlog.Clean(strings.TrimSuffix(h.Model, ":latest"), 60)
	at := h.At.Local().Format("15:04")
	if h.At.Local().YearDay() != now.Local().YearDay() {
		at = h.At.Local().Format("15:04 on Monday")
	}
	if h.Fault != "" {
		return said{sentence: fmt.Sprintf("%s has stopped answering, and Paddock could not restart it at %s: %s. Restarting Ollama helps.",
			model, at, requestlog.Clean(strings.TrimSuffix(h.Fault, "."), 120)), trouble: true}
	}
	text := fmt.Sprintf("%s had stopped answering; Paddock restarted it at %s.", model, at)
	times := 0
	for _, x := range heals {
		if x.Model == h.Model && x.Fault == "" {
			times++
		}
	}
	if times > 1 {
		text += fmt.Sprintf(" It has happened %d times lately.", times)
	}
	return said{sentence: text}
}

// place says an address the way it is understood best.
func place(link string) string {
	u, err := url.Parse(link)
	if err != nil || u.Host == "" {
		return "at " + link
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if (u.Hostname() == "localhost" || err == nil && ip.IsLoopback()) && u.Port() == "11434" {
		return "on this machine"
	}
	return "at " + requestlog.Clean(u.Host, 40)
}

func host(link string) string {
	if u, err := url.Parse(link); err == nil && u.Host != "" {
		return u.Host
	}
	return link
}

// list joins names with the dot that separates facts.
func list(names []string, none string) string {
	if len(names) == 0 {
		return none
	}
	short := make([]string, len(names))
	for i, n := range names {
		short[i] = strings.TrimSuffix(n, ":latest")
	}
	return strings.Join(short, " · ")
}
